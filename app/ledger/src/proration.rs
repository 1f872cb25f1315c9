//! Proration: what a part of a stretch of time is worth, in credits or in money.
//!
//! Worth is counted from the beginning of the stretch: what has passed until an instant is the whole by the time that has
//! passed, rounded half up to the smallest unit. A part is worth the difference between its two ends. So parts add up to
//! the whole exactly, wherever a stretch is cut and however often, also where nobody knew of the later cuts before.

use crate::refusal::Refusal;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A stretch of time: `from` until before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it; later than `from`.
    pub to: Timestamp,
}

impl Stretch {
    /// From one instant until before another.
    ///
    /// # Errors
    /// [`Refusal::TimeOutOfRange`] where nothing lies between them.
    pub fn new(from: Timestamp, to: Timestamp) -> Result<Self, Refusal> {
        if from < to { Ok(Self { from, to }) } else { Err(Refusal::TimeOutOfRange) }
    }

    /// Whether an instant lies in it.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// What the part from `from` until before `to` is worth, of a `whole` from zero on. Ends outside the stretch are taken for
    /// the nearer of its own.
    #[must_use]
    pub fn part(&self, whole: i64, from: Timestamp, to: Timestamp) -> i64 {
        self.passed_half_up(whole, to).saturating_sub(self.passed_half_up(whole, from))
    }

    /// What has passed until `at`, rounded half up.
    fn passed_half_up(&self, whole: i64, at: Timestamp) -> i64 {
        let micros = |at: Timestamp| i128::from(at.micros());
        let length = (micros(self.to) - micros(self.from)).max(1);
        let passed = (micros(at) - micros(self.from)).clamp(0, length);
        // Passed is at most the length, so the result is at most the whole: it fits.
        i64::try_from((i128::from(whole) * passed * 2 + length) / (2 * length)).unwrap_or(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stretch(from: i64, to: i64) -> Stretch {
        Stretch::new(Timestamp::from_micros(from), Timestamp::from_micros(to)).expect("not empty")
    }

    fn part(of: Stretch, whole: i64, from: i64, to: i64) -> i64 {
        of.part(whole, Timestamp::from_micros(from), Timestamp::from_micros(to))
    }

    #[test]
    fn a_half_goes_to_the_earlier_part() {
        let two = stretch(10, 12);
        assert_eq!([part(two, 5, 10, 11), part(two, 5, 11, 12)], [3, 2]);
        let three = stretch(0, 3);
        assert_eq!([part(three, 100, 0, 1), part(three, 100, 1, 2), part(three, 100, 2, 3)], [33, 34, 33]);
        assert_eq!(part(three, i64::MAX, -5, 50), i64::MAX);
        assert!(Stretch::new(Timestamp::from_micros(3), Timestamp::from_micros(3)).is_err());
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole_wherever_it_is_cut(
            whole in 0..=i64::MAX,
            length in 1..=3_000_000_000_000_i64,
            cuts in prop::collection::vec(0..=1_000_000_i64, 0..12),
        ) {
            let of = stretch(7, 7 + length);
            let mut ends: Vec<i64> = cuts.iter().map(|cut| 7 + i64::try_from(i128::from(length) * i128::from(*cut) / 1_000_000).expect("fits")).collect();
            ends.extend([7, 7 + length]);
            ends.sort_unstable();
            let parts: Vec<i64> = ends.windows(2).map(|pair| part(of, whole, pair[0], pair[1])).collect();
            prop_assert!(parts.iter().all(|part| *part >= 0));
            prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(whole));
            // No part is more than one unit away from its exact share.
            for (pair, part) in ends.windows(2).zip(&parts) {
                let exact = i128::from(whole) * i128::from(pair[1] - pair[0]);
                prop_assert!((i128::from(*part) * i128::from(length) - exact).abs() <= i128::from(length));
            }
        }

        #[test]
        fn more_costs_no_less(small in 0..=1_000_000_000_i64, more in 0..=1_000_000_000_i64, at in 0..=1_000_i64) {
            let of = stretch(0, 1_000);
            prop_assert!(part(of, small, 0, at) <= part(of, small + more, 0, at));
        }
    }
}
