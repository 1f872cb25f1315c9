//! `GET /api/v1/balance`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use super::page;
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{RawQuery, State};
use ledger::{Balance, Policy, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What an org has, at one instant.
#[derive(Serialize, ToSchema)]
#[schema(title = "Balance", example = json!({
    "available": "9.996900", "held": "0.000000", "settled": "9.996900", "debt": "0.000000",
    "state": "active", "policy": {"policy": "overdraft", "limit": "50.000000"}, "as_of": "2026-11-21T08:15:30Z"
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
    /// What happens when nothing is left: `pause`, or `finish_in_flight` or `overdraft` with a `limit`. As it is set now.
    #[schema(value_type = Object)]
    policy: Policy,
    /// The instant it is the balance of.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// As far as it was booked then; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    as_known_at: Option<Timestamp>,
}

/// A balance inside another answer.
#[derive(Serialize, ToSchema)]
pub struct BalanceFigures {
    #[schema(example = "2.000000")]
    available: String,
    #[schema(example = "1.000000")]
    held: String,
    /// `available + held − debt`.
    #[schema(example = "3.000000")]
    settled: String,
    #[schema(example = "0.000000")]
    debt: String,
    #[schema(value_type = String, pattern = "^(active|paused)$")]
    state: ledger::OrgState,
}

impl From<Balance> for BalanceFigures {
    fn from(balance: Balance) -> Self {
        let Balance { available, held, settled, debt, state } = balance;
        let [available, held, settled, debt] = [available, held, settled, debt].map(|amount| amount.to_string());
        Self { available, held, settled, debt, state }
    }
}

/// At which times.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BalanceQuery {
    /// How things stood then; later than now: how they will stand if nothing else happens. `as_known_at`, or now, where it is not said.
    #[param(format = DateTime, example = "2026-11-01T00:00:00Z")]
    as_of: Option<String>,
    /// As far as it was booked then: what was told later does not count. Now where it is not said.
    #[param(format = DateTime)]
    as_known_at: Option<String>,
}

/// Get the balance
///
/// Settled, held and available credits, always apart. What is due at the instant counts, booked or not. A grant that was
/// given later with an earlier effect counts from its effect on, unless `as_known_at` lies before it was given.
///
/// # Errors
/// A key without the scope `ledger:read`.
#[utoipa::path(
    get, path = "/api/v1/balance", operation_id = "get_balance", tag = "Ledger", params(BalanceQuery),
    responses(
        (status = 200, description = "The balance at that instant", body = BalanceAnswer),
        (status = 400, description = "`bad_query`"),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
        (status = 422, description = "`not_known_yet`: `as_known_at` lies in the future"),
        (status = 503, description = "`busy`: come back after `Retry-After`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<BalanceAnswer>, Problem> {
    let query: BalanceQuery = page::query(query)?;
    let at = page::at(query.as_of, query.as_known_at)?;
    let (balance, as_of) = app.store.balance_at(caller.org, at).await?;
    let policy = app.store.policy(caller.org).await?;
    let BalanceFigures { available, held, settled, debt, state } = balance.into();
    let as_known_at = at.as_known_at;
    Ok(Json(BalanceAnswer { available, held, settled, debt, state, policy, as_of, as_known_at }))
}
