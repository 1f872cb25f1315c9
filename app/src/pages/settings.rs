//! Settings: which page of them, the server says. They stand still in the browser: see `components/settings/mod.rs`, which
//! is the server's alone.

use super::Still;
use crate::platform;
use leptos::prelude::*;
use leptos_meta::Title;

/// Any page of settings.
#[component]
pub fn SettingsPage() -> impl IntoView {
    view! {
        <Title text=platform::still_title()/>
        {platform::still_page(Still::Settings)}
    }
}
