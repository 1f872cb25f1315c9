//! Why an event cost what it cost, as a person would write it.
//!
//! The same code runs where the charge was made and where it is read, so an explanation cannot disagree with the ledger:
//! it rates again and shows the arithmetic it did.

use crate::credits::Credits;
use crate::decimal;
use crate::quantity::{DECIMALS as QUANTITY_DECIMALS, Quantity};
use crate::rate::{Carry, Counted, PRICE_DECIMALS, RateLine, Rule};
use crate::refusal::Refusal;

/// One charge, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The rule in words: `0.6 credits per 1000000`.
    pub rule: String,
    /// The arithmetic: `4808 × 0.6 ÷ 1000000 + 0.4 µ carried = 0.002885, 0.2 µ carried on`.
    pub arithmetic: String,
    /// What was carried before, in words.
    pub carry_before: String,
    /// What is carried on, in words.
    pub carry_after: String,
    /// What it costs, rated again.
    pub credits: Credits,
}

/// Rates `quantity` again and says how.
///
/// # Errors
/// What [`RateLine::rate`] says.
pub fn explain(
    line: &RateLine,
    quantity: Quantity,
    reported: Option<i64>,
    before: Carry,
) -> Result<Explanation, Refusal> {
    let rated = line.rate(quantity, reported, before)?;
    let credits = rated.credits;
    let (rule, arithmetic) = match &line.rule {
        Rule::Unit { price, per } => (
            if *per == 1 { format!("{price} credits each") } else { format!("{price} credits per {per}") },
            format!("{quantity} × {price} ÷ {per}"),
        ),
        Rule::Block { price, size, counted: Counted::PerEvent } => (
            format!("{price} credits for every {size} begun, at least one"),
            format!("{quantity} ÷ {size}, rounded up, at least 1, × {price}"),
        ),
        Rule::Block { price, size, counted: Counted::Accumulated } => (
            format!("{price} credits for every {size}, added up over events"),
            format!(
                "({} + {quantity}) ÷ {size}, whole blocks × {price}",
                decimal::trimmed(i128::from(before.0), QUANTITY_DECIMALS)
            ),
        ),
        Rule::Reported => (
            "what the event reports".to_owned(),
            format!("{} reported", decimal::trimmed(i128::from(reported.unwrap_or(0)), PRICE_DECIMALS)),
        ),
        Rule::Free => ("free".to_owned(), "free".to_owned()),
    };
    let (carry_before, carry_after) = (carried(line, before)?, carried(line, rated.carry)?);
    Ok(Explanation { rule, arithmetic: format!("{arithmetic} = {credits}"), carry_before, carry_after, credits })
}

/// A carry in words: a fraction of a micro-credit, or units towards the next block.
fn carried(line: &RateLine, carry: Carry) -> Result<String, Refusal> {
    Ok(match (&line.rule, carry.0) {
        (Rule::Block { size, counted: Counted::Accumulated, .. }, part) => {
            format!("{} of {size} towards the next block", decimal::trimmed(i128::from(part), QUANTITY_DECIMALS))
        }
        (_, 0) => "nothing".to_owned(),
        (_, part) => {
            let whole = line.denominator()?;
            let divisor = gcd(part, whole);
            format!("{}/{} of a micro-credit", part / divisor, whole / divisor)
        }
    })
}

const fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(json: &str) -> RateLine {
        serde_json::from_str(json).expect("valid")
    }

    #[test]
    fn the_arithmetic_is_written_out() {
        let input = line(r#"{"meter":"input_tokens","rule":"unit","price":"0.60","per":1000000}"#);
        let first = explain(&input, Quantity::from_units(374), None, Carry(0)).expect("rates");
        assert_eq!(first.arithmetic, "374 × 0.6 ÷ 1000000 = 0.000224");
        assert_eq!((first.carry_before.as_str(), first.carry_after.as_str()), ("nothing", "2/5 of a micro-credit"));

        let computation =
            line(r#"{"meter":"computation","rule":"block","price":"1","size":"10","counted":"accumulated"}"#);
        let ninth = explain(&computation, Quantity::from_units(4), None, Carry(9_000_000)).expect("rates");
        assert_eq!(ninth.arithmetic, "(9 + 4) ÷ 10, whole blocks × 1.000000 = 1.000000");
        assert_eq!(ninth.carry_after, "3 of 10 towards the next block");
    }
}
