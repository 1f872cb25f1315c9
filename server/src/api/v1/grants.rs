//! `GET` and `POST /api/v1/grants`, `GET /api/v1/grants/{id}`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::members::{Members, bad, bad_field, needed};
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
use ledger::rollover::Cap;
use ledger::{Currency, Grant, GrantId, GrantKind, Label, Meter, Money, Refusal, Rollover, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use store::grant::End;
use store::{At, GrantPage, GrantState, NewGrant};
use utoipa::{IntoParams, ToSchema};

/// What people read beside a grant where nothing is said.
const DESCRIPTION: &str = "Given through the API";

/// What to give.
#[derive(ToSchema)]
#[schema(example = json!({
    "kind": "plan", "amount": "1000", "expires_at": "2026-12-01T00:00:00Z", "description": "December",
    "cost": {"minor": 5000, "currency": "EUR"}, "rollover": {"cap": {"percent": 20}, "months": 3}
}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `new_grant` reads it")]
pub struct GrantBody {
    /// `plan`, `purchase`, `promotion`, `rollover`, `adjustment` or `refund`.
    kind: String,
    /// How many credits, as a decimal string; above zero.
    amount: String,
    /// Lower is spent first; 0 where it is not said.
    priority: Option<i16>,
    /// What it may be spent on; everything where it is not said. One that names nothing is refused.
    scope: Option<ScopeBody>,
    /// From when it can be spent; now where it is not said. May lie in the past.
    #[schema(format = DateTime)]
    effective_at: Option<String>,
    /// Until when, exclusive; for ever where it is not said.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// What people read beside it.
    description: Option<String>,
    /// What was paid for it.
    cost: Option<CostItem>,
    /// What becomes of its rest when it expires; only for kind `plan`. Where it is not said the rest expires.
    rollover: Option<RolloverItem>,
}

/// What a grant may be spent on. Where both are said, both must fit.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the wire for the documentation; `scope_of` reads it")]
pub struct ScopeBody {
    /// Only these meters of the rate card.
    meters: Option<Vec<String>>,
    /// Only these projects, by id; each must have been named by an event.
    projects: Option<Vec<String>>,
}

/// Money in minor units: 5000 are 50.00 EUR, or 5000 JPY.
#[derive(Serialize, ToSchema)]
pub struct CostItem {
    #[schema(example = 5000)]
    minor: i64,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
}

/// What becomes of the rest of a plan's credits.
#[derive(Serialize, ToSchema)]
pub struct RolloverItem {
    /// At most so much moves on: `{"percent": 20}` of the grant, or `{"credits": "200"}`; all where it is not said.
    #[schema(value_type = Option<Object>)]
    cap: Option<Cap>,
    /// For so many months, 1 to 120; for ever where it is not said.
    #[schema(example = 3)]
    months: Option<u8>,
}

/// Give credits
///
/// Debt is repaid from them first, and an org that was paused may go on at once.
///
/// # Errors
/// A grant that makes no sense, or a member that cannot be read.
#[utoipa::path(
    post, path = "/api/v1/grants", operation_id = "create_grant", tag = "Grants", request_body = GrantBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer")),
    responses(
        (status = 201, description = "Given", body = GrantItem, headers(("Location" = String, description = "Of the grant"), ("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `ledger:write`"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 422, description = "`missing_field`, `unknown_field`, `bad_field`, `bad_kind`, `bad_amount`, `amount_overflow`, `grant_not_positive`, `expiry_before_effect`, `bad_time`, `time_out_of_range`, `scope_names_nothing`, `bad_meter`, `bad_label`, `bad_cost`, `bad_currency`, `bad_rollover`, `too_many`"),
    )
)]
pub async fn create(State(app): State<AppState>, write: Write) -> Result<impl IntoResponse, Problem> {
    let new = new_grant(write.members)?;
    let done = app.store.give_grant_state(write.org, write.caller.by(), new, write.once).await?;
    let place = [(LOCATION, format!("/api/v1/grants/{}", done.answer.grant.id))];
    // As of its own booking, so that a replay is the same however much time has passed.
    let as_of = done.answer.given_at.unwrap_or(done.answer.grant.effective_at);
    Ok((StatusCode::CREATED, Replayed(done.replayed), place, Json(GrantItem::new(&done.answer, as_of))))
}

fn new_grant(mut members: Members) -> Result<NewGrant, Problem> {
    let kinds = || bad("bad_kind", format!("kind must be one of {}", GrantKind::ALL.map(GrantKind::as_str).join(", ")));
    let priority = members.whole("priority")?.unwrap_or_default();
    let new = NewGrant {
        kind: GrantKind::parse(&needed("kind", members.text("kind")?)?).ok_or_else(kinds)?,
        amount: needed("amount", members.credits("amount")?)?,
        priority: i16::try_from(priority).map_err(|_| bad_field("priority", "must be -32768 to 32767"))?,
        scope: members.object("scope")?.map_or_else(|| Ok(Scope::default()), scope_of)?,
        effective_at: members.time("effective_at")?,
        expires_at: members.time("expires_at")?,
        description: members.text("description")?.unwrap_or_else(|| DESCRIPTION.to_owned()),
        cost: members.object("cost")?.map(cost_of).transpose()?,
        rollover: members.object("rollover")?.map(rollover_of).transpose()?,
    };
    members.finish()?;
    Ok(new)
}

/// A scope that somebody wrote down and that names nothing would silently mean everything.
fn scope_of(mut members: Members) -> Result<Scope, Problem> {
    let (meters, projects) = (members.texts("meters")?, members.texts("projects")?);
    members.finish()?;
    let is_empty = |list: &Option<Vec<String>>| list.as_ref().is_some_and(Vec::is_empty);
    if is_empty(&meters) || is_empty(&projects) || (meters.is_none() && projects.is_none()) {
        let problem =
            "it names nothing: name meters or projects, or leave scope out for credits for everything".to_owned();
        return Err(Refusal::ScopeNamesNothing { problem }.into());
    }
    Ok(Scope {
        meters: meters.unwrap_or_default().iter().map(|text| Meter::parse(text)).collect::<Result<_, _>>()?,
        projects: projects
            .unwrap_or_default()
            .iter()
            .map(|text| Label::parse("project", text))
            .collect::<Result<_, _>>()?,
    })
}

fn cost_of(mut members: Members) -> Result<Money, Problem> {
    let minor = needed("cost.minor", members.whole("minor")?)?;
    let currency = Currency::parse(&needed("cost.currency", members.text("currency")?)?)?;
    members.finish()?;
    Ok(Money { minor, currency })
}

fn rollover_of(mut members: Members) -> Result<Rollover, Problem> {
    let small = |number: i64| {
        let problem = "percent is 1 to 100, months are 1 to 120";
        u8::try_from(number).map_err(|_| Problem::from(Refusal::BadRollover { problem }))
    };
    let months = members.whole("months")?.map(small).transpose()?;
    let cap = match members.object("cap")? {
        None => None,
        Some(mut cap) => {
            let (credits, percent) = (cap.credits("credits")?, cap.whole("percent")?);
            cap.finish()?;
            Some(match (credits, percent) {
                (Some(credits), None) => Cap::Credits(credits),
                (None, Some(percent)) => Cap::Percent(small(percent)?),
                _ => return Err(Refusal::BadRollover { problem: "cap is either credits or percent" }.into()),
            })
        }
    };
    members.finish()?;
    Ok(Rollover { cap, months })
}

/// Which grants, and when.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GrantQuery {
    /// `open`: only those of which something is left or held; `all` where it is not said.
    status: Option<String>,
    /// How they stood then, or will if nothing else happens. `as_known_at`, or now, where it is not said.
    #[param(format = DateTime)]
    as_of: Option<String>,
    /// As far as it was booked then. Now where it is not said.
    #[param(format = DateTime)]
    as_known_at: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Grants on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// List grants
///
/// Newest first, each with what became of it: `amount = left + held + spent + expired + rolled_over + voided`.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/grants", operation_id = "list_grants", tag = "Grants", params(GrantQuery),
    responses(
        (status = 200, description = "A page of grants", body = GrantList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
        (status = 422, description = "`not_known_yet`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<GrantList>, Problem> {
    let (at, page) = asked(query)?;
    // One more than was asked for says whether there is another page.
    let wanted = GrantPage { limit: page.limit + 1, ..page };
    let (mut states, as_of) = app.store.grants(caller.org, at, wanted).await?;
    let next_cursor = page::cut(&mut states, page.limit, |state| state.grant.id.0);
    Ok(Json(GrantList { items: states.iter().map(|state| GrantItem::new(state, as_of)).collect(), next_cursor }))
}

fn asked(query: Option<String>) -> Result<(At, GrantPage), Problem> {
    let query: GrantQuery = page::query(query)?;
    let open = match query.status.as_deref() {
        None | Some("all") => false,
        Some("open") => true,
        Some(_) => return Err(page::bad_query("status must be open or all")),
    };
    let before = query.cursor.as_deref().map(page::number_of).transpose()?.map(GrantId);
    Ok((page::at(query.as_of, query.as_known_at)?, GrantPage { open, before, limit: page::limit(query.limit)? }))
}

/// At which times.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GrantAtQuery {
    /// How it stood then, or will if nothing else happens. `as_known_at`, or now, where it is not said.
    #[param(format = DateTime)]
    as_of: Option<String>,
    /// As far as it was booked then. Now where it is not said.
    #[param(format = DateTime)]
    as_known_at: Option<String>,
}

/// Get a grant
///
/// With what became of it and, for a plan's credits, the computation of their end.
///
/// # Errors
/// No such grant in this org, or not yet given then.
#[utoipa::path(
    get, path = "/api/v1/grants/{id}", operation_id = "get_grant", tag = "Grants",
    params(("id" = String, Path, description = "As listed", example = "grant_1"), GrantAtQuery),
    responses(
        (status = 200, description = "The grant", body = GrantItem),
        (status = 400, description = "`bad_query`"),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`not_known_yet`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<GrantItem>, Problem> {
    let unknown =
        || Problem::not_found("there is no such grant: ids look like grant_1, as GET /api/v1/grants lists them");
    let GrantAtQuery { as_of, as_known_at } = page::query(query)?;
    let at = page::at(as_of, as_known_at)?;
    let (state, as_of) = app.store.grant_at(caller.org, GrantId::parse(&id).ok_or_else(unknown)?, at).await?;
    Ok(Json(GrantItem::new(&state, as_of)))
}

/// A page of grants.
#[derive(Serialize, ToSchema)]
pub struct GrantList {
    /// Newest first.
    items: Vec<GrantItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// Credits given at one time from one cause, and what became of them.
#[derive(Serialize, ToSchema)]
#[schema(title = "Grant", example = json!({
    "id": "grant_1", "kind": "plan", "amount": "1000.000000", "priority": 0, "scope": {"meters": ["export"]},
    "effective_at": "2026-11-01T00:00:00Z", "expires_at": "2026-12-01T00:00:00Z", "description": "November",
    "cost": {"minor": 5000, "currency": "EUR"}, "rollover": {"cap": {"percent": 20}, "months": 3}, "parent": null,
    "given_at": "2026-11-01T00:00:07Z", "left": "700.000000", "held": "0.000000", "spent": "300.000000",
    "expired": "0.000000", "rolled_over": "0.000000", "voided": "0.000000", "status": "open",
    "end": {"past": false, "left": "700.000000", "cap": "200.000000", "rolled_over": "200.000000",
            "expired": "500.000000", "child": null}
}))]
pub struct GrantItem {
    id: String,
    #[schema(value_type = String)]
    kind: GrantKind,
    amount: String,
    /// Lower is spent first.
    priority: i16,
    /// What it may be spent on; null for everything.
    #[schema(value_type = Option<ScopeBody>)]
    scope: Option<Scope>,
    #[schema(value_type = String, format = DateTime)]
    effective_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    description: String,
    /// What was paid for it.
    cost: Option<CostItem>,
    /// What becomes of its rest.
    rollover: Option<RolloverItem>,
    /// The grant whose rest it is.
    parent: Option<String>,
    /// When it was booked; null for what is due and not booked yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    given_at: Option<Timestamp>,
    left: String,
    held: String,
    spent: String,
    expired: String,
    rolled_over: String,
    /// What was taken back by hand.
    voided: String,
    /// `scheduled`, `open`, `spent` or `expired`.
    status: &'static str,
    /// The end of the cycle of a plan's credits: as it was, or as it would be now.
    end: Option<EndItem>,
}

/// What became, or would become, of the rest: `left = rolled_over + expired`.
#[derive(Serialize, ToSchema)]
pub struct EndItem {
    /// Whether it has happened.
    past: bool,
    left: String,
    /// At most so much could roll over.
    cap: Option<String>,
    rolled_over: String,
    expired: String,
    /// The grant that it became.
    child: Option<String>,
}

impl GrantItem {
    fn new(state: &GrantState, as_of: Timestamp) -> Self {
        let Grant { id, kind, amount, priority, scope, effective_at, expires_at, description, cost, rollover, parent } =
            state.grant.clone();
        let figures = state.figures;
        Self {
            id: id.to_string(),
            kind,
            amount: amount.to_string(),
            priority,
            scope: (!scope.is_everything()).then_some(scope),
            effective_at,
            expires_at,
            description,
            cost: cost.map(|cost| CostItem { minor: cost.minor, currency: cost.currency.as_str().to_owned() }),
            rollover: rollover.map(|Rollover { cap, months }| RolloverItem { cap, months }),
            parent: parent.map(|parent| parent.to_string()),
            given_at: state.given_at,
            left: figures.left.to_string(),
            held: figures.held.to_string(),
            spent: figures.spent.to_string(),
            expired: figures.expired.to_string(),
            rolled_over: figures.rolled.to_string(),
            voided: figures.voided.to_string(),
            status: status_of(state, as_of),
            end: state.end.map(EndItem::new),
        }
    }
}

/// One that was used up before its end is spent, also after it.
fn status_of(state: &GrantState, as_of: Timestamp) -> &'static str {
    let figures = state.figures;
    let ended_with_a_rest = figures.expired.is_positive() || figures.rolled.is_positive();
    if state.grant.effective_at > as_of {
        "scheduled"
    } else if figures.left.is_zero() && figures.held.is_zero() && !ended_with_a_rest {
        "spent"
    } else if state.grant.is_expired(as_of) {
        "expired"
    } else {
        "open"
    }
}

impl EndItem {
    fn new(End { rolled, child, past }: End) -> Self {
        Self {
            past,
            left: rolled.left.to_string(),
            cap: rolled.cap.map(|cap| cap.to_string()),
            rolled_over: rolled.rolled.to_string(),
            expired: rolled.expired.to_string(),
            child: child.map(|child| child.to_string()),
        }
    }
}
