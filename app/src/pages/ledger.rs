//! Every entry of the ledger, and how things stood at any instant.

use crate::components::filled::{FilledPage, any, report};
use crate::components::still::Still;
use crate::components::time_travel::TimeTravel;
use crate::ledger_view::LedgerView;
use crate::server_fns::answer;
use crate::server_fns::ledger::{GetLedger, GetStanding, LedgerReport};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// The page.
#[component]
pub fn LedgerPage() -> impl IntoView {
    let search = use_location().search;
    let view = Memo::new(move |_| LedgerView::parse(&search.get()));
    let entries = Memo::new(move |_| view.with(LedgerView::entries));
    let instants = Memo::new(move |_| view.with(LedgerView::instants));
    // Each is asked for when its own part of the address changes, and is told all of it, for the links in it.
    let whole = move || view.with_untracked(LedgerView::query);
    let data = answer(move || entries.with(|_| GetLedger { query: whole() }));
    let standing = answer(move || instants.with(|_| GetStanding { query: whole() }));
    let shown = report(data, move |LedgerReport { head, clock, since, now, list, end }| {
        any(view! {
            {Still(head)}
            <TimeTravel view clock since now standing/>
            {Still(list)}
            {Still(end)}
        })
    });
    view! {
        <Title text="Ledger"/>
        <FilledPage shown/>
    }
}
