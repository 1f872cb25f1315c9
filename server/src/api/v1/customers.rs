//! `GET /api/v1/users` and `GET /api/v1/tenants`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::page;
use super::usage::{MAX_FILTER_VALUES, Question};
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{RawQuery, State};
use ledger::{Facet, Timestamp};
use serde::Serialize;
use store::{RankCursor, RankPage, RankedValue, Used};
use utoipa::{IntoParams, ToSchema};

/// Whose usage, and when.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the query for the documentation; `asked` reads it")]
pub struct CustomerQuery {
    /// First day (`2026-11-01`) or instant (`2026-11-01T00:00:00Z`); 30 days before `to` where it is not said.
    from: Option<String>,
    /// Last day, included, or the instant before which usage counts; today where it is not said.
    to: Option<String>,
    /// Only those whose id begins so.
    prefix: Option<String>,
    /// Only usage of this source; repeat the parameter for several.
    source: Option<String>,
    /// Only usage of this project, by id; repeat the parameter for several; empty for usage without one.
    project: Option<String>,
    /// Only usage of this workflow, by id; repeat the parameter for several; empty for usage without one.
    workflow: Option<String>,
    /// Only usage of this user; repeat the parameter for several; empty for usage without one.
    user: Option<String>,
    /// Only usage of this tenant; repeat the parameter for several; empty for usage without one.
    tenant: Option<String>,
    /// `succeeded` or `failed`.
    status: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many on the page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

/// List users
///
/// What was used on behalf of each, most credits first. An interaction that is mapped to a user counts for that user, whatever its
/// events say. Days are those of the org's zone; instants are widened to quarters of an hour.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/users", operation_id = "list_users", tag = "Customers", params(CustomerQuery),
    responses(
        (status = 200, description = "A page of users", body = CustomerList),
        (status = 400, description = "`bad_query`, `bad_cursor`, `bad_range`"),
        (status = 403, description = "`missing_scope`: `usage:read`; `wrong_project`"),
    )
)]
pub async fn users(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<CustomerList>, Problem> {
    list(&app, &caller, Facet::User, query).await
}

/// List tenants
///
/// As for users: what was used on behalf of each, most credits first.
///
/// # Errors
/// A query that cannot be read.
#[utoipa::path(
    get, path = "/api/v1/tenants", operation_id = "list_tenants", tag = "Customers", params(CustomerQuery),
    responses(
        (status = 200, description = "A page of tenants", body = CustomerList),
        (status = 400, description = "`bad_query`, `bad_cursor`, `bad_range`"),
        (status = 403, description = "`missing_scope`: `usage:read`; `wrong_project`"),
    )
)]
pub async fn tenants(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<CustomerList>, Problem> {
    list(&app, &caller, Facet::Tenant, query).await
}

pub(super) async fn list(
    app: &AppState,
    caller: &Caller,
    facet: Facet,
    query: Option<String>,
) -> Result<Json<CustomerList>, Problem> {
    let (question, rest) = asked(&query.unwrap_or_default(), caller)?;
    let zone = app.store.org(caller.org).await?.zone;
    let page = RankPage {
        facet,
        range: question.range(app.store.now(), zone)?,
        chosen: question.wide.chosen.clone(),
        projects: question.filter.projects.clone(),
        sources: question.filter.sources.clone(),
        prefix: rest.prefix,
        after: rest.cursor.as_deref().map(|text| RankCursor::parse(text).ok_or_else(page::bad_cursor)).transpose()?,
        limit: page::limit(rest.limit)? as usize,
    };
    let ranking = app.store.ranking(caller.org, page).await?;
    let last = ranking.values.last().filter(|_| ranking.more);
    Ok(Json(CustomerList {
        from: ranking.from,
        to: ranking.to,
        timezone: zone.name().to_owned(),
        total: UsedItem::new(&ranking.total),
        unmapped: UsedItem::new(&ranking.unsaid),
        count: ranking.count,
        next_cursor: last.map(|last| last.cursor.text()),
        items: ranking.values.iter().map(CustomerItem::new).collect(),
    }))
}

/// What of a query is about a list.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) prefix: String,
    pub(super) cursor: Option<String>,
    pub(super) limit: Option<u32>,
    /// Whether only mapped, or only unmapped ones are meant.
    pub(super) mapped: Option<bool>,
}

/// Reads a query: period and filters as for usage, and what is about the list.
///
/// # Errors
/// 400 `bad_query`, 403 `wrong_project`.
pub(super) fn asked(query: &str, caller: &Caller) -> Result<(Question, Rest), Problem> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|error| page::bad_query(error.to_string()))?;
    let (mut question, mut rest) = (Question::default(), Rest::default());
    for (name, value) in pairs {
        match name.as_str() {
            "prefix" => rest.prefix = value,
            "cursor" => rest.cursor = Some(value),
            "limit" => rest.limit = Some(value.parse().map_err(|_| page::bad_query("limit must be a whole number"))?),
            "mapped" => {
                let mapped = value.parse().map_err(|_| page::bad_query("mapped must be true or false"))?;
                rest.mapped = Some(mapped);
            }
            "interval" | "group_by" | "type" | "tz" => {
                return Err(page::bad_query(format!("{name} is not for lists: GET /api/v1/usage knows it")));
            }
            _ => question.take(&name, &value)?,
        }
    }
    if question.wide.chosen.len().max(question.filter.projects.len()) > MAX_FILTER_VALUES {
        return Err(page::bad_query(format!("a filter has at most {MAX_FILTER_VALUES} values")));
    }
    question.keep_to(caller)?;
    Ok((question, rest))
}

/// A page of users or tenants.
#[derive(Serialize, ToSchema)]
pub struct CustomerList {
    /// First instant of the period.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// First instant after it.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Whose days these are.
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    /// All usage that was asked for, whoever's it is.
    total: UsedItem,
    /// What of it belongs to nobody.
    unmapped: UsedItem,
    /// How many there are on all pages.
    #[schema(example = 64)]
    count: usize,
    /// Most credits first.
    items: Vec<CustomerItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
}

/// What was used.
#[derive(Serialize, ToSchema)]
#[schema(title = "Used")]
pub struct UsedItem {
    #[schema(example = "17.505787")]
    credits: String,
    /// Each event once.
    #[schema(example = 312)]
    events: i64,
    /// How many of them failed.
    #[schema(example = 3)]
    failed: i64,
    /// Data transferred.
    #[schema(example = 48_000_000)]
    bytes: i64,
}

impl UsedItem {
    pub(super) fn new(used: &Used) -> Self {
        Self { credits: used.credits.to_string(), events: used.events, failed: used.failed, bytes: used.bytes }
    }
}

/// A user or a tenant.
#[derive(Serialize, ToSchema)]
#[schema(title = "Customer")]
pub struct CustomerItem {
    /// The customer's own id.
    #[schema(example = "dr-lund")]
    id: String,
    #[serde(flatten)]
    used: UsedItem,
}

impl CustomerItem {
    fn new(value: &RankedValue) -> Self {
        Self { id: value.id.clone(), used: UsedItem::new(&value.used) }
    }
}
