//! What the charts say beyond the ledger: nothing, and everybody may see that.

use super::amount::Amount;
use ledger::Credits;
use leptos::prelude::*;

/// A line at the end of a page.
#[component]
pub fn Difference(
    /// Charts less ledger.
    difference: Credits,
) -> impl IntoView {
    view! {
        <p class="difference" class:wrong=!difference.is_zero()>
            "Ledger and charts differ by " <Amount credits=difference/>
        </p>
    }
}
