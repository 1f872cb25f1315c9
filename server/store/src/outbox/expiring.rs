//! Grants whose time comes to its end while something is left of them: told of once, a week before, or in the last quarter of a time
//! that is shorter than four weeks.

use super::Recipients;
use crate::error::StoreError;
use crate::tx::Tx;
use crate::{Store, grant};
use ledger::{Credits, GrantId, GrantKind, MessageKind, OrgId, Timestamp};
use rusqlite::{Connection, params};
use serde_json::json;

/// How long before its end a grant is told of, at most.
const AHEAD_US: i64 = 7 * 86_400_000_000;
/// Which part of a grant's whole time is its end.
const LAST_PART: i64 = 4;
/// Grants told of in one transaction.
const AT_ONCE: u32 = 200;

impl Store {
    /// Announces grants that expire soon; tells how many.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn announce_expiring(&self) -> Result<usize, StoreError> {
        let now = self.now();
        let found = self.read(move |conn| expiring(conn, now)).await?;
        if found.is_empty() {
            return Ok(0);
        }
        let run = move |tx: &mut Tx<'_>| {
            found.iter().try_for_each(|(org, id)| tell(tx, *org, *id))?;
            Ok(found.len())
        };
        self.writer().call(0, run).await
    }
}

fn expiring(conn: &Connection, now: Timestamp) -> Result<Vec<(OrgId, GrantId)>, StoreError> {
    let sql = "SELECT g.org_id, g.grant_id FROM credit_grant g
        JOIN account a ON a.org_id = g.org_id AND a.account = 'grant' AND a.number = g.grant_id AND a.balance > 0
        WHERE g.expires_at > ?1 AND g.expires_at <= ?1 + ?2 AND g.effective_at <= ?1
          AND g.expires_at - ?1 <= (g.expires_at - g.effective_at) / ?3
          AND NOT EXISTS (SELECT 1 FROM grant_told t WHERE t.org_id = g.org_id AND t.grant_id = g.grant_id)
          AND NOT EXISTS (SELECT 1 FROM org_ending e WHERE e.org_id = g.org_id AND e.begun_at IS NOT NULL)
        ORDER BY g.expires_at LIMIT ?4";
    let mut select = conn.prepare_cached(sql)?;
    let rows = select.query_map(params![now.micros(), AHEAD_US, LAST_PART, AT_ONCE], |row| {
        Ok((OrgId(row.get(0)?), GrantId(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn tell(tx: &mut Tx<'_>, org: OrgId, id: GrantId) -> Result<(), StoreError> {
    tx.settle_due(org)?;
    let sql = "INSERT INTO grant_told (org_id, grant_id, told_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    tx.conn.prepare_cached(sql)?.execute(params![org.0, id.0, tx.now().micros()])?;
    let left = tx.org(org)?.position.slots.iter().find(|slot| slot.grant.id == id).map(|slot| slot.left);
    let left = left.filter(|left| left.is_positive());
    let Some((grant, left)) = grant::find(tx.conn, org, id)?.zip(left) else { return Ok(()) };
    let data = json!({"grant": id.to_string(), "kind": grant.kind.as_str(), "amount": grant.amount.to_string(),
        "left": Credits::to_string(&left), "expires_at": grant.expires_at.map(|at| at.to_string()), "url": "/grants"});
    let kind = MessageKind::GrantExpiring;
    // What a plan gives ends every month: no news for people.
    let to = if grant.kind == GrantKind::Plan { Recipients::default() } else { Recipients::of(kind) };
    tx.announce(org, kind, &data, &to).map(drop)
}
