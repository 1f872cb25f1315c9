//! One org: the walk along its chain, and what must be left at its end.

use super::accounts::Accounts;
use super::chain::{Chain, Link};
use super::events::{Events, Settled, Statements, Stream};
use super::grants::Grants;
use super::holds::Holds;
use super::names::Names;
use super::prices::Prices;
use super::pruned::Pruned;
use super::replay::{Brought, Replay};
use super::rollups::Rollups;
use super::totals::Totals;
use super::voids::Voids;
use super::{Problems, PrunedEvents, Verified, alerts, interactions, traces, wide};
use crate::calendar::ZoneCalendar;
use crate::error::StoreError;
use crate::org;
use ledger::drawdown::Purse;
use ledger::settle::Settlement;
use ledger::{Account, Entry, EntryKind, OrgId, Timestamp};
use rusqlite::Connection;

/// How often progress is told, in events.
const PROGRESS_EVERY: i64 = 4_096;

/// Whether an entry settles events, all of which are up to that one.
pub(super) fn is_settled_before(entry: &Entry, last_event: i64) -> bool {
    entry.draft.kind.settles().is_some_and(|(_, last, _)| last.0 <= last_event)
}

/// Checks one org; tells what is wrong, the first broken entry first.
pub(super) fn org(
    conn: &Connection,
    org: OrgId,
    verified: &mut Verified,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<String>, StoreError> {
    // What is no entry is told after the first that is broken.
    let mut beside = Problems::default();
    let zone = beside.read("its time zone", org::zone(conn, org))?;
    let names = Names::load(conn, org);
    let names = beside.read("its meters", names)?.unwrap_or_default();
    let merged = beside.read("its sums of all time", Totals::merged(conn, org))?.unwrap_or(0);
    let pruned = Pruned::load(conn, org, &mut beside)?;
    let base = pruned.as_ref().map(|pruned| &pruned.base);
    let prices = Prices::load(conn, org, zone, base, &mut beside);
    let prices = beside.read("its rate cards", prices)?.unwrap_or_default();
    let mut walk = Walk {
        conn,
        org,
        problems: Problems::default(),
        chain: Chain::start(),
        accounts: Accounts::default(),
        grants: Grants::default(),
        holds: Holds::default(),
        voids: Voids::default(),
        events: Events::new(prices, names, merged, zone.map(Rollups::new), base),
        replay: zone.map(|zone| Replay::new(ZoneCalendar(zone), base.map_or(0, |base| base.last_event))),
        pruned,
        first: None,
        before: verified.events,
        progress,
    };
    let mut statements = Statements::new(conn)?;
    let pruned_to = walk.pruned.as_ref().map_or(0, |pruned| pruned.base.last_event);
    let whole = walk.run(&mut statements.stream(org, pruned_to)?)?;
    verified.pruned.extend(walk.pruned.as_ref().map(|pruned| PrunedEvents {
        org,
        events: pruned.base.last_event.unsigned_abs(),
        until: Timestamp::from_micros(pruned.base.until_at),
    }));
    verified.entries += walk.chain.head.seq.0.unsigned_abs();
    verified.events += walk.events.done().unsigned_abs();
    let mut problems = if whole { walk.finish()? } else { walk.problems };
    beside.told.into_iter().for_each(|problem| problems.say(problem));
    Ok(problems.told)
}

struct Walk<'w> {
    conn: &'w Connection,
    org: OrgId,
    problems: Problems,
    chain: Chain,
    accounts: Accounts,
    grants: Grants,
    holds: Holds,
    voids: Voids,
    events: Events,
    /// Gone once something cannot be followed.
    replay: Option<Replay>,
    /// What was pruned, if anything was.
    pruned: Option<Pruned>,
    first: Option<Entry>,
    /// Events of the orgs before this one.
    before: u64,
    progress: &'w mut dyn FnMut(u64),
}

impl Walk<'_> {
    /// Whether the chain could be followed to its end.
    fn run(&mut self, stream: &mut Stream<'_>) -> Result<bool, StoreError> {
        loop {
            let next = self.chain.next_seq();
            let read = self.chain.next(self.conn, self.org);
            let link = match self.problems.read(format!("{next} is the first broken entry: it"), read)? {
                Some(Some(link)) => link,
                Some(None) => return Ok(true),
                None => return Ok(false),
            };
            if let Err(problem) = self.chain.follow(&link) {
                self.problems.say(problem);
                return Ok(false);
            }
            if !self.take_up(&link, stream)? {
                return Ok(false);
            }
            self.first.get_or_insert(link.entry);
        }
    }

    /// Takes up an entry in all that is followed; whether the walk can go on.
    fn take_up(&mut self, link: &Link, stream: &mut Stream<'_>) -> Result<bool, StoreError> {
        let Self { conn, org, problems, accounts, .. } = self;
        let (conn, org, entry) = (*conn, *org, &link.entry);
        accounts.post(link, problems);
        if let Some(pruned) = &mut self.pruned {
            pruned.entry(entry, problems);
        }
        let grant = self.grants.entry(conn, org, entry, problems)?;
        let hold = self.holds.entry(conn, org, entry, accounts, problems)?;
        self.events.prices.entry(entry, problems);
        self.voids.entry(conn, org, entry, self.events.next, problems)?;
        let base = self.pruned.as_ref().map(|pruned| &pruned.base);
        self.events.prices.void(conn, org, entry, base, problems)?;
        let pruned_to = base.map_or(0, |base| base.last_event);
        let settled = match entry.draft.kind.settles() {
            None => None,
            Some((first, last, _)) if is_settled_before(entry, pruned_to) => {
                if !self.events.skip(entry, (first, last), problems) {
                    return Ok(false);
                }
                None
            }
            Some((first, last, _)) => {
                let Some(settled) = self.settle(entry, (first, last), stream)? else { return Ok(false) };
                Some(settled)
            }
        };
        if let Some(replay) = &mut self.replay {
            let brought = Brought { grant: grant.as_ref(), hold: hold.as_ref(), settled };
            replay.judge(conn, org, entry, brought, &mut self.problems)?;
            let applied = replay.apply(conn, org, entry, grant, hold);
            if self.problems.read(format!("what follows from {}", entry.seq), applied)?.is_none() {
                self.replay = None;
            }
        }
        Ok(true)
    }

    /// The events of an entry, settled again: root and sum.
    fn settle(
        &mut self,
        entry: &Entry,
        range: (ledger::EventSeq, ledger::EventSeq),
        stream: &mut Stream<'_>,
    ) -> Result<Option<Settled>, StoreError> {
        let none = || Purse::new([], entry.booked_at);
        let purse = match (&entry.draft.kind, &self.replay) {
            (EntryKind::Usage { .. }, Some(replay)) => replay.purse(entry.booked_at),
            _ => none(),
        };
        let (before, progress) = (self.before, &mut self.progress);
        let mut tell = |done: i64| {
            if done % PROGRESS_EVERY == 0 {
                progress(before + done.unsigned_abs());
            }
        };
        let settlement = Settlement::new(purse);
        let settled = self.events.settle(entry, range, settlement, stream, &mut self.problems, &mut tell)?;
        let Some(settled) = settled else { return Ok(None) };
        let Some((first, last, root)) = entry.draft.kind.settles() else { return Ok(None) };
        if settled.settlement.root() != *root {
            self.problems.say(format!("{}: the events {first} to {last} are not those it settled", entry.seq));
        }
        let (booked, total) = (crate::hold::captured(&entry.draft), settled.settlement.total());
        if booked != total {
            self.problems.say(format!("{} booked {booked} as consumed, its charges are {total}", entry.seq));
        }
        Ok(Some(settled))
    }

    /// What must be left at the end of the chain, and that nothing stands beside it.
    fn finish(self) -> Result<Problems, StoreError> {
        let Self {
            conn,
            org,
            mut problems,
            chain,
            accounts,
            grants,
            holds,
            voids,
            mut events,
            first,
            replay,
            pruned,
            ..
        } = self;
        replay.iter().for_each(|replay| replay.finish(&mut problems));
        let counted = chain.finish(conn, org);
        if let Some(Some(problem)) = problems.read("the chain's end", counted)? {
            problems.say(problem);
        }
        let held = problems.read("what is held", holds.held())?.unwrap_or_default();
        let checked = grants.finish(conn, org, &accounts, &held, &mut problems);
        problems.read("its grants", checked)?;
        let checked = holds.finish(conn, org, &accounts, &mut problems);
        problems.read("its holds", checked)?;
        let checked = voids.finish(conn, org, &mut problems);
        problems.read("its corrections", checked)?;
        let base = pruned.as_ref().map(|pruned| &pruned.base);
        if let Some(pruned) = &pruned {
            let checked = pruned.finish(conn, org, &mut events.identities, &mut problems);
            problems.read("what is left of pruned events", checked)?;
            let checked = events.take_up_wide(conn, org, &pruned.base);
            problems.read("its wide usage", checked)?;
        }
        let checked = events.prices.finish(conn, org, first.as_ref().map(|entry| &entry.draft.kind), &mut problems);
        problems.read("its carries", checked)?;
        let began = first.as_ref().and_then(Prices::began);
        let created_at = conn.query_row("SELECT created_at FROM org WHERE org_id = ?1", [org.0], |row| row.get(0));
        let created_at = problems.read("its row", created_at.map(Timestamp::from_micros).map_err(StoreError::from))?;
        if began.is_some() && began != created_at {
            problems.say("it was not made when its row says".to_owned());
        }
        let consumed = accounts.balance(Account::Consumed);
        let checked = events.finish(conn, org, consumed, base, &mut problems);
        problems.read("what is derived from its events", checked)?;
        if let Some(Some(zone)) = problems.read("its time zone", org::zone(conn, org).map(Some))? {
            let checked = wide::finish(conn, org, zone, base, &mut problems);
            problems.read("its wide usage", checked)?;
            let checked = traces::finish(conn, org, base, &mut problems);
            problems.read("its traces", checked)?;
            let checked = interactions::finish(conn, org, &mut problems);
            problems.read("its mapped interactions", checked)?;
            let checked = alerts::finish(conn, org, zone, &mut problems);
            problems.read("its alerts and budgets", checked)?;
        }
        let checked = accounts.finish(conn, org, &mut problems);
        problems.read("its accounts", checked)?;
        Ok(problems)
    }
}
