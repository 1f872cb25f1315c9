//! Days or months as columns of three rows: what it is called, a bar with its amount above it, and a second name.
//!
//! Drawn on the server only, hence with its tooltips in it, over everything else. A column of nothing is grey and has no bar. Amounts are
//! written where they fit: in full, else short, else not, since the tooltip says them.

use plotters::element::Rectangle;
use plotters::style::Color as _;
use plotters_backend::text_anchor::{HPos, Pos, VPos};

use super::axis::{Edges, side};
use super::role::Role;
use super::scale::{Amounts, Slots};
use super::svg::{Canvas, Drawn, Group, Head, Sheet, UNIT};
use super::text::{self, Label};

/// Heights of the rows of names, and of the amount above a bar, in px.
const ROW_PX: i32 = 20;
/// Between two amounts beside each other.
const APART_PX: i32 = 3;
const WIDEST_PX: i32 = 32;

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// In the first row: "30".
    pub head: String,
    /// In the last row: "Tue".
    pub foot: String,
    /// The tooltip: "Jun 30: 1.23".
    pub title: String,
    /// Micro-credits; a correction may leave less than nothing.
    pub value: i64,
    /// What is written above the bar, the best first; nothing where there is none.
    pub amounts: Vec<String>,
    /// Still going on.
    pub incomplete: bool,
}

/// A chart of columns.
#[derive(Clone, Copy, Debug)]
pub struct ColumnChart<'a> {
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
    /// From left to right.
    pub columns: &'a [Column],
}

impl ColumnChart<'_> {
    /// Draws it: a complete `<svg>` element.
    #[must_use]
    pub fn draw(&self) -> String {
        self.try_draw().expect("writing into a String cannot fail")
    }

    fn try_draw(&self) -> Drawn<String> {
        let size = (side(self.width, 128..=8192), side(self.height, 96..=8192));
        let hatch = self.columns.iter().any(|column| column.incomplete);
        let canvas = Canvas::new(&Head { id: self.id, title: self.title, description: self.description, size, hatch });
        let values = || self.columns.iter().map(|column| i128::from(column.value));
        let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
        // Below the lowest bar stands its amount, if it is below nothing.
        let below = if low < 0 { 2 * ROW_PX } else { ROW_PX };
        let (top, bottom) = (2 * ROW_PX * UNIT, (size.1 - below) * UNIT);
        let amounts = Amounts::exactly(low, high);
        let slots = Slots { count: self.columns.len(), snap: UNIT };
        let plot = Edges { left: 0, top, right: size.0 * UNIT, bottom }.plot(&canvas, slots, amounts);
        let base = plot.map_coordinate(&(0, 0)).1;
        for (index, column) in self.columns.iter().enumerate() {
            let edge = |half: usize| plot.map_coordinate(&(half, 0)).0;
            let (left, middle, right) = (edge(2 * index), edge(2 * index + 1), edge(2 * index + 2));
            let end = match (column.value, plot.map_coordinate(&(0, column.value.into())).1) {
                (0, _) => base,
                // What is there can be seen.
                (1.., end) => end.min(base - UNIT),
                (.., end) => end.max(base + UNIT),
            };
            let bar = Bar { left, middle, right, base, end };
            let class = if column.value == 0 { "column none" } else { "column" };
            canvas.classed(class, |sheet| column.draw(sheet, bar, size.1 * UNIT))?;
        }
        canvas.group(Role::Axis, Group::Path, |sheet| {
            let (left, right) = ((0, base), (size.0 * UNIT, base + UNIT));
            sheet.draw(&Rectangle::new([left, right], Role::Axis.filled()))
        })?;
        for (index, column) in self.columns.iter().enumerate() {
            let edge = |half: usize| plot.map_coordinate(&(half, 0)).0;
            canvas.answering("strip", &column.title, [(edge(2 * index), 0), (edge(2 * index + 2), size.1 * UNIT)]);
        }
        Ok(canvas.finish())
    }
}

/// Where a column is, in backend units.
#[derive(Clone, Copy)]
struct Bar {
    left: i32,
    middle: i32,
    right: i32,
    base: i32,
    end: i32,
}

impl Column {
    fn draw(&self, sheet: &Sheet, bar: Bar, bottom: i32) -> Drawn {
        let Bar { left, middle, right, base, end } = bar;
        let label = |text: &str, y: i32, v_pos: VPos| {
            sheet.draw(&Label { text, at: (middle, y), anchor: Pos::new(HPos::Center, v_pos) })
        };
        label(&self.head, 2 * UNIT, VPos::Top)?;
        label(&self.foot, bottom - 4 * UNIT, VPos::Bottom)?;
        if self.value == 0 {
            return Ok(());
        }
        let half = ((right - left) * 3 / 8 / UNIT).clamp(1, WIDEST_PX / 2) * UNIT;
        let corners = [(middle - half, end.min(base)), (middle + half, end.max(base))];
        sheet.draw(&Rectangle::new(corners, Role::Series(0).filled()))?;
        if self.incomplete {
            sheet.draw(&Rectangle::new(corners, Role::Hatch.filled()))?;
        }
        let room = right - left - APART_PX * UNIT;
        match self.amounts.iter().find(|amount| text::width(amount) <= room) {
            Some(amount) if end > base => label(amount, end + 4 * UNIT, VPos::Top),
            Some(amount) => label(amount, end - 4 * UNIT, VPos::Bottom),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(value: i64, amounts: &[&str]) -> Column {
        let title = format!("Jun 30: {value}");
        let amounts = amounts.iter().map(|amount| (*amount).to_owned()).collect();
        Column { head: "30".to_owned(), foot: "Tue".to_owned(), title, value, amounts, incomplete: false }
    }

    fn draw(columns: &[Column]) -> String {
        let width = 40 * u32::try_from(columns.len()).expect("few");
        ColumnChart { id: "d", title: "T", description: "D", width, height: 160, columns }.draw()
    }

    #[test]
    fn every_column_says_its_three_rows_and_its_tooltip() {
        let svg = draw(&[column(1_230_000, &["1.23"]), column(0, &[]), column(-5, &["\u{2212}0"]), column(1, &["0"])]);
        assert_eq!(svg.matches(">Jun 30: ").count(), 4);
        assert_eq!((svg.matches(">30</text>").count(), svg.matches(">Tue</text>").count()), (4, 4));
        assert_eq!((svg.matches("class=\"s0\"").count(), svg.matches("class=\"column none\"").count()), (3, 1));
        assert!(svg.contains(">1.23</text>"), "{svg}");
    }

    #[test]
    fn an_amount_without_room_is_said_shorter_or_not_at_all() {
        let svg = draw(&[
            column(5, &["123,456,789.00", "123M"]),
            column(5, &["123,456,789.00"]),
            column(5, &["1.00", "1"]),
            column(5, &[]),
        ]);
        assert!(svg.contains(">123M</text>") && svg.contains(">1.00</text>") && !svg.contains("456"), "{svg}");
    }

    #[test]
    fn no_column_is_no_failure() {
        let svg = ColumnChart { id: "d", title: "T", description: "D", width: 0, height: 0, columns: &[] }.draw();
        assert!(svg.ends_with("</svg>"));
    }
}
