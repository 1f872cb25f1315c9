//! Corrections: an event taken back, a balance put right by hand. Always a new entry that names the old; never a change.
//!
//! Voiding returns exactly what was charged, in reverse order: to the debt that is still open first, then to the grants
//! that paid, last payer first. What comes back to a grant that has expired expires at once. What had gone to a debt that
//! is repaid by now comes back as a grant of its own kind (`refund`) that never expires. What an event gave back, since a
//! price fell for what was used before it, is taken again. The carry stays: it belongs to
//! the line, and later events were rated with it. Tiers count what stands: [`RateLine::take_back`](crate::RateLine).

use crate::credits::Credits;
use crate::drawdown::{Slot, order};
use crate::entry::{Account, Draft, EntryKind, Posting};
use crate::grant::{Grant, GrantKind, Scope};
use crate::id::{EventSeq, GrantId};
use crate::label::{MAX_TEXT_BYTES, check_kept};
use crate::position::Position;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// An event to be taken back, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voiding {
    /// Which.
    pub event: EventSeq,
    /// Who paid for it, in the order of drawdown; below zero the grant as which a charge below zero gave credits back.
    pub paid: Vec<(Account, Credits)>,
    /// The event that takes its place, if one does.
    pub replacement: Option<EventSeq>,
    /// Whether it was charged by tiers.
    pub tiers: bool,
    /// Why.
    pub reason: String,
}

/// Checks a reason: corrections are never without one. Whoever takes one from outside checks its text besides.
///
/// # Errors
/// [`Refusal::MissingReason`], [`Refusal::BadLabel`].
pub fn check_reason(reason: &str) -> Result<(), Refusal> {
    // Spaces of no width are no reason either.
    let says_something =
        |c: char| !c.is_whitespace() && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}');
    if !reason.chars().any(says_something) {
        return Err(Refusal::MissingReason);
    }
    check_kept("reason", reason, MAX_TEXT_BYTES)
}

impl Position {
    /// What taking an event back posts, and the grant that comes to be where a repaid debt had paid. Grants that paid are
    /// admitted ([`Position::admit_again`]) before the entry is applied. A new grant would be `next`.
    ///
    /// # Errors
    /// [`Refusal::MissingReason`], [`Refusal::AmountOverflow`].
    pub fn void(
        &self,
        voiding: Voiding,
        next: GrantId,
        now: Timestamp,
        cause: &str,
    ) -> Result<(Draft, Option<Grant>), Refusal> {
        let Voiding { event, paid, replacement, tiers, reason } = voiding;
        check_reason(&reason)?;
        let cost = Credits::sum(paid.iter().map(|(_, part)| *part))?;
        let mut postings = Vec::with_capacity(paid.len() + 2);
        if !cost.is_zero() {
            postings.push(Posting { account: Account::Consumed, amount: cost.negated()? });
        }
        let (mut excess, mut debt) = (Credits::ZERO, self.debt);
        for (account, part) in paid.iter().rev().filter(|(_, part)| part.is_positive()) {
            let open = if *account == Account::Debt { debt.min(*part) } else { *part };
            if *account == Account::Debt {
                // Several charges of one event may have gone into debt: what one gives back is no longer open to the next.
                debt = debt.minus(open)?;
            }
            excess = excess.plus(part.minus(open)?)?;
            if open.is_positive() {
                postings.push(Posting { account: *account, amount: open });
            }
        }
        let refund = excess.is_positive().then(|| Grant {
            id: next,
            kind: GrantKind::Refund,
            amount: excess,
            priority: 0,
            scope: Scope::default(),
            effective_at: now,
            expires_at: None,
            description: format!("Returned by voiding {event}: the debt it had made is repaid"),
            cost: None,
            rollover: None,
            parent: None,
        });
        postings.extend(refund.iter().map(|grant| Posting { account: Account::Grant(grant.id), amount: grant.amount }));
        for (account, part) in given_as(&paid)? {
            postings.extend(self.take_again(account, part, now)?);
        }
        let terms = refund.as_ref().map(|grant| (grant.id, grant.terms()));
        let kind = EntryKind::Void { event, replacement, refund: terms, tiers, reason };
        Ok((Draft { kind, happened_at: now, cause: cause.to_owned(), postings }, refund))
    }

    /// What an event gave back is taken again: from the grant that it was given as; what is spent of that from others of no
    /// scope, in drawdown order, and at last as debt.
    fn take_again(&self, from: Account, amount: Credits, now: Timestamp) -> Result<Vec<Posting>, Refusal> {
        let is_it = |slot: &Slot| Account::Grant(slot.grant.id) == from;
        let open = self.slots.iter().filter(|slot| slot.left.is_positive() && slot.grant.is_open(now));
        let mut slots: Vec<&Slot> = open.filter(|slot| is_it(slot) || slot.grant.scope == Scope::default()).collect();
        slots.sort_by(|a, b| is_it(b).cmp(&is_it(a)).then_with(|| order(&a.grant, &b.grant)));
        let (mut due, mut postings) = (amount, Vec::new());
        for slot in slots {
            let part = due.min(slot.left);
            due = due.minus(part)?;
            postings.push(Posting { account: Account::Grant(slot.grant.id), amount: part.negated()? });
        }
        self.debt.plus(due)?;
        postings.push(Posting { account: Account::Debt, amount: due.negated()? });
        postings.retain(|posting| !posting.amount.is_zero());
        Ok(postings)
    }

    /// What taking `amount` away by hand posts: an entry per grant, in drawdown order whatever the scope, or only from
    /// `target`.
    ///
    /// # Errors
    /// [`Refusal::MissingReason`], [`Refusal::AdjustmentTooLarge`] where less is there.
    pub fn take(
        &self,
        amount: Credits,
        target: Option<GrantId>,
        reason: &str,
        now: Timestamp,
        cause: &str,
    ) -> Result<Vec<Draft>, Refusal> {
        check_reason(reason)?;
        let mut slots: Vec<_> =
            self.slots.iter().filter(|slot| slot.left.is_positive() && slot.grant.is_open(now)).collect();
        slots.retain(|slot| target.is_none_or(|target| slot.grant.id == target));
        slots.sort_by(|a, b| order(&a.grant, &b.grant));
        let (mut due, mut drafts) = (amount, Vec::new());
        for slot in slots {
            let part = due.min(slot.left);
            if !part.is_positive() {
                break;
            }
            due = due.minus(part)?;
            drafts.push(Draft {
                kind: EntryKind::Adjustment { grant: slot.grant.id, terms: None, reason: reason.to_owned() },
                happened_at: now,
                cause: cause.to_owned(),
                postings: vec![
                    Posting { account: Account::Grant(slot.grant.id), amount: part.negated()? },
                    Posting { account: Account::Adjustment, amount: part },
                ],
            });
        }
        if due.is_positive() {
            return Err(Refusal::AdjustmentTooLarge { available: amount.minus(due)? });
        }
        Ok(drafts)
    }
}

/// What an event gave back, by the grant as which it was given.
fn given_as(paid: &[(Account, Credits)]) -> Result<BTreeMap<Account, Credits>, Refusal> {
    let mut given = BTreeMap::new();
    for (account, part) in paid.iter().filter(|(_, part)| part.is_negative()) {
        let sum: &mut Credits = given.entry(*account).or_default();
        *sum = sum.minus(*part)?;
    }
    Ok(given)
}

/// What giving credits by hand posts.
///
/// # Errors
/// What [`Grant::check`] says, and [`Refusal::MissingReason`].
pub fn put(grant: &Grant, reason: &str, now: Timestamp, cause: &str) -> Result<Draft, Refusal> {
    check_reason(reason)?;
    grant.check()?;
    Ok(Draft {
        kind: EntryKind::Adjustment { grant: grant.id, terms: Some(grant.terms()), reason: reason.to_owned() },
        happened_at: now,
        cause: cause.to_owned(),
        postings: vec![
            Posting { account: Account::Grant(grant.id), amount: grant.amount },
            Posting { account: Account::Adjustment, amount: grant.amount.negated()? },
        ],
    })
}

#[cfg(test)]
mod tests;
