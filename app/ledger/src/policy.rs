//! What happens when credits run out.

use crate::credits::Credits;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// An org's policy. Usage that has happened is recorded under each of them; they decide about work that has not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(tag = "policy", rename_all = "snake_case", deny_unknown_fields)]
pub enum Policy {
    /// New holds and authorizations are refused until something can be spent again.
    #[default]
    Pause,
    /// The same, but a hold that exists may be captured for more than it reserved, into debt up to `limit`.
    FinishInFlight {
        /// The largest debt.
        limit: Credits,
    },
    /// New work may go into debt up to `limit`.
    Overdraft {
        /// The largest debt.
        limit: Credits,
    },
}

impl Policy {
    /// The policy of that name.
    ///
    /// # Errors
    /// [`Refusal::BadPolicy`] for another name, a limit where there is none, none where there must be one, or one that is
    /// not above zero.
    pub fn new(name: &str, limit: Option<Credits>) -> Result<Self, Refusal> {
        match (name, limit) {
            ("pause", None) => Ok(Self::Pause),
            ("finish_in_flight", Some(limit)) if limit.is_positive() => Ok(Self::FinishInFlight { limit }),
            ("overdraft", Some(limit)) if limit.is_positive() => Ok(Self::Overdraft { limit }),
            _ => Err(Refusal::BadPolicy),
        }
    }

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::FinishInFlight { .. } => "finish_in_flight",
            Self::Overdraft { .. } => "overdraft",
        }
    }

    /// The largest debt it knows.
    #[must_use]
    pub const fn limit(self) -> Option<Credits> {
        match self {
            Self::Pause => None,
            Self::FinishInFlight { limit } | Self::Overdraft { limit } => Some(limit),
        }
    }

    /// The largest debt that new work may lead to.
    #[must_use]
    pub const fn limit_for_new(self) -> Credits {
        match self {
            Self::Pause | Self::FinishInFlight { .. } => Credits::ZERO,
            Self::Overdraft { limit } => limit,
        }
    }

    /// The largest debt that work in progress may lead to when it needs more than it reserved.
    #[must_use]
    pub const fn limit_for_running(self) -> Credits {
        match self {
            Self::Pause => Credits::ZERO,
            Self::FinishInFlight { limit } | Self::Overdraft { limit } => limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_belongs_to_those_that_have_one() {
        let some = Some(Credits::from_micros(5));
        assert_eq!(Policy::new("pause", None), Ok(Policy::Pause));
        assert_eq!(Policy::new("overdraft", some).map(Policy::limit), Ok(some));
        for (name, limit) in
            [("pause", some), ("overdraft", None), ("finish_in_flight", Some(Credits::ZERO)), ("go_on", None)]
        {
            assert_eq!(Policy::new(name, limit), Err(Refusal::BadPolicy));
        }
    }
}
