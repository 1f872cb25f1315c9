//! Prices, versions and what a card would have cost, for the Rate card page.

use crate::error::AppError;
use crate::markup::Markup;
use crate::rows::Rows;
use crate::wire;
use ledger::Cube;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateCardReport {
    /// Title, what came of the last form, the prices in force.
    pub head: Markup,
    /// The form to write a card in.
    pub form: Markup,
    /// What is in it.
    pub text: String,
    /// When it is to take effect, as typed; empty: now.
    pub effective_at: String,
    /// By what a card is tried out.
    pub trial: Trial,
    /// The versions, the comparison of two.
    pub below: Markup,
}

/// Usage that is past, to try a card on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// When it happened: "October 2026".
    pub when: String,
    /// What was used, in one bucket.
    #[serde(with = "wire")]
    pub cube: Cube,
    /// The lines that surely charged it, as text.
    pub charged_by: String,
    /// Versions whose time comes.
    pub scheduled: Vec<Scheduled>,
}

/// A version whose time comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    /// Which.
    pub version: i64,
    /// When, on the org's clock, as a form has it: `2026-12-01T00:00:00`.
    pub local: String,
    /// When, as people read it.
    pub when: String,
}

/// The page that a query string asks for.
///
/// # Errors
/// What [`AppError`] says.
#[server(name = GetRateCard, prefix = "/api/fn", endpoint = "rate-card", input = Rows, output = Rows)]
pub async fn rate_card(
    /// The page's query string.
    query: String,
) -> Result<RateCardReport, AppError> {
    crate::backend::Backend::current().rate_card(&query).await
}
