//! Subscriptions and their cycles. What is due is `ledger`'s to say; here it is booked, in the transaction of whatever comes next
//! for the org ([`cycle`]), so that no usage finds the credits of a cycle missing because a job was late.

mod change;
mod cycle;

pub use change::{Agreed, Choose, Chosen, Subscribe};

use crate::calendar::ZoneCalendar;
use crate::error::StoreError;
use crate::{Store, org, plan};
use ledger::subscription::{Anchor, Cycle};
use ledger::{CycleId, GrantId, OrgId, Plan, PlanId, Stretch, Subscription, SubscriptionId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

/// Cycles that are read at once, at most: ten years of months.
pub const MAX_CYCLES: u32 = 120;

/// A subscription that has not ended, with its plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// Its number within the org.
    pub id: SubscriptionId,
    /// The number of its cycle.
    pub cycle: CycleId,
    /// How it stands.
    pub terms: Subscription,
    /// To what.
    pub plan: Plan,
    /// To what from the next cycle on, where that is another.
    pub next: Option<Plan>,
    /// Since when.
    pub began_at: Timestamp,
    /// The whole month of which the cycle is at least a part.
    pub whole: Stretch,
}

/// A cycle that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleRow {
    /// Its number within the org.
    pub id: CycleId,
    /// The title of the plan with which it began.
    pub plan: String,
    /// From when until when.
    pub part: Stretch,
    /// The credits that it began with; `None` where it gave none.
    pub grant: Option<GrantId>,
    /// Whether it waits until an unpaid invoice is paid.
    pub waits: bool,
}

impl Store {
    /// What an org is subscribed to.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org.
    pub async fn subscription(&self, org: OrgId) -> Result<Option<Subscribed>, StoreError> {
        self.read(move |conn| in_force(conn, org)).await
    }

    /// For how many days the plan in force keeps details of events; `None` where no plan says.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn plan_retention(&self, org: OrgId) -> Result<Option<u32>, StoreError> {
        self.read(move |conn| plan_retention(conn, org)).await
    }

    /// The cycles of all its subscriptions, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn cycles(&self, org: OrgId, limit: u32) -> Result<Vec<CycleRow>, StoreError> {
        self.read(move |conn| cycles(conn, org, limit)).await
    }
}

/// What an org is subscribed to.
pub(crate) fn in_force(conn: &Connection, id: OrgId) -> Result<Option<Subscribed>, StoreError> {
    let sql = "SELECT s.subscription_id, s.plan_id, s.next_plan_id, s.anchor_at, s.began_at, s.cancelled_at,
                      c.cycle_id, c.begins_at, c.ends_at, c.supplied_at IS NOT NULL
               FROM subscription s JOIN billing_cycle c ON c.org_id = s.org_id AND c.subscription_id = s.subscription_id
               WHERE s.org_id = ?1 AND s.ended_at IS NULL ORDER BY c.begins_at DESC LIMIT 1";
    let at = Timestamp::from_micros;
    let found = conn.prepare_cached(sql)?.query_row([id.0], |row| {
        let part = Stretch { from: at(row.get(7)?), to: at(row.get(8)?) };
        let terms = Subscription {
            plan: PlanId(row.get(1)?),
            next: row.get::<_, Option<i64>>(2)?.map(PlanId),
            anchor: row.get::<_, Option<i64>>(3)?.map_or(Anchor::Calendar, |first| Anchor::At(at(first))),
            cancelled_at: row.get::<_, Option<i64>>(5)?.map(at),
            cycle: Cycle { part, supplied: row.get(9)? },
        };
        Ok((SubscriptionId(row.get(0)?), CycleId(row.get(6)?), at(row.get(4)?), terms))
    });
    let Some((number, cycle, began_at, terms)) = found.optional()? else { return Ok(None) };
    let plan_of = |plan: PlanId| plan::find(conn, id, plan)?.ok_or(StoreError::NotFound("plan"));
    let whole = terms.whole(&ZoneCalendar(org::zone(conn, id)?))?;
    let next = terms.next.map(plan_of).transpose()?;
    Ok(Some(Subscribed { id: number, cycle, terms, plan: plan_of(terms.plan)?, next, began_at, whole }))
}

fn cycles(conn: &Connection, org: OrgId, limit: u32) -> Result<Vec<CycleRow>, StoreError> {
    let sql = "SELECT c.cycle_id, p.title, c.begins_at, c.ends_at, c.grant_id, c.supplied_at IS NULL
               FROM billing_cycle c JOIN plan p ON p.org_id = c.org_id AND p.plan_id = c.plan_id
               WHERE c.org_id = ?1 ORDER BY c.cycle_id DESC LIMIT ?2";
    let mut select = conn.prepare_cached(sql)?;
    let rows = select.query_map(params![org.0, limit.min(MAX_CYCLES)], |row| {
        let (from, to) = (Timestamp::from_micros(row.get(2)?), Timestamp::from_micros(row.get(3)?));
        Ok(CycleRow {
            id: CycleId(row.get(0)?),
            plan: row.get(1)?,
            part: Stretch { from, to },
            grant: row.get::<_, Option<i64>>(4)?.map(GrantId),
            waits: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When the cycle ends that an org is in: from then on something is due.
pub(crate) fn cycle_end(conn: &Connection, org: OrgId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT max(c.ends_at) FROM subscription s
               JOIN billing_cycle c ON c.org_id = s.org_id AND c.subscription_id = s.subscription_id
               WHERE s.org_id = ?1 AND s.ended_at IS NULL";
    let found: Option<i64> = conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0))?;
    Ok(found.map(Timestamp::from_micros))
}

/// For how many days the plan in force keeps details of events; `None` where no plan says.
pub(crate) fn plan_retention(conn: &Connection, org: OrgId) -> Result<Option<u32>, StoreError> {
    let sql = "SELECT p.retention_days FROM subscription s JOIN plan p ON p.org_id = s.org_id AND p.plan_id = s.plan_id
               WHERE s.org_id = ?1 AND s.ended_at IS NULL";
    let found = conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

/// Whether an invoice of an org was given up: until it is paid, cycles give nothing.
pub(crate) fn owes(conn: &Connection, org: OrgId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM invoice WHERE org_id = ?1 AND state = 'uncollectible' LIMIT 1";
    Ok(conn.prepare_cached(sql)?.exists([org.0])?)
}
