//! `/runs/{id}`: one run, module by module and event by event; it fills in while it runs.

use super::diagram::{diagram, switch};
use super::filter::{RunFilter, path_of, run_path};
use super::{Place, RunLine, Used, data, duration, external, status, uses};
use crate::components::crumbs::crumbs;
use crate::components::retention;
use crate::components::workflows;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount, amount_bare, fact, number, number_of, row, span, table, text_fact, time};
use crate::query;
use crate::server_fns::Moment;
use ledger::{Credits, Facet, Words};

/// Says that credits are not shown.
const HIDE: (&str, &str) = ("credits", "hide");

/// What a module's events add up to.
#[derive(Debug, Clone)]
pub struct ModuleLine {
    /// Its name.
    pub title: String,
    /// When it began.
    pub first: Moment,
    /// Between its first event and its last, in microseconds.
    pub took: i64,
    /// Its events.
    pub events: i64,
    /// Those that failed.
    pub failed: i64,
    /// Data transferred.
    pub bytes: i64,
    /// What they cost.
    pub credits: Credits,
    /// What they used.
    pub uses: Vec<Used>,
}

/// An event of a run.
#[derive(Debug, Clone)]
pub struct RunEvent {
    /// Its place: `event_12`.
    pub seq: String,
    /// The sender's own id.
    pub id: String,
    /// When it happened.
    pub at: Moment,
    /// The module, by name.
    pub module: String,
    /// What was done.
    pub operation: String,
    /// Whether it failed.
    pub failed: bool,
    /// Data transferred.
    pub bytes: i64,
    /// What it cost.
    pub credits: Credits,
    /// What it used.
    pub uses: Vec<Used>,
}

/// Modules of one table; the API has all.
const MAX_ROWS: usize = 500;

/// A run, with a page of its events.
#[derive(Debug, Clone)]
pub struct RunDetail {
    /// The run.
    pub run: RunLine,
    /// Its modules in order.
    pub modules: Vec<ModuleLine>,
    /// How many of its events these add up: the first.
    pub counted: i64,
    /// Events of it whose details are no longer kept: its sums have them, modules and list do not.
    pub pruned: i64,
    /// A page of its events in order.
    pub events: Vec<RunEvent>,
    /// After which event the next page begins.
    pub next: Option<String>,
    /// How far the ledger had come when this was read.
    pub head: String,
}

/// The page.
///
/// # Errors
/// [`AppError::NotFound`], or what the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    // `.` and `..` cannot stand in a path.
    let id = match asked.get("id") {
        "" => asked.path.get(1).map_or("", String::as_str),
        id => id,
    };
    let after = Some(asked.get("after")).filter(|after| !after.is_empty());
    let detail = asked.backend.run(id, after).await?;
    let at = At { id, filter: RunFilter::new(&asked.query).first(), show: asked.get(HIDE.0) != HIDE.1, after };
    let words = &asked.org.words;
    let title = detail.run.title().to_owned();
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(&title))
        .child(span(&detail.run.place.id))
        .child(Markup::new("div").class("controls").child(switch(at.show, &at.other())));
    let live = Markup::new("div")
        .class("run-live")
        .attr("data-live", &detail.head)
        .children(retention::gone(detail.pruned, "The sums above have them, modules and events do not."))
        .child(facts(&detail, &at, words))
        .children((!detail.modules.is_empty()).then(|| modules(&detail, &at, words)))
        .children((!detail.events.is_empty()).then(|| events(&detail, &at, words)));
    let script = Markup::new("script").attr("src", "/live.js").attr("type", "module");
    let body = Markup::new("div")
        .class("page run")
        .child(crumbs(&[(&at.filter.href(), "Usage")]))
        .child(head)
        .child(live)
        .child(Markup::new("p").class("visually-hidden").attr("role", "status").attr("data-live-status", ""))
        .child(script);
    Ok(Written { title, body })
}

/// What of the address goes along.
struct At<'a> {
    id: &'a str,
    filter: RunFilter,
    show: bool,
    after: Option<&'a str>,
}

impl At<'_> {
    /// This run, with or without credits, after some event.
    fn href(&self, show: bool, after: Option<&str>) -> String {
        let mut href = self.filter.at(&run_path(self.id));
        let hide = (!show).then_some(HIDE);
        for (name, value) in hide.into_iter().chain(after.map(|after| ("after", after))) {
            let mut pair = String::new();
            query::push(&mut pair, name, value);
            href.push(if href.contains('?') { '&' } else { '?' });
            href.push_str(&pair);
        }
        href
    }

    fn other(&self) -> String {
        self.href(!self.show, self.after)
    }
}

fn facts(detail: &RunDetail, at: &At<'_>, words: &Words) -> Markup {
    let run = &detail.run;
    let dd = |content: Markup| Markup::new("dd").child(content);
    let linked = |place: &Place, href: String| dd(external(&href, &place.title));
    let every = at.filter.period();
    let workflow = run.workflow.as_ref().map(|place| {
        let runs = external(&every.only(&Facet::Workflow, Some(&place.id)).href(), "All its runs");
        linked(place, every.at(&path_of(workflows::PATH, &place.id))).text(" \u{b7} ").child(runs)
    });
    let project = run.project.as_ref().map(|place| linked(place, every.of_project(Some(&place.id)).href()));
    let kind = if run.agent { "AI agent" } else { &words.workflow };
    let cost = at.show.then(|| fact(&format::unit_head(words), dd(amount(words, run.credits))));
    let list = Markup::new("dl")
        .class("summary")
        .children(cost)
        .child(fact("Status", dd(status(run.failed, run.events))))
        .child(text_fact("Type", kind))
        .children(workflow.map(|workflow| fact(&words.workflow, workflow)))
        .children(project.map(|project| fact("Project", project)))
        .child(fact("Began", dd(time(&run.first))))
        .child(fact("Last event", dd(time(&run.last))))
        .child(text_fact("Took", &duration(run.took)))
        .child(text_fact("Events", &format::count(run.events)))
        .child(fact("Data transfer", dd(data(run.bytes))));
    Markup::new("section").class("panel").attr("aria-label", "Summary").child(list)
}

fn panel(id: &str, title: &str, note: Option<String>) -> Markup {
    let head = Markup::new("div").class("panel-head").child(Markup::new("h2").attr("id", id).text(title));
    let note = note.map(|note| Markup::new("p").class("muted").text(&note));
    Markup::new("section").class("panel").attr("aria-labelledby", id).child(head.children(note))
}

fn modules(detail: &RunDetail, at: &At<'_>, words: &Words) -> Markup {
    let note = (detail.counted < detail.run.events - detail.pruned).then(|| {
        format!(
            "Of the first {} of {} events; all of them are in the sums above.",
            format::count(detail.counted),
            format::count(detail.run.events - detail.pruned)
        )
    });
    panel("modules-title", "Modules", note).child(diagram(&detail.modules, at.show, words)).child(module_table(
        &detail.modules,
        true,
        at.show,
        words,
    ))
}

/// Modules in order, each with all that is known of it; the first [`MAX_ROWS`] of them, and the sum of all. Those of many runs
/// together are not `timed`: what is between two runs is no time of theirs.
pub fn module_table(modules: &[ModuleLine], timed: bool, show: bool, words: &Words) -> Markup {
    let cost = format!("{}\t", format::unit_head(words));
    let mut heads = vec!["Module", "Status", "Events\t", "Quantities", "Data\t"];
    if timed {
        heads.extend(["Began", "Took\t"]);
    }
    if show {
        heads.push(&cost);
    }
    let line = |module: &ModuleLine| {
        row(
            span(&module.title),
            [
                Markup::new("td").child(status(module.failed, module.events)),
                number(&format::count(module.events)),
                uses(&module.uses),
                number_of(data(module.bytes)),
            ],
        )
        .children(timed.then(|| Markup::new("td").child(time(&module.first))))
        .children(timed.then(|| number(&duration(module.took))))
        .children(show.then(|| number_of(amount_bare(words, module.credits))))
    };
    let sum = |of: fn(&ModuleLine) -> i64| modules.iter().map(of).fold(0_i64, i64::saturating_add);
    let total = Credits::sum(modules.iter().map(|module| module.credits)).unwrap_or_default();
    let empty = || Markup::new("td");
    let foot = row(span("Total"), [empty(), number(&format::count(sum(|module| module.events))), empty()])
        .child(number_of(data(sum(|module| module.bytes))))
        .children(timed.then(empty))
        .children(timed.then(empty))
        .children(show.then(|| number_of(amount_bare(words, total))));
    let more = i64::try_from(modules.len().saturating_sub(MAX_ROWS)).unwrap_or(i64::MAX);
    let more = (more > 0).then(|| {
        let text = format!("and {} more; the sums are of all.", format::counted(more, "module", "modules"));
        Markup::new("p").class("muted runs-note").text(&text)
    });
    let rows = modules.iter().take(MAX_ROWS).map(line);
    Markup::new("div").child(table("table-scroll run-modules", "Modules", &heads, rows, Some(foot))).children(more)
}

fn events(detail: &RunDetail, at: &At<'_>, words: &Words) -> Markup {
    let cost = format!("{}\t", format::unit_head(words));
    let mut heads = vec!["Event", "Time", "Module", "Operation", "Quantities", "Data\t", "Status"];
    if at.show {
        heads.push(&cost);
    }
    let line = |event: &RunEvent| {
        let link = external(&at.filter.at(&format!("/events/{}", event.seq)), &event.id);
        row(
            link,
            [
                Markup::new("td").child(time(&event.at)),
                Markup::new("td").text(&event.module),
                Markup::new("td").text(&event.operation),
                uses(&event.uses),
                number_of(data(event.bytes)),
                Markup::new("td").child(status(i64::from(event.failed), 1)),
            ],
        )
        .children(at.show.then(|| number_of(amount_bare(words, event.credits))))
    };
    let to = |href: String, rel: &str, text: &str| {
        Markup::new("a").class("button").attr("href", &href).attr("rel", &format!("{rel} external")).text(text)
    };
    let first = at.after.map(|_| to(at.href(at.show, None), "prev", "First events"));
    let next = detail.next.as_deref().map(|next| to(at.href(at.show, Some(next)), "next", "Next events"));
    let any = first.is_some() || next.is_some();
    let pager =
        any.then(|| Markup::new("nav").class("pager").attr("aria-label", "Pages").children(first).children(next));
    panel("events-title", "Events", Some("In the order in which they happened.".to_owned()))
        .child(table("table-scroll run-events", "Events", &heads, detail.events.iter().map(line), None))
        .children(pager)
}
