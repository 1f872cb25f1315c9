//! `/operator/payments`: transfers that are awaited, invoices that are not paid, and the newest purchases of all organizations, with the
//! way to give money back.

use super::list::state;
use super::state::transfer_reference;
use super::{OPERATOR, form_as, told};
use crate::backend::purchases::{OpenInvoice, PaymentRow, Purchase, Refund};
use crate::components::people::parts::{behind, hidden, hint, panel, primary};
use crate::format;
use crate::markup::{Markup, amount_bare, number, number_of, table, time};
use crate::server_fns::Moment;
use ledger::{OrgId, Words, refund};

/// What the page shows.
pub struct Till {
    /// Transfers that somebody announced, newest first.
    pub awaited: Vec<Awaited>,
    /// Invoices that are not paid, those first that were due first.
    pub owed: Vec<Owed>,
    /// The newest purchases.
    pub newest: Vec<Sold>,
    /// What was done.
    pub done: Option<String>,
    /// What was wrong.
    pub error: Option<String>,
}

/// A transfer that is awaited.
pub struct Awaited {
    /// Whose, by name.
    pub org: String,
    /// What it pays for.
    pub what: String,
    /// The payment.
    pub payment: PaymentRow,
}

/// An invoice that is not paid.
pub struct Owed {
    /// Whose, by name.
    pub org: String,
    /// The invoice.
    pub invoice: OpenInvoice,
    /// Until when it was to be paid.
    pub due: Moment,
    /// Whether that is over.
    pub overdue: bool,
}

/// A purchase of some org.
pub struct Sold {
    /// Whose, by name.
    pub org: String,
    /// Whose.
    pub id: OrgId,
    /// How it calls credits.
    pub words: Words,
    /// The purchase.
    pub purchase: Purchase,
    /// When it was made.
    pub at: Moment,
    /// What went back.
    pub refunds: Vec<Refund>,
}

/// The page.
#[must_use]
pub fn page(till: &Till) -> Markup {
    let done = till.done.as_deref().map(|done| {
        let text = match done {
            "confirm" => "The transfer is confirmed, and what it paid for is there.",
            "transferred" => "The transfer is noted, and the invoice is paid.",
            _ => "The money goes back; the credits that were left are taken.",
        };
        Markup::new("p").class("notice").attr("role", "status").text(text)
    });
    let wrong =
        till.error.as_deref().map(|code| Markup::new("p").class("form-error").attr("role", "alert").text(told(code)));
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Payments"));
    let head = head.child(Markup::new("p").class("muted").text("Of all organizations."));
    let body = Markup::new("div").class("settings-page").child(head).children(done).children(wrong);
    body.child(transfers(till)).child(invoices(till)).child(purchases(till))
}

fn transfers(till: &Till) -> Markup {
    let panel = panel("transfers", "Transfers that are awaited");
    if till.awaited.is_empty() {
        return panel.child(hint("None."));
    }
    let line = |awaited: &Awaited| {
        let Awaited { org, what, payment } = awaited;
        let name = Markup::new("th").attr("scope", "row").child(Markup::new("code").text(&transfer_reference(payment)));
        let form = form_as(OPERATOR, "confirm", "purchase-came")
            .child(hidden("org", &payment.org.to_string()))
            .child(hidden("payment", &payment.id.to_string()));
        row_of(name, (org, what), payment.stands.amount, came(form, &transfer_reference(payment), "Confirm"))
    };
    let heads = ["Reference", "Organization", "For", "Amount\t", "Amount that came"];
    panel.child(table("table-scroll in-panel", "Transfers", &heads, till.awaited.iter().map(line), None))
}

fn invoices(till: &Till) -> Markup {
    let panel = panel("invoices", "Invoices that are not paid");
    if till.owed.is_empty() {
        return panel.child(hint("None."));
    }
    let line = |owed: &Owed| {
        let OpenInvoice { org, id, number, open, .. } = &owed.invoice;
        let name = Markup::new("th").attr("scope", "row").text(number);
        let due = format!("{} {}", if owed.overdue { "Overdue since" } else { "Until" }, owed.due.text);
        let form = form_as(OPERATOR, "transferred", "purchase-came")
            .child(hidden("org", &org.to_string()))
            .child(hidden("invoice", &id.to_string()));
        row_of(name, (&owed.org, &due), *open, came(form, number, "Note the transfer"))
    };
    let heads = ["Invoice", "Organization", "Due", "Open\t", "Amount that came"];
    panel.child(table("table-scroll in-panel", "Invoices", &heads, till.owed.iter().map(line), None))
}

fn row_of(name: Markup, (org, what): (&str, &str), amount: ledger::Money, form: Markup) -> Markup {
    Markup::new("tr")
        .child(name)
        .child(Markup::new("td").text(org))
        .child(Markup::new("td").text(what))
        .child(number(&format::money(amount)))
        .child(Markup::new("td").child(form))
}

/// What came is typed: whoever confirms has looked at the account.
fn came(form: Markup, of: &str, send: &str) -> Markup {
    let amount = Markup::new("input")
        .attr("name", "amount")
        .attr("inputmode", "decimal")
        .attr("required", "")
        .attr("autocomplete", "off")
        .attr("aria-label", &format!("Amount that came for {of}"));
    form.child(amount).child(primary(send))
}

fn purchases(till: &Till) -> Markup {
    let panel = panel("purchases", "Purchases");
    if till.newest.is_empty() {
        return panel.child(hint("Nothing was bought yet."));
    }
    let heads = ["Purchase", "Organization", "Ordered", "State", "Credits\t", "Total\t", "Give back"];
    panel.child(table("table-scroll in-panel", "Purchases", &heads, till.newest.iter().map(row), None))
}

fn row(sold: &Sold) -> Markup {
    let Sold { org, words, purchase, at, .. } = sold;
    let name = Markup::new("th")
        .attr("scope", "row")
        .text(&purchase.quote.title)
        .child(Markup::new("small").class("muted").text(&format!(" {}", purchase.id)));
    let back: i64 = sold
        .refunds
        .iter()
        .filter(|refund| refund.state != refund::State::Failed)
        .map(|refund| refund.amount.minor)
        .sum();
    let state = match back {
        0 => state(purchase).to_owned(),
        back => format!(
            "{}, {} given back",
            state(purchase),
            format::money(ledger::Money { minor: back, ..purchase.quote.net })
        ),
    };
    let refund = purchase.paid_at.map(|_| behind("Give back", [give_back(sold)]));
    Markup::new("tr")
        .child(name)
        .child(Markup::new("td").text(org))
        .child(Markup::new("td").child(time(at)))
        .child(Markup::new("td").text(&state))
        .child(number_of(amount_bare(words, purchase.quote.credits)))
        .child(number(&purchase.quote.gross().map(format::money).unwrap_or_default()))
        .child(Markup::new("td").children(refund))
}

fn give_back(sold: &Sold) -> Markup {
    let choice = |value: &str, text: &str, checked: bool| {
        let radio = Markup::new("input").attr("type", "radio").attr("name", "how").attr("value", value);
        let radio = radio.maybe_attr("checked", checked.then_some(""));
        Markup::new("label").class("purchase-choice").child(radio).child(Markup::new("span").text(text))
    };
    let reason = Markup::new("input")
        .attr("name", "reason")
        .attr("required", "")
        .attr("maxlength", "200")
        .attr("autocomplete", "off");
    let reason = Markup::new("label").class("field").child(Markup::new("span").text("Reason")).child(reason);
    form_as(OPERATOR, "refund", "purchase-form")
        .child(hidden("org", &sold.id.to_string()))
        .child(hidden("purchase", &sold.purchase.id.to_string()))
        .child(choice("rest", "What the credits cost that are left", true))
        .child(choice("full", "The whole amount", false))
        .child(reason)
        .child(primary("Give back"))
}
