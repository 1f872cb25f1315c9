//! What a correction would change: balance, grants, analytics. Nothing is booked yet.

use super::correction::booking;
use crate::correction::Ask;
use crate::format;
use crate::markup::{Markup, amount, cell, number, number_of, row, signed, signed_bare, span, table, time};
use crate::server_fns::Moment;
use ledger::{Balance, Credits, EventSeq, GrantId, OrgState, Words};

/// A correction tried out.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What was asked.
    pub ask: Ask,
    /// What it would do, or why it cannot be done.
    pub outcome: Result<Preview, String>,
    /// To be sent with the booking, so that sending it twice books once.
    pub key: String,
}

/// What a correction would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// What there is now.
    pub before: Balance,
    /// What there would be.
    pub after: Balance,
    /// Grant, what is left of it now, what would be left.
    pub grants: Vec<(GrantId, Credits, Credits)>,
    /// What would change in analytics.
    pub changes: Vec<Change>,
    /// How many entries it would make.
    pub entries: i64,
    /// The cycle in which the event happened, where it is over.
    pub closed: Option<String>,
    /// The cycle in which this would be booked.
    pub booked_in: String,
}

/// What would change in analytics on one day.
#[derive(Debug, Clone)]
pub struct Change {
    /// The day.
    pub day: Moment,
    /// What people call the meter.
    pub title: String,
    /// Where.
    pub source: String,
    /// In which project.
    pub project: Option<String>,
    /// How much more or, below zero, less of the meter.
    pub quantity: String,
    /// How many credits more or, below zero, fewer.
    pub credits: Credits,
}

/// The outcome of a trial: figures and a way to book them, or why it cannot be done.
#[must_use]
pub fn correction_preview(seq: EventSeq, trial: Trial, words: &Words) -> Markup {
    let Trial { ask, outcome, key } = trial;
    let title = Markup::new("h3").text("Preview: nothing is booked yet");
    let group = Markup::new("div").class("preview").attr("role", "group").attr("aria-label", "Preview").child(title);
    match outcome {
        Err(problem) => {
            let problem = format!("This cannot be done: {problem}.");
            group.child(Markup::new("p").class("form-error").attr("role", "alert").text(&problem))
        }
        Ok(preview) => group.children(figures(&preview, words)).child(booking(seq, &ask, &key)),
    }
}

fn figures(preview: &Preview, words: &Words) -> [Markup; 3] {
    let booked_in = &preview.booked_in;
    let cycle = match &preview.closed {
        Some(cycle) => {
            format!("The event happened in {cycle}, which is over: this is booked in {booked_in} and names the old.")
        }
        None => format!("It is booked in {booked_in}."),
    };
    let sentence = format!("It makes {}. {cycle}", format::counted(preview.entries, "entry", "entries"));
    let muted = |text: &str| Markup::new("p").class("muted").text(text);
    let changed = if preview.changes.is_empty() {
        muted("Analytics stay as they are.")
    } else {
        analytics(&preview.changes, words)
    };
    [muted(&sentence), balances(preview, words), changed]
}

fn balances(Preview { before, after, grants, .. }: &Preview, words: &Words) -> Markup {
    let state = |balance: &Balance| number(if balance.state == OrgState::Active { "Active" } else { "Paused" });
    let line = |label: &str, before: Credits, after: Credits| {
        let change = after.minus(before).map_or_else(|_| number("–"), |change| number_of(signed(words, change)));
        row(span(label), [number_of(amount(words, before)), number_of(amount(words, after)), change])
    };
    let rows = [
        line("Available", before.available, after.available),
        line("Held", before.held, after.held),
        line("Settled", before.settled, after.settled),
        line("Debt", before.debt, after.debt),
    ];
    let grants = grants.iter().map(|(grant, before, after)| line(&format!("Left of {grant}"), *before, *after));
    let last = row(span("State"), [state(before), state(after), cell("")]);
    let rows = rows.into_iter().chain(grants).chain([last]);
    table("preview-scroll", "Balances before and after", &["Balance", "Now\t", "After\t", "Change\t"], rows, None)
}

fn analytics(changes: &[Change], words: &Words) -> Markup {
    let rows = changes.iter().map(|change| {
        let project = change.project.as_deref().unwrap_or("–");
        let figures = [number(&change.quantity), number_of(signed_bare(words, change.credits))];
        row(time(&change.day), [cell(&change.title), cell(&change.source), cell(project)].into_iter().chain(figures))
    });
    let unit = format!("{}\t", format::unit_head(words));
    let heads = ["Analytics of", "Credit type", "Source", "Project", "Quantity\t", &unit];
    table("preview-scroll", "Changes in analytics", &heads, rows, None)
}
