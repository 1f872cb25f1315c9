//! Mails about messages. Which messages a mail has is settled before it is sent, so that it is the same mail, under the same Message-ID,
//! however often it is tried.

use super::delivery::Message;
use super::message_of;
use crate::Store;
use crate::error::StoreError;
use crate::tx::Tx;
use crate::user::UserId;
use ledger::{OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

/// After how many seconds a mail is tried again, each counted from the try before: three days in all, as for letters about money.
const RETRY_AFTER_S: [i64; 8] = [60, 300, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400];
/// Mails made, or read, at once.
const AT_ONCE: u32 = 100;
/// Messages that a mail tells of one by one; of more it says how many.
pub const MAX_TOLD: u32 = 50;
/// Longest error that is kept.
const MAX_ERROR_CHARS: usize = 500;

/// A mail to one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMail {
    /// In which org.
    pub org: OrgId,
    /// Its number within the org.
    pub id: i64,
    /// To whom.
    pub user: UserId,
    /// Their address; none where they are no member any more, or want no mails by now.
    pub to: Option<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// What it tells, oldest first: the newest [`MAX_TOLD`].
    pub messages: Vec<Message>,
    /// How many it would tell in all.
    pub count: u32,
}

impl Store {
    /// Makes mails of what is to be mailed by now, one for each member; tells how many.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn gather_mails(&self) -> Result<usize, StoreError> {
        let now = self.now().micros();
        let waiting = move |conn: &Connection| {
            let sql = "SELECT DISTINCT org_id, user_id FROM inbox WHERE mail_at <= ?1 LIMIT ?2";
            let mut select = conn.prepare_cached(sql)?;
            let rows = select.query_map(params![now, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<Vec<(i64, i64)>, _>>()?)
        };
        let waiting = self.read(waiting).await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let run = move |tx: &mut Tx<'_>| {
            for (org, user) in &waiting {
                make(tx, OrgId(*org), UserId(*user), now)?;
            }
            Ok(waiting.len())
        };
        self.writer().call(0, run).await
    }

    /// Mails whose time has come, those that wait longest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn mails_due(&self) -> Result<Vec<OutboxMail>, StoreError> {
        let now = self.now();
        self.read(move |conn| due(conn, now)).await
    }

    /// Notes that a mail was sent, or why not; then it is tried again, or given up. `is_final`: trying again would not help.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn mail_tried(
        &self,
        org: OrgId,
        id: i64,
        error: Option<String>,
        is_final: bool,
    ) -> Result<(), StoreError> {
        let error = error.map(|text| text.chars().take(MAX_ERROR_CHARS).collect::<String>());
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            let tries = "SELECT tries FROM mail WHERE org_id = ?1 AND mail_id = ?2";
            let found: Option<u32> =
                tx.conn.prepare_cached(tries)?.query_row([org.0, id], |row| row.get(0)).optional()?;
            let Some(tries) = found else { return Ok(()) };
            let wait = usize::try_from(tries).ok().and_then(|tries| RETRY_AFTER_S.get(tries));
            let again = wait.filter(|_| error.is_some() && !is_final).map(|seconds| now + seconds * 1_000_000);
            let sent_at = error.is_none().then_some(now);
            let sql = "UPDATE mail SET tries = tries + 1, next_try_at = ?3, sent_at = ?4, error = ?5
                WHERE org_id = ?1 AND mail_id = ?2";
            tx.conn.prepare_cached(sql)?.execute(params![org.0, id, again, sent_at, error])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }
}

fn make(tx: &mut Tx<'_>, org: OrgId, user: UserId, until: i64) -> Result<(), StoreError> {
    tx.org(org)?;
    let waits = "SELECT 1 FROM inbox WHERE org_id = ?1 AND user_id = ?2 AND mail_at <= ?3";
    // They may have changed their wishes since they were found.
    if !tx.conn.prepare_cached(waits)?.exists(params![org.0, user.0, until])? {
        return Ok(());
    }
    let insert = "INSERT INTO mail (org_id, mail_id, user_id, made_at, next_try_at)
        SELECT ?1, coalesce(max(mail_id), 0) + 1, ?2, ?3, ?3 FROM mail WHERE org_id = ?1 RETURNING mail_id";
    let values = params![org.0, user.0, tx.now().micros()];
    let id: i64 = tx.conn.prepare_cached(insert)?.query_row(values, |row| row.get(0))?;
    let put = "UPDATE inbox SET mail_id = ?4, mail_at = NULL WHERE org_id = ?1 AND user_id = ?2 AND mail_at <= ?3";
    tx.conn.prepare_cached(put)?.execute(params![org.0, user.0, until, id])?;
    Ok(())
}

fn due(conn: &Connection, now: Timestamp) -> Result<Vec<OutboxMail>, StoreError> {
    let sql = "SELECT l.org_id, l.mail_id, l.user_id, l.made_at, (
            SELECT u.email FROM member m JOIN user u ON u.user_id = m.user_id
            WHERE m.org_id = l.org_id AND m.user_id = l.user_id AND NOT EXISTS (
                SELECT 1 FROM person_channel c WHERE c.org_id = l.org_id AND c.user_id = l.user_id AND c.mail = 0))
        FROM mail l WHERE l.next_try_at <= ?1 ORDER BY l.next_try_at, l.org_id, l.mail_id LIMIT ?2";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(params![now.micros(), AT_ONCE])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (org, id) = (OrgId(row.get(0)?), row.get(1)?);
        let (messages, count) = told(conn, org, id)?;
        found.push(OutboxMail {
            org,
            id,
            user: UserId(row.get(2)?),
            made_at: Timestamp::from_micros(row.get(3)?),
            to: row.get(4)?,
            messages,
            count,
        });
    }
    Ok(found)
}

fn told(conn: &Connection, org: OrgId, id: i64) -> Result<(Vec<Message>, u32), StoreError> {
    let count = "SELECT count(*) FROM inbox WHERE org_id = ?1 AND mail_id = ?2";
    let count = conn.prepare_cached(count)?.query_row([org.0, id], |row| row.get(0))?;
    let sql = "SELECT m.message_id, m.kind, m.public_id, m.data, m.made_at
        FROM inbox i JOIN message m ON m.org_id = i.org_id AND m.message_id = i.message_id
        WHERE i.org_id = ?1 AND i.mail_id = ?2 ORDER BY i.message_id DESC LIMIT ?3";
    let mut select = conn.prepare_cached(sql)?;
    let rows = select.query_and_then(params![org.0, id, MAX_TOLD], |row| message_of(row, 0))?;
    let mut messages: Vec<Message> = rows.collect::<Result<_, _>>()?;
    messages.reverse();
    Ok((messages, count))
}
