//! What `verify` needs of retention: to read a base, and to make again what of it still can be.

pub(crate) use super::base::{LaterVoid, each_identity, fact_print};

use super::base::{each_name, name_print};
use super::seal::use_print;
use super::{Base, Print};
use crate::error::StoreError;
use crate::trace::pruned;
use ledger::OrgId;
use ledger::canon::Hash;
use rusqlite::{Connection, OptionalExtension};

/// A base as its row has it.
pub(crate) struct Row {
    pub(crate) base: Base,
    /// Up to which event the rows are gone.
    pub(crate) swept: i64,
    /// Whether the row is as it was written.
    pub(crate) is_whole: bool,
}

/// The row of an org; `None` where nothing was pruned.
pub(crate) fn row(conn: &Connection, org: OrgId) -> Result<Option<Row>, StoreError> {
    let sql = "SELECT base, digest, swept_event, last_event, last_entry, until_at FROM pruning WHERE org_id = ?1";
    let found = conn.prepare_cached(sql)?.query_row([org.0], |row| {
        let columns: [i64; 3] = [row.get(3)?, row.get(4)?, row.get(5)?];
        Ok((row.get::<_, String>(0)?, row.get::<_, Hash>(1)?, row.get(2)?, columns))
    });
    let Some((json, digest, swept, columns)) = found.optional()? else { return Ok(None) };
    let base: Base = serde_json::from_str(&json)?;
    let is_whole = columns == [base.last_event, base.last_entry, base.until_at]
        && (0..=base.last_event).contains(&swept)
        && base.digest(conn, org, &json)? == digest;
    Ok(Some(Row { base, swept, is_whole }))
}

/// What the names that a base knows count now.
pub(crate) fn names(conn: &Connection, org: OrgId, base: &Base) -> Result<Print, StoreError> {
    let mut print = Print::default();
    each_name(conn, org, &base.names, true, |kind, id, text| print.add(name_print(kind, id, text)))?;
    Ok(print)
}

/// What the rows of `trace_pruned` count now.
pub(crate) fn traces(conn: &Connection, org: OrgId) -> Result<Print, StoreError> {
    let mut print = Print::default();
    pruned::each(conn, org, |key, row| print.add(row.print(key, 1)))?;
    Ok(print)
}

/// What the meters count now that pruned events of workflows used.
pub(crate) fn uses(conn: &Connection, org: OrgId) -> Result<Print, StoreError> {
    let mut print = Print::default();
    let mut statement =
        conn.prepare("SELECT workflow_id, meter_id, pruned FROM workflow_meter WHERE org_id = ?1 AND pruned <> 0")?;
    let mut rows = statement.query([org.0])?;
    while let Some(row) = rows.next()? {
        print.add(use_print((row.get(0)?, row.get(1)?), row.get(2)?));
    }
    Ok(print)
}

/// The first table that still has a row of an event up to the last one that was swept.
pub(crate) fn left_over(conn: &Connection, org: OrgId, swept: i64) -> Result<Option<&'static str>, StoreError> {
    let tables = [
        ("event", "SELECT 1 FROM event WHERE org_id = ?1 AND seq <= ?2 LIMIT 1"),
        ("charge", "SELECT 1 FROM charge WHERE org_id = ?1 AND seq <= ?2 LIMIT 1"),
        ("charge_tier", "SELECT 1 FROM charge_tier WHERE org_id = ?1 AND seq <= ?2 LIMIT 1"),
        ("trace_event", "SELECT 1 FROM trace_event WHERE org_id = ?1 AND seq <= ?2 LIMIT 1"),
    ];
    for (table, sql) in tables {
        if conn.prepare(sql)?.exists([org.0, swept])? {
            return Ok(Some(table));
        }
    }
    Ok(None)
}
