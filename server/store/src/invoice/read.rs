//! Invoices as pages and API show them.

use super::make::{self, Untold, document, open_items, untold};
use super::paid;
use crate::Store;
use crate::error::StoreError;
use crate::org::zone;
use crate::rows::unreadable;
use crate::seller;
use ledger::invoice::{Document, Figures, Item, State, figures};
use ledger::{BillingCycle, Currency, InvoiceId, OrgId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Invoices on one page, at most.
pub const MAX_PAGE: u32 = 500;

/// Which invoices, newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct InvoicePage {
    /// Only those that stand so.
    pub state: Option<State>,
    /// Only those of this year.
    pub year: Option<i32>,
    /// Only those before this one.
    pub before: Option<InvoiceId>,
    /// At most so many; no more than [`MAX_PAGE`].
    pub limit: u32,
}

/// An invoice in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceRow {
    /// Its number within the org.
    pub id: InvoiceId,
    /// What people call it; none for a draft.
    pub number: Option<String>,
    /// What it tells.
    pub month: BillingCycle,
    /// Of all its money.
    pub currency: Currency,
    /// How it stands.
    pub state: State,
    /// When it was issued; for a draft, when it will be.
    pub issued_at: Timestamp,
    /// Until when it is to be paid.
    pub due_at: Option<Timestamp>,
    /// Net and tax, in minor units.
    pub gross: i64,
    /// What is to be paid.
    pub due: i64,
    /// What payments for it brought, less what went back.
    pub paid: i64,
    /// When all was paid.
    pub paid_at: Option<Timestamp>,
}

/// An invoice with all it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// As in a list.
    pub row: InvoiceRow,
    /// All it says: as it was issued, or, of a draft, as it would be now.
    pub document: Document,
    /// When the stored method is charged next.
    pub next_try_at: Option<Timestamp>,
}

/// What is not on any invoice yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenItems {
    /// Of which currency.
    pub currency: Currency,
    /// What it comes to if nothing else happens.
    pub figures: Figures,
}

const ROW: &str = concat!(
    "i.invoice_id, i.ordinal, i.month, i.currency, i.state, coalesce(i.issued_at, i.finalises_at), i.due_at,
    i.net_minor + i.tax_minor, i.due_minor, ",
    paid!(),
    ", i.paid_at"
);

impl Store {
    /// Invoices and drafts of an org, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn invoices(&self, org: OrgId, page: InvoicePage) -> Result<Vec<InvoiceRow>, StoreError> {
        self.read(move |conn| list(conn, org, page)).await
    }

    /// One invoice.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn invoice(&self, org: OrgId, id: InvoiceId) -> Result<Invoice, StoreError> {
        let now = self.now();
        self.read(move |conn| one(conn, org, id, now)).await
    }

    /// What is not on any invoice yet, by currency, and what it comes to.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn open_items(&self, org: OrgId) -> Result<Vec<OpenItems>, StoreError> {
        self.read(move |conn| expected(conn, org)).await
    }
}

/// What is not on any invoice yet, by currency, and what it comes to.
pub(crate) fn expected(conn: &Connection, org: OrgId) -> Result<Vec<OpenItems>, StoreError> {
    let (zone, tax) = (zone(conn, org)?, seller::tax(conn, org)?);
    let sql = "SELECT DISTINCT currency FROM invoice_item WHERE org_id = ?1 AND invoice_id IS NULL ORDER BY currency";
    let mut select = conn.prepare_cached(sql)?;
    let codes = select.query_map([org.0], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let open = |code: String| {
        let currency = Currency::parse(&code)?;
        let items: Vec<Item> = open_items(conn, org, zone, currency)?;
        let credit = make::credit(conn, org, currency)?;
        Ok(OpenItems { currency, figures: figures(&items, &tax, currency, credit)? })
    };
    codes.into_iter().map(open).collect()
}

fn list(conn: &Connection, org: OrgId, page: InvoicePage) -> Result<Vec<InvoiceRow>, StoreError> {
    let sql = format!(
        "SELECT {ROW} FROM invoice i WHERE i.org_id = ?1 AND i.invoice_id < ?2 AND (?3 IS NULL OR i.state = ?3)
            AND (?4 IS NULL OR i.month / 12 = ?4) ORDER BY i.invoice_id DESC LIMIT ?5"
    );
    let mut select = conn.prepare_cached(&sql)?;
    let before = page.before.map_or(i64::MAX, |id| id.0);
    let state = page.state.map(State::as_str);
    let mut rows = select.query(params![org.0, before, state, page.year, page.limit.min(MAX_PAGE)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row_of(org, row)?);
    }
    drop(rows);
    // A draft has no figures of its own yet: what it would come to now.
    for row in found.iter_mut().filter(|row| row.state == State::Draft) {
        let totals = draft(conn, org, row, &[])?.totals;
        (row.gross, row.due) = (totals.gross, totals.due);
    }
    Ok(found)
}

/// A row, its document and when its method is charged next.
type Found = (Result<InvoiceRow, StoreError>, Option<String>, Option<i64>);

fn one(conn: &Connection, org: OrgId, id: InvoiceId, now: Timestamp) -> Result<Invoice, StoreError> {
    let sql =
        format!("SELECT {ROW}, i.document, i.next_try_at FROM invoice i WHERE i.org_id = ?1 AND i.invoice_id = ?2");
    let mut select = conn.prepare_cached(&sql)?;
    let read = |row: &Row<'_>| Ok((row_of(org, row), row.get(11)?, row.get(12)?));
    let found: Option<Found> = select.query_row([org.0, id.0], read).optional()?;
    let (row, text, next_try_at) = found.ok_or(StoreError::NotFound("invoice"))?;
    let mut row = row?;
    let document = match text {
        Some(text) => serde_json::from_str(&text)?,
        None => {
            let document = draft(conn, org, &row, &untold(conn, org, row.month.number())?)?;
            (row.gross, row.due) = (document.totals.gross, document.totals.due);
            row.issued_at = row.issued_at.max(now);
            document
        }
    };
    Ok(Invoice { row, document, next_try_at: next_try_at.map(Timestamp::from_micros) })
}

fn draft(conn: &Connection, org: OrgId, row: &InvoiceRow, untold: &[Untold]) -> Result<Document, StoreError> {
    let of = make::Row { id: row.id, month: row.month, currency: row.currency, finalises_at: row.issued_at };
    document(conn, (org, zone(conn, org)?), &of, untold, (None, row.issued_at))
}

fn row_of(org: OrgId, row: &Row<'_>) -> Result<InvoiceRow, StoreError> {
    let (ordinal, currency, state): (Option<i64>, String, String) = (row.get(1)?, row.get(3)?, row.get(4)?);
    let at = |at: Option<i64>| at.map(Timestamp::from_micros);
    Ok(InvoiceRow {
        id: InvoiceId(row.get(0)?),
        number: ordinal.map(|ordinal| ledger::invoice::number(org, ordinal)),
        month: BillingCycle::from_number(row.get(2)?).ok_or_else(|| unreadable("month"))?,
        currency: Currency::parse(&currency)?,
        state: State::parse(&state).ok_or_else(|| unreadable("state of an invoice"))?,
        issued_at: Timestamp::from_micros(row.get(5)?),
        due_at: at(row.get(6)?),
        gross: row.get(7)?,
        due: row.get(8)?,
        paid: row.get(9)?,
        paid_at: at(row.get(10)?),
    })
}
