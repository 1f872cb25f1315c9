//! Changes of a view that the cube in the page answers: shown first, written into the address after the frame.
//!
//! The router needs some 3 ms for a step (half of it the browser's own `pushState`), more than the chart does. So a click
//! on a link that asks the server nothing new is taken before the router sees it: the view changes at once, the address
//! follows when the frame is on the screen. Every other link is the router's, and without a script all of them are links.

use crate::platform;
use crate::view::View;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use web_sys::MouseEvent;

/// Where the page of a view goes.
#[derive(Clone, Copy)]
pub struct Steer {
    /// What is shown: what was asked for last, or what the address says.
    pub view: Memo<View>,
    asked: RwSignal<Option<View>>,
    search: Memo<String>,
    /// The step that the address has not made yet, and whether it replaces the last one.
    waiting: StoredValue<Option<(String, bool)>>,
    go: Callback<(String, bool)>,
}

impl Steer {
    /// Of the page at the present address.
    #[must_use]
    pub fn here() -> Self {
        let search = use_location().search;
        let asked = RwSignal::new(None);
        // A step of the address is the last word, whoever made it.
        Effect::new(move |_| {
            search.track();
            asked.set(None);
        });
        let view = Memo::new(move |_| asked.get().unwrap_or_else(|| View::parse(&search.get())));
        let navigate = use_navigate();
        let go = Callback::new(move |(href, replace): (String, bool)| {
            navigate(&href, NavigateOptions { scroll: false, replace, ..NavigateOptions::default() });
        });
        Self { view, asked, search, waiting: StoredValue::new(None), go }
    }

    /// Goes to another view; `replace` for what is no step that anybody wants to go back by itself.
    pub fn to(self, view: View, replace: bool) {
        let (href, before) = (view.href(), self.search.get_untracked());
        if self.view.with_untracked(View::question) != view.question() {
            self.go.run((href, replace));
            return;
        }
        self.asked.set(Some(view));
        self.waiting.set_value(Some((href, replace)));
        platform::after_paint(move || {
            // The page may be gone by now, or the address have moved on.
            let is_here = self.search.try_get_untracked().is_some_and(|now| now == before);
            if let Some(Some((href, replace))) = self.waiting.try_update_value(Option::take).filter(|_| is_here) {
                self.go.run((href, replace));
            }
        });
    }

    /// Takes a click on a link of this page. Links that say so replace the last step.
    pub fn click(self, event: &MouseEvent) {
        let Some(link) = platform::link_of(event) else { return };
        let Some(query) = link.href.strip_prefix("/analytics") else { return };
        let view = View::parse(query);
        if self.view.with_untracked(View::question) == view.question() {
            event.prevent_default();
            self.to(view, link.replaces);
        }
    }
}
