//! Making traces: the job's half reads and adds up, the writer's half puts down.

use super::made;
use super::sums::{self, ByTrace, Fact, Key, Sums};
use crate::Store;
use crate::error::StoreError;
use crate::mark::waiting;
use crate::wide::changes;
use ledger::{EventSeq, OrgId};
use rusqlite::{Connection, params};
use rustc_hash::FxHashSet;

/// Events that one step looks at, at most.
const STEP: i64 = 32_768;
/// Rows that one step adds to `trace_event`, at most: what the writer is kept for.
const ROWS: usize = 1_024;

/// What one step puts down, with what it was made from: if that has changed since, it is made again.
struct Made {
    org: OrgId,
    after: i64,
    last: i64,
    changes: (i64, i64),
    beside: i64,
    traces: Vec<(Key, Sums)>,
    events: Vec<(Key, i64, i64)>,
    uses: Vec<Key>,
}

impl Store {
    /// Takes up events that are in no trace yet, of every org of which at least so many wait, a step each. Tells how many.
    pub(crate) async fn trace_from(&self, enough: i64) -> Result<u64, StoreError> {
        let waiting = self.read(move |conn| waiting(conn, "trace_org", enough)).await?;
        let mut events = 0;
        for org in waiting {
            let made = self.read(move |conn| make(conn, org)).await?;
            let count = u64::try_from(made.last - made.after).unwrap_or_default();
            let put = self.writer().call(0, move |tx| put(tx.conn, &made)).await?;
            events += if put { count } else { 0 };
        }
        Ok(events)
    }
}

fn make(conn: &Connection, org: OrgId) -> Result<Made, StoreError> {
    let (after, mut beside) = made(conn, org)?;
    let (mut last, mut events, mut by_trace) = (after, Vec::new(), ByTrace::default());
    sums::each(conn, org, (after, after + STEP), |fact| {
        last = fact.seq;
        beside += i64::from(fact.keys().next().is_none());
        if fact.stands {
            events.extend(fact.keys().map(|key| (key, fact.at, fact.seq)));
            by_trace.add(&fact)?;
        }
        Ok(events.len() < ROWS)
    })?;
    // In the order of the table: neighbours lie on one page.
    events.sort_unstable();
    let mut traces = Vec::with_capacity(by_trace.0.len());
    for (key, adding) in by_trace.0 {
        let sums = match Sums::find(conn, org, key)? {
            Some(there) => adding.onto(conn, org, key, &there)?,
            None => adding.sums(),
        };
        traces.push((key, sums));
    }
    let known = known_uses(conn, org)?;
    let uses = sums::uses(conn, org, (after, last))?.difference(&known).copied().collect();
    Ok(Made { org, after, last, changes: changes(conn, org)?, beside, traces, events, uses })
}

fn known_uses(conn: &Connection, org: OrgId) -> Result<FxHashSet<Key>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT workflow_id, meter_id FROM workflow_meter WHERE org_id = ?1")?;
    let found = statement.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Puts traces down, unless events were taken back, interactions mapped or traces made since they were made.
fn put(conn: &Connection, made: &Made) -> Result<bool, StoreError> {
    let org = made.org;
    if super::made(conn, org)?.0 != made.after || changes(conn, org)? != made.changes {
        return Ok(false);
    }
    for (key, sums) in &made.traces {
        put_trace(conn, org, *key, sums)?;
    }
    let mut insert =
        conn.prepare_cached("INSERT INTO trace_event (org_id, kind, id, at, seq) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for ((kind, id), at, seq) in &made.events {
        insert.execute(params![org.0, kind, id, at, seq])?;
    }
    let mut insert =
        conn.prepare_cached("INSERT INTO workflow_meter (org_id, workflow_id, meter_id) VALUES (?1, ?2, ?3)")?;
    for (workflow, meter) in &made.uses {
        insert.execute(params![org.0, workflow, meter])?;
    }
    conn.prepare_cached(
        "INSERT INTO trace_org (org_id, last_event, beside) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET last_event = excluded.last_event, beside = excluded.beside",
    )?
    .execute([org.0, made.last, made.beside])?;
    Ok(true)
}

fn put_trace(conn: &Connection, org: OrgId, (kind, id): Key, sums: &Sums) -> Result<(), StoreError> {
    let Sums { first_at, last_at, events, failed, bytes, micros, workflow, project, one_project, user, tenant } = sums;
    conn.prepare_cached(
        "INSERT INTO trace (org_id, kind, id, first_at, last_at, events, failed, bytes, credits, workflow_id, project_id, one_project,
            user_id, tenant_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT DO UPDATE SET first_at = excluded.first_at, last_at = excluded.last_at, events = excluded.events,
            failed = excluded.failed, bytes = excluded.bytes, credits = excluded.credits, workflow_id = excluded.workflow_id,
            project_id = excluded.project_id, one_project = excluded.one_project,
            user_id = excluded.user_id, tenant_id = excluded.tenant_id",
    )?
    .execute(params![org.0, kind, id, first_at, last_at, events, failed, bytes, micros, workflow, project, one_project, user, tenant])?;
    Ok(())
}

/// Takes an event out of its traces, if it is in there; called before it is marked as voided.
pub(crate) fn take_back(conn: &Connection, org: OrgId, event: EventSeq) -> Result<(), StoreError> {
    if event.0 > made(conn, org)?.0 {
        return Ok(());
    }
    let mut found: Option<Fact> = None;
    sums::each(conn, org, (event.0 - 1, event.0), |fact| {
        found = Some(fact);
        Ok(false)
    })?;
    let Some(fact) = found.filter(|fact| fact.stands) else { return Ok(()) };
    for key in fact.keys() {
        let sql = "DELETE FROM trace_event WHERE org_id = ?1 AND kind = ?2 AND id = ?3 AND at = ?4 AND seq = ?5";
        conn.prepare_cached(sql)?.execute(params![org.0, key.0, key.1, fact.at, fact.seq])?;
        let Some(there) = Sums::find(conn, org, key)? else { continue };
        match sums::without(conn, org, key, &there, &fact)? {
            Some(left) => put_trace(conn, org, key, &left)?,
            None => {
                let sql = "DELETE FROM trace WHERE org_id = ?1 AND kind = ?2 AND id = ?3";
                conn.prepare_cached(sql)?.execute(params![org.0, key.0, key.1])?;
            }
        }
    }
    Ok(())
}
