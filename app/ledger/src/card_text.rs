//! Rate cards as people write them: one line of text per rate line.
//!
//! ```text
//! input_tokens: 0.60 per 1000000
//! viewer_session from embedded: 1 per 600 begun
//! computation from backend: 1 per 10 full
//! storage: graduated 0 to 10000, 0.01 to 100000, 0.005 beyond
//! training where size=large: formula 0.5 + 0.02 per second + 0.001 per MB + 0.25 per compute unit, at least 1
//! transcript: reported
//! viewer_session from platform: free
//! ```
//!
//! Blank lines and lines that start with `#` are skipped. Sources and attributes that are not plain words stand in quotes,
//! a backslash before a quote or a backslash within. [`write`] and [`parse`] are each other's inverse. Cost: one pass
//! over the text.

use crate::card::{LineProblem, MAX_LINES, problems_at};
use crate::credits::Credits;
use crate::decimal::DecimalError;
use crate::label::{Label, Meter};
use crate::quantity::{MAX_UNITS, Quantity};
use crate::rate::{BLOCK_DECIMALS, Counted, Formula, Mode, Price, RateLine, Rule, Tier, Tiers};
use crate::refusal::Refusal;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Longest text that is read.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;
/// The ways in which a rule can be written, for who writes one.
const RULES: &str = "write a rule such as `0.60 per 1000000`, `1 each`, `1 per 600 begun`, `1 per 10 full`, \
                     `graduated 0 to 10000, 0.01 beyond`, `volume …`, `formula …`, `reported` or `free`";

/// Reads the lines of a card, or says what is wrong with each that cannot be used. Lines are counted as a person counts
/// them: with those that are skipped.
///
/// # Errors
/// One problem per bad line, in their order.
pub fn parse(text: &str) -> Result<Vec<RateLine>, Vec<LineProblem>> {
    if text.len() > MAX_TEXT_BYTES {
        let problem = format!("the text has {} bytes: a card has at most {MAX_TEXT_BYTES}", text.len());
        return Err(vec![LineProblem::new(1, problem)]);
    }
    let (mut lines, mut places, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for (number, text) in (1_usize..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if places.len() == MAX_LINES {
            wrong.push(LineProblem::new(number, format!("a card has at most {MAX_LINES} lines")));
            break;
        }
        match parse_line(text) {
            Ok(line) => {
                lines.push(line);
                places.push(number);
            }
            Err(problem) => wrong.push(LineProblem::new(number, problem)),
        }
    }
    wrong.extend(problems_at(&lines, true, |number| places.get(number - 1).copied().unwrap_or(number)));
    wrong.sort_by_key(|problem| problem.line);
    if wrong.is_empty() { Ok(lines) } else { Err(wrong) }
}

/// The text of lines, one per line, each ended.
#[must_use]
pub fn write(lines: &[RateLine]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(&write_line(line));
        text.push('\n');
    }
    text
}

/// The text of one line, without an end.
#[must_use]
pub fn write_line(line: &RateLine) -> String {
    let mut text = line.meter.to_string();
    if !line.sources.is_empty() {
        let sources: Vec<String> = line.sources.iter().map(|source| word(source.as_str())).collect();
        let _ = write!(text, " from {}", sources.join(", "));
    }
    if !line.attributes.is_empty() {
        let pairs =
            line.attributes.iter().map(|(name, value)| format!("{}={}", word(name.as_str()), word(value.as_str())));
        let _ = write!(text, " where {}", pairs.collect::<Vec<_>>().join(", "));
    }
    let _ = write!(text, ": {}", write_rule(&line.rule));
    text
}

/// The text of a rule.
#[must_use]
pub fn write_rule(rule: &Rule) -> String {
    match rule {
        Rule::Unit { price, per: 1 } => format!("{price} each"),
        Rule::Unit { price, per } => format!("{price} per {per}"),
        Rule::Block { price, size, counted } => {
            let price = Price::parse(&price.to_string()).unwrap_or_default();
            let how = if *counted == Counted::PerEvent { "begun" } else { "full" };
            format!("{price} per {size} {how}")
        }
        Rule::Tiers(Tiers { mode, per, tiers }) => {
            let mode = if *mode == Mode::Graduated { "graduated" } else { "volume" };
            let per = if *per == 1 { String::new() } else { format!(" per {per}") };
            let tier = |Tier { up_to, price }: &Tier| match up_to {
                Some(end) => format!("{price} to {end}"),
                None => format!("{price} beyond"),
            };
            format!("{mode}{per} {}", tiers.iter().map(tier).collect::<Vec<_>>().join(", "))
        }
        Rule::Formula(formula) => {
            let terms = [
                (formula.base, ""),
                (formula.per_second, " per second"),
                (formula.per_mb, " per MB"),
                (formula.per_compute_unit, " per compute unit"),
            ];
            let some = terms.into_iter().filter(|(price, _)| *price != Price::default()).collect::<Vec<_>>();
            // A formula of nothing still has to say so.
            let some = if some.is_empty() { vec![(Price::default(), "")] } else { some };
            let sum = some.into_iter().map(|(price, what)| format!("{price}{what}")).collect::<Vec<_>>().join(" + ");
            let minimum = formula.minimum;
            if minimum == Price::default() {
                format!("formula {sum}")
            } else {
                format!("formula {sum}, at least {minimum}")
            }
        }
        Rule::Reported => "reported".to_owned(),
        Rule::Free => "free".to_owned(),
    }
}

/// A plain word as it is, anything else in quotes.
fn word(text: &str) -> String {
    if text.chars().all(is_plain) && !matches!(text, "from" | "where") {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@')
}

fn parse_line(text: &str) -> Result<RateLine, String> {
    let mut rest = Rest(text);
    let meter = Meter::parse(rest.until(|c| c == ':' || c.is_whitespace())).map_err(|refusal| refusal.to_string())?;
    let mut line = RateLine::new(meter, Rule::Free);
    if rest.takes_word("from") {
        line.sources = rest.list(|rest| rest.label("source"))?;
    }
    if rest.takes_word("where") {
        let pairs = rest.list(|rest| {
            let name = rest.label("attribute")?;
            if !rest.takes("=") {
                return Err(format!("write `=` and a value after the attribute {name}"));
            }
            Ok((name, rest.label("attribute value")?))
        })?;
        let named = pairs.len();
        line.attributes = pairs.into_iter().collect::<BTreeMap<_, _>>();
        if line.attributes.len() < named {
            return Err("an attribute is named twice: one line can only ask for one value".to_owned());
        }
    }
    if !rest.takes(":") {
        return Err(
            "write `:` between what the line matches and its rule, as in `export from embedded: 1 each`".to_owned()
        );
    }
    line.rule = rule(rest.0.trim())?;
    Ok(line)
}

/// What is left of a line.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    fn takes(&mut self, token: &str) -> bool {
        let Some(rest) = self.0.trim_start().strip_prefix(token) else { return false };
        self.0 = rest;
        true
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let rest = self.0.trim_start().strip_prefix(word).filter(|rest| rest.starts_with(char::is_whitespace));
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn until(&mut self, stop: impl Fn(char) -> bool) -> &'t str {
        let text = self.0.trim_start();
        let (found, rest) = text.split_at(text.find(stop).unwrap_or(text.len()));
        self.0 = rest;
        found
    }

    fn label(&mut self, field: &'static str) -> Result<Label, String> {
        let text = self.0.trim_start();
        let checked = |text: &str| Label::parse(field, text).map_err(|refusal| refusal.to_string());
        if !text.starts_with('"') {
            return checked(self.until(|c| !is_plain(c)));
        }
        let (mut read, mut letters) = (String::new(), text[1..].chars());
        loop {
            match letters.next() {
                Some('"') => break,
                Some('\\') => read.extend(letters.next()),
                Some(letter) => read.push(letter),
                None => return Err(format!("the {field} has quotes that do not end")),
            }
        }
        self.0 = letters.as_str();
        checked(&read)
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut list = vec![one(self)?];
        while self.takes(",") {
            list.push(one(self)?);
        }
        Ok(list)
    }
}

fn rule(text: &str) -> Result<Rule, String> {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    match (first, rest) {
        ("free", "") => Ok(Rule::Free),
        ("reported", "") => Ok(Rule::Reported),
        ("graduated", _) => tiers(Mode::Graduated, rest),
        ("volume", _) => tiers(Mode::Volume, rest),
        ("formula", _) => formula(rest),
        ("" | "free" | "reported", _) => Err(RULES.to_owned()),
        // What does not even begin as a number may be meant as another rule.
        _ if !first.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | ',')) => {
            Err(format!("\"{}\" is neither a price nor a rule; {RULES}", shown(first)))
        }
        _ => priced(price(first)?, rest),
    }
}

fn price(text: &str) -> Result<Price, String> {
    Price::parse(text).map_err(|wrong| format!("the price \"{}\" {wrong}", shown(text)))
}

fn priced(price: Price, rest: &str) -> Result<Rule, String> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    match words.as_slice() {
        ["each"] => Ok(Rule::Unit { price, per: 1 }),
        ["per", per] => Ok(Rule::Unit { price, per: count(per)? }),
        ["per", size, how @ ("begun" | "full")] => {
            let counted = if *how == "begun" { Counted::PerEvent } else { Counted::Accumulated };
            let price = Credits::parse(&price.to_string()).map_err(|_| BLOCK_DECIMALS)?;
            Ok(Rule::Block { price, size: quantity(size)?, counted })
        }
        _ => Err(format!("after the price {price}, write `each`, `per N`, `per N begun` or `per N full`")),
    }
}

fn count(text: &str) -> Result<i64, String> {
    let number = quantity(text)?;
    let (whole, micros) = number.parts().map_err(|refusal| refusal.to_string())?;
    if micros == 0 { Ok(whole) } else { Err(format!("a price is for a whole number of units, not for {number}")) }
}

fn quantity(text: &str) -> Result<Quantity, String> {
    Quantity::parse(text).map_err(|refusal| {
        let wrong = match refusal {
            Refusal::NegativeQuantity => "is below zero".to_owned(),
            Refusal::QuantityTooLarge => format!("is above {MAX_UNITS}"),
            Refusal::BadQuantity { reason: reason @ DecimalError::TooPrecise(_) } => reason.to_string(),
            _ => "is not a number of units such as 600 or 1000000".to_owned(),
        };
        format!("\"{}\" {wrong}", shown(text))
    })
}

fn tiers(mode: Mode, text: &str) -> Result<Rule, String> {
    let how = "write tiers such as `0 to 10000, 0.01 to 100000, 0.005 beyond`";
    let (per, text) = match text.strip_prefix("per ") {
        Some(rest) => rest.trim_start().split_once(char::is_whitespace).ok_or(how)?,
        None => ("1", text),
    };
    let tier = |text: &str| -> Result<Tier, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            [each, "to", end] => Ok(Tier { up_to: Some(quantity(end)?), price: price(each)? }),
            [each, "beyond"] => Ok(Tier { up_to: None, price: price(each)? }),
            _ => Err(format!("\"{}\" is not a tier: {how}", shown(text))),
        }
    };
    let tiers = text.split(',').map(tier).collect::<Result<Vec<_>, _>>()?;
    Ok(Rule::Tiers(Tiers { mode, per: count(per)?, tiers }))
}

fn formula(text: &str) -> Result<Rule, String> {
    let (sum, minimum) = match text.split_once(',') {
        Some((sum, rest)) => {
            let least = rest.trim().strip_prefix("at least ").ok_or("after the comma, write `at least` and a price")?;
            (sum, price(least.trim())?)
        }
        None => (text, Price::default()),
    };
    let mut formula = Formula { minimum, ..Formula::default() };
    let mut seen: Vec<&str> = Vec::new();
    for term in sum.split('+') {
        let (each, what) = term.trim().split_once(char::is_whitespace).unwrap_or((term.trim(), ""));
        let place = match what.trim() {
            "" => &mut formula.base,
            "per second" => &mut formula.per_second,
            "per MB" => &mut formula.per_mb,
            "per compute unit" => &mut formula.per_compute_unit,
            other => {
                let other = shown(other);
                return Err(format!(
                    "\"{other}\" is not known: a price is `per second`, `per MB` or `per compute unit`"
                ));
            }
        };
        if seen.contains(&what.trim()) {
            return Err("a part of the formula is there twice: add its prices up".to_owned());
        }
        seen.push(what.trim());
        *place = price(each)?;
    }
    Ok(Rule::Formula(formula))
}

/// As much of a wrong text as a person needs to find it.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests;
