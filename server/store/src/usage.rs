//! Reading usage: a range of time as a cube, from rollups only.
//!
//! Days, weeks and months of the org's own zone come from the day rollup; hours, other zones and ranges that begin
//! within a day from the quarters. Cost: the rollup rows in the range, never the events.

use crate::calendar;
use crate::error::StoreError;
use crate::rollup::{QUARTER_US, quarter_of};
use crate::rows::{members, unreadable};
use crate::{Org, Store};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use ledger::cube::{Bucket, Calls, Cell, Cube, Interval, MeterInfo, Named};
use ledger::{Meter, OrgId, Quantity, Refusal, Timestamp};
use sqlx::{Sqlite, Transaction};
use std::collections::BTreeMap;

/// Which time is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// From the first day to the last, both included, in the zone of the question.
    Days(NaiveDate, NaiveDate),
    /// From an instant to before another, widened to quarters of an hour.
    Instants(Timestamp, Timestamp),
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CubeQuery {
    /// Which time.
    pub range: Range,
    /// In what steps.
    pub interval: Interval,
    /// Whose days; the org's own where it is not said.
    pub zone: Option<Tz>,
}

/// bucket, meter, source, project, credits, quantity, its micro-units
type UsageRow = (i64, i64, i64, i64, i64, i64, i64);
/// bucket, set, source, project, events, failed, bytes
type CallsRow = (i64, i64, i64, i64, i64, i64, i64);

impl Store {
    /// All usage of an org in a range.
    ///
    /// # Errors
    /// [`StoreError::BadRange`] where the range is empty or too long for its interval.
    pub async fn cube(&self, org: OrgId, query: &CubeQuery) -> Result<Cube, StoreError> {
        let org = self.org(org).await?;
        let zone = query.zone.unwrap_or(org.zone);
        let (from, to) = bounds(zone, query.range)?;
        let buckets = calendar::buckets(zone, query.interval, from, to, self.now())?;
        let source = RollupSource::choose(&org, query, zone);
        // One transaction: both rollups and all names are of one instant.
        let mut tx = self.reader().begin().await?;
        let (low, high) = source.range(zone, from, to)?;
        let usage: Vec<UsageRow> =
            sqlx::query_as(source.usage_sql()).bind(org.id.0).bind(low).bind(high).fetch_all(&mut *tx).await?;
        let calls: Vec<CallsRow> =
            sqlx::query_as(source.calls_sql()).bind(org.id.0).bind(low).bind(high).fetch_all(&mut *tx).await?;
        let names = Names::read(&mut tx, org.id, &usage, &calls).await?;
        names.cube(zone, query.interval, buckets, source, &usage, &calls)
    }
}

fn bounds(zone: Tz, range: Range) -> Result<(Timestamp, Timestamp), StoreError> {
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
enum RollupSource {
    Day(Tz),
    Quarter,
}

impl RollupSource {
    fn choose(org: &Org, query: &CubeQuery, zone: Tz) -> Self {
        let whole_days = matches!(query.range, Range::Days(..)) && query.interval != Interval::Hour;
        if whole_days && zone == org.zone { Self::Day(zone) } else { Self::Quarter }
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
            Self::Day(zone) => {
                let days = u64::try_from(bucket).map_err(|_| Refusal::TimeOutOfRange)?;
                let date = NaiveDate::default().checked_add_days(Days::new(days)).ok_or(Refusal::TimeOutOfRange)?;
                calendar::day_start(zone, date)
            }
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

/// The names behind the numbers of rollup rows, and their places in the cube's lists.
struct Names {
    meters: Vec<MeterInfo>,
    meter_at: BTreeMap<i64, u16>,
    sources: Vec<String>,
    source_at: BTreeMap<i64, u16>,
    projects: Vec<Option<Named>>,
    project_at: BTreeMap<i64, u16>,
    sets: Vec<Vec<u16>>,
    set_at: BTreeMap<i64, u16>,
}

impl Names {
    async fn read(
        tx: &mut Transaction<'_, Sqlite>,
        org: OrgId,
        usage: &[UsageRow],
        calls: &[CallsRow],
    ) -> Result<Self, StoreError> {
        let found: Vec<(i64, String, String, String, String)> = sqlx::query_as(
            "SELECT meter_id, name, title, unit, service FROM meter WHERE org_id = ?1 ORDER BY meter_id",
        )
        .bind(org.0)
        .fetch_all(&mut **tx)
        .await?;
        let mut names = Self {
            meters: Vec::new(),
            meter_at: BTreeMap::new(),
            sources: Vec::new(),
            source_at: BTreeMap::new(),
            projects: Vec::new(),
            project_at: BTreeMap::new(),
            sets: Vec::new(),
            set_at: BTreeMap::new(),
        };
        for (id, name, title, unit, service) in found {
            names.meter_at.insert(id, index(names.meters.len())?);
            names.meters.push(MeterInfo { meter: Meter::parse(&name)?, title, unit, service });
        }
        let sources = usage.iter().map(|row| row.2).chain(calls.iter().map(|row| row.2));
        for (id, value, _) in dimension(tx, org, 2, sources).await? {
            names.source_at.insert(id, index(names.sources.len())?);
            names.sources.push(value);
        }
        let projects = usage.iter().map(|row| row.3).chain(calls.iter().map(|row| row.3));
        names.project_at.insert(0, 0);
        names.projects.push(None);
        for (id, value, name) in dimension(tx, org, 3, projects).await? {
            names.project_at.insert(id, index(names.projects.len())?);
            names.projects.push(Some(Named { name: name.unwrap_or_else(|| value.clone()), id: value }));
        }
        names.read_sets(tx, org).await?;
        Ok(names)
    }

    async fn read_sets(&mut self, tx: &mut Transaction<'_, Sqlite>, org: OrgId) -> Result<(), StoreError> {
        let found: Vec<(i64, String)> =
            sqlx::query_as("SELECT set_id, members FROM meter_set WHERE org_id = ?1 ORDER BY set_id")
                .bind(org.0)
                .fetch_all(&mut **tx)
                .await?;
        for (id, text) in found {
            self.set_at.insert(id, index(self.sets.len())?);
            self.sets.push(members(&text).iter().map(|meter| at(&self.meter_at, *meter)).collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    fn cube(
        self,
        zone: Tz,
        interval: Interval,
        buckets: Vec<Bucket>,
        source: RollupSource,
        usage: &[UsageRow],
        calls: &[CallsRow],
    ) -> Result<Cube, StoreError> {
        let place = Places { buckets: &buckets, source };
        let mut sums: BTreeMap<[u16; 5], (i64, Quantity)> = BTreeMap::new();
        for (bucket, meter, origin, project, credits, quantity, micros) in usage.iter().copied() {
            let key = [
                place.of(bucket)?,
                at(&self.meter_at, meter)?,
                at(&self.source_at, origin)?,
                at(&self.project_at, project)?,
                0,
            ];
            let sum = sums.entry(key).or_default();
            sum.0 = sum.0.checked_add(credits).ok_or(Refusal::AmountOverflow)?;
            sum.1 = sum.1.plus(Quantity::from_parts(quantity, micros))?;
        }
        let mut counts: BTreeMap<[u16; 5], (i64, i64, i64)> = BTreeMap::new();
        for (bucket, set, origin, project, events, failed, bytes) in calls.iter().copied() {
            let key = [
                place.of(bucket)?,
                at(&self.set_at, set)?,
                at(&self.source_at, origin)?,
                at(&self.project_at, project)?,
                0,
            ];
            let count = counts.entry(key).or_default();
            *count = (count.0 + events, count.1 + failed, count.2 + bytes);
        }
        let cell = |(place, (micros, quantity))| Cell::at(place, micros, quantity);
        let call = |(place, (events, failed, bytes))| Calls::at(place, events, failed, bytes);
        Ok(Cube {
            zone: zone.name().to_owned(),
            interval,
            meters: self.meters,
            sources: self.sources,
            projects: self.projects,
            facet: None,
            sets: self.sets,
            cells: sums.into_iter().map(cell).collect(),
            calls: counts.into_iter().map(call).collect(),
            buckets,
        })
    }
}

/// From the buckets of a rollup to those of the cube.
struct Places<'b> {
    buckets: &'b [Bucket],
    source: RollupSource,
}

impl Places<'_> {
    fn of(&self, bucket: i64) -> Result<u16, StoreError> {
        let start = self.source.start(bucket)?;
        let after = self.buckets.partition_point(|b| b.start <= start);
        index(after.checked_sub(1).ok_or_else(|| unreadable("bucket"))?)
    }
}

/// The names of those of `ids` that are not 0, in the order of the ids.
async fn dimension(
    tx: &mut Transaction<'_, Sqlite>,
    org: OrgId,
    kind: i64,
    ids: impl Iterator<Item = i64>,
) -> Result<Vec<(i64, String, Option<String>)>, StoreError> {
    let mut ids: Vec<i64> = ids.filter(|id| *id != 0).collect();
    ids.sort_unstable();
    ids.dedup();
    let wanted = serde_json::to_string(&ids)?;
    Ok(sqlx::query_as(
        "SELECT id, value, name FROM dimension WHERE org_id = ?1 AND kind = ?2 AND id IN (SELECT value FROM json_each(?3)) ORDER BY id",
    )
    .bind(org.0)
    .bind(kind)
    .bind(wanted)
    .fetch_all(&mut **tx)
    .await?)
}

fn at(places: &BTreeMap<i64, u16>, id: i64) -> Result<u16, StoreError> {
    places.get(&id).copied().ok_or_else(|| unreadable("dimension of a rollup"))
}

fn index(position: usize) -> Result<u16, StoreError> {
    u16::try_from(position)
        .map_err(|_| StoreError::BadRange("the range has more than 65,535 sources or projects: choose a shorter one"))
}
