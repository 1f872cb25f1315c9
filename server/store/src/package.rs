//! Packages that are offered to an org. A package that changes is another row: who bought it bought what it said then.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::tx::Tx;
use ledger::label::{MAX_LABEL_BYTES, check_text};
use ledger::package::{NoSale, Terms};
use ledger::{Credits, Currency, Money, OrgId, PackageId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

/// Packages that are offered to one org at once, at most: as many as a page shows.
pub const MAX_OFFERED: usize = 50;

/// What can be bought once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its number within the org.
    pub id: PackageId,
    /// What people read.
    pub title: String,
    /// What it sells.
    pub terms: Terms,
    /// Whether it can be bought no more.
    pub withdrawn: bool,
}

/// A package to be offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPackage {
    /// What people read.
    pub title: String,
    /// What it sells.
    pub terms: Terms,
}

impl Store {
    /// What an org can buy: fixed amounts in ascending order, then custom ones.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn packages(&self, org: OrgId) -> Result<Vec<Package>, StoreError> {
        self.read(move |conn| offered(conn, org)).await
    }

    /// One package of an org, also one that is withdrawn.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn package(&self, org: OrgId, id: PackageId) -> Result<Package, StoreError> {
        self.read(move |conn| find(conn, org, id)).await
    }

    /// Offers packages to an org, in the place of those that it was offered before.
    ///
    /// # Errors
    /// [`NoSale`] for terms that make no sense, [`StoreError::NotFound`] for the org.
    pub async fn offer_packages(&self, org: OrgId, by: By, new: Vec<NewPackage>) -> Result<(), StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.offer_packages(org, &by, &new)).await
    }
}

impl Tx<'_> {
    /// Offers these and nothing else. One that says what is offered already stays what it is.
    pub(crate) fn offer_packages(&mut self, org: OrgId, by: &By, new: &[NewPackage]) -> Result<(), StoreError> {
        self.org(org)?;
        if new.len() > MAX_OFFERED {
            return Err(StoreError::TooMany("an organization is offered at most 50 packages"));
        }
        let now = self.now().micros();
        let before = offered(self.conn, org)?;
        let says = |package: &Package, new: &NewPackage| package.title == new.title && package.terms == new.terms;
        for old in before.iter().filter(|old| !new.iter().any(|new| says(old, new))) {
            let sql = "UPDATE package SET withdrawn_at = ?3 WHERE org_id = ?1 AND package_id = ?2";
            self.conn.prepare_cached(sql)?.execute(params![org.0, old.id.0, now])?;
        }
        for new in new.iter().filter(|new| !before.iter().any(|old| says(old, new))) {
            self.offer(org, new, now)?;
        }
        let before: Vec<&str> = before.iter().map(|package| package.title.as_str()).collect();
        let after: Vec<&str> = new.iter().map(|package| package.title.as_str()).collect();
        let (before, after) = (Some(json!(before)), Some(json!(after)));
        self.note(org, by, Change { action: "package.offer", target: org.to_string(), before, after })
    }

    fn offer(&self, org: OrgId, new: &NewPackage, now: i64) -> Result<(), StoreError> {
        check_text("title", &new.title, MAX_LABEL_BYTES)?;
        new.terms.check()?;
        let (credits, minor, prices) = match &new.terms {
            Terms::Fixed { credits, price } => (Some(credits.micros()), Some(price.minor), None),
            Terms::Custom { prices, .. } => (None, None, Some(serde_json::to_string(prices)?)),
        };
        let sql = "INSERT INTO package (org_id, package_id, title, credits, price_minor, currency, prices, offered_at)
             SELECT ?1, coalesce(max(package_id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM package WHERE org_id = ?1";
        let currency = new.terms.currency();
        self.conn.prepare_cached(sql)?.execute(params![
            org.0,
            new.title,
            credits,
            minor,
            currency.as_str(),
            prices,
            now
        ])?;
        Ok(())
    }
}

/// The package, if it can be bought.
pub(crate) fn for_sale(conn: &Connection, org: OrgId, id: PackageId) -> Result<Package, StoreError> {
    let package = find(conn, org, id)?;
    if package.withdrawn { Err(NoSale::NotOffered.into()) } else { Ok(package) }
}

const SELECT: &str =
    "SELECT package_id, title, credits, price_minor, currency, prices, withdrawn_at FROM package WHERE org_id = ?1";

fn find(conn: &Connection, org: OrgId, id: PackageId) -> Result<Package, StoreError> {
    let sql = format!("{SELECT} AND package_id = ?2");
    let found = conn.prepare_cached(&sql)?.query_row([org.0, id.0], |row| Ok(package(row))).optional()?;
    found.ok_or(StoreError::NotFound("package"))?
}

fn offered(conn: &Connection, org: OrgId) -> Result<Vec<Package>, StoreError> {
    let sql = format!("{SELECT} AND withdrawn_at IS NULL ORDER BY credits IS NULL, credits, package_id");
    let mut select = conn.prepare_cached(&sql)?;
    let rows = select.query_map([org.0], |row| Ok(package(row)))?;
    rows.map(|row| row?).collect()
}

fn package(row: &Row<'_>) -> Result<Package, StoreError> {
    let currency = Currency::parse(&row.get::<_, String>(4)?)?;
    let fixed = row.get::<_, Option<i64>>(2)?.zip(row.get::<_, Option<i64>>(3)?);
    let terms = match fixed {
        Some((micros, minor)) => {
            Terms::Fixed { credits: Credits::from_micros(micros), price: Money { minor, currency } }
        }
        None => {
            let prices: Option<String> = row.get(5)?;
            Terms::Custom { prices: serde_json::from_str(&prices.unwrap_or_default())?, currency }
        }
    };
    let withdrawn = row.get::<_, Option<i64>>(6)?.is_some();
    Ok(Package { id: PackageId(row.get(0)?), title: row.get(1)?, terms, withdrawn })
}
