//! A rule on its way to the browser: numbers, since a reader of its JSON or of a rate card's text would be 10 KB of the
//! page's code. Both sides are always built together; what the numbers mean may change with any release.

use ledger::Rule::{Block, Formula, Free, Reported, Tiers, Unit};
use ledger::rate::{self, Counted, Mode, Price, Tier};
use ledger::{Credits, Quantity, Refusal, Rule};

/// The numbers of a rule; the first one says which it is.
///
/// # Errors
/// [`Refusal::AmountOverflow`] for quantities beyond those of a card that is in force.
pub fn write(rule: &Rule) -> Result<Vec<i64>, Refusal> {
    Ok(match rule {
        Free => vec![],
        Reported => vec![0],
        Unit { price, per } => vec![1, price.picos(), *per],
        Block { price, size, counted } => {
            let (whole, micros) = size.parts()?;
            vec![2, i64::from(*counted == Counted::Accumulated), price.micros(), whole, micros]
        }
        Formula(rate::Formula { base, per_second, per_mb, per_compute_unit, minimum }) => {
            let prices = [base, per_second, per_mb, per_compute_unit, minimum];
            [3].into_iter().chain(prices.map(|price| price.picos())).collect()
        }
        Tiers(tiers) => {
            let mut numbers = vec![4, i64::from(tiers.mode == Mode::Volume), tiers.per];
            for tier in &tiers.tiers {
                // No tier ends at 0.
                let (whole, micros) = tier.up_to.unwrap_or_default().parts()?;
                numbers.extend([tier.price.picos(), whole, micros]);
            }
            numbers
        }
    })
}

/// The rule of such numbers.
#[must_use]
pub fn read(numbers: &[i64]) -> Option<Rule> {
    let price = |picos: &i64| Price::from_picos(*picos);
    Some(match numbers {
        [] => Free,
        [0] => Reported,
        [1, picos, per] => Unit { price: price(picos)?, per: *per },
        [2, counted, micros, size, rest] => Block {
            price: Credits::from_micros(*micros),
            size: Quantity::from_parts(*size, *rest),
            counted: if *counted == 1 { Counted::Accumulated } else { Counted::PerEvent },
        },
        [3, base, per_second, per_mb, per_compute_unit, minimum] => Formula(rate::Formula {
            base: price(base)?,
            per_second: price(per_second)?,
            per_mb: price(per_mb)?,
            per_compute_unit: price(per_compute_unit)?,
            minimum: price(minimum)?,
        }),
        [4, volume, per, tiers @ ..] => {
            let tier = |tier: &[i64]| match tier {
                [picos, whole, micros] => {
                    let end = Quantity::from_parts(*whole, *micros);
                    Some(Tier { up_to: (end != Quantity::ZERO).then_some(end), price: price(picos)? })
                }
                _ => None,
            };
            Tiers(rate::Tiers {
                mode: if *volume == 1 { Mode::Volume } else { Mode::Graduated },
                per: *per,
                tiers: tiers.chunks(3).map(tier).collect::<Option<_>>()?,
            })
        }
        _ => return None,
    })
}
