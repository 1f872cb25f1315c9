//! Amounts of credits: whole micro-credits, checked, never a float.

use crate::decimal;
use crate::refusal::Refusal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Decimals of a credit that are kept and shown in full.
pub const DECIMALS: u32 = 6;
/// Micro-credits in one credit.
pub const MICROS_PER_CREDIT: i64 = 1_000_000;

/// A signed amount of credits in micro-credits (10⁻⁶ credit).
///
/// Arithmetic is checked only: there is no `+` on purpose. On the wire it is a decimal string with six decimals
/// (`"17.505787"`), since JSON numbers are floats to most readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Credits(i64);

impl Credits {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From micro-credits.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// As micro-credits.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// From a wider intermediate result.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] beyond ±9,223,372,036,854.775807 credits.
    pub fn from_wide(micros: i128) -> Result<Self, Refusal> {
        i64::try_from(micros).map(Self).map_err(|_| Refusal::AmountOverflow)
    }

    /// From a decimal string with at most six decimals.
    ///
    /// # Errors
    /// [`Refusal::BadAmount`] with the reason.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let micros = decimal::parse(text, DECIMALS).map_err(|reason| Refusal::BadAmount { reason })?;
        Self::from_wide(micros)
    }

    /// Sum.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn plus(self, other: Self) -> Result<Self, Refusal> {
        self.0.checked_add(other.0).map(Self).ok_or(Refusal::AmountOverflow)
    }

    /// Difference.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn minus(self, other: Self) -> Result<Self, Refusal> {
        self.0.checked_sub(other.0).map(Self).ok_or(Refusal::AmountOverflow)
    }

    /// The same amount with the other sign.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] for the one value without a counterpart.
    pub fn negated(self) -> Result<Self, Refusal> {
        self.0.checked_neg().map(Self).ok_or(Refusal::AmountOverflow)
    }

    /// Sum of many.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Refusal> {
        let total = amounts.into_iter().map(|c| i128::from(c.0)).sum();
        Self::from_wide(total)
    }

    /// Above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Exactly zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal::fixed(i128::from(self.0), DECIMALS))
    }
}

impl Serialize for Credits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Credits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_six_decimals() {
        assert_eq!(Credits::from_micros(17_505_787).to_string(), "17.505787");
        assert_eq!(Credits::from_micros(-1).to_string(), "-0.000001");
        assert_eq!(Credits::from_micros(i64::MIN).to_string(), "-9223372036854.775808");
    }

    #[test]
    fn never_wraps() {
        let max = Credits::from_micros(i64::MAX);
        assert_eq!(max.plus(Credits::from_micros(1)), Err(Refusal::AmountOverflow));
        assert_eq!(Credits::from_micros(i64::MIN).negated(), Err(Refusal::AmountOverflow));
        assert_eq!(Credits::parse("9223372036854.775808"), Err(Refusal::AmountOverflow));
        assert_eq!(Credits::sum([max, max]), Err(Refusal::AmountOverflow));
        assert_eq!(Credits::sum([max, max.negated().expect("has a counterpart")]), Ok(Credits::ZERO));
    }

    proptest! {
        #[test]
        fn text_and_value_agree(micros: i64) {
            let credits = Credits::from_micros(micros);
            prop_assert_eq!(Credits::parse(&credits.to_string()), Ok(credits));
        }
    }
}
