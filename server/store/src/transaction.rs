//! Transactions: usage events and the entries that give or take credits, as one list, newest first.
//!
//! The order is that of the ledger: every event stands where it was booked. A page walks the chain backwards from a place;
//! events of a usage entry follow one another, so all events of a page are one range. Cost: the entries looked at (at most
//! [`MAX_LOOKED_AT`], since holds come and go in between), the events and charges of the page, some look-ups per entry.

use crate::Store;
use crate::entry::{entry_of, entry_sql};
use crate::error::StoreError;
use crate::event::{charge_of, charge_sql, event_sql, said};
use crate::grant;
use crate::retention::pruned_to;
use ledger::settle::Charge;
use ledger::{Credits, Entry, EntryKind, EntrySeq, Event, EventSeq, Grant, OrgId, Timestamp};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// Transactions on one page, at most.
pub const MAX_PAGE: u32 = 500;
/// Entries looked at for one page, at most; the next one goes on from there.
const MAX_LOOKED_AT: u32 = 5_000;

/// A place in the list: what follows it is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Behind this entry.
    pub entry: EntrySeq,
    /// Within it: behind this one of its events.
    pub event: Option<EventSeq>,
}

/// One transaction.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// The entry that booked it.
    pub entry: EntrySeq,
    /// When it happened.
    pub at: Timestamp,
    /// What it is.
    pub what: What,
}

/// What a transaction is.
#[derive(Debug, Clone)]
pub enum What {
    /// A usage event.
    Usage {
        /// Its place in the org's events.
        seq: EventSeq,
        /// What was said; its quantities in the order of the meters' names.
        event: Box<Event>,
        /// What each quantity cost.
        charges: Vec<Charge>,
        /// What all of it cost.
        credits: Credits,
    },
    /// An entry that gave or took credits.
    Booking {
        /// Of which kind.
        kind: EntryKind,
        /// The grant it is about, if it is about one.
        grant: Option<Box<Grant>>,
        /// What it changed in all that the org has.
        change: Credits,
    },
    /// Usage whose detail is pruned, as one line: the events that an entry settled.
    Pruned {
        /// How many.
        events: i64,
        /// What they cost.
        credits: Credits,
    },
}

impl Store {
    /// A page of transactions, newest first, and where the next one begins; `None` at the beginning of the ledger. A page may
    /// be short although there are more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn transactions(
        &self,
        org: OrgId,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<(Vec<Transaction>, Option<Cursor>), StoreError> {
        let limit = limit.min(MAX_PAGE) as usize;
        self.read(move |conn| page(conn, org, after, limit)).await
    }
}

/// What will stand in a line of the page.
enum Place {
    Event(EntrySeq, EventSeq),
    Entry(Box<Transaction>),
}

type Page = (Vec<Transaction>, Option<Cursor>);

fn page(conn: &Connection, org: OrgId, after: Option<Cursor>, limit: usize) -> Result<Page, StoreError> {
    let (places, next) = places(conn, org, after, limit)?;
    let seqs = || places.iter().filter_map(|place| if let Place::Event(_, seq) = place { Some(seq.0) } else { None });
    let mut events = match seqs().min().zip(seqs().max()) {
        Some((low, high)) => events(conn, org, low, high)?,
        None => BTreeMap::new(),
    };
    let line = |place| match place {
        Place::Entry(transaction) => Some(*transaction),
        Place::Event(entry, seq) => events.remove(&seq).map(|(at, what)| Transaction { entry, at, what }),
    };
    Ok((places.into_iter().filter_map(line).collect(), next))
}

fn places(
    conn: &Connection,
    org: OrgId,
    after: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<Place>, Option<Cursor>), StoreError> {
    // The entry in the middle of which the page begins is looked at again.
    let from = after.map_or(i64::MAX, |cursor| cursor.entry.0.saturating_add(i64::from(cursor.event.is_some())));
    let mut statement =
        conn.prepare_cached(concat!(entry_sql!(), "WHERE e.org_id = ?1 AND e.seq < ?2 ORDER BY e.seq DESC LIMIT ?3"))?;
    let mut rows = statement.query(params![org.0, from, MAX_LOOKED_AT])?;
    let pruned_to = pruned_to(conn, org)?;
    let mut places = Vec::new();
    let mut looked_at = 0;
    let mut last = None;
    while let Some(row) = rows.next()? {
        if places.len() >= limit {
            return Ok((places, last));
        }
        let entry = entry_of(org, row)?;
        looked_at += 1;
        let seq = entry.seq;
        let mut range = match &entry.draft.kind {
            EntryKind::Usage { first, last, .. } => (first.0, last.0),
            EntryKind::Capture { event, .. } => (event.0, event.0),
            _ => {
                if let Some(booking) = booking(conn, org, entry)? {
                    places.push(Place::Entry(Box::new(booking)));
                }
                last = Some(Cursor { entry: seq, event: None });
                continue;
            }
        };
        if range.1 <= pruned_to {
            places.push(Place::Entry(Box::new(pruned(conn, org, &entry, range.1 - range.0 + 1)?)));
            last = Some(Cursor { entry: seq, event: None });
            continue;
        }
        if let Some(Cursor { entry, event: Some(event) }) = after
            && entry == seq
        {
            range.1 = event.0 - 1;
        }
        let room = i64::try_from(limit - places.len()).unwrap_or(i64::MAX);
        let low = range.0.max(range.1.saturating_sub(room - 1));
        places.extend((low..=range.1).rev().map(|event| Place::Event(seq, EventSeq(event))));
        last = Some(Cursor { entry: seq, event: (low > range.0).then_some(EventSeq(low)) });
        if low > range.0 {
            return Ok((places, last));
        }
    }
    Ok((places, last.filter(|_| looked_at == MAX_LOOKED_AT)))
}

/// An entry that gives or takes credits; `None` for all others.
fn booking(conn: &Connection, org: OrgId, entry: Entry) -> Result<Option<Transaction>, StoreError> {
    let kind = entry.draft.kind;
    let grant = match &kind {
        EntryKind::Grant { grant, .. }
        | EntryKind::Expiry { grant }
        | EntryKind::Rollover { grant, .. }
        | EntryKind::Adjustment { grant, .. } => Some(*grant),
        EntryKind::Void { .. } => None,
        EntryKind::RateCard { .. }
        | EntryKind::Repayment { .. }
        | EntryKind::Hold { .. }
        | EntryKind::Extension { .. }
        | EntryKind::Release { .. }
        | EntryKind::HoldExpiry { .. }
        | EntryKind::Usage { .. }
        | EntryKind::Capture { .. } => return Ok(None),
    };
    let sql = "SELECT coalesce(sum(amount), 0) FROM posting
         WHERE org_id = ?1 AND entry_seq = ?2 AND account IN ('grant', 'hold', 'debt')";
    let change = conn.prepare_cached(sql)?.query_row([org.0, entry.seq.0], |row| row.get(0))?;
    let change = Credits::from_micros(change);
    if change.is_zero() {
        return Ok(None);
    }
    let grant = grant.map(|id| grant::find(conn, org, id)).transpose()?.flatten().map(Box::new);
    let what = What::Booking { kind, grant, change };
    Ok(Some(Transaction { entry: entry.seq, at: entry.draft.happened_at, what }))
}

/// The events of an entry as one line.
fn pruned(conn: &Connection, org: OrgId, entry: &Entry, events: i64) -> Result<Transaction, StoreError> {
    let sql =
        "SELECT coalesce(sum(amount), 0) FROM posting WHERE org_id = ?1 AND entry_seq = ?2 AND account = 'consumed'";
    let credits = conn.prepare_cached(sql)?.query_row([org.0, entry.seq.0], |row| row.get(0))?;
    let what = What::Pruned { events, credits: Credits::from_micros(credits) };
    Ok(Transaction { entry: entry.seq, at: entry.booked_at, what })
}

type Events = BTreeMap<EventSeq, (Timestamp, What)>;

fn events(conn: &Connection, org: OrgId, low: i64, high: i64) -> Result<Events, StoreError> {
    let mut all: BTreeMap<EventSeq, Vec<Charge>> = BTreeMap::new();
    let mut statement =
        conn.prepare_cached(charge_sql!("WHERE c.org_id = ?1 AND c.seq BETWEEN ?2 AND ?3 ORDER BY c.seq, m.name"))?;
    let mut rows = statement.query([org.0, low, high])?;
    while let Some(row) = rows.next()? {
        let (seq, charge) = charge_of(row)?;
        all.entry(seq).or_default().push(charge);
    }
    let mut statement = conn.prepare_cached(event_sql!("WHERE e.org_id = ?1 AND e.seq BETWEEN ?2 AND ?3"))?;
    let mut rows = statement.query([org.0, low, high])?;
    let mut events = Events::new();
    while let Some(row) = rows.next()? {
        let mut said = said(row)?;
        let charges = all.remove(&said.seq).unwrap_or_default();
        said.event.quantities = charges.iter().map(|charge| (charge.meter.clone(), charge.quantity)).collect();
        let credits = Credits::sum(charges.iter().map(|charge| charge.credits))?;
        let what = What::Usage { seq: said.seq, event: Box::new(said.event), charges, credits };
        events.insert(said.seq, (said.occurred_at, what));
    }
    Ok(events)
}
