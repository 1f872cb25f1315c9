//! One month of the time picker, after the grid pattern of the ARIA authoring practices: one day can be tabbed to, the
//! arrow keys lead on from there. Each day is a button that submits itself, so that days can be chosen without a script.

use crate::calendar::{Day, month_grid, weekdays};
use leptos::prelude::*;

/// What is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// First and last day chosen, in order.
    pub chosen: (Day, Day),
    /// The day that Tab leads to.
    pub focus: Day,
    /// The last day that can be chosen.
    pub today: Day,
}

/// The id of a day's button, for the focus.
#[must_use]
pub fn day_id(day: Day) -> String {
    format!("day-{}", day.iso())
}

/// The month of `month`. Clicks and keys are the picker's: it listens once for all days.
pub fn calendar_grid(month: Day, marks: Marks) -> impl IntoView {
    let (title, label) = (month.month_title(), month.month_title());
    let heads = weekdays().map(|(short, full)| view! { <th scope="col" abbr=full>{short}</th> });
    let weeks = month_grid(month).map(|week| view! { <tr>{week.map(|day| cell(day, marks))}</tr> });
    view! {
        <table class="month" role="grid" aria-label=label>
            <caption>{title}</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{weeks}</tbody>
        </table>
    }
}

fn cell(day: Option<Day>, marks: Marks) -> impl IntoView {
    let (first, last) = marks.chosen;
    let chosen = day.is_some_and(|day| (first..=last).contains(&day));
    let class = match day {
        Some(day) if day == first && day == last => "day only",
        Some(day) if day == first => "day first",
        Some(day) if day == last => "day last",
        Some(_) if chosen => "day within",
        Some(_) => "day",
        None => "",
    };
    let button = day.map(|day| {
        view! {
            <button
                id=day_id(day)
                name="day"
                value=day.iso()
                tabindex={if day == marks.focus { "0" } else { "-1" }}
                disabled={day > marks.today}
                autofocus={day == marks.focus}
                aria-label=day.spoken()
                aria-current={(day == marks.today).then_some("date")}
            >
                {day.number()}
            </button>
        }
    });
    view! { <td role="gridcell" class=class aria-selected=if chosen { "true" } else { "false" }>{button}</td> }
}
