//! What the browser asks the server. All by POST under `/api/fn/`, one file each; the org comes from the session, never
//! from the request.

pub mod analytics;
pub mod answer;
pub mod event;
pub mod ledger;
pub mod overview;
pub mod part;
pub mod rate_card;
pub mod session;

use crate::calendar::{date_and_clock, date_and_seconds};
use ::ledger::Timestamp;
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

pub use answer::{Answer, answer};

/// An instant, with the words for it that the server chose in the org's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// RFC 3339, for machines.
    pub iso: String,
    /// For people.
    pub text: String,
}

impl Moment {
    /// From an instant and what the org's clock said then.
    #[must_use]
    pub fn new(at: Timestamp, local: NaiveDateTime) -> Self {
        Self { iso: at.to_string(), text: date_and_clock(local) }
    }

    /// The same to the second: for lists, where much happens within a minute.
    #[must_use]
    pub fn exact(at: Timestamp, local: NaiveDateTime) -> Self {
        Self { iso: at.to_string(), text: date_and_seconds(local) }
    }
}
