//! `/workflows`: every workflow with what it cost this cycle, and the page of one.

pub mod one;
pub mod settings;

use crate::calendar::Day;
use crate::components::customers::data::Used;
use crate::components::empty_state::curl_line;
use crate::components::reports::controls::{days_form, quick_periods};
use crate::components::runs::filter::{RunFilter, path_of};
use crate::components::runs::{Place, external, status};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount_bare, cell, number, number_of, row, span, table};
use crate::query;
use crate::report::at;
use crate::span::Bound;
use crate::view::View;
use ledger::{Credits, Facet, Words};

/// Where the list is.
pub const PATH: &str = "/workflows";

/// A workflow, in the list.
pub struct WorkflowLine {
    /// Its id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Whether it is an AI agent.
    pub agent: bool,
    /// The project that it belongs to, where people say so.
    pub project: Option<Place>,
    /// What it used in the time shown.
    pub used: Used,
}

/// The list.
pub struct WorkflowList {
    /// Dearest first.
    pub lines: Vec<WorkflowLine>,
    /// How many there are, on this page and others.
    pub count: usize,
    /// All usage, with and without a workflow.
    pub total: Used,
    /// What of it names none.
    pub unsaid: Used,
    /// Where the next page begins.
    pub next: Option<String>,
    /// First and last day, for links.
    pub days: (Bound, Bound),
    /// The same in words.
    pub period: String,
    /// First and last day, and today.
    pub shown: (Day, Day, Day),
    /// A meter to send a first event of.
    pub meter: String,
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let RunFilter { view: View { range, projects, .. }, cursor, .. } = RunFilter::new(&asked.query);
    let filter = RunFilter { view: View { range, projects, ..View::default() }, cursor, ..RunFilter::default() };
    let list = asked.backend.workflows(&filter).await?;
    let words = &asked.org.words;
    let title = words.workflows.clone();
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(&title))
        .child(Markup::new("p").class("muted").text(&list.period));
    let body = if list.count > 0 { whole(&list, &filter, words) } else { nothing(&list, &asked.origin, words) };
    let panel =
        Markup::new("section").class("panel").attr("aria-label", &title).child(body).children(pager(&list, &filter));
    let filter = filter.first();
    let period = period_form(PATH, &filter, list.shown, &[]);
    Ok(Written { title, body: Markup::new("div").class("page").child(head).child(period).child(panel) })
}

/// A choice of days that keeps the rest of an address, and `more` of it.
fn period_form(path: &str, filter: &RunFilter, (from, to, today): (Day, Day, Day), more: &[(&str, &str)]) -> Markup {
    let (bare, own) = path.split_once('?').unwrap_or((path, ""));
    let pairs = |filter: &RunFilter| {
        let said = more.iter().filter(|(_, value)| !value.is_empty());
        let said = said.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        query::parse(own).into_iter().chain(filter.pairs()).chain(said).collect::<Vec<_>>()
    };
    let href = |range| {
        let view = View { range: Some(range), ..filter.view.clone() };
        at(bare, &pairs(&RunFilter { view, ..filter.clone() }))
    };
    Markup::new("div")
        .class("report-period")
        .child(days_form(bare, pairs(filter), (from, to), None))
        .child(quick_periods((from, to), today, href))
}

fn pager(list: &WorkflowList, filter: &RunFilter) -> Option<Markup> {
    let to = |href: &str, text: &str| external(href, text).class("button");
    let first = (!filter.cursor.is_empty()).then(|| to(&filter.first().at(PATH), "First page"));
    let next = list.next.as_deref().map(|next| to(&filter.from(next).at(PATH), "Next page"));
    let any = first.is_some() || next.is_some();
    any.then(|| Markup::new("nav").class("pager").attr("aria-label", "Pages").children(first).children(next))
}

fn nothing(list: &WorkflowList, origin: &str, words: &Words) -> Markup {
    let quantity = r#""data":{"quantity":1000}"#;
    let named = r#""data":{"quantity":1000,"workflow":{"id":"my-workflow","name":"My workflow"},"run":"run-1"}"#;
    let curl = curl_line(origin, &list.meter).replace(quantity, named);
    let text =
        format!("No usage of {} in this time. Events name theirs in data.workflow:", words.workflows.to_lowercase());
    let shown = Markup::new("pre").attr("tabindex", "0").attr("aria-label", "Command that sends an event");
    Markup::new("div")
        .class("no-entry")
        .child(Markup::new("p").text(&text))
        .child(shown.child(Markup::new("code").text(&curl)))
}

fn whole(list: &WorkflowList, filter: &RunFilter, words: &Words) -> Markup {
    let cost = format!("{}\t", format::unit_head(words));
    let of_projects = list.lines.iter().any(|line| line.project.is_some());
    let mut heads = vec![words.workflow.as_str(), "Type", &cost, "Share\t", "Calls\t", "Status", "Its usage"];
    if of_projects {
        heads.insert(2, "Project");
    }
    let view = View { range: Some(list.days), ..filter.view.clone() };
    let share = |used: &Used| format::share(used.credits, list.total.credits).unwrap_or_else(|| "\u{2013}".to_owned());
    let figures = |used: &Used| {
        [
            number_of(amount_bare(words, used.credits)),
            number(&share(used)),
            number(&format::count(used.events)),
            Markup::new("td").child(status(used.failed, used.events)),
        ]
    };
    let line = |line: &WorkflowLine| {
        let own = View { facets: vec![(Facet::Workflow, line.id.clone())], ..view.clone() };
        let way = |href: String, text: &str| Markup::new("span").class("usage").child(external(&href, text));
        let runs = RunFilter { view: own.clone(), ..RunFilter::default() }.href();
        let project = |place: &Place| Markup::new("td").child(settings::project_link(place, &view));
        let of = of_projects.then(|| line.project.as_ref().map_or_else(|| cell(""), project));
        let kind = if line.agent { "AI agent" } else { &words.workflow };
        row(external(&filter.period().at(&path_of(PATH, &line.id)), &line.title), [cell(kind)])
            .children(of)
            .children(figures(&line.used))
            .child(Markup::new("td").child(way(own.href(), "Chart")).child(way(runs, "Runs")))
    };
    let empty = || cell("");
    let sum = |head: Markup, used: &Used, link: Option<String>| {
        let link = link.map_or_else(empty, |href| Markup::new("td").child(external(&href, "Chart")));
        row(head, [empty()]).children(of_projects.then(empty)).children(figures(used)).child(link)
    };
    let unsaid = (list.unsaid.events > 0).then(|| {
        let none = View { facets: vec![(Facet::Workflow, String::new())], ..view.clone() };
        sum(span(&format!("No {}", words.workflow.to_lowercase())), &list.unsaid, Some(none.href()))
    });
    let foot = sum(span("Total"), &list.total, Some(view.href()));
    let rows = list.lines.iter().map(line).chain(unsaid);
    table("table-scroll workflows", &words.workflows, &heads, rows, Some(foot))
}

/// What a sum of several is.
pub(super) fn sum(of: impl Iterator<Item = Credits>) -> Credits {
    Credits::sum(of).unwrap_or_default()
}
