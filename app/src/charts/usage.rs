//! The chart of a view of usage: one description for every kind, so that page, redraw and file show the same.

use super::bars::Bars;
use super::line::Lines;
use super::{BarChart, Drawing, LineChart};

/// How values are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Shape {
    /// Bars on top of each other.
    #[default]
    Stacked,
    /// Bars side by side.
    Grouped,
    /// Lines through the middle of their buckets.
    Lines,
}

/// A chart of usage, with what it is compared with.
#[derive(Clone, Copy, Debug)]
pub struct UsageChart<'a> {
    /// What every kind has.
    pub chart: BarChart<'a>,
    /// Which kind it is.
    pub shape: Shape,
    /// What the series come to, for lines of several that should show it; empty for none.
    pub total: &'a [i64],
    /// The totals of the range that this one is compared with, per bucket; empty for none.
    pub before: &'a [i64],
}

impl UsageChart<'_> {
    /// Draws it. Marks are segments, bars or points, per bucket and series.
    pub fn draw(&self) -> Drawing {
        let grouped = match self.shape {
            Shape::Stacked => false,
            Shape::Grouped => true,
            Shape::Lines => return self.lines(),
        };
        Bars { chart: &self.chart, grouped, before: self.before }.draw()
    }

    fn lines(&self) -> Drawing {
        let BarChart { id, title, description, width, height, buckets, series, unit, decimals } = self.chart;
        let fill = series.len() == 1 && self.total.is_empty();
        let chart = LineChart { id, title, description, width, height, buckets, series, unit, decimals, fill };
        Lines { chart: &chart, total: self.total, before: self.before }.draw()
    }
}

/// Running totals.
#[must_use]
pub fn running(values: &[i64]) -> Vec<i64> {
    let mut sum = 0_i64;
    let add = |value: &i64| {
        sum = sum.saturating_add(*value);
        sum
    };
    values.iter().map(add).collect()
}
