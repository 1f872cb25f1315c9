//! What the colours of a chart stand for, with the figures they add up to. Choosing one hides its series from the chart.
//!
//! Entries are links that say `hide=`. With a script they are buttons that are pressed while their series is shown: a
//! click, Enter or Space hides or shows it, twice (or with Shift) it is shown alone or with all others again.

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
    // Links become buttons where a script answers them.
    let ready = RwSignal::new(false);
    Effect::new(move |_| ready.set(true));
    let entries = move || {
        let pressed = ready.get() && steer.is_some();
        usage.with(|usage| {
            // Parts of a sum from which something was taken are no shares of it.
            let is_whole = usage.series.iter().all(|s| !s.total.is_negative());
            let entry = |s: &Series| {
                let share = format::share(s.total, usage.total.credits).filter(|_| is_whole);
                let href = steer.map(|steer| View { hidden: usage.toggled(&s.id), ..steer.view.get_untracked() }.href());
                let (id, replace) = (steer.map(|_| s.id.clone()), steer.map(|_| ""));
                view! {
                    <li class=if s.hidden { "off" } else { "" }>
                        <a
                            href=href
                            data-noscroll=replace
                            data-replace=replace
                            data-id=id
                            role=pressed.then_some("button")
                            aria-pressed=pressed.then_some(if s.hidden { "false" } else { "true" })
                        >
                            <i class=format!("swatch s{}", s.color)></i>
                            <span class="legend-title">{s.title.clone()}</span>
                            <span class="legend-figure" title=format::in_full(&words, s.total)>{format::amount(&words, s.total)}</span>
                            <span class="legend-share">{share}</span>
                        </a>
                    </li>
                }
            };
            usage.series.iter().map(entry).collect::<Vec<_>>()
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
    let notes = move || {
        usage.with(|usage| {
            let hidden = usage.hidden().join(", ");
            let note = |is_so: bool, swatch, text: String| is_so.then_some((swatch, text, None));
            let nothing = "Nothing was used in this range under these filters.".to_owned();
            let left_out = steer.filter(|_| !hidden.is_empty()).map(|steer| {
                let all = View { hidden: Vec::new(), ..steer.view.get_untracked() }.href();
                ("", format!("Not in the chart: {hidden}. The figures count everything."), Some(all))
            });
            let before = usage.plot.before.as_ref().map(|before| format!("Compared with {}", before.range));
            let notes = [
                note(usage.series.is_empty(), "", nothing),
                left_out,
                before.map(|text| ("swatch before", text, None)),
                note(usage.in_progress(), "swatch hatched", format!("In progress, data as of {as_of}")),
            ];
            let line = |(swatch, text, all): (&'static str, String, Option<String>)| {
                let all = all.map(|href| view! { <a href=href data-noscroll="" data-replace="">"Show all"</a> });
                view! { <li class="legend-note"><i class=swatch></i><span>{text}</span>{all}</li> }
            };
            notes.into_iter().flatten().map(line).collect::<Vec<_>>()
        })
    };
    view! {
        <ul class="legend" on:click=click on:keydown=press>
            {entries}
            {notes}
        </ul>
    }
}
