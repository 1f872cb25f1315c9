//! What things cost, which versions there were, and what another card would have cost.

use crate::components::eager::Eager;
use crate::components::error_panel::ErrorPanel;
use crate::components::rate_card::editor::Editor;
use crate::components::skeleton::PageSkeleton;
use crate::components::still::Still;
use crate::server_fns::answer;
use crate::server_fns::rate_card::{RateCardReport, rate_card};
use crate::words;
use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// The page.
#[component]
pub fn RateCardPage() -> impl IntoView {
    let search = use_location().search;
    let data = answer(move || search.get(), rate_card);
    let (loading, set_loading) = signal(false);
    let filled = move || {
        Suspend::new(async move {
            words::provide().await;
            match data.await {
                Ok(RateCardReport { head, form, text, trial, below }) => Either::Left(view! {
                    {Still(head)}
                    <Editor form text trial/>
                    {Still(below)}
                }),
                Err(error) => Either::Right(view! { <ErrorPanel error retry=move |()| data.refetch()/> }),
            }
        })
    };
    view! {
        <Title text="Rate card"/>
        <div class="page" class:loading=loading aria-busy=move || if loading.get() { "true" } else { "false" }>
            <Transition fallback=|| Eager(view! { <PageSkeleton cards=0/> }) set_pending=set_loading>{filled}</Transition>
        </div>
    }
}
