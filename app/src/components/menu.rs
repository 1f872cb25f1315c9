//! A button with a list behind it: links that say what the view would be, and tell which of them it is already.
//!
//! The list is a popover of the browser's own: it opens and closes before and without a script. What is in it is markup,
//! written again when the view changes: as views of the framework a handful of menus took 30 KB of first load.

use super::filled::any;
use super::icon::Icon;
use crate::markup::{Markup, span};
use crate::platform;
use crate::view::View;
use leptos::prelude::*;

/// The button, with what is chosen where something is, and what it opens; a click on a link or button in it closes it, and does
/// what its `data-act` says.
pub fn menu(id: &'static str, title: &'static str, chosen: Option<Signal<String>>, content: AnyView) -> AnyView {
    let act = move |event: leptos::ev::MouseEvent| {
        if platform::act(&event) {
            platform::close_popover(id);
        }
    };
    any(view! {
        <button type="button" class="button" popovertarget=id>
            <span class:menu-label=chosen.is_some()>{title}</span>
            <span>{chosen}</span>
            <Icon name="down"/>
        </button>
        <div id=id class="popover menu" popover="auto" role="group" aria-label=title on:click=act>{content}</div>
    })
}

/// A list of items.
#[must_use]
pub fn list(items: impl IntoIterator<Item = Markup>) -> Markup {
    Markup::new("div").children(items)
}

/// A link to a view; it is marked where that is the one there is.
#[must_use]
pub fn item(view: &View, title: &str, to: &View) -> Markup {
    link(&to.href()).maybe_attr("aria-current", (to == view).then_some("true")).text(title)
}

/// A link to an address of the page.
#[must_use]
pub fn at(title: &str, href: &str) -> Markup {
    link(href).text(title)
}

fn link(href: &str) -> Markup {
    Markup::new("a").class("menu-item").attr("href", href).attr("data-noscroll", "")
}

/// What stands where an item cannot be chosen, and why.
#[must_use]
pub fn not_offered(title: &str, why: &str) -> Markup {
    let why = Markup::new("small").text(why);
    Markup::new("span").class("menu-item").attr("aria-disabled", "true").child(span(title)).child(why)
}

/// A heading between items.
#[must_use]
pub fn heading(text: &str) -> Markup {
    Markup::new("p").class("menu-heading").text(text)
}
