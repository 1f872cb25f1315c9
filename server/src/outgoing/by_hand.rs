//! How many calls whoever asks waits for at once: tests, deliveries sent again, names that are looked up.
//!
//! Each of them keeps a request waiting for as long as a receiver likes, up to its end ([`super::ANSWER_WITHIN`]). Without a bound an org
//! with a receiver that never answers could take all places for requests, and with them the server from everybody.

use crate::problem::Problem;
use axum::http::StatusCode;
use ledger::OrgId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Of one org: people try one thing after another.
pub const MAX_PER_ORG: usize = 4;
/// Of all orgs: an eighth of the places for requests, as they are by default.
pub const MAX: usize = 64;
/// Seconds after which to come back: most receivers have answered by then, and each has after fifteen.
const COME_BACK_S: u32 = 5;

/// Calls that are waited for now.
#[derive(Debug, Default)]
pub struct Hands {
    orgs: Mutex<HashMap<OrgId, usize>>,
}

/// There are as many already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("as many calls to endpoints are under way as are waited for at once: come back in {COME_BACK_S} s")]
pub struct HandsFull;

impl Hands {
    /// A place for one more, while there is one.
    ///
    /// # Errors
    /// [`HandsFull`]
    pub fn take(self: &Arc<Self>, org: OrgId) -> Result<Hand, HandsFull> {
        let mut orgs = self.orgs.lock().unwrap_or_else(PoisonError::into_inner);
        let of_org = orgs.get(&org).copied().unwrap_or_default();
        if of_org >= MAX_PER_ORG || orgs.values().sum::<usize>() >= MAX {
            return Err(HandsFull);
        }
        orgs.insert(org, of_org + 1);
        Ok(Hand { hands: Arc::clone(self), org })
    }
}

/// Taken as long as a call is waited for.
#[derive(Debug)]
pub struct Hand {
    hands: Arc<Hands>,
    org: OrgId,
}

impl Drop for Hand {
    fn drop(&mut self) {
        let mut orgs = self.hands.orgs.lock().unwrap_or_else(PoisonError::into_inner);
        match orgs.get_mut(&self.org) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(orgs.remove(&self.org)),
        }
    }
}

impl From<HandsFull> for Problem {
    fn from(full: HandsFull) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", full.to_string()).retry_after(COME_BACK_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_org_cannot_take_the_hands_of_all_others() {
        let hands = Arc::new(Hands::default());
        let taken: Vec<_> = (0..=MAX_PER_ORG).filter_map(|_| hands.take(OrgId(1)).ok()).collect();
        assert_eq!(taken.len(), MAX_PER_ORG);
        let orgs = i64::try_from(MAX / MAX_PER_ORG).expect("few");
        let rest: Vec<_> = (2..=orgs + 1)
            .flat_map(|org| (0..MAX_PER_ORG).map(move |_| OrgId(org)))
            .filter_map(|org| hands.take(org).ok())
            .collect();
        assert_eq!((taken.len() + rest.len(), hands.take(OrgId(99)).err()), (MAX, Some(HandsFull)));
        drop((taken, rest));
        assert!(hands.orgs.lock().expect("alive").is_empty() && hands.take(OrgId(1)).is_ok());
    }
}
