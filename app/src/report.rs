//! A report: usage of a period by project, workflow, user, tenant, credit type, source or operation, as lines that add up. Page
//! and files are written from the same [`Report`]. Server only.
//!
//! Its address is a [`View`]'s, so filters and period travel between Analytics and here; two things are read otherwise: an
//! interval that is not said is the whole period at once, and `group=operation` tells apart which credit types calls use
//! together.

use crate::backend::Operation;
use crate::calendar::Day;
use crate::filters;
use crate::format;
use crate::query;
use crate::usage_chart::bucket_label;
use crate::view::View;
use ledger::cube::{Bucket, MeterInfo, Series};
use ledger::{Credits, Cube, Dimension, Facet, Interval, Quantity, Refusal, Words};
use std::collections::BTreeMap;

/// The address of the page.
pub const PATH: &str = "/reports";
/// Most lines of a report, in a file too. More are nothing that anybody reads: a program asks the API.
pub const MAX_LINES: usize = 50_000;
/// Values that are told apart where the period is one, and where it is in pieces; the rest is added up in one line.
const VALUES: [usize; 2] = [1_000, 100];
const OPERATION: &str = "operation";

/// What a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A value of a dimension.
    Dimension(Dimension),
    /// The credit types that a call uses together, and one of them.
    Operation,
}

impl By {
    /// Those that the page offers.
    #[must_use]
    pub fn offered() -> [Self; 7] {
        let facet = |facet| Self::Dimension(Dimension::Facet(facet));
        [
            Self::Dimension(Dimension::Type),
            Self::Dimension(Dimension::Project),
            facet(Facet::Workflow),
            facet(Facet::User),
            facet(Facet::Tenant),
            Self::Dimension(Dimension::Source),
            Self::Operation,
        ]
    }

    /// What it is called.
    #[must_use]
    pub fn title(&self, words: &Words) -> String {
        match self {
            Self::Dimension(dimension) => filters::title(dimension, words),
            Self::Operation => "Operation".to_owned(),
        }
    }
}

/// What the address asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Period and filters.
    pub view: View,
    /// What a line is about.
    pub by: By,
    /// In what steps.
    pub interval: Interval,
}

impl Question {
    /// Reads a query string. Like a [`View`], it leaves out what it cannot read.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let said = |name: &str| query::parse(text).into_iter().rev().find(|(key, _)| key == name).map(|(_, v)| v);
        let view = View::parse(text);
        let by =
            if said("group").as_deref() == Some(OPERATION) { By::Operation } else { By::Dimension(view.group.clone()) };
        let interval = match said("interval").and_then(|name| Interval::parse(&name)).unwrap_or(Interval::None) {
            Interval::Hour => Interval::Day,
            interval => interval,
        };
        // What is drawn and how, is not asked here.
        let view = View { interval: None, group: Dimension::Type, hidden: Vec::new(), compare: None, ..view };
        Self { view: View { kind: View::default().kind, top: View::default().top, ..view }, by, interval }
    }

    /// The pairs of its query string.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = self.view.pairs();
        if self.interval != Interval::None {
            pairs.push(("interval".to_owned(), self.interval.as_str().to_owned()));
        }
        match &self.by {
            By::Dimension(Dimension::Type) => {}
            By::Dimension(dimension) => pairs.push(("group".to_owned(), dimension.name())),
            By::Operation => pairs.push(("group".to_owned(), OPERATION.to_owned())),
        }
        pairs
    }

    /// An address with it.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        at(path, &self.pairs())
    }

    /// How many values are told apart.
    #[must_use]
    pub fn values(&self) -> usize {
        VALUES[usize::from(self.interval != Interval::None)]
    }
}

/// An address with these pairs behind it.
pub(crate) fn at(path: &str, pairs: &[(String, String)]) -> String {
    let mut text = String::new();
    pairs.iter().for_each(|(name, value)| query::push(&mut text, name, value));
    if text.is_empty() { path.to_owned() } else { format!("{path}?{text}") }
}

/// A view of one value of a dimension, whatever values it chose before.
#[must_use]
pub fn only(view: &View, dimension: &Dimension, value: &str) -> View {
    let chosen = filters::chosen_of(view, dimension);
    let cleared = chosen.iter().fold(view.clone(), |view, other| view.with_value(dimension, other, false));
    cleared.with_value(dimension, value, true)
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing, where nothing can be said.
    Empty,
    /// A period, for people and for programs, and whether it is not over.
    Period(String, String, bool),
    /// Text.
    Text(String),
    /// An id of theirs.
    Id(String),
    /// An amount.
    Credits(Credits),
    /// Its part of the total.
    Share(String),
    /// How much was used.
    Quantity(Quantity),
    /// A number of calls.
    Count(i64),
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// One per column.
    pub cells: Vec<Cell>,
    /// What its numbers are made of.
    pub view: View,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was asked.
    pub question: Question,
    /// First and last day.
    pub days: (Day, Day),
    /// The heads of the columns.
    pub columns: Vec<String>,
    /// In order of time, then most credits first.
    pub lines: Vec<Line>,
    /// One per column.
    pub totals: Vec<Cell>,
    /// Of all that is listed.
    pub total: Credits,
}

/// What a line says, before it is laid out.
struct Fact {
    bucket: usize,
    id: Option<String>,
    name: String,
    part: Option<String>,
    credits: Credits,
    quantity: Option<(Quantity, String)>,
    events: i64,
    failed: i64,
    view: View,
}

/// Whose words, and which days.
pub struct Setting<'a> {
    /// The org's words.
    pub words: &'a Words,
    /// What amounts are headed.
    pub credits: &'a str,
    /// First and last day.
    pub days: (Day, Day),
}

impl Report {
    /// By the values of a dimension.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where sums do not fit.
    pub fn of_cube(
        question: &Question,
        by: &Dimension,
        cube: &Cube,
        setting: &Setting<'_>,
    ) -> Result<Option<Self>, Refusal> {
        let slice = cube.slice(&question.view.filter(), std::slice::from_ref(by))?;
        let mut facts = Vec::new();
        for series in &slice.series {
            for (bucket, figures) in series.points.iter().enumerate() {
                if figures.credits.is_zero() && figures.events == 0 {
                    continue;
                }
                let id = series.key.first().and_then(|(_, id)| id.clone());
                facts.push(Fact {
                    bucket,
                    name: named(by, series, setting.words),
                    part: None,
                    credits: figures.credits,
                    quantity: unit(cube, question, by, id.as_deref())
                        .and_then(|unit| figures.quantity.map(|quantity| (quantity, unit))),
                    events: figures.events,
                    failed: figures.failed,
                    view: match &id {
                        Some(id) => only(&question.view, by, id),
                        None => question.view.with_group(by.clone()),
                    },
                    id,
                });
            }
        }
        let total = slice.total;
        Ok(Self::laid_out(question, &cube.buckets, facts, (total.credits, total.events, total.failed), setting))
    }

    /// By operation.
    ///
    /// # Errors
    /// As [`Report::of_cube`].
    pub fn of_operations(
        question: &Question,
        meters: &[MeterInfo],
        (buckets, operations): (&[Bucket], &[Operation]),
        setting: &Setting<'_>,
    ) -> Result<Option<Self>, Refusal> {
        let info = |name: &str| meters.iter().find(|info| info.meter.as_str() == name);
        let title = |name: &str| info(name).map_or_else(|| name.to_owned(), |info| info.title.clone());
        let wanted = |name: &str| question.view.types.is_empty() || question.view.types.iter().any(|t| t == name);
        let mut facts = Vec::new();
        let (mut total, mut events, mut failed) = (Credits::ZERO, 0, 0);
        for operation in operations {
            let names: Vec<String> = operation.parts.iter().map(|(meter, ..)| title(meter.as_str())).collect();
            let name = if let [only] = names.as_slice() { format!("{only} alone") } else { names.join(" + ") };
            (events, failed) = (events + operation.events, failed + operation.failed);
            for (meter, credits, quantity) in operation.parts.iter().filter(|(meter, ..)| wanted(meter.as_str())) {
                total = total.plus(*credits)?;
                facts.push(Fact {
                    bucket: operation.bucket,
                    id: None,
                    name: name.clone(),
                    part: Some(title(meter.as_str())),
                    credits: *credits,
                    quantity: info(meter.as_str()).map(|info| (*quantity, info.unit.clone())),
                    events: operation.events,
                    failed: operation.failed,
                    view: only(&question.view, &Dimension::Type, meter.as_str()),
                });
            }
        }
        Ok(Self::laid_out(question, buckets, facts, (total, events, failed), setting))
    }

    fn laid_out(
        question: &Question,
        buckets: &[Bucket],
        mut facts: Vec<Fact>,
        (total, events, failed): (Credits, i64, i64),
        setting: &Setting<'_>,
    ) -> Option<Self> {
        if facts.len() > MAX_LINES {
            return None;
        }
        let mut sums: BTreeMap<(usize, String), Credits> = BTreeMap::new();
        for fact in &facts {
            let sum = sums.entry((fact.bucket, fact.name.clone())).or_default();
            // Together they are at most the total, which fits, or less than nothing was given back.
            *sum = sum.plus(fact.credits).unwrap_or(*sum);
        }
        let of = |fact: &Fact| sums.get(&(fact.bucket, fact.name.clone())).copied().unwrap_or_default();
        facts.sort_by(|a, b| {
            let groups = a.bucket.cmp(&b.bucket).then(of(b).cmp(&of(a))).then_with(|| a.name.cmp(&b.name));
            groups.then(b.credits.cmp(&a.credits)).then_with(|| a.id.cmp(&b.id)).then_with(|| a.part.cmp(&b.part))
        });
        let columns = Columns {
            period: question.interval != Interval::None,
            ids: facts.iter().any(|fact| fact.id.as_ref().is_some_and(|id| !id.is_empty() && *id != fact.name)),
            parts: question.by == By::Operation,
            quantities: facts.iter().any(|fact| fact.quantity.is_some()),
        };
        let last = setting.days.1;
        let lines = facts.into_iter().map(|fact| columns.line(fact, question, buckets, last, total)).collect();
        let heads = columns.heads(question, setting);
        let mut totals = vec![Cell::Text("Total".to_owned())];
        totals.resize(columns.before(), Cell::Empty);
        totals.extend([Cell::Credits(total), share(total, total)]);
        totals.extend(std::iter::repeat_n(Cell::Empty, if columns.quantities { 2 } else { 0 }));
        totals.extend([Cell::Count(events), Cell::Count(failed)]);
        Some(Self { question: question.clone(), days: setting.days, columns: heads, lines, totals, total })
    }
}

/// Which columns there are.
struct Columns {
    period: bool,
    ids: bool,
    parts: bool,
    quantities: bool,
}

impl Columns {
    /// How many there are before the credits.
    fn before(&self) -> usize {
        1 + usize::from(self.period) + usize::from(self.ids) + usize::from(self.parts)
    }

    fn heads(&self, question: &Question, setting: &Setting<'_>) -> Vec<String> {
        let title = question.by.title(setting.words);
        let mut heads = Vec::new();
        heads.extend(self.period.then(|| period_title(question.interval).to_owned()));
        heads.push(title.clone());
        heads.extend(self.ids.then(|| format!("{title} id")));
        heads.extend(self.parts.then(|| "Credit type".to_owned()));
        heads.extend([format::capital(setting.credits), "Share".to_owned()]);
        if self.quantities {
            heads.extend(["Quantity".to_owned(), "Unit".to_owned()]);
        }
        heads.extend(["Calls".to_owned(), "Failed".to_owned()]);
        heads
    }

    fn line(&self, fact: Fact, question: &Question, buckets: &[Bucket], last: Day, total: Credits) -> Line {
        let mut cells = Vec::new();
        let mut view = fact.view;
        if self.period
            && let Some(bucket) = buckets.get(fact.bucket)
        {
            let first = Day::new(bucket.local.date());
            let after = buckets.get(fact.bucket + 1).and_then(|next| Day::new(next.local.date()));
            let end = after.map_or(last, |after| after.plus_days(-1));
            let label = bucket_label(bucket, question.interval);
            cells.push(Cell::Period(label, first.map_or_else(String::new, Day::iso), bucket.incomplete));
            view = first.map_or_else(|| view.clone(), |first| view.with_range(first, end));
        }
        cells.push(Cell::Text(fact.name));
        if self.ids {
            cells.push(fact.id.map_or(Cell::Empty, Cell::Id));
        }
        if self.parts {
            cells.push(fact.part.map_or(Cell::Empty, Cell::Text));
        }
        cells.extend([Cell::Credits(fact.credits), share(fact.credits, total)]);
        if self.quantities {
            let (quantity, unit) =
                fact.quantity.map_or((Cell::Empty, Cell::Empty), |(q, unit)| (Cell::Quantity(q), Cell::Text(unit)));
            cells.extend([quantity, unit]);
        }
        cells.extend([Cell::Count(fact.events), Cell::Count(fact.failed)]);
        Line { cells, view }
    }
}

fn share(part: Credits, whole: Credits) -> Cell {
    format::share(part, whole).map_or(Cell::Empty, Cell::Share)
}

const fn period_title(interval: Interval) -> &'static str {
    match interval {
        Interval::Hour => "Hour",
        Interval::Day => "Day",
        Interval::Week => "Week",
        Interval::Month => "Month",
        Interval::None => "Period",
    }
}

/// What people read for a value; usage without one is told in the org's words.
fn named(by: &Dimension, series: &Series, words: &Words) -> String {
    let is_unsaid = series.key.iter().any(|(_, id)| id.as_deref() == Some(""));
    match by {
        Dimension::Facet(Facet::Workflow) if is_unsaid => format!("No {}", words.workflow.to_lowercase()),
        _ => series.title.clone(),
    }
}

/// The unit of what a line counts, where that is of one credit type.
fn unit(cube: &Cube, question: &Question, by: &Dimension, id: Option<&str>) -> Option<String> {
    let one = match (by, question.view.types.as_slice()) {
        (Dimension::Type, _) => id?,
        (_, [only]) => only.as_str(),
        _ => return None,
    };
    cube.meters.iter().find(|info| info.meter.as_str() == one).map(|info| info.unit.clone())
}

#[cfg(test)]
mod tests;
