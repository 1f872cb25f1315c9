//! Taking an event back, or letting another stand in its place. First tried out, then booked; only by operators.

use super::correction_preview::{Trial, correction_preview};
use super::entry_filter::{input, labelled};
use crate::correction::{Ask, QUANTITY_FIELD};
use crate::format::unit_head;
use crate::markup::{Markup, button_link, hidden, span};
use ledger::event::REPORTED_DECIMALS;
use ledger::{Event, EventSeq, Words};

/// Who looks at the panel.
#[derive(Debug, Clone)]
pub enum Desk {
    /// Somebody who may not correct anything.
    NoOperator,
    /// The event was taken back already.
    Done,
    /// An operator, and what they try out.
    Open(Option<Box<Trial>>),
}

/// The panel: forms, the outcome of what was tried out, or why there are none.
#[must_use]
pub fn correction_panel(seq: EventSeq, event: &Event, desk: Desk, words: &Words) -> Markup {
    let title = Markup::new("h2").attr("id", "correct-title").text("Correct this event");
    let panel = Markup::new("section")
        .class("panel")
        .attr("id", "correct")
        .attr("aria-labelledby", "correct-title")
        .child(Markup::new("div").class("panel-head").child(title));
    let muted = || Markup::new("p").class("muted");
    match desk {
        Desk::Done => panel.child(muted().text("It was taken back already. What was booked stays booked.")),
        Desk::NoOperator => {
            let why = "Only operators may correct events, because a correction changes what an organization owes. \
                       Ask whoever runs this server, and name ";
            panel.child(muted().text(why).child(Markup::new("b").text(&seq.to_string())).text("."))
        }
        Desk::Open(trial) => panel.children(forms(seq, event, trial, words)),
    }
}

fn forms(seq: EventSeq, event: &Event, trial: Option<Box<Trial>>, words: &Words) -> Vec<Markup> {
    let ask = trial.as_ref().map(|trial| trial.ask.clone());
    let (void, replace) = match ask {
        Some(ask) if ask.replace => (None, Some(ask)),
        ask => (ask, None),
    };
    let opened = replace.is_some().then_some("");
    let replace = replace.unwrap_or_else(|| suggested(event));
    let reason = void.map(|ask| ask.reason).unwrap_or_default();
    let quantities = replace.quantities.iter().map(|(meter, quantity)| {
        text(&format!("Quantity of {meter}"), &format!("{QUANTITY_FIELD}{meter}"), quantity, "64")
    });
    let back = form(seq, "Take it back", "void").child(text("Why it is taken back", "reason", &reason, "1000"));
    let other = form(seq, "Replace it", "replace")
        .child(text("Why it is replaced", "reason", &replace.reason, "1000"))
        .child(text("New id at the source", "id", &replace.id, "256"))
        .children(quantities)
        .children(
            replace.reported.map(|credits| text(&format!("{} reported", unit_head(words)), "reported", &credits, "64")),
        );
    let preview = || Markup::new("button").class("button").text("Preview");
    let other = Markup::new("details")
        .class("replace")
        .maybe_attr("open", opened)
        .child(Markup::new("summary").text("Replace it by another event"))
        .child(other.child(preview()));
    let mut parts = vec![back.child(preview()), other];
    parts.extend(trial.map(|trial| correction_preview(seq, *trial, words)));
    parts
}

fn form(seq: EventSeq, label: &str, correct: &str) -> Markup {
    Markup::new("form")
        .class("fields")
        .attr("method", "get")
        .attr("action", &format!("/events/{seq}#correct"))
        .attr("aria-label", label)
        .children(hidden(vec![("correct", correct.to_owned())]))
}

fn text(label: &str, name: &str, value: &str, max: &str) -> Markup {
    labelled(label, input("text", name, Some(value)).attr("required", "").attr("maxlength", max))
}

/// The event as it is, under another id: an id stands for one event, for ever.
fn suggested(event: &Event) -> Ask {
    let quantities = event.quantities.iter().map(|(meter, quantity)| (meter.to_string(), quantity.to_string()));
    let picos = |picos| ledger::decimal::trimmed(i128::from(picos), REPORTED_DECIMALS);
    Ask {
        replace: true,
        reason: String::new(),
        id: format!("{}-corrected", event.id),
        quantities: quantities.collect(),
        reported: event.reported.map(picos),
    }
}

/// The form that books what was tried out: the same pairs again, with the key that makes it happen once.
pub(super) fn booking(seq: EventSeq, ask: &Ask, key: &str) -> Markup {
    let label = if ask.replace { "Book the replacement" } else { "Book: take it back" };
    let page = format!("/events/{seq}");
    Markup::new("form")
        .class("booking")
        .attr("method", "post")
        .attr("action", &page)
        .children(hidden(ask.pairs()))
        .children(hidden(vec![("key", key.to_owned())]))
        .child(Markup::new("button").class("button primary").child(span(label)))
        .child(button_link(&page, "Leave it as it is"))
}
