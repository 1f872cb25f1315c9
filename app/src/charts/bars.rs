//! Stacked bars over buckets of time: the chart of Overview and Analytics.
//!
//! Positive values stack upwards from the baseline in the order of the series, negative ones (corrections) downwards.
//! A stack is exactly as high as its total rounded to the pixel, and every value that is not 0 is at least one pixel
//! high: where that needs room, larger neighbours give way. Only a stack of more values than pixels is higher than
//! its total. Bars lie on whole pixels with a constant gap, which goes away when there are hundreds of them.

use plotters::element::{Drawable, PathElement, PointCollection, Rectangle};
use plotters::style::Color as _;
use plotters_backend::{BackendCoord, DrawingErrorKind};

use super::axis::{Frame, Framed, Plot};
use super::role::Role;
use super::svg::{Drawn, Group, SvgBackend, UNIT};
use super::{Bucket, Drawing, Rect, Series};

/// Wider bars are slabs: a month with one bucket keeps its calm.
const WIDEST_PX: i32 = 48;

/// Segments lower or narrower than this keep no line between them: it would eat them.
const SEPARATED_PX: i32 = 4;

/// From here on a series is drawn as one `<path>` instead of a `<rect>` per bucket. A browser takes about 4 µs for each
/// element it parses: 3,600 would cost twice what a redraw may take, nine paths 0.3 ms. A month of nine series is less.
const DENSE_MARKS: usize = 300;

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
        self.try_draw().expect("writing into a String cannot fail")
    }

    fn try_draw(&self) -> Drawn<Drawing> {
        let framed = Frame {
            id: self.id,
            title: self.title,
            description: self.description,
            width: self.width,
            height: self.height,
            buckets: self.buckets,
            unit: self.unit,
            decimals: self.decimals,
            range: self.range(),
            hatch: true,
        }
        .draw()?;
        let segments = self.layout(&framed.plot);
        self.draw_segments(&framed, &segments)?;
        self.draw_gaps(&framed, &segments)?;
        self.draw_hatch(&framed, &segments)?;
        framed.finish(segments.iter().map(|s| Rect::between(s[0], s[1])).collect())
    }

    fn value(&self, bucket: usize, series: &Series) -> i128 {
        series.values.get(bucket).copied().unwrap_or(0).into()
    }

    /// The lowest and the highest end of any stack, in micro-credits.
    fn range(&self) -> (i128, i128) {
        (0..self.buckets.len()).fold((0, 0), |(lo, hi), bucket| {
            let values = || self.series.iter().map(|series| self.value(bucket, series));
            (lo.min(values().filter(|v| *v < 0).sum()), hi.max(values().filter(|v| *v > 0).sum()))
        })
    }

    /// The segments of every bucket in the order of the series.
    fn layout(&self, plot: &Plot) -> Vec<Segment> {
        let y = |amount: i128| plot.map_coordinate(&(0, amount)).1;
        let base = y(0);
        let mut segments = Vec::with_capacity(self.buckets.len() * self.series.len());
        for bucket in 0..self.buckets.len() {
            let (left, right) = self.sides(plot, bucket);
            let values: Vec<_> = self.series.iter().map(|series| self.value(bucket, series)).collect();
            let above = stack(values.iter().map(|v| *v.max(&0)), |sum| (base - y(sum)) / UNIT);
            let below = stack(values.iter().map(|v| -*v.min(&0)), |sum| (y(-sum) - base) / UNIT);
            segments.extend(values.iter().zip(above.into_iter().zip(below)).map(|(v, (up, down))| {
                let (top, bottom) = if *v < 0 { (-down.0, -down.1) } else { (up.1, up.0) };
                [(left, base - top * UNIT), (right, base - bottom * UNIT)]
            }));
        }
        segments
    }

    /// The left and right side of a bucket's bar, in backend units.
    fn sides(&self, plot: &Plot, bucket: usize) -> (i32, i32) {
        let edge = |i: usize| plot.map_coordinate(&(2 * i, 0)).0 / UNIT;
        let count = i32::try_from(self.buckets.len()).unwrap_or(i32::MAX);
        let pitch = (edge(self.buckets.len()) - edge(0)) / count;
        let gap = if pitch < 3 { 0 } else { (pitch / 4).clamp(1, 16) };
        let (left, right) = (edge(bucket), edge(bucket + 1));
        let width = (right - left - gap).clamp(1, WIDEST_PX);
        let left = left + (right - left - width) / 2;
        (left * UNIT, (left + width) * UNIT)
    }

    fn draw_segments(&self, framed: &Framed, segments: &[Segment]) -> Drawn {
        let drawn = segments.iter().filter(|s| height(s) > 0).count();
        let group = if drawn < DENSE_MARKS { Group::Elements } else { Group::Path };
        for (i, series) in self.series.iter().enumerate() {
            let role = Role::Series(series.color);
            let bars = segments.iter().skip(i).step_by(self.series.len()).enumerate().filter(|(_, s)| height(s) > 0);
            if bars.clone().next().is_none() {
                continue;
            }
            framed.canvas.group(role, group, |sheet| {
                bars.clone().try_for_each(|(bucket, &segment)| {
                    sheet.draw(&Bar { bucket, rectangle: Rectangle::new(segment, role.filled()) })
                })
            })?;
        }
        Ok(())
    }

    /// A line in the colour of the background between two segments, taken from the outer one: colours that meet need
    /// no contrast then.
    fn draw_gaps(&self, framed: &Framed, segments: &[Segment]) -> Drawn {
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

    /// Stripes in the colour of the background over the bars of incomplete buckets.
    fn draw_hatch(&self, framed: &Framed, segments: &[Segment]) -> Drawn {
        let stacks = segments.chunks(self.series.len().max(1)).zip(self.buckets);
        for (stack, _) in stacks.filter(|(_, bucket)| bucket.incomplete) {
            let around = |a: Segment, b: Segment| [(a[0].0, a[0].1.min(b[0].1)), (a[1].0, a[1].1.max(b[1].1))];
            if let Some(bar) = stack.iter().copied().filter(|s| height(s) > 0).reduce(around) {
                framed.canvas.sheet().draw(&Rectangle::new(bar, Role::Hatch.filled()))?;
            }
        }
        Ok(())
    }
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

/// A plotters rectangle that says which bucket it belongs to.
struct Bar {
    bucket: usize,
    rectangle: Rectangle<BackendCoord>,
}

impl<'a> PointCollection<'a, BackendCoord> for &'a Bar {
    type IntoIter = &'a [BackendCoord];
    type Point = &'a BackendCoord;

    fn point_iter(self) -> Self::IntoIter {
        self.rectangle.point_iter()
    }
}

impl Drawable<SvgBackend> for Bar {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        corners: I,
        backend: &mut SvgBackend,
        size: (u32, u32),
    ) -> Result<(), DrawingErrorKind<std::convert::Infallible>> {
        backend.tag(self.bucket);
        self.rectangle.draw(corners, backend, size)
    }
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
