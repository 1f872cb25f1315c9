//! One event: what was said, what it cost and why, where it is in the ledger, and how it is corrected.

use crate::components::charge_list::charge_list;
use crate::components::error_panel::ErrorPanel;
use crate::components::event_facts::event_facts;
use crate::components::filled::{FilledPage, any};
use crate::components::proof_panel::ProofPanel;
use crate::components::still::Still;
use crate::error::AppError;
use crate::markup::{Markup, amount_in_full};
use crate::pages::not_found::NotFoundPage;
use crate::server_fns::answer;
use crate::server_fns::event::{EventReport, GetEvent};
use crate::words::{self, Words};
use ledger::Credits;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_params_map};

/// The page.
#[component]
pub fn EventPage() -> impl IntoView {
    let (params, search) = (use_params_map(), use_location().search);
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let data = answer(move || GetEvent { id: id.get(), query: search.get() });
    let shown = data.shown(move |told| match told {
        Ok(report) => {
            let columns = columns(&report, &words::current());
            any(view! {
                {Still(report.head)}
                {Still(columns)}
                <ProofPanel evidence=report.evidence reasons=report.reasons/>
                {Still(report.desk)}
            })
        }
        Err(AppError::NotFound) => any(view! { <NotFoundPage/> }),
        Err(error) => any(view! { <ErrorPanel error retry=move |()| data.ask_again()/> }),
    });
    view! {
        <Title text=move || id.get()/>
        <FilledPage shown/>
    }
}

/// What was said and what it cost: made from the same values that the proof is checked with.
fn columns(report: &EventReport, words: &Words) -> Markup {
    let EventReport { evidence, occurred, booked, reasons, .. } = report;
    // Sums beyond what an amount can hold cannot come from the ledger.
    let total = Credits::sum(evidence.charges.iter().map(|charge| charge.credits)).unwrap_or_default();
    let total = Markup::new("p").class("event-total").child(amount_in_full(words, total));
    let panel = |id: &str, title: &str, more: Option<Markup>| {
        let title = Markup::new("h2").attr("id", id).text(title);
        let head = Markup::new("div").class("panel-head").child(title).children(more);
        Markup::new("section").class("panel").attr("aria-labelledby", id).child(head)
    };
    Markup::new("div")
        .class("event-columns")
        .child(panel("said", "What was reported", None).child(event_facts(evidence, occurred, booked, words)))
        .child(panel("cost", "What it cost", Some(total)).child(charge_list(&evidence.charges, reasons, words)))
}
