//! The time picker: two months side by side, any two days, presets, two fields for days or terms such as `now-7d`, and a way
//! to the days right before and after.
//!
//! The first day clicked is the anchor, the second the other end; the same day twice is that one day. Until the second
//! click nothing is asked of the server. Without a script a day submits itself, the next one makes a range of both,
//! presets are links and the two fields are a form.

use super::calendar_grid::{Marks, calendar_grid, day_id};
use super::icon::Icon;
use super::still::follows;
use crate::calendar::{Day, Preset, parse_iso, presets, range_text, shifted};
use crate::markup::{Markup, hidden, span};
use crate::platform;
use crate::span::Bound;
use crate::steer::Steer;
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
    steer: Steer,
    /// First and last day shown.
    shown: (Day, Day),
    /// Today, in the org's zone.
    today: Day,
    /// Whether a script runs.
    ready: RwSignal<bool>,
) -> impl IntoView {
    let (view, opened) = (steer.late, steer.opened);
    let picking = Picking::new(shown, today);
    shift_by_keys(view, shown, today);
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
    let press = move |event: KeyboardEvent| {
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
        <div class="range-bar" role="group" aria-label="Range">
            {follows(view, move |v| shift(v, shown, today, -1))}
        <button type="button" class="button" popovertarget=POPOVER>
            <Icon name="calendar"/>
            <span>{range_text(shown.0, shown.1)}</span>
            <Icon name="down"/>
        </button>
            {follows(view, move |v| shift(v, shown, today, 1))}
        </div>
        <div id=POPOVER class="popover range" popover="auto">
            <div class="presets" on:click=move |_| platform::close_popover(POPOVER)>
                {follows(opened, move |v| preset_links(v, shown, today))}
            </div>
            <div class="range-main">
                <div class="range-turn">
                    <Arrow label="Previous month" icon="left" step=-1 picking ready/>
                    <Arrow label="Next month" icon="right" step=1 picking ready/>
                </div>
                <form class="months" method="get" action="/analytics" on:click=click on:pointerover=hover on:keydown=press>
                    {follows(opened, kept_by_days)}
                    {months}
                </form>
                <p class="range-hint" aria-live="polite">{hint}</p>
                {follows(opened, move |v| date_fields(v, shown))}
            </div>
        </div>
    }
}

/// The days right before or after, as many of them.
fn shift(view: &View, shown: (Day, Day), today: Day, step: i32) -> Markup {
    let (from, to) = shifted(shown, step);
    let (label, sign) = if step < 0 { ("Earlier", "\u{2190}") } else { ("Later", "\u{2192}") };
    let title = format!("{label}: {}", range_text(from, to));
    if from > today {
        let there = Markup::new("span").class("button").attr("role", "link").attr("aria-disabled", "true");
        return there.attr("aria-label", &title).text(sign);
    }
    let link =
        Markup::new("a").class("button").attr("href", &view.with_range(from, to).href()).attr("data-noscroll", "");
    link.attr("aria-label", &title).attr("title", &title).text(sign)
}

/// The days to which an arrow key leads where nothing else takes it.
fn shift_by_keys(view: Memo<View>, shown: (Day, Day), today: Day) {
    let navigate = use_navigate();
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let listening = window_event_listener(leptos::ev::keydown, move |event| {
            let step = match event.key().as_str() {
                "ArrowLeft" => -1,
                "ArrowRight" => 1,
                _ => return,
            };
            let (from, to) = shifted(shown, step);
            if from <= today && platform::is_on_page(&event) {
                let next = view.with_untracked(|v| v.with_range(from, to).href());
                navigate(&next, NavigateOptions { scroll: false, ..NavigateOptions::default() });
            }
        });
        on_cleanup(move || listening.remove());
    });
}

fn preset_links(view: &View, shown: (Day, Day), today: Day) -> Markup {
    let link = |preset: Preset| {
        let current = (preset.days(today) == shown).then_some("true");
        let to = View { range: Some(preset.range), ..view.clone() };
        let link =
            Markup::new("a").attr("href", &to.href()).attr("data-noscroll", "").maybe_attr("aria-current", current);
        Markup::new("li").child(link.text(preset.title))
    };
    Markup::new("ul").attr("aria-label", "Ranges").children(presets(today).map(link))
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

/// What browsers check before the form is sent: [`crate::span::Bound`], as a pattern.
const PATTERN: &str = "\\d{4}-\\d{2}-\\d{2}|[Nn][Oo][Ww](-\\d{1,4}[HDWMYhdwmy]|/[DWMYdwmy])?";
const HINT: &str = "A day like 2026-11-01, or a term: now, now-7d, now-3M, now/M for this month\u{2019}s first.";

fn date_fields(view: &View, shown: (Day, Day)) -> Markup {
    let field = |name: &str, title: &str, value: &str| {
        let input = Markup::new("input")
            .attr("name", name)
            .attr("value", value)
            .attr("required", "")
            .attr("pattern", PATTERN)
            .attr("title", HINT)
            .attr("maxlength", "12")
            .attr("autocomplete", "off")
            .attr("spellcheck", "false")
            .attr("aria-describedby", "range-terms");
        Markup::new("label").child(span(title)).child(input)
    };
    let (from, to) = view.range.unwrap_or((Bound::Day(shown.0), Bound::Day(shown.1)));
    let form = Markup::new("form")
        .class("date-fields")
        .attr("method", "get")
        .attr("action", "/analytics")
        .child(kept(view))
        .child(field("from", "From", &from.to_string()))
        .child(field("to", "To", &to.to_string()))
        .child(Markup::new("button").class("button primary").text("Apply"));
    let hint = Markup::new("p").attr("id", "range-terms").class("range-hint").text(HINT);
    let next = platform::picked().map_or_else(
        || "The first day is shown at once; choose the last one here after that.".to_owned(),
        |day| format!("From {}: choose the other day.", day.medium()),
    );
    let next = Markup::new("p").class("range-hint without-script").text(&next);
    Markup::new("div").child(next).child(form).child(hint)
}

/// The rest of the view, so that a form keeps it.
fn kept(view: &View) -> Markup {
    let pairs = view.pairs().into_iter().filter(|(name, _)| !matches!(name.as_str(), "from" | "to")).collect();
    Markup::new("span").attr("hidden", "").children(hidden(pairs))
}

/// The same for the days of the calendar: behind the first of two goes the other one.
fn kept_by_days(view: &View) -> Markup {
    let first = platform::picked().map(|day| ("from", day.iso()));
    kept(view).children(hidden(first.into_iter().collect()))
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
