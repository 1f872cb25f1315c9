//! Retention: how long the detail of events is kept, and how the rest goes.
//!
//! **Detail** is what is known of a single event beside that it was: its rows in `event`, `charge`, `charge_tier` and
//! `trace_event`. It goes once the entry that settled it was booked more days ago than the org keeps, from the oldest on and
//! whole entries at a time, so that the events of an entry are there together or not at all. What arrived late is kept as
//! long as everything else: the age of an event is that of its booking.
//!
//! **What stays**: entries, postings and every balance; identities, for ever; what was voided; rollups, wide usage, sums of
//! runs and interactions; names. So balances, charts, reports and lists say the same before and after. What asks for a single
//! pruned event is told [`Pruned`](crate::StoreError::Pruned): its page, its proof, taking it back, mapping its interaction.
//!
//! **In two steps**, so that the writer is never kept for long. [`seal`] reads the next entries and adds up what their events
//! leave behind in a [`base`]; the writer puts that down, and from then on those events count as gone, whatever rows there
//! still are. [`sweep`] deletes the rows, some hundred events a transaction. A crash in between leaves nothing undecided.
//! Only what wide usage and traces have taken up is sealed: nothing that answers from them needs a pruned event, and
//! neither can be made again from the events.
//!
//! **Verifying** goes on from the base. The chain is walked whole: hashes, sums, running balances, what each grant became. Of
//! pruned entries the events are not rated again; where every grant may be spent on everything, who paid still is. What
//! pruned events cost must be what their entries consumed less what was taken back; every identity, name, wide segment, trace,
//! carry and tier is held against the base or against base and kept events together. The base has a digest, but it is not in
//! the chain: whoever can write the file and reseal the base, too, can move pruned credits from one day or name to another,
//! never their sum. The Merkle roots of pruned events stay in their entries, so a proof that was taken before still leads to them.

mod base;
pub(crate) mod check;
mod print;
mod seal;
mod sweep;

pub(crate) use base::Base;
pub(crate) use print::Print;

use crate::Store;
use crate::error::StoreError;
use ledger::{EventSeq, OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

/// A day of retention: not of the calendar, since nothing is counted by it.
const DAY_MICROS: i64 = 86_400_000_000;

/// What an org keeps of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// For how many days their detail is kept; `None`: for ever.
    pub days: Option<u32>,
    /// The last event that was pruned, and when it was booked; `None` where none was.
    pub pruned: Option<(EventSeq, Timestamp)>,
}

impl Store {
    /// For how long an org keeps the detail of its events, and what of it is gone.
    ///
    /// # Errors
    /// What the database says.
    pub async fn kept(&self, org: OrgId) -> Result<Kept, StoreError> {
        self.read(move |conn| kept(conn, org)).await
    }

    /// Prunes a step of every org of which something is older than it keeps; tells how many events or rows that were, 0 where
    /// there is nothing to do.
    ///
    /// # Errors
    /// What the database says.
    pub async fn prune_some(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let mut done = 0;
        for (org, swept) in self.read(orgs).await? {
            done += if swept { self.seal_some(org, now).await? } else { self.sweep_some(org).await? };
        }
        Ok(done)
    }
}

/// What an org keeps.
pub(crate) fn kept(conn: &Connection, org: OrgId) -> Result<Kept, StoreError> {
    let sql = "SELECT last_event, until_at FROM pruning WHERE org_id = ?1";
    let pruned = conn
        .prepare_cached(sql)?
        .query_row([org.0], |row| Ok((EventSeq(row.get(0)?), Timestamp::from_micros(row.get(1)?))))
        .optional()?;
    Ok(Kept { days: days_in_force(conn, org)?, pruned })
}

/// The one place that says for how many days the detail of events is kept, of the row `o` of `org`; NULL: for ever. Where the org's
/// settings and the plan in force both say, the shorter time counts.
macro_rules! days_sql {
    () => {
        "(SELECT min(days) FROM (
            SELECT s.retention_days AS days FROM org_setting s WHERE s.org_id = o.org_id
            UNION ALL
            SELECT p.retention_days FROM subscription b JOIN plan p ON p.org_id = b.org_id AND p.plan_id = b.plan_id
            WHERE b.org_id = o.org_id AND b.ended_at IS NULL))"
    };
}

/// For how many days the detail of an org's events is kept; `None`: for ever.
pub(crate) fn days_in_force(conn: &Connection, org: OrgId) -> Result<Option<u32>, StoreError> {
    let sql = concat!("SELECT ", days_sql!(), " FROM org o WHERE o.org_id = ?1");
    Ok(conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0)).optional()?.flatten())
}

/// The last event that is pruned; 0 where none is.
pub(crate) fn pruned_to(conn: &Connection, org: OrgId) -> Result<i64, StoreError> {
    let sql = "SELECT last_event FROM pruning WHERE org_id = ?1";
    Ok(conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Refuses what needs the detail of an event that is pruned.
pub(crate) fn check_kept(conn: &Connection, org: OrgId, event: EventSeq) -> Result<(), StoreError> {
    let Kept { days, pruned } = kept(conn, org)?;
    match pruned {
        Some((last, until)) if (1..=last.0).contains(&event.0) => Err(StoreError::Pruned { until, days }),
        _ => Ok(()),
    }
}

/// Orgs that keep their events' detail for some time, or of which rows are to be deleted; whether none are.
fn orgs(conn: &Connection) -> Result<Vec<(OrgId, bool)>, StoreError> {
    let sql = concat!(
        "SELECT o.org_id, p.org_id IS NULL OR p.swept_event >= p.last_event FROM org o
         LEFT JOIN pruning p ON p.org_id = o.org_id
         WHERE (",
        days_sql!(),
        " IS NOT NULL OR p.swept_event < p.last_event)
         AND NOT EXISTS (SELECT 1 FROM org_ending g WHERE g.org_id = o.org_id AND g.begun_at IS NOT NULL)"
    );
    let mut statement = conn.prepare_cached(sql)?;
    let found = statement.query_map([], |row| Ok((OrgId(row.get(0)?), row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}
