//! The bounds of a range as people type and link them: days, or terms relative to today such as `now-7d`.
//!
//! The terms are those of Grafana, cut down to days: what they are relative to is the day in the org's zone, which only the
//! server knows, so a bound is kept as it was said until [`Bound::day`] is told which day today is.

use crate::calendar::{Day, parse_bound};
use std::fmt;

/// How far back a term reaches at most: beyond it is no calendar.
const MAX_BACK: u16 = 9_999;

/// What relative terms count in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Hours. Ranges have whole days, so each 24 of them are a day and less than that is today.
    Hour,
    /// Days.
    Day,
    /// Weeks, from Monday.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

impl Unit {
    const ALL: [(Self, char); 5] =
        [(Self::Hour, 'h'), (Self::Day, 'd'), (Self::Week, 'w'), (Self::Month, 'M'), (Self::Year, 'y')];

    fn parse(letter: &str) -> Option<Self> {
        let &[letter] = letter.as_bytes() else { return None };
        Self::ALL.into_iter().find(|(_, known)| char::from(letter).eq_ignore_ascii_case(known)).map(|(unit, _)| unit)
    }

    fn letter(self) -> char {
        Self::ALL.into_iter().find(|(unit, _)| *unit == self).map_or('d', |(_, letter)| letter)
    }
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// That day.
    Day(Day),
    /// `now-7d`; `now` is no days back.
    Back(u16, Unit),
    /// `now/M`: the first day of this week, month or year.
    Start(Unit),
}

impl Bound {
    /// Today.
    pub const NOW: Self = Self::Back(0, Unit::Day);

    /// Reads a day or a term, in capitals or not: there are no minutes, so `m` can only be months.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (now, term) = text.split_at_checked(3).unwrap_or_default();
        if !now.eq_ignore_ascii_case("now") {
            return parse_bound(text).map(Self::Day);
        }
        if term.is_empty() {
            return Some(Self::NOW);
        }
        if let Some(unit) = term.strip_prefix('/') {
            return Unit::parse(unit).filter(|unit| *unit != Unit::Hour).map(Self::Start);
        }
        let count = term.strip_prefix('-')?;
        let digits = count.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = Unit::parse(count.get(digits.len()..)?)?;
        let is_count = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let count = is_count.then(|| digits.parse().unwrap_or(MAX_BACK).min(MAX_BACK))?;
        Some(if count == 0 { Self::NOW } else { Self::Back(count, unit) })
    }

    /// The day that it stands for.
    #[must_use]
    pub fn day(self, today: Day) -> Day {
        match self {
            Self::Day(day) => day,
            Self::Back(0, _) => today,
            Self::Back(count, Unit::Hour) => today.plus_days(-i64::from(count / 24)),
            Self::Back(count, unit) => {
                let day = match unit {
                    Unit::Hour | Unit::Day => today.plus_days(-i64::from(count)),
                    Unit::Week => today.plus_days(-7 * i64::from(count)),
                    Unit::Month => today.plus_months(-i32::from(count)),
                    Unit::Year => today.plus_months(-12 * i32::from(count)),
                };
                // The calendar's edge gives the day back; a range that reaches beyond it is to be told to be too long.
                if day == today { Day::first() } else { day }
            }
            Self::Start(unit) => match unit {
                Unit::Hour | Unit::Day => today,
                Unit::Week => today.plus_days(-i64::from(today.weekday())),
                Unit::Month => today.first_of_month(),
                Unit::Year => today.first_of_year(),
            },
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => f.write_str(&day.iso()),
            Self::Back(0, _) => f.write_str("now"),
            Self::Back(count, unit) => write!(f, "now-{count}{}", unit.letter()),
            Self::Start(unit) => write!(f, "now/{}", unit.letter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_iso;
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        parse_iso(text).expect("a day")
    }

    #[test]
    fn terms_count_back_from_today() {
        let today = day("2026-11-21");
        for (term, expected) in [
            ("now", "2026-11-21"),
            ("now-6h", "2026-11-21"),
            ("now-48h", "2026-11-19"),
            ("now-7d", "2026-11-14"),
            ("now-2w", "2026-11-07"),
            ("now-3M", "2026-08-21"),
            ("now-1y", "2025-11-21"),
            (" Now-7D", "2026-11-14"),
            ("NOW-3m", "2026-08-21"),
            ("Now/W", "2026-11-16"),
            ("now/w", "2026-11-16"),
            ("now/M", "2026-11-01"),
            ("now/y", "2026-01-01"),
            ("2026-02-28", "2026-02-28"),
            ("now-99999y", "2000-01-01"),
        ] {
            assert_eq!(Bound::parse(term).map(|b| b.day(today).iso()).as_deref(), Some(expected), "{term}");
        }
        for term in [
            "",
            "no",
            "näw",
            "now-",
            "now-d",
            "now-7",
            "now+7d",
            "now-7dd",
            "now-٣d",
            "now/",
            "now/h",
            "now-1.5d",
            "yesterday",
        ] {
            assert_eq!(Bound::parse(term), None, "{term}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(count in 0_u16..=MAX_BACK, unit in 0..5_usize) {
            let unit = Unit::ALL[unit].0;
            let bounds = [Bound::Back(count, if count == 0 { Unit::Day } else { unit }), Bound::Start(unit)];
            for bound in bounds.into_iter().filter(|b| *b != Bound::Start(Unit::Hour)) {
                prop_assert_eq!(Bound::parse(&bound.to_string()), Some(bound));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "([nN]ow)?[-/+]?.{0,12}") {
            let _ = Bound::parse(&text);
        }
    }
}
