//! Endpoints: where an org's messages go besides its people. Whether an address may be sent to is decided where it is sent from.
//!
//! A secret is kept in clear, since it signs. After a rotation both sign for a day. Deleting one keeps its row, so that its number is not
//! given again, without its secret and its address.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::endpoint::{Disabled, ROTATION_S, Shape};
use ledger::label::check_text;
use ledger::{EndpointId, MessageKind, OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

/// Endpoints of an org, at most: every message is written once for each.
pub const MAX_ENDPOINTS: i64 = 20;
/// Days over which is counted how an endpoint fares.
pub const HEALTH_DAYS: i64 = 7;
/// Deliveries that are counted for it, at most: more say the same of its health, and all endpoints of an org are counted for one page.
pub const MAX_COUNTED: i64 = 5_000;
/// Longest title in bytes.
const MAX_TITLE_BYTES: usize = 60;
const DAY_US: i64 = 86_400_000_000;
/// Longest address in bytes.
pub const MAX_URL_BYTES: usize = 2_048;

macro_rules! select {
    ($more:literal) => {
        concat!(
            "SELECT org_id, endpoint_id, shape, title, url, kinds, secret, old_secret, old_until, disabled, disabled_at, failures,
                    failing_since, rests_until, created_at, created_by, last_taken_at, last_failed_at FROM endpoint WHERE deleted_at IS NULL AND ",
            $more
        )
    };
}

/// A place to which messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whose it is.
    pub org: OrgId,
    /// Its number within the org.
    pub id: EndpointId,
    /// What is sent there looks like.
    pub shape: Shape,
    /// What people call it; may be empty.
    pub title: String,
    /// Where it is.
    pub url: String,
    /// What it hears; empty: everything.
    pub kinds: Vec<MessageKind>,
    /// What signs.
    pub secret: [u8; 32],
    /// What signs too, and until when.
    pub old_secret: Option<([u8; 32], Timestamp)>,
    /// Why nothing is sent there, and since when.
    pub disabled: Option<(Disabled, Timestamp)>,
    /// Attempts that failed since one did not.
    pub failures: i64,
    /// When the first of them was made.
    pub failing_since: Option<Timestamp>,
    /// Nothing is tried before.
    pub rests_until: Timestamp,
    /// Since when it is there.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it took something last.
    pub last_taken_at: Option<Timestamp>,
    /// When an attempt failed last.
    pub last_failed_at: Option<Timestamp>,
}

/// How deliveries to an endpoint of the last [`HEALTH_DAYS`] days stand, the newest [`MAX_COUNTED`] of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    /// Those that were tried.
    pub tried: i64,
    /// Those of them that were not taken: given up, or tried again.
    pub failed: i64,
    /// Those that wait to be tried first.
    pub waiting: i64,
}

impl Endpoint {
    /// The part of its address that is no secret.
    #[must_use]
    pub fn host(&self) -> &str {
        host(&self.url)
    }

    /// All secrets that sign at that instant, the newest first.
    #[must_use]
    pub fn secrets_at(&self, now: Timestamp) -> Vec<[u8; 32]> {
        let old = self.old_secret.filter(|(_, until)| *until > now).map(|(secret, _)| secret);
        std::iter::once(self.secret).chain(old).collect()
    }
}

/// What is to be an endpoint, or is to be changed about one. The address is checked before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    /// What is sent there looks like.
    pub shape: Shape,
    /// What people call it; may be empty.
    pub title: String,
    /// Where it is.
    pub url: String,
    /// What it hears; empty: everything. A test alone: nothing but tests, and what names it.
    pub kinds: Vec<MessageKind>,
}

impl NewEndpoint {
    fn check(&self) -> Result<(), StoreError> {
        if !self.title.is_empty() {
            check_text("title", &self.title, MAX_TITLE_BYTES)?;
        }
        check_text("url", &self.url, MAX_URL_BYTES)?;
        Ok(())
    }

    fn kinds(&self) -> Result<String, StoreError> {
        Ok(serde_json::to_string(&self.kinds)?)
    }
}

impl Store {
    /// The endpoints of an org, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn endpoints(&self, org: OrgId) -> Result<Vec<Endpoint>, StoreError> {
        self.read(move |conn| {
            let mut select = conn.prepare_cached(select!("org_id = ?1 ORDER BY endpoint_id"))?;
            let rows = select.query_and_then([org.0], endpoint_of)?;
            rows.collect()
        })
        .await
    }

    /// The same with how each fares.
    ///
    /// Cost: one pass over an index, [`MAX_COUNTED`] entries of each of [`MAX_ENDPOINTS`] at most.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn endpoints_with_health(&self, org: OrgId) -> Result<Vec<(Endpoint, Health)>, StoreError> {
        let since = Timestamp::from_micros(self.now().micros() - HEALTH_DAYS * DAY_US);
        self.read(move |conn| {
            let mut select = conn.prepare_cached(select!("org_id = ?1 ORDER BY endpoint_id"))?;
            let rows = select.query_and_then([org.0], endpoint_of)?;
            let with_health = |endpoint: Endpoint| {
                let health = health(conn, org, endpoint.id, since)?;
                Ok((endpoint, health))
            };
            rows.map(|endpoint| endpoint.and_then(with_health)).collect()
        })
        .await
    }

    /// How one of them fares.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn endpoint_health(&self, org: OrgId, id: EndpointId) -> Result<Health, StoreError> {
        let since = Timestamp::from_micros(self.now().micros() - HEALTH_DAYS * DAY_US);
        self.read(move |conn| health(conn, org, id, since)).await
    }

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn endpoint(&self, org: OrgId, id: EndpointId) -> Result<Endpoint, StoreError> {
        self.read(move |conn| endpoint(conn, org, id)).await
    }

    /// Makes an endpoint with a secret of its own.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] beyond [`MAX_ENDPOINTS`]; what [`NewEndpoint`] may not say.
    pub async fn create_endpoint(&self, org: OrgId, new: NewEndpoint, by: By) -> Result<Endpoint, StoreError> {
        new.check()?;
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            let count = "SELECT count(*) FROM endpoint WHERE org_id = ?1 AND deleted_at IS NULL";
            let count: i64 = tx.conn.prepare_cached(count)?.query_row([org.0], |row| row.get(0))?;
            if count >= MAX_ENDPOINTS {
                return Err(StoreError::TooMany("there are 20 endpoints, and no more are taken: delete one first"));
            }
            let sql =
                "INSERT INTO endpoint (org_id, endpoint_id, shape, title, url, kinds, secret, created_at, created_by)
                SELECT ?1, coalesce(max(endpoint_id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM endpoint WHERE org_id = ?1
                RETURNING endpoint_id";
            let (secret, now) = (crate::random::bytes::<32>(), tx.now().micros());
            let values =
                params![org.0, new.shape.as_str(), new.title, new.url, new.kinds()?, secret.as_slice(), now, by.actor];
            let id = EndpointId(tx.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?);
            let made = endpoint(tx.conn, org, id)?;
            note(tx, &by, "endpoint.create", None, Some(&made))?;
            Ok(made)
        };
        self.writer().call(0, run).await
    }

    /// Changes what an endpoint is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; what [`NewEndpoint`] may not say.
    pub async fn change_endpoint(
        &self,
        org: OrgId,
        id: EndpointId,
        new: NewEndpoint,
        by: By,
    ) -> Result<Endpoint, StoreError> {
        new.check()?;
        let run = move |tx: &mut Tx<'_>| {
            let before = endpoint(tx.conn, org, id)?;
            let sql = "UPDATE endpoint SET shape = ?3, title = ?4, url = ?5, kinds = ?6 WHERE org_id = ?1 AND endpoint_id = ?2";
            let values = params![org.0, id.0, new.shape.as_str(), new.title, new.url, new.kinds()?];
            tx.conn.prepare_cached(sql)?.execute(values)?;
            if before.url != new.url {
                // What failed there says nothing of the new address.
                clear_failures(tx, org, id)?;
            }
            let after = endpoint(tx.conn, org, id)?;
            note(tx, &by, "endpoint.change", Some(&before), Some(&after))?;
            Ok(after)
        };
        self.writer().call(0, run).await
    }

    /// Deletes an endpoint: nothing is sent there any more, and its address and secrets are forgotten.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delete_endpoint(&self, org: OrgId, id: EndpointId, by: By) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let before = endpoint(tx.conn, org, id)?;
            let sql = "UPDATE endpoint SET deleted_at = ?3, url = 'https://deleted.invalid', secret = zeroblob(32), old_secret = NULL
                WHERE org_id = ?1 AND endpoint_id = ?2";
            tx.conn.prepare_cached(sql)?.execute(params![org.0, id.0, tx.now().micros()])?;
            note(tx, &by, "endpoint.delete", Some(&before), None)
        };
        self.writer().call(0, run).await
    }

    /// Gives an endpoint a new secret; the one before signs too for a day. A third within a day ends the first at once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn rotate_endpoint(&self, org: OrgId, id: EndpointId, by: By) -> Result<Endpoint, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            endpoint(tx.conn, org, id)?;
            let until = tx.now().micros() + ROTATION_S * 1_000_000;
            let sql = "UPDATE endpoint SET old_secret = secret, old_until = ?3, secret = ?4 WHERE org_id = ?1 AND endpoint_id = ?2";
            let secret = crate::random::bytes::<32>();
            tx.conn.prepare_cached(sql)?.execute(params![org.0, id.0, until, secret.as_slice()])?;
            let after = endpoint(tx.conn, org, id)?;
            note(tx, &by, "endpoint.rotate", None, Some(&after))?;
            Ok(after)
        };
        self.writer().call(0, run).await
    }

    /// Sends to an endpoint again, or no more. What waited goes on where it was; what is announced while it is disabled never comes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn enable_endpoint(
        &self,
        org: OrgId,
        id: EndpointId,
        enabled: bool,
        by: By,
    ) -> Result<Endpoint, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let before = endpoint(tx.conn, org, id)?;
            if enabled == before.disabled.is_none() {
                return Ok(before);
            }
            disable(tx, org, id, (!enabled).then_some(Disabled::ByHand))?;
            clear_failures(tx, org, id)?;
            let after = endpoint(tx.conn, org, id)?;
            let action = if enabled { "endpoint.enable" } else { "endpoint.disable" };
            note(tx, &by, action, Some(&before), Some(&after))?;
            Ok(after)
        };
        self.writer().call(0, run).await
    }
}

/// Nothing is sent there from now on, or again.
pub(crate) fn disable(tx: &Tx<'_>, org: OrgId, id: EndpointId, why: Option<Disabled>) -> Result<(), StoreError> {
    let sql = "UPDATE endpoint SET disabled = ?3, disabled_at = ?4 WHERE org_id = ?1 AND endpoint_id = ?2";
    let at = why.map(|_| tx.now().micros());
    tx.conn.prepare_cached(sql)?.execute(params![org.0, id.0, why.map(Disabled::as_str), at])?;
    Ok(())
}

fn clear_failures(tx: &Tx<'_>, org: OrgId, id: EndpointId) -> Result<(), StoreError> {
    let sql = "UPDATE endpoint SET failures = 0, failing_since = NULL, rests_until = 0 WHERE org_id = ?1 AND endpoint_id = ?2";
    tx.conn.prepare_cached(sql)?.execute([org.0, id.0])?;
    Ok(())
}

/// One endpoint as a connection sees it.
pub(crate) fn endpoint(conn: &Connection, org: OrgId, id: EndpointId) -> Result<Endpoint, StoreError> {
    let mut select = conn.prepare_cached(select!("org_id = ?1 AND endpoint_id = ?2"))?;
    let found = select.query_row([org.0, id.0], |row| Ok(endpoint_of(row))).optional()?;
    found.ok_or(StoreError::NotFound("webhook endpoint"))?
}

fn health(conn: &Connection, org: OrgId, id: EndpointId, since: Timestamp) -> Result<Health, StoreError> {
    let sql = "SELECT count(*), coalesce(sum(attempts = 0), 0), coalesce(sum(attempts > 0 AND state <> 'delivered'), 0) FROM (
            SELECT state, attempts FROM delivery INDEXED BY delivery_standing
            WHERE org_id = ?1 AND endpoint_id = ?2 AND made_at >= ?3 ORDER BY made_at DESC LIMIT ?4)";
    let values = params![org.0, id.0, since.micros(), MAX_COUNTED];
    Ok(conn.prepare_cached(sql)?.query_row(values, |row| {
        let (all, waiting): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(Health { tried: all - waiting, failed: row.get(2)?, waiting })
    })?)
}

fn endpoint_of(row: &Row<'_>) -> Result<Endpoint, StoreError> {
    let time = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    let (shape, kinds): (String, String) = (row.get(2)?, row.get(5)?);
    let disabled: Option<String> = row.get(9)?;
    let disabled = disabled.map(|text| Disabled::parse(&text).ok_or_else(|| unreadable("reason"))).transpose()?;
    Ok(Endpoint {
        org: OrgId(row.get(0)?),
        id: EndpointId(row.get(1)?),
        shape: Shape::parse(&shape).ok_or_else(|| unreadable("shape"))?,
        title: row.get(3)?,
        url: row.get(4)?,
        kinds: serde_json::from_str(&kinds)?,
        secret: row.get(6)?,
        old_secret: row.get::<_, Option<[u8; 32]>>(7)?.zip(time(row.get(8)?)),
        disabled: disabled.zip(time(row.get(10)?)),
        failures: row.get(11)?,
        failing_since: time(row.get(12)?),
        rests_until: Timestamp::from_micros(row.get(13)?),
        created_at: Timestamp::from_micros(row.get(14)?),
        created_by: row.get(15)?,
        last_taken_at: time(row.get(16)?),
        last_failed_at: time(row.get(17)?),
    })
}

/// What stands between scheme and path.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Notes a change, without what is secret: of the address its host alone.
fn note(
    tx: &mut Tx<'_>,
    by: &By,
    action: &'static str,
    before: Option<&Endpoint>,
    after: Option<&Endpoint>,
) -> Result<(), StoreError> {
    let Some(of) = after.or(before) else { return Ok(()) };
    let told = |of: &Endpoint| {
        json!({"shape": of.shape.as_str(), "title": of.title, "host": of.host(), "kinds": of.kinds,
            "disabled": of.disabled.map(|(why, _)| why.as_str())})
    };
    let change = Change { action, target: of.id.to_string(), before: before.map(told), after: after.map(told) };
    tx.note(of.org, by, change)
}
