//! What people say of a workflow: a name of its own, and the project that it belongs to.

use crate::components::customers::interactions::field;
use crate::components::runs::filter::path_of;
use crate::components::runs::{Place, external};
use crate::components::workflows::PATH;
use crate::markup::{Markup, span, text_fact};
use crate::view::View;
use ledger::Words;

/// What is said of it.
pub struct Settings {
    /// The name that people gave it; empty where they did not.
    pub name: String,
    /// What events call it; its id where they do not.
    pub said: String,
    /// The project that it belongs to.
    pub project: Option<Place>,
    /// The projects that there are, to choose from.
    pub projects: Vec<Place>,
    /// Whether whoever looks may change it.
    pub may: bool,
}

/// The panel, with what came of its form.
pub(super) fn panel(id: &str, settings: &Settings, told: Option<Markup>, words: &Words) -> Markup {
    let workflow = words.workflow.to_lowercase();
    let panel = Markup::new("section")
        .class("panel")
        .attr("id", "settings")
        .attr("aria-labelledby", "settings-title")
        .child(Markup::new("h2").attr("id", "settings-title").text("Settings"));
    if !settings.may {
        let project = settings.project.as_ref().map_or_else(|| "None".to_owned(), |project| project.title.clone());
        let facts = Markup::new("dl")
            .class("summary")
            .child(text_fact("Called by events", &settings.said))
            .child(text_fact("Project", &project));
        return panel.child(facts).child(Markup::new("p").class("muted").text("Owners and admins can change this."));
    }
    let chosen = settings.project.as_ref().map_or("", |project| project.id.as_str());
    let option = |id: &str, title: &str| {
        Markup::new("option").attr("value", id).maybe_attr("selected", (id == chosen).then_some("")).text(title)
    };
    let projects = Markup::new("select")
        .attr("name", "project")
        .child(option("", "None"))
        .children(settings.projects.iter().map(|project| option(&project.id, &project.title)));
    let form = Markup::new("form")
        .class("fields")
        .attr("method", "post")
        .attr("action", &path_of(PATH, id))
        .child(field("name", "Name", &settings.name, false))
        .child(Markup::new("label").child(span("Project")).child(projects))
        .child(Markup::new("button").class("button primary").text("Save"));
    let say = format!(
        "Events call this {workflow} {}: leave the name empty to go by that. The project is where lists show the {workflow}; usage counts \
         for the project that its event names.",
        settings.said
    );
    panel.child(Markup::new("p").class("muted").text(&say)).children(told).child(form)
}

/// The project of a workflow, as a link to its usage.
pub(super) fn project_link(project: &Place, view: &View) -> Markup {
    let view = View { projects: vec![project.id.clone()], facets: Vec::new(), ..view.clone() };
    external(&view.href(), &project.title)
}
