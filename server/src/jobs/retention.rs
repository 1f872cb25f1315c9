//! Prunes details of events that are older than their org keeps them: some entries a step, then their rows some hundred a step,
//! so that nobody waits for it. Nothing answers by it but the pages that say what is gone.

use super::{Done, Job};
use std::time::Duration;
use store::{Store, StoreError};

/// How often it looks: days are not kept to the minute.
const EVERY: Duration = Duration::from_secs(600);
/// Before it looks for the first time: what starts is busy enough.
const FIRST: Duration = Duration::from_secs(60);
/// Between two steps: the writer's time belongs to others.
const BREATH: Duration = Duration::from_millis(20);

/// See the module.
#[derive(Default)]
pub struct Retention {
    has_waited: bool,
}

impl Job for Retention {
    const NAME: &'static str = "retention";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        if !std::mem::replace(&mut self.has_waited, true) {
            return Ok(Done { count: 0, pause: FIRST });
        }
        Ok(Done { count: prune_all(store).await?, pause: EVERY })
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
