//! Second factors: a secret that an authenticator app shares, and recovery codes for when the app is lost.
//!
//! A code is good once: [`Store::use_step`] and [`Store::use_recovery_code`] mark it used in the statement that finds it
//! unused, so that of two requests with the same code one is refused. Checking codes against the secret is the server's.

use crate::Store;
use crate::audit::By;
use crate::error::StoreError;
use crate::member::note_account;
use crate::tx::Tx;
use crate::user::UserId;
use ledger::Timestamp;
use rusqlite::params;

/// Codes that are given out at once.
pub const RECOVERY_CODES: usize = 10;
/// How long a browser may take between password and second factor.
pub const HALF_SESSION_US: i64 = 5 * 60 * 1_000_000;

/// What is known of somebody's second factor.
#[derive(Clone)]
pub struct SecondFactor {
    /// Base 32. Whoever has it can make codes.
    pub secret: String,
    /// Since when it is asked for; `None` while it is being set up.
    pub confirmed_at: Option<Timestamp>,
    /// Recovery codes that were not used yet.
    pub codes_left: i64,
}

/// Who owes a second factor.
#[derive(Debug, Clone)]
pub struct HalfSignedIn {
    /// The person.
    pub user: UserId,
    /// Their email.
    pub email: String,
}

impl Store {
    /// Somebody's second factor, confirmed or not.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn second_factor(&self, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
        let found: Option<(String, Option<i64>, i64)> = sqlx::query_as(
            "SELECT secret, confirmed_at,
                    (SELECT count(*) FROM recovery_code c WHERE c.user_id = f.user_id AND c.used_at IS NULL)
             FROM second_factor f WHERE user_id = ?1",
        )
        .bind(user.0)
        .fetch_optional(self.reader())
        .await?;
        Ok(found.map(|(secret, confirmed_at, codes_left)| SecondFactor {
            secret,
            confirmed_at: confirmed_at.map(Timestamp::from_micros),
            codes_left,
        }))
    }

    /// Begins to set one up; an unconfirmed one before it is forgotten.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where there is a confirmed one.
    pub async fn begin_second_factor(&self, user: UserId, secret: String) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            tx.conn
                .prepare_cached("DELETE FROM second_factor WHERE user_id = ?1 AND confirmed_at IS NULL")?
                .execute([user.0])?;
            let added = tx
                .conn
                .prepare_cached(
                    "INSERT INTO second_factor (user_id, secret, created_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                )?
                .execute(params![user.0, secret, now])?;
            if added == 0 { Err(StoreError::Conflict("second factor")) } else { Ok(()) }
        };
        self.writer().call(0, run).await
    }

    /// From now on the factor is asked for: a code of it, of `step`, was typed. `codes` are hashes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where none with this secret waits to be confirmed.
    pub async fn confirm_second_factor(
        &self,
        user: UserId,
        secret: String,
        step: i64,
        codes: Vec<[u8; 32]>,
        by: By,
    ) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            let confirmed = tx
                .conn
                .prepare_cached(
                    "UPDATE second_factor SET confirmed_at = ?2, last_step = ?3
                     WHERE user_id = ?1 AND secret = ?4 AND confirmed_at IS NULL",
                )?
                .execute(params![user.0, now, step, secret])?;
            if confirmed == 0 {
                return Err(StoreError::NotFound("second factor to confirm"));
            }
            put_codes(tx, user, &codes)?;
            note_account(tx, user, &by, "second_factor.on", None)
        };
        self.writer().call(0, run).await
    }

    /// New recovery codes in place of all old ones; `codes` are hashes.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn renew_recovery_codes(&self, user: UserId, codes: Vec<[u8; 32]>, by: By) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            put_codes(tx, user, &codes)?;
            note_account(tx, user, &by, "recovery_codes.renew", None)
        };
        self.writer().call(0, run).await
    }

    /// The factor is asked for no more, and its recovery codes are void.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none.
    pub async fn remove_second_factor(&self, user: UserId, by: By) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            put_codes(tx, user, &[])?;
            let removed = tx.conn.prepare_cached("DELETE FROM second_factor WHERE user_id = ?1")?.execute([user.0])?;
            if removed == 0 {
                return Err(StoreError::NotFound("second factor"));
            }
            note_account(tx, user, &by, "second_factor.off", None)
        };
        self.writer().call(0, run).await
    }

    /// Uses the code of a step; `false` where that or a later one was used before.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn use_step(&self, user: UserId, step: i64) -> Result<bool, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE second_factor SET last_step = ?2
                       WHERE user_id = ?1 AND last_step < ?2 AND confirmed_at IS NOT NULL";
            Ok(tx.conn.prepare_cached(sql)?.execute([user.0, step])? == 1)
        };
        self.writer().call(0, run).await
    }

    /// Uses a recovery code; `false` where it is none of theirs or was used before.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn use_recovery_code(&self, user: UserId, hash: [u8; 32], by: By) -> Result<bool, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            let used = tx
                .conn
                .prepare_cached(
                    "UPDATE recovery_code SET used_at = ?3 WHERE user_id = ?1 AND code_hash = ?2 AND used_at IS NULL",
                )?
                .execute(params![user.0, hash.as_slice(), now])?;
            if used == 1 {
                note_account(tx, user, &by, "recovery_code.use", None)?;
            }
            Ok(used == 1)
        };
        self.writer().call(0, run).await
    }

    /// Somebody gave the right password in this browser and owes the second factor.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn begin_half_session(&self, token_hash: [u8; 32], user: UserId) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            tx.conn.prepare_cached("DELETE FROM half_session WHERE expires_at <= ?1")?.execute([now])?;
            tx.conn
                .prepare_cached("INSERT INTO half_session (token_hash, user_id, expires_at) VALUES (?1, ?2, ?3)")?
                .execute(params![token_hash.as_slice(), user.0, now + HALF_SESSION_US])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }

    /// Who owes a second factor in this browser.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn half_session(&self, token_hash: [u8; 32]) -> Result<Option<HalfSignedIn>, StoreError> {
        let found: Option<(i64, String)> = sqlx::query_as(
            "SELECT h.user_id, u.email FROM half_session h JOIN user u ON u.user_id = h.user_id
             WHERE h.token_hash = ?1 AND h.expires_at > ?2",
        )
        .bind(token_hash.as_slice())
        .bind(self.now().micros())
        .fetch_optional(self.reader())
        .await?;
        Ok(found.map(|(user, email)| HalfSignedIn { user: UserId(user), email }))
    }

    /// The second factor was given, or will not be.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn end_half_session(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.conn
                .prepare_cached("DELETE FROM half_session WHERE token_hash = ?1")?
                .execute([token_hash.as_slice()])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }
}

fn put_codes(tx: &Tx<'_>, user: UserId, codes: &[[u8; 32]]) -> Result<(), StoreError> {
    tx.conn.prepare_cached("DELETE FROM recovery_code WHERE user_id = ?1")?.execute([user.0])?;
    for hash in codes {
        tx.conn
            .prepare_cached("INSERT INTO recovery_code (user_id, code_hash) VALUES (?1, ?2)")?
            .execute(params![user.0, hash.as_slice()])?;
    }
    Ok(())
}
