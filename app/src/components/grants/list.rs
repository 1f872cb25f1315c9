//! Grants, one below the other: what is left of each, what became of the rest, and on what terms.

use super::bar::GrantBar;
use crate::components::amount::Amount;
use crate::components::grants::data::{GrantLine, Status};
use crate::components::time::Time;
use crate::format;
use leptos::prelude::*;

/// A list of grants, in the order given.
#[component]
pub fn GrantList(
    /// The grants.
    grants: Vec<GrantLine>,
    /// Names the list.
    label: &'static str,
) -> impl IntoView {
    let items = grants.into_iter().map(|grant| view! { <Item grant/> }).collect_view();
    view! { <ol class="grants" aria-label=label>{items}</ol> }
}

#[component]
fn Item(grant: GrantLine) -> impl IntoView {
    let badge = match (grant.next, grant.status) {
        (Some(next), _) => Some(view! { <span class="badge next">{next}</span> }.into_any()),
        (None, Status::Scheduled) => Some(view! { <span class="badge small">"Scheduled"</span> }.into_any()),
        (None, Status::Expired) => Some(view! { <span class="badge small">"Expired"</span> }.into_any()),
        (None, Status::Spent) => Some(view! { <span class="badge small">"Spent"</span> }.into_any()),
        (None, Status::Open) => None,
    };
    let (from, ends) = match grant.status {
        Status::Scheduled => ("Takes effect ", "Expires "),
        Status::Open | Status::Spent => ("Since ", "Expires "),
        Status::Expired => ("From ", "Expired "),
    };
    let expires = match grant.expires {
        Some(moment) => view! { <li>{ends}<Time moment/></li> }.into_any(),
        None => view! { <li>"Never expires"</li> }.into_any(),
    };
    let scope = (!grant.scope.is_empty()).then(|| view! { <li>{format!("Only for {}", grant.scope.join(", "))}</li> });
    let priority = (grant.priority != 0)
        .then(|| view! { <li>{format!("Priority {}", format::count(grant.priority.into()))}</li> });
    let cost = grant.cost.map(|cost| view! { <li>{format!("Paid {cost}")}</li> });
    let parent = grant.parent.map(|parent| view! { <li>{format!("Rest of {parent}")}</li> });
    let rollover = grant.rollover.map(|words| view! { <p class="grant-rollover">{words}</p> });
    let (id, ledger) = (grant.id.clone(), format!("/ledger?grant={}", grant.id));
    view! {
        <li class="grant" id=id>
            <div class="grant-head">
                <h3 class="grant-title">{grant.description}</h3>
                {badge}
                <p class="grant-left">
                    <b><Amount credits=grant.left/></b>
                    <span class="muted">" left of " <Amount credits=grant.amount/></span>
                </p>
            </div>
            <GrantBar parts=grant.parts amount=grant.amount/>
            <ul class="grant-facts">
                <li>{grant.kind}</li>
                <li><a href=ledger>{grant.id}</a></li>
                <li>{from}<Time moment=grant.effective/></li>
                {expires}
                {scope}
                {priority}
                {cost}
                {parent}
            </ul>
            {rollover}
        </li>
    }
}
