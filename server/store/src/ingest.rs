//! Accepting usage events.
//!
//! Phases, in this order: every event is decided (its time, whether it was seen before, what it costs, who pays), all in
//! memory; then the rows of those accepted are inserted, table by table; then the caller's balance is read off the open
//! settlement. The entry itself is booked when the commit's group is settled. Nothing is written for a refused event, so
//! a bad one costs its neighbours nothing.
//!
//! Cost per event: two or three SHA-256, one probe for its identity, three narrow rows.

use crate::dimension::Kind;
use crate::error::StoreError;
use crate::identity::{self, Half, Known};
use crate::rollup::quarter_of;
use crate::tx::{OrgCache, Tx};
use crate::{MAX_BATCH, Store};
use ledger::canon::Canon;
use ledger::event::Status;
use ledger::settle::{self, Charge};
use ledger::{Balance, Credits, Event, EventSeq, OrgId, Refusal, Timestamp};
use rusqlite::{Connection, params};
use std::sync::Arc;

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Recorded and charged.
    Accepted {
        /// Its place in the org's events.
        seq: EventSeq,
        /// What it cost.
        credits: Credits,
    },
    /// Sent before with the same content: nothing was done.
    Duplicate {
        /// The place of the first.
        seq: EventSeq,
    },
    /// Not recorded.
    Refused(Refusal),
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// One per event, in their order.
    pub outcomes: Vec<Outcome>,
    /// What the batch cost.
    pub credits: Credits,
    /// What the org has after it.
    pub balance: Balance,
}

impl Store {
    /// Accepts up to [`MAX_BATCH`] events of one org. Answers when they are on disk.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], [`StoreError::Busy`], [`StoreError::Stopped`], or [`StoreError::NotFound`] for the org.
    /// What is wrong with single events is in their outcomes.
    pub async fn ingest(&self, org: OrgId, cause: String, events: Vec<Event>) -> Result<Ingested, StoreError> {
        if events.len() > MAX_BATCH {
            return Err(StoreError::TooLarge);
        }
        let events = Arc::new(events);
        self.writer().call(events.len().max(1), move |tx| tx.ingest(org, &cause, &events)).await
    }
}

/// An accepted event on its way into the tables.
struct Row<'e> {
    event: &'e Event,
    seq: EventSeq,
    occurred_at: Timestamp,
    content: Half,
    dimensions: [i64; 9],
    charges: Vec<(i64, Charge)>,
}

impl Tx<'_> {
    fn ingest(&mut self, id: OrgId, cause: &str, events: &[Event]) -> Result<Ingested, StoreError> {
        self.open_settlement(id, cause)?;
        let (conn, now) = (self.conn, self.now());
        let org = self.org(id)?;
        // Said for the whole batch, before any of it is decided.
        org.card(now).ok_or(StoreError::NotFound("rate card"))?;
        let mut canon = Canon::new("");
        let mut rows = Vec::with_capacity(events.len());
        let mut outcomes = Vec::with_capacity(events.len());
        let mut credits = Credits::ZERO;
        for event in events {
            let outcome = match org.decide(conn, id, now, event, &mut canon) {
                Ok(Decision::Seen(seq)) => Outcome::Duplicate { seq },
                Ok(Decision::New(row, cost)) => {
                    credits = credits.plus(cost)?;
                    let seq = row.seq;
                    rows.push(*row);
                    Outcome::Accepted { seq, credits: cost }
                }
                Err(StoreError::Refused(refusal)) => Outcome::Refused(refusal),
                Err(error) => return Err(error),
            };
            outcomes.push(outcome);
        }
        insert_events(conn, id, &rows)?;
        insert_charges(conn, id, &rows)?;
        insert_identities(conn, id, &rows)?;
        Ok(Ingested { outcomes, credits, balance: org.balance_after()? })
    }
}

enum Decision<'e> {
    Seen(EventSeq),
    New(Box<Row<'e>>, Credits),
}

impl OrgCache {
    /// Decides one event and, where it is accepted, takes it up in all that is remembered.
    fn decide<'e>(
        &mut self,
        conn: &Connection,
        id: OrgId,
        now: Timestamp,
        event: &'e Event,
        canon: &mut Canon,
    ) -> Result<Decision<'e>, StoreError> {
        let occurred_at = event.occurred_at(now)?;
        let content = event.content_hash(canon);
        let key = identity::key(event.source.as_str(), event.id.as_str());
        if let Some(known) = self.identities.find(conn, id, &key)? {
            return if known.content == identity::half(&content) {
                Ok(Decision::Seen(known.seq))
            } else {
                Err(Refusal::EventConflict.into())
            };
        }
        let card = self.card(now).ok_or(StoreError::NotFound("rate card"))?;
        let version = card.version;
        let charges =
            settle::rate_event(card, event, |line| self.carries.get(&(version, line)).copied().unwrap_or_default())?;
        let charges = charges
            .into_iter()
            .map(|charge| Ok((self.meters.id(&charge.meter)?, charge)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let totals = self.sums_with(event, &charges)?;
        let seq = EventSeq(self.next_event);
        let plain: Vec<Charge> = charges.iter().map(|(_, charge)| charge.clone()).collect();
        settle::leaf(canon, seq, &content, occurred_at, &plain);
        let pending = self.pending.as_mut().ok_or_else(|| StoreError::Internal("no settlement is open".to_owned()))?;
        let cost = pending.add(seq, event.project.as_ref().map(|p| &p.id), &plain, canon.as_bytes())?;

        // From here on the event is accepted: nothing below can refuse it.
        self.next_event += 1;
        self.totals.events += 1;
        self.totals.failed += i64::from(event.status == Status::Failed);
        self.totals.bytes += event.bytes;
        for ((meter, charge), total) in charges.iter().zip(totals) {
            self.meters.put_total(*meter, total);
            if self.carries.insert((charge.version, charge.line), charge.carry_after) != Some(charge.carry_after)
                && !self.changed_carries.contains(&(charge.version, charge.line))
            {
                self.changed_carries.push((charge.version, charge.line));
            }
        }
        self.identities.add(key, Known { seq, content: identity::half(&content) });
        let dimensions = self.dimensions_of(conn, id, event)?;
        self.roll_up(conn, id, event, occurred_at, &dimensions, &charges)?;
        let row = Row { event, seq, occurred_at, content: identity::half(&content), dimensions, charges };
        Ok(Decision::New(Box::new(row), cost))
    }

    /// The meters' sums over all time with this event, each checked to fit: then no rollup and no account can overflow.
    fn sums_with(&self, event: &Event, charges: &[(i64, Charge)]) -> Result<Vec<(Credits, ledger::Quantity)>, Refusal> {
        let sums = charges
            .iter()
            .map(|(meter, charge)| self.meters.total_with(*meter, charge.credits, charge.quantity))
            .collect::<Result<Vec<_>, _>>()?;
        let cost = Credits::sum(charges.iter().map(|(_, charge)| charge.credits))?;
        let pending = self.pending.as_ref().map_or(Credits::ZERO, settle::Settlement::total);
        self.consumed.plus(pending)?.plus(cost)?;
        self.debt.plus(pending)?.plus(cost)?;
        self.totals.bytes.checked_add(event.bytes).ok_or(Refusal::AmountOverflow)?;
        Ok(sums)
    }

    fn dimensions_of(&mut self, conn: &Connection, id: OrgId, event: &Event) -> Result<[i64; 9], StoreError> {
        let names = &mut self.dimensions;
        Ok([
            names.id(conn, id, Kind::Operation, Some(&event.operation))?,
            names.id(conn, id, Kind::Source, Some(&event.source))?,
            names.place(conn, id, Kind::Project, event.project.as_ref())?,
            names.place(conn, id, Kind::Workflow, event.workflow.as_ref())?,
            names.place(conn, id, Kind::Run, event.run.as_ref())?,
            names.place(conn, id, Kind::Module, event.module.as_ref())?,
            names.id(conn, id, Kind::User, event.user.as_ref())?,
            names.id(conn, id, Kind::Tenant, event.tenant.as_ref())?,
            names.id(conn, id, Kind::Interaction, event.interaction.as_ref())?,
        ])
    }

    fn roll_up(
        &mut self,
        conn: &Connection,
        id: OrgId,
        event: &Event,
        at: Timestamp,
        dimensions: &[i64; 9],
        charges: &[(i64, Charge)],
    ) -> Result<(), StoreError> {
        let (quarter, source, project) = (quarter_of(at), dimensions[1], dimensions[2]);
        for (meter, charge) in charges {
            self.deltas.add_usage(quarter, *meter, source, project, charge.credits, charge.quantity);
        }
        let set = self.meters.set(conn, id, charges.iter().map(|(meter, _)| *meter).collect())?;
        self.deltas.add_call(quarter, set, source, project, event.status == Status::Failed, event.bytes);
        Ok(())
    }

    /// What the org has once what is pending is booked.
    fn balance_after(&self) -> Result<Balance, StoreError> {
        let (left, new_debt) = match &self.pending {
            Some(pending) => (pending.left()?, pending.debt()),
            None => (Credits::ZERO, Credits::ZERO),
        };
        Ok(Balance::new(left, Credits::ZERO, self.debt.plus(new_debt)?)?)
    }
}

fn insert_events(conn: &Connection, id: OrgId, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO event (org_id, seq, occurred_at, time_said, operation_id, source_id, project_id, workflow_id, run_id, module_id,
                            user_id, tenant_id, interaction_id, failed, bytes, reported, description, attributes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?;
    for row in rows {
        let [operation, source, project, workflow, run, module, user, tenant, interaction] = row.dimensions;
        let attributes =
            if row.event.attributes.is_empty() { None } else { Some(serde_json::to_string(&row.event.attributes)?) };
        insert.execute(params![
            id.0,
            row.seq.0,
            row.occurred_at.micros(),
            row.event.time.is_some(),
            operation,
            source,
            project,
            workflow,
            run,
            module,
            user,
            tenant,
            interaction,
            row.event.status == Status::Failed,
            row.event.bytes,
            row.event.reported,
            row.event.description,
            attributes,
        ])?;
    }
    Ok(())
}

fn insert_charges(conn: &Connection, id: OrgId, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO charge (org_id, seq, meter_id, quantity, quantity_micros, credits, version, line, carry_before)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for row in rows {
        for (meter, charge) in &row.charges {
            let (whole, micros) = charge.quantity.parts()?;
            insert.execute(params![
                id.0,
                row.seq.0,
                meter,
                whole,
                micros,
                charge.credits.micros(),
                charge.version.0,
                charge.line.0,
                charge.carry_before.0,
            ])?;
        }
    }
    Ok(())
}

fn insert_identities(conn: &Connection, id: OrgId, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO identity (org_id, seq, source_id, external_id, content) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for row in rows {
        insert.execute(params![id.0, row.seq.0, row.dimensions[1], row.event.id.as_str(), row.content.as_slice()])?;
    }
    Ok(())
}
