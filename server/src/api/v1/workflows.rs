//! `GET /api/v1/workflows` and `GET` and `PUT /api/v1/workflows/{id}`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::customers::{CustomerList, CustomerQuery, list};
use super::once::{Replayed, Write};
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::IntoResponse;
use ledger::event::Place;
use ledger::{Facet, Label};
use serde::Serialize;
use store::{NewWorkflowSettings, WorkflowSettings};
use utoipa::ToSchema;

/// List workflows
///
/// What each used, most credits first. Names and projects are at each workflow.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/workflows", operation_id = "list_workflows", tag = "Usage", params(CustomerQuery),
    responses(
        (status = 200, description = "A page of workflows", body = CustomerList),
        (status = 400, description = "`bad_query`, `bad_cursor`, `bad_range`"),
        (status = 403, description = "`missing_scope`: `usage:read`; `wrong_project`"),
    )
)]
pub async fn workflows(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<CustomerList>, Problem> {
    list(&app, &caller, Facet::Workflow, query).await
}

/// Get a workflow
///
/// What it is called, by whom, and the project that it belongs to.
///
/// # Errors
/// One that no event has named.
#[utoipa::path(
    get, path = "/api/v1/workflows/{id}", operation_id = "get_workflow", tag = "Usage",
    params(("id" = String, Path, description = "As events name it in `data.workflow`", example = "nightly")),
    responses(
        (status = 200, description = "The workflow", body = WorkflowItem),
        (status = 403, description = "`missing_scope`: `usage:read`"),
        (status = 404, description = "`not_found`"),
        (status = 503, description = "`busy`: right after a large import; ask again after `Retry-After`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<WorkflowItem>, Problem> {
    let found = app.store.workflow_settings(caller.org, id).await?;
    let agents = app.store.agents(caller.org).await?;
    Ok(Json(WorkflowItem::new(found, &agents)))
}

/// A workflow's name and project. What is left out, or null, is taken away.
#[derive(ToSchema)]
#[schema(example = json!({"name": "Nightly import", "project": "warehouse"}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `set` reads it")]
pub struct WorkflowBody {
    /// A name of its own, shown everywhere; without one it is called as events call it.
    name: Option<String>,
    /// The id of a project that events have named: where lists show the workflow. Usage counts for the project that its event names.
    project: Option<String>,
}

/// Name a workflow
///
/// And say which project it belongs to.
///
/// # Errors
/// A workflow or a project that no event has named.
#[utoipa::path(
    put, path = "/api/v1/workflows/{id}", operation_id = "set_workflow", tag = "Usage", request_body = WorkflowBody,
    params(
        ("id" = String, Path, description = "As events name it in `data.workflow`", example = "nightly"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer"),
    ),
    responses(
        (status = 200, description = "How it stands", body = WorkflowItem, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `events:write`"),
        (status = 404, description = "`not_found`: no event has named this workflow, or this project"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 422, description = "`unknown_field`, `bad_field`, `bad_label`"),
        (status = 503, description = "`busy`: right after a large import; ask again after `Retry-After`"),
    )
)]
pub async fn set(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<impl IntoResponse, Problem> {
    let mut write = write.with_body()?;
    let (name, project) = (write.members.label("name")?, write.members.label("project")?);
    write.members.finish()?;
    let new = NewWorkflowSettings { workflow: id, name, project: project.map(|project| project.to_string()) };
    let done = app.store.set_workflow(write.org, write.caller.by(), new, write.once).await?;
    let agents = app.store.agents(write.org).await?;
    Ok((Replayed(done.replayed), Json(WorkflowItem::new(done.answer, &agents))))
}

/// A workflow.
#[derive(Serialize, ToSchema)]
#[schema(title = "Workflow")]
pub struct WorkflowItem {
    /// As events name it.
    #[schema(example = "nightly")]
    id: String,
    /// What pages call it.
    #[schema(example = "Nightly import")]
    title: String,
    /// A name that people gave it; null where they did not.
    #[schema(example = "Nightly import")]
    name: Option<String>,
    /// What events call it; null where they only give its id.
    said: Option<String>,
    /// `workflow` or `agent`.
    #[schema(example = "workflow")]
    kind: &'static str,
    /// The project that it belongs to; null where nobody said.
    project: Option<ProjectItem>,
}

/// A project.
#[derive(Serialize, ToSchema)]
#[schema(title = "Project")]
pub struct ProjectItem {
    #[schema(example = "warehouse")]
    id: String,
    /// What it is called, where an event said it.
    name: Option<String>,
}

impl WorkflowItem {
    fn new(settings: WorkflowSettings, agents: &[String]) -> Self {
        let text = |label: Option<Label>| label.map(|label| label.to_string());
        let id = settings.workflow.id.to_string();
        let project = |Place { id, name }: Place| ProjectItem { id: id.to_string(), name: text(name) };
        Self {
            kind: if agents.binary_search(&id).is_ok() { "agent" } else { "workflow" },
            title: text(settings.workflow.name).unwrap_or_else(|| id.clone()),
            name: text(settings.name),
            said: text(settings.said),
            project: settings.project.map(project),
            id,
        }
    }
}
