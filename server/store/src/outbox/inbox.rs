//! What people were told in the app: the bell and the page behind it.

use super::delivery::Message;
use super::message_of;
use crate::Store;
use crate::error::StoreError;
use crate::tx::Tx;
use crate::user::UserId;
use ledger::{MessageId, OrgId, Timestamp};
use rusqlite::{Connection, params};

/// Messages on one page, at most.
pub const MAX_PAGE: u32 = 100;
/// From there on nobody counts: the bell says `99+`.
pub const MAX_COUNTED: u32 = 100;

/// A message as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it says.
    pub message: Message,
    /// When they read it.
    pub read_at: Option<Timestamp>,
}

impl Store {
    /// How many messages somebody has not read, up to [`MAX_COUNTED`], and the number of the newest that they were told; 0 for none.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bell(&self, org: OrgId, user: UserId) -> Result<(u32, i64), StoreError> {
        let run = move |conn: &Connection| {
            let sql = "SELECT (SELECT count(*) FROM (SELECT 1 FROM inbox
                    WHERE org_id = ?1 AND user_id = ?2 AND in_app = 1 AND read_at IS NULL LIMIT ?3)),
                coalesce((SELECT message_id FROM inbox WHERE org_id = ?1 AND user_id = ?2 AND in_app = 1
                    ORDER BY message_id DESC LIMIT 1), 0)";
            let values = params![org.0, user.0, MAX_COUNTED];
            Ok(conn.prepare_cached(sql)?.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?)
        };
        self.read(run).await
    }

    /// What somebody was told, newest first; only what they have not read, if so asked.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn inbox(
        &self,
        org: OrgId,
        user: UserId,
        unread: bool,
        before: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<Told>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = "SELECT m.message_id, m.kind, m.public_id, m.data, m.made_at, i.read_at
                FROM inbox i JOIN message m ON m.org_id = i.org_id AND m.message_id = i.message_id
                WHERE i.org_id = ?1 AND i.user_id = ?2 AND i.in_app = 1 AND (NOT ?3 OR i.read_at IS NULL)
                  AND (?4 IS NULL OR i.message_id < ?4) ORDER BY i.message_id DESC LIMIT ?5";
            let mut select = conn.prepare_cached(sql)?;
            let values = params![org.0, user.0, unread, before.map(|id| id.0), limit.min(MAX_PAGE + 1)];
            let told = |row: &rusqlite::Row<'_>| -> Result<Told, StoreError> {
                let read_at: Option<i64> = row.get(5)?;
                Ok(Told { message: message_of(row, 0)?, read_at: read_at.map(Timestamp::from_micros) })
            };
            select.query_and_then(values, told)?.collect()
        };
        self.read(run).await
    }

    /// Notes that somebody read a message, or all up to it. Reading what was read, or is not there, changes nothing.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn mark_read(&self, org: OrgId, user: UserId, id: MessageId, all: bool) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            let sql =
                "UPDATE inbox SET read_at = ?5 WHERE org_id = ?1 AND user_id = ?2 AND in_app = 1 AND read_at IS NULL
                AND (message_id = ?3 OR (?4 AND message_id < ?3))";
            let changed = tx.conn.prepare_cached(sql)?.execute(params![org.0, user.0, id.0, all, tx.now().micros()])?;
            if changed > 0 {
                // Their other tabs follow.
                tx.moved(org);
            }
            Ok(())
        };
        self.writer().call(0, run).await
    }
}

/// Whoever leaves an org has no inbox there any more, and no wishes.
pub(crate) fn leave(tx: &Tx<'_>, org: OrgId, user: UserId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM inbox WHERE org_id = ?1 AND user_id = ?2",
        "DELETE FROM person_channel WHERE org_id = ?1 AND user_id = ?2",
    ] {
        tx.conn.prepare_cached(sql)?.execute([org.0, user.0])?;
    }
    Ok(())
}
