//! What stands in for a panel while its first data loads, in the panel's final size.

use leptos::prelude::*;

/// The cards, chart and table of a page, grey.
#[component]
pub fn PageSkeleton(
    /// Cards above the chart.
    cards: usize,
) -> impl IntoView {
    let cards = (0..cards).map(|_| view! { <div class="skeleton stat"></div> }).collect_view();
    view! {
        <div class="page-skeleton" role="status" aria-label="Loading">
            <div class="stats">{cards}</div>
            <div class="skeleton skeleton-chart"></div>
            <div class="skeleton skeleton-table"></div>
        </div>
    }
}
