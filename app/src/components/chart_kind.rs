//! How usage is drawn and what it is compared with: segmented controls of links.

use crate::steer::Steer;
use crate::view::{Compare, Kind, View};
use leptos::prelude::*;

/// A choice: what it is called, and the view as it would be.
type Segment = (&'static str, fn(View) -> View);

/// What the figures become on the chart.
const KINDS: [Segment; 4] = [
    ("Bars", |view| View { kind: Kind::Bars, ..view }),
    ("Stacked", |view| View { kind: Kind::Stacked, ..view }),
    ("Lines", |view| View { kind: Kind::Lines, ..view }),
    ("Cumulative", |view| View { kind: Kind::Cumulative, ..view }),
];

/// What the range is compared with.
const COMPARISONS: [Segment; 3] = [
    ("Nothing", |view| View { compare: None, ..view }),
    ("Previous period", |view| View { compare: Some(Compare::Previous), ..view }),
    ("Previous year", |view| View { compare: Some(Compare::Year), ..view }),
];

/// Both.
#[component]
pub fn ChartKind(
    /// The view that the links start from.
    steer: Steer,
) -> impl IntoView {
    let segment = move |&(title, with): &Segment| {
        let href = Signal::derive(move || with(steer.late.get()).href());
        let current = move || steer.view.with(|now| with(now.clone()) == *now).then_some("true");
        view! { <a href=href aria-current=current data-noscroll="">{title}</a> }
    };
    let control = move |name: &'static str, label: Option<&'static str>, segments: &[Segment]| {
        let segments: Vec<_> = segments.iter().map(segment).collect();
        view! {
            <nav class="segments" aria-label=name>
                <span class="segments-label" aria-hidden="true">{label}</span>
                {segments}
            </nav>
        }
    };
    let compare = "Compare with";
    vec![control("Chart", None, &KINDS), control(compare, Some(compare), &COMPARISONS)]
}
