//! Everything that the Overview page adds up, of one instant.
//!
//! Cost: the position, the rollups of a year by day (a row per day, type, source and project; never the events), the sums
//! that are kept over all time, what was given by kind from its index, and what is foretold ([`crate::forecast`]).

use crate::calendar::{cycle, date_of, day_number, number_of};
use crate::error::StoreError;
use crate::forecast::{Ahead, CycleDays, Past, ahead_of, cycle_use};
use crate::grant::{GrantState, columns, grant_of, next_id, state};
use crate::line_state::LineStates;
use crate::position::{At, Reading, read};
use crate::rate_card::prices;
use crate::rows::unreadable;
use crate::subscription::{Subscribed, in_force};
use crate::{Store, org};
use chrono::{Datelike, Days, NaiveDate};
use ledger::cube::MeterInfo;
use ledger::rate::Before;
use ledger::{Balance, Credits, GrantId, GrantKind, Meter, OrgId, Position, Quantity, RateLine, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

/// Grants of a plan that are looked at for those in force: a plan gives one each month.
const PLAN_GRANTS: u32 = 12;

/// What was used of one meter on one day of the org's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayUse {
    /// The day.
    pub date: NaiveDate,
    /// Which of [`Overview::meters`].
    pub meter: usize,
    /// What it cost.
    pub credits: Credits,
    /// How much it was.
    pub quantity: Quantity,
}

/// What an org has, used and can still use.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The instant of all this.
    pub as_of: Timestamp,
    /// Today, in the org's zone.
    pub today: NaiveDate,
    /// Where the ledger stands; what is due is applied.
    pub position: Position,
    /// What it has.
    pub balance: Balance,
    /// The org's meters, in their order.
    pub meters: Vec<MeterInfo>,
    /// What was used of each over all time.
    pub used: Vec<(Credits, Quantity)>,
    /// What was used by day since the first of the month eleven months ago.
    pub days: Vec<DayUse>,
    /// Over how many days, today included, the average is taken, and what each meter cost in them.
    pub pace_days: i64,
    /// See `pace_days`.
    pub pace: Vec<(Meter, Credits)>,
    /// How long it lasts.
    pub ahead: Ahead,
    /// The billing cycle, day by day, and where it is headed.
    pub cycle: CycleDays,
    /// Calls over all time, and how many of them failed.
    pub calls: (i64, i64),
    /// All that was given, by kind.
    pub given: Vec<(GrantKind, Credits)>,
    /// The plan's grants in force, newest first.
    pub plan: Vec<GrantState>,
    /// What it is subscribed to.
    pub subscribed: Option<Subscribed>,
    /// The lines of the rate card in force, each with what earlier usage left for it.
    pub lines: Vec<(RateLine, Before)>,
}

impl Store {
    /// What an org has, used and can still use; averages are taken over `pace_days` days, or since the first usage.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org.
    pub async fn overview(&self, org: OrgId, pace_days: u32) -> Result<Overview, StoreError> {
        let now = self.now();
        self.read(move |conn| overview(conn, org, now, pace_days)).await
    }
}

impl Store {
    /// The last day of the org's zone on which anything was used.
    ///
    /// # Errors
    /// What the database says.
    pub async fn last_day(&self, org: OrgId) -> Result<Option<NaiveDate>, StoreError> {
        self.read(move |conn| {
            let sql = "SELECT bucket FROM calls_day WHERE org_id = ?1 ORDER BY bucket DESC LIMIT 1";
            let found: Option<i64> = conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0)).optional()?;
            found.map(date_of).transpose()
        })
        .await
    }
}

fn overview(conn: &Connection, id: OrgId, now: Timestamp, pace_days: u32) -> Result<Overview, StoreError> {
    let zone = org::zone(conn, id)?;
    let reading = read(conn, id, At::default(), now)?;
    let (position, as_of) = (&reading.position, reading.as_of);
    let today = date_of(day_number(zone, as_of)?)?;
    let (ids, meters) = meters(conn, id)?;
    let first = today.with_day(1).and_then(|day| day.checked_sub_months(chrono::Months::new(11)));
    let days = used_by_day(conn, id, &ids, number_of(first.ok_or_else(|| unreadable("day"))?))?;
    let past = Past::of(&meters, &days, number_of(today))?;
    let first_ever = first_day(conn, id)?.unwrap_or(today).min(today);
    let from = today.checked_sub_days(Days::new(u64::from(pace_days.max(1)) - 1)).unwrap_or(today).max(first_ever);
    let pace_days = number_of(today) - number_of(from) + 1;
    let pace = pace(&meters, &days, from)?;
    let totals = org::totals(conn, id)?.1;
    Ok(Overview {
        as_of,
        today,
        balance: position.balance(as_of)?,
        used: used(conn, id, &ids)?,
        pace_days,
        pace,
        ahead: ahead_of(conn, id, zone, &reading, &past)?,
        cycle: cycle_use(conn, id, zone, as_of, (&days, &past))?,
        calls: (totals.events, totals.failed),
        given: given(conn, id)?,
        plan: plan(conn, id, &reading)?,
        days,
        subscribed: in_force(conn, id)?,
        lines: lines(conn, id, zone, as_of)?,
        meters,
        position: reading.position,
    })
}

/// The number of the next grant behind those that are due and not booked.
pub(crate) fn next_grant(conn: &Connection, id: OrgId, reading: &Reading) -> Result<GrantId, StoreError> {
    let born = reading.steps.iter().filter(|step| step.child.is_some()).count();
    Ok(GrantId(next_id(conn, id)?.0.saturating_add(i64::try_from(born).unwrap_or_default())))
}

/// The org's meters and their numbers, in their order.
pub(crate) fn meters(conn: &Connection, id: OrgId) -> Result<(Vec<i64>, Vec<MeterInfo>), StoreError> {
    let sql = "SELECT meter_id, name, title, unit, service FROM meter WHERE org_id = ?1 ORDER BY meter_id";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([id.0])?;
    let (mut ids, mut meters) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        ids.push(row.get(0)?);
        let meter = Meter::parse(&row.get::<_, String>(1)?)?;
        meters.push(MeterInfo { meter, title: row.get(2)?, unit: row.get(3)?, service: row.get(4)? });
    }
    Ok((ids, meters))
}

/// What was used of each meter on each day, from a day of the org's zone on.
pub(crate) fn used_by_day(conn: &Connection, id: OrgId, meters: &[i64], from: i64) -> Result<Vec<DayUse>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT bucket, meter_id, sum(credits), sum(quantity), sum(quantity_micros) FROM usage_day
         WHERE org_id = ?1 AND bucket >= ?2 GROUP BY bucket, meter_id",
    )?;
    let mut rows = statement.query([id.0, from])?;
    let mut days = Vec::new();
    while let Some(row) = rows.next()? {
        let meter: i64 = row.get(1)?;
        let meter = meters.iter().position(|known| *known == meter).ok_or_else(|| unreadable("meter"))?;
        let credits = Credits::from_micros(row.get(2)?);
        let quantity = Quantity::from_parts(row.get(3)?, row.get(4)?);
        days.push(DayUse { date: date_of(row.get(0)?)?, meter, credits, quantity });
    }
    Ok(days)
}

fn first_day(conn: &Connection, id: OrgId) -> Result<Option<NaiveDate>, StoreError> {
    let sql = "SELECT bucket FROM usage_day WHERE org_id = ?1 ORDER BY bucket LIMIT 1";
    let found: Option<i64> = conn.prepare_cached(sql)?.query_row([id.0], |row| row.get(0)).optional()?;
    found.map(date_of).transpose()
}

fn pace(meters: &[MeterInfo], days: &[DayUse], from: NaiveDate) -> Result<Vec<(Meter, Credits)>, StoreError> {
    let mut sums = vec![Credits::ZERO; meters.len()];
    for day in days.iter().filter(|day| day.date >= from) {
        sums[day.meter] = sums[day.meter].plus(day.credits)?;
    }
    Ok(meters.iter().map(|info| info.meter.clone()).zip(sums).collect())
}

fn used(conn: &Connection, id: OrgId, meters: &[i64]) -> Result<Vec<(Credits, Quantity)>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT meter_id, credits, quantity, quantity_micros FROM meter_total WHERE org_id = ?1")?;
    let mut rows = statement.query([id.0])?;
    let mut used = vec![(Credits::ZERO, Quantity::ZERO); meters.len()];
    while let Some(row) = rows.next()? {
        let meter: i64 = row.get(0)?;
        if let Some(place) = meters.iter().position(|known| *known == meter) {
            used[place] = (Credits::from_micros(row.get(1)?), Quantity::from_parts(row.get(2)?, row.get(3)?));
        }
    }
    Ok(used)
}

fn given(conn: &Connection, id: OrgId) -> Result<Vec<(GrantKind, Credits)>, StoreError> {
    let sql = "SELECT kind, sum(amount) FROM credit_grant WHERE org_id = ?1 GROUP BY kind";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([id.0])?;
    let mut given = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = GrantKind::parse(&row.get::<_, String>(0)?).ok_or_else(|| unreadable("kind of grant"))?;
        given.push((kind, Credits::from_micros(row.get(1)?)));
    }
    given.sort_by_key(|(kind, _)| GrantKind::ALL.iter().position(|known| known == kind));
    Ok(given)
}

/// The plan's grants in force.
pub(crate) fn plan(conn: &Connection, id: OrgId, reading: &Reading) -> Result<Vec<GrantState>, StoreError> {
    let mut statement = conn.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM credit_grant g WHERE g.org_id = ?1 AND g.kind = 'plan' AND g.effective_at <= ?2
         ORDER BY g.effective_at DESC LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![id.0, reading.as_of.micros(), PLAN_GRANTS])?;
    let mut plan = Vec::new();
    while let Some(row) = rows.next()? {
        let grant = grant_of(row)?;
        if grant.is_open(reading.as_of) {
            plan.push(state(conn, id, reading, grant, None)?);
        }
    }
    Ok(plan)
}

fn lines(
    conn: &Connection,
    id: OrgId,
    zone: chrono_tz::Tz,
    now: Timestamp,
) -> Result<Vec<(RateLine, Before)>, StoreError> {
    let (prices, states) = (prices(conn, id)?, LineStates::load(conn, id)?);
    let cycle = cycle(zone, now)?;
    let Some(card) = prices.at(now) else { return Ok(Vec::new()) };
    let before = |line: &RateLine, number| {
        let origin = prices.origin(card.version, ledger::LineNo(number));
        states.before(origin, line.has_tiers().then_some(cycle))
    };
    Ok(card.lines.iter().zip(1..).map(|(line, number)| (line.clone(), before(line, number))).collect())
}
