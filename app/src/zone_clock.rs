//! The clock of an org's zone over a stretch of time, small enough to travel with a page: so that the browser writes times
//! as the server does, without a database of zones and without asking for its own.

use chrono::{DateTime, NaiveDateTime};
use serde::{Deserialize, Serialize};

/// From which second since 1970 on the zone is how many seconds ahead of UTC. The first holds for all time before, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneClock(Vec<(i64, i32)>);

impl ZoneClock {
    /// From what the zone is ahead of UTC at any second, over `from ..= to`. Cost: a look-up per day, and some more for each
    /// change.
    #[must_use]
    pub fn of(from: i64, to: i64, ahead: impl Fn(i64) -> i32) -> Self {
        const DAY_S: i64 = 86_400;
        let mut pieces = vec![(from, ahead(from))];
        let mut day = from;
        while day < to {
            let next = day.saturating_add(DAY_S);
            let (before, after) = (ahead(day), ahead(next));
            if before != after {
                let (mut low, mut high) = (day, next);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if ahead(middle) == before { low = middle } else { high = middle }
                }
                pieces.push((high, after));
            }
            day = next;
        }
        Self(pieces)
    }

    /// What the clock shows at a second.
    #[must_use]
    pub fn local(&self, second: i64) -> Option<NaiveDateTime> {
        let piece = self.0.iter().rev().find(|(from, _)| *from <= second).or(self.0.first());
        let ahead = piece.map_or(0, |(_, ahead)| *ahead);
        DateTime::from_timestamp(second.checked_add(i64::from(ahead))?, 0).map(|time| time.naive_utc())
    }

    /// The second at which the clock shows `local`. An hour that comes twice is its second time; in one that is skipped
    /// the clock has already jumped.
    #[must_use]
    pub fn second(&self, local: NaiveDateTime) -> i64 {
        let shown = local.and_utc().timestamp();
        let fits = |(from, ahead): &&(i64, i32)| shown - i64::from(*ahead) >= *from;
        let piece = self.0.iter().rev().find(fits).or(self.0.first());
        shown - piece.map_or(0, |(_, ahead)| i64::from(*ahead))
    }

    /// Reads an instant as links and forms write it: seconds since 1970, or what the zone's clock shows
    /// (`2026-11-21T10:00`, with seconds or without). `None` for anything else, and outside the years 2000 to 2199.
    #[must_use]
    pub fn instant(&self, text: &str) -> Option<i64> {
        let second = if text.bytes().all(|byte| byte.is_ascii_digit()) {
            text.parse().ok()?
        } else {
            self.second(parse_local(text)?)
        };
        (ledger::time::EARLIEST.micros() / 1_000_000..ledger::time::LATEST.micros() / 1_000_000)
            .contains(&second)
            .then_some(second)
    }
}

/// Reads what an `<input type="datetime-local">` sends.
fn parse_local(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once('T')?;
    let day = crate::calendar::parse_iso(date)?;
    // Milliseconds are sent by some browsers; the ledger page counts seconds.
    let time = time.split('.').next().unwrap_or_default();
    let mut parts = time.split(':');
    let mut part = || -> Option<u32> {
        let digits = parts.next()?;
        (digits.len() == 2).then(|| digits.parse().ok()).flatten()
    };
    let (hour, minute) = (part()?, part()?);
    let second = if time.len() > 5 { part()? } else { 0 };
    parts.next().is_none().then(|| day.date().and_hms_opt(hour, minute, second)).flatten()
}

/// What an `<input type="datetime-local">` shows: `2026-11-21T10:00:00`.
#[must_use]
pub fn input_text(local: NaiveDateTime) -> String {
    use chrono::{Datelike, Timelike};
    let (date, time) = (local.date(), local.time());
    let (year, month, day) = (date.year(), date.month(), date.day());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vienna in 2026: summer from 29 March to 25 October, both changes at 01:00 UTC.
    fn vienna() -> ZoneClock {
        let (summer, winter) = (1_774_746_000, 1_792_890_000);
        ZoneClock::of(1_767_222_000, 1_798_758_000, |s| if (summer..winter).contains(&s) { 7_200 } else { 3_600 })
    }

    #[test]
    fn changes_are_found_to_the_second() {
        assert_eq!(vienna().0, [(1_767_222_000, 3_600), (1_774_746_000, 7_200), (1_792_890_000, 3_600)]);
    }

    #[test]
    fn what_the_clock_shows_reads_back() {
        let clock = vienna();
        for second in (1_760_000_000..1_800_000_000).step_by(86_399) {
            let local = clock.local(second).expect("a time");
            assert_eq!(clock.second(local), second);
            assert_eq!(clock.instant(&input_text(local)), Some(second));
            assert_eq!(clock.instant(&second.to_string()), Some(second));
        }
        let shown = |text: &str| clock.instant(text).and_then(|s| clock.local(s)).map(input_text);
        assert_eq!(shown("2026-03-29T02:30").as_deref(), Some("2026-03-29T03:30:00"), "skipped");
        assert_eq!(clock.instant("2026-10-25T02:30"), Some(1_792_890_000 + 1_800), "the second time");
        for text in ["", "x", "2026-11-21", "2026-11-21T10", "2026-11-21T25:00", "2026-11-21T10:00:00:00", "-5", "1"] {
            assert_eq!(clock.instant(text), None, "{text:?}");
        }
    }
}
