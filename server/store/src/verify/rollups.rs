//! Rollups: every row is what the events that stand add up to, and there is no other.
//!
//! Compared by fingerprint in the pass over the events. Only a table that differs is added up again, row by row in
//! memory, to name what is wrong. Rows that say nothing (free, of no quantity) are as good as none.

use super::Problems;
use super::chain::is_possible;
use super::fingerprint::Fingerprints;
use super::names::Names;
use crate::error::StoreError;
use crate::rollup::{Days, quarter_of};
use crate::rows::unreadable;
use crate::wide::check::{FAILED, Fact, PROJECT, QUARTER, SET, SOURCE};
use chrono_tz::Tz;
use ledger::quantity::MICROS_PER_UNIT;
use ledger::settle::Charge;
use ledger::{OrgId, Quantity, Timestamp};
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};

/// Quarters of which the day is remembered, at most: what is used lies close together.
const MAX_DAYS: usize = 65_536;

/// The tables, by what their key counts. The order is that of [`Rollups::expected`].
const TABLES: [(&str, &str); 4] = [
    (
        "usage_quarter",
        "SELECT bucket, meter_id, source_id, project_id, credits, quantity, quantity_micros FROM usage_quarter WHERE org_id = ?1",
    ),
    (
        "usage_day",
        "SELECT bucket, meter_id, source_id, project_id, credits, quantity, quantity_micros FROM usage_day WHERE org_id = ?1",
    ),
    (
        "calls_quarter",
        "SELECT bucket, set_id, source_id, project_id, events, failed, bytes FROM calls_quarter WHERE org_id = ?1",
    ),
    (
        "calls_day",
        "SELECT bucket, set_id, source_id, project_id, events, failed, bytes FROM calls_day WHERE org_id = ?1",
    ),
];
const USAGE: usize = 0;
const CALLS: usize = 2;

/// Bucket, meter or set, source, project.
type Key = [i64; 4];

/// An event as the rollups count it.
pub(super) struct Counted<'e> {
    pub(super) at: Timestamp,
    pub(super) source: i64,
    pub(super) project: i64,
    pub(super) failed: bool,
    pub(super) bytes: i64,
    pub(super) charges: &'e [Charge],
    /// The numbers of the charges' meters.
    pub(super) meters: &'e [i64],
}

pub(super) struct Rollups {
    days: Days,
    prints: Fingerprints,
    expected: [u128; 4],
    /// Whether some of it is not in the events any more.
    pub(super) is_pruned: bool,
}

impl Rollups {
    pub(super) fn new(zone: Tz) -> Self {
        Self { days: Days::new(zone), prints: Fingerprints::default(), expected: [0; 4], is_pruned: false }
    }

    /// Takes up an event that stands, as a call of the set `set`.
    pub(super) fn add(&mut self, counted: &Counted<'_>, set: i64) -> Result<(), StoreError> {
        let quarter = quarter_of(counted.at);
        let day = self.days.of(quarter)?;
        self.days.keep(MAX_DAYS);
        let Counted { source, project, .. } = *counted;
        for (charge, meter) in counted.charges.iter().zip(counted.meters) {
            let values = [i128::from(charge.credits.micros()), charge.quantity.micros(), 0];
            self.count(USAGE, [quarter, *meter, source, project], day, values);
        }
        let values = [1, i128::from(counted.failed), i128::from(counted.bytes)];
        self.count(CALLS, [quarter, set, source, project], day, values);
        Ok(())
    }

    /// Takes up a row of wide usage, or takes it away with `sign` −1; `sets` are the meters of each set.
    pub(super) fn add_fact(
        &mut self,
        fact: &Fact,
        sets: &HashMap<i64, Vec<i64>>,
        sign: i128,
    ) -> Result<(), StoreError> {
        let Fact { key, events, bytes, parts } = fact;
        let meters = sets.get(&key[SET]).filter(|meters| meters.len() == parts.len());
        let meters = meters.ok_or_else(|| unreadable("set of meters"))?;
        let (quarter, source, project) = (key[QUARTER], key[SOURCE], key[PROJECT]);
        let day = self.days.of(quarter)?;
        self.days.keep(MAX_DAYS);
        for (part, meter) in parts.iter().zip(meters) {
            let values = [sign * i128::from(part.micros), sign * part.quantity, 0];
            self.count(USAGE, [quarter, *meter, source, project], day, values);
        }
        let failed = if key[FAILED] == 0 { 0 } else { *events };
        let values = [*events, failed, *bytes].map(|value| sign * i128::from(value));
        self.count(CALLS, [quarter, key[SET], source, project], day, values);
        Ok(())
    }

    fn count(&mut self, table: usize, key: Key, day: i64, values: [i128; 3]) {
        let [_, what, source, project] = key;
        for (table, key) in [(table, key), (table + 1, [day, what, source, project])] {
            let print = self.print(table, key, values);
            self.expected[table] = self.expected[table].wrapping_add(print);
        }
    }

    fn print(&self, table: usize, key: Key, values: [i128; 3]) -> u128 {
        self.prints.of(u8::try_from(table).unwrap_or(u8::MAX), key, values)
    }

    pub(super) fn finish(
        mut self,
        conn: &Connection,
        org: OrgId,
        names: &Names,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        for (table, (name, sql)) in TABLES.into_iter().enumerate() {
            let mut found = 0_u128;
            each(conn, org, table, sql, |key, values| found = found.wrapping_add(self.print(table, key, values)))?;
            if found != self.expected[table] {
                let problem = self.difference(conn, org, names, table, sql)?;
                problems.say(format!("{name}: {problem}"));
            }
        }
        Ok(())
    }

    /// What a table that differs has wrong, by its first row that does.
    fn difference(
        &mut self,
        conn: &Connection,
        org: OrgId,
        names: &Names,
        table: usize,
        sql: &str,
    ) -> Result<String, StoreError> {
        if self.is_pruned {
            return Ok("it is not what wide usage and the events add up to".to_owned());
        }
        let mut rows: BTreeMap<Key, [i128; 3]> = BTreeMap::new();
        each(conn, org, table, sql, |key, values| add(&mut rows, key, values, -1))?;
        let mut statement = conn.prepare(
            "SELECT e.seq, e.occurred_at, e.source_id, e.project_id, e.failed, e.bytes, c.meter_id, c.credits, c.quantity, c.quantity_micros
             FROM event e JOIN charge c ON c.org_id = e.org_id AND c.seq = e.seq
             WHERE e.org_id = ?1 AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.org_id = e.org_id AND v.event_seq = e.seq)
             ORDER BY e.seq, c.meter_id",
        )?;
        let mut found = statement.query([org.0])?;
        let mut call: Option<(i64, Key, [i128; 3], Vec<i64>)> = None;
        let end_call = |call: Option<(i64, Key, [i128; 3], Vec<i64>)>, rows: &mut BTreeMap<_, _>| {
            if let Some((_, [bucket, _, source, project], values, mut members)) = call
                && table >= CALLS
            {
                add(rows, [bucket, names.set(&mut members).unwrap_or(0), source, project], values, 1);
            }
        };
        while let Some(row) = found.next()? {
            let (seq, at) = (row.get::<_, i64>(0)?, Timestamp::from_micros(row.get(1)?));
            if !is_possible(at) {
                return Ok("it is not what the events add up to, of which one has an impossible time".to_owned());
            }
            let quarter = quarter_of(at);
            let bucket = if table.is_multiple_of(2) { quarter } else { self.days.of(quarter)? };
            let (source, project, meter) = (row.get(2)?, row.get(3)?, row.get(6)?);
            if table < CALLS {
                let quantity = Quantity::from_parts(row.get(8)?, row.get(9)?).micros();
                add(&mut rows, [bucket, meter, source, project], [i128::from(row.get::<_, i64>(7)?), quantity, 0], 1);
                continue;
            }
            if call.as_ref().is_none_or(|(of, ..)| *of != seq) {
                let values = [1, i128::from(row.get::<_, i64>(4)?), i128::from(row.get::<_, i64>(5)?)];
                end_call(call.take(), &mut rows);
                call = Some((seq, [bucket, 0, source, project], values, Vec::new()));
            }
            if let Some((.., members)) = &mut call {
                members.push(meter);
            }
        }
        end_call(call, &mut rows);
        let mut differing = rows.into_iter().filter(|(_, values)| *values != [0; 3]);
        let Some(([bucket, what, source, project], _)) = differing.next() else {
            return Ok("it is not what the events add up to".to_owned());
        };
        let more = differing.count();
        let what = if table < CALLS { format!("meter number {what}") } else { format!("set number {what}") };
        let more = if more == 0 { String::new() } else { format!(", nor are {more} more") };
        Ok(format!(
            "the row of bucket {bucket}, {what}, source number {source} and project number {project} is not what the events add up to{more}"
        ))
    }
}

fn add(rows: &mut BTreeMap<Key, [i128; 3]>, key: Key, values: [i128; 3], sign: i128) {
    for (sum, value) in rows.entry(key).or_default().iter_mut().zip(values) {
        *sum = sum.saturating_add(value.saturating_mul(sign));
    }
}

/// Every row of a table, by key and values.
fn each(
    conn: &Connection,
    org: OrgId,
    table: usize,
    sql: &str,
    mut tell: impl FnMut(Key, [i128; 3]),
) -> Result<(), StoreError> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([org.0])?;
    while let Some(row) = rows.next()? {
        let key = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
        let (a, b, c): (i64, i64, i64) = (row.get(4)?, row.get(5)?, row.get(6)?);
        let values = if table < CALLS {
            // The last is 0 where the micro-units are below one unit, as they are written.
            [i128::from(a), Quantity::from_parts(b, c).micros(), i128::from(c).div_euclid(MICROS_PER_UNIT)]
        } else {
            [i128::from(a), i128::from(b), i128::from(c)]
        };
        tell(key, values);
    }
    Ok(())
}
