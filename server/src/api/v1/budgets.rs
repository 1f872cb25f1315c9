//! `GET|POST /api/v1/budgets`, `GET|PUT|DELETE /api/v1/budgets/{id}`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::alert_shapes::{RecipientsBody, RecipientsItem, number, per, recipients};
use super::members::{Members, bad_field, needed};
use super::once::{Replayed, Write};
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use ledger::budget::{Terms, Whose};
use ledger::{BudgetId, OrgId, Timestamp};
use serde::Serialize;
use store::alert::Author;
use store::{Budget, Member, Recipients};
use utoipa::ToSchema;

/// A budget.
#[derive(ToSchema)]
#[schema(example = json!({
    "title": "Chat in a month", "whose": "project", "id": "chat", "amount": "500", "per": "cycle", "warn_percent": 80, "pauses": true
}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `new_budget` reads it")]
pub struct BudgetBody {
    /// What people call it.
    title: String,
    /// `project`, `user` or `tenant`.
    whose: String,
    /// Of which project, user or tenant.
    id: String,
    /// How much may be used, in credits; above zero.
    amount: String,
    /// `hour`, `day` or `cycle`.
    per: String,
    /// From which share of it on people are warned: 1 to 99.
    warn_percent: Option<u32>,
    /// Whether `authorize` and holds for it are refused with 402 `budget_exceeded` once it is used up. Usage that has happened is
    /// recorded whatever the budget says.
    pauses: Option<bool>,
    recipients: Option<RecipientsBody>,
}

/// A budget.
#[derive(Serialize, ToSchema)]
#[schema(title = "Budget")]
pub struct BudgetItem {
    #[schema(example = "budget_2")]
    budget: String,
    title: String,
    #[schema(example = "project")]
    whose: &'static str,
    #[schema(example = "chat")]
    id: String,
    #[schema(example = "500.000000")]
    amount: String,
    #[schema(example = "cycle")]
    per: &'static str,
    warn_percent: Option<u32>,
    pauses: bool,
    /// What is used of it now; null while a large import is being added up.
    #[schema(example = "412.500000")]
    used: Option<String>,
    /// `within`, `warned` or `exceeded`.
    #[schema(example = "warned")]
    standing: Option<&'static str>,
    /// When it begins anew.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    recipients: RecipientsItem,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    created_by: String,
}

impl BudgetItem {
    fn new(budget: &Budget, members: &[Member]) -> Self {
        let Budget { terms, counted, .. } = budget;
        Self {
            budget: budget.id.to_string(),
            title: terms.title.clone(),
            whose: terms.whose.as_str(),
            id: terms.id.to_string(),
            amount: terms.amount.to_string(),
            per: terms.per.as_str(),
            warn_percent: terms.warn_percent,
            pauses: terms.pauses,
            used: counted.spent.map(|spent| spent.to_string()),
            standing: counted.spent.map(|spent| terms.standing(spent).as_str()),
            until: counted.period.map(|period| period.to),
            recipients: RecipientsItem::new(&budget.recipients, members),
            created_at: budget.made_at,
            created_by: budget.made_by.clone(),
        }
    }
}

/// All budgets.
#[derive(Serialize, ToSchema)]
pub struct BudgetList {
    /// Oldest first.
    items: Vec<BudgetItem>,
}

/// List budgets
///
/// All of them, oldest first, each with what is used of it now.
///
/// # Errors
/// A key without the scope `ledger:read`.
#[utoipa::path(
    get, path = "/api/v1/budgets", operation_id = "list_budgets", tag = "Alerts",
    responses(
        (status = 200, description = "All budgets", body = BudgetList),
        (status = 403, description = "`missing_scope`: `alerts:write` or `ledger:read`"),
    )
)]
pub async fn list(State(app): State<AppState>, caller: Caller) -> Result<Json<BudgetList>, Problem> {
    let members = app.store.members(caller.org).await?;
    let budgets = app.store.budgets(caller.org).await?;
    Ok(Json(BudgetList { items: budgets.iter().map(|budget| BudgetItem::new(budget, &members)).collect() }))
}

/// Make a budget
///
/// What was used in its hour, day or billing cycle before counts.
///
/// # Errors
/// Terms that cannot be, recipients that are not there, or too many budgets.
#[utoipa::path(
    post, path = "/api/v1/budgets", operation_id = "create_budget", tag = "Alerts", request_body = BudgetBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer")),
    responses(
        (status = 201, description = "Made", body = BudgetItem, headers(("Location" = String, description = "Of the budget"), ("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`: a recipient is not there"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 422, description = "`bad_budget`, `missing_field`, `unknown_field`, `bad_field`, `bad_amount`, `bad_label`, `too_many`"),
    )
)]
pub async fn create(State(app): State<AppState>, write: Write) -> Result<impl IntoResponse, Problem> {
    let (org, done) = set(&app, None, write).await?;
    let place = [(LOCATION, format!("/api/v1/budgets/{}", done.answer))];
    Ok((StatusCode::CREATED, Replayed(done.replayed), place, Json(read(&app, org, done.answer).await?)))
}

/// Get a budget
///
/// # Errors
/// There is none of that id.
#[utoipa::path(
    get, path = "/api/v1/budgets/{id}", operation_id = "get_budget", tag = "Alerts",
    params(("id" = String, Path, description = "As listed", example = "budget_2")),
    responses(
        (status = 200, description = "How it stands", body = BudgetItem),
        (status = 403, description = "`missing_scope`: `alerts:write` or `ledger:read`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<BudgetItem>, Problem> {
    Ok(Json(read(&app, caller.org, budget_id(&id)?).await?))
}

/// Change a budget
///
/// All of it: what is left out is as in a new one. People are told of it anew.
///
/// # Errors
/// As for a new one, or there is none of that id.
#[utoipa::path(
    put, path = "/api/v1/budgets/{id}", operation_id = "change_budget", tag = "Alerts", request_body = BudgetBody,
    params(
        ("id" = String, Path, description = "As listed", example = "budget_2"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters; the same request again gets the same answer"),
    ),
    responses(
        (status = 200, description = "How it stands", body = BudgetItem, headers(("Idempotency-Replayed" = Option<String>, description = "`true` where it was done before"))),
        (status = 400, description = "`not_json`, `bad_utf8`, `bad_query`, `bad_idempotency_key`"),
        (status = 403, description = "`missing_scope`: `alerts:write`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`idempotency_conflict`"),
        (status = 422, description = "`bad_budget`, `missing_field`, `unknown_field`, `bad_field`, `bad_amount`, `bad_label`"),
    )
)]
pub async fn change(
    State(app): State<AppState>,
    Path(id): Path<String>,
    write: Write,
) -> Result<impl IntoResponse, Problem> {
    let (org, done) = set(&app, Some(budget_id(&id)?), write).await?;
    Ok((Replayed(done.replayed), Json(read(&app, org, done.answer).await?)))
}

/// Take a budget away
///
/// # Errors
/// There is none of that id.
#[utoipa::path(
    delete, path = "/api/v1/budgets/{id}", operation_id = "delete_budget", tag = "Alerts",
    params(("id" = String, Path, description = "As listed", example = "budget_2")),
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
    app.store.delete_budget(caller.org, caller.by(), budget_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set(app: &AppState, id: Option<BudgetId>, write: Write) -> Result<(OrgId, store::Done<BudgetId>), Problem> {
    let people = app.store.members(write.org).await?;
    let (terms, to) = new_budget(write.members, &people)?;
    let author = Author { by: write.caller.by(), once: write.once };
    Ok((write.org, app.store.set_budget(write.org, author, id, terms, to).await?))
}

fn new_budget(mut members: Members, people: &[Member]) -> Result<(Terms, Recipients), Problem> {
    let whose = needed("whose", members.text("whose")?)?;
    let terms = Terms {
        title: needed("title", members.text("title")?)?,
        whose: Whose::parse(&whose).ok_or_else(|| bad_field("whose", "must be project, user or tenant"))?,
        id: needed("id", members.label("id")?)?,
        amount: needed("amount", members.credits("amount")?)?,
        per: per(&mut members)?,
        warn_percent: number(&mut members, "warn_percent")?,
        pauses: members.flag("pauses")?,
    };
    let to = recipients(&mut members, people)?;
    members.finish()?;
    Ok((terms, to))
}

async fn read(app: &AppState, org: OrgId, id: BudgetId) -> Result<BudgetItem, Problem> {
    let members = app.store.members(org).await?;
    Ok(BudgetItem::new(&app.store.budget(org, id).await?, &members))
}

fn budget_id(id: &str) -> Result<BudgetId, Problem> {
    let unknown =
        || Problem::not_found("there is no such budget: ids look like budget_2, as GET /api/v1/budgets lists them");
    BudgetId::parse(id).ok_or_else(unknown)
}
