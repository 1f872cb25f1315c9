//! `GET` and `POST /api/v1/holds`, and what becomes of one
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::members::{Members, bad, needed};
use super::once::{Replayed, Write};
use super::{page, shortage};
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use ledger::credits::MICROS_PER_CREDIT;
use ledger::hold::MAX_CREDITS;
use ledger::{Credits, Hold, HoldId, HoldStatus, Timestamp};
use serde::{Deserialize, Serialize};
use store::{HoldPage, NewHold};
use utoipa::{IntoParams, ToSchema};

/// What to reserve.
#[derive(ToSchema)]
#[schema(example = json!({"amount": "5", "expires_in_s": 600, "meter": "ai_text", "project": "chat"}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `new_hold` reads it")]
pub struct HoldBody {
    /// How many credits, as a decimal string; above zero, at most 9000000.
    amount: String,
    /// For how long: 1 to 2678400 seconds (31 days), 600 where it is not said.
    expires_in_s: Option<i64>,
    /// The credit type that a capture counts for; `hold` where it is not said. Grants of other scopes are not reserved.
    meter: Option<String>,
    /// The source that a capture counts for; `hold` where it is not said.
    source: Option<String>,
    /// The project that a capture counts for.
    project: Option<String>,
    /// On behalf of this user: the user's budgets are asked too, and a capture counts for the user.
    user: Option<String>,
    /// On behalf of this tenant: the tenant's budgets are asked too, and a capture counts for the tenant.
    tenant: Option<String>,
    /// What people read beside it.
    description: Option<String>,
}

/// What to charge.
#[derive(ToSchema)]
#[schema(example = json!({"amount": "3.25"}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `capture` reads it")]
pub struct CaptureBody {
    /// How many credits; all that was asked for where it is not said. May be less or more than that.
    amount: Option<String>,
}

/// How much longer.
#[derive(ToSchema)]
#[schema(example = json!({"expires_in_s": 3600}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `extend` reads it")]
pub struct ExtendBody {
    /// So many seconds from now: 1 to 2678400, and later than it expires already.
    expires_in_s: i64,
}

/// Nothing.
#[derive(ToSchema)]
#[schema(example = json!({}))]
pub struct ReleaseBody {}

/// Reserve credits
///
/// For work whose cost is known when it ends: reserve, work, then capture what it cost or release. Grants are reserved in
/// the order in which they are spent. A hold survives the expiry of its grants.
///
/// # Errors
/// Neither grants nor the policy cover it, or a member that cannot be read.
#[utoipa::path(
    post, path = "/api/v1/holds", operation_id = "create_hold", tag = "Holds", request_body = HoldBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer")),
    responses(
        (status = 201, description = "Reserved", body = HoldItem, headers(("Location" = String, description = "Of the hold"), ("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`"),
        (status = 402, description = "`insufficient_credits`, with `balance`, `policy`, `needed`, `covered` and `shortfall`; `budget_exceeded`"),
        (status = 403, description = "`missing_scope`: `events:write` or `ledger:write`; `wrong_project`"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 422, description = "`missing_field`, `unknown_field`, `bad_field`, `bad_amount`, `amount_overflow`, `hold_not_positive`, `bad_hold_time`, `unknown_meter`, `bad_label`, `too_many_holds`"),
    )
)]
pub async fn create(State(app): State<AppState>, write: Write) -> Result<impl IntoResponse, Problem> {
    let new = new_hold(write.members)?;
    write.caller.keep_to(new.project.as_ref())?;
    let done = match app.store.create_hold(write.org, write.caller.cause(), new, write.once).await {
        Ok(done) => done,
        Err(error) => return Err(shortage::explained(&app, write.org, error).await),
    };
    let place = [(LOCATION, format!("/api/v1/holds/{}", done.answer.id))];
    Ok((StatusCode::CREATED, Replayed(done.replayed), place, Json(HoldItem::new(&done.answer))))
}

fn new_hold(mut members: Members) -> Result<NewHold, Problem> {
    let new = NewHold {
        amount: bounded(needed("amount", members.credits("amount")?)?)?,
        expires_in_s: members.whole("expires_in_s")?,
        meter: members.meter("meter")?,
        source: members.label("source")?,
        project: members.label("project")?,
        user: members.label("user")?,
        tenant: members.label("tenant")?,
        description: members.text("description")?.unwrap_or_default(),
    };
    members.finish()?;
    Ok(new)
}

/// The rule has its own bound, far below that of amounts: it says so in its own words here.
pub(super) fn bounded(amount: Credits) -> Result<Credits, Problem> {
    if amount.micros() > MAX_CREDITS * MICROS_PER_CREDIT {
        return Err(bad(
            "amount_overflow",
            format!("at most {MAX_CREDITS} credits can be held or charged at once: split it"),
        ));
    }
    Ok(amount)
}

/// Capture a hold
///
/// Charges what the work cost, as one event. Less than was reserved: the rest goes back to the same grants. More: fresh
/// credits are drawn, then debt as far as the policy allows; where it does not, nothing is charged and the hold stays.
///
/// # Errors
/// The hold is no longer pending, or more is charged than can be covered.
#[utoipa::path(
    post, path = "/api/v1/holds/{id}/capture", operation_id = "capture_hold", tag = "Holds", request_body = Option<CaptureBody>,
    params(
        ("id" = String, Path, description = "As created", example = "hold_1"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer"),
    ),
    responses(
        (status = 200, description = "Charged; `event` is what it counts as", body = HoldItem),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`"),
        (status = 402, description = "`insufficient_credits`: more than was held, and not covered"),
        (status = 403, description = "`missing_scope`: `events:write` or `ledger:write`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`hold_captured`, `hold_released`, `hold_expired`, `idempotency_conflict`"),
        (status = 422, description = "`capture_not_positive`, `bad_amount`, `amount_overflow`, `unknown_field`"),
    )
)]
pub async fn capture(
    State(app): State<AppState>,
    Path(id): Path<String>,
    mut write: Write,
) -> Result<impl IntoResponse, Problem> {
    let id = reachable(&app, &write.caller, &id).await?;
    let amount = write.members.credits("amount")?.map(bounded).transpose()?;
    write.members.finish()?;
    match app.store.capture_hold(write.org, write.caller.cause(), id, amount, write.once).await {
        Ok(done) => Ok((Replayed(done.replayed), Json(HoldItem::new(&done.answer)))),
        Err(error) => Err(shortage::explained(&app, write.org, error).await),
    }
}

/// Release a hold
///
/// Gives back all that it reserves. What goes back to a grant that has expired expires at once.
///
/// # Errors
/// The hold is no longer pending.
#[utoipa::path(
    post, path = "/api/v1/holds/{id}/release", operation_id = "release_hold", tag = "Holds", request_body = Option<ReleaseBody>,
    params(
        ("id" = String, Path, description = "As created", example = "hold_1"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer"),
    ),
    responses(
        (status = 200, description = "Given back", body = HoldItem),
        (status = 400, description = "`not_json`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `events:write` or `ledger:write`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`hold_captured`, `hold_released`, `hold_expired`, `idempotency_conflict`"),
        (status = 422, description = "`unknown_field`"),
    )
)]
pub async fn release(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<impl IntoResponse, Problem> {
    let id = reachable(&app, &write.caller, &id).await?;
    write.members.finish()?;
    let done = app.store.release_hold(write.org, write.caller.cause(), id, write.once).await?;
    Ok((Replayed(done.replayed), Json(HoldItem::new(&done.answer))))
}

/// Extend a hold
///
/// Gives work that takes longer more time, counted from now.
///
/// # Errors
/// The hold is no longer pending, or would not last longer.
#[utoipa::path(
    post, path = "/api/v1/holds/{id}/extend", operation_id = "extend_hold", tag = "Holds", request_body = ExtendBody,
    params(
        ("id" = String, Path, description = "As created", example = "hold_1"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer"),
    ),
    responses(
        (status = 200, description = "Extended", body = HoldItem),
        (status = 400, description = "`not_json`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `events:write` or `ledger:write`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`hold_captured`, `hold_released`, `hold_expired`, `idempotency_conflict`"),
        (status = 422, description = "`bad_hold_time`, `hold_not_extended`, `missing_field`, `bad_field`, `unknown_field`"),
    )
)]
pub async fn extend(
    State(app): State<AppState>,
    Path(id): Path<String>,
    mut write: Write,
) -> Result<impl IntoResponse, Problem> {
    let id = reachable(&app, &write.caller, &id).await?;
    let seconds = needed("expires_in_s", write.members.whole("expires_in_s")?)?;
    write.members.finish()?;
    let done = app.store.extend_hold(write.org, write.caller.cause(), id, seconds, write.once).await?;
    Ok((Replayed(done.replayed), Json(HoldItem::new(&done.answer))))
}

/// The hold of that id. For a key that is bound to a project, holds of others are not there; a hold's project never changes.
async fn reachable(app: &AppState, caller: &Caller, id: &str) -> Result<HoldId, Problem> {
    let unknown =
        || Problem::not_found("there is no such hold: ids look like hold_12, as GET /api/v1/holds lists them");
    let id = HoldId::parse(id).ok_or_else(unknown)?;
    if caller.project.is_some() {
        let hold = app.store.hold(caller.org, id).await?;
        if !caller.reaches(hold.project.as_ref().map(ledger::Label::as_str)) {
            return Err(unknown());
        }
    }
    Ok(id)
}

/// Get a hold
///
/// As it stands now: one whose time has run out has expired.
///
/// # Errors
/// No such hold in this org.
#[utoipa::path(
    get, path = "/api/v1/holds/{id}", operation_id = "get_hold", tag = "Holds",
    params(("id" = String, Path, description = "As created", example = "hold_1")),
    responses(
        (status = 200, description = "The hold", body = HoldItem),
        (status = 403, description = "`missing_scope`: `events:write` or `ledger:read`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<HoldItem>, Problem> {
    let id = reachable(&app, &caller, &id).await?;
    let hold = app.store.hold(caller.org, id).await?;
    Ok(Json(HoldItem::new(&hold)))
}

/// Which page of holds.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HoldQuery {
    /// Only `pending`, `captured`, `released` or `expired` ones.
    status: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Holds on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// List holds
///
/// Newest first. Follow `next_cursor` until it is null.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/holds", operation_id = "list_holds", tag = "Holds", params(HoldQuery),
    responses(
        (status = 200, description = "A page of holds", body = HoldList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `events:write` or `ledger:read`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<HoldList>, Problem> {
    let HoldPage { status, before, limit } = asked(query)?;
    // One more than was asked for says whether there is another page.
    let mut holds = app.store.holds(caller.org, HoldPage { status, before, limit: limit + 1 }).await?;
    let next_cursor = page::cut(&mut holds, limit, |hold| hold.id.0);
    Ok(Json(HoldList { items: holds.iter().map(HoldItem::new).collect(), next_cursor }))
}

fn asked(query: Option<String>) -> Result<HoldPage, Problem> {
    let query: HoldQuery = page::query(query)?;
    let unknown = || page::bad_query("status must be pending, captured, released or expired");
    let status = query.status.map(|status| HoldStatus::parse(&status).ok_or_else(unknown)).transpose()?;
    let before = query.cursor.as_deref().map(page::number_of).transpose()?.map(HoldId);
    Ok(HoldPage { status, before, limit: page::limit(query.limit)? })
}

/// A page of holds.
#[derive(Serialize, ToSchema)]
pub struct HoldList {
    /// Newest first.
    items: Vec<HoldItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// Credits reserved for work in progress.
#[derive(Serialize, ToSchema)]
#[schema(title = "Hold", example = json!({
    "id": "hold_1", "amount": "5.000000", "status": "pending",
    "reserved": [{"grant": "grant_1", "credits": "5.000000"}], "held": "5.000000", "uncovered": "0.000000",
    "meter": "hold", "source": "hold", "project": null, "user": null, "tenant": null, "description": "",
    "created_at": "2026-11-21T08:15:30Z", "expires_at": "2026-11-21T08:25:30Z", "closed_at": null,
    "captured": null, "event": null
}))]
pub struct HoldItem {
    id: String,
    /// What was asked for.
    amount: String,
    /// `pending`, then once and for ever `captured`, `released` or `expired`.
    #[schema(value_type = String, pattern = "^(pending|captured|released|expired)$")]
    status: HoldStatus,
    /// What was reserved of which grant, in the order in which it is spent.
    reserved: Vec<Reserved>,
    /// What it reserves now; nothing once it is closed.
    held: String,
    /// What no grant covers and the policy promises all the same.
    uncovered: String,
    /// What a capture counts for.
    meter: String,
    source: String,
    project: Option<String>,
    /// On behalf of which user and tenant a capture counts.
    user: Option<String>,
    tenant: Option<String>,
    description: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When it was captured or released, or expired.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// What it was captured for.
    captured: Option<String>,
    /// The event that the work counts as.
    event: Option<String>,
}

/// Part of a hold.
#[derive(Serialize, ToSchema)]
pub struct Reserved {
    grant: String,
    credits: String,
}

impl HoldItem {
    fn new(hold: &Hold) -> Self {
        let pending = hold.status == HoldStatus::Pending;
        let parts = hold.reserved.iter();
        // Parts of one balance: their sum fits.
        let held = if pending { hold.held().unwrap_or_default() } else { Credits::ZERO };
        Self {
            id: hold.id.to_string(),
            amount: hold.amount.to_string(),
            status: hold.status,
            reserved: parts
                .map(|(grant, part)| Reserved { grant: grant.to_string(), credits: part.to_string() })
                .collect(),
            held: held.to_string(),
            uncovered: hold.uncovered.to_string(),
            meter: hold.meter.to_string(),
            source: hold.source.to_string(),
            project: hold.project.as_ref().map(ToString::to_string),
            user: hold.user.as_ref().map(ToString::to_string),
            tenant: hold.tenant.as_ref().map(ToString::to_string),
            description: hold.description.clone(),
            created_at: hold.created_at,
            expires_at: hold.expires_at,
            closed_at: hold.closed_at,
            captured: hold.captured.map(|credits| credits.to_string()),
            event: hold.event.map(|seq| seq.to_string()),
        }
    }
}
