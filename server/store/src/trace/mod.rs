//! Traces: what each run and each interaction sums up to, and which events are in it.
//!
//! Made as wide usage is ([`crate::wide`]): a job reads what was accepted and adds it up ([`merge`]), the writer puts down some
//! thousand rows a step, a void takes its event out in its own transaction, and readers take from the events what the job has not
//! reached ([`sums`], [`read`]). So every answer is exact at once, whenever the job runs.

pub(crate) mod check;
mod detail;
pub(crate) mod lookup;
mod merge;
pub(crate) mod pruned;
mod read;
pub(crate) mod sums;
mod within;
mod workflow;

pub use detail::{TraceDetail, TraceEvent, TraceEvents, TraceModule, TraceUse};
pub use read::{Sort, Trace, TraceCursor, TraceKind, TracePage, TraceQuery};
pub use workflow::WorkflowModules;

pub(crate) use merge::take_back;
pub(crate) use sums::owned_anew;

use crate::error::StoreError;
use ledger::OrgId;
use rusqlite::{Connection, OptionalExtension};

/// Up to which event an org's traces are made, and how many of those are in none.
pub(crate) fn made(conn: &Connection, org: OrgId) -> Result<(i64, i64), StoreError> {
    let found = conn
        .prepare_cached("SELECT last_event, beside FROM trace_org WHERE org_id = ?1")?
        .query_row([org.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.unwrap_or_default())
}
