//! An address that leads nowhere.

use crate::platform;
use leptos::prelude::*;
use leptos_meta::Title;

/// What the page is called.
pub const TITLE: &str = "There is no such page";

/// Says so, with the status 404.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    platform::page_not_found();
    view! {
        <Title text=TITLE/>
        <div class="page narrow">
            <h1>{TITLE}</h1>
            <p>"The address may have been cut or mistyped."</p>
            <p><a class="button" href="/">"To the overview"</a></p>
        </div>
    }
}
