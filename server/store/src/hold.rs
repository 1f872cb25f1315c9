//! Holds: credits reserved for work in progress.

use crate::Store;
use crate::alert::{Asking, admit};
use crate::error::StoreError;
use crate::ingest::{self, Arrived};
use crate::once::{Done, Once};
use crate::position::{At, Reading, read};
use crate::rate_card::{card_at, prices, tier_use};
use crate::rows::unreadable;
use crate::tx::Tx;
use crate::{calendar, org};
use ledger::canon::Canon;
use ledger::event::{Place, Status};
use ledger::hold::{DEFAULT_METER, DEFAULT_SECONDS, DEFAULT_SOURCE, Request, ends_at};
use ledger::label::{MAX_LABEL_BYTES, check_text};
use ledger::merkle::Builder;
use ledger::rate::{Before, Carry};
use ledger::settle::{leaf, rate_event};
use ledger::{
    Balance, Credits, CycleUse, Entry, EntryKind, Event, EventSeq, GrantId, Hold, HoldId, HoldStatus, Label, Meter,
    OrgId, Quantity, RateCard, Refusal, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};

/// Holds on one page, at most.
pub const MAX_PAGE: u32 = 200;
/// 10⁻¹² credit in a micro-credit: events report in the finer unit.
pub(crate) const PICOS_PER_MICRO: i64 = 1_000_000;

/// What makes a hold.
#[derive(Debug, Clone)]
pub struct NewHold {
    /// How much to reserve.
    pub amount: Credits,
    /// How long, in seconds; [`DEFAULT_SECONDS`] where it is not said.
    pub expires_in_s: Option<i64>,
    /// What a capture will count for; [`DEFAULT_METER`] where it is not said.
    pub meter: Option<Meter>,
    /// Where a capture will count; [`DEFAULT_SOURCE`] where it is not said.
    pub source: Option<Label>,
    /// In which project.
    pub project: Option<Label>,
    /// On whose behalf: whose budgets are asked, and for whom a capture counts.
    pub user: Option<Label>,
    /// See `user`.
    pub tenant: Option<Label>,
    /// What people read beside it; may be empty.
    pub description: String,
}

/// Which holds are wanted: newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct HoldPage {
    /// Only those that stand so.
    pub status: Option<HoldStatus>,
    /// Only those before this one.
    pub before: Option<HoldId>,
    /// How many, up to [`MAX_PAGE`].
    pub limit: u32,
}

/// What would be charged: an amount, or a quantity at the prices of now.
#[derive(Debug, Clone)]
pub struct Ask {
    /// So many credits; the least there is where neither is said.
    pub amount: Option<Credits>,
    /// So much of the meter, instead of an amount.
    pub quantity: Option<Quantity>,
    /// For which meter.
    pub meter: Option<Meter>,
    /// From which source: prices may differ.
    pub source: Option<Label>,
    /// In which project.
    pub project: Option<Label>,
    /// On whose behalf: whose budgets are asked.
    pub user: Option<Label>,
    /// See `user`.
    pub tenant: Option<Label>,
}

impl Ask {
    const fn asking(&self) -> Asking<'_> {
        Asking { project: self.project.as_ref(), user: self.user.as_ref(), tenant: self.tenant.as_ref() }
    }
}

/// For whom the work of a hold counts.
pub(crate) const fn asking(hold: &Hold) -> Asking<'_> {
    Asking { project: hold.project.as_ref(), user: hold.user.as_ref(), tenant: hold.tenant.as_ref() }
}

impl Store {
    /// Reserves credits.
    ///
    /// # Errors
    /// [`Refusal::InsufficientCredits`] where neither grants nor the policy allow it, [`Refusal::BudgetExceeded`] where a budget does
    /// not, and what else a rule says of it.
    pub async fn create_hold(
        &self,
        org: OrgId,
        cause: String,
        new: NewHold,
        once: Option<Once>,
    ) -> Result<Done<Hold>, StoreError> {
        if !new.description.is_empty() {
            check_text("description", &new.description, MAX_LABEL_BYTES)?;
        }
        let run = move |tx: &mut Tx<'_>| tx.once(org, once.as_ref(), |tx| tx.create_hold(org, &cause, &new));
        self.writer().call(0, run).await
    }

    /// Charges what the work cost: `amount`, or all that was held. It counts as one event.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`Refusal::HoldCaptured`], [`Refusal::HoldReleased`], [`Refusal::HoldExpired`];
    /// [`Refusal::InsufficientCredits`] for more than the hold where neither grants nor the policy allow it.
    pub async fn capture_hold(
        &self,
        org: OrgId,
        cause: String,
        id: HoldId,
        amount: Option<Credits>,
        once: Option<Once>,
    ) -> Result<Done<Hold>, StoreError> {
        let run = move |tx: &mut Tx<'_>| tx.once(org, once.as_ref(), |tx| tx.capture_hold(org, &cause, id, amount));
        self.writer().call(0, run).await
    }

    /// Gives back what a hold reserves.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`Refusal::HoldCaptured`], [`Refusal::HoldReleased`], [`Refusal::HoldExpired`].
    pub async fn release_hold(
        &self,
        org: OrgId,
        cause: String,
        id: HoldId,
        once: Option<Once>,
    ) -> Result<Done<Hold>, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.once(org, once.as_ref(), |tx| {
                let hold = tx.pending_hold(org, id)?;
                let draft = hold.release(tx.now(), &cause)?;
                tx.book(org, draft)?;
                tx.settle_due(org)?;
                find(tx.conn, org, id)
            })
        };
        self.writer().call(0, run).await
    }

    /// Gives a hold more time: so many seconds from now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`Refusal::BadHoldTime`], [`Refusal::HoldNotExtended`], [`Refusal::HoldCaptured`],
    /// [`Refusal::HoldReleased`], [`Refusal::HoldExpired`].
    pub async fn extend_hold(
        &self,
        org: OrgId,
        cause: String,
        id: HoldId,
        expires_in_s: i64,
        once: Option<Once>,
    ) -> Result<Done<Hold>, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.once(org, once.as_ref(), |tx| {
                let hold = tx.pending_hold(org, id)?;
                let now = tx.now();
                let draft = hold.extend(ends_at(now, expires_in_s)?, now, &cause)?;
                tx.book(org, draft)?;
                find(tx.conn, org, id)
            })
        };
        self.writer().call(0, run).await
    }

    /// One hold as it stands now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn hold(&self, org: OrgId, id: HoldId) -> Result<Hold, StoreError> {
        let now = self.now();
        let run = move |conn: &Connection| Ok(as_it_stands(find(conn, org, id)?, now));
        self.read(run).await
    }

    /// A page of holds as they stand now, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn holds(&self, org: OrgId, page: HoldPage) -> Result<Vec<Hold>, StoreError> {
        let now = self.now();
        self.read(move |conn| list(conn, org, &page, now)).await
    }

    /// Whether work may begin: what it would cost and what the org has. Reserves nothing.
    ///
    /// # Errors
    /// [`Refusal::InsufficientCredits`], [`Refusal::BudgetExceeded`], or what rating says of the quantity.
    pub async fn authorize(&self, org: OrgId, ask: Ask) -> Result<(Credits, Balance), StoreError> {
        let now = self.now();
        let run = move |conn: &Connection| {
            let Reading { position, as_of, .. } = read(conn, org, At::default(), now)?;
            let meter = ask.meter.clone().map_or_else(|| Meter::parse(DEFAULT_METER), Ok)?;
            let amount = match ask.quantity {
                // At the present of the balance, which a clock that jumped back does not set back.
                Some(quantity) => cost_of(conn, org, as_of, &ask, (&meter, quantity))?,
                None => ask.amount.unwrap_or(Credits::from_micros(1)),
            };
            if amount.is_positive() {
                position.cover(amount, &meter, ask.project.as_ref(), as_of)?;
            }
            admit(conn, org, ask.asking(), amount, as_of)?;
            Ok((amount, position.balance(as_of)?))
        };
        self.read(run).await
    }
}

/// What is asked for, in credits. What the line carries is left out: it is less than anything that is charged.
fn cost_of(
    conn: &Connection,
    org: OrgId,
    now: Timestamp,
    ask: &Ask,
    (meter, quantity): (&Meter, Quantity),
) -> Result<Credits, StoreError> {
    let card = card_at(conn, org, now)?;
    let event = event_of("ask", meter, quantity, ask.source.clone(), ask.asking(), None)?;
    let (number, line) = card.line_for(meter, &event)?;
    let CycleUse { used, owed } = if line.has_tiers() {
        let cycle = calendar::cycle(org::zone(conn, org)?, now)?;
        tier_use(conn, org, prices(conn, org)?.origin(card.version, number), cycle)?
    } else {
        CycleUse::default()
    };
    let rated = line.rate(event.usage(quantity), Before { carry: Carry(0), used, owed })?;
    // What a volume price would give back is no reason to ask for less than nothing.
    Ok(rated.credits.max(Credits::ZERO))
}

pub(crate) fn event_of(
    id: &str,
    meter: &Meter,
    quantity: Quantity,
    source: Option<Label>,
    of: Asking<'_>,
    reported: Option<i64>,
) -> Result<Event, Refusal> {
    Ok(Event {
        id: Label::parse("id", id)?,
        source: source.map_or_else(|| Label::parse("source", DEFAULT_SOURCE), Ok)?,
        operation: Label::parse("type", meter.as_str())?,
        time: None,
        quantities: vec![(meter.clone(), quantity)],
        reported,
        project: of.project.cloned().map(|id| Place { id, name: None }),
        workflow: None,
        run: None,
        module: None,
        user: of.user.cloned(),
        tenant: of.tenant.cloned(),
        interaction: None,
        status: Status::Succeeded,
        bytes: 0,
        compute_micros: 0,
        description: None,
        attributes: Vec::new(),
    })
}

impl Tx<'_> {
    fn create_hold(&mut self, id: OrgId, cause: &str, new: &NewHold) -> Result<Hold, StoreError> {
        self.settle_due(id)?;
        let (conn, now) = (self.conn, self.now());
        let org = self.org(id)?;
        if let Some(meter) = new.meter.as_ref().filter(|meter| !org.meters.knows(meter)) {
            return Err(Refusal::UnknownMeter { meter: meter.to_string(), known: org.meters.names() }.into());
        }
        let sql = "SELECT coalesce(max(hold_id), 0) + 1 FROM hold WHERE org_id = ?1";
        let request = Request {
            id: conn.prepare_cached(sql)?.query_row([id.0], |row| row.get(0).map(HoldId))?,
            amount: new.amount,
            meter: new.meter.clone().map_or_else(|| Meter::parse(DEFAULT_METER), Ok)?,
            source: new.source.clone().map_or_else(|| Label::parse("source", DEFAULT_SOURCE), Ok)?,
            project: new.project.clone(),
            user: new.user.clone(),
            tenant: new.tenant.clone(),
            description: new.description.clone(),
            expires_at: ends_at(now, new.expires_in_s.unwrap_or(DEFAULT_SECONDS))?,
        };
        let (project, user, tenant) = (new.project.as_ref(), new.user.as_ref(), new.tenant.as_ref());
        admit(conn, id, Asking { project, user, tenant }, new.amount, now)?;
        let (hold, draft) = org.position.reserve(request, now, cause)?;
        org.position.holds.push(hold.clone());
        let entry = self.book(id, draft)?;
        insert(conn, id, &hold, &entry)?;
        Ok(hold)
    }

    /// A hold that still stands, after everything due was booked.
    fn pending_hold(&mut self, id: OrgId, hold: HoldId) -> Result<Hold, StoreError> {
        self.settle_due(id)?;
        let hold = find(self.conn, id, hold)?;
        hold.check_pending()?;
        Ok(hold)
    }

    fn capture_hold(
        &mut self,
        id: OrgId,
        cause: &str,
        hold: HoldId,
        amount: Option<Credits>,
    ) -> Result<Hold, StoreError> {
        let hold = self.pending_hold(id, hold)?;
        let amount = amount.unwrap_or(hold.amount);
        let (conn, now) = (self.conn, self.now());
        let picos = amount.micros().checked_mul(PICOS_PER_MICRO).ok_or(Refusal::AmountOverflow)?;
        let (source, reported) = (Some(hold.source.clone()), Some(picos.max(0)));
        let event = event_of(&hold.id.to_string(), &hold.meter, Quantity::ONE, source, asking(&hold), reported)?;
        let mut canon = Canon::new("");
        let arrived = Arrived::new(event, &mut canon);
        let org = self.org(id)?;
        if org.seen(conn, id, &arrived)?.is_some() {
            return Err(Refusal::EventConflict.into());
        }
        let card = RateCard::of_captures(hold.meter.clone());
        let no_tiers = || Err(StoreError::Internal("captures have no tiers".to_owned()));
        let charges = rate_event(&card, &arrived.event, no_tiers, |_, _| Before::default())?;
        let meters = vec![org.meters.id_or_add(conn, id, &hold.meter)?];
        let totals = org.sums_with(&arrived.event, &charges, &meters)?;
        let seq = EventSeq(org.next_event);
        leaf(&mut canon, seq, arrived.content(), now, &charges);
        let mut tree = Builder::default();
        tree.push(canon.as_bytes());
        let draft = org.position.capture(&hold, amount, (seq, tree.root()), now, cause)?;
        let row = org.take_up(conn, id, &arrived, now, charges, meters, totals)?;
        ingest::insert(conn, id, &[row])?;
        self.write_derived(id)?;
        self.book(id, draft)?;
        self.settle_due(id)?;
        find(conn, id, hold.id)
    }
}

/// Takes up in the rows of holds what an entry says of them.
pub(crate) fn follow(conn: &Connection, entry: &Entry) -> Result<(), StoreError> {
    let close = |hold: HoldId, status: HoldStatus, captured: Option<i64>, event: Option<EventSeq>| {
        conn.prepare_cached(
            "UPDATE hold SET status = ?3, closed_seq = ?4, closed_at = ?5, captured = ?6, event_seq = ?7 WHERE org_id = ?1 AND hold_id = ?2",
        )?
        .execute(params![
            entry.org.0,
            hold.0,
            status.as_str(),
            entry.seq.0,
            entry.draft.happened_at.micros(),
            captured,
            event.map(|seq| seq.0),
        ])
        .map(|_| ())
    };
    match &entry.draft.kind {
        EntryKind::Capture { hold, event, .. } => {
            close(*hold, HoldStatus::Captured, Some(captured(&entry.draft).micros()), Some(*event))?;
        }
        EntryKind::Release { hold } => close(*hold, HoldStatus::Released, None, None)?,
        EntryKind::HoldExpiry { hold } => close(*hold, HoldStatus::Expired, None, None)?,
        EntryKind::Extension { hold, until } => {
            conn.prepare_cached("UPDATE hold SET expires_at = ?3 WHERE org_id = ?1 AND hold_id = ?2")?.execute([
                entry.org.0,
                hold.0,
                until.micros(),
            ])?;
        }
        _ => {}
    }
    Ok(())
}

/// What a capture's entry books as consumed.
pub(crate) fn captured(draft: &ledger::entry::Draft) -> Credits {
    let consumed = draft.postings.iter().find(|posting| posting.account == ledger::Account::Consumed);
    consumed.map_or(Credits::ZERO, |posting| posting.amount)
}

fn insert(conn: &Connection, id: OrgId, hold: &Hold, entry: &Entry) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO hold (org_id, hold_id, amount, uncovered, meter, source, project, user, tenant, description, created_at,
                           first_expires_at, expires_at, status, opened_seq)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, 'pending', ?13)",
    )?
    .execute(params![
        id.0,
        hold.id.0,
        hold.amount.micros(),
        hold.uncovered.micros(),
        hold.meter.as_str(),
        hold.source.as_str(),
        hold.project.as_ref().map(Label::as_str),
        hold.user.as_ref().map(Label::as_str),
        hold.tenant.as_ref().map(Label::as_str),
        hold.description,
        hold.created_at.micros(),
        hold.expires_at.micros(),
        entry.seq.0,
    ])?;
    for ((grant, part), ordinal) in hold.reserved.iter().zip(0_i64..) {
        conn.prepare_cached(
            "INSERT INTO hold_part (org_id, hold_id, ordinal, grant_id, amount) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![id.0, hold.id.0, ordinal, grant.0, part.micros()])?;
    }
    Ok(())
}

/// The columns of [`hold_of`], of `hold h`.
macro_rules! columns {
    () => {
        "h.hold_id, h.amount, h.uncovered, h.meter, h.source, h.project, h.description, h.created_at, h.expires_at, h.status,
         h.closed_at, h.captured, h.event_seq, h.user, h.tenant"
    };
}

/// A hold without its parts, from [`columns`].
pub(crate) fn hold_of(row: &rusqlite::Row<'_>) -> Result<Hold, StoreError> {
    let label = |text: String| Label::kept(&text);
    Ok(Hold {
        id: HoldId(row.get(0)?),
        amount: Credits::from_micros(row.get(1)?),
        reserved: Vec::new(),
        uncovered: Credits::from_micros(row.get(2)?),
        meter: Meter::parse(&row.get::<_, String>(3)?)?,
        source: label(row.get(4)?)?,
        project: row.get::<_, Option<String>>(5)?.map(label).transpose()?,
        user: row.get::<_, Option<String>>(13)?.map(label).transpose()?,
        tenant: row.get::<_, Option<String>>(14)?.map(label).transpose()?,
        description: row.get(6)?,
        created_at: Timestamp::from_micros(row.get(7)?),
        expires_at: Timestamp::from_micros(row.get(8)?),
        status: HoldStatus::parse(&row.get::<_, String>(9)?).ok_or_else(|| unreadable("status of a hold"))?,
        closed_at: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_micros),
        captured: row.get::<_, Option<i64>>(11)?.map(Credits::from_micros),
        event: row.get::<_, Option<i64>>(12)?.map(EventSeq),
    })
}

/// What a hold reserves of which grant, in drawdown order.
pub(crate) fn parts(conn: &Connection, org: OrgId, id: HoldId) -> Result<Vec<(GrantId, Credits)>, StoreError> {
    let sql = "SELECT grant_id, amount FROM hold_part WHERE org_id = ?1 AND hold_id = ?2 ORDER BY ordinal";
    let mut statement = conn.prepare_cached(sql)?;
    let rows =
        statement.query_map([org.0, id.0], |row| Ok((GrantId(row.get(0)?), Credits::from_micros(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One hold as it is booked.
pub(crate) fn find(conn: &Connection, org: OrgId, id: HoldId) -> Result<Hold, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM hold h WHERE h.org_id = ?1 AND h.hold_id = ?2");
    let found = conn.prepare_cached(sql)?.query_row([org.0, id.0], |row| Ok(hold_of(row))).optional()?;
    let hold = found.ok_or(StoreError::NotFound("hold"))??;
    Ok(Hold { reserved: parts(conn, org, id)?, ..hold })
}

/// The pending holds, as they are booked.
pub(crate) fn pending(conn: &Connection, org: OrgId) -> Result<Vec<Hold>, StoreError> {
    let sql =
        concat!("SELECT ", columns!(), " FROM hold h WHERE h.org_id = ?1 AND h.status = 'pending' ORDER BY h.hold_id");
    collect(conn, org, sql, params![org.0])
}

/// The holds that were pending after the entry `cut`, with the time they had then.
pub(crate) fn pending_at(conn: &Connection, org: OrgId, cut: i64) -> Result<Vec<Hold>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM hold h WHERE h.org_id = ?1 AND h.opened_seq <= ?2 AND h.status = 'pending'
          UNION ALL SELECT ",
        columns!(),
        " FROM hold h WHERE h.org_id = ?1 AND h.closed_seq > ?2 AND h.opened_seq <= ?2 ORDER BY 1"
    );
    let mut holds = collect(conn, org, SQL, params![org.0, cut])?;
    for hold in &mut holds {
        let until: Option<i64> = conn
            .prepare_cached(
                "SELECT until_at FROM entry WHERE org_id = ?1 AND hold_id = ?2 AND seq <= ?3 AND kind = 'extension' ORDER BY seq DESC LIMIT 1",
            )?
            .query_row([org.0, hold.id.0, cut], |row| row.get(0))
            .optional()?;
        let first = "SELECT first_expires_at FROM hold WHERE org_id = ?1 AND hold_id = ?2";
        let until = match until {
            Some(until) => until,
            None => conn.prepare_cached(first)?.query_row([org.0, hold.id.0], |row| row.get(0))?,
        };
        hold.expires_at = Timestamp::from_micros(until);
        hold.status = HoldStatus::Pending;
        (hold.closed_at, hold.captured, hold.event) = (None, None, None);
    }
    Ok(holds)
}

fn collect(conn: &Connection, org: OrgId, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Hold>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut holds = Vec::new();
    while let Some(row) = rows.next()? {
        let hold = hold_of(row)?;
        holds.push(Hold { reserved: parts(conn, org, hold.id)?, ..hold });
    }
    Ok(holds)
}

/// A pending hold whose time has run out has expired, booked or not.
fn as_it_stands(hold: Hold, now: Timestamp) -> Hold {
    if hold.status == HoldStatus::Pending && hold.expires_at <= now {
        return Hold { status: HoldStatus::Expired, closed_at: Some(hold.expires_at), ..hold };
    }
    hold
}

fn list(conn: &Connection, org: OrgId, page: &HoldPage, now: Timestamp) -> Result<Vec<Hold>, StoreError> {
    const ANY: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM hold h WHERE h.org_id = ?1 AND h.hold_id < ?2
          AND (?4 IS NULL OR ?4 = CASE WHEN h.status = 'pending' AND h.expires_at <= ?5 THEN 'expired' ELSE h.status END)
          ORDER BY h.hold_id DESC LIMIT ?3"
    );
    const PENDING: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM hold h INDEXED BY hold_pending WHERE h.org_id = ?1 AND h.hold_id < ?2 AND h.status = 'pending' AND h.expires_at > ?5
          AND ?4 = 'pending' ORDER BY h.hold_id DESC LIMIT ?3"
    );
    let sql = if page.status == Some(HoldStatus::Pending) { PENDING } else { ANY };
    let before = page.before.map_or(i64::MAX, |id| id.0);
    let status = page.status.map(HoldStatus::as_str);
    let found = collect(conn, org, sql, params![org.0, before, page.limit.min(MAX_PAGE), status, now.micros()])?;
    Ok(found.into_iter().map(|hold| as_it_stands(hold, now)).collect())
}
