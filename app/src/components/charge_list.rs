//! What each quantity of an event cost, and why.

use crate::format;
use crate::markup::{Markup, amount_in_full, fact, link, span};
use crate::server_fns::event::ChargeReason;
use ledger::settle::Charge;
use ledger::{Credits, Words};

/// A block per charge: the figures from what is checked, the reasons in the same order.
#[must_use]
pub fn charge_list(charges: &[Charge], reasons: &[ChargeReason], words: &Words) -> Markup {
    Markup::new("ol")
        .class("charges")
        .children(charges.iter().zip(reasons).map(|(charge, why)| item(charge, why, words)))
}

fn item(charge: &Charge, why: &ChargeReason, words: &Words) -> Markup {
    let quantity = format!("{} {}", format::quantity(charge.quantity), why.unit);
    let head = Markup::new("div")
        .class("charge-head")
        .child(Markup::new("h3").text(&why.title))
        .children((!why.service.is_empty()).then(|| Markup::new("code").text(&why.service)))
        .child(Markup::new("span").class("muted").text(&quantity))
        .child(Markup::new("span").class("charge-amount").child(amount_in_full(words, charge.credits)));
    let term = if charge.credits.is_negative() { "Given back as" } else { "Paid by" };
    let facts = why.said.clone().child(fact(term, payers(why, words)));
    Markup::new("li").class("charge").child(head).child(facts)
}

fn payers(why: &ChargeReason, words: &Words) -> Markup {
    if why.paid.is_empty() {
        return Markup::new("dd").text("Nobody: it cost nothing");
    }
    let part = |(account, credits): &(String, Credits)| {
        let is_grant = account.starts_with(ledger::GrantId::PREFIX);
        let name = if is_grant { link(&format!("/grants#{account}"), account) } else { span(account) };
        let part = if credits.is_negative() { credits.negated().unwrap_or_default() } else { *credits };
        Markup::new("span").class("payer").child(name).text(" ").child(amount_in_full(words, part))
    };
    Markup::new("dd").children(why.paid.iter().map(part))
}
