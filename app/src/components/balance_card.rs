//! What is left, and whether work may go on.

use super::amount::{Amount, Figure};
use crate::format::noun;
use crate::words;
use ledger::{Balance, Credits, OrgState};
use leptos::prelude::*;

/// The available balance, with held and debt apart where there are any.
#[component]
pub fn BalanceCard(
    /// The balance.
    balance: Balance,
    /// Whether held, debt and what to do stand beside it.
    #[prop(optional)]
    brief: bool,
) -> impl IntoView {
    let paused = || {
        let words = words::current();
        let noun = noun(&words);
        format!(
            "Nothing is left to spend. Usage is still recorded, new work should wait: whoever runs this server can add \
             {noun} with \u{201c}scrip grant\u{201d}."
        )
    };
    let (word, class, remark) = match balance.state {
        OrgState::Active => ("Active", "status ok", None),
        OrgState::Paused => ("Paused", "status danger", Some(view! { <p class="stat-remark">{paused()}</p> })),
    };
    let part = |label: &'static str, credits: Credits| {
        view! { <span class="part"><span class="muted">{label}</span>" "<Amount credits/></span> }
    };
    let held = balance.held.is_positive().then(|| part("Held", balance.held));
    let debt = balance.debt.is_positive().then(|| part("Debt", balance.debt));
    let apart = held.is_some() || debt.is_some();
    let settled = apart.then(|| part("Settled", balance.settled));
    let plain = (!apart).then_some("Nothing held, no debt");
    let parts = view! { <p class="stat-remark">{held}{debt}{settled}{plain}</p> };
    let (parts, remark) = if brief { (None, None) } else { (Some(parts), remark) };
    view! {
        <div class="stat balance">
            <h2 class="stat-label">"Available balance" <span class=class>{word}</span></h2>
            <Figure credits=balance.available/>
            {parts}
            {remark}
        </div>
    }
}
