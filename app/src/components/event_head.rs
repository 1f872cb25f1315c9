//! Which event this is, and what became of it.

use super::entries::entry_link;
use crate::markup::{Markup, link, time};
use crate::server_fns::Moment;
use ledger::{EntrySeq, EventSeq};

/// What became of an event.
#[derive(Debug, Clone)]
pub struct Story<'z> {
    /// Which.
    pub seq: EventSeq,
    /// IANA name of the org's zone.
    pub zone: &'z str,
    /// The billing cycles in which it happened and was booked (`October 2026`), where the first was over by then.
    pub late: Option<(String, String)>,
    /// The event in whose place it stands.
    pub replaces: Option<EventSeq>,
    /// How it was taken back, if it was.
    pub voided: Option<Voided>,
    /// Whether whoever looks has just done that.
    pub just_booked: bool,
}

/// How an event was taken back.
#[derive(Debug, Clone)]
pub struct Voided {
    /// By which entry.
    pub entry: EntrySeq,
    /// When.
    pub at: Moment,
    /// By whom.
    pub cause: String,
    /// Why.
    pub reason: String,
    /// The event that stands in its place.
    pub replacement: Option<EventSeq>,
}

/// The way back, the title with the event's state, and a note for each thing that happened to it.
#[must_use]
pub fn event_head(story: &Story<'_>, crumbs: Markup, belongs: Option<Markup>) -> Markup {
    let badge = story.voided.as_ref().map(|voided| {
        let state = if voided.replacement.is_some() { "Replaced" } else { "Voided" };
        Markup::new("span").class("badge").text(state)
    });
    let title = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(&story.seq.to_string()))
        .children(badge)
        .child(Markup::new("p").class("muted").text(&format!("Times in {}", story.zone)));
    let note = || Markup::new("p").class("note");
    let replaces = story.replaces.map(|old| note().text("It stands in the place of ").child(event_link(old)).text("."));
    let late = story.late.as_ref().map(|(happened, booked)| {
        note().text(&format!("Happened in {happened}, booked in {booked}: that cycle was closed."))
    });
    let voided = story.voided.as_ref().map(|voided| taken_back(voided, story.just_booked));
    Markup::new("div")
        .class("event-head")
        .child(crumbs)
        .child(title)
        .children(belongs)
        .children(voided)
        .children(replaces)
        .children(late)
}

fn taken_back(voided: &Voided, just_booked: bool) -> Markup {
    let note = Markup::new("p")
        .class("note warn")
        .attr("role", "status")
        .text(if just_booked { "Booked. " } else { "" })
        .text("Taken back by ")
        .child(entry_link(voided.entry))
        .text(" on ")
        .child(time(&voided.at))
        .text(&format!(" ({}): ", voided.cause))
        .child(Markup::new("q").text(&voided.reason))
        .text(". ");
    match voided.replacement {
        Some(new) => note.child(event_link(new)).text(" stands in its place."),
        None => note,
    }
}

fn event_link(event: EventSeq) -> Markup {
    link(&format!("/events/{event}"), &event.to_string())
}
