//! An amount of credits in the words of its org, in full on hover.

use crate::{format, words};
use ledger::Credits;
use leptos::prelude::*;

/// An amount.
#[component]
pub fn Amount(
    /// The amount.
    credits: Credits,
    /// Whether its column is headed by the unit.
    #[prop(optional)]
    bare: bool,
) -> impl IntoView {
    let words = words::current();
    let text = if bare { format::bare(&words, credits) } else { format::amount(&words, credits) };
    view! { <span class="amount" class:zero=credits.is_zero() title=format::in_full(&words, credits)>{text}</span> }
}
