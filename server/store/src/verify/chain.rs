//! The chain of entries: every entry stands behind the one before it, and is what was sealed.

use crate::entry::{Line, account_of, entry_of, entry_sql, has_only_its_own};
use crate::error::StoreError;
use ledger::entry::Head;
use ledger::time::LATEST;
use ledger::{Credits, Entry, EntrySeq, OrgId, Posting, Timestamp};
use rusqlite::Connection;

/// An entry as its rows say it.
pub(super) struct Link {
    pub(super) entry: Entry,
    pub(super) lines: Vec<Line>,
    /// Whether columns that are not hashed are empty, and its lines numbered from 0 on.
    plain: bool,
}

/// How far the chain was followed.
pub(super) struct Chain {
    pub(super) head: Head,
    booked_at: Timestamp,
    lines: i64,
}

/// Times beyond this are in no calendar that this code has to do with.
pub(super) fn is_possible(at: Timestamp) -> bool {
    at.micros().unsigned_abs() <= 2 * LATEST.micros().unsigned_abs()
}

impl Chain {
    pub(super) const fn start() -> Self {
        Self { head: Head::START, booked_at: Timestamp::from_micros(i64::MIN), lines: 0 }
    }

    /// The number that the next entry must have.
    pub(super) const fn next_seq(&self) -> EntrySeq {
        EntrySeq(self.head.seq.0.saturating_add(1))
    }

    /// The next entry that there is.
    pub(super) fn next(&self, conn: &Connection, org: OrgId) -> Result<Option<Link>, StoreError> {
        let sql = concat!(entry_sql!(), "WHERE e.org_id = ?1 AND e.seq > ?2 ORDER BY e.seq LIMIT 1");
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query([org.0, self.head.seq.0])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let mut entry = entry_of(org, row)?;
        let mut plain = has_only_its_own(&entry.draft.kind, row)?;
        let mut statement = conn.prepare_cached(
            "SELECT account, number, amount, balance, ordinal FROM posting WHERE org_id = ?1 AND entry_seq = ?2 ORDER BY ordinal",
        )?;
        let mut rows = statement.query([org.0, entry.seq.0])?;
        let mut lines = Vec::new();
        let mut next_ordinal = 0;
        while let Some(row) = rows.next()? {
            plain &= row.get::<_, i64>(4)? == next_ordinal;
            next_ordinal += 1;
            let posting = Posting { account: account_of(row, 0)?, amount: Credits::from_micros(row.get(2)?) };
            lines.push(Line { posting, balance: Credits::from_micros(row.get(3)?) });
        }
        entry.draft.postings = lines.iter().map(|line| line.posting).collect();
        Ok(Some(Link { entry, lines, plain }))
    }

    /// Follows the chain by one entry.
    ///
    /// # Errors
    /// Why it ends there.
    pub(super) fn follow(&mut self, link: &Link) -> Result<(), String> {
        let (entry, expected) = (&link.entry, self.next_seq());
        let broken = |why: &str| Err(format!("{expected} is the first broken entry: {why}"));
        if entry.seq != expected {
            return broken("it is missing");
        }
        if !link.plain {
            return broken("it says more than its kind can, or its lines are not numbered from 0 on");
        }
        if !entry.follows(self.head) {
            return broken("its sum or its hash is not what was sealed");
        }
        if entry.booked_at < self.booked_at {
            return broken("it is booked before the entry that it follows");
        }
        if ![entry.booked_at, entry.draft.happened_at].into_iter().all(is_possible) {
            return broken("it has an impossible time");
        }
        self.head = entry.head();
        self.booked_at = entry.booked_at;
        self.lines = self.lines.saturating_add_unsigned(link.lines.len() as u64);
        Ok(())
    }

    /// No row stands beside the chain.
    pub(super) fn finish(&self, conn: &Connection, org: OrgId) -> Result<Option<String>, StoreError> {
        let counted = |sql: &str| conn.query_row(sql, [org.0], |row| row.get::<_, i64>(0));
        let entries = counted("SELECT count(*) FROM entry WHERE org_id = ?1")?;
        let lines = counted("SELECT count(*) FROM posting WHERE org_id = ?1")?;
        let same = (entries, lines) == (self.head.seq.0, self.lines);
        Ok((!same).then(|| {
            format!(
                "there are {entries} entries with {lines} postings, the chain to {} has {} with {}",
                self.head.seq, self.head.seq.0, self.lines
            )
        }))
    }
}
