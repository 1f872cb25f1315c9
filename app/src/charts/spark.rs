//! A line without axes, a few dozen pixels high: the run of a balance beside its figure.
//!
//! Like every chart it stands on 0: half as high is half as much. No text is drawn, hence nothing is measured.

use std::ops::RangeInclusive;

use plotters::element::Circle;
use plotters::style::Color as _;

use super::axis::{Edges, side};
use super::line::{draw_area, draw_line};
use super::role::Role;
use super::scale::{Amounts, Slots};
use super::svg::{Canvas, Drawn, Group, Head, UNIT};

/// Sides that a sparkline can have, in px.
const SIDES: RangeInclusive<u32> = 16..=2048;

/// Room for the stroke and the dot at the end.
const PAD_PX: i32 = 3;

/// A sparkline.
#[derive(Clone, Copy, Debug)]
pub struct Spark<'a> {
    /// Prefix of the ids in the drawing; unique on the page.
    pub id: &'a str,
    /// What it shows, in a few words; read out, not drawn.
    pub title: &'a str,
    /// What there is to see, in a sentence; read out, not drawn.
    pub description: &'a str,
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
    /// Micro-credits at even distances, the last one at the right edge.
    pub values: &'a [i64],
    /// As for a series: the slot in the palette, 8 for neutral.
    pub color: u8,
}

impl Spark<'_> {
    /// Draws it: a complete `<svg>` element.
    pub fn draw(&self) -> String {
        self.try_draw().expect("writing into a String cannot fail")
    }

    fn try_draw(&self) -> Drawn<String> {
        let size = (side(self.width, SIDES), side(self.height, SIDES));
        let head = Head { id: self.id, title: self.title, description: self.description, size, hatch: false };
        let canvas = Canvas::new(&head);
        let bound = |value: Option<&i64>| value.copied().unwrap_or(0).into();
        let amounts = Amounts::exactly(bound(self.values.iter().min()), bound(self.values.iter().max()));
        // Points lie on the edges of the slots between them.
        let slots = Slots { count: self.values.len().saturating_sub(1), snap: 1 };
        let (right, bottom) = ((size.0 - PAD_PX) * UNIT, (size.1 - PAD_PX) * UNIT);
        let plot = Edges { left: PAD_PX * UNIT, top: PAD_PX * UNIT, right, bottom }.plot(&canvas, slots, amounts);
        let at = |(i, value): (usize, &i64)| plot.map_coordinate(&(2 * i, i128::from(*value)));
        let points: Vec<_> = self.values.iter().enumerate().map(at).collect();

        let role = Role::Series(self.color);
        canvas.group(role, Group::Elements, |sheet| {
            draw_area(sheet, &points, plot.map_coordinate(&(0, 0)).1, role)?;
            match points.last() {
                Some(&last) => sheet.draw(&Circle::new(last, 2 * UNIT, role.filled()))?,
                None => return Ok(()),
            }
            if points.len() > 1 { draw_line(sheet, points, role, false) } else { Ok(()) }
        })?;
        Ok(canvas.finish())
    }
}
