//! 402: what is missing, what there is, and what to do about it.

use super::balance::BalanceFigures;
use crate::problem::Problem;
use crate::state::AppState;
use ledger::{Balance, Credits, OrgId, Policy, Refusal};
use serde::Serialize;
use store::StoreError;

#[derive(Serialize)]
struct Shortage {
    balance: BalanceFigures,
    policy: Policy,
    needed: Credits,
    covered: Credits,
    shortfall: Credits,
}

/// An error of the store as a problem; one of too few credits with the balance.
pub async fn explained(app: &AppState, org: OrgId, error: StoreError) -> Problem {
    let StoreError::Refused(Refusal::InsufficientCredits { needed, covered }) = error else { return error.into() };
    let problem = Problem::from(Refusal::InsufficientCredits { needed, covered });
    // Without the figures it is still the right answer.
    let (Ok(balance), Ok(policy)) = (app.store.balance(org).await, app.store.policy(org).await) else { return problem };
    let shortfall = needed.minus(covered).unwrap_or(needed);
    let remark = remark(&balance, covered);
    let mut problem = problem.with(Shortage { balance: balance.into(), policy, needed, covered, shortfall });
    problem.detail.push_str(&remark);
    problem
}

/// What else somebody needs to know who wonders about the figures.
fn remark(balance: &Balance, covered: Credits) -> String {
    if balance.debt.is_positive() {
        return format!("; a purchase without a scope repays the debt of {} first", balance.debt);
    }
    if balance.available > covered {
        return format!(
            "; the other available credits, {} in all, are for other meters or projects",
            balance.available
        );
    }
    String::new()
}
