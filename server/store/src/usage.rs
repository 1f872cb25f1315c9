//! Reading usage: a range of time as a cube, from rollups only.
//!
//! Days, weeks and months of the org's own zone come from the day rollup; hours, other zones and ranges that begin
//! within a day from the quarters. Cost: the rollup rows in the range, never the events.

use crate::Store;
use crate::calendar;
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::org;
use crate::rollup::{QUARTER_US, quarter_of};
use crate::rows::{members, unreadable};
use crate::wide::{self, Narrow, Wide, wide_cells};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use ledger::cube::{Axis, Bucket, Calls, Cell, Cube, Interval, MeterInfo, Named};
use ledger::{Meter, OrgId, Quantity, Refusal, Timestamp};
use rusqlite::{Connection, Row, params};
use rustc_hash::{FxHashMap, FxHashSet};

/// Sources and projects that are listed where they are not told apart.
const MAX_KNOWN: i64 = 1_000;

/// Which time is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// From the first day to the last, both included, in the zone of the question.
    Days(NaiveDate, NaiveDate),
    /// From an instant to before another, widened to quarters of an hour.
    Instants(Timestamp, Timestamp),
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CubeQuery {
    /// Which time.
    pub range: Range,
    /// In what steps.
    pub interval: Interval,
    /// Whose days; the org's own where it is not said.
    pub zone: Option<Tz>,
    /// What is asked beyond credit types, sources and projects.
    pub wide: Wide,
    /// What will do where all that is asked would be too much; nothing will where it is not said.
    pub narrow: Option<Narrow>,
}

impl CubeQuery {
    /// All usage of a range, in days of the org's own zone.
    #[must_use]
    pub fn new(range: Range, interval: Interval) -> Self {
        Self { range, interval, zone: None, wide: Wide::default(), narrow: None }
    }
}

impl Store {
    /// All usage of an org in a range, or what its question lets through.
    ///
    /// # Errors
    /// [`StoreError::BadRange`] where the range is empty or too long for its interval.
    pub async fn cube(&self, org: OrgId, query: &CubeQuery) -> Result<Cube, StoreError> {
        let (now, query) = (self.now(), query.clone());
        // One snapshot: sums and names are of one instant.
        self.read(move |conn| cube(conn, org, &query, now)).await
    }
}

pub(crate) fn cube(conn: &Connection, org: OrgId, query: &CubeQuery, now: Timestamp) -> Result<Cube, StoreError> {
    let own = org::zone(conn, org)?;
    let zone = query.zone.unwrap_or(own);
    let (from, to) = bounds(zone, query.range)?;
    let buckets = calendar::buckets(zone, query.interval, from, to, now)?;
    let source = RollupSource::choose(query, zone, own);
    let (cells, axis) = if query.wide.is_asked() || wide::is_near(conn, org)? {
        wide_cells(conn, org, &buckets, source != RollupSource::Quarter, &query.wide, query.narrow.as_ref())?
    } else {
        (rollup_cells(conn, org, source, zone, &buckets)?, None)
    };
    Names::read(conn, org, &cells)?.cube(zone, query.interval, buckets, axis, cells)
}

/// Sums of a cube while its lists are still numbers of the database: a cell points into them.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// In order, each once; also those that no cell is of.
    pub(crate) lists: Lists,
    /// Whether sources and projects are told apart; said where not both are, and only chosen ones are in the sums.
    pub(crate) told: Option<[bool; 2]>,
    /// In order, each place once.
    pub(crate) cells: Vec<Cell>,
    /// The same of calls.
    pub(crate) calls: Vec<Calls>,
}

/// The numbers that the places of cells stand for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    pub(crate) meters: Vec<i64>,
    pub(crate) sets: Vec<i64>,
    pub(crate) sources: Vec<i64>,
    pub(crate) projects: Vec<i64>,
}

/// The distinct numbers, in order.
pub(crate) fn sorted(numbers: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut numbers: Vec<i64> = numbers.collect::<FxHashSet<i64>>().into_iter().collect();
    numbers.sort_unstable();
    numbers
}

/// The place of a number in a list.
pub(crate) fn place_in(all: &[i64], number: i64) -> Result<usize, StoreError> {
    all.binary_search(&number).map_err(|_| unreadable("place of a dimension"))
}

/// Rows of a rollup: by place of the bucket, number of the meter or set, of the source and of the project.
#[derive(Debug, Default)]
struct Rows {
    usage: Vec<([i64; 4], i64, i128)>,
    calls: Vec<([i64; 4], [i64; 3])>,
}

impl Rows {
    fn added_up(mut self) -> Result<Cells, StoreError> {
        let overflow = || StoreError::from(Refusal::AmountOverflow);
        let held = |place: usize| {
            self.usage
                .iter()
                .map(|(key, ..)| key)
                .chain(self.calls.iter().map(|(key, _)| key))
                .map(move |key| key[place])
        };
        let lists = Lists {
            meters: sorted(self.usage.iter().map(|(key, ..)| key[1])),
            sets: sorted(self.calls.iter().map(|(key, _)| key[1])),
            sources: sorted(held(2)),
            projects: sorted(held(3)),
        };
        let place = |[bucket, kind, source, project]: [i64; 4], kinds: &[i64]| -> Result<[u16; 5], StoreError> {
            let at = |all: &[i64], number| place_in(all, number).and_then(index);
            Ok([small(bucket)?, at(kinds, kind)?, at(&lists.sources, source)?, at(&lists.projects, project)?, 0])
        };
        self.usage.sort_unstable_by_key(|(key, ..)| *key);
        let mut cells: Vec<Cell> = Vec::with_capacity(self.usage.len());
        for usage in self.usage.chunk_by(|(a, ..), (b, ..)| a == b) {
            let micros =
                usage.iter().try_fold(0_i64, |sum, (_, micros, _)| sum.checked_add(*micros)).ok_or_else(overflow)?;
            let quantity = usage.iter().map(|(.., quantity)| quantity).sum();
            cells.push(Cell::at(place(usage[0].0, &lists.meters)?, micros, Quantity::from_micros(quantity)));
        }
        self.calls.sort_unstable_by_key(|(key, _)| *key);
        let mut calls: Vec<Calls> = Vec::with_capacity(self.calls.len());
        for group in self.calls.chunk_by(|(a, _), (b, _)| a == b) {
            let [events, failed, bytes] =
                std::array::from_fn(|figure| group.iter().map(|(_, figures)| figures[figure]).sum());
            calls.push(Calls::at(place(group[0].0, &lists.sets)?, events, failed, bytes));
        }
        Ok(Cells { lists, told: None, cells, calls })
    }
}

/// The first instant of a range in a zone, and the first after it.
///
/// # Errors
/// Days that no calendar has.
pub fn bounds(zone: Tz, range: Range) -> Result<(Timestamp, Timestamp), StoreError> {
    match range {
        Range::Days(first, last) => {
            let after = last.checked_add_days(Days::new(1)).ok_or(Refusal::TimeOutOfRange)?;
            Ok((calendar::day_start(zone, first)?, calendar::day_start(zone, after)?))
        }
        Range::Instants(from, to) => {
            let up = to.micros().checked_add(QUARTER_US - 1).ok_or(Refusal::TimeOutOfRange)?;
            let quarter = |number: i64| Timestamp::from_micros(number * QUARTER_US);
            Ok((quarter(quarter_of(from)), quarter(up.div_euclid(QUARTER_US))))
        }
    }
}

/// Which rollup answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RollupSource {
    Day(Tz),
    Quarter,
}

impl RollupSource {
    pub(crate) fn choose(query: &CubeQuery, zone: Tz, own: Tz) -> Self {
        let whole_days = matches!(query.range, Range::Days(..)) && query.interval != Interval::Hour;
        if whole_days && zone == own { Self::Day(zone) } else { Self::Quarter }
    }

    /// First bucket and the one after the last.
    fn range(self, zone: Tz, from: Timestamp, to: Timestamp) -> Result<(i64, i64), StoreError> {
        match self {
            Self::Day(_) => {
                let last = Timestamp::from_micros(to.micros() - 1);
                Ok((calendar::day_number(zone, from)?, calendar::day_number(zone, last)? + 1))
            }
            Self::Quarter => Ok((quarter_of(from), quarter_of(to))),
        }
    }

    /// The first instant of one of its buckets.
    fn start(self, bucket: i64) -> Result<Timestamp, StoreError> {
        match self {
            Self::Quarter => Ok(Timestamp::from_micros(bucket.checked_mul(QUARTER_US).ok_or(Refusal::TimeOutOfRange)?)),
            Self::Day(zone) => calendar::day_start(zone, calendar::date_of(bucket)?),
        }
    }

    const fn usage_sql(self) -> &'static str {
        match self {
            Self::Day(_) => {
                "SELECT bucket, meter_id, source_id, project_id, credits, quantity, quantity_micros FROM usage_day
                 WHERE org_id = ?1 AND bucket >= ?2 AND bucket < ?3"
            }
            Self::Quarter => {
                "SELECT bucket, meter_id, source_id, project_id, credits, quantity, quantity_micros FROM usage_quarter
                 WHERE org_id = ?1 AND bucket >= ?2 AND bucket < ?3"
            }
        }
    }

    const fn calls_sql(self) -> &'static str {
        match self {
            Self::Day(_) => {
                "SELECT bucket, set_id, source_id, project_id, events, failed, bytes FROM calls_day
                 WHERE org_id = ?1 AND bucket >= ?2 AND bucket < ?3"
            }
            Self::Quarter => {
                "SELECT bucket, set_id, source_id, project_id, events, failed, bytes FROM calls_quarter
                 WHERE org_id = ?1 AND bucket >= ?2 AND bucket < ?3"
            }
        }
    }
}

fn rollup_cells(
    conn: &Connection,
    org: OrgId,
    source: RollupSource,
    zone: Tz,
    buckets: &[Bucket],
) -> Result<Cells, StoreError> {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return Ok(Cells::default()) };
    let (low, high) = source.range(zone, first.start, last.end)?;
    let mut places = Places { buckets, source, last: (i64::MIN, 0) };
    let mut sums = Rows::default();
    let mut usage = conn.prepare_cached(source.usage_sql())?;
    let mut rows = usage.query(params![org.0, low, high])?;
    while let Some(row) = rows.next()? {
        let key = [places.of(row.get(0)?)?, row.get(1)?, row.get(2)?, row.get(3)?];
        sums.usage.push((key, row.get(4)?, Quantity::from_parts(row.get(5)?, row.get(6)?).micros()));
    }
    let mut calls = conn.prepare_cached(source.calls_sql())?;
    let mut rows = calls.query(params![org.0, low, high])?;
    while let Some(row) = rows.next()? {
        let key = [places.of(row.get(0)?)?, row.get(1)?, row.get(2)?, row.get(3)?];
        sums.calls.push((key, [row.get(4)?, row.get(5)?, row.get(6)?]));
    }
    sums.added_up()
}

/// From the buckets of a rollup to those of the cube. They come in order, so the last is remembered.
struct Places<'b> {
    buckets: &'b [Bucket],
    source: RollupSource,
    last: (i64, i64),
}

impl Places<'_> {
    fn of(&mut self, bucket: i64) -> Result<i64, StoreError> {
        if self.last.0 != bucket {
            let start = self.source.start(bucket)?;
            let after = self.buckets.partition_point(|b| b.start <= start);
            let place = after.checked_sub(1).and_then(|place| i64::try_from(place).ok());
            self.last = (bucket, place.ok_or_else(|| unreadable("bucket"))?);
        }
        Ok(self.last.1)
    }
}

/// The names behind the numbers of cells, and their places in the cube's lists.
struct Names {
    meters: Vec<MeterInfo>,
    meter_at: FxHashMap<i64, u16>,
    sources: Vec<String>,
    source_at: FxHashMap<i64, u16>,
    projects: Vec<Option<Named>>,
    project_at: FxHashMap<i64, u16>,
    sets: Vec<Vec<u16>>,
    set_at: FxHashMap<i64, u16>,
}

impl Names {
    fn read(conn: &Connection, org: OrgId, cells: &Cells) -> Result<Self, StoreError> {
        let mut names = Self {
            meters: Vec::new(),
            meter_at: FxHashMap::default(),
            sources: Vec::new(),
            source_at: FxHashMap::default(),
            projects: vec![None],
            project_at: [(0, 0)].into_iter().collect(),
            sets: Vec::new(),
            set_at: FxHashMap::default(),
        };
        let mut meters = conn.prepare_cached(
            "SELECT meter_id, name, title, unit, service FROM meter WHERE org_id = ?1 ORDER BY meter_id",
        )?;
        let mut rows = meters.query([org.0])?;
        while let Some(row) = rows.next()? {
            names.meter_at.insert(row.get(0)?, index(names.meters.len())?);
            let meter = Meter::parse(&row.get::<_, String>(1)?)?;
            names.meters.push(MeterInfo { meter, title: row.get(2)?, unit: row.get(3)?, service: row.get(4)? });
        }
        let [sources, projects] = cells.told.unwrap_or([true; 2]);
        let met_sources = met(&cells.lists.sources, cells, |cell| cell.source, |calls| calls.source);
        for (id, named) in dimension(conn, org, Kind::Source, sources.then_some(met_sources))? {
            names.source_at.insert(id, index(names.sources.len())?);
            names.sources.push(named.id);
        }
        let met_projects = met(&cells.lists.projects, cells, |cell| cell.project, |calls| calls.project);
        for (id, named) in dimension(conn, org, Kind::Project, projects.then_some(met_projects))? {
            names.project_at.insert(id, index(names.projects.len())?);
            names.projects.push(Some(named));
        }
        if !sources {
            // What no source is told of is at the first place, whichever that is.
            names.source_at.insert(0, 0);
        }
        let mut sets =
            conn.prepare_cached("SELECT set_id, members FROM meter_set WHERE org_id = ?1 ORDER BY set_id")?;
        let mut rows = sets.query([org.0])?;
        while let Some(row) = rows.next()? {
            names.set_at.insert(row.get(0)?, index(names.sets.len())?);
            let members = members(&row.get::<_, String>(1)?);
            names.sets.push(
                members
                    .iter()
                    .map(|meter| names.meter_at.get(meter).copied().ok_or_else(|| unreadable("set of meters")))
                    .collect::<Result<_, _>>()?,
            );
        }
        Ok(names)
    }

    fn cube(
        self,
        zone: Tz,
        interval: Interval,
        buckets: Vec<Bucket>,
        axis: Option<Axis>,
        sums: Cells,
    ) -> Result<Cube, StoreError> {
        let Cells { lists, told, mut cells, mut calls } = sums;
        let meters = listed(&self.meter_at, &lists.meters);
        let sets = listed(&self.set_at, &lists.sets);
        let (sources, projects) = (listed(&self.source_at, &lists.sources), listed(&self.project_at, &lists.projects));
        for cell in &mut cells {
            cell.meter = at(&meters, cell.meter)?;
            (cell.source, cell.project) = (at(&sources, cell.source)?, at(&projects, cell.project)?);
        }
        for calls in &mut calls {
            calls.set = at(&sets, calls.set)?;
            (calls.source, calls.project) = (at(&sources, calls.source)?, at(&projects, calls.project)?);
        }
        let Self { meters, sources, projects, sets, .. } = self;
        let zone = zone.name().to_owned();
        let narrow = told.is_some();
        Ok(Cube { zone, interval, buckets, meters, sources, projects, facet: axis, narrow, sets, cells, calls })
    }
}

/// Those numbers of a list that cells or calls are of, but for 0: it has no name.
fn met(list: &[i64], sums: &Cells, of_cell: fn(&Cell) -> u16, of_calls: fn(&Calls) -> u16) -> Vec<i64> {
    let mut is_met = vec![false; list.len()];
    sums.cells
        .iter()
        .map(of_cell)
        .chain(sums.calls.iter().map(of_calls))
        .for_each(|place| is_met[usize::from(place)] = true);
    list.iter().zip(is_met).filter_map(|(number, is_met)| (is_met && *number != 0).then_some(*number)).collect()
}

/// The place in the cube of each number of a list.
fn listed(places: &FxHashMap<i64, u16>, list: &[i64]) -> Vec<Option<u16>> {
    list.iter().map(|number| places.get(number).copied()).collect()
}

/// The names of those numbers, in their order; where none are told apart, of those that the org knows, so that they can be chosen.
fn dimension(
    conn: &Connection,
    org: OrgId,
    kind: Kind,
    ids: Option<Vec<i64>>,
) -> Result<Vec<(i64, Named)>, StoreError> {
    let some = "SELECT id, value, coalesce(name, value) FROM dimension
                WHERE org_id = ?1 AND kind = ?2 AND id IN (SELECT value FROM json_each(?3)) ORDER BY id";
    let known =
        "SELECT id, value, coalesce(name, value) FROM dimension WHERE org_id = ?1 AND kind = ?2 ORDER BY id LIMIT ?3";
    let named = |row: &Row<'_>| Ok((row.get(0)?, Named { id: row.get(1)?, name: row.get(2)? }));
    let found: Result<_, rusqlite::Error> = match ids {
        Some(ids) => {
            let ids = serde_json::to_string(&ids)?;
            conn.prepare_cached(some)?.query_map(params![org.0, kind as i64, ids], named)?.collect()
        }
        None => conn.prepare_cached(known)?.query_map(params![org.0, kind as i64, MAX_KNOWN], named)?.collect(),
    };
    Ok(found?)
}

fn at(places: &[Option<u16>], place: u16) -> Result<u16, StoreError> {
    places.get(usize::from(place)).copied().flatten().ok_or_else(|| unreadable("dimension of a rollup"))
}

fn small(place: i64) -> Result<u16, StoreError> {
    u16::try_from(place).map_err(|_| unreadable("place in a cube"))
}

fn index(position: usize) -> Result<u16, StoreError> {
    u16::try_from(position)
        .map_err(|_| StoreError::BadRange("the range has more than 65,535 sources or projects: choose a shorter one"))
}
