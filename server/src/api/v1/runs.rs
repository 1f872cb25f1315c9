//! `GET /api/v1/runs` and `GET /api/v1/runs/{id}`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::page;
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use ledger::event::Place;
use ledger::{EventSeq, Label};
use serde::{Deserialize, Serialize};
use store::{Sort, Trace, TraceCursor, TraceEvent, TraceKind, TraceModule, TraceQuery, TraceUse};
use utoipa::{IntoParams, ToSchema};

/// Which runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunsQuery {
    /// Only runs whose last event happened at this instant or later.
    #[param(format = DateTime)]
    from: Option<String>,
    /// Only runs whose last event happened before this instant.
    #[param(format = DateTime)]
    to: Option<String>,
    /// Only runs of this workflow, by id; empty for runs of none.
    workflow: Option<String>,
    /// Only runs of this project, by id; empty for runs of none.
    project: Option<String>,
    /// `failed`: an event of it failed; `succeeded`: none did.
    status: Option<String>,
    /// `workflow` or `agent`.
    kind: Option<String>,
    /// Only runs whose id begins so, or whose name in any case of letters.
    q: Option<String>,
    /// `time` (default), `credits` or `data`: the newest, dearest or largest first.
    sort: Option<String>,
    /// Runs on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List runs
///
/// Follow `next_cursor` until it is null. Where a filter fits few of many runs, a page may be short or empty and still have one:
/// that many runs were looked at. A run is of the workflow and the project that the first of its events names. A key of one
/// project sees runs whose events are all of that project.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/runs", operation_id = "list_runs", tag = "Usage", params(RunsQuery),
    responses(
        (status = 200, description = "A page of runs", body = RunList),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `usage:read`"),
        (status = 503, description = "`busy`: right after a large import; ask again after `Retry-After`"),
    )
)]
pub async fn list(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<RunList>, Problem> {
    let query = TraceQuery { only_project: own(&caller), ..asked(query)? };
    let page = app.store.traces(caller.org, query).await?;
    let items = page.traces.iter().map(RunItem::new).collect();
    Ok(Json(RunList { items, next_cursor: page.on.map(TraceCursor::text) }))
}

fn own(caller: &Caller) -> Option<String> {
    caller.project.as_ref().map(Label::to_string)
}

fn asked(query: Option<String>) -> Result<TraceQuery, Problem> {
    let query: RunsQuery = page::query(query)?;
    let one = |value: Option<String>| value.into_iter().collect::<Vec<String>>();
    let either = |name: &str, value: Option<String>, [yes, no]: [&str; 2]| match value.as_deref() {
        None => Ok(None),
        Some(said) if said == yes => Ok(Some(true)),
        Some(said) if said == no => Ok(Some(false)),
        Some(_) => Err(page::bad_query(format!("{name} must be {yes} or {no}"))),
    };
    let sort = match query.sort.as_deref() {
        None | Some("time") => Sort::Time,
        Some("credits") => Sort::Credits,
        Some("data") => Sort::Data,
        Some(_) => return Err(page::bad_query("sort must be time, credits or data")),
    };
    let cursor = |text: String| {
        let bad = || Problem::bad_request("bad_cursor", "use next_cursor of the page before as it was given");
        TraceCursor::parse(&text).ok_or_else(bad)
    };
    Ok(TraceQuery {
        sort,
        from: page::time("from", query.from)?,
        before: page::time("to", query.to)?,
        workflows: one(query.workflow),
        projects: one(query.project),
        failed: either("status", query.status, ["failed", "succeeded"])?,
        agent: either("kind", query.kind, ["agent", "workflow"])?,
        search: query.q.unwrap_or_default(),
        cursor: query.cursor.map(cursor).transpose()?,
        limit: page::limit(query.limit)?,
        ..TraceQuery::new(TraceKind::Run)
    })
}

/// Which page of a run's events.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// Events on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Get a run
///
/// What it adds up to, its modules in the order in which they began, and a page of its events in the order in which they happened.
///
/// # Errors
/// No such run in this org, or none of the key's project alone.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}", operation_id = "get_run", tag = "Usage",
    params(("id" = String, Path, description = "As events name it", example = "run-1"), RunQuery),
    responses(
        (status = 200, description = "The run", body = RunAnswer),
        (status = 400, description = "`bad_query`, `bad_cursor`"),
        (status = 403, description = "`missing_scope`: `usage:read`"),
        (status = 404, description = "`not_found`"),
        (status = 503, description = "`busy`: right after a large import; ask again after `Retry-After`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<RunAnswer>, Problem> {
    let query: RunQuery = page::query(query)?;
    let limit = page::limit(query.limit)?;
    let after = query.cursor.as_deref().map(page::number_of).transpose()?.map(EventSeq);
    let detail = app.store.trace(caller.org, TraceKind::Run, id.clone(), own(&caller)).await?;
    let events = app.store.trace_events(caller.org, TraceKind::Run, id, own(&caller), after, limit).await?;
    Ok(Json(RunAnswer {
        run: RunItem::new(&detail.trace),
        modules: detail.modules.iter().map(ModuleItem::new).collect(),
        counted: detail.counted,
        events: events.events.iter().map(RunEventItem::new).collect(),
        next_cursor: events.next.map(|seq| page::cursor_of(seq.0)),
    }))
}

/// A page of runs.
#[derive(Serialize, ToSchema)]
pub struct RunList {
    /// In the order asked for.
    items: Vec<RunItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// A run.
#[derive(Serialize, ToSchema)]
pub struct RunItem {
    /// As events name it.
    #[schema(example = "run-1")]
    id: String,
    /// What it is called, where an event said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `workflow` or `agent`.
    kind: RunKind,
    /// `failed` where an event of it failed.
    status: RunStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<RunPlace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<RunPlace>,
    /// When its first event happened.
    #[schema(format = DateTime)]
    first_at: String,
    /// When its last one did.
    #[schema(format = DateTime)]
    last_at: String,
    /// Events that stand.
    events: i64,
    /// Those of them that failed.
    failed: i64,
    /// Data transferred, in bytes.
    bytes: i64,
    /// What it cost.
    #[schema(example = "0.003100")]
    credits: String,
    /// Events of it whose details are no longer kept: every sum of the run has them, its modules and its list of events do not.
    pruned: i64,
}

/// What runs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RunKind {
    Workflow,
    Agent,
}

/// How it went.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RunStatus {
    Succeeded,
    Failed,
}

/// Somewhere in the customer's product.
#[derive(Serialize, ToSchema)]
pub struct RunPlace {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// A run, with its modules and a page of its events.
#[derive(Serialize, ToSchema)]
pub struct RunAnswer {
    #[serde(flatten)]
    run: RunItem,
    /// In the order in which they began.
    modules: Vec<ModuleItem>,
    /// How many of its events the modules add up: the first, at most 10,000.
    counted: i64,
    /// Those of the page, in the order in which they happened.
    #[serde(rename = "items")]
    events: Vec<RunEventItem>,
    /// For the next page of events; null on the last.
    next_cursor: Option<String>,
}

/// What the events of one module add up to.
#[derive(Serialize, ToSchema)]
pub struct ModuleItem {
    /// Null for events that name none.
    module: Option<RunPlace>,
    /// When its first event happened.
    #[schema(format = DateTime)]
    first_at: String,
    /// When its last one did.
    #[schema(format = DateTime)]
    last_at: String,
    /// Events that stand.
    events: i64,
    /// Those of them that failed.
    failed: i64,
    /// Data transferred, in bytes.
    bytes: i64,
    /// What they cost.
    #[schema(example = "0.003100")]
    credits: String,
    /// What they used.
    quantities: Vec<UseItem>,
}

/// What was used of a meter.
#[derive(Serialize, ToSchema)]
pub struct UseItem {
    /// The meter.
    #[schema(example = "input_tokens")]
    meter: String,
    /// How much.
    #[schema(example = "4808")]
    quantity: String,
    /// For how many credits.
    #[schema(example = "0.002885")]
    credits: String,
}

/// An event of a run; `GET /api/v1/events/{id}` explains it.
#[derive(Serialize, ToSchema)]
pub struct RunEventItem {
    /// Ours: `event_12`.
    #[schema(example = "event_12")]
    id: String,
    /// The sender's.
    event_id: String,
    /// What was done.
    #[serde(rename = "type")]
    operation: String,
    /// When it happened.
    #[schema(format = DateTime)]
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<RunPlace>,
    /// How it ended.
    status: RunStatus,
    /// Data transferred, in bytes.
    bytes: i64,
    /// What it cost.
    #[schema(example = "0.003100")]
    credits: String,
    /// What it used.
    quantities: Vec<UseItem>,
}

impl RunItem {
    fn new(trace: &Trace) -> Self {
        Self {
            id: trace.place.id.to_string(),
            name: trace.place.name.as_ref().map(Label::to_string),
            kind: if trace.agent { RunKind::Agent } else { RunKind::Workflow },
            status: RunStatus::new(trace.failed > 0),
            workflow: trace.workflow.as_ref().map(RunPlace::new),
            project: trace.project.as_ref().map(RunPlace::new),
            first_at: trace.first_at.to_string(),
            last_at: trace.last_at.to_string(),
            events: trace.events,
            failed: trace.failed,
            bytes: trace.bytes,
            credits: trace.credits.to_string(),
            pruned: trace.pruned,
        }
    }
}

impl RunStatus {
    const fn new(failed: bool) -> Self {
        if failed { Self::Failed } else { Self::Succeeded }
    }
}

impl RunPlace {
    fn new(place: &Place) -> Self {
        Self { id: place.id.to_string(), name: place.name.as_ref().map(Label::to_string) }
    }
}

impl ModuleItem {
    fn new(module: &TraceModule) -> Self {
        Self {
            module: module.module.as_ref().map(RunPlace::new),
            first_at: module.first_at.to_string(),
            last_at: module.last_at.to_string(),
            events: module.events,
            failed: module.failed,
            bytes: module.bytes,
            credits: module.credits.to_string(),
            quantities: module.uses.iter().map(UseItem::new).collect(),
        }
    }
}

impl UseItem {
    fn new(used: &TraceUse) -> Self {
        let (meter, quantity) = (used.meter.meter.to_string(), used.quantity.to_string());
        Self { meter, quantity, credits: used.credits.to_string() }
    }
}

impl RunEventItem {
    fn new(event: &TraceEvent) -> Self {
        Self {
            id: event.seq.to_string(),
            event_id: event.id.clone(),
            operation: event.operation.clone(),
            time: event.at.to_string(),
            module: event.module.as_ref().map(RunPlace::new),
            status: RunStatus::new(event.failed),
            bytes: event.bytes,
            credits: event.credits.to_string(),
            quantities: event.uses.iter().map(UseItem::new).collect(),
        }
    }
}
