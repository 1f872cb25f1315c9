//! Bars over buckets of time, stacked or side by side: the chart of Overview and Analytics.
//!
//! Positive values stack upwards from the baseline in the order of the series, negative ones (corrections) downwards.
//! A stack is exactly as high as its total rounded to the pixel, and every value that is not 0 is at least one pixel
//! high: where that needs room, larger neighbours give way. Only a stack of more values than pixels is higher than
//! its total. Bars lie on whole pixels with a constant gap, which goes away when there are hundreds of them.
//!
//! Side by side each value is a bar by itself, in the same place of every group. What a bucket is compared with is a
//! pale bar behind its stack and a line across it, so that it shows whichever of the two is higher; groups, whose bars
//! are parts, have lines at both totals instead.

use plotters::element::{PathElement, Rectangle};
use plotters::style::Color as _;
use plotters_backend::BackendCoord;

use super::axis::{Frame, Framed, Plot};
use super::role::Role;
use super::svg::{Drawn, Group, UNIT};
use super::{Bucket, Drawing, Rect, Series};

/// Wider bars are slabs: a month with one bucket keeps its calm.
const WIDEST_PX: i32 = 48;

/// Segments lower or narrower than this keep no line between them: it would eat them.
const SEPARATED_PX: i32 = 4;

/// The same for a group: its bars are as wide as they are many, up to this each.
const WIDEST_OF_GROUP_PX: i32 = 24;

/// About the length of a dash, and of the gap behind it.
const DASH_PX: i32 = 4;

/// How far the bar of the compared range looks out on either side, where there is room.
const GHOST_PX: i32 = 3;

/// A stacked bar chart.
#[derive(Clone, Copy, Debug)]
pub struct BarChart<'a> {
    /// Prefix of the ids in the drawing; unique on the page.
    pub id: &'a str,
    /// What it shows, in a few words; read out, not drawn.
    pub title: &'a str,
    /// What there is to see, in a sentence or two; read out, not drawn.
    pub description: &'a str,
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
    /// The time axis.
    pub buckets: &'a [Bucket],
    /// From the baseline outwards.
    pub series: &'a [Series],
    /// What amounts are counted in, drawn above their axis: "credits". Empty for none.
    pub unit: &'a str,
    /// Most decimals of the amounts at their axis.
    pub decimals: u32,
}

impl BarChart<'_> {
    /// Draws it. Marks are the segments, per bucket and series.
    pub fn draw(&self) -> Drawing {
        Bars { chart: self, grouped: false, before: &[] }.draw()
    }
}

/// Any chart of bars.
pub(super) struct Bars<'a> {
    /// All that it has in common with a stacked one.
    pub chart: &'a BarChart<'a>,
    /// Side by side instead of stacked.
    pub grouped: bool,
    /// The totals of the compared range, per bucket; empty for none.
    pub before: &'a [i64],
}

impl Bars<'_> {
    pub(super) fn draw(&self) -> Drawing {
        self.try_draw().expect("writing into a String cannot fail")
    }

    fn try_draw(&self) -> Drawn<Drawing> {
        let BarChart { id, title, description, width, height, buckets, unit, decimals, .. } = *self.chart;
        let range = self.range();
        let framed =
            Frame { id, title, description, width, height, buckets, unit, decimals, range, hatch: true }.draw()?;
        let segments = if self.grouped { self.side_by_side(&framed.plot) } else { self.stacked(&framed.plot) };
        self.draw_ghosts(&framed)?;
        self.draw_segments(&framed, &segments)?;
        if !self.grouped {
            draw_gaps(&framed, &segments)?;
        }
        self.draw_hatch(&framed, &segments)?;
        self.draw_levels(&framed)?;
        framed.finish(segments.iter().map(|s| Rect::between(s[0], s[1])).collect())
    }

    fn values(&self, bucket: usize) -> impl Iterator<Item = i128> + Clone {
        self.chart.series.iter().map(move |series| series.values.get(bucket).copied().unwrap_or(0).into())
    }

    /// The lowest and the highest end of any bar, in micro-credits.
    fn range(&self) -> (i128, i128) {
        let around = |(lo, hi): (i128, i128), value: i128| (lo.min(value), hi.max(value));
        let of_bucket = |range: (i128, i128), bucket: usize| {
            if !self.grouped {
                let part = |sign: i128| self.values(bucket).map(|v| (v * sign).max(0)).sum::<i128>() * sign;
                return around(around(range, part(-1)), part(1));
            }
            let range = self.values(bucket).fold(range, around);
            if self.before.is_empty() { range } else { around(range, self.values(bucket).sum()) }
        };
        let range = (0..self.chart.buckets.len()).fold((0, 0), of_bucket);
        self.compared().fold(range, |range, (_, value)| around(range, value))
    }

    /// The buckets that have something to be compared with.
    fn compared(&self) -> impl Iterator<Item = (usize, i128)> {
        self.before.iter().take(self.chart.buckets.len()).map(|v| i128::from(*v)).enumerate()
    }

    /// The segments of every bucket in the order of the series.
    fn stacked(&self, plot: &Plot) -> Vec<Segment> {
        let y = |amount: i128| plot.map_coordinate(&(0, amount)).1;
        let base = y(0);
        let mut segments = Vec::with_capacity(self.chart.buckets.len() * self.chart.series.len());
        for bucket in 0..self.chart.buckets.len() {
            let (left, right) = self.sides(plot, bucket);
            let above = stack(self.values(bucket).map(|v| v.max(0)), |sum| (base - y(sum)) / UNIT);
            let below = stack(self.values(bucket).map(|v| -v.min(0)), |sum| (y(-sum) - base) / UNIT);
            segments.extend(self.values(bucket).zip(above.into_iter().zip(below)).map(|(v, (up, down))| {
                let (top, bottom) = if v < 0 { (-down.0, -down.1) } else { (up.1, up.0) };
                [(left, base - top * UNIT), (right, base - bottom * UNIT)]
            }));
        }
        segments
    }

    /// The bars of every bucket in the order of the series. Where there are more of them than pixels they overlap.
    fn side_by_side(&self, plot: &Plot) -> Vec<Segment> {
        let y = |amount: i128| plot.map_coordinate(&(0, amount)).1;
        let base = y(0);
        let count = self.columns();
        let mut segments = Vec::with_capacity(self.chart.buckets.len() * self.chart.series.len());
        for bucket in 0..self.chart.buckets.len() {
            let (left, right) = self.sides(plot, bucket);
            let edge = |i: i32| left + (right - left) / UNIT * i / count * UNIT;
            segments.extend((0..).zip(self.values(bucket)).map(|(i, value)| {
                let end = if value > 0 { y(value).min(base - UNIT) } else { y(value).max(base + UNIT) };
                let end = if value == 0 { base } else { end };
                [(edge(i), base.min(end)), (edge(i + 1).max(edge(i) + UNIT), base.max(end))]
            }));
        }
        segments
    }

    /// The bars beside each other in one bucket.
    fn columns(&self) -> i32 {
        if self.grouped { i32::try_from(self.chart.series.len()).unwrap_or(i32::MAX).max(1) } else { 1 }
    }

    /// Between the bars of two buckets, in px.
    fn gap(&self, plot: &Plot) -> i32 {
        let edge = |i: usize| plot.map_coordinate(&(2 * i, 0)).0 / UNIT;
        let count = i32::try_from(self.chart.buckets.len()).unwrap_or(i32::MAX);
        let pitch = (edge(self.chart.buckets.len()) - edge(0)) / count;
        if pitch < 3 { 0 } else { (pitch / 4).clamp(1, 16) }
    }

    /// The left and right side of a bucket's bar or bars, in backend units.
    fn sides(&self, plot: &Plot, bucket: usize) -> (i32, i32) {
        let edge = |i: usize| plot.map_coordinate(&(2 * i, 0)).0 / UNIT;
        let (left, right) = (edge(bucket), edge(bucket + 1));
        let widest = WIDEST_PX.max(self.columns().saturating_mul(WIDEST_OF_GROUP_PX));
        let width = (right - left - self.gap(plot)).clamp(1, widest);
        let left = left + (right - left - width) / 2;
        (left * UNIT, (left + width) * UNIT)
    }

    /// The sides of what stands for the compared range: a little wider than the bars.
    fn ghost_sides(&self, plot: &Plot, bucket: usize) -> (i32, i32) {
        let (left, right) = self.sides(plot, bucket);
        let out = (self.gap(plot) / 2).min(GHOST_PX) * UNIT;
        (left - out, right + out)
    }

    fn draw_ghosts(&self, framed: &Framed) -> Drawn {
        if self.grouped || self.compared().all(|(_, value)| value == 0) {
            return Ok(());
        }
        let at = |value| framed.plot.map_coordinate(&(0, value)).1;
        framed.canvas.group(Role::Ghost, Group::Path, |sheet| {
            self.compared().filter(|(_, value)| *value != 0).try_for_each(|(bucket, value)| {
                let (left, right) = self.ghost_sides(&framed.plot, bucket);
                let (top, bottom) = (at(value).min(at(0)), at(value).max(at(0)));
                sheet.draw(&Rectangle::new([(left, top), (right, bottom)], Role::Ghost.filled()))
            })
        })
    }

    /// Lines across the bars: at what the compared range came to, and in groups at the total too.
    fn draw_levels(&self, framed: &Framed) -> Drawn {
        if self.compared().all(|(_, value)| value == 0) {
            return Ok(());
        }
        let lines = |role: Role, levels: &[(usize, i128)]| {
            framed.canvas.group(role, Group::Path, |sheet| {
                levels.iter().filter(|(_, v)| *v != 0).try_for_each(|&(bucket, value)| {
                    let (left, right) = self.ghost_sides(&framed.plot, bucket);
                    let y = framed.plot.map_coordinate(&(0, value)).1 + UNIT / 2;
                    let parts = if role == Role::Before { dashes(right - left) } else { 1 };
                    let at = |part: i32| left + (right - left) * part / parts;
                    (0..parts).step_by(2).try_for_each(|part| {
                        sheet.draw(&PathElement::new(vec![(at(part), y), (at(part + 1), y)], role))
                    })
                })
            })
        };
        if self.grouped && self.chart.series.len() > 1 {
            let totals: Vec<_> = (0..self.chart.buckets.len()).map(|b| (b, self.values(b).sum::<i128>())).collect();
            lines(Role::Total, &totals)?;
        }
        let before: Vec<_> = self.compared().collect();
        lines(Role::Halo, &before)?;
        lines(Role::Before, &before)
    }

    /// Each series as one path, not a `<rect>` per bucket: a browser takes about 4 µs for each element that it parses, and
    /// changes one attribute where a filter changes all of them.
    fn draw_segments(&self, framed: &Framed, segments: &[Segment]) -> Drawn {
        for (i, series) in self.chart.series.iter().enumerate() {
            let role = Role::Series(series.color);
            let mut bars = segments.iter().skip(i).step_by(self.chart.series.len());
            framed.canvas.group(role, Group::Path, |sheet| {
                bars.try_for_each(|bar| match height(bar) {
                    ..=0 => Ok(()),
                    _ => sheet.draw(&Rectangle::new(*bar, role.filled())),
                })
            })?;
        }
        Ok(())
    }

    /// Stripes in the colour of the background over the bars of incomplete buckets.
    fn draw_hatch(&self, framed: &Framed, segments: &[Segment]) -> Drawn {
        let stacks = segments.chunks(self.chart.series.len().max(1)).zip(self.chart.buckets);
        framed.canvas.group(Role::Hatch, Group::Elements, |sheet| {
            let hatch = |bar: Segment| sheet.draw(&Rectangle::new(bar, Role::Hatch.filled()));
            for (stack, _) in stacks.filter(|(_, bucket)| bucket.incomplete) {
                let mut bars = stack.iter().copied().filter(|s| height(s) > 0);
                if self.grouped {
                    bars.try_for_each(hatch)?;
                    continue;
                }
                let around = |a: Segment, b: Segment| [(a[0].0, a[0].1.min(b[0].1)), (a[1].0, a[1].1.max(b[1].1))];
                bars.reduce(around).map_or(Ok(()), hatch)?;
            }
            Ok(())
        })
    }
}

/// Dashes and the gaps between them across so wide a bar: each bar begins and ends with a dash, and looks like every other.
fn dashes(width: i32) -> i32 {
    (width / (DASH_PX * UNIT)).max(1) | 1
}

/// A line in the colour of the background between two segments, taken from the outer one: colours that meet need
/// no contrast then.
fn draw_gaps(framed: &Framed, segments: &[Segment]) -> Drawn {
    let base = framed.plot.map_coordinate(&(0, 0)).1;
    let gaps = segments.iter().filter(|s| height(s).min(s[1].0 - s[0].0) >= SEPARATED_PX * UNIT).filter_map(
        |&[(x0, top), (x1, bottom)]| {
            let y = if bottom < base { bottom - UNIT / 2 } else { top + UNIT / 2 };
            (top > base || bottom < base).then(|| PathElement::new(vec![(x0, y), (x1, y)], Role::Gap))
        },
    );
    let gaps: Vec<_> = gaps.collect();
    if gaps.is_empty() {
        return Ok(());
    }
    framed.canvas.group(Role::Gap, Group::Path, |sheet| gaps.iter().try_for_each(|gap| sheet.draw(gap)))
}

/// Top left and bottom right corner, in backend units.
type Segment = [BackendCoord; 2];

fn height([top, bottom]: &Segment) -> i32 {
    bottom.1 - top.1
}

/// Where each value begins and ends, in px from the baseline; `px` gives the height of a sum. Only values that are
/// not 0 take room, at least a pixel each; the last end is `px` of the total, or one pixel per value if that is more.
fn stack(values: impl Iterator<Item = i128> + Clone, px: impl Fn(i128) -> i32) -> Vec<(i32, i32)> {
    let mut left = values.clone().map(|v| i32::from(v != 0)).sum();
    let height = px(values.clone().sum()).max(left);
    let (mut sum, mut end) = (0, 0);
    let place = |value: i128| {
        let start = end;
        if value != 0 {
            left -= 1;
            sum += value;
            end = px(sum).clamp(start + 1, height - left);
        }
        (start, end)
    };
    values.map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_values_take_a_pixel_from_their_large_neighbours() {
        let thousandths = |v: i128| i32::try_from((v + 500) / 1000).unwrap_or(0);
        assert_eq!(
            stack([50_000, 1, 0, 1, 50_000].into_iter(), thousandths),
            [(0, 50), (50, 51), (51, 51), (51, 52), (52, 100)]
        );
        assert_eq!(stack([1, 99_998, 1].into_iter(), thousandths), [(0, 1), (1, 99), (99, 100)]);
        assert_eq!(stack([1, 1, 1].into_iter(), thousandths), [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(stack([0, 0].into_iter(), thousandths), [(0, 0), (0, 0)]);
    }

    #[test]
    fn dashes_begin_and_end_with_their_bar() {
        assert_eq!([1, 6, 8, 13, 33, 48].map(|px| dashes(px * UNIT)), [1, 1, 3, 3, 9, 13]);
    }

    proptest! {
        #[test]
        fn a_stack_is_as_high_as_its_total(values in prop::collection::vec(prop_oneof![Just(0i128), 1..2000i128, 1..400_000i128], 0..12)) {
            let px = |v: i128| i32::try_from((v + 500) / 1000).unwrap_or(0);
            let ends = stack(values.iter().copied(), px);
            let drawn = values.iter().filter(|v| **v > 0).count();
            let total: i128 = values.iter().sum();
            let last = ends.last().map_or(0, |e| e.1);
            prop_assert_eq!(last, px(total).max(i32::try_from(drawn)?));
            for (value, (from, to)) in values.iter().zip(&ends) {
                prop_assert_eq!(*value == 0, from == to);
                prop_assert!(from <= to);
            }
            prop_assert!(ends.windows(2).all(|w| w[0].1 == w[1].0));
        }
    }
}
