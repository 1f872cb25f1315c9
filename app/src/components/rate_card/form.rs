//! The form in which a card is written.

use super::editor::{TEXT_ID, TIME_ID};
use crate::components::entry_filter::{input, labelled};
use crate::markup::{Markup, button_link, hidden};

/// What the form holds, and who has it before them.
#[derive(Debug, Clone)]
pub struct Form {
    /// The card.
    pub text: String,
    /// When it takes effect, as typed.
    pub effective_at: String,
    /// The newest version: what is laid down replaces it.
    pub newest: i64,
    /// The form's one-time key; `None` for those who may only try.
    pub key: Option<String>,
    /// Why it was not taken.
    pub error: Option<String>,
    /// IANA name of the org's zone.
    pub zone: String,
}

/// The rules, each as it is written.
const GRAMMAR: [(&str, &str); 9] = [
    ("images: 0.0001 each", "a price for one"),
    ("input_tokens: 0.60 per 1000000", "a price for so many"),
    ("viewer_session: 1 per 600 begun", "for every 600 begun, event by event: 601 cost 2"),
    ("computation: 1 per 10 full", "for every 10, counted over all events: the tenth costs 1"),
    (
        "storage: graduated 0 to 10000, 0.01 beyond",
        "tiers of a billing cycle: each part at its price; volume: all at the last",
    ),
    (
        "training: formula 0.5 + 0.02 per second + 0.001 per MB + 0.25 per compute unit, at least 1",
        "any of these parts",
    ),
    ("transcript: reported", "the event says what it costs"),
    ("export from platform, embedded: free", "only for these sources"),
    ("export where size=large: 3 each", "only for events with this attribute"),
];

/// The panel.
#[must_use]
pub fn form(form: &Form) -> Markup {
    let Form { text, effective_at, newest, key, error, zone } = form;
    let title = if key.is_some() { "Write the next version" } else { "Try out another card" };
    let head = Markup::new("div")
        .class("panel-head")
        .child(Markup::new("h2").attr("id", "edit-title").text(title))
        .child(Markup::new("p").class("muted").text("One line each; the first that matches wins"));
    let text = Markup::new("textarea")
        .attr("id", TEXT_ID)
        .attr("name", "card")
        .attr("rows", "14")
        .attr("spellcheck", "false")
        .attr("autocomplete", "off")
        .attr("autocapitalize", "off")
        .attr("maxlength", "65536")
        .attr("aria-labelledby", "edit-title")
        // HTML drops a line's end that comes first.
        .text(text.trim_start_matches('\n'));
    let error = error.as_ref().map(|error| Markup::new("p").class("form-error").attr("role", "alert").text(error));
    let preview = Markup::new("button")
        .class("button plain-only")
        .attr("name", "do")
        .attr("value", "preview")
        .attr("formaction", "/rate-card#preview")
        .text("Preview");
    let form = Markup::new("form")
        .attr("method", "post")
        .attr("action", "/rate-card#edit")
        .attr("aria-labelledby", "edit-title")
        .children(hidden(vec![("replaces", newest.to_string())]))
        .child(text)
        .child(help());
    let form = match key {
        Some(key) => form
            .children(hidden(vec![("key", key.clone())]))
            .children(error)
            .child(
                Markup::new("div")
                    .class("fields")
                    .child(labelled(&format!("Takes effect, time in {zone}; empty: now"), input("datetime-local", "effective_at", Some(effective_at)).attr("id", TIME_ID)))
                    .child(preview)
                    .child(lay_down(*newest)),
            )
            .child(Markup::new("p").class("muted").text("What was charged stays charged. Lines that stay as they are keep what they carry and where they are in their tiers.")),
        None => form.children(error).child(preview).child(
            Markup::new("p")
                .class("muted")
                .text("Nothing you write here is kept. Only operators, who run this server, may lay down a version: show them this page."),
        ),
    };
    Markup::new("section").class("panel").attr("id", "edit").child(head).child(form)
}

fn lay_down(newest: i64) -> Markup {
    let button = Markup::new("button").class("button primary").attr("name", "do").attr("value", "lay-down");
    button.text(&format!("Lay down version {}", newest + 1))
}

fn help() -> Markup {
    let rule = |(written, meaning): (&str, &str)| {
        Markup::new("div")
            .child(Markup::new("dt").child(Markup::new("code").text(written)))
            .child(Markup::new("dd").class("muted").text(meaning))
    };
    Markup::new("details")
        .class("card-help")
        .child(Markup::new("summary").text("How a line is written"))
        .child(Markup::new("dl").children(GRAMMAR.map(rule)))
}

/// A link that starts over from the newest version.
#[must_use]
pub fn start_over() -> Markup {
    button_link("/rate-card", "Back to the newest version")
}

#[cfg(test)]
mod tests {
    use super::GRAMMAR;

    #[test]
    fn the_help_is_right() {
        for (written, _) in GRAMMAR {
            assert!(ledger::card_text::parse(written).is_ok(), "{written}");
        }
    }
}
