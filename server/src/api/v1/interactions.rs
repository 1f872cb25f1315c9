//! `PUT /api/v1/interactions`, `GET` and `PUT /api/v1/interactions/{id}`, `GET /api/v1/interactions`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::customers::{UsedItem, asked};
use super::once::{Replayed, Write};
use super::{body, page};
use crate::access::Caller;
use crate::mapping_csv::{self, BadLine, MAX_BYTES, Report, Unreadable};
use crate::problem::{Problem, ProblemDetails};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use ledger::{Facet, Label, Timestamp};
use serde::Serialize;
use store::trace::{Sort, TraceCursor, TraceKind, TraceQuery};
use store::{Mapped, Mapping, StoreError, Trace, Used};
use utoipa::{IntoParams, ToSchema};

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
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `events:write`"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 410, description = "`details_pruned`: details of it are no longer kept"),
        (status = 422, description = "`unknown_field`, `bad_field`, `bad_label`, `too_many`"),
    )
)]
pub async fn map(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<impl IntoResponse, Problem> {
    let mut write = write.with_body()?;
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
        (status = 400, description = "`bad_utf8`"),
        (status = 403, description = "`missing_scope`: `events:write`"),
        (status = 413, description = "`body_too_large`, `too_many_items`"),
        (status = 415, description = "`unsupported_media_type`"),
        (status = 422, description = "`bad_head`; where no line could be done, the same as 200", content((MappingReport = "application/json"), (ProblemDetails = "application/problem+json"))),
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

/// Which interactions, and when.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the query for the documentation; `customers::asked` reads it")]
pub struct InteractionQuery {
    /// First day (`2026-11-01`) or instant (`2026-11-01T00:00:00Z`); 30 days before `to` where it is not said.
    from: Option<String>,
    /// Last day, included, or the instant before which usage counts; today where it is not said.
    to: Option<String>,
    /// Only those that count for this user; repeat the parameter for several; empty for those that count for nobody.
    user: Option<String>,
    /// Only those that count for this tenant; repeat the parameter for several; empty for those that count for none.
    tenant: Option<String>,
    /// `false`: only those that count for neither a user nor a tenant; `true`: only the others.
    mapped: Option<bool>,
    /// Only those whose first event with a workflow names this one; repeat the parameter for several.
    workflow: Option<String>,
    /// Only those whose first event with a project names this one; repeat the parameter for several.
    project: Option<String>,
    /// Only those whose id begins so.
    prefix: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many on the page at most, 1 to 100: a page can be shorter and not the last.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// List interactions
///
/// Those with events in the period, most credits first, each with what was used in the period. Those that have events outside of it as
/// well (`partial`) stand where all of their credits would. A page can be short and not the last: go on while there is a cursor.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/interactions", operation_id = "list_interactions", tag = "Customers", params(InteractionQuery),
    responses(
        (status = 200, description = "A page of interactions", body = InteractionList),
        (status = 400, description = "`bad_query`, `bad_cursor`, `bad_range`"),
        (status = 403, description = "`missing_scope`: `usage:read`; `wrong_project`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<InteractionList>, Problem> {
    let (question, rest) = asked(&query.unwrap_or_default(), &caller)?;
    let zone = app.store.org(caller.org).await?.zone;
    let (from, to) = store::usage::bounds(zone, question.range(app.store.now(), zone)?)?;
    let of = |wanted: &Facet| {
        let chosen = question.wide.chosen.iter().filter(|(facet, _)| facet == wanted);
        chosen.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    if !question.filter.sources.is_empty() || question.wide.chosen.iter().any(|(facet, _)| !is_known(facet)) {
        return Err(page::bad_query(
            "interactions are told apart by user, tenant, mapped, workflow, project and prefix",
        ));
    }
    let asked = TraceQuery {
        sort: Sort::Credits,
        overlapping: true,
        from: Some(from),
        before: Some(to),
        users: of(&Facet::User),
        tenants: of(&Facet::Tenant),
        workflows: of(&Facet::Workflow),
        projects: question.filter.projects.clone(),
        mapped: rest.mapped,
        search: rest.prefix,
        only_project: caller.project.as_ref().map(ToString::to_string),
        cursor: rest.cursor.map(|text| TraceCursor::parse(&text).ok_or_else(page::bad_cursor)).transpose()?,
        limit: page::limit(rest.limit)?,
        ..TraceQuery::new(TraceKind::Interaction)
    };
    let found = app.store.traces(caller.org, asked).await?;
    Ok(Json(InteractionList {
        from,
        to,
        timezone: zone.name().to_owned(),
        items: found.traces.iter().map(InteractionItem::new).collect(),
        next_cursor: found.on.map(TraceCursor::text),
    }))
}

const fn is_known(facet: &Facet) -> bool {
    matches!(facet, Facet::User | Facet::Tenant | Facet::Workflow)
}

/// Get an interaction
///
/// All of it, whenever its events happened, and how it is mapped.
///
/// # Errors
/// No such interaction in this org.
#[utoipa::path(
    get, path = "/api/v1/interactions/{id}", operation_id = "get_interaction", tag = "Customers",
    params(("id" = String, Path, description = "As events say it in `data.interaction`", example = "visit-17")),
    responses(
        (status = 200, description = "The interaction", body = InteractionDetail),
        (status = 403, description = "`missing_scope`: `usage:read`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<InteractionDetail>, Problem> {
    let unknown = || Problem::not_found("there is no such interaction: neither an event nor a mapping named it");
    let label = Label::kept(&id).map_err(|_| unknown())?;
    let only = caller.project.as_ref().map(ToString::to_string);
    let mapped = app.store.mapping(caller.org, label).await?;
    let is_mapped = mapped.at.is_some() && caller.project.is_none();
    let trace = match app.store.trace(caller.org, TraceKind::Interaction, id, only).await {
        Ok(detail) => Some(detail.trace),
        Err(StoreError::NotFound(_)) if is_mapped => None,
        Err(StoreError::NotFound(_)) => return Err(unknown()),
        Err(error) => return Err(error.into()),
    };
    let text = |label: &Option<Label>| label.as_ref().map(ToString::to_string);
    Ok(Json(InteractionDetail {
        interaction: trace.as_ref().map_or_else(
            || InteractionItem::empty(mapped.interaction.to_string(), text(&mapped.user), text(&mapped.tenant)),
            InteractionItem::new,
        ),
        mapping: mapped.at.is_some().then(|| MappingItem::new(mapped)),
    }))
}

/// A page of interactions.
#[derive(Serialize, ToSchema)]
pub struct InteractionList {
    /// First instant of the period.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// First instant after it.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Whose days these are.
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    /// Most credits first.
    items: Vec<InteractionItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// An interaction, and what was used in it.
#[derive(Serialize, ToSchema)]
#[schema(title = "Interaction")]
pub struct InteractionItem {
    #[schema(example = "visit-17")]
    id: String,
    /// The user it counts for, whether mapped or said by its events; null for nobody.
    #[schema(example = "dr-lund")]
    user: Option<String>,
    /// The tenant it counts for; null for none.
    #[schema(example = "clinic-3")]
    tenant: Option<String>,
    /// When the first of all its events happened; null where it has none.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_at: Option<Timestamp>,
    /// When the last one did.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<Timestamp>,
    /// Whether it has events outside of the period, which are not counted here.
    partial: bool,
    /// Events of it whose details are no longer kept; sums over all of it have them.
    pruned: i64,
    /// Whether more of it may have happened in the period: details of some of its events are no longer kept.
    at_least: bool,
    #[serde(flatten)]
    used: UsedItem,
}

impl InteractionItem {
    fn new(trace: &Trace) -> Self {
        let said = |text: &String| (!text.is_empty()).then(|| text.clone());
        let Trace { credits, events, failed, bytes, .. } = *trace;
        Self {
            id: trace.place.id.to_string(),
            user: said(&trace.user),
            tenant: said(&trace.tenant),
            first_at: Some(trace.first_at),
            last_at: Some(trace.last_at),
            partial: trace.within.is_some(),
            pruned: trace.pruned,
            at_least: trace.short,
            used: UsedItem::new(&trace.within.unwrap_or(Used { credits, events, failed, bytes })),
        }
    }

    /// One that is mapped and has no events.
    fn empty(id: String, user: Option<String>, tenant: Option<String>) -> Self {
        let used = UsedItem::new(&Used::default());
        Self { id, user, tenant, first_at: None, last_at: None, partial: false, pruned: 0, at_least: false, used }
    }
}

/// An interaction, and how it is mapped.
#[derive(Serialize, ToSchema)]
pub struct InteractionDetail {
    #[serde(flatten)]
    interaction: InteractionItem,
    /// What it is mapped to; null where only its events say for whom it is.
    mapping: Option<MappingItem>,
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
