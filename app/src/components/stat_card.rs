//! One figure and what it means.

use super::amount::Amount;
use crate::words;
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
            <p class="stat-figure">
                <Amount credits/>
                " "
                <span class="stat-unit">{words::CREDITS}</span>
            </p>
            <p class="stat-remark">{remark}</p>
        </div>
    }
}
