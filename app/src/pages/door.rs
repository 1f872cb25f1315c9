//! The pages through which people come in: signing in, the second step, a forgotten password, an invitation. They stand still in the
//! browser: see `components/people/mod.rs`, which is the server's alone.

use super::Still;
use crate::platform;
use leptos::prelude::*;
use leptos_meta::Title;

/// Any of them.
#[component]
pub fn DoorPage() -> impl IntoView {
    view! {
        <Title text=platform::still_title()/>
        {platform::still_page(Still::Doors)}
    }
}
