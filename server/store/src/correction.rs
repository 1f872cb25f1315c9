//! Corrections: an event voided or replaced, a balance adjusted by hand; tried out before, if wished.
//!
//! Usage is shown when it happened: voiding takes it off the chart where it stood. It is booked when it is corrected: a
//! billing cycle that is over is not reopened, and the entry, made in the current one, names the old
//! ([`Correction::happened_in`]).

use crate::Store;
use crate::audit::{By, Change};
use crate::calendar::cycle;
use crate::error::StoreError;
use crate::event::charges_of;
use crate::grant;
use crate::ingest::Outcome;
use crate::once::{Done, Once};
use crate::payer::payers;
use crate::retention::check_kept;
use crate::rollup::{drop_empty, quarter_of};
use crate::rows;
use crate::tx::Tx;
use crate::{trace, wide};
use ledger::correction::{Voiding, check_reason, put};
use ledger::label::{MAX_TEXT_BYTES, check_text};
use ledger::{
    Account, Balance, BillingCycle, Credits, EntrySeq, Event, EventSeq, Grant, GrantId, GrantKind, Label, Meter, OrgId,
    Quantity, Refusal, Scope, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// What is to be corrected. Each with a reason in a person's words.
#[derive(Debug, Clone)]
pub enum Request {
    /// Take an event back.
    Void {
        /// Which.
        event: EventSeq,
        /// Why.
        reason: String,
    },
    /// Take an event back and let another stand in its place, with an id of its own.
    Replace {
        /// Which.
        event: EventSeq,
        /// Why.
        reason: String,
        /// What should have been reported.
        with: Box<Event>,
    },
    /// Give credits, or take some, by hand.
    Adjust {
        /// Above zero: a new grant. Below: taken from what is left, in drawdown order.
        amount: Credits,
        /// Only from this grant; for taking only.
        grant: Option<GrantId>,
        /// When a new grant expires; for giving only.
        expires_at: Option<Timestamp>,
        /// Why.
        reason: String,
    },
}

impl Request {
    /// What would be passed over must not be said: somebody meant something by it.
    fn check(&self) -> Result<(), Refusal> {
        let problem = match self {
            Self::Adjust { amount, grant: Some(_), .. } if amount.is_positive() => {
                "giving makes a new grant: leave grant out, or take with an amount below zero"
            }
            Self::Adjust { amount, expires_at: Some(_), .. } if amount.is_negative() => {
                "taking makes no grant that could expire: leave expires_at out"
            }
            _ => return Ok(()),
        };
        Err(Refusal::Contradiction { problem })
    }
}

/// What a correction does: booked, or tried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Whether it is booked; otherwise it is what would happen.
    pub booked: bool,
    /// The entries that it makes, in their order.
    pub entries: Vec<EntrySeq>,
    /// The event that is taken back.
    pub event: Option<EventSeq>,
    /// The event that stands in its place.
    pub replacement: Option<EventSeq>,
    /// The billing cycle in which the event happened.
    pub happened_in: Option<BillingCycle>,
    /// The billing cycle in which this is booked.
    pub booked_in: BillingCycle,
    /// What the org had before.
    pub before: Balance,
    /// What it has after.
    pub after: Balance,
    /// Grants of which more or less is left, by id.
    pub grants: Vec<GrantChange>,
    /// What changes in analytics.
    pub rollups: Vec<RollupChange>,
}

/// A grant of which more or less is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantChange {
    /// Which.
    pub grant: GrantId,
    /// What was left.
    pub before: Credits,
    /// What is left.
    pub after: Credits,
}

/// What changes in analytics on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollupChange {
    /// The day in the org's zone: `2026-11-21`.
    pub day: String,
    /// Which credit type.
    pub meter: Meter,
    /// Where.
    pub source: Label,
    /// In which project.
    pub project: Option<Label>,
    /// How many credits more or, below zero, fewer.
    pub credits: Credits,
    /// How much more or less of the meter.
    pub quantity: Quantity,
}

impl Store {
    /// Books a correction or, with `preview`, says what it would do.
    ///
    /// # Errors
    /// [`Refusal::MissingReason`], [`Refusal::AlreadyVoided`], [`Refusal::AdjustmentTooLarge`] and what else a rule says;
    /// [`StoreError::NotFound`] for the event.
    pub async fn correct(
        &self,
        org: OrgId,
        by: impl Into<By>,
        request: Request,
        preview: bool,
        once: Option<Once>,
    ) -> Result<Done<Correction>, StoreError> {
        let by = by.into();
        request.check()?;
        if preview {
            let answer = self.writer().try_out(move |tx| tx.correct(org, &by.actor, &request)).await?;
            return Ok(Done { answer: Correction { booked: false, ..answer }, replayed: false });
        }
        let correct = move |tx: &mut Tx<'_>| {
            let done = tx.correct(org, &by.actor, &request)?;
            tx.note(org, &by, change(&request, &done))?;
            Ok(done)
        };
        let run = move |tx: &mut Tx<'_>| tx.once(org, once.as_ref(), &correct);
        self.writer().call(0, run).await
    }

    /// The entry that took an event back, and the event that stands in its place.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn voided(
        &self,
        org: OrgId,
        event: EventSeq,
    ) -> Result<Option<(EntrySeq, Option<EventSeq>)>, StoreError> {
        self.read(move |conn| voided(conn, org, event)).await
    }

    /// The event in whose place another stands, if it stands in one's place.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn replaced_by(&self, org: OrgId, replacement: EventSeq) -> Result<Option<EventSeq>, StoreError> {
        // Corrections are few, so that no index leads this way.
        let sql = "SELECT event_seq FROM voided WHERE org_id = ?1 AND replacement_seq = ?2";
        let run = move |conn: &Connection| {
            let found = conn.prepare_cached(sql)?.query_row([org.0, replacement.0], |row| row.get(0).map(EventSeq));
            Ok(found.optional()?)
        };
        self.read(run).await
    }
}

pub(crate) fn voided(
    conn: &Connection,
    org: OrgId,
    event: EventSeq,
) -> Result<Option<(EntrySeq, Option<EventSeq>)>, StoreError> {
    let sql = "SELECT entry_seq, replacement_seq FROM voided WHERE org_id = ?1 AND event_seq = ?2";
    let found = conn
        .prepare_cached(sql)?
        .query_row([org.0, event.0], |row| Ok((EntrySeq(row.get(0)?), row.get::<_, Option<i64>>(1)?.map(EventSeq))));
    Ok(found.optional()?)
}

/// A reason as it comes from outside: stricter than what an old ledger may hold.
fn check_said(reason: &str) -> Result<(), Refusal> {
    check_reason(reason)?;
    check_text("reason", reason, MAX_TEXT_BYTES)
}

/// What the audit log says of a correction.
fn change(request: &Request, done: &Correction) -> Change {
    let balance =
        |balance: &Balance| json!({"available": balance.available.to_string(), "debt": balance.debt.to_string()});
    let (action, target, mut after) = match request {
        Request::Void { event, reason } => ("event.void", event.to_string(), json!({"reason": reason})),
        Request::Replace { event, reason, .. } => {
            let by = done.replacement.map(|event| event.to_string());
            ("event.replace", event.to_string(), json!({"reason": reason, "replacement": by}))
        }
        Request::Adjust { amount, grant, reason, .. } => {
            let of = grant.map_or_else(
                || done.entries.first().map_or_else(String::new, ToString::to_string),
                |id| id.to_string(),
            );
            ("ledger.adjust", of, json!({"reason": reason, "amount": amount.to_string()}))
        }
    };
    after["balance"] = balance(&done.after);
    Change { action, target, before: Some(json!({"balance": balance(&done.before)})), after: Some(after) }
}

impl Tx<'_> {
    fn correct(&mut self, id: OrgId, cause: &str, request: &Request) -> Result<Correction, StoreError> {
        self.settle_due(id)?;
        let now = self.now();
        let org = self.org(id)?;
        let (before, first) = (org.position.balance(now)?, org.head_seq());
        let lefts = lefts(&org.position);
        let booked_in = cycle(org.zone, now)?;
        let (mut event, mut replacement, mut happened_in, mut rollups) = (None, None, None, Vec::new());
        match request {
            Request::Void { event: seq, reason } => {
                event = Some(*seq);
                (happened_in, rollups) = self.void(id, cause, *seq, None, reason)?;
            }
            Request::Replace { event: seq, reason, with } => {
                let next = EventSeq(self.org(id)?.next_event);
                (event, replacement) = (Some(*seq), Some(next));
                (happened_in, rollups) = self.void(id, cause, *seq, Some(next), reason)?;
                rollups.extend(self.report(id, cause, with)?);
            }
            Request::Adjust { amount, grant, expires_at, reason } => {
                self.adjust(id, cause, *amount, *grant, *expires_at, reason)?;
            }
        }
        self.settle_due(id)?;
        let org = self.org(id)?;
        let (after, last) = (org.position.balance(now)?, org.head_seq());
        let entries = (first.0 + 1..=last.0).map(EntrySeq).collect();
        let grants = changes(&lefts, &self::lefts(&org.position));
        Ok(Correction {
            booked: true,
            entries,
            event,
            replacement,
            happened_in,
            booked_in,
            before,
            after,
            grants,
            rollups: netted(rollups)?,
        })
    }

    fn void(
        &mut self,
        id: OrgId,
        cause: &str,
        event: EventSeq,
        replacement: Option<EventSeq>,
        reason: &str,
    ) -> Result<(Option<BillingCycle>, Vec<RollupChange>), StoreError> {
        check_said(reason)?;
        let (conn, now) = (self.conn, self.now());
        check_kept(conn, id, event)?;
        let stood = Stood::find(conn, id, event)?;
        if voided(conn, id, event)?.is_some() {
            return Err(Refusal::AlreadyVoided.into());
        }
        let (_, paid) = payers(conn, id, event)?;
        let paid: Vec<(Account, Credits)> = paid.into_iter().flat_map(|(_, paid)| paid).collect();
        for (account, _) in &paid {
            if let Account::Grant(grant_id) = account {
                let grant = grant::find(conn, id, *grant_id)?.ok_or_else(|| rows::unreadable("payer of an event"))?;
                self.org(id)?.position.admit_again(grant);
            }
        }
        let charges = charges_of(conn, id, event)?;
        let org = self.org(id)?;
        let mut tiers = false;
        for charge in &charges {
            tiers |= org.lines.take_back(&org.prices, charge)?;
        }
        let voiding = Voiding { event, paid, replacement, tiers, reason: reason.to_owned() };
        let (draft, refund) = org.position.void(voiding, org.next_grant, now, cause)?;
        wide::take_back(conn, id, org.zone, event)?;
        trace::take_back(conn, id, event)?;
        let changes = stood.take_back(conn, id, org)?;
        let happened_in = cycle(org.zone, stood.occurred_at)?;
        let zone = org.zone;
        self.write_derived(id)?;
        drop_empty(conn, id, zone, quarter_of(stood.occurred_at))?;
        self.count_anew(id)?;
        let entry = self.book_with(id, draft, refund.as_ref())?;
        conn.prepare_cached(
            "INSERT INTO voided (org_id, event_seq, entry_seq, replacement_seq) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![id.0, event.0, entry.seq.0, replacement.map(|seq| seq.0)])?;
        Ok((Some(happened_in), changes))
    }

    /// Reports the event that stands in another's place: by the way that all usage goes.
    fn report(&mut self, id: OrgId, cause: &str, event: &Event) -> Result<Vec<RollupChange>, StoreError> {
        // What came back from the voided event is settled first, so that it can pay for this one.
        self.settle_due(id)?;
        let ingested = self.ingest_one(id, cause, event.clone())?;
        let seq = match ingested {
            Outcome::Accepted { seq, .. } => seq,
            Outcome::Refused(refusal) => return Err(refusal.into()),
            // The identity of an event that stands already: it cannot stand a second time.
            Outcome::Duplicate { .. } => return Err(Refusal::EventConflict.into()),
        };
        self.settle_all()?;
        let zone = self.org(id)?.zone;
        Stood::find(self.conn, id, seq)?.changes(zone, 1)
    }

    fn adjust(
        &mut self,
        id: OrgId,
        cause: &str,
        amount: Credits,
        target: Option<GrantId>,
        expires_at: Option<Timestamp>,
        reason: &str,
    ) -> Result<(), StoreError> {
        check_said(reason)?;
        let now = self.now();
        let org = self.org(id)?;
        if amount.is_zero() {
            return Err(Refusal::AdjustmentIsZero.into());
        }
        if amount.is_negative() {
            if let Some(target) = target {
                grant::find(self.conn, id, target)?.ok_or(Refusal::UnknownGrant)?;
            }
            let org = self.org(id)?;
            let drafts = org.position.take(amount.negated()?, target, reason, now, cause)?;
            return drafts.into_iter().try_for_each(|draft| self.book(id, draft).map(|_| ()));
        }
        let grant = Grant {
            id: org.next_grant,
            kind: GrantKind::Adjustment,
            amount,
            priority: 0,
            scope: Scope::default(),
            effective_at: now,
            expires_at,
            description: "Adjusted by hand".to_owned(),
            cost: None,
            rollover: None,
            parent: None,
        };
        let draft = put(&grant, reason, now, cause)?;
        self.book_with(id, draft, Some(&grant)).map(|_| ())
    }
}

fn lefts(position: &ledger::Position) -> BTreeMap<GrantId, Credits> {
    position.slots.iter().map(|slot| (slot.grant.id, slot.left)).collect()
}

fn changes(before: &BTreeMap<GrantId, Credits>, after: &BTreeMap<GrantId, Credits>) -> Vec<GrantChange> {
    let mut ids: Vec<GrantId> = before.keys().chain(after.keys()).copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let of = |map: &BTreeMap<GrantId, Credits>, id| map.get(&id).copied().unwrap_or_default();
    let all = ids.into_iter().map(|grant| GrantChange { grant, before: of(before, grant), after: of(after, grant) });
    all.filter(|change| change.before != change.after).collect()
}

/// Changes of one day and credit type as one; those that cancel out are none.
fn netted(changes: Vec<RollupChange>) -> Result<Vec<RollupChange>, StoreError> {
    let mut net: Vec<RollupChange> = Vec::new();
    for change in changes {
        let same = net.iter_mut().find(|other| {
            (&other.day, &other.meter, &other.source, &other.project)
                == (&change.day, &change.meter, &change.source, &change.project)
        });
        match same {
            Some(other) => {
                other.credits = other.credits.plus(change.credits)?;
                other.quantity = other.quantity.plus(change.quantity)?;
            }
            None => net.push(change),
        }
    }
    net.retain(|change| !change.credits.is_zero() || change.quantity != Quantity::ZERO);
    Ok(net)
}

/// An event as it stands in analytics.
struct Stood {
    occurred_at: Timestamp,
    source: i64,
    project: i64,
    failed: bool,
    bytes: i64,
    /// Meter, its name, credits, quantity.
    charges: Vec<(i64, String, Credits, Quantity)>,
    source_name: String,
    project_name: Option<String>,
}

impl Stood {
    fn find(conn: &Connection, org: OrgId, event: EventSeq) -> Result<Self, StoreError> {
        let sql = "SELECT e.occurred_at, e.source_id, e.project_id, e.failed, e.bytes, s.value, p.value FROM event e
             JOIN dimension s ON s.org_id = e.org_id AND s.kind = 2 AND s.id = e.source_id
             LEFT JOIN dimension p ON p.org_id = e.org_id AND p.kind = 3 AND p.id = e.project_id
             WHERE e.org_id = ?1 AND e.seq = ?2";
        let found = conn.prepare_cached(sql)?.query_row([org.0, event.0], |row| {
            Ok(Self {
                occurred_at: Timestamp::from_micros(row.get(0)?),
                source: row.get(1)?,
                project: row.get(2)?,
                failed: row.get(3)?,
                bytes: row.get(4)?,
                charges: Vec::new(),
                source_name: row.get(5)?,
                project_name: row.get(6)?,
            })
        });
        let mut stood = found.optional()?.ok_or(StoreError::NotFound("event"))?;
        let mut statement = conn.prepare_cached(
            "SELECT c.meter_id, m.name, c.credits, c.quantity, c.quantity_micros FROM charge c
             JOIN meter m ON m.org_id = c.org_id AND m.meter_id = c.meter_id WHERE c.org_id = ?1 AND c.seq = ?2 ORDER BY m.name",
        )?;
        let charges = statement.query_map([org.0, event.0], |row| {
            let (credits, quantity) =
                (Credits::from_micros(row.get(2)?), Quantity::from_parts(row.get(3)?, row.get(4)?));
            Ok((row.get(0)?, row.get(1)?, credits, quantity))
        })?;
        stood.charges = charges.collect::<Result<_, _>>()?;
        Ok(stood)
    }

    /// Takes it out of the rollups; tells what that changes.
    fn take_back(
        &self,
        conn: &Connection,
        id: OrgId,
        org: &mut crate::tx::OrgCache,
    ) -> Result<Vec<RollupChange>, StoreError> {
        let quarter = quarter_of(self.occurred_at);
        for (meter, _, credits, quantity) in &self.charges {
            let (credits, quantity) = (credits.negated()?, Quantity::from_micros(-quantity.micros()));
            org.deltas.add_usage(quarter, *meter, self.source, self.project, credits, quantity);
            // What was a mistake must not take up the range for good.
            let total = org.meters.total_with(*meter, credits, quantity)?;
            org.meters.put_total(*meter, total);
        }
        let meters: Vec<i64> = self.charges.iter().map(|(meter, ..)| *meter).collect();
        let set = org.meters.set(conn, id, &meters)?;
        org.deltas.take_call(quarter, set, self.source, self.project, self.failed, self.bytes);
        self.changes(org.zone, -1)
    }

    /// What it adds to analytics, or takes from it with `sign` −1.
    fn changes(&self, zone: chrono_tz::Tz, sign: i64) -> Result<Vec<RollupChange>, StoreError> {
        let day = crate::calendar::local(zone, self.occurred_at)?.date_naive().to_string();
        let change = |(_, meter, credits, quantity): &(i64, String, Credits, Quantity)| {
            Ok(RollupChange {
                day: day.clone(),
                meter: Meter::parse(meter)?,
                source: Label::kept(&self.source_name)?,
                project: self.project_name.as_deref().map(Label::kept).transpose()?,
                credits: if sign < 0 { credits.negated()? } else { *credits },
                quantity: Quantity::from_micros(quantity.micros() * i128::from(sign)),
            })
        };
        self.charges.iter().map(change).collect()
    }
}
