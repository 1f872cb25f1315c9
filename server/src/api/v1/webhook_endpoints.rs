//! `GET` and `POST /api/v1/webhook-endpoints`, `GET`, `PUT` and `DELETE …/{id}`, and what is done with one: `test`, `rotate-secret`,
//! `enable`, `disable`.
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::deliveries::DeliveryItem;
use super::members::{Members, bad, bad_field, needed};
use super::once::Write;
use crate::access::Caller;
use crate::outgoing::standard::secret_text;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::IntoResponse;
use ledger::endpoint::Shape;
use ledger::{EndpointId, MessageKind, OrgId, Timestamp};
use serde::Serialize;
use store::outbox::endpoint::{Endpoint, NewEndpoint};
use utoipa::ToSchema;

/// What an endpoint is.
#[derive(ToSchema)]
#[schema(example = json!({"url": "https://example.com/webhooks", "title": "Billing system", "kinds": ["balance.low", "balance.depleted"]}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `new_endpoint` reads it")]
pub struct EndpointBody {
    /// Where messages are sent: an https address on the public internet.
    url: String,
    /// What people call it; may be empty.
    title: Option<String>,
    /// What is sent there looks like: `webhook` (Standard Webhooks, signed), `slack` or `teams`; `webhook` where it is not said.
    shape: Option<String>,
    /// The kinds of messages that are sent there; all where it is empty or not said.
    kinds: Option<Vec<String>>,
}

fn new_endpoint(mut members: Members) -> Result<NewEndpoint, Problem> {
    let shape = members.text("shape")?.unwrap_or_else(|| Shape::Webhook.as_str().to_owned());
    let unknown = || bad_field("shape", "must be webhook, slack or teams");
    let new = NewEndpoint {
        shape: Shape::parse(&shape).ok_or_else(unknown)?,
        url: needed("url", members.text("url")?)?,
        title: members.text("title")?.unwrap_or_default(),
        kinds: kinds_of(&members.texts("kinds")?.unwrap_or_default())?,
    };
    members.finish()?;
    Ok(new)
}

/// Each once, in the order of the list of all.
fn kinds_of(names: &[String]) -> Result<Vec<MessageKind>, Problem> {
    if let Some(name) = names.iter().find(|name| !MessageKind::ALL.iter().any(|kind| kind.as_str() == name.as_str())) {
        let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        let known = MessageKind::ALL.map(MessageKind::as_str).join(", ");
        return Err(bad("bad_kind", format!("there is no kind of message \"{name}\": choose of {known}")));
    }
    Ok(MessageKind::ALL.into_iter().filter(|kind| names.iter().any(|name| name == kind.as_str())).collect())
}

/// Create a webhook endpoint
///
/// From now on messages of its kinds are sent there: signed by Standard Webhooks, tried for three days, under a `webhook-id` that stays the
/// same however often one is sent. What each kind says stands under Webhooks in this description.
///
/// # Errors
/// An address that must not be sent to.
#[utoipa::path(
    post, path = "/api/v1/webhook-endpoints", operation_id = "create_webhook_endpoint", tag = "Webhooks", request_body = EndpointBody,
    responses(
        (status = 201, description = "Made; its secret is in this answer", body = SecretEndpointItem, headers(("Location" = String, description = "Of the endpoint"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`, `bad_query`, `idempotency_not_here`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 422, description = "`missing_field`, `unknown_field`, `bad_field`, `bad_kind`, `bad_label`, `bad_url`, `not_encrypted`, `no_such_host`, `forbidden_address`, `too_many`"),
    )
)]
pub async fn create(State(app): State<AppState>, write: Write) -> Result<impl IntoResponse, Problem> {
    super::keys::not_once(&write)?;
    let new = new_endpoint(write.members)?;
    app.courier.check(write.org, &new.url).await?;
    let made = app.store.create_endpoint(write.org, new, write.caller.by()).await?;
    Ok(with_secret(StatusCode::CREATED, &made))
}

/// List webhook endpoints
///
/// Oldest first, without their secrets. There are 20 at most, so the list has one page.
///
/// # Errors
/// None of its own.
#[utoipa::path(
    get, path = "/api/v1/webhook-endpoints", operation_id = "list_webhook_endpoints", tag = "Webhooks",
    responses(
        (status = 200, description = "All of them", body = EndpointList),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
    )
)]
pub async fn list(State(app): State<AppState>, caller: Caller) -> Result<Json<EndpointList>, Problem> {
    let all = app.store.endpoints(caller.org).await?;
    Ok(Json(EndpointList { items: all.iter().map(EndpointItem::new).collect(), next_cursor: None }))
}

/// Get a webhook endpoint
///
/// # Errors
/// No such endpoint in this org.
#[utoipa::path(
    get, path = "/api/v1/webhook-endpoints/{id}", operation_id = "get_webhook_endpoint", tag = "Webhooks",
    params(("id" = String, Path, description = "As listed", example = "endpoint_1")),
    responses(
        (status = 200, description = "The endpoint, without its secret", body = EndpointItem),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<EndpointItem>, Problem> {
    Ok(Json(EndpointItem::new(&found(&app, caller.org, &id).await?)))
}

/// Change a webhook endpoint
///
/// What the body does not say is as for a new one. Its secret stays, and whether it is enabled.
///
/// # Errors
/// An address that must not be sent to.
#[utoipa::path(
    put, path = "/api/v1/webhook-endpoints/{id}", operation_id = "change_webhook_endpoint", tag = "Webhooks", request_body = EndpointBody,
    params(("id" = String, Path, description = "As listed", example = "endpoint_1")),
    responses(
        (status = 200, description = "The endpoint as it is now", body = EndpointItem),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`, `bad_query`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`missing_field`, `unknown_field`, `bad_field`, `bad_kind`, `bad_label`, `bad_url`, `not_encrypted`, `no_such_host`, `forbidden_address`"),
    )
)]
pub async fn change(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Json<EndpointItem>, Problem> {
    let id = found(&app, write.org, &id).await?.id;
    let new = new_endpoint(write.members)?;
    app.courier.check(write.org, &new.url).await?;
    let changed = app.store.change_endpoint(write.org, id, new, write.caller.by()).await?;
    Ok(Json(EndpointItem::new(&changed)))
}

/// Delete a webhook endpoint
///
/// Nothing is sent there any more, also nothing that waits; its address and secret are forgotten.
///
/// # Errors
/// No such endpoint in this org.
#[utoipa::path(
    delete, path = "/api/v1/webhook-endpoints/{id}", operation_id = "delete_webhook_endpoint", tag = "Webhooks",
    params(("id" = String, Path, description = "As listed", example = "endpoint_1")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn delete(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = found(&app, caller.org, &id).await?.id;
    app.store.delete_endpoint(caller.org, id, caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rotate the secret of a webhook endpoint
///
/// The answer has the new secret. For 24 hours what is sent is signed with both, so that the receiver can change over in its own time.
///
/// # Errors
/// No such endpoint in this org.
#[utoipa::path(
    post, path = "/api/v1/webhook-endpoints/{id}/rotate-secret", operation_id = "rotate_webhook_secret", tag = "Webhooks",
    params(("id" = String, Path, description = "As listed", example = "endpoint_1")),
    responses(
        (status = 200, description = "The endpoint with its new secret", body = SecretEndpointItem, headers(("Location" = String, description = "Of the endpoint"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`, `bad_query`, `idempotency_not_here`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`unknown_field`"),
    )
)]
pub async fn rotate(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<impl IntoResponse, Problem> {
    super::keys::not_once(&write)?;
    write.members.finish()?;
    let id = found(&app, write.org, &id).await?.id;
    let rotated = app.store.rotate_endpoint(write.org, id, write.caller.by()).await?;
    Ok(with_secret(StatusCode::OK, &rotated))
}

/// Enable a webhook endpoint
///
/// After it was disabled: by hand, since it had answered 410, or since it had failed for days. What waited goes on where it was; what
/// happened meanwhile is not sent.
///
/// # Errors
/// No such endpoint in this org.
#[utoipa::path(
    post, path = "/api/v1/webhook-endpoints/{id}/enable", operation_id = "enable_webhook_endpoint", tag = "Webhooks",
    params(("id" = String, Path, description = "As listed", example = "endpoint_1")),
    responses(
        (status = 200, description = "The endpoint as it is now", body = EndpointItem),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`, `bad_query`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`unknown_field`"),
    )
)]
pub async fn enable(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Json<EndpointItem>, Problem> {
    turn(&app, &id, write, true).await
}

/// Disable a webhook endpoint
///
/// Nothing is sent there until it is enabled again; what happens meanwhile never is.
///
/// # Errors
/// No such endpoint in this org.
#[utoipa::path(
    post, path = "/api/v1/webhook-endpoints/{id}/disable", operation_id = "disable_webhook_endpoint", tag = "Webhooks",
    params(("id" = String, Path, description = "As listed", example = "endpoint_1")),
    responses(
        (status = 200, description = "The endpoint as it is now", body = EndpointItem),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`, `bad_query`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`unknown_field`"),
    )
)]
pub async fn disable(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Json<EndpointItem>, Problem> {
    turn(&app, &id, write, false).await
}

async fn turn(app: &AppState, id: &str, write: Write, enabled: bool) -> Result<Json<EndpointItem>, Problem> {
    write.members.finish()?;
    let id = found(app, write.org, id).await?.id;
    let turned = app.store.enable_endpoint(write.org, id, enabled, write.caller.by()).await?;
    Ok(Json(EndpointItem::new(&turned)))
}

/// Test a webhook endpoint
///
/// Sends `endpoint.test` there at once, also where it is disabled, and waits for what it answers. It is tried this once.
///
/// # Errors
/// No such endpoint in this org. A receiver that fails is no error: the answer says what came of it.
#[utoipa::path(
    post, path = "/api/v1/webhook-endpoints/{id}/test", operation_id = "test_webhook_endpoint", tag = "Webhooks",
    params(("id" = String, Path, description = "As listed", example = "endpoint_1")),
    responses(
        (status = 200, description = "The delivery, with what the receiver answered", body = DeliveryItem),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_idempotency_key`, `bad_query`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 422, description = "`unknown_field`"),
    )
)]
pub async fn test(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<Json<DeliveryItem>, Problem> {
    write.members.finish()?;
    let id = found(&app, write.org, &id).await?.id;
    let delivery = app.courier.test(write.org, id, write.caller.by()).await?;
    let delivery = app.store.delivery(write.org, delivery).await?;
    Ok(Json(DeliveryItem::whole(&delivery)))
}

/// An endpoint of the caller's org.
pub(super) async fn found(app: &AppState, org: OrgId, id: &str) -> Result<Endpoint, Problem> {
    let unknown = || {
        Problem::not_found(
            "there is no such endpoint: ids look like endpoint_1, as GET /api/v1/webhook-endpoints lists them",
        )
    };
    let id = EndpointId::parse(id).ok_or_else(unknown)?;
    Ok(app.store.endpoint(org, id).await?)
}

/// Not to be kept by anything on its way.
fn with_secret(status: StatusCode, of: &Endpoint) -> impl IntoResponse + use<> {
    let headers = [(LOCATION, format!("/api/v1/webhook-endpoints/{}", of.id)), (CACHE_CONTROL, "no-store".to_owned())];
    (status, headers, Json(SecretEndpointItem { secret: secret_text(&of.secret), endpoint: EndpointItem::new(of) }))
}

/// All endpoints.
#[derive(Serialize, ToSchema)]
pub struct EndpointList {
    /// Oldest first.
    items: Vec<EndpointItem>,
    /// Null: there is one page.
    next_cursor: Option<String>,
}

/// An endpoint with its secret.
#[derive(Serialize, ToSchema)]
pub struct SecretEndpointItem {
    /// What signs (Standard Webhooks).
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
    #[serde(flatten)]
    endpoint: EndpointItem,
}

/// A webhook endpoint.
#[derive(Serialize, ToSchema)]
pub struct EndpointItem {
    #[schema(example = "endpoint_1")]
    id: String,
    /// `webhook`, `slack` or `teams`.
    #[schema(example = "webhook")]
    shape: &'static str,
    /// What people call it; may be empty.
    title: String,
    /// Where messages are sent.
    #[schema(example = "https://example.com/webhooks")]
    url: String,
    /// The kinds of messages that are sent there; empty: all.
    #[schema(example = json!(["balance.low"]))]
    kinds: Vec<&'static str>,
    /// `enabled` or `disabled`.
    #[schema(example = "enabled")]
    status: &'static str,
    /// Why it is disabled: `by_hand`, `gone` (it answered 410) or `failing` (for five days).
    disabled_reason: Option<&'static str>,
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// Attempts that failed since one did not.
    failures: i64,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    /// When it took something last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success_at: Option<Timestamp>,
    /// When an attempt failed last, also one that was taken later.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_failure_at: Option<Timestamp>,
    /// Until when the secret before this one signs too.
    #[schema(value_type = Option<String>, format = DateTime)]
    old_secret_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who made it.
    #[schema(example = "user:ada@example.com")]
    created_by: String,
}

impl EndpointItem {
    fn new(of: &Endpoint) -> Self {
        Self {
            id: of.id.to_string(),
            shape: of.shape.as_str(),
            title: of.title.clone(),
            url: of.url.clone(),
            kinds: of.kinds.iter().map(|kind| kind.as_str()).collect(),
            status: if of.disabled.is_none() { "enabled" } else { "disabled" },
            disabled_reason: of.disabled.map(|(why, _)| why.as_str()),
            disabled_at: of.disabled.map(|(_, at)| at),
            failures: of.failures,
            failing_since: of.failing_since,
            last_success_at: of.last_taken_at,
            last_failure_at: of.last_failed_at,
            old_secret_until: of.old_secret.map(|(_, until)| until),
            created_at: of.created_at,
            created_by: of.created_by.clone(),
        }
    }
}
