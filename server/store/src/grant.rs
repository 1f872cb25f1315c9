//! Grants: given, listed, and what became of each.

use crate::Store;
use crate::audit::{By, Change};
use crate::calendar::ZoneCalendar;
use crate::error::StoreError;
use crate::once::{Done, Once};
use crate::position::{At, Reading, read};
use crate::rows::{Columns, unreadable};
use crate::tx::Tx;
use ledger::label::{MAX_LABEL_BYTES, check_text};
use ledger::rollover::{Rolled, roll};
use ledger::{
    Credits, Currency, EntryKind, Figures, Grant, GrantId, GrantKind, Money, OrgId, Refusal, Rollover, Scope,
    Timestamp, settle, subscription,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// Grants on one page, at most.
pub const MAX_PAGE: u32 = 200;
/// Grants of which something is left that one org may have: every write looks at all of them.
pub const MAX_OPEN: usize = 10_000;

/// What makes a grant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewGrant {
    /// Why it is given.
    pub kind: GrantKind,
    /// How much.
    pub amount: Credits,
    /// Lower is spent first.
    pub priority: i16,
    /// What it may be spent on.
    pub scope: Scope,
    /// From when; now where it is not said.
    pub effective_at: Option<Timestamp>,
    /// Until when; for ever where it is not said.
    pub expires_at: Option<Timestamp>,
    /// What people read beside it.
    pub description: String,
    /// What was paid for it.
    pub cost: Option<Money>,
    /// What becomes of its rest when it expires.
    pub rollover: Option<Rollover>,
}

impl NewGrant {
    /// For everything, from now, for ever, without terms.
    #[must_use]
    pub fn of(kind: GrantKind, amount: Credits, description: &str) -> Self {
        Self {
            kind,
            amount,
            priority: 0,
            scope: Scope::default(),
            effective_at: None,
            expires_at: None,
            description: description.to_owned(),
            cost: None,
            rollover: None,
        }
    }
}

/// Which grants are wanted: newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct GrantPage {
    /// Only those of which something is left or held.
    pub open: bool,
    /// Only those before this one.
    pub before: Option<GrantId>,
    /// How many, up to [`MAX_PAGE`].
    pub limit: u32,
}

/// A grant and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantState {
    /// The grant.
    pub grant: Grant,
    /// What became of it.
    pub figures: Figures,
    /// When it was booked; `None` for one that is due but not booked yet.
    pub given_at: Option<Timestamp>,
    /// The end of its cycle, for a plan's credits: as it was, or as it would be now.
    pub end: Option<End>,
}

/// What became, or would become, of the rest of a plan's credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The computation.
    pub rolled: Rolled,
    /// The grant that the rest became; `None` where nothing rolled over, or has not yet.
    pub child: Option<GrantId>,
    /// Whether it has happened.
    pub past: bool,
}

impl Store {
    /// Gives a grant; debt is repaid from it first.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an amount, times, a scope or terms that make no sense, [`StoreError::NotFound`] for
    /// the org.
    pub async fn give_grant(
        &self,
        org: OrgId,
        by: impl Into<By>,
        new: NewGrant,
        once: Option<Once>,
    ) -> Result<Done<Grant>, StoreError> {
        let Done { answer, replayed } = self.give_grant_state(org, by, new, once).await?;
        Ok(Done { answer: answer.grant, replayed })
    }

    /// The same, with what became of it at once: it may repay a debt, or have expired already.
    ///
    /// # Errors
    /// As [`Store::give_grant`].
    pub async fn give_grant_state(
        &self,
        org: OrgId,
        by: impl Into<By>,
        new: NewGrant,
        once: Option<Once>,
    ) -> Result<Done<GrantState>, StoreError> {
        let by = by.into();
        check_text("description", &new.description, MAX_LABEL_BYTES)?;
        let give = move |tx: &mut Tx<'_>| {
            let grant = tx.give_noted(org, &by, &new)?;
            let reading = read(tx.conn, org, At::default(), tx.now())?;
            one(tx.conn, org, &reading, grant.id)
        };
        let run = move |tx: &mut Tx<'_>| tx.once(org, once.as_ref(), &give);
        self.writer().call(0, run).await
    }

    /// A page of grants as they stood, newest first, and the instant at which.
    ///
    /// # Errors
    /// [`Refusal::NotKnownYet`].
    pub async fn grants(
        &self,
        org: OrgId,
        at: At,
        page: GrantPage,
    ) -> Result<(Vec<GrantState>, Timestamp), StoreError> {
        let now = self.now();
        let run = move |conn: &Connection| {
            let reading = read(conn, org, at, now)?;
            Ok((states(conn, org, &reading, &page)?, reading.as_of))
        };
        self.read(run).await
    }

    /// One grant as it stood.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for one that was not given by then.
    pub async fn grant(&self, org: OrgId, id: GrantId, at: At) -> Result<GrantState, StoreError> {
        Ok(self.grant_at(org, id, at).await?.0)
    }

    /// One grant as it stood, and the instant at which.
    ///
    /// # Errors
    /// As [`Store::grant`].
    pub async fn grant_at(&self, org: OrgId, id: GrantId, at: At) -> Result<(GrantState, Timestamp), StoreError> {
        let now = self.now();
        let run = move |conn: &Connection| {
            let reading = read(conn, org, at, now)?;
            Ok((one(conn, org, &reading, id)?, reading.as_of))
        };
        self.read(run).await
    }
}

fn one(conn: &Connection, org: OrgId, reading: &Reading, id: GrantId) -> Result<GrantState, StoreError> {
    let page = GrantPage { open: false, before: Some(GrantId(id.0.saturating_add(1))), limit: 1 };
    let found = states(conn, org, reading, &page)?.into_iter().find(|state| state.grant.id == id);
    found.ok_or(StoreError::NotFound("grant"))
}

impl Tx<'_> {
    /// Gives a grant and notes who did. The caller has checked its description.
    pub(crate) fn give_noted(&mut self, org: OrgId, by: &By, new: &NewGrant) -> Result<Grant, StoreError> {
        let grant = self.give_grant(org, &by.actor, new)?;
        let after = json!({"kind": grant.kind.as_str(), "amount": grant.amount.to_string()});
        let change = Change { action: "grant.give", target: grant.id.to_string(), before: None, after: Some(after) };
        self.note(org, by, change)?;
        Ok(grant)
    }

    /// Gives a grant. The caller has checked its description.
    pub(crate) fn give_grant(&mut self, id: OrgId, cause: &str, new: &NewGrant) -> Result<Grant, StoreError> {
        self.settle_due(id)?;
        check_scope(self.conn, id, &new.scope)?;
        let now = self.now();
        let org = self.org(id)?;
        if org.position.slots.len() >= MAX_OPEN {
            return Err(Refusal::TooMany { field: "the list of open grants", max: MAX_OPEN }.into());
        }
        let grant = Grant {
            id: org.next_grant,
            kind: new.kind,
            amount: new.amount,
            priority: new.priority,
            scope: new.scope.clone(),
            effective_at: new.effective_at.unwrap_or(now),
            expires_at: new.expires_at,
            description: new.description.clone(),
            cost: new.cost,
            rollover: new.rollover,
            parent: None,
        };
        let draft = settle::give(&grant, now, cause)?;
        self.book_with(id, draft, Some(&grant))?;
        if grant.is_expired(now) {
            self.end_late(id, grant.id, cause)?;
        }
        self.settle_due(id)?;
        Ok(grant)
    }

    /// Ends a grant that was over when it was given.
    fn end_late(&mut self, id: OrgId, grant: GrantId, cause: &str) -> Result<(), StoreError> {
        if cause == subscription::CAUSE
            && let Some(repayment) = self.org(id)?.position.repay_late(grant)?
        {
            self.book(id, repayment)?;
        }
        let org = self.org(id)?;
        if org.position.slots.iter().any(|slot| slot.grant.id == grant) {
            let step = org.position.end_late(grant, org.next_grant, &ZoneCalendar(org.zone))?;
            self.book_with(id, step.draft, step.child.as_ref())?;
        }
        Ok(())
    }
}

/// A scope that nothing could ever match is a mistake, found now rather than by unspent credits.
fn check_scope(conn: &Connection, org: OrgId, scope: &Scope) -> Result<(), StoreError> {
    let nothing = |problem: String| StoreError::Refused(Refusal::ScopeNamesNothing { problem });
    for meter in &scope.meters {
        let known = conn
            .prepare_cached("SELECT 1 FROM meter WHERE org_id = ?1 AND name = ?2")?
            .exists(params![org.0, meter.as_str()])?;
        if !known {
            return Err(nothing(format!("no line of the rate card names the meter \"{meter}\"")));
        }
    }
    for project in &scope.projects {
        let known = conn
            .prepare_cached("SELECT 1 FROM dimension WHERE org_id = ?1 AND kind = 3 AND value = ?2")?
            .exists(params![org.0, project.as_str()])?;
        if !known {
            return Err(nothing(format!("no event has named the project \"{project}\" yet")));
        }
    }
    Ok(())
}

/// Writes the row of a grant that the entry `given` gives.
pub(crate) fn insert(conn: &Connection, id: OrgId, grant: &Grant, given: ledger::EntrySeq) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO credit_grant (org_id, grant_id, kind, amount, priority, scope, effective_at, expires_at, description,
                                   cost_minor, cost_currency, rollover, parent_id, given_seq)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        id.0,
        grant.id.0,
        grant.kind.as_str(),
        grant.amount.micros(),
        grant.priority,
        serde_json::to_string(&grant.scope)?,
        grant.effective_at.micros(),
        grant.expires_at.map(Timestamp::micros),
        grant.description,
        grant.cost.map(|cost| cost.minor),
        grant.cost.as_ref().map(|cost| cost.currency.as_str()),
        grant.rollover.as_ref().map(serde_json::to_string).transpose()?,
        grant.parent.map(|parent| parent.0),
        given.0,
    ])?;
    Ok(())
}

/// The columns of [`grant_of`], of `credit_grant g`.
macro_rules! columns {
    () => {
        "g.grant_id, g.kind, g.amount, g.priority, g.scope, g.effective_at, g.expires_at, g.description, g.cost_minor, g.cost_currency, g.rollover, g.parent_id"
    };
}
pub(crate) use columns;
/// How many those are.
pub(crate) const COLUMNS: usize = 12;

/// A grant from [`columns`].
pub(crate) fn grant_of(row: &impl Columns) -> Result<Grant, StoreError> {
    let minor: Option<i64> = row.get(8)?;
    let currency = row.get::<Option<String>>(9)?.map(|code| Currency::parse(&code)).transpose()?;
    let rollover = row.get::<Option<String>>(10)?.map(|json| serde_json::from_str(&json)).transpose()?;
    Ok(Grant {
        id: GrantId(row.get(0)?),
        kind: GrantKind::parse(&row.get::<String>(1)?).ok_or_else(|| unreadable("kind of grant"))?,
        amount: Credits::from_micros(row.get(2)?),
        priority: row.get(3)?,
        scope: serde_json::from_str(&row.get::<String>(4)?)?,
        effective_at: Timestamp::from_micros(row.get(5)?),
        expires_at: row.get::<Option<i64>>(6)?.map(Timestamp::from_micros),
        description: row.get(7)?,
        cost: minor.zip(currency).map(|(minor, currency)| Money { minor, currency }),
        rollover,
        parent: row.get::<Option<i64>>(11)?.map(GrantId),
    })
}

/// One grant.
pub(crate) fn find(conn: &Connection, org: OrgId, id: GrantId) -> Result<Option<Grant>, StoreError> {
    conn.prepare_cached(concat!("SELECT ", columns!(), " FROM credit_grant g WHERE g.org_id = ?1 AND g.grant_id = ?2"))?
        .query_row([org.0, id.0], |row| Ok(grant_of(row)))
        .optional()?
        .transpose()
}

/// The number of the next grant.
pub(crate) fn next_id(conn: &Connection, org: OrgId) -> Result<GrantId, StoreError> {
    let sql = "SELECT coalesce(max(grant_id), 0) + 1 FROM credit_grant WHERE org_id = ?1";
    Ok(conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0).map(GrantId))?)
}

/// Grants of a reading, with what became of them.
fn states(conn: &Connection, org: OrgId, reading: &Reading, page: &GrantPage) -> Result<Vec<GrantState>, StoreError> {
    let limit = page.limit.min(MAX_PAGE) as usize;
    let before = page.before.map_or(i64::MAX, |id| id.0);
    let cut = reading.cut.map_or(i64::MAX, |seq| seq.0);
    let position = &reading.position;
    let due: Vec<&Grant> = reading.steps.iter().filter_map(|step| step.child.as_ref()).collect();
    let mut states = Vec::new();
    let is_open = |id: GrantId| position.slots.iter().any(|slot| slot.grant.id == id);
    let wanted = |grant: &&&Grant| grant.id.0 < before && (!page.open || is_open(grant.id));
    let wanted_due = due.iter().rev().filter(wanted).map(|grant| ((*grant).clone(), None));
    let mut rows = wanted_due.collect::<Vec<_>>();
    // The times of a reading may leave out grants of the table: those are asked for by the instant they count from.
    let mut statement = conn.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        ", e.booked_at FROM credit_grant g JOIN entry e ON e.org_id = g.org_id AND e.seq = g.given_seq
         WHERE g.org_id = ?1 AND g.grant_id < ?2 AND (g.given_seq <= ?3 OR (e.kind = 'grant' AND e.happened_at <= ?4 AND e.booked_at <= ?5))
         ORDER BY g.grant_id DESC"
    ))?;
    let mut found = statement.query(params![org.0, before, cut, reading.as_of.micros(), reading.known.micros()])?;
    while rows.len() < limit {
        let Some(row) = found.next()? else { break };
        let grant = grant_of(row)?;
        if !page.open || is_open(grant.id) {
            rows.push((grant, Some(Timestamp::from_micros(row.get(COLUMNS)?))));
        }
    }
    rows.truncate(limit);
    for (grant, given_at) in rows {
        states.push(state(conn, org, reading, grant, given_at)?);
    }
    Ok(states)
}

/// What became of one grant of a reading.
pub(crate) fn state(
    conn: &Connection,
    org: OrgId,
    reading: &Reading,
    grant: Grant,
    given_at: Option<Timestamp>,
) -> Result<GrantState, StoreError> {
    let cut = reading.cut.map_or(i64::MAX, |seq| seq.0);
    let figures = figures(conn, org, reading, &grant, cut)?;
    let end = end(conn, org, reading, &grant, &figures, cut)?;
    Ok(GrantState { grant, figures, given_at, end })
}

/// When a grant was booked; `None` for one that is due but not booked yet.
pub(crate) fn given_at(conn: &Connection, org: OrgId, id: GrantId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT e.booked_at FROM credit_grant g JOIN entry e ON e.org_id = g.org_id AND e.seq = g.given_seq
         WHERE g.org_id = ?1 AND g.grant_id = ?2";
    let found = conn.prepare_cached(sql)?.query_row([org.0, id.0], |row| row.get(0).map(Timestamp::from_micros));
    Ok(found.optional()?)
}

/// What became of a grant: what is left and held is in the position; what expired, moved on or was taken back has entries
/// of its own, few per grant; the rest was spent.
fn figures(conn: &Connection, org: OrgId, reading: &Reading, grant: &Grant, cut: i64) -> Result<Figures, StoreError> {
    let position = &reading.position;
    let left = position.slots.iter().find(|slot| slot.grant.id == grant.id).map_or(Credits::ZERO, |slot| slot.left);
    let parts = position.holds.iter().flat_map(|hold| &hold.reserved);
    let held = Credits::sum(parts.filter(|(id, _)| *id == grant.id).map(|(_, part)| *part))?;
    let mut folded: BTreeMap<GrantId, Figures> = BTreeMap::new();
    for step in reading.steps.iter().filter(|step| touches(&step.draft.kind, grant.id)) {
        ledger::figures::fold(&mut folded, &step.draft)?;
    }
    let mut statement = conn.prepare_cached(concat!(
        crate::entry::entry_sql!(),
        "WHERE e.org_id = ?1 AND e.grant_id = ?2 AND e.seq <= ?3 AND e.kind IN ('expiry', 'rollover', 'adjustment')"
    ))?;
    let mut rows = statement.query([org.0, grant.id.0, cut])?;
    while let Some(row) = rows.next()? {
        let mut entry = crate::entry::entry_of(org, row)?;
        let lines = crate::entry::lines(conn, org, entry.seq)?;
        entry.draft.postings = lines.iter().map(|line| line.posting).collect();
        ledger::figures::fold(&mut folded, &entry.draft)?;
    }
    let Figures { expired, rolled, voided, .. } = folded.remove(&grant.id).unwrap_or_default();
    let gone = Credits::sum([left, held, expired, rolled, voided])?;
    Ok(Figures { granted: grant.amount, left, held, spent: grant.amount.minus(gone)?, expired, rolled, voided })
}

fn touches(kind: &EntryKind, grant: GrantId) -> bool {
    match kind {
        EntryKind::Expiry { grant: id } | EntryKind::Rollover { grant: id, .. } => *id == grant,
        _ => false,
    }
}

/// The end of a plan grant's cycle: the first entry that ended it, or what would happen now.
fn end(
    conn: &Connection,
    org: OrgId,
    reading: &Reading,
    grant: &Grant,
    figures: &Figures,
    cut: i64,
) -> Result<Option<End>, StoreError> {
    let Some(expires_at) = grant.expires_at.filter(|_| grant.kind == GrantKind::Plan) else { return Ok(None) };
    if expires_at > reading.as_of {
        return Ok(Some(End { rolled: roll(grant, figures.left)?, child: None, past: false }));
    }
    let booked: Option<(i64, Option<i64>)> = conn
        .prepare_cached(
            "SELECT -sum(p.amount), e.child_id FROM entry e
             JOIN posting p ON p.org_id = e.org_id AND p.entry_seq = e.seq AND p.account = 'grant' AND p.number = e.grant_id
             WHERE e.org_id = ?1 AND e.grant_id = ?2 AND e.seq <= ?3 AND e.kind IN ('expiry', 'rollover')
             GROUP BY e.seq ORDER BY e.seq LIMIT 1",
        )?
        .query_row([org.0, grant.id.0, cut], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let due = reading.steps.iter().find(|step| touches(&step.draft.kind, grant.id));
    let (left, child) = match (booked, due) {
        (Some((left, child)), _) => (Credits::from_micros(left), child.map(GrantId)),
        (None, Some(step)) => {
            let left = step.draft.postings.first().map_or(Ok(Credits::ZERO), |posting| posting.amount.negated())?;
            (left, step.child.as_ref().map(|child| child.id))
        }
        (None, None) => (Credits::ZERO, None),
    };
    let rolled = match child {
        Some(_) => roll(grant, left)?,
        None => Rolled { left, cap: None, rolled: Credits::ZERO, expired: left },
    };
    Ok(Some(End { rolled, child, past: true }))
}
