//! The menu of saved views: those that there are, and a form to save the one that is shown.

use super::filled::Filled;
use super::menu::{heading, menu};
use super::saved_views::VIEWS;
use crate::server_fns::answer::Shown;
use crate::view::View;
use leptos::prelude::*;

/// A plain form: it works before and without a script.
#[component]
pub fn ViewsMenu(
    /// The view that is saved.
    view: Memo<View>,
    /// The list.
    list: Shown,
) -> impl IntoView {
    let query = move || view.with(View::query);
    let content = view! {
        {heading("Saved views")}
        <Filled shown=list/>
        {heading("Save this view")}
        <form class="save-view" method="post" action=VIEWS>
            <input type="hidden" name="do" value="save"/>
            <input type="hidden" name="query" value=query prop:value=query/>
            <div class="menu-form">
                <input name="name" aria-label="Name" placeholder="Name; the same one again overwrites" maxlength="60" autocomplete="off" required=""/>
                <button class="button primary">"Save"</button>
            </div>
            <label class="choice"><input type="checkbox" name="shared" value="1"/><span>"Everybody here sees it"</span></label>
        </form>
    };
    menu("views", || "Saved views".to_owned(), "Saved views", content.into_any())
}
