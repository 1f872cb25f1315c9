//! Grants: each row is what one entry gave, and what became of it adds up.

use super::Problems;
use super::accounts::Accounts;
use super::chain::is_possible;
use crate::error::StoreError;
use crate::grant::{COLUMNS, columns, grant_of};
use ledger::canon::Hash;
use ledger::{Account, Credits, Entry, EntryKind, EntrySeq, Figures, Grant, GrantId, OrgId, figures};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Grants {
    last: i64,
    figures: BTreeMap<GrantId, Figures>,
}

/// The grant that an entry gives, and the terms it binds.
fn gives(kind: &EntryKind) -> Option<(GrantId, Option<Hash>)> {
    match kind {
        EntryKind::Grant { grant, terms } => Some((*grant, *terms)),
        EntryKind::Rollover { child, terms, .. } => Some((*child, Some(*terms))),
        EntryKind::Void { refund: Some((grant, terms)), .. } => Some((*grant, Some(*terms))),
        EntryKind::Adjustment { grant, terms: Some(terms), .. } => Some((*grant, Some(*terms))),
        EntryKind::Void { refund: None, .. }
        | EntryKind::Adjustment { terms: None, .. }
        | EntryKind::RateCard { .. }
        | EntryKind::Usage { .. }
        | EntryKind::Expiry { .. }
        | EntryKind::Repayment { .. }
        | EntryKind::Hold { .. }
        | EntryKind::Extension { .. }
        | EntryKind::Capture { .. }
        | EntryKind::Release { .. }
        | EntryKind::HoldExpiry { .. } => None,
    }
}

/// A grant's row.
struct Row {
    grant: Grant,
    given_seq: i64,
    /// Whether its texts are as they are written, and what was paid is said whole or not at all.
    plain: bool,
}

impl Grants {
    /// Takes up an entry; the grant that it gives, where there is one and its row can be read.
    pub(super) fn entry(
        &mut self,
        conn: &Connection,
        org: OrgId,
        entry: &Entry,
        problems: &mut Problems,
    ) -> Result<Option<Grant>, StoreError> {
        let seq = entry.seq;
        problems.read(seq, figures::fold(&mut self.figures, &entry.draft).map_err(StoreError::from))?;
        let Some((id, terms)) = gives(&entry.draft.kind) else { return Ok(None) };
        if id.0.checked_sub(1) != Some(self.last) {
            problems.say(format!("{seq} gives {id}, the next is grant_{}", self.last.saturating_add(1)));
        }
        self.last = self.last.max(id.0);
        let row = match problems.read(id, row(conn, org, id))? {
            Some(Some(row)) => row,
            Some(None) => {
                problems.say(format!("{id}, given by {seq}, has no row"));
                return Ok(None);
            }
            None => return Ok(None),
        };
        if let Some(problem) = row.problem(entry, id, terms) {
            problems.say(format!("{id} is not what {seq} gave: {problem}"));
        }
        // No calendar is asked about times that are in none.
        Ok(Some(row.grant).filter(has_possible_times))
    }

    /// Every grant adds up, and there are no rows beside those given.
    pub(super) fn finish(
        &self,
        conn: &Connection,
        org: OrgId,
        accounts: &Accounts,
        held: &BTreeMap<GrantId, Credits>,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        for (id, figures) in &self.figures {
            let (left, held) = (accounts.balance(Account::Grant(*id)), held.get(id).copied().unwrap_or_default());
            if !figures.add_up() || figures.left != left || figures.held != held {
                let Figures { granted, left: of_left, held: of_held, spent, expired, rolled, voided } = figures;
                problems.say(format!(
                    "{id} does not add up: granted {granted} is not left {of_left} + held {of_held} + spent {spent} + expired {expired} \
                     + rolled over {rolled} + taken back {voided}, with {left} left and {held} held"
                ));
            }
        }
        let rows: i64 =
            conn.query_row("SELECT count(*) FROM credit_grant WHERE org_id = ?1", [org.0], |row| row.get(0))?;
        if rows != self.last {
            problems.say(format!("there are {rows} rows of grants, entries gave {}", self.last));
        }
        Ok(())
    }
}

impl Row {
    fn problem(&self, entry: &Entry, id: GrantId, terms: Option<Hash>) -> Option<&'static str> {
        let Row { grant, given_seq, plain } = self;
        let given = entry.draft.postings.iter().find(|posting| posting.account == Account::Grant(id));
        if EntrySeq(*given_seq) != entry.seq {
            Some("its row names another entry")
        } else if given.map(|posting| posting.amount) != Some(grant.amount) {
            Some("its row has another amount")
        } else if terms.is_some_and(|terms| terms != grant.terms()) {
            Some("its terms differ")
        } else if terms.is_none() && (grant.cost.is_some() || grant.rollover.is_some() || grant.parent.is_some()) {
            Some("it has terms that there were none of then")
        } else if !plain {
            Some("its row is not written as rows are")
        } else if grant.check().is_err() || !has_possible_times(grant) {
            Some("no rule allows it")
        } else {
            None
        }
    }
}

fn row(conn: &Connection, org: OrgId, id: GrantId) -> Result<Option<Row>, StoreError> {
    let sql =
        concat!("SELECT ", columns!(), ", g.given_seq FROM credit_grant g WHERE g.org_id = ?1 AND g.grant_id = ?2");
    let read = |row: &rusqlite::Row<'_>| -> Result<Row, StoreError> {
        let grant = grant_of(row)?;
        let rollover = grant.rollover.as_ref().map(serde_json::to_string).transpose()?;
        let paid = (row.get::<_, Option<i64>>(8)?.is_some(), row.get::<_, Option<String>>(9)?.is_some());
        let plain = row.get::<_, String>(4)? == serde_json::to_string(&grant.scope)?
            && row.get::<_, Option<String>>(10)? == rollover
            && paid == (grant.cost.is_some(), grant.cost.is_some());
        Ok(Row { grant, given_seq: row.get(COLUMNS)?, plain })
    };
    conn.prepare_cached(sql)?.query_row([org.0, id.0], |row| Ok(read(row))).optional()?.transpose()
}

/// The row of a grant that was given before, to which something comes back.
pub(super) fn find(conn: &Connection, org: OrgId, id: GrantId) -> Result<Option<Grant>, StoreError> {
    Ok(row(conn, org, id)?.map(|row| row.grant).filter(has_possible_times))
}

fn has_possible_times(grant: &Grant) -> bool {
    [Some(grant.effective_at), grant.expires_at].into_iter().flatten().all(is_possible)
}
