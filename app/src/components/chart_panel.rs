//! A stacked bar chart with what makes it answer: crosshair, tooltip, keyboard.
//!
//! The drawing is a string of SVG from `charts`, the only HTML that this app puts in unescaped by itself. Over it lies
//! an overlay that knows the drawing's geometry and asks the DOM for one thing only: the panel's width, to draw for it.
//! Until the browser has said it, the drawing has [`FIRST_WIDTH_PX`] and scrolls where that is too wide; its height never
//! changes.

use super::tooltip::{Figures, Tooltip, WIDTH_PX};
use crate::charts::{BarChart, Drawing};
use crate::platform;
use crate::usage_chart::Usage;
use crate::words::{self, Words};
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

/// What the panel is wide on a desktop (see `--page-width` in `style/tokens.css`), so that most first paints fit.
const FIRST_WIDTH_PX: u32 = 1_118;
/// Also in `style/chart-panel.css`.
const HEIGHT_PX: u32 = 280;

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
) -> impl IntoView {
    let width = fitted_width(id);
    let words = words::current();
    let label = format!("{title}. Arrow keys move from bar to bar.");
    let drawing = {
        let words = words.clone();
        Memo::new(move |_| usage.with(|usage| draw(id, &title, usage, &words, width.get())))
    };
    let active = RwSignal::new(None::<usize>);
    // Another range has other buckets.
    Effect::new(move |_| {
        usage.with(|usage| usage.buckets.len());
        active.set(None);
    });
    let figures =
        Memo::new(move |_| active.get().and_then(|bucket| usage.with(|usage| Figures::of(usage, bucket, &words))));

    let point = move |event: PointerEvent| {
        let x = f64::from(event.offset_x());
        active.set(drawing.with(|d| d.geometry.bucket_at(x)));
    };
    let steer = move |event: KeyboardEvent| {
        let count = usage.with(|usage| usage.buckets.len());
        if let Some(next) = steered(&event.key(), active.get_untracked(), count) {
            event.prevent_default();
            active.set(next);
        }
    };
    let begin = move |_| {
        if active.get_untracked().is_none() {
            active.set(usage.with(|usage| usage.buckets.len().checked_sub(1)));
        }
    };
    let tooltip = move || {
        let place = drawing.with(|d| place(d, active.get()?));
        figures.get().zip(place).map(|(figures, left)| view! { <Tooltip figures left/> })
    };
    let spoken = move || figures.with(|figures| figures.as_ref().map(Figures::spoken));
    view! {
        <div class="chart-box" id=id>
            <div class="chart-drawing" inner_html=move || drawing.with(|d| d.svg.clone())></div>
            <Crosshair drawing active/>
            <div
                class="chart-overlay"
                role="group"
                tabindex="0"
                aria-roledescription="chart"
                aria-label=label
                on:pointermove=point
                on:pointerdown=point
                on:pointerleave=move |_| active.set(None)
                on:keydown=steer
                on:focus=begin
                on:blur=move |_| active.set(None)
            ></div>
            {tooltip}
            <p class="visually-hidden" aria-live="polite">{spoken}</p>
        </div>
    }
}

/// Marks the active bucket. Positions are SVG attributes.
#[component]
fn Crosshair(drawing: Memo<Drawing>, active: RwSignal<Option<usize>>) -> impl IntoView {
    let slot = move || drawing.with(|d| d.geometry.slots.get(active.get()?).copied());
    let x = move || slot().map_or(0, |s| px(s.x));
    let y = move || slot().map_or(0, |s| px(s.y));
    let w = move || slot().map_or(0, |s| px(s.w));
    let h = move || slot().map_or(0, |s| px(s.h));
    view! {
        <svg class="crosshair" aria-hidden="true">
            <rect x=x y=y width=w height=h></rect>
        </svg>
    }
}

fn draw(id: &str, title: &str, usage: &Usage, words: &Words, width: u32) -> Drawing {
    let chart_id = format!("{id}-drawing");
    let chart = BarChart {
        id: &chart_id,
        title,
        description: &usage.description(words),
        width,
        height: HEIGHT_PX,
        buckets: &usage.buckets,
        series: &usage.drawn(),
        unit: &words.unit,
        decimals: words.decimals.into(),
    };
    chart.draw()
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
