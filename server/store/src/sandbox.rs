//! What the built-in sandbox remembers. It plays a provider that is elsewhere: nothing but its own code reads this, and what
//! it says comes back as signed messages like any other provider's.

use crate::Store;
use crate::error::StoreError;
use crate::tx::Tx;
use ledger::{Currency, Money, OrgId, PaymentId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Messages that are sent at once.
const MAX_DUE: u32 = 100;

/// A payment, as the sandbox knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxPayment {
    /// Whose.
    pub org: OrgId,
    /// Which.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// What for.
    pub title: String,
    /// Where its page leads back to.
    pub return_path: String,
    /// One of the sandbox's own states.
    pub state: String,
    /// The test card.
    pub card: Option<String>,
    /// What was given back.
    pub refunded_minor: i64,
}

/// A message that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxMessage {
    /// Whose payment it is about.
    pub org: OrgId,
    /// Its number within the org.
    pub no: i64,
    /// Which payment.
    pub payment: PaymentId,
    /// What it says, as JSON.
    pub says: String,
}

/// What happens to a payment of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxStep {
    /// Only where it is in one of these states: otherwise nothing happens.
    pub from: &'static [&'static str],
    /// Its state from then on.
    pub to: &'static str,
    /// The test card.
    pub card: Option<String>,
    /// How much more is given back.
    pub refunded_minor: i64,
    /// Messages, and when each is due.
    pub says: Vec<(Timestamp, String)>,
}

impl Store {
    /// Begins a payment, unless it was begun.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sandbox_begin(&self, new: SandboxPayment) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let sql =
                "INSERT INTO sandbox_payment (org_id, payment_id, amount_minor, currency, title, return_path, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
            let values = params![
                new.org.0,
                new.payment.0,
                new.amount.minor,
                new.amount.currency.as_str(),
                new.title,
                new.return_path,
                new.state,
            ];
            tx.conn.prepare_cached(sql)?.execute(values)?;
            Ok(())
        };
        self.writer().call(0, run).await
    }

    /// What the sandbox knows of a payment.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sandbox_payment(&self, org: OrgId, id: PaymentId) -> Result<Option<SandboxPayment>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = "SELECT amount_minor, currency, title, return_path, state, card, refunded_minor
                 FROM sandbox_payment WHERE org_id = ?1 AND payment_id = ?2";
            let found =
                conn.prepare_cached(sql)?.query_row([org.0, id.0], |row| Ok(payment(org, id, row))).optional()?;
            found.transpose()
        };
        self.read(run).await
    }

    /// Lets something happen to a payment; `false` where it is not in a state for it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sandbox_step(&self, org: OrgId, id: PaymentId, step: SandboxStep) -> Result<bool, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let sql = "SELECT state FROM sandbox_payment WHERE org_id = ?1 AND payment_id = ?2";
            let state: Option<String> =
                tx.conn.prepare_cached(sql)?.query_row([org.0, id.0], |row| row.get(0)).optional()?;
            if !state.is_some_and(|state| step.from.contains(&state.as_str())) {
                return Ok(false);
            }
            let sql =
                "UPDATE sandbox_payment SET state = ?3, card = coalesce(?4, card), refunded_minor = refunded_minor + ?5
                 WHERE org_id = ?1 AND payment_id = ?2";
            tx.conn.prepare_cached(sql)?.execute(params![org.0, id.0, step.to, step.card, step.refunded_minor])?;
            for (due_at, says) in &step.says {
                let sql = "INSERT INTO sandbox_message (org_id, message_no, payment_id, says, due_at)
                     SELECT ?1, coalesce(max(message_no), 0) + 1, ?2, ?3, ?4 FROM sandbox_message WHERE org_id = ?1";
                tx.conn.prepare_cached(sql)?.execute(params![org.0, id.0, says, due_at.micros()])?;
            }
            Ok(true)
        };
        self.writer().call(0, run).await
    }

    /// Messages that are due, oldest first, and when the next one is.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sandbox_due(&self) -> Result<Vec<SandboxMessage>, StoreError> {
        let now = self.now();
        let run = move |conn: &Connection| {
            let sql = "SELECT org_id, message_no, payment_id, says FROM sandbox_message
                 WHERE delivered_at IS NULL AND due_at <= ?1 ORDER BY due_at, org_id, message_no LIMIT ?2";
            let mut select = conn.prepare_cached(sql)?;
            let rows = select.query_map(params![now.micros(), MAX_DUE], |row| {
                Ok(SandboxMessage {
                    org: OrgId(row.get(0)?),
                    no: row.get(1)?,
                    payment: PaymentId(row.get(2)?),
                    says: row.get(3)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.read(run).await
    }

    /// A message was taken.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sandbox_delivered(&self, org: OrgId, no: i64) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let sql = "UPDATE sandbox_message SET delivered_at = ?3 WHERE org_id = ?1 AND message_no = ?2";
            tx.conn.prepare_cached(sql)?.execute([org.0, no, tx.now().micros()])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }
}

fn payment(org: OrgId, id: PaymentId, row: &Row<'_>) -> Result<SandboxPayment, StoreError> {
    Ok(SandboxPayment {
        org,
        payment: id,
        amount: Money { minor: row.get(0)?, currency: Currency::parse(&row.get::<_, String>(1)?)? },
        title: row.get(2)?,
        return_path: row.get(3)?,
        state: row.get(4)?,
        card: row.get(5)?,
        refunded_minor: row.get(6)?,
    })
}
