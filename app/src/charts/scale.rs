//! The two axes as plotters coordinates: amounts upwards, buckets sideways.
//!
//! Amounts stay integers until the very last division, which yields the pixel. i128 throughout: a stack of several
//! i64 amounts does not fit an i64, and neither does the round number above it.
//! Invariants: 0 lies on the amount axis and is a tick; where there is any amount there is another one; there are at
//! most `MAX_TICKS`. The axis ends on half a step: whole steps would leave up to half of a small chart empty, and ends
//! at the very values would shift everything with each event.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged};

use super::svg::UNIT;

/// One credit in micro-credits.
const CREDIT: i128 = 1_000_000;

/// Its decimals.
const DECIMALS: u32 = 6;

/// From here on labels use `k`, `M`, `B` or `T`: five digits in a row are harder to read than `10k`.
const GROUPED_BELOW: i128 = 10_000 * CREDIT;

/// More lines than this are a grating, whatever the height.
pub(super) const MAX_TICKS: usize = 7;

/// The vertical axis: micro-credits on round ticks (1, 2 or 5 times a power of ten apart).
#[derive(Clone, Debug)]
pub(super) struct Amounts {
    lo: i128,
    hi: i128,
    step: i128,
    /// Positions are multiples of this many tenths of a pixel: [`UNIT`] keeps edges sharp, 1 keeps slopes smooth.
    snap: i32,
}

impl Amounts {
    /// The finest axis over `lo..=hi` and 0 that at most `intervals` steps (at least two) cover, with ticks of at most so
    /// many decimals.
    /// Without any amount it is one credit high, so that nothing is divided by zero, and shows no tick but 0.
    pub(super) fn around(lo: i128, hi: i128, intervals: usize, decimals: u32) -> Self {
        let (lo, hi) = (lo.min(0), hi.max(0));
        if lo == hi {
            return Self { lo: 0, hi: CREDIT, step: 0, snap: UNIT };
        }
        let most = intervals.clamp(2, MAX_TICKS - 1) as i128;
        let mut step = CREDIT / 10_i128.pow(decimals.min(DECIMALS));
        for factor in [2, 5, 10].iter().cycle() {
            if up(hi, step) - down(lo, step) <= most {
                break;
            }
            // 10 closes the decade that 2 and 5 divide.
            step = match factor {
                2 => step * 2,
                5 => step / 2 * 5,
                _ => step / 5 * 10,
            };
        }
        let half = (step / 2).max(1);
        let (mut lo, mut hi) = (down(lo, half) * half, up(hi, half) * half);
        if hi >= -lo {
            hi = hi.max(step);
        } else {
            lo = lo.min(-step);
        }
        Self { lo, hi, step, snap: UNIT }
    }

    /// The axis from the lowest to the highest of `lo`, `hi` and 0, without ticks, for smooth slopes.
    pub(super) fn exactly(lo: i128, hi: i128) -> Self {
        let (lo, hi) = (lo.min(0), hi.max(0));
        Self { lo, hi: if lo == hi { CREDIT } else { hi }, step: 0, snap: 1 }
    }

    /// The same axis on tenths of a pixel.
    pub(super) fn fine(&self) -> Self {
        Self { snap: 1, ..*self }
    }

    /// The ticks from the lowest to the highest, in micro-credits; always with 0.
    pub(super) fn ticks(&self) -> Vec<i128> {
        if self.step == 0 {
            return vec![0];
        }
        (up(self.lo, self.step)..=down(self.hi, self.step)).map(|i| i * self.step).collect()
    }

    /// What to write at a tick. All labels of an axis share one suffix; 0 has none. Exact, never rounded.
    pub(super) fn label(&self, tick: i128) -> String {
        let most = self.hi.max(-self.lo);
        let (mut suffix, mut unit) = ("", CREDIT);
        if most >= GROUPED_BELOW {
            for name in ["k", "M", "B", "T"] {
                (suffix, unit) = (name, unit * 1000);
                if most < unit * 1000 {
                    break;
                }
            }
        }
        let sign = if tick < 0 { "\u{2212}" } else { "" };
        let (whole, rest) = (tick.abs() / unit, tick.abs() % unit);
        let mut text = format!("{sign}{}", grouped(whole));
        if rest > 0 {
            // `unit + rest` keeps the zeros in front: 1_050_000 → ".05".
            let digits = (unit + rest).to_string();
            text.push('.');
            text.push_str(digits[1..].trim_end_matches('0'));
        }
        if tick != 0 {
            text.push_str(suffix);
        }
        text
    }
}

impl Ranged for Amounts {
    type FormatOption = NoDefaultFormatting;
    type ValueType = i128;

    fn map(&self, value: &i128, (from, to): (i32, i32)) -> i32 {
        let snap = i128::from(self.snap);
        let length = i128::from(to - from);
        let steps = nearest((value - self.lo) * length, (self.hi - self.lo) * snap);
        i128::from(from).saturating_add(steps * snap).try_into().unwrap_or(from)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<i128> {
        self.ticks()
    }

    fn range(&self) -> Range<i128> {
        self.lo..self.hi
    }
}

/// The horizontal axis: `count` slots of equal width, give or take a pixel. Positions count half slots, so `2 * i`
/// is where bucket `i` begins and `2 * i + 1` its middle.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    /// How many buckets share the axis.
    pub(super) count: usize,
    /// As for [`Amounts::snap`].
    pub(super) snap: i32,
}

impl Ranged for Slots {
    type FormatOption = NoDefaultFormatting;
    type ValueType = usize;

    fn map(&self, half: &usize, (from, to): (i32, i32)) -> i32 {
        let snap = i128::from(self.snap);
        let halves = 2 * self.count.max(1) as i128;
        let steps = (i128::from(to - from) * *half as i128).div_euclid(halves * snap);
        (i128::from(from) + steps * snap).try_into().unwrap_or(from)
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<usize> {
        Vec::new() // no vertical grid: the bars are one
    }

    fn range(&self) -> Range<usize> {
        0..2 * self.count
    }
}

fn down(value: i128, step: i128) -> i128 {
    value.div_euclid(step)
}

fn up(value: i128, step: i128) -> i128 {
    -(-value).div_euclid(step)
}

/// Division to the nearest integer, halves up.
fn nearest(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator).div_euclid(2 * denominator)
}

fn grouped(number: i128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(lo: i128, hi: i128, intervals: usize) -> Vec<String> {
        let axis = Amounts::around(lo * CREDIT / 1000, hi * CREDIT / 1000, intervals, DECIMALS);
        axis.ticks().into_iter().map(|t| axis.label(t)).collect()
    }

    #[test]
    fn labels_are_short_and_exact() {
        assert_eq!(labels(0, 1_400, 4), ["0", "0.5", "1", "1.5"]);
        assert_eq!(labels(0, 7, 4), ["0", "0.002", "0.004", "0.006"]);
        assert_eq!(labels(0, 7_300_000, 4), ["0", "2,000", "4,000", "6,000", "8,000"]);
        assert_eq!(labels(0, 10_000_000, 4), ["0", "5k", "10k"]);
        assert_eq!(labels(0, 14_999_999, 3), ["0", "5k", "10k", "15k"]);
        assert_eq!(labels(-1_200_000, 3_000_000, 4), ["\u{2212}2,000", "0", "2,000"]);
        assert_eq!(labels(0, 42_000_000_000, 4), ["0", "20M", "40M"]);
        assert_eq!(labels(-2_000_000, 1_500_000, 4), ["\u{2212}2,000", "\u{2212}1,000", "0", "1,000"]);
        assert_eq!(labels(0, 0, 4), ["0"]);
    }

    #[test]
    fn ticks_have_no_more_decimals_than_amounts_show() {
        let labels = |hi: i128, decimals| {
            let axis = Amounts::around(0, hi, 4, decimals);
            axis.ticks().into_iter().map(|tick| axis.label(tick)).collect::<Vec<_>>()
        };
        assert_eq!(labels(7_000, 6), ["0", "0.002", "0.004", "0.006"]);
        assert_eq!(labels(7_000, 2), ["0", "0.01"]);
        assert_eq!(labels(1, 0), ["0", "1"]);
        assert_eq!(labels(1_400_000, 0), ["0", "1"]);
    }

    #[test]
    fn the_largest_amounts_have_an_axis() {
        let most = i128::from(i64::MAX) * 9;
        let axis = Amounts::around(-most, most, 5, DECIMALS);
        assert!(axis.ticks().len() <= MAX_TICKS);
        assert_eq!(axis.map(&axis.hi, (1000, 0)), 0);
        assert_eq!(axis.ticks().last().map(|t| axis.label(*t)).as_deref(), Some("100T"));
    }

    proptest! {
        #[test]
        fn ticks_are_round_even_and_enclose_the_values(a: i64, b: i64, shift in 0..60u32, intervals in 1..9usize) {
            let (lo, hi) = (i128::from(a.min(b) >> shift), i128::from(a.max(b) >> shift));
            let axis = Amounts::around(lo, hi, intervals, DECIMALS);
            let ticks = axis.ticks();
            prop_assert!(ticks.contains(&0) && ticks.len() <= MAX_TICKS && ticks.len() <= intervals.max(2) + 1);
            prop_assert!(ticks.len() > 1 || axis.step == 0);
            prop_assert!(ticks.windows(2).all(|w| w[1] - w[0] == axis.step));
            if axis.step > 0 {
                prop_assert!(axis.lo <= lo.min(0) && hi.max(0) <= axis.hi && axis.lo <= ticks[0] && ticks[ticks.len() - 1] <= axis.hi);
                let digits = axis.step.to_string();
                prop_assert!(["1", "2", "5"].contains(&digits.trim_end_matches('0')), "{digits}");
            }
        }

        #[test]
        fn labels_say_exactly_the_tick(hi in 1..i64::MAX, intervals in 1..7usize) {
            let axis = Amounts::around(0, hi.into(), intervals, DECIMALS);
            for tick in axis.ticks() {
                let label = axis.label(tick);
                let number = label.trim_end_matches(['k', 'M', 'B', 'T']);
                let unit = ["", "k", "M", "B", "T"].iter().position(|s| **s == label[number.len()..]).unwrap_or(9);
                let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
                let digits = format!("{}{rest:0<width$}", whole.replace(',', ""), width = 6 + 3 * unit);
                prop_assert_eq!(digits.parse::<i128>(), Ok(tick), "{}", label);
            }
        }

        #[test]
        fn mapping_keeps_order_and_ends(hi in 1..i64::MAX, v: i64, w: i64, px in 1..2000i32) {
            let axis = Amounts::around(0, hi.into(), 4, DECIMALS);
            let at = |v: i64| axis.map(&i128::from(v.rem_euclid(hi)), (px * UNIT, 0));
            prop_assert_eq!(axis.map(&0, (px * UNIT, 0)), px * UNIT);
            prop_assert_eq!(axis.map(&axis.hi, (px * UNIT, 0)), 0);
            prop_assert_eq!(at(v) <= at(w), v.rem_euclid(hi) >= w.rem_euclid(hi) || at(v) == at(w));
        }
    }
}
