//! What the colours tell apart, and how many of it.

use super::facet_menu::{self, ATTRIBUTES};
use super::menu::{at, heading, item, list, menu};
use super::still::follows;
use crate::filters;
use crate::markup::Markup;
use crate::steer::Steer;
use crate::view::{TOPS, View};
use crate::words::{self, Words};
use ledger::{Dimension, Facet};
use leptos::prelude::*;

/// Credit type, source, project, or what else events say; attributes are named by the server.
#[component]
pub fn Grouping(
    /// The view that the links start from.
    steer: Steer,
) -> impl IntoView {
    let words = StoredValue::new(words::current());
    let label = move || words.with_value(|words| steer.late.with(|v| filters::title(&v.group, words)));
    let content = follows(steer.opened, move |v| words.with_value(|words| groups(v, words)));
    menu("group-by", "Group by", Some(Signal::derive(label)), content)
}

fn groups(view: &View, words: &Words) -> Markup {
    let facets = [Facet::Workflow, Facet::User, Facet::Tenant, Facet::Status].map(Dimension::Facet);
    let attribute = Some(&view.group).filter(|group| matches!(group, Dimension::Facet(Facet::Attribute(_)))).cloned();
    let dimensions = Dimension::BASE.into_iter().chain(facets).chain(attribute);
    let groups = dimensions.map(|dimension| {
        let title = filters::title(&dimension, words);
        // What the legend hides is not what tells groupings apart.
        let to = if dimension == view.group { view.clone() } else { view.with_group(dimension) };
        item(view, &title, &to)
    });
    let tops = TOPS.map(|top| item(view, &format!("Top {top}, then other"), &View { top, ..view.clone() }));
    list([heading("Group by")])
        .children(groups)
        .child(at("Attribute\u{2026}", &facet_menu::href(view, ATTRIBUTES)))
        .child(heading("Show"))
        .children(tops)
}
