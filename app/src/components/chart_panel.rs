//! A chart of a view with what makes it answer: crosshair, tooltip, selection, keyboard.
//!
//! The drawing is a string of SVG from `charts`, the only HTML that this app puts in unescaped by itself. Over it lies
//! an overlay that knows the drawing's geometry and asks the DOM for one thing only: the panel's width, to draw for it.
//! Until the browser has said it, the drawing has [`FIRST_WIDTH_PX`] and scrolls where that is too wide; its height never
//! changes.

use super::tooltip::{Figures, Tooltip, WIDTH_PX};
use crate::charts::{BarChart, Drawing, Shape, UsageChart};
use crate::platform;
use crate::usage_chart::Usage;
use crate::words::{self, Words};
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

/// What the panel is wide on a desktop (see `--page-width` in `style/tokens.css`), so that most first paints fit.
pub const FIRST_WIDTH_PX: u32 = 1_118;
/// Also in `style/chart-panel.css`.
pub const HEIGHT_PX: u32 = 280;
/// A pointer that goes no further than this has clicked, not dragged.
const DRAG_PX: i32 = 5;

/// The buckets selected, from one to the other in any order: the first is where the selection began.
type Selection = (usize, usize);

/// What a selection leads to.
#[derive(Clone, Copy)]
pub struct Zooming {
    /// Shows the buckets from the first to the last alone; whether the keyboard asked for it.
    pub into: Callback<(usize, usize, bool)>,
    /// Goes back to what was shown before.
    pub out: Callback<()>,
    /// Is told the id of what has the keyboard's focus once the chart is there.
    pub begun: Callback<String>,
}

/// A chart of a view.
#[component]
pub fn ChartPanel(
    /// Unique on the page.
    id: &'static str,
    /// What it shows, in a few words.
    #[prop(into)]
    title: String,
    /// What it shows, in figures.
    usage: Memo<Usage>,
    /// What selecting a part of it does; nothing can be selected without it.
    #[prop(optional)]
    zooming: Option<Zooming>,
) -> impl IntoView {
    let width = fitted_width(id);
    let words = words::current();
    let zooms = if zooming.is_some() { " Shift and arrow keys select, Enter zooms into what is selected." } else { "" };
    let label = format!("{title}. Arrow keys move from bar to bar.{zooms}");
    let drawing = {
        let words = words.clone();
        Memo::new(move |_| usage.with(|usage| drawn(id, &title, usage, &words, width.get())))
    };
    let (active, selected) = (RwSignal::new(None::<usize>), RwSignal::new(None::<Selection>));
    // Where the pointer went down, and in which bucket.
    let down = StoredValue::new(None::<(i32, usize)>);
    let clear = move || {
        down.set_value(None);
        selected.set(None);
    };
    let count = Memo::new(move |_| usage.with(|usage| usage.buckets.len()));
    // Another range has other buckets.
    Effect::new(move |_| {
        count.track();
        active.set(None);
        clear();
    });
    let overlay = format!("{id}-keys");
    if let Some(zooming) = zooming {
        let overlay = overlay.clone();
        Effect::new(move |_| zooming.begun.run(overlay.clone()));
    }
    let zoom = move |(a, b): Selection, by_keyboard: bool| {
        clear();
        if let Some(zooming) = zooming {
            zooming.into.run((a.min(b), a.max(b), by_keyboard));
        }
    };

    let bucket_at = move |x: i32| drawing.with_untracked(|d| d.geometry.bucket_at(f64::from(x)));
    let point = move |event: PointerEvent| {
        let bucket = bucket_at(event.offset_x());
        active.set(bucket);
        if let (Some((from_x, from)), Some(bucket)) = (down.get_value(), bucket)
            && (selected.with_untracked(Option::is_some) || (event.offset_x() - from_x).abs() > DRAG_PX)
        {
            selected.set(Some((from, bucket)));
        }
    };
    let press = move |event: PointerEvent| {
        point(event.clone());
        clear();
        if zooming.is_some() && event.button() == 0 {
            platform::hold_pointer(&event);
            down.set_value(bucket_at(event.offset_x()).map(|bucket| (event.offset_x(), bucket)));
        }
    };
    let release = move |_| {
        if let (Some(_), Some(selection)) = (down.get_value(), selected.get_untracked()) {
            zoom(selection, false);
        }
        down.set_value(None);
    };
    let leave = move || {
        active.set(None);
        clear();
    };
    let steer = move |event: KeyboardEvent| {
        let (key, here) = (event.key(), active.get_untracked());
        let chosen = selected.get_untracked();
        match key.as_str() {
            "Enter" => match chosen.or(here.map(|bucket| (bucket, bucket))).filter(|_| zooming.is_some()) {
                Some(selection) => zoom(selection, true),
                None => return,
            },
            "Escape" if chosen.is_some() => clear(),
            _ => {
                let Some(next) = steered(&key, here, count.get_untracked()) else { return };
                let from = chosen.map(|(from, _)| from).or(here).or(next);
                let selection = if event.shift_key() && zooming.is_some() { from.zip(next) } else { None };
                selected.set(selection);
                active.set(next);
            }
        }
        event.prevent_default();
    };
    let begin = move |_| {
        if active.get_untracked().is_none() && down.with_value(Option::is_none) {
            active.set(count.get_untracked().checked_sub(1));
        }
    };
    let out = move |_| {
        if let Some(zooming) = zooming {
            zooming.out.run(());
        }
    };

    let figures =
        Memo::new(move |_| active.get().and_then(|bucket| usage.with(|usage| Figures::of(usage, bucket, &words))));
    let tooltip = move || {
        let place = drawing.with(|d| place(d, active.get()?));
        figures.get().zip(place).map(|(figures, left)| view! { <Tooltip figures left/> })
    };
    let spoken = move || {
        let figures = figures.with(|figures| figures.as_ref().map(Figures::spoken))?;
        let buckets = selected.get().map(|(a, b)| a.abs_diff(b) + 1);
        Some(buckets.map_or(figures.clone(), |buckets| format!("{buckets} selected. {figures}")))
    };
    view! {
        <div class="chart-box" id=id>
            <div class="chart-drawing" inner_html=move || drawing.with(|d| d.svg.clone())></div>
            <Crosshair drawing usage active selected/>
            <div
                class="chart-overlay"
                id=overlay
                role="group"
                tabindex="0"
                aria-roledescription="chart"
                aria-label=label
                on:pointermove=point
                on:pointerdown=press
                on:pointerup=release
                on:pointercancel=move |_| leave()
                on:pointerleave=move |_| leave()
                on:keydown=steer
                on:focus=begin
                on:blur=move |_| leave()
                on:dblclick=out
            ></div>
            {tooltip}
            <p class="visually-hidden" aria-live="polite">{spoken}</p>
        </div>
    }
}

/// Marks the active bucket, its points where lines are drawn, and what is selected. Positions are SVG attributes.
#[component]
fn Crosshair(
    drawing: Memo<Drawing>,
    usage: Memo<Usage>,
    active: RwSignal<Option<usize>>,
    selected: RwSignal<Option<Selection>>,
) -> impl IntoView {
    let between = move |from: usize, to: usize| {
        drawing.with(|d| {
            let (first, last) = (d.geometry.slots.get(from)?, d.geometry.slots.get(to)?);
            Some([px(first.x), px(first.y), px(last.x + last.w - first.x), px(first.h)])
        })
    };
    let bar =
        move |class: &'static str, [x, y, w, h]: [i32; 4]| view! { <rect class=class x=x y=y width=w height=h></rect> };
    let crosshair = move || {
        let bucket = active.get()?;
        Some(bar("at", between(bucket, bucket)?))
    };
    let band = move || {
        let (a, b) = selected.get()?;
        Some(bar("band", between(a.min(b), a.max(b))?))
    };
    let dots = move || {
        let bucket = active.get()?;
        let is_lines = usage.with(|usage| usage.plot.shape == Shape::Lines);
        let dots = usage.with(|usage| {
            let there = |(i, s): (usize, &crate::charts::Series)| {
                let at = drawing.with(|d| d.geometry.mark(bucket, i)).filter(|_| bucket < s.values.len())?;
                let class = format!("swatch s{}", s.color);
                Some(view! { <circle class=class cx=px(at.x + 0.5) cy=px(at.y + 0.5) r="3.5"></circle> })
            };
            usage.plot.series.iter().enumerate().filter_map(there).collect_view()
        });
        is_lines.then_some(dots)
    };
    view! {
        <svg class="crosshair" aria-hidden="true">
            {band}
            {crosshair}
            {dots}
        </svg>
    }
}

/// The chart of a view, as page and files show it.
#[must_use]
pub fn drawn(id: &str, title: &str, usage: &Usage, words: &Words, width: u32) -> Drawing {
    let chart_id = format!("{id}-drawing");
    let plot = &usage.plot;
    let chart = BarChart {
        id: &chart_id,
        title,
        description: &usage.description(words),
        width,
        height: HEIGHT_PX,
        buckets: &usage.buckets,
        series: &plot.series,
        unit: &words.unit,
        decimals: words.decimals.into(),
    };
    UsageChart { chart, shape: plot.shape, total: plot.total_line(), before: plot.before_totals() }.draw()
}

/// The width to draw for: the panel's, from when the browser knows it and whenever the window changes.
fn fitted_width(id: &'static str) -> RwSignal<u32> {
    let width = RwSignal::new(FIRST_WIDTH_PX);
    let measure = move || {
        if let Some(px) = platform::width_of(id)
            && px != width.get_untracked()
        {
            width.set(px);
        }
    };
    Effect::new(move |_| {
        measure();
        let resized = window_event_listener(leptos::ev::resize, move |_| measure());
        on_cleanup(move || resized.remove());
    });
    width
}

/// The tooltip's left edge: beside the bucket, on the side with more room, and never outside the chart.
fn place(drawing: &Drawing, bucket: usize) -> Option<i32> {
    let slot = drawing.geometry.slots.get(bucket)?;
    let width = px(drawing.geometry.size.w);
    let (from, to) = (px(slot.x), px(slot.x + slot.w));
    Some(if from + to > width { (from - WIDTH_PX).max(0) } else { to.min(width - WIDTH_PX).max(0) })
}

/// Slots lie on whole pixels. As an integer, because writing floats is 15 KB of WebAssembly.
#[allow(clippy::cast_possible_truncation, reason = "a drawing is at most 8192 px wide; the cast saturates")]
fn px(length: f64) -> i32 {
    length as i32
}

/// The bucket that a key leads to; `None` for keys that are not ours.
fn steered(key: &str, from: Option<usize>, count: usize) -> Option<Option<usize>> {
    let last = count.checked_sub(1)?;
    let here = from.unwrap_or(last);
    match key {
        "ArrowLeft" => Some(Some(here.saturating_sub(1))),
        "ArrowRight" => Some(Some((here + 1).min(last))),
        "Home" => Some(Some(0)),
        "End" => Some(Some(last)),
        "Escape" => from.map(|_| None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_within_the_chart() {
        assert_eq!(steered("ArrowLeft", Some(0), 30), Some(Some(0)));
        assert_eq!(steered("ArrowRight", Some(29), 30), Some(Some(29)));
        assert_eq!(steered("Home", None, 30), Some(Some(0)));
        assert_eq!(steered("Escape", Some(3), 30), Some(None));
        assert_eq!(steered("Escape", None, 30), None);
        assert_eq!(steered("ArrowLeft", None, 0), None);
    }
}
