//! Begins the cycles of subscriptions: their credits are given and their fees put down at the first instant, or as of it where
//! this runs late. Whoever writes first begins them as well, so nothing waits for this but tables and notices.

use super::{Done, Job};
use std::time::Duration;
use store::{Store, StoreError};

/// Longest sleep: how late the first cycle after a new subscription, or one that waited for a payment, may begin.
const LONGEST: Duration = Duration::from_secs(60);
/// Shortest sleep: what cannot be begun must not keep the server busy.
const SHORTEST: Duration = Duration::from_secs(1);

/// See the module.
pub struct Cycles;

impl Job for Cycles {
    const NAME: &'static str = "cycles";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        begin_all(store).await
    }
}

/// Begins everything that is due; tells how many steps that were, and how long nothing is.
async fn begin_all(store: &Store) -> Result<Done, StoreError> {
    let mut all = 0;
    loop {
        match store.begin_cycles().await? {
            0 => break,
            steps => all += steps as u64,
        }
    }
    let now = store.now();
    let until = store.next_cycle_end().await?.map_or(i64::MAX, |at| at.micros().saturating_sub(now.micros()));
    let pause = Duration::from_micros(until.try_into().unwrap_or_default()).clamp(SHORTEST, LONGEST);
    Ok(Done { count: all, pause })
}
