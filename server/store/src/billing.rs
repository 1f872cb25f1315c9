//! Everything that the page of billing adds up, of one instant: what is there, what is subscribed to, what will be invoiced.

use crate::error::StoreError;
use crate::grant::GrantState;
use crate::payment::method::{self, Method};
use crate::position::{At, read};
use crate::rows::unreadable;
use crate::subscription::{Subscribed, in_force, owes};
use crate::{OpenItems, Store, invoice, overview};
use ledger::{Balance, BillingCycle, Currency, InvoiceId, Money, OrgId, PaymentId, PurchaseId, Stretch, Timestamp};
use rusqlite::{Connection, Row, params};

/// Rows of each list: the newest.
const LISTED: u32 = 5;
/// Items that wait for an invoice and are listed, at most.
const MAX_ITEMS: u32 = 200;

/// What an org has, gets and owes.
#[derive(Debug, Clone)]
pub struct Billing {
    /// The instant of all this.
    pub as_of: Timestamp,
    /// The newest entry of the ledger: what the page has seen.
    pub head: i64,
    /// What it has.
    pub balance: Balance,
    /// What it is subscribed to.
    pub subscribed: Option<Subscribed>,
    /// The plan's grants in force, newest first.
    pub plan: Vec<GrantState>,
    /// Whether an invoice was given up.
    pub owes: bool,
    /// What is charged without anybody there.
    pub method: Option<Method>,
    /// What waits for its invoice, oldest first.
    pub items: Vec<OpenItem>,
    /// What the next invoices come to if nothing else happens, by currency.
    pub expected: Vec<OpenItems>,
    /// The newest payments.
    pub payments: Vec<PaymentLine>,
    /// The newest invoices.
    pub invoices: Vec<InvoiceLine>,
}

/// Something that waits for its invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenItem {
    /// What people read.
    pub description: String,
    /// Net; below zero for what is given back.
    pub net: Money,
    /// The tax, where it was settled with a payment: then it is paid as well.
    pub settled_tax: Option<Money>,
    /// Of which time, for a plan.
    pub part: Option<Stretch>,
    /// When it happened.
    pub at: Timestamp,
}

/// An attempt to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentLine {
    /// Its number.
    pub id: PaymentId,
    /// For which purchase, where it is for one.
    pub purchase: Option<PurchaseId>,
    /// For which invoice, where it is for one.
    pub invoice: Option<InvoiceId>,
    /// Gross.
    pub amount: Money,
    /// `succeeded`, `failed`, …
    pub state: String,
    /// When it began.
    pub at: Timestamp,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceLine {
    /// Its number among drafts and invoices.
    pub id: InvoiceId,
    /// Its number among invoices; `None` for a draft.
    pub ordinal: Option<i64>,
    /// `draft`, `open`, `paid`, `uncollectible`.
    pub state: String,
    /// Of which month.
    pub month: BillingCycle,
    /// Gross; 0 for a draft, which has no figures of its own yet: its page says what it would come to.
    pub total: Money,
}

impl Store {
    /// What the page of billing shows.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org.
    pub async fn billing(&self, org: OrgId) -> Result<Billing, StoreError> {
        let now = self.now();
        self.read(move |conn| billing(conn, org, now)).await
    }
}

fn billing(conn: &Connection, org: OrgId, now: Timestamp) -> Result<Billing, StoreError> {
    let reading = read(conn, org, At::default(), now)?;
    let sql = "SELECT coalesce(max(seq), 0) FROM entry WHERE org_id = ?1";
    Ok(Billing {
        as_of: reading.as_of,
        head: conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0))?,
        balance: reading.position.balance(reading.as_of)?,
        subscribed: in_force(conn, org)?,
        plan: overview::plan(conn, org, &reading)?,
        owes: owes(conn, org)?,
        method: method::default_method(conn, org)?,
        items: items(conn, org)?,
        expected: invoice::expected(conn, org)?,
        payments: payments(conn, org)?,
        invoices: invoices(conn, org)?,
    })
}

fn money(row: &Row<'_>, minor: usize, currency: usize) -> Result<Money, StoreError> {
    let currency = Currency::parse(&row.get::<_, String>(currency)?).map_err(|_| unreadable("currency"))?;
    Ok(Money { minor: row.get(minor)?, currency })
}

fn items(conn: &Connection, org: OrgId) -> Result<Vec<OpenItem>, StoreError> {
    let sql = "SELECT description, net_minor, currency, tax_minor, from_at, to_at, happened_at FROM invoice_item
         WHERE org_id = ?1 AND invoice_id IS NULL ORDER BY happened_at, item_id LIMIT ?2";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(params![org.0, MAX_ITEMS])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let at = |column: usize| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_micros));
        let net = money(row, 1, 2)?;
        items.push(OpenItem {
            description: row.get(0)?,
            net,
            settled_tax: row.get::<_, Option<i64>>(3)?.map(|minor| Money { minor, ..net }),
            part: at(4)?.zip(at(5)?).map(|(from, to)| Stretch { from, to }),
            at: Timestamp::from_micros(row.get(6)?),
        });
    }
    Ok(items)
}

fn payments(conn: &Connection, org: OrgId) -> Result<Vec<PaymentLine>, StoreError> {
    let sql = "SELECT payment_id, purchase_id, amount_minor, currency, state, created_at, invoice_id FROM payment
         WHERE org_id = ?1 ORDER BY payment_id DESC LIMIT ?2";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(params![org.0, LISTED])?;
    let mut payments = Vec::new();
    while let Some(row) = rows.next()? {
        payments.push(PaymentLine {
            id: PaymentId(row.get(0)?),
            purchase: row.get::<_, Option<i64>>(1)?.map(PurchaseId),
            invoice: row.get::<_, Option<i64>>(6)?.map(InvoiceId),
            amount: money(row, 2, 3)?,
            state: row.get(4)?,
            at: Timestamp::from_micros(row.get(5)?),
        });
    }
    Ok(payments)
}

fn invoices(conn: &Connection, org: OrgId) -> Result<Vec<InvoiceLine>, StoreError> {
    let sql = "SELECT invoice_id, ordinal, state, net_minor + tax_minor, currency, month FROM invoice
         WHERE org_id = ?1 ORDER BY invoice_id DESC LIMIT ?2";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(params![org.0, LISTED])?;
    let mut invoices = Vec::new();
    while let Some(row) = rows.next()? {
        invoices.push(InvoiceLine {
            id: InvoiceId(row.get(0)?),
            ordinal: row.get(1)?,
            state: row.get(2)?,
            total: money(row, 3, 4)?,
            month: BillingCycle::from_number(row.get(5)?).ok_or_else(|| unreadable("month"))?,
        });
    }
    Ok(invoices)
}
