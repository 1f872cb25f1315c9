//! Rules as rows, and who hears of them.

use crate::error::StoreError;
use crate::outbox::Recipients;
use crate::rows::unreadable;
use crate::user::UserId;
use ledger::alert::{Firing, Kind, Scope, State, Voice, Watch};
use ledger::{Credits, EndpointId, FiringId, OrgId, Role, RuleId, Stretch, Timestamp};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

/// A rule as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRule {
    /// Its number within the org.
    pub id: RuleId,
    /// What people call it.
    pub title: String,
    /// What it watches for.
    pub kind: Kind,
    /// Of which part of usage.
    pub scope: Scope,
    /// Who hears of it.
    pub recipients: Recipients,
    /// How far it must come back to be over.
    pub margin_percent: u32,
    /// Whether Scrip made it.
    pub is_default: bool,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who made it.
    pub made_by: String,
    /// Whether it may speak.
    pub voice: Voice,
    /// What it said last.
    pub state: State,
    /// What it fired and is not over.
    pub firing: Option<FiringId>,
    /// Whether somebody has seen to that.
    pub acknowledged: bool,
    /// The number of what it told last.
    pub seen: i64,
    /// The usage that it counts.
    pub counted: Counted,
}

/// Usage of a period, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Which period; its ends lie between quarters of an hour.
    pub period: Option<Stretch>,
    /// How much of it; `None` where it is to be counted anew.
    pub spent: Option<Credits>,
    /// Whether it is not written yet.
    pub(super) changed: bool,
}

impl AlertRule {
    /// How its measures are held against what they must not cross.
    #[must_use]
    pub const fn watch(&self) -> Watch {
        Watch { side: self.kind.side(), margin_percent: self.margin_percent }
    }
}

const SELECT: &str = "SELECT r.rule_id, r.title, r.terms, r.scope, r.recipients, r.margin_percent, r.is_default, r.made_at, r.made_by,
        r.muted, r.snoozed_until, r.firing_id, r.fired_at, r.fired_in, r.seen, r.counted_from, r.counted_to, r.counted,
        f.acknowledged_at IS NOT NULL
    FROM alert_rule r LEFT JOIN alert_firing f ON f.org_id = r.org_id AND f.firing_id = r.firing_id WHERE r.org_id = ?1";

/// All rules of an org, oldest first.
pub(crate) fn all(conn: &Connection, org: OrgId) -> Result<Vec<AlertRule>, StoreError> {
    let mut select = conn.prepare_cached(&format!("{SELECT} ORDER BY r.rule_id"))?;
    let mut rows = select.query([org.0])?;
    let mut rules = Vec::new();
    while let Some(row) = rows.next()? {
        rules.push(rule_of(row)?);
    }
    Ok(rules)
}

/// One of them.
pub(crate) fn find(conn: &Connection, org: OrgId, id: RuleId) -> Result<AlertRule, StoreError> {
    let mut select = conn.prepare_cached(&format!("{SELECT} AND r.rule_id = ?2"))?;
    let mut rows = select.query([org.0, id.0])?;
    rows.next()?.map(rule_of).transpose()?.ok_or(StoreError::NotFound("alert"))
}

fn rule_of(row: &Row<'_>) -> Result<AlertRule, StoreError> {
    let at = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_micros));
    let (firing, fired_at, fired_in) = (row.get::<_, Option<i64>>(11)?.map(FiringId), at(12)?, at(13)?);
    Ok(AlertRule {
        id: RuleId(row.get(0)?),
        title: row.get(1)?,
        kind: serde_json::from_str(&row.get::<_, String>(2)?)?,
        scope: serde_json::from_str(&row.get::<_, String>(3)?)?,
        recipients: recipients(&row.get::<_, String>(4)?)?,
        margin_percent: row.get(5)?,
        is_default: row.get(6)?,
        made_at: Timestamp::from_micros(row.get(7)?),
        made_by: row.get(8)?,
        voice: Voice { muted: row.get(9)?, snoozed_until: at(10)? },
        state: State { firing: fired_at.map(|since| Firing { since, period: fired_in }), fired_in },
        firing,
        acknowledged: row.get(18)?,
        seen: row.get(14)?,
        counted: counted_of(at(15)?, at(16)?, row.get(17)?),
    })
}

/// What is counted, from its three columns.
pub(super) fn counted_of(from: Option<Timestamp>, to: Option<Timestamp>, spent: Option<i64>) -> Counted {
    let period = from.zip(to).and_then(|(from, to)| Stretch::new(from, to).ok());
    Counted { period, spent: spent.map(Credits::from_micros), changed: false }
}

/// Puts down what is counted of a rule (`alert_rule`) or a budget (`budget`).
pub(super) fn write_counted(
    conn: &Connection,
    org: OrgId,
    table: &'static str,
    id: i64,
    counted: &Counted,
) -> Result<(), StoreError> {
    let key = if table == "budget" { "budget_id" } else { "rule_id" };
    let sql =
        format!("UPDATE {table} SET counted_from = ?3, counted_to = ?4, counted = ?5 WHERE org_id = ?1 AND {key} = ?2");
    conn.prepare_cached(&sql)?.execute(params![
        org.0,
        id,
        counted.period.map(|period| period.from.micros()),
        counted.period.map(|period| period.to.micros()),
        counted.spent.map(Credits::micros),
    ])?;
    Ok(())
}

/// Recipients as their column has them.
#[derive(Serialize, Deserialize)]
struct Told {
    people: Vec<i64>,
    roles: Vec<Role>,
    endpoints: Vec<i64>,
    in_app: bool,
    mail: bool,
}

/// Reads who hears of something.
pub(super) fn recipients(json: &str) -> Result<Recipients, StoreError> {
    let told: Told = serde_json::from_str(json)?;
    Ok(Recipients {
        people: told.people.into_iter().map(UserId).collect(),
        roles: told.roles,
        endpoints: told.endpoints.into_iter().map(EndpointId).collect(),
        in_app: told.in_app,
        mail: told.mail,
    })
}

/// Writes who hears of something.
pub(crate) fn recipients_json(to: &Recipients) -> Result<String, StoreError> {
    let told = Told {
        people: to.people.iter().map(|user| user.0).collect(),
        roles: to.roles.clone(),
        endpoints: to.endpoints.iter().map(|endpoint| endpoint.0).collect(),
        in_app: to.in_app,
        mail: to.mail,
    };
    Ok(serde_json::to_string(&told)?)
}

/// Most people, or endpoints, that one rule names.
const MAX_NAMED: usize = 100;

/// Checks that whoever is named is there: people of the org, endpoints of the org.
pub(super) fn check_recipients(conn: &Connection, org: OrgId, to: &Recipients) -> Result<(), StoreError> {
    if to.people.len() > MAX_NAMED || to.endpoints.len() > MAX_NAMED {
        return Err(StoreError::TooMany("name at most 100 people and 100 endpoints: use roles for more"));
    }
    let member = "SELECT 1 FROM member WHERE org_id = ?1 AND user_id = ?2";
    for user in &to.people {
        if !conn.prepare_cached(member)?.exists([org.0, user.0])? {
            return Err(StoreError::NotFound("member"));
        }
    }
    let endpoint = "SELECT 1 FROM endpoint WHERE org_id = ?1 AND endpoint_id = ?2 AND deleted_at IS NULL";
    for named in &to.endpoints {
        if !conn.prepare_cached(endpoint)?.exists([org.0, named.0])? {
            return Err(StoreError::NotFound("webhook endpoint"));
        }
    }
    Ok(())
}

/// The next number of an org's rules (`last_rule`) or budgets (`last_budget`): none is given twice.
pub(super) fn next_number(conn: &Connection, org: OrgId, column: &'static str) -> Result<i64, StoreError> {
    let sql = format!(
        "INSERT INTO alert_org (org_id, {column}) VALUES (?1, 1)
         ON CONFLICT DO UPDATE SET {column} = {column} + 1 RETURNING {column}"
    );
    let found: Option<i64> = conn.prepare_cached(&sql)?.query_row([org.0], |row| row.get(0))?;
    found.ok_or_else(|| unreadable("number of an alert"))
}
