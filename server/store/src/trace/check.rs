//! What `verify` needs of traces: to make them again.

pub(crate) use super::made;
pub(crate) use super::sums::{each, uses};

use super::pruned::Pruned;
use super::sums::{Key, Sums};
use crate::error::StoreError;
use crate::retention::pruned_to;
use ledger::OrgId;
use rusqlite::{Connection, params};
use rustc_hash::FxHashSet;

/// Calls `take` with the key of each trace whose row is not what its own rows of `trace_event` add up to.
///
/// The rows are gone through together, in the order of their keys: memory is one trace.
pub(crate) fn each_wrong(conn: &Connection, org: OrgId, mut take: impl FnMut(Key)) -> Result<(), StoreError> {
    let sql = format!("SELECT kind, id, {} FROM trace WHERE org_id = ?1 ORDER BY kind, id", Sums::COLUMNS);
    let mut traces = conn.prepare_cached(&sql)?;
    let mut traces = traces.query([org.0])?;
    let mut next = traces.next()?.map(row_of).transpose()?;
    let mut made = Made::new(conn, org)?;
    while let Some((key, sums)) = made.next()? {
        while let Some((there, _)) = next
            && there < key
        {
            take(there);
            next = traces.next()?.map(row_of).transpose()?;
        }
        match next {
            Some((there, kept)) if there == key => {
                if kept != sums {
                    take(key);
                }
                next = traces.next()?.map(row_of).transpose()?;
            }
            _ => take(key),
        }
    }
    while let Some((there, _)) = next {
        take(there);
        next = traces.next()?.map(row_of).transpose()?;
    }
    Ok(())
}

fn row_of(row: &rusqlite::Row<'_>) -> Result<(Key, Sums), StoreError> {
    Ok(((row.get(0)?, row.get(1)?), Sums::read(row, 2)?))
}

/// Traces as the events in `trace_event` add up, some hundred keys at a time.
struct Made<'c> {
    conn: &'c Connection,
    org: OrgId,
    keys: std::vec::IntoIter<Key>,
    last: Key,
}

/// Keys read at once.
const KEYS: i64 = 1_000;

impl<'c> Made<'c> {
    fn new(conn: &'c Connection, org: OrgId) -> Result<Self, StoreError> {
        Ok(Self { conn, org, keys: Vec::new().into_iter(), last: (i64::MIN, i64::MIN) })
    }

    fn next(&mut self) -> Result<Option<(Key, Sums)>, StoreError> {
        if self.keys.len() == 0 {
            let sql = "SELECT kind, id FROM (SELECT DISTINCT kind, id FROM trace_event WHERE org_id = ?1 AND (kind, id) > (?2, ?3)
                           ORDER BY kind, id LIMIT ?4)
                       UNION SELECT kind, id FROM (SELECT kind, id FROM trace_pruned WHERE org_id = ?1 AND (kind, id) > (?2, ?3)
                           ORDER BY kind, id LIMIT ?4)
                       ORDER BY kind, id LIMIT ?4";
            let mut statement = self.conn.prepare_cached(sql)?;
            let found = statement
                .query_map(params![self.org.0, self.last.0, self.last.1, KEYS], |row| Ok((row.get(0)?, row.get(1)?)))?;
            self.keys = found.collect::<Result<Vec<_>, _>>()?.into_iter();
        }
        let Some(key) = self.keys.next() else { return Ok(None) };
        self.last = key;
        Ok(Some((key, again(self.conn, self.org, key)?)))
    }
}

/// What a trace adds up to, by a way of its own: sums of the database over its events.
fn again(conn: &Connection, org: OrgId, (kind, id): Key) -> Result<Sums, StoreError> {
    if let Some(pruned) = Pruned::find(conn, org, (kind, id))? {
        return with_pruned(conn, org, (kind, id), pruned);
    }
    let sql = "SELECT min(e.occurred_at), max(e.occurred_at), count(*), sum(e.failed), sum(e.bytes),
            sum((SELECT coalesce(sum(c.credits), 0) FROM charge c WHERE c.org_id = e.org_id AND c.seq = e.seq)),
            coalesce((SELECT f.workflow_id FROM trace_event u JOIN event f ON f.org_id = u.org_id AND f.seq = u.seq
                WHERE u.org_id = ?1 AND u.kind = ?2 AND u.id = ?3 AND f.workflow_id <> 0 ORDER BY u.at, u.seq LIMIT 1), 0),
            coalesce((SELECT f.project_id FROM trace_event u JOIN event f ON f.org_id = u.org_id AND f.seq = u.seq
                WHERE u.org_id = ?1 AND u.kind = ?2 AND u.id = ?3 AND f.project_id <> 0 ORDER BY u.at, u.seq LIMIT 1), 0),
            min(e.project_id) = max(e.project_id),
            coalesce((SELECT f.user_id FROM trace_event u JOIN owned_event f ON f.org_id = u.org_id AND f.seq = u.seq
                WHERE ?2 = 9 AND u.org_id = ?1 AND u.kind = ?2 AND u.id = ?3 AND f.user_id <> 0 ORDER BY u.at, u.seq LIMIT 1), 0),
            coalesce((SELECT f.tenant_id FROM trace_event u JOIN owned_event f ON f.org_id = u.org_id AND f.seq = u.seq
                WHERE ?2 = 9 AND u.org_id = ?1 AND u.kind = ?2 AND u.id = ?3 AND f.tenant_id <> 0 ORDER BY u.at, u.seq LIMIT 1), 0)
        FROM trace_event t JOIN event e ON e.org_id = t.org_id AND e.seq = t.seq WHERE t.org_id = ?1 AND t.kind = ?2 AND t.id = ?3";
    Ok(conn.prepare_cached(sql)?.query_row(params![org.0, kind, id], |row| Sums::read(row, 0))?)
}

/// What it adds up to beside its pruned events.
fn with_pruned(conn: &Connection, org: OrgId, (kind, id): Key, mut sums: Pruned) -> Result<Sums, StoreError> {
    let sql = "SELECT seq FROM trace_event WHERE org_id = ?1 AND kind = ?2 AND id = ?3 AND seq > ?4 ORDER BY at, seq";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![org.0, kind, id, pruned_to(conn, org)?])?;
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        each(conn, org, (seq - 1, seq), |fact| sums.add(&fact, kind).map(|()| false))?;
    }
    Ok(sums.sums())
}

/// Calls `take` with each row of `trace_event`.
pub(crate) fn each_event(conn: &Connection, org: OrgId, mut take: impl FnMut([i64; 4])) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached("SELECT kind, id, at, seq FROM trace_event WHERE org_id = ?1")?;
    let mut rows = statement.query([org.0])?;
    while let Some(row) = rows.next()? {
        take([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
    }
    Ok(())
}

/// Those that pruned events say.
pub(crate) fn pruned_uses(conn: &Connection, org: OrgId) -> Result<FxHashSet<Key>, StoreError> {
    let sql = "SELECT workflow_id, meter_id FROM workflow_meter WHERE org_id = ?1 AND pruned <> 0";
    let mut statement = conn.prepare_cached(sql)?;
    let found = statement.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Workflows and their meters, as they are kept.
pub(crate) fn kept_uses(conn: &Connection, org: OrgId) -> Result<FxHashSet<Key>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT workflow_id, meter_id FROM workflow_meter WHERE org_id = ?1")?;
    let found = statement.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}
