//! Days and hours of a zone as stretches of time.
//!
//! Right across changes of the clock: a day has 23, 24 or 25 hours (or 24½), begins at its first instant even where
//! midnight is skipped, and the hour that comes twice is two buckets.

use crate::error::StoreError;
use crate::rollup::QUARTER_US;
use chrono::{
    DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike,
};
use chrono_tz::Tz;
use ledger::cube::{Bucket, Interval, MAX_BUCKETS};
use ledger::position::Calendar;
use ledger::{BillingCycle, Refusal, Stretch, Timestamp};

const UNIX_DAY_OF_CE: i32 = 719_163;

/// The zone's local time at an instant.
///
/// # Errors
/// [`Refusal::TimeOutOfRange`] beyond what a calendar holds.
pub fn local(zone: Tz, at: Timestamp) -> Result<DateTime<Tz>, StoreError> {
    let utc = at.to_chrono().ok_or(Refusal::TimeOutOfRange)?;
    Ok(utc.with_timezone(&zone))
}

/// The IANA names of all zones, by name.
#[must_use]
pub fn zone_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    names.sort_unstable();
    names
}

/// Days since 1970 in the zone.
pub(crate) fn day_number(zone: Tz, at: Timestamp) -> Result<i64, StoreError> {
    Ok(number_of(local(zone, at)?.date_naive()))
}

/// Days from 1970-01-01 to a date.
pub(crate) fn number_of(date: NaiveDate) -> i64 {
    i64::from(date.num_days_from_ce() - UNIX_DAY_OF_CE)
}

/// The date so many days after 1970-01-01.
pub(crate) fn date_of(day: i64) -> Result<NaiveDate, StoreError> {
    let days = u64::try_from(day).map_err(|_| Refusal::TimeOutOfRange)?;
    Ok(NaiveDate::default().checked_add_days(Days::new(days)).ok_or(Refusal::TimeOutOfRange)?)
}

/// The first instant of a date in the zone.
///
/// # Errors
/// [`Refusal::TimeOutOfRange`] beyond what a calendar holds.
pub fn day_start(zone: Tz, date: NaiveDate) -> Result<Timestamp, StoreError> {
    let midnight = date.and_time(NaiveTime::MIN);
    // Where midnight is skipped the day begins when the clock has jumped: within three hours in every zone there is.
    for quarter in 0..12_i64 {
        let wall = midnight + chrono::TimeDelta::minutes(15 * quarter);
        match zone.from_local_datetime(&wall) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => {
                return Ok(Timestamp::from_micros(time.timestamp_micros()));
            }
            LocalResult::None => {}
        }
    }
    Err(Refusal::TimeOutOfRange.into())
}

/// The buckets of `interval` that cover `from .. to`, cut to it, without gaps.
///
/// # Errors
/// [`StoreError::BadRange`] where the range is empty or gives more than [`MAX_BUCKETS`].
pub(crate) fn buckets(
    zone: Tz,
    interval: Interval,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Vec<Bucket>, StoreError> {
    if from >= to {
        return Err(StoreError::BadRange("the range is empty: `from` must be before `to`"));
    }
    let mut buckets = Vec::new();
    let mut start = from;
    while start < to {
        if buckets.len() == MAX_BUCKETS {
            return Err(StoreError::BadRange(
                "the range gives more than 400 bars: choose a shorter one, or a longer interval",
            ));
        }
        let end = next_start(zone, interval, start, to)?.min(to);
        buckets.push(Bucket { start, end, local: local(zone, start)?.naive_local(), incomplete: end > now });
        start = end;
    }
    Ok(buckets)
}

fn next_start(zone: Tz, interval: Interval, start: Timestamp, to: Timestamp) -> Result<Timestamp, StoreError> {
    let date = local(zone, start)?.date_naive();
    let next_date = match interval {
        Interval::None => return Ok(to),
        Interval::Hour => return next_hour(zone, start),
        Interval::Day => date.checked_add_days(Days::new(1)),
        Interval::Week => date.checked_add_days(Days::new(7 - u64::from(date.weekday().num_days_from_monday()))),
        Interval::Month => date.with_day(1).and_then(|first| first.checked_add_months(Months::new(1))),
    };
    day_start(zone, next_date.ok_or(Refusal::TimeOutOfRange)?)
}

/// The first quarter after `start` at which the clock shows another hour, or the same one again after a change.
fn next_hour(zone: Tz, start: Timestamp) -> Result<Timestamp, StoreError> {
    let shown = |at: Timestamp| -> Result<(NaiveDateTime, i32), StoreError> {
        let time = local(zone, at)?;
        let hour = time.naive_local().date().and_hms_opt(time.hour(), 0, 0).ok_or(Refusal::TimeOutOfRange)?;
        Ok((hour, time.offset().fix().local_minus_utc()))
    };
    let first = shown(start)?;
    let mut at = start;
    loop {
        at = Timestamp::from_micros((at.micros().div_euclid(QUARTER_US) + 1) * QUARTER_US);
        if shown(at)? != first {
            return Ok(at);
        }
    }
}

/// A zone as the rules need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ZoneCalendar(pub(crate) Tz);

impl Calendar for ZoneCalendar {
    fn months_after(&self, at: Timestamp, months: u32) -> Result<Timestamp, Refusal> {
        let out_of_range = || Refusal::TimeOutOfRange;
        let wall = local(self.0, at).map_err(|_| out_of_range())?.naive_local();
        let later = wall.checked_add_months(Months::new(months)).ok_or_else(out_of_range)?;
        // Where the clock jumps over the hour, the end is when it has jumped, as with days.
        let quarters = (0..12_i64).map(|quarter| later + chrono::TimeDelta::minutes(15 * quarter));
        let found = quarters.filter_map(|wall| self.0.from_local_datetime(&wall).earliest()).next();
        found.map(|time| Timestamp::from_micros(time.timestamp_micros())).ok_or_else(out_of_range)
    }
}

impl ledger::Months for ZoneCalendar {
    fn month_of(&self, at: Timestamp) -> Result<Stretch, Refusal> {
        let out_of_range = |_: StoreError| Refusal::TimeOutOfRange;
        let first = local(self.0, at).map_err(out_of_range)?.date_naive().with_day(1);
        let first = first.ok_or(Refusal::TimeOutOfRange)?;
        let next = first.checked_add_months(Months::new(1)).ok_or(Refusal::TimeOutOfRange)?;
        Stretch::new(day_start(self.0, first).map_err(out_of_range)?, day_start(self.0, next).map_err(out_of_range)?)
    }
}

/// The billing cycle in which an instant lies: a calendar month of the zone.
///
/// # Errors
/// [`Refusal::TimeOutOfRange`] beyond what a calendar holds.
pub fn cycle(zone: Tz, at: Timestamp) -> Result<BillingCycle, StoreError> {
    let date = local(zone, at)?.date_naive();
    Ok(BillingCycle { year: date.year(), month: date.month() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse("time", text).expect("valid")
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn lengths(zone: Tz, interval: Interval, from: &str, to: &str) -> Vec<i64> {
        let (from, to) = (day_start(zone, date(from)).expect("in range"), day_start(zone, date(to)).expect("in range"));
        let all = buckets(zone, interval, from, to, at("2026-01-01T00:00:00Z")).expect("in range");
        assert_eq!((all[0].start, all[all.len() - 1].end), (from, to));
        assert!(all.windows(2).all(|pair| pair[0].end == pair[1].start));
        all.iter().map(|b| (b.end.micros() - b.start.micros()) / 60_000_000).collect()
    }

    #[test]
    fn days_have_the_hours_that_the_clock_gives_them() {
        assert_eq!(lengths(Tz::Europe__Berlin, Interval::Day, "2025-03-29", "2025-04-01"), [1440, 1380, 1440]);
        assert_eq!(lengths(Tz::Europe__Berlin, Interval::Day, "2025-10-25", "2025-10-28"), [1440, 1500, 1440]);
        // Half an hour of summer time on Lord Howe Island.
        assert_eq!(lengths(Tz::Australia__Lord_Howe, Interval::Day, "2025-10-05", "2025-10-06"), [1410]);
        // Midnight itself is skipped in Beirut.
        assert_eq!(lengths(Tz::Asia__Beirut, Interval::Day, "2025-03-29", "2025-03-31"), [1440, 1380]);
    }

    #[test]
    fn the_hour_that_comes_twice_is_two_bars() {
        assert_eq!(lengths(Tz::Europe__Berlin, Interval::Hour, "2025-10-26", "2025-10-27").len(), 25);
        assert_eq!(lengths(Tz::Europe__Berlin, Interval::Hour, "2025-03-30", "2025-03-31").len(), 23);
        assert_eq!(lengths(Tz::Asia__Kathmandu, Interval::Hour, "2025-10-26", "2025-10-27"), [60; 24]);
    }

    #[test]
    fn zones_with_odd_offsets_begin_their_day_at_a_quarter() {
        assert_eq!(day_start(Tz::Asia__Kathmandu, date("2025-01-01")).expect("in range"), at("2024-12-31T18:15:00Z"));
        assert_eq!(day_start(Tz::Asia__Kolkata, date("2025-01-01")).expect("in range"), at("2024-12-31T18:30:00Z"));
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        assert_eq!(lengths(Tz::UTC, Interval::Week, "2025-01-01", "2025-01-15"), [5 * 1440, 7 * 1440, 2 * 1440]);
        assert_eq!(lengths(Tz::UTC, Interval::Month, "2025-01-15", "2025-03-02"), [17 * 1440, 28 * 1440, 1440]);
        assert_eq!(lengths(Tz::UTC, Interval::None, "2025-01-15", "2025-03-02"), [46 * 1440]);
    }

    #[test]
    fn months_later_is_the_same_day_or_the_last() {
        let after = |text, months| ZoneCalendar(Tz::Europe__Berlin).months_after(at(text), months).expect("in range");
        assert_eq!(after("2026-11-30T23:00:00Z", 3), at("2027-02-28T23:00:00Z"));
        assert_eq!(after("2026-12-31T11:00:00Z", 2), at("2027-02-28T11:00:00Z"));
        // 02:30 does not exist on the day summer time begins.
        assert_eq!(after("2026-02-28T01:30:00Z", 1), at("2026-03-28T01:30:00Z"));
        assert_eq!(after("2026-01-29T01:30:00Z", 2), at("2026-03-29T01:00:00Z"));
    }

    #[test]
    fn too_many_bars_and_empty_ranges_are_refused() {
        let (from, to) = (at("2020-01-01T00:00:00Z"), at("2025-01-01T00:00:00Z"));
        assert!(matches!(buckets(Tz::UTC, Interval::Day, from, to, to), Err(StoreError::BadRange(_))));
        assert!(matches!(buckets(Tz::UTC, Interval::Day, to, from, to), Err(StoreError::BadRange(_))));
    }

    #[test]
    fn every_offset_since_2000_is_a_multiple_of_a_quarter() {
        for zone in chrono_tz::TZ_VARIANTS {
            for year in 2000..2040 {
                for month in [1, 4, 7, 10] {
                    let day =
                        NaiveDate::from_ymd_opt(year, month, 1).expect("a date").and_time(NaiveTime::MIN).and_utc();
                    let offset = day.with_timezone(&zone).offset().fix().local_minus_utc();
                    assert_eq!(offset % 900, 0, "{zone} {year}");
                }
            }
        }
    }
}
