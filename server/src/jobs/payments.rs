//! Payments of which nothing certain is known: asks providers for those that nobody asked for yet, asks again for those whose
//! message does not come, gives up those that nobody makes; tells people of those that take long; asks for refunds; and sends what
//! the sandbox has to say.
//!
//! A provider that does not answer is asked less and less often, at most every [`LONGEST_S`]. Nothing here is needed for a
//! payment whose messages come: they are heard when they do.

use super::{Done, Job};
use crate::payment::{Payments, ProviderError};
use ledger::Timestamp;
use ledger::payment::{Provider, State};
use std::time::Duration;
use store::payment::PaymentRow;
use store::{Store, StoreError};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(2);
/// How long whoever opened a payment on a page has to ask for it themselves, and a message to come by itself.
const FIRST_S: i64 = 30;
/// Longest time between two questions about one payment.
const LONGEST_S: i64 = 3_600;
/// After which time a payment that somebody makes on a page is given up: as long as Stripe keeps such a page.
const PAGE_S: i64 = 24 * 3_600;
/// The same for a transfer: banks take some days, and people some more.
const TRANSFER_S: i64 = 14 * 24 * 3_600;

/// See the module.
pub struct PaymentsDue(pub Payments);

impl Job for PaymentsDue {
    const NAME: &'static str = "payments";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        Ok(Done { count: once(store, &self.0).await?, pause: EVERY })
    }
}

/// Does what is due now; tells how much that was.
///
/// # Errors
/// Where the database fails. A provider that fails is asked again later.
pub async fn once(store: &Store, payments: &Payments) -> Result<u64, StoreError> {
    let mut done = payments.deliver_sandbox().await?;
    let now = store.now();
    let given_up = Timestamp::from_micros(now.micros() - TRANSFER_S * 1_000_000);
    for row in store.payments_waiting(given_up).await? {
        let (org, id) = (row.org, row.id);
        if row.is_late(now) {
            store.tell_late(org, id).await?;
        }
        if !is_due(&row, now) {
            continue;
        }
        if let Err(error) = look(payments, &row, now).await {
            told(error, &format!("{org}/{id}"))?;
        }
        done += 1;
    }
    Ok(done + payments.deliver_sandbox().await? + refunds(payments).await?)
}

async fn look(payments: &Payments, row: &PaymentRow, now: Timestamp) -> Result<(), ProviderError> {
    payments.ask(row.org, row.id).await?;
    if is_over_time(row, now) {
        // Whatever it says: if it was made after all, it is paid.
        payments.cancel(row.org, row.id).await?;
    }
    Ok(())
}

/// Asks for what is to be given back.
///
/// # Errors
/// Where the database fails.
pub async fn refunds(payments: &Payments) -> Result<u64, StoreError> {
    let mut done = 0;
    for refund in payments.refunds_waiting().await? {
        match payments.refund(&refund).await {
            Ok(_) => done += 1,
            Err(error) => told(error, &format!("{}/{}", refund.org, refund.id))?,
        }
    }
    Ok(done + payments.deliver_sandbox().await?)
}

fn told(error: ProviderError, what: &str) -> Result<(), StoreError> {
    match error {
        ProviderError::Store(error) => Err(error),
        error => {
            tracing::warn!(%error, what, "a provider is asked again later");
            Ok(())
        }
    }
}

/// Whether a payment is to be asked about: at once where nobody else would, then after longer and longer times.
fn is_due(row: &PaymentRow, now: Timestamp) -> bool {
    let since = |at: Timestamp| (now.micros() - at.micros()) / 1_000_000;
    match row.asked_at {
        None if row.method.is_some() => true,
        None => since(row.created_at) >= FIRST_S,
        // A transfer is only ever given up.
        Some(_) if row.provider == Provider::BankTransfer => is_over_time(row, now),
        Some(at) => since(at) >= (FIRST_S << row.asks.saturating_sub(1).min(10)).min(LONGEST_S),
    }
}

/// Whether nobody makes it any more. What is with a bank is the bank's.
fn is_over_time(row: &PaymentRow, now: Timestamp) -> bool {
    let age_s = (now.micros() - row.created_at.micros()) / 1_000_000;
    match (row.provider, row.stands.state) {
        (Provider::BankTransfer, _) => age_s >= TRANSFER_S,
        (_, State::Pending) => false,
        _ => age_s >= PAGE_S,
    }
}
