//! What things cost, which versions there were, and what another card would have cost.

use crate::components::filled::{FilledPage, any, report};
use crate::components::rate_card::editor::Editor;
use crate::components::still::Still;
use crate::server_fns::answer;
use crate::server_fns::rate_card::{GetRateCard, RateCardReport};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// The page.
#[component]
pub fn RateCardPage() -> impl IntoView {
    let search = use_location().search;
    let data = answer(move || GetRateCard { query: search.get() });
    let shown = report(data, |RateCardReport { head, form, text, effective_at, trial, below }| {
        any(view! {
            {Still(head)}
            <Editor form text effective_at trial/>
            {Still(below)}
        })
    });
    view! {
        <Title text="Rate card"/>
        <FilledPage shown/>
    }
}
