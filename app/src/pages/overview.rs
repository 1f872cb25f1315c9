//! How much is left, what used it, will it last.

use crate::components::amount::Amount;
use crate::components::chart_panel::ChartPanel;
use crate::components::eager::Eager;
use crate::components::empty_state::FirstEvent;
use crate::components::error_panel::ErrorPanel;
use crate::components::events_table::EventsTable;
use crate::components::legend::Legend;
use crate::components::skeleton::PageSkeleton;
use crate::components::stat_card::StatCard;
use crate::components::time::Time;
use crate::format;
use crate::server_fns::overview::{DAYS, Overview, overview};
use crate::usage_chart::Usage;
use crate::view::View;
use crate::words;
use ledger::{Balance, Credits, OrgState};
use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let data = Resource::new(|| (), |()| overview());
    let filled = move || {
        Suspend::new(async move {
            match data.await {
                Ok(overview) => Either::Left(view! { <Report overview/> }),
                Err(error) => Either::Right(view! { <ErrorPanel error retry=move |()| data.refetch()/> }),
            }
        })
    };
    view! {
        <Title text="Overview"/>
        <div class="page">
            <Transition fallback=|| Eager(view! { <PageSkeleton cards=4/> })>{filled}</Transition>
        </div>
    }
}

#[component]
fn Report(overview: Overview) -> impl IntoView {
    // Sums beyond what an amount can hold cannot come from the ledger, whose balances hold them.
    let usage = Usage::of(&overview.cube, &View::default()).unwrap_or_default();
    let recent = usage.total.credits;
    let average = format::per_day(recent, DAYS);
    let lasts = match format::days_left(overview.balance.available, average) {
        Some(days) => format!("At this rate the balance lasts {}.", format::counted(days, "day", "days")),
        None => "Too little to say how long the balance lasts.".to_owned(),
    };
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
            <StatCard label="Granted" credits=overview.granted remark="All credits ever given".to_owned()/>
            <StatCard label="Average per day" credits=average remark=format!("Last {DAYS} days. {lasts}")/>
        </div>
        {below}
        <Difference difference=overview.difference/>
    }
}

#[component]
fn BalanceCard(balance: Balance) -> impl IntoView {
    let (word, class, remark) = match balance.state {
        OrgState::Active => ("Active", "status ok", None),
        OrgState::Paused => (
            "Paused",
            "status danger",
            Some("Nothing is left to spend. Usage is still recorded; new work should wait until whoever runs this server adds credits (scrip grant)."),
        ),
    };
    let part = |label: &'static str, credits: Credits| {
        view! { <span class="part"><span class="muted">{label}</span>" "<Amount credits/></span> }
    };
    let held = balance.held.is_positive().then(|| part("Held", balance.held));
    let debt = balance.debt.is_positive().then(|| part("Debt", balance.debt));
    let apart = held.is_some() || debt.is_some();
    let settled = apart.then(|| part("Settled", balance.settled));
    view! {
        <div class="stat balance">
            <h2 class="stat-label">"Available balance" <span class=class>{word}</span></h2>
            <p class="stat-figure">
                <Amount credits=balance.available/>
                " "
                <span class="stat-unit">{words::CREDITS}</span>
            </p>
            <p class="stat-remark">{remark}{held}{debt}{settled}{(!apart && remark.is_none()).then_some("Nothing held, no debt")}</p>
        </div>
    }
}

#[component]
fn Recent(
    usage: Usage,
    as_of: String,
    zone: String,
    events: Vec<crate::server_fns::overview::EventLine>,
) -> impl IntoView {
    let usage = Memo::new(move |_| usage.clone());
    view! {
        <section class="panel" aria-labelledby="recent">
            <div class="panel-head">
                <h2 id="recent">{format!("Last {DAYS} days")}</h2>
                <p class="muted">{format!("Days in {zone}")}</p>
                <a class="panel-link" href="/analytics">"Open in Analytics"</a>
            </div>
            <ChartPanel id="overview-chart" title="Credits per day by credit type" usage/>
            <Legend usage as_of/>
        </section>
        <section class="panel" aria-labelledby="events">
            <div class="panel-head"><h2 id="events">"Last events"</h2></div>
            <EventsTable events/>
        </section>
    }
}

/// What the charts say beyond the ledger: nothing, and everybody may see that.
#[component]
pub fn Difference(
    /// Charts less ledger.
    difference: Credits,
) -> impl IntoView {
    view! {
        <p class="difference" class:wrong=!difference.is_zero()>
            {format!("Ledger and charts differ by {} {}", format::exact(difference), words::CREDITS)}
        </p>
    }
}
