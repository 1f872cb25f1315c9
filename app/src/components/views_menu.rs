//! The menu of saved views: those that there are, and a form to save the one that is shown.

use super::filled::{Filled, any};
use super::menu::{heading, list, menu};
use super::saved_views::VIEWS;
use super::still::follows;
use crate::markup::{Markup, hidden, span};
use crate::server_fns::answer::Shown;
use crate::view::View;
use leptos::prelude::*;

/// A plain form: it works before and without a script.
#[component]
pub fn ViewsMenu(
    /// The view that is saved.
    view: Memo<View>,
    /// Those that are saved.
    saved: Shown,
) -> impl IntoView {
    let form = follows(view, form);
    let content = any(view! { <Filled shown=saved/> {form} });
    menu("views", "Saved views", None, content)
}

fn form(view: &View) -> Markup {
    let name = Markup::new("input")
        .attr("name", "name")
        .attr("aria-label", "Name")
        .attr("placeholder", "Name; the same one again overwrites")
        .attr("maxlength", "60")
        .attr("autocomplete", "off")
        .attr("required", "");
    let save = Markup::new("button").class("button primary").text("Save");
    let shared = Markup::new("input").attr("type", "checkbox").attr("name", "shared").attr("value", "1");
    let shared = Markup::new("label").class("choice").child(shared).child(span("Everybody here sees it"));
    let form = Markup::new("form")
        .attr("method", "post")
        .attr("action", VIEWS)
        .children(hidden(vec![("do", "save".to_owned()), ("query", view.query())]))
        .child(Markup::new("div").class("menu-form").child(name).child(save))
        .child(shared);
    list([heading("Save this view"), form])
}
