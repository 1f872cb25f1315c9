//! The sums over all time that bound the rollups: of all events that were accepted, and per meter of those that stand.

use super::Problems;
use crate::error::StoreError;
use crate::retention::Base;
use ledger::settle::Charge;
use ledger::{Event, OrgId, Quantity, event::Status};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Totals {
    pub(super) events: i64,
    failed: i64,
    bytes: i128,
    /// By meter: micro-credits, micro-units.
    meters: BTreeMap<i64, (i128, i128)>,
}

impl Totals {
    /// Those of pruned events.
    pub(super) fn of(base: &Base) -> Self {
        let meters = base.meters.iter().map(|(meter, [credits, whole, micros])| {
            (*meter, (i128::from(*credits), Quantity::from_parts(*whole, *micros).micros()))
        });
        Self { events: base.last_event, failed: base.failed, bytes: base.bytes.into(), meters: meters.collect() }
    }

    pub(super) fn add(&mut self, event: &Event, charges: &[Charge], meters: &[i64], voided: bool) {
        self.events += 1;
        self.failed += i64::from(event.status == Status::Failed);
        self.bytes += i128::from(event.bytes);
        for (charge, meter) in charges.iter().zip(meters) {
            let (credits, quantity) = self.meters.entry(*meter).or_default();
            if voided {
                continue;
            }
            *credits += i128::from(charge.credits.micros());
            *quantity += charge.quantity.micros();
        }
    }

    /// Up to which event identities are merged, as the org's row says.
    pub(super) fn merged(conn: &Connection, org: OrgId) -> Result<i64, StoreError> {
        let sql = "SELECT merged_seq FROM org_total WHERE org_id = ?1";
        Ok(conn.query_row(sql, [org.0], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    pub(super) fn finish(mut self, conn: &Connection, org: OrgId, problems: &mut Problems) -> Result<(), StoreError> {
        let found: Option<(i64, i64, i64, i64)> = conn
            .query_row("SELECT merged_seq, events, failed, bytes FROM org_total WHERE org_id = ?1", [org.0], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let (merged, events, failed, bytes) = found.unwrap_or_default();
        if (events, failed, i128::from(bytes)) != (self.events, self.failed, self.bytes)
            || found.is_some() != (self.events > 0)
        {
            problems.say(format!(
                "the row of all time says {events} events, {failed} failed, {bytes} bytes; there are {}, {}, {}",
                self.events, self.failed, self.bytes
            ));
        }
        if !(0..=self.events).contains(&merged) {
            problems.say(format!("identities are said to be merged up to event_{merged}, which there is not"));
        }
        let mut statement =
            conn.prepare("SELECT meter_id, credits, quantity, quantity_micros FROM meter_total WHERE org_id = ?1")?;
        let mut rows = statement.query([org.0])?;
        while let Some(row) = rows.next()? {
            let meter: i64 = row.get(0)?;
            let (whole, micros): (i64, i64) = (row.get(2)?, row.get(3)?);
            let quantity = Quantity::from_parts(whole, micros).micros();
            if !(0..1_000_000).contains(&micros)
                || self.meters.remove(&meter) != Some((i128::from(row.get::<_, i64>(1)?), quantity))
            {
                problems.say(format!("the row of all time of meter number {meter} is not what its charges add up to"));
            }
        }
        for meter in self.meters.keys() {
            problems.say(format!("the row of all time of meter number {meter} is missing"));
        }
        Ok(())
    }
}
