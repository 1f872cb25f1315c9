//! What a chart makes of the series of a view: which of them, as what, beside what.
//!
//! The legend hides series from the chart alone: the totals of the view stay those of its filter. What it is compared with
//! counts the same series as are shown, told apart as they are here, so that like stands beside like. Lines end with the
//! bucket that is still going on: beyond it nothing has happened yet, which a line at zero would not say.

use super::{OTHER, Series, axis, id_of, value_of};
use crate::calendar::range_text;
use crate::charts::{self, Shape, running};
use crate::server_fns::analytics::Compared;
use crate::view::{Kind, View};
use ledger::cube::Figures;
use ledger::{Credits, Refusal};

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plot {
    /// How.
    pub shape: Shape,
    /// Whether values are running totals.
    pub is_cumulative: bool,
    /// The series shown, in micro-credits.
    pub series: Vec<charts::Series>,
    /// What the series shown come to, per bucket.
    pub totals: Vec<i64>,
    /// Whether that is a line of its own.
    pub has_total: bool,
    /// The range that this one is compared with.
    pub before: Option<Before>,
}

/// What a view is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The days: "22 Sep – 21 Oct 2026".
    pub range: String,
    /// What each bucket is called; the first is beside the first.
    pub labels: Vec<String>,
    /// What the same series came to, per bucket, in micro-credits.
    pub totals: Vec<i64>,
    /// Everything that the view's filter lets through.
    pub total: Figures,
}

impl Plot {
    /// What the chart shows of these series.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where sums do not fit.
    pub(super) fn of(
        buckets: &[charts::Bucket],
        series: &[Series],
        compared: Option<&Compared>,
        view: &View,
    ) -> Result<Self, Refusal> {
        let shape = match view.kind {
            Kind::Stacked => Shape::Stacked,
            Kind::Bars => Shape::Grouped,
            Kind::Lines | Kind::Cumulative => Shape::Lines,
        };
        let is_cumulative = view.kind == Kind::Cumulative;
        let begun = buckets.iter().position(|bucket| bucket.incomplete).map_or(buckets.len(), |last| last + 1);
        let end = if shape == Shape::Lines { begun } else { buckets.len() };
        let values = |points: Vec<i64>| if is_cumulative { running(&points) } else { points };
        let shown: Vec<&Series> = series.iter().filter(|s| !s.hidden).collect();
        let at = |bucket: usize| Credits::sum(shown.iter().filter_map(|s| s.points.get(bucket).copied()));
        let totals = (0..end).map(|bucket| at(bucket).map(Credits::micros)).collect::<Result<_, _>>()?;
        let before = compared.map(|compared| Before::of(compared, series, view)).transpose()?;
        let drawn = |s: &&Series| charts::Series {
            name: s.title.clone(),
            color: s.color,
            values: values(s.points.iter().take(end).map(|c| c.micros()).collect()),
        };
        Ok(Self {
            shape,
            is_cumulative,
            series: shown.iter().map(drawn).collect(),
            totals: values(totals),
            has_total: shape == Shape::Lines && shown.len() > 1 && (is_cumulative || before.is_some()),
            before: before.map(|before| Before { totals: values(before.totals), ..before }),
        })
    }

    /// The line of the total, where it has one.
    #[must_use]
    pub fn total_line(&self) -> &[i64] {
        if self.has_total { &self.totals } else { &[] }
    }

    /// What each bucket is compared with.
    #[must_use]
    pub fn before_totals(&self) -> &[i64] {
        self.before.as_ref().map_or(&[], |before| &before.totals)
    }
}

impl Before {
    fn of(compared: &Compared, series: &[Series], view: &View) -> Result<Self, Refusal> {
        let Compared { from, to, cube } = compared;
        let is_all = series.iter().all(|s| !s.hidden);
        let group = if is_all { &[] } else { std::slice::from_ref(&view.group) };
        let slice = cube.slice(&view.filter(), group)?;
        let is_hidden = |value: Option<&str>| {
            let id = id_of(value);
            // What is not told apart here is part of the rest.
            let id = if series.iter().any(|s| s.id == id) { id.as_str() } else { OTHER };
            view.hidden.iter().any(|hidden| hidden == id)
        };
        let shown: Vec<_> = slice.series.iter().filter(|s| is_all || !is_hidden(value_of(s))).collect();
        let at = |bucket: usize| Credits::sum(shown.iter().filter_map(|s| s.points.get(bucket)).map(|p| p.credits));
        Ok(Self {
            range: range_text(*from, *to),
            labels: axis(cube).into_iter().map(|bucket| bucket.label).collect(),
            totals: (0..cube.buckets.len()).map(|b| at(b).map(Credits::micros)).collect::<Result<_, _>>()?,
            total: slice.total,
        })
    }
}
