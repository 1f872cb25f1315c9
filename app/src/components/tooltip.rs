//! The figures of the bucket under the pointer or the keyboard's focus.

use crate::format;
use crate::usage_chart::{Series, Usage};
use crate::words::Words;
use ledger::Credits;
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
        // The outermost segment first, as the eye meets them from above; those below the baseline begin at it.
        let line = |(s, c): (&Series, Credits)| (s.color, s.title.clone(), format::amount(words, c));
        let (mut above, below): (Vec<_>, Vec<_>) = here.partition(|(_, c)| c.is_positive());
        above.reverse();
        let mut lines: Vec<_> = above.into_iter().chain(below).map(line).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_chart::specimen_cube;
    use crate::view::View;

    #[test]
    fn what_came_back_stands_last_with_its_minus() {
        let usage = Usage::of(&specimen_cube(), &View::default()).expect("fits");
        let figures = Figures::of(&usage, 2, &Words::default()).expect("a day");
        let lines: Vec<_> = figures.lines.iter().map(|(_, title, amount)| (title.as_str(), amount.as_str())).collect();
        assert_eq!(lines, [("Output", "7.00 credits"), ("Input tokens", "\u{2212}0.50 credits")]);
        assert_eq!(figures.total, "6.50 credits");
    }
}
