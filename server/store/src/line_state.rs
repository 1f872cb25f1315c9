//! What rate lines have from earlier usage, between the tables and [`ledger::LineStates`].

use crate::error::StoreError;
use ledger::card::{LineOrigin, Prices};
use ledger::rate::{Before, Carry};
use ledger::settle::Charge;
use ledger::{BillingCycle, Credits, CycleUse, LineNo, OrgId, Quantity, RateCardVersion, Refusal};
use rusqlite::{Connection, params};
use rustc_hash::FxHashSet;

/// What the writer remembers of an org's lines, and what of it is not in the tables yet.
#[derive(Debug, Default)]
pub(crate) struct LineStates {
    states: ledger::LineStates,
    changed: FxHashSet<LineOrigin>,
    changed_use: FxHashSet<(LineOrigin, BillingCycle)>,
}

impl LineStates {
    pub(crate) fn load(conn: &Connection, id: OrgId) -> Result<Self, StoreError> {
        let (mut carries, mut cycles) = (Vec::new(), Vec::new());
        let mut statement = conn.prepare_cached("SELECT version, line, carry FROM carry WHERE org_id = ?1")?;
        let mut rows = statement.query([id.0])?;
        while let Some(row) = rows.next()? {
            carries.push((origin(row)?, Carry(row.get(2)?)));
        }
        let sql = "SELECT version, line, cycle, used, used_micros, owed FROM tier_use WHERE org_id = ?1";
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query([id.0])?;
        while let Some(row) = rows.next()? {
            let cycle = BillingCycle::from_number(row.get(2)?).ok_or(Refusal::TimeOutOfRange)?;
            let used = Quantity::from_parts(row.get(3)?, row.get(4)?);
            cycles.push(((origin(row)?, cycle), CycleUse { used, owed: Credits::from_micros(row.get(5)?) }));
        }
        Ok(Self { states: ledger::LineStates::new(carries, cycles), ..Self::default() })
    }

    /// What a line has, in that cycle where it has tiers.
    pub(crate) fn before(&self, origin: LineOrigin, cycle: Option<BillingCycle>) -> Before {
        self.states.before(origin, cycle)
    }

    /// Takes up what a charge leaves.
    pub(crate) fn take_up(&mut self, prices: &Prices, charge: &Charge) -> Result<(), Refusal> {
        let taken = self.states.take_up(prices, charge)?;
        if taken.carry_changed {
            self.changed.insert(taken.origin);
        }
        self.changed_use.extend(charge.tier.map(|place| (taken.origin, place.cycle)));
        Ok(())
    }

    /// Takes a charge back of an event that is voided; whether tiers count less then.
    pub(crate) fn take_back(&mut self, prices: &Prices, charge: &Charge) -> Result<bool, Refusal> {
        let Some(taken) = self.states.take_back(prices, charge)? else { return Ok(false) };
        if taken.carry_changed {
            self.changed.insert(taken.origin);
        }
        self.changed_use.extend(charge.tier.map(|place| (taken.origin, place.cycle)));
        Ok(true)
    }

    pub(crate) fn write(&mut self, conn: &Connection, id: OrgId) -> Result<(), StoreError> {
        for origin in self.changed.drain() {
            let carry = self.states.carry(origin);
            conn.prepare_cached(
                "INSERT INTO carry (org_id, version, line, carry) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET carry = excluded.carry",
            )?
            .execute(params![id.0, origin.version.0, origin.line.0, carry.0])?;
        }
        for (origin, cycle) in self.changed_use.drain() {
            let CycleUse { used, owed } = self.states.cycle(origin, cycle);
            let (whole, micros) = used.parts()?;
            conn.prepare_cached(
                "INSERT INTO tier_use (org_id, version, line, cycle, used, used_micros, owed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET used = excluded.used, used_micros = excluded.used_micros, owed = excluded.owed",
            )?
            .execute(params![id.0, origin.version.0, origin.line.0, cycle.number(), whole, micros, owed.micros()])?;
        }
        Ok(())
    }
}

fn origin(row: &rusqlite::Row<'_>) -> rusqlite::Result<LineOrigin> {
    Ok(LineOrigin { version: RateCardVersion(row.get(0)?), line: LineNo(row.get(1)?) })
}
