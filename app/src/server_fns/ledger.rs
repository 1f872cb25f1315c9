//! The ledger's entries, and how things stood at an instant, for the Ledger page.

use crate::error::AppError;
use crate::markup::Markup;
use crate::rows::Rows;
use crate::zone_clock::ZoneClock;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A page of entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerReport {
    /// The page's head.
    pub head: Markup,
    /// What the org's clock showed, from before the ledger began to beyond now.
    pub clock: ZoneClock,
    /// The second in which the ledger began.
    pub since: i64,
    /// The second in which this was read.
    pub now: i64,
    /// Filters, entries, and the ways to other pages.
    pub list: Markup,
    /// The end of the chain.
    pub end: Markup,
}

/// The page of entries that a query string asks for ([`crate::ledger_view::LedgerView`]).
///
/// # Errors
/// What [`AppError`] says.
#[server(name = GetLedger, prefix = "/api/fn", endpoint = "ledger", input = Rows, output = Rows)]
pub async fn ledger(
    /// The page's query string.
    query: String,
) -> Result<LedgerReport, AppError> {
    crate::backend::Backend::current().ledger(&query).await
}

/// How things stood at the instant that a query string asks for.
///
/// # Errors
/// What [`AppError`] says.
#[server(name = GetStanding, prefix = "/api/fn", endpoint = "standing", input = Rows, output = Rows)]
pub async fn standing(
    /// The page's query string.
    query: String,
) -> Result<Markup, AppError> {
    crate::backend::Backend::current().standing(&query).await
}
