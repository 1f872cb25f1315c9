//! Looks at what no transaction changes: forecasts, hours without usage, expiries ahead, silences and periods that end. What a
//! transaction changes is looked at in it, so nothing here is ever late by more than [`EVERY`].

use super::{Done, Job};
use std::time::Duration;
use store::{Store, StoreError};

/// How often it looks: forecasts are told within a minute.
const EVERY: Duration = Duration::from_secs(30);

/// See the module.
pub struct Alerts;

impl Job for Alerts {
    const NAME: &'static str = "alerts";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        Ok(Done { count: look(store).await?, pause: EVERY })
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
