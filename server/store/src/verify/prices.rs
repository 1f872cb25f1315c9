//! Rate cards against the entries that laid them down, every charge rated again, and what is carried.

use super::Problems;
use crate::calendar;
use crate::error::StoreError;
use crate::event::charges_of;
use crate::retention::Base;
use crate::retention::check::LaterVoid;
use chrono_tz::Tz;
use ledger::canon::Hash;
use ledger::card::LineOrigin;
use ledger::event::Event;
use ledger::rate::{Before, Carry};
use ledger::settle::{Charge, TierPlace};
use ledger::{
    BillingCycle, Credits, CycleUse, Entry, EntryKind, EntrySeq, EventSeq, LineNo, Meter, OrgId, Quantity, RateCard,
    RateCardVersion, Timestamp,
};
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};

/// The prices of an org as its rows say them.
#[derive(Default)]
pub(super) struct Prices {
    cards: BTreeMap<RateCardVersion, Card>,
    /// The one card per meter that captured holds are charged by.
    captures: HashMap<Meter, RateCard>,
    /// Which line goes on from which.
    origins: ledger::card::Prices,
    carries: BTreeMap<LineOrigin, Carry>,
    /// What tiered lines have of each billing cycle.
    cycles: BTreeMap<(LineOrigin, BillingCycle), CycleUse>,
    /// Whether a void took use out of tiers: from then on all do.
    voids_count: bool,
    calendar: Option<Tz>,
    last: i64,
}

struct Card {
    card: RateCard,
    terms: Hash,
    created_at: Timestamp,
    bound: bool,
}

impl Prices {
    /// Reads the rate cards. One that cannot be used is told and left out.
    pub(super) fn load(
        conn: &Connection,
        org: OrgId,
        zone: Option<Tz>,
        base: Option<&Base>,
        problems: &mut Problems,
    ) -> Result<Self, StoreError> {
        let mut prices = Self { calendar: zone, ..Self::default() };
        if let Some(base) = base {
            let (carries, cycles) = base.lines()?;
            (prices.carries, prices.cycles) = (carries.into_iter().collect(), cycles.into_iter().collect());
        }
        let mut statement = conn.prepare(
            "SELECT version, effective_at, lines, created_at FROM rate_card WHERE org_id = ?1 ORDER BY version",
        )?;
        let mut rows = statement.query([org.0])?;
        while let Some(row) = rows.next()? {
            let version = RateCardVersion(row.get(0)?);
            let read = |row: &rusqlite::Row<'_>| -> Result<Card, StoreError> {
                let (effective_at, json) = (Timestamp::from_micros(row.get(1)?), row.get::<_, String>(2)?);
                let card = RateCard { version, effective_at, lines: serde_json::from_str(&json)? };
                RateCard::check(&card.lines)?;
                let terms = RateCard::terms(version, effective_at, &json);
                Ok(Card { card, terms, created_at: Timestamp::from_micros(row.get(3)?), bound: false })
            };
            if let Some(card) = problems.read(format!("rate card {version}"), read(row))? {
                prices.origins.push(card.card.clone());
                prices.cards.insert(version, card);
            }
        }
        Ok(prices)
    }

    pub(super) fn cards(&self) -> impl Iterator<Item = &RateCard> {
        self.cards.values().map(|card| &card.card)
    }

    /// Takes up an entry that lays down a rate card.
    pub(super) fn entry(&mut self, entry: &Entry, problems: &mut Problems) {
        let EntryKind::RateCard { version, terms } = &entry.draft.kind else { return };
        if version.0.checked_sub(1) != Some(self.last) {
            problems.say(format!("{} lays down {version}, the next is v{}", entry.seq, self.last.saturating_add(1)));
        }
        self.last = self.last.max(version.0);
        match self.cards.get_mut(version) {
            Some(card) if card.terms == *terms && card.created_at == entry.draft.happened_at && !card.bound => {
                card.bound = true;
            }
            Some(_) => problems.say(format!("rate card {version} is not what {} laid down", entry.seq)),
            None => problems.say(format!("rate card {version}, laid down by {}, has no row", entry.seq)),
        }
    }

    /// Rates the charges of an event again.
    pub(super) fn rate_again(
        &mut self,
        seq: EventSeq,
        event: &Event,
        (occurred_at, booked_at): (Timestamp, Timestamp),
        charges: &[Charge],
        problems: &mut Problems,
    ) {
        for charge in charges {
            let Charge { meter, version, line: number, .. } = charge;
            let card = if *version == RateCardVersion::CAPTURES {
                if !self.captures.contains_key(meter) {
                    self.captures.insert(meter.clone(), RateCard::of_captures(meter.clone()));
                }
                self.captures.get(meter)
            } else {
                self.cards.get(version).map(|card| &card.card).filter(|card| card.effective_at <= booked_at)
            };
            let line = card.map(|card| card.line_for(meter, event));
            let Some(Ok((found, line))) = line else {
                problems.say(format!("{seq}: no line of {version} charges {meter}"));
                continue;
            };
            let rated = match line.rate(event.usage(charge.quantity), charge.before()) {
                Ok(rated) if found == *number => rated,
                Ok(_) => {
                    problems.say(format!("{seq}: {meter} is charged by {number} of {version}, it should be {found}"));
                    continue;
                }
                Err(refusal) => {
                    problems.say(format!("{seq}: {meter} cannot be rated again: {refusal}"));
                    continue;
                }
            };
            let has_tiers = line.has_tiers();
            let origin = self.origins.origin(*version, *number);
            let carried = self.carries.insert(origin, rated.after.carry).unwrap_or_default();
            if rated.credits != charge.credits || carried != charge.carry_before {
                problems
                    .say(format!("{seq}: {meter} is charged {}, rated again it is {}", charge.credits, rated.credits));
            }
            let cycle = self.calendar.and_then(|zone| calendar::cycle(zone, occurred_at).ok()).filter(|_| has_tiers);
            let place = cycle.map(|cycle| {
                let after = CycleUse { used: rated.after.used, owed: rated.after.owed };
                let CycleUse { used, owed } = self.cycles.insert((origin, cycle), after).unwrap_or_default();
                TierPlace { cycle, used, owed }
            });
            if place != charge.tier {
                problems.say(format!("{seq}: {meter} is not where the tiers of {number} of {version} stood"));
            }
        }
    }

    /// Takes the charges back of an event that is voided: tiers count what stands.
    pub(super) fn void(
        &mut self,
        conn: &Connection,
        org: OrgId,
        entry: &Entry,
        base: Option<&Base>,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        let EntryKind::Void { event, tiers, .. } = &entry.draft.kind else { return Ok(()) };
        self.voids_count |= tiers;
        let pruned = base.filter(|base| base.has(*event));
        if pruned.is_some_and(|base| base.is_past(entry.seq)) {
            return Ok(());
        }
        let charges = match pruned {
            Some(base) => base.voids.iter().filter(|void| void.entry == entry.seq.0).map(LaterVoid::charge).collect(),
            None => charges_of(conn, org, *event),
        };
        let Some(charges) = problems.read(event, charges)? else { return Ok(()) };
        let is_tiered = charges.iter().any(|charge| charge.tier.is_some());
        if *tiers && !is_tiered || is_tiered && !tiers && self.voids_count {
            problems.say(format!("{} says of the tiers that charged {event} what is not so", entry.seq));
        }
        for charge in charges.iter().filter(|_| *tiers) {
            let line = self.cards.get(&charge.version).and_then(|card| card.card.line(charge.line));
            let Some((place, line)) = charge.tier.zip(line) else { continue };
            let origin = self.origins.origin(charge.version, charge.line);
            let CycleUse { used, owed } = self.cycles.get(&(origin, place.cycle)).copied().unwrap_or_default();
            let before = Before { carry: self.carries.get(&origin).copied().unwrap_or_default(), used, owed };
            let after = line.take_back(charge.quantity, charge.credits, before).map_err(StoreError::from);
            let Some(Before { carry, used, owed }) = problems.read(format!("what {event} leaves"), after)? else {
                continue;
            };
            self.carries.insert(origin, carry);
            self.cycles.insert((origin, place.cycle), CycleUse { used, owed });
        }
        Ok(())
    }

    /// Cards that no entry laid down, and what is carried at the end, both ways. Orgs from before rate cards had entries
    /// have their first one without.
    pub(super) fn finish(
        &self,
        conn: &Connection,
        org: OrgId,
        first: Option<&EntryKind>,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        let is_old = !matches!(first, Some(EntryKind::RateCard { .. }));
        for (version, card) in self.cards.iter().filter(|(_, card)| !card.bound) {
            if !is_old || version.0 != 1 || card.created_at != card.card.effective_at {
                problems.say(format!("rate card {version} has no entry that laid it down"));
            }
        }
        let mut left = self.carries.clone();
        let mut statement = conn.prepare("SELECT version, line, carry FROM carry WHERE org_id = ?1")?;
        let mut rows = statement.query([org.0])?;
        while let Some(row) = rows.next()? {
            let key = LineOrigin { version: RateCardVersion(row.get(0)?), line: LineNo(row.get(1)?) };
            let carry = Carry(row.get(2)?);
            if left.remove(&key) != Some(carry) {
                let LineOrigin { version, line } = key;
                problems.say(format!("the carry of {line} of {version} is {}, which its events do not leave", carry.0));
            }
        }
        for LineOrigin { version, line } in left.keys() {
            problems.say(format!("the carry of {line} of {version} is missing"));
        }
        self.check_tiers(conn, org, problems)
    }

    fn check_tiers(&self, conn: &Connection, org: OrgId, problems: &mut Problems) -> Result<(), StoreError> {
        let mut left = self.cycles.clone();
        let sql = "SELECT version, line, cycle, used, used_micros, owed FROM tier_use WHERE org_id = ?1";
        let mut statement = conn.prepare(sql)?;
        let mut rows = statement.query([org.0])?;
        while let Some(row) = rows.next()? {
            let (version, line) = (RateCardVersion(row.get(0)?), LineNo(row.get(1)?));
            let cycle = BillingCycle::from_number(row.get(2)?);
            let (whole, micros) = (row.get(3)?, row.get::<_, i64>(4)?);
            let expected = cycle.and_then(|cycle| left.remove(&(LineOrigin { version, line }, cycle)));
            let used = Quantity::from_parts(whole, micros);
            let said = CycleUse { used, owed: Credits::from_micros(row.get(5)?) };
            if expected != Some(said) || !(0..1_000_000).contains(&micros) {
                problems.say(format!(
                    "what {line} of {version} is said to have charged in a cycle, its events did not use"
                ));
            }
        }
        for (LineOrigin { version, line }, cycle) in left.keys() {
            problems.say(format!("what {line} of {version} charged in {cycle} is missing"));
        }
        // A place of a charge that is not there is told here; all others were compared with their charge.
        let stray = "SELECT count(*) FROM charge_tier t WHERE t.org_id = ?1 AND NOT EXISTS
                     (SELECT 1 FROM charge c WHERE c.org_id = t.org_id AND c.seq = t.seq AND c.meter_id = t.meter_id)";
        if conn.query_row(stray, [org.0], |row| row.get::<_, i64>(0))? > 0 {
            problems.say("charge_tier has rows of charges that there are not".to_owned());
        }
        Ok(())
    }

    /// When an org came to be is when its first rate card was laid down.
    pub(super) fn began(first: &Entry) -> Option<Timestamp> {
        (first.seq == EntrySeq(1) && matches!(first.draft.kind, EntryKind::RateCard { .. }))
            .then_some(first.draft.happened_at)
    }
}
