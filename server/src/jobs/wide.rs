//! Takes up events into wide usage ([`store::wide`]), beside the writer. How often decides how fast charts by workflow, user, tenant
//! and attributes answer, never what they say.

use std::time::Duration;
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// What it is called on the operator's page.
pub const NAME: &str = "wide usage";
/// How often it looks: what came meanwhile is read from the events, a thousand in some milliseconds.
const EVERY: Duration = Duration::from_secs(3);
/// Between two steps: the machine belongs to others.
const BREATH: Duration = Duration::from_millis(5);
/// Failures are told at most this often, and then it is waited.
const PAUSE: Duration = Duration::from_secs(60);

/// Runs until `end`.
pub async fn run(store: Store, end: CancellationToken) {
    let work = async {
        loop {
            let begun = store.now();
            let pause = match widen_all(&store).await {
                // What is done all the time is no news.
                Ok(()) => EVERY,
                Err(error) => {
                    super::note(&store, NAME, begun, Err(error)).await;
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = end.cancelled() => {}
        () = work => {}
    }
}

async fn widen_all(store: &Store) -> Result<(), StoreError> {
    while store.widen().await? > 0 {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}
