//! What rules tell each time that it happens: failed payments and top-ups, changes of keys and of prices.
//!
//! Each has a number that grows. A rule keeps the number of what it told last, so whatever came since is told, in its order.

use crate::error::StoreError;
use ledger::alert::Kind;
use ledger::{OrgId, Timestamp};
use rusqlite::{Connection, params};

/// Told at one look; what is more is told by the next.
const AT_ONCE: u32 = 20;

/// Number, instant and words of whatever has a higher number than `?2`, in no order; `None` for rules about anything else.
const fn sql(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::KeyChanged => {
            "SELECT audit_seq AS number, at,
                 CASE action WHEN 'key.create' THEN 'Made: ' WHEN 'key.rotate' THEN 'Rotated: ' ELSE 'Revoked: ' END || target AS what
             FROM audit WHERE org_id = ?1 AND audit_seq > ?2 AND action IN ('key.create', 'key.rotate', 'key.revoke')"
        }
        Kind::RateCardChanged => {
            "SELECT version AS number, created_at AS at, 'Version ' || version AS what FROM rate_card WHERE org_id = ?1 AND version > ?2"
        }
        Kind::PaymentFailed => {
            "SELECT changed_at AS number, changed_at AS at, 'payment_' || payment_id AS what
             FROM payment WHERE org_id = ?1 AND changed_at > ?2 AND state = 'failed'"
        }
        // What people turned on or off is no failure; where a failure turns it off, that is said.
        Kind::TopUpFailed => {
            "SELECT at AS number, at, reason AS what FROM top_up WHERE org_id = ?1 AND at > ?2
                 AND (outcome IN ('capped', 'no_method', 'no_package') OR (outcome = 'turned_off' AND reason NOT LIKE 'By %'))
             UNION ALL SELECT y.changed_at, y.changed_at, 'The payment failed' FROM payment y
                 JOIN purchase p ON p.org_id = y.org_id AND p.purchase_id = y.purchase_id AND p.cause = 'top_up'
                 WHERE y.org_id = ?1 AND y.changed_at > ?2 AND y.state = 'failed'
                     AND NOT EXISTS (SELECT 1 FROM top_up t WHERE t.org_id = y.org_id AND t.at = y.changed_at AND t.outcome = 'turned_off')"
        }
        _ => return None,
    })
}

/// What happened behind a number, oldest first: numbers and words.
pub(super) fn since(conn: &Connection, org: OrgId, kind: &Kind, seen: i64) -> Result<Vec<(i64, String)>, StoreError> {
    let Some(sql) = sql(kind) else { return Ok(Vec::new()) };
    let mut select =
        conn.prepare_cached(&format!("SELECT number, what FROM ({sql}) ORDER BY number, what LIMIT ?3"))?;
    let rows = select.query_map(params![org.0, seen, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The number of the newest; 0 where there is none.
pub(super) fn newest(conn: &Connection, org: OrgId, kind: &Kind) -> Result<i64, StoreError> {
    let Some(sql) = sql(kind) else { return Ok(0) };
    let newest = format!("SELECT coalesce(max(number), 0) FROM ({sql})");
    Ok(conn.prepare_cached(&newest)?.query_row([org.0, 0], |row| row.get(0))?)
}

/// When it happened since an instant, oldest first.
pub(super) fn instants(
    conn: &Connection,
    org: OrgId,
    kind: &Kind,
    from: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let Some(sql) = sql(kind) else { return Ok(Vec::new()) };
    let mut select = conn.prepare_cached(&format!("SELECT at FROM ({sql}) WHERE at >= ?3 ORDER BY number"))?;
    let rows = select.query_map([org.0, 0, from.micros()], |row| row.get(0).map(Timestamp::from_micros))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
