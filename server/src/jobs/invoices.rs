//! Drafts, issues and follows up invoices ([`store::invoice`]). It may run days late: months are done in their order.

use std::time::Duration;
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// What it is called on the operator's page.
pub const NAME: &str = "invoices";
/// How often it looks: nobody waits for an invoice to the second.
const EVERY: Duration = Duration::from_secs(60);
/// Rounds in one go: what a round does may be followed by more, but not for ever.
const MAX_ROUNDS: usize = 50;

/// Runs until `end`.
pub async fn run(store: Store, end: CancellationToken) {
    let work = async {
        loop {
            let begun = store.now();
            let done = bill_all(&store).await;
            super::note(&store, NAME, begun, done).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    // What the writer took it finishes, whoever waits for it.
    tokio::select! {
        () = end.cancelled() => {}
        () = work => {}
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
