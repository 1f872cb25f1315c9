//! Stored payment methods: how an org can be charged without anybody there. A provider's own references; no numbers of cards.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::payment::Provider;
use ledger::{MethodId, OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

/// Methods that one org keeps at once, at most.
pub const MAX_METHODS: usize = 20;

/// A method that a provider keeps for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMethod {
    /// How the provider calls it.
    pub reference: String,
    /// What people read, such as `Visa ending in 4242`.
    pub title: String,
}

/// A stored payment method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Its number within the org.
    pub id: MethodId,
    /// Who keeps it.
    pub provider: Provider,
    /// How the provider calls it.
    pub reference: String,
    /// What people read.
    pub title: String,
    /// Whether it is charged where nobody says otherwise.
    pub is_default: bool,
    /// Since when it is there.
    pub added_at: Timestamp,
}

impl Store {
    /// The methods of an org, the one that is charged first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn methods(&self, org: OrgId) -> Result<Vec<Method>, StoreError> {
        self.read(move |conn| methods(conn, org)).await
    }

    /// The method that is charged where nobody says otherwise.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn default_method(&self, org: OrgId) -> Result<Option<Method>, StoreError> {
        self.read(move |conn| default_method(conn, org)).await
    }

    /// One method, also one that was removed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn method(&self, org: OrgId, id: MethodId) -> Result<Method, StoreError> {
        let run = move |conn: &Connection| {
            let sql = format!("{SELECT} AND method_id = ?2");
            let found = conn.prepare_cached(&sql)?.query_row([org.0, id.0], |row| Ok(method(row))).optional()?;
            found.ok_or(StoreError::NotFound("payment method"))?
        };
        self.read(run).await
    }

    /// Keeps a method that a provider stores. The first one is charged from now on; one that is known is not kept twice.
    ///
    /// # Errors
    /// [`StoreError::TooMany`].
    pub async fn add_method(
        &self,
        org: OrgId,
        by: By,
        provider: Provider,
        new: NewMethod,
    ) -> Result<MethodId, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            let (id, is_new) = tx.keep_method(org, provider, &new, &by.actor)?;
            if is_new {
                tx.note_method(org, &by, "method.add", id, &new.title)?;
            }
            Ok(id)
        };
        self.writer().call(0, run).await
    }

    /// Chooses the method that is charged.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn choose_method(&self, org: OrgId, by: By, id: MethodId) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            let chosen = here(tx.conn, org, id)?;
            tx.make_default(org, id)?;
            tx.note_method(org, &by, "method.default", id, &chosen.title)
        };
        self.writer().call(0, run).await
    }

    /// Forgets a method. The newest of the others is charged from now on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn remove_method(&self, org: OrgId, by: By, id: MethodId) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            let gone = here(tx.conn, org, id)?;
            let sql = "UPDATE payment_method SET removed_at = ?3, is_default = 0 WHERE org_id = ?1 AND method_id = ?2";
            tx.conn.prepare_cached(sql)?.execute([org.0, id.0, tx.now().micros()])?;
            let next = methods(tx.conn, org)?.into_iter().max_by_key(|other| (other.is_default, other.id));
            if let Some(next) = next {
                tx.make_default(org, next.id)?;
            }
            tx.note_method(org, &by, "method.remove", id, &gone.title)
        };
        self.writer().call(0, run).await
    }
}

impl Tx<'_> {
    /// Keeps a method, unless it is known; tells which it is, and whether it is new.
    pub(crate) fn keep_method(
        &mut self,
        org: OrgId,
        provider: Provider,
        new: &NewMethod,
        by: &str,
    ) -> Result<(MethodId, bool), StoreError> {
        let known = methods(self.conn, org)?;
        let same = known.iter().find(|method| method.provider == provider && method.reference == new.reference);
        if let Some(same) = same {
            return Ok((same.id, false));
        }
        if known.len() >= MAX_METHODS {
            return Err(StoreError::TooMany("an organization keeps at most 20 payment methods: remove one"));
        }
        let sql =
            "INSERT INTO payment_method (org_id, method_id, provider, reference, title, is_default, added_at, added_by)
             SELECT ?1, coalesce(max(method_id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7
             FROM payment_method WHERE org_id = ?1 RETURNING method_id";
        let is_first = !known.iter().any(|method| method.is_default);
        let now = self.now().micros();
        let values = params![org.0, provider.as_str(), new.reference, new.title, is_first, now, by];
        let id = self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0).map(MethodId))?;
        Ok((id, true))
    }

    fn make_default(&self, org: OrgId, id: MethodId) -> Result<(), StoreError> {
        let none = "UPDATE payment_method SET is_default = 0 WHERE org_id = ?1 AND is_default = 1";
        self.conn.prepare_cached(none)?.execute([org.0])?;
        let this = "UPDATE payment_method SET is_default = 1 WHERE org_id = ?1 AND method_id = ?2";
        self.conn.prepare_cached(this)?.execute([org.0, id.0])?;
        Ok(())
    }

    fn note_method(
        &mut self,
        org: OrgId,
        by: &By,
        action: &'static str,
        id: MethodId,
        title: &str,
    ) -> Result<(), StoreError> {
        let after = Some(json!({ "title": title }));
        self.note(org, by, Change { action, target: id.to_string(), before: None, after })
    }
}

/// The method that is charged where nobody says otherwise.
pub(crate) fn default_method(conn: &Connection, org: OrgId) -> Result<Option<Method>, StoreError> {
    Ok(methods(conn, org)?.into_iter().find(|method| method.is_default))
}

const SELECT: &str =
    "SELECT method_id, provider, reference, title, is_default, added_at FROM payment_method WHERE org_id = ?1";

fn methods(conn: &Connection, org: OrgId) -> Result<Vec<Method>, StoreError> {
    let sql = format!("{SELECT} AND removed_at IS NULL ORDER BY is_default DESC, method_id");
    let mut select = conn.prepare_cached(&sql)?;
    let rows = select.query_map([org.0], |row| Ok(method(row)))?;
    rows.map(|row| row?).collect()
}

pub(crate) fn here(conn: &Connection, org: OrgId, id: MethodId) -> Result<Method, StoreError> {
    methods(conn, org)?.into_iter().find(|method| method.id == id).ok_or(StoreError::NotFound("payment method"))
}

fn method(row: &Row<'_>) -> Result<Method, StoreError> {
    Ok(Method {
        id: MethodId(row.get(0)?),
        provider: Provider::parse(&row.get::<_, String>(1)?).ok_or_else(|| unreadable("provider"))?,
        reference: row.get(2)?,
        title: row.get(3)?,
        is_default: row.get(4)?,
        added_at: Timestamp::from_micros(row.get(5)?),
    })
}
