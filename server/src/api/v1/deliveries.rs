//! `GET /api/v1/webhook-endpoints/{id}/deliveries`, `GET /api/v1/deliveries/{id}` and `POST …/redeliver`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::once::Write;
use super::page;
use super::webhook_endpoints::found;
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use ledger::{DeliveryId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::outbox::delivery::{Attempt, Delivery, DeliveryPage, DeliveryRow, State as Stands};
use utoipa::{IntoParams, ToSchema};

/// Which deliveries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Only those that are `waiting`, `delivered` or `failed`.
    status: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Deliveries on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// List deliveries of a webhook endpoint
///
/// Newest first, for 90 days; without their attempts.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/webhook-endpoints/{id}/deliveries", operation_id = "list_deliveries", tag = "Webhooks",
    params(("id" = String, Path, description = "As listed", example = "endpoint_1"), DeliveryQuery),
    responses(
        (status = 200, description = "A page of deliveries", body = DeliveryList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<DeliveryList>, Problem> {
    let query: DeliveryQuery = page::query(query)?;
    let unknown = || page::bad_query("status must be waiting, delivered or failed");
    let state = query.status.as_deref().map(|text| Stands::parse(text).ok_or_else(unknown)).transpose()?;
    let limit = page::limit(query.limit)?;
    let before = query.cursor.as_deref().map(page::number_of).transpose()?;
    let endpoint = Some(found(&app, caller.org, &id).await?.id);
    let asked = DeliveryPage { endpoint, state, before, limit: limit + 1 };
    let mut rows = app.store.deliveries(caller.org, asked).await?;
    let next_cursor = page::cut(&mut rows, limit, |row| row.id.0);
    Ok(Json(DeliveryList { items: rows.iter().map(DeliveryItem::new).collect(), next_cursor }))
}

/// Get a delivery
///
/// With its attempts (when, how long each took, and what the receiver answered), and with the body that they send, byte for byte: what the
/// signature is of, so that it can be held against what the receiver says it got.
///
/// # Errors
/// No such delivery in this org.
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}", operation_id = "get_delivery", tag = "Webhooks",
    params(("id" = String, Path, description = "As listed", example = "delivery_5")),
    responses(
        (status = 200, description = "The delivery", body = DeliveryItem),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<DeliveryItem>, Problem> {
    let delivery = app.store.delivery(caller.org, delivery_id(&id)?).await?;
    Ok(Json(DeliveryItem::whole(&delivery)))
}

/// Send a delivery again
///
/// At once, whatever came of it before, under the same `webhook-id`; waits for what the receiver answers. One that was given up begins its
/// schedule anew if this fails too.
///
/// # Errors
/// No such delivery in this org. A receiver that fails is no error: the answer says what came of it.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{id}/redeliver", operation_id = "redeliver", tag = "Webhooks",
    params(("id" = String, Path, description = "As listed", example = "delivery_5")),
    responses(
        (status = 200, description = "The delivery, with what the receiver answered", body = DeliveryItem),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`, `bad_query`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`unknown_field`"),
    )
)]
pub async fn redeliver(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Json<DeliveryItem>, Problem> {
    write.members.finish()?;
    let id = delivery_id(&id)?;
    app.courier.again(write.org, id, write.caller.by()).await?;
    Ok(Json(DeliveryItem::whole(&app.store.delivery(write.org, id).await?)))
}

fn delivery_id(text: &str) -> Result<DeliveryId, Problem> {
    DeliveryId::parse(text).ok_or_else(|| Problem::not_found("there is no such delivery: ids look like delivery_5"))
}

/// A page of deliveries.
#[derive(Serialize, ToSchema)]
pub struct DeliveryList {
    /// Newest first.
    items: Vec<DeliveryItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// A message on its way to an endpoint.
#[derive(Serialize, ToSchema)]
pub struct DeliveryItem {
    #[schema(example = "delivery_5")]
    id: String,
    #[schema(example = "endpoint_1")]
    endpoint: String,
    /// The `webhook-id` under which it is sent, however often.
    #[schema(example = "msg_9f86d081884c7d659a2feaa0c55ad015")]
    webhook_id: String,
    /// What it is about.
    #[schema(example = "balance.low")]
    kind: &'static str,
    /// What it says.
    #[schema(value_type = Object)]
    data: Value,
    /// `waiting`, `delivered` or `failed`.
    #[schema(example = "delivered")]
    status: &'static str,
    /// When it was caused.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it is tried next.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_try_at: Option<Timestamp>,
    /// When it was taken, or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Timestamp>,
    /// How often it was tried.
    tries: i64,
    /// The newest 20, newest first; none in lists.
    attempts: Vec<AttemptItem>,
    /// What the newest attempt had to send, whether or not it reached somebody; null before the first, and in lists.
    sent: Option<SentItem>,
}

/// What was sent to an endpoint.
#[derive(Serialize, ToSchema)]
pub struct SentItem {
    /// What the body looks like: `webhook`, `slack` or `teams`. Only a `webhook` is signed.
    #[schema(example = "webhook")]
    shape: &'static str,
    /// The body, byte for byte. `webhook-signature` of an attempt is of its `webhook-id`, the second of its `at`, and this, with dots between.
    #[schema(
        example = r#"{"type":"endpoint.test","timestamp":"2026-11-21T12:00:00Z","organization":"org_1","data":{}}"#
    )]
    body: String,
}

impl DeliveryItem {
    /// A delivery with all that is known of it.
    pub(super) fn whole(of: &Delivery) -> Self {
        let sent = of.sent.as_ref().map(|sent| SentItem { shape: sent.shape.as_str(), body: sent.body.clone() });
        Self { attempts: of.attempts.iter().map(AttemptItem::new).collect(), sent, ..Self::new(&of.row) }
    }

    /// The same as lists have it.
    fn new(row: &DeliveryRow) -> Self {
        Self {
            id: row.id.to_string(),
            endpoint: row.endpoint.to_string(),
            webhook_id: row.message.public_id.clone(),
            kind: row.message.kind.as_str(),
            data: row.message.data.clone(),
            status: row.state.as_str(),
            created_at: row.message.made_at,
            next_try_at: row.next_try_at,
            done_at: row.done_at,
            tries: row.attempts,
            attempts: Vec::new(),
            sent: None,
        }
    }
}

/// What came of one attempt.
#[derive(Serialize, ToSchema)]
pub struct AttemptItem {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Milliseconds.
    took_ms: i64,
    /// Whether somebody asked for it.
    by_hand: bool,
    /// The HTTP status of the answer; null where none came.
    #[schema(example = 204)]
    status: Option<u16>,
    /// How its body begins: at most 1,000 characters.
    answer: String,
    /// Null where it was taken; else `not_taken`, `gone`, `redirect_not_followed`, `bad_url`, `not_encrypted`, `no_such_host`,
    /// `forbidden_address`, `connect_failed`, `timed_out` or `broken_answer`.
    error: Option<String>,
}

impl AttemptItem {
    fn new(of: &Attempt) -> Self {
        Self {
            at: of.at,
            took_ms: of.took_ms,
            by_hand: of.by_hand,
            status: of.status,
            answer: of.answer.clone(),
            error: of.error.clone(),
        }
    }
}
