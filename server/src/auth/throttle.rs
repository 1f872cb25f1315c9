//! Slows down guessing of passwords: per email and address, in memory, bounded.
//!
//! Lost with a restart, which an attacker cannot cause; a table would let him fill the disk instead.

use ledger::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Wrong passwords in a row that a person needs at most.
const MAX_FAILURES: u32 = 5;
/// How long a run of failures counts, and so how long one waits after it.
const WINDOW_MICROS: i64 = 15 * 60 * 1_000_000;
/// Pairs remembered: some 10 MB at most. When full, what has run out goes; if nothing has, everybody waits.
const MAX_PAIRS: usize = 50_000;

/// Failures per email and address.
#[derive(Default)]
pub struct Throttle {
    failures: Mutex<HashMap<(String, IpAddr), Run>>,
}

struct Run {
    since: Timestamp,
    count: u32,
}

impl Run {
    fn is_over(&self, now: Timestamp) -> bool {
        now.micros().saturating_sub(self.since.micros()) >= WINDOW_MICROS
    }
}

impl Throttle {
    /// Counts an attempt before it is made; `false` where it must not be made now.
    ///
    /// Counting first means that attempts made at once cannot slip through together.
    #[must_use]
    pub fn admit(&self, email: &str, address: IpAddr, now: Timestamp) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_PAIRS {
            failures.retain(|_, run| !run.is_over(now));
            if failures.len() >= MAX_PAIRS {
                return false;
            }
        }
        let run = failures.entry(pair(email, address)).or_insert(Run { since: now, count: 0 });
        if run.is_over(now) {
            *run = Run { since: now, count: 0 };
        }
        run.count = run.count.saturating_add(1);
        run.count <= MAX_FAILURES
    }

    /// Forgets the failures before a success.
    pub fn succeeded(&self, email: &str, address: IpAddr) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&pair(email, address));
    }
}

fn pair(email: &str, address: IpAddr) -> (String, IpAddr) {
    // Emails are told apart as the store does; a longer one exists nowhere and need not be kept whole.
    (email.trim().to_lowercase().chars().take(256).collect(), address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_attempts_then_a_quarter_of_an_hour() {
        let (throttle, here) = (Throttle::default(), IpAddr::from([127, 0, 0, 1]));
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        for attempt in 0..5 {
            assert!(throttle.admit("a@b.c", here, at(attempt)));
        }
        assert!(!throttle.admit(" A@B.C", here, at(5)), "the same person in other letters");
        assert!(throttle.admit("other@b.c", here, at(5)));
        assert!(throttle.admit("a@b.c", IpAddr::from([127, 0, 0, 2]), at(5)));
        assert!(throttle.admit("a@b.c", here, at(15 * 60)));
        throttle.succeeded("a@b.c", here);
        assert!(throttle.admit("a@b.c", here, at(15 * 60 + 1)));
    }
}
