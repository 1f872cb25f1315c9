//! The usage cube: all of a range's usage, small enough to be sent once and sliced anywhere.
//!
//! The store fills a [`Cube`] from rollups; [`Cube::slice`] answers every question about it: the JSON API on the server,
//! a filter that was just clicked in the browser. One code, so both say the same.
//!
//! Credits and quantities are kept per meter, calls per *set* of meters: an event with three quantities is one call, and
//! stays one call whichever of its credit types are chosen. Cost of a slice: one pass over the cells; a year of days with
//! 50 combinations is some 20,000 of them.

use crate::credits::Credits;
use crate::label::Meter;
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most buckets of one cube: 400 days, or 16 days of hours. More could be neither drawn nor read.
pub const MAX_BUCKETS: usize = 400;

/// The width of a bucket, in the calendar of the cube's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// An hour of the clock.
    Hour,
    /// A calendar day: 23 or 25 hours where the clock changes.
    Day,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// The whole range at once.
    None,
}

impl Interval {
    /// All, with the names they have on the wire.
    pub const ALL: [(Self, &'static str); 5] =
        [(Self::Hour, "hour"), (Self::Day, "day"), (Self::Week, "week"), (Self::Month, "month"), (Self::None, "none")];

    /// The interval of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| *name == text).map(|(interval, _)| interval)
    }

    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(interval, _)| *interval == self).map_or("none", |(_, name)| name)
    }
}

/// A stretch of time that is one bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// The first instant by the clock of the cube's zone.
    pub local: NaiveDateTime,
    /// Whether it is not over yet: more may come.
    pub incomplete: bool,
}

/// A meter as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterInfo {
    /// Its name.
    pub meter: Meter,
    /// What people read: "Input tokens".
    pub title: String,
    /// The unit of its quantities: "token", "s".
    pub unit: String,
    /// What lists of transactions call it; the meter's name where it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
}

/// An id and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Named {
    /// The id.
    pub id: String,
    /// What people read; the id again where nothing was said.
    pub name: String,
}

/// Credits and quantity of one meter, source and project in one bucket; the numbers point into the cube's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Index of the bucket.
    pub bucket: u16,
    /// Index of the meter.
    pub meter: u16,
    /// Index of the source.
    pub source: u16,
    /// Index of the project.
    pub project: u16,
    /// Micro-credits.
    pub micros: i64,
    /// In the meter's unit.
    pub quantity: Quantity,
}

impl Cell {
    /// From the indices of bucket, meter, source and project, and what is there.
    #[must_use]
    pub const fn at([bucket, meter, source, project]: [u16; 4], micros: i64, quantity: Quantity) -> Self {
        Self { bucket, meter, source, project, micros, quantity }
    }
}

/// Calls of one set of meters, source and project in one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// Index of the bucket.
    pub bucket: u16,
    /// Index of the meter set.
    pub set: u16,
    /// Index of the source.
    pub source: u16,
    /// Index of the project.
    pub project: u16,
    /// How many events.
    pub events: i64,
    /// How many of them failed.
    pub failed: i64,
    /// Data that they transferred.
    pub bytes: i64,
}

impl Calls {
    /// From the indices of bucket, set, source and project, and how many there are.
    #[must_use]
    pub const fn at([bucket, set, source, project]: [u16; 4], events: i64, failed: i64, bytes: i64) -> Self {
        Self { bucket, set, source, project, events, failed, bytes }
    }
}

/// All usage of an org in a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cube {
    /// IANA name of the zone whose days these are.
    pub zone: String,
    /// Width of the buckets.
    pub interval: Interval,
    /// In order of time, without gaps.
    pub buckets: Vec<Bucket>,
    /// Every meter the org knows, in the order of its rate card, used or not.
    pub meters: Vec<MeterInfo>,
    /// Sources met in the range.
    pub sources: Vec<String>,
    /// Projects met in the range; `None` for usage that names none.
    pub projects: Vec<Option<Named>>,
    /// Sets of meters met in the range, as indexes of meters.
    pub sets: Vec<Vec<u16>>,
    /// Credits and quantities.
    pub cells: Vec<Cell>,
    /// Calls.
    pub calls: Vec<Calls>,
}

/// By what usage is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Credit type.
    Type,
    /// Source.
    Source,
    /// Project.
    Project,
}

impl Dimension {
    /// All, with their names on the wire.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Type, "type"), (Self::Source, "source"), (Self::Project, "project")];

    /// The dimension of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| *name == text).map(|(dimension, _)| dimension)
    }

    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Source => "source",
            Self::Project => "project",
        }
    }
}

/// What is wanted; an empty list wants everything. Projects are named by id; `""` stands for usage without one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Filter {
    /// Meters by name.
    pub types: Vec<String>,
    /// Sources.
    pub sources: Vec<String>,
    /// Projects by id.
    pub projects: Vec<String>,
}

/// Figures of a slice, a series or one of its buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// What it cost.
    pub credits: Credits,
    /// Calls, each once.
    pub events: i64,
    /// Calls that failed.
    pub failed: i64,
    /// What was used; `None` where several meters come together, whose units cannot be added.
    pub quantity: Option<Quantity>,
}

/// One combination of the dimensions asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The value per dimension asked for, in that order: name of the meter, source, id of the project or `""`.
    pub key: Vec<(Dimension, String)>,
    /// What people read for it.
    pub title: String,
    /// Over the whole range.
    pub total: Figures,
    /// Per bucket.
    pub points: Vec<Figures>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// All that the filter lets through.
    pub total: Figures,
    /// The same per bucket.
    pub points: Vec<Figures>,
    /// By the dimensions asked for; most credits first, then by key.
    pub series: Vec<Series>,
}

impl Cube {
    /// What the filter lets through, told apart by `group_by`.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where sums do not fit.
    pub fn slice(&self, filter: &Filter, group_by: &[Dimension]) -> Result<Slice, Refusal> {
        let chosen = Chosen::new(self, filter);
        let mut sums: BTreeMap<[u16; 3], Vec<Sum>> = BTreeMap::new();
        let mut all = vec![Sum::default(); self.buckets.len()];
        let empty = || vec![Sum::default(); self.buckets.len()];
        for cell in self.cells.iter().filter(|c| chosen.cell(c)) {
            let key = grouped(group_by, cell.meter, cell.source, cell.project);
            sums.entry(key).or_insert_with(empty)[usize::from(cell.bucket)].add_cell(cell);
            all[usize::from(cell.bucket)].add_cell(cell);
        }
        for calls in self.calls.iter().filter(|c| chosen.calls(c)) {
            all[usize::from(calls.bucket)].add_calls(calls);
            // By credit type an event counts for each of its types; otherwise once.
            let by_type = group_by.contains(&Dimension::Type);
            let meters = self.sets[usize::from(calls.set)].iter().filter(|m| chosen.types[usize::from(**m)]);
            for meter in meters.take(if by_type { usize::MAX } else { 1 }) {
                let key = grouped(group_by, *meter, calls.source, calls.project);
                sums.entry(key).or_insert_with(empty)[usize::from(calls.bucket)].add_calls(calls);
            }
        }
        let mut series = Vec::with_capacity(sums.len());
        for (key, points) in sums {
            series.push(self.series(group_by, key, &points)?);
        }
        series.sort_by(|a, b| b.total.credits.cmp(&a.total.credits).then_with(|| a.key.cmp(&b.key)));
        let points = figures_of(&all)?;
        Ok(Slice { total: total_of(&all)?, points, series })
    }

    fn series(&self, group_by: &[Dimension], key: [u16; 3], points: &[Sum]) -> Result<Series, Refusal> {
        let named = |dimension: &Dimension| match dimension {
            Dimension::Type => {
                let info = &self.meters[usize::from(key[0])];
                (info.meter.to_string(), info.title.clone())
            }
            Dimension::Source => {
                let source = &self.sources[usize::from(key[1])];
                (source.clone(), source.clone())
            }
            Dimension::Project => self.projects[usize::from(key[2])]
                .as_ref()
                .map_or_else(|| (String::new(), "No project".to_owned()), |p| (p.id.clone(), p.name.clone())),
        };
        let names: Vec<(String, String)> = group_by.iter().map(named).collect();
        let title = names.iter().map(|(_, title)| title.as_str()).collect::<Vec<_>>().join(" · ");
        let key = group_by.iter().copied().zip(names.into_iter().map(|(id, _)| id)).collect();
        Ok(Series { key, title, total: total_of(points)?, points: figures_of(points)? })
    }
}

/// The key of a group: indexes in the dimensions asked for, 0 in the others.
fn grouped(group_by: &[Dimension], meter: u16, source: u16, project: u16) -> [u16; 3] {
    let of = |dimension, index| if group_by.contains(&dimension) { index } else { 0 };
    [of(Dimension::Type, meter), of(Dimension::Source, source), of(Dimension::Project, project)]
}

/// A filter as yes and no per index, so that a cell costs three look-ups.
struct Chosen {
    types: Vec<bool>,
    sources: Vec<bool>,
    projects: Vec<bool>,
    sets: Vec<bool>,
}

impl Chosen {
    fn new(cube: &Cube, filter: &Filter) -> Self {
        let wants = |list: &[String], value: &str| list.is_empty() || list.iter().any(|wanted| wanted == value);
        let types: Vec<bool> = cube.meters.iter().map(|m| wants(&filter.types, m.meter.as_str())).collect();
        let sets = cube.sets.iter().map(|set| set.iter().any(|meter| types[usize::from(*meter)])).collect();
        let id = |project: &Option<Named>| project.as_ref().map_or(String::new(), |p| p.id.clone());
        Self {
            sources: cube.sources.iter().map(|s| wants(&filter.sources, s)).collect(),
            projects: cube.projects.iter().map(|p| wants(&filter.projects, &id(p))).collect(),
            types,
            sets,
        }
    }

    fn cell(&self, cell: &Cell) -> bool {
        self.types[usize::from(cell.meter)]
            && self.sources[usize::from(cell.source)]
            && self.projects[usize::from(cell.project)]
    }

    fn calls(&self, calls: &Calls) -> bool {
        self.sets[usize::from(calls.set)]
            && self.sources[usize::from(calls.source)]
            && self.projects[usize::from(calls.project)]
    }
}

/// Figures while they are added up; wide, so that only the result is checked.
#[derive(Clone, Copy, Default)]
struct Sum {
    micros: i128,
    quantity: i128,
    events: i64,
    failed: i64,
    /// One more than the index of the only meter met; `u32::MAX` once there are several.
    meter: u32,
}

impl Sum {
    fn add_cell(&mut self, cell: &Cell) {
        self.micros += i128::from(cell.micros);
        self.quantity += cell.quantity.micros();
        self.meet(u32::from(cell.meter) + 1);
    }

    fn add_calls(&mut self, calls: &Calls) {
        self.events += calls.events;
        self.failed += calls.failed;
    }

    fn add(&mut self, other: &Self) {
        self.micros += other.micros;
        self.quantity += other.quantity;
        self.events += other.events;
        self.failed += other.failed;
        self.meet(other.meter);
    }

    fn meet(&mut self, meter: u32) {
        self.meter = match (self.meter, meter) {
            (0, other) | (other, 0) => other,
            (a, b) if a == b => a,
            _ => u32::MAX,
        };
    }

    fn figures(&self) -> Result<Figures, Refusal> {
        let quantity = (self.meter != u32::MAX).then(|| Quantity::from_micros(self.quantity));
        Ok(Figures { credits: Credits::from_wide(self.micros)?, events: self.events, failed: self.failed, quantity })
    }
}

fn figures_of(points: &[Sum]) -> Result<Vec<Figures>, Refusal> {
    points.iter().map(Sum::figures).collect()
}

fn total_of(points: &[Sum]) -> Result<Figures, Refusal> {
    let mut total = Sum::default();
    points.iter().for_each(|point| total.add(point));
    total.figures()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    fn meter(name: &str) -> MeterInfo {
        MeterInfo {
            meter: Meter::parse(name).expect("valid"),
            title: name.to_uppercase(),
            unit: "token".to_owned(),
            service: String::new(),
        }
    }

    fn cube(days: u16, cells: Vec<Cell>, calls: Vec<Calls>) -> Cube {
        let day = |index: u16| Bucket {
            start: Timestamp::from_micros(i64::from(index) * 86_400_000_000),
            end: Timestamp::from_micros(i64::from(index + 1) * 86_400_000_000),
            local: NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date").and_hms_opt(0, 0, 0).expect("midnight"),
            incomplete: false,
        };
        Cube {
            zone: "UTC".to_owned(),
            interval: Interval::Day,
            buckets: (0..days).map(day).collect(),
            meters: vec![meter("input"), meter("output"), meter("images")],
            sources: vec!["api".to_owned(), "web".to_owned()],
            projects: vec![None, Some(Named { id: "p".to_owned(), name: "Project".to_owned() })],
            sets: vec![vec![0, 1], vec![2]],
            cells,
            calls,
        }
    }

    fn cell(bucket: u16, meter: u16, source: u16, micros: i64) -> Cell {
        Cell { bucket, meter, source, project: 0, micros, quantity: Quantity::from_units(micros) }
    }

    fn types(names: &[&str]) -> Filter {
        Filter { types: names.iter().map(|n| (*n).to_owned()).collect(), ..Filter::default() }
    }

    fn example() -> Cube {
        let call = |set, events, failed| Calls { bucket: 0, set, source: 0, project: 0, events, failed, bytes: 0 };
        cube(
            2,
            vec![cell(0, 0, 0, 60), cell(0, 1, 0, 100), cell(1, 0, 1, 5), cell(0, 2, 0, 7)],
            vec![call(0, 3, 1), call(1, 2, 0)],
        )
    }

    #[test]
    fn an_event_with_two_quantities_is_one_call_however_it_is_asked_for() {
        let events = |names: &[&str]| example().slice(&types(names), &[]).expect("fits").total.events;
        assert_eq!(events(&[]), 5);
        assert_eq!(events(&["input"]), 3);
        assert_eq!(events(&["input", "output"]), 3);
        assert_eq!(events(&["output", "images"]), 5);
        let by_type = example().slice(&Filter::default(), &[Dimension::Type]).expect("fits");
        assert_eq!(by_type.total.events, 5);
        let each: Vec<_> =
            by_type.series.iter().map(|s| (s.key[0].1.as_str(), s.total.events, s.total.failed)).collect();
        assert_eq!(each, [("output", 3, 1), ("input", 3, 1), ("images", 2, 0)]);
    }

    #[test]
    fn units_are_added_only_within_one_meter() {
        let slice = example().slice(&Filter::default(), &[Dimension::Source]).expect("fits");
        assert_eq!(slice.total.quantity, None);
        assert_eq!(slice.series[0].total.quantity, None);
        assert_eq!(slice.series[1].total.quantity, Some(Quantity::from_units(5)));
    }

    #[test]
    fn what_is_not_there_gives_an_empty_answer() {
        let slice = example().slice(&types(&["nothing"]), &[Dimension::Type]).expect("fits");
        assert_eq!((slice.total.credits, slice.total.events, slice.series.len()), (Credits::ZERO, 0, 0));
    }

    #[test]
    fn sums_that_do_not_fit_are_refused() {
        let cube = cube(1, vec![cell(0, 0, 0, i64::MAX), cell(0, 1, 0, 1)], vec![]);
        assert_eq!(cube.slice(&Filter::default(), &[]), Err(Refusal::AmountOverflow));
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_parts_add_up(
            cells in prop::collection::vec((0_u16..5, 0_u16..3, 0_u16..2, 0_u16..2, 0_i64..1_000_000), 0..60),
        ) {
            let cells: Vec<Cell> = cells.into_iter().map(|(bucket, meter, source, project, micros)| {
                Cell { project, ..cell(bucket, meter, source, micros) }
            }).collect();
            let expected: i64 = cells.iter().map(|c| c.micros).sum();
            let cube = cube(5, cells, vec![]);
            let dimensions = [Dimension::Type, Dimension::Source, Dimension::Project];
            for group_by in [&dimensions[..0], &dimensions[..1], &dimensions[1..], &dimensions[..]] {
                let slice = cube.slice(&Filter::default(), group_by).expect("fits");
                let of_series: i64 = slice.series.iter().map(|s| s.total.credits.micros()).sum();
                let of_points: i64 = slice.series.iter().flat_map(|s| &s.points).map(|p| p.credits.micros()).sum();
                let of_all: i64 = slice.points.iter().map(|p| p.credits.micros()).sum();
                prop_assert_eq!([slice.total.credits.micros(), of_series, of_points, of_all], [expected; 4]);
            }
        }
    }
}
