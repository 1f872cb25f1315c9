//! The last transactions, and what they come to.

use super::panel;
use crate::format::{self, counted, quantity};
use crate::markup::{Markup, amount, cell, fact, number, number_of, signed_bare, table, text_fact, time};
use crate::server_fns::Moment;
use ledger::{Credits, Quantity, Words};
use std::collections::BTreeMap;

/// Transactions that are listed.
pub const LISTED: u32 = 100;
/// Letters of a description that are shown; the rest is there on hover.
const SHOWN: usize = 50;
/// Columns of quantities: those of more units are written beside each other instead.
const UNITS: usize = 3;

/// One transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it is explained.
    pub href: String,
    /// When it happened.
    pub at: Moment,
    /// What it is.
    pub kind: Kind,
    /// The services it used, or what it is about.
    pub services: Vec<String>,
    /// What it gave, or took.
    pub amount: Credits,
    /// How much of each unit was used, by the unit.
    pub quantities: Vec<(String, Quantity)>,
    /// What it was for.
    pub description: String,
    /// What each service cost, for usage.
    pub costs: Vec<(String, Credits)>,
}

/// What a transaction is: told by word and sign, not only by colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A usage event.
    Usage,
    /// One of which the work failed.
    FailedUsage,
    /// Credits that came.
    Given(&'static str),
    /// Credits that went without being used.
    Taken(&'static str),
}

impl Kind {
    /// As people read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Usage => "Usage",
            Self::FailedUsage => "Usage, failed",
            Self::Given(word) | Self::Taken(word) => word,
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Usage => "kind used",
            Self::FailedUsage => "kind failed",
            Self::Given(_) => "kind given",
            Self::Taken(_) => "kind taken",
        }
    }

    const fn is_usage(self) -> bool {
        matches!(self, Self::Usage | Self::FailedUsage)
    }
}

/// The panel.
#[must_use]
pub fn transactions(words: &Words, lines: &[Line]) -> Markup {
    let beside = format!("{}, in the order of the ledger", counted_lines(lines.len()));
    let units = units_of(lines);
    let columns: Vec<String> = if units.len() > UNITS {
        vec!["Used".to_owned()]
    } else {
        units.iter().map(|unit| format!("{}\t", format::capital(&format::units("2", unit)[2..]))).collect()
    };
    let amount = format!("{}\t", format::unit_head(words));
    let mut heads = vec!["Date", "Type", "Service", &amount];
    heads.extend(columns.iter().map(String::as_str));
    heads.push("Description");
    let rows = lines.iter().map(|line| row(words, line, &units));
    let table = table("table-scroll tall", "Last transactions, newest first", &heads, rows, None);
    panel("transactions", "Last transactions", &beside).child(summary(words, lines)).child(table)
}

fn counted_lines(count: usize) -> String {
    match i64::try_from(count).unwrap_or(i64::MAX) {
        1 => "The only one".to_owned(),
        count if count < i64::from(LISTED) => format!("All {}", format::count(count)),
        count => format!("The last {}", format::count(count)),
    }
}

/// The units of all that was used, those most used first; what has none is counted.
fn units_of(lines: &[Line]) -> Vec<String> {
    let mut units: BTreeMap<&str, usize> = BTreeMap::new();
    for (unit, _) in lines.iter().flat_map(|line| &line.quantities) {
        *units.entry(unit).or_default() += 1;
    }
    let mut units: Vec<(&str, usize)> = units.into_iter().collect();
    units.sort_by(|(a, more), (b, less)| less.cmp(more).then(a.cmp(b)));
    units.into_iter().map(|(unit, _)| unit.to_owned()).collect()
}

fn row(words: &Words, line: &Line, units: &[String]) -> Markup {
    let link = Markup::new("a").attr("href", &line.href).child(time(&line.at));
    let kind = Markup::new("span").class(line.kind.class()).text(line.kind.word());
    let of = |unit: &str| line.quantities.iter().find(|(known, _)| known == unit).map(|(_, quantity)| *quantity);
    let quantities: Vec<Markup> = if units.len() > UNITS {
        let used: Vec<String> =
            line.quantities.iter().map(|(unit, used)| format::units(&quantity(*used), unit)).collect();
        vec![cell(&used.join(", "))]
    } else {
        units.iter().map(|unit| number(&of(unit).map(quantity).unwrap_or_default())).collect()
    };
    Markup::new("tr")
        .child(Markup::new("td").class("nowrap").child(link))
        .child(Markup::new("td").child(kind))
        .child(Markup::new("td").class("services").text(&line.services.join(", ")))
        .child(number_of(signed_bare(words, line.amount)))
        .children(quantities)
        .child(described(&line.description))
}

/// A description, cut; the rest on hover.
fn described(text: &str) -> Markup {
    let cell = Markup::new("td").class("described");
    if text.chars().count() <= SHOWN {
        return cell.text(text);
    }
    let cut: String = text.chars().take(SHOWN).collect();
    cell.attr("title", text).text(cut.trim_end()).text("\u{2026}")
}

/// How many, how much each, and what for.
fn summary(words: &Words, lines: &[Line]) -> Markup {
    let usage = || lines.iter().filter(|line| line.kind.is_usage());
    let spent = Credits::sum(usage().map(|line| line.amount)).and_then(Credits::negated).unwrap_or_default();
    let count = i64::try_from(usage().count()).unwrap_or(i64::MAX);
    let others = i64::try_from(lines.len()).unwrap_or(i64::MAX) - count;
    let all = format!("{} of usage, {} of {}", format::count(count), format::count(others), format::noun(words));
    let mean = format::per_day(spent, count);
    let average = Markup::new("dd").child(amount(words, mean)).text(" for each of usage");
    Markup::new("div")
        .class("transactions-summary")
        .child(
            Markup::new("dl")
                .class("summary")
                .child(text_fact("Transactions", &all))
                .child(fact("Average", average))
                .child(fact("Spent", Markup::new("dd").child(amount(words, spent)))),
        )
        .children(breakdown(words, lines, spent))
}

/// What each service cost, most first.
fn breakdown(words: &Words, lines: &[Line], spent: Credits) -> Option<Markup> {
    let mut services: BTreeMap<&str, (i64, Credits)> = BTreeMap::new();
    for (service, cost) in lines.iter().flat_map(|line| &line.costs) {
        let of = services.entry(service).or_default();
        *of = (of.0 + 1, of.1.plus(*cost).unwrap_or(of.1));
    }
    let mut services: Vec<(&str, (i64, Credits))> = services.into_iter().collect();
    services.sort_by(|(a, (_, more)), (b, (_, less))| less.cmp(more).then(a.cmp(b)));
    let service = |(name, (count, credits)): &(&str, (i64, Credits))| {
        let share = format::share(*credits, spent).unwrap_or_default();
        Markup::new("li")
            .child(Markup::new("span").class("service-name").text(name))
            .text(" ")
            .child(amount(words, *credits))
            .child(Markup::new("small").class("muted").text(&format!(" {share}, {}", counted(*count, "time", "times"))))
    };
    let list = Markup::new("ul").class("breakdown").attr("aria-label", "By service");
    (!services.is_empty()).then(|| list.children(services.iter().map(service)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: Kind, amount: &str, description: &str) -> Line {
        let amount = Credits::parse(amount).expect("an amount");
        let at = Moment { iso: "2026-11-21T12:00:00Z".to_owned(), text: "21 Nov 2026, 12:00:00".to_owned() };
        let used = kind.is_usage();
        Line {
            href: "/events/evt_1".to_owned(),
            at,
            kind,
            services: vec!["ai_data".to_owned()],
            amount,
            quantities: if used { vec![("token".to_owned(), Quantity::from_units(1_000))] } else { vec![] },
            description: description.to_owned(),
            costs: if used { vec![("ai_data".to_owned(), amount.negated().expect("fits"))] } else { vec![] },
        }
    }

    fn html(lines: &[Line]) -> String {
        let mut html = String::new();
        transactions(&Words::default(), lines).write_html(&mut html);
        html
    }

    #[test]
    fn a_transaction_says_what_it_is_how_much_and_what_for() {
        let long = "A description that is longer than the fifty letters that are shown";
        let html = html(&[line(Kind::Usage, "-0.6", long), line(Kind::Given("Purchase"), "100", "Bought")]);
        for text in [
            "<span class=\"kind used\">Usage</span>",
            "<span class=\"kind given\">Purchase</span>",
            ">\u{2212}0.60</span>",
            ">+100.00</span>",
            "<th scope=\"col\" class=\"number\">Tokens</th>",
            "<td class=\"number\">1,000</td>",
            &format!("title=\"{long}\">A description that is longer than the fifty letter\u{2026}</td>"),
            "1 of usage, 1 of credits",
            "All 2, in the order of the ledger",
        ] {
            assert!(html.contains(text), "{text} in {html}");
        }
    }

    #[test]
    fn the_summary_is_of_what_is_listed() {
        let html = html(&[line(Kind::Usage, "-0.6", ""), line(Kind::FailedUsage, "-0.2", "")]);
        assert!(html.contains("title=\"0.400000 credits\">0.40 credits</span> for each of usage"), "{html}");
        assert!(html.contains("0.80 credits</span><small class=\"muted\"> 100%, 2 times"), "{html}");
    }
}
