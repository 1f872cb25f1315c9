//! Deletes organizations whose time is over: a few rows at a time, so that nobody else waits.

use super::{Done, Job};
use std::time::Duration;
use store::{Store, StoreError};

/// How often it looks: a month's grace does not end to the second.
const EVERY: Duration = Duration::from_secs(60);
/// Between two steps: the writer's time belongs to others.
const BREATH: Duration = Duration::from_millis(20);

/// See the module.
pub struct Deletions;

impl Job for Deletions {
    const NAME: &'static str = "deletions";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        Ok(Done { count: delete_all(store).await?, pause: EVERY })
    }
}

/// Deletes all that is to be deleted; tells how many rows.
async fn delete_all(store: &Store) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        match store.delete_some().await? {
            0 => return Ok(all),
            deleted => all += deleted,
        }
        tokio::time::sleep(BREATH).await;
    }
}
