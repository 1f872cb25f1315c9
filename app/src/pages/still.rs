//! Every page that stands still: the server writes it, the browser leaves it alone. Which one the address names, the server
//! alone knows ([`crate::platform::still_page`]), so another such page costs first loads nothing.

use crate::platform;
use leptos::prelude::*;
use leptos_meta::Title;

/// Any of them; an address that has none says so.
#[component]
pub fn StillPage() -> impl IntoView {
    view! {
        <Title text=platform::still_title()/>
        {platform::still_page()}
    }
}
