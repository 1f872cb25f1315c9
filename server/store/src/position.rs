//! Where an org's ledger stands, read from the tables: now for the writer, at any instant for readers.
//!
//! Two times. `as_of` asks how things stood then; `as_known_at` asks what was booked by then. What was booked up to both
//! is one cut through the chain, read off the postings' running balances: the cost is a look-up per grant, however long
//! the chain. Grants that were booked later but took effect earlier are added; then everything due is applied. So a
//! reading does not depend on when a job ran.

use crate::calendar::ZoneCalendar;
use crate::entry;
use crate::error::StoreError;
use crate::rows::unreadable;
use crate::{Store, grant, hold, org, policy};
use ledger::drawdown::Slot;
use ledger::position::Step;
use ledger::{Account, Balance, Credits, EntrySeq, GrantId, OrgId, Position, Refusal, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;

/// The two times of a reading; now where they are not said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct At {
    /// How things stood then. Later than now: how they will stand if nothing else happens.
    pub as_of: Option<Timestamp>,
    /// As far as it was booked then.
    pub as_known_at: Option<Timestamp>,
}

/// A position, and how it was come by.
pub(crate) struct Reading {
    pub(crate) position: Position,
    /// The instant it is the position at.
    pub(crate) as_of: Timestamp,
    /// What was booked after this does not count.
    pub(crate) known: Timestamp,
    /// The last entry that counts; `None` where all do.
    pub(crate) cut: Option<EntrySeq>,
    /// What was due and not booked.
    pub(crate) steps: Vec<Step>,
}

impl Store {
    /// What the org has now. What is due by now counts, whether it is booked yet or not.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn balance(&self, org: OrgId) -> Result<Balance, StoreError> {
        Ok(self.balance_at(org, At::default()).await?.0)
    }

    /// What the org had, and the instant at which.
    ///
    /// # Errors
    /// [`Refusal::NotKnownYet`]; [`StoreError::NotFound`] for the org.
    pub async fn balance_at(&self, org: OrgId, at: At) -> Result<(Balance, Timestamp), StoreError> {
        let now = self.now();
        let run = move |conn: &Connection| {
            let Reading { position, as_of, .. } = read(conn, org, at, now)?;
            Ok((position.balance(as_of)?, as_of))
        };
        self.read(run).await
    }
}

/// The position that everything booked leads to, and the number of the next grant.
pub(crate) fn load(conn: &Connection, id: OrgId) -> Result<(Position, GrantId), StoreError> {
    let mut position = Position::start(policy::of(conn, id)?);
    if let Some((_, booked_at)) = entry::last(conn, id)? {
        (position.settled_to, position.at) = (booked_at, booked_at);
    }
    position.debt = balance_of(conn, id, Account::Debt)?.negated()?;
    position.slots = slots(conn, SLOTS_NOW, params![id.0])?;
    position.holds = hold::pending(conn, id)?;
    admit_held(conn, id, &mut position)?;
    Ok((position, grant::next_id(conn, id)?))
}

/// The position at the two times of `at`.
pub(crate) fn read(conn: &Connection, id: OrgId, at: At, now: Timestamp) -> Result<Reading, StoreError> {
    let calendar = ZoneCalendar(org::zone(conn, id)?);
    let last = entry::last(conn, id)?;
    // A clock that jumped back does not make what is booked unknown.
    let now = last.map_or(now, |(_, booked_at)| now.max(booked_at));
    let known = at.as_known_at.unwrap_or(now);
    if known > now {
        return Err(Refusal::NotKnownYet.into());
    }
    let as_of = at.as_of.unwrap_or(known);
    if last.is_none_or(|(_, booked_at)| booked_at <= known.min(as_of)) {
        let (mut position, next) = load(conn, id)?;
        let steps = position.advance(as_of, next, &calendar)?;
        return Ok(Reading { position, as_of, known, cut: None, steps });
    }
    let (mut position, next, cut) = load_at(conn, id, as_of, known)?;
    let told = slots(conn, SLOTS_BACKDATED, params![id.0, cut.0, as_of.micros(), known.micros()])?;
    let steps = with_hindsight(&mut position, told, next, as_of, &calendar)?;
    Ok(Reading { position, as_of, known, cut: Some(cut), steps })
}

/// Applies what is due until `as_of` to a position to which grants were told later that were in effect by then. What is
/// made by it has the numbers that it really got, which are those from `next` on that no told grant has.
fn with_hindsight(
    position: &mut Position,
    told: Vec<Slot>,
    next: GrantId,
    as_of: Timestamp,
    calendar: &ZoneCalendar,
) -> Result<Vec<Step>, StoreError> {
    let mut taken: BTreeSet<GrantId> = told.iter().map(|slot| slot.grant.id).collect();
    let mut steps = Vec::new();
    let mut follow = |position: &mut Position, step: Step, taken: &mut BTreeSet<GrantId>| {
        if let Some(child) = &step.child {
            taken.insert(child.id);
            position.admit(child.clone());
        }
        position.apply(&step.draft)?;
        steps.push(step);
        Ok::<(), StoreError>(())
    };
    let (over, open): (Vec<Slot>, Vec<Slot>) = told.into_iter().partition(|slot| slot.grant.is_expired(as_of));
    position.slots.extend(open);
    while let Some(step) = position.next_step(as_of, free(&taken, next), calendar)? {
        follow(position, step, &mut taken)?;
    }
    // Over when they were told: by then everything else had happened.
    for slot in over {
        let id = slot.grant.id;
        position.slots.push(slot);
        let step = position.end_late(id, free(&taken, id), calendar)?;
        follow(position, step, &mut taken)?;
    }
    while let Some(step) = position.next_step(as_of, free(&taken, next), calendar)? {
        follow(position, step, &mut taken)?;
    }
    Ok(steps)
}

/// The first number from `next` on that is not taken.
fn free(taken: &BTreeSet<GrantId>, next: GrantId) -> GrantId {
    let mut free = next;
    while taken.contains(&free) {
        free = GrantId(free.0 + 1);
    }
    free
}

/// The position after the last entry of both times, the number of the next grant, and that entry.
fn load_at(
    conn: &Connection,
    id: OrgId,
    as_of: Timestamp,
    known: Timestamp,
) -> Result<(Position, GrantId, EntrySeq), StoreError> {
    let found: Option<(i64, i64)> = conn
        .prepare_cached(
            "SELECT seq, booked_at FROM entry WHERE org_id = ?1 AND booked_at <= ?2 ORDER BY booked_at DESC, seq DESC LIMIT 1",
        )?
        .query_row([id.0, known.min(as_of).micros()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let cut = found.map_or(0, |(seq, _)| seq);
    let mut position = Position::start(policy::of(conn, id)?);
    if let Some((_, booked_at)) = found {
        position.settled_to = Timestamp::from_micros(booked_at);
        position.at = position.settled_to;
    }
    position.debt = balance_at(conn, id, Account::Debt, cut)?.negated()?;
    position.slots = slots(conn, SLOTS_AT, params![id.0, cut])?;
    position.holds = hold::pending_at(conn, id, cut)?;
    admit_held(conn, id, &mut position)?;
    let next = conn
        .prepare_cached(
            "SELECT coalesce(max(grant_id), 0) + 1 FROM credit_grant WHERE org_id = ?1 AND given_seq <= ?2",
        )?
        .query_row([id.0, cut], |row| row.get(0).map(GrantId))?;
    Ok((position, next, EntrySeq(cut)))
}

const SLOTS_NOW: &str = concat!(
    "SELECT ",
    grant::columns!(),
    ", a.balance FROM account a CROSS JOIN credit_grant g ON g.org_id = a.org_id AND g.grant_id = a.number
     WHERE a.org_id = ?1 AND a.account = 'grant' AND a.balance > 0"
);
const SLOTS_AT: &str = concat!(
    "SELECT * FROM (SELECT ",
    grant::columns!(),
    ", (SELECT p.balance FROM posting p WHERE p.org_id = g.org_id AND p.account = 'grant' AND p.number = g.grant_id AND p.entry_seq <= ?2
        ORDER BY p.entry_seq DESC, p.ordinal DESC LIMIT 1) AS left
     FROM credit_grant g WHERE g.org_id = ?1 AND g.given_seq <= ?2) WHERE left > 0"
);
// Told later, in effect earlier.
const SLOTS_BACKDATED: &str = concat!(
    "SELECT ",
    grant::columns!(),
    ", g.amount FROM credit_grant g JOIN entry e ON e.org_id = g.org_id AND e.seq = g.given_seq
     WHERE g.org_id = ?1 AND g.given_seq > ?2 AND e.kind = 'grant' AND e.happened_at <= ?3 AND e.booked_at <= ?4
     ORDER BY g.grant_id"
);

fn slots(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Slot>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut slots = Vec::new();
    while let Some(row) = rows.next()? {
        slots.push(Slot { grant: grant::grant_of(row)?, left: Credits::from_micros(row.get(grant::COLUMNS)?) });
    }
    Ok(slots)
}

/// Grants of which nothing is left stay in sight as long as a hold may give something back to them.
fn admit_held(conn: &Connection, id: OrgId, position: &mut Position) -> Result<(), StoreError> {
    let held: Vec<GrantId> =
        position.holds.iter().flat_map(|hold| hold.reserved.iter().map(|(grant, _)| *grant)).collect();
    for grant_id in held {
        if !position.slots.iter().any(|slot| slot.grant.id == grant_id) {
            position.admit(grant::find(conn, id, grant_id)?.ok_or_else(|| unreadable("part of a hold"))?);
        }
    }
    Ok(())
}

/// The cached balance of an account.
pub(crate) fn balance_of(conn: &Connection, id: OrgId, account: Account) -> Result<Credits, StoreError> {
    let (name, number) = account.parts();
    let balance = conn
        .prepare_cached("SELECT balance FROM account WHERE org_id = ?1 AND account = ?2 AND number = ?3")?
        .query_row(params![id.0, name, number], |row| row.get(0))
        .optional()?;
    Ok(Credits::from_micros(balance.unwrap_or(0)))
}

/// What an account held after the entry `cut`.
pub(crate) fn balance_at(conn: &Connection, id: OrgId, account: Account, cut: i64) -> Result<Credits, StoreError> {
    let (name, number) = account.parts();
    let balance = conn
        .prepare_cached(
            "SELECT balance FROM posting WHERE org_id = ?1 AND account = ?2 AND number = ?3 AND entry_seq <= ?4
             ORDER BY entry_seq DESC, ordinal DESC LIMIT 1",
        )?
        .query_row(params![id.0, name, number, cut], |row| row.get(0))
        .optional()?;
    Ok(Credits::from_micros(balance.unwrap_or(0)))
}

/// What was left of each grant after an entry: what a drawdown of that moment started from.
pub(crate) fn slots_after(conn: &Connection, id: OrgId, cut: EntrySeq) -> Result<Vec<Slot>, StoreError> {
    slots(conn, SLOTS_AT, params![id.0, cut.0])
}
