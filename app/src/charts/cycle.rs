//! A billing cycle as running sums: this one, the one before it behind, and where this one is headed.
//!
//! Drawn on the server only, hence with its tooltips in it: a strip per day.

use super::axis::Frame;
use super::line::{draw_area, draw_line};
use super::role::Role;
use super::svg::{Drawn, Group, UNIT};
use super::{Bucket, Drawing};
use plotters_backend::BackendCoord;

/// A chart of a billing cycle.
#[derive(Clone, Copy, Debug)]
pub struct CycleChart<'a> {
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
    /// The days of the longer of the two cycles; the label is the tooltip.
    pub days: &'a [Bucket],
    /// What this cycle came to by the end of each day, until today.
    pub current: &'a [i64],
    /// What it will have come to, from today's value on, one per day.
    pub ahead: &'a [i64],
    /// What the cycle before came to by the end of each day.
    pub last: &'a [i64],
    /// What amounts are counted in.
    pub unit: &'a str,
    /// Most decimals of the amounts at their axis.
    pub decimals: u32,
}

impl CycleChart<'_> {
    /// Draws it.
    #[must_use]
    pub fn draw(&self) -> Drawing {
        self.try_draw().expect("writing into a String cannot fail")
    }

    fn try_draw(&self) -> Drawn<Drawing> {
        let values = || [self.current, self.ahead, self.last].into_iter().flatten().map(|value| i128::from(*value));
        let framed = Frame {
            id: self.id,
            title: self.title,
            description: self.description,
            width: self.width,
            height: self.height,
            buckets: self.days,
            unit: self.unit,
            decimals: self.decimals,
            range: (values().min().unwrap_or(0), values().max().unwrap_or(0)),
            hatch: false,
        }
        .draw()?;
        let plot = framed.fine();
        let at = |(day, value): (usize, &i64)| plot.map_coordinate(&(2 * day + 1, i128::from(*value)));
        let points = |from: usize, values: &[i64]| -> Vec<BackendCoord> {
            (from..).zip(values).take(self.days.len()).map(at).collect()
        };
        let (current, last) = (points(0, self.current), points(0, self.last));
        let ahead = points(self.current.len().saturating_sub(1), self.ahead);
        let base = plot.map_coordinate(&(0, 0)).1;
        framed
            .canvas
            .group(Role::Series(8), Group::Elements, |sheet| draw_line(sheet, last, Role::Series(8), false))?;
        framed.canvas.group(Role::Series(0), Group::Elements, |sheet| {
            draw_area(sheet, &current, base, Role::Series(0))?;
            draw_line(sheet, current, Role::Series(0), false)?;
            draw_line(sheet, ahead, Role::Series(0), true)
        })?;
        let bottom = i32::try_from(self.height.min(8192)).unwrap_or(0) * UNIT;
        for (index, day) in self.days.iter().enumerate() {
            let edge = |half: usize| plot.map_coordinate(&(half, 0)).0;
            framed.canvas.answering("strip", &day.label, [(edge(2 * index), 0), (edge(2 * index + 2), bottom)]);
        }
        framed.finish(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(current: &[i64], ahead: &[i64], last: &[i64]) -> String {
        let day = |day: u32| Bucket { label: format!("Nov {day}: 1.23"), tick: day.to_string(), incomplete: false };
        let days: Vec<Bucket> = (1..=31).map(day).collect();
        let (id, title, description) = ("c", "T", "D");
        let (width, height, unit, decimals) = (520, 200, "credits", 2);
        CycleChart { id, title, description, width, height, days: &days, current, ahead, last, unit, decimals }
            .draw()
            .svg
    }

    #[test]
    fn three_lines_and_a_strip_for_each_day() {
        let svg = draw(&[1_000_000, 2_000_000], &[2_000_000, 3_000_000, 4_000_000], &[500_000; 31]);
        assert_eq!(svg.matches(">Nov ").count(), 31);
        assert_eq!((svg.matches("class=\"line\"").count(), svg.matches("class=\"line soft\"").count()), (2, 1));
    }

    #[test]
    fn a_cycle_of_nothing_is_drawn_too() {
        assert!(draw(&[0], &[0; 30], &[]).ends_with("</svg>"));
        assert!(draw(&[], &[], &[]).ends_with("</svg>"));
    }
}
