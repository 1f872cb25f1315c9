//! Numbers as people read them: grouped, with a true minus sign, never through a float; amounts in the words of their org.
//!
//! An amount has the decimals that its org wants to see; whoever shows one puts [`in_full`] into its `title`.

use ledger::words::UnitPosition;
use ledger::{Credits, Quantity, Words};

/// Decimals of a credit.
const DECIMALS: u32 = ledger::credits::DECIMALS;
/// Decimals of an amount in a sentence that is not whole, as prices have them.
const SHORT_DECIMALS: u32 = 2;

/// An amount: `$0.60`, `−$0.60`, `12.50 credits`.
#[must_use]
pub fn amount(words: &Words, amount: Credits) -> String {
    with_unit(words, &bare(words, amount))
}

/// The same with all six decimals: `$0.600000`.
#[must_use]
pub fn in_full(words: &Words, amount: Credits) -> String {
    with_unit(words, &credits(amount, DECIMALS))
}

/// The same without its unit, where that stands above or beside it: `0.60`.
#[must_use]
pub fn bare(words: &Words, amount: Credits) -> String {
    credits(amount, words.decimals.into())
}

/// An amount that comes or goes: `+$0.60`, `−$0.60`.
#[must_use]
pub fn signed(words: &Words, credits: Credits) -> String {
    let plus = if credits.is_positive() { "+" } else { "" };
    with_unit(words, &format!("{plus}{}", bare(words, credits)))
}

/// An amount within a sentence, without zeros at its end: `$25`, `$12.50`, `0.000012 credits`.
#[must_use]
pub fn short(words: &Words, amount: Credits) -> String {
    let (mut micros, mut decimals) = (amount.micros(), DECIMALS);
    while decimals > 0 && micros % 10 == 0 {
        (micros, decimals) = (micros / 10, decimals - 1);
    }
    let decimals = if decimals == 0 { 0 } else { decimals.max(SHORT_DECIMALS).min(words.decimals.into()) };
    with_unit(words, &credits(amount, decimals))
}

/// A number with the unit where it belongs: a symbol before it goes between the sign and the digits.
#[must_use]
pub fn with_unit(words: &Words, number: &str) -> String {
    let unit = &words.unit;
    match words.unit_position {
        UnitPosition::After => format!("{number} {}", behind(number, unit)),
        UnitPosition::Before => {
            let (sign, digits) = number.split_at(number.find(|c: char| c.is_ascii_digit()).unwrap_or(0));
            // "USD 5", but "$5".
            let is_word = unit.as_bytes().last().is_some_and(u8::is_ascii_alphanumeric);
            format!("{sign}{unit}{}{digits}", if is_word { "\u{a0}" } else { "" })
        }
    }
}

/// The unit as it stands behind a number: `1 credit`. Only an English plural loses its end; a bonus or a plus keeps it.
fn behind<'u>(number: &str, unit: &'u str) -> &'u str {
    let is_one = matches!(number, "1" | "+1" | "\u{2212}1");
    let one = unit
        .strip_suffix('s')
        .filter(|one| one.len() > 2 && !matches!(one.as_bytes().last(), Some(b's' | b'u' | b'i')));
    one.filter(|_| is_one).unwrap_or(unit)
}

/// What is given and runs out: the unit where it is a word, `credits` where it is only a symbol.
#[must_use]
pub fn noun(words: &Words) -> &str {
    let is_word = words.unit_position == UnitPosition::After && !words.unit.bytes().any(|b| b.is_ascii_punctuation());
    if is_word { &words.unit } else { "credits" }
}

/// The unit at the head of a column or a title: `$`, `Credits`.
#[must_use]
pub fn unit_head(words: &Words) -> String {
    capital(&words.unit)
}

/// With a capital at its begin.
#[must_use]
pub fn capital(word: &str) -> String {
    let mut head = word.to_owned();
    if let Some(first) = head.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    head
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

/// Money in full, grouped: `1,234.50 EUR`.
#[must_use]
pub fn money(money: ledger::Money) -> String {
    let text = money.to_string();
    let (sign, rest) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("\u{2212}", rest));
    let whole = rest.find(['.', ' ']).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(whole);
    format!("{sign}{}{rest}", grouped(digits))
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

/// A quantity with its unit: `1,000,000 tokens`, `600 s`. Symbols and what ends with an s stay as they are.
#[must_use]
pub fn units(number: &str, unit: &str) -> String {
    let is_word = unit.len() > 2 && unit.bytes().all(|b| b.is_ascii_lowercase()) && !unit.ends_with('s');
    let plural = if is_word && number != "1" { "s" } else { "" };
    format!("{number} {unit}{plural}").trim_end().to_owned()
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

/// What an amount has changed by, in percent of what it was: `+12.3%`, `−100%`; nothing where there was none.
#[must_use]
pub fn change(before: Credits, now: Credits) -> Option<String> {
    let (before, now) = (i128::from(before.micros()), i128::from(now.micros()));
    if before <= 0 {
        return None;
    }
    let tenths = ((now - before).abs() * 2_000 + before) / (before * 2);
    let sign = if now < before { "\u{2212}" } else { "+" };
    Some(match tenths {
        _ if now == before => "0%".to_owned(),
        0 => format!("{sign}<0.1%"),
        1..1_000 if tenths % 10 > 0 => format!("{sign}{}.{}%", tenths / 10, tenths % 10),
        _ => format!("{sign}{}%", grouped(&((tenths + 5) / 10).to_string())),
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn c(text: &str) -> Credits {
        Credits::parse(text).expect("an amount")
    }

    fn words(unit: &str, unit_position: UnitPosition, decimals: u8) -> Words {
        Words { unit: unit.to_owned(), unit_position, decimals, ..Words::default() }
    }

    #[test]
    fn a_unit_stands_before_or_after_and_the_minus_before_all() {
        let dollar = words("$", UnitPosition::Before, 6);
        let cents = Words { decimals: 2, ..dollar.clone() };
        let credits = words("credits", UnitPosition::After, 2);
        for (text, shown, in_full) in [
            ("0.6", ["$0.600000", "$0.60", "0.60 credits"], "$0.600000"),
            ("-0.6", ["\u{2212}$0.600000", "\u{2212}$0.60", "\u{2212}0.60 credits"], "\u{2212}$0.600000"),
            ("1234567.895", ["$1,234,567.895000", "$1,234,567.90", "1,234,567.90 credits"], "$1,234,567.895000"),
            ("0.000012", ["$0.000012", "<$0.01", "<0.01 credits"], "$0.000012"),
            ("-0.000012", ["\u{2212}$0.000012", ">\u{2212}$0.01", ">\u{2212}0.01 credits"], "\u{2212}$0.000012"),
            ("0", ["$0.000000", "$0.00", "0.00 credits"], "$0.000000"),
        ] {
            assert_eq!([&dollar, &cents, &credits].map(|words| amount(words, c(text))), shown);
            assert_eq!(super::in_full(&cents, c(text)), in_full);
        }
        assert_eq!(bare(&cents, c("-0.6")), "\u{2212}0.60");
        assert_eq!(amount(&words("USD", UnitPosition::Before, 0), c("-5")), "\u{2212}USD\u{a0}5");
        assert_eq!(signed(&cents, c("5")), "+$5.00");
        assert_eq!(signed(&credits, c("-5")), "\u{2212}5.00 credits");
        assert_eq!(signed(&credits, c("0")), "0.00 credits");
    }

    #[test]
    fn a_sentence_has_the_decimals_it_needs() {
        let (dollar, credits) = (words("$", UnitPosition::Before, 6), words("credits", UnitPosition::After, 2));
        for (text, before, after) in [
            ("25", "$25", "25 credits"),
            ("12.5", "$12.50", "12.50 credits"),
            ("0.505787", "$0.505787", "0.51 credits"),
            ("-0.000012", "\u{2212}$0.000012", ">\u{2212}0.01 credits"),
            ("0", "$0", "0 credits"),
        ] {
            assert_eq!([short(&dollar, c(text)), short(&credits, c(text))], [before, after]);
        }
    }

    #[test]
    fn one_of_a_plural_is_singular() {
        let one = |unit, number| with_unit(&words(unit, UnitPosition::After, 2), number);
        assert_eq!([one("credits", "1"), one("credits", "1.00")], ["1 credit", "1.00 credits"]);
        assert_eq!([one("Tokens", "\u{2212}1"), one("credits", "11")], ["\u{2212}1 Token", "11 credits"]);
        assert_eq!(["bonus", "pass", "€"].map(|unit| one(unit, "1")), ["1 bonus", "1 pass", "1 €"]);
    }

    #[test]
    fn a_symbol_is_no_noun() {
        assert_eq!(noun(&words("points", UnitPosition::After, 2)), "points");
        assert_eq!(noun(&words("$", UnitPosition::Before, 2)), "credits");
        assert_eq!(noun(&words("$", UnitPosition::After, 2)), "credits");
    }

    #[test]
    fn heads_begin_with_a_capital_where_there_is_one() {
        let head = |unit| unit_head(&words(unit, UnitPosition::After, 2));
        assert_eq!(["credits", "$", "€", "ünits"].map(head), ["Credits", "$", "€", "ünits"]);
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
    fn units_follow_their_number() {
        let told = [("1", "token"), ("2", "token"), ("600", "s"), ("3", "GB"), ("2", "bytes"), ("5", "")];
        let told = told.map(|(number, unit)| units(number, unit));
        assert_eq!(told, ["1 token", "2 tokens", "600 s", "3 GB", "2 bytes", "5"]);
    }

    #[test]
    fn counts_quantities_and_shares() {
        assert_eq!(count(19_366), "19,366");
        assert_eq!(counted(1, "call", "calls"), "1 call");
        assert_eq!(quantity(Quantity::parse("22361870").expect("valid")), "22,361,870");
        assert_eq!(quantity(Quantity::parse("1234.5").expect("valid")), "1,234.5");
        assert_eq!(share(c("1"), c("3")), Some("33%".to_owned()));
        assert_eq!(share(c("1"), c("0")), None);
        for (before, now, told) in [
            ("100", "112.34", Some("+12.3%")),
            ("100", "0", Some("\u{2212}100%")),
            ("3", "2", Some("\u{2212}33.3%")),
            ("1", "1234.5", Some("+123,350%")),
            ("100", "100.000001", Some("+<0.1%")),
            ("5", "5", Some("0%")),
            ("0", "5", None),
            ("-1", "5", None),
        ] {
            assert_eq!(change(c(before), c(now)).as_deref(), told);
        }
        assert_eq!(per_day(c("10"), 30), c("0.333333"));
        assert_eq!(per_day(c("-10"), 30), c("-0.333333"));
    }

    proptest! {
        #[test]
        fn the_full_text_holds_the_exact_amount(micros: i64) {
            let text = credits(Credits::from_micros(micros), DECIMALS).replace(',', "").replace('\u{2212}', "-");
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
