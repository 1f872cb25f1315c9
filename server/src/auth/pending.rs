//! What waits in memory for a browser to come back with an answer: bounded, each for a few minutes, each for once.
//!
//! Lost with a restart, after which one begins again. A table would let whoever asks without being signed in fill the disk.

use ledger::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Answers waited for at once: some 10 MB at most. When full, the one that waits longest is given up.
const MAX_WAITING: usize = 10_000;

/// Answers waited for, by the hash of what only the browser has.
pub struct Pending<T> {
    waiting: Mutex<HashMap<[u8; 32], (Timestamp, T)>>,
    life_us: i64,
}

impl<T> Pending<T> {
    /// Nothing yet; each waits for that long.
    #[must_use]
    pub fn new(life_us: i64) -> Self {
        Self { waiting: Mutex::default(), life_us }
    }

    /// Waits for an answer, instead of what this browser was asked before.
    pub fn put(&self, key: [u8; 32], value: T, now: Timestamp) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MAX_WAITING {
            waiting.retain(|_, (since, _)| !self.is_over(*since, now));
        }
        if waiting.len() >= MAX_WAITING
            && let Some(oldest) = waiting.iter().min_by_key(|(_, (since, _))| *since).map(|(key, _)| *key)
        {
            waiting.remove(&oldest);
        }
        waiting.insert(key, (now, value));
    }

    /// What was asked, which is over by that; `None` where nothing was, or too long ago.
    #[must_use]
    pub fn take(&self, key: &[u8; 32], now: Timestamp) -> Option<T> {
        let taken = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        taken.filter(|(since, _)| !self.is_over(*since, now)).map(|(_, value)| value)
    }

    fn is_over(&self, since: Timestamp, now: Timestamp) -> bool {
        now.micros().saturating_sub(since.micros()) >= self.life_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_for_once_for_its_time_and_there_are_never_too_many() {
        let pending = Pending::new(100);
        let at = Timestamp::from_micros;
        let key = |number: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_be_bytes());
            key
        };
        pending.put(key(0), 'a', at(0));
        assert_eq!((pending.take(&key(0), at(99)), pending.take(&key(0), at(99))), (Some('a'), None));
        pending.put(key(0), 'b', at(0));
        assert_eq!(pending.take(&key(0), at(100)), None);
        for number in 0..=MAX_WAITING {
            pending.put(key(number), 'c', at(if number == 7 { 0 } else { 1 }));
        }
        assert_eq!(pending.waiting.lock().expect("no panic").len(), MAX_WAITING);
        assert_eq!((pending.take(&key(7), at(2)), pending.take(&key(8), at(2))), (None, Some('c')));
    }
}
