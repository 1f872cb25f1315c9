//! Accepting usage events.
//!
//! Phases, in this order: the caller hashes every event (so that the writer does not); every event is decided (its time, whether it was seen before, what it costs, who pays), all in
//! memory; then the rows of those accepted are inserted, table by table; then the caller's balance is read off the open
//! settlement. The entry itself is booked when the commit's group is settled. Nothing is written for a refused event, so
//! a bad one costs its neighbours nothing.
//!
//! Cost per event: two SHA-256 in the caller and two in the writer, one probe for its identity, three narrow rows.

use crate::calendar;
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::identity::{self, Half, Known};
use crate::outbox::caused::RECENT_US;
use crate::rollup::quarter_of;
use crate::tx::{OrgCache, Tx};
use crate::{MAX_BATCH, Store};
use ledger::canon::Canon;
use ledger::event::Status;
use ledger::settle::{self, Charge};
use ledger::{Balance, Credits, Event, EventSeq, HoldId, OrgId, Refusal, Timestamp};
use rusqlite::{Connection, params};
use std::sync::Arc;

/// Older than any usage: it is news to nobody.
const LONG_AGO: Timestamp = Timestamp::from_micros(i64::MIN);

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
        let mut canon = Canon::new("");
        let events: Arc<[Arrived]> = events.into_iter().map(|event| Arrived::new(event, &mut canon)).collect();
        self.writer().call(events.len().max(1), move |tx| tx.ingest(org, &cause, &events, Coming::Now)).await
    }

    /// The same for a past that is brought in: whatever it crosses, nobody is told of it. What comes after it is told as ever.
    ///
    /// # Errors
    /// As [`Store::ingest`].
    pub async fn import(&self, org: OrgId, cause: String, events: Vec<Event>) -> Result<Ingested, StoreError> {
        if events.len() > MAX_BATCH {
            return Err(StoreError::TooLarge);
        }
        let mut canon = Canon::new("");
        let events: Arc<[Arrived]> = events.into_iter().map(|event| Arrived::new(event, &mut canon)).collect();
        self.writer().call(events.len().max(1), move |tx| tx.ingest(org, &cause, &events, Coming::Imported)).await
    }
}

/// How events come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coming {
    /// As they happen, or soon after: what they cross is told, unless they are old.
    Now,
    /// By an import: what they cross is noted.
    Imported,
}

/// An event with its hashes.
pub(crate) struct Arrived {
    pub(crate) event: Event,
    key: Half,
    content: [u8; 32],
}

impl Arrived {
    pub(crate) fn new(event: Event, canon: &mut Canon) -> Self {
        let key = identity::key(event.source.as_str(), event.id.as_str());
        let content = event.content_hash(canon);
        Self { event, key, content }
    }

    pub(crate) const fn content(&self) -> &[u8; 32] {
        &self.content
    }
}

/// An accepted event on its way into the tables.
pub(crate) struct Row<'e> {
    arrived: &'e Arrived,
    pub(crate) seq: EventSeq,
    occurred_at: Timestamp,
    dimensions: [i64; 9],
    charges: Vec<Charge>,
    /// The numbers of the charges' meters.
    meters: Vec<i64>,
}

impl Tx<'_> {
    fn ingest(&mut self, id: OrgId, cause: &str, events: &[Arrived], coming: Coming) -> Result<Ingested, StoreError> {
        self.open_settlement(id, cause)?;
        let (conn, now) = (self.conn, self.now());
        let org = self.org(id)?;
        // Said for the whole batch, before any of it is decided.
        org.prices.at(now).ok_or(StoreError::NotFound("rate card"))?;
        let mut canon = Canon::new("");
        let mut rows = Vec::with_capacity(events.len());
        let mut outcomes = Vec::with_capacity(events.len());
        let (mut credits, mut newest) = (Credits::ZERO, LONG_AGO);
        let heard = org.alerts.as_ref().map(|alerts| alerts.newest());
        for arrived in events {
            let outcome = match org.decide(conn, id, now, arrived, &mut canon) {
                Ok(Decision::Seen(seq)) => Outcome::Duplicate { seq },
                Ok(Decision::New(row, cost)) => {
                    credits = credits.plus(cost)?;
                    newest = newest.max(row.occurred_at);
                    let seq = row.seq;
                    rows.push(row);
                    Outcome::Accepted { seq, credits: cost }
                }
                Err(StoreError::Refused(refusal)) => Outcome::Refused(refusal),
                Err(error) => return Err(error),
            };
            outcomes.push(outcome);
        }
        insert(conn, id, &rows)?;
        let balance = org.balance_after()?;
        if coming == Coming::Imported && !rows.is_empty() {
            if let Some((alerts, heard)) = org.alerts.as_mut().zip(heard) {
                alerts.set_newest(heard.max(Some(LONG_AGO)));
            }
            self.weigh_quietly(id);
        } else if newest.micros() >= now.micros().saturating_sub(RECENT_US) {
            self.weigh_later(id);
        }
        Ok(Ingested { outcomes, credits, balance })
    }
}

impl Tx<'_> {
    /// Accepts one event from inside another write.
    pub(crate) fn ingest_one(&mut self, id: OrgId, cause: &str, event: Event) -> Result<Outcome, StoreError> {
        let arrived = [Arrived::new(event, &mut Canon::new(""))];
        let ingested = self.ingest(id, cause, &arrived, Coming::Now)?;
        ingested.outcomes.into_iter().next().ok_or_else(|| StoreError::Internal("no outcome".to_owned()))
    }
}

/// Writes the rows of accepted events, table by table.
pub(crate) fn insert(conn: &Connection, id: OrgId, rows: &[Row<'_>]) -> Result<(), StoreError> {
    insert_events(conn, id, rows)?;
    insert_charges(conn, id, rows)?;
    insert_identities(conn, id, rows)
}

enum Decision<'e> {
    Seen(EventSeq),
    New(Row<'e>, Credits),
}

impl OrgCache {
    /// Decides one event and, where it is accepted, takes it up in all that is remembered.
    fn decide<'e>(
        &mut self,
        conn: &Connection,
        id: OrgId,
        now: Timestamp,
        arrived: &'e Arrived,
        canon: &mut Canon,
    ) -> Result<Decision<'e>, StoreError> {
        let event = &arrived.event;
        let occurred_at = event.occurred_at(now)?;
        if let Some(seq) = self.seen(conn, id, arrived)? {
            return Ok(Decision::Seen(seq));
        }
        if HoldId::parse(event.id.as_str()).is_some() {
            return Err(Refusal::ReservedId.into());
        }
        let card = self.prices.at(now).ok_or(StoreError::NotFound("rate card"))?;
        let version = card.version;
        let before = |line, cycle| self.lines.before(self.prices.origin(version, line), cycle);
        let charges: Vec<Charge> = settle::rate_event(card, event, || calendar::cycle(self.zone, occurred_at), before)?;
        check_places(&charges)?;
        let meters = charges.iter().map(|charge| self.meters.id(&charge.meter)).collect::<Result<Vec<_>, _>>()?;
        let totals = self.sums_with(event, &charges, &meters)?;
        let seq = EventSeq(self.next_event);
        settle::leaf(canon, seq, &arrived.content, occurred_at, &charges);
        let pending = self.pending.as_mut().ok_or_else(|| StoreError::Internal("no settlement is open".to_owned()))?;
        let cost = pending.add(seq, event.project.as_ref().map(|p| &p.id), &charges, canon.as_bytes())?;
        let row = self.take_up(conn, id, arrived, occurred_at, charges, meters, totals)?;
        Ok(Decision::New(row, cost))
    }

    /// The place of an event that was accepted before with the same content.
    ///
    /// # Errors
    /// [`Refusal::EventConflict`] where it had another content.
    pub(crate) fn seen(&self, conn: &Connection, id: OrgId, arrived: &Arrived) -> Result<Option<EventSeq>, StoreError> {
        match self.identities.find(conn, id, &arrived.key)? {
            None => Ok(None),
            Some(known) if known.content == identity::half(&arrived.content) => Ok(Some(known.seq)),
            Some(_) => Err(Refusal::EventConflict.into()),
        }
    }

    /// Takes an accepted event up in all that is remembered. Nothing here refuses it any more.
    #[expect(clippy::too_many_arguments, reason = "what was decided about one event, each of it once")]
    pub(crate) fn take_up<'e>(
        &mut self,
        conn: &Connection,
        id: OrgId,
        arrived: &'e Arrived,
        occurred_at: Timestamp,
        charges: Vec<Charge>,
        meters: Vec<i64>,
        totals: Vec<(Credits, ledger::Quantity)>,
    ) -> Result<Row<'e>, StoreError> {
        let (event, seq) = (&arrived.event, EventSeq(self.next_event));
        self.next_event += 1;
        self.totals.events += 1;
        self.totals.failed += i64::from(event.status == Status::Failed);
        self.totals.bytes += event.bytes;
        for ((charge, meter), total) in charges.iter().zip(&meters).zip(totals) {
            self.meters.put_total(*meter, total);
            self.lines.take_up(&self.prices, charge)?;
        }
        self.identities.add(arrived.key, Known { seq, content: identity::half(&arrived.content) });
        let dimensions = self.dimensions_of(conn, id, event)?;
        if let Some(alerts) = &mut self.alerts {
            alerts.count(conn, id, (event, dimensions[8]), occurred_at, &charges)?;
        }
        let row = Row { arrived, seq, occurred_at, dimensions, charges, meters };
        self.roll_up(conn, id, &row)?;
        Ok(row)
    }

    /// The meters' sums over all time with this event, each checked to fit: then no rollup and no account can overflow.
    pub(crate) fn sums_with(
        &self,
        event: &Event,
        charges: &[Charge],
        meters: &[i64],
    ) -> Result<Vec<(Credits, ledger::Quantity)>, Refusal> {
        let sums = charges
            .iter()
            .zip(meters)
            .map(|(charge, meter)| self.meters.total_with(*meter, charge.credits, charge.quantity))
            .collect::<Result<Vec<_>, _>>()?;
        let cost = Credits::sum(charges.iter().map(|charge| charge.credits))?;
        let pending = self.pending.as_ref().map_or(Credits::ZERO, settle::Settlement::total);
        self.consumed.plus(pending)?.plus(cost)?;
        self.position.debt.plus(pending)?.plus(cost)?;
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

    fn roll_up(&mut self, conn: &Connection, id: OrgId, row: &Row<'_>) -> Result<(), StoreError> {
        let event = &row.arrived.event;
        let (quarter, source, project) = (quarter_of(row.occurred_at), row.dimensions[1], row.dimensions[2]);
        for (charge, meter) in row.charges.iter().zip(&row.meters) {
            self.deltas.add_usage(quarter, *meter, source, project, charge.credits, charge.quantity);
        }
        let set = self.meters.set(conn, id, &row.meters)?;
        self.deltas.add_call(quarter, set, source, project, event.status == Status::Failed, event.bytes);
        Ok(())
    }

    /// What the org has once what is pending is booked.
    fn balance_after(&self) -> Result<Balance, StoreError> {
        let (mut left, mut new_debt) = match &self.pending {
            Some(pending) => (pending.left()?, pending.debt()),
            None => (Credits::ZERO, Credits::ZERO),
        };
        // What tiers gave back repays debt first, as soon as it is booked.
        let returned = self.pending.as_ref().map_or(Credits::ZERO, settle::Settlement::returned);
        let repaid = returned.min(self.position.debt.plus(new_debt)?);
        (left, new_debt) = (left.plus(returned.minus(repaid)?)?, new_debt.minus(repaid)?);
        let held = Credits::sum(self.position.holds.iter().map(ledger::Hold::held).collect::<Result<Vec<_>, _>>()?)?;
        let room = self.position.room()?.minus(new_debt)?;
        Ok(Balance::new(left, held, self.position.debt.plus(new_debt)?, room)?)
    }
}

/// What tiers count must fit its columns; said before anything is taken up.
fn check_places(charges: &[Charge]) -> Result<(), Refusal> {
    charges
        .iter()
        .filter_map(|charge| Some((charge.tier?.used, charge.quantity)))
        .try_for_each(|(used, quantity)| used.plus(quantity)?.parts().map(|_| ()))
}

fn insert_events(conn: &Connection, id: OrgId, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO event (org_id, seq, occurred_at, time_said, operation_id, source_id, project_id, workflow_id, run_id, module_id,
                            user_id, tenant_id, interaction_id, failed, bytes, reported, description, attributes, compute)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
    )?;
    for row in rows {
        let event = &row.arrived.event;
        let [operation, source, project, workflow, run, module, user, tenant, interaction] = row.dimensions;
        let attributes =
            if event.attributes.is_empty() { None } else { Some(serde_json::to_string(&event.attributes)?) };
        insert.execute(params![
            id.0,
            row.seq.0,
            row.occurred_at.micros(),
            event.time.is_some(),
            operation,
            source,
            project,
            workflow,
            run,
            module,
            user,
            tenant,
            interaction,
            event.status == Status::Failed,
            event.bytes,
            event.reported,
            event.description,
            attributes,
            event.compute_micros,
        ])?;
    }
    Ok(())
}

fn insert_charges(conn: &Connection, id: OrgId, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO charge (org_id, seq, meter_id, quantity, quantity_micros, credits, version, line, carry_before)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut place = conn.prepare_cached(
        "INSERT INTO charge_tier (org_id, seq, meter_id, cycle, used, used_micros, owed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for row in rows {
        for (charge, meter) in row.charges.iter().zip(&row.meters) {
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
            if let Some(tier) = charge.tier {
                let (whole, micros) = tier.used.parts()?;
                let (cycle, owed) = (tier.cycle.number(), tier.owed.micros());
                place.execute(params![id.0, row.seq.0, meter, cycle, whole, micros, owed])?;
            }
        }
    }
    Ok(())
}

fn insert_identities(conn: &Connection, id: OrgId, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO identity (org_id, seq, source_id, external_id, content) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for row in rows {
        insert.execute(params![
            id.0,
            row.seq.0,
            row.dimensions[1],
            row.arrived.event.id.as_str(),
            &row.arrived.content[..16]
        ])?;
    }
    Ok(())
}
