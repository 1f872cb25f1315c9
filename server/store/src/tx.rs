//! Inside the writer's transaction: what it knows of each org, and the only way to book an entry.
//!
//! An [`OrgCache`] is what the tables say, read once and kept as long as transactions succeed; after any failure all
//! caches are dropped and read again. Usage that was ingested but not yet booked waits in [`OrgCache::pending`] and in
//! the rollup deltas; [`Tx::settle_all`] books it, at the latest before the commit.

use crate::dimension::Dimensions;
use crate::error::StoreError;
use crate::identity::Identities;
use crate::meter::Meters;
use crate::rollup::Deltas;
use crate::{grant, meter, org};
use chrono_tz::Tz;
use ledger::drawdown::{Purse, Slot};
use ledger::entry::{Draft, Head};
use ledger::rate::Carry;
use ledger::settle::{self, Settlement};
use ledger::{
    Account, Credits, Entry, EntryKind, EntrySeq, LineNo, OrgId, Posting, RateCard, RateCardVersion, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashMap;

/// Orgs kept in memory, at most.
const MAX_ORGS: usize = 1_024;
/// Identities and names kept in memory over all orgs, at most: some 64 bytes each.
const MAX_REMEMBERED: usize = 500_000;

/// What the writer knows of one org.
pub(crate) struct OrgCache {
    pub(crate) zone: Tz,
    pub(crate) cards: Vec<RateCard>,
    pub(crate) carries: FxHashMap<(RateCardVersion, LineNo), Carry>,
    pub(crate) changed_carries: Vec<(RateCardVersion, LineNo)>,
    pub(crate) meters: Meters,
    pub(crate) dimensions: Dimensions,
    pub(crate) identities: Identities,
    pub(crate) totals: OrgTotals,
    pub(crate) deltas: Deltas,
    pub(crate) next_event: i64,
    pub(crate) slots: Vec<Slot>,
    pub(crate) debt: Credits,
    pub(crate) consumed: Credits,
    pub(crate) pending: Option<Settlement>,
    pub(crate) pending_cause: String,
    head: Head,
    last_booked: Timestamp,
    used: u64,
}

/// Sums over all time that bound every rollup.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OrgTotals {
    pub(crate) events: i64,
    pub(crate) failed: i64,
    pub(crate) bytes: i64,
}

/// All orgs the writer knows.
#[derive(Default)]
pub(crate) struct Caches {
    orgs: FxHashMap<OrgId, Box<OrgCache>>,
    tick: u64,
}

impl Caches {
    /// Forgets everything: the tables are the truth.
    pub(crate) fn clear(&mut self) {
        self.orgs.clear();
    }

    /// Forgets the orgs that were used longest ago until the bounds hold.
    pub(crate) fn trim(&mut self) {
        let mut remembered: usize = self.orgs.values().map(|org| org.remembered()).sum();
        while self.orgs.len() > MAX_ORGS || (remembered > MAX_REMEMBERED && self.orgs.len() > 1) {
            let Some(oldest) = self.orgs.iter().min_by_key(|(_, org)| org.used).map(|(id, _)| *id) else { return };
            remembered -= self.orgs.remove(&oldest).map_or(0, |org| org.remembered());
        }
    }
}

impl OrgCache {
    fn remembered(&self) -> usize {
        self.identities.len() + self.dimensions.len()
    }

    fn load(conn: &Connection, id: OrgId) -> Result<Self, StoreError> {
        let zone = org::zone(conn, id)?;
        let head = last_entry(conn, id)?;
        let next_event: i64 = conn
            .prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM identity WHERE org_id = ?1")?
            .query_row([id.0], |row| row.get(0))?;
        let (merged, totals) = org::totals(conn, id)?;
        Ok(Self {
            zone,
            cards: meter::cards(conn, id)?,
            carries: carries(conn, id)?,
            changed_carries: Vec::new(),
            meters: Meters::load(conn, id)?,
            dimensions: Dimensions::default(),
            identities: Identities::load(conn, id, merged)?,
            totals,
            deltas: Deltas::default(),
            next_event,
            slots: grant::slots(conn, id)?,
            debt: account_balance(conn, id, Account::Debt)?.negated()?,
            consumed: account_balance(conn, id, Account::Consumed)?,
            pending: None,
            pending_cause: String::new(),
            head: head.map_or(Head::START, |(head, _)| head),
            last_booked: head.map_or(Timestamp::from_micros(i64::MIN), |(_, booked)| booked),
            used: 0,
        })
    }

    /// The rate card in force at `now`.
    pub(crate) fn card(&self, now: Timestamp) -> Option<&RateCard> {
        self.cards.iter().rev().find(|card| card.effective_at <= now)
    }
}

/// The writer's transaction.
pub(crate) struct Tx<'w> {
    pub(crate) conn: &'w Connection,
    pub(crate) caches: &'w mut Caches,
    now: Timestamp,
}

impl<'w> Tx<'w> {
    pub(crate) fn new(conn: &'w Connection, now: Timestamp, caches: &'w mut Caches) -> Self {
        Self { conn, caches, now }
    }

    /// The instant at which everything in this transaction is booked. Never before what the org booked last, also where
    /// the machine's clock jumped back.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// What is known of an org, read if need be.
    pub(crate) fn org(&mut self, id: OrgId) -> Result<&mut OrgCache, StoreError> {
        self.caches.tick += 1;
        let tick = self.caches.tick;
        if !self.caches.orgs.contains_key(&id) {
            let org = OrgCache::load(self.conn, id)?;
            self.now = self.now.max(org.last_booked);
            self.caches.orgs.insert(id, Box::new(org));
        }
        let org = self.caches.orgs.get_mut(&id).ok_or(StoreError::NotFound("organization"))?;
        self.now = self.now.max(org.last_booked);
        org.used = tick;
        Ok(org)
    }

    /// Makes sure that a settlement is open for an org: first what has expired is booked, then the purse is made.
    pub(crate) fn open_settlement(&mut self, id: OrgId, cause: &str) -> Result<(), StoreError> {
        if self.org(id)?.pending.is_some() {
            return Ok(());
        }
        self.book_expiries(id)?;
        let now = self.now;
        let org = self.org(id)?;
        org.pending = Some(Settlement::new(Purse::new(org.slots.iter().cloned(), now)));
        org.pending_cause.clear();
        org.pending_cause.push_str(cause);
        Ok(())
    }

    /// Books what is left of grants that have expired, each as of its expiry.
    pub(crate) fn book_expiries(&mut self, id: OrgId) -> Result<(), StoreError> {
        let now = self.now;
        let mut drafts = Vec::new();
        for slot in &self.org(id)?.slots {
            drafts.extend(settle::expire(&slot.grant, slot.left, now)?);
        }
        drafts.sort_by_key(|draft| draft.happened_at);
        drafts.into_iter().try_for_each(|draft| self.book(id, draft).map(|_| ()))
    }

    /// Books one entry: the only way into the ledger.
    pub(crate) fn book(&mut self, id: OrgId, draft: Draft) -> Result<Entry, StoreError> {
        let now = self.now;
        let head = self.org(id)?.head;
        let entry = Entry::seal(id, head, now, draft)?;
        insert_entry(self.conn, &entry)?;
        for (posting, ordinal) in entry.draft.postings.iter().zip(0_i64..) {
            let (name, number) = posting.account.parts();
            self.conn
                .prepare_cached("INSERT INTO posting (org_id, entry_seq, ordinal, account, number, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![id.0, entry.seq.0, ordinal, name, number, posting.amount.micros()])?;
            self.add_to_account(id, posting)?;
        }
        let org = self.org(id)?;
        org.head = entry.head();
        org.last_booked = now;
        org.apply(&entry)?;
        Ok(entry)
    }

    /// Moves the cached balance of an account. Updated before inserted: a row to be inserted is checked by itself, and a
    /// withdrawal alone would be below zero.
    fn add_to_account(&self, id: OrgId, posting: &Posting) -> Result<(), StoreError> {
        let (name, number) = posting.account.parts();
        let values = params![id.0, name, number, posting.amount.micros()];
        let changed = self
            .conn
            .prepare_cached(
                "UPDATE account SET balance = balance + ?4 WHERE org_id = ?1 AND account = ?2 AND number = ?3",
            )?
            .execute(values)?;
        if changed == 0 {
            self.conn
                .prepare_cached("INSERT INTO account (org_id, account, number, balance) VALUES (?1, ?2, ?3, ?4)")?
                .execute(values)?;
        }
        Ok(())
    }

    /// Books what was ingested of every org and writes its rollups.
    pub(crate) fn settle_all(&mut self) -> Result<(), StoreError> {
        let waiting: Vec<OrgId> =
            self.caches.orgs.iter().filter(|(_, org)| org.pending.is_some()).map(|(id, _)| *id).collect();
        waiting.into_iter().try_for_each(|id| self.settle(id))
    }

    fn settle(&mut self, id: OrgId) -> Result<(), StoreError> {
        let now = self.now;
        let conn = self.conn;
        let org = self.org(id)?;
        let cause = std::mem::take(&mut org.pending_cause);
        let Some(draft) = org.pending.take().and_then(|pending| pending.finish(now, &cause)) else { return Ok(()) };
        for (version, line) in std::mem::take(&mut org.changed_carries) {
            let carry = org.carries.get(&(version, line)).copied().unwrap_or_default();
            conn.prepare_cached(
                "INSERT INTO carry (org_id, version, line, carry) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET carry = excluded.carry",
            )?
            .execute(params![id.0, version.0, line.0, carry.0])?;
        }
        org.deltas.write(conn, id, org.zone)?;
        org.meters.write_totals(conn, id)?;
        org.identities.merge_if_full(conn, id, org.next_event - 1)?;
        org::write_totals(conn, id, org.totals)?;
        self.book(id, draft).map(|_| ())
    }
}

impl OrgCache {
    /// Takes up an entry's postings in what is remembered.
    fn apply(&mut self, entry: &Entry) -> Result<(), StoreError> {
        for posting in &entry.draft.postings {
            match posting.account {
                Account::Grant(grant) => {
                    if let Some(slot) = self.slots.iter_mut().find(|slot| slot.grant.id == grant) {
                        slot.left = slot.left.plus(posting.amount)?;
                    }
                }
                Account::Debt => self.debt = self.debt.minus(posting.amount)?,
                Account::Consumed => self.consumed = self.consumed.plus(posting.amount)?,
                Account::Hold(_) | Account::Funding | Account::Expired | Account::Adjustment => {}
            }
        }
        self.slots.retain(|slot| slot.left.is_positive());
        Ok(())
    }
}

fn insert_entry(conn: &Connection, entry: &Entry) -> Result<(), StoreError> {
    let (mut grant, mut range, mut root) = (None, (None, None), None);
    match &entry.draft.kind {
        EntryKind::Grant { grant: id } | EntryKind::Expiry { grant: id } | EntryKind::Repayment { grant: id } => {
            grant = Some(id.0);
        }
        EntryKind::Usage { first, last, root: hash } => {
            range = (Some(first.0), Some(last.0));
            root = Some(hash.as_slice());
        }
    }
    conn.prepare_cached(
        "INSERT INTO entry (org_id, seq, kind, grant_id, first_event, last_event, root, happened_at, booked_at, cause, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        entry.org.0,
        entry.seq.0,
        entry.draft.kind.name(),
        grant,
        range.0,
        range.1,
        root,
        entry.draft.happened_at.micros(),
        entry.booked_at.micros(),
        entry.draft.cause,
        entry.hash.as_slice(),
    ])?;
    Ok(())
}

fn last_entry(conn: &Connection, id: OrgId) -> Result<Option<(Head, Timestamp)>, StoreError> {
    let head = conn
        .prepare_cached("SELECT seq, hash, booked_at FROM entry WHERE org_id = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([id.0], |row| {
            let head = Head { seq: EntrySeq(row.get(0)?), hash: row.get(1)? };
            Ok((head, Timestamp::from_micros(row.get(2)?)))
        })
        .optional()?;
    Ok(head)
}

pub(crate) fn account_balance(conn: &Connection, id: OrgId, account: Account) -> Result<Credits, StoreError> {
    let (name, number) = account.parts();
    let balance = conn
        .prepare_cached("SELECT balance FROM account WHERE org_id = ?1 AND account = ?2 AND number = ?3")?
        .query_row(params![id.0, name, number], |row| row.get(0))
        .optional()?;
    Ok(Credits::from_micros(balance.unwrap_or(0)))
}

fn carries(conn: &Connection, id: OrgId) -> Result<FxHashMap<(RateCardVersion, LineNo), Carry>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT version, line, carry FROM carry WHERE org_id = ?1")?;
    let rows = statement
        .query_map([id.0], |row| Ok(((RateCardVersion(row.get(0)?), LineNo(row.get(1)?)), Carry(row.get(2)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
