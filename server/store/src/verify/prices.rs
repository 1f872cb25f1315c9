//! Rate cards against the entries that laid them down, every charge rated again, and what is carried.

use super::Problems;
use crate::error::StoreError;
use ledger::canon::Hash;
use ledger::event::Event;
use ledger::rate::Carry;
use ledger::settle::Charge;
use ledger::{Entry, EntryKind, EntrySeq, EventSeq, LineNo, Meter, OrgId, RateCard, RateCardVersion, Timestamp};
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap};

/// The prices of an org as its rows say them.
#[derive(Default)]
pub(super) struct Prices {
    cards: BTreeMap<RateCardVersion, Card>,
    /// The one card per meter that captured holds are charged by.
    captures: HashMap<Meter, RateCard>,
    carries: BTreeMap<(RateCardVersion, LineNo), Carry>,
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
    pub(super) fn load(conn: &Connection, org: OrgId, problems: &mut Problems) -> Result<Self, StoreError> {
        let mut prices = Self::default();
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
        booked_at: Timestamp,
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
            let rated = match line.rate(charge.quantity, event.reported, charge.carry_before) {
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
            let carried = self.carries.insert((*version, *number), rated.carry).unwrap_or_default();
            if rated.credits != charge.credits || carried != charge.carry_before {
                problems
                    .say(format!("{seq}: {meter} is charged {}, rated again it is {}", charge.credits, rated.credits));
            }
        }
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
            let key = (RateCardVersion(row.get(0)?), LineNo(row.get(1)?));
            let carry = Carry(row.get(2)?);
            if left.remove(&key) != Some(carry) {
                problems
                    .say(format!("the carry of {} of {} is {}, which its events do not leave", key.1, key.0, carry.0));
            }
        }
        for (version, line) in left.keys() {
            problems.say(format!("the carry of {line} of {version} is missing"));
        }
        Ok(())
    }

    /// When an org came to be is when its first rate card was laid down.
    pub(super) fn began(first: &Entry) -> Option<Timestamp> {
        (first.seq == EntrySeq(1) && matches!(first.draft.kind, EntryKind::RateCard { .. }))
            .then_some(first.draft.happened_at)
    }
}
