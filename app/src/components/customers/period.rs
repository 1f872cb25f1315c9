//! Which days, and what else narrows a list down: links to named periods, a plain form for any other, and what is chosen.

use super::anchor;
use super::data::Days;
use crate::calendar::{Preset, presets, range_text};
use crate::filters;
use crate::markup::{Markup, hidden, span};
use crate::query;
use crate::view::View;
use ledger::{Dimension, Facet, Words};

/// Periods that have a link of their own.
const NAMED: [&str; 5] = ["Today", "Last 7 days", "Last 30 days", "This month", "Last 90 days"];

/// A field of the form beside the days: its name in the address, what it is called, what is in it.
pub struct Search<'s> {
    /// In the address.
    pub name: &'static str,
    /// For people.
    pub label: &'static str,
    /// What was typed.
    pub value: &'s str,
}

/// The controls of a page at `path`.
#[must_use]
pub fn controls(path: &str, view: &View, days: &Days, search: Option<&Search<'_>>, words: &Words) -> Markup {
    let panel = Markup::new("section").class("panel period").attr("aria-label", "Period and filters");
    let chosen = chosen(path, view, search, words);
    panel.child(named(path, view, days, search)).child(form(path, view, days, search)).children(chosen)
}

fn address(path: &str, view: &View, search: Option<&Search<'_>>) -> String {
    let mut text = view.query();
    if let Some(search) = search.filter(|search| !search.value.is_empty()) {
        query::push(&mut text, search.name, search.value);
    }
    if text.is_empty() { path.to_owned() } else { format!("{path}?{text}") }
}

fn named(path: &str, view: &View, days: &Days, search: Option<&Search<'_>>) -> Markup {
    let link = |preset: Preset| {
        let current = (preset.days(days.today) == (days.from, days.to)).then_some("true");
        let to = View { range: Some(preset.range), ..view.clone() };
        anchor(&address(path, &to, search)).maybe_attr("aria-current", current).text(preset.title)
    };
    let presets = presets(days.today).into_iter().filter(|preset| NAMED.contains(&preset.title));
    let head = Markup::new("h2").text(&range_text(days.from, days.to));
    let links = Markup::new("div").class("segments").attr("role", "group").attr("aria-label", "Named periods");
    Markup::new("div").class("panel-head").child(head).child(links.children(presets.map(link)))
}

fn form(path: &str, view: &View, days: &Days, search: Option<&Search<'_>>) -> Markup {
    let field = |name: &str, label: &str, kind: &str, value: &str| {
        let input = Markup::new("input").attr("type", kind).attr("name", name).attr("value", value);
        let input = input.maybe_attr("maxlength", (kind == "search").then_some("256"));
        Markup::new("label").child(span(label)).child(input)
    };
    let kept = View { range: None, ..view.clone() };
    let form = Markup::new("form").class("fields").attr("method", "get").attr("action", path);
    form.children(hidden(kept.pairs()))
        .child(field("from", "First day", "date", &days.from.iso()))
        .child(field("to", "Last day", "date", &days.to.iso()))
        .children(search.map(|search| field(search.name, search.label, "search", search.value)))
        .child(Markup::new("button").class("button").text("Show"))
}

/// What is chosen, each with a link without it.
fn chosen(path: &str, view: &View, search: Option<&Search<'_>>, words: &Words) -> Option<Markup> {
    let of = |dimension: Dimension, values: &[String]| {
        values.iter().map(|value| (dimension.clone(), value.clone())).collect::<Vec<_>>()
    };
    let facets = view.facets.iter().map(|(facet, value)| (Dimension::Facet(facet.clone()), value.clone()));
    let all: Vec<(Dimension, String)> = of(Dimension::Project, &view.projects)
        .into_iter()
        .chain(of(Dimension::Source, &view.sources))
        .chain(facets.filter(|(dimension, _)| *dimension != Dimension::Facet(Facet::Status)))
        .collect();
    let chip = |(dimension, value): &(Dimension, String)| {
        let text = format!("{}: {}", filters::title(dimension, words), filters::unknown(dimension, value));
        let href = address(path, &view.with_value(dimension, value, false), search);
        let link = anchor(&href).class("chip").attr("title", "Leave this filter out");
        Markup::new("li").child(link.text(&text).child(Markup::new("span").attr("aria-hidden", "true").text(" \u{d7}")))
    };
    (!all.is_empty())
        .then(|| Markup::new("ul").class("chosen").attr("aria-label", "Filters").children(all.iter().map(chip)))
}
