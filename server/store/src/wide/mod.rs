//! Wide usage: sums by everything an event says, for the dimensions that the rollups leave out.
//!
//! Every event brings its own combination of workflow, user, tenant and attributes, so a rollup row for each would cost as much as
//! the event itself, in the writer's time. Instead a job reads what was accepted, adds it up per quarter of an hour, and hands the
//! writer whole days to put down ([`segment`], at several [`level`]s of detail). The writer's part is a few rows per some thousand events; a void takes its event out of
//! the segment in its own transaction. What the job has not reached yet, readers take from the events ([`tail`]): no answer depends
//! on when the job runs, it only depends on it how fast.

mod attributes;
pub(crate) mod check;
mod level;
mod merge;
mod narrow;
mod ranked;
mod read;
mod segment;
mod sets;
mod sums;
mod tail;

pub use attributes::MAX_SETS;
pub use narrow::Narrow;
pub use ranked::{RankCursor, RankPage, RankedValue, Ranking, Used};
pub use read::Wide;

pub(crate) use merge::{changes, make_levels, owned_anew, take_back};
pub(crate) use read::wide_cells;
pub(crate) use sets::wide_sets;

use crate::error::StoreError;
use crate::mark::newest_event;
use ledger::OrgId;
use rusqlite::{Connection, OptionalExtension};

/// Events that are read from their rows faster than rollups are.
const FEW: i64 = 1_024;

/// Whether segments and a few events say all that the rollups say, in a fraction of their time.
pub(crate) fn is_near(conn: &Connection, org: OrgId) -> Result<bool, StoreError> {
    let last = last_event(conn, org)?;
    Ok(last > 0 && newest_event(conn, org)? - last <= FEW)
}

/// Up to which event an org's segments are made.
pub(crate) fn last_event(conn: &Connection, org: OrgId) -> Result<i64, StoreError> {
    let found = conn
        .prepare_cached("SELECT last_event FROM wide_org WHERE org_id = ?1")?
        .query_row([org.0], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}
