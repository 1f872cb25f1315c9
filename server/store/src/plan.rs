//! Plans that are offered to an org. A plan that changes is another row of the same name: who subscribed keeps the old one.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::{Credits, Currency, Money, OrgId, Plan, PlanId, Policy, Rollover};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Plans that are offered to one org at once, at most: as many as a page compares.
pub const MAX_PLANS: usize = 20;

/// A plan to be offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPlan {
    /// What programs call it.
    pub name: String,
    /// What people read.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What a whole cycle gives; `None`: to be agreed on.
    pub credits: Option<Credits>,
    /// What a whole cycle costs, net; `None`: to be agreed on.
    pub price: Option<Money>,
    /// What becomes of the unused rest of a cycle.
    pub rollover: Option<Rollover>,
    /// What happens when credits run out.
    pub policy: Policy,
    /// How long details of events are kept.
    pub retention_days: Option<u32>,
    /// Whether only an operator subscribes an org to it.
    pub by_agreement: bool,
}

impl NewPlan {
    /// As it would be with that number.
    #[must_use]
    pub fn with_id(&self, id: PlanId) -> Plan {
        let Self { name, title, description, .. } = self.clone();
        Plan {
            id,
            name,
            title,
            description,
            credits: self.credits,
            price: self.price,
            rollover: self.rollover,
            policy: self.policy,
            retention_days: self.retention_days,
            by_agreement: self.by_agreement,
            offered: true,
        }
    }
}

impl Store {
    /// The plans that are offered to an org, in the order in which they were.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn plans(&self, org: OrgId) -> Result<Vec<Plan>, StoreError> {
        self.read(move |conn| offered(conn, org)).await
    }

    /// Offers plans to an org, in the place of those that it was offered before. Whoever subscribed keeps theirs.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a plan that makes no sense, [`StoreError::NotFound`] for the org.
    pub async fn offer_plans(&self, org: OrgId, by: By, new: Vec<NewPlan>) -> Result<(), StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.offer_plans(org, &by, &new)).await
    }
}

impl Tx<'_> {
    /// Offers plans, as [`Store::offer_plans`]. One that is offered as it is stays the same row.
    pub(crate) fn offer_plans(&mut self, org: OrgId, by: &By, new: &[NewPlan]) -> Result<(), StoreError> {
        self.org(org)?;
        if new.len() > MAX_PLANS {
            return Err(StoreError::TooMany("more than 20 plans at once: offer fewer"));
        }
        let before = offered(self.conn, org)?;
        let is_kept = |plan: &Plan| new.iter().any(|new| new.with_id(plan.id) == *plan);
        for gone in before.iter().filter(|plan| !is_kept(plan)) {
            let sql = "UPDATE plan SET withdrawn_at = ?3 WHERE org_id = ?1 AND plan_id = ?2";
            self.conn.prepare_cached(sql)?.execute(params![org.0, gone.id.0, self.now().micros()])?;
        }
        for plan in new.iter().filter(|new| !before.iter().any(|plan| new.with_id(plan.id) == *plan)) {
            self.insert_plan(org, plan, true)?;
        }
        let names = |names: Vec<&str>| Some(json!(names));
        let (before, after) = (
            names(before.iter().map(|plan| plan.name.as_str()).collect()),
            names(new.iter().map(|plan| plan.name.as_str()).collect()),
        );
        self.note(org, by, Change { action: "plan.offer", target: org.to_string(), before, after })
    }

    /// Writes a plan; one that is not `offered` is there for whoever agreed on it.
    pub(crate) fn insert_plan(&mut self, org: OrgId, new: &NewPlan, offered: bool) -> Result<Plan, StoreError> {
        new.with_id(PlanId(1)).check()?;
        let now = self.now().micros();
        let sql =
            "INSERT INTO plan (org_id, plan_id, name, title, description, credits, price_minor, currency, rollover, policy,
                               retention_days, by_agreement, offered_at, withdrawn_at)
             SELECT ?1, coalesce(max(plan_id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
             FROM plan WHERE org_id = ?1 RETURNING plan_id";
        let id = self.conn.prepare_cached(sql)?.query_row(
            params![
                org.0,
                new.name,
                new.title,
                new.description,
                new.credits.map(Credits::micros),
                new.price.map(|price| price.minor),
                new.price.as_ref().map(|price| price.currency.as_str()),
                new.rollover.as_ref().map(serde_json::to_string).transpose()?,
                serde_json::to_string(&new.policy)?,
                new.retention_days,
                new.by_agreement,
                now,
                (!offered).then_some(now),
            ],
            |row| row.get(0).map(PlanId),
        )?;
        Ok(Plan { offered, ..new.with_id(id) })
    }
}

/// The columns of [`plan_of`], of `plan p`.
const COLUMNS: &str =
    "p.plan_id, p.name, p.title, p.description, p.credits, p.price_minor, p.currency, p.rollover, p.policy,
     p.retention_days, p.by_agreement, p.withdrawn_at IS NULL";

fn plan_of(row: &Row<'_>) -> Result<Plan, StoreError> {
    let (minor, currency): (Option<i64>, Option<String>) = (row.get(5)?, row.get(6)?);
    let currency = currency.map(|code| Currency::parse(&code).map_err(|_| unreadable("currency"))).transpose()?;
    let rollover: Option<String> = row.get(7)?;
    Ok(Plan {
        id: PlanId(row.get(0)?),
        name: row.get(1)?,
        title: row.get(2)?,
        description: row.get(3)?,
        credits: row.get::<_, Option<i64>>(4)?.map(Credits::from_micros),
        price: minor.zip(currency).map(|(minor, currency)| Money { minor, currency }),
        rollover: rollover.map(|json| serde_json::from_str(&json)).transpose()?,
        policy: serde_json::from_str(&row.get::<_, String>(8)?)?,
        retention_days: row.get(9)?,
        by_agreement: row.get(10)?,
        offered: row.get(11)?,
    })
}

/// The plans that are offered.
pub(crate) fn offered(conn: &Connection, org: OrgId) -> Result<Vec<Plan>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM plan p WHERE p.org_id = ?1 AND p.withdrawn_at IS NULL ORDER BY p.plan_id");
    let mut select = conn.prepare_cached(&sql)?;
    let mut rows = select.query([org.0])?;
    let mut plans = Vec::new();
    while let Some(row) = rows.next()? {
        plans.push(plan_of(row)?);
    }
    Ok(plans)
}

/// One plan, offered or not.
pub(crate) fn find(conn: &Connection, org: OrgId, id: PlanId) -> Result<Option<Plan>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM plan p WHERE p.org_id = ?1 AND p.plan_id = ?2");
    conn.prepare_cached(&sql)?.query_row([org.0, id.0], |row| Ok(plan_of(row))).optional()?.transpose()
}
