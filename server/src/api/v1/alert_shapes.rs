//! Alerts and budgets on the wire: what is sent, and what is answered.

use super::members::{Members, bad_field, needed};
use crate::problem::Problem;
use ledger::alert::{Kind, MARGIN_PERCENT, Per, Scope};
use ledger::{EndpointId, Role, Timestamp};
use serde::Serialize;
use store::alert::{default_recipients, figure};
use store::{FiringRow, Measured, Member, NewRule, Recipients, Simulation};
use utoipa::ToSchema;

/// A rule.
#[derive(ToSchema)]
#[schema(example = json!({
    "title": "Chat costs too much", "kind": "spend_above", "amount": "50", "per": "day", "scope": {"project": "chat"},
    "recipients": {"roles": ["owner", "billing"], "people": ["ada@example.com"], "mail": true, "in_app": true}
}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `new_rule` reads it")]
pub struct AlertBody {
    /// What people call it.
    title: String,
    /// What it watches for: `balance_below` (`amount`), `balance_below_share` (`percent` of what the plan gives in the cycle),
    /// `cycle_usage` (`percent`), `spend_above` (`amount`, `per`), `unusual_spend` (`minimum`), `runway_below` (`days`),
    /// `projected_above` (`percent`), `grants_expiring` (`amount`, `days`), `payment_failed`, `top_up_failed`, `no_usage` (`hours`),
    /// `failed_share` (`percent`, `hours`, `calls`), `key_changed`, `rate_card_changed`.
    kind: String,
    /// Credits, as a decimal string; above zero.
    amount: Option<String>,
    percent: Option<u32>,
    /// `hour`, `day` or `cycle`.
    per: Option<String>,
    /// The least difference from what was expected, in credits.
    minimum: Option<String>,
    days: Option<u32>,
    hours: Option<u32>,
    /// Fewer calls than that say nothing; 20 where it is not said.
    calls: Option<u32>,
    /// The part of usage that it is about; only for `cycle_usage`, `spend_above`, `unusual_spend`, `no_usage`, `failed_share`.
    scope: Option<AlertScope>,
    recipients: Option<RecipientsBody>,
    /// How far the figure must come back to be over, in percent of the threshold: 0 to 50, 5 where it is not said.
    margin_percent: Option<u32>,
}

/// A part of usage: all that is said must fit.
#[derive(ToSchema)]
#[schema(title = "AlertScope")]
#[allow(dead_code, reason = "describes the wire for the documentation; `scope` reads it")]
pub struct AlertScope {
    project: Option<String>,
    workflow: Option<String>,
    source: Option<String>,
    /// A credit type.
    r#type: Option<String>,
    user: Option<String>,
    tenant: Option<String>,
}

/// Who hears of it. Owners, admins and those who buy, in the app and by mail, where nothing is said.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the wire for the documentation; `recipients` reads it")]
pub struct RecipientsBody {
    /// Emails of members.
    people: Option<Vec<String>>,
    /// `owner`, `admin`, `billing`, `analyst`, `member`.
    roles: Option<Vec<String>>,
    /// Webhook endpoints that hear of it whatever they are subscribed to.
    endpoints: Option<Vec<String>>,
    /// Whether the app shows it.
    in_app: Option<bool>,
    /// Whether mails are sent.
    mail: Option<bool>,
}

/// Reads a rule.
///
/// # Errors
/// 422 that says what is wrong.
pub fn new_rule(mut members: Members, people: &[Member]) -> Result<NewRule, Problem> {
    let (kind, scope) = terms(&mut members)?;
    let new = NewRule {
        title: needed("title", members.text("title")?)?,
        kind,
        scope,
        recipients: recipients(&mut members, people)?,
        margin_percent: number(&mut members, "margin_percent")?.unwrap_or(MARGIN_PERCENT),
    };
    members.finish()?;
    Ok(new)
}

/// Reads what a rule watches for, and of what.
///
/// # Errors
/// 422 that says what is wrong.
pub fn terms(members: &mut Members) -> Result<(Kind, Scope), Problem> {
    let name = needed("kind", members.text("kind")?)?;
    let kind = match name.as_str() {
        "balance_below" => Kind::BalanceBelow { amount: needed("amount", members.credits("amount")?)? },
        "balance_below_share" => Kind::BalanceBelowShare { percent: whole(members, "percent")? },
        "cycle_usage" => Kind::CycleUsage { percent: whole(members, "percent")? },
        "spend_above" => {
            let amount = needed("amount", members.credits("amount")?)?;
            Kind::SpendAbove { amount, per: per(members)? }
        }
        "unusual_spend" => Kind::UnusualSpend { minimum: needed("minimum", members.credits("minimum")?)? },
        "runway_below" => Kind::RunwayBelow { days: whole(members, "days")? },
        "projected_above" => Kind::ProjectedAbove { percent: number(members, "percent")?.unwrap_or(100) },
        "grants_expiring" => {
            let amount = needed("amount", members.credits("amount")?)?;
            Kind::GrantsExpiring { amount, days: whole(members, "days")? }
        }
        "payment_failed" => Kind::PaymentFailed,
        "top_up_failed" => Kind::TopUpFailed,
        "no_usage" => Kind::NoUsage { hours: whole(members, "hours")? },
        "failed_share" => Kind::FailedShare {
            percent: whole(members, "percent")?,
            hours: whole(members, "hours")?,
            calls: number(members, "calls")?.unwrap_or(20),
        },
        "key_changed" => Kind::KeyChanged,
        "rate_card_changed" => Kind::RateCardChanged,
        _ => return Err(bad_field("kind", &format!("must be one of {}", Kind::NAMES.join(", ")))),
    };
    let scope = members.object("scope")?.map(scope).transpose()?.unwrap_or_default();
    Ok((kind, scope))
}

/// Reads in what something is added up.
///
/// # Errors
/// 422.
pub fn per(members: &mut Members) -> Result<Per, Problem> {
    let text = needed("per", members.text("per")?)?;
    Per::parse(&text).ok_or_else(|| bad_field("per", "must be hour, day or cycle"))
}

fn scope(mut members: Members) -> Result<Scope, Problem> {
    let scope = Scope {
        project: members.label("project")?,
        workflow: members.label("workflow")?,
        source: members.label("source")?,
        meter: members.meter("type")?,
        user: members.label("user")?,
        tenant: members.label("tenant")?,
    };
    members.finish()?;
    Ok(scope)
}

/// Reads who hears of something.
///
/// # Errors
/// 422 for who cannot be read, 404 for who is not there.
pub fn recipients(members: &mut Members, people: &[Member]) -> Result<Recipients, Problem> {
    let Some(mut said) = members.object("recipients")? else { return Ok(default_recipients()) };
    let person = |email: String| {
        let found = people.iter().find(|member| member.email.eq_ignore_ascii_case(&email));
        found
            .map(|member| member.user)
            .ok_or_else(|| Problem::not_found("there is no such member: name people by their email"))
    };
    let role = |name: String| {
        Role::parse(&name).ok_or_else(|| bad_field("roles", "must be owner, admin, billing, analyst or member"))
    };
    let endpoint =
        |id: String| EndpointId::parse(&id).ok_or_else(|| bad_field("endpoints", "must be ids such as endpoint_1"));
    let flag = |said: &mut Members, name| match said.raw(name) {
        None => Ok(true),
        Some(raw) if raw.get() == "true" => Ok(true),
        Some(raw) if raw.get() == "false" => Ok(false),
        Some(_) => Err(bad_field(name, "must be true or false")),
    };
    let read = Recipients {
        people: said.texts("people")?.unwrap_or_default().into_iter().map(person).collect::<Result<_, _>>()?,
        roles: said.texts("roles")?.unwrap_or_default().into_iter().map(role).collect::<Result<_, _>>()?,
        endpoints: said.texts("endpoints")?.unwrap_or_default().into_iter().map(endpoint).collect::<Result<_, _>>()?,
        in_app: flag(&mut said, "in_app")?,
        mail: flag(&mut said, "mail")?,
    };
    said.finish()?;
    Ok(read)
}

/// Reads a small whole number. One that is too large, or below zero, becomes the largest there is: the rule says then what it may be.
///
/// # Errors
/// 422.
pub fn number(members: &mut Members, name: &'static str) -> Result<Option<u32>, Problem> {
    Ok(members.whole(name)?.map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
}

fn whole(members: &mut Members, name: &'static str) -> Result<u32, Problem> {
    needed(name, number(members, name)?)
}

/// Who hears of something.
#[derive(Serialize, ToSchema)]
#[schema(title = "Recipients", example = json!({"people": [], "roles": ["owner"], "endpoints": [], "in_app": true, "mail": true}))]
pub struct RecipientsItem {
    people: Vec<String>,
    roles: Vec<&'static str>,
    endpoints: Vec<String>,
    in_app: bool,
    mail: bool,
}

impl RecipientsItem {
    /// People by email, as far as they are members still.
    #[must_use]
    pub fn new(to: &Recipients, members: &[Member]) -> Self {
        let email = |user| members.iter().find(|member| member.user == user).map(|member| member.email.clone());
        Self {
            people: to.people.iter().filter_map(|user| email(*user)).collect(),
            roles: to.roles.iter().map(|role| role.as_str()).collect(),
            endpoints: to.endpoints.iter().map(ToString::to_string).collect(),
            in_app: to.in_app,
            mail: to.mail,
        }
    }
}

/// A rule.
#[derive(Serialize, ToSchema)]
#[schema(title = "Alert")]
pub struct AlertItem {
    #[schema(example = "rule_3")]
    id: String,
    #[schema(example = "Chat costs too much")]
    title: String,
    /// What it watches for; beside it what `POST` takes for that kind.
    #[schema(value_type = Object, example = json!({"kind": "spend_above", "amount": "50.000000", "per": "day"}))]
    terms: Kind,
    /// The part of usage that it is about; empty for all of it.
    #[schema(value_type = Object, example = json!({"project": "chat"}))]
    scope: Scope,
    recipients: RecipientsItem,
    margin_percent: u32,
    /// Whether Scrip made it, since there is a plan.
    default: bool,
    /// `ok` or `firing`.
    #[schema(example = "firing")]
    state: &'static str,
    /// What it fired and is not over.
    #[schema(example = "firing_9")]
    firing: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    firing_since: Option<Timestamp>,
    /// Whether somebody has seen to that.
    acknowledged: bool,
    muted: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    snoozed_until: Option<Timestamp>,
    /// What it measures now: credits, hours (also of a runway) or percent, as `kind` has it; null where there is nothing to measure by.
    #[schema(example = "61.200000")]
    value: Option<String>,
    /// What that must not cross.
    #[schema(example = "50.000000")]
    threshold: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    created_by: String,
}

impl AlertItem {
    /// With what it measures now.
    #[must_use]
    pub fn new(Measured { rule, measure }: &Measured, members: &[Member]) -> Self {
        let figure = |value: i64| if value == i64::MAX { None } else { figure(rule.kind.unit(), value) };
        Self {
            id: rule.id.to_string(),
            title: rule.title.clone(),
            terms: rule.kind,
            scope: rule.scope.clone(),
            recipients: RecipientsItem::new(&rule.recipients, members),
            margin_percent: rule.margin_percent,
            default: rule.is_default,
            state: if rule.firing.is_some() { "firing" } else { "ok" },
            firing: rule.firing.map(|firing| firing.to_string()),
            firing_since: rule.state.firing.map(|firing| firing.since),
            acknowledged: rule.acknowledged,
            muted: rule.voice.muted,
            snoozed_until: rule.voice.snoozed_until,
            value: measure.and_then(|measure| figure(measure.value)),
            threshold: measure.and_then(|measure| figure(measure.threshold)),
            created_at: rule.made_at,
            created_by: rule.made_by.clone(),
        }
    }
}

/// All rules.
#[derive(Serialize, ToSchema)]
pub struct AlertList {
    /// Oldest first.
    pub items: Vec<AlertItem>,
}

/// That a rule came to hold.
#[derive(Serialize, ToSchema)]
#[schema(title = "Firing")]
pub struct FiringItem {
    #[schema(example = "firing_9")]
    id: String,
    /// Which rule; it may be gone.
    #[schema(example = "rule_3")]
    rule: String,
    title: String,
    /// What it watched for then.
    #[schema(value_type = Object)]
    terms: Kind,
    /// What happened, where a figure does not say it.
    detail: String,
    #[schema(value_type = String, format = DateTime)]
    fired_at: Timestamp,
    value: Option<String>,
    threshold: Option<String>,
    /// Why nobody was told: `imported` (an import, or usage that was more than a day old when it came), `muted`, `snoozed`, `already` (it
    /// held when an org with a plan got its first rules); null: they were.
    silence: Option<String>,
    /// When it was over; null: it holds still.
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged_at: Option<Timestamp>,
    acknowledged_by: Option<String>,
}

impl FiringItem {
    /// One of the history.
    #[must_use]
    pub fn new(row: &FiringRow) -> Self {
        Self {
            id: row.id.to_string(),
            rule: row.rule.to_string(),
            title: row.title.clone(),
            terms: row.kind,
            detail: row.detail.clone(),
            fired_at: row.fired_at,
            value: figure(row.kind.unit(), row.value),
            threshold: figure(row.kind.unit(), row.threshold),
            silence: row.silence.clone(),
            resolved_at: row.resolved_at,
            acknowledged_at: row.acknowledged.as_ref().map(|(at, _)| *at),
            acknowledged_by: row.acknowledged.as_ref().map(|(_, by)| by.clone()),
        }
    }
}

/// A page of the history.
#[derive(Serialize, ToSchema)]
pub struct FiringList {
    /// Newest first.
    pub items: Vec<FiringItem>,
    /// For the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// What a rule would have said.
#[derive(Serialize, ToSchema)]
#[schema(title = "Simulation")]
pub struct SimulationItem {
    /// Over how many days.
    #[schema(example = 31)]
    days: i64,
    /// How often it would have fired.
    #[schema(example = 3)]
    count: usize,
    /// When.
    fired: Vec<AlertPoint>,
    /// All that it would have measured, oldest first.
    points: Vec<AlertPoint>,
}

/// A figure at an instant.
#[derive(Serialize, ToSchema)]
pub struct AlertPoint {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    value: Option<String>,
    threshold: Option<String>,
}

impl SimulationItem {
    /// On the wire.
    #[must_use]
    pub fn new(told: &Simulation) -> Self {
        let figure = |value: i64| if value == i64::MAX { None } else { figure(told.unit, value) };
        let point = |point: &store::Point| AlertPoint {
            at: point.at,
            value: figure(point.value),
            threshold: figure(point.threshold),
        };
        Self {
            days: told.days,
            count: told.fired.len(),
            fired: told.fired.iter().map(point).collect(),
            points: told.points.iter().map(point).collect(),
        }
    }
}
