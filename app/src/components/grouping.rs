//! What the colours tell apart: a segmented control of links.

use crate::view::View;
use ledger::Dimension;
use leptos::prelude::*;

const DIMENSIONS: [(Dimension, &str); 3] =
    [(Dimension::Type, "Credit type"), (Dimension::Source, "Source"), (Dimension::Project, "Project")];

/// Credit type, source or project.
#[component]
pub fn Grouping(
    /// The view that the links start from.
    view: Memo<View>,
) -> impl IntoView {
    let segment = move |(dimension, title): (Dimension, &'static str)| {
        let group = dimension.clone();
        let href = move || view.with(|v| v.with_group(group.clone()).href());
        let current = move || view.with(|v| v.group == dimension).then_some("true");
        view! { <a href=href aria-current=current data-noscroll="">{title}</a> }
    };
    view! {
        <nav class="segments" aria-label="Group by">
            <span class="segments-label" aria-hidden="true">"Group by"</span>
            {DIMENSIONS.map(segment)}
        </nav>
    }
}
