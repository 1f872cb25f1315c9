//! One trace: its modules, and its events a page at a time.

use super::lookup;
use super::read::{Tail, Trace, TraceKind, trace};
use crate::Store;
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::retention::{check_kept, pruned_to};
use crate::rows::unreadable;
use ledger::cube::MeterInfo;
use ledger::event::Place;
use ledger::{Credits, EventSeq, Meter, OrgId, Quantity, Timestamp};
use rusqlite::{Connection, Row, params};
use rustc_hash::FxHashMap;

/// Events of one trace that are added up by module: those of a larger one are a matter for Analytics.
pub(super) const MAX_EVENTS: usize = 10_000;
/// Events on a page, at most.
const MAX_PAGE: u32 = 200;

/// What was used of a meter, and what that cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceUse {
    /// The meter.
    pub meter: MeterInfo,
    /// How much.
    pub quantity: Quantity,
    /// For how many credits.
    pub credits: Credits,
}

/// What the events of one module, or of none, add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceModule {
    /// The module; `None` for events that name none.
    pub module: Option<Place>,
    /// When the first of its events happened.
    pub first_at: Timestamp,
    /// When the last one did.
    pub last_at: Timestamp,
    /// Events that stand.
    pub events: i64,
    /// Those of them that failed.
    pub failed: i64,
    /// Data transferred.
    pub bytes: i64,
    /// What they cost.
    pub credits: Credits,
    /// What they used, in the order of the meters.
    pub uses: Vec<TraceUse>,
}

/// A trace with its modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceDetail {
    /// The trace.
    pub trace: Trace,
    /// Its modules in the order in which they began.
    pub modules: Vec<TraceModule>,
    /// How many of its events the modules add up: the first that are kept, at most 10,000.
    pub counted: i64,
}

/// One event of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceEvent {
    /// Its place in the org's events.
    pub seq: EventSeq,
    /// Its own id.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// The operation that it names.
    pub operation: String,
    /// The module that it names.
    pub module: Option<Place>,
    /// Whether it failed.
    pub failed: bool,
    /// Data transferred.
    pub bytes: i64,
    /// What it cost.
    pub credits: Credits,
    /// What it used, in the order of the meters.
    pub uses: Vec<TraceUse>,
}

/// A page of a trace's events, in the order in which they happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceEvents {
    /// They.
    pub events: Vec<TraceEvent>,
    /// After which event the next page begins.
    pub next: Option<EventSeq>,
}

impl Store {
    /// A trace by its id, with its modules; of a trace that is not `only_project`'s alone nothing is told.
    ///
    /// Cost: some microseconds per event of it, up to 10,000.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Busy`] right after a large import.
    pub async fn trace(
        &self,
        org: OrgId,
        kind: TraceKind,
        id: String,
        only_project: Option<String>,
    ) -> Result<TraceDetail, StoreError> {
        self.read(move |conn| {
            let (number, tail) = find(conn, org, kind, &id, only_project.as_deref())?;
            let sums = tail.find(conn, org, (kind.dimension() as i64, number))?.ok_or(NOT_FOUND)?;
            let places = places(conn, org, kind, number, &tail, None, MAX_EVENTS)?;
            Ok(TraceDetail {
                trace: trace(conn, org, kind.dimension(), &tail, &(number, sums))?,
                counted: i64::try_from(places.len()).unwrap_or(i64::MAX),
                modules: modules(conn, org, &places)?,
            })
        })
        .await
    }

    /// A page of its events, after one of them.
    ///
    /// # Errors
    /// As [`Self::trace`]; also where it has no such event, or that is [`StoreError::Pruned`].
    pub async fn trace_events(
        &self,
        org: OrgId,
        kind: TraceKind,
        id: String,
        only_project: Option<String>,
        after: Option<EventSeq>,
        limit: u32,
    ) -> Result<TraceEvents, StoreError> {
        self.read(move |conn| {
            let (number, tail) = find(conn, org, kind, &id, only_project.as_deref())?;
            let limit = limit.clamp(1, MAX_PAGE) as usize;
            let mut places = places(conn, org, kind, number, &tail, after, limit + 1)?;
            let is_full = places.len() > limit;
            places.truncate(limit);
            let next = places.last().filter(|_| is_full).map(|(_, seq)| EventSeq(*seq));
            let names = Names::new(conn, org)?;
            let one = |place: &(i64, i64)| names.event(&Said::find(conn, org, place.1)?);
            Ok(TraceEvents { events: places.iter().map(one).collect::<Result<_, _>>()?, next })
        })
        .await
    }
}

const NOT_FOUND: StoreError = StoreError::NotFound("run or interaction");

fn find(
    conn: &Connection,
    org: OrgId,
    kind: TraceKind,
    id: &str,
    only_project: Option<&str>,
) -> Result<(i64, Tail), StoreError> {
    let number = lookup::number(conn, org, kind.dimension(), id)?.ok_or(NOT_FOUND)?;
    let tail = Tail::read(conn, org, kind.dimension())?;
    let sums = tail.find(conn, org, (kind.dimension() as i64, number))?.ok_or(NOT_FOUND)?;
    if let Some(project) = only_project {
        let project = lookup::number(conn, org, Kind::Project, project)?.ok_or(NOT_FOUND)?;
        if !sums.one_project || sums.project != project {
            return Err(NOT_FOUND);
        }
    }
    Ok((number, tail))
}

/// When and by which number the next events of a trace happened, in that order.
pub(super) fn places(
    conn: &Connection,
    org: OrgId,
    kind: TraceKind,
    number: i64,
    tail: &Tail,
    after: Option<EventSeq>,
    count: usize,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let kind = kind.dimension() as i64;
    let start = match after {
        Some(seq) => {
            check_kept(conn, org, seq)?;
            (Said::find(conn, org, seq.0)?.at, seq.0)
        }
        None => (i64::MIN, i64::MIN),
    };
    let sql = "SELECT at, seq FROM trace_event WHERE org_id = ?1 AND kind = ?2 AND id = ?3 AND (at, seq) > (?4, ?5)
               AND seq > ?7 ORDER BY at, seq LIMIT ?6";
    let limit = i64::try_from(count).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(sql)?;
    let found = statement
        .query_map(params![org.0, kind, number, start.0, start.1, limit, pruned_to(conn, org)?], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let mut places: Vec<(i64, i64)> = found.collect::<Result<_, _>>()?;
    places.extend(tail.events.get(&number).into_iter().flatten().filter(|place| **place > start));
    places.sort_unstable();
    places.truncate(count);
    Ok(places)
}

/// An event, narrow.
struct Said {
    seq: i64,
    at: i64,
    operation: i64,
    module: i64,
    failed: bool,
    bytes: i64,
    /// Meter, quantity, credits.
    used: Vec<(i64, Quantity, Credits)>,
}

impl Said {
    fn find(conn: &Connection, org: OrgId, seq: i64) -> Result<Self, StoreError> {
        let sql =
            "SELECT occurred_at, operation_id, module_id, failed, bytes FROM event WHERE org_id = ?1 AND seq = ?2";
        let read = |row: &Row<'_>| {
            let (at, operation, module) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Self { seq, at, operation, module, failed: row.get(3)?, bytes: row.get(4)?, used: Vec::new() })
        };
        let found = conn.prepare_cached(sql)?.query_row(params![org.0, seq], read);
        let mut said = found.map_err(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => StoreError::NotFound("event"),
            other => other.into(),
        })?;
        let sql = "SELECT meter_id, quantity, quantity_micros, credits FROM charge WHERE org_id = ?1 AND seq = ?2 ORDER BY meter_id";
        let mut statement = conn.prepare_cached(sql)?;
        let used = statement.query_map(params![org.0, seq], |row| {
            Ok((row.get(0)?, Quantity::from_parts(row.get(1)?, row.get(2)?), Credits::from_micros(row.get(3)?)))
        })?;
        said.used = used.collect::<Result<_, _>>()?;
        Ok(said)
    }
}

/// What the numbers of events stand for.
struct Names<'c> {
    conn: &'c Connection,
    org: OrgId,
    meters: FxHashMap<i64, MeterInfo>,
}

impl<'c> Names<'c> {
    fn new(conn: &'c Connection, org: OrgId) -> Result<Self, StoreError> {
        let mut meters = FxHashMap::default();
        let mut statement =
            conn.prepare_cached("SELECT meter_id, name, title, unit, service FROM meter WHERE org_id = ?1")?;
        let mut rows = statement.query([org.0])?;
        while let Some(row) = rows.next()? {
            let meter = Meter::parse(&row.get::<_, String>(1)?)?;
            let info = MeterInfo { meter, title: row.get(2)?, unit: row.get(3)?, service: row.get(4)? };
            meters.insert(row.get(0)?, info);
        }
        Ok(Self { conn, org, meters })
    }

    fn uses(&self, used: impl IntoIterator<Item = (i64, Quantity, Credits)>) -> Result<Vec<TraceUse>, StoreError> {
        let one = |(meter, quantity, credits): (i64, Quantity, Credits)| {
            let meter = self.meters.get(&meter).cloned().ok_or_else(|| unreadable("meter"))?;
            Ok(TraceUse { meter, quantity, credits })
        };
        used.into_iter().map(one).collect()
    }

    fn event(&self, said: &Said) -> Result<TraceEvent, StoreError> {
        let operation = lookup::place(self.conn, self.org, Kind::Operation, said.operation)?;
        let sql = "SELECT external_id FROM identity WHERE org_id = ?1 AND seq = ?2";
        Ok(TraceEvent {
            seq: EventSeq(said.seq),
            id: self.conn.prepare_cached(sql)?.query_row(params![self.org.0, said.seq], |row| row.get(0))?,
            at: Timestamp::from_micros(said.at),
            operation: operation.map_or_else(String::new, |place| place.id.as_str().to_owned()),
            module: lookup::place(self.conn, self.org, Kind::Module, said.module)?,
            failed: said.failed,
            bytes: said.bytes,
            credits: Credits::sum(said.used.iter().map(|(_, _, credits)| *credits))?,
            uses: self.uses(said.used.iter().copied())?,
        })
    }
}

/// Sums of a module while they are added up.
struct Adding {
    module: i64,
    first_at: i64,
    last_at: i64,
    events: i64,
    failed: i64,
    bytes: i64,
    used: std::collections::BTreeMap<i64, (i128, Credits)>,
}

/// What events add up to by module; the modules in the order in which they are met.
pub(super) fn modules(conn: &Connection, org: OrgId, places: &[(i64, i64)]) -> Result<Vec<TraceModule>, StoreError> {
    let mut index: FxHashMap<i64, usize> = FxHashMap::default();
    let mut adding: Vec<Adding> = Vec::new();
    for (at, seq) in places {
        let said = Said::find(conn, org, *seq)?;
        let next = adding.len();
        let place = *index.entry(said.module).or_insert(next);
        if place == next {
            let (module, first_at) = (said.module, *at);
            let used = std::collections::BTreeMap::new();
            adding.push(Adding { module, first_at, last_at: *at, events: 0, failed: 0, bytes: 0, used });
        }
        let sum = &mut adding[place];
        sum.first_at = sum.first_at.min(*at);
        sum.last_at = sum.last_at.max(*at);
        sum.events += 1;
        sum.failed += i64::from(said.failed);
        sum.bytes = sum.bytes.saturating_add(said.bytes);
        for (meter, quantity, credits) in said.used {
            let (whole, cost) = sum.used.entry(meter).or_default();
            *whole += quantity.micros();
            *cost = Credits::sum([*cost, credits])?;
        }
    }
    let names = Names::new(conn, org)?;
    let finish = |sum: Adding| {
        let used = sum.used.into_iter().map(|(meter, (whole, cost))| (meter, Quantity::from_micros(whole), cost));
        let uses = names.uses(used)?;
        Ok(TraceModule {
            module: lookup::place(conn, org, Kind::Module, sum.module)?,
            first_at: Timestamp::from_micros(sum.first_at),
            last_at: Timestamp::from_micros(sum.last_at),
            events: sum.events,
            failed: sum.failed,
            bytes: sum.bytes,
            credits: Credits::sum(uses.iter().map(|used| used.credits))?,
            uses,
        })
    };
    adding.into_iter().map(finish).collect()
}
