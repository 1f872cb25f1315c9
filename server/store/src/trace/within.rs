//! What of a trace happened in a period: of most all of it, which its row says; of those that reach beyond, some of their events.

use super::read::Tail;
use super::sums::{self, Key, Sums};
use crate::error::StoreError;
use crate::wide::Used;
use ledger::{Credits, OrgId};
use rusqlite::{Connection, params};

/// The sums of its events from an instant to before another; `None` where that is all of them.
///
/// Cost: some microseconds per event of the period.
pub(super) fn sums(
    conn: &Connection,
    org: OrgId,
    (kind, id): Key,
    whole: &Sums,
    (from, before): (i64, i64),
    tail: &Tail,
) -> Result<Option<Used>, StoreError> {
    if whole.first_at >= from && whole.last_at < before {
        return Ok(None);
    }
    let mut statement = conn.prepare_cached(
        "SELECT count(*), coalesce(sum(e.failed), 0), coalesce(sum(e.bytes), 0), coalesce(sum((SELECT coalesce(sum(c.credits), 0)
            FROM charge c WHERE c.org_id = e.org_id AND c.seq = e.seq)), 0)
         FROM trace_event t JOIN event e ON e.org_id = t.org_id AND e.seq = t.seq
         WHERE t.org_id = ?1 AND t.kind = ?2 AND t.id = ?3 AND t.at >= ?4 AND t.at < ?5",
    )?;
    let row = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
    let mut found: [i64; 4] = statement.query_row(params![org.0, kind, id, from, before], row)?;
    for (at, seq) in tail.events.get(&id).into_iter().flatten().filter(|(at, _)| (from..before).contains(at)) {
        sums::each(conn, org, (seq - 1, *seq), |fact| {
            debug_assert_eq!(fact.at, *at);
            let more = [1, fact.failed, fact.bytes, fact.micros];
            found.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            Ok(false)
        })?;
    }
    let [events, failed, bytes, micros] = found;
    Ok(Some(Used { credits: Credits::from_micros(micros), events, failed, bytes }))
}
