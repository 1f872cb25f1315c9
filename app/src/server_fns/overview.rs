//! Everything on the Overview page, in one answer.

use crate::error::AppError;
use crate::markup::Markup;
use crate::rows::Rows;
use crate::wire;
use ledger::Cube;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// Days of the chart, today included.
pub const DAYS: i64 = 30;
/// Events in the list.
pub const EVENTS: u32 = 10;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// The page's head.
    pub head: Markup,
    /// What is left, spent and granted.
    pub cards: Markup,
    /// What was used lately, once something was.
    pub recent: Option<Recent>,
    /// The last events, or how to send the first.
    pub events: Markup,
    /// What charts and ledger differ by.
    pub difference: Markup,
}

/// What was used lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// IANA name of the org's zone.
    pub zone: String,
    /// The last [`DAYS`] days, by day.
    #[serde(with = "wire")]
    pub cube: Cube,
    /// When all this was read, in words.
    pub as_of: String,
}

/// The signed-in person's org at a glance.
///
/// # Errors
/// What [`AppError`] says.
#[server(name = GetOverview, prefix = "/api/fn", endpoint = "overview", input = Rows, output = Rows)]
pub async fn overview() -> Result<Overview, AppError> {
    crate::backend::Backend::current().overview().await
}
