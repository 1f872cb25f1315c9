//! `/settings/webhooks/{id}/{delivery}`: one message on its way, with what the receiver answered to each attempt.

use super::one::state_of;
use super::{BUSY, PATH, name, notice};
use crate::backend::outbox::{Attempt, State, told_at};
use crate::components::crumbs::crumbs;
use crate::components::people::parts::{button, form as press, hint, panel};
use crate::components::settings;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, fact, text_fact, time};
use crate::message::say;

/// The page.
///
/// # Errors
/// [`AppError::NotFound`], or what the store says.
pub async fn page(asked: &Asked<'_>, endpoint: &str, id: &str) -> Result<Written, AppError> {
    let endpoint = asked.backend.endpoint(endpoint).await?;
    let (row, attempts) = asked.backend.delivery(id).await?;
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
    let next = match (row.state, row.next_try_at) {
        (State::Waiting, Some(at)) => Some(fact("Tried again", time(&told_at(&asked.org, at)?))),
        _ => None,
    };
    let facts = Markup::new("dl")
        .class("facts")
        .child(fact("State", state_of(row.state)))
        .child(fact("Kind", Markup::new("code").text(row.message.kind.as_str())))
        .child(fact("Caused", time(&told_at(&asked.org, row.message.made_at)?)))
        .children(next)
        .child(text_fact("Attempts", &row.attempts.to_string()))
        .child(fact("webhook-id", Markup::new("code").text(&row.message.public_id)));
    let again = press(&here, "redeliver").child(button("Send again"));
    let data = serde_json::to_string_pretty(&row.message.data).unwrap_or_default();
    let data = Markup::new("pre")
        .class("webhook-text")
        .attr("tabindex", "0")
        .attr("aria-label", "What it says")
        .child(Markup::new("code").text(&data));
    let body = [up, head].into_iter().chain(done).chain([
        panel("delivery", "Delivery").child(facts).child(again),
        list(asked, &attempts)?,
        panel("data", "What it says").child(data),
    ]);
    Ok(Written { title: said.title, body: settings::frame(asked.backend, PATH, body) })
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
    let answer = (!attempt.answer.is_empty()).then(|| {
        let text =
            Markup::new("pre").class("webhook-text").attr("tabindex", "0").attr("aria-label", "What it answered");
        text.child(Markup::new("code").text(&attempt.answer))
    });
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
