//! `/usage`: a row per run, in three orders, searched and filtered, however many there are.

use super::filter::{PATH, RunFilter, path_of, run_path};
use super::{Place, RunLine, data, duration, external, status};
use crate::components::empty_state::curl_line;
use crate::components::workflows;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{self, Markup, amount_bare, hidden, number, number_of, row, time};
use crate::view::View;
use crate::{filters, query};
use ledger::{Dimension, Facet, Words};

/// The same as a file.
const CSV: &str = "/exports/runs.csv";

/// A page of the list.
pub struct RunList {
    /// In the order asked for.
    pub runs: Vec<RunLine>,
    /// Where the page before begins.
    pub back: Option<String>,
    /// Where the next one begins.
    pub on: Option<String>,
    /// Whether everything was looked at that could stand on it.
    pub whole: bool,
    /// Days that the range means, as fields of dates have them.
    pub days: (String, String),
    /// Workflows and projects that are chosen, by name.
    pub chosen: [Option<Place>; 2],
    /// A meter to send a first event of.
    pub meter: String,
    /// For how long details are kept.
    pub kept: String,
}

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let filter = RunFilter::new(&asked.query);
    let list = asked.backend.list_runs(&filter).await?;
    let words = &asked.org.words;
    let note = format!("A row per run, as events name it. Times in {}. {}", asked.org.zone.name(), list.kept);
    let file = Markup::new("a").class("button").attr("href", &filter.first().at(CSV)).attr("download", "");
    let file = file.attr("rel", "external").text("CSV");
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text("Usage"))
        .child(Markup::new("p").class("muted").text(&note))
        .child(Markup::new("div").class("controls").child(file));
    let panel = Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", "runs-title")
        .attr("data-endless", "")
        .child(Markup::new("div").class("panel-head").child(Markup::new("h2").attr("id", "runs-title").text("Runs")))
        .child(form(&filter, &list, words))
        .children(chips(&filter, &list, words))
        .children(left_out(asked, words))
        .children(body(&filter, &list, &asked.origin, words))
        .children(pager(&filter, &list))
        .child(Markup::new("p").class("visually-hidden").attr("role", "status").attr("data-endless-status", ""));
    let script = Markup::new("script").attr("src", "/endless.js").attr("type", "module");
    let body = Markup::new("div").class("page").child(head).child(panel).child(script);
    Ok(Written { title: "Usage".to_owned(), body })
}

fn form(filter: &RunFilter, list: &RunList, words: &Words) -> Markup {
    let label = |text: &str, field: Markup| Markup::new("label").child(Markup::new("span").text(text)).child(field);
    let input = |kind: &str, name: &'static str, value: &str| {
        Markup::new("input").attr("type", kind).attr("name", name).attr("value", value)
    };
    let select = |name: &'static str, chosen: &str, options: &[(&str, &str)]| {
        let option = |(value, text): &(&str, &str)| {
            let selected = (*value == chosen).then_some("");
            Markup::new("option").attr("value", value).maybe_attr("selected", selected).text(text)
        };
        Markup::new("select").attr("name", name).children(options.iter().map(option))
    };
    let status = match filter.failed() {
        Some(true) => "failed",
        Some(false) => "succeeded",
        None => "",
    };
    let (from, to) = &list.days;
    let kept = |(name, _): &(String, String)| matches!(name.as_str(), "workflow" | "project" | "sort");
    let rest: Vec<(String, String)> = filter.first().pairs().into_iter().filter(kept).collect();
    let search =
        input("search", "q", &filter.search).attr("maxlength", "256").attr("placeholder", "Id or name begins with");
    let button = Markup::new("button").class("button").attr("type", "submit").text("Show");
    Markup::new("form")
        .class("fields runs-filter")
        .attr("method", "get")
        .attr("action", PATH)
        .attr("role", "search")
        .child(label("Run", search))
        .child(label(
            "Type",
            select("kind", &filter.kind, &[("", "All"), ("workflow", &words.workflow), ("agent", "AI agent")]),
        ))
        .child(label(
            "Status",
            select("status", status, &[("", "All"), ("succeeded", "Succeeded"), ("failed", "Failed")]),
        ))
        .child(label("From", input("date", "from", from)))
        .child(label("To", input("date", "to", to)))
        .children(hidden(rest))
        .child(button)
}

/// The newest runs of a workflow, on its page: when, how long, what they cost where that is shown, and how they went.
#[must_use]
pub fn history(filter: &RunFilter, runs: &[RunLine], show: bool, words: &Words) -> Markup {
    let cost = format!("{}\t", format::unit_head(words));
    let mut heads = vec!["Run", "Began", "Took\t", "Events\t"];
    if show {
        heads.push(&cost);
    }
    heads.push("Status");
    let line = |run: &RunLine| {
        row(
            external(&filter.first().at(&run_path(&run.place.id)), run.title()),
            [
                Markup::new("td").child(time(&run.first)),
                number(&duration(run.took)),
                number(&format::count(run.events)),
            ],
        )
        .children(show.then(|| number_of(amount_bare(words, run.credits))))
        .child(Markup::new("td").child(status(run.failed, run.events)))
    };
    markup::table("table-scroll runs", "Runs", &heads, runs.iter().map(line), None)
}

/// What the address chooses of which runs know nothing, such as where it leads from a chart.
fn left_out(asked: &Asked<'_>, words: &Words) -> Option<Markup> {
    let mut query = String::new();
    asked.query.iter().for_each(|(name, value)| query::push(&mut query, name, value));
    let view = View::parse(&query);
    let mut said: Vec<String> = Vec::new();
    let mut say = |is_it: bool, dimension: Dimension| {
        said.extend(is_it.then(|| filters::title(&dimension, words).to_lowercase()));
    };
    say(!view.types.is_empty(), Dimension::Type);
    say(!view.sources.is_empty(), Dimension::Source);
    for (facet, _) in &view.facets {
        let is_known = matches!(facet, Facet::Workflow | Facet::Status);
        say(!is_known, Dimension::Facet(facet.clone()));
    }
    said.dedup();
    let text = format!("Runs cannot be told apart by {}: all of them are here.", said.join(", "));
    (!said.is_empty()).then(|| Markup::new("p").class("muted runs-note").text(&text))
}

/// What is chosen by links, each with a link that takes it back.
fn chips(filter: &RunFilter, list: &RunList, words: &Words) -> Option<Markup> {
    let [workflow, project] = &list.chosen;
    let chip = |what: &str, place: &Option<Place>, without: RunFilter| {
        let place = place.as_ref()?;
        let off = Markup::new("a").attr("href", &without.href()).attr("rel", "external").text("Remove");
        Some(
            Markup::new("li")
                .class("run-chip")
                .child(Markup::new("span").text(&format!("{what}: {}", place.title)))
                .child(off),
        )
    };
    let chips: Vec<Markup> = [
        chip(&words.workflow, workflow, filter.only(&Facet::Workflow, None)),
        chip("Project", project, filter.of_project(None)),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!chips.is_empty()).then(|| Markup::new("ul").class("run-chips").attr("aria-label", "Chosen").children(chips))
}

fn body(filter: &RunFilter, list: &RunList, origin: &str, words: &Words) -> Vec<Markup> {
    let note = |text: &str| Markup::new("p").class("muted runs-note").attr("role", "status").text(text);
    let mut parts = Vec::new();
    if !list.runs.is_empty() {
        parts.push(table(filter, &list.runs, words));
    } else if list.whole && filter.is_any() && filter.cursor.is_empty() {
        parts.push(first_run(list, origin));
    } else if list.whole {
        let none = note("No run fits. Take a filter away, or choose other days. What names no run is in ");
        parts.push(none.child(external(&filter.view.href(), "usage over time")).text("."));
    }
    if !list.whole {
        parts.push(note("Not all was looked at: few of many runs fit this filter. The link below goes on from here."));
    }
    parts
}

fn first_run(list: &RunList, origin: &str) -> Markup {
    let curl = curl_line(origin, &list.meter).replace(
        r#""data":{"quantity":1000}"#,
        r#""data":{"quantity":1000,"run":"run-1","workflow":"my-workflow","module":"first"}"#,
    );
    let shown = Markup::new("pre").attr("tabindex", "0").attr("aria-label", "Command that sends an event of a run");
    Markup::new("div")
        .class("no-entry")
        .child(Markup::new("p").text("No run yet. A run is there as soon as an event names it in data.run:"))
        .child(shown.child(Markup::new("code").text(&curl)))
}

fn table(filter: &RunFilter, runs: &[RunLine], words: &Words) -> Markup {
    let head = |text: &str, sort: Option<&'static str>| {
        let number = matches!(sort, Some("credits" | "data")).then_some("number");
        let cell = Markup::new("th").attr("scope", "col").maybe_attr("class", number);
        match sort {
            Some(sort) if sort == filter.sort => cell.attr("aria-sort", "descending").text(text).child(arrow()),
            Some(sort) => cell.child(external(&filter.sorted(sort).href(), text)),
            None => cell.text(text),
        }
    };
    let what = [head("Run", None), head("Type", None), head(&words.workflow, None), head("Project", None)];
    let cost = head(&format::unit_head(words), Some("credits"));
    let rest = [head("Data transfer", Some("data")), head("Time recorded", Some("time")), head("Status", None)];
    let heads = what.into_iter().chain([cost]).chain(rest);
    let rows = runs.iter().map(|run| line(filter, run, words));
    let table = Markup::new("table")
        .class("table")
        .child(Markup::new("thead").child(Markup::new("tr").children(heads)))
        .child(Markup::new("tbody").children(rows));
    Markup::new("div")
        .class("table-scroll runs")
        .attr("tabindex", "0")
        .attr("role", "region")
        .attr("aria-label", "Runs")
        .child(table)
}

fn arrow() -> Markup {
    Markup::new("span").attr("aria-hidden", "true").text(" \u{2193}")
}

fn line(filter: &RunFilter, run: &RunLine, words: &Words) -> Markup {
    // The way back goes along.
    let name = external(&filter.first().at(&run_path(&run.place.id)), run.title());
    let id = (run.title() != run.place.id).then(|| Markup::new("span").class("run-id muted").text(&run.place.id));
    let place = |place: &Option<Place>, href: &dyn Fn(&str) -> String| match place {
        Some(place) => Markup::new("td").child(external(&href(&place.id), &place.title)),
        None => Markup::new("td").class("muted").text("\u{2013}"),
    };
    let kind = if run.agent { "AI agent" } else { &words.workflow };
    row(
        Markup::new("span").class("run-name").child(name).children(id),
        [
            Markup::new("td").text(kind),
            place(&run.workflow, &|id| filter.period().at(&path_of(workflows::PATH, id))),
            place(&run.project, &|id| filter.of_project(Some(id)).href()),
        ],
    )
    .child(number_of(amount_bare(words, run.credits)))
    .children([
        number_of(data(run.bytes)),
        Markup::new("td").child(time(&run.last)),
        Markup::new("td").child(status(run.failed, run.events)),
    ])
}

fn pager(filter: &RunFilter, list: &RunList) -> Option<Markup> {
    let words = if filter.sort == "time" { ["Newer", "Older"] } else { ["Previous", "Next"] };
    let to = |cursor: &Option<String>, rel: &str, text: &str| {
        let cursor = cursor.as_ref()?;
        let link = Markup::new("a").class("button").attr("href", &filter.from(cursor).href());
        Some(link.attr("rel", &format!("{rel} external")).text(text))
    };
    let (back, on) = (to(&list.back, "prev", words[0]), to(&list.on, "next", words[1]));
    let any = back.is_some() || on.is_some();
    any.then(|| Markup::new("nav").class("pager").attr("aria-label", "Pages").children(back).children(on))
}
