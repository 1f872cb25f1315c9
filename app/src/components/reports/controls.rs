//! What a report is of: period, steps, what a line is about, filters. Links and GET forms only.

use super::Shown;
use crate::calendar::presets;
use crate::filters;
use crate::markup::{Markup, hidden, link, span};
use crate::report::{By, PATH, Question, at};
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
    controls.child(file("/exports/report.xlsx", "Excel workbook"))
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
        link(&to.at(PATH), &title).attr("rel", "external").maybe_attr("aria-current", is_it.then_some("true"))
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
    let (from, to) = shown.report.days;
    let date = |name: &'static str, title: &str, value: &str| {
        let input = Markup::new("input").attr("type", "date").attr("name", name).attr("value", value);
        Markup::new("label").child(span(title)).child(input.attr("required", ""))
    };
    let option = |(interval, title): (Interval, &str)| {
        let chosen = (interval == question.interval).then_some("");
        Markup::new("option").attr("value", interval.as_str()).maybe_attr("selected", chosen).text(title)
    };
    let steps = Markup::new("select").attr("name", "interval").children(INTERVALS.map(option));
    let steps = Markup::new("label").child(span("A line for")).child(steps);
    let kept = question.pairs().into_iter().filter(|(name, _)| !matches!(name.as_str(), "from" | "to" | "interval"));
    let form = Markup::new("form").class("fields").attr("method", "get").attr("action", PATH);
    let form = form
        .attr("aria-label", "Period")
        .children(hidden(kept.collect()))
        .child(date("from", "From", &from.iso()))
        .child(date("to", "To", &to.iso()))
        .child(steps)
        .child(Markup::new("button").class("button primary").text("Show"));
    let preset = |preset: crate::calendar::Preset| {
        let view = crate::view::View { range: Some(preset.range), ..question.view.clone() };
        let to = Question { view, ..question.clone() };
        let is_it = preset.days(shown.today) == shown.report.days;
        let link = link(&to.at(PATH), preset.title).attr("rel", "external");
        Markup::new("li").child(link.maybe_attr("aria-current", is_it.then_some("true")))
    };
    let quick = presets(shown.today).into_iter().skip(2).map(preset);
    let quick = Markup::new("ul").class("report-presets").attr("aria-label", "Periods").children(quick);
    Markup::new("div").class("report-period").child(form).child(quick)
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
        link(&at("/analytics", pairs), &format!("{title}\u{2026}")).attr("rel", "external")
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
        let remove = Markup::new("a").attr("href", &href).attr("rel", "external");
        let remove = remove.attr("aria-label", &label).attr("title", &label).text("\u{d7}");
        let name = Markup::new("span").class("chip-name").text(&title);
        Markup::new("li").class("chip").child(name).child(span(&chosen.text)).child(remove)
    };
    let clear = link(&without(question.view.without_filters()), "Clear all").attr("rel", "external");
    chips.child(list.children(chosen.iter().map(chip)).child(Markup::new("li").child(clear.class("chips-clear"))))
}
