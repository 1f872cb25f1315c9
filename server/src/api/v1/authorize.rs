//! `POST /api/v1/authorize`

use super::holds::bounded;
use super::members::{Members, bad, needed};
use super::once::Write;
use super::shortage;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use ledger::{Quantity, Refusal};
use serde::Serialize;
use store::hold::Ask;
use utoipa::ToSchema;

/// What the work would cost: an amount, or a quantity of a meter at the prices of now. Neither: whether anything can begin.
#[derive(ToSchema)]
#[schema(example = json!({"meter": "input_tokens", "quantity": 120_000, "project": "chat"}))]
#[allow(dead_code, reason = "describes the wire for the documentation; `ask` reads it")]
pub struct AuthorizeBody {
    /// So many credits, as a decimal string.
    amount: Option<String>,
    /// For this meter: grants of other scopes do not count.
    meter: Option<String>,
    /// So much of the meter; 1 where only the meter is said.
    #[schema(value_type = Option<f64>)]
    quantity: Option<String>,
    /// From this source: prices may differ.
    source: Option<String>,
    /// In this project.
    project: Option<String>,
    /// On behalf of this user: the user's budgets are asked too.
    user: Option<String>,
    /// On behalf of this tenant: the tenant's budgets are asked too.
    tenant: Option<String>,
}

/// That work may begin.
#[derive(Serialize, ToSchema)]
#[schema(title = "Authorization", example = json!({
    "allowed": true, "credits": "0.072000", "available": "9.996900", "held": "0.000000", "debt": "0.000000", "state": "active"
}))]
pub struct AuthorizeAnswer {
    /// Always true: otherwise it is a 402.
    allowed: bool,
    /// What it would cost.
    credits: String,
    available: String,
    held: String,
    debt: String,
    #[schema(value_type = String, pattern = "^(active|paused)$")]
    state: ledger::OrgState,
}

/// Ask whether work may begin
///
/// A quick yes or, with 402, no. Nothing is reserved and nothing is posted: between the answer and the work others may
/// spend. Where that matters, create a hold.
///
/// # Errors
/// Neither grants nor the policy cover it, or a member that cannot be read.
#[utoipa::path(
    post, path = "/api/v1/authorize", operation_id = "authorize", tag = "Holds", request_body = AuthorizeBody,
    responses(
        (status = 200, description = "It may begin", body = AuthorizeAnswer),
        (status = 400, description = "`not_json`, `bad_utf8`"),
        (status = 402, description = "`insufficient_credits`, with `balance`, `policy`, `needed`, `covered` and `shortfall`; `budget_exceeded`"),
        (status = 403, description = "`missing_scope`: `events:write` or `ledger:read`; `wrong_project`"),
        (status = 422, description = "`bad_amount`, `hold_not_positive`, `contradiction`, `missing_field`, `unknown_field`, `unknown_meter`, `bad_quantity`, `no_rate`, …"),
    )
)]
pub async fn ask(State(app): State<AppState>, write: Write) -> Result<Json<AuthorizeAnswer>, Problem> {
    let ask = asked(write.members)?;
    write.caller.keep_to(ask.project.as_ref())?;
    match app.store.authorize(write.org, ask).await {
        Ok((credits, balance)) => Ok(Json(AuthorizeAnswer {
            allowed: true,
            credits: credits.to_string(),
            available: balance.available.to_string(),
            held: balance.held.to_string(),
            debt: balance.debt.to_string(),
            state: balance.state,
        })),
        Err(error) => Err(shortage::explained(&app, write.org, error).await),
    }
}

fn asked(mut members: Members) -> Result<Ask, Problem> {
    let ask = Ask {
        amount: members.credits("amount")?.map(bounded).transpose()?,
        quantity: members.quantity("quantity")?,
        meter: members.meter("meter")?,
        source: members.label("source")?,
        project: members.label("project")?,
        user: members.label("user")?,
        tenant: members.label("tenant")?,
    };
    members.finish()?;
    if ask.amount.is_some_and(|amount| !amount.is_positive()) {
        return Err(Refusal::HoldNotPositive.into());
    }
    match (&ask.amount, &ask.quantity, &ask.meter) {
        (Some(_), Some(_), _) => Err(bad("contradiction", "send amount or quantity, not both")),
        (None, Some(_), None) => needed::<()>("meter", None).map(|()| ask),
        // As an event that names no quantity counts one.
        (None, None, Some(_)) => Ok(Ask { quantity: Some(Quantity::ONE), ..ask }),
        _ => Ok(ask),
    }
}
