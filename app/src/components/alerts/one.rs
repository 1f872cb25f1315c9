//! `/alerts/new` and `/alerts/{id}`: one rule, what it would have said, what it fired.

use super::chart::would_have;
use super::form::{choice, form, name_for};
use super::list::{Listed, history, state};
use super::words::{figure, scope, sentence};
use super::{button_to, came_of, panel};
use crate::backend::alerts::{ALERTS, Draft, Measured, draft};
use crate::components::deleted;
use crate::components::people::parts::behind;
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::markup::{Markup, hidden, text_fact};
use ledger::FiringId;
use ledger::alert::{Kind, Unit};

/// Hours for which a rule can be silenced from its page.
const SNOOZES: [(&str, &str); 4] = [("1", "1 hour"), ("8", "8 hours"), ("24", "1 day"), ("168", "1 week")];

/// What a kind begins with where nobody has typed anything.
const START: [(&str, &[(&str, &str)]); 14] = [
    ("balance_below", &[("amount", "100")]),
    ("balance_below_share", &[("percent", "20")]),
    ("cycle_usage", &[("percent", "80")]),
    ("spend_above", &[("amount", "100"), ("per", "day")]),
    ("unusual_spend", &[("minimum", "10")]),
    ("runway_below", &[("days", "14")]),
    ("projected_above", &[("percent", "100")]),
    ("grants_expiring", &[("amount", "10"), ("days", "14")]),
    ("payment_failed", &[]),
    ("top_up_failed", &[]),
    ("no_usage", &[("hours", "24")]),
    ("failed_share", &[("percent", "10"), ("hours", "24"), ("calls", "20")]),
    ("key_changed", &[]),
    ("rate_card_changed", &[]),
];

/// The page of a new rule.
///
/// # Errors
/// What the store says.
pub async fn new_page(asked: &Asked<'_>) -> Result<Written, AppError> {
    let chosen = Some(asked.get("kind")).filter(|kind| Kind::NAMES.contains(kind)).unwrap_or("balance_below");
    let is_typed = asked.query.iter().any(|(name, _)| name == "title" || name == "margin_percent");
    let (drafted, wrong) = typed(asked, chosen, is_typed);
    let told_of = asked.backend.simulated(&asked.org, &drafted).await?;
    let simulation = told_of.map(|told_of| would_have(&asked.org, &drafted.kind, &told_of)).transpose()?;
    let hearers = asked.backend.hearers(&asked.org).await?;
    let rule = panel("new-rule", "What to watch").child(choice(chosen)).child(form(
        &asked.org.words,
        &format!("{ALERTS}/new"),
        &drafted,
        &hearers,
        true,
    ));
    let wrong = if asked.get("error").is_empty() { wrong.unwrap_or_default() } else { asked.get("error") };
    let body = page_of("New alert", None)
        .children(came_of("", wrong))
        .child(Markup::new("div").class("alert-grid").child(rule).children(simulation))
        .child(script());
    Ok(Written { title: "New alert".to_owned(), body })
}

/// What was typed, as far as it can be; else what the kind begins with, and the code of what was wrong.
fn typed(asked: &Asked<'_>, chosen: &str, is_typed: bool) -> (Draft, Option<&'static str>) {
    let start = START.iter().find(|(name, _)| *name == chosen).map_or(&[][..], |(_, fields)| *fields);
    let of_start = |name: &str| start.iter().find(|(field, _)| *field == name).map_or("", |(_, value)| *value);
    let all = |name: &str| -> Vec<&str> {
        asked.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    };
    let said = |name: &str| -> &str {
        match (name, asked.get(name).trim()) {
            ("kind", _) => chosen,
            (_, "") if !is_typed => of_start(name),
            (_, text) => text,
        }
    };
    let read = draft(&said, &all);
    let (mut drafted, wrong) = match read {
        Ok(drafted) => (drafted, None),
        Err(code) => {
            let begun = |name: &str| if name == "kind" { chosen } else { of_start(name) };
            (draft(&begun, &|_| Vec::new()).unwrap_or_else(|_| plain_draft()), Some(code))
        }
    };
    if !is_typed {
        drafted.recipients = crate::backend::alerts::everybody();
    }
    if drafted.title.is_empty() && !is_typed {
        drafted.title = name_for(chosen).to_owned();
    }
    (drafted, wrong)
}

/// Who made a rule, as people call them.
fn maker(by: &str) -> String {
    match by.split_once(':') {
        Some(("user", email)) => email.to_owned(),
        Some(("job", _)) => "Scrip, for every plan".to_owned(),
        Some(("key", prefix)) => format!("API key scrip_{prefix}\u{2026}"),
        _ => by.to_owned(),
    }
}

/// A rule about keys: what is there where nothing else can be.
fn plain_draft() -> Draft {
    Draft {
        title: String::new(),
        kind: Kind::KeyChanged,
        scope: ledger::alert::Scope::default(),
        recipients: crate::backend::alerts::everybody(),
        margin_percent: ledger::alert::MARGIN_PERCENT,
    }
}

/// The page of a rule.
///
/// # Errors
/// [`AppError::NotFound`], or what the store says.
pub async fn page(asked: &Asked<'_>, id: &str) -> Result<Written, AppError> {
    let org = &asked.org;
    let before = FiringId::parse(asked.get("before"));
    let (found, rows, may) = match asked.backend.alert(org, id, before).await {
        Err(AppError::NotFound) => return deleted_page(asked, id).await,
        found => found?,
    };
    let rule = &found.rule;
    let kept = Draft {
        title: rule.title.clone(),
        kind: rule.kind,
        scope: rule.scope.clone(),
        recipients: rule.recipients.clone(),
        margin_percent: rule.margin_percent,
    };
    // A preview, or a form that was refused, stands in the address.
    let is_typed = asked.query.iter().any(|(name, _)| name == "kind");
    let (drafted, wrong) = if is_typed { typed(asked, rule.kind.as_str(), true) } else { (kept, None) };
    let told_of = asked.backend.simulated(org, &drafted).await?;
    let simulation = told_of.map(|told_of| would_have(org, &drafted.kind, &told_of)).transpose()?;
    let hearers = asked.backend.hearers(org).await?;
    let action = format!("{ALERTS}/{}", rule.id);
    let change = may.then(|| panel("change", "Change it").child(form(&org.words, &action, &drafted, &hearers, false)));
    let wrong = if asked.get("error").is_empty() { wrong.unwrap_or_default() } else { asked.get("error") };
    let body = page_of(&rule.title, Some(&sentence(&org.words, &rule.kind)))
        .children(came_of(asked.get("done"), wrong))
        .child(standing(asked, &found, &action, may)?)
        .child(Markup::new("div").class("alert-grid").children(change).children(simulation))
        .child(history(org, &rows, listed(asked, &action))?)
        .child(script());
    Ok(Written { title: rule.title.clone(), body })
}

/// The page of a rule that is gone: messages lead to it.
async fn deleted_page(asked: &Asked<'_>, id: &str) -> Result<Written, AppError> {
    let before = FiringId::parse(asked.get("before"));
    let (found, rows) = asked.backend.deleted_alert(&asked.org, id, before).await?;
    let title = found.title("Alert");
    let head = deleted::head(&asked.org, ("alert", &title), &found, (ALERTS, "All alerts"))?;
    let kind = serde_json::from_value::<Kind>(found.before["terms"].clone()).ok();
    let watched = kind.map(|kind| {
        let text = format!("It watched for this: {}.", sentence(&asked.org.words, &kind));
        Markup::new("p").class("muted").text(&text)
    });
    let body = Markup::new("div").class("page alerts").child(head).children(watched).child(history(
        &asked.org,
        &rows,
        listed(asked, &format!("{ALERTS}/{id}")),
    )?);
    Ok(Written { title, body })
}

/// Where the history of one rule stands.
fn listed<'a>(asked: &Asked<'_>, here: &'a str) -> Listed<'a> {
    Listed { here, is_first: asked.get("before").is_empty(), is_of_one: true }
}

fn page_of(title: &str, about: Option<&str>) -> Markup {
    let head = Markup::new("div")
        .class("page-head")
        .child(Markup::new("h1").text(title))
        .children(about.map(|about| Markup::new("p").class("muted").text(about)))
        .child(Markup::new("div").class("controls").child(button_to(ALERTS, "All alerts", false)));
    Markup::new("div").class("page alerts").child(head)
}

fn script() -> Markup {
    Markup::new("script").attr("src", "/threshold.js").attr("type", "module")
}

/// How it stands, and what can be done about it.
fn standing(asked: &Asked<'_>, found: &Measured, action: &str, may: bool) -> Result<Markup, AppError> {
    let (rule, words) = (&found.rule, &asked.org.words);
    let unit = rule.kind.unit();
    let shown = |value: Option<i64>| {
        let text = value.map(|value| figure(words, unit, value)).filter(|text| !text.is_empty());
        text.unwrap_or_else(|| "\u{2013}".to_owned())
    };
    let figures = [
        text_fact("Now", &shown(found.measure.map(|measure| measure.value))),
        text_fact("Threshold", &shown(found.measure.map(|measure| measure.threshold))),
    ];
    let facts = Markup::new("dl")
        .class("summary")
        .child(crate::markup::fact("State", Markup::new("dd").child(state(&asked.org, found)?)))
        .children((unit != Unit::Number).then_some(figures).into_iter().flatten())
        .children(rule.kind.takes_scope().then(|| text_fact("Of", &scope(words, &rule.kind, &rule.scope))))
        .child(text_fact("Made by", &maker(&rule.made_by)));
    let panel = panel("standing", "How it stands").child(facts);
    Ok(if may { panel.child(acts(found, action)) } else { panel })
}

fn acts(found: &Measured, action: &str) -> Markup {
    let rule = &found.rule;
    let form = |act: &str| {
        let form = Markup::new("form").class("alert-act").attr("method", "post").attr("action", action);
        form.children(hidden(vec![("do", act.to_owned())]))
    };
    let button = |text: &str| Markup::new("button").class("button").text(text);
    let acknowledge =
        (rule.firing.is_some() && !rule.acknowledged).then(|| form("acknowledge").child(button("Acknowledge")));
    let snooze = if rule.voice.snoozed_until.is_some() {
        form("wake").child(button("End snooze"))
    } else {
        let options = SNOOZES.iter().map(|(hours, text)| Markup::new("option").attr("value", hours).text(text));
        let select = Markup::new("select").attr("name", "hours").attr("aria-label", "For how long").children(options);
        form("snooze").child(select).child(button("Snooze"))
    };
    let mute =
        if rule.voice.muted { form("unmute").child(button("Unmute")) } else { form("mute").child(button("Mute")) };
    let sure = Markup::new("p")
        .class("muted")
        .text("It is watched no longer, for nobody. What it fired stays in the history.");
    let delete = Markup::new("button").class("button danger").text("Delete for good");
    let delete = behind("Delete\u{2026}", [sure, form("delete").child(delete)]);
    let acts = Markup::new("div").class("alert-acts").children(acknowledge).child(snooze).child(mute);
    Markup::new("div").child(acts).child(delete)
}
