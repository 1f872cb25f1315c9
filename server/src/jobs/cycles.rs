//! Begins the cycles of subscriptions: their credits are given and their fees put down at the first instant, or as of it where
//! this runs late. Whoever writes first begins them as well, so nothing waits for this but tables and notices.

use std::time::Duration;
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// What it is called on the operator's page.
pub const NAME: &str = "cycles";
/// Longest sleep: how late the first cycle after a new subscription, or one that waited for a payment, may begin.
const LONGEST: Duration = Duration::from_secs(60);
/// Shortest sleep: what cannot be begun must not keep the server busy.
const SHORTEST: Duration = Duration::from_secs(1);

/// Runs until `end`.
pub async fn run(store: Store, end: CancellationToken) {
    let work = async {
        loop {
            let begun = store.now();
            let (done, pause) = match begin_all(&store).await {
                Ok((done, pause)) => (Ok(done), pause),
                Err(error) => (Err(error), LONGEST),
            };
            super::note(&store, NAME, begun, done).await;
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = end.cancelled() => {}
        () = work => {}
    }
}

/// Begins everything that is due; tells how many steps that were, and how long nothing is.
async fn begin_all(store: &Store) -> Result<(u64, Duration), StoreError> {
    let mut all = 0;
    loop {
        match store.begin_cycles().await? {
            0 => break,
            steps => all += steps as u64,
        }
    }
    let now = store.now();
    let until = store.next_cycle_end().await?.map_or(i64::MAX, |at| at.micros().saturating_sub(now.micros()));
    Ok((all, Duration::from_micros(until.try_into().unwrap_or_default()).clamp(SHORTEST, LONGEST)))
}
