//! Drawdown: spending grants in their one fixed order.
//!
//! The order is total and the same everywhere (DESIGN §3): only grants whose scope matches and that are open → priority
//! ascending → soonest expiry first, never-expiring last → promotional before paid → earliest effective → id.
//!
//! Cost: a purse is sorted once; a charge looks at grants from the first that is not empty. Bounded by the number of an
//! org's grants that are open.

use crate::credits::Credits;
use crate::entry::{Account, Posting};
use crate::grant::Grant;
use crate::label::{Label, Meter};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use std::cmp::Ordering;

/// Which of two grants is spent first.
#[must_use]
pub fn order(a: &Grant, b: &Grant) -> Ordering {
    let never_last = |grant: &Grant| (grant.expires_at.is_none(), grant.expires_at);
    a.priority
        .cmp(&b.priority)
        .then_with(|| never_last(a).cmp(&never_last(b)))
        .then_with(|| b.kind.is_promotional().cmp(&a.kind.is_promotional()))
        .then_with(|| a.effective_at.cmp(&b.effective_at))
        .then_with(|| a.id.cmp(&b.id))
}

/// A grant and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The grant.
    pub grant: Grant,
    /// What is left, from zero on.
    pub left: Credits,
}

/// An org's open grants in drawdown order, and what has been drawn since they were read.
#[derive(Debug, Clone)]
pub struct Purse {
    slots: Vec<Slot>,
    /// Per slot, in micro-credits.
    drawn: Vec<i64>,
    debt: i64,
    first_left: usize,
}

impl Purse {
    /// Of `slots`, those that can be spent at `now`.
    #[must_use]
    pub fn new(slots: impl IntoIterator<Item = Slot>, now: Timestamp) -> Self {
        let mut slots: Vec<Slot> = slots.into_iter().filter(|s| s.left.is_positive() && s.grant.is_open(now)).collect();
        slots.sort_by(|a, b| order(&a.grant, &b.grant));
        let drawn = vec![0; slots.len()];
        Self { slots, drawn, debt: 0, first_left: 0 }
    }

    /// Draws `amount` for a charge of `meter` in `project`; what no grant covers goes to debt. Tells `paid` of each
    /// account that paid, in order.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where the debt would not fit; then nothing was drawn.
    pub fn draw(
        &mut self,
        meter: &Meter,
        project: Option<&Label>,
        amount: Credits,
        mut paid: impl FnMut(Account, Credits),
    ) -> Result<(), Refusal> {
        self.debt.checked_add(amount.micros()).ok_or(Refusal::AmountOverflow)?;
        let mut due = amount.micros();
        while self.first_left < self.slots.len() && self.slots[self.first_left].left.is_zero() {
            self.first_left += 1;
        }
        for index in self.first_left..self.slots.len() {
            if due == 0 {
                return Ok(());
            }
            let slot = &mut self.slots[index];
            let part = due.min(slot.left.micros());
            if part == 0 || !slot.grant.scope.covers(meter, project) {
                continue;
            }
            // part ≤ left and part ≤ due: neither can go below zero.
            slot.left = Credits::from_micros(slot.left.micros() - part);
            self.drawn[index] += part;
            due -= part;
            paid(Account::Grant(slot.grant.id), Credits::from_micros(part));
        }
        if due > 0 {
            self.debt += due;
            paid(Account::Debt, Credits::from_micros(due));
        }
        Ok(())
    }

    /// The postings of all that was drawn so far, each from its account, in drawdown order, debt last.
    #[must_use]
    pub fn postings(&self) -> Vec<Posting> {
        let of_grants = self.slots.iter().zip(&self.drawn).filter(|(_, drawn)| **drawn > 0).map(|(slot, drawn)| {
            Posting { account: Account::Grant(slot.grant.id), amount: Credits::from_micros(-drawn) }
        });
        let of_debt =
            (self.debt > 0).then(|| Posting { account: Account::Debt, amount: Credits::from_micros(-self.debt) });
        of_grants.chain(of_debt).collect()
    }

    /// What can still be drawn by anything, whatever its scope.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn left(&self) -> Result<Credits, Refusal> {
        Credits::sum(self.slots.iter().map(|slot| slot.left))
    }

    /// What was drawn beyond all grants.
    #[must_use]
    pub const fn debt(&self) -> Credits {
        Credits::from_micros(self.debt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::{GrantKind, Scope};
    use crate::id::GrantId;
    use proptest::prelude::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_micros(1_000_000_000_000_000 + day * 86_400_000_000)
    }

    fn slot(id: i64, left: i64, change: impl FnOnce(&mut Grant)) -> Slot {
        let mut grant = Grant {
            id: GrantId(id),
            kind: GrantKind::Purchase,
            amount: Credits::from_micros(left.max(1)),
            priority: 0,
            scope: Scope::default(),
            effective_at: at(0),
            expires_at: None,
            description: String::new(),
            cost: None,
            rollover: None,
            parent: None,
        };
        change(&mut grant);
        Slot { grant, left: Credits::from_micros(left) }
    }

    fn meter(name: &str) -> Meter {
        Meter::parse(name).expect("valid")
    }

    fn draws(purse: &mut Purse, name: &str, amount: i64) -> Vec<(String, i64)> {
        let mut seen = Vec::new();
        purse
            .draw(&meter(name), None, Credits::from_micros(amount), |account, part| {
                seen.push((account.to_string(), part.micros()));
            })
            .expect("fits");
        seen
    }

    #[test]
    fn the_order_is_the_one_that_is_promised() {
        let slots = vec![
            slot(1, 1, |_| ()),
            slot(2, 1, |g| g.kind = GrantKind::Promotion),
            slot(3, 1, |g| g.expires_at = Some(at(20))),
            slot(4, 1, |g| g.expires_at = Some(at(10))),
            slot(5, 1, |g| g.priority = -1),
            slot(6, 1, |g| g.effective_at = at(-1)),
            slot(7, 1, |_| ()),
        ];
        let purse = Purse::new(slots, at(1));
        let ids: Vec<i64> = purse.slots.iter().map(|s| s.grant.id.0).collect();
        assert_eq!(ids, [5, 4, 3, 2, 6, 1, 7]);
    }

    #[test]
    fn closed_and_foreign_grants_are_left_alone_and_the_rest_is_debt() {
        let slots = vec![
            slot(1, 100, |g| g.expires_at = Some(at(5))),
            slot(2, 100, |g| g.effective_at = at(6)),
            slot(3, 100, |g| g.scope.meters = vec![meter("export")]),
            slot(4, 100, |_| ()),
        ];
        let mut purse = Purse::new(slots, at(5));
        assert_eq!(draws(&mut purse, "training", 150), [("grant_4".to_owned(), 100), ("debt".to_owned(), 50)]);
        assert_eq!(draws(&mut purse, "export", 30), [("grant_3".to_owned(), 30)]);
        assert_eq!(purse.debt(), Credits::from_micros(50));
        assert_eq!(purse.left(), Ok(Credits::from_micros(70)));
    }

    #[test]
    fn a_grant_for_a_project_pays_only_there() {
        let web = Label::parse("project", "web").expect("valid");
        let mut purse = Purse::new([slot(1, 100, |g| g.scope.projects = vec![web.clone()])], at(1));
        assert_eq!(draws(&mut purse, "m", 10), [("debt".to_owned(), 10)]);
        let mut seen = Vec::new();
        purse.draw(&meter("m"), Some(&web), Credits::from_micros(10), |a, _| seen.push(a)).expect("fits");
        assert_eq!(seen, [Account::Grant(GrantId(1))]);
    }

    proptest! {
        #[test]
        fn what_is_drawn_is_what_was_asked_and_no_grant_goes_below_zero(
            lefts in prop::collection::vec(0_i64..1_000, 0..8),
            amounts in prop::collection::vec(0_i64..500, 0..20),
        ) {
            let slots: Vec<Slot> = lefts.iter().zip(1..).map(|(left, id)| slot(id, *left, |_| ())).collect();
            let mut purse = Purse::new(slots, at(1));
            for amount in &amounts {
                let parts: i64 = draws(&mut purse, "m", *amount).iter().map(|(_, part)| part).sum();
                prop_assert_eq!(parts, *amount);
            }
            let posted: i64 = purse.postings().iter().map(|p| p.amount.micros()).sum();
            prop_assert_eq!(posted, -amounts.iter().sum::<i64>());
            prop_assert!(purse.slots.iter().all(|s| !s.left.is_negative()));
        }
    }
}
