//! Alerts: what is watched, what fired, and budgets. Server only: the pages stand still.

pub mod budget;
mod chart;
mod filter;
mod form;
pub mod list;
pub mod one;
mod words;

use crate::markup::Markup;

/// A link that leaves the page: these stand still.
fn external(href: &str, text: &str) -> Markup {
    Markup::new("a").attr("href", href).attr("rel", "external").text(text)
}

/// The same as a button.
fn button_to(href: &str, text: &str, primary: bool) -> Markup {
    let class = if primary { "button primary" } else { "button" };
    Markup::new("a").class(class).attr("href", href).attr("rel", "external").text(text)
}

/// What came of a form, in a line that is read out; nothing where nothing came of one.
fn came_of(done: &str, error: &str) -> Option<Markup> {
    let done = match done {
        "saved" => "Saved. It is watched from now on.",
        "snoozed" => "Snoozed. It is watched on, and says nothing until then.",
        "woken" => "It speaks again.",
        "muted" => "Muted. It is watched on, and says nothing.",
        "unmuted" => "It speaks again.",
        "acknowledged" => "Acknowledged.",
        "deleted" => "The alert is gone. Its history stays.",
        "budget" => "The budget is saved.",
        "budget_deleted" => "The budget is gone.",
        _ => "",
    };
    if !done.is_empty() {
        return Some(Markup::new("p").class("notice").attr("role", "status").text(done));
    }
    let error = match error {
        "" => return None,
        "bad_amount" | "amount_overflow" => "The amount must be a number above zero, such as 100 or 12.5.",
        "bad_alert" => {
            "Amounts must be above zero, percent 1 to 1000, days 1 to 366, hours 1 to 744. Look at the numbers again."
        }
        "bad_budget" => "The amount must be above zero, and the warning from 1 to 99 percent.",
        "bad_label" => "A name is empty, too long, or has characters that nobody sees. Look at the texts again.",
        "bad_meter" => "There is no such credit type. Write it as the rate card does, such as input_tokens.",
        "no_such_person" => "Somebody who was to be told is no member any more. Choose again.",
        "too_many" => "There are as many as there can be. Take some away first.",
        _ => "This was not taken. Look at it again, then send it.",
    };
    Some(Markup::new("p").class("form-error").attr("role", "alert").text(error))
}

/// A panel with its title.
fn panel(id: &str, title: &str) -> Markup {
    let title_id = format!("{id}-title");
    let head = Markup::new("h2").attr("id", &title_id).text(title);
    let panel = Markup::new("section").class("panel").attr("id", id).attr("aria-labelledby", &title_id);
    panel.child(head)
}

/// How something stands, with its colour.
fn status(class: &str, text: &str) -> Markup {
    Markup::new("span").class(&format!("status {class}")).text(text)
}
