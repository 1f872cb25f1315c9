//! People, and what they are in which org.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::rows::unreadable;
use ledger::{OrgId, Role};
use rusqlite::{OptionalExtension, params};
use serde_json::json;

/// A person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(pub i64);

/// Who signs in with an email.
#[derive(Debug, Clone)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Lower case.
    pub email: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// Whether they may give and correct credits from the pages.
    pub operator: bool,
}

impl Store {
    /// Makes a person; an operator may give and correct credits from the pages.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the email is taken, [`StoreError::BadRange`] where it is none.
    pub async fn create_user(&self, email: &str, password_hash: &str, operator: bool) -> Result<UserId, StoreError> {
        let email = normalized(email).ok_or(StoreError::BadRange("not an email address"))?;
        let hash = password_hash.to_owned();
        let run = move |tx: &mut crate::tx::Tx<'_>| insert(tx, &email, &hash, operator);
        self.writer().call(0, run).await
    }

    /// Makes a person a member of an org, or changes what they are there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org or the person.
    pub async fn add_member(&self, org: OrgId, user: UserId, role: Role) -> Result<(), StoreError> {
        let run = move |tx: &mut crate::tx::Tx<'_>| {
            crate::org::zone(tx.conn, org)?;
            let email: Option<String> = tx
                .conn
                .prepare_cached("SELECT email FROM user WHERE user_id = ?1")?
                .query_row([user.0], |row| row.get(0))
                .optional()?;
            let email = email.ok_or(StoreError::NotFound("person"))?;
            let before: Option<String> = tx
                .conn
                .prepare_cached("SELECT role FROM member WHERE org_id = ?1 AND user_id = ?2")?
                .query_row([org.0, user.0], |row| row.get(0))
                .optional()?;
            let now = tx.now().micros();
            tx.conn
                .prepare_cached(
                    "INSERT INTO member (org_id, user_id, role, created_at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET role = excluded.role",
                )?
                .execute(params![org.0, user.0, role.as_str(), now])?;
            let before = before.map(|role| json!({"role": role}));
            let after = Some(json!({"role": role.as_str()}));
            tx.note(org, &By::command(), Change { action: "member.add", target: email, before, after })
        };
        self.writer().call(0, run).await
    }

    /// The person with that email.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        let Some(email) = normalized(email) else { return Ok(None) };
        let found: Option<(i64, String, String, bool)> =
            sqlx::query_as("SELECT user_id, email, password_hash, operator FROM user WHERE email = ?1")
                .bind(email)
                .fetch_optional(self.reader())
                .await?;
        Ok(found.map(|(id, email, password_hash, operator)| User { id: UserId(id), email, password_hash, operator }))
    }
}

/// Writes a person, in the transaction of whatever makes them one.
pub(crate) fn insert(tx: &crate::tx::Tx<'_>, email: &str, hash: &str, operator: bool) -> Result<UserId, StoreError> {
    if tx.conn.prepare_cached("SELECT 1 FROM user WHERE email = ?1")?.exists([email])? {
        return Err(StoreError::Conflict("email"));
    }
    let now = tx.now().micros();
    let sql = "INSERT INTO user (email, password_hash, created_at, operator) VALUES (?1, ?2, ?3, ?4) RETURNING user_id";
    Ok(tx.conn.prepare_cached(sql)?.query_row(params![email, hash, now, operator], |row| row.get(0).map(UserId))?)
}

/// An email as it is compared: trimmed, lower case; `None` where it has no place to send to.
pub(crate) fn normalized(email: &str) -> Option<String> {
    let email = email.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    // What mail programs take for another form of address, or for several, is none here.
    let plain = email.len() <= 256
        && !email.chars().any(|c| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c))
        && !local.contains('@');
    (plain && !local.is_empty() && !domain.is_empty()).then_some(email)
}

pub(crate) fn role_of(text: &str) -> Result<Role, StoreError> {
    Role::parse(text).ok_or_else(|| unreadable("role"))
}
