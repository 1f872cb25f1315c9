//! `/settings/webhooks/{id}`: how deliveries went, a test, its settings and its secret.

use super::{BUSY, PATH, Typed, counted, failed_share, form, last, name, notice, status, wrong};
use crate::backend::outbox::{DeliveryRow, Endpoint, HEALTH_DAYS, Health, State, told_at};
use crate::components::crumbs::crumbs;
use crate::components::deleted;
use crate::components::people::parts::{behind, button, form as press, hint, panel, paragraph};
use crate::components::settings;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::markup::{Markup, cell, fact, number, row, table, text_fact, time};
use crate::message::say;
use ledger::DeliveryId;
use ledger::canon::base64;
use ledger::endpoint::Shape;

/// What a secret begins with, as people copy it.
const SECRET_PREFIX: &str = "whsec_";

/// The page.
///
/// # Errors
/// [`AppError::NotFound`], or what the store says.
pub async fn page(asked: &Asked<'_>, id: &str) -> Result<Written, AppError> {
    let endpoint = match asked.backend.endpoint(id).await {
        Err(AppError::NotFound) => return deleted_page(asked, id).await,
        found => found?,
    };
    let here = format!("{PATH}/{}", endpoint.id);
    let state = State::parse(asked.get("state"));
    let health = asked.backend.endpoint_health(endpoint.id).await?;
    let (rows, next) = asked.backend.deliveries(endpoint.id, state, DeliveryId::parse(asked.get("before"))).await?;
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(&name(&endpoint))).child(
        Markup::new("p").class("muted").child(status(&endpoint)).text(&format!(
            " \u{b7} {} \u{b7} {}",
            endpoint.shape.title(),
            endpoint.host()
        )),
    );
    let done = match asked.get("done") {
        "created" => Some("Added. Send a test to see what it answers."),
        "saved" => Some("Saved."),
        "rotated" => Some("It has a new secret. What is sent is signed with the old one too, for 24 hours."),
        "enabled" => Some("Enabled: what waited is sent now."),
        "disabled" => Some("Disabled: nothing is sent there."),
        "busy" => Some(BUSY),
        _ => None,
    };
    let body = [crumbs(&[(PATH, "Webhooks")]), head]
        .into_iter()
        .chain(done.map(notice))
        .chain([
            standing(asked, &endpoint, &health)?,
            test(&here),
            log(asked, &endpoint, &rows, state, next)?,
            panel("settings", "Settings").children(wrong(asked)).child(form(
                &here,
                "save",
                &Typed::of(asked, Some(&endpoint)),
                "Save",
            )),
        ])
        .chain((endpoint.shape == Shape::Webhook).then(|| secret(asked, &here, &endpoint)).transpose()?)
        .chain([end(&here, &endpoint)]);
    Ok(Written { title: name(&endpoint), body: settings::frame(asked.backend, PATH, body) })
}

/// The page of a webhook that is gone: messages lead to it, and to its deliveries.
pub(super) async fn deleted_page(asked: &Asked<'_>, id: &str) -> Result<Written, AppError> {
    let found = asked.backend.deleted_endpoint(&asked.org, id).await?;
    let host = found.before["host"].as_str().unwrap_or("Webhook");
    let title = found.title(host);
    let head = deleted::head(&asked.org, ("webhook", &title), &found, (PATH, "All webhooks"))?;
    let text = format!(
        "Messages went to {host}. Its address, its secret and what came of its deliveries are not shown any more."
    );
    let body = [head, hint(&text)];
    Ok(Written { title, body: settings::frame(asked.backend, PATH, body) })
}

/// How it fares.
fn standing(asked: &Asked<'_>, endpoint: &Endpoint, health: &Health) -> Result<Markup, AppError> {
    let told = |label: &str, value: Markup| fact(label, Markup::new("dd").child(value));
    let share = failed_share(health).map_or_else(String::new, |share| format!(", {share}"));
    let disabled = match endpoint.disabled {
        Some((_, at)) => Some(told("Disabled since", time(&told_at(&asked.org, at)?))),
        None => None,
    };
    let facts = Markup::new("dl")
        .class("summary")
        .child(text_fact(&format!("Last {HEALTH_DAYS} days"), &format!("{} sent{share}", counted(health))))
        .child(told("Last success", last(asked, endpoint.last_taken_at)?))
        .child(told("Last failure", last(asked, endpoint.last_failed_at)?))
        .children(disabled);
    Ok(panel("standing", "How it fares").child(facts))
}

fn test(here: &str) -> Markup {
    panel("test", "Try it")
        .child(hint("Sends endpoint.test there at once, and shows what the receiver answers."))
        .child(press(here, "test").child(button("Send a test")))
}

fn log(
    asked: &Asked<'_>,
    endpoint: &Endpoint,
    rows: &[DeliveryRow],
    state: Option<State>,
    next: Option<DeliveryId>,
) -> Result<Markup, AppError> {
    let here = &format!("{PATH}/{}", endpoint.id);
    let choice = |chosen: Option<State>, text: &str| {
        let href = chosen.map_or_else(|| here.clone(), |state| format!("{here}?state={}", state.as_str()));
        let link = Markup::new("a").attr("href", &format!("{href}#log")).attr("rel", "external");
        link.maybe_attr("aria-current", (chosen == state).then_some("true")).text(text)
    };
    let filter = Markup::new("p").class("webhook-filter").children([
        choice(None, "All"),
        choice(Some(State::Delivered), "Delivered"),
        choice(Some(State::Waiting), "Waiting"),
        choice(Some(State::Failed), "Given up"),
    ]);
    let panel = panel("log", "Deliveries").child(filter);
    if rows.is_empty() {
        let text = if state.is_none() {
            "Nothing was sent yet. What happens from now on stands here for 90 days."
        } else {
            "None of these."
        };
        return Ok(panel.child(hint(text)));
    }
    let mut lines = Vec::new();
    for delivery in rows {
        let link = Markup::new("a").attr("href", &format!("{here}/{}", delivery.id)).attr("rel", "external");
        let said = say(delivery.message.kind, &delivery.message.data, &asked.org.words);
        let then = again_at(asked, endpoint, delivery)?.map_or_else(|| cell(""), |at| Markup::new("td").child(at));
        let code = Markup::new("code").text(delivery.message.kind.as_str());
        let cells = [
            Markup::new("td").text(&said.title).child(Markup::new("small").class("webhook-what").child(code)),
            Markup::new("td").child(state_of(delivery.state)),
            number(&delivery.attempts.to_string()),
            then,
        ];
        lines.push(row(link.child(time(&told_at(&asked.org, delivery.message.made_at)?)), cells));
    }
    let heads = ["When", "Message", "State", "Attempts\t", "Again at"];
    let older = next.map(|before| {
        let state = state.map(|state| format!("state={}&", state.as_str())).unwrap_or_default();
        let link = Markup::new("a").class("button").attr("rel", "external");
        Markup::new("p")
            .class("turn")
            .child(link.attr("href", &format!("{here}?{state}before={before}#log")).text("Older deliveries"))
    });
    Ok(panel.child(table("table-scroll in-panel webhook-log", "Deliveries", &heads, lines, None)).children(older))
}

/// When a delivery is tried next, as far as that is known: an endpoint that fails again and again rests meanwhile.
pub(super) fn again_at(
    asked: &Asked<'_>,
    endpoint: &Endpoint,
    delivery: &DeliveryRow,
) -> Result<Option<Markup>, AppError> {
    let waits = delivery.next_try_at.filter(|_| delivery.state == State::Waiting);
    let Some(at) = waits else { return Ok(None) };
    if endpoint.disabled.is_some() {
        return Ok(Some(Markup::new("span").class("muted").text("once it is enabled")));
    }
    let at = at.max(endpoint.rests_until);
    if at <= asked.backend.store.now() {
        return Ok(Some(Markup::new("span").class("muted").text("now")));
    }
    Ok(Some(time(&told_at(&asked.org, at)?)))
}

/// How a delivery stands.
pub(super) fn state_of(state: State) -> Markup {
    let (class, text) = match state {
        State::Delivered => ("status ok", "Delivered"),
        State::Waiting => ("status warn", "Waiting"),
        State::Failed => ("status danger", "Given up"),
    };
    Markup::new("span").class(class).text(text)
}

fn secret(asked: &Asked<'_>, here: &str, endpoint: &Endpoint) -> Result<Markup, AppError> {
    let text = format!("{SECRET_PREFIX}{}", base64(&endpoint.secret));
    let shown = Markup::new("pre")
        .attr("tabindex", "0")
        .attr("aria-label", "The secret")
        .child(Markup::new("code").text(&text));
    let old = match endpoint.old_secret.filter(|(_, until)| *until > asked.backend.store.now()) {
        Some((_, until)) => {
            let text = Markup::new("p").text("The secret before this one signs too, until ");
            Some(text.child(time(&told_at(&asked.org, until)?)).text("."))
        }
        None => None,
    };
    let about = "What is sent is signed by Standard Webhooks: headers webhook-id, webhook-timestamp and webhook-signature. Verify it \
                 with a library of theirs and this secret, and take each webhook-id once.";
    let rotate = [
        paragraph("It gets a new secret at once. For 24 hours what is sent is signed with both."),
        press(here, "rotate").child(button("Rotate now")),
    ];
    Ok(panel("secret", "Secret")
        .child(hint(about))
        .child(behind("Show the secret", [shown]))
        .children(old)
        .child(behind("Rotate the secret\u{2026}", rotate)))
}

fn end(here: &str, endpoint: &Endpoint) -> Markup {
    let turn = if endpoint.disabled.is_some() {
        press(here, "enable").child(button("Enable"))
    } else {
        press(here, "disable").child(button("Disable"))
    };
    let delete = [
        paragraph("Nothing is sent there any more, also nothing that waits. Its address and secret are forgotten."),
        press(here, "delete").child(button("Delete for good")),
    ];
    panel("end", "Disable or delete")
        .child(hint("While it is disabled nothing is sent there; what happens meanwhile is not sent later."))
        .child(turn)
        .child(behind("Delete\u{2026}", delete))
}
