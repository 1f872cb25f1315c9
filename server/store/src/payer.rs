//! Who paid for an event: the drawdown of its entry, done again up to it.
//!
//! Cost: a look-up per grant, and the charges of the entry before the event; both bounded, however long the ledger is.

use crate::entry::{entry_of, entry_sql, lines};
use crate::error::StoreError;
use crate::event::{charge_of, charge_sql};
use crate::position::slots_after;
use crate::rows::unreadable;
use ledger::drawdown::Purse;
use ledger::{Account, Credits, Entry, EntryKind, EntrySeq, EventSeq, GrantId, Label, Meter, OrgId};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// Parts of a charge, in the order of drawdown; of one below zero, the grant as which it was given back.
pub(crate) type Paid = Vec<(Account, Credits)>;

/// The entry that settled an event.
pub(crate) fn settled_by(conn: &Connection, org: OrgId, event: EventSeq) -> Result<Entry, StoreError> {
    let sql = concat!(
        entry_sql!(),
        "WHERE e.org_id = ?1 AND e.first_event <= ?2 AND e.first_event IS NOT NULL ORDER BY e.first_event DESC LIMIT 1"
    );
    let mut entry = conn.prepare_cached(sql)?.query_row([org.0, event.0], |row| Ok(entry_of(org, row)))??;
    entry.draft.postings = lines(conn, org, entry.seq)?.iter().map(|line| line.posting).collect();
    Ok(entry)
}

/// Who paid for each quantity of an event, by meter, with the entry that settled it.
pub(crate) fn payers(
    conn: &Connection,
    org: OrgId,
    event: EventSeq,
) -> Result<(Entry, Vec<(Meter, Paid)>), StoreError> {
    let entry = settled_by(conn, org, event)?;
    let charges = charges(conn, org, &entry, event)?;
    if let EntryKind::Capture { .. } = entry.draft.kind {
        let drawn = entry.draft.postings.iter().filter(|posting| posting.amount.is_negative());
        let of_org = drawn.filter(|posting| matches!(posting.account, Account::Grant(_) | Account::Debt));
        let paid = of_org.map(|posting| Ok((posting.account, posting.amount.negated()?)));
        let paid = paid.collect::<Result<Paid, ledger::Refusal>>()?;
        return Ok((entry, charges.into_iter().map(|(_, meter, _)| (meter, paid.clone())).collect()));
    }
    let before = slots_after(conn, org, EntrySeq(entry.seq.0 - 1))?;
    let mut purse = Purse::new(before, entry.booked_at);
    let projects = projects(conn, org, &entry, event)?;
    let mut payers = Vec::new();
    let mut given = None;
    for (seq, meter, credits) in charges {
        let project = projects.get(&seq).map(|id| Label::parse("project", id)).transpose()?;
        let mut paid = Vec::new();
        if credits.is_positive() {
            purse.draw(&meter, project.as_ref(), credits, |account, part| paid.push((account, part)))?;
        }
        if seq == event {
            if credits.is_negative() {
                let grant = given.map_or_else(|| given_behind(conn, org, entry.seq), Ok)?;
                given = Some(grant);
                paid.push((Account::Grant(grant), credits));
            }
            payers.push((meter, paid));
        }
    }
    Ok((entry, payers))
}

/// The grant as which what an entry's events gave back was given: by the next entry.
fn given_behind(conn: &Connection, org: OrgId, entry: EntrySeq) -> Result<GrantId, StoreError> {
    let sql = "SELECT grant_id FROM entry WHERE org_id = ?1 AND seq = ?2 + 1 AND kind = 'grant'";
    let found = conn.prepare_cached(sql)?.query_row([org.0, entry.0], |row| row.get(0).map(GrantId)).optional()?;
    found.ok_or_else(|| unreadable("grant of what came back"))
}

fn charges(
    conn: &Connection,
    org: OrgId,
    entry: &Entry,
    last: EventSeq,
) -> Result<Vec<(EventSeq, Meter, Credits)>, StoreError> {
    let first = entry.draft.kind.settles().map_or(last, |(first, _, _)| first);
    let sql = charge_sql!("WHERE c.org_id = ?1 AND c.seq BETWEEN ?2 AND ?3 ORDER BY c.seq, m.name");
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([org.0, first.0, last.0])?;
    let mut charges = Vec::new();
    while let Some(row) = rows.next()? {
        let (seq, charge) = charge_of(row)?;
        charges.push((seq, charge.meter, charge.credits));
    }
    Ok(charges)
}

fn projects(
    conn: &Connection,
    org: OrgId,
    entry: &Entry,
    last: EventSeq,
) -> Result<HashMap<EventSeq, String>, StoreError> {
    let first = entry.draft.kind.settles().map_or(last, |(first, _, _)| first);
    let mut statement = conn.prepare_cached(
        "SELECT e.seq, p.value FROM event e JOIN dimension p ON p.org_id = e.org_id AND p.kind = 3 AND p.id = e.project_id
         WHERE e.org_id = ?1 AND e.seq BETWEEN ?2 AND ?3",
    )?;
    let rows = statement.query_map([org.0, first.0, last.0], |row| Ok((EventSeq(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
