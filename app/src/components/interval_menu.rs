//! How wide a bar is: what the range can have is offered, what it cannot says why.

use super::menu::{item, list, menu, not_offered};
use super::still::follows;
use crate::calendar::Day;
use crate::format;
use crate::markup::Markup;
use crate::steer::Steer;
use crate::view::{View, can_have};
use ledger::Interval;
use leptos::prelude::*;

const INTERVALS: [Interval; 4] = [Interval::Hour, Interval::Day, Interval::Week, Interval::Month];

/// Automatic, hour, day, week, month.
#[component]
pub fn IntervalMenu(
    /// The view that the links start from.
    steer: Steer,
    /// First and last day shown.
    shown: (Day, Day),
    /// What is shown.
    interval: Interval,
) -> impl IntoView {
    let label = move || {
        let is_chosen = steer.late.with(|v| v.interval == Some(interval));
        if is_chosen { format::capital(interval.as_str()) } else { format!("Auto ({})", interval.as_str()) }
    };
    menu("interval", "Interval", Some(Signal::derive(label)), follows(steer.opened, move |v| widths(v, shown)))
}

fn widths(view: &View, (from, to): (Day, Day)) -> Markup {
    let automatic = item(view, "Automatic", &View { interval: None, ..view.clone() });
    list([automatic]).children(INTERVALS.map(|width| {
        let title = format::capital(width.as_str());
        if can_have(width, from, to) {
            item(view, &title, &View { interval: Some(width), ..view.clone() })
        } else {
            not_offered(&title, "more than 400 bars")
        }
    }))
}
