//! Customers: on whose behalf credits were used. Users and tenants by what they cost, and the interactions behind them.
//!
//! Server only: the pages stand still ([`crate::components::written`]). Period and filters are those of Analytics' [`View`] and travel
//! in every link.

pub mod data;
pub mod interaction;
pub mod interactions;
pub mod list;
pub mod one;
mod period;

use self::data::{Used, Who};
use crate::format;
use crate::markup::{Markup, amount_bare, number, number_of};
use crate::query;
use crate::view::View;
use ledger::{Credits, Words};

/// The page of a user or tenant, with the view that led there.
#[must_use]
pub fn customer_href(who: Who, id: &str, view: &View) -> String {
    view.at(&query::place(&format!("/{}", who.many()), id))
}

/// The page of an interaction, with the view that led there.
#[must_use]
pub fn interaction_href(id: &str, view: &View) -> String {
    view.at(&query::place("/interactions", id))
}

/// A link that the browser itself follows: see [`crate::components::written`].
fn anchor(href: &str) -> Markup {
    Markup::new("a").attr("href", href).attr("rel", "external")
}

/// The same with its text.
#[must_use]
pub fn link(href: &str, text: &str) -> Markup {
    anchor(href).text(text)
}

/// The lists, of which one is open.
fn tabs(current: &str, view: &View) -> Markup {
    let tab = |(path, title): (&str, &str)| {
        anchor(&view.at(path)).maybe_attr("aria-current", (path == current).then_some("page")).text(title)
    };
    let lists = [(Who::User.list(), "Users"), (Who::Tenant.list(), "Tenants"), (interactions::PATH, "Interactions")];
    Markup::new("nav").class("segments").attr("aria-label", "Customers").children(lists.into_iter().map(tab))
}

/// The cells of what was used: credits, their share of a whole, events, failed ones, data.
fn used_cells(words: &Words, used: &Used, whole: Credits) -> [Markup; 5] {
    let share = format::share(used.credits, whole).unwrap_or_default();
    let failed = Markup::new("td").class(if used.failed == 0 { "number zero" } else { "number" });
    [
        number_of(amount_bare(words, used.credits)),
        number(&share),
        number(&format::count(used.events)),
        failed.text(&format::count(used.failed)),
        number(&data_size(used.bytes)),
    ]
}

/// What stands above [`used_cells`].
fn used_heads(words: &Words) -> [String; 5] {
    [format!("{}\t", format::unit_head(words)), "Share\t".into(), "Events\t".into(), "Failed\t".into(), "Data\t".into()]
}

/// An amount of data as people read it: `0 B`, `1.2 kB`, `34 MB`.
#[must_use]
pub fn data_size(bytes: i64) -> String {
    let (mut unit, mut name) = (1_i64, "B");
    for next in ["kB", "MB", "GB", "TB"] {
        if bytes / unit < 1_000 {
            break;
        }
        (unit, name) = (unit * 1_000, next);
    }
    if unit == 1 {
        return format!("{bytes} B");
    }
    let tenths = bytes / (unit / 10);
    if tenths < 100 { format!("{}.{} {name}", tenths / 10, tenths % 10) } else { format!("{} {name}", tenths / 10) }
}

/// A way to the next page of a list, and back to its beginning.
fn turn(view: &View, path: &str, (after, prefix): (&str, &str), next: Option<&str>) -> Option<Markup> {
    let at = |after: &str| {
        let mut text = view.query();
        for (name, value) in [("q", prefix), ("after", after)].into_iter().filter(|(_, value)| !value.is_empty()) {
            query::push(&mut text, name, value);
        }
        if text.is_empty() { path.to_owned() } else { format!("{path}?{text}") }
    };
    let button = |href: &str, text: &str| anchor(href).class("button").text(text);
    let first = (!after.is_empty()).then(|| button(&at(""), "First page"));
    let next = next.map(|next| button(&at(next), "Next page"));
    (first.is_some() || next.is_some()).then(|| Markup::new("p").class("turn").children(first.into_iter().chain(next)))
}
