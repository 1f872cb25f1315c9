//! The charts of Scrip: plain Rust over plotters, no Leptos, no DOM, no clock.
//!
//! The same code runs on the server, so that the first paint has its charts, and in the browser, so that a filter
//! redraws at once; both must yield the same bytes (`specimen` exists to compare them). Hence: amounts are integers
//! up to the pixel, text is measured by a table, colours are CSS classes.
//!
//! A chart is a plain struct; `draw` turns it into a [`Drawing`]: the SVG, and the [`Geometry`] of what it shows, over
//! which the page lays tooltip, crosshair and keyboard focus without asking the DOM. Cost: linear in buckets × series
//! (31 × 9 take 0.2 ms, 400 × 9 about 1 ms). Bounds: sizes are clamped to what can be drawn, never panicked about.
//!
//! Where to look: `bars`, `line`, `spark` draw, `usage` chooses, and `columns` and `cycle` draw what is drawn on the server
//! only; `axis` is the frame the first two share; `scale` maps amounts and
//! buckets to pixels; `svg` is the plotters backend; `role` names what is drawn, `palette` has its colours; `text`
//! measures; `export` makes a file of a drawing.

mod axis;
mod bars;
mod columns;
mod cycle;
mod export;
mod line;
mod palette;
mod role;
mod scale;
mod spark;
mod specimen;
mod svg;
#[cfg(test)]
mod tests;
mod text;
#[cfg(feature = "ssr")]
mod threshold;
mod usage;

pub use bars::BarChart;
pub use columns::{Column, ColumnChart};
pub use cycle::CycleChart;
pub use export::{Surroundings, standalone};
pub use line::LineChart;
pub use palette::{DARK, LIGHT, Palette};
pub use spark::Spark;
pub use specimen::specimen;
#[cfg(feature = "ssr")]
pub use threshold::{ThresholdChart, Track};
pub use usage::{Shape, UsageChart, running};

/// One step of the time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// In full, for tooltip and table: "Thu 16 Nov 2023".
    pub label: String,
    /// Short, below the axis: "16", "16 Nov", "18:00". Empty: never labelled (a year by days labels its months).
    pub tick: String,
    /// Still going on, or not come yet: hatched bars, dotted lines.
    pub incomplete: bool,
}

/// What one colour stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// For legend, tooltip and table; not drawn but in a file.
    pub name: String,
    /// The slot in the categorical palette, 0 to 7 and 9 to 20; 8 is the neutral "other".
    pub color: u8,
    /// Micro-credits per bucket; corrections may be negative. Bars take a missing value for 0; a line ends there.
    pub values: Vec<i64>,
}

/// A drawn chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// A complete `<svg>` element with title, description and unique ids; all text escaped.
    pub svg: String,
    /// Where things are in it.
    pub geometry: Geometry,
    /// Where each element of it begins, and its kind.
    pieces: Vec<(usize, u8)>,
}

impl Drawing {
    /// The start tag of it all.
    pub fn head(&self) -> &str {
        self.pieces.first().and_then(|(begin, _)| self.svg.get(..*begin)).unwrap_or_default()
    }

    /// Its elements, each behind its kind: those of one kind stand for the same in another drawing.
    pub fn pieces(&self) -> Vec<(u8, &str)> {
        let (mut pieces, mut end) = (Vec::with_capacity(self.pieces.len()), self.svg.len() - svg::END.len());
        for &(begin, kind) in self.pieces.iter().rev() {
            pieces.push((kind, self.svg.get(begin..end).unwrap_or_default()));
            end = begin;
        }
        pieces.reverse();
        pieces
    }
}

/// Kinds from here on are paths, whose one attribute besides the class is what they draw.
pub const PATHS: u8 = 128;

/// A rectangle in px from the drawing's top left corner. Bars lie on whole pixels, points of lines on tenths.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

/// Where things are in a drawing, in px of its view box.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Geometry {
    /// The whole drawing, at 0, 0.
    pub size: Rect,
    /// What the axes enclose.
    pub plot: Rect,
    /// The height of amount 0.
    pub baseline: f64,
    /// One per bucket, from left to right, without gaps between them: what the pointer hits. As high as the plot.
    pub slots: Vec<Rect>,
    /// Per bucket and series; see [`Geometry::mark`].
    marks: Vec<Rect>,
}

impl Geometry {
    /// What stands for one value: the segment of a bar, or a point of a line (no width, no height). `None` outside
    /// the chart. A value of 0 is a segment without height, where its series would begin.
    pub fn mark(&self, bucket: usize, series: usize) -> Option<Rect> {
        let count = self.marks.len().checked_div(self.slots.len())?;
        (series < count).then(|| self.marks.get(bucket * count + series).copied())?
    }

    /// The smallest rectangle around all marks of one bucket: what to outline when it has the focus.
    pub fn extent(&self, bucket: usize) -> Option<Rect> {
        let count = self.marks.len().checked_div(self.slots.len())?;
        let marks = self.marks.get(bucket * count..(bucket + 1) * count)?;
        marks.iter().copied().reduce(Rect::around)
    }

    /// The bucket at a horizontal position in px; the nearest one for positions beside the plot.
    pub fn bucket_at(&self, x: f64) -> Option<usize> {
        let after = self.slots.partition_point(|slot| slot.x <= x);
        (!self.slots.is_empty()).then(|| after.saturating_sub(1))
    }
}

impl Rect {
    /// From edges in backend units.
    fn between((x0, y0): (i32, i32), (x1, y1): (i32, i32)) -> Self {
        let px = |tenths: i32| f64::from(tenths) / f64::from(svg::UNIT);
        Self { x: px(x0.min(x1)), y: px(y0.min(y1)), w: px((x1 - x0).abs()), h: px((y1 - y0).abs()) }
    }

    fn around(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.w).max(other.x + other.w);
        let bottom = (self.y + self.h).max(other.y + other.h);
        Self { x, y, w: right - x, h: bottom - y }
    }
}
