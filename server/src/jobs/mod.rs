//! What the server does by itself, besides answering. Nothing depends on when a job runs: reads count what is due, and
//! writes book it first.

pub mod alerts;
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
use std::time::Duration;
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// The jobs, with what each does, for the operator's page.
pub const JOBS: &[(&str, &str)] = &[
    (due::Due::NAME, "Books what time causes: expiry, rollover, holds that end, repayments"),
    (cycles::Cycles::NAME, "Begins the cycles of subscriptions: their credits and fees, in order, also after days off"),
    (
        alerts::Alerts::NAME,
        "Looks at alerts about forecasts, silence, expiries and failures; others are looked at with what they watch",
    ),
    (top_ups::TopUps::NAME, "Buys credits where auto top-up is on and too few are left"),
    (deletions::Deletions::NAME, "Deletes organizations whose time is over, in small steps"),
    (
        invoices::Invoices::NAME,
        "Drafts and issues invoices, charges stored payment methods, reminds of what is not paid",
    ),
    (notices::Notices::NAME, "Sends what people are told about money by mail"),
    (deliveries::NAME, "Sends messages to webhooks, Slack and Teams, and again where they were not taken"),
    (mails::Mails::NAME, "Sends messages to people by mail, one by one or as a digest, when they want to hear"),
    (outbox::Outbox::NAME, "Tells of grants that expire soon, and deletes messages that are older than 90 days"),
    (
        payments::PaymentsDue::NAME,
        "Asks payment providers for what nobody has heard of, gives up what nobody pays, gives money back",
    ),
    (
        wide::WideUsage::NAME,
        "Adds events up by workflow, user, tenant and attributes, so that charts of them answer at once",
    ),
    (
        retention::Retention::NAME,
        "Prunes details of events that are older than their organization keeps them, in small steps",
    ),
    ("verify", "Checks the whole ledger, when an operator asks"),
    ("backup", "Writes a verified snapshot, when an operator asks"),
];

/// What a round of a job did.
pub struct Done {
    /// How many things; none is no news.
    pub count: u64,
    /// How long nothing is to be done.
    pub pause: Duration,
}

/// After a failure: soon enough for who waits, seldom enough for the log.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Something that the server does again and again.
pub trait Job: Send + 'static {
    /// What it is called on the operator's page.
    const NAME: &'static str;

    /// Does all that is due now.
    fn round(&mut self, store: &Store) -> impl Future<Output = Result<Done, StoreError>> + Send;
}

/// Does a job's rounds until `end`. What the writer took of a round it finishes, whoever waits for it.
pub async fn run<J: Job>(mut job: J, store: Store, end: CancellationToken) {
    let rounds = async {
        loop {
            let begun = store.now();
            let done = job.round(&store).await;
            let pause = done.as_ref().map_or(AFTER_FAILURE, |done| done.pause);
            note(&store, J::NAME, begun, done.map(|done| done.count)).await;
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = end.cancelled() => {}
        () = rounds => {}
    }
}

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
