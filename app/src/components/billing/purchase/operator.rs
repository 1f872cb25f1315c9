//! `/operator/payments`: transfers that are awaited, and the newest purchases of all organizations, with the way to give money back.

use super::list::state;
use super::state::transfer_reference;
use super::{OPERATOR, form_as, told};
use crate::backend::purchases::{PaymentRow, Purchase, Refund};
use crate::components::people::parts::{behind, hidden, hint, panel, primary};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount_bare, number, number_of, table, time};
use crate::server_fns::Moment;
use ledger::payment::Provider;
use ledger::{OrgId, Words, refund};

/// What the page shows.
pub struct Till {
    /// The newest purchases.
    pub newest: Vec<Sold>,
    /// What was done.
    pub done: Option<String>,
    /// What was wrong.
    pub error: Option<String>,
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
    /// The attempts to be paid.
    pub payments: Vec<PaymentRow>,
    /// What went back.
    pub refunds: Vec<Refund>,
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let till = asked.backend.till(&asked.query).await?;
    let title = "Payments".to_owned();
    let done = till.done.as_deref().map(|done| {
        let text = if done == "confirm" {
            "The transfer is confirmed, and the credits are there."
        } else {
            "The money goes back; the credits that were left are taken."
        };
        Markup::new("p").class("notice").attr("role", "status").text(text)
    });
    let wrong =
        till.error.as_deref().map(|code| Markup::new("p").class("form-error").attr("role", "alert").text(told(code)));
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(&title));
    let head = head.child(Markup::new("p").class("muted").text("Of all organizations, newest first."));
    let body = Markup::new("div").class("page billing").child(head).children(done).children(wrong);
    Ok(Written { title, body: body.child(transfers(&till)).child(purchases(&till)) })
}

fn transfers(till: &Till) -> Markup {
    let panel = panel("transfers", "Transfers that are awaited");
    let awaited = |payment: &&PaymentRow| payment.provider == Provider::BankTransfer && !payment.stands.state.is_over();
    let line = |sold: &Sold, payment: &PaymentRow| {
        let head = Markup::new("p").child(Markup::new("code").text(&transfer_reference(payment)));
        let head = head.text(&format!(
            " {}, {}: {}",
            sold.org,
            sold.purchase.quote.title,
            format::money(payment.stands.amount)
        ));
        let amount = Markup::new("input")
            .attr("name", "amount")
            .attr("inputmode", "decimal")
            .attr("required", "")
            .attr("autocomplete", "off");
        let amount =
            Markup::new("label").class("field").child(Markup::new("span").text("Amount that came")).child(amount);
        let confirm = form_as(OPERATOR, "confirm", "people-form");
        let confirm =
            confirm.child(hidden("org", &sold.id.to_string())).child(hidden("payment", &payment.id.to_string()));
        Markup::new("li").child(head).child(confirm.child(amount).child(primary("Confirm")))
    };
    let lines: Vec<Markup> = till
        .newest
        .iter()
        .flat_map(|sold| sold.payments.iter().filter(awaited).map(move |payment| line(sold, payment)))
        .collect();
    if lines.is_empty() {
        panel.child(hint("None."))
    } else {
        panel.child(Markup::new("ul").class("purchase-methods").children(lines))
    }
}

fn purchases(till: &Till) -> Markup {
    let panel = panel("purchases", "Purchases");
    if till.newest.is_empty() {
        return panel.child(hint("Nothing was bought yet."));
    }
    let heads = ["Purchase", "Organization", "Ordered", "State", "Credits\t", "Total\t", "Give back"];
    panel.child(table("table-scroll", "Purchases", &heads, till.newest.iter().map(row), None))
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
