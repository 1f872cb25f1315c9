//! Prices: decimals of up to twelve places, never below zero.

use crate::decimal::{self, DecimalError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// Decimals of a price.
pub const PRICE_DECIMALS: u32 = 12;

/// A price in 10⁻¹² credit, 0 up to 9,223,372 credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Price(i64);

impl Price {
    /// The largest.
    pub const MAX: Self = Self(i64::MAX);

    /// From a decimal string with at most twelve decimals.
    ///
    /// # Errors
    /// [`PriceError`] says what is wrong, and the bound.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let pico = decimal::parse(text, PRICE_DECIMALS).map_err(|error| match error {
            DecimalError::Syntax => PriceError::NoDecimal,
            DecimalError::TooPrecise(_) => PriceError::TooPrecise,
            DecimalError::TooLarge => PriceError::TooLarge,
        })?;
        if pico < 0 {
            return Err(PriceError::Negative);
        }
        i64::try_from(pico).map(Self).map_err(|_| PriceError::TooLarge)
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

/// Why a text is no price; to be read behind the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Not digits with at most one point.
    #[error("is not a decimal such as 0.60: write digits, and a point before the decimals")]
    NoDecimal,
    /// More decimals than are kept.
    #[error("has more decimals than a price can: at most {PRICE_DECIMALS}")]
    TooPrecise,
    /// Beyond the range.
    #[error("is above the highest price, {}: write it for fewer units", Price::MAX)]
    TooLarge,
    /// Below zero.
    #[error("is below zero: a price is 0 or more")]
    Negative,
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
        deserializer
            .deserialize_str(DecimalText)
            .and_then(|text| Self::parse(&text).map_err(|error| de::Error::custom(format!("the price {text} {error}"))))
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
