//! Keeps a page up to date while it is open: asks again when the server says that there is news, and every few minutes.

use crate::platform;
use leptos::prelude::*;
use std::time::Duration;

/// How often a page asks again without being told.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// On a link of the page: asks again at once, instead of loading all of it.
const REFRESH: &str = "data-refresh";

/// A page that is kept up to date.
#[derive(Clone, Copy)]
pub struct Live {
    again: Callback<()>,
    asked: StoredValue<bool>,
    told: RwSignal<String>,
}

impl Live {
    /// For a page that `again` asks for again.
    pub fn new(again: impl Fn() + Send + Sync + 'static) -> Self {
        let asked = StoredValue::new(false);
        let again = Callback::new(move |()| {
            asked.set_value(true);
            again();
        });
        on_cleanup(platform::unwatch);
        Self { again, asked, told: RwSignal::new(String::new()) }
    }

    /// The page shows what was read at that time. What it has seen of the org's chain stands in its attribute `data-live`.
    pub fn shows(self, as_of: String) {
        platform::after_paint(move || {
            if self.asked.try_get_value().unwrap_or(false) {
                self.told.try_set(format!("Updated, as of {as_of}"));
            }
            let again = self.again;
            platform::watch(move || again.run(()), EVERY);
        });
    }

    /// The page, with what is said politely once newer figures are shown.
    pub fn around(self, page: impl IntoView) -> impl IntoView {
        let refresh = move |event: web_sys::MouseEvent| {
            let plain = !(event.ctrl_key() || event.meta_key() || event.shift_key());
            if plain && platform::attribute_of(&event, REFRESH).is_some() {
                event.prevent_default();
                self.again.run(());
            }
        };
        view! {
            <div on:click=refresh>{page}</div>
            <p class="visually-hidden" role="status">{self.told}</p>
        }
    }
}
