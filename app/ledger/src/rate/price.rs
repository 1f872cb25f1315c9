//! Prices: decimals of up to twelve places, never below zero.

use crate::decimal;
use crate::refusal::Refusal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// Decimals of a price.
pub const PRICE_DECIMALS: u32 = 12;

/// A price in 10⁻¹² credit, 0 up to 9,223,372 credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Price(i64);

impl Price {
    /// From a decimal string with at most twelve decimals.
    ///
    /// # Errors
    /// [`Refusal::BadAmount`] where it is not one, negative or above 9,223,372 credits.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let bad = |reason| Refusal::BadAmount { reason };
        let pico = decimal::parse(text, PRICE_DECIMALS).map_err(bad)?;
        if pico < 0 {
            return Err(bad(decimal::DecimalError::Syntax));
        }
        i64::try_from(pico).map(Self).map_err(|_| bad(decimal::DecimalError::TooLarge))
    }

    /// From 10⁻¹² credit; none below zero.
    #[must_use]
    pub const fn from_picos(picos: i64) -> Option<Self> {
        if picos < 0 { None } else { Some(Self(picos)) }
    }

    /// In 10⁻¹² credit.
    #[must_use]
    pub const fn picos(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal::trimmed(i128::from(self.0), PRICE_DECIMALS))
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DecimalText).and_then(|text| Self::parse(&text).map_err(de::Error::custom))
    }
}

/// A decimal as text, since a JSON or TOML number may have lost digits before anybody could look at it.
struct DecimalText;

impl de::Visitor<'_> for DecimalText {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal in quotes such as \"0.60\"")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}
