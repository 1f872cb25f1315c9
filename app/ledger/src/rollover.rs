//! Rollover: what becomes of the unused rest of a plan's credits when their cycle ends.
//!
//! Three kinds of plan (DESIGN §3): the rest expires (no terms), moves on for up to three months
//! ([`Rollover::PROFESSIONAL`]), or follows custom terms: a cap in credits or percent, some months, or for ever. What
//! moves on becomes a child grant with its own expiry, which does not roll over again. Only a plan's credits have terms:
//! what was bought is never touched by the end of a cycle.

use crate::credits::Credits;
use crate::grant::Grant;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// Longest life of what rolled over, in months; longer is meant to be for ever.
pub const MAX_MONTHS: u8 = 120;

/// How much may roll over at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// So many credits.
    Credits(Credits),
    /// So much of what the grant was, in whole percent, rounded down to the micro-credit.
    Percent(u8),
}

/// The terms on which the rest of a grant moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollover {
    /// At most so much; all where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Cap>,
    /// Months after the grant's own expiry, by the calendar of the org's zone; never expiring where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months: Option<u8>,
}

impl Rollover {
    /// All of it, for three months more (the professional plan).
    pub const PROFESSIONAL: Self = Self { cap: None, months: Some(3) };

    /// Checks what a type cannot say.
    ///
    /// # Errors
    /// [`Refusal::BadRollover`].
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |problem| Err(Refusal::BadRollover { problem });
        match self.cap {
            Some(Cap::Credits(cap)) if !cap.is_positive() => {
                bad("the cap must be above zero: leave rollover out instead")
            }
            Some(Cap::Percent(percent)) if !(1..=100).contains(&percent) => bad("the cap in percent must be 1 to 100"),
            _ if self.months.is_some_and(|months| !(1..=MAX_MONTHS).contains(&months)) => {
                bad("months must be 1 to 120: leave it out for credits that never expire")
            }
            _ => Ok(()),
        }
    }
}

/// What becomes of the rest of a grant at the end of its cycle: `left = rolled + expired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolled {
    /// What was unused and not held.
    pub left: Credits,
    /// At most so much could move on; `None` where there was no cap.
    pub cap: Option<Credits>,
    /// What moves on.
    pub rolled: Credits,
    /// What expires.
    pub expired: Credits,
}

/// The computation, for a grant of which `left` is unused. Without terms all of it expires.
///
/// # Errors
/// [`Refusal::AmountOverflow`], which amounts of the ledger cannot reach.
pub fn roll(grant: &Grant, left: Credits) -> Result<Rolled, Refusal> {
    let cap = match grant.rollover.map(|terms| terms.cap) {
        None => Some(Credits::ZERO),
        Some(None) => None,
        Some(Some(Cap::Credits(cap))) => Some(cap),
        Some(Some(Cap::Percent(percent))) => {
            Some(Credits::from_wide(i128::from(grant.amount.micros()) * i128::from(percent) / 100)?)
        }
    };
    let rolled = cap.map_or(left, |cap| left.min(cap));
    Ok(Rolled { left, cap: cap.filter(|_| grant.rollover.is_some()), rolled, expired: left.minus(rolled)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::testing;
    use proptest::prelude::*;

    fn rolled(terms: Option<Rollover>, left: &str) -> (String, String) {
        let grant = Grant { rollover: terms, ..testing::grant(1, "1000") };
        let rolled = roll(&grant, Credits::parse(left).expect("an amount")).expect("fits");
        (rolled.rolled.to_string(), rolled.expired.to_string())
    }

    #[test]
    fn the_three_kinds_of_plan() {
        let text = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(rolled(None, "300"), text("0.000000", "300.000000"));
        assert_eq!(rolled(Some(Rollover::PROFESSIONAL), "300"), text("300.000000", "0.000000"));
        let capped = |cap| Some(Rollover { cap: Some(cap), months: None });
        assert_eq!(rolled(capped(Cap::Percent(20)), "300"), text("200.000000", "100.000000"));
        assert_eq!(rolled(capped(Cap::Credits(Credits::from_micros(5))), "300"), text("0.000005", "299.999995"));
    }

    #[test]
    fn terms_that_make_no_sense_are_refused() {
        let zero = Some(Cap::Credits(Credits::ZERO));
        for (cap, months) in
            [(zero, None), (Some(Cap::Percent(0)), None), (Some(Cap::Percent(101)), None), (None, Some(0))]
        {
            assert!(matches!(Rollover { cap, months }.check(), Err(Refusal::BadRollover { .. })));
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_made(left in 0..=1_000_000_000_i64, percent in 1..=100_u8) {
            let terms = Rollover { cap: Some(Cap::Percent(percent)), months: Some(1) };
            let grant = Grant { rollover: Some(terms), ..testing::grant(1, "1000") };
            let rolled = roll(&grant, Credits::from_micros(left)).expect("fits");
            prop_assert_eq!(rolled.rolled.micros() + rolled.expired.micros(), left);
            prop_assert!(rolled.rolled.micros() <= 10_000_000 * i64::from(percent) && !rolled.expired.is_negative());
        }
    }
}
