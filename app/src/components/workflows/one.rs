//! `/workflows/{id}`: a workflow as a diagram of its modules with what they cost this cycle, and its newest runs.

use super::settings::{Settings, panel, project_link};
use super::{PATH, period_form, sum};
use crate::calendar::Day;
use crate::components::crumbs::crumbs;
use crate::components::retention;
use crate::components::runs::diagram::{diagram, switch};
use crate::components::runs::filter::{RunFilter, path_of};
use crate::components::runs::list::history as history_table;
use crate::components::runs::run::{ModuleLine, module_table};
use crate::components::runs::{RunLine, external};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount, fact, text_fact};
use crate::view::View;
use ledger::cube::Figures;
use ledger::{Facet, Words};

/// A workflow.
pub struct Workflow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Whether it is an AI agent.
    pub agent: bool,
    /// What people say of it.
    pub settings: Settings,
    /// All of its usage in the time shown.
    pub total: Figures,
    /// Its modules, in order.
    pub modules: Vec<ModuleLine>,
    /// Events of runs that these add up.
    pub counted: i64,
    /// Whether there were more.
    pub more: bool,
    /// Events of these runs whose details are no longer kept.
    pub pruned: i64,
    /// Its newest runs.
    pub runs: Vec<RunLine>,
    /// The time shown, for links.
    pub view: View,
    /// The same in words.
    pub period: String,
    /// First and last day of it, and today.
    pub days: (Day, Day, Day),
}

/// The page, with why a form that was sent here was refused.
///
/// # Errors
/// [`AppError::NotFound`], or what the store says.
pub async fn page(asked: &Asked<'_>, refused: Option<&str>) -> Result<Written, AppError> {
    let id = match asked.get("id") {
        "" => asked.path.get(1).map_or("", String::as_str),
        id => id,
    };
    let filter = RunFilter::new(&asked.query);
    let filter = filter.period();
    let workflow = asked.backend.workflow(id, &filter).await?;
    let words = &asked.org.words;
    let show = asked.get("credits") != "hide";
    let own = path_of(PATH, id);
    let other = filter.at(&own);
    let joint = if other.contains('?') { '&' } else { '?' };
    let other = if show { format!("{other}{joint}credits=hide") } else { other };
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(&workflow.title))
        .child(Markup::new("p").class("muted").text(&workflow.period))
        .child(Markup::new("div").class("controls").child(switch(show, &other)));
    let title = workflow.title.clone();
    let told = match refused {
        Some(problem) => Some(Markup::new("p").class("form-error").attr("role", "alert").text(problem)),
        None => (asked.get("saved") == "yes")
            .then(|| Markup::new("p").class("notice").attr("role", "status").text("Saved. Every page shows it so.")),
    };
    let body = Markup::new("div")
        .class("page run")
        .child(crumbs(&[(&filter.at(PATH), &words.workflows)]))
        .child(head)
        .child(period_form(&own, &filter, workflow.days, &[("credits", if show { "" } else { "hide" })]))
        .child(facts(&workflow, show, words))
        .child(modules(&workflow, show, words))
        .child(history(&workflow, show, words))
        .child(panel(id, &workflow.settings, told, words));
    Ok(Written { title, body })
}

fn facts(workflow: &Workflow, show: bool, words: &Words) -> Markup {
    let total = &workflow.total;
    let chart = external(&workflow.view.href(), "Over time");
    let cost = show.then(|| fact(&format::unit_head(words), Markup::new("dd").child(amount(words, total.credits))));
    let project = workflow.settings.project.as_ref();
    let project = project.map(|place| fact("Project", Markup::new("dd").child(project_link(place, &workflow.view))));
    let list = Markup::new("dl")
        .class("summary")
        .children(cost)
        .child(text_fact("Type", if workflow.agent { "AI agent" } else { &words.workflow }))
        .child(text_fact("Calls", &format::count(total.events)))
        .child(text_fact("Failed", &format::count(total.failed)))
        .children(project)
        .child(fact("Chart", Markup::new("dd").child(chart)));
    Markup::new("section").class("panel").attr("aria-label", "Summary").child(list)
}

fn modules(workflow: &Workflow, show: bool, words: &Words) -> Markup {
    let cost = sum(workflow.modules.iter().map(|module| module.credits));
    let events = format::counted(workflow.counted, "event", "events");
    let of = if workflow.more { format!("the newest {events} of its runs") } else { format!("{events} of its runs") };
    let note = if show { format!("{} in {of}.", format::amount(words, cost)) } else { format!("Of {of}.") };
    let head = Markup::new("div")
        .class("panel-head")
        .child(Markup::new("h2").attr("id", "diagram-title").text("Diagram"))
        .child(Markup::new("p").class("muted").text(&note));
    let drawn = (!workflow.modules.is_empty()).then(|| diagram(&workflow.modules, show, words));
    let table = (!workflow.modules.is_empty()).then(|| module_table(&workflow.modules, false, show, words));
    let gone = retention::gone(workflow.pruned, "The total has them, the diagram does not.");
    Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", "diagram-title")
        .child(head)
        .children(gone)
        .children(drawn)
        .children(table)
}

fn history(workflow: &Workflow, show: bool, words: &Words) -> Markup {
    let filter =
        RunFilter { view: workflow.view.clone(), ..RunFilter::default() }.only(&Facet::Workflow, Some(&workflow.id));
    let all =
        Markup::new("a").class("panel-link").attr("href", &filter.href()).attr("rel", "external").text("All runs");
    let head = Markup::new("div")
        .class("panel-head")
        .child(Markup::new("h2").attr("id", "history-title").text("History"))
        .child(all);
    let list = if workflow.runs.is_empty() {
        Markup::new("p").class("muted").text("No run ended in these days.")
    } else {
        history_table(&filter, &workflow.runs, show, words)
    };
    Markup::new("section").class("panel").attr("aria-labelledby", "history-title").child(head).child(list)
}
