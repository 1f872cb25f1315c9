//! What everybody should know whatever page they are on: work is refused, or there is debt.

use super::filled::{Filled, any};
use super::still::Still;
use crate::app::SessionResource;
use crate::format;
use crate::markup::Markup;
use ledger::Words;
use leptos::prelude::*;

/// A line below the header; nothing while all is well. It comes with the page, so that nothing moves when it appears.
#[component]
pub fn Banner(
    /// Who is looking.
    who: SessionResource,
) -> impl IntoView {
    let line = who.shown(|who| any(who.ok().flatten().and_then(|who| who.warning).map(Still)));
    view! { <Filled shown=line/> }
}

/// The line: a sentence, and what whoever reads it can do.
#[must_use]
pub fn warning(words: &Words, paused: bool, text: &str, operator: bool) -> Markup {
    let noun = format::noun(words);
    let (href, todo) = match (paused, operator) {
        (true, true) => ("/grants#give", format!("Give {noun}")),
        (true, false) => ("/grants", format!("Ask whoever runs this server to add {noun}")),
        (false, _) => ("/grants", "See grants".to_owned()),
    };
    let todo = Markup::new("a").attr("href", href).attr("rel", "external").text(&todo);
    Markup::new("aside")
        .class(if paused { "banner paused" } else { "banner" })
        .attr("aria-label", "Balance")
        .child(Markup::new("p").text(text).text(" ").child(todo))
}

/// The line of an org whose balance is low: it leads to where there is more.
#[must_use]
pub fn low(words: &Words, text: &str, operator: bool) -> Markup {
    let noun = format::noun(words);
    let (href, todo) = buy(noun, operator);
    let todo = Markup::new("a").class("button").attr("href", &href).attr("rel", "external").text(&todo);
    // What draws attention is beside the words, which stand still.
    let sign = Markup::new("span").class("banner-sign").attr("aria-hidden", "true");
    Markup::new("aside")
        .class("banner low")
        .attr("aria-label", "Balance")
        .child(Markup::new("p").child(sign).text(text).text(" ").child(todo))
}

/// Where credits are to be had, and what the link there says: the one place to change once there is a page to buy them.
#[must_use]
pub fn buy(noun: &str, operator: bool) -> (String, String) {
    if operator {
        ("/grants#give".to_owned(), format!("Give {noun}"))
    } else {
        ("/grants".to_owned(), format!("Get {noun}"))
    }
}

/// The line of an org that will be deleted.
#[must_use]
pub fn ending(at: &str) -> Markup {
    let link = Markup::new("a").attr("href", "/settings/deletion").attr("rel", "external").text("Keep it");
    let text = format!("This organization will be deleted on {at} and takes nothing any more.");
    Markup::new("aside")
        .class("banner paused")
        .attr("aria-label", "Deletion")
        .child(Markup::new("p").text(&text).text(" ").child(link))
}
