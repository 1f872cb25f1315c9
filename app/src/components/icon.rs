//! Icons from one file that is cached: they cost the browser's code nothing.

use leptos::prelude::*;

/// A decoration: whatever it stands for is also said in words.
#[component]
pub fn Icon(
    /// The id of a symbol in `public/icons.svg`.
    name: &'static str,
) -> impl IntoView {
    let href = format!("/icons.svg#{name}");
    view! {
        <svg class="icon" width="16" height="16" aria-hidden="true">
            <use href=href></use>
        </svg>
    }
}
