//! What providers say, and what it does. Each verified message is noted once, in the transaction of what it does; one that comes
//! again does nothing. What a provider answers when it is asked goes the same way, without a note ([`Store::answered`]).
//!
//! Whose payment a message is about is what we told the provider, where it says so, or the reference that it gave us. A
//! message that comes before anybody knows that reference is noted as such, and counts when it comes again; the job that asks
//! providers hears what it said in any case.

use super::method::NewMethod;
use super::{For, PaymentRow, find};
use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::tx::Tx;
use ledger::payment::{Effect, Heard, Payment, Provider, Saying};
use ledger::{Money, OrgId, PaymentId, RefundId, refund};
use rusqlite::{OptionalExtension, params};
use serde_json::json;

/// A verified message of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub provider: Provider,
    /// The provider's number of it.
    pub id: String,
    /// What the provider calls it.
    pub kind: String,
    /// How the provider calls the payment.
    pub reference: String,
    /// Whose payment it is, where the provider repeats what we told it.
    pub ours: Option<(OrgId, PaymentId)>,
    /// What it says.
    pub says: Says,
    /// A method that can be charged from now on.
    pub method: Option<NewMethod>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// Something of a payment.
    Payment(Saying),
    /// Something of money that goes back.
    Refund(RefundSays),
}

/// What a provider says of money that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundSays {
    /// How the provider calls it.
    pub reference: String,
    /// Which of ours it is, where the provider repeats that. Otherwise somebody gave money back on the provider's own pages.
    pub ours: Option<RefundId>,
    /// How much.
    pub amount: Money,
    /// How far it has come.
    pub state: refund::State,
}

/// What a message did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It changed something.
    Applied,
    /// It said what was known, or less.
    Stale,
    /// It came before.
    Repeated,
    /// Nobody knows the payment.
    UnknownPayment,
    /// Other money came than was asked for: nothing is given, somebody has to look.
    Mismatch,
}

impl Outcome {
    /// Its name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Stale => "stale",
            Self::Repeated => "repeated",
            Self::UnknownPayment => "unknown_payment",
            Self::Mismatch => "mismatch",
        }
    }
}

/// What a provider answers when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How the provider calls the payment, where it says.
    pub references: Vec<String>,
    /// Where the payer goes on, where that is somewhere.
    pub action_url: Option<String>,
    /// What it says of the payment.
    pub says: Saying,
    /// A method that can be charged from now on.
    pub method: Option<NewMethod>,
}

impl Answer {
    /// An answer that says no more than this.
    #[must_use]
    pub const fn of(says: Saying) -> Self {
        Self { references: Vec::new(), action_url: None, says, method: None }
    }
}

impl Store {
    /// Takes a verified message of a provider: everything that follows from it is on disk when this answers.
    ///
    /// # Errors
    /// Where the database fails, or the credits do not fit into the ledger: the provider sends it again.
    pub async fn hear(&self, message: Message) -> Result<Outcome, StoreError> {
        self.writer().call(0, move |tx| tx.apply_message(&message)).await
    }

    /// Takes what a provider answered about a payment.
    ///
    /// # Errors
    /// As [`Store::hear`].
    pub async fn answered(&self, org: OrgId, id: PaymentId, answer: Answer) -> Result<Outcome, StoreError> {
        self.writer().call(0, move |tx| tx.take_answer(org, id, &answer)).await
    }
}

impl Store {
    /// Tells people that a payment takes long, unless they were told, or it does not any more.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn tell_late(&self, org: OrgId, id: PaymentId) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            let payment = find(tx.conn, org, id)?;
            if !payment.is_late(tx.now()) {
                return Ok(());
            }
            let sql = "UPDATE payment SET late_told_at = ?3 WHERE org_id = ?1 AND payment_id = ?2";
            tx.conn.prepare_cached(sql)?.execute([org.0, id.0, tx.now().micros()])?;
            tx.tell_of_payment(&payment, "payment_late")
        };
        self.writer().call(0, run).await
    }

    /// Takes what an operator says of a transfer.
    ///
    /// # Errors
    /// As [`Store::hear`].
    pub async fn confirm_payment(
        &self,
        org: OrgId,
        by: By,
        id: PaymentId,
        answer: Answer,
    ) -> Result<Outcome, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            let outcome = tx.take_answer(org, id, &answer)?;
            let change = Change { action: "payment.confirm", target: id.to_string(), before: None, after: None };
            if outcome == Outcome::Applied {
                tx.note(org, &by, change)?;
            }
            Ok(outcome)
        };
        self.writer().call(0, run).await
    }
}

impl Tx<'_> {
    /// Does what a message says, unless it was done before.
    pub(crate) fn apply_message(&mut self, message: &Message) -> Result<Outcome, StoreError> {
        let provider = message.provider.as_str();
        let known: Option<String> = self
            .conn
            .prepare_cached("SELECT outcome FROM provider_message WHERE provider = ?1 AND message_id = ?2")?
            .query_row(params![provider, message.id], |row| row.get(0))
            .optional()?;
        if known.is_some_and(|outcome| outcome != Outcome::UnknownPayment.as_str()) {
            return Ok(Outcome::Repeated);
        }
        let outcome = match self.whose(message)? {
            None => Outcome::UnknownPayment,
            Some(payment) => self.apply(&payment, message)?,
        };
        let sql = "INSERT INTO provider_message (provider, message_id, kind, reference, received_at, outcome)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET outcome = excluded.outcome";
        let values =
            params![provider, message.id, message.kind, message.reference, self.now().micros(), outcome.as_str()];
        self.conn.prepare_cached(sql)?.execute(values)?;
        Ok(outcome)
    }

    fn apply(&mut self, payment: &PaymentRow, message: &Message) -> Result<Outcome, StoreError> {
        self.org(payment.org)?;
        if let Some(method) = &message.method {
            self.keep_method(payment.org, message.provider, method, &payment.id.to_string())?;
        }
        match &message.says {
            Says::Payment(saying) => self.hear_payment(payment.org, payment.id, *saying),
            Says::Refund(says) => self.hear_refund(payment, says),
        }
    }

    fn take_answer(&mut self, org: OrgId, id: PaymentId, answer: &Answer) -> Result<Outcome, StoreError> {
        self.org(org)?;
        let payment = find(self.conn, org, id)?;
        for reference in &answer.references {
            self.keep_reference(&payment, reference)?;
        }
        if let Some(url) = &answer.action_url {
            let sql = "UPDATE payment SET action_url = ?3 WHERE org_id = ?1 AND payment_id = ?2";
            self.conn.prepare_cached(sql)?.execute(params![org.0, id.0, url])?;
        }
        if let Some(method) = &answer.method {
            self.keep_method(org, payment.provider, method, &id.to_string())?;
        }
        self.hear_payment(org, id, answer.says)
    }

    /// The payment that a message is about, if it is one of that provider.
    fn whose(&mut self, message: &Message) -> Result<Option<PaymentRow>, StoreError> {
        let sql = "SELECT org_id, payment_id FROM payment_reference WHERE provider = ?1 AND reference = ?2";
        let known = self
            .conn
            .prepare_cached(sql)?
            .query_row(params![message.provider.as_str(), message.reference], |row| {
                Ok((OrgId(row.get(0)?), PaymentId(row.get(1)?)))
            })
            .optional()?;
        let Some((org, id)) = known.or(message.ours) else { return Ok(None) };
        let payment = match find(self.conn, org, id) {
            Ok(payment) if payment.provider == message.provider => payment,
            Ok(_) | Err(StoreError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        if known.is_none() {
            self.keep_reference(&payment, &message.reference)?;
        }
        Ok(Some(payment))
    }

    fn keep_reference(&self, payment: &PaymentRow, reference: &str) -> Result<(), StoreError> {
        // A reference that is another payment's stays that: whoever says otherwise is not believed.
        let sql = "INSERT INTO payment_reference (provider, reference, org_id, payment_id) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO NOTHING";
        let values = params![payment.provider.as_str(), reference, payment.org.0, payment.id.0];
        self.conn.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Hears something of a payment, and does what follows from it.
    pub(crate) fn hear_payment(&mut self, org: OrgId, id: PaymentId, saying: Saying) -> Result<Outcome, StoreError> {
        self.org(org)?;
        let before = find(self.conn, org, id)?;
        let (now, so) = match before.stands.hear(saying) {
            Heard::Stale => return Ok(Outcome::Stale),
            Heard::Mismatch => return Ok(Outcome::Mismatch),
            Heard::Changed { now, so } => (now, so),
        };
        self.write_payment(&before, &now)?;
        let of = before.of;
        self.follow(&PaymentRow { stands: now, ..before }, so)?;
        self.follow_paid(org, of)?;
        Ok(Outcome::Applied)
    }

    /// What was paid for stands as its payments do, in the same transaction; open pages hear of it.
    pub(crate) fn follow_paid(&mut self, org: OrgId, of: For) -> Result<(), StoreError> {
        if let For::Invoice(invoice) = of {
            self.follow_invoice(org, invoice)?;
        }
        self.moved(org);
        Ok(())
    }

    fn write_payment(&self, payment: &PaymentRow, now: &Payment) -> Result<(), StoreError> {
        let sql =
            "UPDATE payment SET state = ?3, failure = ?4, dispute = ?5, changed_at = ?6, asks = 0, disputed_minor = ?7
             WHERE org_id = ?1 AND payment_id = ?2";
        self.conn.prepare_cached(sql)?.execute(params![
            payment.org.0,
            payment.id.0,
            now.state.as_str(),
            now.failure.map(ledger::payment::Failure::as_str),
            now.dispute.as_str(),
            self.now().micros(),
            now.disputed_minor,
        ])?;
        Ok(())
    }

    fn follow(&mut self, payment: &PaymentRow, so: Effect) -> Result<(), StoreError> {
        match so {
            Effect::None => Ok(()),
            Effect::Act => self.tell_of_payment(payment, "payment_needs_action"),
            Effect::Fail => {
                self.tell_of_payment(payment, "payment_failed")?;
                if let For::Purchase(id) = payment.of {
                    let reason = payment.stands.failure.map_or("declined", ledger::payment::Failure::as_str);
                    self.announce_failure(payment.org, id, reason)?;
                }
                self.failed(payment)
            }
            Effect::GiveUp => self.given_up(payment),
            Effect::Give => self.paid(payment),
            Effect::Take => self.dispute_takes(payment),
            Effect::GiveAgain => self.dispute_ends(payment, refund::State::Failed),
            Effect::Keep => self.dispute_ends(payment, refund::State::Succeeded),
        }
    }

    /// The money is there.
    fn paid(&mut self, payment: &PaymentRow) -> Result<(), StoreError> {
        let surplus = match payment.of {
            For::Purchase(purchase) if self.pay(payment.org, purchase, payment.id)? => {
                self.tell_of_payment(payment, "purchase_paid")?;
                0
            }
            For::Purchase(_) => payment.stands.amount.minor,
            For::Invoice(invoice) => self.paid_too_much(payment.org, invoice)?.min(payment.stands.amount.minor),
        };
        if surplus > 0 {
            self.refund_surplus(payment, surplus)?;
        }
        if payment.stands.dispute.takes() {
            self.dispute_takes(payment)?;
        }
        Ok(())
    }

    /// Nobody is there who could pay otherwise: what bought by itself gives up with its one attempt.
    fn failed(&mut self, payment: &PaymentRow) -> Result<(), StoreError> {
        let For::Purchase(id) = payment.of else { return Ok(()) };
        let purchase = crate::purchase::find(self.conn, payment.org, id)?;
        if purchase.cause == crate::purchase::Cause::TopUp { self.close_purchase(payment.org, id) } else { Ok(()) }
    }

    fn given_up(&mut self, payment: &PaymentRow) -> Result<(), StoreError> {
        let For::Purchase(id) = payment.of else { return Ok(()) };
        let purchase = crate::purchase::find(self.conn, payment.org, id)?;
        let attempts = super::of_purchase(self.conn, payment.org, id)?;
        let is_open = attempts.iter().any(|other| !other.stands.state.is_over());
        if purchase.paid_at.is_some() || purchase.closed_at.is_some() || is_open {
            return Ok(());
        }
        self.close_purchase(payment.org, id)?;
        self.tell_of_payment(payment, "purchase_abandoned")
    }

    fn tell_of_payment(&mut self, payment: &PaymentRow, kind: &str) -> Result<(), StoreError> {
        let mut facts = json!({
            "payment": payment.id.to_string(),
            "total": payment.stands.amount.to_string(),
            "failure": payment.stands.failure.map(ledger::payment::Failure::as_str),
        });
        match payment.of {
            For::Purchase(id) => {
                let purchase = crate::purchase::find(self.conn, payment.org, id)?;
                facts["purchase"] = json!(id.to_string());
                facts["title"] = json!(purchase.quote.title);
                facts["credits"] = json!(purchase.quote.credits.to_string());
                facts["cause"] = json!(purchase.cause.as_str());
            }
            For::Invoice(id) => facts["invoice"] = json!(id.to_string()),
        }
        self.tell(payment.org, kind, &facts).map(|_| ())
    }
}
