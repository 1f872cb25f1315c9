//! Rollups: what a commit adds to the sums that every chart is drawn from.
//!
//! Deltas are added up in memory per quarter of an hour and written once per commit, first to the quarters, then to the
//! days of the org's zone. Every zone's offset since 2000 is a multiple of 15 minutes, so a quarter lies within one day.
//! That the columns cannot overflow is seen to before, by the sums over all time.

use crate::calendar;
use crate::error::StoreError;
use chrono_tz::Tz;
use ledger::{Credits, OrgId, Quantity, Refusal, Timestamp};
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

/// Microseconds in a quarter of an hour.
pub(crate) const QUARTER_US: i64 = 900_000_000;

/// Bucket and dimensions of a rollup row: bucket, meter or set of meters, source, project.
type Key = (i64, i64, i64, i64);

#[derive(Debug, Clone, Copy, Default)]
struct Usage {
    micros: i128,
    quantity: i128,
}

#[derive(Debug, Clone, Copy, Default)]
struct Calls {
    events: i64,
    failed: i64,
    bytes: i64,
}

/// What is to be added to an org's rollups.
#[derive(Debug, Default)]
pub(crate) struct Deltas {
    usage: FxHashMap<Key, Usage>,
    calls: FxHashMap<Key, Calls>,
}

/// The quarter in which an instant lies.
pub(crate) const fn quarter_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(QUARTER_US)
}

impl Deltas {
    pub(crate) fn add_usage(
        &mut self,
        quarter: i64,
        meter: i64,
        source: i64,
        project: i64,
        credits: Credits,
        quantity: Quantity,
    ) {
        let usage = self.usage.entry((quarter, meter, source, project)).or_default();
        usage.micros += i128::from(credits.micros());
        usage.quantity += quantity.micros();
    }

    pub(crate) fn add_call(&mut self, quarter: i64, set: i64, source: i64, project: i64, failed: bool, bytes: i64) {
        let calls = self.calls.entry((quarter, set, source, project)).or_default();
        calls.events += 1;
        calls.failed += i64::from(failed);
        calls.bytes += bytes;
    }

    /// Takes one call back.
    pub(crate) fn take_call(&mut self, quarter: i64, set: i64, source: i64, project: i64, failed: bool, bytes: i64) {
        let calls = self.calls.entry((quarter, set, source, project)).or_default();
        calls.events -= 1;
        calls.failed -= i64::from(failed);
        calls.bytes -= bytes;
    }

    /// Writes all deltas and forgets them.
    pub(crate) fn write(&mut self, conn: &Connection, org: OrgId, zone: Tz) -> Result<(), StoreError> {
        let mut days = Days::new(zone);
        let mut usage_days: FxHashMap<Key, Usage> = FxHashMap::default();
        let usage: Vec<(Key, Usage)> = self.usage.drain().collect();
        for ((quarter, meter, source, project), delta) in &usage {
            let day = usage_days.entry((days.of(*quarter)?, *meter, *source, *project)).or_default();
            day.micros += delta.micros;
            day.quantity += delta.quantity;
        }
        write_usage(conn, org, UPSERT_USAGE_QUARTER, usage)?;
        write_usage(conn, org, UPSERT_USAGE_DAY, usage_days.into_iter().collect())?;

        let mut calls_days: FxHashMap<Key, Calls> = FxHashMap::default();
        let calls: Vec<(Key, Calls)> = self.calls.drain().collect();
        for ((quarter, set, source, project), delta) in &calls {
            let day = calls_days.entry((days.of(*quarter)?, *set, *source, *project)).or_default();
            day.events += delta.events;
            day.failed += delta.failed;
            day.bytes += delta.bytes;
        }
        write_calls(conn, org, UPSERT_CALLS_QUARTER, calls)?;
        write_calls(conn, org, UPSERT_CALLS_DAY, calls_days.into_iter().collect())
    }
}

/// Days of quarters, each computed once per commit.
pub(crate) struct Days {
    zone: Tz,
    known: FxHashMap<i64, i64>,
}

impl Days {
    pub(crate) fn new(zone: Tz) -> Self {
        Self { zone, known: FxHashMap::default() }
    }

    /// Forgets all once more than `max` are known.
    pub(crate) fn keep(&mut self, max: usize) {
        if self.known.len() > max {
            self.known.clear();
        }
    }

    pub(crate) fn of(&mut self, quarter: i64) -> Result<i64, StoreError> {
        if let Some(day) = self.known.get(&quarter) {
            return Ok(*day);
        }
        let start = quarter.checked_mul(QUARTER_US).ok_or(Refusal::TimeOutOfRange)?;
        let day = calendar::day_number(self.zone, Timestamp::from_micros(start))?;
        self.known.insert(quarter, day);
        Ok(day)
    }
}

const UPSERT_USAGE_QUARTER: &str =
    "INSERT INTO usage_quarter (org_id, bucket, meter_id, source_id, project_id, credits, quantity, quantity_micros)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET credits = credits + excluded.credits,
     quantity = quantity + excluded.quantity + (quantity_micros + excluded.quantity_micros) / 1000000,
     quantity_micros = (quantity_micros + excluded.quantity_micros) % 1000000";
const UPSERT_USAGE_DAY: &str =
    "INSERT INTO usage_day (org_id, bucket, meter_id, source_id, project_id, credits, quantity, quantity_micros)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET credits = credits + excluded.credits,
     quantity = quantity + excluded.quantity + (quantity_micros + excluded.quantity_micros) / 1000000,
     quantity_micros = (quantity_micros + excluded.quantity_micros) % 1000000";
const UPSERT_CALLS_QUARTER: &str =
    "INSERT INTO calls_quarter (org_id, bucket, set_id, source_id, project_id, events, failed, bytes)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET events = events + excluded.events,
     failed = failed + excluded.failed, bytes = bytes + excluded.bytes";
const UPSERT_CALLS_DAY: &str =
    "INSERT INTO calls_day (org_id, bucket, set_id, source_id, project_id, events, failed, bytes)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET events = events + excluded.events,
     failed = failed + excluded.failed, bytes = bytes + excluded.bytes";

fn write_usage(conn: &Connection, org: OrgId, upsert: &str, mut rows: Vec<(Key, Usage)>) -> Result<(), StoreError> {
    rows.sort_unstable_by_key(|(key, _)| *key);
    let mut statement = conn.prepare_cached(upsert)?;
    for ((bucket, meter, source, project), usage) in rows {
        let credits = Credits::from_wide(usage.micros)?;
        let (whole, micros) = Quantity::from_micros(usage.quantity).parts()?;
        statement.execute(params![org.0, bucket, meter, source, project, credits.micros(), whole, micros])?;
    }
    Ok(())
}

fn write_calls(conn: &Connection, org: OrgId, upsert: &str, mut rows: Vec<(Key, Calls)>) -> Result<(), StoreError> {
    rows.sort_unstable_by_key(|(key, _)| *key);
    let mut statement = conn.prepare_cached(upsert)?;
    for ((bucket, set, source, project), calls) in rows {
        statement.execute(params![org.0, bucket, set, source, project, calls.events, calls.failed, calls.bytes])?;
    }
    Ok(())
}

/// Rows of which nothing is left once something was taken back are as if they had never been.
pub(crate) fn drop_empty(conn: &Connection, org: OrgId, zone: Tz, quarter: i64) -> Result<(), StoreError> {
    let day = Days::new(zone).of(quarter)?;
    let nothing_used = "credits = 0 AND quantity = 0 AND quantity_micros = 0";
    let tables = [
        ("usage_quarter", quarter, nothing_used),
        ("usage_day", day, nothing_used),
        ("calls_quarter", quarter, "events = 0"),
        ("calls_day", day, "events = 0"),
    ];
    for (table, bucket, nothing) in tables {
        let sql = format!("DELETE FROM {table} WHERE org_id = ?1 AND bucket = ?2 AND {nothing}");
        conn.prepare_cached(&sql)?.execute([org.0, bucket])?;
    }
    Ok(())
}
