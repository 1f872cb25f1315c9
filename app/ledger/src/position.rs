//! Where an org's ledger stands, and what follows from it: who can pay, what is due, what an operation would post.
//!
//! A [`Position`] is the fold of the org's entries as far as decisions need it: the grants of which something is left or
//! held, the pending holds, the debt. Everything that the passing of time causes is a [`Step`]: [`Position::next_step`]
//! says which comes next. The writer books steps before it does anything else; a reader applies them to its copy. So both
//! see the same, whether a job was late or the machine was off.
//!
//! Order of steps: by instant; at one instant holds end before debts are repaid before grants expire; then by drawdown
//! order. Cost: each step looks at all slots and holds, both bounded.

use crate::balance::Balance;
use crate::credits::Credits;
use crate::drawdown::{Purse, Slot, order};
use crate::entry::{Account, Draft, EntryKind, Posting};
use crate::grant::{Grant, GrantKind};
use crate::hold::Hold;
use crate::id::{GrantId, HoldId};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::rollover::{Rolled, roll};
use crate::time::Timestamp;

/// What the rules need of a calendar: the same day of a later month, in the org's zone.
pub trait Calendar {
    /// `at` moved on by whole months; the last day where that month is shorter.
    ///
    /// # Errors
    /// [`Refusal::TimeOutOfRange`].
    fn months_after(&self, at: Timestamp, months: u32) -> Result<Timestamp, Refusal>;
}

/// Where an org's ledger stands.
#[derive(Debug, Clone)]
pub struct Position {
    /// Grants of which something is left or held.
    pub slots: Vec<Slot>,
    /// Pending holds, by id.
    pub holds: Vec<Hold>,
    /// Used beyond what was there; from zero on.
    pub debt: Credits,
    /// What happens when nothing is left.
    pub policy: Policy,
    /// Everything due until here has been applied.
    pub settled_to: Timestamp,
    /// Nothing happens before this any more: when the last applied entry happened, or everything due was applied.
    pub at: Timestamp,
}

/// Something that the passing of time causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is to be booked.
    pub draft: Draft,
    /// The grant that comes to be with it: what rolled over.
    pub child: Option<Grant>,
}

/// In the order in which they happen at one instant; grants by their slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    HoldEnds(HoldId),
    Repays(usize),
    Expires(usize),
}

impl Position {
    /// Before anything was booked.
    #[must_use]
    pub const fn start(policy: Policy) -> Self {
        let long_ago = Timestamp::from_micros(i64::MIN);
        Self { slots: Vec::new(), holds: Vec::new(), debt: Credits::ZERO, policy, settled_to: long_ago, at: long_ago }
    }

    /// What can be spent at `now`, whatever its scope.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn available(&self, now: Timestamp) -> Result<Credits, Refusal> {
        Credits::sum(self.slots.iter().filter(|slot| slot.grant.is_open(now)).map(|slot| slot.left))
    }

    /// What pending holds promise beyond what they reserve.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn promised(&self) -> Result<Credits, Refusal> {
        Credits::sum(self.holds.iter().map(|hold| hold.uncovered))
    }

    /// What the org has at `now`. Steps due until then must have been applied.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn balance(&self, now: Timestamp) -> Result<Balance, Refusal> {
        let held = Credits::sum(self.holds.iter().map(Hold::held).collect::<Result<Vec<_>, _>>()?)?;
        Balance::new(self.available(now)?, held, self.debt, self.room()?)
    }

    /// How much further new work may go into debt.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn room(&self) -> Result<Credits, Refusal> {
        let wide = |credits: Credits| i128::from(credits.micros());
        let room = wide(self.policy.limit_for_new()) - wide(self.debt) - wide(self.promised()?);
        // So far below zero that it does not fit, it is no room all the same.
        Credits::from_wide(room.max(i128::from(i64::MIN)))
    }

    /// The grants that can be spent at `now`, in drawdown order.
    #[must_use]
    pub fn purse(&self, now: Timestamp) -> Purse {
        Purse::new(self.slots.iter().cloned(), now)
    }

    /// The first thing due until `now` and not yet applied. A grant that it makes gets `next`.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`], [`Refusal::TimeOutOfRange`].
    pub fn next_step(&self, now: Timestamp, next: GrantId, calendar: &dyn Calendar) -> Result<Option<Step>, Refusal> {
        let Some((due_at, due)) = self.next_due(now) else { return Ok(None) };
        let at = due_at.max(self.at);
        let draft = match due {
            Due::HoldEnds(id) => {
                let Some(hold) = self.holds.iter().find(|hold| hold.id == id) else { return Ok(None) };
                give_back(hold, EntryKind::HoldExpiry { hold: id }, at, "job:expiry")?
            }
            Due::Repays(slot) => self.repay(&self.slots[slot], at)?,
            Due::Expires(slot) => {
                let slot = &self.slots[slot];
                let on_time = slot.grant.expires_at.is_some_and(|end| end > self.settled_to && end >= self.at);
                return self.end(slot, on_time, at, next, calendar).map(Some);
            }
        };
        Ok(Some(Step { draft, child: None }))
    }

    /// What the credits of a cycle repay that was over when the job came to it: what they would have repaid in time, since nothing
    /// of the org is booked between a cycle's beginning and that. Nothing without debt. What they leave ends next
    /// ([`Position::end_late`]).
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn repay_late(&self, id: GrantId) -> Result<Option<Draft>, Refusal> {
        let slot = self.slots.iter().find(|slot| slot.grant.id == id && slot.grant.scope.is_everything());
        let slot = slot.filter(|slot| self.debt.is_positive() && slot.left.is_positive());
        slot.map(|slot| self.repay(slot, slot.grant.effective_at.max(self.at))).transpose()
    }

    /// The end of a grant that was over when it was told: its cycle ends as if it had been told in time, but it repays
    /// nothing, since nobody can tell whether there was debt while it lasted. What takes its place gets `next`.
    ///
    /// # Errors
    /// [`Refusal::UnknownGrant`], [`Refusal::AmountOverflow`], [`Refusal::TimeOutOfRange`].
    pub fn end_late(&self, id: GrantId, next: GrantId, calendar: &dyn Calendar) -> Result<Step, Refusal> {
        let slot = self.slots.iter().find(|slot| slot.grant.id == id).ok_or(Refusal::UnknownGrant)?;
        let at = slot.grant.expires_at.unwrap_or(self.at).max(self.at);
        self.end(slot, true, at, next, calendar)
    }

    /// Everything due until `now` was applied. Also where that is earlier than the last time it was said: a clock that ran
    /// ahead and jumped back must not take the end of a later cycle for past.
    pub const fn settled(&mut self, now: Timestamp) {
        self.settled_to = now;
        self.at = now;
    }

    fn next_due(&self, now: Timestamp) -> Option<(Timestamp, Due)> {
        let grant = |slot: usize| &self.slots[slot].grant;
        let full = || (0..self.slots.len()).filter(|slot| self.slots[*slot].left.is_positive());
        let holds = self.holds.iter().map(|hold| (hold.expires_at, Due::HoldEnds(hold.id)));
        let repaying = full()
            .filter(|slot| self.debt.is_positive() && grant(*slot).scope.is_everything())
            .map(|slot| (grant(slot).effective_at.max(self.at), slot))
            .filter(|(at, slot)| !grant(*slot).is_expired(*at))
            .map(|(at, slot)| (at, Due::Repays(slot)));
        let expiring = full().filter_map(|slot| Some((grant(slot).expires_at?, Due::Expires(slot))));
        let tie = |a: Due, b: Due| match (a, b) {
            (Due::Repays(a), Due::Repays(b)) | (Due::Expires(a), Due::Expires(b)) => order(grant(a), grant(b)),
            _ => a.cmp(&b),
        };
        holds
            .chain(repaying)
            .chain(expiring)
            .filter(|(at, _)| *at <= now)
            .min_by(|(at, a), (other_at, b)| at.cmp(other_at).then_with(|| tie(*a, *b)))
    }

    fn repay(&self, slot: &Slot, at: Timestamp) -> Result<Draft, Refusal> {
        let part = self.debt.min(slot.left);
        Ok(Draft {
            kind: EntryKind::Repayment { grant: slot.grant.id },
            happened_at: at,
            cause: "job:repayment".to_owned(),
            postings: vec![
                Posting { account: Account::Grant(slot.grant.id), amount: part.negated()? },
                Posting { account: Account::Debt, amount: part },
            ],
        })
    }

    /// What is left of a grant expires or rolls over. What came back to it after its end, so not `on_time`, only expires.
    fn end(
        &self,
        slot: &Slot,
        on_time: bool,
        at: Timestamp,
        next: GrantId,
        calendar: &dyn Calendar,
    ) -> Result<Step, Refusal> {
        let (grant, left) = (&slot.grant, slot.left);
        let Rolled { rolled, expired, .. } = roll(grant, left)?;
        let cause = "job:expiry".to_owned();
        let mut postings = vec![Posting { account: Account::Grant(grant.id), amount: left.negated()? }];
        if !on_time || rolled.is_zero() {
            postings.push(Posting { account: Account::Expired, amount: left });
            let kind = EntryKind::Expiry { grant: grant.id };
            return Ok(Step { draft: Draft { kind, happened_at: at, cause, postings }, child: None });
        }
        let child = child_of(grant, rolled, at, next, calendar)?;
        postings.push(Posting { account: Account::Grant(next), amount: rolled });
        if expired.is_positive() {
            postings.push(Posting { account: Account::Expired, amount: expired });
        }
        let kind = EntryKind::Rollover { grant: grant.id, child: next, terms: child.terms() };
        Ok(Step { draft: Draft { kind, happened_at: at, cause, postings }, child: Some(child) })
    }

    /// Takes up a grant that an entry is about to give.
    pub fn admit(&mut self, grant: Grant) {
        self.slots.push(Slot { grant, left: Credits::ZERO });
    }

    /// Takes up a grant again of which nothing was left, because something comes back to it.
    pub fn admit_again(&mut self, grant: Grant) {
        if !self.slots.iter().any(|slot| slot.grant.id == grant.id) {
            self.admit(grant);
        }
    }

    /// Takes up an entry. Grants and holds that it gives were admitted before.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`]; [`Refusal::UnknownGrant`] where a grant was not admitted.
    pub fn apply(&mut self, draft: &Draft) -> Result<(), Refusal> {
        for posting in &draft.postings {
            match posting.account {
                Account::Grant(id) => {
                    let slot = self.slots.iter_mut().find(|slot| slot.grant.id == id);
                    let slot = slot.ok_or(Refusal::UnknownGrant)?;
                    slot.left = slot.left.plus(posting.amount)?;
                }
                Account::Debt => self.debt = self.debt.minus(posting.amount)?,
                Account::Hold(_) | Account::Funding | Account::Consumed | Account::Expired | Account::Adjustment => {}
            }
        }
        match &draft.kind {
            EntryKind::Capture { hold, .. } | EntryKind::Release { hold } | EntryKind::HoldExpiry { hold } => {
                self.holds.retain(|pending| pending.id != *hold);
            }
            EntryKind::Extension { hold, until } => {
                let pending = self.holds.iter_mut().filter(|pending| pending.id == *hold);
                pending.for_each(|pending| pending.expires_at = *until);
            }
            _ => {}
        }
        self.at = self.at.max(draft.happened_at);
        let holds = &self.holds;
        let is_held = |id: GrantId| holds.iter().any(|hold| hold.reserved.iter().any(|(grant, _)| *grant == id));
        self.slots.retain(|slot| slot.left.is_positive() || is_held(slot.grant.id));
        Ok(())
    }

    /// Applies everything due until `now`, for a reader's copy. Grants that it makes get ids from `next` on.
    ///
    /// # Errors
    /// What [`Position::next_step`] says.
    pub fn advance(&mut self, now: Timestamp, next: GrantId, calendar: &dyn Calendar) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::new();
        let mut next = next;
        while let Some(step) = self.next_step(now, next, calendar)? {
            if let Some(child) = &step.child {
                self.admit(child.clone());
                next = GrantId(next.0 + 1);
            }
            self.apply(&step.draft)?;
            steps.push(step);
        }
        self.settled_to = self.settled_to.max(now);
        Ok(steps)
    }
}

/// What the rest of a plan's grant becomes: same place in the order, same scope, no further rollover.
fn child_of(
    grant: &Grant,
    amount: Credits,
    at: Timestamp,
    id: GrantId,
    calendar: &dyn Calendar,
) -> Result<Grant, Refusal> {
    let months = grant.rollover.and_then(|terms| terms.months);
    let end = grant.expires_at.unwrap_or(at);
    let expires_at = months.map(|months| calendar.months_after(end, u32::from(months))).transpose()?;
    Ok(Grant {
        id,
        kind: GrantKind::Rollover,
        amount,
        priority: grant.priority,
        scope: grant.scope.clone(),
        effective_at: end,
        expires_at,
        description: format!("Rolled over from {}", grant.id),
        cost: None,
        rollover: None,
        parent: Some(grant.id),
    })
}

/// The entry that returns what a hold reserved.
pub(crate) fn give_back(hold: &Hold, kind: EntryKind, at: Timestamp, cause: &str) -> Result<Draft, Refusal> {
    let mut postings = Vec::with_capacity(hold.reserved.len() + 1);
    let held = hold.held()?;
    if held.is_positive() {
        postings.push(Posting { account: Account::Hold(hold.id), amount: held.negated()? });
    }
    let parts = hold.reserved.iter();
    postings.extend(parts.map(|(grant, part)| Posting { account: Account::Grant(*grant), amount: *part }));
    Ok(Draft { kind, happened_at: at, cause: cause.to_owned(), postings })
}

#[cfg(test)]
mod tests;
