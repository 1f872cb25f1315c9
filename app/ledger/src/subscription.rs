//! Subscriptions: one plan at a time, cycle after cycle.
//!
//! Nothing here knows the time: what is due until an instant is asked for ([`Subscription::due`]) and applied, one step at a
//! time, so that a job which is days late makes the same cycles as one that is not. Cycles follow each other without gaps.
//! They are calendar months of the org's zone, or months from an anniversary: each counted from the first day, never from
//! the cycle before, so that what begins on 31 January begins on 28 February and on 31 March again.
//!
//! What costs more comes at once, with the rest of the cycle put right; what costs less, and the end, come with the cycle's
//! end. While an invoice stays unpaid a cycle begins with neither credits nor fee; once it is paid the rest of the cycle has both.

use crate::id::PlanId;
use crate::plan::{Comes, Plan, Replaced};
use crate::position::Calendar;
use crate::proration::Stretch;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest that a month lasts, for a first guess at how many have passed.
const LONGEST_MONTH_US: i64 = 32 * 86_400_000_000;

/// Who gives the credits of a cycle that begins by itself: stands as their cause in the chain, and tells those of a cycle that a late
/// job came to from what people tell late.
pub const CAUSE: &str = "job:cycle";

/// What subscriptions need of a calendar.
pub trait Months: Calendar {
    /// The calendar month of the org's zone in which an instant lies.
    ///
    /// # Errors
    /// [`Refusal::TimeOutOfRange`].
    fn month_of(&self, at: Timestamp) -> Result<Stretch, Refusal>;
}

/// When cycles begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// With each calendar month.
    Calendar,
    /// At this instant of each month, by the clock on the wall; the last day where a month is shorter.
    At(Timestamp),
}

impl Anchor {
    /// The whole cycle in which an instant lies.
    ///
    /// # Errors
    /// [`Refusal::TimeOutOfRange`], also before an anniversary's first cycle.
    pub fn cycle_of(self, at: Timestamp, months: &dyn Months) -> Result<Stretch, Refusal> {
        let first = match self {
            Self::Calendar => return months.month_of(at),
            Self::At(first) => first,
        };
        let start = |count: u32| if count == 0 { Ok(first) } else { months.months_after(first, count) };
        let passed = at.micros().saturating_sub(first.micros());
        if passed < 0 {
            return Err(Refusal::TimeOutOfRange);
        }
        // Never too many, and too few by one in about twenty.
        let mut count = u32::try_from(passed / LONGEST_MONTH_US).map_err(|_| Refusal::TimeOutOfRange)?;
        loop {
            let (from, to) = (start(count)?, start(count + 1)?);
            if at < to {
                return Stretch::new(from, to);
            }
            count += 1;
        }
    }
}

/// A cycle that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// From when until when: a first one may be a part of a month.
    pub part: Stretch,
    /// Whether its credits were given and its fee put down.
    pub supplied: bool,
}

/// A subscription that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// To what, now.
    pub plan: PlanId,
    /// To what from the next cycle on, where that is another.
    pub next: Option<PlanId>,
    /// When cycles begin.
    pub anchor: Anchor,
    /// Since when somebody has wished that it ends with its cycle.
    pub cancelled_at: Option<Timestamp>,
    /// The last cycle that has begun.
    pub cycle: Cycle,
}

/// What the passing of time causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Due {
    /// A cycle begins, under that plan. Without `supplied` it gives and costs nothing for now.
    Begins {
        /// Under which plan.
        plan: PlanId,
        /// The cycle.
        cycle: Cycle,
    },
    /// What was owed is paid: the rest of the cycle has its credits and its fee.
    Resumes {
        /// The rest.
        rest: Stretch,
    },
    /// It is over.
    Ends {
        /// Since when.
        at: Timestamp,
    },
}

/// Why a subscription stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionRefusal {
    /// The plan is not offered (any more).
    #[error("this plan is not offered: choose one of those that are listed")]
    NotOffered,
    /// Somebody who is no operator.
    #[error("this plan is agreed on with whoever runs the service: ask them")]
    ByAgreement,
    /// What it gives is not agreed yet.
    #[error("say how many credits a cycle of this plan gives: they are agreed on with each organization")]
    NothingAgreed,
    /// One at a time.
    #[error("there is a subscription already: change its plan instead")]
    Subscribed,
    /// Nothing to change.
    #[error("there is no subscription: choose a plan first")]
    NotSubscribed,
    /// It is that already.
    #[error("this is the plan already, and it goes on: nothing was changed")]
    Unchanged,
    /// It ends already.
    #[error("the subscription ends with its cycle already: nothing was changed")]
    Cancelled,
    /// It was not cancelled.
    #[error("the subscription was not cancelled and goes on: nothing was changed")]
    NotCancelled,
    /// Nobody could be charged.
    #[error("store a payment method first: the plan is paid with it each month")]
    MethodNeeded,
    /// Something is owed.
    #[error("an invoice is unpaid: pay it first, then choose another plan")]
    Owed,
    /// What was shown is not what would happen now.
    #[error("what the change costs is not what was shown any more: look at it again")]
    Moved,
}

impl SubscriptionRefusal {
    /// The stable code that programs compare.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotOffered => "plan_not_offered",
            Self::ByAgreement => "plan_by_agreement",
            Self::NothingAgreed => "nothing_agreed",
            Self::Subscribed => "already_subscribed",
            Self::NotSubscribed => "not_subscribed",
            Self::Unchanged => "plan_unchanged",
            Self::Cancelled => "already_cancelled",
            Self::NotCancelled => "not_cancelled",
            Self::MethodNeeded => "payment_method_needed",
            Self::Owed => "invoice_unpaid",
            Self::Moved => "price_moved",
        }
    }
}

/// What choosing a plan does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The plan comes at once, and this changes in the rest of the cycle.
    Upgrade(Replaced),
    /// The plan comes with the next cycle, which begins then.
    Downgrade(Timestamp),
    /// The plan there is goes on: what was planned for the cycle's end is not done.
    Stay,
}

impl Subscription {
    /// One that begins now. A first calendar month gives and costs its part.
    ///
    /// # Errors
    /// [`Refusal::TimeOutOfRange`].
    pub fn begin(plan: PlanId, anchor: Anchor, now: Timestamp, months: &dyn Months) -> Result<Self, Refusal> {
        let whole = anchor.cycle_of(now, months)?;
        let part = Stretch::new(now, whole.to)?;
        Ok(Self { plan, next: None, anchor, cancelled_at: None, cycle: Cycle { part, supplied: true } })
    }

    /// The whole month, or year's month, of which its cycle is at least a part: what a plan's figures are of.
    ///
    /// # Errors
    /// [`Refusal::TimeOutOfRange`].
    pub fn whole(&self, months: &dyn Months) -> Result<Stretch, Refusal> {
        self.anchor.cycle_of(self.cycle.part.from, months)
    }

    /// The first thing that is due until `now` and was not applied. `owes`: an invoice stays unpaid.
    ///
    /// # Errors
    /// [`Refusal::TimeOutOfRange`].
    pub fn due(&self, now: Timestamp, owes: bool, months: &dyn Months) -> Result<Option<Due>, Refusal> {
        let Cycle { part, supplied } = self.cycle;
        if now < part.to {
            let rest = (!supplied && !owes).then(|| Stretch { from: now.max(part.from), to: part.to });
            return Ok(rest.map(|rest| Due::Resumes { rest }));
        }
        if self.cancelled_at.is_some() {
            return Ok(Some(Due::Ends { at: part.to }));
        }
        let whole = self.anchor.cycle_of(part.to, months)?;
        // Where the calendar was changed in between, a cycle goes on from the end of the one before all the same.
        let part = Stretch::new(part.to, whole.to)?;
        let cycle = Cycle { part, supplied: !owes };
        Ok(Some(Due::Begins { plan: self.next.unwrap_or(self.plan), cycle }))
    }

    /// What it is after that; `None` where it is over.
    #[must_use]
    pub const fn after(self, due: Due) -> Option<Self> {
        match due {
            Due::Begins { plan, cycle } => Some(Self { plan, next: None, cycle, ..self }),
            Due::Resumes { .. } => Some(Self { cycle: Cycle { supplied: true, ..self.cycle }, ..self }),
            Due::Ends { .. } => None,
        }
    }

    /// What choosing `new` does at `now`; `old` is its plan. Whoever chooses a plan wants to go on: a cancellation is void.
    ///
    /// # Errors
    /// [`SubscriptionRefusal::Unchanged`], [`SubscriptionRefusal::Owed`].
    pub fn choose(
        &self,
        old: &Plan,
        new: &Plan,
        now: Timestamp,
        months: &dyn Months,
    ) -> Result<Result<Choice, SubscriptionRefusal>, Refusal> {
        if new.id == old.id {
            let waits = self.next.is_some() || self.cancelled_at.is_some();
            return Ok(if waits { Ok(Choice::Stay) } else { Err(SubscriptionRefusal::Unchanged) });
        }
        Ok(match new.comes(old) {
            Comes::NextCycle => Ok(Choice::Downgrade(self.cycle.part.to)),
            Comes::AtOnce if !self.cycle.supplied => Err(SubscriptionRefusal::Owed),
            Comes::AtOnce => Ok(Choice::Upgrade(new.instead_of(old, self.whole(months)?, now)?)),
        })
    }

    /// What it is after that choice of `new`.
    #[must_use]
    pub fn chosen(self, new: PlanId, choice: &Choice) -> Self {
        let stays = Self { next: None, cancelled_at: None, ..self };
        match choice {
            Choice::Upgrade(_) => Self { plan: new, ..stays },
            Choice::Downgrade(_) => Self { next: Some(new), ..stays },
            Choice::Stay => stays,
        }
    }
}
