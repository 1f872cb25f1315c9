//! Grants and balances.

use crate::Store;
use crate::error::StoreError;
use crate::rows::{Columns, unreadable};
use crate::tx::Tx;
use ledger::drawdown::Slot;
use ledger::label::{MAX_LABEL_BYTES, check_text};
use ledger::{Balance, Credits, Grant, GrantId, GrantKind, OrgId, Scope, Timestamp, settle};
use rusqlite::{Connection, params};

/// What makes a grant.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// Why it is given.
    pub kind: GrantKind,
    /// How much.
    pub amount: Credits,
    /// Lower is spent first.
    pub priority: i16,
    /// What it may be spent on.
    pub scope: Scope,
    /// From when; now where it is not said.
    pub effective_at: Option<Timestamp>,
    /// Until when; for ever where it is not said.
    pub expires_at: Option<Timestamp>,
    /// What people read beside it.
    pub description: String,
}

impl Store {
    /// Gives a grant; debt is repaid from it first.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an amount or times that make no sense, [`StoreError::NotFound`] for the org.
    pub async fn give_grant(&self, org: OrgId, cause: String, new: NewGrant) -> Result<Grant, StoreError> {
        check_text("description", &new.description, MAX_LABEL_BYTES)?;
        self.writer().call(0, move |tx| tx.give_grant(org, &cause, &new)).await
    }

    /// What the org has now. Expired grants do not count, whether their expiry is booked yet or not.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn balance(&self, org: OrgId) -> Result<Balance, StoreError> {
        let (available, held, debt): (i64, i64, i64) = sqlx::query_as(
            "SELECT coalesce(sum(CASE WHEN a.account = 'grant' AND g.effective_at <= ?2 AND (g.expires_at IS NULL OR g.expires_at > ?2) THEN a.balance END), 0),
                    coalesce(sum(CASE WHEN a.account = 'hold' THEN a.balance END), 0),
                    coalesce(sum(CASE WHEN a.account = 'debt' THEN -a.balance END), 0)
             FROM account a LEFT JOIN credit_grant g ON a.account = 'grant' AND g.org_id = a.org_id AND g.grant_id = a.number
             WHERE a.org_id = ?1 AND a.balance <> 0",
        )
        .bind(org.0)
        .bind(self.now().micros())
        .fetch_one(self.reader())
        .await?;
        let micros = Credits::from_micros;
        Ok(Balance::new(micros(available), micros(held), micros(debt))?)
    }
}

impl Tx<'_> {
    fn give_grant(&mut self, id: OrgId, cause: &str, new: &NewGrant) -> Result<Grant, StoreError> {
        self.org(id)?;
        let now = self.now();
        let next: i64 = self
            .conn
            .prepare_cached("SELECT coalesce(max(grant_id), 0) + 1 FROM credit_grant WHERE org_id = ?1")?
            .query_row([id.0], |row| row.get(0))?;
        let grant = Grant {
            id: GrantId(next),
            kind: new.kind,
            amount: new.amount,
            priority: new.priority,
            scope: new.scope.clone(),
            effective_at: new.effective_at.unwrap_or(now),
            expires_at: new.expires_at,
            description: new.description.clone(),
        };
        let given = settle::give(&grant, now, cause)?;
        insert(self.conn, id, &grant)?;
        self.org(id)?.slots.push(Slot { grant: grant.clone(), left: Credits::ZERO });
        self.book(id, given)?;
        let debt = self.org(id)?.debt;
        if let Some(repayment) = settle::repay(&grant, debt, now, cause)? {
            self.book(id, repayment)?;
        }
        Ok(grant)
    }
}

fn insert(conn: &Connection, id: OrgId, grant: &Grant) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO credit_grant (org_id, grant_id, kind, amount, priority, scope, effective_at, expires_at, description)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        id.0,
        grant.id.0,
        grant.kind.as_str(),
        grant.amount.micros(),
        grant.priority,
        serde_json::to_string(&grant.scope)?,
        grant.effective_at.micros(),
        grant.expires_at.map(Timestamp::micros),
        grant.description,
    ])?;
    Ok(())
}

/// The grants of which something is left, with what is left.
pub(crate) fn slots(conn: &Connection, id: OrgId) -> Result<Vec<Slot>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT g.grant_id, g.kind, g.amount, g.priority, g.scope, g.effective_at, g.expires_at, g.description, a.balance
         FROM account a JOIN credit_grant g ON g.org_id = a.org_id AND g.grant_id = a.number
         WHERE a.org_id = ?1 AND a.account = 'grant' AND a.balance > 0",
    )?;
    let mut rows = statement.query([id.0])?;
    let mut slots = Vec::new();
    while let Some(row) = rows.next()? {
        slots.push(Slot { grant: grant_of(row)?, left: Credits::from_micros(row.get(8)?) });
    }
    Ok(slots)
}

/// A grant from the columns grant_id, kind, amount, priority, scope, effective_at, expires_at, description.
pub(crate) fn grant_of(row: &impl Columns) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: GrantId(row.get(0)?),
        kind: GrantKind::parse(&row.get::<String>(1)?).ok_or_else(|| unreadable("kind of grant"))?,
        amount: Credits::from_micros(row.get(2)?),
        priority: row.get(3)?,
        scope: serde_json::from_str(&row.get::<String>(4)?)?,
        effective_at: Timestamp::from_micros(row.get(5)?),
        expires_at: row.get::<Option<i64>>(6)?.map(Timestamp::from_micros),
        description: row.get(7)?,
    })
}
