//! `GET|POST /api/v1/alerts`, `GET|PUT|DELETE /api/v1/alerts/{id}`, `POST …/{id}/snooze|mute|acknowledge`, `GET /api/v1/alerts/history`,
//! `POST /api/v1/alerts/simulate`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::alert_shapes::{AlertBody, AlertItem, AlertList, FiringItem, FiringList, SimulationItem, new_rule, terms};
use super::members::{bad_field, needed};
use super::once::{Replayed, Write};
use super::page;
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use ledger::alert::MARGIN_PERCENT;
use ledger::{FiringId, RuleId};
use serde::Deserialize;
use store::FiringPage;
use store::alert::{Act, Author};
use utoipa::{IntoParams, ToSchema};

/// Which of what fired.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Only of this rule.
    #[param(example = "rule_3")]
    rule: Option<String>,
    /// `true`: only what is not over.
    firing: Option<bool>,
    /// How many, 1 to 100.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// For how long.
#[derive(ToSchema)]
#[schema(example = json!({"seconds": 3600}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `snooze` reads it")]
pub struct SnoozeBody {
    /// 0 to 2678400 (31 days); 0 ends it.
    seconds: i64,
}

/// Whether.
#[derive(ToSchema)]
#[schema(example = json!({"muted": true}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `mute` reads it")]
pub struct MuteBody {
    /// `false` lets it speak again.
    muted: bool,
}

/// List alerts
///
/// All of them, oldest first, each with what it measures now.
///
/// # Errors
/// A key without the scope `ledger:read`.
#[utoipa::path(
    get, path = "/api/v1/alerts", operation_id = "list_alerts", tag = "Alerts",
    responses(
        (status = 200, description = "All rules", body = AlertList),
        (status = 403, description = "`missing_scope`: `alerts:write` or `ledger:read`"),
    )
)]
pub async fn list(State(app): State<AppState>, caller: Caller) -> Result<Json<AlertList>, Problem> {
    let members = app.store.members(caller.org).await?;
    let rules = app.store.alerts_measured(caller.org).await?;
    Ok(Json(AlertList { items: rules.iter().map(|of| AlertItem::new(of, &members)).collect() }))
}

/// Make an alert
///
/// It fires when what it measures crosses its threshold, once; it is over when that is back by `margin_percent` of the threshold, or
/// when its hour, day or billing cycle ends. What holds already fires at once. What an import crosses, or usage of more than a day ago, is
/// noted in the history and told to nobody.
///
/// # Errors
/// Terms that cannot be, recipients that are not there, or too many rules.
#[utoipa::path(
    post, path = "/api/v1/alerts", operation_id = "create_alert", tag = "Alerts", request_body = AlertBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer")),
    responses(
        (status = 201, description = "Made", body = AlertItem, headers(("Location" = String, description = "Of the alert"), ("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`: a recipient is not there"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 422, description = "`bad_alert`, `missing_field`, `unknown_field`, `bad_field`, `bad_amount`, `bad_label`, `bad_meter`, `too_many`"),
    )
)]
pub async fn create(State(app): State<AppState>, write: Write) -> Result<impl IntoResponse, Problem> {
    let people = app.store.members(write.org).await?;
    let new = new_rule(write.members, &people)?;
    let author = Author { by: write.caller.by(), once: write.once };
    let done = app.store.set_alert(write.org, author, None, new).await?;
    let item = read(&app, write.org, done.answer).await?;
    let place = [(LOCATION, format!("/api/v1/alerts/{}", done.answer))];
    Ok((StatusCode::CREATED, Replayed(done.replayed), place, Json(item)))
}

/// Get an alert
///
/// # Errors
/// There is none of that id.
#[utoipa::path(
    get, path = "/api/v1/alerts/{id}", operation_id = "get_alert", tag = "Alerts",
    params(("id" = String, Path, description = "As listed", example = "rule_3")),
    responses(
        (status = 200, description = "How it stands", body = AlertItem),
        (status = 403, description = "`missing_scope`: `alerts:write` or `ledger:read`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AlertItem>, Problem> {
    Ok(Json(read(&app, caller.org, rule_id(&id)?).await?))
}

/// Change an alert
///
/// All of it: what is left out is as in a new one. One that watches for the same as before keeps its state.
///
/// # Errors
/// As for a new one, or there is none of that id.
#[utoipa::path(
    put, path = "/api/v1/alerts/{id}", operation_id = "change_alert", tag = "Alerts", request_body = AlertBody,
    params(
        ("id" = String, Path, description = "As listed", example = "rule_3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer"),
    ),
    responses(
        (status = 200, description = "How it stands", body = AlertItem, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 422, description = "`bad_alert`, `missing_field`, `unknown_field`, `bad_field`, `bad_amount`, `bad_label`, `bad_meter`"),
    )
)]
pub async fn change(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<impl IntoResponse, Problem> {
    let id = rule_id(&id)?;
    let people = app.store.members(write.org).await?;
    let new = new_rule(write.members, &people)?;
    let author = Author { by: write.caller.by(), once: write.once };
    let done = app.store.set_alert(write.org, author, Some(id), new).await?;
    Ok((Replayed(done.replayed), Json(read(&app, write.org, id).await?)))
}

/// Take an alert away
///
/// Its history stays.
///
/// # Errors
/// There is none of that id.
#[utoipa::path(
    delete, path = "/api/v1/alerts/{id}", operation_id = "delete_alert", tag = "Alerts",
    params(("id" = String, Path, description = "As listed", example = "rule_3")),
    responses(
        (status = 204, description = "Gone"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn delete(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.store.delete_alert(caller.org, caller.by(), rule_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Snooze an alert
///
/// It is watched on and says nothing until then. What holds still, and nobody has acknowledged, is said then.
///
/// # Errors
/// There is none of that id, or a time that is too long.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/snooze", operation_id = "snooze_alert", tag = "Alerts", request_body = SnoozeBody,
    params(("id" = String, Path, description = "As listed", example = "rule_3")),
    responses(
        (status = 200, description = "How it stands", body = AlertItem, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`bad_alert`, `missing_field`, `unknown_field`, `bad_field`"),
    )
)]
pub async fn snooze(
    State(app): State<AppState>,
    Path(id): Path<String>,
    mut write: Write,
) -> Result<impl IntoResponse, Problem> {
    let seconds = needed("seconds", write.members.whole("seconds")?)?;
    act(&app, &id, write, Act::Snooze(seconds)).await
}

/// Mute an alert
///
/// It is watched on, and its history kept, and says nothing until it is no longer muted.
///
/// # Errors
/// There is none of that id.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/mute", operation_id = "mute_alert", tag = "Alerts", request_body = MuteBody,
    params(("id" = String, Path, description = "As listed", example = "rule_3")),
    responses(
        (status = 200, description = "How it stands", body = AlertItem, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`missing_field`, `unknown_field`, `bad_field`"),
    )
)]
pub async fn mute(
    State(app): State<AppState>,
    Path(id): Path<String>,
    mut write: Write,
) -> Result<impl IntoResponse, Problem> {
    let muted = write.members.flag("muted")?;
    act(&app, &id, write, Act::Mute(muted)).await
}

/// Acknowledge what an alert fired
///
/// Somebody has seen to it: it is not said again when a silence ends.
///
/// # Errors
/// There is none of that id, or it is not firing.
#[utoipa::path(
    post, path = "/api/v1/alerts/{id}/acknowledge", operation_id = "acknowledge_alert", tag = "Alerts",
    params(("id" = String, Path, description = "As listed", example = "rule_3")),
    responses(
        (status = 200, description = "How it stands", body = AlertItem, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`bad_alert`: it is not firing; `unknown_field`"),
    )
)]
pub async fn acknowledge(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<impl IntoResponse, Problem> {
    act(&app, &id, write, Act::Acknowledge).await
}

/// List what fired
///
/// Newest first, also of rules that are gone.
///
/// # Errors
/// A parameter that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/alerts/history", operation_id = "list_alert_history", tag = "Alerts", params(HistoryQuery),
    responses(
        (status = 200, description = "A page of it", body = FiringList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `alerts:write` or `ledger:read`"),
        (status = 404, description = "`not_found`: no such rule"),
    )
)]
pub async fn history(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<FiringList>, Problem> {
    let query: HistoryQuery = page::query(query)?;
    let limit = page::limit(query.limit)?;
    let before = query.cursor.as_deref().map(page::number_of).transpose()?.map(FiringId);
    let rule = query.rule.as_deref().map(rule_id).transpose()?;
    let asked = FiringPage { rule, firing: query.firing.unwrap_or(false), before, limit: limit + 1 };
    let mut rows = app.store.alert_history(caller.org, asked).await?;
    let next_cursor = page::cut(&mut rows, limit, |row| row.id.0);
    Ok(Json(FiringList { items: rows.iter().map(FiringItem::new).collect(), next_cursor }))
}

/// Ask when an alert would have fired
///
/// What a rule would have measured and said over the last 31 days. Nothing is made.
///
/// # Errors
/// As for a new one.
#[utoipa::path(
    post, path = "/api/v1/alerts/simulate", operation_id = "simulate_alert", tag = "Alerts", request_body = AlertBody,
    responses(
        (status = 200, description = "What it would have said", body = SimulationItem),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`"),
        (status = 403, description = "`missing_scope`: `alerts:write` or `ledger:read`"),
        (status = 422, description = "`bad_alert`, `missing_field`, `unknown_field`, `bad_field`, `bad_amount`, `bad_label`, `bad_meter`"),
    )
)]
pub async fn simulate(State(app): State<AppState>, mut write: Write) -> Result<Json<SimulationItem>, Problem> {
    let (kind, scope) = terms(&mut write.members)?;
    let margin = write.members.whole("margin_percent")?.map_or(Ok(MARGIN_PERCENT), u32::try_from);
    let margin = margin.map_err(|_| bad_field("margin_percent", "must be 0 to 50"))?;
    // A title and recipients change nothing of what it would have measured.
    let _ = (write.members.raw("title"), write.members.raw("recipients"));
    write.members.finish()?;
    let told = app.store.simulate_alert(write.org, kind, scope, margin).await?;
    Ok(Json(SimulationItem::new(&told)))
}

async fn act(app: &AppState, id: &str, write: Write, act: Act) -> Result<impl IntoResponse + use<>, Problem> {
    let id = rule_id(id)?;
    write.members.finish()?;
    let author = Author { by: write.caller.by(), once: write.once };
    let done = app.store.act_on_alert(write.org, author, id, act).await?;
    Ok((Replayed(done.replayed), Json(read(app, write.org, id).await?)))
}

async fn read(app: &AppState, org: ledger::OrgId, id: RuleId) -> Result<AlertItem, Problem> {
    let members = app.store.members(org).await?;
    let rules = app.store.alerts_measured(org).await?;
    let found = rules.iter().find(|of| of.rule.id == id).ok_or_else(unknown)?;
    Ok(AlertItem::new(found, &members))
}

fn rule_id(id: &str) -> Result<RuleId, Problem> {
    RuleId::parse(id).ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::not_found("there is no such alert: ids look like rule_3, as GET /api/v1/alerts lists them")
}
