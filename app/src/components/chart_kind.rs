//! How usage is drawn and what it is compared with: segmented controls of links.

use crate::view::{Compare, Kind, View};
use leptos::prelude::*;

/// Bars, stacked, lines, running totals.
#[component]
pub fn ChartKind(
    /// The view that the links start from.
    view: Memo<View>,
) -> impl IntoView {
    let kinds = Kind::ALL.map(|(kind, _)| {
        let title = match kind {
            Kind::Bars => "Bars",
            Kind::Stacked => "Stacked",
            Kind::Lines => "Lines",
            Kind::Cumulative => "Cumulative",
        };
        segment(view, title, move |view| View { kind, ..view.clone() })
    });
    view! { <nav class="segments" aria-label="Chart">{kinds}</nav> }
}

/// Nothing, the period before, the same days of the year before.
#[component]
pub fn CompareWith(
    /// The view that the links start from.
    view: Memo<View>,
) -> impl IntoView {
    let choices =
        [("Nothing", None), ("Previous period", Some(Compare::Previous)), ("Previous year", Some(Compare::Year))];
    let choices = choices.map(|(title, compare)| segment(view, title, move |view| View { compare, ..view.clone() }));
    view! {
        <nav class="segments" aria-label="Compare with">
            <span class="segments-label" aria-hidden="true">"Compare with"</span>
            {choices}
        </nav>
    }
}

/// A link to the view as it would be, marked where it is so already.
fn segment(
    view: Memo<View>,
    title: &'static str,
    with: impl Fn(&View) -> View + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let href = move || view.with(|now| with(now).href());
    let current = move || view.with(|now| with(now) == *now).then_some("true");
    view! { <a href=href aria-current=current data-noscroll="">{title}</a> }
}
