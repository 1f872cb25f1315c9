//! The way back from an event: to the run or the interaction that it belongs to, with the period and the filters under which somebody
//! came. Server only: it travels with the event's head.

use crate::components::crumbs::crumbs;
use crate::components::customers::customer_href;
use crate::components::customers::data::Who;
use crate::components::customers::interactions;
use crate::components::runs::filter::{RunFilter, path_of, run_path};
use crate::components::workflows;
use crate::markup::Markup;
use crate::query;
use crate::report::only;
use crate::view::View;
use ledger::event::Place;
use ledger::{Dimension, Event, Label, Words};

/// What the address says where somebody came from an interaction.
pub const VIA: &str = "via";
/// See [`VIA`].
pub const INTERACTION: &str = "interaction";

/// Where an event belongs, as links to each: run, workflow, project, and for whom it counts. Nothing where it says none of them.
#[must_use]
pub fn belongs(event: &Event, (user, tenant): (Option<&Label>, Option<&Label>), words: &Words) -> Option<Markup> {
    let external =
        |href: &str, text: &Label| Markup::new("a").attr("href", href).attr("rel", "external").text(text.as_str());
    let title = |place: &Place| place.name.clone().unwrap_or_else(|| place.id.clone());
    let whole = View::default();
    let mut parts: Vec<(&str, Markup)> = Vec::new();
    if let Some(run) = &event.run {
        parts.push(("Run", external(&run_path(run.id.as_str()), &title(run))));
    }
    if let Some(workflow) = &event.workflow {
        parts.push((&words.workflow, external(&path_of(workflows::PATH, workflow.id.as_str()), &title(workflow))));
    }
    if let Some(project) = &event.project {
        let href = only(&whole, &Dimension::Project, project.id.as_str()).at("/usage");
        parts.push(("Project", external(&href, &title(project))));
    }
    if let Some(interaction) = &event.interaction {
        parts.push(("Interaction", external(&query::place("/interactions", interaction.as_str()), interaction)));
    }
    let mapped = |who: &'static str, mapped| if mapped { [who, " (mapped)"].concat() } else { who.to_owned() };
    let (as_user, as_tenant) =
        (mapped("User", user != event.user.as_ref()), mapped("Tenant", tenant != event.tenant.as_ref()));
    let owners = [(Who::User, &as_user, user), (Who::Tenant, &as_tenant, tenant)];
    for (who, what, id) in owners {
        parts.extend(id.map(|id| (what.as_str(), external(&customer_href(who, id.as_str(), &whole), id))));
    }
    let line = |(index, (what, link)): (usize, (&str, Markup))| {
        let before = if index > 0 { " \u{b7} " } else { "" };
        Markup::new("span").text(&format!("{before}{what} ")).child(link)
    };
    (!parts.is_empty()).then(|| Markup::new("p").class("muted").children(parts.into_iter().enumerate().map(line)))
}

/// The links. An event of neither leads to all usage.
#[must_use]
pub fn event_crumbs(event: &Event, search: &str) -> Markup {
    let pairs = query::parse(search);
    let via_interaction = pairs.iter().any(|(name, value)| name == VIA && value == INTERACTION);
    let filter = RunFilter::new(&pairs).first();
    if let (Some(interaction), true) = (&event.interaction, via_interaction || event.run.is_none()) {
        let view = View::parse(search);
        let own = format!("{}?{}", query::place("/interactions", interaction.as_str()), view.query());
        let own = own.trim_end_matches('?');
        let (list, interactions) = (view.at(Who::User.list()), view.at(interactions::PATH));
        return crumbs(&[(&list, "Customers"), (&interactions, "Interactions"), (own, interaction.as_str())]);
    }
    let usage = filter.href();
    match &event.run {
        Some(run) => {
            let title = run.name.as_ref().unwrap_or(&run.id);
            crumbs(&[(&usage, "Usage"), (&filter.at(&run_path(run.id.as_str())), title.as_str())])
        }
        None => crumbs(&[(&usage, "Usage")]),
    }
}
