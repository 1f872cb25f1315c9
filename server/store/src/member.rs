//! Who belongs to an org, as what. Whether a change may be made is [`ledger::member`]'s to say, asked inside the
//! transaction that makes it, of the roles as they are there: two owners who demote each other at once cannot both succeed.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::tx::Tx;
use crate::user::{UserId, role_of};
use crate::{outbox, saved_view};
use ledger::member::check_change;
use ledger::{OrgId, Role, Timestamp};
use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

/// Members, and invitations, that an org has at most: a page shows them all.
pub const MAX_MEMBERS: i64 = 500;

/// A member as pages list them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user: UserId,
    /// Their email.
    pub email: String,
    /// What they are here.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
    /// Whether a second factor is asked of them.
    pub second_factor: bool,
}

/// An org that somebody may look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The org.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// What they are there.
    pub role: Role,
}

impl Store {
    /// Everybody in an org, highest role first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn members(&self, org: OrgId) -> Result<Vec<Member>, StoreError> {
        let found: Vec<(i64, String, String, i64, bool)> = sqlx::query_as(
            "SELECT m.user_id, u.email, m.role, m.created_at,
                    EXISTS (SELECT 1 FROM second_factor f WHERE f.user_id = m.user_id AND f.confirmed_at IS NOT NULL)
             FROM member m JOIN user u ON u.user_id = m.user_id WHERE m.org_id = ?1 ORDER BY u.email",
        )
        .bind(org.0)
        .fetch_all(self.reader())
        .await?;
        let row = |(user, email, role, since, second_factor): (i64, String, String, i64, bool)| {
            let (role, since) = (role_of(&role)?, Timestamp::from_micros(since));
            Ok(Member { user: UserId(user), email, role, since, second_factor })
        };
        let mut members = found.into_iter().map(row).collect::<Result<Vec<_>, StoreError>>()?;
        // The sort is stable: within a role by email.
        members.sort_by_key(|member| Role::ALL.iter().position(|role| *role == member.role));
        Ok(members)
    }

    /// Since when somebody belongs to an org; `None` where they do not.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn member_since(&self, org: OrgId, user: UserId) -> Result<Option<Timestamp>, StoreError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT created_at FROM member WHERE org_id = ?1 AND user_id = ?2")
            .bind(org.0)
            .bind(user.0)
            .fetch_optional(self.reader())
            .await?;
        Ok(found.map(Timestamp::from_micros))
    }

    /// Where somebody is a member, by name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, StoreError> {
        let found: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT m.org_id, o.name, m.role FROM member m JOIN org o ON o.org_id = m.org_id
             WHERE m.user_id = ?1 ORDER BY o.name",
        )
        .bind(user.0)
        .fetch_all(self.reader())
        .await?;
        found
            .into_iter()
            .map(|(org, name, role)| Ok(Membership { org: OrgId(org), name, role: role_of(&role)? }))
            .collect()
    }

    /// Makes a member something else, or takes them out of the org (`to` is none). `actor` asks for it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where either is no member; [`StoreError::Refused`] by [`check_change`].
    pub async fn change_member(
        &self,
        org: OrgId,
        actor: UserId,
        user: UserId,
        to: Option<Role>,
        by: By,
    ) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let (mine, from) = (role_in(tx, org, actor)?, role_in(tx, org, user)?);
            check_change(mine, from, to, owners(tx, org)?)?;
            match to {
                Some(role) => set_role(tx, org, user, role)?,
                None => remove(tx, org, user)?,
            }
            let action = match to {
                Some(_) => "member.role",
                None if actor == user => "member.leave",
                None => "member.remove",
            };
            let role = |role: Role| json!({ "role": role.as_str() });
            let target = email_of(tx, user)?;
            tx.note(org, &by, Change { action, target, before: Some(role(from)), after: to.map(role) })
        };
        self.writer().call(0, run).await
    }
}

fn set_role(tx: &Tx<'_>, org: OrgId, user: UserId, role: Role) -> Result<(), StoreError> {
    let sql = "UPDATE member SET role = ?3 WHERE org_id = ?1 AND user_id = ?2";
    tx.conn.prepare_cached(sql)?.execute(params![org.0, user.0, role.as_str()])?;
    Ok(())
}

/// Their sessions go on elsewhere, or end with the next request where there is no elsewhere.
fn remove(tx: &Tx<'_>, org: OrgId, user: UserId) -> Result<(), StoreError> {
    let keys = [org.0, user.0];
    saved_view::leave(tx, org, user)?;
    outbox::inbox::leave(tx, org, user)?;
    tx.conn.prepare_cached("DELETE FROM member WHERE org_id = ?1 AND user_id = ?2")?.execute(keys)?;
    for table in [
        "UPDATE session SET org_id = NULL WHERE org_id = ?1",
        "UPDATE user SET last_org_id = NULL WHERE last_org_id = ?1",
    ] {
        tx.conn.prepare_cached(&format!("{table} AND user_id = ?2"))?.execute(keys)?;
    }
    Ok(())
}

/// What somebody is in an org, as the transaction sees it.
pub(crate) fn role_in(tx: &Tx<'_>, org: OrgId, user: UserId) -> Result<Role, StoreError> {
    let sql = "SELECT role FROM member WHERE org_id = ?1 AND user_id = ?2";
    let found: Option<String> = tx.conn.prepare_cached(sql)?.query_row([org.0, user.0], |row| row.get(0)).optional()?;
    role_of(&found.ok_or(StoreError::NotFound("member"))?)
}

/// Somebody joins, or is what they are told to be from now on.
pub(crate) fn join(tx: &Tx<'_>, org: OrgId, user: UserId, role: Role) -> Result<(), StoreError> {
    let now = tx.now().micros();
    tx.conn
        .prepare_cached(
            "INSERT INTO member (org_id, user_id, role, created_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET role = excluded.role",
        )?
        .execute(params![org.0, user.0, role.as_str(), now])?;
    Ok(())
}

/// The email of a person.
pub(crate) fn email_of(tx: &Tx<'_>, user: UserId) -> Result<String, StoreError> {
    let sql = "SELECT email FROM user WHERE user_id = ?1";
    let found = tx.conn.prepare_cached(sql)?.query_row([user.0], |row| row.get(0)).optional()?;
    found.ok_or(StoreError::NotFound("person"))
}

/// Notes what somebody did to their own account in every org they belong to: whoever answers for an org must see when an
/// account that opens it changes hands.
pub(crate) fn note_account(
    tx: &mut Tx<'_>,
    user: UserId,
    by: &By,
    action: &'static str,
    after: Option<&Value>,
) -> Result<(), StoreError> {
    let target = email_of(tx, user)?;
    let orgs: Vec<i64> = tx
        .conn
        .prepare_cached("SELECT org_id FROM member WHERE user_id = ?1 ORDER BY org_id")?
        .query_map([user.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for org in orgs {
        tx.note(OrgId(org), by, Change { action, target: target.clone(), before: None, after: after.cloned() })?;
    }
    Ok(())
}

fn owners(tx: &Tx<'_>, org: OrgId) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM member WHERE org_id = ?1 AND role = 'owner'";
    Ok(tx.conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0))?)
}
