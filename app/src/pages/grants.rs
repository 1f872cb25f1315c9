//! What was given, what is left of it, what expires when. It stands still in the browser: see
//! `components/grants/mod.rs`, which is the server's alone.

use super::Still;
use crate::platform;
use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn GrantsPage() -> impl IntoView {
    view! {
        <Title text="Grants"/>
        {platform::still_page(Still::Grants)}
    }
}
