//! Events that were taken back: a row for each entry that does, and none besides.

use super::Problems;
use crate::correction::voided;
use crate::error::StoreError;
use ledger::{Entry, EntryKind, EventSeq, OrgId};
use rusqlite::Connection;

#[derive(Default)]
pub(super) struct Voids {
    entries: i64,
}

impl Voids {
    /// Takes up an entry; `next` is the event that is settled next.
    pub(super) fn entry(
        &mut self,
        conn: &Connection,
        org: OrgId,
        entry: &Entry,
        next: EventSeq,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        let EntryKind::Void { event, replacement, .. } = &entry.draft.kind else { return Ok(()) };
        self.entries += 1;
        if event.0 < 1 || *event >= next || replacement.is_some_and(|replacement| replacement != next) {
            problems.say(format!("{} takes back {event}, before which or its replacement the ledger stood", entry.seq));
        }
        match problems.read(event, voided(conn, org, *event))? {
            Some(Some(row)) if row == (entry.seq, *replacement) => {}
            Some(Some(_)) => problems.say(format!("the row of what took {event} back is not what {} says", entry.seq)),
            Some(None) => problems.say(format!("{} took {event} back, which has no row that says so", entry.seq)),
            None => {}
        }
        Ok(())
    }

    pub(super) fn finish(&self, conn: &Connection, org: OrgId, problems: &mut Problems) -> Result<(), StoreError> {
        let rows: i64 = conn.query_row("SELECT count(*) FROM voided WHERE org_id = ?1", [org.0], |row| row.get(0))?;
        if rows != self.entries {
            problems.say(format!("there are {rows} rows of events taken back, entries took back {}", self.entries));
        }
        Ok(())
    }
}
