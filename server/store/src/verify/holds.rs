//! Holds: each row is what one entry reserved, and says what the entries after it made of it.
//!
//! A hold's row is read once, when its entry is met; what it says of its end is compared when that is met. So only pending
//! holds are in memory, of which an org has few.

use super::Problems;
use super::accounts::Accounts;
use crate::error::StoreError;
use crate::hold;
use ledger::{
    Account, Credits, Entry, EntryKind, EntrySeq, EventSeq, GrantId, Hold, HoldId, HoldStatus, OrgId, Timestamp,
};
use rusqlite::Connection;
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Holds {
    last: i64,
    parts: i64,
    pending: BTreeMap<HoldId, Row>,
}

/// A hold's row: as it was agreed, and as it ended.
struct Row {
    /// As it was when it was made.
    made: Hold,
    ends: Ends,
    opened_seq: EntrySeq,
    numbered: bool,
}

/// What a row says that changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    status: HoldStatus,
    expires_at: Timestamp,
    closed_seq: Option<EntrySeq>,
    closed_at: Option<Timestamp>,
    captured: Option<Credits>,
    event: Option<EventSeq>,
}

impl Holds {
    /// Takes up an entry; the hold that it makes, where it does and the row can be read.
    pub(super) fn entry(
        &mut self,
        conn: &Connection,
        org: OrgId,
        entry: &Entry,
        accounts: &mut Accounts,
        problems: &mut Problems,
    ) -> Result<Option<Hold>, StoreError> {
        let closed = |status| (status, None, None);
        let (id, (status, captured, event)) = match &entry.draft.kind {
            EntryKind::Hold { hold, terms } => return self.opens(conn, org, entry, (*hold, terms), problems),
            EntryKind::Extension { hold, until } => {
                match self.pending.get_mut(hold) {
                    Some(row) if *until > row.made.expires_at => row.made.expires_at = *until,
                    Some(_) => problems.say(format!("{} gives {hold} less time than it has", entry.seq)),
                    None => problems.say(format!("{} gives {hold} more time, which is not pending", entry.seq)),
                }
                return Ok(None);
            }
            EntryKind::Capture { hold, event, .. } => {
                (*hold, (HoldStatus::Captured, Some(hold::captured(&entry.draft)), Some(*event)))
            }
            EntryKind::Release { hold } => (*hold, closed(HoldStatus::Released)),
            EntryKind::HoldExpiry { hold } => (*hold, closed(HoldStatus::Expired)),
            _ => return Ok(None),
        };
        let Some(row) = self.pending.remove(&id) else {
            problems.say(format!("{} ends {id}, which is not pending", entry.seq));
            return Ok(None);
        };
        accounts.end(id, problems);
        let expected = Ends {
            status,
            expires_at: row.made.expires_at,
            closed_seq: Some(entry.seq),
            closed_at: Some(entry.draft.happened_at),
            captured,
            event,
        };
        if row.ends != expected {
            problems.say(format!("the row of {id} does not say what {} made of it", entry.seq));
        }
        Ok(None)
    }

    fn opens(
        &mut self,
        conn: &Connection,
        org: OrgId,
        entry: &Entry,
        (id, terms): (HoldId, &ledger::canon::Hash),
        problems: &mut Problems,
    ) -> Result<Option<Hold>, StoreError> {
        if id.0.checked_sub(1) != Some(self.last) {
            problems.say(format!("{} makes {id}, the next is hold_{}", entry.seq, self.last.saturating_add(1)));
        }
        self.last = self.last.max(id.0);
        let Some(row) = problems.read(id, read(conn, org, id))? else { return Ok(None) };
        self.parts = self.parts.saturating_add_unsigned(row.made.reserved.len() as u64);
        if row.made.terms() != *terms || row.opened_seq != entry.seq || !row.numbered {
            problems.say(format!("{id} is not what {} reserved", entry.seq));
        }
        let made = row.made.clone();
        self.pending.insert(id, row);
        Ok(Some(made))
    }

    /// What pending holds reserve of each grant.
    pub(super) fn held(&self) -> Result<BTreeMap<GrantId, Credits>, StoreError> {
        let mut held: BTreeMap<GrantId, Credits> = BTreeMap::new();
        for (grant, part) in self.pending.values().flat_map(|row| &row.made.reserved) {
            let sum = held.entry(*grant).or_default();
            *sum = sum.plus(*part)?;
        }
        Ok(held)
    }

    /// Those that are pending still, and no rows beside those made.
    pub(super) fn finish(
        &self,
        conn: &Connection,
        org: OrgId,
        accounts: &Accounts,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        for (id, row) in &self.pending {
            let expires_at = row.made.expires_at;
            let pending = Ends {
                status: HoldStatus::Pending,
                expires_at,
                closed_seq: None,
                closed_at: None,
                captured: None,
                event: None,
            };
            if row.ends != pending {
                problems.say(format!("the row of {id} does not say that it is pending until {expires_at}"));
            }
            let account = accounts.balance(Account::Hold(*id));
            if row.made.held() != Ok(account) {
                problems.say(format!("{id} holds {account}, which is not what its parts say"));
            }
        }
        let counted = |sql: &str| conn.query_row(sql, [org.0], |row| row.get::<_, i64>(0));
        let rows = counted("SELECT count(*) FROM hold WHERE org_id = ?1")?;
        let parts = counted("SELECT count(*) FROM hold_part WHERE org_id = ?1")?;
        if (rows, parts) != (self.last, self.parts) {
            problems.say(format!(
                "there are {rows} rows of holds with {parts} parts, entries made {} with {}",
                self.last, self.parts
            ));
        }
        Ok(())
    }
}

fn read(conn: &Connection, org: OrgId, id: HoldId) -> Result<Row, StoreError> {
    let hold = hold::find(conn, org, id)?;
    let (first, opened_seq, closed_seq): (i64, i64, Option<i64>) = conn
        .prepare_cached("SELECT first_expires_at, opened_seq, closed_seq FROM hold WHERE org_id = ?1 AND hold_id = ?2")?
        .query_row([org.0, id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let (parts, lowest, highest): (i64, i64, i64) = conn
        .prepare_cached(
            "SELECT count(*), coalesce(min(ordinal), 0), coalesce(max(ordinal), -1) FROM hold_part WHERE org_id = ?1 AND hold_id = ?2",
        )?
        .query_row([org.0, id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let ends = Ends {
        status: hold.status,
        expires_at: hold.expires_at,
        closed_seq: closed_seq.map(EntrySeq),
        closed_at: hold.closed_at,
        captured: hold.captured,
        event: hold.event,
    };
    let made = Hold {
        expires_at: Timestamp::from_micros(first),
        status: HoldStatus::Pending,
        closed_at: None,
        captured: None,
        event: None,
        ..hold
    };
    Ok(Row {
        made,
        ends,
        opened_seq: EntrySeq(opened_seq),
        numbered: lowest == 0 && highest.checked_add(1) == Some(parts),
    })
}
