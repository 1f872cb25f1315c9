//! What a quantity costs: exact rational arithmetic, with the remainder carried.
//!
//! A price per unit rarely gives whole micro-credits. What is left below one micro-credit is kept per (org, line) as a
//! [`Carry`] and added to the next quantity, so that the total of any events is the exact sum rounded down once, however
//! the usage was split into events, batches or days.
//!
//! Adding a rule: a variant of [`Rule`], its arm in [`RateLine::rate`] and in [`RateLine::problem`]; the compiler finds
//! the rest. (Tiers and formula are expected here.)

use crate::credits::{Credits, MICROS_PER_CREDIT};
use crate::decimal;
use crate::label::{Label, Meter};
use crate::quantity::{MICROS_PER_UNIT, Quantity};
use crate::refusal::Refusal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// Decimals of a price.
pub const PRICE_DECIMALS: u32 = 12;
const PICOS_PER_CREDIT: i128 = 1_000_000_000_000;
const PICOS_PER_MICRO: i64 = 1_000_000;

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
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// How blocks are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Every event begins its own blocks: a session of 601 s is two blocks of 600 s, one of 0 s is one.
    PerEvent,
    /// Quantities add up over events; a block is charged when it is full.
    Accumulated,
}

/// How one meter is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// `price` credits for every `per` units.
    Unit {
        /// Credits for `per` units.
        price: Price,
        /// Units that the price is for: 1, 1000, 1000000.
        #[serde(default = "one")]
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
    /// What the event says it consumed.
    Reported,
    /// Nothing.
    Free,
}

const fn one() -> i64 {
    1
}

/// A line of a rate card: what it matches, and how that is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLine {
    /// The meter it charges.
    pub meter: Meter,
    /// The sources it matches; all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Label>,
    /// Attributes that must have these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// How it charges.
    #[serde(flatten)]
    pub rule: Rule,
}

/// What is carried of one (org, line): always at least 0 and less than one whole.
///
/// Its unit follows from the rule: for `unit`, 1/[`RateLine::denominator`] micro-credit; for accumulated blocks,
/// micro-units not yet charged; for `reported`, 10⁻¹² credit; otherwise it stays 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Carry(pub i64);

/// The outcome of rating one quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rated {
    /// What is charged now.
    pub credits: Credits,
    /// What is carried to the next quantity of the same line.
    pub carry: Carry,
}

impl RateLine {
    /// Rates `quantity` with what earlier quantities left in `carry`.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where the charge does not fit; [`Refusal::CreditsNotReported`] and
    /// [`Refusal::CreditsNotExpected`] where the event and the rule disagree on who names the price.
    pub fn rate(&self, quantity: Quantity, reported: Option<i64>, carry: Carry) -> Result<Rated, Refusal> {
        match (&self.rule, reported) {
            (Rule::Reported, Some(picos)) => split(i128::from(picos), carry, PICOS_PER_MICRO, 1),
            (Rule::Reported, None) => Err(Refusal::CreditsNotReported { meter: self.meter.to_string() }),
            (_, Some(_)) => Err(Refusal::CreditsNotExpected { meter: self.meter.to_string() }),
            (Rule::Free, None) => Ok(Rated { credits: Credits::ZERO, carry }),
            (Rule::Unit { price, per }, None) => {
                let (numerator, denominator) = reduced(*price, *per)?;
                let exact = quantity.micros().checked_mul(numerator).ok_or(Refusal::AmountOverflow)?;
                split(exact, carry, denominator, 1)
            }
            (Rule::Block { price, size, counted: Counted::Accumulated }, None) => {
                let size = i64::try_from(size.micros()).map_err(|_| Refusal::AmountOverflow)?;
                split(quantity.micros(), carry, size, i128::from(price.micros()))
            }
            (Rule::Block { price, size, counted: Counted::PerEvent }, None) => {
                let begun = div_ceil(quantity.micros(), size.micros()).max(1);
                let micros = begun.checked_mul(i128::from(price.micros())).ok_or(Refusal::AmountOverflow)?;
                Ok(Rated { credits: Credits::from_wide(micros)?, carry })
            }
        }
    }

    /// Into how many parts a micro-credit is divided by this line's carry (`unit` and `reported`), or how many
    /// micro-units fill a block (accumulated); 1 where nothing is carried.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] for a line that [`RateLine::problem`] would refuse.
    pub fn denominator(&self) -> Result<i64, Refusal> {
        match &self.rule {
            Rule::Unit { price, per } => reduced(*price, *per).map(|(_, denominator)| denominator),
            Rule::Block { size, counted: Counted::Accumulated, .. } => {
                i64::try_from(size.micros()).map_err(|_| Refusal::AmountOverflow)
            }
            Rule::Reported => Ok(PICOS_PER_MICRO),
            Rule::Block { counted: Counted::PerEvent, .. } | Rule::Free => Ok(1),
        }
    }

    /// What makes the line unusable, as advice; `None` for a good one.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        match &self.rule {
            Rule::Unit { per, .. } if *per < 1 => Some("`per` must be at least 1"),
            Rule::Unit { price, per } if reduced(*price, *per).is_err() => {
                Some("the price has too many decimals for such a large `per`: use fewer of either")
            }
            Rule::Block { size, .. } if size.micros() < 1 || i64::try_from(size.micros()).is_err() => {
                Some("`size` must be above 0 and below 9223372036854")
            }
            Rule::Block { price, .. } if price.is_negative() => Some("`price` must not be negative"),
            _ => None,
        }
    }
}

/// The price of one micro-unit in micro-credits, as a reduced fraction whose denominator fits an `i64`.
fn reduced(price: Price, per: i64) -> Result<(i128, i64), Refusal> {
    // micro-credits per micro-unit = picos / 10^12 * 10^6 / (per * 10^6)
    let scale = PICOS_PER_CREDIT * MICROS_PER_UNIT / i128::from(MICROS_PER_CREDIT);
    let denominator = scale.checked_mul(i128::from(per)).ok_or(Refusal::AmountOverflow)?;
    let divisor = gcd(i128::from(price.0), denominator).max(1);
    let denominator = i64::try_from(denominator / divisor).map_err(|_| Refusal::AmountOverflow)?;
    Ok((i128::from(price.0) / divisor, denominator))
}

/// Adds `carry` to `exact` and takes out the wholes of `denominator`, each worth `micros_each`; what is left is carried.
fn split(exact: i128, carry: Carry, denominator: i64, micros_each: i128) -> Result<Rated, Refusal> {
    let sum = exact.checked_add(i128::from(carry.0)).ok_or(Refusal::AmountOverflow)?;
    let whole = sum.div_euclid(i128::from(denominator));
    let rest = sum.rem_euclid(i128::from(denominator));
    let micros = whole.checked_mul(micros_each).ok_or(Refusal::AmountOverflow)?;
    // A remainder is below its `i64` denominator.
    let carry = i64::try_from(rest).map(Carry).map_err(|_| Refusal::AmountOverflow)?;
    Ok(Rated { credits: Credits::from_wide(micros)?, carry })
}

const fn div_ceil(value: i128, divisor: i128) -> i128 {
    let floor = value.div_euclid(divisor);
    if value.rem_euclid(divisor) == 0 { floor } else { floor + 1 }
}

/// Of two values from zero on. Most fit 64 bits, where a division costs a tenth; this runs for every event.
const fn gcd(mut a: i128, mut b: i128) -> i128 {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(rule: Rule) -> RateLine {
        RateLine { meter: Meter::parse("m").expect("valid"), sources: vec![], attributes: BTreeMap::new(), rule }
    }

    fn unit(price: &str, per: i64) -> RateLine {
        line(Rule::Unit { price: Price::parse(price).expect("valid"), per })
    }

    fn block(price: i64, size: i64, counted: Counted) -> RateLine {
        line(Rule::Block {
            price: Credits::from_micros(price * MICROS_PER_CREDIT),
            size: Quantity::from_units(size),
            counted,
        })
    }

    fn total(line: &RateLine, quantities: &[Quantity]) -> Credits {
        let mut carry = Carry::default();
        Credits::sum(quantities.iter().map(|q| {
            let rated = line.rate(*q, None, carry).expect("fits");
            carry = rated.carry;
            rated.credits
        }))
        .expect("fits")
    }

    fn whole(credits: i64) -> Credits {
        Credits::from_micros(credits * MICROS_PER_CREDIT)
    }

    #[test]
    fn the_real_hour_costs_what_it_must() {
        // The sums of azure_llm_conv.csv.
        let input = total(&unit("0.60", 1_000_000), &[Quantity::from_units(22_361_870)]);
        let output = total(&unit("1.00", 1_000_000), &[Quantity::from_units(4_088_665)]);
        assert_eq!(input.plus(output).map(|c| c.to_string()), Ok("17.505787".to_owned()));
    }

    #[test]
    fn a_session_costs_one_credit_for_every_ten_minutes_begun() {
        let session = block(1, 600, Counted::PerEvent);
        for (seconds, credits) in [(0, 1), (1, 1), (600, 1), (601, 2), (3_600, 6)] {
            assert_eq!(total(&session, &[Quantity::from_units(seconds)]), whole(credits), "{seconds} s");
        }
    }

    #[test]
    fn every_tenth_request_costs_one_credit_one_by_one_or_at_once() {
        let requests = block(1, 10, Counted::Accumulated);
        for (count, credits) in [(9, 0), (10, 1), (25, 2)] {
            let at_once = [Quantity::from_units(count)];
            let one_by_one = vec![Quantity::ONE; usize::try_from(count).expect("small")];
            assert_eq!(total(&requests, &at_once), whole(credits));
            assert_eq!(total(&requests, &one_by_one), whole(credits));
        }
    }

    #[test]
    fn reported_credits_below_a_micro_credit_are_carried() {
        let reported = line(Rule::Reported);
        let mut carry = Carry::default();
        let mut sum = 0;
        for _ in 0..10 {
            let rated = reported.rate(Quantity::ONE, Some(400_000), carry).expect("fits");
            carry = rated.carry;
            sum += rated.credits.micros();
        }
        assert_eq!((sum, carry), (4, Carry(0)));
    }

    #[test]
    fn event_and_rule_must_agree_on_who_names_the_price() {
        let carry = Carry::default();
        assert!(matches!(
            line(Rule::Reported).rate(Quantity::ONE, None, carry),
            Err(Refusal::CreditsNotReported { .. })
        ));
        assert!(matches!(
            line(Rule::Free).rate(Quantity::ONE, Some(1), carry),
            Err(Refusal::CreditsNotExpected { .. })
        ));
    }

    #[test]
    fn beyond_the_range_is_refused_not_wrapped() {
        let dear = unit("9223372", 1);
        assert_eq!(
            dear.rate(Quantity::from_units(1_000_000_000_000_000), None, Carry(0)),
            Err(Refusal::AmountOverflow)
        );
        assert!(unit("0.000000000001", i64::MAX).problem().is_some());
        assert!(unit("0.000000000001", 1_000_000).problem().is_none());
    }

    proptest! {
        #[test]
        fn splitting_and_reordering_never_change_a_total(
            picos in 0_i64..2_000_000_000_000,
            per in prop::sample::select(vec![1_i64, 3, 7, 1_000, 1_000_000]),
            micros in prop::collection::vec(0_i128..5_000_000_000_000, 1..40),
        ) {
            let line = line(Rule::Unit { price: Price(picos), per });
            let parts: Vec<Quantity> = micros.iter().copied().map(Quantity::from_micros).collect();
            let reversed: Vec<Quantity> = parts.iter().rev().copied().collect();
            let whole = Quantity::from_micros(micros.iter().sum());
            prop_assert_eq!(total(&line, &parts), total(&line, &[whole]));
            prop_assert_eq!(total(&line, &reversed), total(&line, &[whole]));
            // And it is the exact rational, rounded down once: price/10^12/per * micros/10^6 credits.
            let exact = i128::from(picos) * whole.micros() / (PICOS_PER_CREDIT * i128::from(per));
            prop_assert_eq!(i128::from(total(&line, &[whole]).micros()), exact);
        }

        #[test]
        fn a_carry_is_always_less_than_a_whole(picos in 0_i64..i64::MAX, units in 0_i64..1_000_000_000, carry in 0_i64..1_000) {
            let line = line(Rule::Unit { price: Price(picos), per: 1_000 });
            let denominator = line.denominator().expect("fits");
            if let Ok(rated) = line.rate(Quantity::from_units(units), None, Carry(carry % denominator)) {
                prop_assert!((0..denominator).contains(&rated.carry.0));
                prop_assert!(!rated.credits.is_negative());
            }
        }
    }
}
