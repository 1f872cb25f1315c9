//! System, light or dark. The choice is kept in a cookie that the server reads; without a script the system decides.

use super::icon::Icon;
use crate::platform;
use crate::theme::Theme;
use leptos::prelude::*;

/// Three buttons, of which one is pressed.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = RwSignal::new(platform::theme());
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let button = move |theme: Theme| {
        let icon = match theme {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        let choose = move |_| {
            platform::set_theme(theme);
            chosen.set(theme);
        };
        view! {
            <button
                type="button"
                title=theme.title()
                aria-label=theme.title()
                aria-pressed=move || if chosen.get() == theme { "true" } else { "false" }
                disabled=move || !ready.get()
                on:click=choose
            >
                <Icon name=icon/>
            </button>
        }
    };
    view! { <div class="theme-switch" role="group" aria-label="Theme">{Theme::ALL.map(button)}</div> }
}
