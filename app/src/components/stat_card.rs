//! One figure and what it means.

use super::amount::Figure;
use ledger::Credits;
use leptos::prelude::*;

/// A figure in credits with its label above and a remark below.
#[component]
pub fn StatCard(
    /// What the figure is.
    label: &'static str,
    /// The figure.
    credits: Credits,
    /// What to know about it.
    remark: String,
) -> impl IntoView {
    view! {
        <div class="stat">
            <h2 class="stat-label">{label}</h2>
            <Figure credits/>
            <p class="stat-remark">{remark}</p>
        </div>
    }
}
