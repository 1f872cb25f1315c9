//! Alerts: what a rule watches, what it measures, and when it speaks.
//!
//! Nothing here looks anything up. Whoever knows the facts makes a [`Measure`] of them; [`decide`] compares it with what the rule
//! said last and tells whether it fires or is over. Firing is for the crossing, not for the state: a rule that holds stays silent
//! until it has held no more, by a margin, so that a figure which wavers about its threshold is told once. What is measured in a
//! period (an hour, a day, a billing cycle) fires at most once in it, and is over with it.

mod scope;
mod state;

pub use scope::{Field, Owner, Scope};
pub use state::{Decision, Firing, MAX_SNOOZE_S, Measure, State, Voice, Watch, decide, replay};

use crate::credits::Credits;
use crate::label::check_text;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// Rules of one org: each is looked at with every commit, or every minute.
pub const MAX_RULES: usize = 200;
/// Longest title in bytes.
pub const MAX_TITLE_BYTES: usize = 120;
/// Widest margin in percent: a threshold that is half again as far away is another threshold.
pub const MAX_MARGIN_PERCENT: u32 = 50;
/// The margin where nobody says another.
pub const MARGIN_PERCENT: u32 = 5;
/// Farthest that anybody looks ahead, in days.
const MAX_DAYS: u32 = 366;
/// Longest without usage, or over which failures are counted: a month of hours.
const MAX_HOURS: u32 = 744;
/// Highest share of a plan that makes sense to watch for: overdrafts go beyond 100.
const MAX_PERCENT: u32 = 1_000;
/// Most calls that may be asked for before a share of failures says anything.
const MAX_CALLS: u32 = 1_000_000;
/// Shares of the plan at which an org with a plan is told where nobody says otherwise.
pub const DEFAULT_PERCENTS: [u32; 4] = [50, 75, 90, 100];

/// In what something is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// An hour by the clock of the org's zone.
    Hour,
    /// A day of the org's zone.
    Day,
    /// A billing cycle: the subscription's, or the calendar month where nothing is subscribed to.
    Cycle,
}

impl Per {
    /// All, shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Cycle];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Cycle => "cycle",
        }
    }

    /// What people read: "billing cycle".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Cycle => "billing cycle",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|per| per.as_str() == text)
    }
}

/// What a rule watches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// Available credits fall below an amount.
    BalanceBelow {
        /// The amount.
        amount: Credits,
    },
    /// Available credits fall below a share of what the plan gives in this cycle.
    BalanceBelowShare {
        /// The share.
        percent: u32,
    },
    /// What was used in this billing cycle reaches a share of what the plan gives in it.
    CycleUsage {
        /// The share.
        percent: u32,
    },
    /// What was used in an hour, a day or a cycle reaches an amount.
    SpendAbove {
        /// The amount.
        amount: Credits,
        /// In what.
        per: Per,
    },
    /// A day costs more or less than such a weekday did in the weeks before, by an amount that matters.
    UnusualSpend {
        /// The least difference from what was expected that is worth being told.
        minimum: Credits,
    },
    /// Credits run out within days, by forecast.
    RunwayBelow {
        /// The days.
        days: u32,
    },
    /// What will have been used at the end of the cycle, by forecast, is more than a share of what the plan gives.
    ProjectedAbove {
        /// The share.
        percent: u32,
    },
    /// Credits of some worth expire within days.
    GrantsExpiring {
        /// The least sum that is worth being told.
        amount: Credits,
        /// Within how many days.
        days: u32,
    },
    /// A payment failed.
    PaymentFailed,
    /// Auto top-up failed, reached its cap, or turned itself off.
    TopUpFailed,
    /// Nothing is used for hours.
    NoUsage {
        /// How many.
        hours: u32,
    },
    /// A share of calls fails.
    FailedShare {
        /// The share.
        percent: u32,
        /// Over how many hours.
        hours: u32,
        /// Fewer calls than that say nothing.
        calls: u32,
    },
    /// An API key was made, rotated or revoked.
    KeyChanged,
    /// A version of the rate card was laid down.
    RateCardChanged,
}

/// Which way a value crosses its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It falls below.
    Below,
    /// It reaches it.
    Reaches,
    /// It goes beyond it: exactly the threshold is not enough.
    Exceeds,
    /// It is the number of what happened last: each that is new is told, and nothing stands afterwards.
    Each,
}

/// When a rule is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// In the transaction that changes what it measures.
    AtOnce,
    /// By a job, within a minute.
    ByJob,
}

/// What the figures of a rule count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Micro-credits.
    Credits,
    /// Hours.
    Hours,
    /// Hundredths of a percent.
    Share,
    /// The number of the last of something.
    Number,
}

impl Kind {
    /// Names of all kinds as tables and wire have them, in the order in which people choose among them.
    pub const NAMES: [&'static str; 14] = [
        "balance_below",
        "balance_below_share",
        "cycle_usage",
        "spend_above",
        "unusual_spend",
        "runway_below",
        "projected_above",
        "grants_expiring",
        "payment_failed",
        "top_up_failed",
        "no_usage",
        "failed_share",
        "key_changed",
        "rate_card_changed",
    ];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::BalanceBelow { .. } => "balance_below",
            Self::BalanceBelowShare { .. } => "balance_below_share",
            Self::CycleUsage { .. } => "cycle_usage",
            Self::SpendAbove { .. } => "spend_above",
            Self::UnusualSpend { .. } => "unusual_spend",
            Self::RunwayBelow { .. } => "runway_below",
            Self::ProjectedAbove { .. } => "projected_above",
            Self::GrantsExpiring { .. } => "grants_expiring",
            Self::PaymentFailed => "payment_failed",
            Self::TopUpFailed => "top_up_failed",
            Self::NoUsage { .. } => "no_usage",
            Self::FailedShare { .. } => "failed_share",
            Self::KeyChanged => "key_changed",
            Self::RateCardChanged => "rate_card_changed",
        }
    }

    /// Which way it is crossed.
    #[must_use]
    pub const fn side(&self) -> Side {
        match self {
            Self::BalanceBelow { .. } | Self::BalanceBelowShare { .. } | Self::RunwayBelow { .. } => Side::Below,
            Self::PaymentFailed | Self::TopUpFailed | Self::KeyChanged | Self::RateCardChanged => Side::Each,
            Self::ProjectedAbove { .. } => Side::Exceeds,
            Self::CycleUsage { .. }
            | Self::SpendAbove { .. }
            | Self::UnusualSpend { .. }
            | Self::GrantsExpiring { .. }
            | Self::NoUsage { .. }
            | Self::FailedShare { .. } => Side::Reaches,
        }
    }

    /// When it is looked at.
    #[must_use]
    pub const fn looked(&self) -> Looked {
        match self {
            Self::BalanceBelow { .. }
            | Self::BalanceBelowShare { .. }
            | Self::CycleUsage { .. }
            | Self::SpendAbove { .. } => Looked::AtOnce,
            _ => Looked::ByJob,
        }
    }

    /// What its figures count.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        match self {
            Self::RunwayBelow { .. } | Self::NoUsage { .. } => Unit::Hours,
            Self::FailedShare { .. } => Unit::Share,
            Self::PaymentFailed | Self::TopUpFailed | Self::KeyChanged | Self::RateCardChanged => Unit::Number,
            _ => Unit::Credits,
        }
    }

    /// In what its value is added up; `None` for what stands at an instant.
    #[must_use]
    pub const fn per(&self) -> Option<Per> {
        match self {
            Self::CycleUsage { .. } | Self::ProjectedAbove { .. } => Some(Per::Cycle),
            Self::SpendAbove { per, .. } => Some(*per),
            Self::UnusualSpend { .. } => Some(Per::Day),
            _ => None,
        }
    }

    /// Whether it can be limited to a part of usage: what an org has as a whole cannot.
    #[must_use]
    pub const fn takes_scope(&self) -> bool {
        matches!(
            self,
            Self::CycleUsage { .. }
                | Self::SpendAbove { .. }
                | Self::UnusualSpend { .. }
                | Self::NoUsage { .. }
                | Self::FailedShare { .. }
        )
    }

    /// Checks what a type cannot say.
    ///
    /// # Errors
    /// [`Refusal::BadAlert`].
    pub fn check(&self, scope: &Scope) -> Result<(), Refusal> {
        let within = |is: bool, problem| if is { Ok(()) } else { Err(Refusal::BadAlert { problem }) };
        match *self {
            Self::BalanceBelow { amount } | Self::SpendAbove { amount, .. } | Self::GrantsExpiring { amount, .. } => {
                within(amount.is_positive(), "amount must be above zero")?;
            }
            Self::UnusualSpend { minimum } => within(minimum.is_positive(), "minimum must be above zero")?,
            Self::BalanceBelowShare { percent } | Self::CycleUsage { percent } | Self::ProjectedAbove { percent } => {
                within((1..=MAX_PERCENT).contains(&percent), "percent must be 1 to 1000")?;
            }
            Self::FailedShare { percent, calls, .. } => {
                within((1..=100).contains(&percent), "percent must be 1 to 100")?;
                within((1..=MAX_CALLS).contains(&calls), "calls must be 1 to 1000000")?;
            }
            _ => {}
        }
        if let Self::RunwayBelow { days } | Self::GrantsExpiring { days, .. } = *self {
            within((1..=MAX_DAYS).contains(&days), "days must be 1 to 366")?;
        }
        if let Self::NoUsage { hours } | Self::FailedShare { hours, .. } = *self {
            within((1..=MAX_HOURS).contains(&hours), "hours must be 1 to 744")?;
        }
        within(
            self.takes_scope() || scope.is_everything(),
            "this rule is about the organization as a whole: leave scope out",
        )?;
        scope.check()
    }
}

/// Checks a title and a margin.
///
/// # Errors
/// [`Refusal::BadLabel`], [`Refusal::BadAlert`].
pub fn check_words(title: &str, margin_percent: u32) -> Result<(), Refusal> {
    check_text("title", title, MAX_TITLE_BYTES)?;
    if margin_percent > MAX_MARGIN_PERCENT {
        return Err(Refusal::BadAlert { problem: "margin_percent must be 0 to 50" });
    }
    Ok(())
}

/// A share of what a plan gives, in micro-credits; rounded down, at most what fits.
#[must_use]
pub fn share_of(given: Credits, percent: u32) -> i64 {
    i64::try_from(i128::from(given.micros()) * i128::from(percent) / 100).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
