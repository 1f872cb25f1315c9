//! What SQLite knows of its file, and what belongs to no org.

use super::{MAX_PROBLEMS, Problems, finding};
use crate::error::StoreError;
use ledger::OrgId;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Tables whose rows belong to an org and hold what is checked.
const TABLES: [&str; 25] = [
    "account",
    "calls_day",
    "calls_quarter",
    "carry",
    "charge",
    "credit_grant",
    "dimension",
    "entry",
    "event",
    "hold",
    "hold_part",
    "idempotency",
    "identity",
    "identity_index",
    "meter",
    "meter_set",
    "meter_total",
    "org",
    "org_policy",
    "org_total",
    "posting",
    "rate_card",
    "usage_day",
    "usage_quarter",
    "voided",
];

/// How many events there should be: for progress only, so whatever the rows say is good enough.
pub(super) fn events(conn: &Connection) -> Result<u64, StoreError> {
    let mut statement = conn.prepare("SELECT events FROM org_total")?;
    let mut rows = statement.query([])?;
    let mut sum = 0_u64;
    while let Some(row) = rows.next()? {
        sum = sum.saturating_add(u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0));
    }
    Ok(sum)
}

/// The directory's orgs, but for those whose deletion has begun: they are not whole any more.
pub(super) fn orgs(conn: &Connection) -> Result<Vec<OrgId>, StoreError> {
    listed(
        conn,
        "SELECT org_id FROM org WHERE org_id NOT IN (SELECT org_id FROM org_ending WHERE begun_at IS NOT NULL)
        ORDER BY org_id",
    )
}

fn listed(conn: &Connection, sql: &str) -> Result<Vec<OrgId>, StoreError> {
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0).map(OrgId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn check(conn: &Connection, problems: &mut Problems) -> Result<(), StoreError> {
    let checks = [strangers(conn, problems), references(conn, problems), integrity(conn, problems)];
    for result in checks {
        if let Err(error) = result {
            let reason = finding(error)?;
            problems.say(format!("the file cannot be read: {reason}"));
        }
    }
    Ok(())
}

/// Rows of orgs that the directory does not have. A look-up per org and table.
fn strangers(conn: &Connection, problems: &mut Problems) -> Result<(), StoreError> {
    let known: Vec<i64> =
        listed(conn, "SELECT org_id FROM org ORDER BY org_id")?.into_iter().map(|org| org.0).collect();
    for table in TABLES {
        let mut next = conn.prepare(&format!("SELECT min(org_id) FROM {table} WHERE org_id >= ?1"))?;
        let mut from = Some(i64::MIN);
        while let Some(low) = from {
            let Some(found) = next.query_row([low], |row| row.get::<_, Option<i64>>(0))? else { break };
            if known.binary_search(&found).is_err() {
                problems.say(format!("{table} has rows of {}, which does not exist", OrgId(found)));
            }
            from = found.checked_add(1);
        }
    }
    Ok(())
}

/// References between rows that the schema knows.
fn references(conn: &Connection, problems: &mut Problems) -> Result<(), StoreError> {
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut dangling: BTreeMap<(String, String), u64> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        *dangling.entry((row.get(0)?, row.get(2)?)).or_default() += 1;
    }
    for ((table, parent), count) in dangling {
        problems.say(format!("{count} rows of {table} refer to rows of {parent} that there are not"));
    }
    Ok(())
}

/// Types, NOT NULLs, indexes, and the pages themselves. (CHECKs too, but SQLite forgets those on connections that only
/// read: nothing may rely on it.)
pub(super) fn integrity(conn: &Connection, problems: &mut Problems) -> Result<(), StoreError> {
    let mut statement = conn.prepare(&format!("PRAGMA integrity_check({MAX_PROBLEMS})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let said: String = row.get(0)?;
        if said != "ok" {
            // A problem is one line, wherever it is told.
            problems.say(format!("the file: {}", said.replace('\n', ": ")));
        }
    }
    Ok(())
}
