//! The outbox's upkeep: grants that expire soon are told of, and old messages go.

use super::{Done, Job};
use std::time::Duration;
use store::{Store, StoreError};

/// How often it looks: a week's notice is not given to the second.
const EVERY: Duration = Duration::from_secs(60);
/// Between two steps: the writer's time belongs to others.
const BREATH: Duration = Duration::from_millis(20);

/// See the module.
pub struct Outbox;

impl Job for Outbox {
    const NAME: &'static str = "outbox";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        Ok(Done { count: once(store).await?, pause: EVERY })
    }
}

/// Does all that is due; tells how many things that were.
async fn once(store: &Store) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        let done = store.announce_expiring().await? + store.prune_outbox().await?;
        if done == 0 {
            return Ok(all);
        }
        all += done as u64;
        tokio::time::sleep(BREATH).await;
    }
}
