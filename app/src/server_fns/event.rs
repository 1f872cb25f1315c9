//! Everything that is known of one event, and what correcting it would do.

use crate::error::AppError;
use crate::markup::Markup;
use crate::proof::Evidence;
use crate::rows::Rows;
use ledger::Credits;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventReport {
    /// The event and its charges, with all that its place in the chain follows from.
    pub evidence: Evidence,
    /// When it happened, in words.
    pub occurred: String,
    /// When it was booked, in words.
    pub booked: String,
    /// Why each charge is what it is, in the order of the charges.
    pub reasons: Vec<ChargeReason>,
    /// Which event this is, and what became of it.
    pub head: Markup,
    /// How it is corrected, or why not.
    pub desk: Markup,
}

/// Why a charge is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeReason {
    /// What people call the meter.
    pub title: String,
    /// What lists of transactions call it; empty where that has no name of its own.
    pub service: String,
    /// The unit of its quantity; empty where the title says it.
    pub unit: String,
    /// The line that it was rated by, as a rate card's text has it: the browser rates by it again.
    pub line: String,
    /// The server's explanation.
    pub said: Markup,
    /// Which accounts paid, and how much, in the order of drawdown; below zero the grant as which credits came back.
    pub paid: Vec<(String, Credits)>,
}

/// One event of the signed-in person's org. With `correct=` in the query string, what that correction would do.
///
/// # Errors
/// [`AppError::NotFound`]; otherwise what [`AppError`] says.
#[server(name = GetEvent, prefix = "/api/fn", endpoint = "event", input = Rows, output = Rows)]
pub async fn event(
    /// `event_12`.
    id: String,
    /// The page's query string.
    query: String,
) -> Result<EventReport, AppError> {
    crate::backend::Backend::current().event(&id, &query).await
}
