//! What happens when an org runs out of credits.

use crate::Store;
use crate::error::StoreError;
use crate::rows::unreadable;
use ledger::{Credits, OrgId, Policy};
use rusqlite::{Connection, OptionalExtension, params};

impl Store {
    /// Sets an org's policy; it counts from the next write on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org.
    pub async fn set_policy(&self, org: OrgId, policy: Policy) -> Result<(), StoreError> {
        let run = move |tx: &mut crate::tx::Tx<'_>| {
            tx.org(org)?.position.policy = policy;
            tx.conn
                .prepare_cached(
                    "INSERT INTO org_policy (org_id, policy, limit_micros) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET policy = excluded.policy, limit_micros = excluded.limit_micros",
                )?
                .execute(params![org.0, policy.name(), policy.limit().map(Credits::micros)])?;
            Ok(())
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
