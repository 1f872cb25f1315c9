//! Everything on the Overview page, in one answer.

use super::Moment;
use crate::error::AppError;
use crate::rows::Rows;
use crate::wire;
use ledger::event::Status;
use ledger::{Balance, Credits, Cube, EventSeq};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// Days of the chart, today included.
pub const DAYS: i64 = 30;
/// Events in the list.
pub const EVENTS: u32 = 10;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// Name of the org.
    pub org: String,
    /// IANA name of its zone.
    pub zone: String,
    /// Where this server is reached, for the curl line: `https://credits.example`.
    pub origin: String,
    /// What it has.
    pub balance: Balance,
    /// All that was ever given.
    pub granted: Credits,
    /// All that was ever spent.
    pub spent: Credits,
    /// Charts less ledger: 0.
    pub difference: Credits,
    /// All events ever accepted.
    pub event_count: i64,
    /// The last [`DAYS`] days, by day.
    #[serde(with = "wire")]
    pub cube: Cube,
    /// The last [`EVENTS`] events accepted.
    pub events: Vec<EventLine>,
    /// When all this was read.
    pub as_of: Moment,
}

/// One event of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// The signed-in person's org at a glance.
///
/// # Errors
/// What [`AppError`] says.
#[server(name = GetOverview, prefix = "/api/fn", endpoint = "overview", input = Rows, output = Rows)]
pub async fn overview() -> Result<Overview, AppError> {
    crate::backend::Backend::current().overview().await
}
