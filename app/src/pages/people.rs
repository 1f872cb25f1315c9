//! Members, one's account, and the pages before one is signed in. They stand still in the browser: see
//! `components/people/mod.rs`, which is the server's alone.

use crate::platform;
use leptos::prelude::*;

/// Any of these pages.
#[component]
pub fn PeoplePage() -> impl IntoView {
    platform::people_page()
}
