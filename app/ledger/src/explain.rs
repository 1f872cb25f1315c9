//! Why an event cost what it cost, as a person would write it.
//!
//! The same code runs where the charge was made and where it is read, so an explanation cannot disagree with the ledger:
//! it rates again and shows the arithmetic it did.

use crate::card_text::write_rule;
use crate::credits::Credits;
use crate::decimal;
use crate::quantity::{DECIMALS as QUANTITY_DECIMALS, Quantity};
use crate::rate::{Before, Carry, Counted, Mode, PRICE_DECIMALS, Price, RateLine, Rated, Rule, Tiers, Usage, gcd};
use crate::refusal::Refusal;
use crate::settle::Charge;
use serde::{Deserialize, Serialize};

/// One charge, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The rule as its line writes it: `0.6 per 1000000`.
    pub rule: String,
    /// The arithmetic, carry included: `4808 × 0.6 ÷ 1000000 = 0.002884 + 0.0000008 carried on`.
    pub arithmetic: String,
    /// What a formula's sum is made of, in its order; empty for other rules.
    pub parts: Vec<Part>,
    /// Where the billing cycle stood in the tiers before and after, in words; only for lines that have tiers.
    pub tiers: Option<[String; 2]>,
    /// What was carried before, in words.
    pub carry_before: String,
    /// What is carried on, in words.
    pub carry_after: String,
    /// What it costs, rated again.
    pub credits: Credits,
}

/// One part of a formula's sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is for: "Processing time".
    pub name: String,
    /// `120 s × 0.02`
    pub arithmetic: String,
    /// Credits, exact, in as many decimals as it takes.
    pub credits: String,
}

/// Rates a charge of an event again and says how.
///
/// # Errors
/// What [`RateLine::rate`] says.
pub fn explain(line: &RateLine, usage: Usage, charge: &Charge) -> Result<Explanation, Refusal> {
    let before = charge.before();
    let rated = line.rate(usage, before)?;
    let parts = match &line.rule {
        Rule::Formula(formula) => formula.parts(&usage)?,
        _ => Vec::new(),
    };
    let parts = parts.into_iter().map(|part| Part {
        name: part.name.to_owned(),
        arithmetic: part.arithmetic,
        credits: part.credits,
    });
    let parts: Vec<Part> = parts.collect();
    let arithmetic = arithmetic(&line.rule, usage, before, &parts);
    let place = |tiers: &Tiers, used: Quantity| {
        let cycle = charge.tier.map(|tier| tier.cycle.to_string()).unwrap_or_default();
        format!("{used} used in {cycle}, tier {} of {}", tiers.reached(used), tiers.tiers.len())
    };
    let tiers = match &line.rule {
        Rule::Tiers(tiers) => Some([before.used, rated.after.used].map(|used| place(tiers, used))),
        _ => None,
    };
    Ok(Explanation {
        rule: write_rule(&line.rule),
        arithmetic: equation(line, arithmetic, &rated, before)?,
        parts,
        tiers,
        carry_before: carried(line, before.carry)?,
        carry_after: carried(line, rated.after.carry)?,
        credits: rated.credits,
    })
}

/// Both sides, with what was carried on either: without it they would not be equal.
fn equation(line: &RateLine, arithmetic: String, rated: &Rated, before: Before) -> Result<String, Refusal> {
    // What blocks carry is in their arithmetic.
    let blocks = matches!(line.rule, Rule::Block { counted: Counted::Accumulated, .. });
    let part = |carry: Carry| match carry.0 {
        part if blocks || part == 0 => Ok(None),
        part => fraction(part, line.denominator()?).map(Some),
    };
    let mut text = arithmetic;
    match before.owed {
        owed if owed.is_zero() => {}
        owed if owed.is_negative() => {
            text = format!("{text} − {} charged too much before a void", trimmed(owed.negated()?));
        }
        owed => text = format!("{text} + {} left open by a void", trimmed(owed)),
    }
    if let Some(carried) = part(before.carry)? {
        text = format!("{text} + {carried} carried");
    }
    text = format!("{text} = {}", rated.credits.to_string().replace('-', "\u{2212}"));
    if let Some(carried) = part(rated.after.carry)? {
        text = format!("{text} + {carried} carried on");
    }
    Ok(text)
}

/// A part of a micro-credit in credits: `0.0000008` where it has an end, otherwise `1/3 of a micro-credit`.
fn fraction(part: i64, whole: i64) -> Result<String, Refusal> {
    const BELOW_MICRO: u32 = 12;
    let (part, whole) = (i128::from(part), i128::from(whole));
    let divisor = gcd(part, whole);
    let (part, whole) = (part / divisor, whole / divisor);
    let scale = 10_i128.pow(BELOW_MICRO);
    if scale % whole != 0 {
        return Ok(format!("{part}/{whole} of a micro-credit"));
    }
    let scaled = part.checked_mul(scale / whole).ok_or(Refusal::AmountOverflow)?;
    Ok(decimal::trimmed(scaled, crate::credits::DECIMALS + BELOW_MICRO))
}

fn arithmetic(rule: &Rule, usage: Usage, before: Before, parts: &[Part]) -> String {
    let quantity = usage.quantity;
    match rule {
        Rule::Unit { price, per: 1 } => format!("{quantity} × {price}"),
        Rule::Unit { price, per } => format!("{quantity} × {price} ÷ {per}"),
        Rule::Block { price, size, counted: Counted::PerEvent } => {
            format!("{quantity} ÷ {size}, rounded up, at least 1, × {}", trimmed(*price))
        }
        Rule::Block { price, size, counted: Counted::Accumulated } => {
            let carried = decimal::trimmed(i128::from(before.carry.0), QUANTITY_DECIMALS);
            format!("({carried} + {quantity}) ÷ {size}, whole blocks, × {}", trimmed(*price))
        }
        Rule::Tiers(tiers) => tiered(tiers, before.used, quantity),
        Rule::Formula(_) if parts.is_empty() => "0".to_owned(),
        Rule::Formula(_) => parts.iter().map(|part| part.credits.as_str()).collect::<Vec<_>>().join(" + "),
        Rule::Reported => {
            format!("{} reported", decimal::trimmed(i128::from(usage.reported.unwrap_or(0)), PRICE_DECIMALS))
        }
        Rule::Free => "free".to_owned(),
    }
}

/// What the cycle costs with the event, less what it cost without. Tiers that both have alike are left out.
fn tiered(tiers: &Tiers, before: Quantity, quantity: Quantity) -> String {
    let after = Quantity::from_micros(before.micros() + quantity.micros());
    let (mut with, mut without) = (tiers.parts(after), tiers.parts(before));
    if tiers.mode == Mode::Graduated {
        // What each tier got from this event alone.
        for (part, (had, _)) in with.iter_mut().zip(without.drain(..)) {
            part.0 = Quantity::from_micros(part.0.micros() - had.micros());
        }
        with.retain(|(part, _)| part.micros() > 0);
    }
    let divided = |text: String| if tiers.per == 1 { text } else { format!("({text}) ÷ {}", tiers.per) };
    let sum = |parts: &[(Quantity, Price)]| {
        let terms: Vec<String> = parts.iter().map(|(part, price)| format!("{part} × {price}")).collect();
        if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
    };
    if without.is_empty() || before.micros() == 0 {
        return divided(sum(&with));
    }
    divided(format!("{} − {}", sum(&with), sum(&without)))
}

fn trimmed(credits: Credits) -> String {
    decimal::trimmed(i128::from(credits.micros()), crate::credits::DECIMALS)
}

/// What a line carries, in words: a fraction of a micro-credit, or units towards the next block.
fn carried(line: &RateLine, carry: Carry) -> Result<String, Refusal> {
    Ok(match (&line.rule, carry.0) {
        (Rule::Block { size, counted: Counted::Accumulated, .. }, part) => {
            format!("{} of {size} towards the next block", decimal::trimmed(i128::from(part), QUANTITY_DECIMALS))
        }
        (_, 0) => "nothing".to_owned(),
        (_, part) => {
            let (part, whole) = (i128::from(part), i128::from(line.denominator()?));
            let divisor = gcd(part, whole);
            format!("{}/{} of a micro-credit", part / divisor, whole / divisor)
        }
    })
}

#[cfg(test)]
mod tests;
