//! The rows of events that are pruned already, some a transaction.

use super::pruned_to;
use crate::Store;
use crate::dimension::Kind;
use crate::error::StoreError;
use ledger::OrgId;
use rusqlite::{Connection, OptionalExtension, params};

/// Events whose rows go in one transaction: some five rows each, which keeps the writer for some milliseconds.
const STEP: i64 = 512;

impl Store {
    /// Deletes the next rows of an org; tells of how many events.
    pub(super) async fn sweep_some(&self, org: OrgId) -> Result<u64, StoreError> {
        self.writer().call(0, move |tx| sweep(tx.conn, org)).await
    }
}

fn sweep(conn: &Connection, org: OrgId) -> Result<u64, StoreError> {
    let last = pruned_to(conn, org)?;
    let sql = "SELECT swept_event FROM pruning WHERE org_id = ?1";
    let swept: Option<i64> = conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0)).optional()?;
    let Some(swept) = swept.filter(|swept| *swept < last) else { return Ok(0) };
    let next = last.min(swept + STEP);
    sweep_traces(conn, org, (swept, next))?;
    for sql in [
        "DELETE FROM charge_tier WHERE org_id = ?1 AND seq > ?2 AND seq <= ?3",
        "DELETE FROM charge WHERE org_id = ?1 AND seq > ?2 AND seq <= ?3",
        "DELETE FROM event WHERE org_id = ?1 AND seq > ?2 AND seq <= ?3",
    ] {
        conn.prepare_cached(sql)?.execute(params![org.0, swept, next])?;
    }
    conn.prepare_cached("UPDATE pruning SET swept_event = ?2 WHERE org_id = ?1")?.execute([org.0, next])?;
    Ok(u64::try_from(next - swept).unwrap_or_default())
}

fn sweep_traces(conn: &Connection, org: OrgId, (after, last): (i64, i64)) -> Result<(), StoreError> {
    let mut events = conn.prepare_cached(
        "SELECT seq, occurred_at, run_id, interaction_id FROM event WHERE org_id = ?1 AND seq > ?2 AND seq <= ?3",
    )?;
    let mut gone = conn.prepare_cached(
        "DELETE FROM trace_event WHERE org_id = ?1 AND kind = ?2 AND id = ?3 AND at = ?4 AND seq = ?5",
    )?;
    let mut rows = events.query(params![org.0, after, last])?;
    while let Some(row) = rows.next()? {
        let (seq, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        for (kind, column) in [(Kind::Run, 2), (Kind::Interaction, 3)] {
            let id: i64 = row.get(column)?;
            if id != 0 {
                gone.execute(params![org.0, kind as i64, id, at, seq])?;
            }
        }
    }
    Ok(())
}
