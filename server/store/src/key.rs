//! API keys, by their hashes.
//!
//! Every change is noted in the audit log and makes the cache forget, so that the next request meets it. That a key is used
//! is noted beside the requests, never in their way, and at most every ten minutes.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::once::{Done, Once};
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::label::{MAX_LABEL_BYTES, check_text};
use ledger::{KeyId, Label, OrgId, Refusal, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Keys remembered at once; beyond it all are forgotten and looked up again.
const MAX_REMEMBERED: usize = 10_000;
/// Keys in force that one org may have: enough for a key per service and project.
pub const MAX_KEYS: usize = 1_000;
/// Keys on one page, at most.
pub const MAX_PAGE: u32 = 200;
/// Longest time for which a rotated key goes on beside its successor.
pub const MAX_OVERLAP_HOURS: u32 = 168;
/// How often it is noted that a key is used.
const USED_EVERY_US: i64 = 10 * 60 * 1_000_000;
const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// Keys in force that were looked up lately, by hash, with their expiry: a look-up costs more than the event it is for.
/// Every change of a key goes through this process's one writer and forgets them all, so it counts at the next request.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(Mutex<Keys>);

#[derive(Debug, Default)]
struct Keys {
    known: HashMap<[u8; 32], Remembered>,
    /// How often all were forgotten. What was looked up before the last time may be out of date and is not remembered.
    forgotten: u64,
}

#[derive(Debug)]
struct Remembered {
    key: Key,
    expires_at: Option<Timestamp>,
    used_at: Option<Timestamp>,
}

impl Remembered {
    /// Whether its use is to be noted now; then it counts as noted.
    fn is_worth_noting(&mut self, now: Timestamp) -> bool {
        let since = |at: Timestamp| now.micros().saturating_sub(at.micros());
        let worth = self.used_at.is_none_or(|at| since(at) >= USED_EVERY_US);
        if worth {
            self.used_at = Some(now);
        }
        worth
    }
}

impl KeyCache {
    /// The key, if it is remembered and in force, and whether its use is to be noted; otherwise what
    /// [`KeyCache::remember`] must be told.
    fn find(&self, hash: &[u8; 32], now: Timestamp) -> Result<(Key, bool), u64> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = keys.forgotten;
        match keys.known.get_mut(hash) {
            Some(found) if found.expires_at.is_none_or(|at| at > now) => {
                Ok((found.key.clone(), found.is_worth_noting(now)))
            }
            _ => Err(forgotten),
        }
    }

    fn remember(&self, hash: [u8; 32], found: Remembered, forgotten: u64) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.forgotten != forgotten {
            return;
        }
        if keys.known.len() >= MAX_REMEMBERED {
            keys.known.clear();
        }
        keys.known.insert(hash, found);
    }

    pub(crate) fn forget(&self) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.known.clear();
        keys.forgotten += 1;
    }
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Report usage.
    EventsWrite,
    /// Read usage and events.
    UsageRead,
    /// Read balance, grants and entries.
    LedgerRead,
    /// Grant, hold, correct.
    LedgerWrite,
    /// Buy.
    BillingWrite,
    /// Set alerts, budgets and webhooks.
    AlertsWrite,
    /// All of the above.
    Admin,
}

impl Scope {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::EventsWrite,
        Self::UsageRead,
        Self::LedgerRead,
        Self::LedgerWrite,
        Self::BillingWrite,
        Self::AlertsWrite,
        Self::Admin,
    ];

    /// What a key of one project can have: everything else reaches beyond it.
    pub const OF_PROJECT: [Self; 2] = [Self::EventsWrite, Self::UsageRead];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventsWrite => "events:write",
            Self::UsageRead => "usage:read",
            Self::LedgerRead => "ledger:read",
            Self::LedgerWrite => "ledger:write",
            Self::BillingWrite => "billing:write",
            Self::AlertsWrite => "alerts:write",
            Self::Admin => "admin",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// What makes a key.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose.
    pub org: OrgId,
    /// What people call it.
    pub name: String,
    /// Its first characters, shown so that people recognise it.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The only project that it may report and read.
    pub project: Option<Label>,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

impl NewKey {
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        check_text("name", &self.name, MAX_LABEL_BYTES)?;
        let bad = |problem| Err(Refusal::BadKey { problem });
        if self.scopes.is_empty() {
            return bad("a key needs at least one scope: choose what it is for");
        }
        if self.project.is_some() && !self.scopes.iter().all(|scope| Scope::OF_PROJECT.contains(scope)) {
            return bad(
                "a key of one project can have events:write and usage:read only: leave the others or the project out",
            );
        }
        Ok(())
    }
}

/// The secret that takes the place of a key.
#[derive(Debug, Clone)]
pub struct Successor {
    /// Its first characters.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    /// For how many more hours the old one goes on; 0 ends it at once.
    pub overlap_hours: u32,
}

/// A key that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its number.
    pub id: KeyId,
    /// Whose.
    pub org: OrgId,
    /// Its first characters.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The only project that it may report and read.
    pub project: Option<Label>,
}

impl Key {
    /// Whether it may do what `scope` stands for.
    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }
}

/// How a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    /// In force.
    Active,
    /// In force for a while beside the one that takes its place.
    Rotated,
    /// Its time is over.
    Expired,
    /// Somebody ended it.
    Revoked,
}

impl KeyStatus {
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Rotated => "rotated",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// A key as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its number.
    pub id: KeyId,
    /// What people call it.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The only project that it may report and read.
    pub project: Option<Label>,
    /// Since when.
    pub created_at: Timestamp,
    /// Who made it; empty where that was not noted yet.
    pub created_by: String,
    /// Until when.
    pub expires_at: Option<Timestamp>,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to ten minutes.
    pub used_at: Option<Timestamp>,
    /// What took its place.
    pub replaced_by: Option<KeyId>,
    /// How it stands.
    pub status: KeyStatus,
}

/// Which keys are wanted, newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyPage {
    /// Only those in force.
    pub active: bool,
    /// Only those before this one.
    pub before: Option<KeyId>,
    /// How many, up to [`MAX_PAGE`].
    pub limit: u32,
}

const COLUMNS: &str =
    "key_id, name, prefix, scopes, project, created_at, created_by, expires_at, revoked_at, used_at, replaced_by";

/// Key, org, prefix, scopes, project, expiry, last use.
type FoundRow = (i64, i64, String, String, Option<String>, Option<i64>, Option<i64>);

impl Store {
    /// Makes a key.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a bad name, no scope, or more than [`MAX_KEYS`]; [`StoreError::NotFound`] for the org.
    pub async fn create_key(&self, by: By, new: NewKey, once: Option<Once>) -> Result<Done<KeyId>, StoreError> {
        new.check()?;
        let run = move |tx: &mut Tx<'_>| tx.once(new.org, once.as_ref(), |tx| tx.create_key(&by, &new));
        let made = self.writer().call(0, run).await;
        self.keys().forget();
        made
    }

    /// Makes another key of the same name, scopes and length of life; the old one goes on for the overlap, then ends.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`Refusal::KeyEnded`]; [`Refusal::BadKey`] for too long an overlap.
    pub async fn rotate_key(
        &self,
        by: By,
        org: OrgId,
        id: KeyId,
        to: Successor,
        once: Option<Once>,
    ) -> Result<Done<KeyId>, StoreError> {
        if to.overlap_hours > MAX_OVERLAP_HOURS {
            return Err(Refusal::BadKey { problem: "the old key can go on for 0 to 168 hours" }.into());
        }
        let run = move |tx: &mut Tx<'_>| tx.once(org, once.as_ref(), |tx| tx.rotate_key(&by, org, id, &to));
        let made = self.writer().call(0, run).await;
        self.keys().forget();
        made
    }

    /// Ends a key: the next request with it is refused. Ending one that has ended changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn revoke_key(&self, by: By, org: OrgId, id: KeyId) -> Result<KeyRow, StoreError> {
        let ended = self.writer().call(0, move |tx| tx.revoke_key(&by, org, id)).await;
        self.keys().forget();
        ended
    }

    /// A page of keys, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn api_keys(&self, org: OrgId, page: KeyPage) -> Result<Vec<KeyRow>, StoreError> {
        let now = self.now();
        self.read(move |conn| {
            let sql = format!(
                "SELECT {COLUMNS} FROM api_key WHERE org_id = ?1 AND key_id < ?2
                    AND (NOT ?3 OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?4)))
                 ORDER BY key_id DESC LIMIT ?5"
            );
            let mut select = conn.prepare_cached(&sql)?;
            let before = page.before.map_or(i64::MAX, |id| id.0);
            let limit = page.limit.min(MAX_PAGE);
            let mut rows = select.query(params![org.0, before, page.active, now.micros(), limit])?;
            let mut keys = Vec::new();
            while let Some(row) = rows.next()? {
                keys.push(key_row(row, now)?);
            }
            Ok(keys)
        })
        .await
    }

    /// One key.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for one of another org.
    pub async fn api_key(&self, org: OrgId, id: KeyId) -> Result<KeyRow, StoreError> {
        let now = self.now();
        self.read(move |conn| one(conn, org, id, now)).await
    }

    /// The key of that hash, if it is in force.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn key(&self, hash: [u8; 32]) -> Result<Option<Key>, StoreError> {
        let now = self.now();
        let forgotten = match self.keys().find(&hash, now) {
            Ok((key, worth_noting)) => {
                if worth_noting {
                    self.note_use(key.id);
                }
                return Ok(Some(key));
            }
            Err(forgotten) => forgotten,
        };
        let found: Option<FoundRow> = sqlx::query_as(
            "SELECT key_id, org_id, prefix, scopes, project, expires_at, used_at FROM api_key
             WHERE key_hash = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
        )
        .bind(hash.as_slice())
        .bind(now.micros())
        .fetch_optional(self.reader())
        .await?;
        let Some((id, org, prefix, scopes, project, expires_at, used_at)) = found else { return Ok(None) };
        let (scopes, project) = (scopes_of(&scopes)?, project_of(project)?);
        let key = Key { id: KeyId(id), org: OrgId(org), prefix, scopes, project };
        let (expires_at, used_at) = (expires_at.map(Timestamp::from_micros), used_at.map(Timestamp::from_micros));
        let mut found = Remembered { key: key.clone(), expires_at, used_at };
        if found.is_worth_noting(now) {
            self.note_use(key.id);
        }
        self.keys().remember(hash, found, forgotten);
        Ok(Some(key))
    }

    /// Notes that a key was used, beside the request: nobody waits for it, and where the queue is full it is left out.
    fn note_use(&self, id: KeyId) {
        let writing = self.writer();
        tokio::spawn(async move {
            let run = move |tx: &mut Tx<'_>| {
                let now = tx.now().micros();
                tx.conn
                    .prepare_cached("UPDATE api_key SET used_at = ?2 WHERE key_id = ?1")?
                    .execute(params![id.0, now])?;
                Ok(())
            };
            if let Err(error) = writing.call(0, run).await {
                tracing::debug!(%error, "a key's last use was not noted");
            }
        });
    }
}

impl Tx<'_> {
    /// Makes a key, as [`Store::create_key`]; the caller has checked what it may, and forgets what is known of keys.
    pub(crate) fn create_key(&mut self, by: &By, new: &NewKey) -> Result<KeyId, StoreError> {
        crate::org::zone(self.conn, new.org)?;
        let now = self.now();
        let in_force: i64 = self
            .conn
            .prepare_cached(
                "SELECT count(*) FROM api_key
                 WHERE org_id = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
            )?
            .query_row([new.org.0, now.micros()], |row| row.get(0))?;
        if usize::try_from(in_force).unwrap_or(usize::MAX) >= MAX_KEYS {
            return Err(Refusal::TooMany { field: "keys in force", max: MAX_KEYS }.into());
        }
        let made = self.insert_key(by, new)?;
        let (target, after) = (made.id.to_string(), Some(told(&made)));
        self.note(new.org, by, Change { action: "key.create", target, before: None, after })?;
        Ok(made.id)
    }

    fn insert_key(&mut self, by: &By, new: &NewKey) -> Result<KeyRow, StoreError> {
        let now = self.now();
        let scopes = new.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",");
        let id: i64 = self
            .conn
            .prepare_cached(
                "INSERT INTO api_key (org_id, name, prefix, key_hash, scopes, project, created_at, created_by, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING key_id",
            )?
            .query_row(
                params![
                    new.org.0,
                    new.name,
                    new.prefix,
                    new.hash.as_slice(),
                    scopes,
                    new.project.as_ref().map(Label::as_str),
                    now.micros(),
                    by.actor,
                    new.expires_at.map(Timestamp::micros)
                ],
                |row| row.get(0),
            )?;
        one(self.conn, new.org, KeyId(id), now)
    }

    fn rotate_key(&mut self, by: &By, org: OrgId, id: KeyId, to: &Successor) -> Result<KeyId, StoreError> {
        let now = self.now();
        let old = one(self.conn, org, id, now)?;
        if old.status != KeyStatus::Active {
            return Err(Refusal::KeyEnded.into());
        }
        let life = |end: Timestamp| end.micros().saturating_sub(old.created_at.micros());
        let new = NewKey {
            org,
            name: old.name.clone(),
            prefix: to.prefix.clone(),
            hash: to.hash,
            scopes: old.scopes.clone(),
            project: old.project.clone(),
            expires_at: old.expires_at.map(|end| Timestamp::from_micros(now.micros().saturating_add(life(end)))),
        };
        // It takes the place of one in force: the bound has room for it.
        let made = self.insert_key(by, &new)?;
        let end = Timestamp::from_micros(now.micros() + i64::from(to.overlap_hours) * MICROS_PER_HOUR);
        let end = old.expires_at.map_or(end, |before| before.min(end));
        let revoked = (to.overlap_hours == 0).then_some(now.micros());
        self.conn
            .prepare_cached("UPDATE api_key SET replaced_by = ?2, expires_at = ?3, revoked_at = ?4 WHERE key_id = ?1")?
            .execute(params![id.0, made.id.0, end.micros(), revoked])?;
        let (before, mut after) = (told(&old), told(&made));
        after["key"] = json!(made.id.to_string());
        after["old_key_ends_at"] = json!(end.to_string());
        let change = Change { action: "key.rotate", target: id.to_string(), before: Some(before), after: Some(after) };
        self.note(org, by, change)?;
        Ok(made.id)
    }

    fn revoke_key(&mut self, by: &By, org: OrgId, id: KeyId) -> Result<KeyRow, StoreError> {
        let now = self.now();
        let old = one(self.conn, org, id, now)?;
        if matches!(old.status, KeyStatus::Revoked | KeyStatus::Expired) {
            return Ok(old);
        }
        self.conn
            .prepare_cached("UPDATE api_key SET revoked_at = ?2 WHERE key_id = ?1")?
            .execute([id.0, now.micros()])?;
        let change = Change { action: "key.revoke", target: id.to_string(), before: Some(told(&old)), after: None };
        self.note(org, by, change)?;
        one(self.conn, org, id, now)
    }
}

/// What the audit log says of a key: neither the secret nor its hash.
fn told(key: &KeyRow) -> Value {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    json!({
        "name": key.name,
        "prefix": key.prefix,
        "scopes": scopes,
        "project": key.project.as_ref().map(Label::as_str),
        "expires_at": key.expires_at.map(|at| at.to_string()),
    })
}

fn one(conn: &Connection, org: OrgId, id: KeyId, now: Timestamp) -> Result<KeyRow, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM api_key WHERE org_id = ?1 AND key_id = ?2");
    let mut select = conn.prepare_cached(&sql)?;
    let found = select.query_row([org.0, id.0], |row| Ok(key_row(row, now))).optional()?;
    found.ok_or(StoreError::NotFound("key"))?
}

fn key_row(row: &Row<'_>, now: Timestamp) -> Result<KeyRow, StoreError> {
    let time = |index: usize| Ok::<_, StoreError>(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_micros));
    let (expires_at, revoked_at) = (time(7)?, time(8)?);
    let replaced_by: Option<i64> = row.get(10)?;
    let status = match (revoked_at, expires_at) {
        (Some(_), _) => KeyStatus::Revoked,
        (None, Some(end)) if end <= now => KeyStatus::Expired,
        (None, _) if replaced_by.is_some() => KeyStatus::Rotated,
        (None, _) => KeyStatus::Active,
    };
    Ok(KeyRow {
        id: KeyId(row.get(0)?),
        name: row.get(1)?,
        prefix: row.get(2)?,
        scopes: scopes_of(&row.get::<_, String>(3)?)?,
        project: project_of(row.get(4)?)?,
        created_at: Timestamp::from_micros(row.get(5)?),
        created_by: row.get(6)?,
        expires_at,
        revoked_at,
        used_at: time(9)?,
        replaced_by: replaced_by.map(KeyId),
        status,
    })
}

fn scopes_of(text: &str) -> Result<Vec<Scope>, StoreError> {
    text.split(',').map(|name| Scope::parse(name).ok_or_else(|| unreadable("scope"))).collect()
}

fn project_of(text: Option<String>) -> Result<Option<Label>, StoreError> {
    text.map(|text| Label::parse("project", &text).map_err(|_| unreadable("project"))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_changed_while_it_was_looked_up_is_not_remembered() {
        let cache = KeyCache::default();
        let (hash, now) = ([1; 32], Timestamp::from_micros(0));
        let key = Key { id: KeyId(1), org: OrgId(1), prefix: "abcdefgh".to_owned(), scopes: vec![], project: None };
        let found = || Remembered { key: key.clone(), expires_at: None, used_at: Some(now) };
        let looked_up = cache.find(&hash, now).expect_err("nothing is remembered yet");
        cache.forget();
        cache.remember(hash, found(), looked_up);
        let looked_up = cache.find(&hash, now).expect_err("what was out of date is not remembered");
        cache.remember(hash, found(), looked_up);
        assert_eq!(cache.find(&hash, now), Ok((key.clone(), false)));
        let later = Timestamp::from_micros(USED_EVERY_US);
        assert_eq!(cache.find(&hash, later), Ok((key.clone(), true)), "its use is noted again after ten minutes");
        assert_eq!(cache.find(&hash, later), Ok((key, false)));
    }
}
