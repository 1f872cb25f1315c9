//! Messages are kept for a time: what people and receivers heard is no ledger.

use crate::Store;
use crate::error::StoreError;
use crate::tx::Tx;
use rusqlite::{Connection, params};

/// How long: whoever looks for what was sent looks within a quarter.
const KEPT_US: i64 = 90 * 86_400_000_000;
/// Messages that go in one transaction, so that nobody else waits.
const STEP: u32 = 256;

impl Store {
    /// Deletes some messages that are older than 90 days, with all that belongs to them; tells how many. The newest of each org stays,
    /// so that no number is given twice.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn prune_outbox(&self) -> Result<usize, StoreError> {
        let before = self.now().micros().saturating_sub(KEPT_US);
        let old = move |conn: &Connection| {
            let sql = "SELECT org_id, message_id FROM message m WHERE made_at < ?1
                AND message_id < (SELECT max(message_id) FROM message n WHERE n.org_id = m.org_id)
                AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.org_id = m.org_id AND d.message_id = m.message_id
                    AND d.delivery_id = (SELECT max(delivery_id) FROM delivery o WHERE o.org_id = m.org_id))
                ORDER BY made_at LIMIT ?2";
            let mut select = conn.prepare_cached(sql)?;
            let rows = select.query_map(params![before, STEP], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<Vec<(i64, i64)>, _>>()?)
        };
        let old = self.read(old).await?;
        if old.is_empty() {
            return Ok(0);
        }
        let run = move |tx: &mut Tx<'_>| {
            for (org, message) in &old {
                for sql in [
                    "DELETE FROM attempt WHERE org_id = ?1 AND delivery_id IN
                        (SELECT delivery_id FROM delivery WHERE org_id = ?1 AND message_id = ?2)",
                    "DELETE FROM delivery WHERE org_id = ?1 AND message_id = ?2",
                    "DELETE FROM inbox WHERE org_id = ?1 AND message_id = ?2",
                    "DELETE FROM message WHERE org_id = ?1 AND message_id = ?2",
                ] {
                    tx.conn.prepare_cached(sql)?.execute([org, message])?;
                }
            }
            let mails = "DELETE FROM mail WHERE made_at < ?1 AND next_try_at IS NULL
                AND mail_id < (SELECT max(mail_id) FROM mail n WHERE n.org_id = mail.org_id)";
            tx.conn.prepare_cached(mails)?.execute([before])?;
            Ok(old.len())
        };
        self.writer().call(0, run).await
    }
}
