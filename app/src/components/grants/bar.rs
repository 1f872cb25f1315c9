//! What became of a grant: a bar, and the same in words beside it. Parts differ by pattern and text, not by colour alone.

use crate::components::amount::Amount;
use crate::components::grants::data::{Part, PartKind};
use crate::format;
use ledger::Credits;
use leptos::prelude::*;

/// The bar and its legend.
#[component]
#[expect(clippy::needless_pass_by_value, reason = "a component owns what it shows")]
pub fn GrantBar(
    /// The parts, in their order.
    parts: Vec<Part>,
    /// All of it.
    amount: Credits,
) -> impl IntoView {
    let mut start = 0;
    let drawn = parts.iter().map(|part| {
        let (x, width, class) = (start, part.width, class(part.kind));
        start += width;
        let stripes = is_striped(part.kind).then(|| {
            view! { <line class="stripes" x1=percent(x) x2=percent(x + width) y1="5" y2="5"></line> }
        });
        view! {
            <rect class=class x=percent(x) y="0" width=percent(width) height="10"></rect>
            {stripes}
        }
    });
    let drawn = drawn.collect_view();
    let legend = parts.iter().map(|part| {
        let share = format::share(part.credits, amount).filter(|_| parts.len() > 1);
        view! {
            <li>
                <i class=format!("swatch {}", class(part.kind))></i>
                <span class="muted">{word(part.kind)}</span>
                " "
                <Amount credits=part.credits/>
                " "
                <span class="muted">{share}</span>
            </li>
        }
    });
    let legend = legend.collect_view();
    view! {
        <svg class="grant-bar" width="100%" height="10" aria-hidden="true">{drawn}</svg>
        <ul class="grant-parts">{legend}</ul>
    }
}

/// Thousandths as CSS and SVG write them.
#[must_use]
pub fn percent(thousandths: u16) -> String {
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

const fn word(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Left => "Left",
        PartKind::Held => "Held",
        PartKind::Spent => "Spent",
        PartKind::Rolled => "Rolled over",
        PartKind::Expired => "Expired",
        PartKind::Voided => "Taken back",
    }
}

const fn class(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Left => "part-left",
        PartKind::Held => "part-held",
        PartKind::Spent => "part-spent",
        PartKind::Rolled => "part-rolled",
        PartKind::Expired => "part-expired",
        PartKind::Voided => "part-voided",
    }
}

const fn is_striped(kind: PartKind) -> bool {
    matches!(kind, PartKind::Held | PartKind::Expired | PartKind::Voided)
}
