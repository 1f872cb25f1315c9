//! Zooming into a part of the time axis, and out again the same way.
//!
//! The way back is remembered beside the page, not in the address: a link shows a colleague the range, not how somebody
//! came to it. It is offered only while the view still is where a zoom has led.

use crate::calendar::Day;
use crate::platform;
use crate::span::Bound;
use crate::steer::Steer;
use crate::view::View;
use ledger::{Cube, Interval};
use leptos::prelude::*;

/// What a zoom changes of a view.
type Stretch = (Option<(Bound, Bound)>, Option<Interval>);

/// The zooms of a page.
#[derive(Clone, Copy)]
pub struct Zoom {
    steer: Steer,
    /// Where each led, and where from.
    steps: RwSignal<Vec<(Stretch, Stretch)>>,
    /// The chart that had the keyboard's focus, and gets it again when it is there anew.
    focused: StoredValue<bool>,
}

impl Zoom {
    /// Of a page that is steered so.
    #[must_use]
    pub fn of(steer: Steer) -> Self {
        Self { steer, steps: RwSignal::new(Vec::new()), focused: StoredValue::new(false) }
    }

    /// Shows these days alone.
    pub fn into(self, (from, to): (Day, Day), by_keyboard: bool) {
        let now = self.steer.view.get_untracked();
        // A chosen width stays where it still gives more than one bar.
        let interval = now.interval.filter(|_| from != to);
        let next = View { interval, ..now.with_range(from, to) };
        self.steps.update(|steps| steps.push((stretch(&next), stretch(&now))));
        self.focused.set_value(by_keyboard);
        self.steer.to(next, false);
    }

    /// The view before the last zoom, while the view is where that led.
    #[must_use]
    pub fn back(self) -> Option<View> {
        let now = self.steer.view.get();
        let (range, interval) = self.steps.with(|steps| {
            let here = stretch(&now);
            steps.iter().rfind(|(to, _)| *to == here).map(|(_, from)| *from)
        })?;
        Some(View { range, interval, ..now })
    }

    /// Shows what was shown before.
    pub fn out(self) {
        if let Some(view) = untrack(|| self.back()) {
            self.steer.to(view, false);
        }
    }

    /// Gives the chart of that id the focus that the one before it had.
    pub fn focus_again(self, id: String) {
        if self.focused.try_update_value(std::mem::take).unwrap_or(false) {
            platform::focus(id);
        }
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
