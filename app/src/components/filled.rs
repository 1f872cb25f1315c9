//! What is filled by an answer: every page, and the parts that ask for themselves.
//!
//! What is shown is erased to one type, so that waiting, falling back and taking over from the server are compiled once.

use super::eager::Eager;
use super::error_panel::ErrorPanel;
use super::skeleton::PageSkeleton;
use crate::server_fns::Answer;
use crate::server_fns::answer::Shown;
use crate::words;
use leptos::children::ViewFnOnce;
use leptos::prelude::*;
use serde::de::DeserializeOwned;

/// A view of no type of its own.
pub fn any<V: IntoView + Send + 'static>(view: V) -> AnyView {
    Eager(view.into_view()).into_any()
}

/// The report that an answer is, or the panel that says why there is none.
pub fn report<T: DeserializeOwned + 'static>(
    data: Answer<T>,
    report: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> Shown {
    let retry = Callback::new(move |()| data.ask_again());
    data.shown(move |told| told.map_or_else(|error| any(view! { <ErrorPanel error retry/> }), &report))
}

/// A page that is filled by one answer. While it asks again it shows what it has.
#[component]
pub fn FilledPage(
    /// What fills it.
    shown: Shown,
    /// Cards above the chart, while nothing is there.
    #[prop(optional)]
    cards: usize,
) -> impl IntoView {
    let (loading, set_loading) = signal(false);
    view! {
        <div class="page" class:loading=loading aria-busy=move || if loading.get() { "true" } else { "false" }>
            <Filled shown fallback=move || any(view! { <PageSkeleton cards/> }) set_loading/>
        </div>
    }
}

/// The view of an answer, with the words of the viewer's org.
#[component]
pub fn Filled(
    /// What it shows.
    shown: Shown,
    /// What it shows before.
    #[prop(optional, into)]
    fallback: ViewFnOnce,
    /// Is told whether it asks again.
    #[prop(optional)]
    set_loading: Option<WriteSignal<bool>>,
) -> impl IntoView {
    let set_loading = set_loading.unwrap_or_else(|| signal(false).1);
    let view = move || {
        let shown = shown.clone();
        Suspend::new(async move {
            words::provide().await;
            shown.view().await
        })
    };
    view! { <Transition fallback set_pending=set_loading>{view}</Transition> }
}
