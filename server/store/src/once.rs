//! Writes that are done once, however often they are sent: an `Idempotency-Key`, and the answer that belongs to it.
//!
//! The answer is kept in the transaction of what it answers, for as long as the ledger lives. What was refused is not
//! kept: nothing was posted, so the same request may be tried again.

use crate::error::StoreError;
use crate::tx::Tx;
use ledger::canon::Hash;
use ledger::{OrgId, Refusal};
use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest key in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// What makes two requests the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The caller's key: 1 to [`MAX_KEY_BYTES`] bytes.
    pub key: String,
    /// SHA-256 over what is asked: operation and body.
    pub request: Hash,
}

/// An answer, and whether it was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// The answer.
    pub answer: T,
    /// Whether nothing was done because it had been done before.
    pub replayed: bool,
}

impl Tx<'_> {
    /// Runs `run`, unless it was run for this key before.
    pub(crate) fn once<T: Serialize + DeserializeOwned>(
        &mut self,
        org: OrgId,
        once: Option<&Once>,
        run: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Done<T>, StoreError> {
        let Some(Once { key, request }) = once else { return Ok(Done { answer: run(self)?, replayed: false }) };
        let known: Option<(Hash, String)> = self
            .conn
            .prepare_cached("SELECT request, answer FROM idempotency WHERE org_id = ?1 AND key = ?2")?
            .query_row(params![org.0, key], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((before, answer)) = known {
            if before != *request {
                return Err(Refusal::IdempotencyConflict.into());
            }
            return Ok(Done { answer: serde_json::from_str(&answer)?, replayed: true });
        }
        let answer = run(self)?;
        let now = self.now().micros();
        self.conn
            .prepare_cached(
                "INSERT INTO idempotency (org_id, key, request, answer, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![org.0, key, request.as_slice(), serde_json::to_string(&answer)?, now])?;
        Ok(Done { answer, replayed: false })
    }
}
