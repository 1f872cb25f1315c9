//! Every entry of the ledger, and how things stood at any instant.

use crate::components::eager::Eager;
use crate::components::error_panel::ErrorPanel;
use crate::components::skeleton::PageSkeleton;
use crate::components::still::Still;
use crate::components::time_travel::TimeTravel;
use crate::ledger_view::LedgerView;
use crate::server_fns::answer;
use crate::server_fns::ledger::{LedgerReport, ledger, standing};
use leptos::either::Either;
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
    let data = answer(move || entries.get(), move |_| ledger(whole()));
    let standing = answer(move || instants.get(), move |_| standing(whole()));
    let (loading, set_loading) = signal(false);
    let filled = move || {
        Suspend::new(async move {
            match data.await {
                Ok(LedgerReport { head, clock, since, now, list, end }) => Either::Left(view! {
                    {Still(head)}
                    <TimeTravel view clock since now standing/>
                    {Still(list)}
                    {Still(end)}
                }),
                Err(error) => Either::Right(view! { <ErrorPanel error retry=move |()| data.refetch()/> }),
            }
        })
    };
    view! {
        <Title text="Ledger"/>
        <div class="page" class:loading=loading aria-busy=move || if loading.get() { "true" } else { "false" }>
            <Transition fallback=|| Eager(view! { <PageSkeleton cards=0/> }) set_pending=set_loading>{filled}</Transition>
        </div>
    }
}
