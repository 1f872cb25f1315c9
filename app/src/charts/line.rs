//! Lines over buckets of time: running totals, balances and their forecast.
//!
//! A line passes through the middle of its buckets, on tenths of a pixel so that an even slope looks even. It ends
//! where its values end. What leads to an incomplete bucket is dotted. Amount 0 is always on the axis.

use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::Color as _;
use plotters_backend::BackendCoord;

use super::axis::{Frame, Plot};
use super::role::Role;
use super::svg::{Drawn, Group, Sheet, UNIT};
use super::{Bucket, Drawing, Rect, Series};

/// A chart of one or more lines.
#[derive(Clone, Copy, Debug)]
pub struct LineChart<'a> {
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
    /// One line each; later ones are drawn over earlier ones.
    pub series: &'a [Series],
    /// What amounts are counted in, drawn above their axis: "credits". Empty for none.
    pub unit: &'a str,
    /// Most decimals of the amounts at their axis.
    pub decimals: u32,
    /// Whether the space between line and baseline is tinted: for a single line.
    pub fill: bool,
}

impl LineChart<'_> {
    /// Draws it. Marks are points; beyond the end of a line they stay on its last one.
    pub fn draw(&self) -> Drawing {
        Lines { chart: self, total: &[], before: &[] }.draw()
    }
}

/// Any chart of lines.
pub(super) struct Lines<'a> {
    /// All that it has in common with one without totals.
    pub chart: &'a LineChart<'a>,
    /// What the lines add up to, drawn as a line of its own; empty for none.
    pub total: &'a [i64],
    /// The same of the compared range.
    pub before: &'a [i64],
}

impl Lines<'_> {
    pub(super) fn draw(&self) -> Drawing {
        self.try_draw().expect("writing into a String cannot fail")
    }

    fn try_draw(&self) -> Drawn<Drawing> {
        let LineChart { id, title, description, width, height, buckets, unit, decimals, .. } = *self.chart;
        let range = self.range();
        let framed =
            Frame { id, title, description, width, height, buckets, unit, decimals, range, hatch: false }.draw()?;
        let plot = framed.fine();
        let base = plot.map_coordinate(&(0, 0)).1;
        let lines: Vec<_> = self.chart.series.iter().map(|series| self.points(&plot, &series.values)).collect();
        let solid = buckets.iter().rposition(|bucket| !bucket.incomplete).map_or(0, |last| last + 1);
        let draw = |points: &[BackendCoord], role: Role, fill: bool| {
            framed.canvas.group(role, Group::Elements, |sheet| {
                if fill {
                    draw_area(sheet, points, base, role)?;
                }
                let (known, ahead) = points.split_at(solid.min(points.len()));
                // All there is, though it is not over: a dot, where a line would lead nowhere.
                if known.is_empty() && ahead.len() == 1 {
                    return draw_line(sheet, ahead.to_vec(), role, false);
                }
                draw_line(sheet, known.to_vec(), role, false)?;
                draw_line(sheet, known.last().into_iter().chain(ahead).copied().collect(), role, true)
            })
        };
        if !self.before.is_empty() {
            let line = self.points(&plot, self.before);
            framed.canvas.group(Role::Before, Group::Elements, |sheet| draw_line(sheet, line, Role::Before, false))?;
        }
        if !self.total.is_empty() {
            draw(&self.points(&plot, self.total), Role::Total, false)?;
        }
        for (series, points) in self.chart.series.iter().zip(&lines) {
            draw(points, Role::Series(series.color), self.chart.fill)?;
        }
        let marks = (0..buckets.len()).flat_map(|bucket| lines.iter().map(move |line| mark(line, bucket, base)));
        let marks = marks.collect();
        framed.finish(marks)
    }

    /// The lowest and the highest point of any line, in micro-credits.
    fn range(&self) -> (i128, i128) {
        let series = self.chart.series.iter().map(|s| s.values.as_slice());
        let lines = series.chain([self.total, self.before]);
        let values =
            || lines.clone().flat_map(|line| line.iter().take(self.chart.buckets.len())).map(|v| i128::from(*v));
        (values().min().unwrap_or(0), values().max().unwrap_or(0))
    }

    fn points(&self, plot: &Plot, values: &[i64]) -> Vec<BackendCoord> {
        let at = |(bucket, value): (usize, &i64)| plot.map_coordinate(&(2 * bucket + 1, i128::from(*value)));
        values.iter().take(self.chart.buckets.len()).enumerate().map(at).collect()
    }
}

fn mark(line: &[BackendCoord], bucket: usize, base: i32) -> Rect {
    let at = line.get(bucket).or(line.last()).copied().unwrap_or((0, base));
    Rect::between(at, at)
}

/// A line through the points, dotted if it is `soft`. A single known point is a dot.
pub(super) fn draw_line(sheet: &Sheet, points: Vec<BackendCoord>, role: Role, soft: bool) -> Drawn {
    match points.as_slice() {
        [] => Ok(()),
        [_] if soft => Ok(()),
        &[at] => sheet.draw(&Circle::new(at, 2 * UNIT, role.filled())),
        _ if soft => sheet.draw(&PathElement::new(points, role.mix(0.5))),
        _ => sheet.draw(&PathElement::new(points, role)),
    }
}

/// A tint between the points and the baseline.
pub(super) fn draw_area(sheet: &Sheet, points: &[BackendCoord], base: i32, role: Role) -> Drawn {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Ok(());
    };
    let mut outline = points.to_vec();
    outline.extend([(last.0, base), (first.0, base)]);
    sheet.draw(&Polygon::new(outline, role.filled()))
}
