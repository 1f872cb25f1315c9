//! Grants: credits given to an org at one time from one cause.

use crate::canon::{Canon, Hash};
use crate::credits::Credits;
use crate::id::GrantId;
use crate::label::{Label, Meter};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::rollover::{Cap, Rollover};
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

/// Meters and projects that one scope may name, each.
pub const MAX_SCOPE: usize = 100;

/// What a grant may be spent on; an empty list means everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Only these meters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meters: Vec<Meter>,
    /// Only these projects, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<Label>,
}

impl Scope {
    /// Whether it may be spent on everything.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.meters.is_empty() && self.projects.is_empty()
    }

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
    /// What was paid for all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// What becomes of its unused rest when it expires; without terms that expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollover: Option<Rollover>,
    /// The grant whose rest it is, for one that rolled over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<GrantId>,
}

impl Grant {
    /// Checks what a type cannot say.
    ///
    /// # Errors
    /// [`Refusal::GrantNotPositive`], [`Refusal::ExpiryBeforeEffect`], [`Refusal::BadRollover`], [`Refusal::BadCost`],
    /// [`Refusal::TooMany`].
    pub fn check(&self) -> Result<(), Refusal> {
        if !self.amount.is_positive() {
            return Err(Refusal::GrantNotPositive);
        }
        if self.expires_at.is_some_and(|expires| expires <= self.effective_at) {
            return Err(Refusal::ExpiryBeforeEffect);
        }
        if self.cost.is_some_and(|cost| cost.minor < 0) {
            return Err(Refusal::BadCost);
        }
        if self.scope.meters.len() > MAX_SCOPE || self.scope.projects.len() > MAX_SCOPE {
            return Err(Refusal::TooMany { field: "scope", max: MAX_SCOPE });
        }
        match &self.rollover {
            None => Ok(()),
            Some(_) if self.kind != GrantKind::Plan || self.expires_at.is_none() => {
                Err(Refusal::BadRollover { problem: "only a plan's credits that expire can roll over" })
            }
            Some(terms) => terms.check(),
        }
    }

    /// The hash of everything that was agreed about it: what its entry in the chain binds.
    #[must_use]
    pub fn terms(&self) -> Hash {
        let mut canon = Canon::new("scrip-grant-1");
        canon.int(self.id.0).text(self.kind.as_str()).int(self.amount.micros()).int(i64::from(self.priority));
        canon.count(self.scope.meters.len());
        for meter in &self.scope.meters {
            canon.text(meter.as_str());
        }
        canon.count(self.scope.projects.len());
        for project in &self.scope.projects {
            canon.text(project.as_str());
        }
        canon.int(self.effective_at.micros()).maybe_int(self.expires_at.map(Timestamp::micros)).text(&self.description);
        canon.flag(self.cost.is_some());
        if let Some(cost) = &self.cost {
            canon.int(cost.minor).text(cost.currency.as_str());
        }
        canon.flag(self.rollover.is_some());
        if let Some(Rollover { cap, months }) = self.rollover {
            let (credits, percent) = match cap {
                None => (None, None),
                Some(Cap::Credits(cap)) => (Some(cap.micros()), None),
                Some(Cap::Percent(percent)) => (None, Some(i64::from(percent))),
            };
            canon.maybe_int(credits).maybe_int(percent).maybe_int(months.map(i64::from));
        }
        canon.maybe_int(self.parent.map(|parent| parent.0)).hash()
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
pub(crate) mod testing {
    use super::*;

    /// A purchase of so many credits that is open from the start and never ends.
    pub(crate) fn grant(id: i64, amount: &str) -> Grant {
        Grant {
            id: GrantId(id),
            kind: GrantKind::Purchase,
            amount: Credits::parse(amount).expect("an amount"),
            priority: 0,
            scope: Scope::default(),
            effective_at: Timestamp::from_micros(0),
            expires_at: None,
            description: String::new(),
            cost: None,
            rollover: None,
            parent: None,
        }
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
