//! The still parts of Overview: its head, what is left, spent and granted, and the last events.

use super::balance_card::balance_card;
use super::events_table::{EventLine, events_table};
use super::stat_card::stat_card;
use crate::format;
use crate::markup::{Markup, time};
use crate::server_fns::Moment;
use crate::server_fns::overview::DAYS;
use ledger::{Balance, Credits, Words};

/// What the cards say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// What the org has.
    pub balance: Balance,
    /// At what available balance, or below, it is low.
    pub low_balance: Option<Credits>,
    /// All that was ever given.
    pub granted: Credits,
    /// All that was ever spent.
    pub spent: Credits,
    /// Spent in the last [`DAYS`] days.
    pub recent: Credits,
    /// All events ever accepted.
    pub event_count: i64,
}

/// The page's head.
#[must_use]
pub fn head(as_of: &Moment) -> Markup {
    let as_of = Markup::new("p").class("muted").text("As of ").child(time(as_of));
    Markup::new("div").class("page-head").child(Markup::new("h1").text("Overview")).child(as_of)
}

/// How much is left, what used it, will it last.
#[must_use]
pub fn cards(words: &Words, figures: &Figures) -> Markup {
    let Figures { balance, low_balance, granted, spent, recent, event_count } = figures;
    let average = format::per_day(*recent, DAYS);
    let pace = format!("Last {DAYS} days. {}", outlook(balance.available, average));
    let share = format::share(*spent, *granted).map(|share| format!(", {share} of what was granted"));
    let count = format::counted(*event_count, "event", "events") + &share.unwrap_or_default();
    Markup::new("div")
        .class("stats")
        .child(balance_card(words, balance, *low_balance))
        .child(stat_card(words, "Spent", *spent, &count))
        .child(stat_card(words, "Granted", *granted, "All that was ever given"))
        .child(stat_card(words, "Average per day", average, &pace))
}

/// The panel of the last events.
#[must_use]
pub fn last_events(words: &Words, events: &[EventLine]) -> Markup {
    let title = Markup::new("h2").attr("id", "events").text("Last events");
    Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", "events")
        .child(Markup::new("div").class("panel-head").child(title))
        .child(events_table(words, events))
}

/// Will it last: what is available at the average pace. A forecast will know better.
fn outlook(available: Credits, daily: Credits) -> String {
    if !available.is_positive() {
        return "Nothing is left.".to_owned();
    }
    match format::days_left(available, daily) {
        Some(0) => "At this pace the balance does not last a day.".to_owned(),
        Some(days) => format!("At this pace the balance lasts {}.", format::counted(days, "day", "days")),
        None => "At this pace the balance lasts for years.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outlook_in_words() {
        let say = |available, daily| outlook(Credits::from_micros(available), Credits::from_micros(daily));
        assert_eq!(say(0, 5), "Nothing is left.");
        assert_eq!(say(4, 5), "At this pace the balance does not last a day.");
        assert_eq!(say(5, 5), "At this pace the balance lasts 1 day.");
        assert_eq!(say(5, 0), "At this pace the balance lasts for years.");
    }
}
