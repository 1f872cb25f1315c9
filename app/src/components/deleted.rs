//! What stands at the address of something that was deleted: messages and mails lead there for long afterwards. Server only.

use crate::backend::Org;
use crate::backend::audit::Deleted;
use crate::backend::outbox::told_at;
use crate::error::AppError;
use crate::markup::{Markup, time};

/// The head of such a page: what it was called, that it is gone and since when, and the way back.
///
/// # Errors
/// A time beyond what a calendar holds.
pub fn head(
    org: &Org,
    (noun, title): (&str, &str),
    deleted: &Deleted,
    (href, back): (&str, &str),
) -> Result<Markup, AppError> {
    let said = Markup::new("p")
        .class("panel muted")
        .text(&format!("This {noun} was deleted on "))
        .child(time(&told_at(org, deleted.at)?))
        .text(". Messages about it stay.");
    let back_link = Markup::new("a").class("button").attr("href", href).attr("rel", "external").text(back);
    let controls = Markup::new("div").class("controls").child(back_link);
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(title)).child(controls);
    Ok(Markup::new("div").class("deleted").child(head).child(said))
}
