//! `PUT /api/v1/interactions`, `GET` and `PUT /api/v1/interactions/{id}`, `GET /api/v1/interactions`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::body;
use super::once::{Replayed, Write};
use crate::access::Caller;
use crate::mapping_csv::{self, BadLine, MAX_BYTES, Report, Unreadable};
use crate::problem::{Problem, ProblemDetails};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use ledger::{Label, Timestamp};
use serde::Serialize;
use store::{Mapped, Mapping};
use utoipa::ToSchema;

/// On whose behalf an interaction was. What is left out, or null, stays what its events say; without both it is mapped to nobody.
#[derive(ToSchema)]
#[schema(example = json!({"user": "dr-lund", "tenant": "clinic-3"}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `map` reads it")]
pub struct MappingBody {
    /// The customer's own id of a user.
    user: Option<String>,
    /// The customer's own id of a tenant.
    tenant: Option<String>,
}

/// Map an interaction
///
/// To a user, a tenant or both, whenever that is known: before its first event, or long after its last. It counts for all of its
/// events at once, whatever they say, in every sum by user and tenant; the events keep what they said.
///
/// # Errors
/// An id that cannot be read.
#[utoipa::path(
    put, path = "/api/v1/interactions/{id}", operation_id = "map_interaction", tag = "Customers", request_body = MappingBody,
    params(
        ("id" = String, Path, description = "As events say it in `data.interaction`", example = "visit-17"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer"),
    ),
    responses(
        (status = 200, description = "How it is mapped", body = MappingItem, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`, `bad_idempotency_key`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 401, description = "`no_key`, `bad_key`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "`missing_scope`: `events:write`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 409, description = "`idempotency_conflict`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "`unknown_field`, `bad_field`, `bad_label`, `too_many`", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub async fn map(
    State(app): State<AppState>,
    Path(id): Path<String>,
    mut write: Write,
) -> Result<impl IntoResponse, Problem> {
    let interaction = Label::parse("interaction", &id)?;
    let (user, tenant) = (write.members.label("user")?, write.members.label("tenant")?);
    write.members.finish()?;
    let mapping = Mapping { interaction, user, tenant };
    let done = app.store.map_interaction(write.org, write.caller.by(), mapping, write.once).await?;
    Ok((Replayed(done.replayed), Json(MappingItem::new(done.answer))))
}

/// Map many interactions
///
/// A CSV whose first line names the columns `interaction`, `user` and `tenant`, in any order; one of the last two may be missing. Good
/// lines are done, bad ones named. At most 10,000 lines and 1 MiB. Sending it again does no harm.
///
/// # Errors
/// A CSV whose columns cannot be told, or that is too large.
#[utoipa::path(
    put, path = "/api/v1/interactions", operation_id = "map_interactions", tag = "Customers",
    request_body(content = String, content_type = "text/csv", example = "interaction,user,tenant\nvisit-17,dr-lund,clinic-3\n"),
    responses(
        (status = 200, description = "What came of it", body = MappingReport),
        (status = 400, description = "`bad_utf8`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 401, description = "`no_key`, `bad_key`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "`missing_scope`: `events:write`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`, `too_many_items`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "`bad_head`; no line could be done: the same as 200", body = MappingReport),
    )
)]
pub async fn map_many(
    State(app): State<AppState>,
    caller: Caller,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let (parts, body) = request.into_parts();
    body::only_csv(&parts.headers)?;
    let advice = || format!("the CSV is above {MAX_BYTES} bytes: send it in parts");
    let bytes = body::collect(&app.config, MAX_BYTES, &parts.headers, body, advice).await?;
    let read = mapping_csv::map(&app.store, caller.org, caller.by(), body::utf8(&bytes)?).await?;
    let report = read.map_err(|Unreadable(code, detail)| match code {
        "too_many_items" => Problem::too_large(code, detail),
        code => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail),
    })?;
    let none = report.mapped + report.unchanged == 0 && report.rejected > 0;
    let status = if none { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Json(MappingReport::new(report))))
}

/// How an interaction is mapped.
#[derive(Serialize, ToSchema)]
#[schema(title = "Mapping")]
pub struct MappingItem {
    /// The interaction.
    #[schema(example = "visit-17")]
    id: String,
    /// The user it is mapped to; null where that is left to its events.
    #[schema(example = "dr-lund")]
    user: Option<String>,
    /// The tenant it is mapped to; null where that is left to its events.
    #[schema(example = "clinic-3")]
    tenant: Option<String>,
    /// Since when; null where it is mapped to nobody.
    #[schema(value_type = Option<String>, format = DateTime)]
    mapped_at: Option<Timestamp>,
    /// By whom.
    #[schema(example = "key:1a2b3c4d")]
    mapped_by: Option<String>,
}

impl MappingItem {
    fn new(mapped: Mapped) -> Self {
        let text = |label: Option<Label>| label.map(|label| label.to_string());
        Self {
            id: mapped.interaction.to_string(),
            user: text(mapped.user),
            tenant: text(mapped.tenant),
            mapped_at: mapped.at,
            mapped_by: mapped.by,
        }
    }
}

/// What came of a CSV.
#[derive(Serialize, ToSchema)]
pub struct MappingReport {
    /// Interactions that are mapped otherwise than before.
    #[schema(example = 41)]
    mapped: usize,
    /// Interactions that were mapped so already.
    #[schema(example = 2)]
    unchanged: usize,
    /// Lines that were not done.
    #[schema(example = 1)]
    rejected: usize,
    /// The first 100 of those.
    errors: Vec<BadLine>,
}

impl MappingReport {
    fn new(Report { mapped, unchanged, rejected, errors }: Report) -> Self {
        Self { mapped, unchanged, rejected, errors }
    }
}
