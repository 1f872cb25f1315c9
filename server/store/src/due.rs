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
        for org in orgs {
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
                UNION ALL SELECT (SELECT g.expires_at FROM credit_grant g
                    JOIN account a ON a.org_id = g.org_id AND a.account = 'grant' AND a.number = g.grant_id AND a.balance > 0
                    WHERE g.expires_at IS NOT NULL ORDER BY g.expires_at LIMIT 1)
                UNION ALL SELECT min(g.effective_at) FROM account d
                    JOIN account a ON a.org_id = d.org_id AND a.account = 'grant' AND a.balance > 0
                    JOIN credit_grant g ON g.org_id = a.org_id AND g.grant_id = a.number AND g.scope = '{}'
                    WHERE d.account = 'debt' AND d.balance < 0)";
            let found: Option<i64> = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            Ok(found.map(Timestamp::from_micros))
        };
        self.read(run).await
    }
}

fn due(conn: &Connection, now: Timestamp) -> Result<Vec<OrgId>, StoreError> {
    let sql = "SELECT h.org_id FROM hold h WHERE h.status = 'pending' AND h.expires_at <= ?1
        UNION SELECT g.org_id FROM credit_grant g
            JOIN account a ON a.org_id = g.org_id AND a.account = 'grant' AND a.number = g.grant_id AND a.balance > 0
            WHERE g.expires_at <= ?1
        UNION SELECT d.org_id FROM account d
            JOIN account a ON a.org_id = d.org_id AND a.account = 'grant' AND a.balance > 0
            JOIN credit_grant g ON g.org_id = a.org_id AND g.grant_id = a.number AND g.scope = '{}' AND g.effective_at <= ?1
                AND (g.expires_at IS NULL OR g.expires_at > ?1)
            WHERE d.account = 'debt' AND d.balance < 0
        LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(params![now.micros(), MAX_ORGS], |row| row.get(0).map(OrgId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
