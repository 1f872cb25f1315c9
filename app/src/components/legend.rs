//! What the colours of a chart stand for, with the figures they add up to. Choosing one hides its series from the chart.
//!
//! Entries are links that say `hide=`. With a script they are buttons that are pressed while their series is shown: a
//! click, Enter or Space hides or shows it, twice (or with Shift) it is shown alone or with all others again.

use super::filled::any;
use crate::platform;
use crate::steer::Steer;
use crate::usage_chart::{Series, Usage};
use crate::view::View;
use crate::{format, words};
use leptos::prelude::*;
use web_sys::{KeyboardEvent, MouseEvent};

/// One entry per series, what is left out and what it is compared with, and what the stripes mean where a bucket is not over.
#[component]
pub fn Legend(
    /// What the chart shows.
    usage: Memo<Usage>,
    /// When the data was read.
    as_of: String,
    /// Where a click on an entry leads; without it they are text.
    #[prop(optional)]
    steer: Option<Steer>,
) -> impl IntoView {
    let words = words::current();
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let entries = move || {
        usage.with(|usage| {
            // Parts of a sum from which something was taken are no shares of it.
            let is_whole = usage.series.iter().all(|s| !s.total.is_negative());
            let entry = |s: &Series| {
                let share = format::share(s.total, usage.total.credits).filter(|_| is_whole);
                let figures = view! {
                    <i class=format!("swatch s{}", s.color)></i>
                    <span class="legend-title">{s.title.clone()}</span>
                    <span class="legend-figure" title=format::in_full(&words, s.total)>{format::amount(&words, s.total)}</span>
                    <span class="legend-share">{share}</span>
                };
                let Some(steer) = steer else { return any(view! { <li>{figures}</li> }) };
                let hidden = usage.toggled(&s.id);
                let href = View { hidden, ..steer.view.get_untracked() }.href();
                let shown = if s.hidden { "false" } else { "true" };
                any(view! {
                    <li class:off=s.hidden>
                        <a
                            href=href
                            data-noscroll=""
                            data-replace=""
                            data-id=s.id.clone()
                            role=move || ready.get().then_some("button")
                            aria-pressed=move || ready.get().then_some(shown)
                        >{figures}</a>
                    </li>
                })
            };
            usage.series.iter().map(entry).collect_view()
        })
    };
    let hide = move |hidden: fn(&Usage, &str) -> Vec<String>, id: &str| {
        if let Some(steer) = steer {
            let hidden = usage.with_untracked(|usage| hidden(usage, id));
            steer.to(View { hidden, ..steer.view.get_untracked() }, true);
        }
    };
    let click = move |event: MouseEvent| {
        let Some(id) = platform::data_id(&event) else { return };
        match event.detail() {
            _ if event.shift_key() => hide(Usage::isolated, &id),
            // What the first click did is part of the two.
            2 => hide(Usage::isolated_by_the_second, &id),
            _ => return,
        }
        event.prevent_default();
    };
    let press = move |event: KeyboardEvent| {
        let Some(id) = platform::data_id(&event) else { return };
        // Links answer to Enter by themselves, buttons to Space too.
        match event.key().as_str() {
            "Enter" if event.shift_key() => hide(Usage::isolated, &id),
            " " => hide(Usage::toggled, &id),
            _ => return,
        }
        event.prevent_default();
    };
    let left_out = move || {
        let steer = steer?;
        let titles = usage.with(|usage| usage.hidden().join(", "));
        let all = View { hidden: Vec::new(), ..steer.view.get_untracked() }.href();
        (!titles.is_empty()).then(|| {
            view! {
                <li class="legend-note">
                    <span>{format!("Not in the chart: {titles}. The figures count everything.")}</span>
                    <a href=all data-noscroll="" data-replace="">"Show all"</a>
                </li>
            }
        })
    };
    let compared = move || {
        let before = usage.with(|usage| usage.plot.before.as_ref().map(|before| before.range.clone()))?;
        Some(
            view! { <li class="legend-note"><i class="swatch before"></i><span>{format!("Compared with {before}")}</span></li> },
        )
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
    view! {
        <ul class="legend" on:click=click on:keydown=press>
            {entries}
            {nothing}
            {left_out}
            {compared}
            {progress}
        </ul>
    }
}
