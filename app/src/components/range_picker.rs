//! The time picker: two months side by side, any two days, presets, two date fields.
//!
//! The first day clicked is the anchor, the second the other end; the same day twice is that one day. Until the second
//! click nothing is asked of the server. Without a script a day submits itself, presets are links and the two fields
//! are a form.

use super::calendar_grid::{Marks, calendar_grid, day_id};
use super::icon::Icon;
use crate::calendar::{Day, parse_iso, presets, range_text};
use crate::platform;
use crate::view::View;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, MouseEvent};

const POPOVER: &str = "range";

/// The state of an open picker.
#[derive(Clone, Copy)]
struct Picking {
    shown: (Day, Day),
    today: Day,
    /// The first day clicked.
    anchor: RwSignal<Option<Day>>,
    /// Where the keyboard is, and the preview's other end.
    focus: RwSignal<Day>,
    /// The right one of the two months.
    month: RwSignal<Day>,
}

impl Picking {
    fn new(shown: (Day, Day), today: Day) -> Self {
        let focus = shown.1.min(today);
        Self {
            shown,
            today,
            anchor: RwSignal::new(None),
            focus: RwSignal::new(focus),
            month: RwSignal::new(focus.first_of_month()),
        }
    }

    fn marks(self) -> Marks {
        let focus = self.focus.get();
        let chosen = self.anchor.get().map_or(self.shown, |anchor| (anchor.min(focus), anchor.max(focus)));
        Marks { chosen, focus, today: self.today }
    }

    fn turn(self, months: i32) {
        let turned = self.month.get_untracked().plus_months(months);
        self.month.set(turned.min(self.today.first_of_month()));
    }

    /// Moves the keyboard's day, turning the months where it leaves them.
    fn go(self, to: Day) {
        let to = to.min(self.today);
        let (month, right) = (to.first_of_month(), self.month.get_untracked());
        if month > right {
            self.month.set(month);
        } else if month < right.plus_months(-1) {
            self.month.set(month.plus_months(1));
        }
        self.focus.set(to);
        platform::focus(day_id(to));
    }

    /// The range that a click on this day completes.
    fn click(self, day: Day) -> Option<(Day, Day)> {
        self.focus.set(day);
        let anchor = self.anchor.get_untracked();
        self.anchor.set(if anchor.is_some() { None } else { Some(day) });
        anchor.map(|anchor| (anchor.min(day), anchor.max(day)))
    }
}

/// The button and its popover.
#[component]
pub fn RangePicker(
    /// The view that a new range goes into.
    view: Memo<View>,
    /// First and last day shown.
    shown: (Day, Day),
    /// Today, in the org's zone.
    today: Day,
    /// Whether a script runs.
    ready: RwSignal<bool>,
) -> impl IntoView {
    let picking = Picking::new(shown, today);
    let navigate = use_navigate();
    let choose = move |(from, to): (Day, Day)| {
        platform::close_popover(POPOVER);
        let next = view.with_untracked(|v| v.with_range(from, to));
        navigate(&next.href(), NavigateOptions { scroll: false, ..NavigateOptions::default() });
    };
    let click = move |event: MouseEvent| {
        if let Some(day) = day_of(event.target()) {
            event.prevent_default();
            if let Some(range) = picking.click(day) {
                choose(range);
            }
        }
    };
    let hover = move |event: web_sys::PointerEvent| {
        if let (Some(day), Some(_)) = (day_of(event.target()), picking.anchor.get_untracked()) {
            picking.focus.set(day);
        }
    };
    let steer = move |event: KeyboardEvent| {
        if day_of(event.target()).is_some()
            && let Some(to) = steered(&event.key(), picking.focus.get_untracked())
        {
            event.prevent_default();
            picking.go(to);
        }
    };
    let months = move || {
        let (right, marks) = (picking.month.get(), picking.marks());
        (calendar_grid(right.plus_months(-1), marks), calendar_grid(right, marks))
    };
    let hint = move || match picking.anchor.get() {
        Some(day) => format!("From {}: choose the other day, or the same again.", day.medium()),
        None => "Choose the first day, then the last; the same twice for one day.".to_owned(),
    };
    view! {
        <button type="button" class="button" popovertarget=POPOVER>
            <Icon name="calendar"/>
            <span>{range_text(shown.0, shown.1)}</span>
            <Icon name="down"/>
        </button>
        <div id=POPOVER class="popover range" popover="auto">
            <Presets view shown today/>
            <div class="range-main">
                <div class="range-turn">
                    <Arrow label="Previous month" icon="left" step=-1 picking ready/>
                    <Arrow label="Next month" icon="right" step=1 picking ready/>
                </div>
                <form class="months" method="get" action="/analytics" on:click=click on:pointerover=hover on:keydown=steer>
                    <HiddenFields view/>
                    {months}
                </form>
                <p class="range-hint" aria-live="polite">{hint}</p>
                <DateFields view shown today/>
            </div>
        </div>
    }
}

#[component]
fn Presets(view: Memo<View>, shown: (Day, Day), today: Day) -> impl IntoView {
    let link = move |preset: crate::calendar::Preset| {
        let href = move || view.with(|v| v.with_range(preset.from, preset.to).href());
        let current = ((preset.from, preset.to) == shown).then_some("true");
        let close = move |_| platform::close_popover(POPOVER);
        view! { <li><a href=href aria-current=current data-noscroll="" on:click=close>{preset.title}</a></li> }
    };
    view! { <ul class="presets" aria-label="Ranges">{presets(today).map(link)}</ul> }
}

#[component]
fn Arrow(label: &'static str, icon: &'static str, step: i32, picking: Picking, ready: RwSignal<bool>) -> impl IntoView {
    let at_end = move || step > 0 && picking.month.get() >= picking.today.first_of_month();
    view! {
        <button
            type="button"
            class="button quiet"
            aria-label=label
            disabled=move || !ready.get() || at_end()
            on:click=move |_| picking.turn(step)
        >
            <Icon name=icon/>
        </button>
    }
}

#[component]
fn DateFields(view: Memo<View>, shown: (Day, Day), today: Day) -> impl IntoView {
    view! {
        <form class="date-fields" method="get" action="/analytics">
            <HiddenFields view/>
            <label><span>"From"</span><input type="date" name="from" required value=shown.0.iso() max=today.iso()/></label>
            <label><span>"To"</span><input type="date" name="to" required value=shown.1.iso() max=today.iso()/></label>
            <button class="button primary">"Apply"</button>
        </form>
    }
}

/// The rest of the view, so that a form keeps it.
#[component]
fn HiddenFields(view: Memo<View>) -> impl IntoView {
    move || {
        let pairs = view.with(View::pairs).into_iter().filter(|(name, _)| !matches!(name.as_str(), "from" | "to"));
        pairs.map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()
    }
}

/// The day whose button was hit.
fn day_of(target: Option<web_sys::EventTarget>) -> Option<Day> {
    let button = target?.dyn_into::<Element>().ok()?.closest("button[name=day]:enabled").ok()??;
    parse_iso(&button.get_attribute("value")?)
}

/// The day that a key leads to, after the ARIA grid pattern.
fn steered(key: &str, from: Day) -> Option<Day> {
    Some(match key {
        "ArrowLeft" => from.plus_days(-1),
        "ArrowRight" => from.plus_days(1),
        "ArrowUp" => from.plus_days(-7),
        "ArrowDown" => from.plus_days(7),
        "Home" => from.plus_days(-i64::from(from.weekday())),
        "End" => from.plus_days(6 - i64::from(from.weekday())),
        "PageUp" => from.plus_months(-1),
        "PageDown" => from.plus_months(1),
        _ => return None,
    })
}
