//! Migrations: forward only, each in one transaction, known by number.

use crate::error::{OpenError, StoreError};
use crate::wide::make_levels;
use rusqlite::Connection;
use std::path::Path;

/// Marks a file as ours in SQLite's header ("Scrp").
const APPLICATION_ID: i64 = 0x5363_7270;

/// Number and text of every migration, oldest first.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../../../migrations/sqlite/0001_foundation.sql")),
    (2, include_str!("../../../migrations/sqlite/0002_ledger.sql")),
    (3, include_str!("../../../migrations/sqlite/0003_rating.sql")),
    (4, include_str!("../../../migrations/sqlite/0004_audit_and_keys.sql")),
    (5, include_str!("../../../migrations/sqlite/0005_people.sql")),
    (6, include_str!("../../../migrations/sqlite/0006_tiers_and_voids.sql")),
    (7, include_str!("../../../migrations/sqlite/0007_settings.sql")),
    (8, include_str!("../../../migrations/sqlite/0008_passkeys.sql")),
    (9, include_str!("../../../migrations/sqlite/0009_operation.sql")),
    (10, include_str!("../../../migrations/sqlite/0010_overview.sql")),
    (11, include_str!("../../../migrations/sqlite/0011_saved_views.sql")),
    (12, include_str!("../../../migrations/sqlite/0012_wide_usage.sql")),
    (13, include_str!("../../../migrations/sqlite/0013_traces.sql")),
    (14, include_str!("../../../migrations/sqlite/0014_interaction_owner.sql")),
    (16, include_str!("../../../migrations/sqlite/0016_wide_quarters.sql")),
    (17, include_str!("../../../migrations/sqlite/0017_billing.sql")),
    (18, include_str!("../../../migrations/sqlite/0018_retention.sql")),
    (19, include_str!("../../../migrations/sqlite/0019_payments.sql")),
    (20, include_str!("../../../migrations/sqlite/0020_subscriptions.sql")),
    (21, include_str!("../../../migrations/sqlite/0021_invoices.sql")),
    (22, include_str!("../../../migrations/sqlite/0022_workflow_settings.sql")),
    (23, include_str!("../../../migrations/sqlite/0023_alerts.sql")),
    (24, include_str!("../../../migrations/sqlite/0024_outbox.sql")),
    (25, include_str!("../../../migrations/sqlite/0025_payments_followed.sql")),
    (26, include_str!("../../../migrations/sqlite/0026_hold_owner.sql")),
    (27, include_str!("../../../migrations/sqlite/0027_wide_levels.sql")),
    (28, include_str!("../../../migrations/sqlite/0028_deliveries.sql")),
];

/// What a migration does that SQL cannot, right after its text.
type Then = fn(&Connection) -> Result<(), StoreError>;

const THEN: &[(i64, Then)] = &[(27, make_levels)];

/// Brings the schema up to date. Returns how many migrations ran.
pub(crate) fn migrate(conn: &mut Connection, path: &Path) -> Result<usize, OpenError> {
    let failed = |error: rusqlite::Error| crate::open::open_error(path, &error);
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let fresh = tables == 0 && pragma(conn, "application_id").map_err(failed)? == 0;
    let found = if fresh { 0 } else { schema(conn, path)? };
    let due = MIGRATIONS.iter().filter(|(version, _)| *version > found);
    let mut done = 0;
    for (version, sql) in due {
        let tx = conn.transaction().map_err(failed)?;
        tx.execute_batch(sql).map_err(failed)?;
        for (_, then) in THEN.iter().filter(|(of, _)| of == version) {
            then(&tx).map_err(|error| OpenError::Corrupt { path: path.to_owned(), reason: error.to_string() })?;
        }
        tx.pragma_update(None, "user_version", version).map_err(failed)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        tx.commit().map_err(failed)?;
        done += 1;
    }
    Ok(done)
}

/// The schema of a file that is there already: ours, and not of a later release.
pub(crate) fn schema(conn: &Connection, path: &Path) -> Result<i64, OpenError> {
    let failed = |error: rusqlite::Error| crate::open::open_error(path, &error);
    if pragma(conn, "application_id").map_err(failed)? != APPLICATION_ID {
        return Err(OpenError::Corrupt { path: path.to_owned(), reason: "it belongs to another program".to_owned() });
    }
    let (found, known) = (pragma(conn, "user_version").map_err(failed)?, newest());
    if found > known { Err(OpenError::Newer { path: path.to_owned(), found, known }) } else { Ok(found) }
}

/// The schema of this release.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, _)| *version)
}

fn pragma(conn: &Connection, name: &str) -> Result<i64, rusqlite::Error> {
    conn.pragma_query_value(None, name, |row| row.get(0))
}
