//! Passkeys: the public half of a key that somebody's device or password manager holds.
//!
//! What a signature proves is the server's to check. Here a passkey is used by the statement that finds it as it was when
//! it was checked ([`Store::use_passkey`]), so that of two sign-ins with the same counter one is refused.

use crate::Store;
use crate::audit::By;
use crate::error::StoreError;
use crate::member::note_account;
use crate::rows::unreadable;
use crate::tx::Tx;
use crate::user::UserId;
use ledger::{Refusal, Timestamp};
use rusqlite::{OptionalExtension, params};
use serde_json::json;

/// Passkeys of one person: more are signs of a program.
pub const MAX_PASSKEYS: usize = 20;
/// Longest name of one, in characters.
pub const MAX_NAME_CHARS: usize = 60;

/// A passkey as its person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Its number.
    pub id: i64,
    /// What its person calls it.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it signed in last.
    pub used_at: Option<Timestamp>,
}

/// A passkey to check a signature with.
#[derive(Debug, Clone)]
pub struct Passkey {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub user: UserId,
    /// What its holder was told of its person.
    pub handle: [u8; 16],
    /// The public key and its counter, as JSON.
    pub credential: String,
}

/// A passkey to be kept.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    /// By which its holder names it.
    pub credential_id: Vec<u8>,
    /// What its holder was told of its person.
    pub handle: [u8; 16],
    /// What its person calls it.
    pub name: String,
    /// The public key and its counter, as JSON.
    pub credential: String,
}

impl Store {
    /// Somebody's passkeys, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn passkeys(&self, user: UserId) -> Result<Vec<PasskeyRow>, StoreError> {
        let found: Vec<(i64, String, i64, Option<i64>)> = sqlx::query_as(
            "SELECT passkey_id, name, created_at, used_at FROM passkey WHERE user_id = ?1 ORDER BY passkey_id",
        )
        .bind(user.0)
        .fetch_all(self.reader())
        .await?;
        let row = |(id, name, created_at, used_at): (i64, String, i64, Option<i64>)| PasskeyRow {
            id,
            name,
            created_at: Timestamp::from_micros(created_at),
            used_at: used_at.map(Timestamp::from_micros),
        };
        Ok(found.into_iter().map(row).collect())
    }

    /// What the holders of somebody's passkeys know them and their keys as: the handle, and the keys' ids.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn passkey_ids(&self, user: UserId) -> Result<Option<([u8; 16], Vec<Vec<u8>>)>, StoreError> {
        let found: Vec<(Vec<u8>, Vec<u8>)> =
            sqlx::query_as("SELECT handle, credential_id FROM passkey WHERE user_id = ?1 ORDER BY passkey_id")
                .bind(user.0)
                .fetch_all(self.reader())
                .await?;
        let Some(first) = found.first().map(|(handle, _)| handle_of(handle)).transpose()? else { return Ok(None) };
        Ok(Some((first, found.into_iter().map(|(_, id)| id).collect())))
    }

    /// The passkey that its holder calls so.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn passkey(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError> {
        let found: Option<(i64, i64, Vec<u8>, String)> =
            sqlx::query_as("SELECT passkey_id, user_id, handle, credential FROM passkey WHERE credential_id = ?1")
                .bind(credential_id)
                .fetch_optional(self.reader())
                .await?;
        let passkey = |(id, user, handle, credential): (i64, i64, Vec<u8>, String)| {
            Ok(Passkey { id, user: UserId(user), handle: handle_of(&handle)?, credential })
        };
        found.map(passkey).transpose()
    }

    /// Keeps a passkey.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it is somebody's already, [`StoreError::Refused`] where there are [`MAX_PASSKEYS`],
    /// [`StoreError::BadRange`] for a name that is none.
    pub async fn add_passkey(&self, user: UserId, new: NewPasskey, by: By) -> Result<(), StoreError> {
        check_name(&new.name)?;
        let run = move |tx: &mut Tx<'_>| {
            let count = "SELECT count(*) FROM passkey WHERE user_id = ?1";
            let count: i64 = tx.conn.prepare_cached(count)?.query_row([user.0], |row| row.get(0))?;
            if usize::try_from(count).is_ok_and(|count| count >= MAX_PASSKEYS) {
                return Err(Refusal::TooMany { field: "passkeys", max: MAX_PASSKEYS }.into());
            }
            let now = tx.now().micros();
            let added = tx
                .conn
                .prepare_cached(
                    "INSERT INTO passkey (user_id, credential_id, handle, name, credential, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                )?
                .execute(params![user.0, new.credential_id, new.handle.as_slice(), new.name, new.credential, now])?;
            if added == 0 {
                return Err(StoreError::Conflict("passkey"));
            }
            note_account(tx, user, &by, "passkey.add", Some(&json!({ "name": new.name })))
        };
        self.writer().call(0, run).await
    }

    /// A passkey has signed: `after` is what is known of it now. `false` where it is gone, or has signed since it was read.
    ///
    /// # Errors
    /// Where the writer is busy or stopped.
    pub async fn use_passkey(&self, before: Passkey, after: String) -> Result<bool, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            let sql = "UPDATE passkey SET credential = ?3, used_at = ?4 WHERE passkey_id = ?1 AND credential = ?2";
            Ok(tx.conn.prepare_cached(sql)?.execute(params![before.id, before.credential, after, now])? == 1)
        };
        self.writer().call(0, run).await
    }

    /// Calls a passkey something else.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is none of theirs; [`StoreError::BadRange`] for a name that is none.
    pub async fn rename_passkey(&self, user: UserId, id: i64, name: String, by: By) -> Result<(), StoreError> {
        check_name(&name)?;
        let run = move |tx: &mut Tx<'_>| {
            let before = name_of(tx, user, id)?;
            let sql = "UPDATE passkey SET name = ?3 WHERE user_id = ?1 AND passkey_id = ?2";
            tx.conn.prepare_cached(sql)?.execute(params![user.0, id, name])?;
            note_account(tx, user, &by, "passkey.rename", Some(&json!({ "from": before, "name": name })))
        };
        self.writer().call(0, run).await
    }

    /// A passkey signs nobody in any more, from now on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is none of theirs.
    pub async fn remove_passkey(&self, user: UserId, id: i64, by: By) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let name = name_of(tx, user, id)?;
            tx.conn
                .prepare_cached("DELETE FROM passkey WHERE user_id = ?1 AND passkey_id = ?2")?
                .execute([user.0, id])?;
            note_account(tx, user, &by, "passkey.remove", Some(&json!({ "name": name })))
        };
        self.writer().call(0, run).await
    }
}

fn name_of(tx: &Tx<'_>, user: UserId, id: i64) -> Result<String, StoreError> {
    let sql = "SELECT name FROM passkey WHERE user_id = ?1 AND passkey_id = ?2";
    let found = tx.conn.prepare_cached(sql)?.query_row([user.0, id], |row| row.get(0)).optional()?;
    found.ok_or(StoreError::NotFound("passkey"))
}

fn check_name(name: &str) -> Result<(), StoreError> {
    let good = (1..=MAX_NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if good { Ok(()) } else { Err(StoreError::BadRange("not a name for a passkey")) }
}

fn handle_of(bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes.try_into().map_err(|_| unreadable("handle of a passkey"))
}
