//! How much is left, what used it, will it last.

use crate::components::balance_card::BalanceCard;
use crate::components::chart_panel::ChartPanel;
use crate::components::difference::Difference;
use crate::components::empty_state::FirstEvent;
use crate::components::filled::{FilledPage, any, report};
use crate::components::events_table::EventsTable;
use crate::components::legend::Legend;
use crate::components::stat_card::StatCard;
use crate::components::time::Time;
use crate::format;
use crate::server_fns::answer;
use crate::server_fns::overview::{DAYS, EventLine, GetOverview, Overview};
use crate::usage_chart::Usage;
use crate::view::View;
use crate::words;
use ledger::Credits;
use leptos::either::Either;
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
    // Sums beyond what an amount can hold cannot come from the ledger, whose balances hold them.
    let usage = Usage::of(&overview.cube, &View::default()).unwrap_or_default();
    let recent = usage.total.credits;
    let average = format::per_day(recent, DAYS);
    let pace = format!("Last {DAYS} days. {}", outlook(overview.balance.available, average));
    let share = format::share(overview.spent, overview.granted).map(|share| format!(", {share} of what was granted"));
    let spent = format::counted(overview.event_count, "event", "events") + &share.unwrap_or_default();
    let below = if overview.event_count == 0 {
        Either::Left(view! { <FirstEvent origin=overview.origin org=overview.org meters=overview.cube.meters/> })
    } else {
        let as_of = overview.as_of.text.clone();
        Either::Right(view! { <Recent usage as_of zone=overview.zone events=overview.events/> })
    };
    view! {
        <div class="page-head">
            <h1>"Overview"</h1>
            <p class="muted">"As of " <Time moment=overview.as_of/></p>
        </div>
        <div class="stats">
            <BalanceCard balance=overview.balance/>
            <StatCard label="Spent" credits=overview.spent remark=spent/>
            <StatCard label="Granted" credits=overview.granted remark="All that was ever given".to_owned()/>
            <StatCard label="Average per day" credits=average remark=pace/>
        </div>
        {below}
        <Difference difference=overview.difference/>
    }
}

#[component]
fn Recent(usage: Usage, as_of: String, zone: String, events: Vec<EventLine>) -> impl IntoView {
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
        <section class="panel" aria-labelledby="events">
            <div class="panel-head"><h2 id="events">"Last events"</h2></div>
            <EventsTable events/>
        </section>
    }
}

/// Will it last: what is available at the average pace. A forecast will know better.
fn outlook(available: Credits, daily: Credits) -> String {
    if !available.is_positive() {
        return "Nothing is left.".to_owned();
    }
    match format::days_left(available, daily) {
        Some(0) => "At this pace the balance does not last a day.".to_owned(),
        Some(days) => format!("At this pace the balance lasts {}.", format::counted(days, "day", "days")),
        None => "At this pace the balance lasts for years.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outlook_in_words() {
        let say = |available, daily| outlook(Credits::from_micros(available), Credits::from_micros(daily));
        assert_eq!(say(0, 5), "Nothing is left.");
        assert_eq!(say(4, 5), "At this pace the balance does not last a day.");
        assert_eq!(say(5, 5), "At this pace the balance lasts 1 day.");
        assert_eq!(say(5, 0), "At this pace the balance lasts for years.");
    }
}
