//! `/billing/purchases`: what was bought, newest first.

use super::{PURCHASE, PURCHASES, external, go};
use crate::backend::purchases::{Cause, Purchase};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount_bare, cell, number, number_of, table, time};
use crate::server_fns::Moment;
use ledger::Words;

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let purchases = asked.backend.purchases(&asked.org, asked.get("before")).await?;
    let title = "Purchases".to_owned();
    let buy = Markup::new("div").class("controls").child(go(PURCHASE, "Purchase credits"));
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(&title)).child(buy);
    let body = Markup::new("div").class("page billing").child(head);
    if purchases.is_empty() {
        let text = "Nothing was bought yet. Credits that are bought come at once and never expire.";
        let panel = Markup::new("section").class("panel").child(Markup::new("p").class("muted").text(text));
        return Ok(Written { title, body: body.child(panel) });
    }
    let words = &asked.org.words;
    let rows = purchases.iter().map(|(purchase, at)| row(words, purchase, at));
    let unit = format!("{}\t", format::unit_head(words));
    let heads = ["Purchase", "Ordered", "State", unit.as_str(), "Total\t"];
    let list = table("table-scroll", "Purchases", &heads, rows, None);
    let older = purchases.last().filter(|(purchase, _)| purchase.id.0 > 1).map(|(purchase, _)| {
        let href = format!("{PURCHASES}?before={}", purchase.id);
        Markup::new("p")
            .class("turn")
            .child(Markup::new("a").class("button").attr("href", &href).attr("rel", "external").text("Older"))
    });
    let panel = Markup::new("section").class("panel").attr("aria-label", "Purchases").child(list).children(older);
    Ok(Written { title, body: body.child(panel) })
}

fn row(words: &Words, purchase: &Purchase, at: &Moment) -> Markup {
    let href = format!("{PURCHASES}/{}", purchase.id);
    let name = Markup::new("th").attr("scope", "row").child(external(&href, &purchase.quote.title));
    Markup::new("tr")
        .child(name)
        .child(Markup::new("td").child(time(at)))
        .child(cell(state(purchase)))
        .child(number_of(amount_bare(words, purchase.quote.credits)))
        .child(number(&purchase.quote.gross().map(format::money).unwrap_or_default()))
}

/// How far a purchase has come, in a word or two.
pub(super) const fn state(purchase: &Purchase) -> &'static str {
    match (purchase.paid_at, purchase.closed_at, purchase.cause) {
        (Some(_), _, Cause::TopUp) => "Paid, by auto top-up",
        (Some(_), ..) => "Paid",
        (None, Some(_), _) => "Given up",
        (None, None, _) => "Not paid",
    }
}
