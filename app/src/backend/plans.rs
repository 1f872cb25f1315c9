//! Billing & credits, read, and what the page of the plan does.

use super::Backend;
use super::desk::{Form, NotTaken};
use super::runs::moment;
use crate::error::AppError;
use crate::server_fns::Moment;
use ledger::plan::Supply;
use ledger::{Credits, CycleId, Money, Permission, Plan, PlanId, Timestamp};
use store::{Agreed, Choose, Org, StoreError, Subscribe};

pub use store::billing::PaymentLine;
pub use store::{Billing, Chosen, CycleRow, InvoiceLine, OpenItem, OpenItems as Expected, Subscribed};

/// Address of the page of the plan.
const PLAN: &str = "/billing/plan";
/// Cycles that are listed.
const CYCLES: u32 = 12;

/// What a choice of a plan would do.
#[derive(Debug, Clone)]
pub enum Preview {
    /// A subscription begins: with calendar months, or from this day on.
    Begin(Plan, [Supply; 2]),
    /// The plan changes.
    Change(Box<Chosen>),
    /// Nothing: a sentence says why.
    Refused(Plan, String),
}

/// What the page of the plan shows.
#[derive(Debug, Clone)]
pub struct Plans {
    /// What is subscribed to.
    pub subscribed: Option<Subscribed>,
    /// What is offered.
    pub offered: Vec<Plan>,
    /// What would come of the plan that the address names.
    pub preview: Option<Preview>,
    /// Cycles that have begun, newest first.
    pub cycles: Vec<CycleRow>,
    /// Whether somebody can be charged without being there.
    pub has_method: bool,
    /// Whether whoever looks may agree on terms.
    pub operator: bool,
}

impl Backend {
    /// Billing & credits.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn billing(&self, org: &Org) -> Result<Billing, AppError> {
        self.allowed(Permission::ManageBilling)?;
        Ok(self.store.billing(org.id).await?)
    }

    /// The page of the plan; `chosen` is the plan that the address names.
    ///
    /// # Errors
    /// As [`Backend::billing`].
    pub async fn plans(&self, org: &Org, chosen: &str) -> Result<Plans, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let subscribed = self.store.subscription(org.id).await?;
        let offered = self.store.plans(org.id).await?;
        let known = PlanId::parse(chosen).filter(|id| {
            let is_current = subscribed.as_ref().is_some_and(|subscribed| subscribed.plan.id == *id);
            is_current || offered.iter().any(|plan| plan.id == *id)
        });
        let preview = match known {
            Some(id) => Some(self.preview(org, id, subscribed.as_ref(), &offered, viewer.operator).await?),
            None => None,
        };
        let cycles = self.store.cycles(org.id, CYCLES).await?;
        let has_method = !self.store.methods(org.id).await?.is_empty();
        Ok(Plans { subscribed, offered, preview, cycles, has_method, operator: viewer.operator })
    }

    async fn preview(
        &self,
        org: &Org,
        id: PlanId,
        subscribed: Option<&Subscribed>,
        offered: &[Plan],
        operator: bool,
    ) -> Result<Preview, AppError> {
        if subscribed.is_none() {
            let (plan, supplies) = self.store.preview_begin(org.id, id).await?;
            return Ok(Preview::Begin(plan, supplies));
        }
        match self.store.preview_plan(org.id, Choose { plan: id, agreed: None, operator, seen: None }).await {
            Ok(chosen) => Ok(Preview::Change(Box::new(chosen))),
            Err(StoreError::Subscription(refusal)) => {
                let plan = offered.iter().find(|plan| plan.id == id).or(subscribed.map(|subscribed| &subscribed.plan));
                let plan = plan.ok_or(AppError::NotFound)?.clone();
                Ok(Preview::Refused(plan, refusal.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Subscribes, changes the plan, cancels or resumes, as the form says: the address of the page that says what came of it.
    ///
    /// # Errors
    /// As [`Backend::billing`].
    pub async fn act_on_plan(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let (form, org, by) = (Form::parse(body), viewer.org, viewer.by());
        let done = match form.get("do") {
            "choose" => self.choose_plan(&form, viewer.operator).await,
            "cancel" => self.store.cancel_subscription(org, by).await.map(|()| "cancelled").map_err(NotTaken::from),
            "resume" => self.store.resume_subscription(org, by).await.map(|()| "resumed").map_err(NotTaken::from),
            _ => Err(NotTaken::Form("stale_form")),
        };
        match done {
            Ok(done) => Ok(format!("{PLAN}?done={done}")),
            Err(NotTaken::Form(code)) => Ok(form.back_to(PLAN, code, "choice")),
            Err(NotTaken::Store(StoreError::Subscription(refusal))) => Ok(form.back_to(PLAN, refusal.code(), "choice")),
            Err(NotTaken::Store(StoreError::NotFound(_))) => Ok(form.back_to(PLAN, "plan_not_offered", "choice")),
            Err(NotTaken::Store(error)) => Err(error.into()),
        }
    }

    async fn choose_plan(&self, form: &Form, operator: bool) -> Result<&'static str, NotTaken> {
        let viewer = self.viewer.as_ref().ok_or(NotTaken::Form("stale_form"))?;
        let plan = PlanId::parse(form.get("plan")).ok_or(NotTaken::Form("stale_form"))?;
        let agreed = agreed(form)?;
        if self.store.subscription(viewer.org).await?.is_none() {
            let anniversary = form.get("cycles") == "anniversary";
            self.store.subscribe(viewer.org, viewer.by(), Subscribe { plan, anniversary, agreed, operator }).await?;
            return Ok("begun");
        }
        let seen = CycleId::parse(form.get("cycle")).zip(PlanId::parse(form.get("from")));
        let seen = Some(seen.ok_or(NotTaken::Form("price_moved"))?);
        let chosen = self.store.change_plan(viewer.org, viewer.by(), Choose { plan, agreed, operator, seen }).await?;
        Ok(match chosen.choice {
            ledger::subscription::Choice::Upgrade(_) => "upgraded",
            ledger::subscription::Choice::Downgrade(_) => "planned",
            ledger::subscription::Choice::Stay => "kept",
        })
    }
}

/// What an operator says was agreed on; `None` where nothing is typed.
fn agreed(form: &Form) -> Result<Option<Agreed>, NotTaken> {
    let (credits, price) = (form.get("credits"), form.get("price"));
    if credits.is_empty() && price.is_empty() {
        return Ok(None);
    }
    let credits = Credits::parse(credits).ok().filter(|credits| credits.is_positive());
    let credits = credits.ok_or(NotTaken::Form("bad_amount"))?;
    let price = Some(price).filter(|text| !text.is_empty()).map(Money::parse).transpose();
    let price = price.map_err(|_| NotTaken::Form("bad_price"))?;
    Ok(Some(Agreed { credits, price }))
}

/// An instant as the org's people read it.
///
/// # Errors
/// Beyond what a calendar holds.
pub fn told(org: &Org, at: Timestamp) -> Result<Moment, AppError> {
    moment(org, at)
}

/// The day of an instant, in the org's zone.
///
/// # Errors
/// As [`told`].
pub fn day_of(org: &Org, at: Timestamp) -> Result<crate::calendar::Day, AppError> {
    super::local_day(org, at)
}
