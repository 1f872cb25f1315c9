//! Grants: credits given to an org at one time from one cause.

use crate::credits::Credits;
use crate::id::GrantId;
use crate::label::{Label, Meter};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Why credits were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// The monthly credits of a plan.
    Plan,
    /// Bought once.
    Purchase,
    /// Given away.
    Promotion,
    /// The unused rest of a plan's cycle.
    Rollover,
    /// Put right by an operator.
    Adjustment,
    /// Given back.
    Refund,
}

impl GrantKind {
    /// All kinds, in the order in which people are shown them.
    pub const ALL: [Self; 6] =
        [Self::Plan, Self::Purchase, Self::Promotion, Self::Rollover, Self::Adjustment, Self::Refund];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Purchase => "purchase",
            Self::Promotion => "promotion",
            Self::Rollover => "rollover",
            Self::Adjustment => "adjustment",
            Self::Refund => "refund",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether nobody paid for it: such credits are spent before those that somebody did.
    #[must_use]
    pub const fn is_promotional(self) -> bool {
        matches!(self, Self::Promotion)
    }
}

/// What a grant may be spent on; an empty list means everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Only these meters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meters: Vec<Meter>,
    /// Only these projects, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<Label>,
}

impl Scope {
    /// Whether a charge of `meter` in `project` may draw on it.
    #[must_use]
    pub fn covers(&self, meter: &Meter, project: Option<&Label>) -> bool {
        (self.meters.is_empty() || self.meters.contains(meter))
            && (self.projects.is_empty() || project.is_some_and(|p| self.projects.contains(p)))
    }
}

/// Credits given to an org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its number within the org.
    pub id: GrantId,
    /// Why it was given.
    pub kind: GrantKind,
    /// How much was given; above zero.
    pub amount: Credits,
    /// Lower is spent first.
    pub priority: i16,
    /// What it may be spent on.
    pub scope: Scope,
    /// From when it can be spent.
    pub effective_at: Timestamp,
    /// Until when, exclusive; `None` for ever.
    pub expires_at: Option<Timestamp>,
    /// What people read beside it.
    pub description: String,
}

impl Grant {
    /// Checks what a type cannot say.
    ///
    /// # Errors
    /// [`Refusal::GrantNotPositive`], [`Refusal::ExpiryBeforeEffect`].
    pub fn check(&self) -> Result<(), Refusal> {
        if !self.amount.is_positive() {
            return Err(Refusal::GrantNotPositive);
        }
        if self.expires_at.is_some_and(|expires| expires <= self.effective_at) {
            return Err(Refusal::ExpiryBeforeEffect);
        }
        Ok(())
    }

    /// Whether it can be spent at `now`: effective ≤ now < expires.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.effective_at <= now && !self.is_expired(now)
    }

    /// Whether `now` is at or after its expiry.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires| expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_one_name_each() {
        for kind in GrantKind::ALL {
            assert_eq!(GrantKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(GrantKind::parse("gift"), None);
    }
}
