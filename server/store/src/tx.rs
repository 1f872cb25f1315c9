//! Inside the writer's transaction: what it knows of each org, and the only way to book an entry.
//!
//! An [`OrgCache`] is what the tables say, read once and kept as long as transactions succeed; after any failure all
//! caches are dropped and read again. Usage that was ingested but not yet booked waits in [`OrgCache::pending`] and in
//! the rollup deltas; [`Tx::settle_all`] books it, at the latest before the commit.

use crate::alert::Watching;
use crate::calendar::ZoneCalendar;
use crate::clock::Clock;
use crate::dimension::Dimensions;
use crate::error::StoreError;
use crate::identity::Identities;
use crate::line_state::LineStates;
use crate::meter::Meters;
use crate::outbox::caused::Watch;
use crate::rollup::Deltas;
use crate::{entry, grant, org, position, rate_card, subscription};
use chrono_tz::Tz;
use ledger::card::Prices;
use ledger::entry::{Draft, Head};
use ledger::settle::{self, Settlement};
use ledger::{
    Account, Credits, Entry, EntryKind, EntrySeq, Grant, GrantId, Hold, OrgId, Position, Posting, Refusal, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::{FxHashMap, FxHashSet};

/// Orgs kept in memory, at most.
const MAX_ORGS: usize = 1_024;
/// Identities and names kept in memory over all orgs, at most: some 64 bytes each.
const MAX_REMEMBERED: usize = 500_000;

/// What the writer knows of one org.
pub(crate) struct OrgCache {
    pub(crate) zone: Tz,
    pub(crate) prices: Prices,
    pub(crate) lines: LineStates,
    pub(crate) meters: Meters,
    pub(crate) dimensions: Dimensions,
    pub(crate) identities: Identities,
    pub(crate) totals: OrgTotals,
    pub(crate) deltas: Deltas,
    pub(crate) next_event: i64,
    pub(crate) position: Position,
    pub(crate) next_grant: GrantId,
    pub(crate) consumed: Credits,
    /// When the cycle of its subscription ends: from then on another is due.
    pub(crate) next_cycle: Option<Timestamp>,
    /// What was last said of its balance.
    pub(crate) watch: Watch,
    pub(crate) pending: Option<Settlement>,
    pub(crate) pending_cause: String,
    /// Its alerts and budgets; `None` where it has none.
    pub(crate) alerts: Option<Box<Watching>>,
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
    /// Orgs whose chain has grown since the last commit; those of a request that was undone too, which wakes somebody in vain.
    booked: FxHashSet<OrgId>,
    /// Orgs of whose balance it must be seen whether something is to be said.
    unweighed: FxHashSet<OrgId>,
    /// The same where it is only to be noted: their past came in.
    weighed_quietly: FxHashSet<OrgId>,
}

impl Caches {
    /// Forgets everything: the tables are the truth.
    pub(crate) fn clear(&mut self) {
        self.orgs.clear();
        self.booked.clear();
        self.unweighed.clear();
        self.weighed_quietly.clear();
    }

    /// The orgs whose chain has grown, once it is on disk.
    pub(crate) fn take_booked(&mut self) -> FxHashSet<OrgId> {
        std::mem::take(&mut self.booked)
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
        let head = entry::last(conn, id)?;
        let (position, next_grant) = position::load(conn, id)?;
        let next_event: i64 = conn
            .prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM identity WHERE org_id = ?1")?
            .query_row([id.0], |row| row.get(0))?;
        let (merged, totals) = org::totals(conn, id)?;
        Ok(Self {
            zone,
            prices: rate_card::prices(conn, id)?,
            lines: LineStates::load(conn, id)?,
            meters: Meters::load(conn, id)?,
            dimensions: Dimensions::default(),
            identities: Identities::load(conn, id, merged)?,
            totals,
            deltas: Deltas::default(),
            next_event,
            position,
            next_grant,
            consumed: position::balance_of(conn, id, Account::Consumed)?,
            next_cycle: subscription::cycle_end(conn, id)?,
            watch: Watch::load(conn, id)?,
            pending: None,
            pending_cause: String::new(),
            alerts: Watching::load(conn, id)?,
            head: head.map_or(Head::START, |(head, _)| head),
            last_booked: head.map_or(Timestamp::from_micros(i64::MIN), |(_, booked)| booked),
            used: 0,
        })
    }

    /// The hold whose time has run out by what is to be booked.
    fn hold_ended_by(&self, draft: &Draft) -> Option<Hold> {
        let EntryKind::HoldExpiry { hold: id } = draft.kind else { return None };
        self.position.holds.iter().find(|hold| hold.id == id).cloned()
    }

    /// The last entry of the chain.
    pub(crate) const fn head_seq(&self) -> EntrySeq {
        self.head.seq
    }
}

/// The writer's transaction.
pub(crate) struct Tx<'w> {
    pub(crate) conn: &'w Connection,
    caches: &'w mut Caches,
    /// Orgs that the request at hand has looked at.
    touched: FxHashSet<OrgId>,
    /// What the machine's clock says.
    clock: Timestamp,
    /// The present of the org that was asked for last.
    now: Timestamp,
    /// Whether what happens is news to nobody.
    pub(crate) is_past: bool,
}

impl<'w> Tx<'w> {
    pub(crate) fn new(conn: &'w Connection, clock: &dyn Clock, caches: &'w mut Caches) -> Self {
        let now = clock.now();
        Self { conn, caches, touched: FxHashSet::default(), clock: now, now, is_past: clock.is_past() }
    }

    /// Forgets an org that is being deleted; what was taken for it is booked before.
    pub(crate) fn forget(&mut self, org: OrgId) {
        self.touched.remove(&org);
        self.caches.orgs.remove(&org);
        self.caches.unweighed.remove(&org);
        self.caches.weighed_quietly.remove(&org);
    }

    /// A new request begins.
    pub(crate) fn begin_request(&mut self) {
        self.touched.clear();
        self.now = self.clock;
    }

    /// What the request at hand did is undone: the orgs it looked at are read again.
    pub(crate) fn forget_request(&mut self) {
        for id in self.touched.drain() {
            self.caches.orgs.remove(&id);
        }
    }

    /// The instant at which everything of the org that was looked at last is booked: the same in all of this transaction,
    /// and never before what that org booked last, also where the machine's clock jumped back. Each org has its own: what
    /// one booked while the clock was ahead must not move another past what is due in between.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// What is known of an org, read if need be.
    pub(crate) fn org(&mut self, id: OrgId) -> Result<&mut OrgCache, StoreError> {
        self.caches.tick += 1;
        let tick = self.caches.tick;
        if !self.caches.orgs.contains_key(&id) {
            let org = OrgCache::load(self.conn, id)?;
            self.caches.orgs.insert(id, Box::new(org));
        }
        let org = self.caches.orgs.get_mut(&id).ok_or(StoreError::NotFound("organization"))?;
        self.now = self.clock.max(org.last_booked);
        org.used = tick;
        self.touched.insert(id);
        Ok(org)
    }

    /// Wakes who watches an org although nothing is booked: what its pages show has changed.
    pub(crate) fn moved(&mut self, id: OrgId) {
        self.caches.booked.insert(id);
    }

    /// The orgs whose chain has grown in this transaction, or whose pages show something new.
    pub(crate) fn booked(&self) -> Vec<OrgId> {
        self.caches.booked.iter().copied().collect()
    }

    /// Has the balance of an org looked at before the commit.
    pub(crate) fn weigh_later(&mut self, id: OrgId) {
        self.caches.unweighed.insert(id);
    }

    /// Has it noted where the balance of an org stands, unless something else in the commit has it looked at.
    pub(crate) fn weigh_quietly(&mut self, id: OrgId) {
        self.caches.weighed_quietly.insert(id);
    }

    /// The orgs whose balance must be looked at, each with whether what is found is told.
    pub(crate) fn take_unweighed(&mut self) -> Vec<(OrgId, bool)> {
        let loud = std::mem::take(&mut self.caches.unweighed);
        let quiet = std::mem::take(&mut self.caches.weighed_quietly);
        let quiet = quiet.into_iter().filter(|id| !loud.contains(id)).map(|id| (id, false)).collect::<Vec<_>>();
        loud.into_iter().map(|id| (id, true)).chain(quiet).collect()
    }

    /// Makes sure that a settlement is open for an org: first what is due is booked, then the purse is made.
    pub(crate) fn open_settlement(&mut self, id: OrgId, cause: &str) -> Result<(), StoreError> {
        if self.org(id)?.pending.is_some() {
            return Ok(());
        }
        self.settle_due(id)?;
        let now = self.now;
        let org = self.org(id)?;
        org.pending = Some(Settlement::new(org.position.purse(now)));
        org.pending_cause.clear();
        org.pending_cause.push_str(cause);
        Ok(())
    }

    /// Books everything that the passing of time has caused until now. Comes before and after whatever else is booked.
    pub(crate) fn settle_due(&mut self, id: OrgId) -> Result<usize, StoreError> {
        self.org(id)?;
        let now = self.now;
        let mut booked = match self.org(id)?.next_cycle {
            Some(end) if end <= now => self.begin_cycles(id)?,
            _ => 0,
        };
        loop {
            // Asked for first: it makes the present that of this org.
            self.org(id)?;
            let now = self.now;
            let org = self.org(id)?;
            let Some(step) = org.position.next_step(now, org.next_grant, &ZoneCalendar(org.zone))? else {
                org.position.settled(now);
                return Ok(booked);
            };
            self.book_with(id, step.draft, step.child.as_ref())?;
            booked += 1;
        }
    }

    /// Books one entry that gives a grant, or may.
    pub(crate) fn book_with(&mut self, id: OrgId, draft: Draft, given: Option<&Grant>) -> Result<Entry, StoreError> {
        if let Some(grant) = given {
            let org = self.org(id)?;
            let seq = EntrySeq(org.head.seq.0 + 1);
            org.next_grant = GrantId(grant.id.0 + 1);
            grant::insert(self.conn, id, grant, seq)?;
            let org = self.org(id)?;
            if let Some(alerts) = &mut org.alerts {
                // A plan may have given more in this cycle.
                alerts.forget_cycle();
            }
            org.position.admit(grant.clone());
        }
        let entry = self.book_given(id, draft, given)?;
        if given.is_some() {
            // All that was ever given must fit, so that no balance can come to be that does not.
            let funding = position::balance_of(self.conn, id, Account::Funding)?;
            funding.plus(position::balance_of(self.conn, id, Account::Adjustment)?)?.negated()?;
        }
        Ok(entry)
    }

    /// Books one entry that gives nothing.
    pub(crate) fn book(&mut self, id: OrgId, draft: Draft) -> Result<Entry, StoreError> {
        self.book_given(id, draft, None)
    }

    /// Books one entry: the only way into the ledger.
    fn book_given(&mut self, id: OrgId, draft: Draft, given: Option<&Grant>) -> Result<Entry, StoreError> {
        self.org(id)?;
        let (now, conn) = (self.now, self.conn);
        let org = self.org(id)?;
        let ended = org.hold_ended_by(&draft);
        let entry = Entry::seal(id, org.head, now, draft)?;
        entry::insert(conn, &entry)?;
        for (posting, ordinal) in entry.draft.postings.iter().zip(0_i64..) {
            let balance = add_to_account(conn, id, posting)?;
            let (name, number) = posting.account.parts();
            conn.prepare_cached(
                "INSERT INTO posting (org_id, entry_seq, ordinal, account, number, amount, balance) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![id.0, entry.seq.0, ordinal, name, number, posting.amount.micros(), balance])?;
        }
        crate::hold::follow(conn, &entry)?;
        org.head = entry.head();
        org.last_booked = now;
        self.caches.booked.insert(id);
        let org = self.org(id)?;
        org.position.apply(&entry.draft)?;
        for posting in entry.draft.postings.iter().filter(|posting| posting.account == Account::Consumed) {
            org.consumed = org.consumed.plus(posting.amount)?;
        }
        // Usage is weighed where it comes in, since that of the past is not.
        if !matches!(entry.draft.kind, EntryKind::Usage { .. }) {
            self.weigh_later(id);
        }
        self.announce_entry(id, &entry, ended, given)?;
        Ok(entry)
    }

    /// Books what was ingested of every org, writes its rollups, and says what crossing a line gives to say.
    pub(crate) fn settle_all(&mut self) -> Result<(), StoreError> {
        let waiting: Vec<OrgId> =
            self.caches.orgs.iter().filter(|(_, org)| org.pending.is_some()).map(|(id, _)| *id).collect();
        waiting.into_iter().try_for_each(|id| self.settle(id))?;
        self.weigh_all()
    }

    fn settle(&mut self, id: OrgId) -> Result<(), StoreError> {
        self.org(id)?;
        let now = self.now;
        let org = self.org(id)?;
        let cause = std::mem::take(&mut org.pending_cause);
        let Some(pending) = org.pending.take() else { return Ok(()) };
        // It is the next grant: what usage books gives none.
        let returned = pending.returned_grant(org.next_grant, now);
        let Some(draft) = pending.finish(now, &cause) else { return Ok(()) };
        self.write_derived(id)?;
        self.book(id, draft)?;
        if let Some(grant) = returned {
            let is_quiet = self.caches.weighed_quietly.contains(&id) && !self.caches.unweighed.contains(&id);
            self.book_with(id, settle::give(&grant, now, &cause)?, Some(&grant))?;
            self.settle_due(id)?;
            // What usage of the past gave back is as little news as what it took.
            if is_quiet {
                self.caches.unweighed.remove(&id);
            }
        }
        Ok(())
    }

    /// Writes what events change besides their own rows: carries, rollups, sums, older identities.
    pub(crate) fn write_derived(&mut self, id: OrgId) -> Result<(), StoreError> {
        let conn = self.conn;
        let org = self.org(id)?;
        org.lines.write(conn, id)?;
        org.deltas.write(conn, id, org.zone)?;
        org.meters.write_totals(conn, id)?;
        org.identities.merge_if_full(conn, id, org.next_event - 1)?;
        if let Some(alerts) = &mut org.alerts {
            alerts.write(conn, id)?;
        }
        org::write_totals(conn, id, org.totals)
    }
}

/// Moves the cached balance of an account and tells what it is then. Updated before inserted: a row to be inserted is
/// checked by itself, and a withdrawal alone would be below zero. SQLite would make a float of a sum that does not fit.
fn add_to_account(conn: &Connection, id: OrgId, posting: &Posting) -> Result<i64, StoreError> {
    let (name, number) = posting.account.parts();
    let values = params![id.0, name, number, posting.amount.micros()];
    let moved = conn
        .prepare_cached(
            "UPDATE account SET balance = balance + ?4
             WHERE org_id = ?1 AND account = ?2 AND number = ?3 AND typeof(balance + ?4) = 'integer' RETURNING balance",
        )?
        .query_row(values, |row| row.get(0))
        .optional()?;
    if let Some(balance) = moved {
        return Ok(balance);
    }
    let inserted = conn
        .prepare_cached(
            "INSERT INTO account (org_id, account, number, balance) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(values)?;
    if inserted == 0 { Err(Refusal::AmountOverflow.into()) } else { Ok(posting.amount.micros()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;
    use crate::{NewGrant, NewOrg, Options, Store, open, verify};
    use ledger::event::Form;
    use ledger::{Event, GrantKind, Scope, Words};
    use std::sync::Arc;

    /// 2026-11-21T12:00:00Z, so many minutes later.
    fn minute(minutes: i64) -> Timestamp {
        Timestamp::from_micros(1_795_262_400_000_000 + minutes * 60_000_000)
    }

    /// The clock jumped back after one org had booked. Another org that shares a commit with it must not be carried along
    /// into a time at which its grant is over, having drawn from it.
    #[tokio::test]
    async fn an_org_that_is_ahead_of_the_clock_takes_no_other_along() {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(FixedClock::at(minute(0)));
        let store = Store::open(Options { clock: Arc::clone(&clock) as _, ..Options::new(dir.path()) }).await;
        let store = store.expect("opens");
        let mut orgs = Vec::new();
        for name in ["Acme", "Bolt"] {
            let new = NewOrg {
                offers: crate::offer::Offers::default(),
                name: name.to_owned(),
                zone: "UTC".to_owned(),
                synthetic: false,
                words: Words::default(),
                meters: vec![],
                agents: vec![],
                lines: serde_json::from_str(r#"[{"meter":"export","rule":"unit","price":"1"}]"#).expect("valid"),
            };
            orgs.push(store.create_org(new).await.expect("a new org").id);
        }
        let grant = NewGrant {
            kind: GrantKind::Promotion,
            amount: Credits::from_micros(5_000_000),
            priority: 0,
            scope: Scope::default(),
            effective_at: None,
            expires_at: Some(minute(1)),
            description: "soon over".to_owned(),
            cost: None,
            rollover: None,
        };
        store.give_grant(orgs[0], "test".to_owned(), grant, None).await.expect("a good grant");
        let export = |id: &str| {
            let json = format!(r#"{{"id":"{id}","source":"api","type":"export"}}"#);
            Event::from_json(&json, Form::Plain).expect("a good event")
        };
        clock.set(minute(5));
        store.ingest(orgs[1], "test".to_owned(), vec![export("1")]).await.expect("accepted");
        store.close().await;

        let conn = open::open_writer(&open::database_path(dir.path()), false).expect("opens");
        conn.execute_batch("BEGIN IMMEDIATE").expect("begins");
        let mut caches = Caches::default();
        let mut tx = Tx::new(&conn, &FixedClock::at(minute(0)), &mut caches);
        for org in &orgs {
            tx.ingest_one(*org, "test", export("2")).expect("accepted");
        }
        tx.settle_all().expect("settles");
        conn.execute_batch("COMMIT").expect("commits");
        assert_eq!(verify::verify(&conn, |_| ()).expect("readable").problems, Vec::<String>::new());
    }
}
