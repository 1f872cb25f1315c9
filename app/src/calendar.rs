//! Days, months and the words for them: English, fixed, the same on both sides.
//!
//! Written out rather than left to chrono's formatter, which would put its whole pattern language into the browser.
//! Nothing here knows which day it is: `today` is always a parameter that came from the server.

use crate::span::{Bound, Unit};
use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, Timelike};
use ledger::cube::Bucket;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A calendar day between the years 2000 and 2199, which is what the ledger accepts. On the wire a day number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

impl Day {
    /// From a date; `None` outside the years 2000 to 2199.
    #[must_use]
    pub fn new(date: NaiveDate) -> Option<Self> {
        (2000..2200).contains(&date.year()).then_some(Self(date))
    }

    /// The first of them.
    #[must_use]
    pub fn first() -> Self {
        Self(NaiveDate::default().with_year(2000).unwrap_or_default())
    }

    /// From chrono's number of the day (days since 31 December of the year 0).
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        NaiveDate::from_num_days_from_ce_opt(number).and_then(Self::new)
    }

    /// The date.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        self.0
    }

    /// `2026-11-16`.
    #[must_use]
    pub fn iso(self) -> String {
        format!("{}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }

    /// So many days later or, below zero, earlier; itself at the edge of the calendar.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let by = Days::new(days.unsigned_abs());
        let moved = if days < 0 { self.0.checked_sub_days(by) } else { self.0.checked_add_days(by) };
        moved.and_then(Self::new).unwrap_or(self)
    }

    /// The same day so many months later or earlier, or the month's last.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        let by = Months::new(months.unsigned_abs());
        let moved = if months < 0 { self.0.checked_sub_months(by) } else { self.0.checked_add_months(by) };
        moved.and_then(Self::new).unwrap_or(self)
    }

    /// The first day of its month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        self.0.with_day(1).map_or(self, Self)
    }

    /// The first day of its year.
    #[must_use]
    pub fn first_of_year(self) -> Self {
        self.0.with_ordinal(1).map_or(self, Self)
    }

    /// The last day of its month.
    #[must_use]
    pub fn last_of_month(self) -> Self {
        Self(self.first_of_month().0.checked_add_months(Months::new(1)).and_then(|d| d.pred_opt()).unwrap_or(self.0))
    }

    /// Days from Monday, 0 to 6.
    #[must_use]
    pub fn weekday(self) -> u32 {
        self.0.weekday().num_days_from_monday()
    }

    /// How many days `self ..= last` has.
    #[must_use]
    pub fn days_until(self, last: Self) -> i64 {
        (last.0 - self.0).num_days() + 1
    }

    /// `16`.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.day()
    }

    /// `Monday, 16 November 2026`, for those who hear it.
    #[must_use]
    pub fn spoken(self) -> String {
        format!("{}, {} {}", WEEKDAYS[self.weekday() as usize], self.0.day(), self.month_title())
    }

    /// `Mon 16 Nov 2026`.
    #[must_use]
    pub fn with_weekday(self) -> String {
        format!("{} {}", &WEEKDAYS[self.weekday() as usize][..3], self.medium())
    }

    /// `16 Nov 2026`.
    #[must_use]
    pub fn medium(self) -> String {
        format!("{} {}", self.short(), self.0.year())
    }

    /// `16 Nov`.
    #[must_use]
    pub fn short(self) -> String {
        format!("{} {}", self.0.day(), self.month_short())
    }

    /// `Nov`.
    #[must_use]
    pub fn month_short(self) -> &'static str {
        &MONTHS[self.0.month0() as usize][..3]
    }

    /// `November 2026`.
    #[must_use]
    pub fn month_title(self) -> String {
        format!("{} {}", MONTHS[self.0.month0() as usize], self.0.year())
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.0.num_days_from_ce())
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i32::deserialize(deserializer)?;
        Self::from_number(number).ok_or_else(|| serde::de::Error::custom("not a day between 2000 and 2199"))
    }
}

/// Reads `2026-11-16`, as date inputs and links write it.
#[must_use]
pub fn parse_iso(text: &str) -> Option<Day> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| match i {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
    if !shape {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?)?;
    Day::new(date)
}

/// Like [`parse_iso`], for the bounds of a range: a date beyond the calendar stands for its nearest end, so that a range
/// with such a bound is told to be too long instead of becoming another one.
#[must_use]
pub fn parse_bound(text: &str) -> Option<Day> {
    parse_iso(text).or_else(|| {
        let (year, rest) = text.split_once('-')?;
        let year: u32 = year.parse().ok()?;
        // The rest must still be a day, in a year that had every day there is.
        parse_iso(&format!("2000-{rest}"))?;
        let nearest = if year < 2000 { (2000, 1, 1) } else { (2199, 12, 31) };
        NaiveDate::from_ymd_opt(nearest.0, nearest.1, nearest.2).and_then(Day::new)
    })
}

/// `16 Nov 2026`, `1 – 21 Nov 2026`, `28 Oct – 21 Nov 2026`, `28 Dec 2025 – 21 Nov 2026`.
#[must_use]
pub fn range_text(from: Day, to: Day) -> String {
    let (a, b) = (from.date(), to.date());
    if from == to {
        from.medium()
    } else if a.year() != b.year() {
        format!("{} – {}", from.medium(), to.medium())
    } else if a.month() != b.month() {
        format!("{} – {}", from.short(), to.medium())
    } else {
        format!("{} – {}", from.number(), to.medium())
    }
}

/// `18:00`.
#[must_use]
pub fn clock(time: NaiveDateTime) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// How far the clock of a bucket's zone is from UTC when it begins: `+05:30`.
#[must_use]
pub fn offset(bucket: &Bucket) -> String {
    let minutes = (bucket.local.and_utc().timestamp_micros() - bucket.start.micros()) / 60_000_000;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// `21 Nov 2026, 18:04`.
#[must_use]
pub fn date_and_clock(time: NaiveDateTime) -> String {
    format!("{}, {}", Day(time.date()).medium(), clock(time))
}

/// `21 Nov 2026, 18:04:31`: for lists, where what came in last may have happened long ago.
#[must_use]
pub fn date_and_seconds(time: NaiveDateTime) -> String {
    format!("{}, {}:{:02}", Day(time.date()).medium(), clock(time), time.second())
}

/// Six weeks from Monday to Sunday that hold the month of `day`; `None` outside it. Always six, so that the calendar
/// keeps its height.
#[must_use]
pub fn month_grid(day: Day) -> [[Option<Day>; 7]; 6] {
    let first = day.first_of_month();
    let last = day.last_of_month();
    let mut grid = [[None; 7]; 6];
    let mut cell = first.weekday() as usize;
    let mut current = first.0;
    while current <= last.0 {
        grid[cell / 7][cell % 7] = Some(Day(current));
        cell += 1;
        current = match current.succ_opt() {
            Some(next) => next,
            None => break,
        };
    }
    grid
}

/// Short names of the weekdays in the order of [`month_grid`], each with its full name.
#[must_use]
pub fn weekdays() -> [(&'static str, &'static str); 7] {
    WEEKDAYS.map(|name| (&name[..2], name))
}

/// A range that people name instead of counting days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// What it is called.
    pub title: &'static str,
    /// Its ends: relative to today where that can be said, so that a link to it moves on with time.
    pub range: (Bound, Bound),
}

impl Preset {
    /// First and last day, seen from `today`.
    #[must_use]
    pub fn days(&self, today: Day) -> (Day, Day) {
        (self.range.0.day(today), self.range.1.day(today))
    }
}

/// The presets of the time picker, seen from `today`.
#[must_use]
pub fn presets(today: Day) -> [Preset; 10] {
    let preset = |title, from, to| Preset { title, range: (from, to) };
    let back = |days| Bound::Back(days, Unit::Day);
    let last_month = today.first_of_month().plus_days(-1);
    [
        preset("Today", Bound::NOW, Bound::NOW),
        preset("Yesterday", back(1), back(1)),
        preset("Last 7 days", back(6), Bound::NOW),
        preset("Last 30 days", back(29), Bound::NOW),
        preset("Last 90 days", back(89), Bound::NOW),
        preset("Last 12 months", Bound::Back(12, Unit::Month), Bound::NOW),
        preset("This week", Bound::Start(Unit::Week), Bound::NOW),
        preset("This month", Bound::Start(Unit::Month), Bound::NOW),
        // No term says where a month ends.
        preset("Last month", Bound::Day(last_month.first_of_month()), Bound::Day(last_month)),
        preset("This year", Bound::Start(Unit::Year), Bound::NOW),
    ]
}

/// The days beside those: as many right before (`-1`) or after (`1`); whole months lead to whole months.
#[must_use]
pub fn shifted((from, to): (Day, Day), step: i32) -> (Day, Day) {
    if from == from.first_of_month() && to == to.last_of_month() {
        let months = (to.date().year() - from.date().year()) * 12 + months_of(to) - months_of(from) + 1;
        return (from.plus_months(step * months), to.first_of_month().plus_months(step * months).last_of_month());
    }
    let days = i64::from(step) * from.days_until(to);
    (from.plus_days(days), to.plus_days(days))
}

fn months_of(day: Day) -> i32 {
    i32::try_from(day.date().month()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        parse_iso(text).expect("a day")
    }

    #[test]
    fn a_bound_beyond_the_calendar_is_its_nearest_end() {
        assert_eq!(parse_bound("1900-06-30"), Some(day("2000-01-01")));
        assert_eq!(parse_bound("9999-12-31"), Some(day("2199-12-31")));
        assert_eq!(parse_bound("2026-11-21"), Some(day("2026-11-21")));
        for text in ["", "1900", "1900-13-01", "x-01-01", "1900-02-30"] {
            assert_eq!(parse_bound(text), None, "{text}");
        }
    }

    #[test]
    fn only_iso_days_of_our_era_are_read() {
        for text in
            ["", "2026-1-1", "2026-11-31", "1999-12-31", "2200-01-01", "2026-11-1x", "+026-11-11", "２０２６-１１"]
        {
            assert_eq!(parse_iso(text), None, "{text}");
        }
        assert_eq!(day("2024-02-29").iso(), "2024-02-29");
    }

    #[test]
    fn words_for_days() {
        let monday = day("2026-11-16");
        assert_eq!(monday.spoken(), "Monday, 16 November 2026");
        assert_eq!(monday.with_weekday(), "Mon 16 Nov 2026");
        assert_eq!(range_text(day("2026-11-01"), day("2026-11-21")), "1 – 21 Nov 2026");
        assert_eq!(range_text(day("2026-10-28"), day("2026-11-21")), "28 Oct – 21 Nov 2026");
        assert_eq!(range_text(day("2025-12-28"), day("2026-01-02")), "28 Dec 2025 – 2 Jan 2026");
        assert_eq!(range_text(monday, monday), "16 Nov 2026");
    }

    #[test]
    fn presets_end_where_people_expect() {
        let today = day("2024-03-31");
        let ranges = presets(today).map(|p| (p.title, p.days(today).0.iso(), p.days(today).1.iso()));
        let range = |title| ranges.iter().find(|r| r.0 == title).map(|r| (r.1.as_str(), r.2.as_str()));
        assert_eq!(range("Last 7 days"), Some(("2024-03-25", "2024-03-31")));
        assert_eq!(range("This month"), Some(("2024-03-01", "2024-03-31")));
        assert_eq!(range("Last month"), Some(("2024-02-01", "2024-02-29")));
        assert_eq!(range("Last 12 months"), Some(("2023-03-31", "2024-03-31")));
    }

    #[test]
    fn a_range_is_shifted_by_its_length_and_a_month_by_a_month() {
        let moved = |from, to, step| {
            let (from, to) = shifted((day(from), day(to)), step);
            (from.iso(), to.iso())
        };
        let days = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(moved("2026-11-15", "2026-11-21", -1), days("2026-11-08", "2026-11-14"));
        assert_eq!(moved("2026-11-21", "2026-11-21", 1), days("2026-11-22", "2026-11-22"));
        assert_eq!(moved("2024-03-01", "2024-03-31", -1), days("2024-02-01", "2024-02-29"));
        assert_eq!(moved("2026-10-01", "2026-12-31", -1), days("2026-07-01", "2026-09-30"));
    }

    proptest! {
        #[test]
        fn the_grid_holds_each_day_of_the_month_once_under_its_weekday(number in 730_120..803_000i32) {
            let day = Day::from_number(number).expect("in range");
            let grid = month_grid(day);
            let days: Vec<Day> = grid.iter().flatten().flatten().copied().collect();
            prop_assert_eq!(i64::try_from(days.len())?, day.first_of_month().days_until(day.last_of_month()));
            prop_assert!(days.windows(2).all(|w| w[0].plus_days(1) == w[1]) && days.contains(&day));
            for week in grid {
                for (column, day) in week.into_iter().enumerate() {
                    prop_assert!(day.is_none_or(|d| d.weekday() as usize == column));
                }
            }
        }

        #[test]
        fn days_read_back(number in 730_120..803_000i32) {
            let day = Day::from_number(number).expect("in range");
            prop_assert_eq!(parse_iso(&day.iso()), Some(day));
            let json = serde_json::to_string(&day).expect("a number");
            prop_assert_eq!(serde_json::from_str::<Day>(&json).ok(), Some(day));
        }
    }
}
