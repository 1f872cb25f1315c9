//! Billing cycles: months of the calendar in the org's zone. Which instants one spans is the calendar's business.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A month, ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BillingCycle {
    /// Of the common era.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
}

impl BillingCycle {
    /// Reads `2026-11`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let plain =
            year.len() == 4 && month.len() == 2 && year.bytes().chain(month.bytes()).all(|b| b.is_ascii_digit());
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        (plain && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// Months since January of the year 0: as the store keeps it.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.year as i64 * 12 + self.month as i64 - 1
    }

    /// From what [`BillingCycle::number`] gave; `None` outside the years from 0 to 9999.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        let (year, month) = (i32::try_from(number.div_euclid(12)).ok()?, u32::try_from(number.rem_euclid(12)).ok()?);
        (0..=9_999).contains(&year).then_some(Self { year, month: month + 1 })
    }
}

impl fmt::Display for BillingCycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Serialize for BillingCycle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BillingCycle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a month such as 2026-11"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_written_one_way() {
        assert_eq!(BillingCycle::parse("2026-02").map(|c| c.to_string()), Some("2026-02".to_owned()));
        for text in ["2026-13", "2026-00", "2026-1", "26-01", "2026-+1", "2026"] {
            assert_eq!(BillingCycle::parse(text), None, "{text}");
        }
        let december = BillingCycle { year: 2025, month: 12 };
        assert_eq!((december.number(), BillingCycle::from_number(24_311)), (24_311, Some(december)));
        assert_eq!(BillingCycle::from_number(-1), None);
        assert!(BillingCycle::parse("2025-12") < BillingCycle::parse("2026-01"));
    }
}
