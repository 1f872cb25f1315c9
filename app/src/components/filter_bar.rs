//! Which usage counts: a menu of all that can be filtered by, and beside it what is, each with a way to take it away.
//!
//! Credit types, sources and projects are ticked and counted at once, in the browser; without a script "Apply" does it.
//! What else events say is the server's to list ([`super::facet_menu`]). The bar is one line high whatever is chosen, so
//! that nothing below it moves.

use super::facet_menu::{self, ATTRIBUTES};
use super::icon::Icon;
use super::still::Still;
use crate::filters::{self, Chosen};
use crate::markup::{Markup, span};
use crate::platform;
use crate::view::View;
use crate::words::{self, Words};
use ledger::{Cube, Dimension, Facet};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

const POPOVER: &str = "filters";
const BUTTON: &str = "filters-button";
/// Values of one dimension that are ticked in the menu; of more, those that are chosen are still in the address.
const MAX_BOXES: usize = 100;

/// The button with its menu, and the chips.
#[component]
pub fn FilterBar(
    /// The view that everything starts from.
    view: Memo<View>,
    /// Whose values.
    cube: StoredValue<Cube>,
    /// Whether a script runs.
    ready: RwSignal<bool>,
) -> impl IntoView {
    let words = words::current();
    let chips = {
        let words = words.clone();
        move || Still(view.with(|view| cube.with_value(|cube| chips(cube, view, &words))))
    };
    // The chip that was clicked is gone: whoever goes by keyboard stays here.
    let stay = move |_| platform::focus(BUTTON.to_owned());
    let hidden = move || {
        let is_other = |name: &str| !matches!(name, "type" | "source" | "project");
        let pairs = view.with(View::pairs).into_iter().filter(|(name, _)| is_other(name));
        pairs.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()
    };
    let boxes = Dimension::BASE.map(|dimension| boxes(view, cube, dimension, &words));
    let facets = facets(view, &words);
    view! {
        <div class="filter-bar" role="group" aria-label="Filters">
            <button id=BUTTON type="button" class="button" popovertarget=POPOVER>
                <Icon name="filter"/>
                <span>"Filter"</span>
                <Icon name="down"/>
            </button>
            <div id=POPOVER class="popover menu filters" popover="auto">
                <form method="get" action="/analytics" aria-label="Filter">
                    {hidden}
                    {boxes.into_iter().collect_view()}
                    <div class="popover-foot" class:hidden=move || ready.get()><button class="button primary">"Apply"</button></div>
                </form>
                {facets}
            </div>
            <div class="chips" on:click=stay>{chips}</div>
        </div>
    }
}

/// The values of a dimension that the cube knows.
fn boxes(view: Memo<View>, cube: StoredValue<Cube>, dimension: Dimension, words: &Words) -> AnyView {
    let (title, name) = (filters::title(&dimension, words), dimension.name());
    let values = view.with_untracked(|view| cube.with_value(|cube| filters::offered(cube, view, &dimension)));
    let more = values.len().saturating_sub(MAX_BOXES);
    let choices = values.into_iter().take(MAX_BOXES).map(|(value, text)| choice(view, dimension.clone(), value, text));
    let is_open = dimension == Dimension::Source;
    let more = (more > 0).then(|| drawer_link(view, name.clone(), format!("{more} more")));
    view! {
        <details name="filters" open=is_open>
            <summary class="menu-item">{title.clone()}</summary>
            <fieldset class="choices" data-name=name>
                <legend class="visually-hidden">{title}</legend>
                {choices.collect_view()}
                {more}
            </fieldset>
        </details>
    }
    .into_any()
}

fn choice(view: Memo<View>, dimension: Dimension, value: String, text: String) -> AnyView {
    let navigate = use_navigate();
    let name = dimension.name();
    let this = StoredValue::new((dimension, value.clone()));
    let checked =
        move || this.with_value(|(dimension, value)| view.with(|v| v.with_value(dimension, value, true) == *v));
    let choose = move |event: web_sys::Event| {
        let chosen = event_target_checked(&event);
        let next =
            this.with_value(|(dimension, value)| view.with_untracked(|v| v.with_value(dimension, value, chosen)));
        navigate(&next.href(), NavigateOptions { scroll: false, ..NavigateOptions::default() });
    };
    view! {
        <label class="choice">
            <input type="checkbox" name=name value=value checked=untrack(checked) prop:checked=checked on:change=choose/>
            <span>{text}</span>
        </label>
    }
    .into_any()
}

/// Ways to the lists that the server has.
fn facets(view: Memo<View>, words: &Words) -> impl IntoView + use<> {
    let named = [Facet::Workflow, Facet::User, Facet::Tenant, Facet::Status]
        .map(|facet| (facet.name(), filters::title(&Dimension::Facet(facet), words)));
    let attributes = (ATTRIBUTES.to_owned(), "Attributes".to_owned());
    named.into_iter().chain([attributes]).map(|(name, title)| drawer_link(view, name, title)).collect_view()
}

fn drawer_link(view: Memo<View>, name: String, title: String) -> AnyView {
    let href = move || view.with(|v| facet_menu::href(v, &name));
    let close = move |_| platform::close_popover(POPOVER);
    view! { <a class="menu-item" href=href data-noscroll="" on:click=close>{title}"\u{2026}"</a> }.into_any()
}

fn chips(cube: &Cube, view: &View, words: &Words) -> Markup {
    let chosen = filters::chosen(cube, view);
    let list = Markup::new("ul").attr("aria-label", "Filters in force");
    if chosen.is_empty() {
        return list.child(Markup::new("li").class("chips-none").text("No filters"));
    }
    let clear =
        Markup::new("a").class("chips-clear").attr("href", &view.without_filters().href()).attr("data-noscroll", "");
    let clear = Markup::new("li").child(clear.text("Clear all"));
    list.children(chosen.iter().map(|chosen| chip(view, chosen, words))).child(clear)
}

fn chip(view: &View, chosen: &Chosen, words: &Words) -> Markup {
    let (title, text) = (filters::title(&chosen.dimension, words), chosen.text.as_str());
    let label = format!("Take away the filter {title}: {text}");
    let remove = Markup::new("a")
        .attr("href", &view.with_value(&chosen.dimension, &chosen.value, false).href())
        .attr("data-noscroll", "")
        .attr("aria-label", &label)
        .attr("title", &label)
        .text("\u{d7}");
    let name = Markup::new("span").class("chip-name").text(&title);
    Markup::new("li").class("chip").child(name).child(span(text)).child(remove)
}
