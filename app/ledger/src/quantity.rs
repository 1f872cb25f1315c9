//! How much was used, in the meter's own unit.

use crate::decimal;
use crate::refusal::Refusal;
use std::fmt;

/// Decimals of a quantity. Six, as for credits: together with rates of twelve decimals a carry still fits an `i64`.
pub const DECIMALS: u32 = 6;
/// Micro-units in one unit.
pub const MICROS_PER_UNIT: i128 = 1_000_000;
/// The largest quantity of one event, in units: far above any real one, far below what could overflow a rating.
pub const MAX_UNITS: i128 = 1_000_000_000_000_000;

/// A quantity in micro-units (10⁻⁶ of the meter's unit). Events carry 0 ..= [`MAX_UNITS`]; sums may be larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(i128);

impl Quantity {
    /// Nothing used.
    pub const ZERO: Self = Self(0);
    /// One unit: the default of an event that names no quantity.
    pub const ONE: Self = Self(MICROS_PER_UNIT);

    /// From whole units.
    #[must_use]
    pub const fn from_units(units: i64) -> Self {
        Self(units as i128 * MICROS_PER_UNIT)
    }

    /// From micro-units.
    #[must_use]
    pub const fn from_micros(micros: i128) -> Self {
        Self(micros)
    }

    /// As micro-units.
    #[must_use]
    pub const fn micros(self) -> i128 {
        self.0
    }

    /// Whole units and the micro-units left over, as the store keeps them: two integers, the second nearly always 0.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where the whole units exceed an `i64`.
    pub fn parts(self) -> Result<(i64, i64), Refusal> {
        let whole = i64::try_from(self.0.div_euclid(MICROS_PER_UNIT)).map_err(|_| Refusal::AmountOverflow)?;
        let micros = i64::try_from(self.0.rem_euclid(MICROS_PER_UNIT)).map_err(|_| Refusal::AmountOverflow)?;
        Ok((whole, micros))
    }

    /// From what [`Quantity::parts`] gave, or from sums of such parts.
    #[must_use]
    pub const fn from_parts(whole: i64, micros: i64) -> Self {
        Self(whole as i128 * MICROS_PER_UNIT + micros as i128)
    }

    /// Reads the quantity of an event: a decimal, 0 ..= [`MAX_UNITS`], at most six decimals.
    ///
    /// # Errors
    /// [`Refusal::BadQuantity`] with the reason, [`Refusal::NegativeQuantity`], [`Refusal::QuantityTooLarge`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let micros = match decimal::parse(text, DECIMALS) {
            Ok(micros) => micros,
            Err(decimal::DecimalError::TooLarge) => return Err(Refusal::QuantityTooLarge),
            Err(reason) => return Err(Refusal::BadQuantity { reason }),
        };
        if micros < 0 {
            return Err(Refusal::NegativeQuantity);
        }
        if micros > MAX_UNITS * MICROS_PER_UNIT {
            return Err(Refusal::QuantityTooLarge);
        }
        Ok(Self(micros))
    }

    /// Sum.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn plus(self, other: Self) -> Result<Self, Refusal> {
        self.0.checked_add(other.0).map(Self).ok_or(Refusal::AmountOverflow)
    }

    /// What is left without `other`.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where that is below zero.
    pub fn minus(self, other: Self) -> Result<Self, Refusal> {
        self.0.checked_sub(other.0).filter(|left| *left >= 0).map(Self).ok_or(Refusal::AmountOverflow)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal::trimmed(self.0, DECIMALS))
    }
}

impl serde::Serialize for Quantity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        decimal::parse(&text, DECIMALS).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_quantities_are_refused_each_with_its_own_reason() {
        assert_eq!(Quantity::parse("-1"), Err(Refusal::NegativeQuantity));
        assert_eq!(Quantity::parse("1e300"), Err(Refusal::QuantityTooLarge));
        assert_eq!(Quantity::parse("1000000000000000.000001"), Err(Refusal::QuantityTooLarge));
        assert!(matches!(Quantity::parse("NaN"), Err(Refusal::BadQuantity { .. })));
        assert!(matches!(Quantity::parse("0.0000001"), Err(Refusal::BadQuantity { .. })));
        assert_eq!(Quantity::parse("1e15").map(|q| q.to_string()), Ok("1000000000000000".to_owned()));
    }

    #[test]
    fn parts_and_back() {
        for text in ["0", "12.5", "999999999999999.999999"] {
            let quantity = Quantity::parse(text).expect("valid");
            let (whole, micros) = quantity.parts().expect("fits");
            assert_eq!(Quantity::from_parts(whole, micros), quantity);
            assert_eq!(quantity.to_string(), text);
        }
    }
}
