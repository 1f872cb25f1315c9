//! What will be used: the weekday's part of a week, times a week that follows its trend, within a band that past errors drew.
//!
//! It is told from what was used on each day, in whatever unit: whole days without gaps, oldest first, so that a day's place says its
//! weekday. What is below nothing counts as nothing.
//!
//! Whole numbers only, so that server and browser foretell the same. The week's total is smoothed with a damped trend (Holt's
//! method); what each weekday has of it is its share of the weeks before, newer ones counting more. The band is from the 10th to the
//! 90th percentile of how far this very method was off on the days that are over, each foretold from those before it: nothing is
//! assumed of how errors are spread. Cost: one fit of [`HISTORY_DAYS`] per day of [`ERROR_DAYS`].

/// Days that are looked back at, newest last: twelve weeks. What was before says little of a growing product.
pub const HISTORY_DAYS: usize = 84;
/// Days that give a forecast all that it uses: what it looks back at, and the days whose errors make its band.
pub const PAST_DAYS: i64 = 140;
/// Fewer days than two weeks know no weekday twice.
pub const LEAST_DAYS: usize = 14;
/// Days whose errors make the band, at most.
const ERROR_DAYS: usize = 56;
/// Fewer errors than that draw no band of their own.
const LEAST_ERRORS: usize = 7;
/// Farthest that is foretold: more than a billing cycle.
pub const MAX_DAYS: usize = 92;
/// A day that is over foretells sums of up to so many days.
const MAX_SUM_DAYS: usize = 28;
/// Ratios are kept in millionths.
const ONE: i128 = 1_000_000;
/// Of a new week its level takes 3/8, its trend 1/4; each week ahead keeps 7/8 of the trend before.
const LEVEL: (i128, i128) = (3, 8);
const TREND: (i128, i128) = (1, 4);
const DAMPED: (i128, i128) = (7, 8);
/// The band where too little is known: from nothing to twice as much.
const WIDE: (i128, i128) = (0, 2 * ONE);

/// A figure, and between what it will be in four of five cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Band {
    /// Less in one of ten cases.
    pub low: i64,
    /// What is foretold.
    pub expected: i64,
    /// More in one of ten cases.
    pub high: i64,
}

/// What is foretold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The days after the last one that is known.
    pub days: Vec<Band>,
    /// Their sum, with a band of its own: errors of single days make up for one another.
    pub total: Band,
    /// From how many weeks it is told.
    pub weeks: usize,
}

/// How far forecasts of single days were off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backtest {
    /// How many days were foretold, each from those before it.
    pub days: usize,
    /// The sum of all errors as a part of all that was used, in millionths.
    pub error_ppm: i64,
    /// The same where each day is taken for the one a week before it.
    pub last_week_ppm: i64,
    /// How many of the days lay within their band, in millionths.
    pub within_ppm: i64,
}

/// Foretells so many days, at most [`MAX_DAYS`]; `None` where less than [`LEAST_DAYS`] are known since anything was used.
#[must_use]
pub fn forecast(past: &[i64], days: usize) -> Option<Forecast> {
    let days = days.min(MAX_DAYS);
    let fit = Fit::of(past)?;
    let (low, high) = spread(past, 1);
    let band = |expected: i128, (low, high): (i128, i128)| Band {
        low: clamped(expected.saturating_mul(low) / ONE),
        expected: clamped(expected),
        // A day after days of next to nothing may have been off by any factor.
        high: clamped(expected.saturating_mul(high).saturating_add(ONE - 1) / ONE),
    };
    let single: Vec<i128> = (0..days).map(|ahead| fit.day(ahead)).collect();
    let total = band(single.iter().sum(), if days > 1 { spread(past, days.min(MAX_SUM_DAYS)) } else { (low, high) });
    let days = single.into_iter().map(|expected| band(expected, (low, high))).collect();
    Some(Forecast { days, total, weeks: fit.weeks })
}

/// Foretells each of the last `over` days from those before it, and says how far that was off.
#[must_use]
pub fn backtest(past: &[i64], over: usize) -> Option<Backtest> {
    let first = past.len().saturating_sub(over).max(LEAST_DAYS);
    let (mut days, mut within, mut used, mut off, mut off_last) = (0_usize, 0_i128, 0_i128, 0_i128, 0_i128);
    for place in first..past.len() {
        let Some(told) = forecast(&past[..place], 1) else { continue };
        let (told, was) = (told.days[0], past[place].max(0));
        days += 1;
        used += i128::from(was);
        off += (i128::from(told.expected) - i128::from(was)).abs();
        off_last += (i128::from(past[place - 7].max(0)) - i128::from(was)).abs();
        within += i128::from((told.low..=told.high).contains(&was));
    }
    let part = |sum: i128, of: i128| clamped(sum * ONE / of.max(1));
    (days > 0 && used > 0).then(|| Backtest {
        days,
        error_ppm: part(off, used),
        last_week_ppm: part(off_last, used),
        within_ppm: part(within, days as i128),
    })
}

/// The newest days since anything was used, as whole weeks.
fn known(past: &[i64]) -> Option<&[i64]> {
    let used = past.iter().position(|day| *day > 0)?;
    let length = (past.len() - used).min(HISTORY_DAYS) / 7 * 7;
    (length >= LEAST_DAYS).then(|| &past[past.len() - length..])
}

/// A week and how it goes on.
struct Fit {
    /// A week's total, and what it gains per week, in millionths.
    level: i128,
    trend: i128,
    /// What each place in a week has of it, and of how much; the first place is the day after the last known one.
    parts: [i128; 7],
    whole: i128,
    /// How many weeks it was made from.
    weeks: usize,
}

impl Fit {
    fn of(past: &[i64]) -> Option<Self> {
        let weeks: Vec<&[i64]> = known(past)?.chunks_exact(7).collect();
        let total = |week: &[i64]| week.iter().map(|day| i128::from((*day).max(0))).sum::<i128>() * ONE;
        let (mut level, mut trend) = (total(weeks[0]), 0_i128);
        let mut parts = [0_i128; 7];
        for (week, weight) in weeks.iter().zip(1_i128..) {
            if weight > 1 {
                let foretold = level + trend * DAMPED.0 / DAMPED.1;
                let next = foretold + (total(week) - foretold) * LEVEL.0 / LEVEL.1;
                trend = ((next - level) * TREND.0 + trend * DAMPED.0 / DAMPED.1 * (TREND.1 - TREND.0)) / TREND.1;
                level = next;
            }
            for (part, day) in parts.iter_mut().zip(*week) {
                *part += weight * i128::from((*day).max(0));
            }
        }
        Some(Self { level, trend, parts, whole: parts.iter().sum(), weeks: weeks.len() })
    }

    /// A day so many days after the first that is not known.
    fn day(&self, ahead: usize) -> i128 {
        if self.whole == 0 {
            return 0;
        }
        let (mut week, mut step) = (self.level, self.trend);
        for _ in 0..=ahead / 7 {
            step = step * DAMPED.0 / DAMPED.1;
            week += step;
        }
        // Only amounts that nobody has make it reach the end of what fits.
        (week.max(0) / ONE).saturating_mul(self.parts[ahead % 7]) / self.whole
    }
}

/// The 10th and 90th percentile of what sums of so many days came to, by what was foretold of them.
fn spread(past: &[i64], length: usize) -> (i128, i128) {
    let end = past.len();
    let first = end.saturating_sub(ERROR_DAYS + length - 1);
    let mut ratios = Vec::new();
    for place in first..(end + 1).saturating_sub(length) {
        let Some(fit) = Fit::of(&past[..place]) else { continue };
        let told: i128 = (0..length).map(|ahead| fit.day(ahead)).sum();
        let was: i128 = past[place..place + length].iter().map(|day| i128::from((*day).max(0))).sum();
        if told > 0 {
            ratios.push(was * ONE / told);
        }
    }
    if ratios.len() < LEAST_ERRORS {
        return if length > 1 { spread(past, 1) } else { WIDE };
    }
    ratios.sort_unstable();
    let rank = |tenths: usize| ratios[(ratios.len() - 1) * tenths / 10];
    // What is foretold lies in its own band.
    (rank(1).min(ONE), ratios[((ratios.len() - 1) * 9).div_ceil(10)].max(ONE))
}

fn clamped(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Weeks of the same days, each so many millionths more than the one before.
    fn weeks(week: [i64; 7], count: usize, growth_ppm: i64) -> Vec<i64> {
        let mut factor = 1_000_000_i64;
        let mut days = Vec::new();
        for _ in 0..count {
            days.extend(week.map(|day| day * (factor / 1_000) / 1_000));
            factor += factor / 1_000 * growth_ppm / 1_000;
        }
        days
    }

    const WEEK: [i64; 7] = [100_000, 120_000, 110_000, 130_000, 90_000, 10_000, 0];

    #[test]
    fn all_that_is_used_is_asked_for() {
        assert_eq!(usize::try_from(PAST_DAYS), Ok(HISTORY_DAYS + ERROR_DAYS));
    }

    #[test]
    fn a_steady_week_goes_on_as_it_was() {
        let days = weeks(WEEK, 6, 0);
        let told = forecast(&days, 14).expect("enough");
        let expected: Vec<i64> = told.days.iter().map(|day| day.expected).collect();
        assert_eq!(expected, [WEEK, WEEK].concat());
        assert!(told.days.iter().all(|day| (day.low, day.high) == (day.expected, day.expected)), "it was never off");
        assert_eq!(told.total.expected, 2 * WEEK.iter().sum::<i64>());
    }

    #[test]
    fn what_grows_is_told_to_grow_but_not_for_ever() {
        let days = weeks(WEEK, 12, 50_000);
        let told = forecast(&days, 70).expect("enough");
        let week = |number: usize| told.days[number * 7..][..7].iter().map(|day| day.expected).sum::<i64>();
        let last: i64 = days[77..].iter().sum();
        assert!(week(0) > last * 98 / 100 && week(1) > week(0), "{} after {last}", week(0));
        assert!(week(9) - week(8) < week(1) - week(0), "the trend fades");
    }

    #[test]
    fn too_little_says_nothing() {
        let none = |days: &[i64]| forecast(days, 7).is_none();
        assert!(none(&[]) && none(&[0; 100]) && none(&[5; 13]));
        let late = [vec![0; 60], vec![7; 13]].concat();
        assert!(none(&late), "what was before the first usage is no usage");
        let wide = forecast(&[7; 14], 1).expect("two weeks");
        assert_eq!(wide.days[0], Band { low: 0, expected: 7, high: 14 }, "nobody knows how far it is off");
    }

    #[test]
    fn it_is_better_than_last_week_where_days_scatter() {
        // SplitMix64 from a fixed seed: each day up to 30 % off.
        let mut seed = 7_u64;
        let mut random = || {
            seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            i64::try_from((mixed ^ (mixed >> 27)) % 601).expect("small") - 300
        };
        let days: Vec<i64> = weeks(WEEK, 20, 10_000).into_iter().map(|day| day + day / 1_000 * random()).collect();
        let told = backtest(&days, 84).expect("enough");
        assert_eq!(told.days, 84);
        assert!(told.error_ppm * 100 < told.last_week_ppm * 88, "{told:?}");
        assert!((650_000..=950_000).contains(&told.within_ppm), "four of five: {told:?}");
    }

    #[test]
    fn what_was_off_by_any_factor_is_told_with_the_widest_band() {
        // Next to nothing, then billions.
        let days = [1, 3, 3, 0, 621_392_243_502_968, 0, 5_487_643_996_897_750, 738_077_936_041_535, 0, 0, 2];
        let more = [2_595_735_142_083_705, 1, 0, 0, 5, 0, 15, 14, 6_418_162_893_526_446, 11];
        let told = forecast(&[&days[..], &more].concat(), 39).expect("three weeks");
        assert!(told.days.iter().any(|day| day.high == i64::MAX));
    }

    proptest! {
        /// Whatever was used: nothing overflows, a band holds what is foretold, nothing is below zero, and no day is
        /// foretold to be more than twice the week that was highest.
        #[test]
        fn every_history_has_a_sane_forecast(
            days in prop::collection::vec(prop_oneof![Just(0_i64), -5..50_i64, 0..=i64::MAX / 1_000], 0..120),
            ahead in 1..40_usize,
        ) {
            let Some(told) = forecast(&days, ahead) else { return Ok(()) };
            prop_assert_eq!(told.days.len(), ahead);
            let week = days.windows(7).map(|week| week.iter().map(|day| i128::from((*day).max(0))).sum::<i128>()).max();
            for day in &told.days {
                prop_assert!(0 <= day.low && day.low <= day.expected && day.expected <= day.high);
                prop_assert!(i128::from(day.expected) <= 2 * week.unwrap_or(0) + 2);
            }
            prop_assert!(told.total.low <= told.total.expected && told.total.expected <= told.total.high);
        }

        /// The same usage ten times as large is foretold ten times as large, to rounding.
        #[test]
        fn the_unit_does_not_matter(days in prop::collection::vec(1_000..1_000_000_i64, 14..90)) {
            let tenfold: Vec<i64> = days.iter().map(|day| day * 10).collect();
            let of = |days: &[i64]| forecast(days, 7).expect("enough").total.expected;
            prop_assert!((of(&tenfold) - 10 * of(&days)).abs() <= 100);
        }
    }
}
