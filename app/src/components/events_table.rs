//! The last events, in the order in which they came in, newest first.

use crate::format;
use crate::markup::{Markup, amount_bare, cell, number_of, table, time};
use crate::server_fns::Moment;
use ledger::event::Status;
use ledger::{Credits, EventSeq, Words};

/// One event of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLine {
    /// Its place in the order of acceptance.
    pub seq: EventSeq,
    /// When it happened.
    pub time: Moment,
    /// What was done.
    pub operation: String,
    /// Service, or the credit type where it has none, and quantity with its unit.
    pub quantities: Vec<(String, String)>,
    /// Where the credits were spent.
    pub source: String,
    /// In which project.
    pub project: Option<String>,
    /// How it ended.
    pub status: Status,
    /// What it cost.
    pub credits: Credits,
}

/// A row per event; scrolls inside its panel where it is too wide.
#[must_use]
pub fn events_table(words: &Words, events: &[EventLine]) -> Markup {
    let unit = format!("{}\t", format::unit_head(words));
    let heads = ["Time", "Operation", "Usage", "Source", "Project", "Status", &unit];
    let label = "Last events, in the order in which they came in, newest first";
    table("table-scroll", label, &heads, events.iter().map(|event| row(words, event)), None)
}

fn row(words: &Words, event: &EventLine) -> Markup {
    let link = Markup::new("a").attr("href", &format!("/events/{}", event.seq)).child(time(&event.time));
    let usage = event.quantities.iter().map(|(title, quantity)| {
        let title = Markup::new("span").class("muted").text(title);
        Markup::new("span").class("usage").child(title).text(&format!(" {quantity}"))
    });
    let (status, class) = match event.status {
        Status::Succeeded => ("Succeeded", "status quiet"),
        Status::Failed => ("Failed", "status danger"),
    };
    Markup::new("tr")
        .child(Markup::new("td").class("nowrap").child(link))
        .child(cell(&event.operation))
        .child(Markup::new("td").class("usages").children(usage))
        .child(cell(&event.source))
        .child(cell(event.project.as_deref().unwrap_or("–")))
        .child(Markup::new("td").child(Markup::new("span").class(class).text(status)))
        .child(number_of(amount_bare(words, event.credits)))
}
