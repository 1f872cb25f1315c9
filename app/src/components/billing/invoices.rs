//! `/billing/invoices`: every invoice, the drafts, and what the next one will come to.

use super::invoice::state;
use super::{address, button, choice, external, head, nothing, older};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format::money;
use crate::markup::{Markup, cell, number, row, table, time};
use crate::server_fns::Moment;
use ledger::invoice::State;
use ledger::{InvoiceId, Money};

/// Address of the page.
pub const PATH: &str = "/billing/invoices";

/// Which invoices are asked for, as the address says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that stand so.
    pub state: Option<State>,
    /// Only those of this year.
    pub year: Option<i32>,
    /// Only those before this one.
    pub before: Option<InvoiceId>,
}

impl Filter {
    /// From the pairs of an address.
    #[must_use]
    pub fn new(pairs: &[(String, String)]) -> Self {
        let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        Self {
            state: get("state").and_then(State::parse),
            year: get("year").and_then(|year| year.parse().ok()).filter(|year| (2000..2200).contains(year)),
            before: get("before").and_then(InvoiceId::parse),
        }
    }

    /// The same filter elsewhere.
    #[must_use]
    pub fn href(&self, path: &str, before: Option<InvoiceId>) -> String {
        let text = |value: Option<String>| value.unwrap_or_default();
        let pairs = [
            ("state", text(self.state.map(|state| state.as_str().to_owned()))),
            ("year", text(self.year.map(|year| year.to_string()))),
            ("before", text(before.map(|id| id.to_string()))),
        ];
        address(path, &pairs)
    }

    fn is_any(&self) -> bool {
        *self == Self { before: self.before, ..Self::default() }
    }
}

/// An invoice in the list.
pub struct Listed {
    /// `invoice_3`
    pub id: InvoiceId,
    /// Its number; none for a draft.
    pub number: Option<String>,
    /// `November 2026`
    pub month: String,
    /// When it was issued, or will be.
    pub issued: Moment,
    /// In all.
    pub gross: Money,
    /// What is left to pay.
    pub open: Money,
    /// How it stands.
    pub state: State,
    /// Whether it should have been paid.
    pub overdue: bool,
}

/// What the page shows.
pub struct Invoices {
    /// Newest first.
    pub lines: Vec<Listed>,
    /// The next page.
    pub older: Option<String>,
    /// What is asked for.
    pub filter: Filter,
    /// Years that can be asked for, newest first.
    pub years: Vec<i32>,
    /// What the next invoice comes to, per currency: what it has so far, and what will be to pay.
    pub next: Vec<(Money, Money)>,
    /// Until when that runs.
    pub month: String,
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let shown = asked.backend.invoice_list(Filter::new(&asked.query)).await?;
    let about =
        format!("One for each month in which something was charged. Months are those of {}.", asked.org.zone.name());
    let controls = [
        button("/billing/payments", "Payments"),
        button("/billing/details", "Billing details"),
        button(&shown.filter.href("/exports/invoices.csv", None), "CSV"),
    ];
    let panel = Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", "invoices-title")
        .child(
            Markup::new("div")
                .class("panel-head")
                .child(Markup::new("h2").attr("id", "invoices-title").text("By month")),
        )
        .child(form(&shown))
        .child(list(&shown))
        .children(older(shown.older.as_deref(), "Older invoices"));
    let body =
        Markup::new("div").class("page").child(head("Invoices", &about, controls)).child(next(&shown)).child(panel);
    Ok(Written { title: "Invoices".to_owned(), body })
}

fn next(shown: &Invoices) -> Markup {
    let panel = Markup::new("section").class("panel invoice-next").attr("aria-labelledby", "next-title");
    let panel = panel.child(Markup::new("h2").attr("id", "next-title").text(&format!("Next: {}", shown.month)));
    if shown.next.is_empty() {
        return panel.child(Markup::new("p").class("muted").text("Nothing is to be invoiced so far."));
    }
    let line = |(gross, due): &(Money, Money)| {
        let text = format!("{} so far, of which {} will be to pay.", money(*gross), money(*due));
        Markup::new("p").text(&text)
    };
    panel.children(shown.next.iter().map(line))
}

fn form(shown: &Invoices) -> Markup {
    let words = |state: State| (state.as_str().to_owned(), state.title().to_owned());
    let all = |text: &str| (String::new(), text.to_owned());
    let states: Vec<(String, String)> = std::iter::once(all("All")).chain(State::ALL.map(words)).collect();
    let years = shown.years.iter().map(|year| (year.to_string(), year.to_string()));
    let years: Vec<(String, String)> = std::iter::once(all("All")).chain(years).collect();
    let chosen = shown.filter.state.map_or("", State::as_str);
    let year = shown.filter.year.map(|year| year.to_string()).unwrap_or_default();
    Markup::new("form")
        .class("fields billing-filter")
        .attr("method", "get")
        .attr("action", PATH)
        .child(choice("State", "state", chosen, &states))
        .child(choice("Year", "year", &year, &years))
        .child(Markup::new("button").class("button").attr("type", "submit").text("Show"))
}

fn list(shown: &Invoices) -> Markup {
    if shown.lines.is_empty() {
        return nothing(if shown.filter.is_any() {
            "No invoice yet. The first one is issued at the beginning of the month after something was charged."
        } else {
            "No invoice fits. Choose another state or year."
        });
    }
    let line = |line: &Listed| {
        let name = line.number.as_deref().unwrap_or("Draft");
        let open = if line.open.minor == 0 { "\u{2013}".to_owned() } else { money(line.open) };
        row(
            external(&format!("{PATH}/{}", line.id), name),
            [
                cell(&line.month),
                Markup::new("td").child(time(&line.issued)),
                number(&money(line.gross)),
                number(&open),
                Markup::new("td").child(state(line.state, line.overdue)),
            ],
        )
    };
    let heads = ["Invoice", "Month", "Issued", "Total\t", "To be paid\t", "State"];
    table("table-scroll", "Invoices", &heads, shown.lines.iter().map(line), None)
}
