//! What the balance still buys, what was used so far, and what each credit type costs.

use super::panel;
use crate::format::{self, quantity, units};
use crate::markup::{Markup, amount_bare, number, number_of, row, table};
use ledger::cube::MeterInfo;
use ledger::rate::{Before, Counted, Formula, Mode, Price, Tiers};
use ledger::remaining::{Listed, Remaining, at_average, listed, remaining, served_instead_of};
use ledger::{Credits, Quantity, RateLine, Rule, Words};

/// Lines that are listed; the rate card's page has all.
const LINES: usize = 40;
/// Where there is no telling.
const NOT_SAID: &str = "\u{2013}";

/// A credit type, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterUse {
    /// What people call it.
    pub info: MeterInfo,
    /// What it cost over all time, and how much it was.
    pub all: (Credits, Quantity),
    /// The same lately.
    pub recent: (Credits, Quantity),
    /// What is available for it: grants may be for some credit types only.
    pub available: Credits,
    /// The lines that charge it, and what earlier usage left for each.
    pub lines: Vec<(RateLine, Before)>,
}

/// The panel of what was used and what can still be.
#[must_use]
pub fn usage_panel(words: &Words, meters: &[MeterUse], recent: &str) -> Markup {
    let lines = meters.iter().flat_map(|meter| meter.lines.iter().enumerate().map(move |line| (meter, line)));
    let count = lines.clone().count();
    let priced = lines.take(LINES).map(|(meter, (index, (line, before)))| {
        // What was used is the credit type's: it stands at its first line.
        used_row(words, (index == 0).then_some(meter), title(meter, line), &buys(meter, line, *before, recent))
    });
    let gone = meters.iter().filter(|meter| meter.lines.is_empty() && meter.all.1 > Quantity::ZERO).map(|meter| {
        let title = Markup::new("span").text(&meter.info.title);
        used_row(words, Some(meter), title, &(NOT_SAID.to_owned(), "no price today".to_owned()))
    });
    let rows = priced.chain(gone);
    let unit = format!("{} spent\t", format::unit_head(words));
    let table = table(
        "table-scroll",
        "What was used of each credit type, and what the balance buys of it",
        &["Credit type", "The balance buys\t", "Used so far\t", &unit],
        rows,
        None,
    );
    panel("remaining", "Estimated usage remaining", "At today\u{2019}s prices, if all of it goes into one credit type")
        .child(table)
        .children(more(count))
}

fn used_row(words: &Words, used: Option<&MeterUse>, title: Markup, (buys, hint): &(String, String)) -> Markup {
    let buys = Markup::new("td").class("number").child(Markup::new("strong").text(buys));
    let buys = if hint.is_empty() { buys } else { buys.child(Markup::new("small").class("muted").text(hint)) };
    let cells = match used {
        Some(MeterUse { info, all: (spent, used), .. }) => {
            [number(&units(&quantity(*used), &info.unit)), number_of(amount_bare(words, *spent))]
        }
        None => [number(""), number("")],
    };
    row(title, std::iter::once(buys).chain(cells))
}

/// The panel of what each credit type costs, and what a cache saves.
#[must_use]
pub fn price_panel(words: &Words, meters: &[MeterUse], recent: &str) -> Markup {
    let lines = meters.iter().flat_map(|meter| meter.lines.iter().map(move |line| (meter, line)));
    let rows = lines.take(LINES).map(|(meter, (line, _))| {
        let price = Markup::new("td").class("price").text(&price(words, &meter.info.unit, &line.rule, line));
        row(title(meter, line), [price])
    });
    let table = table("table-scroll", "What each credit type costs", &["Credit type", "Price"], rows, None);
    let savings: Vec<Markup> = savings(words, meters, recent).iter().map(|text| saving(text)).collect();
    let head = panel("prices", "Cost per usage", "");
    let head =
        if savings.is_empty() { head } else { head.child(Markup::new("div").class("savings").children(savings)) };
    let all = Markup::new("a").class("panel-link").attr("href", "/rate-card").text("Rate card");
    head.child(table).child(Markup::new("p").class("panel-foot").child(all))
}

fn saving(text: &str) -> Markup {
    Markup::new("p").text(text)
}

fn more(count: usize) -> Option<Markup> {
    let text = format!("{} lines more are in the rate card.", count.saturating_sub(LINES));
    (count > LINES).then(|| Markup::new("p").class("panel-foot muted").text(&text))
}

/// The credit type, and for what the line is where not for all of it.
fn title(meter: &MeterUse, line: &RateLine) -> Markup {
    let mut conditions: Vec<String> = Vec::new();
    if !line.sources.is_empty() {
        let sources: Vec<&str> = line.sources.iter().map(ledger::Label::as_str).collect();
        conditions.push(format!("from {}", sources.join(", ")));
    }
    conditions.extend(line.attributes.iter().map(|(name, value)| format!("{name} {value}")));
    let head = Markup::new("span").text(&meter.info.title);
    if conditions.is_empty() {
        return head;
    }
    head.child(Markup::new("small").class("muted").text(&format!(" {}", conditions.join(", "))))
}

/// How much of it the balance buys, and what else to know.
fn buys(meter: &MeterUse, line: &RateLine, before: Before, recent: &str) -> (String, String) {
    let unit = &meter.info.unit;
    match remaining(line, before, meter.available) {
        Remaining::Unlimited => ("Unlimited".to_owned(), String::new()),
        Remaining::Units(units_left) => {
            let hint = match &line.rule {
                Rule::Block { size, counted: Counted::PerEvent, .. } => {
                    let blocks = units_left.micros() / size.micros().max(1);
                    format!("{} of {}", blocks_text(blocks), units(&quantity(*size), unit))
                }
                _ => String::new(),
            };
            (units(&quantity(units_left), unit), hint)
        }
        Remaining::Unsaid => match at_average(meter.available, meter.recent.0, meter.recent.1) {
            Some(left) => (format!("About {}", units(&quantity(left), unit)), format!("at the average of {recent}")),
            None => (NOT_SAID.to_owned(), unsaid(&line.rule).to_owned()),
        },
    }
}

fn blocks_text(blocks: i128) -> String {
    format::counted(i64::try_from(blocks).unwrap_or(i64::MAX), "block", "blocks")
}

const fn unsaid(rule: &Rule) -> &'static str {
    match rule {
        Rule::Formula(_) => "depends on time, data and compute",
        _ => "each event says what it costs",
    }
}

/// A price as a list has it: `$0.60 per 1,000,000 tokens`.
fn price(words: &Words, unit: &str, rule: &Rule, line: &RateLine) -> String {
    match rule {
        Rule::Unit { .. } => listed(line).map_or_else(String::new, |listed| listed_text(words, unit, listed)),
        Rule::Block { price, size, counted } => {
            let how = match counted {
                Counted::PerEvent => "begun, event by event",
                Counted::Accumulated => "in all",
            };
            format!("{} for every {} {how}", format::short(words, *price), units(&quantity(*size), unit))
        }
        Rule::Tiers(tiers) => tiers_text(words, unit, tiers),
        Rule::Formula(formula) => formula_text(words, formula),
        Rule::Reported => "As each event says".to_owned(),
        Rule::Free => "Free".to_owned(),
    }
}

fn listed_text(words: &Words, unit: &str, listed: Listed) -> String {
    let credits = decimals(words, &listed.credits());
    if listed.units == 1 {
        return format!("{credits} per {}", if unit.is_empty() { "unit" } else { unit });
    }
    format!("{credits} per {}", units(&format::count(listed.units), unit))
}

/// A price in the org's words: at least two decimals where there are any.
fn decimals(words: &Words, text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), format::count);
    match fraction.len() {
        0 => format::with_unit(words, &whole),
        1 => format::with_unit(words, &format!("{whole}.{fraction}0")),
        _ => format::with_unit(words, &format!("{whole}.{fraction}")),
    }
}

fn price_text(words: &Words, price: Price) -> String {
    decimals(words, &price.to_string())
}

fn tiers_text(words: &Words, unit: &str, tiers: &Tiers) -> String {
    let per = match tiers.per {
        1 => format!("per {}", if unit.is_empty() { "unit" } else { unit }),
        per => format!("per {}", units(&format::count(per), unit)),
    };
    let tier = |tier: &ledger::rate::Tier| match tier.up_to {
        Some(end) => format!("{} to {}", price_text(words, tier.price), quantity(end)),
        None => format!("{} beyond", price_text(words, tier.price)),
    };
    let all: Vec<String> = tiers.tiers.iter().map(tier).collect();
    let mode = match tiers.mode {
        Mode::Graduated => "by what was used in the cycle",
        Mode::Volume => "for all of the cycle",
    };
    format!("{} {per}, {mode}", all.join(", "))
}

fn formula_text(words: &Words, formula: &Formula) -> String {
    let parts = [
        (formula.base, "each"),
        (formula.per_second, "per second"),
        (formula.per_mb, "per MB"),
        (formula.per_compute_unit, "per compute unit"),
    ];
    let there = parts.into_iter().filter(|(price, _)| *price != Price::default());
    let parts: Vec<String> = there.map(|(price, what)| format!("{} {what}", price_text(words, price))).collect();
    let least =
        (formula.minimum != Price::default()).then(|| format!(", at least {}", price_text(words, formula.minimum)));
    parts.join(" + ") + &least.unwrap_or_default()
}

/// What each cache saves: beside what it serves instead of, and lately.
fn savings(words: &Words, meters: &[MeterUse], recent: &str) -> Vec<String> {
    let plain = |meter: &MeterUse| match meter.lines.as_slice() {
        [(line, _)] => listed(line),
        _ => None,
    };
    let all: Vec<&ledger::Meter> = meters.iter().map(|meter| &meter.info.meter).collect();
    let saving = |cached: &MeterUse| {
        let instead = served_instead_of(&cached.info.meter, &all)?;
        let full = meters.iter().find(|meter| meter.info.meter == *instead)?;
        let (less, thousandths) = plain(cached)?.saving(plain(full)?)?;
        let percent = match thousandths % 10 {
            0 => (thousandths / 10).to_string(),
            tenths => format!("{}.{tenths}", thousandths / 10),
        };
        let saved = less
            .times(cached.recent.1)
            .filter(|saved| saved.is_positive())
            .map(|saved| format!(" That saved {} in {recent}.", format::short(words, saved)));
        Some(format!(
            "{} cost {percent}% less than {}: {} less.{}",
            cached.info.title,
            lower(&full.info.title),
            listed_text(words, &cached.info.unit, less),
            saved.unwrap_or_default()
        ))
    };
    meters.iter().filter_map(saving).collect()
}

fn lower(title: &str) -> String {
    let mut text = title.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Meter;
    use ledger::card_text::parse;

    fn meter(text: &str, title: &str, unit: &str) -> MeterUse {
        let lines = parse(text).expect("a card");
        let meter = Meter::parse(lines[0].meter.as_str()).expect("a meter");
        let info = MeterInfo { meter, title: title.to_owned(), unit: unit.to_owned(), service: String::new() };
        let some = (Credits::parse("2").expect("an amount"), Quantity::from_units(4_000_000));
        let available = Credits::parse("100").expect("an amount");
        MeterUse {
            info,
            all: some,
            recent: some,
            available,
            lines: lines.into_iter().map(|line| (line, Before::default())).collect(),
        }
    }

    fn html(markup: &Markup) -> String {
        let mut html = String::new();
        markup.write_html(&mut html);
        html
    }

    #[test]
    fn prices_are_written_as_lists_have_them() {
        let words = Words::default();
        let told = |text: &str, unit: &str| {
            let line = parse(text).expect("a card").remove(0);
            price(&words, unit, &line.rule, &line)
        };
        assert_eq!(told("t: 0.60 per 1000000", "token"), "0.60 credits per 1,000,000 tokens");
        assert_eq!(told("t: 0.0001 each", "image"), "1 credit per 10,000 images");
        assert_eq!(told("t: 3 each", "run"), "3 credits per run");
        assert_eq!(told("t: 1 per 600 begun", "second"), "1 credit for every 600 seconds begun, event by event");
        assert_eq!(
            told("t: graduated 0 to 1000, 0.5 beyond", "call"),
            "0 credits to 1,000, 0.50 credits beyond per call, by what was used in the cycle"
        );
        let formula = "0.50 credits each + 0.02 credits per second, at least 1 credit";
        assert_eq!(told("t: formula 0.5 + 0.02 per second, at least 1", "second"), formula);
        assert_eq!([told("t: reported", ""), told("t: free", "")], ["As each event says", "Free"]);
    }

    #[test]
    fn what_a_cache_saves_is_told_beside_what_it_serves_instead_of() {
        let meters = [
            meter("input_tokens: 0.60 per 1000000", "Input tokens", "token"),
            meter("cached_tokens: 0.075 per 1000000", "Cached tokens", "token"),
        ];
        let text = html(&price_panel(&Words::default(), &meters, "30 days"));
        let told = "Cached tokens cost 87.5% less than input tokens: 0.525 credits per 1,000,000 tokens less. That saved 2.10 credits in 30 days.";
        assert!(text.contains(told), "{text}");
        assert!(!html(&price_panel(&Words::default(), &meters[..1], "30 days")).contains("savings"));
    }

    #[test]
    fn what_the_balance_buys_is_said_or_why_it_cannot_be() {
        let buys = |text: &str, unit: &str| {
            let meter = meter(text, "T", unit);
            let (line, before) = meter.lines[0].clone();
            buys(&meter, &line, before, "30 days")
        };
        let told = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(buys("t: 1 each", "run"), told("100 runs", ""));
        assert_eq!(buys("t: 1 per 600 begun", "second"), told("60,000 seconds", "100 blocks of 600 seconds"));
        assert_eq!(buys("t: free", ""), told("Unlimited", ""));
        assert_eq!(buys("t: reported", "fact"), told("About 200,000,000 facts", "at the average of 30 days"));
        let unused = MeterUse { recent: Default::default(), ..meter("t: reported", "T", "fact") };
        let (line, before) = unused.lines[0].clone();
        assert_eq!(super::buys(&unused, &line, before, "30 days"), told(NOT_SAID, "each event says what it costs"));
    }
}
