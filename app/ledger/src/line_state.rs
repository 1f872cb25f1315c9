//! What rate lines have from earlier usage: what each carries, and what tiered ones charged in each billing cycle.
//!
//! A fold over charges, in the order in which they were made and taken back. Kept under a line's origin, so that a line which a later
//! version keeps goes on where it stood.

use crate::card::{LineOrigin, Prices};
use crate::credits::Credits;
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
    cycles: BTreeMap<(LineOrigin, BillingCycle), CycleUse>,
}

/// What a tiered line has of one billing cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CycleUse {
    /// What it charged that stands.
    pub used: Quantity,
    /// What voided events left open.
    pub owed: Credits,
}

impl LineStates {
    /// From what was kept of earlier usage.
    #[must_use]
    pub fn new(
        carries: impl IntoIterator<Item = (LineOrigin, Carry)>,
        cycles: impl IntoIterator<Item = ((LineOrigin, BillingCycle), CycleUse)>,
    ) -> Self {
        Self { carries: carries.into_iter().collect(), cycles: cycles.into_iter().collect() }
    }

    /// What a line carries.
    #[must_use]
    pub fn carry(&self, origin: LineOrigin) -> Carry {
        self.carries.get(&origin).copied().unwrap_or_default()
    }

    /// What a tiered line has of a cycle.
    #[must_use]
    pub fn cycle(&self, origin: LineOrigin, cycle: BillingCycle) -> CycleUse {
        self.cycles.get(&(origin, cycle)).copied().unwrap_or_default()
    }

    /// What each line carries, in the order of lines.
    pub fn carries(&self) -> impl Iterator<Item = (LineOrigin, Carry)> {
        self.carries.iter().map(|(origin, carry)| (*origin, *carry))
    }

    /// What each tiered line has of each cycle, in their order.
    pub fn uses(&self) -> impl Iterator<Item = ((LineOrigin, BillingCycle), CycleUse)> {
        self.cycles.iter().map(|(place, cycle)| (*place, *cycle))
    }

    /// What tiered lines have of each cycle.
    pub fn cycles(&self) -> impl Iterator<Item = (LineOrigin, CycleUse)> {
        self.cycles.iter().map(|((origin, _), cycle)| (*origin, *cycle))
    }

    /// What a line has, in that cycle where it has tiers.
    #[must_use]
    pub fn before(&self, origin: LineOrigin, cycle: Option<BillingCycle>) -> Before {
        let CycleUse { used, owed } = cycle.map(|cycle| self.cycle(origin, cycle)).unwrap_or_default();
        Before { carry: self.carry(origin), used, owed }
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
            self.cycles.insert((origin, cycle), CycleUse { used, owed: Credits::ZERO });
        }
        let carry_changed = self.carries.insert(origin, charge.carry_after) != Some(charge.carry_after);
        Ok(Taken { origin, carry_changed })
    }

    /// Takes a charge back of an event that is voided: what tiers count is what stands. `None` where nothing changes.
    ///
    /// # Errors
    /// What [`RateLine::take_back`](crate::RateLine::take_back) says; then nothing was changed.
    pub fn take_back(&mut self, prices: &Prices, charge: &Charge) -> Result<Option<Taken>, Refusal> {
        let line = prices.version(charge.version).and_then(|card| card.line(charge.line));
        let Some((place, line)) = charge.tier.zip(line) else { return Ok(None) };
        let origin = prices.origin(charge.version, charge.line);
        let before = self.before(origin, Some(place.cycle));
        let Before { carry, used, owed } = line.take_back(charge.quantity, charge.credits, before)?;
        self.cycles.insert((origin, place.cycle), CycleUse { used, owed });
        self.carries.insert(origin, carry);
        Ok(Some(Taken { origin, carry_changed: carry != before.carry }))
    }
}

/// Where a charge was taken up, or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The line that it is kept under.
    pub origin: LineOrigin,
    /// Whether its carry is another now, or kept for the first time.
    pub carry_changed: bool,
}
