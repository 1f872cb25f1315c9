//! What people do so that an invoice is paid: pay it now, or say that a transfer for it came.
//!
//! What is charged is what is open then, and one attempt is under way at a time; so nothing is paid twice, and where it is all the
//! same, by a payment that was given up and succeeded, what is too much goes back by itself.

use super::paid;
use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::payment::message::Outcome;
use crate::payment::{self, For, NewPayment};
use crate::tx::Tx;
use ledger::invoice::number;
use ledger::payment::{Provider, Saying};
use ledger::{Currency, InvoiceId, MethodId, Money, OrgId, PaymentId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

/// Open invoices that are read at once, over all orgs.
const MAX_OPEN: u32 = 200;

/// An invoice that is issued and not paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvoice {
    /// Whose.
    pub org: OrgId,
    /// Which.
    pub id: InvoiceId,
    /// What people call it.
    pub number: String,
    /// What is still to be paid.
    pub open: Money,
    /// Until when it was to be paid.
    pub due_at: Timestamp,
}

const SELECT: &str = concat!(
    "SELECT i.org_id, i.invoice_id, i.ordinal, i.due_minor - ",
    paid!(),
    ", i.currency, i.due_at FROM invoice i WHERE i.state IN ('open', 'uncollectible')"
);

impl Store {
    /// Opens an attempt to be paid what is open of an invoice. The provider is asked afterwards.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where it is not there, a draft, or paid, also for the payment method; [`StoreError::Conflict`] while
    /// an attempt is under way.
    pub async fn pay_invoice(
        &self,
        org: OrgId,
        by: By,
        id: InvoiceId,
        (provider, method): (Provider, Option<MethodId>),
    ) -> Result<PaymentId, StoreError> {
        let run = move |tx: &mut Tx<'_>| tx.pay_invoice(org, &by, id, (provider, method)).map(|(payment, _)| payment);
        self.writer().call(0, run).await
    }

    /// Notes that a transfer came which pays all that is open of an invoice, whether one was announced or not.
    ///
    /// # Errors
    /// As [`Store::pay_invoice`]; [`StoreError::BadRange`] for another amount than is open.
    pub async fn invoice_transferred(
        &self,
        org: OrgId,
        by: By,
        id: InvoiceId,
        came: Money,
    ) -> Result<Outcome, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let (payment, open) = tx.pay_invoice(org, &by, id, (Provider::BankTransfer, None))?;
            if came != open {
                return Err(StoreError::BadRange(
                    "a transfer must be of what is open: send back what is of another amount",
                ));
            }
            tx.hear_payment(org, payment, Saying::Succeeded(came))
        };
        self.writer().call(0, run).await
    }

    /// Invoices that are not paid, of all orgs, those first that were due first: for operators.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn open_invoices(&self) -> Result<Vec<OpenInvoice>, StoreError> {
        let run = |conn: &Connection| {
            let sql = format!("{SELECT} ORDER BY i.due_at, i.org_id, i.invoice_id LIMIT ?1");
            let mut select = conn.prepare_cached(&sql)?;
            let rows = select.query_map([MAX_OPEN], |row| Ok(open(row)))?;
            rows.map(|row| row?).collect()
        };
        self.read(run).await
    }
}

impl Tx<'_> {
    fn pay_invoice(
        &mut self,
        org: OrgId,
        by: &By,
        id: InvoiceId,
        (provider, method): (Provider, Option<MethodId>),
    ) -> Result<(PaymentId, Money), StoreError> {
        self.org(org)?;
        let sql = format!("{SELECT} AND i.org_id = ?1 AND i.invoice_id = ?2");
        let found = self.conn.prepare_cached(&sql)?.query_row([org.0, id.0], |row| Ok(open(row))).optional()?;
        let amount = found.transpose()?.ok_or(StoreError::NotFound("open invoice"))?.open;
        if payment::of_invoice(self.conn, org, id)?.iter().any(|payment| !payment.stands.state.is_over()) {
            return Err(StoreError::Conflict("invoice"));
        }
        if let Some(method) = method {
            payment::method::here(self.conn, org, method)?;
        }
        let new = NewPayment { of: For::Invoice(id), provider: provider.as_str(), method, amount };
        let payment = self.open_payment(org, &new)?;
        let after = json!({"payment": payment.to_string(), "total": amount.to_string(), "provider": provider.as_str()});
        self.note(org, by, Change { action: "invoice.pay", target: id.to_string(), before: None, after: Some(after) })?;
        Ok((payment, amount))
    }

    /// What was paid for an invoice beyond what is due, and is not on its way back: from zero on.
    pub(crate) fn paid_too_much(&self, org: OrgId, id: InvoiceId) -> Result<i64, StoreError> {
        let sql = concat!(
            "SELECT max(0, ",
            paid!(),
            " - i.due_minor - coalesce((SELECT sum(r.amount_minor) FROM refund r JOIN payment p ON p.org_id = r.org_id
                AND p.payment_id = r.payment_id WHERE p.org_id = i.org_id AND p.invoice_id = i.invoice_id AND r.state = 'asked'), 0))
             FROM invoice i WHERE i.org_id = ?1 AND i.invoice_id = ?2"
        );
        Ok(self.conn.prepare_cached(sql)?.query_row(params![org.0, id.0], |row| row.get(0))?)
    }
}

fn open(row: &Row<'_>) -> Result<OpenInvoice, StoreError> {
    let org = OrgId(row.get(0)?);
    let currency = Currency::parse(&row.get::<_, String>(4)?)?;
    Ok(OpenInvoice {
        org,
        id: InvoiceId(row.get(1)?),
        number: number(org, row.get(2)?),
        open: Money { minor: row.get(3)?, currency },
        due_at: Timestamp::from_micros(row.get(5)?),
    })
}
