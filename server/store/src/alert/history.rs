//! What fired: the history, newest first.

use crate::Store;
use crate::error::StoreError;
use ledger::alert::Kind;
use ledger::{FiringId, OrgId, RuleId, Timestamp};
use rusqlite::{Connection, params};

/// Rows of one page, at most.
pub const MAX_PAGE: u32 = 200;

/// That a rule came to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiringRow {
    /// Its number within the org.
    pub id: FiringId,
    /// Which rule; it may be gone.
    pub rule: RuleId,
    /// What the rule was called then.
    pub title: String,
    /// What it watched for then.
    pub kind: Kind,
    /// What happened, where a figure does not say it; may be empty.
    pub detail: String,
    /// When.
    pub fired_at: Timestamp,
    /// The figure, in the unit of its kind.
    pub value: i64,
    /// What it crossed.
    pub threshold: i64,
    /// Why nobody was told; `None`: they were.
    pub silence: Option<String>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// When somebody had seen to it, and who.
    pub acknowledged: Option<(Timestamp, String)>,
}

/// Which of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct FiringPage {
    /// Only those of this rule.
    pub rule: Option<RuleId>,
    /// Only those that are not over.
    pub firing: bool,
    /// Only those before this one.
    pub before: Option<FiringId>,
    /// How many, up to [`MAX_PAGE`].
    pub limit: u32,
}

impl Store {
    /// A page of what fired, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn alert_history(&self, org: OrgId, page: FiringPage) -> Result<Vec<FiringRow>, StoreError> {
        self.read(move |conn| list(conn, org, &page)).await
    }
}

/// The number of the newest; 0 where nothing ever fired.
pub(super) fn newest(conn: &Connection, org: OrgId) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(firing_id), 0) FROM alert_firing WHERE org_id = ?1";
    Ok(conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0))?)
}

fn list(conn: &Connection, org: OrgId, page: &FiringPage) -> Result<Vec<FiringRow>, StoreError> {
    let sql = "SELECT firing_id, rule_id, title, terms, detail, fired_at, value, threshold, silence, resolved_at, acknowledged_at,
                      acknowledged_by FROM alert_firing
               WHERE org_id = ?1 AND (?2 IS NULL OR rule_id = ?2) AND (?3 = 0 OR resolved_at IS NULL) AND firing_id < ?4
               ORDER BY firing_id DESC LIMIT ?5";
    let mut select = conn.prepare_cached(sql)?;
    let before = page.before.map_or(i64::MAX, |id| id.0);
    let limit = page.limit.min(MAX_PAGE);
    let mut rows = select.query(params![org.0, page.rule.map(|rule| rule.0), page.firing, before, limit])?;
    let mut firings = Vec::new();
    while let Some(row) = rows.next()? {
        let at = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_micros));
        let by: Option<String> = row.get(11)?;
        firings.push(FiringRow {
            id: FiringId(row.get(0)?),
            rule: RuleId(row.get(1)?),
            title: row.get(2)?,
            kind: serde_json::from_str(&row.get::<_, String>(3)?)?,
            detail: row.get(4)?,
            fired_at: Timestamp::from_micros(row.get(5)?),
            value: row.get(6)?,
            threshold: row.get(7)?,
            silence: row.get(8)?,
            resolved_at: at(9)?,
            acknowledged: at(10)?.zip(by),
        });
    }
    Ok(firings)
}
