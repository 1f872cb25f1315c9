//! What a quantity costs: exact rational arithmetic, with the remainder carried.
//!
//! A price per unit rarely gives whole micro-credits. What is left below one micro-credit is kept per (org, line) as a
//! [`Carry`] and added to the next quantity, so that the total of any events is the exact sum rounded down once, however
//! the usage was split into events, batches or days.
//!
//! Adding a rule: a variant of [`Rule`], its arms in [`RateLine::rate`], [`RateLine::denominator`] and
//! [`RateLine::problem`]; the compiler finds the rest (text, explanation, preview).

mod formula;
mod line;
mod price;
mod tiers;
mod told;

pub use formula::{Formula, Part};
pub(crate) use line::BLOCK_DECIMALS;
pub use line::RateLine;
pub use price::{PRICE_DECIMALS, Price, PriceError};
pub use tiers::{MAX_TIERS, Mode, Tier, Tiers};
pub(crate) use told::wrong_member;

use crate::credits::{Credits, MICROS_PER_CREDIT};
use crate::quantity::{MAX_UNITS, MICROS_PER_UNIT, Quantity};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

const PICOS_PER_CREDIT: i128 = 1_000_000_000_000;
const PICOS_PER_MICRO: i64 = 1_000_000;

/// How blocks are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Every event begins its own blocks: a session of 601 s is two blocks of 600 s, one of 0 s is one.
    PerEvent,
    /// Quantities add up over events; a block is charged when it is full.
    Accumulated,
}

/// How one meter is charged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Rule {
    /// `price` credits for every `per` units.
    Unit {
        /// Credits for `per` units.
        price: Price,
        /// Units that the price is for: 1, 1000, 1000000.
        per: i64,
    },
    /// `price` credits for every block of `size` units, begun or full as `counted` says.
    Block {
        /// Credits for one block.
        price: Credits,
        /// Units in one block.
        size: Quantity,
        /// When a block counts.
        counted: Counted,
    },
    /// By how much was used in the billing cycle.
    Tiers(Tiers),
    /// By time, data and compute.
    Formula(Formula),
    /// What the event says it consumed.
    Reported,
    /// Nothing.
    Free,
}

/// One quantity of one event, with what a formula looks at besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// In the meter's unit.
    pub quantity: Quantity,
    /// Credits that the event reports, in 10⁻¹² credit.
    pub reported: Option<i64>,
    /// Data that the event transferred.
    pub bytes: i64,
    /// Compute units that it used, in 10⁻⁶.
    pub compute_micros: i64,
}

impl Usage {
    /// Of a quantity, and nothing else.
    #[must_use]
    pub const fn of(quantity: Quantity) -> Self {
        Self { quantity, reported: None, bytes: 0, compute_micros: 0 }
    }
}

/// What is carried of one (org, line): always at least 0 and less than one whole.
///
/// Its unit follows from the rule: 1/[`RateLine::denominator`] micro-credit; for accumulated blocks, micro-units not yet
/// charged; it stays 0 where nothing is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Carry(pub i64);

/// What earlier usage left for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Before {
    /// What is carried.
    pub carry: Carry,
    /// What a tiered line has charged in the billing cycle, less what was voided; zero for all others.
    pub used: Quantity,
    /// What events that were voided left open in that cycle; below zero where it was charged too much.
    pub owed: Credits,
}

impl Before {
    /// Nothing but a carry.
    #[must_use]
    pub const fn carrying(carry: Carry) -> Self {
        Self { carry, used: Quantity::ZERO, owed: Credits::ZERO }
    }
}

/// The outcome of rating one quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rated {
    /// What is charged now; below zero where a volume tier gives credits back.
    pub credits: Credits,
    /// What the line has for the next quantity.
    pub after: Before,
}

impl RateLine {
    /// Rates one quantity with what earlier ones left.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where the charge does not fit; [`Refusal::CreditsNotReported`] and
    /// [`Refusal::CreditsNotExpected`] where the event and the rule disagree on who names the price.
    pub fn rate(&self, usage: Usage, before: Before) -> Result<Rated, Refusal> {
        let (quantity, carry) = (usage.quantity, before.carry);
        let (credits, carry) = match (&self.rule, usage.reported) {
            (Rule::Reported, Some(picos)) => split(i128::from(picos), carry, PICOS_PER_MICRO, 1)?,
            (Rule::Reported, None) => return Err(Refusal::CreditsNotReported { meter: self.meter.to_string() }),
            (_, Some(_)) => return Err(Refusal::CreditsNotExpected { meter: self.meter.to_string() }),
            (Rule::Free, None) => (Credits::ZERO, carry),
            (Rule::Unit { price, per }, None) => {
                let (numerator, denominator) = reduced(*price, *per)?;
                let exact = quantity.micros().checked_mul(numerator).ok_or(Refusal::AmountOverflow)?;
                split(exact, carry, denominator, 1)?
            }
            (Rule::Block { price, size, counted: Counted::Accumulated }, None) => {
                let size = i64::try_from(size.micros()).map_err(|_| Refusal::AmountOverflow)?;
                split(quantity.micros(), carry, size, i128::from(price.micros()))?
            }
            (Rule::Block { price, size, counted: Counted::PerEvent }, None) => {
                let begun = div_ceil(quantity.micros(), size.micros()).max(1);
                let micros = begun.checked_mul(i128::from(price.micros())).ok_or(Refusal::AmountOverflow)?;
                (Credits::from_wide(micros)?, carry)
            }
            (Rule::Tiers(tiers), None) => {
                let (used, denominator) = (before.used.plus(quantity)?, tiers.denominator()?);
                let exact = sum(tiers.step(before.used, used)?, parts(before.owed, denominator)?)?;
                let (credits, carry) = split(exact, carry, denominator, 1)?;
                return Ok(Rated { credits, after: Before { carry, used, owed: Credits::ZERO } });
            }
            (Rule::Formula(formula), None) => split(formula.exact(&usage)?, carry, formula::DENOMINATOR, 1)?,
        };
        Ok(Rated { credits, after: Before { carry, ..before } })
    }

    /// What a line has once a quantity that was charged `credits` is taken back; `now` is what it has before.
    ///
    /// A tiered line counts what stands. What the cycle's rest costs and what was charged for it may differ then: the
    /// difference is owed by the cycle, and the next event in it pays it or gets it back. So what a cycle costs is what its
    /// events cost that stand, whichever was voided when. Other lines stay as they are.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where what is owed does not fit, or more is taken back than was used.
    pub fn take_back(&self, quantity: Quantity, credits: Credits, now: Before) -> Result<Before, Refusal> {
        let Rule::Tiers(tiers) = &self.rule else { return Ok(now) };
        let used = now.used.minus(quantity)?;
        let denominator = tiers.denominator()?;
        let exact = sum(parts(credits, denominator)?, tiers.step(now.used, used)?)?;
        let (owed, carry) = split(exact, now.carry, denominator, 1)?;
        Ok(Before { carry, used, owed: now.owed.plus(owed)? })
    }

    /// Into how many parts a micro-credit is divided by this line's carry, or how many micro-units fill a block
    /// (accumulated); 1 where nothing is carried.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] for a line that [`RateLine::problem`] would refuse.
    pub fn denominator(&self) -> Result<i64, Refusal> {
        match &self.rule {
            Rule::Unit { price, per } => reduced(*price, *per).map(|(_, denominator)| denominator),
            Rule::Block { size, counted: Counted::Accumulated, .. } => {
                i64::try_from(size.micros()).map_err(|_| Refusal::AmountOverflow)
            }
            Rule::Tiers(tiers) => tiers.denominator(),
            Rule::Formula(_) => Ok(formula::DENOMINATOR),
            Rule::Reported => Ok(PICOS_PER_MICRO),
            Rule::Block { counted: Counted::PerEvent, .. } | Rule::Free => Ok(1),
        }
    }

    /// Whether it needs to know what was charged in the billing cycle.
    #[must_use]
    pub const fn has_tiers(&self) -> bool {
        matches!(self.rule, Rule::Tiers(_))
    }

    /// What makes the line unusable; `None` for a good one.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        match &self.rule {
            Rule::Unit { per, .. } if !is_per(*per) => Some(Fault::PerOutOfRange),
            Rule::Unit { price, per } if reduced(*price, *per).is_err() => Some(Fault::TooFine),
            Rule::Block { size, .. } if size.micros() < 1 || i64::try_from(size.micros()).is_err() => {
                Some(Fault::BlockSize)
            }
            Rule::Block { price, .. } if price.is_negative() => Some(Fault::BlockPrice),
            Rule::Tiers(tiers) => tiers.fault(),
            Rule::Unit { .. } | Rule::Block { .. } | Rule::Formula(_) | Rule::Reported | Rule::Free => None,
        }
    }
}

/// Whether a price can be for so many units: from one to what an event can carry, in lines as in the text of a card.
pub(crate) const fn is_per(per: i64) -> bool {
    per >= 1 && per as i128 <= MAX_UNITS
}

/// What makes a line unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A price for less than one unit, or for more than an event can carry.
    PerOutOfRange,
    /// A price for so many units that its parts cannot be told apart any more.
    TooFine,
    /// A block of nothing, or one that is too large.
    BlockSize,
    /// A block below zero.
    BlockPrice,
    /// Fewer than two tiers, or too many.
    TierCount,
    /// A tier in the middle that does not end, or a last one that does.
    TierEnds,
    /// Tiers that do not follow one another.
    TierOrder,
}

impl Fault {
    /// As advice to whoever wrote the line: as text, or else in the members of JSON and TOML.
    #[must_use]
    pub const fn advice(self, as_text: bool) -> &'static str {
        match (self, as_text) {
            (Self::PerOutOfRange, false) => "`per` must be a whole number from 1 to 1000000000000000",
            (Self::PerOutOfRange, true) => {
                "the price must be for 1 unit or more: write `per N` with a whole number from 1 to 1000000000000000"
            }
            (Self::TooFine, false) => {
                "the price is too fine for such a large `per`: with 12 decimals it goes up to 9223372, with each decimal \
                 fewer ten times as far"
            }
            (Self::TooFine, true) => {
                "the price is too fine for so many units: with 12 decimals `per N` goes up to 9223372, with each decimal \
                 fewer ten times as far"
            }
            (Self::BlockSize, false) => "`size` must be above 0, with at most six decimals, and below 9223372036854",
            (Self::BlockSize, true) => {
                "a block must be above 0 units, with at most six decimals, and below 9223372036854: `1 per 600 begun`"
            }
            (Self::BlockPrice, _) => "the price of a block is 0 or more",
            (Self::TierCount, false) => "give 2 to 20 tiers; for one price use the rule `unit`",
            (Self::TierCount, true) => "give 2 to 20 tiers; for one price write `0.01 each`",
            (Self::TierEnds, false) => "every tier but the last says where it ends (`up_to`), and the last does not",
            (Self::TierEnds, true) => {
                "every tier but the last says where it ends (`0.01 to 1000`), and the last is `0.005 beyond`"
            }
            (Self::TierOrder, _) => {
                "each tier must end above the one before it, the first above 0, none above 1000000000000000"
            }
        }
    }
}

/// The price of one micro-unit in micro-credits, as a reduced fraction whose denominator fits an `i64`.
fn reduced(price: Price, per: i64) -> Result<(i128, i64), Refusal> {
    let denominator = undivided(per)?;
    let divisor = gcd(i128::from(price.picos()), denominator).max(1);
    let denominator = i64::try_from(denominator / divisor).map_err(|_| Refusal::AmountOverflow)?;
    Ok((i128::from(price.picos()) / divisor, denominator))
}

/// Into how many parts a micro-credit falls where a price in 10⁻¹² credit is for `per` units:
/// micro-credits per micro-unit = picos / 10¹² · 10⁶ / (per · 10⁶).
fn undivided(per: i64) -> Result<i128, Refusal> {
    let scale = PICOS_PER_CREDIT * MICROS_PER_UNIT / i128::from(MICROS_PER_CREDIT);
    scale.checked_mul(i128::from(per)).ok_or(Refusal::AmountOverflow)
}

/// Credits in parts of a micro-credit.
fn parts(credits: Credits, denominator: i64) -> Result<i128, Refusal> {
    i128::from(credits.micros()).checked_mul(i128::from(denominator)).ok_or(Refusal::AmountOverflow)
}

fn sum(a: i128, b: i128) -> Result<i128, Refusal> {
    a.checked_add(b).ok_or(Refusal::AmountOverflow)
}

/// Adds `carry` to `exact` and takes out the wholes of `denominator`, each worth `micros_each`; what is left is carried.
fn split(exact: i128, carry: Carry, denominator: i64, micros_each: i128) -> Result<(Credits, Carry), Refusal> {
    let sum = exact.checked_add(i128::from(carry.0)).ok_or(Refusal::AmountOverflow)?;
    let whole = sum.div_euclid(i128::from(denominator));
    let rest = sum.rem_euclid(i128::from(denominator));
    let micros = whole.checked_mul(micros_each).ok_or(Refusal::AmountOverflow)?;
    // A remainder is below its `i64` denominator.
    let carry = i64::try_from(rest).map(Carry).map_err(|_| Refusal::AmountOverflow)?;
    Ok((Credits::from_wide(micros)?, carry))
}

const fn div_ceil(value: i128, divisor: i128) -> i128 {
    let floor = value.div_euclid(divisor);
    if value.rem_euclid(divisor) == 0 { floor } else { floor + 1 }
}

/// Of two values from zero on. Most fit 64 bits, where a division costs a tenth; this runs for every event.
pub(crate) const fn gcd(mut a: i128, mut b: i128) -> i128 {
    while a > i64::MAX as i128 || b > i64::MAX as i128 {
        if b == 0 {
            return a;
        }
        (a, b) = (b, a % b);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the loop above ends when both fit")]
    let (mut a, mut b) = (a as i64, b as i64);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a as i128
}

#[cfg(test)]
mod tests;
