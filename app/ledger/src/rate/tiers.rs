//! Prices that depend on how much was used in the billing cycle.
//!
//! What a cycle costs is a function of what was used in it, so what an event costs is the difference that it makes: the
//! order and the size of the events never change the sum. A volume price counts for all units of the cycle once its tier
//! is reached; where it is lower, the event that reaches it costs less than nothing, and credits come back.

use super::{Fault, Price, gcd, undivided};
use crate::quantity::{MAX_UNITS, MICROS_PER_UNIT, Quantity};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// Tiers of one line, at most: more could not be read.
pub const MAX_TIERS: usize = 20;

/// What the price of a tier counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The units within the tier.
    Graduated,
    /// All units of the cycle, once it is reached.
    Volume,
}

/// One tier: from where the tier before it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its last unit, included; `None` in the last tier only, which has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Quantity>,
    /// Credits for `per` units.
    pub price: Price,
}

/// The tiers of a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tiers {
    /// What a price counts for.
    pub mode: Mode,
    /// Units that the prices are for.
    pub per: i64,
    /// From the first unit on, without gaps.
    pub tiers: Vec<Tier>,
}

impl Tiers {
    /// What makes them unusable.
    pub(super) fn fault(&self) -> Option<Fault> {
        if !super::is_per(self.per) {
            return Some(Fault::PerOutOfRange);
        }
        if self.tiers.len() < 2 || self.tiers.len() > MAX_TIERS {
            return Some(Fault::TierCount);
        }
        let (last, others) = self.tiers.split_last()?;
        if last.up_to.is_some() || others.iter().any(|tier| tier.up_to.is_none()) {
            return Some(Fault::TierEnds);
        }
        let mut ends = others.iter().filter_map(|tier| tier.up_to);
        let mut before = Quantity::ZERO;
        if ends.any(|end| std::mem::replace(&mut before, end) >= end) || before.micros() > MAX_UNITS * MICROS_PER_UNIT {
            return Some(Fault::TierOrder);
        }
        self.denominator().err().map(|_| Fault::TooFine)
    }

    /// Into how many parts they divide a micro-credit, all prices alike.
    pub(super) fn denominator(&self) -> Result<i64, Refusal> {
        self.reduced().map(|(_, denominator)| denominator)
    }

    /// By what all prices can be divided, and into how many parts a micro-credit then falls.
    fn reduced(&self) -> Result<(i128, i64), Refusal> {
        let whole = undivided(self.per)?;
        let divisor = self.tiers.iter().fold(whole, |sum, tier| gcd(i128::from(tier.price.picos()), sum)).max(1);
        Ok((divisor, i64::try_from(whole / divisor).map_err(|_| Refusal::AmountOverflow)?))
    }

    /// What going from `before` to `after` costs, in parts of a micro-credit.
    pub(super) fn step(&self, before: Quantity, after: Quantity) -> Result<i128, Refusal> {
        let (divisor, _) = self.reduced()?;
        let cost = |used| self.cost(used, divisor);
        cost(after)?.checked_sub(cost(before)?).ok_or(Refusal::AmountOverflow)
    }

    fn cost(&self, used: Quantity, divisor: i128) -> Result<i128, Refusal> {
        let mut sum = 0_i128;
        for (part, price) in self.parts(used) {
            let each = i128::from(price.picos()) / divisor;
            let cost = part.micros().checked_mul(each).ok_or(Refusal::AmountOverflow)?;
            sum = sum.checked_add(cost).ok_or(Refusal::AmountOverflow)?;
        }
        Ok(sum)
    }

    /// In which tier a cycle is, counted from 1: where the last unit of what was used lies.
    #[must_use]
    pub fn reached(&self, used: Quantity) -> usize {
        let over = self.tiers.iter().take_while(|tier| tier.up_to.is_some_and(|end| end < used));
        over.count() + 1
    }

    /// How many units of a cycle cost which price, of those tiers that are reached.
    #[must_use]
    pub fn parts(&self, used: Quantity) -> Vec<(Quantity, Price)> {
        let (mut parts, mut from) = (Vec::new(), 0_i128);
        for tier in &self.tiers {
            let end = tier.up_to.map_or(used, |end| end.min(used)).micros();
            if end <= from && !parts.is_empty() {
                break;
            }
            parts.push((Quantity::from_micros(end - from), tier.price));
            from = end;
        }
        match (self.mode, parts.last()) {
            (Mode::Volume, Some((_, price))) => vec![(used, *price)],
            _ => parts,
        }
    }
}
