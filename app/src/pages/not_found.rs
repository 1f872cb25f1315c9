//! An address that leads nowhere.

use crate::platform;
use leptos::prelude::*;
use leptos_meta::Title;

/// Says so, with the status 404.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    platform::page_not_found();
    view! {
        <Title text="Not found"/>
        <div class="page narrow">
            <h1>"There is no such page"</h1>
            <p>"The address may have been cut or mistyped."</p>
            <p><a class="button" href="/">"To the overview"</a></p>
        </div>
    }
}
