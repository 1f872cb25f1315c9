//! Usage events: what one is, what makes two the same, and what rating looks at. How one is read is `event/wire.rs`.
//!
//! An [`Event`] has bounded, printable labels, 1 ..= [`MAX_QUANTITIES`] quantities from zero on, and no statement that
//! contradicts another.

mod wire;

pub use wire::{BinaryAttributes, Form};

use crate::canon::{Canon, Hash};
use crate::label::{Label, Meter};
use crate::quantity::Quantity;
use crate::rate::Usage;
use crate::refusal::Refusal;
use crate::time::{EARLIEST, MAX_AHEAD_MICROS, Timestamp};
use serde::{Deserialize, Serialize};

/// Quantities one event may carry.
pub const MAX_QUANTITIES: usize = 16;
/// Attributes one event may carry.
pub const MAX_ATTRIBUTES: usize = 16;
/// Decimals of `data.credits`: what card prices have; below the micro-credit they are carried.
pub const REPORTED_DECIMALS: u32 = 12;
/// Most bytes of data transfer one event may report (a petabyte).
pub const MAX_BYTES: i128 = 1_000_000_000_000_000;
/// Most compute units one event may report: with six decimals, far within an `i64`.
pub const MAX_COMPUTE_UNITS: i128 = 1_000_000_000_000;

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It worked.
    #[default]
    Succeeded,
    /// It did not; it counts as a call and costs what the rate card says.
    Failed,
}

/// Somewhere in the customer's product: an id, and a name that people read if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What identifies it.
    pub id: Label,
    /// What it is called now. Not part of the event's content: a renamed workflow is the same workflow.
    pub name: Option<Label>,
}

/// One fact reported by a service, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Unique per org and source.
    pub id: Label,
    /// Where the credits were spent.
    pub source: Label,
    /// What was done: CloudEvents' `type`. The meter too, where no quantities are named.
    pub operation: Label,
    /// When it happened, if it was said.
    pub time: Option<Timestamp>,
    /// What was used, by meter, in the order of the meters' names.
    pub quantities: Vec<(Meter, Quantity)>,
    /// Credits that the event says it consumed, in 10⁻¹² credit. Only with a single quantity.
    pub reported: Option<i64>,
    /// Where in the customer's product.
    pub project: Option<Place>,
    /// Which workflow.
    pub workflow: Option<Place>,
    /// Which of its runs.
    pub run: Option<Place>,
    /// Which step of the run.
    pub module: Option<Place>,
    /// On whose behalf.
    pub user: Option<Label>,
    /// For which of the customer's own customers.
    pub tenant: Option<Label>,
    /// In which interaction.
    pub interaction: Option<Label>,
    /// How it ended.
    pub status: Status,
    /// Data transferred, in bytes.
    pub bytes: i64,
    /// Compute units used, in 10⁻⁶: what formulas charge besides time and data.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub compute_micros: i64,
    /// Free text.
    pub description: Option<String>,
    /// Up to [`MAX_ATTRIBUTES`] more facts, in the order of their names.
    pub attributes: Vec<(Label, Label)>,
}

impl Event {
    /// When it happened, given that it is `now`.
    ///
    /// # Errors
    /// [`Refusal::TimeOutOfRange`] before 2000 or more than an hour ahead of `now`.
    pub fn occurred_at(&self, now: Timestamp) -> Result<Timestamp, Refusal> {
        let time = self.time.unwrap_or(now);
        let latest = now.micros().saturating_add(MAX_AHEAD_MICROS);
        if time >= EARLIEST && time.micros() <= latest { Ok(time) } else { Err(Refusal::TimeOutOfRange) }
    }

    /// SHA-256 over what was said, in canonical order: two events with the same hash are the same event sent twice.
    ///
    /// A time that was not said is not part of it, so that a retry without `time` is still the same event; nor are names.
    pub fn content_hash(&self, canon: &mut Canon) -> Hash {
        canon.restart("scrip-event-1");
        canon.text(self.source.as_str()).text(self.id.as_str()).text(self.operation.as_str());
        canon.maybe_int(self.time.map(Timestamp::micros));
        canon.count(self.quantities.len());
        for (meter, quantity) in &self.quantities {
            canon.text(meter.as_str()).wide(quantity.micros());
        }
        canon.maybe_int(self.reported);
        for place in [&self.project, &self.workflow, &self.run, &self.module] {
            canon.maybe_text(place.as_ref().map(|p| p.id.as_str()));
        }
        for who in [&self.user, &self.tenant, &self.interaction] {
            canon.maybe_text(who.as_ref().map(Label::as_str));
        }
        canon.flag(self.status == Status::Failed).int(self.bytes).maybe_text(self.description.as_deref());
        canon.count(self.attributes.len());
        for (name, value) in &self.attributes {
            canon.text(name.as_str()).text(value.as_str());
        }
        // Behind the counted attributes and only where there are some: events from before formulas keep their hash.
        if self.compute_micros != 0 {
            canon.int(self.compute_micros);
        }
        canon.hash()
    }

    /// What rating looks at, for one of its quantities.
    #[must_use]
    pub const fn usage(&self, quantity: Quantity) -> Usage {
        Usage { quantity, reported: self.reported, bytes: self.bytes, compute_micros: self.compute_micros }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n.as_str() == name).map(|(_, value)| value.as_str())
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so; on wasm32 it would be no matter")]
const fn is_zero(value: &i64) -> bool {
    *value == 0
}

#[cfg(test)]
mod tests;
