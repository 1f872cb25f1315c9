//! Books what the passing of time causes (expiry, rollover, holds that end, repayments), so that entries and notices
//! follow even where nobody writes.
//!
//! It sleeps until the next thing is due, at most [`LONGEST`]: what comes to be due meanwhile is booked that much later,
//! as of its own instant. A failure is logged and tried again; it never ends the server.

use super::{Done, Job};
use std::time::Duration;
use store::{Store, StoreError};

/// Longest sleep: how late the entry of a hold is that was made and ran out in between.
const LONGEST: Duration = Duration::from_secs(60);
/// Shortest sleep: what cannot be booked must not keep the server busy.
const SHORTEST: Duration = Duration::from_secs(1);

/// See the module.
pub struct Due;

impl Job for Due {
    const NAME: &'static str = "due";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        book_all(store).await
    }
}

/// Books everything that is due; tells how many entries that made, and how long nothing is.
async fn book_all(store: &Store) -> Result<Done, StoreError> {
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
    let pause = Duration::from_micros(until.try_into().unwrap_or_default()).clamp(SHORTEST, LONGEST);
    Ok(Done { count: all, pause })
}
