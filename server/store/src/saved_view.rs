//! Saved views of usage: each is somebody's, in one org, and seen by everybody there if they share it.
//!
//! Somebody else's view that is not shared is not there: asking for it says the same as for one that never was.

use crate::Store;
use crate::error::StoreError;
use crate::member::role_in;
use crate::tx::Tx;
use crate::user::UserId;
use ledger::saved_view::{MAX_QUERY_BYTES, MAX_VIEWS, ViewName, may_delete};
use ledger::{OrgId, Refusal};
use rusqlite::{OptionalExtension, params};

/// A view as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// Its number in the org.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// The query string of its page.
    pub query: String,
    /// Whether everybody in the org sees it.
    pub shared: bool,
    /// Whether it is the viewer's own.
    pub own: bool,
    /// Email of whoever saved it.
    pub owner: String,
}

/// What is to be kept.
#[derive(Debug, Clone)]
pub struct NewView {
    /// What it is called.
    pub name: ViewName,
    /// The query string of its page, as the app writes it.
    pub query: String,
    /// Whether everybody in the org may see it.
    pub shared: bool,
}

impl Store {
    /// Somebody's own views, then those that others share, each by name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn saved_views(&self, org: OrgId, user: UserId) -> Result<Vec<SavedView>, StoreError> {
        let found: Vec<(i64, String, String, bool, bool, String)> = sqlx::query_as(
            "SELECT v.view_id, v.name, v.query, v.shared, v.user_id = ?2, u.email
             FROM saved_view v JOIN user u ON u.user_id = v.user_id
             WHERE v.org_id = ?1 AND (v.user_id = ?2 OR v.shared) ORDER BY v.user_id <> ?2, v.name, v.view_id",
        )
        .bind(org.0)
        .bind(user.0)
        .fetch_all(self.reader())
        .await?;
        let view = |(id, name, query, shared, own, owner)| SavedView { id, name, query, shared, own, owner };
        Ok(found.into_iter().map(view).collect())
    }

    /// Keeps a view; one of the same person and name is overwritten. Its number.
    ///
    /// # Errors
    /// [`StoreError::BadRange`] where they have [`MAX_VIEWS`] already or the query is too long, [`StoreError::NotFound`]
    /// where they are no member.
    pub async fn save_view(&self, org: OrgId, user: UserId, new: NewView) -> Result<i64, StoreError> {
        check_query(&new.query)?;
        let run = move |tx: &mut Tx<'_>| {
            role_in(tx, org, user)?;
            let now = tx.now().micros();
            let known = "UPDATE saved_view SET query = ?4, shared = ?5, saved_at = ?6
                WHERE org_id = ?1 AND user_id = ?2 AND name = ?3 RETURNING view_id";
            let values = params![org.0, user.0, new.name.as_str(), new.query, new.shared, now];
            let known: Option<i64> = tx.conn.prepare_cached(known)?.query_row(values, |row| row.get(0)).optional()?;
            if let Some(id) = known {
                return Ok(id);
            }
            let count = "SELECT count(*) FROM saved_view WHERE org_id = ?1 AND user_id = ?2";
            let count: i64 = tx.conn.prepare_cached(count)?.query_row([org.0, user.0], |row| row.get(0))?;
            if count >= MAX_VIEWS {
                return Err(StoreError::BadRange("you have 100 saved views, and no more are kept: delete one first"));
            }
            let insert = "INSERT INTO saved_view (org_id, view_id, user_id, name, query, shared, saved_at)
                SELECT ?1, coalesce(max(view_id), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM saved_view WHERE org_id = ?1
                RETURNING view_id";
            let values = params![org.0, user.0, new.name.as_str(), new.query, new.shared, now];
            Ok(tx.conn.prepare_cached(insert)?.query_row(values, |row| row.get(0))?)
        };
        self.writer().call(0, run).await
    }

    /// Calls a view of one's own something else, and shares it or keeps it to oneself.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where one has no such view, [`StoreError::Conflict`] where one has another of that name.
    pub async fn rename_view(
        &self,
        org: OrgId,
        user: UserId,
        id: i64,
        name: ViewName,
        shared: bool,
    ) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let taken = "SELECT 1 FROM saved_view WHERE org_id = ?1 AND user_id = ?2 AND name = ?3 AND view_id <> ?4";
            if tx.conn.prepare_cached(taken)?.exists(params![org.0, user.0, name.as_str(), id])? {
                return Err(StoreError::Conflict("name"));
            }
            let sql = "UPDATE saved_view SET name = ?4, shared = ?5, saved_at = ?6
                WHERE org_id = ?1 AND user_id = ?2 AND view_id = ?3";
            let values = params![org.0, user.0, id, name.as_str(), shared, tx.now().micros()];
            match tx.conn.prepare_cached(sql)?.execute(values)? {
                0 => Err(StoreError::NotFound("saved view")),
                _ => Ok(()),
            }
        };
        self.writer().call(0, run).await
    }

    /// Deletes a view: one's own, or a shared one by those who run the org.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none that one may delete.
    pub async fn delete_view(&self, org: OrgId, user: UserId, id: i64) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let role = role_in(tx, org, user)?;
            let sql = "SELECT user_id = ?3, shared FROM saved_view WHERE org_id = ?1 AND view_id = ?2";
            let found =
                tx.conn.prepare_cached(sql)?.query_row([org.0, id, user.0], |row| Ok((row.get(0)?, row.get(1)?)));
            let found: Option<(bool, bool)> = found.optional()?;
            if !found.is_some_and(|(own, shared)| may_delete(role, own, shared)) {
                return Err(StoreError::NotFound("saved view"));
            }
            let delete = "DELETE FROM saved_view WHERE org_id = ?1 AND view_id = ?2";
            tx.conn.prepare_cached(delete)?.execute([org.0, id])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }
}

/// What somebody kept to themselves goes with them; what they share stays.
pub(crate) fn leave(tx: &Tx<'_>, org: OrgId, user: UserId) -> Result<(), StoreError> {
    let sql = "DELETE FROM saved_view WHERE org_id = ?1 AND user_id = ?2 AND shared = 0";
    tx.conn.prepare_cached(sql)?.execute([org.0, user.0])?;
    Ok(())
}

fn check_query(query: &str) -> Result<(), StoreError> {
    // What the app writes is escaped; anything else did not come from its form.
    if query.len() <= MAX_QUERY_BYTES && query.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let problem = format!("is longer than {MAX_QUERY_BYTES} bytes: choose fewer filters");
    Err(Refusal::BadLabel { field: "view", problem }.into())
}
