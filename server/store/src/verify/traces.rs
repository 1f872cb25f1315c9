//! Traces: each event that stands and names a run or an interaction is in it once, each trace is what its events add up to, and
//! there is no other.

use super::Problems;
use super::fingerprint::Fingerprints;
use crate::error::StoreError;
use crate::mark::newest_event;
use crate::retention::Base;
use crate::trace::check;
use ledger::OrgId;
use rusqlite::Connection;

pub(super) fn finish(
    conn: &Connection,
    org: OrgId,
    base: Option<&Base>,
    problems: &mut Problems,
) -> Result<(), StoreError> {
    let prints = Fingerprints::default();
    let (last, kept_beside) = check::made(conn, org)?;
    let newest = newest_event(conn, org)?;
    if last > newest {
        problems.say(format!("traces were made up to event_{last}, but there is none"));
        return Ok(());
    }
    let print = |row: [i64; 4]| prints.of(0, row, [1, 0, 0]);
    let pruned_to = base.map_or(0, |base| base.last_event);
    let (mut expected, mut found, mut beside) = (0_u128, 0_u128, base.map_or(0, |base| base.beside));
    check::each(conn, org, (pruned_to, last), |fact| {
        beside += i64::from(fact.keys().next().is_none());
        for (kind, id) in fact.keys().filter(|_| fact.stands) {
            expected = expected.wrapping_add(print([kind, id, fact.at, fact.seq]));
        }
        Ok(true)
    })?;
    check::each_event(conn, org, |row| {
        // Rows of pruned events that are not deleted yet.
        if row[3] > pruned_to {
            found = found.wrapping_add(print(row));
        }
    })?;
    if found != expected || beside != kept_beside {
        problems.say(format!("the events of traces are not those up to event_{last}"));
    }
    check::each_wrong(conn, org, |(kind, id)| {
        problems.say(format!("trace {id} of kind {kind} is not what its events add up to"));
    })?;
    let mut uses = check::uses(conn, org, (pruned_to, last))?;
    uses.extend(check::pruned_uses(conn, org)?);
    if uses != check::kept_uses(conn, org)? {
        problems.say("which meters workflows used is not what their events say".to_owned());
    }
    Ok(())
}
