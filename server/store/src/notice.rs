//! What people are to be told: a row, written in the transaction that caused it, so that it is neither lost nor told of
//! something that was undone. A job sends it by mail, at least once.
//!
//! A mail that was not taken is tried again, later each time, and given up after [`RETRY_AFTER_S`] is used up. One that is given up, or
//! that nobody could be found for, keeps its error.

use crate::Store;
use crate::error::StoreError;
use crate::tx::Tx;
use ledger::{NoticeId, OrgId, Permission, Role, Timestamp};
use rusqlite::{Connection, params};
use serde_json::Value;

/// After how many seconds a mail is tried again, each counted from the try before: three days in all. A mail server that is down over
/// a weekend loses nothing; an address that does not exist is not asked for ever.
const RETRY_AFTER_S: [i64; 8] = [60, 300, 1_800, 7_200, 21_600, 43_200, 86_400, 86_400];
/// Longest error that is kept.
const MAX_ERROR_CHARS: usize = 500;
/// Notices read at once.
const MAX_WAITING: u32 = 100;

/// Something that people are to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Whose people.
    pub org: OrgId,
    /// Its number within the org.
    pub id: NoticeId,
    /// What it is about.
    pub kind: String,
    /// What its text is made of.
    pub facts: Value,
    /// Since when it waits.
    pub made_at: Timestamp,
    /// The addresses it goes to: that of the billing details, or else those of everybody who manages billing.
    pub to: Vec<String>,
}

impl Tx<'_> {
    /// Puts down what people are to be told. Its text is made of `facts` when it is sent.
    pub(crate) fn tell(&mut self, org: OrgId, kind: &str, facts: &Value) -> Result<NoticeId, StoreError> {
        let now = self.now().micros();
        let sql = "INSERT INTO notice (org_id, notice_id, kind, facts, made_at, next_try_at)
             SELECT ?1, coalesce(max(notice_id), 0) + 1, ?2, ?3, ?4, ?4 FROM notice WHERE org_id = ?1
             RETURNING notice_id";
        let id =
            self.conn.prepare_cached(sql)?.query_row(params![org.0, kind, facts.to_string(), now], |row| row.get(0))?;
        Ok(NoticeId(id))
    }
}

impl Store {
    /// Notices whose time has come, those that wait longest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn notices_due(&self) -> Result<Vec<Notice>, StoreError> {
        let now = self.now();
        self.read(move |conn| due(conn, now)).await
    }

    /// Notes that a notice was sent, or why not; then it is tried again, or given up. `is_final`: trying again would not help.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn notice_tried(
        &self,
        org: OrgId,
        id: NoticeId,
        error: Option<String>,
        is_final: bool,
    ) -> Result<(), StoreError> {
        let error = error.map(|text| text.chars().take(MAX_ERROR_CHARS).collect::<String>());
        let run = move |tx: &mut Tx<'_>| {
            let now = tx.now().micros();
            let tries = "SELECT tries FROM notice WHERE org_id = ?1 AND notice_id = ?2";
            let tries: u32 = tx.conn.prepare_cached(tries)?.query_row([org.0, id.0], |row| row.get(0))?;
            let wait = usize::try_from(tries).ok().and_then(|tries| RETRY_AFTER_S.get(tries));
            let again = wait.filter(|_| error.is_some() && !is_final).map(|seconds| now + seconds * 1_000_000);
            let sent_at = error.is_none().then_some(now);
            let sql = "UPDATE notice SET tries = tries + 1, next_try_at = ?3, sent_at = ?4, error = ?5
                WHERE org_id = ?1 AND notice_id = ?2";
            tx.conn.prepare_cached(sql)?.execute(params![org.0, id.0, again, sent_at, error])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }
}

fn due(conn: &Connection, now: Timestamp) -> Result<Vec<Notice>, StoreError> {
    let sql = "SELECT org_id, notice_id, kind, facts, made_at FROM notice WHERE next_try_at <= ?1
        ORDER BY next_try_at, org_id, notice_id LIMIT ?2";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(params![now.micros(), MAX_WAITING])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (org, facts): (i64, String) = (row.get(0)?, row.get(3)?);
        found.push(Notice {
            org: OrgId(org),
            id: NoticeId(row.get(1)?),
            kind: row.get(2)?,
            facts: serde_json::from_str(&facts)?,
            made_at: Timestamp::from_micros(row.get(4)?),
            to: addresses(conn, OrgId(org))?,
        });
    }
    Ok(found)
}

/// Where mails about an org's money go.
fn addresses(conn: &Connection, org: OrgId) -> Result<Vec<String>, StoreError> {
    let own = "SELECT email FROM billing_details WHERE org_id = ?1 AND email <> ''";
    let mut select = conn.prepare_cached(own)?;
    let own = select.query_map([org.0], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    if !own.is_empty() {
        return Ok(own);
    }
    let sql = "SELECT u.email, m.role FROM member m JOIN user u ON u.user_id = m.user_id WHERE m.org_id = ?1 ORDER BY u.email";
    let mut select = conn.prepare_cached(sql)?;
    let members = select.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let members: Vec<(String, String)> = members.collect::<Result<_, _>>()?;
    let may = |role: &str| Role::parse(role).is_some_and(|role| role.may(Permission::ManageBilling));
    Ok(members.into_iter().filter(|(_, role)| may(role)).map(|(email, _)| email).collect())
}
