//! What the passing of time causes, booked by a job, so that tables and notices follow even where nobody writes.
//!
//! Nothing depends on it: every read counts what is due, and every write books it first.

use crate::Store;
use crate::error::StoreError;
use ledger::{OrgId, Timestamp};
use rusqlite::{Connection, params};

/// Orgs whose due entries one call books: a moment of the writer's time.
const MAX_ORGS: u32 = 100;

impl Store {
    /// Books what is due in some of the orgs that have anything due; tells how many entries that made. Zero: nothing is
    /// due anywhere.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn book_due(&self) -> Result<usize, StoreError> {
        let now = self.now();
        let orgs = self.read(move |conn| due(conn, now)).await?;
        let mut booked = 0;
        // Of an org whose time is over, what is due is due for nobody.
        for org in orgs.into_iter().filter(|org| self.ends_at(*org).is_none_or(|at| at > now)) {
            booked += self.writer().call(0, move |tx| tx.settle_due(org)).await?;
        }
        Ok(booked)
    }

    /// When the next thing is due anywhere; `None` where nothing ever is.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let run = |conn: &Connection| {
            let sql = "SELECT min(at) FROM (
                SELECT min(h.expires_at) AS at FROM hold h WHERE h.status = 'pending'
                UNION ALL SELECT min(g.expires_at) FROM account a
                    CROSS JOIN credit_grant g ON g.org_id = a.org_id AND g.grant_id = a.number
                    WHERE a.account = 'grant' AND a.balance > 0
                UNION ALL SELECT min(g.effective_at) FROM account a
                    CROSS JOIN credit_grant g ON g.org_id = a.org_id AND g.grant_id = a.number
                    CROSS JOIN account d ON d.org_id = a.org_id AND d.account = 'debt' AND d.number = 0
                    WHERE a.account = 'grant' AND a.balance > 0 AND d.balance < 0 AND g.scope = '{}')";
            let found: Option<i64> = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            Ok(found.map(Timestamp::from_micros))
        };
        self.read(run).await
    }
}

fn due(conn: &Connection, now: Timestamp) -> Result<Vec<OrgId>, StoreError> {
    let sql = "SELECT h.org_id FROM hold h WHERE h.status = 'pending' AND h.expires_at <= ?1
        UNION SELECT a.org_id FROM account a CROSS JOIN credit_grant g ON g.org_id = a.org_id AND g.grant_id = a.number
            WHERE a.account = 'grant' AND a.balance > 0 AND g.expires_at <= ?1
        UNION SELECT a.org_id FROM account a CROSS JOIN credit_grant g ON g.org_id = a.org_id AND g.grant_id = a.number
            CROSS JOIN account d ON d.org_id = a.org_id AND d.account = 'debt' AND d.number = 0
            WHERE a.account = 'grant' AND a.balance > 0 AND d.balance < 0 AND g.scope = '{}' AND g.effective_at <= ?1
                AND (g.expires_at IS NULL OR g.expires_at > ?1)
        LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(params![now.micros(), MAX_ORGS], |row| row.get(0).map(OrgId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
