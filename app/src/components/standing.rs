//! How things stood at an instant: exact fields to choose it, the balance in its parts, and what had become of each grant.

use super::entry_filter::{input, labelled};
use crate::ledger_view::LedgerView;
use crate::markup::{Markup, amount, button_link, cell, hidden, link, number_of, row, span, table, time};
use crate::server_fns::Moment;
use ledger::{Balance, Figures, GrantId, OrgState, Words};

/// How things stood.
#[derive(Debug, Clone)]
pub struct Standing {
    /// When.
    pub at: Moment,
    /// Until when what was booked counts, where that was asked for.
    pub known: Option<Moment>,
    /// What there was.
    pub balance: Balance,
    /// Newest first.
    pub grants: Vec<GrantLine>,
    /// Whether there are more.
    pub more: bool,
}

/// What became of a grant by then.
#[derive(Debug, Clone)]
pub struct GrantLine {
    /// Which.
    pub grant: GrantId,
    /// Its kind and what people read beside it.
    pub about: String,
    /// Its figures.
    pub figures: Figures,
    /// When it expires, if ever.
    pub expires: Option<Moment>,
}

/// What the fields of [`exact`] show: as `<input type="datetime-local">` writes it, empty for now.
#[derive(Debug, Clone)]
pub struct Fields {
    /// The instant.
    pub at: String,
    /// Until when what was booked counts.
    pub known: String,
    /// The latest instant at which something can be known.
    pub latest: String,
}

/// The panel's still part. What cannot be looked at is told in `problem`, in place of the figures.
#[must_use]
pub fn standing_panel(view: &LedgerView, fields: &Fields, stood: Result<&Standing, &str>, words: &Words) -> Markup {
    let figures = match stood {
        Ok(standing) => figures(standing, view, words),
        Err(problem) => {
            let alert = Markup::new("p").class("form-error").attr("role", "alert").text(problem);
            Markup::new("div").class("standing-figures").child(alert)
        }
    };
    Markup::new("div").child(exact(view, fields)).child(figures)
}

/// A form that names the instant to the second.
fn exact(view: &LedgerView, fields: &Fields) -> Markup {
    let field = |name, value: &str| input("datetime-local", name, Some(value)).attr("step", "1");
    let as_of = field("at", &fields.at).attr("aria-describedby", "as-of-help");
    let known = field("known", &fields.known).attr("max", &fields.latest).attr("aria-describedby", "known-help");
    let help = |id: &str, word: &str, text: &str| {
        Markup::new("span").attr("id", id).child(Markup::new("b").text(word)).text(text)
    };
    let as_of_help = help("as-of-help", "As of", " is how things stood at that instant. ");
    let known_help = help(
        "known-help",
        "As known at",
        " leaves out what was booked later: a grant told late, a correction. Without it all that is booked by now counts.",
    );
    let travelled = view.at.is_some() || view.known.is_some();
    let back = travelled.then(|| button_link(&view.now().href(), "Back to now"));
    Markup::new("form")
        .class("fields")
        .attr("method", "get")
        .attr("action", "/ledger")
        .attr("aria-label", "Exact instant")
        .children(hidden(view.entries().pairs()))
        .child(labelled("As of", as_of))
        .child(labelled("As known at", known))
        .child(Markup::new("button").class("button").text("Show"))
        .children(back)
        .child(Markup::new("p").class("travel-help").child(as_of_help).child(known_help))
}

fn figures(standing: &Standing, view: &LedgerView, words: &Words) -> Markup {
    let Standing { at, known, balance, grants, more } = standing;
    let (word, class) = match balance.state {
        OrgState::Active => ("Active", "status ok"),
        OrgState::Paused => ("Paused", "status danger"),
    };
    let part = |label: &str, value: Markup| {
        Markup::new("div").child(Markup::new("dt").text(label)).child(Markup::new("dd").child(value))
    };
    let parts = [
        ("Available", balance.available),
        ("Held", balance.held),
        ("Settled", balance.settled),
        ("Debt", balance.debt),
    ];
    let now = if view.at.is_none() && view.known.is_none() { "Now, " } else { "" };
    let mut when = Markup::new("p").class("standing-when muted").text(now).child(time(at));
    if let Some(known) = known {
        when = when.text(", as known at ").child(time(known));
    }
    let parts = Markup::new("dl")
        .class("standing-parts")
        .children(parts.map(|(label, credits)| part(label, amount(words, credits))))
        .child(part("State", Markup::new("span").class(class).text(word)));
    Markup::new("div").class("standing-figures").child(when).child(parts).child(grant_table(grants, *more, words))
}

/// A table in a place of fixed height: nothing below it moves while the thumb does.
fn grant_table(grants: &[GrantLine], more: bool, words: &Words) -> Markup {
    let columns = |f: Figures| [f.left, f.held, f.spent, f.expired, f.rolled, f.voided, f.granted];
    let rows = grants.iter().map(|line| {
        let id = line.grant.to_string();
        let about = Markup::new("td").class("standing-about").attr("title", &line.about).text(&line.about);
        let figures = columns(line.figures).map(|credits| number_of(amount(words, credits)));
        let expires = line.expires.as_ref().map_or_else(|| cell("never"), |at| Markup::new("td").child(time(at)));
        row(link(&format!("/grants#{id}"), &id), [about].into_iter().chain(figures).chain([expires]))
    });
    let heads = [
        "Grant",
        "What",
        "Left\t",
        "Held\t",
        "Spent\t",
        "Expired\t",
        "Rolled over\t",
        "Taken back\t",
        "Granted\t",
        "Expires",
    ];
    let note = match (grants.is_empty(), more) {
        (true, _) => Some("No grant had been given by then."),
        (false, true) => Some("Older grants are not shown here."),
        (false, false) => None,
    };
    let note = note.map(|note| Markup::new("p").class("standing-none muted").child(span(note)));
    table("table-scroll standing-grants", "Grants at that instant", &heads, rows, None).children(note)
}
