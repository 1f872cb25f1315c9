//! Takes up events into wide usage ([`store::wide`]), beside the writer. How often decides how fast charts by workflow, user, tenant
//! and attributes answer, never what they say.

use super::{Done, Job};
use std::time::Duration;
use store::{Store, StoreError};

/// How often it looks: what came meanwhile is read from the events, a thousand in some milliseconds.
const EVERY: Duration = Duration::from_secs(3);
/// Between two steps: the machine belongs to others.
const BREATH: Duration = Duration::from_millis(5);

/// See the module.
pub struct WideUsage;

impl Job for WideUsage {
    const NAME: &'static str = "wide usage";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        widen_all(store).await?;
        // What is done all the time is no news.
        Ok(Done { count: 0, pause: EVERY })
    }
}

async fn widen_all(store: &Store) -> Result<(), StoreError> {
    while store.widen().await? > 0 {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}
