//! Accounts at a service elsewhere (OpenID Connect): whom that service knows a person as.
//!
//! A link is made once and counts from then on: whatever email the service states later changes nothing. Nobody is made a
//! person by it; somebody who is none yet comes by an invitation ([`Store::accept_invitation`]).

use crate::Store;
use crate::audit::By;
use crate::error::StoreError;
use crate::member::note_account;
use crate::tx::Tx;
use crate::user::UserId;
use rusqlite::params;
use serde_json::json;

/// Whom a service names. Both texts are the service's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The service: its address.
    pub issuer: String,
    /// The person there. Never changes, and is not given to another.
    pub subject: String,
}

impl Store {
    /// The person whom a service knows as that.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn user_by_subject(&self, subject: &Subject) -> Result<Option<(UserId, String)>, StoreError> {
        let found: Option<(i64, String)> = sqlx::query_as(
            "SELECT i.user_id, u.email FROM account_elsewhere i JOIN user u ON u.user_id = i.user_id
             WHERE i.issuer = ?1 AND i.subject = ?2",
        )
        .bind(&subject.issuer)
        .bind(&subject.subject)
        .fetch_optional(self.reader())
        .await?;
        Ok(found.map(|(user, email)| (UserId(user), email)))
    }

    /// Whether somebody has an account at that service.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn is_linked(&self, user: UserId, issuer: &str) -> Result<bool, StoreError> {
        let found: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM account_elsewhere WHERE user_id = ?1 AND issuer = ?2")
                .bind(user.0)
                .bind(issuer)
                .fetch_optional(self.reader())
                .await?;
        Ok(found.is_some())
    }

    /// From now on that service signs this person in as that.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the service knows them as somebody else, or somebody else as that.
    pub async fn link_subject(&self, user: UserId, subject: Subject, by: By) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            let Subject { issuer, subject } = &subject;
            let linked = tx
                .conn
                .prepare_cached(
                    "INSERT INTO account_elsewhere (issuer, subject, user_id, created_at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO NOTHING",
                )?
                .execute(params![issuer, subject, user.0, now])?;
            if linked == 0 {
                return Err(StoreError::Conflict("account at the service"));
            }
            note_account(tx, user, &by, "elsewhere.link", Some(&json!({ "issuer": issuer, "subject": subject })))
        };
        self.writer().call(0, run).await
    }

    /// The service signs this person in no more; with the next sign-in there they can be linked again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it did not.
    pub async fn unlink_subject(&self, user: UserId, issuer: String, by: By) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM account_elsewhere WHERE user_id = ?1 AND issuer = ?2";
            if tx.conn.prepare_cached(sql)?.execute(params![user.0, issuer])? == 0 {
                return Err(StoreError::NotFound("account at the service"));
            }
            note_account(tx, user, &by, "elsewhere.unlink", Some(&json!({ "issuer": issuer })))
        };
        self.writer().call(0, run).await
    }
}
