//! Payments of an org as pages, files and API list them, whatever they were for.

use crate::Store;
use crate::error::StoreError;
use ledger::invoice::number;
use ledger::{Currency, InvoiceId, Money, OrgId, PaymentId, PurchaseId, Timestamp};
use rusqlite::{Connection, Row, params};

/// Payments on one page, at most.
pub const MAX_PAGE: u32 = 500;

/// Which payments, newest first.
#[derive(Debug, Clone, Default)]
pub struct PaymentPage {
    /// Only those that stand so: `succeeded`, `failed`, or `open` for those that are under way.
    pub standing: Option<Wanted>,
    /// Only those that were begun from this instant on.
    pub from: Option<Timestamp>,
    /// Only those that were begun before this instant.
    pub until: Option<Timestamp>,
    /// Only those before this one.
    pub before: Option<PaymentId>,
    /// At most so many; no more than [`MAX_PAGE`].
    pub limit: u32,
}

/// How the payments stand that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The money came.
    Succeeded,
    /// It did not, and will not.
    Failed,
    /// It is not known yet.
    Open,
}

impl Wanted {
    /// All, as a filter offers them.
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Open];

    /// Its name in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Open => "open",
        }
    }

    /// That of the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wanted| wanted.as_str() == text)
    }
}

/// What a payment was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaidFor {
    /// An order of credits, and what it is called.
    Purchase(PurchaseId, String),
    /// An invoice, and its number.
    Invoice(InvoiceId, String),
}

/// A payment in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentLine {
    /// Its number within the org.
    pub id: PaymentId,
    /// What it was for.
    pub paid_for: PaidFor,
    /// Who was asked: `sandbox`, `stripe` or `bank_transfer`.
    pub provider: String,
    /// What was charged, such as "Visa ending in 4242", where nobody was there.
    pub method: Option<String>,
    /// With tax.
    pub amount: Money,
    /// `created`, `pending`, `needs_action`, `succeeded`, `failed` or `cancelled`.
    pub state: String,
    /// Of that, what was given back, in minor units.
    pub refunded: i64,
    /// `none`, `open`, `won` or `lost`.
    pub dispute: String,
    /// Why it failed: a code.
    pub failure: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it changed last.
    pub changed_at: Timestamp,
}

const LINE: &str =
    "p.payment_id, p.purchase_id, p.invoice_id, u.title, i.ordinal, p.provider, m.title, p.amount_minor, p.currency,
        p.state, p.refunded_minor, p.dispute, p.failure, p.created_at, p.changed_at
    FROM payment p
    LEFT JOIN purchase u ON u.org_id = p.org_id AND u.purchase_id = p.purchase_id
    LEFT JOIN invoice i ON i.org_id = p.org_id AND i.invoice_id = p.invoice_id
    LEFT JOIN payment_method m ON m.org_id = p.org_id AND m.method_id = p.method_id";

impl Store {
    /// Payments of an org, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn payments(&self, org: OrgId, page: PaymentPage) -> Result<Vec<PaymentLine>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = format!(
                "SELECT {LINE} WHERE p.org_id = ?1 AND p.payment_id < ?2 AND p.created_at >= ?3 AND p.created_at < ?4
                    AND (?5 IS NULL OR ?5 = CASE p.state WHEN 'succeeded' THEN 'succeeded' WHEN 'failed' THEN 'failed'
                        WHEN 'cancelled' THEN 'failed' ELSE 'open' END)
                 ORDER BY p.payment_id DESC LIMIT ?6"
            );
            let values = params![
                org.0,
                page.before.map_or(i64::MAX, |id| id.0),
                page.from.map_or(i64::MIN, Timestamp::micros),
                page.until.map_or(i64::MAX, Timestamp::micros),
                page.standing.map(Wanted::as_str),
                page.limit.min(MAX_PAGE)
            ];
            lines(conn, org, &sql, values)
        };
        self.read(run).await
    }

    /// Payments for one invoice, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn payments_for(&self, org: OrgId, invoice: InvoiceId) -> Result<Vec<PaymentLine>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = format!(
                "SELECT {LINE} WHERE p.org_id = ?1 AND p.invoice_id = ?2 ORDER BY p.payment_id DESC LIMIT {MAX_PAGE}"
            );
            lines(conn, org, &sql, params![org.0, invoice.0])
        };
        self.read(run).await
    }
}

fn lines(
    conn: &Connection,
    org: OrgId,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<PaymentLine>, StoreError> {
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(line(org, row)?);
    }
    Ok(found)
}

fn line(org: OrgId, row: &Row<'_>) -> Result<PaymentLine, StoreError> {
    let (purchase, invoice): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
    let (title, ordinal): (Option<String>, Option<i64>) = (row.get(3)?, row.get(4)?);
    let currency: String = row.get(8)?;
    Ok(PaymentLine {
        id: PaymentId(row.get(0)?),
        paid_for: match invoice {
            Some(id) => PaidFor::Invoice(InvoiceId(id), ordinal.map(|of| number(org, of)).unwrap_or_default()),
            None => PaidFor::Purchase(PurchaseId(purchase.unwrap_or_default()), title.unwrap_or_default()),
        },
        provider: row.get(5)?,
        method: row.get(6)?,
        amount: Money { minor: row.get(7)?, currency: Currency::parse(&currency)? },
        state: row.get(9)?,
        refunded: row.get(10)?,
        dispute: row.get(11)?,
        failure: row.get(12)?,
        created_at: Timestamp::from_micros(row.get(13)?),
        changed_at: Timestamp::from_micros(row.get(14)?),
    })
}
