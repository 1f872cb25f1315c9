//! What the server does by itself, besides answering. Nothing depends on when a job runs: reads count what is due, and
//! writes book it first.

pub mod cycles;
pub mod deletions;
pub mod deliveries;
pub mod due;
pub mod invoices;
pub mod mails;
pub mod notices;
pub mod outbox;
pub mod payments;
pub mod retention;
pub mod top_ups;
pub mod wide;

use ledger::Timestamp;
use store::{Store, StoreError};

/// The jobs, with what each does, for the operator's page.
pub const JOBS: &[(&str, &str)] = &[
    (due::NAME, "Books what time causes: expiry, rollover, holds that end, repayments"),
    (cycles::NAME, "Begins the cycles of subscriptions: their credits and fees, in order, also after days off"),
    (top_ups::NAME, "Buys credits where auto top-up is on and too few are left"),
    (deletions::NAME, "Deletes organizations whose time is over, in small steps"),
    (invoices::NAME, "Drafts and issues invoices, charges stored payment methods, reminds of what is not paid"),
    (notices::NAME, "Sends what people are told about money by mail"),
    (deliveries::NAME, "Sends messages to webhooks, Slack and Teams, and again where they were not taken"),
    (mails::NAME, "Sends messages to people by mail, one by one or as a digest, when they want to hear"),
    (outbox::NAME, "Tells of grants that expire soon, and deletes messages that are older than 90 days"),
    (
        payments::NAME,
        "Asks payment providers for what nobody has heard of, gives up what nobody pays, gives money back",
    ),
    (wide::NAME, "Adds events up by workflow, user, tenant and attributes, so that charts of them answer at once"),
    (retention::NAME, "Prunes details of events that are older than their organization keeps them, in small steps"),
    ("verify", "Checks the whole ledger, when an operator asks"),
    ("backup", "Writes a verified snapshot, when an operator asks"),
];

/// Logs and notes a run in which something was done, or failed.
pub(crate) async fn note(store: &Store, job: &'static str, begun: Timestamp, done: Result<u64, StoreError>) {
    let error = match &done {
        Ok(0) => return,
        Ok(done) => {
            tracing::info!(job, done, "a job did its work");
            None
        }
        Err(error) => {
            tracing::error!(job, cause = ?error, "a job failed; it is tried again");
            Some(error.to_string())
        }
    };
    let done = i64::try_from(done.unwrap_or(0)).unwrap_or(i64::MAX);
    if let Err(error) = store.note_job(job, begun, done, error).await {
        tracing::warn!(%error, "what a job did could not be noted");
    }
}
