//! API keys, by their hashes.

use crate::Store;
use crate::error::StoreError;
use crate::rows::unreadable;
use ledger::label::{MAX_LABEL_BYTES, check_text};
use ledger::{OrgId, Timestamp};
use rusqlite::params;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Keys remembered at once; beyond it all are forgotten and looked up again.
const MAX_REMEMBERED: usize = 10_000;

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

/// A key and when it ends.
type Remembered = (Key, Option<Timestamp>);

impl KeyCache {
    /// The key, if it is remembered and in force; otherwise what [`KeyCache::remember`] must be told.
    fn find(&self, hash: &[u8; 32], now: Timestamp) -> Result<Key, u64> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match keys.known.get(hash) {
            Some((key, expires_at)) if expires_at.is_none_or(|at| at > now) => Ok(key.clone()),
            _ => Err(keys.forgotten),
        }
    }

    fn remember(&self, hash: [u8; 32], key: Key, expires_at: Option<Timestamp>, forgotten: u64) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.forgotten != forgotten {
            return;
        }
        if keys.known.len() >= MAX_REMEMBERED {
            keys.known.clear();
        }
        keys.known.insert(hash, (key, expires_at));
    }

    fn forget(&self) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.known.clear();
        keys.forgotten += 1;
    }
}

/// An API key's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub i64);

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
    /// All of the above.
    Admin,
}

impl Scope {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::EventsWrite, Self::UsageRead, Self::LedgerRead, Self::LedgerWrite, Self::BillingWrite, Self::Admin];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventsWrite => "events:write",
            Self::UsageRead => "usage:read",
            Self::LedgerRead => "ledger:read",
            Self::LedgerWrite => "ledger:write",
            Self::BillingWrite => "billing:write",
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
    /// Until when.
    pub expires_at: Option<Timestamp>,
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
}

impl Key {
    /// Whether it may do what `scope` stands for.
    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }
}

impl Store {
    /// Makes a key.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a bad name, [`StoreError::NotFound`] for the org.
    pub async fn create_key(&self, new: NewKey) -> Result<KeyId, StoreError> {
        check_text("name", &new.name, MAX_LABEL_BYTES)?;
        let run = move |tx: &mut crate::tx::Tx<'_>| {
            crate::org::zone(tx.conn, new.org)?;
            let scopes = new.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",");
            let now = tx.now().micros();
            let id = tx
                .conn
                .prepare_cached(
                    "INSERT INTO api_key (org_id, name, prefix, key_hash, scopes, created_at, expires_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING key_id",
                )?
                .query_row(
                    params![
                        new.org.0,
                        new.name,
                        new.prefix,
                        new.hash.as_slice(),
                        scopes,
                        now,
                        new.expires_at.map(Timestamp::micros)
                    ],
                    |row| row.get(0).map(KeyId),
                )?;
            Ok(id)
        };
        let made = self.writer().call(0, run).await;
        self.keys().forget();
        made
    }

    /// The key of that hash, if it is in force.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn key(&self, hash: [u8; 32]) -> Result<Option<Key>, StoreError> {
        let forgotten = match self.keys().find(&hash, self.now()) {
            Ok(key) => return Ok(Some(key)),
            Err(forgotten) => forgotten,
        };
        let found: Option<(i64, i64, String, String, Option<i64>)> = sqlx::query_as(
            "SELECT key_id, org_id, prefix, scopes, expires_at FROM api_key
             WHERE key_hash = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
        )
        .bind(hash.as_slice())
        .bind(self.now().micros())
        .fetch_optional(self.reader())
        .await?;
        let Some((id, org, prefix, scopes, expires_at)) = found else { return Ok(None) };
        let scopes = scopes
            .split(',')
            .map(|name| Scope::parse(name).ok_or_else(|| unreadable("scope")))
            .collect::<Result<Vec<_>, _>>()?;
        let key = Key { id: KeyId(id), org: OrgId(org), prefix, scopes };
        self.keys().remember(hash, key.clone(), expires_at.map(Timestamp::from_micros), forgotten);
        Ok(Some(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_changed_while_it_was_looked_up_is_not_remembered() {
        let cache = KeyCache::default();
        let (hash, now) = ([1; 32], Timestamp::from_micros(0));
        let key = Key { id: KeyId(1), org: OrgId(1), prefix: "abcdefgh".to_owned(), scopes: vec![] };
        let looked_up = cache.find(&hash, now).expect_err("nothing is remembered yet");
        cache.forget();
        cache.remember(hash, key.clone(), None, looked_up);
        let looked_up = cache.find(&hash, now).expect_err("what was out of date is not remembered");
        cache.remember(hash, key.clone(), None, looked_up);
        assert_eq!(cache.find(&hash, now), Ok(key));
    }
}
