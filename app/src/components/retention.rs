//! What pages say of details of events that are not kept any more.

use crate::format;
use crate::markup::Markup;

/// For how long details are kept; `until` is the day until which they are gone.
#[must_use]
pub fn sentence(days: Option<u32>, until: Option<&str>) -> String {
    match (days, until) {
        (None, None) => "Details of events are kept for as long as the ledger.".to_owned(),
        (Some(days), None) => format!("Details of events are kept for {days} days."),
        (Some(days), Some(until)) => {
            format!("Details of events are kept for {days} days; those booked until {until} have only their sums left.")
        }
        (None, Some(until)) => {
            format!("Details of events are kept; those booked until {until} were not, and have only their sums left.")
        }
    }
}

/// A notice that details of so many events are gone, and what that means here; nothing where none are.
#[must_use]
pub fn gone(events: i64, meaning: &str) -> Option<Markup> {
    let of = format::counted(events, "event", "events");
    let text = format!("Details of {of} are no longer kept. {meaning}");
    (events > 0).then(|| Markup::new("p").class("notice").attr("role", "note").text(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_how_long_details_are_kept_and_what_is_gone() {
        let said = |days, until| sentence(days, until);
        assert!(said(None, None).contains("as long as the ledger"));
        assert!(said(Some(90), None).ends_with("90 days."));
        assert!(said(Some(90), Some("12 Aug 2026")).contains("until 12 Aug 2026"));
        assert!(said(None, Some("12 Aug 2026")).contains("were not"));
        assert!(gone(0, "").is_none() && gone(1, "").is_some());
    }
}
