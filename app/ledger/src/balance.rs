//! What an org has: a fold over postings.

use crate::credits::Credits;
use crate::entry::{Account, Posting};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether new operations are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrgState {
    /// There is something to spend, or the policy lets new work go into debt.
    Active,
    /// Nothing is left: usage that happened is still recorded, new work waits for a purchase or the next cycle.
    Paused,
}

/// An org's balance at one instant. `settled = available + held − debt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// What can be spent now.
    pub available: Credits,
    /// What holds reserve.
    pub held: Credits,
    /// Available and held less debt.
    pub settled: Credits,
    /// Used beyond what was there; from zero on.
    pub debt: Credits,
    /// Whether new operations are allowed.
    pub state: OrgState,
}

impl Balance {
    /// From its three parts, and how much further new work may go into debt.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn new(available: Credits, held: Credits, debt: Credits, room: Credits) -> Result<Self, Refusal> {
        let settled = available.plus(held)?.minus(debt)?;
        let may_begin = available.is_positive() || room.is_positive();
        let state = if may_begin { OrgState::Active } else { OrgState::Paused };
        Ok(Self { available, held, settled, debt, state })
    }
}

/// The balance of every account, by adding up postings.
///
/// # Errors
/// [`Refusal::AmountOverflow`].
pub fn fold<'a>(postings: impl IntoIterator<Item = &'a Posting>) -> Result<BTreeMap<Account, Credits>, Refusal> {
    let mut balances: BTreeMap<Account, Credits> = BTreeMap::new();
    for posting in postings {
        let balance = balances.entry(posting.account).or_default();
        *balance = balance.plus(posting.amount)?;
    }
    Ok(balances)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settled_is_available_and_held_less_debt() {
        let c = Credits::from_micros;
        let balance = Balance::new(c(70), c(20), c(0), c(0)).expect("fits");
        assert_eq!((balance.settled, balance.state), (c(90), OrgState::Active));
        let balance = Balance::new(c(0), c(0), c(5), c(0)).expect("fits");
        assert_eq!((balance.settled, balance.state), (c(-5), OrgState::Paused));
        let overdrawn = Balance::new(c(0), c(0), c(5), c(1)).expect("fits");
        assert_eq!(overdrawn.state, OrgState::Active);
    }
}
