//! A figure over time, the threshold that it must not cross, and where it would have been told.
//!
//! Drawn on the server only, hence with its tooltips in it. What a script needs to move the threshold is told beside the drawing.

use super::axis::Frame;
use super::line::{draw_area, draw_line};
use super::role::Role;
use super::svg::{Drawn, Group, UNIT};
use super::{Bucket, Drawing};
use plotters::element::Circle;
use plotters::style::Color as _;
use plotters_backend::BackendCoord;

/// Radius of the dots where it fires.
const DOT_PX: i32 = 4;

/// A chart of a figure and its threshold.
#[derive(Clone, Copy, Debug)]
pub struct ThresholdChart<'a> {
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
    /// The instants; the label is the tooltip.
    pub points: &'a [Bucket],
    /// The figure at each, in millionths of its unit.
    pub values: &'a [i64],
    /// The threshold at each: it may move with what a plan gives.
    pub thresholds: &'a [i64],
    /// The places at which it fires.
    pub fired: &'a [usize],
    /// What figures are counted in.
    pub unit: &'a str,
    /// Most decimals at the axis.
    pub decimals: u32,
}

/// Where the threshold can be moved: the heights of nothing and of the highest figure shown, in px, and that figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Track {
    /// Height of 0.
    pub zero: f64,
    /// Height of `top`.
    pub high: f64,
    /// The highest figure, in millionths.
    pub top: i64,
    /// Left edge of the plot.
    pub left: f64,
}

impl ThresholdChart<'_> {
    /// Draws it, and says where its threshold can be moved.
    #[must_use]
    pub fn draw(&self) -> (Drawing, Track) {
        self.try_draw().expect("writing into a String cannot fail")
    }

    fn try_draw(&self) -> Drawn<(Drawing, Track)> {
        let values = || self.values.iter().chain(self.thresholds).map(|value| i128::from(*value));
        let highest = values().max().unwrap_or(0).max(1);
        // Some room above, so that a threshold can be moved beyond all that was.
        let range = (values().min().unwrap_or(0).min(0), highest + highest / 5);
        let framed = Frame {
            id: self.id,
            title: self.title,
            description: self.description,
            width: self.width,
            height: self.height,
            buckets: self.points,
            unit: self.unit,
            decimals: self.decimals,
            range,
            hatch: false,
        }
        .draw()?;
        let plot = framed.fine();
        let at = |place: usize, value: i64| plot.map_coordinate(&(2 * place + 1, i128::from(value)));
        let line = |values: &[i64]| -> Vec<BackendCoord> {
            values.iter().enumerate().take(self.points.len()).map(|(place, value)| at(place, *value)).collect()
        };
        let (figures, limits) = (line(self.values), line(self.thresholds));
        let base = plot.map_coordinate(&(0, 0)).1;
        framed.canvas.group(Role::Series(0), Group::Elements, |sheet| {
            draw_area(sheet, &figures, base, Role::Series(0))?;
            draw_line(sheet, figures.clone(), Role::Series(0), false)
        })?;
        framed.canvas.group(Role::Series(3), Group::Elements, |sheet| {
            draw_line(sheet, limits, Role::Series(3), true)?;
            for place in self.fired.iter().filter(|place| **place < self.values.len()) {
                let centre = at(*place, self.values[*place]);
                sheet.draw(&Circle::new(centre, DOT_PX * UNIT, Role::Series(3).filled()))?;
            }
            Ok(())
        })?;
        let bottom = i32::try_from(self.height.min(8192)).unwrap_or(0) * UNIT;
        for (index, point) in self.points.iter().enumerate() {
            let edge = |half: usize| plot.map_coordinate(&(half, 0)).0;
            let area = [(edge(2 * index), 0), (edge(2 * index + 2), bottom)];
            framed.canvas.answering("strip", &point.label, area);
        }
        let px = |tenths: i32| f64::from(tenths) / f64::from(UNIT);
        let top = i64::try_from(range.1).unwrap_or(i64::MAX);
        let high = px(plot.map_coordinate(&(0, range.1)).1);
        let left = framed.geometry.plot.x;
        let track = Track { zero: px(base), high, top, left };
        Ok((framed.finish(Vec::new())?, track))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(values: &[i64], threshold: i64, fired: &[usize]) -> (String, Track) {
        let points: Vec<Bucket> = (0..values.len())
            .map(|n| Bucket { label: format!("Nov {n}: 1"), tick: n.to_string(), incomplete: false })
            .collect();
        let thresholds = vec![threshold; values.len()];
        let (drawing, track) = ThresholdChart {
            id: "t",
            title: "T",
            description: "D",
            width: 600,
            height: 220,
            points: &points,
            values,
            thresholds: &thresholds,
            fired,
            unit: "credits",
            decimals: 2,
        }
        .draw();
        (drawing.svg, track)
    }

    #[test]
    fn a_dot_where_it_fires_and_a_strip_for_each_point() {
        let (svg, track) = draw(&[1_000_000, 4_000_000, 2_000_000], 3_000_000, &[1]);
        assert_eq!((svg.matches(">Nov ").count(), svg.matches("<circle").count()), (3, 1));
        assert!(track.high < track.zero && track.top == 4_800_000, "{track:?}");
    }

    #[test]
    fn nothing_and_too_much_are_drawn_too() {
        assert!(draw(&[], 5, &[]).0.ends_with("</svg>"));
        assert!(draw(&[i64::MAX, i64::MIN], i64::MAX, &[0, 9]).0.ends_with("</svg>"));
    }
}
