//! `/settings/webhooks/{id}/{delivery}`: one message on its way: what is sent, byte for byte, and what the receiver answered to each
//! attempt.

use super::one::{again_at, deleted_page, state_of};
use super::{BUSY, PATH, name, notice};
use crate::backend::outbox::{Attempt, Delivery, Sent, told_at};
use crate::components::crumbs::crumbs;
use crate::components::people::parts::{behind, button, form as press, hint, panel};
use crate::components::settings;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, fact, text_fact, time};
use crate::message::say;
use ledger::endpoint::Shape;

/// The page.
///
/// # Errors
/// [`AppError::NotFound`], or what the store says.
pub async fn page(asked: &Asked<'_>, endpoint: &str, id: &str) -> Result<Written, AppError> {
    let endpoint = match asked.backend.endpoint(endpoint).await {
        Err(AppError::NotFound) => return deleted_page(asked, endpoint).await,
        found => found?,
    };
    let delivery = asked.backend.delivery(id).await?;
    let Delivery { row, attempts, .. } = &delivery;
    if row.endpoint != endpoint.id {
        return Err(AppError::NotFound);
    }
    let (parent, here) = (format!("{PATH}/{}", endpoint.id), format!("{PATH}/{}/{}", endpoint.id, row.id));
    let up = crumbs(&[(PATH, "Webhooks"), (&parent, &name(&endpoint))]);
    let said = say(row.message.kind, &row.message.data, &asked.org.words);
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(&said.title));
    let done = match (asked.get("done"), attempts.first()) {
        ("tried", Some(last)) => Some(notice(if last.error.is_none() {
            "Sent, and taken."
        } else {
            "Sent, but not taken: see what it answered."
        })),
        ("busy", _) => Some(notice(BUSY)),
        _ => None,
    };
    let next =
        again_at(asked, &endpoint, row)?.map(|at| told(if row.attempts > 0 { "Tried again" } else { "Tried" }, at));
    let facts = Markup::new("dl")
        .class("facts")
        .child(told("State", state_of(row.state)))
        .child(text_fact("Goes to", &format!("{}, {}", endpoint.shape.title(), endpoint.host())))
        .child(told("Kind", Markup::new("code").text(row.message.kind.as_str())))
        .child(told("Caused", time(&told_at(&asked.org, row.message.made_at)?)))
        .children(next)
        .child(text_fact("Attempts", &row.attempts.to_string()));
    let again = press(&here, "redeliver").child(button("Send again"));
    let both = Markup::new("div").class("webhook-both").child(request(&delivery)).child(list(asked, attempts)?);
    let whole = panel("delivery", "Delivery").child(facts).child(again);
    let body = [up, head].into_iter().chain(done).chain([whole, both]);
    Ok(Written { title: said.title, body: settings::frame(asked.backend, PATH, body) })
}

/// What the newest attempt had to send, whether or not it reached somebody; what would be said, where nothing of it is known.
fn request(delivery: &Delivery) -> Markup {
    let panel = panel("request", "Request");
    let Some(sent) = &delivery.sent else {
        let data = serde_json::to_string_pretty(&delivery.row.message.data).unwrap_or_default();
        return panel
            .child(hint("Nothing is kept of an attempt. What it is about:"))
            .child(text("What it is about", &data));
    };
    let about = if sent.shape == Shape::Webhook {
        "What the newest attempt had to send, byte for byte: the signature is of this."
    } else {
        "What the newest attempt had to send, byte for byte."
    };
    let pretty = serde_json::from_str::<serde_json::Value>(&sent.body);
    let pretty = pretty.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_default();
    panel
        .child(hint(about))
        .child(Markup::new("h3").text("Headers"))
        .child(headers(delivery, sent))
        .child(Markup::new("h3").text("Body"))
        .child(text("Body as it is sent", &sent.body))
        .child(behind("Laid out for reading", [text("Body, laid out for reading", &pretty)]))
}

/// The headers of the newest attempt. A signature is named and not shown: it would let whoever reads it send the same again.
fn headers(delivery: &Delivery, sent: &Sent) -> Markup {
    let code = |text: &str| Markup::new("code").text(text);
    let mut list =
        Markup::new("dl").class("facts webhook-headers").child(told("content-type", code("application/json")));
    if let (Shape::Webhook, Some(last)) = (sent.shape, delivery.attempts.first()) {
        let seconds = (last.at.micros() / 1_000_000).to_string();
        let signature = Markup::new("span").class("muted").text("made anew for each attempt, not kept");
        list = list
            .child(told("webhook-id", code(&delivery.row.message.public_id)))
            .child(told("webhook-timestamp", code(&seconds)))
            .child(told("webhook-signature", signature));
    }
    list
}

/// A fact whose value is more than text.
fn told(label: &str, value: Markup) -> Markup {
    fact(label, Markup::new("dd").child(value))
}

/// Text that may be long: it scrolls, also by the keyboard.
fn text(label: &str, text: &str) -> Markup {
    let text = Markup::new("code").text(text);
    Markup::new("pre")
        .class("webhook-text")
        .attr("tabindex", "0")
        .attr("role", "group")
        .attr("aria-label", label)
        .child(text)
}

fn list(asked: &Asked<'_>, attempts: &[Attempt]) -> Result<Markup, AppError> {
    let panel = panel("attempts", "Attempts");
    if attempts.is_empty() {
        return Ok(panel.child(hint("None yet.")));
    }
    let mut items = Vec::new();
    for attempt in attempts {
        items.push(item(asked, attempt)?);
    }
    Ok(panel.child(Markup::new("ol").class("webhook-attempts").children(items)))
}

fn item(asked: &Asked<'_>, attempt: &Attempt) -> Result<Markup, AppError> {
    let (class, words) = match attempt.error.as_deref() {
        None => ("status ok", "Taken".to_owned()),
        Some(code) => ("status danger", in_words(code).to_owned()),
    };
    let status = attempt.status.map_or_else(|| "no answer".to_owned(), |status| format!("answered {status}"));
    let by = if attempt.by_hand { " \u{b7} by hand" } else { "" };
    let line = Markup::new("p").child(Markup::new("span").class(class).text(&words)).child(
        Markup::new("span")
            .class("muted")
            .child(time(&told_at(&asked.org, attempt.at)?))
            .text(&format!(" \u{b7} {status} \u{b7} {} ms{by}", format::count(attempt.took_ms))),
    );
    let answer = (!attempt.answer.is_empty()).then(|| text("What it answered", &attempt.answer));
    Ok(Markup::new("li").child(line).children(answer))
}

fn in_words(code: &str) -> &'static str {
    match code {
        "not_taken" => "Not taken",
        "gone" => "Gone (410)",
        "redirect_not_followed" => "Redirects are not followed",
        "bad_url" => "The address cannot be used",
        "not_encrypted" => "Not an https address",
        "no_such_host" => "Its host has no address",
        "forbidden_address" => "Its host is not on the public internet",
        "connect_failed" => "No connection",
        "timed_out" => "No answer in time",
        _ => "What came is no answer",
    }
}
