//! `/settings/webhooks`: where messages go besides people, how that went, and the form for another place. Server only.

pub mod delivery;
pub mod one;

use crate::backend::outbox::{Endpoint, HEALTH_DAYS, Health, MAX_COUNTED, told_at};
use crate::components::people::parts::{hidden, hint, label, panel, primary};
use crate::components::settings;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, cell, number, row, table, time};
use ledger::endpoint::{Disabled, Shape};
use ledger::{MessageKind, Timestamp};

/// Address of the page.
pub const PATH: &str = "/settings/webhooks";
/// What addresses of its webhooks begin with.
pub const BELOW: &str = "/settings/webhooks/";

/// What is said where too much is tried at once.
const BUSY: &str = "Too many of your webhooks are being tried at once. Wait until one has answered, then try again.";

/// What an endpoint hears that subscribes to nothing but tests.
const ONLY_NAMED: &str = "Alone: nothing but tests, and the alerts and budgets that name this webhook.";

/// The list.
///
/// # Errors
/// What the store says.
pub async fn page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let endpoints = asked.backend.endpoints().await?;
    let done = (asked.get("done") == "deleted").then(|| notice("Deleted: nothing is sent there any more."));
    let about = "Messages go to your own systems, to Slack and to Teams as they happen. What people hear is under Notifications.";
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text("Webhooks"))
        .child(Markup::new("p").class("muted").text(about));
    let list = if endpoints.is_empty() {
        hint(
            "None yet. Add the first one below: an address of yours that takes a POST with JSON, or a webhook of Slack or Teams.",
        )
    } else {
        let mut rows = Vec::new();
        for (endpoint, health) in &endpoints {
            rows.push(line(asked, endpoint, health)?);
        }
        let last_days = format!("Last {HEALTH_DAYS} days\t");
        let heads = ["Webhook", "State", "Hears", &last_days, "Last success", "Last failure"];
        table("table-scroll in-panel webhook-list", "Webhooks", &heads, rows, None)
    };
    let add = panel("add", "Add a webhook").children(wrong(asked)).child(form(
        PATH,
        "create",
        &Typed::of(asked, None),
        "Add webhook",
    ));
    let body = [head].into_iter().chain(done).chain([panel("endpoints", "Webhooks").child(list), add]);
    Ok(Written { title: "Webhooks".to_owned(), body: settings::frame(asked.backend, PATH, body) })
}

fn line(asked: &Asked<'_>, endpoint: &Endpoint, health: &Health) -> Result<Markup, AppError> {
    let link = Markup::new("a").attr("href", &format!("{PATH}/{}", endpoint.id)).attr("rel", "external");
    let hears = match endpoint.kinds.as_slice() {
        [] => "Everything".to_owned(),
        [MessageKind::EndpointTest] => "What names it".to_owned(),
        [kind] => kind.title().to_owned(),
        many => format!("{} kinds", many.len()),
    };
    let place = small(&format!("{}, {}", endpoint.shape.title(), endpoint.host()));
    let since = match endpoint.disabled {
        Some((_, at)) => Some(small("since ").child(time(&told_at(&asked.org, at)?))),
        None => None,
    };
    let share = failed_share(health).map(|text| small(&text));
    let cells = [
        Markup::new("td").child(status(endpoint)).children(since),
        cell(&hears),
        number(&counted(health)).children(share),
        Markup::new("td").child(last(asked, endpoint.last_taken_at)?),
        Markup::new("td").child(last(asked, endpoint.last_failed_at)?),
    ];
    let title = Markup::new("span").child(link.text(&name(endpoint))).child(place);
    Ok(row(title, cells))
}

/// A line below another, of less weight.
fn small(text: &str) -> Markup {
    Markup::new("small").class("webhook-what").text(text)
}

/// How many deliveries were tried in the last days.
fn counted(health: &Health) -> String {
    let more = if health.tried + health.waiting >= MAX_COUNTED { "+" } else { "" };
    format!("{}{more}", format::count(health.tried))
}

/// `3% failed`; nothing where nothing was tried.
fn failed_share(health: &Health) -> Option<String> {
    let share = match (health.failed, health.tried) {
        (_, 0) => return None,
        (0, _) => "none".to_owned(),
        // What failed is never told as nothing, nor what was taken.
        (failed, tried) => format!("{}%", (failed * 100 / tried).clamp(1, if failed == tried { 100 } else { 99 })),
    };
    Some(format!("{share} failed"))
}

/// When something happened last; a dash where it never did.
fn last(asked: &Asked<'_>, at: Option<Timestamp>) -> Result<Markup, AppError> {
    let told = at.map(|at| told_at(&asked.org, at)).transpose()?;
    Ok(told.map_or_else(|| Markup::new("span").class("muted").text("\u{2013}"), |at| time(&at)))
}

/// What it is called, or its host.
fn name(endpoint: &Endpoint) -> String {
    if endpoint.title.is_empty() { endpoint.host().to_owned() } else { endpoint.title.clone() }
}

fn status(endpoint: &Endpoint) -> Markup {
    let (class, text) = match (endpoint.disabled, endpoint.failures) {
        (Some((Disabled::ByHand, _)), _) => ("status quiet-off", "Disabled"),
        (Some((Disabled::Gone, _)), _) => ("status danger", "Disabled: gone (410)"),
        (Some((Disabled::Failing, _)), _) => ("status danger", "Disabled: failed for days"),
        (None, 0) => ("status ok", "Enabled"),
        (None, _) => ("status warn", "Failing, tried again"),
    };
    Markup::new("span").class(class).text(text)
}

fn notice(text: &str) -> Markup {
    Markup::new("p").class("notice").attr("role", "status").text(text)
}

/// Why a form was not taken.
fn wrong(asked: &Asked<'_>) -> Option<Markup> {
    let text = match asked.get("error") {
        "" => return None,
        "bad_url" => "The address must be like https://example.com/webhooks, without user and password.",
        "not_encrypted" => "Only https addresses are sent to: what is sent is for nobody in between.",
        "no_such_host" => "Its host has no address. Check how it is spelled.",
        "forbidden_address" => {
            "Its host is not on the public internet. Whoever runs this server can allow its network (webhook_allow)."
        }
        "bad_label" => "The name is too long, or holds characters that cannot be kept.",
        "rate_limited" => BUSY,
        "too_many" => "There are 20 webhooks, and no more are taken. Delete one first.",
        _ => "This was not taken. Look at it again, then send it.",
    };
    Some(Markup::new("p").class("form-error").attr("role", "alert").text(text))
}

/// What stands in the form.
struct Typed {
    url: String,
    title: String,
    shape: String,
    kinds: Vec<String>,
}

impl Typed {
    /// What was typed and not taken, else what the endpoint is.
    fn of(asked: &Asked<'_>, endpoint: Option<&Endpoint>) -> Self {
        if asked.get("error").is_empty()
            && let Some(endpoint) = endpoint
        {
            return Self {
                url: endpoint.url.clone(),
                title: endpoint.title.clone(),
                shape: endpoint.shape.as_str().to_owned(),
                kinds: endpoint.kinds.iter().map(|kind| kind.as_str().to_owned()).collect(),
            };
        }
        let kinds = asked.query.iter().filter(|(name, _)| name == "kind").map(|(_, kind)| kind.clone());
        Self {
            url: asked.get("url").to_owned(),
            title: asked.get("title").to_owned(),
            shape: asked.get("shape").to_owned(),
            kinds: kinds.collect(),
        }
    }
}

fn form(action: &str, act: &str, typed: &Typed, send: &str) -> Markup {
    let input = |name: &'static str, kind: &'static str, value: &str, placeholder: &str, max: &str| {
        let input = Markup::new("input").attr("name", name).attr("type", kind).attr("value", value);
        input.attr("placeholder", placeholder).attr("maxlength", max).attr("autocomplete", "off")
    };
    let shapes = Shape::ALL.map(|shape| {
        let selected = (shape.as_str() == typed.shape).then_some("");
        Markup::new("option").attr("value", shape.as_str()).maybe_attr("selected", selected).text(shape.title())
    });
    let url = input("url", "url", &typed.url, "https://example.com/webhooks", "2048").attr("required", "");
    let fields = Markup::new("div")
        .class("webhook-fields")
        .child(label("Address", url))
        .child(label("What it takes", Markup::new("select").attr("name", "shape").children(shapes)))
        .child(label("Name, if you like", input("title", "text", &typed.title, "Billing system", "60")));
    let boxes = MessageKind::ALL.into_iter().map(|kind| {
        // A test comes to whatever is tried: whoever hears only of it hears nothing by itself.
        let words = if kind.is_offered() { kind.words() } else { ONLY_NAMED };
        let checked = typed.kinds.iter().any(|name| name == kind.as_str()).then_some("");
        let input = Markup::new("input").attr("type", "checkbox").attr("name", "kind").attr("value", kind.as_str());
        let text =
            Markup::new("span").child(Markup::new("code").text(kind.as_str())).child(Markup::new("small").text(words));
        Markup::new("label").class("webhook-kind").child(input.maybe_attr("checked", checked)).child(text)
    });
    let legend =
        Markup::new("legend").text("What it hears. None chosen: everything, also what comes with later releases.");
    let kinds = Markup::new("fieldset").class("webhook-kinds").child(legend).children(boxes);
    Markup::new("form")
        .attr("method", "post")
        .attr("action", action)
        .child(hidden("do", act))
        .child(fields)
        .child(kinds)
        .child(Markup::new("p").class("form-foot").child(primary(send)))
}
