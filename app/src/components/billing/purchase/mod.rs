//! Buying credits: choose and confirm, the page of a purchase, stored methods, the sandbox's own page, and what operators see.

pub mod choose;
pub mod list;
pub mod methods;
pub mod operator;
pub mod sandbox;
pub mod state;

use crate::format;
use crate::markup::Markup;
use ledger::payment::Provider;

/// Where somebody chooses what to buy.
pub const PURCHASE: &str = "/billing/purchase";
/// The list of purchases; a purchase is below it.
pub const PURCHASES: &str = "/billing/purchases";
/// Stored payment methods.
pub const METHODS: &str = "/billing/methods";
/// The sandbox's pages are below it.
pub const SANDBOX: &str = "/billing/sandbox";
/// Stands in the address of a purchase's page for whoever comes back from the provider.
pub const BACK: &str = "back=yes";
/// What operators see of payments.
pub const OPERATOR: &str = "/operator/payments";

/// How people are told that they can pay there.
#[must_use]
pub const fn way(provider: Provider) -> (&'static str, &'static str) {
    match provider {
        Provider::Sandbox => ("Test card", "The built-in sandbox: no money moves"),
        Provider::Stripe => ("Card or other method", "On the pages of Stripe"),
        Provider::BankTransfer => ("Bank transfer", "It counts when the money is there, in some days"),
    }
}

/// A link to a page that stands still.
fn external(href: &str, text: &str) -> Markup {
    Markup::new("a").attr("href", href).attr("rel", "external").text(text)
}

/// The same, as the button that most people came for.
pub(super) fn go(href: &str, text: &str) -> Markup {
    Markup::new("a").class("button primary").attr("href", href).attr("rel", "external").text(text)
}

/// A form of ours, with its class.
pub(super) fn form_as(action: &str, act: &str, class: &str) -> Markup {
    let form = Markup::new("form").attr("method", "post").attr("action", action).class(class);
    form.child(crate::components::people::parts::hidden("do", act))
}

/// Net, tax and total of something.
fn sum(quote: &crate::backend::purchases::Quote) -> Markup {
    let line = |name: &str, value: &str| {
        Markup::new("tr")
            .child(Markup::new("th").attr("scope", "row").text(name))
            .child(Markup::new("td").class("number").text(value))
    };
    let tax = match quote.tax_name.as_str() {
        "" => "Tax".to_owned(),
        name => name.to_owned(),
    };
    let tax_text = if quote.tax_name.is_empty() { "none".to_owned() } else { format::money(quote.tax) };
    let gross = quote.gross().map(format::money).unwrap_or_default();
    let foot = Markup::new("tfoot").child(line("Total", &gross));
    let body = Markup::new("tbody").child(line(&quote.title, &format::money(quote.net))).child(line(&tax, &tax_text));
    Markup::new("table").class("table purchase-sum").child(body).child(foot)
}

/// The sentence for a code of a form.
fn told(code: &str) -> &'static str {
    match code {
        "package_not_offered" => "This package is not offered any more. Choose another.",
        "bad_purchase_amount" => "Choose a whole number of credits within the bounds that are said there.",
        "purchase_amount_not_expected" => "Say how many credits for a custom amount, and only for that.",
        "purchase_is_free" => "This costs nothing. Credits like these are given by an operator.",
        "purchase_too_dear" => "This costs more than can be paid at once. Choose less.",
        "price_changed" => "The price or the tax has changed meanwhile. Look at it again, then confirm.",
        "bad_payment" => "Choose how you pay.",
        "stale_form" => "This form is too old. Look at it again, then confirm.",
        "idempotency_conflict" => "This form was sent before with something else. Look at it again, then confirm.",
        "missing_reason" => "Say why the money goes back.",
        "refund_not_paid" => "This purchase is not paid: there is nothing to give back.",
        "refund_nothing_left" => "All of this is given back already, or on its way.",
        "refund_all_used" => "All credits of this purchase are used. Give the whole amount back, if you mean to.",
        "refund_disputed" => "The payer\u{2019}s bank asks for this money in a dispute. Answer that first.",
        "not_awaited" => "This payment is not awaited any more.",
        "other_amount" => {
            "This is not the amount that is awaited. Transfers of another amount are not taken: send them back."
        }
        _ => "This was not taken. Check it and send it again.",
    }
}
