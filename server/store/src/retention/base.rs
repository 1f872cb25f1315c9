//! What pruned events leave behind: what their sums are held against, and what rating goes on from.

use super::Print;
use crate::error::StoreError;
use crate::rows::unreadable;
use crate::wide::check::Fact;
use ledger::canon::{Canon, Hash};
use ledger::card::LineOrigin;
use ledger::rate::Carry;
use ledger::settle::{Charge, TierPlace};
use ledger::{
    BillingCycle, Credits, CycleUse, EntrySeq, EventSeq, LineNo, LineStates, Meter, OrgId, Quantity, RateCardVersion,
    Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Of the events up to [`Self::last_event`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Base {
    /// The last of them.
    pub(crate) last_event: i64,
    /// The entry that settled it.
    pub(crate) last_entry: i64,
    /// When that was booked.
    pub(crate) until_at: i64,
    /// Those that failed.
    pub(crate) failed: i64,
    /// Data transferred.
    pub(crate) bytes: i64,
    /// What those that stand cost, in micro-credits.
    pub(crate) standing: i64,
    /// Those that name neither run nor interaction.
    pub(crate) beside: i64,
    /// By meter: credits, whole units and micro-units of those that stand.
    pub(crate) meters: BTreeMap<i64, [i64; 3]>,
    /// Version, line, carry: after the last entry.
    pub(crate) carries: Vec<[i64; 3]>,
    /// Version, line, cycle, whole units and micro-units used, owed: after the last entry.
    pub(crate) cycles: Vec<[i64; 6]>,
    /// Charges by tiers of events that entries behind the last one took back.
    pub(crate) voids: Vec<LaterVoid>,
    /// The last name of each kind that is in [`Self::names_print`]; meters are kind 0, their sets kind −1, attributes −2.
    pub(crate) names: BTreeMap<i64, i64>,
    /// Numbers and texts of names, whoever says them.
    pub(crate) names_print: Print,
    /// Identities.
    pub(crate) identities_print: Print,
    /// Those that stand, as wide usage counts them.
    pub(crate) facts_print: Print,
    /// Rows of `trace_pruned`.
    pub(crate) traces_print: Print,
    /// Rows of `workflow_meter` that say so.
    pub(crate) uses_print: Print,
}

/// A charge by tiers that was taken back later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LaterVoid {
    /// The entry that takes it back.
    pub(crate) entry: i64,
    /// Version, line and cycle.
    pub(crate) place: [i64; 3],
    /// Whole units and micro-units.
    pub(crate) quantity: [i64; 2],
    /// Micro-credits.
    pub(crate) credits: i64,
}

impl LaterVoid {
    /// That of a charge, if tiers made it.
    pub(crate) fn of(entry: i64, charge: &Charge) -> Result<Option<Self>, StoreError> {
        let Some(place) = charge.tier else { return Ok(None) };
        let (whole, micros) = charge.quantity.parts()?;
        Ok(Some(Self {
            entry,
            place: [charge.version.0, charge.line.0, place.cycle.number()],
            quantity: [whole, micros],
            credits: charge.credits.micros(),
        }))
    }

    /// What of the charge counts for taking it back.
    pub(crate) fn charge(&self) -> Result<Charge, StoreError> {
        let [version, line, cycle] = self.place;
        let cycle = BillingCycle::from_number(cycle).ok_or_else(|| unreadable("billing cycle"))?;
        Ok(Charge {
            meter: Meter::parse("pruned")?,
            quantity: Quantity::from_parts(self.quantity[0], self.quantity[1]),
            credits: Credits::from_micros(self.credits),
            version: RateCardVersion(version),
            line: LineNo(line),
            carry_before: Carry(0),
            carry_after: Carry(0),
            tier: Some(TierPlace { cycle, used: Quantity::ZERO, owed: Credits::ZERO }),
        })
    }
}

/// Carries and uses of cycles, by line.
pub(crate) type Lines = (Vec<(LineOrigin, Carry)>, Vec<((LineOrigin, BillingCycle), CycleUse)>);

impl Base {
    /// That of an org, as its row says it; `None` where nothing was pruned.
    pub(crate) fn find(conn: &Connection, org: OrgId) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT base FROM pruning WHERE org_id = ?1";
        let found: Option<String> = conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0)).optional()?;
        Ok(found.map(|json| serde_json::from_str(&json)).transpose()?)
    }

    /// What rate lines have, after the last entry.
    pub(crate) fn lines(&self) -> Result<Lines, StoreError> {
        let origin = |version, line| LineOrigin { version: RateCardVersion(version), line: LineNo(line) };
        let carries = self.carries.iter().map(|[version, line, carry]| (origin(*version, *line), Carry(*carry)));
        let cycle = |[version, line, cycle, whole, micros, owed]: &[i64; 6]| {
            let cycle = BillingCycle::from_number(*cycle).ok_or_else(|| unreadable("billing cycle"))?;
            let used = Quantity::from_parts(*whole, *micros);
            Ok(((origin(*version, *line), cycle), CycleUse { used, owed: Credits::from_micros(*owed) }))
        };
        let cycles = self.cycles.iter().map(cycle).collect::<Result<_, StoreError>>()?;
        Ok((carries.collect(), cycles))
    }

    /// Keeps what rate lines have.
    pub(crate) fn set_lines(&mut self, states: &LineStates) -> Result<(), StoreError> {
        let carry = |(origin, carry): (LineOrigin, Carry)| [origin.version.0, origin.line.0, carry.0];
        self.carries = states.carries().map(carry).collect();
        let cycle = |((origin, cycle), CycleUse { used, owed }): ((LineOrigin, BillingCycle), CycleUse)| {
            let (whole, micros) = used.parts()?;
            Ok([origin.version.0, origin.line.0, cycle.number(), whole, micros, owed.micros()])
        };
        self.cycles = states.uses().map(cycle).collect::<Result<_, StoreError>>()?;
        Ok(())
    }

    /// Writes it, as of an instant.
    pub(crate) fn put(&self, conn: &Connection, org: OrgId, at: Timestamp) -> Result<(), StoreError> {
        let json = serde_json::to_string(self)?;
        let digest = self.digest(conn, org, &json)?;
        conn.prepare_cached(
            "INSERT INTO pruning (org_id, last_event, last_entry, until_at, swept_event, pruned_at, base, digest)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET last_event = excluded.last_event, last_entry = excluded.last_entry,
                until_at = excluded.until_at, pruned_at = excluded.pruned_at, base = excluded.base, digest = excluded.digest",
        )?
        .execute(params![org.0, self.last_event, self.last_entry, self.until_at, at.micros(), json, digest.as_slice()])?;
        Ok(())
    }

    /// What its row must have, whose JSON is this: bound to the chain up to its last entry.
    pub(crate) fn digest(&self, conn: &Connection, org: OrgId, json: &str) -> Result<Hash, StoreError> {
        let sql = "SELECT hash FROM entry WHERE org_id = ?1 AND seq = ?2";
        let hash: Hash = conn.prepare_cached(sql)?.query_row([org.0, self.last_entry], |row| row.get(0))?;
        let mut canon = Canon::new("scrip-pruning-1");
        canon.int(org.0).bytes(&hash).int(self.last_event).int(self.last_entry).int(self.until_at).text(json);
        Ok(canon.hash())
    }

    /// Whether an event is pruned.
    pub(crate) const fn has(&self, event: EventSeq) -> bool {
        event.0 <= self.last_event
    }

    /// Whether what an entry books was taken up.
    pub(crate) const fn is_past(&self, entry: EntrySeq) -> bool {
        entry.0 <= self.last_entry
    }
}

/// What a row of wide usage counts.
pub(crate) fn fact_print(fact: &Fact) -> Print {
    let mut sum = Print::default();
    let mut canon = Canon::new("");
    let mut count = |number: i64, value: i128| {
        if value == 0 {
            return;
        }
        canon.restart("scrip-pruned-fact");
        canon.int(number);
        for column in fact.key {
            canon.int(column);
        }
        sum.add(Print::of(&canon, value));
    };
    count(0, fact.events.into());
    count(1, fact.bytes.into());
    for (part, number) in fact.parts.iter().zip((2_i64..).step_by(2)) {
        count(number, part.micros.into());
        count(number + 1, part.quantity);
    }
    sum
}

/// What a name counts.
pub(crate) fn name_print(kind: i64, id: i64, text: &str) -> Print {
    Print::of(Canon::new("scrip-pruned-name").int(kind).int(id).text(text), 1)
}

/// Each name of an org beyond the last one of its kind in `after`, if that has one, or up to it with `up_to`.
pub(crate) fn each_name(
    conn: &Connection,
    org: OrgId,
    known: &BTreeMap<i64, i64>,
    up_to: bool,
    mut take: impl FnMut(i64, i64, &str),
) -> Result<(), StoreError> {
    let sql = "SELECT kind, id, value FROM dimension WHERE org_id = ?1 AND kind = ?2 AND id > ?3 AND id <= ?4";
    let others = [
        (0, "SELECT 0, meter_id, name FROM meter WHERE org_id = ?1 AND ?2 = 0 AND meter_id > ?3 AND meter_id <= ?4"),
        (
            -1,
            "SELECT -1, set_id, members FROM meter_set WHERE org_id = ?1 AND ?2 = -1 AND set_id > ?3 AND set_id <= ?4",
        ),
        (
            -2,
            "SELECT -2, set_id, members FROM attribute_set WHERE org_id = ?1 AND ?2 = -2 AND set_id > ?3 AND set_id <= ?4",
        ),
    ];
    for (kind, sql) in (1..=9).map(|kind| (kind, sql)).chain(others) {
        let last = known.get(&kind).copied().unwrap_or(0);
        let (after, last) = if up_to { (0, last) } else { (last, i64::MAX) };
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![org.0, kind, after, last])?;
        while let Some(row) = rows.next()? {
            let text = row.get_ref(2)?.as_str().map_err(|_| unreadable("name"))?;
            take(row.get(0)?, row.get(1)?, text);
        }
    }
    Ok(())
}

/// Calls `take` with each identity of the events `after ..= last`: number, number of the source, its text, id, and what it counts.
pub(crate) fn each_identity(
    conn: &Connection,
    org: OrgId,
    (after, last): (i64, i64),
    mut take: impl FnMut(EventSeq, &str, &str, Print),
) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT i.seq, i.source_id, i.external_id, i.content, d.value FROM identity i
         JOIN dimension d ON d.org_id = i.org_id AND d.kind = 2 AND d.id = i.source_id
         WHERE i.org_id = ?1 AND i.seq > ?2 AND i.seq <= ?3 ORDER BY i.seq",
    )?;
    let mut rows = statement.query([org.0, after, last])?;
    let mut canon = Canon::new("");
    while let Some(row) = rows.next()? {
        let (seq, source): (i64, i64) = (row.get(0)?, row.get(1)?);
        let text = |column: usize| row.get_ref(column)?.as_str().map_err(|_| unreadable("identity"));
        let content = row.get_ref(3)?.as_blob().map_err(|_| unreadable("identity"))?;
        canon.restart("scrip-pruned-identity");
        canon.int(seq).int(source).text(text(2)?).bytes(content);
        take(EventSeq(seq), text(4)?, text(2)?, Print::of(&canon, 1));
    }
    Ok(())
}
