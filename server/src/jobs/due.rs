//! Books what the passing of time causes (expiry, rollover, holds that end, repayments), so that entries and notices
//! follow even where nobody writes.
//!
//! It sleeps until the next thing is due, at most [`LONGEST`]: what comes to be due meanwhile is booked that much later,
//! as of its own instant. A failure is logged and tried again; it never ends the server.

use std::time::Duration;
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// What it is called on the operator's page.
pub const NAME: &str = "due";
/// Longest sleep: how late the entry of a hold is that was made and ran out in between.
const LONGEST: Duration = Duration::from_secs(60);
/// Shortest sleep: what cannot be booked must not keep the server busy.
const SHORTEST: Duration = Duration::from_secs(1);

/// Runs until `end`.
pub async fn run(store: Store, end: CancellationToken) {
    let work = async {
        loop {
            let begun = store.now();
            let (booked, pause) = match book_all(&store).await {
                Ok((booked, pause)) => (Ok(booked), pause),
                Err(error) => (Err(error), LONGEST),
            };
            super::note(&store, NAME, begun, booked).await;
            tokio::time::sleep(pause).await;
        }
    };
    // What the writer took it finishes, whoever waits for it.
    tokio::select! {
        () = end.cancelled() => {}
        () = work => {}
    }
}

/// Books everything that is due; tells how many entries that made, and how long nothing is.
async fn book_all(store: &Store) -> Result<(u64, Duration), StoreError> {
    let mut all = 0;
    loop {
        let booked = store.book_due().await?;
        if booked == 0 {
            break;
        }
        all += booked as u64;
    }
    let now = store.now();
    let until = store.next_due().await?.map_or(i64::MAX, |at| at.micros().saturating_sub(now.micros()));
    Ok((all, Duration::from_micros(until.try_into().unwrap_or_default()).clamp(SHORTEST, LONGEST)))
}
