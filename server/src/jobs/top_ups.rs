//! Auto top-up: looks at an org when its ledger has moved, and at all that have it on once a minute. Whether something is bought
//! is decided and written in one transaction; the job of payments charges it.

use super::{Done, Job};
use ledger::OrgId;
use std::collections::HashMap;
use std::time::Duration;
use store::{HeadWatch, Store, StoreError};

/// How often it looks whose ledger has moved: how long credits may be below the threshold at least.
const EVERY: Duration = Duration::from_secs(1);
/// After so many looks everybody is looked at: a card may have been stored, a cool-down may be over.
const ALL_AFTER: u32 = 60;

/// See the module.
#[derive(Default)]
pub struct TopUps {
    watched: HashMap<OrgId, HeadWatch>,
    looks: u32,
}

impl Job for TopUps {
    const NAME: &'static str = "top-ups";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        let all = self.looks.is_multiple_of(ALL_AFTER);
        self.looks = self.looks.wrapping_add(1);
        Ok(Done { count: look(store, &mut self.watched, all).await?, pause: EVERY })
    }
}

/// Looks at those whose ledger has moved, or at all; tells how many purchases that opened.
async fn look(store: &Store, watched: &mut HashMap<OrgId, HeadWatch>, all: bool) -> Result<u64, StoreError> {
    let orgs = store.orgs_with_top_up().await?;
    watched.retain(|org, _| orgs.contains(org));
    let mut bought = 0;
    for org in orgs {
        let is_new = !watched.contains_key(&org);
        let moved = watched.entry(org).or_insert_with(|| store.watch_head(org)).has_moved();
        if is_new || moved || all {
            bought += u64::from(store.run_top_up(org).await?.is_some());
        }
    }
    Ok(bought)
}
