//! The days ahead: what today and the days after it will cost. Runway, projection and what alerts say of either are made from this.
//!
//! By [`forecast`] where two weeks are known; by the average of the days there are where they are fewer, without a band: who began
//! yesterday wants to know too, and reads what it is told from. Where nothing was used nothing is told.

use crate::credits::Credits;
use crate::forecast::{Band, Forecast, forecast};
use crate::label::Meter;

/// Days whose average is the pace at which credits are spent: whole weeks, so that no weekday counts more than another.
pub const PACE_DAYS: usize = 28;

/// From what something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// A forecast from so many weeks.
    Weeks(usize),
    /// The average of so many days, today included: fewer are known than a forecast needs.
    Days(usize),
}

/// What the days ahead will cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// From what that is told.
    pub basis: Basis,
    /// Today, as a whole, and the days after it. An average has no band: all three figures are the same.
    pub days: Vec<Band>,
    /// Their sum.
    pub total: Band,
}

/// Looks ahead from what was used on each day, oldest first and without gaps, **today last**: today and so many days after it, at
/// most [`MAX_DAYS`](crate::forecast::MAX_DAYS) in all. `None` where nothing was used.
#[must_use]
pub fn pace(days: &[i64], after: usize) -> Option<Pace> {
    let (_, before) = days.split_last()?;
    let first = days.iter().position(|day| *day > 0)?;
    if let Some(Forecast { days, total, weeks }) = forecast(before, after.saturating_add(1)) {
        return Some(Pace { basis: Basis::Weeks(weeks), days, total });
    }
    let known = &days[first..];
    let sum: i128 = known.iter().map(|day| i128::from(*day)).sum();
    let flat = |count: usize| {
        let expected = i64::try_from(sum * count as i128 / known.len() as i128).unwrap_or(i64::MAX).max(0);
        Band { low: expected, expected, high: expected }
    };
    let count = after.saturating_add(1).min(crate::forecast::MAX_DAYS);
    Some(Pace { basis: Basis::Days(known.len()), days: vec![flat(1); count], total: flat(count) })
}

impl Pace {
    /// What is still to come until the end of today, of tomorrow, and so on, where today cost so much already.
    #[must_use]
    pub fn rest(&self, today: i64) -> Vec<i64> {
        let mut sum = 0_i64;
        let to_come = |(place, day): (usize, &Band)| {
            let more = if place == 0 { (day.expected.saturating_sub(today)).max(0) } else { day.expected };
            sum = sum.saturating_add(more);
            sum
        };
        self.days.iter().enumerate().map(to_come).collect()
    }

    /// The same for all days together, with its band.
    #[must_use]
    pub fn whole_rest(&self, today: i64) -> Band {
        let expected = self.rest(today).last().copied().unwrap_or_default();
        let part = |of: i64| {
            let scaled = i128::from(of) * i128::from(expected) / i128::from(self.total.expected.max(1));
            i64::try_from(scaled).unwrap_or(i64::MAX)
        };
        Band { low: part(self.total.low).min(expected), expected, high: part(self.total.high).max(expected) }
    }

    /// What each meter is to cost in a day on the average, where `parts` is what each had of usage of late. `of` chooses one figure
    /// of the band.
    #[must_use]
    pub fn daily(&self, parts: &[(Meter, Credits)], of: impl Fn(&Band) -> i64) -> Vec<(Meter, Credits)> {
        let whole: i128 = parts.iter().map(|(_, spent)| i128::from(spent.micros())).sum();
        let days = self.days.len() as i128;
        if whole <= 0 || days == 0 {
            return Vec::new();
        }
        let of_meter = |spent: &Credits| {
            let micros = (i128::from(spent.micros()) * i128::from(of(&self.total))).div_euclid(whole * days);
            Credits::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
        };
        parts.iter().map(|(meter, spent)| (meter.clone(), of_meter(spent))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: [i64; 7] = [100, 120, 110, 130, 90, 10, 0];

    #[test]
    fn weeks_tell_a_forecast_and_days_an_average() {
        let weeks = [WEEK, WEEK, WEEK].concat();
        let told = pace(&[weeks.as_slice(), &[40]].concat(), 6).expect("used");
        assert_eq!(told.basis, Basis::Weeks(3));
        assert_eq!(told.days.iter().map(|day| day.expected).collect::<Vec<_>>(), WEEK);
        assert_eq!(told.rest(40), [60, 180, 290, 420, 510, 520, 520], "of today only what is still to come");
        assert_eq!(told.rest(400)[0], 0, "a day that cost more than foretold costs no less tomorrow");
        let told = pace(&[0, 0, 30, 60, 0], 1).expect("used");
        assert_eq!(
            (told.basis, told.total.expected),
            (Basis::Days(3), 60),
            "what was before the first usage is no usage"
        );
        assert_eq!((pace(&[0; 60], 5), pace(&[], 5)), (None, None));
    }

    #[test]
    fn a_day_is_known_from_its_first_hour() {
        let told = pace(&[0, 7], 27).expect("used");
        assert_eq!((told.basis, told.days.len(), told.total.expected), (Basis::Days(1), PACE_DAYS, 196));
        assert_eq!(told.whole_rest(7), Band { low: 189, expected: 189, high: 189 });
    }

    #[test]
    fn the_pace_is_parted_as_usage_was_of_late() {
        let meter = |name: &str| Meter::parse(name).expect("a meter");
        let parts = [(meter("tokens"), Credits::from_micros(30)), (meter("export"), Credits::from_micros(10))];
        let told = pace(&[80; 15], PACE_DAYS - 1).expect("used");
        let of = |daily: Vec<(Meter, Credits)>| daily.into_iter().map(|(_, pace)| pace.micros()).collect::<Vec<_>>();
        assert_eq!(of(told.daily(&parts, |band| band.expected)), [60, 20]);
        assert_eq!(
            of(told.daily(&parts, |band| band.high)),
            [120, 40],
            "fourteen days have no errors yet: twice as much"
        );
        assert_eq!(of(told.daily(&[], |band| band.expected)), Vec::<i64>::new());
    }
}
