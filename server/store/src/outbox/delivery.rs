//! Deliveries: messages on their way to endpoints, with what came of each attempt.
//!
//! A delivery is sent before anything is noted of it, so a crash in between sends it again, under the same id. What is due is asked for
//! per endpoint, so that ten thousand that wait for a dead one cost the others nothing.

use super::endpoint::{self, Endpoint, disable};
use super::{Recipients, message_of};
use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::endpoint::{Disabled, Outcome, Shape, is_given_up, next_try, rests_until};
use ledger::{DeliveryId, EndpointId, MessageId, MessageKind, OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

/// Deliveries on one page, at most.
pub const MAX_PAGE: u32 = 100;
/// Attempts of a delivery that are kept: all by schedule, and as many by hand.
const KEPT_ATTEMPTS: i64 = 20;
/// Longest part of an answer that is kept, in characters.
pub const MAX_ANSWER_CHARS: usize = 1_000;

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is still to come.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It was given up.
    Failed,
}

impl State {
    /// All.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A message as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number within the org.
    pub id: MessageId,
    /// What it is about.
    pub kind: MessageKind,
    /// What receivers know it by, the same however often it is sent.
    pub public_id: String,
    /// What it says.
    pub data: Value,
    /// When it was caused.
    pub made_at: Timestamp,
}

/// A delivery that is to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its number within the org.
    pub id: DeliveryId,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// What goes there.
    pub message: Message,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it was begun.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: i64,
    /// Whether somebody asked for it.
    pub by_hand: bool,
    /// Of the answer, if one came.
    pub status: Option<u16>,
    /// How the answer begins.
    pub answer: String,
    /// A code: why it does not count.
    pub error: Option<String>,
}

/// What was sent, as far as receivers are sent different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// What it looks like: the shape its endpoint had then.
    pub shape: Shape,
    /// The body, byte for byte: what is signed.
    pub body: String,
}

/// A delivery with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// How it stands.
    pub row: DeliveryRow,
    /// What the newest attempt had to send, whether or not it reached somebody; `None` before the first, or by a release that kept none.
    pub sent: Option<Sent>,
    /// What came of its newest attempts, newest first.
    pub attempts: Vec<Attempt>,
}

/// A delivery as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its number within the org.
    pub id: DeliveryId,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// What goes there.
    pub message: Message,
    /// How it stands.
    pub state: State,
    /// Attempts in all.
    pub attempts: i64,
    /// When it is tried next.
    pub next_try_at: Option<Timestamp>,
    /// When it was taken or given up.
    pub done_at: Option<Timestamp>,
}

/// Which deliveries.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeliveryPage {
    /// Only of this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Only those that stand so.
    pub state: Option<State>,
    /// Only those before this one.
    pub before: Option<i64>,
    /// At most so many; no more than [`MAX_PAGE`].
    pub limit: u32,
}

impl Store {
    /// Endpoints for which something is due, those that rest left out.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn endpoints_due(&self) -> Result<Vec<(OrgId, EndpointId)>, StoreError> {
        let now = self.now().micros();
        let run = move |conn: &Connection| {
            let sql = "SELECT e.org_id, e.endpoint_id FROM endpoint e
                WHERE e.disabled IS NULL AND e.deleted_at IS NULL AND e.rests_until <= ?1 AND EXISTS (
                    SELECT 1 FROM delivery d
                    WHERE d.org_id = e.org_id AND d.endpoint_id = e.endpoint_id AND d.next_try_at <= ?1)";
            let mut select = conn.prepare_cached(sql)?;
            let rows = select.query_map([now], |row| Ok((OrgId(row.get(0)?), EndpointId(row.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.read(run).await
    }

    /// What is due for one endpoint, the longest due first. Of one that fails a single delivery, to see whether it is there again.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deliveries_due(&self, org: OrgId, id: EndpointId, limit: u32) -> Result<Vec<Due>, StoreError> {
        let now = self.now();
        let run = move |conn: &Connection| {
            let endpoint = match endpoint::endpoint(conn, org, id) {
                Ok(endpoint) if endpoint.disabled.is_none() && endpoint.rests_until <= now => endpoint,
                Ok(_) | Err(StoreError::NotFound(_)) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            let limit = if endpoint.failures > 0 { 1 } else { limit };
            let sql = "SELECT d.delivery_id, m.message_id, m.kind, m.public_id, m.data, m.made_at
                FROM delivery d JOIN message m ON m.org_id = d.org_id AND m.message_id = d.message_id
                WHERE d.org_id = ?1 AND d.endpoint_id = ?2 AND d.next_try_at <= ?3
                ORDER BY d.next_try_at, d.delivery_id LIMIT ?4";
            let mut select = conn.prepare_cached(sql)?;
            let mut rows = select.query(params![org.0, id.0, now.micros(), limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let (id, message) = (DeliveryId(row.get(0)?), message_of(row, 1)?);
                found.push(Due { id, endpoint: endpoint.clone(), message });
            }
            Ok(found)
        };
        self.read(run).await
    }

    /// One delivery, to be tried whatever its schedule says.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also where its endpoint is deleted.
    pub async fn delivery_by_hand(&self, org: OrgId, id: DeliveryId) -> Result<Due, StoreError> {
        self.read(move |conn| {
            let row = delivery(conn, org, id)?;
            Ok(Due { id, endpoint: endpoint::endpoint(conn, org, row.endpoint)?, message: row.message })
        })
        .await
    }

    /// Notes what was sent and what came of it: the delivery is done, tried again or given up, and its endpoint may rest or be disabled.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn delivery_tried(
        &self,
        org: OrgId,
        id: DeliveryId,
        sent: Sent,
        attempt: Attempt,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE delivery SET sent_shape = ?3, sent_body = ?4 WHERE org_id = ?1 AND delivery_id = ?2";
            tx.conn.prepare_cached(sql)?.execute(params![org.0, id.0, sent.shape.as_str(), sent.body])?;
            tried(tx, org, id, &attempt, outcome)
        };
        self.writer().call(0, run).await
    }

    /// Announces a test to one endpoint, also to a disabled one, to be sent by hand. What came before of a test stays in the log.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn test_endpoint(&self, org: OrgId, id: EndpointId, by: By) -> Result<DeliveryId, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            endpoint::endpoint(tx.conn, org, id)?;
            let data = json!({"endpoint": id.to_string(), "text": "This is a test: nothing has happened.",
                "url": format!("/settings/webhooks/{id}")});
            let message = tx.announce(org, MessageKind::EndpointTest, &data, &Recipients::default())?;
            let delivery = super::insert_delivery(tx, org, message, id, None)?;
            let change = Change { action: "endpoint.test", target: id.to_string(), before: None, after: None };
            tx.note(org, &by, change)?;
            Ok(delivery)
        };
        self.writer().call(0, run).await
    }

    /// Notes that somebody sends a delivery again. One that was given up begins its schedule anew if that fails too.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn redeliver(&self, org: OrgId, id: DeliveryId, by: By) -> Result<Due, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let row = delivery(tx.conn, org, id)?;
            let endpoint = endpoint::endpoint(tx.conn, org, row.endpoint)?;
            let change = Change { action: "delivery.redeliver", target: id.to_string(), before: None, after: None };
            tx.note(org, &by, change)?;
            Ok(Due { id, endpoint, message: row.message })
        };
        self.writer().call(0, run).await
    }

    /// A page of deliveries, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deliveries(&self, org: OrgId, page: DeliveryPage) -> Result<Vec<DeliveryRow>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = format!(
                "{SELECT} d.org_id = ?1 AND (?2 IS NULL OR d.endpoint_id = ?2) AND (?3 IS NULL OR d.state = ?3)
                 AND (?4 IS NULL OR d.delivery_id < ?4) ORDER BY d.delivery_id DESC LIMIT ?5"
            );
            let mut select = conn.prepare_cached(&sql)?;
            let (endpoint, state) = (page.endpoint.map(|id| id.0), page.state.map(State::as_str));
            let values = params![org.0, endpoint, state, page.before, page.limit.min(MAX_PAGE + 1)];
            select.query_and_then(values, row_of)?.collect()
        };
        self.read(run).await
    }

    /// One delivery, with what was sent and its attempts.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delivery(&self, org: OrgId, id: DeliveryId) -> Result<Delivery, StoreError> {
        let run = move |conn: &Connection| {
            let row = delivery(conn, org, id)?;
            Ok(Delivery { row, sent: sent(conn, org, id)?, attempts: attempts(conn, org, id)? })
        };
        self.read(run).await
    }
}

const SELECT: &str = "SELECT d.delivery_id, d.endpoint_id, d.state, d.attempts, d.next_try_at, d.done_at,
        m.message_id, m.kind, m.public_id, m.data, m.made_at
    FROM delivery d JOIN message m ON m.org_id = d.org_id AND m.message_id = d.message_id WHERE";

fn delivery(conn: &Connection, org: OrgId, id: DeliveryId) -> Result<DeliveryRow, StoreError> {
    let mut select = conn.prepare_cached(&format!("{SELECT} d.org_id = ?1 AND d.delivery_id = ?2"))?;
    let found = select.query_row([org.0, id.0], |row| Ok(row_of(row))).optional()?;
    found.ok_or(StoreError::NotFound("delivery"))?
}

fn row_of(row: &Row<'_>) -> Result<DeliveryRow, StoreError> {
    let state: String = row.get(2)?;
    let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    Ok(DeliveryRow {
        id: DeliveryId(row.get(0)?),
        endpoint: EndpointId(row.get(1)?),
        state: State::parse(&state).ok_or_else(|| unreadable("state of a delivery"))?,
        attempts: row.get(3)?,
        next_try_at: time(row.get(4)?),
        done_at: time(row.get(5)?),
        message: message_of(row, 6)?,
    })
}

fn sent(conn: &Connection, org: OrgId, id: DeliveryId) -> Result<Option<Sent>, StoreError> {
    let sql = "SELECT sent_shape, sent_body FROM delivery WHERE org_id = ?1 AND delivery_id = ?2";
    let (shape, body): (Option<String>, Option<String>) =
        conn.prepare_cached(sql)?.query_row([org.0, id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((shape, body)) = shape.zip(body) else { return Ok(None) };
    Ok(Some(Sent { shape: Shape::parse(&shape).ok_or_else(|| unreadable("shape"))?, body }))
}

fn attempts(conn: &Connection, org: OrgId, id: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
    let sql = "SELECT at, took_ms, by_hand, status, answer, error FROM attempt WHERE org_id = ?1 AND delivery_id = ?2
        ORDER BY ordinal DESC";
    let mut select = conn.prepare_cached(sql)?;
    let rows = select.query_map([org.0, id.0], |row| {
        Ok(Attempt {
            at: Timestamp::from_micros(row.get(0)?),
            took_ms: row.get(1)?,
            by_hand: row.get(2)?,
            status: row.get(3)?,
            answer: row.get(4)?,
            error: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is known of a delivery while an attempt at it is noted.
struct Known {
    endpoint: EndpointId,
    tries: u32,
    attempts: i64,
    state: String,
    is_test: bool,
}

fn tried(tx: &mut Tx<'_>, org: OrgId, id: DeliveryId, attempt: &Attempt, outcome: Outcome) -> Result<(), StoreError> {
    tx.org(org)?;
    let sql = "SELECT d.endpoint_id, d.tries, d.attempts, d.state, m.kind = 'endpoint.test'
        FROM delivery d JOIN message m ON m.org_id = d.org_id AND m.message_id = d.message_id
        WHERE d.org_id = ?1 AND d.delivery_id = ?2";
    let known = tx.conn.prepare_cached(sql)?.query_row([org.0, id.0], |row| {
        Ok(Known {
            endpoint: EndpointId(row.get(0)?),
            tries: row.get(1)?,
            attempts: row.get(2)?,
            state: row.get(3)?,
            is_test: row.get(4)?,
        })
    });
    // Pruned meanwhile: there is nothing left to note it at.
    let Some(known) = known.optional()? else { return Ok(()) };
    insert_attempt(tx, org, id, known.attempts + 1, attempt)?;
    let now = tx.now();
    // Given up, and sent again by hand: its schedule begins anew.
    let tries = if known.state == "failed" && attempt.by_hand { 0 } else { known.tries };
    let was_delivered = known.state == "delivered";
    let again = match outcome {
        // A test is tried once: somebody looks at what comes of it.
        Outcome::Failed { again_after_s } if !known.is_test && !was_delivered => {
            next_try(tries, now, again_after_s, id.0)
        }
        _ => None,
    };
    let state = match outcome {
        Outcome::Taken => State::Delivered,
        // Sent again by hand and not taken this time: it had been, and still counts.
        _ if was_delivered => State::Delivered,
        _ if again.is_some() => State::Waiting,
        _ => State::Failed,
    };
    let done = (state != State::Waiting).then_some(now.micros());
    let sql = "UPDATE delivery SET tries = ?3, attempts = attempts + 1, state = ?4, next_try_at = ?5, done_at = ?6
        WHERE org_id = ?1 AND delivery_id = ?2";
    let again = again.map(Timestamp::micros);
    let values = params![org.0, id.0, i64::from(tries) + 1, state.as_str(), again, done];
    tx.conn.prepare_cached(sql)?.execute(values)?;
    follow(tx, org, known.endpoint, outcome)
}

fn insert_attempt(tx: &Tx<'_>, org: OrgId, id: DeliveryId, ordinal: i64, attempt: &Attempt) -> Result<(), StoreError> {
    let answer: String = attempt.answer.chars().take(MAX_ANSWER_CHARS).collect();
    let insert = "INSERT INTO attempt (org_id, delivery_id, ordinal, at, took_ms, by_hand, status, answer, error)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let (at, took_ms) = (attempt.at.micros(), attempt.took_ms.max(0));
    let values = params![org.0, id.0, ordinal, at, took_ms, attempt.by_hand, attempt.status, answer, attempt.error];
    tx.conn.prepare_cached(insert)?.execute(values)?;
    let old = "DELETE FROM attempt WHERE org_id = ?1 AND delivery_id = ?2 AND ordinal <= ?3";
    tx.conn.prepare_cached(old)?.execute([org.0, id.0, ordinal - KEPT_ATTEMPTS])?;
    Ok(())
}

/// What an attempt means for its endpoint: a success forgets failures, failures make it rest, and in the end disable it.
fn follow(tx: &mut Tx<'_>, org: OrgId, id: EndpointId, outcome: Outcome) -> Result<(), StoreError> {
    // Deleted meanwhile.
    let Ok(endpoint) = endpoint::endpoint(tx.conn, org, id) else { return Ok(()) };
    let now = tx.now();
    let failed = outcome != Outcome::Taken;
    let failures = if failed { endpoint.failures + 1 } else { 0 };
    let since = failed.then(|| endpoint.failing_since.unwrap_or(now));
    let rests = if failed { rests_until(failures, now) } else { Timestamp::from_micros(0) };
    let sql = "UPDATE endpoint SET failures = ?3, failing_since = ?4, rests_until = ?5,
            last_taken_at = iif(?6, last_taken_at, ?7), last_failed_at = iif(?6, ?7, last_failed_at)
        WHERE org_id = ?1 AND endpoint_id = ?2";
    let values = params![org.0, id.0, failures, since.map(Timestamp::micros), rests.micros(), failed, now.micros()];
    tx.conn.prepare_cached(sql)?.execute(values)?;
    let why = match outcome {
        Outcome::Gone => Disabled::Gone,
        Outcome::Failed { .. } if since.is_some_and(|since| is_given_up(since, now)) => Disabled::Failing,
        _ => return Ok(()),
    };
    if endpoint.disabled.is_some() {
        return Ok(());
    }
    disable(tx, org, id, Some(why))?;
    let change = Change {
        action: "endpoint.disable",
        target: id.to_string(),
        before: None,
        after: Some(json!({ "disabled": why.as_str() })),
    };
    tx.note(org, &By::from("scrip".to_owned()), change)?;
    let data = json!({"endpoint": id.to_string(), "title": endpoint.title, "host": endpoint.host(), "reason": why.as_str(),
        "url": format!("/settings/webhooks/{id}")});
    let kind = MessageKind::EndpointDisabled;
    tx.announce(org, kind, &data, &Recipients::of(kind)).map(|_| ())
}
