//! A card as people read it: what, from where, at what price.

use crate::format::{self, with_unit};
use crate::markup::{Markup, cell, row, table};
use ledger::cube::MeterInfo;
use ledger::rate::{Counted, Mode, Price, Tiers};
use ledger::words::UnitPosition;
use ledger::{RateLine, Rule, Words, card_text};

/// The table of a card's lines.
#[must_use]
pub fn prices(words: &Words, meters: &[MeterInfo], lines: &[RateLine]) -> Markup {
    let line = |(line, number): (&RateLine, usize)| {
        let info = meters.iter().find(|info| info.meter == line.meter);
        let title = info.map_or_else(|| line.meter.to_string(), |info| info.title.clone());
        let unit = info.map_or("", |info| info.unit.as_str());
        let head = Markup::new("span").attr("title", line.meter.as_str()).text(&title);
        row(head, [cell(&which(line)), cell(&price(words, unit, &line.rule)), cell(&number.to_string())])
    };
    let price = match words.unit_position {
        UnitPosition::Before => "Price".to_owned(),
        UnitPosition::After => format!("Price in {}", words.unit),
    };
    if lines.is_empty() {
        let empty = "It has no lines, so all usage is refused. Write one below, such as ";
        let example = Markup::new("code").text("export: 1 each");
        return Markup::new("p").class("muted").text(empty).child(example).text(".");
    }
    let rows = lines.iter().zip(1..).map(line);
    table("table-scroll", "List of prices", &["Credit type", "Which usage", &price, "Line"], rows, None)
}

fn which(line: &RateLine) -> String {
    let sources: Vec<&str> = line.sources.iter().map(|source| source.as_str()).collect();
    let wanted: Vec<String> = line.attributes.iter().map(|(name, value)| format!("{name} is {value}")).collect();
    match (sources.is_empty(), wanted.is_empty()) {
        (true, true) => "All".to_owned(),
        (false, true) => format!("From {}", sources.join(", ")),
        (true, false) => format!("Where {}", wanted.join(", ")),
        (false, false) => format!("From {}, where {}", sources.join(", "), wanted.join(", ")),
    }
}

/// A word stands at the head of the column instead of behind each number: "1 credits" is no price.
fn amount(words: &Words, number: &str) -> String {
    match words.unit_position {
        UnitPosition::Before => with_unit(words, number),
        UnitPosition::After => number.to_owned(),
    }
}

fn price(words: &Words, unit: &str, rule: &Rule) -> String {
    let amount = |price: Price| amount(words, &price.to_string());
    match rule {
        Rule::Unit { price, per } => match (per, unit) {
            (1, "") => format!("{} each", amount(*price)),
            (1, unit) => format!("{} per {unit}", amount(*price)),
            (per, unit) => format!("{} per {}", amount(*price), format::units(&format::count(*per), unit)),
        },
        Rule::Block { price, size, counted: how } => {
            let much = self::amount(words, &ledger::decimal::trimmed(price.micros().into(), ledger::credits::DECIMALS));
            let size = format::units(&format::quantity(*size), unit);
            match how {
                Counted::PerEvent => format!("{much} for every {size} begun"),
                Counted::Accumulated => format!("{much} for every full {size}"),
            }
        }
        Rule::Tiers(tiers) => tiered(words, unit, tiers),
        Rule::Formula(_) => format::capital(&card_text::write_rule(rule)),
        Rule::Reported => "As the event reports".to_owned(),
        Rule::Free => "Free".to_owned(),
    }
}

fn tiered(words: &Words, unit: &str, Tiers { mode, per, tiers }: &Tiers) -> String {
    let tier = |tier: &ledger::rate::Tier| {
        let price = amount(words, &tier.price.to_string());
        match tier.up_to {
            Some(up_to) => format!("{price} up to {}", format::quantity(up_to)),
            None => format!("{price} beyond"),
        }
    };
    let parts: Vec<String> = tiers.iter().map(tier).collect();
    let per = if *per == 1 { unit.to_owned() } else { format::units(&format::count(*per), unit) };
    let how = match mode {
        Mode::Graduated => "graduated",
        Mode::Volume => "all of it at the price reached",
    };
    format!("Per {}: {}; {how}, in a billing cycle", if per.is_empty() { "unit" } else { &per }, parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_reads_as_a_price_list_has_it() {
        let words = Words::default();
        let dollar = Words { unit: "$".to_owned(), unit_position: UnitPosition::Before, ..Words::default() };
        let read = |words: &Words, unit: &str, text: &str| {
            let lines = card_text::parse(text).expect("valid");
            price(words, unit, &lines[0].rule)
        };
        for (unit, text, expected) in [
            ("image", "m: 0.0001 each", "$0.0001 per image"),
            ("token", "m: 0.60 per 1000000", "$0.6 per 1,000,000 tokens"),
            ("s", "m: 1 per 600 begun", "$1 for every 600 s begun"),
            ("request", "m: 2.5 per 10 full", "$2.5 for every full 10 requests"),
            (
                "GB",
                "m: graduated 0 to 10000, 0.01 beyond",
                "Per GB: $0 up to 10,000, $0.01 beyond; graduated, in a billing cycle",
            ),
            ("", "m: reported", "As the event reports"),
        ] {
            assert_eq!(read(&dollar, unit, text), expected);
        }
        assert_eq!(read(&words, "export", "m: 1 each"), "1 per export");
        let lines = card_text::parse("m from a, b where size=large: free").expect("valid");
        assert_eq!(which(&lines[0]), "From a, b, where size is large");
    }
}
