//! Reports: usage of any period by whatever it is asked for, as lines that add up to the ledger. Each number leads to what it is
//! made of; the files hold just what the page shows.

pub(crate) mod controls;

use crate::calendar::{Day, range_text};
use crate::components::difference::difference;
use crate::components::empty_state::first_event;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount_bare, cell, number, number_of, table, time};
use crate::report::{By, Cell, Line, PATH, Report};
use crate::server_fns::Moment;
use crate::view::View;
use ledger::{Credits, Cube, Dimension, Facet, Words};

/// Lines of one page.
pub const PAGE: usize = 50;

/// What the page shows.
pub struct Shown {
    /// All of it.
    pub report: Report,
    /// The names of what can be filtered by.
    pub cube: Cube,
    /// Today, in the org's zone.
    pub today: Day,
    /// When it was read.
    pub as_of: Moment,
    /// What it is made from, less the ledger.
    pub difference: Credits,
    /// Whether whoever looks may take files along.
    pub may_export: bool,
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let mut query = String::new();
    asked.query.iter().for_each(|(name, value)| crate::query::push(&mut query, name, value));
    let shown = asked.backend.report(&asked.org, &query).await?;
    let words = &asked.org.words;
    let after = asked.get("after").parse().unwrap_or(0);
    let zone = asked.org.zone.name();
    let body = Markup::new("div").class("page").child(head(&shown, zone)).child(controls::controls(&shown, words));
    let body = if shown.cube.calls.is_empty() && shown.report.question.view == View::default() {
        body.child(first_event(&asked.origin, &asked.org.name, &shown.cube.meters))
    } else {
        body.child(panel(words, &shown, after))
    };
    let body = body.child(difference(words, shown.difference));
    Ok(Written { title: "Reports".to_owned(), body })
}

fn head(shown: &Shown, zone: &str) -> Markup {
    let (from, to) = shown.report.days;
    let told = Markup::new("p").class("muted").text(&format!("{}, days in {zone}, as of ", range_text(from, to)));
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text("Reports"));
    head.child(told.child(time(&shown.as_of))).children(shown.may_export.then(|| controls::files(shown)))
}

fn panel(words: &Words, shown: &Shown, after: usize) -> Markup {
    let report = &shown.report;
    let by = report.question.by.title(words);
    let lines = report.lines.get(after..).unwrap_or_default();
    let title = Markup::new("h2").attr("id", "report").text(&format!("{} by {}", capital_noun(words), lower(&by)));
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let range = match (report.lines.len(), lines.len().min(PAGE)) {
        (0, _) => "Nothing was used that fits".to_owned(),
        (all, here) if here < all => {
            let (first, last) = (count(after + 1), count(after + here));
            format!("Lines {} to {} of {}", format::count(first), format::count(last), format::count(count(all)))
        }
        (all, _) => format::counted(count(all), "line", "lines"),
    };
    let head = Markup::new("div").class("panel-head").child(title).child(Markup::new("p").class("muted").text(&range));
    let panel = Markup::new("section").class("panel report").attr("aria-labelledby", "report").child(head);
    if report.lines.is_empty() {
        let why = "Choose another period, or take filters away. Nothing is missing: the total is nothing as well.";
        return panel.child(Markup::new("p").class("muted").text(why));
    }
    panel.children(note(report)).child(sheet(words, report, &lines[..lines.len().min(PAGE)], &by)).children(turn(
        report,
        after,
        lines.len() > PAGE,
    ))
}

/// Why a column of calls may add up to more than there are.
fn note(report: &Report) -> Option<Markup> {
    let text = match report.question.by {
        By::Operation => {
            "An operation is a call that uses these credit types together; each of its lines counts the same calls. Links lead \
             to all usage of the credit type."
        }
        By::Dimension(Dimension::Type) => {
            "A call that uses several credit types counts for each of them; the total counts it once."
        }
        By::Dimension(_) => return None,
    };
    Some(Markup::new("p").class("muted report-note").text(text))
}

fn sheet(words: &Words, report: &Report, lines: &[Line], by: &str) -> Markup {
    let is_of_numbers = |place: usize| {
        let here = lines.iter().map(|line| &line.cells).chain([&report.totals]);
        here.filter_map(|cells| cells.get(place)).any(is_number)
    };
    let heads = report.columns.iter().enumerate();
    let heads: Vec<String> =
        heads.map(|(place, title)| format!("{title}{}", if is_of_numbers(place) { "\t" } else { "" })).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let rows = lines.iter().map(|line| row(words, line));
    let total = totals(words, report);
    table("table-scroll", &format!("Report by {}", lower(by)), &heads, rows, Some(total))
}

const fn is_number(cell: &Cell) -> bool {
    matches!(cell, Cell::Credits(_) | Cell::Count(_) | Cell::Quantity(_) | Cell::Share(_))
}

/// The begin of a link that the browser itself follows.
fn way(href: &str) -> Markup {
    Markup::new("a").attr("href", href).attr("rel", "external")
}

fn link(view: &View, text: Markup) -> Markup {
    way(&view.href()).child(text)
}

fn plain_link(view: &View, text: &str) -> Markup {
    way(&view.href()).text(text)
}

fn row(words: &Words, line: &Line) -> Markup {
    let last = line.cells.len().saturating_sub(1);
    let mut named = false;
    let cells = line.cells.iter().enumerate().map(|(place, cell_of)| match cell_of {
        Cell::Empty => cell(""),
        Cell::Period(label, iso, incomplete) => {
            let day = Markup::new("time").attr("datetime", iso).text(label);
            let not_over = Markup::new("small").class("muted").text(" not over");
            Markup::new("td").child(day).children(incomplete.then_some(not_over))
        }
        Cell::Text(text) if !named => {
            named = true;
            Markup::new("th").attr("scope", "row").child(plain_link(&line.view, text))
        }
        Cell::Text(text) => cell(text),
        Cell::Share(share) => number(share),
        Cell::Id(id) => Markup::new("td").child(Markup::new("code").text(id)),
        Cell::Credits(credits) => number_of(link(&line.view, amount_bare(words, *credits))),
        Cell::Quantity(quantity) => number(&format::quantity(*quantity)),
        Cell::Count(0) => number("0"),
        Cell::Count(count) => {
            let failed = |view: &View| view.with_value(&Dimension::Facet(Facet::Status), "failed", true);
            let view = if place == last { failed(&line.view) } else { line.view.clone() };
            Markup::new("td").class("number").child(plain_link(&view, &format::count(*count)))
        }
    });
    Markup::new("tr").children(cells.collect::<Vec<_>>())
}

fn totals(words: &Words, report: &Report) -> Markup {
    let view = &report.question.view;
    let cells = report.totals.iter().map(|total| match total {
        Cell::Credits(credits) => number_of(link(view, amount_bare(words, *credits))),
        Cell::Count(count) => number(&format::count(*count)),
        Cell::Share(share) => number(share),
        Cell::Text(text) => Markup::new("th").attr("scope", "row").text(text),
        Cell::Empty | Cell::Period(..) | Cell::Id(_) | Cell::Quantity(_) => cell(""),
    });
    Markup::new("tr").children(cells)
}

/// The lines before and after.
fn turn(report: &Report, after: usize, more: bool) -> Option<Markup> {
    let to = |after: usize| {
        let mut pairs = report.question.pairs();
        if after > 0 {
            pairs.push(("after".to_owned(), after.to_string()));
        }
        crate::report::at(PATH, &pairs)
    };
    let button = |after: usize, text: &str| way(&to(after)).class("button").text(text);
    let before = (after > 0).then(|| button(after.saturating_sub(PAGE), "Lines before"));
    let next = more.then(|| button(after + PAGE, "More lines"));
    (before.is_some() || next.is_some()).then(|| Markup::new("p").class("turn").children(before).children(next))
}

fn capital_noun(words: &Words) -> String {
    format::capital(format::noun(words))
}

/// With a small letter at its begin, as within a sentence.
fn lower(title: &str) -> String {
    let mut text = title.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    text
}
