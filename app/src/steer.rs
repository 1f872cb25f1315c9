//! Where the page of a view goes: what is shown first, what the address says after the frame, and the way back from a zoom.
//!
//! The router needs some 3 ms for a step (half of it the browser's own `pushState`), more than the chart does. So a click
//! on a link that asks the server nothing new is taken before the router sees it: the view changes at once, the address
//! follows when the frame is on the screen. Every other link is the router's, and without a script all of them are links.
//!
//! The way back from a zoom is remembered beside the page, not in the address: a link shows a colleague the range, not how
//! somebody came to it. It is offered only while the view still is where a zoom has led.

use crate::calendar::Day;
use crate::platform;
use crate::span::Bound;
use crate::view::View;
use ledger::{Cube, Interval};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use web_sys::MouseEvent;

/// What says in an address what became of a saved view.
const OUTCOME: &str = "views=";

/// What a zoom changes of a view.
type Stretch = (Option<(Bound, Bound)>, Option<Interval>);

/// One signal for all, since each kind of signal is code of its own.
#[derive(Default)]
struct State {
    /// What was asked for last, until the address says it.
    asked: Option<View>,
    /// The step that the address has not made yet, and whether it replaces the last one.
    waiting: Option<(String, bool)>,
    /// Where each zoom led, and where from.
    zooms: Vec<(Stretch, Stretch)>,
    /// Whether the keyboard zoomed: the chart that comes gets the focus of the one that goes.
    focused: bool,
}

/// See the module.
#[derive(Clone, Copy)]
pub struct Steer {
    /// What is shown: what was asked for last, or what the address says.
    pub view: Memo<View>,
    /// The same once it is on the screen: for what only leads on from it (menus, links, the table), so that writing it again
    /// does not hold up the frame in which the chart is redrawn.
    pub late: Memo<View>,
    /// The same when a menu was opened last: for what nobody sees before. A dozen menus take longer to write than the chart.
    pub opened: Memo<View>,
    /// How often a menu was opened.
    openings: RwSignal<u32>,
    search: Memo<String>,
    state: RwSignal<State>,
    go: Callback<(String, bool)>,
}

impl Steer {
    /// Of the page at the present address.
    #[must_use]
    pub fn here() -> Self {
        let search = use_location().search;
        let state = RwSignal::new(State::default());
        // A step of the address is the last word, whoever made it.
        Effect::new(move |_| {
            // What a form has done is told once: neither a link that somebody copies nor the way back tells it again.
            search.with(|search| {
                if search.contains(OUTCOME) {
                    platform::rewrite_address(&View::parse(search).href());
                }
            });
            state.update(|state| state.asked = None);
        });
        let view = Memo::new(move |_| {
            state.with(|state| state.asked.clone()).unwrap_or_else(|| search.with(|search| View::parse(search)))
        });
        let settled = RwSignal::new(view.get_untracked());
        Effect::new(move |_| {
            let now = view.get();
            if now != settled.get_untracked() {
                platform::after_paint(move || settled.set(view.get_untracked()));
            }
        });
        let late = Memo::new(move |_| settled.get());
        let openings = RwSignal::new(0_u32);
        let opened = Memo::new(move |_| {
            openings.track();
            view.get_untracked()
        });
        let navigate = use_navigate();
        let go = Callback::new(move |(href, replace): (String, bool)| {
            navigate(&href, NavigateOptions { scroll: false, replace, ..NavigateOptions::default() });
        });
        Self { view, late, opened, openings, search, state, go }
    }

    /// Goes to another view; `replace` for what is no step that anybody wants to go back by itself.
    pub fn to(self, view: View, replace: bool) {
        let (href, before) = (view.href(), self.search.get_untracked());
        if self.view.with_untracked(View::question) != view.question() {
            self.go.run((href, replace));
            return;
        }
        self.state.update(|state| {
            state.asked = Some(view);
            state.waiting = Some((href, replace));
        });
        platform::after_paint(move || {
            // The page may be gone by now, or the address have moved on.
            let is_here = self.search.try_get_untracked().is_some_and(|now| now == before);
            let step = self.state.try_update_untracked(|state| state.waiting.take()).flatten();
            if let Some(step) = step.filter(|_| is_here) {
                self.go.run(step);
            }
        });
    }

    /// Takes a click on a link of this page, or on what opens a menu. Links that say so replace the last step.
    pub fn click(self, event: &MouseEvent) {
        if platform::opens(event) {
            // Before the browser opens it.
            self.openings.update(|count| *count = count.wrapping_add(1));
        }
        let Some((href, replaces)) = platform::link_of(event) else { return };
        let Some(query) = href.strip_prefix("/analytics") else { return };
        let view = View::parse(query);
        // What an address says beside the view (an open menu) is the router's to show.
        if view.href() == href && self.view.with_untracked(View::question) == view.question() {
            event.prevent_default();
            self.to(view, replaces);
        }
    }

    /// Shows these days alone.
    pub fn zoom(self, (from, to): (Day, Day), by_keyboard: bool) {
        let now = self.view.get_untracked();
        // A chosen width stays where it still gives more than one bar.
        let interval = now.interval.filter(|_| from != to);
        let next = View { interval, ..now.with_range(from, to) };
        self.state.update(|state| {
            state.zooms.push((stretch(&next), stretch(&now)));
            state.focused = by_keyboard;
        });
        self.to(next, false);
    }

    /// The view before the last zoom, while the view is where that led.
    #[must_use]
    pub fn back(self) -> Option<View> {
        let now = self.view.get();
        let (range, interval) = self.state.with(|state| {
            let here = stretch(&now);
            state.zooms.iter().rfind(|(to, _)| *to == here).map(|(_, from)| *from)
        })?;
        Some(View { range, interval, ..now })
    }

    /// Shows what was shown before the last zoom.
    pub fn zoom_out(self) {
        if let Some(view) = untrack(|| self.back()) {
            self.to(view, false);
        }
    }

    /// Whether the chart that is there now gets the focus of the one before it; asked once.
    #[must_use]
    pub fn takes_focus(self) -> bool {
        self.state.try_update_untracked(|state| std::mem::take(&mut state.focused)).unwrap_or(false)
    }
}

const fn stretch(view: &View) -> Stretch {
    (view.range, view.interval)
}

/// The days of some buckets, from the first to the last; `None` where they are all that is shown already, or where a day
/// is shown by its hours, which nothing is finer than.
#[must_use]
pub fn days_of(cube: &Cube, (first, last): (usize, usize), shown: (Day, Day)) -> Option<(Day, Day)> {
    let day = |bucket: usize| Day::new(cube.buckets.get(bucket)?.local.date());
    let from = day(first)?.max(shown.0);
    let to = match cube.interval {
        Interval::Hour => day(last)?,
        _ => day(last + 1).map_or(shown.1, |next| next.plus_days(-1)).min(shown.1),
    };
    ((from, to) != shown).then_some((from, to.max(from)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_chart::specimen_cube;

    #[test]
    fn buckets_are_whole_days() {
        let mut cube = specimen_cube();
        let shown = (
            Day::new(cube.buckets[0].local.date()).expect("a day"),
            Day::new(cube.buckets[2].local.date()).expect("a day"),
        );
        let days = |cube: &Cube, buckets| days_of(cube, buckets, shown).map(|(a, b)| (a.iso(), b.iso()));
        assert_eq!(days(&cube, (1, 2)), Some(("2026-11-13".to_owned(), "2026-11-14".to_owned())));
        assert_eq!(days(&cube, (0, 0)), Some(("2026-11-12".to_owned(), "2026-11-12".to_owned())));
        assert_eq!(days(&cube, (0, 2)), None, "all that is shown");
        cube.interval = Interval::Hour;
        assert_eq!(days_of(&cube, (0, 0), (shown.0, shown.0)), None, "hours of one day");
        assert_eq!(days(&cube, (0, 1)), Some(("2026-11-12".to_owned(), "2026-11-13".to_owned())));
    }
}
