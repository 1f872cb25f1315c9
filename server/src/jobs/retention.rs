//! Prunes details of events that are older than their org keeps them: some entries a step, then their rows some hundred a step,
//! so that nobody waits for it. Nothing answers by it but the pages that say what is gone.

use std::time::Duration;
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// What it is called on the operator's page.
pub const NAME: &str = "retention";
/// How often it looks: days are not kept to the minute.
const EVERY: Duration = Duration::from_secs(600);
/// Before it looks for the first time: what starts is busy enough.
const FIRST: Duration = Duration::from_secs(60);
/// Between two steps: the writer's time belongs to others.
const BREATH: Duration = Duration::from_millis(20);

/// Runs until `end`.
pub async fn run(store: Store, end: CancellationToken) {
    let work = async {
        tokio::time::sleep(FIRST).await;
        loop {
            let begun = store.now();
            let pruned = prune_all(&store).await;
            super::note(&store, NAME, begun, pruned).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = end.cancelled() => {}
        () = work => {}
    }
}

/// Prunes all that is to be pruned; tells of how many events something was done.
async fn prune_all(store: &Store) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        match store.prune_some().await? {
            0 => return Ok(all),
            pruned => all += pruned,
        }
        tokio::time::sleep(BREATH).await;
    }
}
