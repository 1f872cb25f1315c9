//! What the colours tell apart, and how many of it.

use super::facet_menu::{self, ATTRIBUTES};
use super::menu::{heading, item, menu};
use crate::filters;
use crate::platform;
use crate::view::{TOPS, View};
use crate::words;
use ledger::{Dimension, Facet};
use leptos::prelude::*;

const MENU: &str = "group-by";

/// Credit type, source, project, or what else events say; attributes are named by the server.
#[component]
pub fn Grouping(
    /// The view that the links start from.
    view: Memo<View>,
) -> impl IntoView {
    let words = words::current();
    let label = {
        let words = words.clone();
        move || format!("By {}", view.with(|v| filters::title(&v.group, &words)).to_lowercase())
    };
    let facets = [Facet::Workflow, Facet::User, Facet::Tenant, Facet::Status].map(Dimension::Facet);
    let attribute = view.with_untracked(|v| v.group.clone());
    let attribute = Some(attribute).filter(|group| matches!(group, Dimension::Facet(Facet::Attribute(_))));
    let dimensions = Dimension::BASE.into_iter().chain(facets).chain(attribute);
    let groups = dimensions.map(|dimension| {
        let title = filters::title(&dimension, &words);
        item(view, MENU, title, Box::new(move |v| v.with_group(dimension.clone())))
    });
    let tops = TOPS.map(|top| item(view, MENU, format!("Top {top}"), Box::new(move |v| View { top, ..v.clone() })));
    let attributes = move || view.with(|v| facet_menu::href(v, ATTRIBUTES));
    let content = view! {
        {heading("Group by")}
        {groups.collect_view()}
        <a class="menu-item" href=attributes data-noscroll="" on:click=move |_| platform::close_popover(MENU)>"Attribute\u{2026}"</a>
        {heading("Then other")}
        {tops.into_iter().collect_view()}
    };
    menu(MENU, label, "Group by", content.into_any())
}
