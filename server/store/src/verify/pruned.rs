//! Events that were pruned: what is left of them is what the base says, and the base is what their entries booked.
//!
//! The base replaces their rows in every fold: [`super::totals`], [`super::prices`], [`super::wide`], [`super::traces`] begin with it.

use super::Problems;
use super::identities::Identities;
use super::walk::is_settled_before;
use crate::error::StoreError;
use crate::hold::captured;
use crate::mark::newest_event;
use crate::retention::check::{self, each_identity};
use crate::retention::{Base, Print};
use ledger::{Entry, EntryKind, OrgId};
use rusqlite::Connection;

/// The base of an org, while its chain is walked.
pub(super) struct Pruned {
    pub(super) base: Base,
    swept: i64,
    /// What the entries of pruned events consumed, less what was taken back of it.
    consumed: i128,
    /// Whether the entry was met at which pruning ended.
    is_met: bool,
}

impl Pruned {
    /// Reads it; `None` where nothing was pruned.
    pub(super) fn load(conn: &Connection, org: OrgId, problems: &mut Problems) -> Result<Option<Self>, StoreError> {
        let Some(row) = problems.read("what was pruned", check::row(conn, org))?.flatten() else { return Ok(None) };
        if !row.is_whole {
            problems.say("what is said of its pruned events is not what was written".to_owned());
        }
        // Nothing is walked that cannot be there.
        if !(1..=newest_event(conn, org)?).contains(&row.base.last_event) {
            problems.say(format!("events up to event_{} are said to be pruned", row.base.last_event));
            return Ok(None);
        }
        Ok(Some(Self { base: row.base, swept: row.swept, consumed: 0, is_met: false }))
    }

    /// Takes up an entry.
    pub(super) fn entry(&mut self, entry: &Entry, problems: &mut Problems) {
        let settles = entry.draft.kind.settles().map(|(_, last, _)| last);
        let is_pruned = match &entry.draft.kind {
            EntryKind::Void { event, .. } => self.base.has(*event),
            _ => is_settled_before(entry, self.base.last_event),
        };
        if is_pruned {
            self.consumed += i128::from(captured(&entry.draft).micros());
        }
        if entry.seq.0 == self.base.last_entry {
            self.is_met = true;
            let (last, until) = (settles.map(|last| last.0), entry.booked_at.micros());
            if (last, until) != (Some(self.base.last_event), self.base.until_at) {
                problems.say(format!("{} is not where pruning ended", entry.seq));
            }
        }
    }

    /// What is left of pruned events, and that nothing else is.
    pub(super) fn finish(
        &self,
        conn: &Connection,
        org: OrgId,
        identities: &mut Identities,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        let Self { base, .. } = self;
        if !self.is_met {
            problems.say(format!("pruning ended at entry_{}, which there is not", base.last_entry));
        }
        if self.consumed != i128::from(base.standing) {
            problems.say("pruned events are said to have cost what their entries did not consume".to_owned());
        }
        if let Some(table) = check::left_over(conn, org, self.swept)? {
            problems.say(format!("{table} has rows of events that were pruned"));
        }
        let mut print = Print::default();
        each_identity(conn, org, (0, base.last_event), |seq, source, id, one| {
            print.add(one);
            identities.add(seq, source, id);
        })?;
        let prints = [
            ("identities of pruned events", print, base.identities_print),
            ("names that pruned events could say", check::names(conn, org, base)?, base.names_print),
            ("sums of runs and interactions of pruned events", check::traces(conn, org)?, base.traces_print),
            ("meters that pruned events used", check::uses(conn, org)?, base.uses_print),
        ];
        for (what, found, expected) in prints {
            if found != expected {
                problems.say(format!("{what} are not what they were when they were pruned"));
            }
        }
        Ok(())
    }
}
