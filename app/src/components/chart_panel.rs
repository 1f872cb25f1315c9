//! A chart of a view with what makes it answer: crosshair, tooltip, selection, keyboard.
//!
//! The drawing is a string of SVG from `charts`, the only HTML that this app puts in unescaped by itself. Over it lies
//! an overlay that knows the drawing's geometry and asks the DOM for one thing only: the panel's width, to draw for it.
//! Until the browser has said it, the drawing has [`FIRST_WIDTH_PX`] and scrolls where that is too wide; its height never
//! changes.

use super::chart_drawing;
use super::tooltip::{Figures, Tooltip, WIDTH_PX};
use crate::charts::{BarChart, Drawing, Shape, UsageChart};
use crate::platform;
use crate::usage_chart::Usage;
use crate::words::{self, Words};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, KeyboardEvent, MouseEvent};

/// What the panel is wide on a desktop (see `--page-width` in `style/tokens.css`), so that most first paints fit.
pub const FIRST_WIDTH_PX: u32 = 1_118;
/// Also in `style/chart-panel.css`.
pub const HEIGHT_PX: u32 = 280;
/// A pointer that goes no further than this has clicked, not dragged.
const DRAG_PX: i32 = 5;

/// What listening to the overlay is about.
const HEARD: [&str; 9] = [
    "pointermove",
    "pointerdown",
    "pointerup",
    "pointercancel",
    "pointerleave",
    "keydown",
    "focus",
    "blur",
    "dblclick",
];

/// What somebody points at. One signal, since each kind of signal is code of its own.
#[derive(Clone, Copy, Default)]
struct Pointing {
    /// The bucket under the pointer or the keyboard's focus.
    active: Option<usize>,
    /// The buckets selected, in any order: the first is where the selection began.
    selected: Option<(usize, usize)>,
    /// Where the pointer went down, and in which bucket.
    down: Option<(i32, usize)>,
}

/// What a chart asks of its page.
#[derive(Clone, Copy)]
pub enum Ask {
    /// Show the buckets from the first to the last alone; whether the keyboard asked for it.
    ZoomIn(usize, usize, bool),
    /// Go back to what was shown before.
    ZoomOut,
    /// The chart is there: give it the focus if the one before had it.
    Begun,
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
    /// Answers what it asks; nothing can be selected without it.
    #[prop(optional)]
    ask: Option<Callback<Ask>>,
) -> impl IntoView {
    let width = fitted_width(id);
    let words = words::current();
    let zooms = if ask.is_some() { " Shift and arrow keys select, Enter zooms into what is selected." } else { "" };
    let label = format!("{title}. Arrow keys move from bar to bar.{zooms}");
    let drawing = {
        let words = words.clone();
        Memo::new(move |_| usage.with(|usage| drawn(id, &title, usage, &words, width.get())))
    };
    let first = drawing.get_untracked();
    let (svg, canvas) = (first.svg.clone(), format!("{id}-canvas"));
    let pointing = RwSignal::new(Pointing::default());
    {
        // What is in the page already; it changes before anything else that follows from a click.
        let (canvas, mut shown) = (canvas.clone(), first);
        Effect::new(move |_| {
            let now = drawing.get();
            chart_drawing::redraw(&canvas, &shown, &now);
            // Another range has other buckets; other bars of the same stay where they are.
            if now.geometry.slots.len() != shown.geometry.slots.len() {
                pointing.set(Pointing::default());
            }
            shown = now;
        });
    }
    let keys = format!("{id}-keys");
    let listening = keys.clone();
    Effect::new(move |_| {
        let hear = move |event: Event| pointing.set(heard(&event, pointing.get_untracked(), drawing, ask));
        // Dropped with this effect.
        StoredValue::new_local(platform::listen(&listening, &HEARD, Box::new(hear)));
        ask.into_iter().for_each(|ask| ask.run(Ask::Begun));
    });

    let figures = move || usage.with(|usage| Figures::of(usage, pointing.get().active?, &words));
    let figures = Memo::new(move |_| figures());
    let tooltip = move || {
        let place = drawing.with(|d| place(d, pointing.get().active?));
        figures.get().zip(place).map(|(figures, left)| view! { <Tooltip figures left/> })
    };
    let spoken = move || {
        let figures = figures.with(|figures| figures.as_ref().map(Figures::spoken))?;
        let buckets = pointing.get().selected.map(|(a, b)| a.abs_diff(b) + 1);
        Some(buckets.map_or(figures.clone(), |buckets| format!("{buckets} selected. {figures}")))
    };
    let crosshair = move || drawing.with(|drawing| usage.with(|usage| crosshair(drawing, usage, pointing.get())));
    view! {
        <div class="chart-box" id=id>
            <div class="chart-drawing" id=canvas inner_html=svg></div>
            <svg class="crosshair" aria-hidden="true" inner_html=crosshair></svg>
            <div
                class="chart-overlay"
                id=keys
                role="group"
                tabindex="0"
                aria-roledescription="chart"
                aria-label=label
            ></div>
            {tooltip}
            <p class="visually-hidden" aria-live="polite">{spoken}</p>
        </div>
    }
}

/// What is pointed at after an event of the overlay; zooming is the page's to do.
fn heard(event: &Event, now: Pointing, drawing: Memo<Drawing>, ask: Option<Callback<Ask>>) -> Pointing {
    let away = Pointing::default();
    let zoom = |(a, b): (usize, usize), by_keyboard: bool| {
        ask.into_iter().for_each(|ask| ask.run(Ask::ZoomIn(a.min(b), a.max(b), by_keyboard)));
    };
    if let Some(event) = event.dyn_ref::<KeyboardEvent>() {
        let count = drawing.with_untracked(|d| d.geometry.slots.len());
        let (next, chosen) = pressed(&event.key(), event.shift_key() && ask.is_some(), now, count);
        if let Some(selection) = chosen.filter(|_| ask.is_some()) {
            zoom(selection, true);
        }
        if next.is_some() {
            event.prevent_default();
        }
        return next.unwrap_or(now);
    }
    let Some(pointer) = event.dyn_ref::<MouseEvent>() else {
        let last = drawing.with_untracked(|d| d.geometry.slots.len()).checked_sub(1);
        let begins = event.type_() == "focus";
        return if begins {
            Pointing { active: now.active.or(last.filter(|_| now.down.is_none())), ..now }
        } else {
            away
        };
    };
    let x = pointer.offset_x();
    let active = drawing.with_untracked(|d| d.geometry.bucket_at(f64::from(x)));
    match event.type_().as_str() {
        "pointermove" => {
            let drags = |from: i32| now.selected.is_some() || (x - from).abs() > DRAG_PX;
            let selected = now.down.filter(|(from, _)| drags(*from)).map(|(_, first)| first).zip(active);
            Pointing { active, selected: selected.or(now.selected), ..now }
        }
        "pointerdown" if ask.is_some() && pointer.button() == 0 => {
            platform::hold_pointer(event);
            Pointing { active, selected: None, down: active.map(|bucket| (x, bucket)) }
        }
        "pointerdown" => Pointing { active, ..away },
        "pointerup" => {
            if let Some(selection) = now.selected.filter(|_| now.down.is_some()) {
                zoom(selection, false);
            }
            Pointing { active, ..away }
        }
        "dblclick" => {
            ask.into_iter().for_each(|ask| ask.run(Ask::ZoomOut));
            now
        }
        _ => away,
    }
}

/// What is pointed at after a key; nothing for keys that are not ours. Beside it what is to be zoomed into, if that.
fn pressed(key: &str, extends: bool, now: Pointing, count: usize) -> (Option<Pointing>, Option<(usize, usize)>) {
    match key {
        "Enter" => {
            let selection = now.selected.or(now.active.map(|bucket| (bucket, bucket)));
            (Some(Pointing { selected: None, ..now }), selection)
        }
        "Escape" if now.selected.is_some() => (Some(Pointing { selected: None, ..now }), None),
        _ => {
            let Some(active) = steered(key, now.active, count) else { return (None, None) };
            let first = now.selected.map(|(first, _)| first).or(now.active).or(active);
            let selected = first.zip(active).filter(|_| extends);
            (Some(Pointing { active, selected, ..now }), None)
        }
    }
}

/// What marks the active bucket, its points where lines are drawn, and what is selected: SVG of numbers and words of ours.
fn crosshair(drawing: &Drawing, usage: &Usage, pointing: Pointing) -> String {
    let mut svg = String::new();
    let mut bar = |class: &str, (a, b): (usize, usize)| {
        let slots = &drawing.geometry.slots;
        if let (Some(first), Some(last)) = (slots.get(a.min(b)), slots.get(a.max(b))) {
            let [x, y, w, h] = [px(first.x), px(first.y), px(last.x + last.w - first.x), px(first.h)];
            svg.push_str(&format!("<path class=\"{class}\" d=\"M{x} {y}h{w}v{h}h-{w}z\"/>"));
        }
    };
    pointing.selected.into_iter().for_each(|selected| bar("band", selected));
    let Some(active) = pointing.active else { return svg };
    bar("at", (active, active));
    if usage.plot.shape == Shape::Lines {
        for (i, series) in usage.plot.series.iter().enumerate().filter(|(_, s)| active < s.values.len()) {
            if let Some(at) = drawing.geometry.mark(active, i) {
                let (color, x, y) = (series.color, px(at.x + 0.5), px(at.y + 0.5));
                svg.push_str(&format!("<circle class=\"swatch s{color}\" cx=\"{x}\" cy=\"{y}\" r=\"3\"/>"));
            }
        }
    }
    svg
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

    #[test]
    fn shift_selects_from_where_it_began_and_enter_zooms() {
        let at = |active, selected| Pointing { active, selected, down: None };
        let selected = |key, extends, now| pressed(key, extends, now, 30).0.and_then(|p| p.selected);
        assert_eq!(selected("ArrowLeft", true, at(Some(9), None)), Some((9, 8)));
        assert_eq!(selected("ArrowLeft", true, at(Some(8), Some((9, 8)))), Some((9, 7)));
        assert_eq!(selected("ArrowRight", true, at(Some(29), Some((28, 29)))), Some((28, 29)));
        assert_eq!(selected("ArrowLeft", false, at(Some(8), Some((9, 8)))), None);
        assert_eq!(selected("Escape", false, at(Some(8), Some((9, 8)))), None);
        assert_eq!(pressed("Enter", false, at(Some(8), Some((9, 8))), 30).1, Some((9, 8)));
        assert_eq!(pressed("Enter", false, at(Some(8), None), 30).1, Some((8, 8)));
        assert!(pressed("Tab", false, at(Some(8), None), 30).0.is_none());
    }
}
