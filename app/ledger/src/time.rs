//! Instants, in microseconds since 1970, as parameters: nothing in this crate knows what time it is.

use crate::refusal::Refusal;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Events older than this are taken for a mistake of unit or epoch (2000-01-01T00:00:00Z).
pub const EARLIEST: Timestamp = Timestamp(946_684_800_000_000);
/// How far a reporting service's clock may run ahead of ours.
pub const MAX_AHEAD_MICROS: i64 = 3_600_000_000;
/// The last instant that is ever accepted as a bound (2200-01-01T00:00:00Z), so that sums of times cannot overflow.
pub const LATEST: Timestamp = Timestamp(7_258_118_400_000_000);

/// An instant in microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// As microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 (`2026-11-21T08:15:30.25+01:00`), cutting below the microsecond.
    ///
    /// # Errors
    /// [`Refusal::BadTime`] where it is not RFC 3339 or not between [`EARLIEST`] and [`LATEST`].
    pub fn parse(field: &'static str, text: &str) -> Result<Self, Refusal> {
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| Refusal::BadTime { field })?;
        let instant = Self(parsed.timestamp_micros());
        if (EARLIEST..LATEST).contains(&instant) { Ok(instant) } else { Err(Refusal::TimeOutOfRange) }
    }

    /// As chrono's type, for calendars. `None` only beyond the year 262,000.
    #[must_use]
    pub fn to_chrono(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_chrono() {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse("time", &text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_only_and_this_side_of_reason() {
        let time = Timestamp::parse("time", "2023-11-16T18:15:46.6805900Z").expect("valid");
        assert_eq!(time.to_string(), "2023-11-16T18:15:46.680590Z");
        assert_eq!(Timestamp::parse("time", "2023-11-16 18:15"), Err(Refusal::BadTime { field: "time" }));
        for text in ["1700-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1999-12-31T23:59:59Z"] {
            assert_eq!(Timestamp::parse("time", text), Err(Refusal::TimeOutOfRange), "{text}");
        }
    }
}
