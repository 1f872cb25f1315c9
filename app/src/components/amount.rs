//! An amount of credits in the words of its org, in full on hover.

use crate::{format, words};
use ledger::Credits;
use ledger::words::UnitPosition;
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

/// Letters from which a large figure is written smaller, so that it stays on one line of a phone.
const LONG: usize = 14;

/// An amount that is a figure by itself: a word for its unit is smaller than its digits.
#[component]
pub fn Figure(
    /// The amount.
    credits: Credits,
) -> impl IntoView {
    let words = words::current();
    let after = words.unit_position == UnitPosition::After;
    let unit = after.then(|| words.unit.clone());
    let long = format::bare(&words, credits).len() > LONG;
    view! {
        <p class="stat-figure" class:long=long>
            <Amount credits bare=after/>
            " "
            <span class="stat-unit">{unit}</span>
        </p>
    }
}
