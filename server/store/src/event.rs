//! Reading events: as they were said, what they cost, and why.

use crate::Store;
use crate::error::StoreError;
use crate::payer;
use crate::rate_card::card_of;
use crate::retention::{check_kept, pruned_to};
use crate::rows::{Columns, unreadable};
use ledger::event::{Place, Status};
use ledger::explain::{Explanation, explain};
use ledger::rate::Carry;
use ledger::settle::{Charge, TierPlace};
use ledger::{
    Account, BillingCycle, Credits, EntrySeq, Event, EventSeq, Label, LineNo, Meter, OrgId, Quantity, RateCard,
    RateCardVersion, RateLine, Timestamp,
};
use rusqlite::Connection;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// Events on one page, at most.
pub const MAX_PAGE: u32 = 200;

/// Which events are wanted: newest first.
#[derive(Debug, Clone, Copy)]
pub struct EventPage {
    /// Only those before this one.
    pub before: Option<EventSeq>,
    /// How many, up to [`MAX_PAGE`].
    pub limit: u32,
}

/// An event and what it cost.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Its place in the org's events.
    pub seq: EventSeq,
    /// What was said.
    pub event: Event,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What each of its quantities cost, in the order of the meters' names.
    pub charges: Vec<Charge>,
    /// What it cost.
    pub credits: Credits,
    /// The entry that settled it.
    pub entry: EntrySeq,
}

/// A charge, explained.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What it is.
    pub charge: Charge,
    /// The line that it was rated by.
    pub line: RateLine,
    /// Why it is so.
    pub why: Explanation,
    /// Who paid how much of it, in the order of drawdown; below zero the grant as which it gave
    /// credits back.
    pub paid: Vec<(Account, Credits)>,
}

/// An event, explained.
#[derive(Debug, Clone)]
pub struct EventDetail {
    /// The event.
    pub row: EventRow,
    /// When it was accepted and booked.
    pub accepted_at: Timestamp,
    /// Its charges, in the order of the meters' names.
    pub explained: Vec<Explained>,
}

/// Columns of [`said`], and more where the caller names them; the caller adds `WHERE e.org_id = ?1 …`.
macro_rules! event_sql {
    ($rest:literal) => {
        event_sql!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT e.seq, e.occurred_at, e.time_said, e.failed, e.bytes, e.reported, e.description, e.attributes, i.external_id,
                    op.value, src.value, p.value, p.name, w.value, w.name, r.value, r.name, m.value, m.name, u.value, t.value, ia.value, e.compute",
            $more,
            " FROM event e
             JOIN identity i ON i.org_id = e.org_id AND i.seq = e.seq
             JOIN dimension op ON op.org_id = e.org_id AND op.kind = 1 AND op.id = e.operation_id
             JOIN dimension src ON src.org_id = e.org_id AND src.kind = 2 AND src.id = e.source_id
             LEFT JOIN dimension p ON p.org_id = e.org_id AND p.kind = 3 AND p.id = e.project_id
             LEFT JOIN dimension w ON w.org_id = e.org_id AND w.kind = 4 AND w.id = e.workflow_id
             LEFT JOIN dimension r ON r.org_id = e.org_id AND r.kind = 5 AND r.id = e.run_id
             LEFT JOIN dimension m ON m.org_id = e.org_id AND m.kind = 6 AND m.id = e.module_id
             LEFT JOIN dimension u ON u.org_id = e.org_id AND u.kind = 7 AND u.id = e.user_id
             LEFT JOIN dimension t ON t.org_id = e.org_id AND t.kind = 8 AND t.id = e.tenant_id
             LEFT JOIN dimension ia ON ia.org_id = e.org_id AND ia.kind = 9 AND ia.id = e.interaction_id ",
            $rest
        )
    };
}

/// How many columns those are.
pub(crate) const COLUMNS: usize = 23;

/// Columns of [`charge_of`], and more where the caller names them; the caller adds `WHERE c.org_id = ?1 …`.
macro_rules! charge_sql {
    ($rest:literal) => {
        charge_sql!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT c.seq, m.name, c.quantity, c.quantity_micros, c.credits, c.version, c.line, c.carry_before,
                    ct.cycle, ct.used, ct.used_micros, ct.owed",
            $more,
            " FROM charge c JOIN meter m ON m.org_id = c.org_id AND m.meter_id = c.meter_id
             LEFT JOIN charge_tier ct ON ct.org_id = c.org_id AND ct.seq = c.seq AND ct.meter_id = c.meter_id ",
            $rest
        )
    };
}
pub(crate) use {charge_sql, event_sql};
/// How many columns a charge has.
pub(crate) const CHARGE_COLUMNS: usize = 12;

/// What an event said, from its row; its quantities come from its charges.
pub(crate) struct Said {
    pub(crate) seq: EventSeq,
    pub(crate) occurred_at: Timestamp,
    pub(crate) event: Event,
}

pub(crate) fn said(row: &impl Columns) -> Result<Said, StoreError> {
    let label = |column: usize| -> Result<Label, StoreError> { Ok(Label::kept(&row.get::<String>(column)?)?) };
    let maybe = |column: usize| -> Result<Option<Label>, StoreError> {
        row.get::<Option<String>>(column)?.map(|text| Label::kept(&text)).transpose().map_err(StoreError::from)
    };
    let place = |column: usize| -> Result<Option<Place>, StoreError> {
        let name = maybe(column + 1)?;
        Ok(maybe(column)?.map(|id| Place { id, name }))
    };
    let occurred_at = Timestamp::from_micros(row.get(1)?);
    let attributes = row.get::<Option<String>>(7)?.map(|json| serde_json::from_str(&json)).transpose()?;
    let event = Event {
        id: label(8)?,
        operation: label(9)?,
        source: label(10)?,
        time: row.get::<bool>(2)?.then_some(occurred_at),
        quantities: Vec::new(),
        reported: row.get(5)?,
        project: place(11)?,
        workflow: place(13)?,
        run: place(15)?,
        module: place(17)?,
        user: maybe(19)?,
        tenant: maybe(20)?,
        interaction: maybe(21)?,
        status: if row.get::<bool>(3)? { Status::Failed } else { Status::Succeeded },
        bytes: row.get(4)?,
        compute_micros: row.get(22)?,
        description: row.get(6)?,
        attributes: attributes.unwrap_or_default(),
    };
    Ok(Said { seq: EventSeq(row.get(0)?), occurred_at, event })
}

/// A charge from its row. What it carries on is filled in by whoever knows the rate card.
pub(crate) fn charge_of(row: &impl Columns) -> Result<(EventSeq, Charge), StoreError> {
    let carry_before = Carry(row.get(7)?);
    let tier = row.get::<Option<i64>>(8)?.map(|number| -> Result<TierPlace, StoreError> {
        let cycle = BillingCycle::from_number(number).ok_or_else(|| unreadable("billing cycle"))?;
        let used = Quantity::from_parts(row.get(9)?, row.get(10)?);
        Ok(TierPlace { cycle, used, owed: Credits::from_micros(row.get(11)?) })
    });
    let tier = tier.transpose()?;
    let charge = Charge {
        meter: Meter::parse(&row.get::<String>(1)?)?,
        quantity: Quantity::from_parts(row.get(2)?, row.get(3)?),
        credits: Credits::from_micros(row.get(4)?),
        version: RateCardVersion(row.get(5)?),
        line: LineNo(row.get(6)?),
        carry_before,
        carry_after: carry_before,
        tier,
    };
    Ok((EventSeq(row.get(0)?), charge))
}

/// The charges of one event, in the order of the meters' names.
pub(crate) fn charges_of(conn: &Connection, org: OrgId, event: EventSeq) -> Result<Vec<Charge>, StoreError> {
    let mut statement = conn.prepare_cached(charge_sql!("WHERE c.org_id = ?1 AND c.seq = ?2 ORDER BY m.name"))?;
    let mut rows = statement.query([org.0, event.0])?;
    let mut charges = Vec::new();
    while let Some(row) = rows.next()? {
        charges.push(charge_of(row)?.1);
    }
    Ok(charges)
}

impl Store {
    /// A page of events, newest first; pruned ones are not among them ([`Self::kept`] says so).
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn events(&self, org: OrgId, page: &EventPage) -> Result<Vec<EventRow>, StoreError> {
        let before = page.before.map_or(i64::MAX, |seq| seq.0);
        let pruned_to = self.read(move |conn| pruned_to(conn, org)).await?;
        let sql = event_sql!("WHERE e.org_id = ?1 AND e.seq < ?2 AND e.seq > ?4 ORDER BY e.seq DESC LIMIT ?3");
        let rows = sqlx::query(sql)
            .bind(org.0)
            .bind(before)
            .bind(page.limit.min(MAX_PAGE))
            .bind(pruned_to)
            .fetch_all(self.reader())
            .await?;
        let said = rows.iter().map(said).collect::<Result<Vec<_>, _>>()?;
        self.complete(org, said).await
    }

    /// One event, explained.
    ///
    /// Cost: the charges of the entry that settled it, and a look-up per grant.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Pruned`].
    pub async fn event(&self, org: OrgId, seq: EventSeq) -> Result<EventDetail, StoreError> {
        self.read(move |conn| check_kept(conn, org, seq)).await?;
        let row = sqlx::query(event_sql!("WHERE e.org_id = ?1 AND e.seq = ?2"))
            .bind(org.0)
            .bind(seq.0)
            .fetch_optional(self.reader())
            .await?;
        let said = said(&row.ok_or(StoreError::NotFound("event"))?)?;
        let row = self.complete(org, vec![said]).await?.pop().ok_or(StoreError::NotFound("event"))?;
        let accepted_at: i64 = sqlx::query_scalar("SELECT booked_at FROM entry WHERE org_id = ?1 AND seq = ?2")
            .bind(org.0)
            .bind(row.entry.0)
            .fetch_one(self.reader())
            .await?;
        let accepted_at = Timestamp::from_micros(accepted_at);
        let seq = row.seq;
        let (_, paid) = self.read(move |conn| payer::payers(conn, org, seq)).await?;
        let mut payers: HashMap<Meter, payer::Paid> = paid.into_iter().collect();
        let lines = self.lines(org, row.charges.iter()).await?;
        let mut explained = Vec::with_capacity(row.charges.len());
        for charge in &row.charges {
            let line = line_of(&lines, charge)?.clone();
            let why = explain(&line, row.event.usage(charge.quantity), charge)?;
            let paid = payers.remove(&charge.meter).unwrap_or_default();
            explained.push(Explained { charge: charge.clone(), line, why, paid });
        }
        Ok(EventDetail { row, accepted_at, explained })
    }

    /// Adds to events their charges and the entries that settled them.
    async fn complete(&self, org: OrgId, said: Vec<Said>) -> Result<Vec<EventRow>, StoreError> {
        let Some((low, high)) = said.iter().map(|s| s.seq.0).min().zip(said.iter().map(|s| s.seq.0).max()) else {
            return Ok(Vec::new());
        };
        let mut charges = self.charges(org, low, high).await?;
        let lines = self.lines(org, charges.values().flatten()).await?;
        let mut complete = Vec::with_capacity(said.len());
        for Said { seq, occurred_at, mut event } in said {
            let mut charges = charges.remove(&seq).unwrap_or_default();
            for charge in &mut charges {
                let rated = line_of(&lines, charge)?.rate(event.usage(charge.quantity), charge.before())?;
                charge.carry_after = rated.after.carry;
            }
            event.quantities = charges.iter().map(|charge| (charge.meter.clone(), charge.quantity)).collect();
            let credits = Credits::sum(charges.iter().map(|charge| charge.credits))?;
            let entry = sqlx::query_scalar(
                "SELECT seq FROM entry WHERE org_id = ?1 AND first_event <= ?2 AND first_event IS NOT NULL ORDER BY first_event DESC LIMIT 1",
            )
            .bind(org.0)
            .bind(seq.0)
            .fetch_one(self.reader())
            .await?;
            complete.push(EventRow { seq, event, occurred_at, charges, credits, entry: EntrySeq(entry) });
        }
        Ok(complete)
    }

    async fn charges(&self, org: OrgId, low: i64, high: i64) -> Result<HashMap<EventSeq, Vec<Charge>>, StoreError> {
        let rows = sqlx::query(charge_sql!("WHERE c.org_id = ?1 AND c.seq BETWEEN ?2 AND ?3 ORDER BY c.seq, m.name"))
            .bind(org.0)
            .bind(low)
            .bind(high)
            .fetch_all(self.reader())
            .await?;
        let mut charges: HashMap<EventSeq, Vec<Charge>> = HashMap::new();
        for row in &rows {
            let (seq, charge) = charge_of(row)?;
            charges.entry(seq).or_default().push(charge);
        }
        Ok(charges)
    }

    /// The lines by which charges were rated.
    async fn lines(&self, org: OrgId, charges: impl Iterator<Item = &Charge>) -> Result<Lines, StoreError> {
        let wanted: HashSet<LineKey> = charges.map(key_of).collect();
        self.read(move |conn| {
            let mut cards: HashMap<RateCardVersion, RateCard> = HashMap::new();
            let mut lines = Lines::new();
            for key in wanted {
                let (version, number, meter) = &key;
                let card = match cards.entry(*version) {
                    Entry::Occupied(known) if *version != RateCardVersion::CAPTURES => known.into_mut(),
                    Entry::Occupied(mut other) => {
                        other.insert(card_of(conn, org, *version, meter)?);
                        other.into_mut()
                    }
                    Entry::Vacant(new) => new.insert(card_of(conn, org, *version, meter)?),
                };
                let line = card.line(*number).ok_or_else(|| unreadable("rate line"))?.clone();
                lines.insert(key, line);
            }
            Ok(lines)
        })
        .await
    }
}

/// Version, line, and the meter, since each meter has its own line for captured holds.
type LineKey = (RateCardVersion, LineNo, Meter);
type Lines = HashMap<LineKey, RateLine>;

fn key_of(charge: &Charge) -> LineKey {
    (charge.version, charge.line, charge.meter.clone())
}

fn line_of<'l>(lines: &'l Lines, charge: &Charge) -> Result<&'l RateLine, StoreError> {
    lines.get(&key_of(charge)).ok_or_else(|| unreadable("rate line"))
}
