//! Looks at what no transaction changes: forecasts, hours without usage, expiries ahead, silences and periods that end. What a
//! transaction changes is looked at in it, so nothing here is ever late by more than [`EVERY`].

use std::time::Duration;
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// What it is called on the operator's page.
pub const NAME: &str = "alerts";
/// How often it looks: forecasts are told within a minute.
const EVERY: Duration = Duration::from_secs(30);

/// Runs until `end`.
pub async fn run(store: Store, end: CancellationToken) {
    let work = async {
        loop {
            let begun = store.now();
            super::note(&store, NAME, begun, look(&store).await).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = end.cancelled() => {}
        () = work => {}
    }
}

/// Looks at every org that has something to look at; tells how many rules fired. One org that fails keeps no other from it.
async fn look(store: &Store) -> Result<u64, StoreError> {
    let (mut fired, mut failed) = (0, None);
    for org in store.orgs_to_look_at().await? {
        match store.look_at_alerts(org).await {
            Ok(some) => fired += some,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(fired), Err)
}
