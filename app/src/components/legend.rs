//! What the colours of a chart stand for, with the figures they add up to.

use crate::usage_chart::Usage;
use crate::{format, words};
use leptos::prelude::*;

/// One entry per series, and what the stripes mean where a bucket is not over.
#[component]
pub fn Legend(
    /// What the chart shows.
    usage: Memo<Usage>,
    /// When the data was read.
    as_of: String,
) -> impl IntoView {
    let words = words::current();
    let entries = move || {
        usage.with(|usage| {
            // Parts of a sum from which something was taken are no shares of it.
            let is_whole = usage.series.iter().all(|s| !s.total.is_negative());
            let entry = |title: &str, color: u8, total| {
                let share = format::share(total, usage.total.credits).filter(|_| is_whole);
                view! {
                    <li>
                        <i class=format!("swatch s{color}")></i>
                        <span class="legend-title">{title.to_owned()}</span>
                        <span class="legend-figure" title=format::in_full(&words, total)>{format::amount(&words, total)}</span>
                        <span class="legend-share">{share}</span>
                    </li>
                }
            };
            usage.series.iter().map(|s| entry(&s.title, s.color, s.total)).collect_view()
        })
    };
    let progress = move || {
        let text = format!("In progress, data as of {as_of}");
        usage
            .with(Usage::in_progress)
            .then(|| view! { <li class="legend-progress"><i class="swatch hatched"></i>{text}</li> })
    };
    let nothing = move || {
        let text = "Nothing was used in this range under these filters.";
        usage.with(|usage| usage.series.is_empty()).then(|| view! { <li class="legend-none">{text}</li> })
    };
    view! { <ul class="legend">{entries}{nothing}{progress}</ul> }
}
