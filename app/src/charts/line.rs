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
        self.try_draw().expect("writing into a String cannot fail")
    }

    fn try_draw(&self) -> Drawn<Drawing> {
        let values =
            || self.series.iter().flat_map(|s| s.values.iter().take(self.buckets.len())).map(|v| i128::from(*v));
        let framed = Frame {
            id: self.id,
            title: self.title,
            description: self.description,
            width: self.width,
            height: self.height,
            buckets: self.buckets,
            unit: self.unit,
            decimals: self.decimals,
            range: (values().min().unwrap_or(0), values().max().unwrap_or(0)),
            hatch: false,
        }
        .draw()?;
        let plot = framed.fine();
        let base = plot.map_coordinate(&(0, 0)).1;
        let lines: Vec<_> = self.series.iter().map(|series| self.points(&plot, series)).collect();
        let solid = self.buckets.iter().rposition(|bucket| !bucket.incomplete).map_or(0, |last| last + 1);
        for (series, points) in self.series.iter().zip(&lines) {
            let role = Role::Series(series.color);
            framed.canvas.group(role, Group::Elements, |sheet| {
                if self.fill {
                    draw_area(sheet, points, base, role)?;
                }
                let (known, ahead) = points.split_at(solid.min(points.len()));
                draw_line(sheet, known.to_vec(), role, false)?;
                draw_line(sheet, known.last().into_iter().chain(ahead).copied().collect(), role, true)
            })?;
        }
        let marks = (0..self.buckets.len()).flat_map(|bucket| lines.iter().map(move |line| mark(line, bucket, base)));
        let marks = marks.collect();
        framed.finish(marks)
    }

    fn points(&self, plot: &Plot, series: &Series) -> Vec<BackendCoord> {
        let at = |(bucket, value): (usize, &i64)| plot.map_coordinate(&(2 * bucket + 1, i128::from(*value)));
        series.values.iter().take(self.buckets.len()).enumerate().map(at).collect()
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
