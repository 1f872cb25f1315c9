//! What a correction would change: balance, grants, analytics. Nothing is booked yet.

use super::correction::booking;
use super::entries::signed;
use crate::correction::Ask;
use crate::format;
use crate::markup::{Markup, cell, number, row, span, table, time};
use crate::server_fns::Moment;
use ledger::{Balance, Credits, EventSeq, GrantId, OrgState};

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
pub fn correction_preview(seq: EventSeq, trial: Trial) -> Markup {
    let Trial { ask, outcome, key } = trial;
    let title = Markup::new("h3").text("Preview: nothing is booked yet");
    let group = Markup::new("div").class("preview").attr("role", "group").attr("aria-label", "Preview").child(title);
    match outcome {
        Err(problem) => {
            let problem = format!("This cannot be done: {problem}.");
            group.child(Markup::new("p").class("form-error").attr("role", "alert").text(&problem))
        }
        Ok(preview) => group.children(figures(&preview)).child(booking(seq, &ask, &key)),
    }
}

fn figures(preview: &Preview) -> [Markup; 3] {
    let booked_in = &preview.booked_in;
    let cycle = match &preview.closed {
        Some(cycle) => {
            format!("The event happened in {cycle}, which is over: this is booked in {booked_in} and names the old.")
        }
        None => format!("It is booked in {booked_in}."),
    };
    let sentence = format!("It makes {}. {cycle}", format::counted(preview.entries, "entry", "entries"));
    let muted = |text: &str| Markup::new("p").class("muted").text(text);
    let changed =
        if preview.changes.is_empty() { muted("Analytics stay as they are.") } else { analytics(&preview.changes) };
    [muted(&sentence), balances(preview), changed]
}

fn balances(Preview { before, after, grants, .. }: &Preview) -> Markup {
    let state = |balance: &Balance| number(if balance.state == OrgState::Active { "Active" } else { "Paused" });
    let line = |label: &str, before: Credits, after: Credits| {
        let change = after.minus(before).map_or_else(|_| "–".to_owned(), |change| signed(change, false));
        row(span(label), [number(&format::exact(before)), number(&format::exact(after)), number(&change)])
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

fn analytics(changes: &[Change]) -> Markup {
    let rows = changes.iter().map(|change| {
        let project = change.project.as_deref().unwrap_or("–");
        let figures = [number(&change.quantity), number(&signed(change.credits, false))];
        row(time(&change.day), [cell(&change.title), cell(&change.source), cell(project)].into_iter().chain(figures))
    });
    let heads = ["Analytics of", "Credit type", "Source", "Project", "Quantity\t", "Credits\t"];
    table("preview-scroll", "Changes in analytics", &heads, rows, None)
}
