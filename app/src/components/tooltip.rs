//! The figures of the bucket under the pointer or the keyboard's focus.

use crate::format;
use crate::usage_chart::Usage;
use crate::words::Words;
use leptos::prelude::*;

/// The series that a tooltip has room for; the rest is one line.
const MAX_LINES: usize = 10;

/// The room it takes beside its bucket, in px; its width and margin in `style/tooltip.css`.
pub const WIDTH_PX: i32 = 256;

/// What a tooltip says, ready to be shown or spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// The bucket.
    pub label: String,
    /// Colour, name, amount; only series that have one here.
    pub lines: Vec<(u8, String, String)>,
    /// All of them.
    pub total: String,
}

impl Figures {
    /// Those of one bucket.
    #[must_use]
    pub fn of(usage: &Usage, bucket: usize, words: &Words) -> Option<Self> {
        let when = usage.buckets.get(bucket)?;
        let here = usage.series.iter().filter_map(|s| Some((s, *s.points.get(bucket)?))).filter(|(_, c)| !c.is_zero());
        // The outermost segment first, as the eye meets them from above.
        let mut lines: Vec<_> = here.map(|(s, c)| (s.color, s.title.clone(), format::amount(words, c))).collect();
        lines.reverse();
        if lines.len() > MAX_LINES {
            let more = lines.len() - MAX_LINES;
            lines.truncate(MAX_LINES);
            lines.push((crate::colors::OTHER, format!("and {more} more"), String::new()));
        }
        let label = if when.incomplete { format!("{}, in progress", when.label) } else { when.label.clone() };
        Some(Self { label, lines, total: format::amount(words, usage.points.get(bucket)?.credits) })
    }

    /// In a sentence.
    #[must_use]
    pub fn spoken(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(|(_, title, amount)| format!("{title} {amount}")).collect();
        let total = format!("{}: {}.", self.label, self.total);
        if lines.len() > 1 { format!("{total} {}.", lines.join(", ")) } else { total }
    }
}

/// The box. Rendered in the browser only, so its position may be a style: CSSOM is not under the policy's `style-src`.
#[component]
pub fn Tooltip(
    /// What it says.
    figures: Figures,
    /// Its left edge in the chart, in px.
    left: i32,
) -> impl IntoView {
    let lines = figures.lines.into_iter().map(|(color, title, amount)| {
        view! {
            <li>
                <i class=format!("swatch s{color}")></i>
                <span>{title}</span>
                <b>{amount}</b>
            </li>
        }
    });
    view! {
        <div class="tooltip" style:left=format!("{left}px") aria-hidden="true">
            <p class="tooltip-label">{figures.label}</p>
            <ul>{lines.collect_view()}</ul>
            <p class="tooltip-total"><span>"Total"</span><b>{figures.total}</b></p>
        </div>
    }
}
