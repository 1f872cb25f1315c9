//! `GET` and `POST /api/v1/keys`, `GET` and `DELETE /api/v1/keys/{id}`, `POST /api/v1/keys/{id}/rotate`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::members::{Members, bad, bad_field, needed};
use super::once::Write;
use super::page;
use crate::access::Caller;
use crate::auth::api_key::FreshKey;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::IntoResponse;
use ledger::{KeyId, Label, OrgId, Timestamp};
use serde::{Deserialize, Serialize};
use store::key::MAX_OVERLAP_HOURS;
use store::{KeyPage, KeyRow, NewKey, Scope, Successor};
use utoipa::{IntoParams, ToSchema};

/// Hours for which a rotated key goes on where nothing is said: long enough to set the new one everywhere.
pub const OVERLAP_HOURS: u32 = 24;

/// What to make.
#[derive(ToSchema)]
#[schema(example = json!({"name": "Reports", "scopes": ["usage:read"], "expires_at": "2027-01-01T00:00:00Z"}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `new_key` reads it")]
pub struct KeyBody {
    /// What people call it.
    name: String,
    /// Of `events:write`, `usage:read`, `ledger:read`, `ledger:write`, `billing:write`, `alerts:write`, `admin`; only such as the key that asks has.
    scopes: Vec<String>,
    /// The id of the only project that it may report and read; then `events:write` and `usage:read` are all it can have.
    project: Option<String>,
    /// Until when; for ever where it is not said.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// How to rotate.
#[derive(ToSchema)]
#[schema(example = json!({"overlap_hours": 24}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `rotate` reads it")]
pub struct RotateBody {
    /// For how many hours the old key goes on, 0 to 168; 24 where it is not said.
    #[schema(minimum = 0, maximum = 168)]
    overlap_hours: Option<u32>,
}

/// Create a key
///
/// The key itself is in this answer and in no other: only its hash is kept. Sending this again makes another key.
///
/// # Errors
/// Scopes that the key that asks has not, or a member that cannot be read.
#[utoipa::path(
    post, path = "/api/v1/keys", operation_id = "create_key", tag = "Keys", request_body = KeyBody,
    responses(
        (status = 201, description = "Made", body = FreshKeyItem, headers(("Location" = String, description = "Of the key"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`, `bad_query`, `idempotency_not_here`"),
        (status = 403, description = "`missing_scope`: `admin`; `beyond_own_scopes`"),
        (status = 422, description = "`missing_field`, `unknown_field`, `bad_field`, `bad_scope`, `bad_label`, `bad_key_terms`, `bad_time`, `time_out_of_range`, `too_many`"),
    )
)]
pub async fn create(State(app): State<AppState>, write: Write) -> Result<impl IntoResponse, Problem> {
    not_once(&write)?;
    let fresh = FreshKey::draw();
    let new = new_key(&write.caller, write.members, &fresh, app.store.now())?;
    let org = new.org;
    let id = app.store.create_key(write.caller.by(), new, None).await?.answer;
    let made = app.store.api_key(org, id).await?;
    Ok(shown_once(&made, fresh))
}

/// An answer with a secret is not kept, so it cannot be given again.
pub(super) fn not_once(write: &Write) -> Result<(), Problem> {
    if write.once.is_none() {
        return Ok(());
    }
    let detail = "an answer with a secret in it is not kept, so Idempotency-Key has no meaning here: leave it out";
    Err(Problem::bad_request("idempotency_not_here", detail))
}

fn new_key(caller: &Caller, mut members: Members, fresh: &FreshKey, now: Timestamp) -> Result<NewKey, Problem> {
    let scopes = needed("scopes", members.texts("scopes")?)?;
    let new = NewKey {
        org: caller.org,
        name: needed("name", members.text("name")?)?,
        prefix: fresh.prefix.clone(),
        hash: fresh.hash,
        scopes: scopes_of(&scopes)?,
        project: members.label("project")?,
        expires_at: members.time("expires_at")?,
    };
    members.finish()?;
    let has = |scope: &Scope| caller.scopes.contains(scope) || caller.scopes.contains(&Scope::Admin);
    if !new.scopes.iter().all(has) {
        let detail = "a key cannot make one that may do more than itself: leave those scopes out";
        return Err(Problem::new(StatusCode::FORBIDDEN, "beyond_own_scopes", detail));
    }
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(bad("bad_key_terms", "expires_at lies in the past: choose a later time"));
    }
    Ok(new)
}

/// Each once, in the order of the list of all.
fn scopes_of(names: &[String]) -> Result<Vec<Scope>, Problem> {
    let known = || Scope::ALL.map(Scope::as_str).join(", ");
    if let Some(name) = names.iter().find(|name| Scope::parse(name).is_none()) {
        let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        return Err(bad("bad_scope", format!("there is no scope \"{name}\": choose of {}", known())));
    }
    Ok(Scope::ALL.into_iter().filter(|scope| names.iter().any(|name| name == scope.as_str())).collect())
}

fn shown_once(made: &KeyRow, fresh: FreshKey) -> impl IntoResponse + use<> {
    let headers = [(LOCATION, format!("/api/v1/keys/{}", made.id)), (CACHE_CONTROL, "no-store".to_owned())];
    (StatusCode::CREATED, headers, Json(FreshKeyItem { secret: fresh.text, key: KeyItem::new(made) }))
}

/// Which keys.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KeyQuery {
    /// `active`: only those in force; `all` where it is not said.
    status: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Keys on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// List keys
///
/// Newest first, also those that have ended. Never the keys themselves.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/keys", operation_id = "list_keys", tag = "Keys", params(KeyQuery),
    responses(
        (status = 200, description = "A page of keys", body = KeyList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `admin`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<KeyList>, Problem> {
    let query: KeyQuery = page::query(query)?;
    let active = match query.status.as_deref() {
        None | Some("all") => false,
        Some("active") => true,
        Some(_) => return Err(page::bad_query("status must be active or all")),
    };
    let limit = page::limit(query.limit)?;
    let before = query.cursor.as_deref().map(page::number_of).transpose()?.map(KeyId);
    let mut rows = app.store.api_keys(caller.org, KeyPage { active, before, limit: limit + 1 }).await?;
    let next_cursor = page::cut(&mut rows, limit, |row| row.id.0);
    Ok(Json(KeyList { items: rows.iter().map(KeyItem::new).collect(), next_cursor }))
}

/// Get a key
///
/// # Errors
/// No such key in this org.
#[utoipa::path(
    get, path = "/api/v1/keys/{id}", operation_id = "get_key", tag = "Keys",
    params(("id" = String, Path, description = "As listed", example = "key_3")),
    responses(
        (status = 200, description = "The key, without its secret", body = KeyItem),
        (status = 403, description = "`missing_scope`: `admin`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<KeyItem>, Problem> {
    let row = found(&app, caller.org, &id).await?;
    Ok(Json(KeyItem::new(&row)))
}

/// Revoke a key
///
/// The next request with it is refused. Revoking one that has ended changes nothing.
///
/// # Errors
/// No such key in this org.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}", operation_id = "revoke_key", tag = "Keys",
    params(("id" = String, Path, description = "As listed", example = "key_3")),
    responses(
        (status = 200, description = "The key as it has ended", body = KeyItem),
        (status = 403, description = "`missing_scope`: `admin`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn revoke(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<KeyItem>, Problem> {
    let row = found(&app, caller.org, &id).await?;
    let ended = app.store.revoke_key(caller.by(), caller.org, row.id).await?;
    Ok(Json(KeyItem::new(&ended)))
}

/// Rotate a key
///
/// Makes another key of the same name, scopes, project and length of life. The old one goes on for the overlap, then ends.
///
/// # Errors
/// The key has ended, or was rotated before.
#[utoipa::path(
    post, path = "/api/v1/keys/{id}/rotate", operation_id = "rotate_key", tag = "Keys", request_body = Option<RotateBody>,
    params(("id" = String, Path, description = "As listed", example = "key_3")),
    responses(
        (status = 201, description = "The new key", body = FreshKeyItem, headers(("Location" = String, description = "Of the new key"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`, `bad_query`, `idempotency_not_here`"),
        (status = 403, description = "`missing_scope`: `admin`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`key_ended`"),
        (status = 422, description = "`unknown_field`, `bad_field`"),
    )
)]
pub async fn rotate(
    State(app): State<AppState>,
    Path(id): Path<String>,
    mut write: Write,
) -> Result<impl IntoResponse, Problem> {
    not_once(&write)?;
    let hours = write.members.whole("overlap_hours")?.unwrap_or(i64::from(OVERLAP_HOURS));
    let hours = u32::try_from(hours).ok().filter(|hours| *hours <= MAX_OVERLAP_HOURS);
    let overlap_hours = hours.ok_or_else(|| bad_field("overlap_hours", "must be 0 to 168"))?;
    let caller = write.caller;
    write.members.finish()?;
    let old = found(&app, caller.org, &id).await?;
    let fresh = FreshKey::draw();
    let to = Successor { prefix: fresh.prefix.clone(), hash: fresh.hash, overlap_hours };
    let id = app.store.rotate_key(caller.by(), caller.org, old.id, to, None).await?.answer;
    let made = app.store.api_key(caller.org, id).await?;
    Ok(shown_once(&made, fresh))
}

async fn found(app: &AppState, org: OrgId, id: &str) -> Result<KeyRow, Problem> {
    let unknown = || Problem::not_found("there is no such key: ids look like key_3, as GET /api/v1/keys lists them");
    let id = KeyId::parse(id).ok_or_else(unknown)?;
    Ok(app.store.api_key(org, id).await?)
}

/// A page of keys.
#[derive(Serialize, ToSchema)]
pub struct KeyList {
    /// Newest first.
    items: Vec<KeyItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub struct FreshKeyItem {
    /// The key itself, for `Authorization: Bearer`. Shown this once.
    #[serde(rename = "key")]
    #[schema(example = "scrip_1a2b3c4d_…")]
    secret: String,
    #[serde(flatten)]
    key: KeyItem,
}

/// An API key.
#[derive(Serialize, ToSchema)]
pub struct KeyItem {
    #[schema(example = "key_3")]
    id: String,
    /// What people call it.
    name: String,
    /// Its public part, between the underscores.
    #[schema(example = "1a2b3c4d")]
    prefix: String,
    /// What it may do.
    scopes: Vec<&'static str>,
    /// The only project that it may report and read.
    project: Option<String>,
    /// `active`; `rotated` while it goes on beside its successor; `expired` or `revoked` for ever.
    #[schema(example = "active")]
    status: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who made it; empty for keys of earlier releases.
    #[schema(example = "user:ada@example.com")]
    created_by: String,
    /// Until when.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// When it was last used, to ten minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// The key that took its place.
    replaced_by: Option<String>,
}

impl KeyItem {
    fn new(row: &KeyRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name.clone(),
            prefix: row.prefix.clone(),
            scopes: row.scopes.iter().map(|scope| scope.as_str()).collect(),
            project: row.project.as_ref().map(Label::to_string),
            status: row.status.as_str(),
            created_at: row.created_at,
            created_by: row.created_by.clone(),
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.used_at,
            replaced_by: row.replaced_by.map(|id| id.to_string()),
        }
    }
}
