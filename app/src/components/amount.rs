//! An amount of credits, cut to what its place can carry, in full on hover.

use crate::format;
use ledger::Credits;
use leptos::prelude::*;

/// An amount with so many decimals; as many as its size asks for where none are given.
#[component]
pub fn Amount(
    /// The amount.
    credits: Credits,
    /// Decimals that a column shares.
    #[prop(default = None)]
    decimals: Option<u32>,
) -> impl IntoView {
    let text = decimals.map_or_else(|| format::figure(credits), |decimals| format::credits(credits, decimals));
    view! { <span class="amount" class:zero=credits.is_zero() title=format::exact(credits)>{text}</span> }
}
