//! Which usage counts: a menu of all that can be filtered by, and beside it what is, each with a way to take it away.
//!
//! Credit types, sources and projects are ticked and counted at once, in the browser; without a script "Apply" does it.
//! What else events say is the server's to list ([`super::facet_menu`]). The bar is one line high whatever is chosen, so
//! that nothing below it moves.

use super::facet_menu::{self, ATTRIBUTES};
use super::icon::Icon;
use super::menu::{at, list};
use super::still::follows;
use crate::filters::{self, Chosen};
use crate::markup::{Markup, hidden, span};
use crate::platform;
use crate::steer::Steer;
use crate::view::View;
use crate::words::{self, Words};
use ledger::{Cube, Dimension, Facet};
use leptos::prelude::*;

const POPOVER: &str = "filters";
const BUTTON: &str = "filters-button";
/// Values of one dimension that are ticked in the menu; of more, those that are chosen are still in the address.
const MAX_BOXES: usize = 100;

/// The button with its menu, and the chips.
#[component]
pub fn FilterBar(
    /// The view that everything starts from, and where it goes.
    steer: Steer,
    /// Whose values.
    cube: StoredValue<Cube>,
) -> impl IntoView {
    let (view, late, words) = (steer.view, steer.late, StoredValue::new(words::current()));
    let told = move |view: &View, make: fn(&Cube, &View, &Words) -> Markup| {
        words.with_value(|words| cube.with_value(|cube| make(cube, view, words)))
    };
    let chips = follows(late, move |v| told(v, chips));
    // Not written again at each tick.
    let facets = follows(steer.opened, move |v| told(v, facets));
    let boxes = follows(steer.opened, move |v| told(v, boxes));
    let choose = move |event: web_sys::Event| {
        let said = |name| platform::attribute_of(&event, name);
        let Some((dimension, value)) = said("name").as_deref().and_then(Dimension::parse).zip(said("value")) else {
            return;
        };
        let next = view.with_untracked(|v| v.with_value(&dimension, &value, event_target_checked(&event)));
        steer.to(next, false);
    };
    let act = move |event: leptos::ev::MouseEvent| {
        if platform::act(&event) {
            platform::close_popover(POPOVER);
        }
    };
    // The chip that was clicked is gone: whoever goes by keyboard stays here.
    let stay = move |_| platform::focus(BUTTON.to_owned());
    view! {
        <div class="filter-bar" role="group" aria-label="Filters">
            <button id=BUTTON type="button" class="button" popovertarget=POPOVER>
                <Icon name="filter"/>
                <span>"Filter"</span>
                <Icon name="down"/>
            </button>
            <div id=POPOVER class="popover menu filters" popover="auto" on:change=choose on:click=act>
                {boxes}
                {facets}
            </div>
            <div class="chips" on:click=stay>{chips}</div>
        </div>
    }
}

/// What the cube knows, to be ticked.
fn boxes(cube: &Cube, view: &View, words: &Words) -> Markup {
    let is_kept = |name: &str| !matches!(name, "type" | "source" | "project");
    let kept = view.pairs().into_iter().filter(|(name, _)| is_kept(name)).collect();
    let apply = Markup::new("button").class("button primary").text("Apply");
    Markup::new("form")
        .attr("method", "get")
        .attr("action", "/analytics")
        .attr("aria-label", "Filter")
        .children(hidden(kept))
        .children(Dimension::BASE.map(|dimension| values(cube, view, &dimension, words)))
        .child(Markup::new("div").class("popover-foot without-script").child(apply))
}

fn values(cube: &Cube, view: &View, dimension: &Dimension, words: &Words) -> Markup {
    let (title, name) = (filters::title(dimension, words), dimension.name());
    let offered = filters::offered(cube, view, dimension);
    let more = offered.len().saturating_sub(MAX_BOXES);
    let choice = |(value, text): &(String, String)| {
        let chosen = view.with_value(dimension, value, true) == *view;
        let tick = Markup::new("input").attr("type", "checkbox").attr("name", &name).attr("value", value);
        let tick = tick.maybe_attr("checked", chosen.then_some(""));
        Markup::new("label").class("choice").child(tick).child(span(text))
    };
    let more = (more > 0).then(|| at(&format!("{more} more\u{2026}"), &facet_menu::href(view, &name)));
    let is_open = *dimension == Dimension::Source || !filters::chosen_of(view, dimension).is_empty();
    let legend = Markup::new("legend").class("visually-hidden").text(&title);
    let choices =
        Markup::new("fieldset").child(legend).children(offered.iter().take(MAX_BOXES).map(choice)).children(more);
    Markup::new("details")
        .maybe_attr("open", is_open.then_some(""))
        .child(Markup::new("summary").class("menu-item").text(&title))
        .child(choices)
}

/// Ways to the lists that the server has.
fn facets(_: &Cube, view: &View, words: &Words) -> Markup {
    let named = [Facet::Workflow, Facet::User, Facet::Tenant, Facet::Status]
        .map(|facet| (facet.name(), filters::title(&Dimension::Facet(facet), words)));
    let attributes = (ATTRIBUTES.to_owned(), "Attributes".to_owned());
    let links = named.into_iter().chain([attributes]);
    list(links.map(|(name, title)| at(&format!("{title}\u{2026}"), &facet_menu::href(view, &name))))
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
