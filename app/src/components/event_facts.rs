//! What an event said, field by field, from the very values that its proof is checked with.

use crate::format;
use crate::markup::{Markup, fact, text_fact, time};
use crate::proof::Evidence;
use crate::server_fns::Moment;
use ledger::event::{Place, REPORTED_DECIMALS, Status};
use ledger::{Event, Words};

/// A list of its fields; those that were not said are left out. The words of the two times are the server's.
#[must_use]
pub fn event_facts(evidence: &Evidence, occurred: &str, booked: &str, words: &Words) -> Markup {
    let told = |at: ledger::Timestamp, text: &str| {
        Markup::new("dd").child(time(&Moment { iso: at.to_string(), text: text.to_owned() }))
    };
    let facts = Markup::new("dl")
        .class("facts")
        .child(fact("Happened", told(evidence.occurred_at, occurred)))
        .child(fact("Booked", told(evidence.entry.booked_at, booked)));
    texts(&evidence.event, words).into_iter().fold(facts, |facts, (label, text)| facts.child(text_fact(label, &text)))
}

fn texts<'t>(event: &'t Event, words: &'t Words) -> Vec<(&'t str, String)> {
    let plain = |scaled: i64, decimals| ledger::decimal::trimmed(i128::from(scaled), decimals);
    let picos = |picos| format::with_unit(words, &plain(picos, REPORTED_DECIMALS));
    let status = if event.status == Status::Failed { "Failed" } else { "Succeeded" };
    let all = [
        ("Operation", Some(event.operation.to_string())),
        ("Source", Some(event.source.to_string())),
        ("Id at the source", Some(event.id.to_string())),
        ("Status", Some(status.to_owned())),
        ("Project", event.project.as_ref().map(place)),
        (&words.workflow, event.workflow.as_ref().map(place)),
        ("Run", event.run.as_ref().map(place)),
        ("Module", event.module.as_ref().map(place)),
        ("User", event.user.as_ref().map(ToString::to_string)),
        ("Tenant", event.tenant.as_ref().map(ToString::to_string)),
        ("Interaction", event.interaction.as_ref().map(ToString::to_string)),
        ("Reported", event.reported.map(picos)),
        ("Data transferred", (event.bytes > 0).then(|| format::counted(event.bytes, "byte", "bytes"))),
        ("Compute units", (event.compute_micros > 0).then(|| plain(event.compute_micros, ledger::quantity::DECIMALS))),
        ("Description", event.description.clone()),
    ];
    let said = all.into_iter().filter_map(|(label, text)| text.map(|text| (label, text)));
    said.chain(event.attributes.iter().map(|(name, value)| (name.as_str(), value.to_string()))).collect()
}

/// The name that people read, with the id behind it.
fn place(place: &Place) -> String {
    match &place.name {
        Some(name) if *name != place.id => format!("{name} ({})", place.id),
        _ => place.id.to_string(),
    }
}
