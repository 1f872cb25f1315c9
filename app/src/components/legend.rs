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
            let hiding = |hidden| steer.map(|steer| View { hidden, ..steer.view.get_untracked() }.href());
            let entry = |s: &Series| Line {
                class: if s.hidden { "off" } else { "" },
                href: hiding(usage.toggled(&s.id)),
                id: steer.map(|_| s.id.clone()),
                pressed: pressed.then_some(if s.hidden { "false" } else { "true" }),
                swatch: format!("swatch s{}", s.color),
                title: s.title.clone(),
                figure: format::amount(&words, s.total),
                in_full: Some(format::in_full(&words, s.total)),
                share: format::share(s.total, usage.total.credits).filter(|_| is_whole).unwrap_or_default(),
            };
            let mut lines: Vec<Line> = usage.series.iter().map(entry).collect();
            let mut note = |swatch: &str, title: String, href| {
                lines.push(Line { class: "legend-note", swatch: swatch.to_owned(), title, href, ..Line::default() });
            };
            if usage.series.is_empty() {
                note("", "No credits were used.".to_owned(), None);
            }
            let hidden = usage.hidden().join(", ");
            if !hidden.is_empty() {
                let text = format!("Not in the chart, but in the figures: {hidden}. Show all");
                note("", text, hiding(Vec::new()));
            }
            if usage.plot.has_total {
                note("swatch total", "Total of what is shown".to_owned(), None);
            }
            if let Some(before) = &usage.plot.before {
                note("swatch before", format!("Compared with {}", before.range), None);
            }
            if usage.in_progress() {
                note("swatch hatched", format!("In progress, data as of {as_of}"), None);
            }
            lines.into_iter().map(Line::view).collect::<Vec<_>>()
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
    view! {
        <ul class="legend" on:click=click on:keydown=press>
            {entries}
        </ul>
    }
}

/// A line of the legend, of whatever kind: one view for all.
#[derive(Default)]
struct Line {
    class: &'static str,
    /// Where choosing it leads.
    href: Option<String>,
    /// The series that it stands for, where it can be hidden.
    id: Option<String>,
    /// Whether the series is shown, where a script answers.
    pressed: Option<&'static str>,
    swatch: String,
    title: String,
    figure: String,
    in_full: Option<String>,
    share: String,
}

impl Line {
    fn view(self) -> impl IntoView {
        let link = self.href.as_ref().map(|_| "");
        view! {
            <li class=self.class>
                <a
                    href=self.href
                    data-noscroll=link
                    data-replace=link
                    data-id=self.id
                    role=self.pressed.map(|_| "button")
                    aria-pressed=self.pressed
                >
                    <i class=self.swatch></i>
                    <span class="legend-title">{self.title}</span>
                    <span class="legend-figure" title=self.in_full>{self.figure}</span>
                    <span class="legend-share">{self.share}</span>
                </a>
            </li>
        }
    }
}
