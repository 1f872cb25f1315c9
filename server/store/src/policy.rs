//! What happens when an org runs out of credits.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::position::{At, Reading, read};
use crate::rows::unreadable;
use ledger::position::Step;
use ledger::{Balance, Credits, EntryKind, OrgId, OrgState, Policy, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

impl Store {
    /// Sets an org's policy, as the command line does.
    ///
    /// # Errors
    /// As [`Store::set_policy_by`].
    pub async fn set_policy(&self, org: OrgId, policy: Policy) -> Result<(), StoreError> {
        self.set_policy_by(By::command(), org, policy).await
    }

    /// Sets an org's policy; it counts from the next write on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org.
    pub async fn set_policy_by(&self, by: By, org: OrgId, policy: Policy) -> Result<(), StoreError> {
        let run = move |tx: &mut crate::tx::Tx<'_>| {
            let (before, after) = (json!(tx.write_policy(org, policy)?), json!(policy));
            let change =
                Change { action: "org.policy", target: org.to_string(), before: Some(before), after: Some(after) };
            tx.note(org, &by, change)
        };
        self.writer().call(0, run).await
    }

    /// An org's policy.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn policy(&self, org: OrgId) -> Result<Policy, StoreError> {
        self.read(move |conn| of(conn, org)).await
    }

    /// What the org has and, where it is paused, since when: when the last of its credits went, or its debt reached the
    /// limit. `None` where it never had any. Cost of the latter: a look-up per grant.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org.
    pub async fn standing(&self, org: OrgId) -> Result<(Balance, Option<Timestamp>), StoreError> {
        let now = self.now();
        let run = move |conn: &Connection| {
            let reading = read(conn, org, At::default(), now)?;
            let balance = reading.position.balance(reading.as_of)?;
            let since = match balance.state {
                OrgState::Active => None,
                OrgState::Paused => paused_since(conn, org, &reading)?,
            };
            Ok((balance, since))
        };
        self.read(run).await
    }
}

impl crate::tx::Tx<'_> {
    /// Sets an org's policy; tells which it was.
    pub(crate) fn write_policy(&mut self, org: OrgId, policy: Policy) -> Result<Policy, StoreError> {
        let before = std::mem::replace(&mut self.org(org)?.position.policy, policy);
        self.weigh_later(org);
        self.conn
            .prepare_cached(
                "INSERT INTO org_policy (org_id, policy, limit_micros) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET policy = excluded.policy, limit_micros = excluded.limit_micros",
            )?
            .execute(params![org.0, policy.name(), policy.limit().map(Credits::micros)])?;
        Ok(before)
    }
}

/// The first entry after which the debt has been at the limit ever since.
const REACHED_LIMIT: &str = "SELECT e.happened_at FROM entry e WHERE e.org_id = ?1 AND e.seq =
     (SELECT min(p.entry_seq) FROM posting p WHERE p.org_id = ?1 AND p.account = 'debt' AND p.number = 0 AND p.entry_seq >
         (SELECT coalesce(max(q.entry_seq), 0) FROM posting q
          WHERE q.org_id = ?1 AND q.account = 'debt' AND q.number = 0 AND -q.balance < ?2))";
/// The last entry that took from any grant. A repayment takes what was never there to be spent.
const LAST_SPENT: &str = "SELECT max(e.happened_at) FROM credit_grant g JOIN entry e ON e.org_id = g.org_id AND e.seq =
     (SELECT p.entry_seq FROM posting p JOIN entry k ON k.org_id = p.org_id AND k.seq = p.entry_seq
      WHERE p.org_id = g.org_id AND p.account = 'grant' AND p.number = g.grant_id AND p.amount < 0 AND k.kind <> 'repayment'
      ORDER BY p.entry_seq DESC LIMIT 1)
 WHERE g.org_id = ?1";

fn paused_since(conn: &Connection, org: OrgId, reading: &Reading) -> Result<Option<Timestamp>, StoreError> {
    let ends = |step: &&Step| matches!(step.draft.kind, EntryKind::Expiry { .. } | EntryKind::Rollover { .. });
    if let Some(step) = reading.steps.iter().rev().find(ends) {
        return Ok(Some(step.draft.happened_at));
    }
    let limit = reading.position.policy.limit_for_new();
    let found: Option<Option<i64>> = if limit.is_positive() {
        conn.prepare_cached(REACHED_LIMIT)?.query_row([org.0, limit.micros()], |row| row.get(0)).optional()?
    } else {
        conn.prepare_cached(LAST_SPENT)?.query_row([org.0], |row| row.get(0)).optional()?
    };
    Ok(found.flatten().map(Timestamp::from_micros))
}

pub(crate) fn of(conn: &Connection, org: OrgId) -> Result<Policy, StoreError> {
    let found: Option<(String, Option<i64>)> = conn
        .prepare_cached("SELECT policy, limit_micros FROM org_policy WHERE org_id = ?1")?
        .query_row([org.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map_or(Ok(Policy::default()), |(name, limit)| {
        Policy::new(&name, limit.map(Credits::from_micros)).map_err(|_| unreadable("policy"))
    })
}
