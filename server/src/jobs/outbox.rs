//! The outbox's upkeep: grants that expire soon are told of, and old messages go.

use std::time::Duration;
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// What it is called on the operator's page.
pub const NAME: &str = "outbox";
/// How often it looks: a week's notice is not given to the second.
const EVERY: Duration = Duration::from_secs(60);
/// Between two steps: the writer's time belongs to others.
const BREATH: Duration = Duration::from_millis(20);

/// Runs until `end`.
pub async fn run(store: Store, end: CancellationToken) {
    let work = async {
        loop {
            let begun = store.now();
            let done = once(&store).await;
            super::note(&store, NAME, begun, done).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = end.cancelled() => {}
        () = work => {}
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
