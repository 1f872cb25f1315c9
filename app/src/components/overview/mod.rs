//! The Overview page: how much is left, what used it, will it last. Still parts, put together on the server.

pub mod account;
pub mod cards;
pub mod charts;
pub mod prices;
pub mod transactions;

use crate::components::banner::More;
use crate::markup::{Markup, time};
use crate::server_fns::Moment;

/// The page's head. `noun` is what there is to buy, `more` how whoever looks comes by it, `seen` the end of
/// the chain that the figures are of.
#[must_use]
pub fn head(as_of: &Moment, noun: &str, more: More, seen: &str) -> Markup {
    let updated = Markup::new("p").class("muted").text("Last updated ").child(time(as_of));
    let refresh = Markup::new("a").class("button").attr("href", "/").attr("data-refresh", "").text("Refresh");
    let (href, text) = more.link(noun);
    let buy = Markup::new("a").class("button primary").attr("href", href).attr("rel", "external").text(&text);
    let plain =
        |href: &str, text: &str| Markup::new("a").class("button").attr("href", href).attr("rel", "external").text(text);
    let controls = Markup::new("div")
        .class("controls")
        .child(refresh)
        .child(plain("/help/api", "Try the API"))
        .child(plain("/exports/transactions.csv", "Download history"))
        .child(buy);
    Markup::new("div")
        .class("page-head")
        .attr("data-live", seen)
        .child(Markup::new("h1").text("Overview"))
        .child(updated)
        .child(controls)
}

/// A panel with a heading and a line beside it.
fn panel(id: &'static str, title: &str, beside: &str) -> Markup {
    let title = Markup::new("h2").attr("id", id).text(title);
    let head = Markup::new("div").class("panel-head").child(title);
    let head = if beside.is_empty() { head } else { head.child(Markup::new("p").class("muted").text(beside)) };
    Markup::new("section").class("panel").attr("aria-labelledby", id).child(head)
}

/// Panels beside each other where there is room.
#[must_use]
pub fn side_by_side(class: &str, panels: impl IntoIterator<Item = Markup>) -> Markup {
    Markup::new("div").class(class).children(panels)
}
