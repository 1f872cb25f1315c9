//! The next entries whose events are older than an org keeps: what those leave behind, added up beside the writer and put down
//! by it. From then on they are pruned.

use super::base::{LaterVoid, each_identity, each_name, fact_print, name_print};
use super::{Base, DAY_MICROS, Print, days_in_force, pruned_to};
use crate::Store;
use crate::entry::{entry_of, entry_sql};
use crate::error::StoreError;
use crate::event::{charge_of, charge_sql, charges_of, event_sql, said};
use crate::mark::newest_event;
use crate::rate_card::{card_of, prices};
use crate::rows::unreadable;
use crate::trace::pruned::Pruned;
use crate::trace::sums::{Fact, Key};
use crate::wide::check::facts_of;
use crate::{trace, wide};
use ledger::canon::Canon;
use ledger::card::Prices;
use ledger::settle::Charge;
use ledger::{EntryKind, EventSeq, LineStates, Meter, OrgId, RateCard, RateCardVersion, Refusal, Timestamp};
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Events after which a step begins no further entry; one entry has at most some 20,000.
const STEP: i64 = 2_048;
/// Entries that one step looks at, at most.
const ENTRIES: i64 = 1_024;

/// A step, with what it was made from: if that has changed since, it is made again.
struct Made {
    org: OrgId,
    after: i64,
    changes: (i64, i64),
    base: Base,
    traces: BTreeMap<Key, Pruned>,
    uses: Vec<Key>,
}

impl Store {
    /// Seals the next entries of an org, if they are old enough; tells how many events that were.
    pub(super) async fn seal_some(&self, org: OrgId, now: Timestamp) -> Result<u64, StoreError> {
        let Some(made) = self.read(move |conn| make(conn, org, now)).await? else { return Ok(0) };
        let count = u64::try_from(made.base.last_event - made.after).unwrap_or_default();
        let put = self.writer().call(0, move |tx| put(tx.conn, &made, now)).await?;
        // What was made in vain is made again at once, so that is no end either.
        Ok(if put { count } else { 1 })
    }
}

fn make(conn: &Connection, org: OrgId, now: Timestamp) -> Result<Option<Made>, StoreError> {
    let Some(days) = days_in_force(conn, org)? else { return Ok(None) };
    let before = now.micros().saturating_sub(i64::from(days).saturating_mul(DAY_MICROS));
    let old = Base::find(conn, org)?.unwrap_or_default();
    let Some(next) = next(conn, org, &old, before)? else { return Ok(None) };
    let range = (old.last_event, next.last_event);
    let mut base =
        Base { last_event: next.last_event, last_entry: next.last_entry, until_at: next.until_at, ..old.clone() };
    let traces = add_events(conn, org, range, &mut base)?;
    let uses = add_uses(conn, org, range, &mut base)?;
    add_names(conn, org, range, &mut base)?;
    add_lines(conn, org, &old, &mut base)?;
    Ok(Some(Made { org, after: old.last_event, changes: wide::changes(conn, org)?, base, traces, uses }))
}

/// Where a step ends: event, entry, and when that was booked.
struct Next {
    last_event: i64,
    last_entry: i64,
    until_at: i64,
}

/// The entries behind the last one, booked before an instant, of which everything is taken up; `None` where there is none.
fn next(conn: &Connection, org: OrgId, old: &Base, before: i64) -> Result<Option<Next>, StoreError> {
    let most = wide::last_event(conn, org)?.min(trace::made(conn, org)?.0).min(newest_event(conn, org)?);
    let sql = "SELECT last_event, seq, booked_at FROM entry WHERE org_id = ?1 AND first_event > ?2 ORDER BY first_event LIMIT ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![org.0, old.last_event, ENTRIES])?;
    let mut next: Option<Next> = None;
    while let Some(row) = rows.next()? {
        let found = Next { last_event: row.get(0)?, last_entry: row.get(1)?, until_at: row.get(2)? };
        let is_full = next.as_ref().is_some_and(|next| next.last_event - old.last_event >= STEP);
        if is_full || found.until_at >= before || found.last_event > most {
            break;
        }
        next = Some(found);
    }
    Ok(next)
}

/// Sums over the events, and what they add to traces.
fn add_events(
    conn: &Connection,
    org: OrgId,
    range: (i64, i64),
    base: &mut Base,
) -> Result<BTreeMap<Key, Pruned>, StoreError> {
    let sum = |a: i64, b: i64| a.checked_add(b).ok_or(StoreError::Refused(Refusal::AmountOverflow));
    let mut touched: BTreeMap<Key, Pruned> = BTreeMap::new();
    let mut facts: Vec<Fact> = Vec::new();
    trace::sums::each(conn, org, range, |fact| {
        facts.push(fact);
        Ok(true)
    })?;
    for fact in &facts {
        base.failed = sum(base.failed, fact.failed)?;
        base.bytes = sum(base.bytes, fact.bytes)?;
        base.beside += i64::from(fact.keys().next().is_none());
        if !fact.stands {
            continue;
        }
        base.standing = sum(base.standing, fact.micros)?;
        for key in fact.keys() {
            if let Some(there) = touched.get_mut(&key) {
                there.add(fact, key.0)?;
                continue;
            }
            let pruned = match Pruned::find(conn, org, key)? {
                Some(mut there) => {
                    base.traces_print.add(there.print(key, -1));
                    there.add(fact, key.0)?;
                    there
                }
                None => Pruned::new(fact, key.0),
            };
            touched.insert(key, pruned);
        }
    }
    touched.iter().for_each(|(key, pruned)| base.traces_print.add(pruned.print(*key, 1)));
    facts_of(conn, org, range)?.iter().for_each(|fact| base.facts_print.add(fact_print(fact)));
    Ok(touched)
}

/// Sums by meter, and which meters workflows used.
fn add_uses(conn: &Connection, org: OrgId, range: (i64, i64), base: &mut Base) -> Result<Vec<Key>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT c.meter_id, c.credits, c.quantity, c.quantity_micros,
            NOT EXISTS (SELECT 1 FROM voided v WHERE v.org_id = c.org_id AND v.event_seq = c.seq)
         FROM charge c WHERE c.org_id = ?1 AND c.seq > ?2 AND c.seq <= ?3",
    )?;
    let mut rows = statement.query(params![org.0, range.0, range.1])?;
    while let Some(row) = rows.next()? {
        let [credits, whole, micros] = base.meters.entry(row.get(0)?).or_default();
        if row.get(4)? {
            let used = ledger::Quantity::from_parts(*whole, *micros).micros()
                + ledger::Quantity::from_parts(row.get(2)?, row.get(3)?).micros();
            (*whole, *micros) = ledger::Quantity::from_micros(used).parts()?;
            *credits = credits.checked_add(row.get(1)?).ok_or(Refusal::AmountOverflow)?;
        }
    }
    let sql = "SELECT pruned FROM workflow_meter WHERE org_id = ?1 AND workflow_id = ?2 AND meter_id = ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let mut fresh = Vec::new();
    for key in trace::sums::uses(conn, org, range)? {
        if !statement.query_row(params![org.0, key.0, key.1], |row| row.get::<_, bool>(0))? {
            base.uses_print.add(use_print(key, 1));
            fresh.push(key);
        }
    }
    Ok(fresh)
}

/// What a meter that a workflow used counts, by what its row says.
pub(super) fn use_print((workflow, meter): Key, pruned: i64) -> Print {
    Print::of(Canon::new("scrip-pruned-use").int(workflow).int(meter), pruned.into())
}

fn add_names(conn: &Connection, org: OrgId, range: (i64, i64), base: &mut Base) -> Result<(), StoreError> {
    let mut last: BTreeMap<i64, i64> = BTreeMap::new();
    let mut print = base.names_print;
    each_name(conn, org, &base.names, false, |kind, id, text| {
        print.add(name_print(kind, id, text));
        let last = last.entry(kind).or_default();
        *last = id.max(*last);
    })?;
    base.names_print = print;
    base.names.extend(last);
    let print = &mut base.identities_print;
    each_identity(conn, org, range, |_, _, _, one| print.add(one))
}

/// What rate lines have after the last entry: from where they stood, over what the entries since then charged and took back.
fn add_lines(conn: &Connection, org: OrgId, old: &Base, base: &mut Base) -> Result<(), StoreError> {
    let (carries, cycles) = old.lines()?;
    let (mut states, prices) = (LineStates::new(carries, cycles), prices(conn, org)?);
    let mut cards = Cards::default();
    let sql = concat!(entry_sql!(), "WHERE e.org_id = ?1 AND e.seq > ?2 AND e.seq <= ?3 ORDER BY e.seq");
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([org.0, old.last_entry, base.last_entry])?;
    while let Some(row) = rows.next()? {
        let entry = entry_of(org, row)?;
        match &entry.draft.kind {
            EntryKind::Void { event, tiers: true, .. } if old.has(*event) => {
                for void in old.voids.iter().filter(|void| void.entry == entry.seq.0) {
                    states.take_back(&prices, &void.charge()?)?;
                }
            }
            EntryKind::Void { event, tiers: true, .. } => {
                for charge in charges_of(conn, org, *event)? {
                    states.take_back(&prices, &charge)?;
                }
            }
            kind => {
                if let Some((first, last, _)) = kind.settles() {
                    take_up(conn, org, (first, last), &mut cards, (&prices, &mut states))?;
                }
            }
        }
    }
    base.set_lines(&states)?;
    base.voids.retain(|void| void.entry > base.last_entry);
    add_later_voids(conn, org, old, base)
}

/// Cards by version; those of captures differ by meter.
#[derive(Default)]
struct Cards(FxHashMap<(RateCardVersion, Option<Meter>), RateCard>);

impl Cards {
    fn of(&mut self, conn: &Connection, org: OrgId, charge: &Charge) -> Result<&RateCard, StoreError> {
        let by_meter = charge.version == RateCardVersion::CAPTURES;
        let key = (charge.version, by_meter.then(|| charge.meter.clone()));
        if !self.0.contains_key(&key) {
            self.0.insert(key.clone(), card_of(conn, org, charge.version, &charge.meter)?);
        }
        self.0.get(&key).ok_or_else(|| unreadable("rate card"))
    }
}

/// Rates the events of an entry again, for what each line carries after them.
fn take_up(
    conn: &Connection,
    org: OrgId,
    (first, last): (EventSeq, EventSeq),
    cards: &mut Cards,
    (prices, states): (&Prices, &mut LineStates),
) -> Result<(), StoreError> {
    let sql = charge_sql!("WHERE c.org_id = ?1 AND c.seq BETWEEN ?2 AND ?3 ORDER BY c.seq, m.name");
    let mut statement = conn.prepare_cached(sql)?;
    let mut charges = statement.query([org.0, first.0, last.0])?;
    let mut waiting = charges.next()?.map(charge_of).transpose()?;
    let mut statement =
        conn.prepare_cached(event_sql!("WHERE e.org_id = ?1 AND e.seq BETWEEN ?2 AND ?3 ORDER BY e.seq"))?;
    let mut events = statement.query([org.0, first.0, last.0])?;
    while let Some(row) = events.next()? {
        let said = said(row)?;
        while let Some((_, mut charge)) = waiting.take_if(|(seq, _)| *seq == said.seq) {
            let card = cards.of(conn, org, &charge)?;
            let line = card.line(charge.line).ok_or_else(|| unreadable("rate line"))?;
            charge.carry_after = line.rate(said.event.usage(charge.quantity), charge.before())?.after.carry;
            states.take_up(prices, &charge)?;
            waiting = charges.next()?.map(charge_of).transpose()?;
        }
    }
    Ok(())
}

/// Charges by tiers of these events that entries behind the last one took back: that is done when those are walked.
fn add_later_voids(conn: &Connection, org: OrgId, old: &Base, base: &mut Base) -> Result<(), StoreError> {
    let sql =
        "SELECT v.event_seq, v.entry_seq FROM voided v JOIN entry e ON e.org_id = v.org_id AND e.seq = v.entry_seq
               WHERE v.org_id = ?1 AND v.event_seq > ?2 AND v.event_seq <= ?3 AND v.entry_seq > ?4 AND e.tiers = 1
               ORDER BY v.event_seq";
    let mut statement = conn.prepare_cached(sql)?;
    let values = params![org.0, old.last_event, base.last_event, base.last_entry];
    let found = statement.query_map(values, |row| Ok((EventSeq(row.get(0)?), row.get(1)?)))?;
    for found in found {
        let (event, entry) = found?;
        for charge in charges_of(conn, org, event)? {
            base.voids.extend(LaterVoid::of(entry, &charge)?);
        }
    }
    Ok(())
}

/// Puts a step down, unless events were taken back, interactions mapped or another step made since.
fn put(conn: &Connection, made: &Made, now: Timestamp) -> Result<bool, StoreError> {
    let Made { org, after, changes, base, traces, uses } = made;
    if pruned_to(conn, *org)? != *after || wide::changes(conn, *org)? != *changes {
        return Ok(false);
    }
    for (key, pruned) in traces {
        pruned.put(conn, *org, *key)?;
    }
    let sql = "UPDATE workflow_meter SET pruned = 1 WHERE org_id = ?1 AND workflow_id = ?2 AND meter_id = ?3";
    let mut statement = conn.prepare_cached(sql)?;
    for (workflow, meter) in uses {
        statement.execute(params![org.0, workflow, meter])?;
    }
    base.put(conn, *org, now)?;
    Ok(true)
}
