//! `/billing/payments`: every attempt to be paid, whatever it was for.

use super::{address, button, choice, external, head, labelled, nothing, older, status};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format::money;
use crate::markup::{Markup, number, row, table, time};
use crate::server_fns::Moment;
use ledger::{Money, PaymentId};

/// Address of the page.
pub const PATH: &str = "/billing/payments";

/// Which payments are asked for, as the address says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// `succeeded`, `failed` or `open`; empty: all.
    pub state: String,
    /// From this day on, `2026-11-21`; may be empty.
    pub from: String,
    /// Until this day, included; may be empty.
    pub to: String,
    /// Only those before this one.
    pub before: Option<PaymentId>,
}

impl Filter {
    /// From the pairs of an address.
    #[must_use]
    pub fn new(pairs: &[(String, String)]) -> Self {
        let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        Self {
            state: get("state").to_owned(),
            from: get("from").to_owned(),
            to: get("to").to_owned(),
            before: PaymentId::parse(get("before")),
        }
    }

    /// The same filter elsewhere.
    #[must_use]
    pub fn href(&self, path: &str, before: Option<PaymentId>) -> String {
        let before = before.map(|id| id.to_string()).unwrap_or_default();
        let pairs =
            [("state", self.state.clone()), ("from", self.from.clone()), ("to", self.to.clone()), ("before", before)];
        address(path, &pairs)
    }
}

/// A payment, as people read it.
pub struct Payment {
    /// When it was begun.
    pub at: Moment,
    /// What it was for, and where that is.
    pub paid_for: (String, String),
    /// `Visa ending in 4242`, or who was asked.
    pub by: String,
    /// With tax.
    pub amount: Money,
    /// What of it was given back.
    pub refunded: Money,
    /// Class and words.
    pub state: (&'static str, String),
}

/// What the page shows.
pub struct Payments {
    /// Newest first.
    pub lines: Vec<Payment>,
    /// The next page.
    pub older: Option<String>,
    /// What is asked for.
    pub filter: Filter,
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let shown = asked.backend.payment_list(Filter::new(&asked.query)).await?;
    let about = format!("Every attempt to be paid, with what came of it. Times in {}.", asked.org.zone.name());
    let csv = button(&shown.filter.href("/exports/payments.csv", None), "CSV");
    let controls = [button("/billing/invoices", "Invoices"), csv];
    let empty = shown.filter == Filter { before: shown.filter.before, ..Filter::default() };
    let list = match shown.lines.as_slice() {
        [] if empty => nothing("No payment yet. Payments are made for purchases and for invoices."),
        [] => nothing("No payment fits. Choose another state, or other days."),
        lines => list(lines),
    };
    let panel = Markup::new("section")
        .class("panel")
        .attr("aria-label", "Payments")
        .child(form(&shown.filter))
        .child(list)
        .children(older(shown.older.as_deref(), "Older payments"));
    let body = Markup::new("div").class("page").child(head("Payments", &about, controls)).child(panel);
    Ok(Written { title: "Payments".to_owned(), body })
}

fn form(filter: &Filter) -> Markup {
    let states = [("", "All"), ("succeeded", "Paid"), ("failed", "Failed"), ("open", "Under way")];
    let states: Vec<(String, String)> = states.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
    let date = |name: &'static str, value: &str| {
        Markup::new("input").attr("type", "date").attr("name", name).attr("value", value)
    };
    Markup::new("form")
        .class("fields billing-filter")
        .attr("method", "get")
        .attr("action", PATH)
        .child(choice("State", "state", &filter.state, &states))
        .child(labelled("From", date("from", &filter.from)))
        .child(labelled("To", date("to", &filter.to)))
        .child(Markup::new("button").class("button").attr("type", "submit").text("Show"))
}

/// Payments as a table.
pub(super) fn list(payments: &[Payment]) -> Markup {
    let line = |payment: &Payment| {
        let (class, words) = &payment.state;
        let (text, href) = &payment.paid_for;
        let refunded = if payment.refunded.minor == 0 { "\u{2013}".to_owned() } else { money(payment.refunded) };
        row(
            time(&payment.at),
            [
                Markup::new("td").child(external(href, text)),
                Markup::new("td").text(&payment.by),
                number(&money(payment.amount)),
                number(&refunded),
                Markup::new("td").child(status(class, words)),
            ],
        )
    };
    let heads = ["When", "For", "Paid with", "Amount\t", "Given back\t", "State"];
    table("table-scroll", "Payments", &heads, payments.iter().map(line), None)
}
