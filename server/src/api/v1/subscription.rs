//! `GET /api/v1/subscription` and `GET /api/v1/plans`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use ledger::{Plan, Policy, Rollover, Timestamp};
use serde::Serialize;
use store::Subscribed;
use utoipa::ToSchema;

/// What can be subscribed to, or is.
#[derive(Serialize, ToSchema)]
#[schema(title = "Plan")]
pub struct PlanItem {
    #[schema(example = "plan_2")]
    id: String,
    /// What programs call it. A plan that changes is another of the same name.
    #[schema(example = "professional")]
    name: String,
    #[schema(example = "Professional")]
    title: String,
    description: String,
    /// What a whole cycle gives; null where that is agreed on.
    #[schema(example = "5000.000000")]
    credits: Option<String>,
    /// What a whole cycle costs, net, with its currency; null where that is agreed on, or nothing is invoiced.
    #[schema(example = "449.00 USD")]
    price: Option<String>,
    /// What becomes of the unused rest of a cycle; null: it expires.
    #[schema(value_type = Option<Object>)]
    rollover: Option<Rollover>,
    /// What happens when credits run out, while subscribed.
    #[schema(value_type = Object)]
    policy: Policy,
    /// For how many days details of events are kept; null: as the organization's settings say.
    retention_days: Option<u32>,
    /// Whether only an operator subscribes an organization to it.
    by_agreement: bool,
}

impl PlanItem {
    fn new(plan: &Plan) -> Self {
        Self {
            id: plan.id.to_string(),
            name: plan.name.clone(),
            title: plan.title.clone(),
            description: plan.description.clone(),
            credits: plan.credits.map(|credits| credits.to_string()),
            price: plan.price.map(|price| price.to_string()),
            rollover: plan.rollover,
            policy: plan.policy,
            retention_days: plan.retention_days,
            by_agreement: plan.by_agreement,
        }
    }
}

/// What an organization is subscribed to.
#[derive(Serialize, ToSchema)]
#[schema(title = "Subscription")]
pub struct SubscriptionItem {
    #[schema(example = "subscription_1")]
    id: String,
    /// The plan now.
    plan: PlanItem,
    /// The plan from the next cycle on, where that is another.
    next_plan: Option<PlanItem>,
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// The cycle it is in.
    #[schema(example = "cycle_3")]
    cycle: String,
    #[schema(value_type = String, format = DateTime)]
    cycle_begins_at: Timestamp,
    /// When the next cycle begins, or it ends.
    #[schema(value_type = String, format = DateTime)]
    cycle_ends_at: Timestamp,
    /// Whether it ends with its cycle.
    cancelled: bool,
    /// Whether the cycle gave nothing yet, since an invoice is unpaid.
    waits_for_payment: bool,
}

impl SubscriptionItem {
    fn new(subscribed: &Subscribed) -> Self {
        let Subscribed { id, cycle, terms, plan, next, began_at, .. } = subscribed;
        Self {
            id: id.to_string(),
            plan: PlanItem::new(plan),
            next_plan: next.as_ref().map(PlanItem::new),
            began_at: *began_at,
            cycle: cycle.to_string(),
            cycle_begins_at: terms.cycle.part.from,
            cycle_ends_at: terms.cycle.part.to,
            cancelled: terms.cancelled_at.is_some(),
            waits_for_payment: !terms.cycle.supplied,
        }
    }
}

/// The subscription, if there is one.
#[derive(Serialize, ToSchema)]
pub struct SubscriptionAnswer {
    /// Null where no plan is subscribed to.
    subscription: Option<SubscriptionItem>,
}

/// All plans that are offered.
#[derive(Serialize, ToSchema)]
pub struct PlanList {
    items: Vec<PlanItem>,
}

/// Get the subscription
///
/// # Errors
/// A key without the scope `ledger:read`.
#[utoipa::path(
    get, path = "/api/v1/subscription", operation_id = "get_subscription", tag = "Billing",
    responses(
        (status = 200, description = "What is subscribed to", body = SubscriptionAnswer),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
    )
)]
pub async fn show(State(app): State<AppState>, caller: Caller) -> Result<Json<SubscriptionAnswer>, Problem> {
    let subscribed = app.store.subscription(caller.org).await?;
    Ok(Json(SubscriptionAnswer { subscription: subscribed.as_ref().map(SubscriptionItem::new) }))
}

/// List the plans that are offered
///
/// All of them, since there are few.
///
/// # Errors
/// A key without the scope `ledger:read`.
#[utoipa::path(
    get, path = "/api/v1/plans", operation_id = "list_plans", tag = "Billing",
    responses(
        (status = 200, description = "What can be subscribed to", body = PlanList),
        (status = 403, description = "`missing_scope`: `ledger:read`"),
    )
)]
pub async fn plans(State(app): State<AppState>, caller: Caller) -> Result<Json<PlanList>, Problem> {
    let plans = app.store.plans(caller.org).await?;
    Ok(Json(PlanList { items: plans.iter().map(PlanItem::new).collect() }))
}
