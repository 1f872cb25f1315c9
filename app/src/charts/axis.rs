//! The frame that bar and line charts share: margins, grid, baseline, labels.
//!
//! Everything sits on whole pixels (lines on half ones, where they are sharp). The left margin is at least
//! `LEFT_PX`, so that charts on one page line up and mostly do not shift when a filter changes the amounts.
//! Labels below the axis are thinned until they fit by the width table of `text`.

use std::ops::RangeInclusive;

use plotters::coord::cartesian::{Cartesian2d, MeshLine};
use plotters::drawing::DrawingArea;
use plotters::element::PathElement;
use plotters_backend::DrawingBackend as _;
use plotters_backend::text_anchor::{HPos, Pos, VPos};

use super::role::Role;
use super::scale::{Amounts, MAX_TICKS, Slots};
use super::svg::{Canvas, Drawn, Group, Head, SvgBackend, UNIT};
use super::text::{self, Label};
use super::{Bucket, Drawing, Geometry, Rect};

/// Widths that a chart can have, in px: half of the smallest holds the widest amount, the largest any screen.
const WIDTHS: RangeInclusive<u32> = 128..=8192;

/// Heights that a chart can have, in px: the margins below and two grid lines need the smallest.
const HEIGHTS: RangeInclusive<u32> = 96..=8192;

const LEFT_PX: i32 = 36;
const TOP_PX: i32 = 8;
/// Instead of `TOP_PX` where the unit is written above the axis.
const UNIT_TOP_PX: i32 = 24;
const BOTTOM_PX: i32 = 24;
/// Grid lines closer than this read as hatching.
const LINE_EVERY_PX: i32 = 34;
/// Between an amount and the plot.
const LABEL_GAP_PX: i32 = 8;
/// Labels below the axis keep at least this distance.
const TICK_GAP_PX: i32 = 10;

/// Label every bucket, or every second, …: steps that divide days and weeks of hours, and years of months.
const STRIDES: [usize; 12] = [1, 2, 3, 4, 6, 12, 24, 48, 96, 192, 384, 768];

/// The part of a drawing that has both axes.
pub(super) type Plot = DrawingArea<SvgBackend, Cartesian2d<Slots, Amounts>>;

/// What the frame needs to know of a chart.
pub(super) struct Frame<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub description: &'a str,
    pub width: u32,
    pub height: u32,
    pub buckets: &'a [Bucket],
    pub unit: &'a str,
    pub decimals: u32,
    /// The lowest and the highest amount to show, in micro-credits.
    pub range: (i128, i128),
    /// Whether incomplete buckets are hatched.
    pub hatch: bool,
}

/// A frame with its grid and labels drawn and its plot still empty.
pub(super) struct Framed {
    pub canvas: Canvas,
    pub plot: Plot,
    /// With slots and without marks yet.
    pub geometry: Geometry,
    amounts: Amounts,
    edges: Edges,
}

/// The edges of the plot in backend units; x to the right, y downwards.
#[derive(Clone, Copy)]
pub(super) struct Edges {
    pub left: i32,
    pub right: i32,
    pub top: i32,
    pub bottom: i32,
}

impl Frame<'_> {
    /// Lays the chart out and draws what lies behind the data.
    pub(super) fn draw(&self) -> Drawn<Framed> {
        let size = (side(self.width, WIDTHS), side(self.height, HEIGHTS));
        let top = if self.unit.is_empty() { TOP_PX } else { UNIT_TOP_PX };
        let intervals = usize::try_from((size.1 - top - BOTTOM_PX) / LINE_EVERY_PX).unwrap_or(0);
        let amounts = Amounts::around(self.range.0, self.range.1, intervals, self.decimals);
        let labels: Vec<_> = amounts.ticks().into_iter().map(|tick| (tick, amounts.label(tick))).collect();
        let widest = labels.iter().map(|(_, label)| text::width(label)).max().unwrap_or(0);
        let left = (px_up(widest) + LABEL_GAP_PX).clamp(LEFT_PX, size.0 * 2 / 3);
        let edges =
            Edges { left: left * UNIT, right: size.0 * UNIT, top: top * UNIT, bottom: (size.1 - BOTTOM_PX) * UNIT };

        let hatch = self.hatch && self.buckets.iter().any(|bucket| bucket.incomplete);
        let canvas = Canvas::new(&Head { id: self.id, title: self.title, description: self.description, size, hatch });
        let slots = Slots { count: self.buckets.len(), snap: UNIT };
        let plot = edges.plot(&canvas, slots, amounts.clone());
        let geometry = self.geometry(&plot, size, edges);
        let framed = Framed { canvas, plot, geometry, amounts, edges };
        framed.grid()?;
        self.labels(&framed, &labels)?;
        Ok(framed)
    }

    fn geometry(&self, plot: &Plot, size: (i32, i32), edges: Edges) -> Geometry {
        let edge = |i: usize| plot.map_coordinate(&(2 * i, 0)).0;
        let slots =
            (0..self.buckets.len()).map(|i| Rect::between((edge(i), edges.top), (edge(i + 1), edges.bottom))).collect();
        Geometry {
            size: Rect::between((0, 0), (size.0 * UNIT, size.1 * UNIT)),
            plot: Rect::between((edges.left, edges.top), (edges.right, edges.bottom)),
            baseline: f64::from(plot.map_coordinate(&(0, 0)).1) / f64::from(UNIT),
            slots,
            marks: Vec::new(),
        }
    }

    fn labels(&self, framed: &Framed, amounts: &[(i128, String)]) -> Drawn {
        let edges = framed.edges;
        framed.canvas.group(Role::Label, Group::Elements, |sheet| {
            if !self.unit.is_empty() {
                sheet.draw(&Label { text: self.unit, at: (0, 0), anchor: Pos::new(HPos::Left, VPos::Top) })?;
            }
            amounts.iter().try_for_each(|(tick, text)| {
                let y = framed.plot.map_coordinate(&(0, *tick)).1;
                let at = (edges.left - LABEL_GAP_PX * UNIT, y + UNIT / 2);
                sheet.draw(&Label { text, at, anchor: Pos::new(HPos::Right, VPos::Center) })
            })
        })?;
        // By themselves: they stay as they are when the amounts change.
        framed.canvas.group(Role::Label, Group::Elements, |sheet| {
            self.thinned(&framed.plot, edges.right).into_iter().try_for_each(|(bucket, x)| {
                let at = (x, edges.bottom + (BOTTOM_PX - text::SIZE) * UNIT);
                sheet.draw(&Label { text: &bucket.tick, at, anchor: Pos::new(HPos::Center, VPos::Top) })
            })
        })
    }

    /// The buckets to label and the middle of each label: the densest stride at which no two of them touch.
    fn thinned(&self, plot: &Plot, right: i32) -> Vec<(&Bucket, i32)> {
        let labelled: Vec<_> = (self.buckets.iter().enumerate())
            .filter(|(_, bucket)| !bucket.tick.is_empty())
            .map(|(i, bucket)| {
                let width = text::width(&bucket.tick).min(right);
                let x = plot.map_coordinate(&(2 * i + 1, 0)).0.clamp(width / 2, right - width / 2);
                (bucket, x, width)
            })
            .collect();
        let apart = |stride: usize| {
            let mut free = i32::MIN;
            labelled.iter().step_by(stride).all(|&(_, x, width)| {
                let fits = x - width / 2 >= free;
                free = x + (width + 1) / 2 + TICK_GAP_PX * UNIT;
                fits
            })
        };
        let stride = STRIDES.into_iter().find(|&stride| apart(stride)).unwrap_or(usize::MAX);
        labelled.iter().step_by(stride).map(|&(bucket, x, _)| (bucket, x)).collect()
    }
}

impl Framed {
    /// The same plot with coordinates on tenths of a pixel, for slopes.
    pub(super) fn fine(&self) -> Plot {
        let slots = Slots { count: self.geometry.slots.len(), snap: 1 };
        self.edges.plot(&self.canvas, slots, self.amounts.fine())
    }

    /// Draws the baseline, over the data, and ends the drawing.
    pub(super) fn finish(self, marks: Vec<Rect>) -> Drawn<Drawing> {
        let (Edges { left, right, .. }, y) = (self.edges, self.plot.map_coordinate(&(0, 0)).1 + UNIT / 2);
        self.canvas.group(Role::Axis, Group::Path, |sheet| {
            sheet.draw(&PathElement::new(vec![(left, y), (right, y)], Role::Axis))
        })?;
        let (svg, pieces) = self.canvas.pieces();
        Ok(Drawing { svg, geometry: Geometry { marks, ..self.geometry }, pieces })
    }

    fn grid(&self) -> Drawn {
        self.canvas.group(Role::Grid, Group::Path, |_| {
            let line = |backend: &mut SvgBackend, line: MeshLine<'_, Slots, Amounts>| match line {
                MeshLine::YMesh((x0, y), (x1, _), &amount) if amount != 0 => {
                    backend.draw_line((x0, y + UNIT / 2), (x1, y + UNIT / 2), &Role::Grid)
                }
                _ => Ok(()), // the baseline comes last
            };
            self.plot.draw_mesh(line, MAX_TICKS, 0)
        })
    }
}

impl Edges {
    pub(super) fn plot(self, canvas: &Canvas, slots: Slots, amounts: Amounts) -> Plot {
        let pixels = (self.left..self.right, self.bottom..self.top);
        canvas.sheet().apply_coord_spec(Cartesian2d::new(slots, amounts, pixels))
    }
}

/// A side in px, clamped to what a chart can be drawn in.
pub(super) fn side(px: u32, sides: RangeInclusive<u32>) -> i32 {
    let px = px.clamp(*sides.start(), *sides.end());
    i32::try_from(px).unwrap_or(i32::MAX)
}

fn px_up(tenths: i32) -> i32 {
    (tenths + UNIT - 1) / UNIT
}
