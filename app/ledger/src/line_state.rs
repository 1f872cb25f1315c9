//! What rate lines have from earlier usage: what each carries, and what tiered ones charged in each billing cycle.
//!
//! A fold over charges, in the order in which they were made. Kept under a line's origin, so that a line which a later
//! version keeps goes on where it stood.

use crate::card::{LineOrigin, Prices};
use crate::cycle::BillingCycle;
use crate::quantity::Quantity;
use crate::rate::{Before, Carry};
use crate::refusal::Refusal;
use crate::settle::Charge;
use std::collections::BTreeMap;

/// The lines of one org.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineStates {
    carries: BTreeMap<LineOrigin, Carry>,
    used: BTreeMap<(LineOrigin, BillingCycle), Quantity>,
}

impl LineStates {
    /// From what was kept of earlier usage.
    #[must_use]
    pub fn new(
        carries: impl IntoIterator<Item = (LineOrigin, Carry)>,
        used: impl IntoIterator<Item = ((LineOrigin, BillingCycle), Quantity)>,
    ) -> Self {
        Self { carries: carries.into_iter().collect(), used: used.into_iter().collect() }
    }

    /// What a line carries.
    #[must_use]
    pub fn carry(&self, origin: LineOrigin) -> Carry {
        self.carries.get(&origin).copied().unwrap_or_default()
    }

    /// What a tiered line charged in a cycle.
    #[must_use]
    pub fn used(&self, origin: LineOrigin, cycle: BillingCycle) -> Quantity {
        self.used.get(&(origin, cycle)).copied().unwrap_or_default()
    }

    /// What a line has, in that cycle where it has tiers.
    #[must_use]
    pub fn before(&self, origin: LineOrigin, cycle: Option<BillingCycle>) -> Before {
        let used = cycle.map_or(Quantity::ZERO, |cycle| self.used(origin, cycle));
        Before { carry: self.carry(origin), used }
    }

    /// Takes up what a charge leaves.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where a cycle's quantity is more than can be kept; then nothing was taken up.
    pub fn take_up(&mut self, prices: &Prices, charge: &Charge) -> Result<Taken, Refusal> {
        let origin = prices.origin(charge.version, charge.line);
        let place = charge.tier.map(|place| Ok((place.cycle, place.used.plus(charge.quantity)?))).transpose()?;
        if let Some((cycle, used)) = place {
            used.parts()?;
            self.used.insert((origin, cycle), used);
        }
        let carry_changed = self.carries.insert(origin, charge.carry_after) != Some(charge.carry_after);
        Ok(Taken { origin, carry_changed })
    }
}

/// Where a charge was taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The line that it is kept under.
    pub origin: LineOrigin,
    /// Whether its carry is another now, or kept for the first time.
    pub carry_changed: bool,
}
