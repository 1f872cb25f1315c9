//! How much is left, what used it, will it last.

use crate::components::chart_panel::ChartPanel;
use crate::components::filled::{FilledPage, any, report};
use crate::components::legend::Legend;
use crate::components::still::Still;
use crate::format;
use crate::server_fns::answer;
use crate::server_fns::overview::{DAYS, GetOverview, Overview, Recent};
use crate::usage_chart::Usage;
use crate::view::View;
use crate::words;
use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let shown = report(answer(|| GetOverview {}), |overview| any(view! { <Report overview/> }));
    view! {
        <Title text="Overview"/>
        <FilledPage shown cards=4/>
    }
}

#[component]
fn Report(overview: Overview) -> impl IntoView {
    let Overview { head, cards, recent, events, difference } = overview;
    view! {
        {Still(head)}
        {Still(cards)}
        {recent.map(|recent| view! { <Chart recent/> })}
        {Still(events)}
        {Still(difference)}
    }
}

#[component]
fn Chart(recent: Recent) -> impl IntoView {
    let Recent { zone, cube, as_of } = recent;
    // Sums beyond what an amount can hold cannot come from the ledger, whose balances hold them.
    let usage = Usage::of(&cube, &View::default()).unwrap_or_default();
    let usage = Memo::new(move |_| usage.clone());
    let unit = format::unit_head(&words::current());
    view! {
        <section class="panel" aria-labelledby="recent">
            <div class="panel-head">
                <h2 id="recent">{format!("Last {DAYS} days")}</h2>
                <p class="muted">{format!("Days in {zone}")}</p>
                <a class="panel-link" href="/analytics">"Open in Analytics"</a>
            </div>
            <ChartPanel id="overview-chart" title=format!("{unit} per day by credit type") usage/>
            <Legend usage as_of/>
        </section>
    }
}
