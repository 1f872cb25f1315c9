//! `/notifications`: what the viewer was told in the app, newest first; and `/settings/notifications`: when and how they hear by mail.
//! Server only.

pub mod channel;

use crate::backend::outbox::{Told, seen, told_at};
use crate::components::people::parts::{button, hidden, hint};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::markup::{Markup, time};
use crate::message::say;
use ledger::MessageId;

/// Address of the page.
pub const PATH: &str = "/notifications";

/// The page.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let unread_only = asked.get("show") == "unread";
    let bell = asked.backend.bell().await?;
    let (told, next) = asked.backend.inbox(unread_only, MessageId::parse(asked.get("before"))).await?;
    let link = |href: &str, text: &str, current: bool| {
        let link = Markup::new("a").attr("href", href).attr("rel", "external");
        link.maybe_attr("aria-current", current.then_some("true")).text(text)
    };
    let filter = Markup::new("p")
        .class("webhook-filter")
        .children([link(PATH, "All", !unread_only), link("/notifications?show=unread", "Unread", unread_only)]);
    let all = told.first().filter(|_| bell.0 > 0).map(|newest| {
        let form = Markup::new("form").attr("method", "post").attr("action", PATH);
        form.child(hidden("do", "all"))
            .child(hidden("message", &newest.message.id.to_string()))
            .child(button("Mark all as read"))
    });
    let wishes =
        Markup::new("a").class("button").attr("href", channel::PATH).attr("rel", "external").text("How you hear");
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text("Notifications"))
        .child(Markup::new("div").class("controls").children(all).child(wishes));
    let mut items = Vec::new();
    for one in &told {
        items.push(item(asked, one)?);
    }
    let list = if items.is_empty() {
        hint(if unread_only {
            "Nothing unread."
        } else {
            "Nothing yet. What you should know of this organization will stand here."
        })
    } else {
        Markup::new("ol").class("notifications").children(items)
    };
    let older = next.map(|before| {
        let show = if unread_only { "show=unread&" } else { "" };
        let link = Markup::new("a").class("button").attr("rel", "external");
        Markup::new("p").class("turn").child(link.attr("href", &format!("{PATH}?{show}before={before}")).text("Older"))
    });
    let live = Markup::new("div").class("notifications-live").attr("data-live", &seen(bell)).child(head).child(
        Markup::new("section")
            .class("panel")
            .attr("aria-label", "Notifications")
            .child(filter)
            .child(list)
            .children(older),
    );
    let body = Markup::new("div")
        .class("page")
        .child(live)
        .child(Markup::new("p").class("visually-hidden").attr("role", "status").attr("data-live-status", ""))
        .child(Markup::new("script").attr("src", "/live.js").attr("type", "module"));
    Ok(Written { title: "Notifications".to_owned(), body })
}

fn item(asked: &Asked<'_>, told: &Told) -> Result<Markup, AppError> {
    let said = say(told.message.kind, &told.message.data, &asked.org.words);
    let is_new = told.read_at.is_none();
    let link = Markup::new("a").attr("href", &said.path).attr("rel", "external").text(&said.title);
    let new = is_new.then(|| Markup::new("span").class("badge").text("New"));
    let read = is_new.then(|| {
        let form = Markup::new("form").attr("method", "post").attr("action", PATH).child(hidden("do", "one"));
        let label = format!("Mark as read: {}", said.title);
        let press = Markup::new("button").class("button quiet").attr("aria-label", &label).text("Mark as read");
        form.child(hidden("message", &told.message.id.to_string())).child(press)
    });
    let class = format!("notification {}{}", said.tone.as_str(), if is_new { " new" } else { "" });
    let words = Markup::new("div")
        .child(Markup::new("h2").child(link).children(new))
        .child(Markup::new("p").text(&said.text))
        .child(Markup::new("p").class("muted").child(time(&told_at(&asked.org, told.message.made_at)?)));
    Ok(Markup::new("li").class(&class).child(words).children(read))
}
