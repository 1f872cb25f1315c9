//! What people do to a subscription: begin it, change its plan, end it, keep it.

use super::{Subscribed, in_force, owes};
use crate::Store;
use crate::audit::{By, Change};
use crate::calendar::ZoneCalendar;
use crate::error::StoreError;
use crate::plan::{self, NewPlan};
use crate::tx::Tx;
use ledger::plan::{Comes, Supply};
use ledger::subscription::{Anchor, Choice};
use ledger::{Credits, CycleId, Money, OrgId, Plan, PlanId, Subscription, SubscriptionId, SubscriptionRefusal};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What was agreed on with one org, in the place of what a plan says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// What a whole cycle gives.
    pub credits: Credits,
    /// What a whole cycle costs, net; `None`: nothing that is invoiced here.
    pub price: Option<Money>,
}

/// What somebody subscribes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Which plan.
    pub plan: PlanId,
    /// Whether cycles begin on this day of each month, rather than with the calendar's months.
    pub anniversary: bool,
    /// What was agreed on; operators only.
    pub agreed: Option<Agreed>,
    /// Whether an operator does it: by agreement, and without a stored payment method.
    pub operator: bool,
}

/// Which plan somebody changes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choose {
    /// Which plan.
    pub plan: PlanId,
    /// What was agreed on; operators only.
    pub agreed: Option<Agreed>,
    /// Whether an operator does it.
    pub operator: bool,
    /// The cycle and the plan of which whoever chooses was shown what it costs; refused where another is in force by now.
    pub seen: Option<(CycleId, PlanId)>,
}

/// What a change of plan does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// What, and when.
    pub choice: Choice,
    /// The plan there was.
    pub old: Plan,
    /// The plan that was chosen.
    pub new: Plan,
    /// Of which cycle.
    pub cycle: CycleId,
}

impl Store {
    /// Begins a subscription: its first cycle begins now.
    ///
    /// # Errors
    /// [`StoreError::Subscription`] says why not, [`StoreError::NotFound`] for the org or the plan.
    pub async fn subscribe(&self, org: OrgId, by: By, new: Subscribe) -> Result<Subscribed, StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.subscribe(org, &by, &new)).await
    }

    /// Changes the plan: at once, or with the next cycle.
    ///
    /// # Errors
    /// As [`Store::subscribe`].
    pub async fn change_plan(&self, org: OrgId, by: By, new: Choose) -> Result<Chosen, StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.change_plan(org, &by, &new)).await
    }

    /// What changing the plan would do now, without asking who could pay for it.
    ///
    /// # Errors
    /// As [`Store::subscribe`].
    pub async fn preview_plan(&self, org: OrgId, new: Choose) -> Result<Chosen, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.settle_due(org)?;
            tx.chosen(org, &new).map(|(_, chosen)| chosen)
        };
        self.writer().try_out(run).await
    }

    /// What a first cycle would give and cost if it began now: with the calendar's months, and from this day on.
    ///
    /// # Errors
    /// As [`Store::subscribe`].
    pub async fn preview_begin(&self, org: OrgId, plan: PlanId) -> Result<(Plan, [Supply; 2]), StoreError> {
        let now = self.now();
        let run = move |conn: &Connection| {
            let plan = plan::find(conn, org, plan)?.ok_or(StoreError::NotFound("plan"))?;
            let calendar = ZoneCalendar(crate::org::zone(conn, org)?);
            let first = |anchor: Anchor| {
                let terms = Subscription::begin(plan.id, anchor, now, &calendar)?;
                plan.supply(terms.whole(&calendar)?, now)
            };
            let both = [first(Anchor::Calendar)?, first(Anchor::At(now))?];
            Ok((plan, both))
        };
        self.read(run).await
    }

    /// Has the subscription end with its cycle.
    ///
    /// # Errors
    /// As [`Store::subscribe`].
    pub async fn cancel_subscription(&self, org: OrgId, by: By) -> Result<(), StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.cancel(org, &by, true)).await
    }

    /// Has a cancelled subscription go on.
    ///
    /// # Errors
    /// As [`Store::subscribe`].
    pub async fn resume_subscription(&self, org: OrgId, by: By) -> Result<(), StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.cancel(org, &by, false)).await
    }
}

impl Tx<'_> {
    /// Begins a subscription, as [`Store::subscribe`].
    pub(crate) fn subscribe(&mut self, org: OrgId, by: &By, new: &Subscribe) -> Result<Subscribed, StoreError> {
        self.settle_due(org)?;
        if in_force(self.conn, org)?.is_some() {
            return Err(SubscriptionRefusal::Subscribed.into());
        }
        let plan = self.plan_to_take(org, new.plan, new.agreed, new.operator)?;
        if owes(self.conn, org)? {
            return Err(SubscriptionRefusal::Owed.into());
        }
        self.can_be_charged(org, &plan, new.operator)?;
        let (now, zone) = (self.now(), self.org(org)?.zone);
        let anchor = if new.anniversary { Anchor::At(now) } else { Anchor::Calendar };
        let terms = Subscription::begin(plan.id, anchor, now, &ZoneCalendar(zone))?;
        let sql = "INSERT INTO subscription (org_id, subscription_id, plan_id, anchor_at, began_at)
             SELECT ?1, coalesce(max(subscription_id), 0) + 1, ?2, ?3, ?4 FROM subscription WHERE org_id = ?1
             RETURNING subscription_id";
        let anchor_at = new.anniversary.then_some(now.micros());
        let id = self
            .conn
            .prepare_cached(sql)?
            .query_row(params![org.0, plan.id.0, anchor_at, now.micros()], |row| row.get(0).map(SubscriptionId))?;
        let cycle = self.insert_cycle(org, id, &plan, terms.cycle.part)?;
        self.org(org)?.next_cycle = Some(terms.cycle.part.to);
        let supply = plan.supply(terms.whole(&ZoneCalendar(zone))?, now)?;
        self.supply(org, &by.actor, &plan, cycle, &supply)?;
        self.write_policy(org, plan.policy)?;
        let after =
            json!({"plan": plan.name, "credits": plan.credits, "price": plan.price, "anniversary": new.anniversary});
        self.note_subscription(org, by, "subscription.begin", id, None, Some(after))?;
        self.tell_change(org, "begun", &plan, now)?;
        in_force(self.conn, org)?.ok_or(StoreError::NotFound("subscription"))
    }

    /// Begins a subscription to the plan of that name, whole months from this day on, as whoever runs the installation may.
    pub(crate) fn subscribe_by_name(&mut self, org: OrgId, by: &By, name: &str) -> Result<Subscribed, StoreError> {
        let offered = plan::offered(self.conn, org)?;
        let plan = offered.iter().find(|plan| plan.name == name).ok_or(StoreError::NotFound("plan"))?.id;
        self.subscribe(org, by, &Subscribe { plan, anniversary: true, agreed: None, operator: true })
    }

    fn change_plan(&mut self, org: OrgId, by: &By, new: &Choose) -> Result<Chosen, StoreError> {
        self.settle_due(org)?;
        let (subscribed, chosen) = self.chosen(org, new)?;
        let seen = (subscribed.cycle, subscribed.plan.id);
        if new.seen.is_some_and(|shown| shown != seen) {
            return Err(SubscriptionRefusal::Moved.into());
        }
        if chosen.new.comes(&chosen.old) == Comes::AtOnce {
            self.can_be_charged(org, &chosen.new, new.operator)?;
        }
        let terms = subscribed.terms.chosen(chosen.new.id, &chosen.choice);
        self.write_terms(org, subscribed.id, &terms)?;
        let now = self.now();
        let (change, at) = match &chosen.choice {
            Choice::Upgrade(_) => ("upgraded", now),
            Choice::Downgrade(at) => ("downgraded", *at),
            Choice::Stay => ("kept", now),
        };
        if let Choice::Upgrade(replaced) = &chosen.choice {
            let cost = replaced.fee.map(|fee| {
                let back = replaced.back.filter(|back| back.currency == fee.currency).map_or(0, |back| back.minor);
                Money { minor: (fee.minor - back).max(0), ..fee }
            });
            let cost = cost.filter(|cost| cost.minor > 0);
            self.give_plan(org, &by.actor, &chosen.new, replaced.credits, replaced.part, cost)?;
            if let Some(back) = replaced.back {
                let back = Money { minor: -back.minor, ..back };
                let text = format!("Plan {}: unused rest", chosen.old.title);
                self.fee(org, subscribed.cycle, &text, replaced.part, back)?;
            }
            if let Some(fee) = replaced.fee {
                self.fee(org, subscribed.cycle, &format!("Plan {}", chosen.new.title), replaced.part, fee)?;
            }
            self.write_policy(org, chosen.new.policy)?;
        }
        let (before, after) = (json!({"plan": chosen.old.name}), json!({"plan": chosen.new.name, "from": at}));
        self.note_subscription(org, by, "subscription.change", subscribed.id, Some(before), Some(after))?;
        self.tell_change(org, change, &chosen.new, at)?;
        Ok(chosen)
    }

    /// What choosing a plan does now; due cycles have begun.
    fn chosen(&mut self, org: OrgId, new: &Choose) -> Result<(Subscribed, Chosen), StoreError> {
        let subscribed = in_force(self.conn, org)?.ok_or(SubscriptionRefusal::NotSubscribed)?;
        let old = subscribed.plan.clone();
        let stays = new.plan == old.id && new.agreed.is_none();
        let plan = if stays { old.clone() } else { self.plan_to_take(org, new.plan, new.agreed, new.operator)? };
        let calendar = ZoneCalendar(self.org(org)?.zone);
        let choice = subscribed.terms.choose(&old, &plan, self.now(), &calendar)??;
        let cycle = subscribed.cycle;
        Ok((subscribed, Chosen { choice, old, new: plan, cycle }))
    }

    fn cancel(&mut self, org: OrgId, by: &By, cancelled: bool) -> Result<(), StoreError> {
        self.settle_due(org)?;
        let subscribed = in_force(self.conn, org)?.ok_or(SubscriptionRefusal::NotSubscribed)?;
        if subscribed.terms.cancelled_at.is_some() == cancelled {
            let refusal = if cancelled { SubscriptionRefusal::Cancelled } else { SubscriptionRefusal::NotCancelled };
            return Err(refusal.into());
        }
        let terms = Subscription { cancelled_at: cancelled.then_some(self.now()), ..subscribed.terms };
        self.write_terms(org, subscribed.id, &terms)?;
        let (action, change) =
            if cancelled { ("subscription.cancel", "cancelled") } else { ("subscription.resume", "resumed") };
        let end = subscribed.terms.cycle.part.to;
        let plan = json!({"plan": subscribed.plan.name, "cycle_ends_at": end});
        self.note_subscription(org, by, action, subscribed.id, None, Some(plan))?;
        self.tell_change(org, change, &subscribed.plan, end)
    }

    fn write_terms(&mut self, org: OrgId, id: SubscriptionId, terms: &Subscription) -> Result<(), StoreError> {
        let sql = "UPDATE subscription SET plan_id = ?3, next_plan_id = ?4, cancelled_at = ?5
                   WHERE org_id = ?1 AND subscription_id = ?2";
        self.conn.prepare_cached(sql)?.execute(params![
            org.0,
            id.0,
            terms.plan.0,
            terms.next.map(|next| next.0),
            terms.cancelled_at.map(ledger::Timestamp::micros),
        ])?;
        Ok(())
    }

    fn note_subscription(
        &mut self,
        org: OrgId,
        by: &By,
        action: &'static str,
        id: SubscriptionId,
        before: Option<serde_json::Value>,
        after: Option<serde_json::Value>,
    ) -> Result<(), StoreError> {
        self.note(org, by, Change { action, target: id.to_string(), before, after })
    }

    /// The plan that is taken: one that is offered, or what was agreed on, which becomes a plan of its own.
    fn plan_to_take(
        &mut self,
        org: OrgId,
        id: PlanId,
        agreed: Option<Agreed>,
        operator: bool,
    ) -> Result<Plan, StoreError> {
        let plan = plan::find(self.conn, org, id)?.ok_or(StoreError::NotFound("plan"))?;
        let refusal = match (agreed, plan.credits) {
            _ if !plan.offered => SubscriptionRefusal::NotOffered,
            _ if !operator && (plan.by_agreement || agreed.is_some()) => SubscriptionRefusal::ByAgreement,
            (None, None) => SubscriptionRefusal::NothingAgreed,
            (None, Some(_)) => return Ok(plan),
            (Some(agreed), _) => {
                let new = NewPlan {
                    name: plan.name,
                    title: plan.title,
                    description: plan.description,
                    credits: Some(agreed.credits),
                    price: agreed.price,
                    rollover: plan.rollover,
                    policy: plan.policy,
                    retention_days: plan.retention_days,
                    by_agreement: true,
                };
                return self.insert_plan(org, &new, false);
            }
        };
        Err(refusal.into())
    }

    fn can_be_charged(&self, org: OrgId, plan: &Plan, operator: bool) -> Result<(), StoreError> {
        if operator || plan.fee() == 0 || has_method(self.conn, org)? {
            return Ok(());
        }
        Err(SubscriptionRefusal::MethodNeeded.into())
    }
}

fn has_method(conn: &Connection, org: OrgId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM payment_method WHERE org_id = ?1 AND removed_at IS NULL LIMIT 1";
    Ok(conn.prepare_cached(sql)?.exists([org.0])?)
}
