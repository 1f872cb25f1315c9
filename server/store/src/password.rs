//! Changing and forgetting passwords. Hashing is the server's; here are only hashes, and links that work once.

use crate::Store;
use crate::audit::By;
use crate::error::StoreError;
use crate::member::{email_of, note_account};
use crate::tx::Tx;
use crate::user::UserId;
use rusqlite::{OptionalExtension, params};

/// How long a link that sets a new password works.
pub const RESET_US: i64 = 3_600 * 1_000_000;
/// Links that one person can have open: asking again and again must not fill the disk.
const MAX_RESETS: i64 = 5;

impl Store {
    /// The hash of somebody's password.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn password_hash(&self, user: UserId) -> Result<String, StoreError> {
        let found: Option<(String,)> = sqlx::query_as("SELECT password_hash FROM user WHERE user_id = ?1")
            .bind(user.0)
            .fetch_optional(self.reader())
            .await?;
        found.map(|(hash,)| hash).ok_or(StoreError::NotFound("person"))
    }

    /// Another password. Every session but `keep` ends, and so do links that would set yet another.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the person.
    pub async fn change_password(
        &self,
        user: UserId,
        password_hash: String,
        keep: [u8; 32],
        by: By,
    ) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| set(tx, user, &password_hash, Some(keep), &by, "password.change");
        self.writer().call(0, run).await
    }

    /// Lets whoever has the token set a new password for an hour.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn begin_reset(&self, user: UserId, token_hash: [u8; 32]) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            tx.conn.prepare_cached("DELETE FROM password_reset WHERE expires_at <= ?1")?.execute([now])?;
            tx.conn
                .prepare_cached(
                    "DELETE FROM password_reset WHERE user_id = ?1 AND token_hash NOT IN
                     (SELECT token_hash FROM password_reset WHERE user_id = ?1 ORDER BY expires_at DESC LIMIT ?2)",
                )?
                .execute([user.0, MAX_RESETS - 1])?;
            tx.conn
                .prepare_cached("INSERT INTO password_reset (token_hash, user_id, expires_at) VALUES (?1, ?2, ?3)")?
                .execute(params![token_hash.as_slice(), user.0, now + RESET_US])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }

    /// Whose password a token can set; `None` where it was used or is over.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn reset_of(&self, token_hash: [u8; 32]) -> Result<Option<(UserId, String)>, StoreError> {
        let found: Option<(i64, String)> = sqlx::query_as(
            "SELECT r.user_id, u.email FROM password_reset r JOIN user u ON u.user_id = r.user_id
             WHERE r.token_hash = ?1 AND r.expires_at > ?2",
        )
        .bind(token_hash.as_slice())
        .bind(self.now().micros())
        .fetch_optional(self.reader())
        .await?;
        Ok(found.map(|(user, email)| (UserId(user), email)))
    }

    /// Sets a new password by a token, which is used up. Every session ends.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the token was used or is over.
    pub async fn reset_password(
        &self,
        token_hash: [u8; 32],
        password_hash: String,
        address: Option<String>,
    ) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            let found: Option<i64> = tx
                .conn
                .prepare_cached("SELECT user_id FROM password_reset WHERE token_hash = ?1 AND expires_at > ?2")?
                .query_row(params![token_hash.as_slice(), now], |row| row.get(0))
                .optional()?;
            let user = UserId(found.ok_or(StoreError::NotFound("link"))?);
            let by = By::user(&email_of(tx, user)?, address.clone());
            set(tx, user, &password_hash, None, &by, "password.reset")
        };
        self.writer().call(0, run).await
    }
}

fn set(
    tx: &mut Tx<'_>,
    user: UserId,
    hash: &str,
    keep: Option<[u8; 32]>,
    by: &By,
    action: &'static str,
) -> Result<(), StoreError> {
    tx.conn.prepare_cached("UPDATE user SET password_hash = ?2 WHERE user_id = ?1")?.execute(params![user.0, hash])?;
    // No token hashes to the empty text, so that without one to keep every session ends.
    let keep = keep.map(Vec::from).unwrap_or_default();
    tx.conn
        .prepare_cached("DELETE FROM session WHERE user_id = ?1 AND token_hash <> ?2")?
        .execute(params![user.0, keep])?;
    for table in ["half_session", "password_reset"] {
        tx.conn.prepare_cached(&format!("DELETE FROM {table} WHERE user_id = ?1"))?.execute([user.0])?;
    }
    note_account(tx, user, by, action, None)
}
