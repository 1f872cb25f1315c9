//! `GET /api/v1/balance`

use crate::access::Caller;
use crate::problem::{Problem, ProblemDetails};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use ledger::{Balance, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// What an org has, at one instant.
#[derive(Serialize, ToSchema)]
#[schema(title = "Balance", example = json!({
    "available": "9.996900", "held": "0.000000", "settled": "9.996900", "debt": "0.000000",
    "state": "active", "as_of": "2026-11-21T08:15:30Z"
}))]
pub struct BalanceAnswer {
    /// Credits that can be spent now.
    available: String,
    /// Credits that holds reserve.
    held: String,
    /// `available + held − debt`.
    settled: String,
    /// Credits used beyond what was there: the next grant repays them first.
    debt: String,
    /// `paused` when nothing is left. Usage that has happened is recorded all the same.
    #[schema(value_type = String, pattern = "^(active|paused)$")]
    state: ledger::OrgState,
    /// The instant it is the balance of.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
}

impl BalanceAnswer {
    fn new(balance: Balance, as_of: Timestamp) -> Self {
        Self {
            available: balance.available.to_string(),
            held: balance.held.to_string(),
            settled: balance.settled.to_string(),
            debt: balance.debt.to_string(),
            state: balance.state,
            as_of,
        }
    }
}

/// Get the balance
///
/// Settled, held and available credits, always apart. Grants that have expired by now are not counted.
///
/// # Errors
/// A key without the scope `ledger:read`.
#[utoipa::path(
    get, path = "/api/v1/balance", operation_id = "get_balance", tag = "Ledger",
    responses(
        (status = 200, description = "The balance now", body = BalanceAnswer),
        (status = 401, description = "`no_key`, `bad_key`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "`missing_scope`: `ledger:read`", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 503, description = "`busy`: come back after `Retry-After`", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub async fn show(State(app): State<AppState>, caller: Caller) -> Result<Json<BalanceAnswer>, Problem> {
    let as_of = app.store.now();
    let balance = app.store.balance(caller.org).await?;
    Ok(Json(BalanceAnswer::new(balance, as_of)))
}
