//! Budgets: what a project, a user or a tenant may use in an hour, a day or a billing cycle; who is told when, and what stops.
//!
//! A budget that pauses refuses what asks before it works: `authorize` and holds of its project, user or tenant, once what was used
//! and what is asked for would be more than it. Usage that has happened is recorded whatever the budget says, as it is whatever the
//! balance says.

use crate::alert::Per;
use crate::credits::Credits;
use crate::label::{Label, check_text};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// Budgets of one org.
pub const MAX_BUDGETS: usize = 1_000;
/// Longest title in bytes.
const MAX_TITLE_BYTES: usize = 120;

/// Whose usage counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// A project's.
    Project,
    /// A user's.
    User,
    /// A tenant's.
    Tenant,
}

impl Whose {
    /// All.
    pub const ALL: [Self; 3] = [Self::Project, Self::User, Self::Tenant];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::User => "user",
            Self::Tenant => "tenant",
        }
    }

    /// What people read.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Project => "Project",
            Self::User => "User",
            Self::Tenant => "Tenant",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|whose| whose.as_str() == text)
    }
}

/// What a budget says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What people call it.
    pub title: String,
    /// Whose usage counts.
    pub whose: Whose,
    /// Of which project, user or tenant.
    pub id: Label,
    /// How much may be used.
    pub amount: Credits,
    /// In what.
    pub per: Per,
    /// From which share of it on people are warned.
    pub warn_percent: Option<u32>,
    /// Whether it pauses what asks once it is used up.
    pub pauses: bool,
}

/// How far a budget is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Less than people are warned of.
    Within,
    /// As far as people are warned.
    Warned,
    /// All of it.
    Exceeded,
}

impl Standing {
    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Warned => "warned",
            Self::Exceeded => "exceeded",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Within, Self::Warned, Self::Exceeded].into_iter().find(|standing| standing.as_str() == text)
    }
}

impl Terms {
    /// Checks what a type cannot say.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`], [`Refusal::BadBudget`].
    pub fn check(&self) -> Result<(), Refusal> {
        check_text("title", &self.title, MAX_TITLE_BYTES)?;
        self.id.check("id")?;
        if !self.amount.is_positive() {
            return Err(Refusal::BadBudget { problem: "amount must be above zero" });
        }
        match self.warn_percent {
            Some(percent) if !(1..=99).contains(&percent) => {
                Err(Refusal::BadBudget { problem: "warn_percent must be 1 to 99" })
            }
            _ => Ok(()),
        }
    }

    /// How far it is used. All of it is used only when it is: rounding never says so before.
    #[must_use]
    pub fn standing(&self, spent: Credits) -> Standing {
        let (spent, amount) = (i128::from(spent.micros()), i128::from(self.amount.micros()));
        let is_warned = |percent: u32| spent * 100 >= amount * i128::from(percent);
        match self.warn_percent {
            _ if spent >= amount => Standing::Exceeded,
            Some(percent) if is_warned(percent) => Standing::Warned,
            _ => Standing::Within,
        }
    }

    /// Whether work that is to cost so much may begin.
    ///
    /// # Errors
    /// [`Refusal::BudgetExceeded`] where the budget pauses, and it would be more.
    pub fn admit(&self, spent: Credits, asked: Credits) -> Result<(), Refusal> {
        let would_be = i128::from(spent.micros()) + i128::from(asked.micros());
        if !self.pauses || would_be <= i128::from(self.amount.micros()) {
            return Ok(());
        }
        let left = self.amount.minus(spent).unwrap_or(Credits::ZERO).max(Credits::ZERO);
        let told = format!(
            "the budget \"{}\" of {} {} has {left} credits left in this {}, and {asked} are needed: raise it, or wait for the next",
            self.title,
            self.whose.as_str(),
            self.id,
            self.per.words(),
        );
        Err(Refusal::BudgetExceeded { told })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terms(amount: i64, warn_percent: Option<u32>, pauses: bool) -> Terms {
        let id = Label::parse("id", "chat").expect("valid");
        let amount = Credits::from_micros(amount);
        Terms { title: "Chat".to_owned(), whose: Whose::Project, id, amount, per: Per::Cycle, warn_percent, pauses }
    }

    #[test]
    fn it_warns_and_ends_at_its_marks_and_not_before() {
        let standing = |spent, warn| terms(1_000, warn, true).standing(Credits::from_micros(spent));
        assert_eq!(
            [799, 800, 999, 1_000].map(|spent| standing(spent, Some(80))),
            [Standing::Within, Standing::Warned, Standing::Warned, Standing::Exceeded]
        );
        assert_eq!(standing(999, None), Standing::Within);
        assert!(terms(0, None, false).check().is_err() && terms(1, Some(100), false).check().is_err());
        assert!(terms(1, Some(99), false).check().is_ok());
    }

    proptest! {
        #[test]
        fn nothing_that_it_admits_exceeds_it(amount in 1..1_000_i64, spent in -50..2_000_i64, asked in 1..2_000_i64) {
            let admitted = terms(amount, None, true).admit(Credits::from_micros(spent), Credits::from_micros(asked));
            prop_assert_eq!(admitted.is_ok(), spent + asked <= amount);
            prop_assert!(terms(amount, None, false).admit(Credits::from_micros(spent), Credits::from_micros(asked)).is_ok());
        }

        #[test]
        fn more_usage_never_stands_better(amount in 1..=i64::MAX, one in any::<i64>(), other in any::<i64>(), warn in 1..100_u32) {
            let terms = terms(amount, Some(warn), false);
            let standing = |micros: i64| terms.standing(Credits::from_micros(micros));
            prop_assert!(standing(one.min(other)) <= standing(one.max(other)));
        }
    }
}
