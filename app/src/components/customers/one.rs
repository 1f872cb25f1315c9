//! One user or tenant: what it used, over time, of which credit types, and with whom.

use super::data::{Customer, Interactions, SHORT, Slot, TypeUse, Used, Who};
use super::list::{lines, view};
use super::period::controls;
use super::{data_size, interactions, link};
use crate::charts::{Column, ColumnChart};
use crate::components::crumbs::crumbs;
use crate::components::stat_card::stat_card;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format::{self, short};
use crate::markup::{Markup, amount_bare, number, number_of, row, span, table};
use crate::query;
use crate::view::View;
use ledger::{Credits, Dimension, Words};

/// Widths in px: of a column at least, of the panel inside.
const COLUMN: usize = 34;
const WHOLE: usize = 1_118;
const HEIGHT: u32 = 200;

/// The page.
///
/// # Errors
/// [`AppError::NotFound`] for an id that nobody ever said, or what the store says.
pub async fn page(asked: &Asked<'_>, who: Who, id: &str) -> Result<Written, AppError> {
    let view = view(asked);
    let customer = asked.backend.customer(&asked.org, who, id, &view).await?;
    let (words, zone) = (&asked.org.words, asked.org.zone.name());
    let above = [(Who::User.list(), "Customers"), (who.list(), if who == Who::User { "Users" } else { "Tenants" })];
    let above = above.map(|(path, title)| (view.at(path), title));
    let above: Vec<(&str, &str)> = above.iter().map(|(href, title)| (href.as_str(), *title)).collect();
    let own = view.with_value(&Dimension::Facet(who.facet()), id, true);
    let links = Markup::new("p").class("controls").child(
        Markup::new("a").class("button").attr("href", &own.href()).attr("rel", "external").text("Open in Analytics"),
    );
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").class("id").text(id))
        .child(Markup::new("span").class("badge small").text(who.title()))
        .child(links);
    let path = query::place(&format!("/{}", who.many()), id);
    let other = who.other();
    let others = Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", "others-title")
        .child(others_head(who, &own, &customer))
        .child(lines(words, other, &own, &customer.others));
    let body = Markup::new("div")
        .class("page customers")
        .child(crumbs(&above))
        .child(head)
        .child(controls(&path, &view, &customer.days, None, words))
        .child(figures(words, &customer.used))
        .child(over_time(words, &customer, zone))
        .child(types(words, &customer.types, &own))
        .child(interactions(words, who, &own, &customer.interactions))
        .child(others);
    Ok(Written { title: id.to_owned(), body })
}

fn interactions(words: &Words, who: Who, own: &View, found: &Interactions) -> Markup {
    let more = found
        .next
        .is_some()
        .then(|| Markup::new("p").class("panel-link").child(link(&own.at(interactions::PATH), "All interactions")));
    let panel = Markup::new("section").class("panel").attr("aria-labelledby", "own-title").child(
        Markup::new("div")
            .class("panel-head")
            .child(Markup::new("h2").attr("id", "own-title").text("Interactions"))
            .child(
                Markup::new("p")
                    .class("muted")
                    .text("Heaviest first; each under whom it is mapped to, or whom the first of its events names"),
            )
            .children(more),
    );
    if found.lines.is_empty() {
        return panel.child(Markup::new("p").class("muted").text("None in these days."));
    }
    panel.child(interactions::lines(words, own, &found.lines, Some(who)))
}

fn others_head(who: Who, own: &View, customer: &Customer) -> Markup {
    let other = who.other();
    let title = match who {
        Who::Tenant => "Its users",
        Who::User => "Its tenants",
    };
    let more = (customer.others.count > SHORT).then(|| {
        let text = format!("All {} {}", customer.others.count, other.many());
        Markup::new("p").class("panel-link").child(link(&own.at(other.list()), &text))
    });
    Markup::new("div")
        .class("panel-head")
        .child(Markup::new("h2").attr("id", "others-title").text(title))
        .children(more)
}

fn figures(words: &Words, used: &Used) -> Markup {
    let plain = |label: &str, figure: &str, remark: &str| {
        Markup::new("div")
            .class("stat")
            .child(Markup::new("h2").class("stat-label").text(label))
            .child(Markup::new("p").class("stat-figure").text(figure))
            .child(Markup::new("p").class("stat-remark").text(remark))
    };
    let average = if used.events > 0 { format::per_day(used.credits, used.events) } else { Credits::ZERO };
    let over = format!("Over {}", format::counted(used.events, "event", "events"));
    let failed =
        if used.failed == 0 { "None failed".to_owned() } else { format!("{} failed", format::count(used.failed)) };
    Markup::new("div")
        .class("stats four")
        .child(stat_card(words, "Used", used.credits, "In these days"))
        .child(plain("Events", &format::count(used.events), &failed))
        .child(stat_card(words, "Average per event", average, &over))
        .child(plain("Data transferred", &data_size(used.bytes), "In these days"))
}

fn over_time(words: &Words, customer: &Customer, zone: &str) -> Markup {
    let column = |slot: &Slot| Column {
        head: slot.head.clone(),
        foot: slot.foot.clone(),
        title: format!("{}: {}", slot.name, format::bare(words, slot.credits)),
        value: slot.credits.micros(),
        amounts: if slot.credits.is_zero() {
            Vec::new()
        } else {
            vec![format::bare(words, slot.credits), format::credits(slot.credits, 0)]
        },
        incomplete: slot.incomplete,
    };
    let columns: Vec<Column> = customer.columns.iter().map(column).collect();
    let title = format!("{} per {}", format::unit_head(words), customer.step);
    let about = format!("{} in all. The table below has every {}.", short(words, customer.used.credits), customer.step);
    let width = u32::try_from((columns.len() * COLUMN).max(WHOLE)).unwrap_or(u32::MAX);
    let chart =
        ColumnChart { id: "over-time", title: &title, description: &about, width, height: HEIGHT, columns: &columns };
    let drawing = Markup::new("div")
        .class("still-chart scrolls")
        .attr("tabindex", "0")
        .attr("role", "region")
        .attr("aria-label", "Usage over time, chart")
        .child(Markup::new("div").drawing(&chart.draw()));
    let rows =
        customer.columns.iter().rev().map(|slot| row(span(&slot.name), [number_of(amount_bare(words, slot.credits))]));
    let unit = format!("{}\t", format::unit_head(words));
    let table = table("table-scroll tall", "What the chart shows", &["When", &unit], rows, None);
    let behind = Markup::new("details").class("behind").child(Markup::new("summary").text("As a table")).child(table);
    Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", "time-title")
        .child(
            Markup::new("div")
                .class("panel-head")
                .child(Markup::new("h2").attr("id", "time-title").text(&title))
                .child(Markup::new("p").class("muted").text(&format!("Days in {zone}"))),
        )
        .child(drawing)
        .child(behind)
}

fn types(words: &Words, types: &[TypeUse], own: &View) -> Markup {
    let line = |used: &TypeUse| {
        let cells =
            [number_of(amount_bare(words, used.credits)), number(&format::count(used.events)), number(&used.quantity)];
        row(link(&own.with_type(Some(&used.meter)).href(), &used.title), cells)
    };
    let unit = format!("{}\t", format::unit_head(words));
    let panel = Markup::new("section").class("panel").attr("aria-labelledby", "types-title").child(
        Markup::new("div")
            .class("panel-head")
            .child(Markup::new("h2").attr("id", "types-title").text("By credit type")),
    );
    if types.is_empty() {
        return panel
            .child(Markup::new("p").class("muted").text("Nothing was used in these days: choose others above."));
    }
    let heads = ["Credit type", &unit, "Events\t", "Quantity\t"];
    panel.child(table("table-scroll", "Usage by credit type", &heads, types.iter().map(line), None))
}
