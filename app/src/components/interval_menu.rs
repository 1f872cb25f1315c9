//! How wide a bar is: what the range can have is offered, what it cannot says why.

use super::menu::{item, menu, not_offered};
use crate::calendar::Day;
use crate::format;
use crate::view::{View, can_have};
use ledger::Interval;
use leptos::prelude::*;

const MENU: &str = "interval";
const INTERVALS: [Interval; 4] = [Interval::Hour, Interval::Day, Interval::Week, Interval::Month];

/// Automatic, hour, day, week, month.
#[component]
pub fn IntervalMenu(
    /// The view that the links start from.
    view: Memo<View>,
    /// First and last day shown.
    shown: (Day, Day),
    /// What is shown.
    interval: Interval,
) -> impl IntoView {
    let label = move || {
        let automatic = if view.with(|v| v.interval == Some(interval)) { "" } else { "Auto: " };
        let name = interval.as_str();
        if automatic.is_empty() { format::capital(name) } else { format!("{automatic}{name}") }
    };
    let automatic = item(view, MENU, "Automatic".to_owned(), Box::new(|v| View { interval: None, ..v.clone() }));
    let widths = INTERVALS.map(|width| {
        let title = format::capital(width.as_str());
        if can_have(width, shown.0, shown.1) {
            return item(view, MENU, title, Box::new(move |v| View { interval: Some(width), ..v.clone() }));
        }
        not_offered(title, "more than 400 bars")
    });
    let content = view! { {automatic} {widths.into_iter().collect_view()} };
    menu(MENU, label, "Interval", content.into_any())
}
