//! Which sources count. A form in a popover: with a script each tick applies at once, without one "Apply" does.

use super::icon::Icon;
use crate::view::View;
use ledger::{Cube, Dimension};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

/// The button and its popover.
#[component]
pub fn SourceFilter(
    /// The view that the form starts from.
    view: Memo<View>,
    /// Whose sources.
    cube: StoredValue<Cube>,
    /// Whether a script runs.
    ready: RwSignal<bool>,
) -> impl IntoView {
    let label = move || view.with(|v| summary(&v.sources));
    let hidden = move || {
        let pairs = view.with(View::pairs).into_iter().filter(|(name, _)| name != "source");
        pairs.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()
    };
    let boxes = cube.with_value(|cube| offered(cube, &view.get_untracked()));
    let boxes = boxes.into_iter().map(|source| view! { <Choice view source/> }).collect_view();
    view! {
        <button type="button" class="button" popovertarget="sources">
            <Icon name="filter"/>
            <span>{label}</span>
            <Icon name="down"/>
        </button>
        <div id="sources" class="popover sources" popover="auto">
            <form method="get" action="/analytics" aria-label="Sources">
                {hidden}
                <fieldset>
                    <legend>"Sources"</legend>
                    {boxes}
                </fieldset>
                <div class="popover-foot">
                    <a class="button quiet" href=move || view.with(|v| View { sources: Vec::new(), ..v.clone() }.href()) data-noscroll="">"All sources"</a>
                    <button class="button primary" class:hidden=move || ready.get()>"Apply"</button>
                </div>
            </form>
        </div>
    }
}

#[component]
fn Choice(view: Memo<View>, source: String) -> impl IntoView {
    let navigate = use_navigate();
    let name = StoredValue::new(source.clone());
    let checked = move || name.with_value(|name| view.with(|v| v.sources.contains(name)));
    let choose = move |event: web_sys::Event| {
        let chosen = event_target_checked(&event);
        let next = name.with_value(|name| view.with_untracked(|v| v.with_value(&Dimension::Source, name, chosen)));
        navigate(&next.href(), NavigateOptions { scroll: false, ..NavigateOptions::default() });
    };
    view! {
        <label class="choice">
            <input type="checkbox" name="source" value=source.clone() checked=untrack(checked) prop:checked=checked on:change=choose/>
            <span>{source}</span>
        </label>
    }
}

/// What the range has, and what is chosen though the range does not have it.
fn offered(cube: &Cube, view: &View) -> Vec<String> {
    let mut names: Vec<String> = cube.sources.iter().chain(&view.sources).cloned().collect();
    names.sort();
    names.dedup();
    names
}

fn summary(sources: &[String]) -> String {
    match sources {
        [] => "All sources".to_owned(),
        [one] => one.clone(),
        more => format!("{} sources", more.len()),
    }
}
