//! Cycles that begin: their credits, their fee, and what is in force from then on, in one transaction, once.
//!
//! The writer looks at the end of an org's cycle before it books anything of that org (`Tx::settle_due`), so a cycle begins
//! before the first usage in it, also where the job is late. The job ([`Store::begin_cycles`]) only makes the tables follow.

use super::{Subscribed, cycle_end, in_force, owes};
use crate::Store;
use crate::calendar::{ZoneCalendar, local};
use crate::error::StoreError;
use crate::grant::{MAX_OPEN, NewGrant};
use crate::invoice::item::{NewItem, Of};
use crate::tx::Tx;
use ledger::plan::Supply;
use ledger::subscription::{CAUSE, Cycle, Due};
use ledger::{Credits, CycleId, GrantId, GrantKind, Money, OrgId, Plan, Policy, Stretch, SubscriptionId, Timestamp};
use rusqlite::{Connection, params};
use serde_json::json;

/// Orgs whose cycles one call of the job begins: a moment of the writer's time.
const MAX_ORGS: u32 = 100;

impl Store {
    /// Begins the cycles that are due in some of the orgs that have any due; tells how many steps that were. Zero: nothing is
    /// due anywhere.
    ///
    /// # Errors
    /// The first of what the database or a rule says; other orgs go on.
    pub async fn begin_cycles(&self) -> Result<usize, StoreError> {
        let now = self.now();
        let orgs = self.read(move |conn| due(conn, now)).await?;
        let (mut done, mut failed) = (0, None);
        for org in orgs.into_iter().filter(|org| self.ends_at(*org).is_none_or(|at| at > now)) {
            match self.writer().call(0, move |tx| tx.begin_cycles(org)).await {
                Ok(steps) => done += steps,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) if done == 0 => Err(error),
            _ => Ok(done),
        }
    }

    /// When the next cycle ends anywhere; `None` where nobody is subscribed.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn next_cycle_end(&self) -> Result<Option<Timestamp>, StoreError> {
        let run = |conn: &Connection| {
            let sql = "SELECT min(at) FROM (SELECT max(c.ends_at) AS at FROM subscription s
                JOIN billing_cycle c ON c.org_id = s.org_id AND c.subscription_id = s.subscription_id
                WHERE s.ended_at IS NULL GROUP BY s.org_id)";
            let found: Option<i64> = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            Ok(found.map(Timestamp::from_micros))
        };
        self.read(run).await
    }
}

fn due(conn: &Connection, now: Timestamp) -> Result<Vec<OrgId>, StoreError> {
    let sql = "SELECT s.org_id FROM subscription s WHERE s.ended_at IS NULL AND EXISTS (
             SELECT 1 FROM billing_cycle c WHERE c.org_id = s.org_id AND c.cycle_id = (
                 SELECT max(n.cycle_id) FROM billing_cycle n WHERE n.org_id = s.org_id)
             AND (c.ends_at <= ?1 OR (c.supplied_at IS NULL AND NOT EXISTS (
                 SELECT 1 FROM invoice i WHERE i.org_id = s.org_id AND i.state = 'uncollectible'))))
         LIMIT ?2";
    let mut select = conn.prepare_cached(sql)?;
    let rows = select.query_map(params![now.micros(), MAX_ORGS], |row| row.get(0).map(OrgId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Tx<'_> {
    /// Begins all cycles that are due in an org, in order, and ends what is over. Tells how many steps that were.
    pub(crate) fn begin_cycles(&mut self, org: OrgId) -> Result<usize, StoreError> {
        // What this books looks at what is due as well: it must not come here again.
        self.org(org)?.next_cycle = None;
        let mut steps = 0;
        while self.begin_next_cycle(org)? {
            steps += 1;
        }
        let next = cycle_end(self.conn, org)?;
        self.org(org)?.next_cycle = next;
        Ok(steps)
    }

    fn begin_next_cycle(&mut self, org: OrgId) -> Result<bool, StoreError> {
        let Some(subscribed) = in_force(self.conn, org)? else { return Ok(false) };
        let known = self.org(org)?;
        let (calendar, is_full) = (ZoneCalendar(known.zone), known.position.slots.len() >= MAX_OPEN);
        // Where no grant could be given, usage must be recorded all the same: the cycle waits.
        let owes = is_full || owes(self.conn, org)?;
        let Some(due) = subscribed.terms.due(self.now(), owes, &calendar)? else { return Ok(false) };
        match due {
            Due::Begins { plan, cycle } => self.begin_cycle(org, &subscribed, plan, cycle)?,
            Due::Resumes { rest } => {
                let supply = subscribed.plan.supply(subscribed.whole, rest.from)?;
                self.supply(org, CAUSE, &subscribed.plan, subscribed.cycle, &supply)?;
            }
            Due::Ends { at } => {
                let sql = "UPDATE subscription SET ended_at = ?3 WHERE org_id = ?1 AND subscription_id = ?2";
                self.conn.prepare_cached(sql)?.execute(params![org.0, subscribed.id.0, at.micros()])?;
                self.write_policy(org, Policy::default())?;
                self.tell_change(org, "ended", &subscribed.plan, at)?;
            }
        }
        Ok(true)
    }

    fn begin_cycle(
        &mut self,
        org: OrgId,
        subscribed: &Subscribed,
        plan: ledger::PlanId,
        cycle: Cycle,
    ) -> Result<(), StoreError> {
        let mut plan_now = &subscribed.plan;
        if let Some(next) = subscribed.next.as_ref().filter(|next| next.id == plan) {
            let sql =
                "UPDATE subscription SET plan_id = ?3, next_plan_id = NULL WHERE org_id = ?1 AND subscription_id = ?2";
            self.conn.prepare_cached(sql)?.execute(params![org.0, subscribed.id.0, plan.0])?;
            self.write_policy(org, next.policy)?;
            self.tell_change(org, "changed", next, cycle.part.from)?;
            plan_now = next;
        }
        let number = self.insert_cycle(org, subscribed.id, plan_now, cycle.part)?;
        if cycle.supplied {
            let zone = self.org(org)?.zone;
            let whole = subscribed.terms.anchor.cycle_of(cycle.part.from, &ZoneCalendar(zone))?;
            self.supply(org, CAUSE, plan_now, number, &plan_now.supply(whole, cycle.part.from)?)?;
        }
        Ok(())
    }

    /// Writes a cycle that begins; what it gives follows.
    pub(super) fn insert_cycle(
        &mut self,
        org: OrgId,
        subscription: SubscriptionId,
        plan: &Plan,
        part: Stretch,
    ) -> Result<CycleId, StoreError> {
        let sql = "INSERT INTO billing_cycle (org_id, cycle_id, subscription_id, plan_id, begins_at, ends_at)
             SELECT ?1, coalesce(max(cycle_id), 0) + 1, ?2, ?3, ?4, ?5 FROM billing_cycle WHERE org_id = ?1
             RETURNING cycle_id";
        if let Some(alerts) = &mut self.org(org)?.alerts {
            alerts.forget_cycle();
        }
        let values = params![org.0, subscription.0, plan.id.0, part.from.micros(), part.to.micros()];
        Ok(self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0).map(CycleId))?)
    }

    /// Gives what a cycle, or its rest, gives, and puts its fee down.
    pub(super) fn supply(
        &mut self,
        org: OrgId,
        cause: &str,
        plan: &Plan,
        cycle: CycleId,
        supply: &Supply,
    ) -> Result<(), StoreError> {
        let grant = self.give_plan(org, cause, plan, supply.credits, supply.part, supply.fee)?;
        let now = self.now().micros();
        let sql = "UPDATE billing_cycle SET grant_id = ?3, supplied_at = ?4 WHERE org_id = ?1 AND cycle_id = ?2";
        self.conn.prepare_cached(sql)?.execute(params![org.0, cycle.0, grant.map(|grant| grant.0), now])?;
        match supply.fee {
            None => Ok(()),
            Some(fee) => self.fee(org, cycle, &format!("Plan {}", plan.title), supply.part, fee),
        }
    }

    /// Gives credits of a plan for a part of a cycle.
    pub(super) fn give_plan(
        &mut self,
        org: OrgId,
        cause: &str,
        plan: &Plan,
        credits: Credits,
        part: Stretch,
        cost: Option<Money>,
    ) -> Result<Option<GrantId>, StoreError> {
        if !credits.is_positive() {
            return Ok(None);
        }
        let given = NewGrant::of(GrantKind::Plan, credits, &format!("Credits of the plan {}", plan.title));
        let new = NewGrant {
            effective_at: Some(part.from),
            expires_at: Some(part.to),
            rollover: plan.rollover,
            cost,
            ..given
        };
        Ok(Some(self.give_grant(org, cause, &new)?.id))
    }

    /// Puts down a fee, as of when its time begins: a late job must not carry it into another month's invoice.
    pub(super) fn fee(
        &mut self,
        org: OrgId,
        cycle: CycleId,
        description: &str,
        part: Stretch,
        net: Money,
    ) -> Result<(), StoreError> {
        let of = Of::Plan { cycle, from: part.from, to: part.to };
        let item = NewItem { of, description: description.to_owned(), net, tax: None };
        self.add_item_at(org, &item, part.from).map(drop)
    }

    /// Has people told what became of the subscription.
    pub(super) fn tell_change(
        &mut self,
        org: OrgId,
        change: &str,
        plan: &Plan,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        // The day on which it is where the org is.
        let day = local(self.org(org)?.zone, at)?.date_naive();
        let facts = json!({"change": change, "plan": plan.title, "at": day});
        self.tell(org, "subscription_changed", &facts).map(drop)
    }
}
