//! What of a trace happened in a period: of most all of it, which its row says; of those that reach beyond, some of their events.
//! Of pruned events only what all of them add up to is known, and from when to when they happened.

use super::pruned::Pruned;
use super::read::Tail;
use super::sums::{self, Key, Sums};
use crate::error::StoreError;
use crate::retention::pruned_to;
use crate::wide::Used;
use ledger::{Credits, OrgId};
use rusqlite::{Connection, params};

/// The sums of its events from an instant to before another, and whether pruned events may be missing from them; `None` where that
/// is all of them.
///
/// Cost: some microseconds per event of the period.
pub(super) fn sums(
    conn: &Connection,
    org: OrgId,
    (kind, id): Key,
    whole: &Sums,
    (from, before): (i64, i64),
    tail: &Tail,
) -> Result<Option<(Used, bool)>, StoreError> {
    if whole.first_at >= from && whole.last_at < before {
        return Ok(None);
    }
    let mut statement = conn.prepare_cached(
        "SELECT count(*), coalesce(sum(e.failed), 0), coalesce(sum(e.bytes), 0), coalesce(sum((SELECT coalesce(sum(c.credits), 0)
            FROM charge c WHERE c.org_id = e.org_id AND c.seq = e.seq)), 0)
         FROM trace_event t JOIN event e ON e.org_id = t.org_id AND e.seq = t.seq
         WHERE t.org_id = ?1 AND t.kind = ?2 AND t.id = ?3 AND t.at >= ?4 AND t.at < ?5 AND t.seq > ?6",
    )?;
    let row = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
    let mut found: [i64; 4] =
        statement.query_row(params![org.0, kind, id, from, before, pruned_to(conn, org)?], row)?;
    for (at, seq) in tail.events.get(&id).into_iter().flatten().filter(|(at, _)| (from..before).contains(at)) {
        sums::each(conn, org, (seq - 1, *seq), |fact| {
            debug_assert_eq!(fact.at, *at);
            let more = [1, fact.failed, fact.bytes, fact.micros];
            found.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            Ok(false)
        })?;
    }
    let gone = Pruned::find(conn, org, (kind, id))?.map(|pruned| pruned.sums());
    let is_in = |sums: &Sums| sums.first_at >= from && sums.last_at < before;
    let is_short = gone.is_some_and(|sums| !is_in(&sums) && sums.last_at >= from && sums.first_at < before);
    if let Some(Sums { events, failed, bytes, micros, .. }) = gone.filter(is_in) {
        found.iter_mut().zip([events, failed, bytes, micros]).for_each(|(sum, more)| *sum += more);
    }
    let [events, failed, bytes, micros] = found;
    Ok(Some((Used { credits: Credits::from_micros(micros), events, failed, bytes }, is_short)))
}
