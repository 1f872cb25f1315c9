//! Attempts to be paid. A row comes first, with the key under which the provider is asked; the provider is asked outside of any
//! transaction, and what it says changes the row ([`message`]). So a crash in between asks again, and charges once.

pub mod list;
pub mod message;
pub mod method;

use crate::Store;
use crate::error::StoreError;
use crate::random;
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::canon::hex;
use ledger::payment::{Dispute, Failure, Payment, Provider, State};
use ledger::{Currency, InvoiceId, MethodId, Money, OrgId, PaymentId, PurchaseId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Payments that wait and are looked at by one run of the job.
const MAX_WAITING: u32 = 1_000;

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// An order of credits.
    Purchase(PurchaseId),
    /// An invoice.
    Invoice(InvoiceId),
}

/// An attempt to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPayment {
    /// What for.
    pub(crate) of: For,
    /// Who is asked: `sandbox`, `stripe` or `bank_transfer`.
    pub(crate) provider: &'static str,
    /// What is charged without anybody there; `None`: somebody pays on the provider's page.
    pub(crate) method: Option<MethodId>,
    /// Gross; above zero.
    pub(crate) amount: Money,
}

/// An attempt to be paid, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Whose.
    pub org: OrgId,
    /// Its number within the org.
    pub id: PaymentId,
    /// What for.
    pub of: For,
    /// Who is asked.
    pub provider: Provider,
    /// What is charged without anybody there.
    pub method: Option<MethodId>,
    /// How far it has come.
    pub stands: Payment,
    /// What was given back.
    pub refunded_minor: i64,
    /// Told to the provider, so that asking twice charges once.
    pub idempotency: String,
    /// Where the payer goes on.
    pub action_url: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its state changed last.
    pub changed_at: Timestamp,
    /// When the provider was asked last.
    pub asked_at: Option<Timestamp>,
    /// How often, since its state changed last.
    pub asks: u32,
    /// Whether people were told that it takes long.
    pub late_told: bool,
}

impl PaymentRow {
    /// Whether people should be told now that it takes long, and were not.
    #[must_use]
    pub fn is_late(&self, now: Timestamp) -> bool {
        let waits_s = (now.micros() - self.created_at.micros()) / 1_000_000;
        !self.late_told && self.stands.is_late(self.provider, self.method.is_some(), waits_s)
    }
}

impl Store {
    /// One payment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn payment(&self, org: OrgId, id: PaymentId) -> Result<PaymentRow, StoreError> {
        self.read(move |conn| find(conn, org, id)).await
    }

    /// How a provider calls a payment; several names, oldest first, where it has several.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn payment_references(&self, org: OrgId, id: PaymentId) -> Result<Vec<String>, StoreError> {
        let run = move |conn: &Connection| {
            let sql =
                "SELECT reference FROM payment_reference WHERE org_id = ?1 AND payment_id = ?2 ORDER BY reference";
            let mut select = conn.prepare_cached(sql)?;
            let rows = select.query_map([org.0, id.0], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.read(run).await
    }

    /// When something about an org's payments changed last, in microseconds; 0 where nothing ever did. For open pages.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn payments_changed(&self, org: OrgId) -> Result<i64, StoreError> {
        let run = move |conn: &Connection| {
            let sql = "SELECT coalesce(max(changed_at), 0) FROM payment WHERE org_id = ?1";
            Ok(conn.prepare_cached(sql)?.query_row([org.0], |row| row.get(0))?)
        };
        self.read(run).await
    }

    /// Payments of which nothing certain is known yet, over all orgs, those first that nobody was asked about for the longest time.
    /// Transfers only where nobody was asked yet, or they were begun before `given_up`: nobody is asked about others, and they
    /// must not stand before those that somebody can be asked about.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn payments_waiting(&self, given_up: Timestamp) -> Result<Vec<PaymentRow>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = format!(
                "{SELECT} WHERE state IN ('created', 'pending', 'needs_action')
                    AND (provider <> 'bank_transfer' OR asked_at IS NULL OR created_at <= ?1)
                 ORDER BY coalesce(asked_at, 0) LIMIT ?2"
            );
            let mut select = conn.prepare_cached(&sql)?;
            let rows = select.query_map(params![given_up.micros(), MAX_WAITING], |row| Ok(payment(row)))?;
            rows.map(|row| row?).collect()
        };
        self.read(run).await
    }

    /// Transfers that are awaited, over all orgs, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn transfers_waiting(&self) -> Result<Vec<PaymentRow>, StoreError> {
        let run = |conn: &Connection| {
            let sql = format!(
                "{SELECT} WHERE state IN ('created', 'pending', 'needs_action') AND provider = 'bank_transfer'
                 ORDER BY created_at DESC, org_id, payment_id LIMIT ?1"
            );
            let mut select = conn.prepare_cached(&sql)?;
            let rows = select.query_map([MAX_WAITING], |row| Ok(payment(row)))?;
            rows.map(|row| row?).collect()
        };
        self.read(run).await
    }

    /// The attempts to be paid for an invoice, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn invoice_attempts(&self, org: OrgId, id: InvoiceId) -> Result<Vec<PaymentRow>, StoreError> {
        self.read(move |conn| of_invoice(conn, org, id)).await
    }

    /// Notes that a provider is being asked, so that one that does not answer is asked less and less often.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn asking(&self, org: OrgId, id: PaymentId) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            let sql = "UPDATE payment SET asked_at = ?3, asks = asks + 1 WHERE org_id = ?1 AND payment_id = ?2";
            tx.conn.prepare_cached(sql)?.execute([org.0, id.0, tx.now().micros()])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }
}

impl Tx<'_> {
    /// Puts down an attempt. The job of payments asks the provider.
    pub(crate) fn open_payment(&mut self, org: OrgId, new: &NewPayment) -> Result<PaymentId, StoreError> {
        let (purchase, invoice) = match new.of {
            For::Purchase(purchase) => (Some(purchase.0), None),
            For::Invoice(invoice) => (None, Some(invoice.0)),
        };
        let now = self.now().micros();
        let sql = "INSERT INTO payment (org_id, payment_id, purchase_id, invoice_id, provider, method_id, amount_minor, currency,
                                        state, idempotency, created_at, changed_at)
             SELECT ?1, coalesce(max(payment_id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, 'created', ?8, ?9, ?9
             FROM payment WHERE org_id = ?1 RETURNING payment_id";
        let key = hex(&random::bytes::<16>());
        let id = self.conn.prepare_cached(sql)?.query_row(
            params![
                org.0,
                purchase,
                invoice,
                new.provider,
                new.method.map(|method| method.0),
                new.amount.minor,
                new.amount.currency.as_str(),
                key,
                now,
            ],
            |row| row.get(0),
        )?;
        Ok(PaymentId(id))
    }
}

const SELECT: &str =
    "SELECT org_id, payment_id, purchase_id, invoice_id, provider, method_id, amount_minor, currency, state, failure,
    dispute, refunded_minor, idempotency, action_url, created_at, changed_at, asked_at, asks,
    disputed_minor, late_told_at IS NOT NULL FROM payment";

/// The attempts to be paid for a purchase, oldest first.
pub(crate) fn of_purchase(conn: &Connection, org: OrgId, id: PurchaseId) -> Result<Vec<PaymentRow>, StoreError> {
    let sql = format!("{SELECT} WHERE org_id = ?1 AND purchase_id = ?2 ORDER BY payment_id");
    let mut select = conn.prepare_cached(&sql)?;
    let rows = select.query_map([org.0, id.0], |row| Ok(payment(row)))?;
    rows.map(|row| row?).collect()
}

/// The same for an invoice.
pub(crate) fn of_invoice(conn: &Connection, org: OrgId, id: InvoiceId) -> Result<Vec<PaymentRow>, StoreError> {
    let sql = format!("{SELECT} WHERE org_id = ?1 AND invoice_id = ?2 ORDER BY payment_id");
    let mut select = conn.prepare_cached(&sql)?;
    let rows = select.query_map([org.0, id.0], |row| Ok(payment(row)))?;
    rows.map(|row| row?).collect()
}

pub(crate) fn find(conn: &Connection, org: OrgId, id: PaymentId) -> Result<PaymentRow, StoreError> {
    let sql = format!("{SELECT} WHERE org_id = ?1 AND payment_id = ?2");
    let found = conn.prepare_cached(&sql)?.query_row([org.0, id.0], |row| Ok(payment(row))).optional()?;
    found.ok_or(StoreError::NotFound("payment"))?
}

fn payment(row: &Row<'_>) -> Result<PaymentRow, StoreError> {
    let text = |column: usize| row.get::<_, String>(column);
    let at = |column: usize| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp::from_micros));
    let of = match (row.get::<_, Option<i64>>(2)?, row.get::<_, Option<i64>>(3)?) {
        (Some(purchase), _) => For::Purchase(PurchaseId(purchase)),
        (None, Some(invoice)) => For::Invoice(InvoiceId(invoice)),
        (None, None) => return Err(unreadable("payment")),
    };
    let failure: Option<String> = row.get(9)?;
    Ok(PaymentRow {
        org: OrgId(row.get(0)?),
        id: PaymentId(row.get(1)?),
        of,
        provider: Provider::parse(&text(4)?).ok_or_else(|| unreadable("provider"))?,
        method: row.get::<_, Option<i64>>(5)?.map(MethodId),
        stands: Payment {
            amount: Money { minor: row.get(6)?, currency: Currency::parse(&text(7)?)? },
            state: State::parse(&text(8)?).ok_or_else(|| unreadable("state of a payment"))?,
            failure: failure.as_deref().and_then(Failure::parse),
            dispute: Dispute::parse(&text(10)?).ok_or_else(|| unreadable("dispute"))?,
            disputed_minor: row.get(18)?,
        },
        refunded_minor: row.get(11)?,
        idempotency: row.get(12)?,
        action_url: row.get(13)?,
        created_at: Timestamp::from_micros(row.get(14)?),
        changed_at: Timestamp::from_micros(row.get(15)?),
        asked_at: at(16)?,
        asks: row.get(17)?,
        late_told: row.get(19)?,
    })
}
