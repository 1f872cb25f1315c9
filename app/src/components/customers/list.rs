//! Users or tenants, heaviest first; what belongs to nobody stands above them and leads to where it can be mapped.

use super::data::{Listing, PAGE, Who};
use super::interactions::PATH;
use super::period::{Search, controls};
use super::{anchor, customer_href, tabs, turn, used_cells, used_heads};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format::{self, counted};
use crate::markup::{Markup, row, table};
use crate::view::View;
use ledger::{Dimension, Words};

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>, who: Who) -> Result<Written, AppError> {
    let view = view(asked);
    let (after, prefix) = (asked.get("after"), asked.get("q").trim());
    let listing = asked.backend.customers(&asked.org, who, &view, (after, prefix), PAGE).await?;
    let words = &asked.org.words;
    let label = match who {
        Who::User => "User begins with",
        Who::Tenant => "Tenant begins with",
    };
    let search = Search { name: "q", label, value: prefix };
    let head =
        Markup::new("div").class("page-head").child(Markup::new("h1").text("Customers")).child(tabs(who.list(), &view));
    let body = Markup::new("div")
        .class("page customers")
        .child(head)
        .child(controls(who.list(), &view, &listing.days, Some(&search), words))
        .child(panel(words, who, &view, &listing, (after, prefix)));
    let title = format!("Customers: {}", who.many());
    Ok(Written { title, body })
}

/// What the address says of period and filters.
pub(super) fn view(asked: &Asked<'_>) -> View {
    let mut text = String::new();
    asked.query.iter().for_each(|(name, value)| crate::query::push(&mut text, name, value));
    View::parse(&text)
}

fn panel(words: &Words, who: Who, view: &View, listing: &Listing, (after, prefix): (&str, &str)) -> Markup {
    let panel = Markup::new("section").class("panel").attr("aria-labelledby", "customers-title");
    let told = counted(i64::try_from(listing.count).unwrap_or(i64::MAX), who.name(), who.many());
    let head = Markup::new("div")
        .class("panel-head")
        .child(Markup::new("h2").attr("id", "customers-title").text(&told))
        .child(
            Markup::new("p").class("muted").text(&format!("{} in all", format::short(words, listing.total.credits))),
        );
    let turn = turn(view, who.list(), (after, prefix), listing.next.as_deref());
    if listing.total.events == 0 {
        return panel.child(head).child(empty(who));
    }
    panel.child(head).child(lines(words, who, view, listing)).children(turn)
}

/// The table, also as part of another page.
pub(super) fn lines(words: &Words, who: Who, view: &View, listing: &Listing) -> Markup {
    let whole = listing.total.credits;
    let line = |(id, used): &(String, _)| {
        row(anchor(&customer_href(who, id, view)).class("name").text(id), used_cells(words, used, whole))
    };
    let unsaid = (listing.unsaid.events > 0).then(|| {
        let to = view.with_value(&Dimension::Facet(who.facet()), "", true).at(PATH);
        let head = anchor(&to).class("unmapped").text(&format!("No {}", who.name()));
        row(head, used_cells(words, &listing.unsaid, whole))
    });
    let heads = used_heads(words);
    let heads: Vec<&str> = std::iter::once(who.title()).chain(heads.iter().map(String::as_str)).collect();
    let foot = Markup::new("tr").child(Markup::new("th").attr("scope", "row").text("All")).children(used_cells(
        words,
        &listing.total,
        whole,
    ));
    let label = format!("{}s by what they used", who.title());
    let nothing = listing.lines.is_empty().then(|| {
        let text = format!("No {} of that name used anything in these days.", who.name());
        Markup::new("tr").child(Markup::new("td").attr("colspan", "6").class("muted").text(&text))
    });
    let rows = unsaid.into_iter().chain(listing.lines.iter().map(line)).chain(nothing);
    table("table-scroll", &label, &heads, rows, Some(foot))
}

fn empty(who: Who) -> Markup {
    let say = format!(
        "Nothing was used in these days. An event says on whose behalf it is: as {0} of its data, or as the {0} that its \
         interaction is mapped to, also after the fact.",
        who.name()
    );
    let curl = "curl -X PUT \u{2026}/api/v1/interactions/visit-17 \\\n  -H \"Authorization: Bearer scrip_\u{2026}\" \\\n  \
                -H \"content-type: application/json\" \\\n  -d '{\"user\":\"dr-lund\",\"tenant\":\"clinic-3\"}'";
    let shown = Markup::new("pre").attr("tabindex", "0").attr("aria-label", "Command that maps an interaction");
    Markup::new("div")
        .class("empty-state")
        .child(Markup::new("p").text(&say))
        .child(shown.child(Markup::new("code").text(curl)))
}
