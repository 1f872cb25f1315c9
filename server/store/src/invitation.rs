//! Asking somebody to join an org: a link that works once and for a week. Only the hash of its token is stored.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::member::{self, MAX_MEMBERS, join, role_in};
use crate::tx::Tx;
use crate::user::{UserId, normalized, role_of};
use ledger::member::check_making;
use ledger::{OrgId, Refusal, Role, Timestamp};
use rusqlite::{OptionalExtension, params};
use serde_json::json;

/// How long an invitation can be accepted.
pub const LIFE_US: i64 = 7 * 24 * 3_600 * 1_000_000;

/// Somebody who was asked and has not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its number in the org.
    pub id: i64,
    /// Where it went.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// Email of whoever asked.
    pub invited_by: String,
    /// When it was sent last.
    pub sent_at: Timestamp,
    /// Until when the link works.
    pub expires_at: Timestamp,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The org.
    pub org: OrgId,
    /// Its name.
    pub org_name: String,
    /// Whom it is for.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// Email of whoever asked.
    pub invited_by: String,
    /// Whether there is an account with this email.
    pub has_account: bool,
}

/// Who accepts.
#[derive(Debug, Clone)]
pub enum Guest {
    /// Somebody who is signed in.
    Known(UserId),
    /// Somebody new, with the hash of the password they chose.
    New(String),
}

impl Store {
    /// Asks somebody to join; whoever was asked before gets a new link, and the old one is void.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where they are a member already, [`StoreError::BadRange`] for what is no email,
    /// [`StoreError::Refused`] for a role that `actor` may not give or too many invitations.
    pub async fn invite(
        &self,
        org: OrgId,
        actor: UserId,
        email: &str,
        role: Role,
        token_hash: [u8; 32],
        by: By,
    ) -> Result<Invitation, StoreError> {
        let email = normalized(email).ok_or(StoreError::BadRange("not an email address"))?;
        let run = move |tx: &mut Tx<'_>| {
            check_making(role_in(tx, org, actor)?, role)?;
            let is_member =
                "SELECT 1 FROM member m JOIN user u ON u.user_id = m.user_id WHERE m.org_id = ?1 AND u.email = ?2";
            if tx.conn.prepare_cached(is_member)?.exists(params![org.0, email])? {
                return Err(StoreError::Conflict("member"));
            }
            let invited_by = member::email_of(tx, actor)?;
            let invitation = put(tx, org, &email, role, token_hash, &invited_by)?;
            let after = Some(json!({ "role": role.as_str(), "expires_at": invitation.expires_at.to_string() }));
            tx.note(org, &by, Change { action: "invitation.send", target: email.clone(), before: None, after })?;
            Ok(invitation)
        };
        self.writer().call(0, run).await
    }

    /// Who was asked and has not answered, by email; also those whose link is over.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn invitations(&self, org: OrgId) -> Result<Vec<Invitation>, StoreError> {
        let found: Vec<(i64, String, String, String, i64, i64)> = sqlx::query_as(
            "SELECT invitation_id, email, role, invited_by, created_at, expires_at FROM invitation
             WHERE org_id = ?1 ORDER BY email",
        )
        .bind(org.0)
        .fetch_all(self.reader())
        .await?;
        let row = |(id, email, role, invited_by, sent, expires): (i64, String, String, String, i64, i64)| {
            let (sent_at, expires_at) = (Timestamp::from_micros(sent), Timestamp::from_micros(expires));
            Ok(Invitation { id, email, role: role_of(&role)?, invited_by, sent_at, expires_at })
        };
        found.into_iter().map(row).collect()
    }

    /// Takes an invitation back: its link is void.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Refused`] where only owners may.
    pub async fn revoke_invitation(&self, org: OrgId, actor: UserId, id: i64, by: By) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let found: Option<(String, String)> = tx
                .conn
                .prepare_cached(
                    "DELETE FROM invitation WHERE org_id = ?1 AND invitation_id = ?2 RETURNING email, role",
                )?
                .query_row([org.0, id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (target, role) = found.ok_or(StoreError::NotFound("invitation"))?;
            check_making(role_in(tx, org, actor)?, role_of(&role)?)?;
            let before = Some(json!({ "role": role }));
            tx.note(org, &by, Change { action: "invitation.revoke", target, before, after: None })
        };
        self.writer().call(0, run).await
    }

    /// What a link leads to; `None` where it was used, taken back, replaced or is over.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn invited(&self, token_hash: [u8; 32]) -> Result<Option<Invited>, StoreError> {
        let found: Option<(i64, String, String, String, String, bool)> = sqlx::query_as(
            "SELECT i.org_id, o.name, i.email, i.role, i.invited_by, EXISTS (SELECT 1 FROM user u WHERE u.email = i.email)
             FROM invitation i JOIN org o ON o.org_id = i.org_id WHERE i.token_hash = ?1 AND i.expires_at > ?2",
        )
        .bind(token_hash.as_slice())
        .bind(self.now().micros())
        .fetch_optional(self.reader())
        .await?;
        let invited = |(org, org_name, email, role, invited_by, has_account): (i64, _, _, String, _, _)| {
            Ok(Invited { org: OrgId(org), org_name, email, role: role_of(&role)?, invited_by, has_account })
        };
        found.map(invited).transpose()
    }

    /// Joins by a link, which is used up. Whoever is known must be whom it is for.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where the link is no longer good or for somebody else; [`StoreError::Conflict`] where
    /// somebody made an account with this email meanwhile.
    pub async fn accept_invitation(
        &self,
        token_hash: [u8; 32],
        guest: Guest,
        address: Option<String>,
    ) -> Result<(UserId, OrgId), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            let found: Option<(i64, String, String)> = tx
                .conn
                .prepare_cached(
                    "DELETE FROM invitation WHERE token_hash = ?1 AND expires_at > ?2 RETURNING org_id, email, role",
                )?
                .query_row(params![token_hash.as_slice(), now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let (org, email, role) = found.ok_or(StoreError::NotFound("invitation"))?;
            let (org, role) = (OrgId(org), role_of(&role)?);
            let user = match &guest {
                Guest::Known(user) if member::email_of(tx, *user)? == email => *user,
                Guest::Known(_) => return Err(StoreError::NotFound("invitation")),
                Guest::New(hash) => crate::user::insert(tx, &email, hash, false)?,
            };
            join(tx, org, user, role)?;
            tx.conn.prepare_cached("UPDATE user SET last_org_id = ?2 WHERE user_id = ?1")?.execute([user.0, org.0])?;
            let after = Some(json!({ "role": role.as_str() }));
            let by = By::user(&email, address.clone());
            tx.note(org, &by, Change { action: "invitation.accept", target: email, before: None, after })?;
            Ok((user, org))
        };
        self.writer().call(0, run).await
    }
}

fn put(
    tx: &Tx<'_>,
    org: OrgId,
    email: &str,
    role: Role,
    token_hash: [u8; 32],
    invited_by: &str,
) -> Result<Invitation, StoreError> {
    let now = tx.now();
    let (sent, expires) = (now.micros(), now.micros() + LIFE_US);
    tx.conn
        .prepare_cached("DELETE FROM invitation WHERE org_id = ?1 AND email = ?2")?
        .execute(params![org.0, email])?;
    let (id, count): (i64, i64) = tx
        .conn
        .prepare_cached("SELECT coalesce(max(invitation_id), 0) + 1, count(*) FROM invitation WHERE org_id = ?1")?
        .query_row([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if count >= MAX_MEMBERS {
        return Err(Refusal::TooMany { field: "invitations", max: 500 }.into());
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO invitation (org_id, invitation_id, email, role, token_hash, invited_by, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![org.0, id, email, role.as_str(), token_hash.as_slice(), invited_by, sent, expires])?;
    let (sent_at, expires_at) = (now, Timestamp::from_micros(expires));
    Ok(Invitation { id, email: email.to_owned(), role, invited_by: invited_by.to_owned(), sent_at, expires_at })
}
