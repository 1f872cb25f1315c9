//! Rate cards: ordered lines with an effective time; the first line that matches wins.

use crate::canon::{Canon, Hash};
use crate::event::Event;
use crate::id::{LineNo, RateCardVersion};
use crate::label::Meter;
use crate::rate::{RateLine, Rule};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lines one card may have: each event may look at all of them.
pub const MAX_LINES: usize = 500;

/// One version of an org's prices. A new version never re-rates what an older one rated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateCard {
    /// Which version.
    pub version: RateCardVersion,
    /// From when it rates what is booked.
    pub effective_at: Timestamp,
    /// In the order in which they are tried.
    pub lines: Vec<RateLine>,
}

impl RateCard {
    /// Checks lines before they become a card.
    ///
    /// # Errors
    /// [`Refusal::BadRateLine`] for the first line that cannot be used, or [`Refusal::TooMany`].
    pub fn check(lines: &[RateLine]) -> Result<(), Refusal> {
        if lines.len() > MAX_LINES {
            return Err(Refusal::TooMany { field: "the rate card", max: MAX_LINES });
        }
        for (index, line) in lines.iter().enumerate() {
            if let Some(problem) = line.problem() {
                return Err(Refusal::BadRateLine { line: index + 1, problem: problem.to_owned() });
            }
        }
        Ok(())
    }

    /// What captured holds are charged by: the event reports what was captured.
    #[must_use]
    pub fn of_captures(meter: Meter) -> Self {
        let line = RateLine { meter, sources: Vec::new(), attributes: BTreeMap::new(), rule: Rule::Reported };
        let effective_at = Timestamp::from_micros(0);
        Self { version: RateCardVersion::CAPTURES, effective_at, lines: vec![line] }
    }

    /// The hash of what it says: what its entry in the chain binds. `lines` is their JSON as it is kept.
    #[must_use]
    pub fn terms(version: RateCardVersion, effective_at: Timestamp, lines: &str) -> Hash {
        Canon::new("scrip-rate-card-1").int(version.0).int(effective_at.micros()).text(lines).hash()
    }

    /// The line that charges `meter` for `event`.
    ///
    /// # Errors
    /// [`Refusal::UnknownMeter`] where no line names the meter, [`Refusal::NoRate`] where none of those that do matches.
    pub fn line_for(&self, meter: &Meter, event: &Event) -> Result<(LineNo, &RateLine), Refusal> {
        let found = self.lines.iter().zip(1_i64..).find(|(line, _)| line.meter == *meter && matches(line, event));
        if let Some((line, number)) = found {
            return Ok((LineNo(number), line));
        }
        if self.lines.iter().any(|line| line.meter == *meter) {
            Err(Refusal::NoRate { meter: meter.to_string(), from: event.source.to_string() })
        } else {
            Err(Refusal::UnknownMeter { meter: meter.to_string(), known: self.known_meters() })
        }
    }

    /// The line of that number.
    #[must_use]
    pub fn line(&self, number: LineNo) -> Option<&RateLine> {
        let index = usize::try_from(number.0).ok()?.checked_sub(1)?;
        self.lines.get(index)
    }

    fn known_meters(&self) -> String {
        let mut names: Vec<&str> = self.lines.iter().map(|line| line.meter.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        match names.as_slice() {
            [] => "it is empty; put a rate card first".to_owned(),
            names => format!("it has {}", names.iter().take(20).copied().collect::<Vec<_>>().join(", ")),
        }
    }
}

fn matches(line: &RateLine, event: &Event) -> bool {
    (line.sources.is_empty() || line.sources.contains(&event.source))
        && line.attributes.iter().all(|(name, value)| event.attribute(name) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Form;
    use crate::rate::Rule;

    fn event(source: &str, data: &str) -> Event {
        Event::from_json(
            &format!(r#"{{"id":"1","source":"{source}","type":"viewer_session","data":{data}}}"#),
            Form::Plain,
        )
        .expect("valid")
    }

    fn card(lines: &str) -> RateCard {
        let lines = serde_json::from_str(lines).expect("valid lines");
        RateCard { version: RateCardVersion(1), effective_at: crate::time::EARLIEST, lines }
    }

    #[test]
    fn the_first_line_that_matches_wins() {
        let card = card(
            r#"[{"meter":"viewer_session","sources":["platform"],"rule":"free"},
                {"meter":"viewer_session","attributes":{"tier":"gold"},"rule":"unit","price":"1"},
                {"meter":"viewer_session","sources":["embedded"],"rule":"block","price":"1.000000","size":"600","counted":"per_event"}]"#,
        );
        let meter = Meter::parse("viewer_session").expect("valid");
        let line = |source, data| card.line_for(&meter, &event(source, data)).map(|(number, _)| number.0);
        assert_eq!(line("platform", r#"{"attributes":{"tier":"gold"}}"#), Ok(1));
        assert_eq!(line("embedded", r#"{"attributes":{"tier":"gold"}}"#), Ok(2));
        assert_eq!(line("embedded", "{}"), Ok(3));
        assert!(matches!(line("backend", "{}"), Err(Refusal::NoRate { .. })));
        assert!(matches!(card.line(LineNo(1)).map(|l| &l.rule), Some(Rule::Free)));
        assert_eq!(card.line(LineNo(0)), None);
    }

    #[test]
    fn an_unknown_meter_is_told_the_known_ones() {
        let card = card(r#"[{"meter":"export","rule":"unit","price":"1"}]"#);
        let refused = card.line_for(&Meter::parse("exports").expect("valid"), &event("s", "{}")).expect_err("unknown");
        assert_eq!(refused.to_string(), "the rate card has no meter \"exports\": it has export");
    }
}
