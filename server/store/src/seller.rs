//! Who sells and who buys: what invoices say, and at which tax. The seller is of the installation; an org's own billing details may
//! name another tax.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::tx::Tx;
use ledger::OrgId;
use ledger::invoice::Party;
use ledger::seller::{BillingDetails, Seller};
use ledger::tax::Tax;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

impl Store {
    /// Who sells; nobody where no operator said so yet.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn seller(&self) -> Result<Seller, StoreError> {
        self.read(|conn| Ok(seller(conn)?.unwrap_or_default())).await
    }

    /// Sets who sells: invoices that are issued from now on say so. Noted in the log of the org from which it was changed.
    ///
    /// # Errors
    /// [`StoreError::Refused`] naming the field.
    pub async fn set_seller(&self, by: By, org: OrgId, new: Seller) -> Result<(), StoreError> {
        new.check()?;
        let run = move |tx: &mut Tx<'_>| {
            let before = seller(tx.conn)?;
            write_seller(tx.conn, &new)?;
            let (before, after) = (before.as_ref().map(seller_json), Some(seller_json(&new)));
            let change = Change { action: "installation.seller", target: "installation".to_owned(), before, after };
            if change.before == change.after { Ok(()) } else { tx.note(org, &by, change) }
        };
        self.writer().call(0, run).await
    }

    /// What an org's invoices are made out to; `None` where nobody said so yet: then they name the org.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn billing_details(&self, org: OrgId) -> Result<Option<BillingDetails>, StoreError> {
        self.read(move |conn| details(conn, org)).await
    }

    /// Sets what an org's invoices are made out to, and at which tax if it is another than the seller's.
    ///
    /// # Errors
    /// [`StoreError::Refused`] naming the field; [`StoreError::NotFound`] for the org.
    pub async fn set_billing_details(&self, by: By, org: OrgId, new: BillingDetails) -> Result<(), StoreError> {
        new.check()?;
        let run = move |tx: &mut Tx<'_>| {
            crate::org::zone(tx.conn, org)?;
            let before = details(tx.conn, org)?;
            write_details(tx, org, &new)?;
            let (before, after) = (before.as_ref().map(details_json), Some(details_json(&new)));
            let change = Change { action: "org.billing_details", target: org.to_string(), before, after };
            if change.before == change.after { Ok(()) } else { tx.note(org, &by, change) }
        };
        self.writer().call(0, run).await
    }
}

/// The tax on what an org buys; none where nobody said one.
pub(crate) fn tax(conn: &Connection, org: OrgId) -> Result<Tax, StoreError> {
    let own = "SELECT tax_name, tax_millionths FROM billing_details WHERE org_id = ?1 AND tax_name IS NOT NULL";
    let read = |row: &rusqlite::Row<'_>| Ok(Tax { name: row.get(0)?, millionths: row.get(1)? });
    if let Some(tax) = conn.prepare_cached(own)?.query_row([org.0], read).optional()? {
        return Ok(tax);
    }
    let sellers = conn.prepare_cached("SELECT tax_name, tax_millionths FROM seller")?.query_row([], read).optional()?;
    Ok(sellers.unwrap_or_default())
}

impl Store {
    /// Where money is transferred to, in lines; none where nobody said so.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bank_lines(&self) -> Result<Vec<String>, StoreError> {
        let run = |conn: &Connection| {
            let bank = conn.prepare_cached("SELECT bank FROM seller")?.query_row([], |row| row.get::<_, String>(0));
            let bank = bank.optional()?.unwrap_or_default();
            Ok(bank.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
        };
        self.read(run).await
    }
}

/// Who sells, if anybody said so.
pub(crate) fn seller(conn: &Connection) -> Result<Option<Seller>, StoreError> {
    let sql = "SELECT name, address, tax_number, bank, tax_name, tax_millionths, grace_hours, due_days FROM seller";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Seller {
            party: Party { name: row.get(0)?, address: row.get(1)?, tax_number: row.get(2)? },
            bank: row.get(3)?,
            tax: Tax { name: row.get(4)?, millionths: row.get(5)? },
            grace_hours: row.get(6)?,
            due_days: row.get(7)?,
        })
    };
    Ok(conn.prepare_cached(sql)?.query_row([], read).optional()?)
}

fn write_seller(conn: &Connection, new: &Seller) -> Result<(), StoreError> {
    let sql =
        "INSERT OR REPLACE INTO seller (seller_id, name, address, tax_number, bank, tax_name, tax_millionths, grace_hours, due_days)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    conn.prepare_cached(sql)?.execute(params![
        new.party.name,
        new.party.address,
        new.party.tax_number,
        new.bank,
        new.tax.name,
        new.tax.millionths,
        new.grace_hours,
        new.due_days
    ])?;
    Ok(())
}

/// What an org's invoices are made out to.
pub(crate) fn details(conn: &Connection, org: OrgId) -> Result<Option<BillingDetails>, StoreError> {
    let sql =
        "SELECT name, address, tax_number, email, tax_name, tax_millionths FROM billing_details WHERE org_id = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let (email, name): (String, Option<String>) = (row.get(3)?, row.get(4)?);
        let millionths: Option<u32> = row.get(5)?;
        Ok(BillingDetails {
            party: Party { name: row.get(0)?, address: row.get(1)?, tax_number: row.get(2)? },
            email: Some(email).filter(|email| !email.is_empty()),
            tax: name.zip(millionths).map(|(name, millionths)| Tax { name, millionths }),
        })
    };
    Ok(conn.prepare_cached(sql)?.query_row([org.0], read).optional()?)
}

fn write_details(tx: &Tx<'_>, org: OrgId, new: &BillingDetails) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO billing_details
            (org_id, name, address, tax_number, email, tax_name, tax_millionths, changed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    tx.conn.prepare_cached(sql)?.execute(params![
        org.0,
        new.party.name,
        new.party.address,
        new.party.tax_number,
        new.email.as_deref().unwrap_or_default(),
        new.tax.as_ref().map(|tax| &tax.name),
        new.tax.as_ref().map(|tax| tax.millionths),
        tx.now().micros()
    ])?;
    Ok(())
}

fn seller_json(of: &Seller) -> Value {
    json!({"party": of.party, "bank": of.bank, "tax": of.tax, "grace_hours": of.grace_hours, "due_days": of.due_days})
}

fn details_json(of: &BillingDetails) -> Value {
    json!({"party": of.party, "email": of.email, "tax": of.tax})
}
