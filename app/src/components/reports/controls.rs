//! What a report is of: period, steps, what a line is about, filters. Links and GET forms only.

use super::{Shown, way};
use crate::calendar::{Day, Preset, presets};
use crate::filters;
use crate::markup::{Markup, hidden, span};
use crate::report::{By, PATH, Question, at};
use crate::span::Bound;
use crate::view::View;
use ledger::{Dimension, Facet, Interval, Words};

/// Values of a dimension that are ticked here; of more, those chosen are listed, and Analytics has the rest.
const MAX_BOXES: usize = 100;
const INTERVALS: [(Interval, &str); 4] = [
    (Interval::None, "Whole period"),
    (Interval::Day, "Each day"),
    (Interval::Week, "Each week"),
    (Interval::Month, "Each month"),
];

/// All of it.
pub(super) fn controls(shown: &Shown, words: &Words) -> Markup {
    let question = &shown.report.question;
    Markup::new("div")
        .class("report-controls")
        .child(about(question, words))
        .child(period(shown))
        .child(Markup::new("div").class("filter-bar").child(filter(shown, words)).child(chips(shown, words)))
}

/// The files of it.
pub(super) fn files(shown: &Shown) -> Markup {
    let (from, to) = shown.report.days;
    let question = Question { view: shown.report.question.view.with_range(from, to), ..shown.report.question.clone() };
    let file = |path: &str, text: &str| {
        let link = Markup::new("a").class("button").attr("href", &question.at(path)).attr("download", "");
        link.attr("rel", "external").text(text)
    };
    let controls = Markup::new("div").class("controls").child(file("/exports/report.csv", "CSV"));
    controls.child(file("/exports/report.xlsx", "Excel workbook")).child(file("/exports/focus.csv", "FOCUS 1.0"))
}

/// By what it is told apart.
fn about(question: &Question, words: &Words) -> Markup {
    let mut offered = By::offered().to_vec();
    if !offered.contains(&question.by) {
        offered.push(question.by.clone());
    }
    let choice = |by: By| {
        let is_it = by == question.by;
        let title = by.title(words);
        let to = Question { by, ..question.clone() };
        way(&to.at(PATH)).maybe_attr("aria-current", is_it.then_some("true")).text(&title)
    };
    let label = Markup::new("span").class("segments-label").text("By");
    Markup::new("nav")
        .class("segments wrap")
        .attr("aria-label", "Lines by")
        .child(label)
        .children(offered.into_iter().map(choice))
}

fn period(shown: &Shown) -> Markup {
    let question = &shown.report.question;
    let option = |(interval, title): (Interval, &str)| {
        let chosen = (interval == question.interval).then_some("");
        Markup::new("option").attr("value", interval.as_str()).maybe_attr("selected", chosen).text(title)
    };
    let steps = Markup::new("select").attr("name", "interval").children(INTERVALS.map(option));
    let steps = Markup::new("label").child(span("A line for")).child(steps);
    let href = |range| {
        let view = View { range: Some(range), ..question.view.clone() };
        Question { view, ..question.clone() }.at(PATH)
    };
    let kept = question.pairs().into_iter().filter(|(name, _)| name != "interval").collect();
    let form = days_form(PATH, kept, shown.report.days, Some(steps));
    let quick = quick_periods(shown.report.days, shown.today, href);
    Markup::new("div").class("report-period").child(form).child(quick)
}

/// A form for first and last day that keeps the rest of an address, and what else it asks.
pub(crate) fn days_form(path: &str, kept: Vec<(String, String)>, days: (Day, Day), more: Option<Markup>) -> Markup {
    let date = |name: &'static str, title: &str, value: &str| {
        let input = Markup::new("input").attr("type", "date").attr("name", name).attr("value", value);
        Markup::new("label").child(span(title)).child(input.attr("required", ""))
    };
    let kept = kept.into_iter().filter(|(name, _)| !matches!(name.as_str(), "from" | "to")).collect();
    let form = Markup::new("form").class("fields").attr("method", "get").attr("action", path);
    form.attr("aria-label", "Period")
        .children(hidden(kept))
        .child(date("from", "From", &days.0.iso()))
        .child(date("to", "To", &days.1.iso()))
        .children(more)
        .child(Markup::new("button").class("button primary").text("Show"))
}

/// Links to periods that people name.
pub(crate) fn quick_periods(days: (Day, Day), today: Day, href: impl Fn((Bound, Bound)) -> String) -> Markup {
    let preset = |preset: Preset| {
        let is_it = preset.days(today) == days;
        let link = way(&href(preset.range)).maybe_attr("aria-current", is_it.then_some("true"));
        Markup::new("li").child(link.text(preset.title))
    };
    // Single days say little in a table.
    let offered = presets(today).into_iter().skip(2).map(preset);
    Markup::new("ul").class("report-presets").attr("aria-label", "Periods").children(offered)
}

/// What can be ticked, behind a summary that needs no script.
fn filter(shown: &Shown, words: &Words) -> Markup {
    let question = &shown.report.question;
    let is_kept = |name: &str| !matches!(name, "type" | "source" | "project");
    let kept = question.pairs().into_iter().filter(|(name, _)| is_kept(name)).collect();
    let apply = Markup::new("button").class("button primary").text("Apply");
    let form = Markup::new("form").attr("method", "get").attr("action", PATH).attr("aria-label", "Filter");
    let form = form
        .children(hidden(kept))
        .children(Dimension::BASE.map(|dimension| boxes(shown, &dimension, words)))
        .child(more(shown, words))
        .child(Markup::new("p").class("turn").child(apply));
    let summary = Markup::new("summary").class("button").text("Filter");
    Markup::new("details").class("report-filter").child(summary).child(form)
}

fn boxes(shown: &Shown, dimension: &Dimension, words: &Words) -> Markup {
    let (view, title) = (&shown.report.question.view, filters::title(dimension, words));
    let name = dimension.name();
    let choice = |(value, text): &(String, String)| {
        let chosen = view.with_value(dimension, value, true) == *view;
        let tick = Markup::new("input").attr("type", "checkbox").attr("name", &name).attr("value", value);
        let tick = tick.maybe_attr("checked", chosen.then_some(""));
        Markup::new("label").class("choice").child(tick).child(span(text))
    };
    let offered = filters::offered(&shown.cube, view, dimension);
    let chosen = |value: &String| filters::chosen_of(view, dimension).contains(value);
    let offered = offered.iter().enumerate().filter(|(place, (value, _))| *place < MAX_BOXES || chosen(value));
    Markup::new("fieldset")
        .child(Markup::new("legend").text(&title))
        .children(offered.map(|(_, offered)| choice(offered)))
}

/// Of these there may be any number: Analytics lists and searches them.
fn more(shown: &Shown, words: &Words) -> Markup {
    let view = &shown.report.question.view;
    let to = |facet: Facet| {
        let mut pairs = view.pairs();
        pairs.push(("filter".to_owned(), facet.name()));
        let title = filters::title(&Dimension::Facet(facet), words);
        way(&at("/analytics", &pairs)).text(&format!("{title}\u{2026}"))
    };
    let links = [Facet::Workflow, Facet::User, Facet::Tenant, Facet::Status].map(to);
    Markup::new("p").class("report-more").text("Choose in Analytics: ").children(links)
}

fn chips(shown: &Shown, words: &Words) -> Markup {
    let question = &shown.report.question;
    let chosen = filters::chosen(&shown.cube, &question.view);
    let list = Markup::new("ul").attr("aria-label", "Filters in force");
    let without = |view| Question { view, ..question.clone() }.at(PATH);
    let chips = Markup::new("div").class("chips");
    if chosen.is_empty() {
        return chips.child(list.child(Markup::new("li").class("chips-none").text("No filters")));
    }
    let chip = |chosen: &filters::Chosen| {
        let title = filters::title(&chosen.dimension, words);
        let label = format!("Take away the filter {title}: {}", chosen.text);
        let href = without(question.view.with_value(&chosen.dimension, &chosen.value, false));
        let remove = way(&href);
        let remove = remove.attr("aria-label", &label).attr("title", &label).text("\u{d7}");
        let name = Markup::new("span").class("chip-name").text(&title);
        Markup::new("li").class("chip").child(name).child(span(&chosen.text)).child(remove)
    };
    let clear = way(&without(question.view.without_filters())).class("chips-clear").text("Clear all");
    chips.child(list.children(chosen.iter().map(chip)).child(Markup::new("li").child(clear)))
}
