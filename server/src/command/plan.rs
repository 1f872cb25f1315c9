//! What the command line does with plans.

use super::{Answer, CommandError, org_named};
use crate::preset::Preset;
use ledger::Plan;
use store::{Agreed, By, Choose, Store, Subscribe};

/// Offers what a preset sells.
pub(super) async fn offer(store: &Store, org: &str, preset: &str) -> Result<Answer, CommandError> {
    let org = org_named(store, org).await?.id;
    let offers = Preset::named(preset, store.folder())?.map(|preset| preset.offers()).transpose();
    let offers = offers.map_err(|line| CommandError::new("bad_preset", line))?.unwrap_or_default();
    store.offer(org, By::command(), offers).await?;
    Ok(Answer::Plans(store.plans(org).await?))
}

/// Subscribes to a plan that is offered, or changes to it.
pub(super) async fn subscribe(
    store: &Store,
    org: &str,
    plan: &str,
    anniversary: bool,
    agreed: Option<Agreed>,
) -> Result<Answer, CommandError> {
    let org = org_named(store, org).await?.id;
    let plans = store.plans(org).await?;
    let known = |plans: &[Plan]| plans.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>().join(", ");
    let missing = || {
        let line = match plans.as_slice() {
            [] => "no plan is offered to this organization: scrip org offer offers those of a preset".to_owned(),
            plans => format!("there is no plan \"{plan}\": choose {}", known(plans)),
        };
        CommandError::new("not_found", line)
    };
    let plan = plans.iter().find(|offered| offered.name == plan).ok_or_else(missing)?.id;
    let operator = true;
    if store.subscription(org).await?.is_some() {
        store.change_plan(org, By::command(), Choose { plan, agreed, operator, seen: None }).await?;
    } else {
        store.subscribe(org, By::command(), Subscribe { plan, anniversary, agreed, operator }).await?;
    }
    Ok(Answer::Subscribed(store.subscription(org).await?.map(Box::new)))
}
