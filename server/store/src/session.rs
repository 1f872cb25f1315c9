//! Signed-in browsers. Only the hash of a token is stored: a stolen database signs nobody in.

use crate::Store;
use crate::error::StoreError;
use crate::user::{UserId, role_of};
use ledger::{OrgId, Role, Timestamp};
use rusqlite::params;

/// Without a request for this long a session ends.
pub const IDLE_LIMIT_US: i64 = 24 * 3_600 * 1_000_000;
/// A session's last use is written at most this often: reading pages must not queue writes.
const SEEN_EVERY_US: i64 = 10 * 60 * 1_000_000;

/// Who is behind a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The person.
    pub user: UserId,
    /// Their email.
    pub email: String,
    /// The org they look at: the first they are a member of.
    pub org: OrgId,
    /// What they are there.
    pub role: Role,
    /// Whether they may give and correct credits.
    pub operator: bool,
}

impl Store {
    /// Begins a session; ended ones are swept away in passing.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn create_session(
        &self,
        token_hash: [u8; 32],
        user: UserId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let run = move |tx: &mut crate::tx::Tx<'_>| {
            let now = tx.now().micros();
            tx.conn
                .prepare_cached("DELETE FROM session WHERE expires_at <= ?1 OR seen_at <= ?1 - ?2")?
                .execute([now, IDLE_LIMIT_US])?;
            tx.conn
                .prepare_cached("INSERT INTO session (token_hash, user_id, created_at, seen_at, expires_at) VALUES (?1, ?2, ?3, ?3, ?4)")?
                .execute(params![token_hash.as_slice(), user.0, now, expires_at.micros()])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }

    /// Ends a session, if there is one.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn end_session(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        let run = move |tx: &mut crate::tx::Tx<'_>| {
            tx.conn.prepare_cached("DELETE FROM session WHERE token_hash = ?1")?.execute([token_hash.as_slice()])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }

    /// Who is behind a token; `None` where the session has ended, was idle too long, or belongs to no org any more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn session(&self, token_hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        let now = self.now().micros();
        let found: Option<(i64, String, i64, String, i64, bool)> = sqlx::query_as(
            "SELECT s.user_id, u.email, m.org_id, m.role, s.seen_at, u.operator FROM session s
             JOIN user u ON u.user_id = s.user_id JOIN member m ON m.user_id = s.user_id
             WHERE s.token_hash = ?1 AND s.expires_at > ?2 AND s.seen_at > ?2 - ?3 ORDER BY m.created_at, m.org_id LIMIT 1",
        )
        .bind(token_hash.as_slice())
        .bind(now)
        .bind(IDLE_LIMIT_US)
        .fetch_optional(self.reader())
        .await?;
        let Some((user, email, org, role, seen_at, operator)) = found else { return Ok(None) };
        if seen_at < now - SEEN_EVERY_US {
            self.touch_session(token_hash).await;
        }
        Ok(Some(Session { user: UserId(user), email, org: OrgId(org), role: role_of(&role)?, operator }))
    }

    /// Notes that a session was used. Best effort: a full queue only makes it look idle a little longer.
    async fn touch_session(&self, token_hash: [u8; 32]) {
        let run = move |tx: &mut crate::tx::Tx<'_>| {
            let now = tx.now().micros();
            tx.conn
                .prepare_cached("UPDATE session SET seen_at = ?2 WHERE token_hash = ?1")?
                .execute(params![token_hash.as_slice(), now])?;
            Ok(())
        };
        if let Err(error) = self.writer().call(0, run).await {
            tracing::debug!(%error, "a session's last use was not noted");
        }
    }
}
