//! An invoice as words: everything that it says, in order. The page and the PDF are both written from this, so that they say the same.

use crate::calendar::Day;
use crate::format::{self, money};
use chrono::NaiveDate;
use ledger::BillingCycle;
use ledger::invoice::{Document, ItemKind, Line};

/// All that an invoice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// `Invoice S12-0001`
    pub title: String,
    /// Labels and values: month, days.
    pub facts: Vec<(String, String)>,
    /// Who sells and who buys: a heading and lines.
    pub parties: Vec<(String, Vec<String>)>,
    /// What is charged.
    pub money: Grid,
    /// What it comes to.
    pub totals: Vec<Total>,
    /// What was used.
    pub usage: Option<Grid>,
    /// Sentences at its end: how to pay, and what else is to be known.
    pub notes: Vec<String>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// What stands above it.
    pub title: String,
    /// A sentence below that; may be empty.
    pub note: String,
    /// The heads of its columns. The first one is of words, the last ones are of numbers.
    pub heads: Vec<String>,
    /// How many of the columns are of words.
    pub words: usize,
    /// As many cells as heads.
    pub rows: Vec<Row>,
    /// The last row.
    pub total: Option<Vec<String>>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// As many as heads.
    pub cells: Vec<String>,
    /// A small line under the first cell; may be empty.
    pub note: String,
}

/// A line of what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// What it is.
    pub label: String,
    /// How much.
    pub value: String,
    /// Whether it is what people look for.
    pub strong: bool,
}

/// `16 Dec 2026`
#[must_use]
pub fn day(date: NaiveDate) -> String {
    Day::new(date).map_or_else(|| date.to_string(), Day::medium)
}

/// `November 2026`
#[must_use]
pub fn month(cycle: BillingCycle) -> String {
    let first = NaiveDate::from_ymd_opt(cycle.year, cycle.month, 1).and_then(Day::new);
    first.map_or_else(|| cycle.to_string(), Day::month_title)
}

/// A rate of tax in percent, as people type it: `8.875`.
#[must_use]
pub fn tax_text(millionths: u32) -> String {
    let (whole, rest) = (millionths / 10_000, millionths % 10_000);
    let rest = format!("{rest:04}");
    match rest.trim_end_matches('0') {
        "" => whole.to_string(),
        rest => format!("{whole}.{rest}"),
    }
}

impl Sheet {
    /// What an invoice says.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let title = match &document.number {
            Some(number) => format!("Invoice {number}"),
            None => "Draft of an invoice".to_owned(),
        };
        Self {
            title,
            facts: facts(document),
            parties: parties(document),
            money: charged(document),
            totals: totals(document),
            usage: used(document),
            notes: notes(document),
        }
    }

    /// Every text of it, in order: what page and PDF must both show.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let facts = self.facts.iter().flat_map(|(label, value)| [label, value]);
        let parties = self.parties.iter().flat_map(|(head, lines)| std::iter::once(head).chain(lines));
        let totals = self.totals.iter().flat_map(|total| [&total.label, &total.value]);
        let grids = std::iter::once(&self.money).chain(&self.usage);
        let grids = grids.flat_map(|grid| {
            let rows = grid.rows.iter().flat_map(|row| row.cells.iter().chain([&row.note]));
            [&grid.title, &grid.note].into_iter().chain(&grid.heads).chain(rows).chain(grid.total.iter().flatten())
        });
        let all =
            std::iter::once(&self.title).chain(facts).chain(parties).chain(grids).chain(totals).chain(&self.notes);
        all.map(String::as_str).filter(|text| !text.is_empty())
    }
}

fn facts(document: &Document) -> Vec<(String, String)> {
    let number = document.number.clone().map(|number| ("Number".to_owned(), number));
    let issued = if document.number.is_some() { "Issued" } else { "Will be issued" };
    let rest = [
        ("For".to_owned(), month(document.month)),
        (issued.to_owned(), day(document.issued)),
        ("To be paid by".to_owned(), day(document.due)),
    ];
    number.into_iter().chain(rest).collect()
}

fn parties(document: &Document) -> Vec<(String, Vec<String>)> {
    let party = |head: &str, party: &ledger::invoice::Party| {
        let number = Some(&party.tax_number).filter(|number| !number.is_empty());
        let number = number.map(|number| format!("Tax number {number}"));
        let address = party.address.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
        let name = Some(party.name.clone()).filter(|name| !name.is_empty());
        (head.to_owned(), name.into_iter().chain(address).chain(number).collect::<Vec<_>>())
    };
    let both = [party("From", &document.seller), party("To", &document.buyer)];
    both.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}

fn charged(document: &Document) -> Grid {
    let row = |line: &Line| {
        let amount = |minor| money(document.money(minor));
        let gross = line.net.saturating_add(line.tax);
        Row {
            cells: vec![line.description.clone(), amount(line.net), amount(line.tax), amount(gross)],
            note: line_note(line),
        }
    };
    Grid {
        title: "Charges".to_owned(),
        note: String::new(),
        heads: ["What", "Net", "Tax", "Total"].map(str::to_owned).to_vec(),
        words: 1,
        rows: document.lines.iter().map(row).collect(),
        total: None,
    }
}

fn line_note(line: &Line) -> String {
    match (line.kind, line.period) {
        (ItemKind::Plan, Some((from, to))) => {
            // The day after the last is no day of it; a part of a day is.
            let last = to.pred_opt().filter(|last| *last >= from).unwrap_or(from);
            format!("{} \u{2013} {}", day(from), day(last))
        }
        (ItemKind::Purchase, _) => format!("Bought on {}, paid then", day(line.on)),
        (ItemKind::CreditNote, _) => format!("Given back on {}", day(line.on)),
        (ItemKind::Plan | ItemKind::Adjustment, _) => day(line.on),
    }
}

fn totals(document: &Document) -> Vec<Total> {
    let of = &document.totals;
    let amount = |minor| money(document.money(minor));
    let line = |label: String, minor, strong| Total { label, value: amount(minor), strong };
    let mut lines = vec![line("Net".to_owned(), of.net, false)];
    for tax in &document.taxes {
        let name = if tax.name.is_empty() { "No tax" } else { &tax.name };
        lines.push(line(format!("{name} on {}", amount(tax.net)), tax.tax, false));
    }
    lines.push(line("Total".to_owned(), of.gross, true));
    if of.settled != 0 {
        let label = if of.settled > 0 { "Paid before" } else { "Given back before" };
        lines.push(line(label.to_owned(), of.settled.saturating_neg(), false));
    }
    if of.credit_before > 0 {
        lines.push(line("Credit from earlier invoices".to_owned(), of.credit_before.saturating_neg(), false));
    }
    lines.push(line("To be paid".to_owned(), of.due, true));
    if of.credit_after > 0 {
        lines.push(line("Credit for later invoices".to_owned(), of.credit_after, false));
    }
    lines
}

fn used(document: &Document) -> Option<Grid> {
    if document.usage.is_empty() && document.debt.is_zero() {
        return None;
    }
    let words = &document.words;
    let row = |line: &ledger::invoice::UsageLine| {
        let late = if line.month == document.month { String::new() } else { "Came after its invoice".to_owned() };
        Row { cells: vec![line.title.clone(), month(line.month), format::bare(words, line.credits)], note: late }
    };
    let all = document.used().map_or_else(|_| String::new(), |used| format::bare(words, used));
    let mut note = "Paid for with a plan or a purchase: usage itself costs no money.".to_owned();
    if !document.debt.is_zero() {
        let debt = format::amount(words, document.debt);
        note = format!("{note} {debt} were used beyond what was there at the end of {}.", month(document.month));
    }
    Some(Grid {
        title: format!("Usage in {}", month(document.month)),
        note,
        heads: vec!["Credit type".to_owned(), "Month".to_owned(), format::unit_head(words)],
        words: 2,
        rows: document.usage.iter().map(row).collect(),
        total: (!document.usage.is_empty()).then(|| vec!["In all".to_owned(), String::new(), all]),
    })
}

fn notes(document: &Document) -> Vec<String> {
    let mut notes = Vec::new();
    match &document.number {
        None => notes.push(format!("This is a draft: until {} it can still change.", day(document.issued))),
        Some(_) if document.totals.due == 0 => notes.push("Nothing is to be paid.".to_owned()),
        Some(number) => {
            let due = money(document.money(document.totals.due));
            notes.push(format!(
                "{due} is to be paid by {}. A stored payment method is charged by itself. With a transfer, name {number}.",
                day(document.due)
            ));
            notes.extend(document.bank.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        }
    }
    notes.push(format!("Days and months are those of {}.", document.zone));
    notes
}
