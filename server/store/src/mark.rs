//! How far what is made from the events has come, org by org: wide usage and traces each have a mark of their own.

use crate::error::StoreError;
use ledger::OrgId;
use rusqlite::Connection;

/// The number of an org's last event, pruned or not; 0 where there is none. Identities are all there.
pub(crate) fn newest_event(conn: &Connection, org: OrgId) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(seq), 0) FROM identity WHERE org_id = ?1";
    Ok(conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0))?)
}

/// The orgs of which at least so many events lie behind the mark in a table: `last_event`, by org. An org that is being deleted
/// waits for nothing.
pub(crate) fn waiting(conn: &Connection, table: &'static str, enough: i64) -> Result<Vec<OrgId>, StoreError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT o.org_id FROM org o LEFT JOIN {table} m ON m.org_id = o.org_id
         WHERE coalesce((SELECT max(seq) FROM identity i WHERE i.org_id = o.org_id), 0) - coalesce(m.last_event, 0) >= ?1
           AND NOT EXISTS (SELECT 1 FROM org_ending g WHERE g.org_id = o.org_id AND g.begun_at IS NOT NULL)"
    ))?;
    let found = statement.query_map([enough.max(1)], |row| row.get(0).map(OrgId))?;
    Ok(found.collect::<Result<_, _>>()?)
}
