//! A price made of parts: something for each event, and so much per second, megabyte and compute unit.

use super::{PICOS_PER_CREDIT, PICOS_PER_MICRO, Price, Usage};
use crate::decimal;
use crate::quantity::DECIMALS as QUANTITY_DECIMALS;
use crate::refusal::Refusal;

/// Into how many parts it divides a micro-credit: a price has 12 decimals, what it multiplies another 6.
#[expect(clippy::cast_possible_truncation, reason = "10^12")]
pub(super) const DENOMINATOR: i64 = PICOS_PER_CREDIT as i64;
/// Decimals of a part, in credits: exact.
const PART_DECIMALS: u32 = 18;

/// What an event costs: `base` + seconds × `per_second` + megabytes × `per_mb` + compute units × `per_compute_unit`, and
/// at least `minimum`. Seconds are the meter's quantity; megabytes are `data.bytes` by 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Formula {
    /// Credits for each event.
    pub base: Price,
    /// Credits for a second of processing.
    pub per_second: Price,
    /// Credits for 1,000,000 bytes.
    pub per_mb: Price,
    /// Credits for a compute unit.
    pub per_compute_unit: Price,
    /// Credits that an event costs at least.
    pub minimum: Price,
}

/// One part of what a formula comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub name: &'static str,
    /// `120 s × 0.02`
    pub arithmetic: String,
    /// Credits, exact, in as many decimals as it takes.
    pub credits: String,
}

impl Formula {
    /// What an event costs in parts of a micro-credit.
    pub(super) fn exact(&self, usage: &Usage) -> Result<i128, Refusal> {
        let sum = self.sum(usage)?;
        Ok(sum.max(whole(self.minimum)))
    }

    fn sum(&self, usage: &Usage) -> Result<i128, Refusal> {
        let [_, processing, data, compute] = self.terms(usage)?;
        whole(self.base)
            .checked_add(processing)
            .and_then(|sum| sum.checked_add(data))
            .and_then(|sum| sum.checked_add(compute))
            .ok_or(Refusal::AmountOverflow)
    }

    /// Base, processing, data, compute.
    fn terms(&self, usage: &Usage) -> Result<[i128; 4], Refusal> {
        let times =
            |price: Price, micros: i128| micros.checked_mul(i128::from(price.picos())).ok_or(Refusal::AmountOverflow);
        Ok([
            whole(self.base),
            times(self.per_second, usage.quantity.micros())?,
            times(self.per_mb, i128::from(usage.bytes))?,
            times(self.per_compute_unit, i128::from(usage.compute_micros))?,
        ])
    }

    /// Its parts for an event, in words and figures; the last one is what the minimum adds, where it does.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn parts(&self, usage: &Usage) -> Result<Vec<Part>, Refusal> {
        let [base, processing, data, compute] = self.terms(usage)?;
        let amount = |micros: i128| decimal::trimmed(micros, QUANTITY_DECIMALS);
        let part = |name, arithmetic, exact| Part { name, arithmetic, credits: decimal::trimmed(exact, PART_DECIMALS) };
        let mut parts = Vec::new();
        if self.base != Price::default() {
            parts.push(part("Base", format!("{} for each event", self.base), base));
        }
        if self.per_second != Price::default() {
            parts.push(part("Processing time", format!("{} s × {}", usage.quantity, self.per_second), processing));
        }
        if self.per_mb != Price::default() {
            let mb = amount(i128::from(usage.bytes));
            parts.push(part("Data volume", format!("{mb} MB × {}", self.per_mb), data));
        }
        if self.per_compute_unit != Price::default() {
            let units = amount(i128::from(usage.compute_micros));
            parts.push(part("Compute", format!("{units} compute units × {}", self.per_compute_unit), compute));
        }
        let short = whole(self.minimum) - self.sum(usage)?;
        if short > 0 {
            parts.push(part("Up to the minimum", format!("at least {}", self.minimum), short));
        }
        Ok(parts)
    }
}

/// A price for an event, in parts of a micro-credit: picos / 10⁶ micro-credits.
fn whole(price: Price) -> i128 {
    i128::from(price.picos()) * (i128::from(DENOMINATOR) / i128::from(PICOS_PER_MICRO))
}
