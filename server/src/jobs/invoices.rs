//! Drafts, issues and follows up invoices ([`store::invoice`]). It may run days late: months are done in their order.

use super::{Done, Job};
use std::time::Duration;
use store::{Store, StoreError};

/// How often it looks: nobody waits for an invoice to the second.
const EVERY: Duration = Duration::from_secs(60);
/// Rounds in one go: what a round does may be followed by more, but not for ever.
const MAX_ROUNDS: usize = 50;

/// See the module.
pub struct Invoices;

impl Job for Invoices {
    const NAME: &'static str = "invoices";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        Ok(Done { count: bill_all(store).await?, pause: EVERY })
    }
}

/// Does all that is due; tells how many things that were.
async fn bill_all(store: &Store) -> Result<u64, StoreError> {
    let mut all = 0;
    for _ in 0..MAX_ROUNDS {
        match store.bill_due().await? {
            0 => break,
            done => all += done as u64,
        }
    }
    Ok(all)
}
