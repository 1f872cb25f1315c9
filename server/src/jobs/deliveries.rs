//! Sends messages to endpoints: webhooks, Slack, Teams.
//!
//! Each endpoint that something is due for gets a worker of its own for a while: a slow one keeps nobody waiting but itself, a dead one
//! rests (`ledger::endpoint`), and whoever has many of them takes no more than [`MAX_PER_ORG`] workers of [`MAX_WORKERS`]. Who was served
//! longest ago is served first. A worker ends after [`BATCH`] deliveries or [`STINT`], so that those who wait have their turn.
//!
//! What is sent is noted afterwards: a server that is killed in between sends it again, under the same id.

use crate::outgoing::body::{From, body};
use crate::outgoing::by_hand::{Hand, Hands, HandsFull};
use crate::outgoing::{CallError, Called, Outgoing, standard};
use crate::problem::Problem;
use futures::StreamExt as _;
use ledger::endpoint::{Outcome, Shape};
use ledger::{DeliveryId, EndpointId, OrgId, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use store::clock::Stopwatch;
use store::outbox::delivery::{Attempt, Due, Sent};
use store::{By, Store, StoreError};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// What it is called on the operator's page.
pub const NAME: &str = "deliveries";
/// How often it looks while nothing ends by itself.
const EVERY: Duration = Duration::from_millis(500);
/// Endpoints served at once.
const MAX_WORKERS: usize = 64;
/// Of those, endpoints of one org.
const MAX_PER_ORG: usize = 4;
/// Deliveries to one endpoint at once, while it takes them.
const AT_ONCE: usize = 4;
/// Deliveries of one stint.
const BATCH: u32 = 128;
/// How long a worker goes on, before those who wait have their turn.
const STINT: Duration = Duration::from_secs(10);
/// How often is told in the log how many were tried: each by itself is told to who debugs.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// Endpoints of which is known when they were served last: beyond it all are forgotten, which costs a turn out of order.
const MAX_SERVED: usize = 10_000;

/// Sends deliveries.
#[derive(Clone)]
pub struct Courier {
    store: Store,
    outgoing: Outgoing,
    base_url: Arc<str>,
    hands: Arc<Hands>,
}

/// Why nothing was sent by hand.
#[derive(Debug, thiserror::Error)]
pub enum ByHandError {
    /// Too much is being sent by hand.
    #[error(transparent)]
    Full(#[from] HandsFull),
    /// What the store says.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address must not be sent to.
    #[error(transparent)]
    Address(#[from] CallError),
}

impl std::convert::From<ByHandError> for Problem {
    fn from(error: ByHandError) -> Self {
        match error {
            ByHandError::Full(full) => full.into(),
            ByHandError::Store(error) => error.into(),
            ByHandError::Address(error) => error.into(),
        }
    }
}

impl Courier {
    /// With links that lead to `base_url`.
    #[must_use]
    pub fn new(store: Store, outgoing: Outgoing, base_url: &str) -> Self {
        Self { store, outgoing, base_url: base_url.into(), hands: Arc::default() }
    }

    /// Whether an address may be sent to, for whoever makes an endpoint of it: its name is looked up.
    ///
    /// # Errors
    /// [`ByHandError`], where it may not.
    pub async fn check(&self, org: OrgId, url: &str) -> Result<(), ByHandError> {
        let _hand = self.hands.take(org)?;
        self.outgoing.target(url).await?;
        Ok(())
    }

    /// Tries a delivery once, and notes what came of it.
    ///
    /// # Errors
    /// Where the store fails. A receiver that does is no error: that is what is noted.
    pub async fn attempt(&self, due: &Due, by_hand: bool) -> Result<Outcome, StoreError> {
        let endpoint = &due.endpoint;
        let org = self.store.org(endpoint.org).await?;
        let from = From { org: org.id.to_string(), name: &org.name, words: &org.words, base_url: &self.base_url };
        let text = body(endpoint.shape, &due.message, &from);
        let at = self.store.now();
        let headers = match endpoint.shape {
            Shape::Webhook => standard::headers(&endpoint.secrets_at(at), &due.message.public_id, at, &text),
            Shape::Slack | Shape::Teams => Vec::new(),
        };
        let called = self.outgoing.post(&endpoint.url, headers, text.clone()).await;
        let (outcome, error) = judged(&called);
        tracing::debug!(org = %endpoint.org, endpoint = %endpoint.id, delivery = %due.id, ?outcome, "a delivery was tried");
        let (status, answer) = called.answer.map_or((None, String::new()), |answer| (Some(answer.status), answer.text));
        let attempt = Attempt { at, took_ms: called.took_ms, by_hand, status, answer, error: error.map(str::to_owned) };
        let sent = Sent { shape: endpoint.shape, body: text };
        self.store.delivery_tried(endpoint.org, due.id, sent, attempt, outcome).await?;
        Ok(outcome)
    }

    /// Sends a test to an endpoint, once and at once; tells which delivery that was.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`HandsFull`].
    pub async fn test(&self, org: OrgId, id: EndpointId, by: By) -> Result<DeliveryId, ByHandError> {
        let hand = self.hands.take(org)?;
        let delivery = self.store.test_endpoint(org, id, by).await?;
        let due = self.store.delivery_by_hand(org, delivery).await?;
        self.by_hand(due, hand).await?;
        Ok(delivery)
    }

    /// Sends a delivery again, at once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`HandsFull`].
    pub async fn again(&self, org: OrgId, id: DeliveryId, by: By) -> Result<(), ByHandError> {
        let hand = self.hands.take(org)?;
        let due = self.store.redeliver(org, id, by).await?;
        self.by_hand(due, hand).await
    }

    /// Tries once, to its end: whoever asked may have gone by then, and what came of it is noted all the same.
    async fn by_hand(&self, due: Due, hand: Hand) -> Result<(), ByHandError> {
        let courier = self.clone();
        let trying = tokio::spawn(async move {
            let _hand = hand;
            courier.attempt(&due, true).await
        });
        trying.await.map_err(|_| StoreError::Stopped)??;
        Ok(())
    }

    /// Serves one endpoint for a while; tells how many deliveries were tried.
    async fn serve(&self, org: OrgId, id: EndpointId) -> Result<u64, StoreError> {
        let (watch, tried, failing) = (Stopwatch::start(), AtomicU64::new(0), AtomicBool::new(false));
        loop {
            let due = self.store.deliveries_due(org, id, BATCH).await?;
            // After a failure what is under way ends, and the rest is asked for anew: the endpoint may rest now, or be disabled.
            failing.store(false, Ordering::Relaxed);
            let (is_done, failing, tried) = (due.is_empty(), &failing, &tried);
            let attempts = due.into_iter().take_while(|_| !failing.load(Ordering::Relaxed)).map(|due| async move {
                tried.fetch_add(1, Ordering::Relaxed);
                let outcome = self.attempt(&due, false).await;
                failing.fetch_or(!matches!(outcome, Ok(Outcome::Taken)), Ordering::Relaxed);
                outcome
            });
            let attempts = futures::stream::iter(attempts).buffer_unordered(AT_ONCE);
            let attempts: Vec<_> = attempts.collect().await;
            attempts.into_iter().collect::<Result<Vec<_>, _>>()?;
            if is_done || watch.elapsed() >= STINT {
                return Ok(tried.load(Ordering::Relaxed));
            }
        }
    }
}

/// What an answer means, and the code under which the log has what it does not.
fn judged(called: &Called) -> (Outcome, Option<&'static str>) {
    match &called.answer {
        Ok(answer) => match answer.status {
            200..=299 => (Outcome::Taken, None),
            410 => (Outcome::Gone, Some("gone")),
            300..=399 => (Outcome::Failed { again_after_s: None }, Some("redirect_not_followed")),
            _ => (Outcome::Failed { again_after_s: answer.again_after_s }, Some("not_taken")),
        },
        Err(error) => (Outcome::Failed { again_after_s: None }, Some(error.code())),
    }
}

type Place = (OrgId, EndpointId);

/// The endpoints that are served now, and when each was served last.
struct Rounds {
    courier: Courier,
    workers: JoinSet<Result<u64, StoreError>>,
    working: HashMap<Id, Place>,
    served: HashMap<Place, u64>,
    turn: u64,
}

impl Rounds {
    fn new(courier: Courier) -> Self {
        Self { courier, workers: JoinSet::new(), working: HashMap::new(), served: HashMap::new(), turn: 0 }
    }

    /// Gives workers to endpoints that something is due for, as far as there are places.
    async fn start(&mut self) -> Result<(), StoreError> {
        if self.working.len() >= MAX_WORKERS {
            return Ok(());
        }
        let mut due = self.courier.store.endpoints_due().await?;
        due.sort_by_key(|place| self.served.get(place).copied().unwrap_or_default());
        let mut of_org: HashMap<OrgId, usize> = HashMap::new();
        for (org, _) in self.working.values() {
            *of_org.entry(*org).or_default() += 1;
        }
        for place in due {
            let count = of_org.entry(place.0).or_default();
            let is_served = self.working.values().any(|working| *working == place);
            if is_served || *count >= MAX_PER_ORG || self.working.len() >= MAX_WORKERS {
                continue;
            }
            *count += 1;
            self.turn += 1;
            if self.served.len() >= MAX_SERVED {
                self.served.clear();
            }
            self.served.insert(place, self.turn);
            let courier = self.courier.clone();
            let worker = self.workers.spawn(async move { courier.serve(place.0, place.1).await });
            self.working.insert(worker.id(), place);
        }
        Ok(())
    }

    /// A worker has ended; tells how much it did. One that panicked is in the log already.
    fn ended(&mut self, joined: Result<(Id, Result<u64, StoreError>), JoinError>) -> Result<u64, StoreError> {
        match joined {
            Ok((id, done)) => {
                self.working.remove(&id);
                done
            }
            Err(error) => {
                self.working.remove(&error.id());
                Ok(0)
            }
        }
    }
}

/// What was tried and not told yet. A worker ends after each delivery where few come, and a line for each would bury the log.
#[derive(Debug, Default)]
struct Untold {
    tried: u64,
    begun: Option<Timestamp>,
}

impl Untold {
    fn add(&mut self, tried: u64, begun: Timestamp) {
        self.tried += tried;
        self.begun = self.begun.or((tried > 0).then_some(begun));
    }

    /// How many are told now, and since when they were tried: the first at once, the rest together.
    fn take(&mut self, since_last: Option<Duration>) -> Option<(u64, Timestamp)> {
        let begun = self.begun.filter(|_| since_last.is_none_or(|since| since >= TOLD_EVERY))?;
        self.begun = None;
        Some((std::mem::take(&mut self.tried), begun))
    }
}

/// Runs until `end`.
pub async fn run(courier: Courier, end: CancellationToken) {
    let store = courier.store.clone();
    let work = async {
        let (mut rounds, mut untold, mut told) = (Rounds::new(courier), Untold::default(), None::<Stopwatch>);
        loop {
            let begun = store.now();
            if let Err(error) = rounds.start().await {
                super::note(&store, NAME, begun, Err(error)).await;
            }
            tokio::select! {
                Some(joined) = rounds.workers.join_next_with_id() => match rounds.ended(joined) {
                    Ok(tried) => untold.add(tried, begun),
                    Err(error) => super::note(&store, NAME, begun, Err(error)).await,
                },
                () = tokio::time::sleep(EVERY) => {}
            }
            if let Some((tried, begun)) = untold.take(told.as_ref().map(Stopwatch::elapsed)) {
                super::note(&store, NAME, begun, Ok(tried)).await;
                told = Some(Stopwatch::start());
            }
        }
    };
    // What is under way is broken off, and sent again after the next start.
    tokio::select! {
        () = end.cancelled() => {}
        () = work => {}
    }
}

/// Sends all that is due, until nothing is; tells how many deliveries were tried.
///
/// # Errors
/// Where the store fails.
pub async fn send_all(courier: &Courier) -> Result<u64, StoreError> {
    let (mut rounds, mut tried) = (Rounds::new(courier.clone()), 0);
    loop {
        rounds.start().await?;
        match rounds.workers.join_next_with_id().await {
            Some(joined) => tried += rounds.ended(joined)?,
            None => return Ok(tried),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_rest_once_a_minute_together() {
        let at = Timestamp::from_micros;
        let mut untold = Untold::default();
        untold.add(0, at(1));
        assert_eq!(untold.take(None), None, "nothing is no news");
        untold.add(1, at(2));
        assert_eq!(untold.take(None), Some((1, at(2))));
        for second in 3..50 {
            untold.add(1, at(second));
            assert_eq!(untold.take(Some(Duration::from_secs(59))), None);
        }
        assert_eq!(untold.take(Some(TOLD_EVERY)), Some((47, at(3))));
        assert_eq!(untold.take(Some(TOLD_EVERY)), None, "each is told once");
    }
}
