//! The figures of the bucket under the pointer or the keyboard's focus.

use super::filled::any;
use super::still::Still;
use crate::format;
use crate::markup::Markup;
use crate::usage_chart::Usage;
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
    /// Colour, name, amount: the largest first; only series that are shown and have one here.
    pub lines: Vec<(u8, String, String)>,
    /// What they come to: what it is called, and the amount.
    pub total: (&'static str, String),
    /// The bucket that this one is compared with, its amount, and the difference.
    pub before: Option<(String, String, String)>,
}

impl Figures {
    /// Those of one bucket.
    #[must_use]
    pub fn of(usage: &Usage, bucket: usize, words: &Words) -> Option<Self> {
        let (when, plot) = (usage.buckets.get(bucket)?, &usage.plot);
        let amount = |micros: i64| format::amount(words, Credits::from_micros(micros));
        let mut here = Vec::new();
        for series in &plot.series {
            let micros = series.values.get(bucket).copied().unwrap_or(0);
            if micros != 0 {
                let place = here.iter().position(|(_, other)| *other < micros).unwrap_or(here.len());
                here.insert(place, (series, micros));
            }
        }
        let more = here.len().saturating_sub(MAX_LINES);
        here.truncate(MAX_LINES);
        let mut lines: Vec<_> = here.into_iter().map(|(s, micros)| (s.color, s.name.clone(), amount(micros))).collect();
        if more > 0 {
            lines.push((crate::colors::OTHER, format!("and {more} more"), String::new()));
        }
        let total = plot.totals.get(bucket).copied();
        let before = plot.before.as_ref().and_then(|before| {
            let (label, was) = (before.labels.get(bucket)?.clone(), *before.totals.get(bucket)?);
            Some((label, amount(was), total.map_or(String::new(), |now| difference(words, was, now))))
        });
        let called = match (plot.is_cumulative, plot.series.len() < usage.series.len()) {
            (true, _) => "Until then",
            (_, true) => "Shown",
            (_, false) => "Total",
        };
        let label = if when.incomplete { format!("{}, in progress", when.label) } else { when.label.clone() };
        Some(Self { label, lines, total: (called, total.map_or_else(|| "–".to_owned(), amount)), before })
    }

    /// In a sentence.
    #[must_use]
    pub fn spoken(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(|(_, title, amount)| format!("{title} {amount}")).collect();
        let mut text = format!("{}: {}.", self.label, self.total.1);
        if lines.len() > 1 {
            text.push_str(&format!(" {}.", lines.join(", ")));
        }
        if let Some((label, was, change)) = &self.before {
            text.push_str(&format!(" Compared with {label}: {was}, {change}."));
        }
        text
    }
}

/// `+$0.60 (+12.3%)`.
#[must_use]
pub fn difference(words: &Words, was: i64, now: i64) -> String {
    let (was, now) = (Credits::from_micros(was), Credits::from_micros(now));
    // What does not fit is no difference of two amounts that a ledger holds.
    let amount = now.minus(was).map_or(String::new(), |change| format::signed(words, change));
    format::change(was, now).map_or(amount.clone(), |percent| format!("{amount} ({percent})"))
}

/// The box. Rendered in the browser only, so its position may be a style: CSSOM is not under the policy's `style-src`. What
/// is in it is markup, which costs less of the first load.
#[component]
pub fn Tooltip(
    /// What it says.
    figures: Figures,
    /// Its left edge in the chart, in px.
    left: i32,
) -> impl IntoView {
    let Figures { label, lines, total, before } = figures;
    let row = |class: &str, swatch: &str, name: &str, amount: &str| {
        let (name, amount) = (Markup::new("span").text(name), Markup::new("b").text(amount));
        Markup::new("li").class(class).child(Markup::new("i").class(swatch)).child(name).child(amount)
    };
    let series = lines.iter().map(|(color, title, amount)| row("", &format!("swatch s{color}"), title, amount));
    let mut rows = Markup::new("ul").children(series).child(row("tooltip-total", "", total.0, &total.1));
    if let Some((label, was, change)) = before {
        rows = rows.child(row("tooltip-before", "", &label, &was)).child(row("tooltip-before", "", "Change", &change));
    }
    let said = Markup::new("div").child(Markup::new("p").class("tooltip-label").text(&label)).child(rows);
    view! { <div class="tooltip" style:left=format!("{left}px") aria-hidden="true">{any(Still(said))}</div> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_chart::specimen_cube;
    use crate::view::View;

    #[test]
    fn the_largest_stands_first_and_what_came_back_last() {
        let figures = |query: &str| {
            let usage = Usage::of(&specimen_cube(), &View::parse(query)).expect("fits");
            Figures::of(&usage, 2, &Words::default()).expect("a day")
        };
        let all = figures("");
        let lines: Vec<_> = all.lines.iter().map(|(_, title, amount)| (title.as_str(), amount.as_str())).collect();
        assert_eq!(lines, [("Output", "7.00 credits"), ("Input tokens", "\u{2212}0.50 credits")]);
        assert_eq!(all.total, ("Total", "6.50 credits".to_owned()));
        assert_eq!(figures("hide=output").total, ("Shown", "\u{2212}0.50 credits".to_owned()));
        assert_eq!(figures("chart=cumulative").total, ("Until then", "8.00 credits".to_owned()));
    }
}
