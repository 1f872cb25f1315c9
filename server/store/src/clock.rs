//! The one home of the clock: everything else is told what time it is.

use ledger::Timestamp;
use std::sync::Mutex;
use std::time::Duration;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;

    /// Whether it goes through a past that is being made: what happens there is news to nobody.
    fn is_past(&self) -> bool {
        false
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 is broken; 1970 itself is refused by every rule that looks at times.
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved: for tests, and for samples, whose past is gone through day by day.
#[derive(Debug)]
pub struct FixedClock {
    now: Mutex<Timestamp>,
    past: bool,
}

impl FixedClock {
    /// Stands at `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self { now: Mutex::new(now), past: false }
    }

    /// Stands at `now`, and what happens by it is news to nobody.
    #[must_use]
    pub const fn of_a_past(now: Timestamp) -> Self {
        Self { now: Mutex::new(now), past: true }
    }

    /// Moves to `now`, forward or back.
    pub fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn is_past(&self) -> bool {
        self.past
    }
}

/// Measures how long something took; for metrics and progress, never for rules.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// How long since the start.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
