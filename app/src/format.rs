//! Numbers as people read them: grouped, with a true minus sign, never through a float.
//!
//! A figure is cut to the decimals its place can carry; whoever shows a cut one puts [`exact`] into its `title`.

use ledger::{Credits, Quantity};

/// Decimals of a credit.
const DECIMALS: u32 = ledger::credits::DECIMALS;

/// All six decimals: `1,234.567890`.
#[must_use]
pub fn exact(amount: Credits) -> String {
    credits(amount, DECIMALS)
}

/// An amount by itself, with as many decimals as its size makes sensible: `12,345.68`, `0.1235`, `0.000012`.
#[must_use]
pub fn figure(amount: Credits) -> String {
    credits(amount, decimals_for([amount]))
}

/// An amount within a sentence: whole credits without decimals.
#[must_use]
pub fn short(amount: Credits) -> String {
    let whole = amount.micros() % ledger::credits::MICROS_PER_CREDIT == 0;
    if whole { credits(amount, 0) } else { figure(amount) }
}

/// The decimals that figures side by side share: few for large ones, all six where the largest is tiny.
#[must_use]
pub fn decimals_for(amounts: impl IntoIterator<Item = Credits>) -> u32 {
    match largest(amounts) {
        0 | 1_000_000.. => 2,
        10_000.. => 4,
        _ => DECIMALS,
    }
}

/// The decimals of a table, which is read more closely: four below ten thousand credits.
#[must_use]
pub fn decimals_for_table(amounts: impl IntoIterator<Item = Credits>) -> u32 {
    match largest(amounts) {
        10_000_000_000.. => 2,
        0 | 10_000.. => 4,
        _ => DECIMALS,
    }
}

fn largest(amounts: impl IntoIterator<Item = Credits>) -> u64 {
    amounts.into_iter().map(|a| a.micros().unsigned_abs()).max().unwrap_or(0)
}

/// An amount with so many decimals, rounded half away from zero. What would read as nothing, but is not, reads `<0.01`.
#[must_use]
pub fn credits(amount: Credits, decimals: u32) -> String {
    let decimals = decimals.min(DECIMALS);
    let unit = 10_u64.pow(DECIMALS - decimals);
    let micros = amount.micros().unsigned_abs();
    let rounded = micros.saturating_add(unit / 2) / unit;
    let sign = if amount.is_negative() { "\u{2212}" } else { "" };
    if rounded == 0 && micros > 0 {
        let least = plain(1, decimals);
        return if amount.is_negative() { format!(">{sign}{least}") } else { format!("<{least}") };
    }
    format!("{sign}{}", plain(rounded, decimals))
}

/// A number of things: `19,366`.
#[must_use]
pub fn count(number: i64) -> String {
    let sign = if number < 0 { "\u{2212}" } else { "" };
    format!("{sign}{}", grouped(&number.unsigned_abs().to_string()))
}

/// A quantity in full, grouped: `22,361,870`, `12.5`.
#[must_use]
pub fn quantity(quantity: Quantity) -> String {
    let text = quantity.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("\u{2212}", rest));
    match digits.split_once('.') {
        Some((whole, fraction)) => format!("{sign}{}.{fraction}", grouped(whole)),
        None => format!("{sign}{}", grouped(digits)),
    }
}

/// `1 call`, `2 calls`.
#[must_use]
pub fn counted(number: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A part of a whole in whole percent: `70%`, `<1%`; nothing where there is no whole.
#[must_use]
pub fn share(part: Credits, whole: Credits) -> Option<String> {
    let (part, whole) = (i128::from(part.micros()), i128::from(whole.micros()));
    if whole <= 0 || part < 0 {
        return None;
    }
    let percent = (part * 200 + whole) / (whole * 2);
    Some(if percent == 0 && part > 0 { "<1%".to_owned() } else { format!("{percent}%") })
}

/// An amount divided by a number of days, to the nearest micro-credit.
#[must_use]
pub fn per_day(amount: Credits, days: i64) -> Credits {
    let (micros, days) = (i128::from(amount.micros()), i128::from(days.max(1)));
    let half = if micros < 0 { -days / 2 } else { days / 2 };
    Credits::from_wide((micros + half) / days).unwrap_or(amount)
}

/// `scaled` units of 10^-decimals.
fn plain(scaled: u64, decimals: u32) -> String {
    let unit = 10_u64.pow(decimals);
    let whole = grouped(&(scaled / unit).to_string());
    if decimals == 0 { whole } else { format!("{whole}.{:0width$}", scaled % unit, width = decimals as usize) }
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whole days that an amount lasts at a daily rate; `None` without a rate, or beyond ten years.
#[must_use]
pub fn days_left(available: Credits, daily: Credits) -> Option<i64> {
    if !daily.is_positive() || available.is_negative() {
        return None;
    }
    let days = available.micros() / daily.micros();
    (days <= 3_650).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn c(text: &str) -> Credits {
        Credits::parse(text).expect("an amount")
    }

    #[test]
    fn figures_carry_the_decimals_their_size_needs() {
        for (amount, text) in [
            ("0", "0.00"),
            ("17.505787", "17.51"),
            ("0.50578", "0.5058"),
            ("1234567.895", "1,234,567.90"),
            ("0.000012", "0.000012"),
            ("-1234.5", "\u{2212}1,234.50"),
        ] {
            assert_eq!(figure(c(amount)), text);
        }
        assert_eq!(exact(c("17.505787")), "17.505787");
        assert_eq!(exact(Credits::from_micros(i64::MIN)), "\u{2212}9,223,372,036,854.775808");
    }

    #[test]
    fn something_never_reads_as_nothing() {
        assert_eq!(credits(c("0.000001"), 2), "<0.01");
        assert_eq!(credits(c("-0.000001"), 2), ">\u{2212}0.01");
        assert_eq!(credits(c("0.004999"), 2), "<0.01");
        assert_eq!(credits(c("0.005"), 2), "0.01");
        assert_eq!(credits(Credits::ZERO, 2), "0.00");
        assert_eq!(share(c("0.000001"), c("100")), Some("<1%".to_owned()));
    }

    #[test]
    fn counts_quantities_and_shares() {
        assert_eq!(count(19_366), "19,366");
        assert_eq!(counted(1, "call", "calls"), "1 call");
        assert_eq!(quantity(Quantity::parse("22361870").expect("valid")), "22,361,870");
        assert_eq!(quantity(Quantity::parse("1234.5").expect("valid")), "1,234.5");
        assert_eq!(share(c("1"), c("3")), Some("33%".to_owned()));
        assert_eq!(share(c("1"), c("0")), None);
        assert_eq!(per_day(c("10"), 30), c("0.333333"));
        assert_eq!(per_day(c("-10"), 30), c("-0.333333"));
        assert_eq!(days_left(c("100"), c("3")), Some(33));
        assert_eq!(days_left(c("100"), c("0")), None);
    }

    proptest! {
        #[test]
        fn exact_text_holds_the_exact_amount(micros: i64) {
            let text = exact(Credits::from_micros(micros)).replace(',', "").replace('\u{2212}', "-");
            prop_assert_eq!(Credits::parse(&text), Ok(Credits::from_micros(micros)));
        }

        #[test]
        fn rounding_is_off_by_half_a_unit_at_most(micros in -10_000_000_000_000i64..10_000_000_000_000, decimals in 0..6u32) {
            let text = credits(Credits::from_micros(micros), decimals);
            if !text.contains(['<', '>']) {
                let shown = Credits::parse(&text.replace(',', "").replace('\u{2212}', "-")).expect("a number").micros();
                prop_assert!((shown - micros).abs() * 2 <= 10_i64.pow(6 - decimals));
            }
        }
    }
}
