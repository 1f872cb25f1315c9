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
use crate::wide::{self, Wide, wide_cells};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use ledger::cube::{Axis, Bucket, Calls, Cell, Cube, Interval, MeterInfo, Named};
use ledger::{Meter, OrgId, Quantity, Refusal, Timestamp};
use rusqlite::{Connection, params};
use rustc_hash::{FxHashMap, FxHashSet};

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
}

impl CubeQuery {
    /// All usage of a range, in days of the org's own zone.
    #[must_use]
    pub fn new(range: Range, interval: Interval) -> Self {
        Self { range, interval, zone: None, wide: Wide::default() }
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
        wide_cells(conn, org, &buckets, source != RollupSource::Quarter, &query.wide)?
    } else {
        (rollup_cells(conn, org, source, zone, &buckets)?, None)
    };
    let cells = cells.added_up()?;
    Names::read(conn, org, &cells)?.cube(zone, query.interval, buckets, axis, &cells)
}

/// Sums by place of the bucket, number of the meter or set, of the source and of the project, place of the facet's value.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    usage: Vec<(CellKey, i64, i128)>,
    calls: Vec<(CellKey, [i64; 3])>,
}

type CellKey = [i64; 5];

impl Cells {
    /// Micro-credits, and micro-units of a meter.
    pub(crate) fn add_usage(&mut self, key: CellKey, micros: i64, quantity: i128) {
        self.usage.push((key, micros, quantity));
    }

    /// Events, failed ones, bytes of a set.
    pub(crate) fn add_calls(&mut self, key: CellKey, figures: [i64; 3]) {
        self.calls.push((key, figures));
    }

    /// In order, each key once.
    fn added_up(mut self) -> Result<Self, StoreError> {
        let overflow = || StoreError::from(Refusal::AmountOverflow);
        self.usage.sort_unstable_by_key(|(key, ..)| *key);
        let mut usage: Vec<(CellKey, i64, i128)> = Vec::with_capacity(self.usage.len());
        for (key, micros, quantity) in self.usage {
            match usage.last_mut() {
                Some(last) if last.0 == key => {
                    last.1 = last.1.checked_add(micros).ok_or_else(overflow)?;
                    last.2 += quantity;
                }
                _ => usage.push((key, micros, quantity)),
            }
        }
        self.calls.sort_unstable_by_key(|(key, _)| *key);
        let mut calls: Vec<(CellKey, [i64; 3])> = Vec::with_capacity(self.calls.len());
        for (key, figures) in self.calls {
            match calls.last_mut() {
                Some((last, sum)) if *last == key => sum.iter_mut().zip(figures).for_each(|(sum, more)| *sum += more),
                _ => calls.push((key, figures)),
            }
        }
        Ok(Self { usage, calls })
    }

    fn numbers(&self, place: usize) -> Vec<i64> {
        let all = self.usage.iter().map(|(key, ..)| key[place]).chain(self.calls.iter().map(|(key, _)| key[place]));
        let met: FxHashSet<i64> = all.filter(|number| *number != 0).collect();
        let mut numbers: Vec<i64> = met.into_iter().collect();
        numbers.sort_unstable();
        numbers
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
    let mut cells = Cells::default();
    let mut usage = conn.prepare_cached(source.usage_sql())?;
    let mut rows = usage.query(params![org.0, low, high])?;
    while let Some(row) = rows.next()? {
        let key = [places.of(row.get(0)?)?, row.get(1)?, row.get(2)?, row.get(3)?, 0];
        cells.add_usage(key, row.get(4)?, Quantity::from_parts(row.get(5)?, row.get(6)?).micros());
    }
    let mut calls = conn.prepare_cached(source.calls_sql())?;
    let mut rows = calls.query(params![org.0, low, high])?;
    while let Some(row) = rows.next()? {
        let key = [places.of(row.get(0)?)?, row.get(1)?, row.get(2)?, row.get(3)?, 0];
        cells.add_calls(key, [row.get(4)?, row.get(5)?, row.get(6)?]);
    }
    Ok(cells)
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
        for (id, named) in dimension(conn, org, Kind::Source, &cells.numbers(2))? {
            names.source_at.insert(id, index(names.sources.len())?);
            names.sources.push(named.id);
        }
        for (id, named) in dimension(conn, org, Kind::Project, &cells.numbers(3))? {
            names.project_at.insert(id, index(names.projects.len())?);
            names.projects.push(Some(named));
        }
        let mut sets =
            conn.prepare_cached("SELECT set_id, members FROM meter_set WHERE org_id = ?1 ORDER BY set_id")?;
        let mut rows = sets.query([org.0])?;
        while let Some(row) = rows.next()? {
            names.set_at.insert(row.get(0)?, index(names.sets.len())?);
            let members = members(&row.get::<_, String>(1)?);
            names.sets.push(members.iter().map(|meter| at(&names.meter_at, *meter)).collect::<Result<_, _>>()?);
        }
        Ok(names)
    }

    fn cube(
        self,
        zone: Tz,
        interval: Interval,
        buckets: Vec<Bucket>,
        axis: Option<Axis>,
        sums: &Cells,
    ) -> Result<Cube, StoreError> {
        let mut cells = Vec::with_capacity(sums.usage.len());
        for ([bucket, meter, source, project, facet], micros, quantity) in &sums.usage {
            let place = [
                small(*bucket)?,
                at(&self.meter_at, *meter)?,
                self.source(*source)?,
                self.project(*project)?,
                small(*facet)?,
            ];
            cells.push(Cell::at(place, *micros, Quantity::from_micros(*quantity)));
        }
        let mut calls = Vec::with_capacity(sums.calls.len());
        for ([bucket, set, source, project, facet], [events, failed, bytes]) in &sums.calls {
            let place = [
                small(*bucket)?,
                at(&self.set_at, *set)?,
                self.source(*source)?,
                self.project(*project)?,
                small(*facet)?,
            ];
            calls.push(Calls::at(place, *events, *failed, *bytes));
        }
        let Self { meters, sources, projects, sets, .. } = self;
        let zone = zone.name().to_owned();
        Ok(Cube { zone, interval, buckets, meters, sources, projects, facet: axis, sets, cells, calls })
    }

    fn source(&self, id: i64) -> Result<u16, StoreError> {
        at(&self.source_at, id)
    }

    fn project(&self, id: i64) -> Result<u16, StoreError> {
        at(&self.project_at, id)
    }
}

/// The names of those numbers, in their order.
fn dimension(conn: &Connection, org: OrgId, kind: Kind, ids: &[i64]) -> Result<Vec<(i64, Named)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, value, coalesce(name, value) FROM dimension
         WHERE org_id = ?1 AND kind = ?2 AND id IN (SELECT value FROM json_each(?3)) ORDER BY id",
    )?;
    let found = statement.query_map(params![org.0, kind as i64, serde_json::to_string(ids)?], |row| {
        Ok((row.get(0)?, Named { id: row.get(1)?, name: row.get(2)? }))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn at(places: &FxHashMap<i64, u16>, id: i64) -> Result<u16, StoreError> {
    places.get(&id).copied().ok_or_else(|| unreadable("dimension of a rollup"))
}

fn small(place: i64) -> Result<u16, StoreError> {
    u16::try_from(place).map_err(|_| unreadable("place in a cube"))
}

fn index(position: usize) -> Result<u16, StoreError> {
    u16::try_from(position)
        .map_err(|_| StoreError::BadRange("the range has more than 65,535 sources or projects: choose a shorter one"))
}
