//! A point in time, in the words that the server chose.

use crate::server_fns::Moment;
use leptos::prelude::*;

/// A `<time>` element.
#[component]
pub fn Time(
    /// When, and its words.
    moment: Moment,
) -> impl IntoView {
    view! { <time datetime=moment.iso>{moment.text}</time> }
}
