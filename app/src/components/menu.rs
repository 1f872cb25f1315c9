//! A button with a list behind it: links that say what the view would be, and tell which of them it is already.
//!
//! The list is a popover of the browser's own: it opens and closes before and without a script.

use super::filled::any;
use super::icon::Icon;
use crate::platform;
use crate::view::View;
use leptos::prelude::*;

/// Makes a view of the one that is there.
pub type To = Box<dyn Fn(&View) -> View + Send + Sync>;

/// The button, and what it opens.
pub fn menu(
    id: &'static str,
    label: impl Fn() -> String + Send + Sync + 'static,
    title: &'static str,
    content: AnyView,
) -> AnyView {
    let label: Box<dyn Fn() -> String + Send + Sync> = Box::new(label);
    any(view! {
        <button type="button" class="button" popovertarget=id aria-label=title>
            <span>{label}</span>
            <Icon name="down"/>
        </button>
        <div id=id class="popover menu" popover="auto" role="group" aria-label=title>{content}</div>
    })
}

/// A link of a menu; it is marked where it would change nothing.
pub fn item(view: Memo<View>, menu: &'static str, title: String, to: To) -> AnyView {
    let to = StoredValue::new(to);
    let href = move || to.with_value(|to| view.with(|v| to(v).href()));
    let current = move || to.with_value(|to| view.with(|v| to(v) == *v)).then_some("true");
    let close = move |_| platform::close_popover(menu);
    any(view! { <a class="menu-item" href=href aria-current=current data-noscroll="" on:click=close>{title}</a> })
}

/// What stands where an item cannot be chosen, and why.
pub fn not_offered(title: String, why: &'static str) -> AnyView {
    any(view! { <span class="menu-item" aria-disabled="true">{title}<small>{why}</small></span> })
}

/// A heading between items.
pub fn heading(text: &'static str) -> AnyView {
    any(view! { <p class="menu-heading">{text}</p> })
}
