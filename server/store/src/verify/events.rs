//! Events: what was said, what it cost, under which entry it was settled.

use super::Problems;
use super::chain::is_possible;
use super::identities::Identities;
use super::names::Names;
use super::prices::Prices;
use super::rollups::{Counted, Rollups};
use super::totals::Totals;
use crate::error::StoreError;
use crate::event::{CHARGE_COLUMNS, COLUMNS, Said, charge_of, charge_sql, event_sql, said};
use crate::identity::{Half, half};
use crate::retention::Base;
use crate::wide;
use crate::wide::check::Level;
use ledger::canon::Canon;
use ledger::event::Status;
use ledger::settle::{Charge, Settlement, leaf};
use ledger::time::EARLIEST;
use ledger::{Credits, Entry, EventSeq, OrgId};
use rusqlite::{Connection, Rows, Statement};

/// Prepared statements over an org's events and their charges, both in the order of the events.
pub(super) struct Statements<'c> {
    events: Statement<'c>,
    charges: Statement<'c>,
}

impl<'c> Statements<'c> {
    pub(super) fn new(conn: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            events: conn.prepare(event_sql!(
                ", e.source_id, e.project_id, i.source_id, i.content, v.event_seq IS NOT NULL,
                 (e.project_id = 0) <> (p.id IS NULL) OR (e.workflow_id = 0) <> (w.id IS NULL) OR (e.run_id = 0) <> (r.id IS NULL)
                 OR (e.module_id = 0) <> (m.id IS NULL) OR (e.user_id = 0) <> (u.id IS NULL) OR (e.tenant_id = 0) <> (t.id IS NULL)
                 OR (e.interaction_id = 0) <> (ia.id IS NULL)
                 OR e.time_said NOT IN (0, 1) OR e.failed NOT IN (0, 1)",
                "LEFT JOIN voided v ON v.org_id = e.org_id AND v.event_seq = e.seq WHERE e.org_id = ?1 AND e.seq > ?2 ORDER BY e.seq"
            ))?,
            charges: conn.prepare(charge_sql!(
                ", c.meter_id, c.quantity < 0 OR c.quantity_micros NOT BETWEEN 0 AND 999999
                 OR coalesce(ct.used_micros, 0) NOT BETWEEN 0 AND 999999",
                "WHERE c.org_id = ?1 AND c.seq > ?2 ORDER BY c.seq, m.name"
            ))?,
        })
    }

    /// Those after an event: what is pruned is not looked at.
    pub(super) fn stream(&mut self, org: OrgId, after: i64) -> Result<Stream<'_>, StoreError> {
        let (events, charges) = (self.events.query([org.0, after])?, self.charges.query([org.0, after])?);
        Ok(Stream { events, charges, waiting: None })
    }
}

/// Events with their charges, one after the other.
pub(super) struct Stream<'s> {
    events: Rows<'s>,
    charges: Rows<'s>,
    waiting: Option<Waiting>,
}

/// A charge that was read before it is known whose it is.
struct Waiting {
    seq: EventSeq,
    meter: i64,
    charge: Charge,
    /// Whether its quantity is not written as quantities are.
    odd: bool,
}

/// An event with all that its rows say.
struct Row {
    said: Said,
    charges: Vec<Charge>,
    /// The numbers of the charges' meters.
    meters: Vec<i64>,
    source: i64,
    project: i64,
    identity_source: i64,
    content: Half,
    voided: bool,
    /// Whether it has a number for a name that there is not, or values that no column may have.
    odd: bool,
    attributes: Option<String>,
}

impl Stream<'_> {
    fn next(&mut self) -> Result<Option<Row>, StoreError> {
        let Some(row) = self.events.next()? else { return Ok(None) };
        let mut read = Row {
            said: said(row)?,
            charges: Vec::new(),
            meters: Vec::new(),
            source: row.get(COLUMNS)?,
            project: row.get(COLUMNS + 1)?,
            identity_source: row.get(COLUMNS + 2)?,
            content: row.get(COLUMNS + 3)?,
            voided: row.get(COLUMNS + 4)?,
            odd: row.get(COLUMNS + 5)?,
            attributes: row.get(7)?,
        };
        loop {
            if self.waiting.is_none() {
                let next = self.charges.next()?;
                let read = |row: &rusqlite::Row<'_>| -> Result<Waiting, StoreError> {
                    let (seq, charge) = charge_of(row)?;
                    Ok(Waiting { seq, meter: row.get(CHARGE_COLUMNS)?, charge, odd: row.get(CHARGE_COLUMNS + 1)? })
                };
                self.waiting = next.map(read).transpose()?;
            }
            match self.waiting.take() {
                Some(waiting) if waiting.seq <= read.said.seq => {
                    read.charges.push(waiting.charge);
                    read.meters.push(waiting.meter);
                    read.odd |= waiting.odd;
                }
                other => {
                    self.waiting = other;
                    break;
                }
            }
        }
        read.said.event.quantities =
            read.charges.iter().map(|charge| (charge.meter.clone(), charge.quantity)).collect();
        Ok(Some(read))
    }
}

/// All that is taken up from events.
pub(super) struct Events {
    /// The event that is settled next.
    pub(super) next: EventSeq,
    pub(super) prices: Prices,
    names: Names,
    totals: Totals,
    pub(super) identities: Identities,
    rollups: Option<Rollups>,
    canon: Canon,
    charges: i64,
    /// What the events that stand cost, in micro-credits.
    standing: i128,
}

/// What an entry settled.
pub(super) struct Settled {
    /// The settlement done again.
    pub(super) settlement: Settlement,
    /// The last event.
    pub(super) last: ledger::Event,
}

impl Events {
    /// Begins with what pruned events left behind.
    pub(super) fn new(
        prices: Prices,
        names: Names,
        merged: i64,
        rollups: Option<Rollups>,
        base: Option<&Base>,
    ) -> Self {
        Self {
            next: EventSeq(1),
            prices,
            names,
            totals: base.map_or_else(Totals::default, Totals::of),
            identities: Identities::new(merged),
            rollups,
            canon: Canon::new(""),
            charges: 0,
            standing: base.map_or(0, |base| base.standing.into()),
        }
    }

    pub(super) const fn done(&self) -> i64 {
        self.totals.events
    }

    /// The events that `entry` settles, done again with `settlement`. `None` where they cannot be followed any further.
    pub(super) fn settle(
        &mut self,
        entry: &Entry,
        (first, last): (EventSeq, EventSeq),
        mut settlement: Settlement,
        stream: &mut Stream<'_>,
        problems: &mut Problems,
        tell: &mut dyn FnMut(i64),
    ) -> Result<Option<Settled>, StoreError> {
        if first != self.next {
            problems.say(format!("{} settles events from {first} on, not from {}", entry.seq, self.next));
            return Ok(None);
        }
        loop {
            let expected = self.next;
            let row = match problems.read(expected, stream.next())? {
                Some(Some(row)) if row.said.seq == expected => row,
                Some(_) => {
                    problems
                        .say(format!("{expected}, which {} settles, is missing, or what it refers to is", entry.seq));
                    return Ok(None);
                }
                None => return Ok(None),
            };
            self.one(entry, &row, &mut settlement, problems)?;
            tell(self.totals.events);
            let Some(next) = expected.0.checked_add(1) else { return Ok(None) };
            self.next = EventSeq(next);
            if expected >= last {
                return Ok(Some(Settled { settlement, last: row.said.event }));
            }
        }
    }

    /// Passes over an entry whose events are pruned; whether the walk can go on.
    pub(super) fn skip(&mut self, entry: &Entry, (first, last): (EventSeq, EventSeq), problems: &mut Problems) -> bool {
        if first != self.next || last < first {
            problems.say(format!("{} settles events from {first} on, not from {}", entry.seq, self.next));
            return false;
        }
        self.next = EventSeq(last.0.saturating_add(1));
        true
    }

    /// Rollups have what wide usage has of pruned events, and wide usage is held against the base.
    pub(super) fn take_up_wide(&mut self, conn: &Connection, org: OrgId, base: &Base) -> Result<(), StoreError> {
        let Some(rollups) = &mut self.rollups else { return Ok(()) };
        rollups.is_pruned = true;
        let sets = self.names.members();
        for day in wide::check::days(conn, org)? {
            let segment = wide::check::segment(conn, org, Level::FULL, day)?;
            for fact in segment.iter().flat_map(|(_, facts)| facts) {
                rollups.add_fact(fact, &sets, 1)?;
            }
        }
        // Events that are in wide usage and were walked were counted there.
        let last = wide::check::last_event(conn, org)?.min(self.next.0);
        let mut counted = Ok(());
        wide::check::each_step(conn, org, (base.last_event, last), |fact| {
            if counted.is_ok() {
                counted = rollups.add_fact(fact, &sets, -1);
            }
        })?;
        counted
    }

    fn one(
        &mut self,
        entry: &Entry,
        row: &Row,
        settlement: &mut Settlement,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        let Said { seq, occurred_at, event } = &row.said;
        let content = event.content_hash(&mut self.canon);
        if half(&content) != row.content || row.source != row.identity_source {
            problems.say(format!("{seq} is not what was said: it does not match its identity"));
        }
        let attributes =
            (!event.attributes.is_empty()).then(|| serde_json::to_string(&event.attributes)).transpose()?;
        if row.odd || attributes != row.attributes {
            problems.say(format!("{seq} refers to names that there are not, or is not written as events are"));
        }
        if *occurred_at < EARLIEST || !is_possible(*occurred_at) {
            problems.say(format!("{seq} has an impossible time"));
            return Ok(());
        }
        self.prices.rate_again(*seq, event, (*occurred_at, entry.booked_at), &row.charges, problems);
        leaf(&mut self.canon, *seq, &content, *occurred_at, &row.charges);
        let project = event.project.as_ref().map(|place| &place.id);
        problems
            .read(*seq, settlement.add(*seq, project, &row.charges, self.canon.as_bytes()).map_err(StoreError::from))?;
        self.charges = self.charges.saturating_add_unsigned(row.charges.len() as u64);
        self.totals.add(event, &row.charges, &row.meters, row.voided);
        self.identities.add(*seq, event.source.as_str(), event.id.as_str());
        let Some(set) = self.names.set(&mut row.meters.clone()) else {
            problems.say(format!("{seq} has a set of meters that has no row"));
            return Ok(());
        };
        if row.voided {
            return Ok(());
        }
        self.standing += row.charges.iter().map(|charge| i128::from(charge.credits.micros())).sum::<i128>();
        let counted = Counted {
            at: *occurred_at,
            source: row.source,
            project: row.project,
            failed: event.status == Status::Failed,
            bytes: event.bytes,
            charges: &row.charges,
            meters: &row.meters,
        };
        let added = self.rollups.as_mut().map_or(Ok(()), |rollups| rollups.add(&counted, set));
        problems.read(*seq, added)?;
        Ok(())
    }

    /// All that was derived from events, and that there are no others.
    pub(super) fn finish(
        self,
        conn: &Connection,
        org: OrgId,
        consumed: Credits,
        base: Option<&Base>,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        let pruned = base.map_or(0, |base| base.last_event);
        let counted = |sql: &str, after: i64| conn.query_row(sql, [org.0, after], |row| row.get::<_, i64>(0));
        let (events, charges) = (self.totals.events, self.charges);
        let rows = [
            ("event", counted("SELECT count(*) FROM event WHERE org_id = ?1 AND seq > ?2", pruned)?, events - pruned),
            ("identity", counted("SELECT count(*) FROM identity WHERE org_id = ?1 AND seq > ?2", i64::MIN)?, events),
            ("charge", counted("SELECT count(*) FROM charge WHERE org_id = ?1 AND seq > ?2", pruned)?, charges),
        ];
        for (table, rows, expected) in rows {
            if rows != expected {
                problems.say(format!("{table} has {rows} rows, the entries settle {expected}"));
            }
        }
        if i128::from(consumed.micros()) != self.standing {
            problems.say(format!("the ledger consumed {consumed}, which is not what the events that stand cost"));
        }
        let names = self.names.check(conn, org, self.prices.cards(), problems);
        problems.read("names and meters", names)?;
        let totals = self.totals.finish(conn, org, problems);
        problems.read("the sums of all time", totals)?;
        let identities = self.identities.finish(conn, org, problems);
        problems.read("the index of identities", identities)?;
        if let Some(rollups) = self.rollups {
            let rollups = rollups.finish(conn, org, &self.names, problems);
            problems.read("the rollups", rollups)?;
        }
        Ok(())
    }
}
