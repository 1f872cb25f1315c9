//! Deletes organizations whose time is over: a few rows at a time, so that nobody else waits.

use std::time::Duration;
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// What it is called on the operator's page.
pub const NAME: &str = "deletions";
/// How often it looks: a month's grace does not end to the second.
const EVERY: Duration = Duration::from_secs(60);
/// Between two steps: the writer's time belongs to others.
const BREATH: Duration = Duration::from_millis(20);

/// Runs until `end`.
pub async fn run(store: Store, end: CancellationToken) {
    let work = async {
        loop {
            let begun = store.now();
            let deleted = delete_all(&store).await;
            super::note(&store, NAME, begun, deleted).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = end.cancelled() => {}
        () = work => {}
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
