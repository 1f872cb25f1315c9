//! The credit types as tabs, All first. Links, so that they work before and without a script.

use crate::format;
use crate::steer::Steer;
use crate::view::View;
use crate::words::{self, Words};
use ledger::{Credits, Cube, Dimension};
use leptos::prelude::*;

/// One tab per credit type of the rate card, with what it cost under the other filters.
#[component]
pub fn CreditTypes(
    /// The view that the links start from.
    steer: Steer,
    /// Whose types.
    cube: StoredValue<Cube>,
) -> impl IntoView {
    // Depends on the other filters only: choosing a type redraws nothing here but the mark.
    let others = Memo::new(move |_| {
        steer.late.with(|v| View { sources: v.sources.clone(), projects: v.projects.clone(), ..View::default() })
    });
    let words = words::current();
    let tabs = move || {
        let (total, amounts) = cube.with_value(|cube| others.with(|others| amounts(cube, others)));
        let all = (None, "All".to_owned(), total);
        let each = amounts.into_iter().map(|(name, title, amount)| (Some(name), title, amount));
        [all]
            .into_iter()
            .chain(each)
            .map(|(name, title, amount)| tab(steer, name, title, &words, amount))
            .collect_view()
    };
    view! { <nav class="tabs" aria-label="Credit type">{tabs}</nav> }
}

fn tab(steer: Steer, name: Option<String>, title: String, words: &Words, amount: Credits) -> impl IntoView + use<> {
    let name = StoredValue::new(name);
    let href = move || name.with_value(|name| steer.late.with(|v| v.with_type(name.as_deref()).href()));
    let current = move || {
        name.with_value(|name| {
            steer.view.with(|v| v.types.first() == name.as_ref() && v.types.len() < 2).then_some("true")
        })
    };
    view! {
        <a class="tab" href=href aria-current=current data-noscroll="">
            <span>{title}</span>
            <span class="tab-figure" title=format::in_full(words, amount)>{format::amount(words, amount)}</span>
        </a>
    }
}

/// What everything cost, and each type: name, title, amount.
fn amounts(cube: &Cube, view: &View) -> (Credits, Vec<(String, String, Credits)>) {
    // Sums that do not fit are reported by the chart beside these tabs.
    let slice = cube.slice(&view.filter(), &[Dimension::Type]).ok();
    let of = |name: &str| {
        let series =
            slice.iter().flat_map(|s| &s.series).find(|s| s.key.iter().any(|(_, id)| id.as_deref() == Some(name)));
        series.map_or(Credits::ZERO, |s| s.total.credits)
    };
    let types = cube.meters.iter().map(|m| (m.meter.to_string(), m.title.clone(), of(m.meter.as_str()))).collect();
    (slice.as_ref().map_or(Credits::ZERO, |s| s.total.credits), types)
}
