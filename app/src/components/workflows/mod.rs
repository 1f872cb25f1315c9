//! `/workflows`: every workflow with what it cost this cycle, and the page of one.

pub mod one;

use crate::components::empty_state::curl_line;
use crate::components::runs::filter::{RunFilter, path_of};
use crate::components::runs::{external, status};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount_bare, cell, number, number_of, row, span, table};
use crate::span::Bound;
use crate::view::View;
use ledger::cube::Figures;
use ledger::{Credits, Facet, Words};

/// Where the list is.
pub const PATH: &str = "/workflows";

/// A workflow, in the list.
pub struct WorkflowLine {
    /// Its id, `""` for usage that names none; `None` for the rest of them together.
    pub id: Option<String>,
    /// Its name.
    pub title: String,
    /// Whether it is an AI agent.
    pub agent: bool,
    /// Over the cycle.
    pub total: Figures,
}

/// The list.
pub struct WorkflowList {
    /// Dearest first.
    pub lines: Vec<WorkflowLine>,
    /// All of them.
    pub total: Figures,
    /// First and last day, for links.
    pub days: (Bound, Bound),
    /// The same in words.
    pub period: String,
    /// Where this server is reached.
    pub origin: String,
    /// A meter to send a first event of.
    pub meter: String,
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let list = asked.backend.workflows(&RunFilter::new(&asked.query)).await?;
    let words = &asked.org.words;
    let title = words.workflows.clone();
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(&title))
        .child(Markup::new("p").class("muted").text(&list.period));
    let said = list.lines.iter().any(|line| line.id.as_deref() != Some(""));
    let body = if said { whole(&list, words) } else { nothing(&list, words) };
    let panel = Markup::new("section").class("panel").attr("aria-label", &title).child(body);
    Ok(Written { title, body: Markup::new("div").class("page").child(head).child(panel) })
}

fn nothing(list: &WorkflowList, words: &Words) -> Markup {
    let quantity = r#""data":{"quantity":1000}"#;
    let named = r#""data":{"quantity":1000,"workflow":{"id":"my-workflow","name":"My workflow"},"run":"run-1"}"#;
    let curl = curl_line(&list.origin, &list.meter).replace(quantity, named);
    let text =
        format!("No usage of {} in this time. Events name theirs in data.workflow:", words.workflows.to_lowercase());
    let shown = Markup::new("pre").attr("tabindex", "0").attr("aria-label", "Command that sends an event");
    Markup::new("div")
        .class("no-entry")
        .child(Markup::new("p").text(&text))
        .child(shown.child(Markup::new("code").text(&curl)))
}

fn whole(list: &WorkflowList, words: &Words) -> Markup {
    let cost = format!("{}\t", format::unit_head(words));
    let heads = [words.workflow.as_str(), "Type", &cost, "Share\t", "Calls\t", "Status", "Its usage"];
    let view = View { range: Some(list.days), ..View::default() };
    let line = |line: &WorkflowLine| {
        let name = match line.id.as_deref() {
            Some(id) if !id.is_empty() => external(&path_of(PATH, id), &line.title),
            _ => span(&line.title),
        };
        let kind = match line.id.as_deref() {
            None | Some("") => "",
            Some(_) if line.agent => "AI agent",
            Some(_) => &words.workflow,
        };
        let facet = line.id.iter().map(|id| (Facet::Workflow, id.clone())).collect::<Vec<_>>();
        let of = |href: String, text: &str| Markup::new("span").class("usage").child(external(&href, text));
        let links = (!facet.is_empty()).then(|| {
            let chart = View { facets: facet.clone(), ..view.clone() }.href();
            let runs =
                RunFilter { view: View { facets: facet.clone(), ..view.clone() }, ..RunFilter::default() }.href();
            Markup::new("td").child(of(chart, "Chart")).child(of(runs, "Runs"))
        });
        row(
            name,
            [
                cell(kind),
                number_of(amount_bare(words, line.total.credits)),
                number(&format::share(line.total.credits, list.total.credits).unwrap_or_else(|| "\u{2013}".to_owned())),
                number(&format::count(line.total.events)),
                Markup::new("td").child(status(line.total.failed, line.total.events)),
            ],
        )
        .child(links.unwrap_or_else(|| cell("")))
    };
    let empty = || cell("");
    let foot = row(span("Total"), [empty(), number_of(amount_bare(words, list.total.credits)), empty()]).children([
        number(&format::count(list.total.events)),
        empty(),
        empty(),
    ]);
    table("table-scroll workflows", &words.workflows, &heads, list.lines.iter().map(line), Some(foot))
}

/// What a sum of several is.
pub(super) fn sum(of: impl Iterator<Item = Credits>) -> Credits {
    Credits::sum(of).unwrap_or_default()
}
