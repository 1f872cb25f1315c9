//! Saved views: the list in their menu, what a form about them came to, and the form that saves. Plain forms.

use crate::markup::{Markup, hidden, link, span};
use crate::view::View;

/// Where the forms go.
pub const VIEWS: &str = "/analytics/views";

/// A view as the menu lists it.
pub struct Listed {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// What it shows.
    pub view: View,
    /// Whether everybody in the org sees it.
    pub shared: bool,
    /// Whose it is, where it is somebody else's.
    pub owner: Option<String>,
    /// Whether whoever looks may delete it.
    pub deletable: bool,
}

/// The list: own views first, as they come.
#[must_use]
pub fn list(views: &[Listed]) -> Markup {
    let list = Markup::new("ul").class("menu-list").children(views.iter().map(item));
    if !views.is_empty() {
        return list;
    }
    let hint = "None yet. A saved view keeps range, filters and grouping under a name; relative ranges stay relative.";
    Markup::new("p").class("menu-hint").text(hint)
}

fn item(view: &Listed) -> Markup {
    let note = match (&view.owner, view.shared) {
        (Some(owner), _) => format!("by {owner}"),
        (None, true) => "shared".to_owned(),
        (None, false) => String::new(),
    };
    let open = link(&view.view.href(), "").child(span(&view.name)).child(Markup::new("small").text(&note));
    let edit = (view.owner.is_none() || view.deletable).then(|| edit(view));
    Markup::new("li").class("saved-view").child(open).children(edit)
}

fn edit(view: &Listed) -> Markup {
    let label = format!("Change {}", view.name);
    let summary = Markup::new("summary").attr("aria-label", &label).attr("title", &label).text("\u{22ef}");
    let rename = view.owner.is_none().then(|| {
        let name = name_field(&view.name);
        let shared = Markup::new("input").attr("type", "checkbox").attr("name", "shared").attr("value", "1");
        let shared = shared.maybe_attr("checked", view.shared.then_some(""));
        let shared = Markup::new("label").class("choice").child(shared).child(span("Everybody here sees it"));
        form(view, "rename").child(name).child(shared).child(button("Rename", "button"))
    });
    let delete = view.deletable.then(|| form(view, "delete").child(button("Delete", "button quiet")));
    Markup::new("details").child(summary).children(rename).children(delete)
}

fn form(view: &Listed, act: &str) -> Markup {
    let pairs = vec![("do", act.to_owned()), ("view", view.id.to_string()), ("query", view.view.query())];
    Markup::new("form").attr("method", "post").attr("action", VIEWS).children(hidden(pairs))
}

fn name_field(value: &str) -> Markup {
    Markup::new("input")
        .attr("name", "name")
        .attr("aria-label", "Name")
        .attr("maxlength", "60")
        .attr("autocomplete", "off")
        .attr("required", "")
        .attr("value", value)
}

fn button(text: &str, class: &str) -> Markup {
    Markup::new("button").class(class).text(text)
}

/// What the form that came before has done, or why not; nothing for a code that is none.
#[must_use]
pub fn outcome(code: &str) -> Option<(&'static str, bool)> {
    Some(match code {
        "saved" => ("The view is saved.", true),
        "renamed" => ("The saved view is changed.", true),
        "deleted" => ("The saved view is deleted.", true),
        "bad_name" => ("A name has 1 to 60 visible characters. Nothing was saved.", false),
        "name_taken" => ("You have another saved view of that name. Nothing was changed.", false),
        "too_many" => ("You have 100 saved views, and no more are kept. Delete one first.", false),
        "too_long" => ("This view has more filters than can be kept. Nothing was saved.", false),
        "gone" => ("That saved view is not there any more.", false),
        _ => return None,
    })
}
