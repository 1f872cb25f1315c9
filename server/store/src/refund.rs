//! Money that goes back: refunds that somebody asked for, what came twice, and what banks take in disputes.
//!
//! The credits go when a refund is asked for, not when it arrives, so that nobody spends them on its way; if it fails they are
//! given again. The credit note is put down when the money is with the payer. Each of the three happens once: a refund's state
//! never goes back.

use crate::Store;
use crate::audit::{By, Change};
use crate::error::StoreError;
use crate::grant::NewGrant;
use crate::invoice::item::{NewItem, Of};
use crate::payment::message::{Outcome, RefundSays};
use crate::payment::{self, For, PaymentRow};
use crate::purchase::{self, Purchase};
use crate::random;
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::canon::hex;
use ledger::payment::{Dispute, Provider};
use ledger::refund::{How, NoRefund, Sale, State};
use ledger::{Credits, Currency, GrantId, GrantKind, Money, OrgId, PaymentId, PurchaseId, RefundId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

/// Refunds that are looked at by one run of the job.
const MAX_WAITING: u32 = 200;

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody gives it.
    Refund,
    /// A bank takes it.
    Dispute,
}

impl Cause {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Dispute => "dispute",
        }
    }
}

/// Money that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Whose.
    pub org: OrgId,
    /// Its number within the org.
    pub id: RefundId,
    /// The payment that it is of.
    pub payment: PaymentId,
    /// Who is asked.
    pub provider: Provider,
    /// How much, gross.
    pub amount: Money,
    /// The credits that were taken for it.
    pub credits: Credits,
    /// How far it has come.
    pub state: State,
    /// Why.
    pub cause: Cause,
    /// In a person's words.
    pub reason: String,
    /// How the provider calls it, once it has said so.
    pub reference: Option<String>,
    /// Told to the provider, so that asking twice gives once.
    pub idempotency: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it was over.
    pub done_at: Option<Timestamp>,
}

/// A refund that is not there yet.
struct NewRefund<'r> {
    amount: Money,
    credits: Credits,
    cause: Cause,
    reason: &'r str,
    reference: Option<&'r str>,
    by: &'r str,
}

impl Store {
    /// Gives back what a purchase cost, or what is left of it. The provider is asked afterwards.
    ///
    /// # Errors
    /// [`NoRefund`], [`StoreError::NotFound`], [`ledger::Refusal::MissingReason`].
    pub async fn refund(
        &self,
        org: OrgId,
        by: By,
        id: PurchaseId,
        how: How,
        reason: String,
    ) -> Result<RefundId, StoreError> {
        let run = move |tx: &mut Tx<'_>| tx.refund(org, &by, id, how, &reason);
        self.writer().call(0, run).await
    }

    /// What went back of a purchase, or is on its way, oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn refunds_of(&self, org: OrgId, id: PurchaseId) -> Result<Vec<Refund>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = format!("{SELECT} WHERE r.org_id = ?1 AND p.purchase_id = ?2 ORDER BY r.refund_id");
            let mut select = conn.prepare_cached(&sql)?;
            let rows = select.query_map([org.0, id.0], |row| Ok(refund(row)))?;
            rows.map(|row| row?).collect()
        };
        self.read(run).await
    }

    /// Refunds that providers are to be asked for, over all orgs.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn refunds_waiting(&self) -> Result<Vec<Refund>, StoreError> {
        let run = |conn: &Connection| {
            let sql = format!("{SELECT} WHERE r.state = 'asked' AND r.cause = 'refund' ORDER BY r.asked_at LIMIT ?1");
            let mut select = conn.prepare_cached(&sql)?;
            let rows = select.query_map([MAX_WAITING], |row| Ok(refund(row)))?;
            rows.map(|row| row?).collect()
        };
        self.read(run).await
    }

    /// Takes what a provider answered about a refund that it was asked for.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn refund_answered(&self, org: OrgId, id: RefundId, says: RefundSays) -> Result<Outcome, StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            let refund = find(tx.conn, org, id)?;
            let payment = payment::find(tx.conn, org, refund.payment)?;
            tx.hear_refund(&payment, &RefundSays { ours: Some(id), ..says.clone() })
        };
        self.writer().call(0, run).await
    }
}

impl Tx<'_> {
    fn refund(&mut self, org: OrgId, by: &By, id: PurchaseId, how: How, reason: &str) -> Result<RefundId, StoreError> {
        ledger::correction::check_reason(reason)?;
        self.settle_due(org)?;
        let purchase = purchase::find(self.conn, org, id)?;
        let paid_by = purchase.paid_by.ok_or(NoRefund::NotPaid)?;
        let payment = payment::find(self.conn, org, paid_by)?;
        if payment.stands.dispute == Dispute::Open {
            return Err(NoRefund::Disputed.into());
        }
        let back = self.sale(&purchase, &payment)?.refund(how)?;
        let amount = Money { minor: back.gross_minor, ..payment.stands.amount };
        let new =
            NewRefund { amount, credits: back.credits, cause: Cause::Refund, reason, reference: None, by: &by.actor };
        let refund = self.open_refund(&payment, &new)?;
        let after = json!({"amount": amount.to_string(), "credits": back.credits.to_string(), "reason": reason});
        let change = Change { action: "purchase.refund", target: id.to_string(), before: None, after: Some(after) };
        self.note(org, by, change)?;
        Ok(refund)
    }

    /// What was paid twice goes back: nothing was given for it.
    pub(crate) fn refund_surplus(&mut self, payment: &PaymentRow, minor: i64) -> Result<(), StoreError> {
        let new = NewRefund {
            amount: Money { minor, ..payment.stands.amount },
            credits: Credits::ZERO,
            cause: Cause::Refund,
            reason: "Paid twice",
            reference: None,
            by: "job:payments",
        };
        self.open_refund(payment, &new).map(|_| ())
    }

    /// A bank takes what was paid, or a part of it: what is left of the credits, or their part, goes at once.
    pub(crate) fn dispute_takes(&mut self, payment: &PaymentRow) -> Result<(), StoreError> {
        self.settle_due(payment.org)?;
        let open = payment.stands.amount.minor - back_minor(self.conn, payment)?;
        let minor = payment.stands.disputed_minor.min(open);
        if minor <= 0 {
            return Ok(());
        }
        let credits = match self.sold(payment)? {
            Some((_, sale)) if minor == open => sale.left,
            Some((_, sale)) => sale.credits_for(minor),
            None => Credits::ZERO,
        };
        let amount = Money { minor, ..payment.stands.amount };
        let new = NewRefund {
            amount,
            credits,
            cause: Cause::Dispute,
            reason: "Disputed by the payer's bank",
            reference: None,
            by: payment.provider.as_str(),
        };
        let id = self.open_refund(payment, &new)?;
        if payment.stands.dispute == Dispute::Lost {
            let refund = find(self.conn, payment.org, id)?;
            self.refund_moves(payment, &refund, State::Succeeded)?;
        }
        Ok(())
    }

    /// A dispute is decided.
    pub(crate) fn dispute_ends(&mut self, payment: &PaymentRow, state: State) -> Result<(), StoreError> {
        let sql =
            format!("{SELECT} WHERE r.org_id = ?1 AND r.payment_id = ?2 AND r.cause = 'dispute' AND r.state = 'asked'");
        let open = self
            .conn
            .prepare_cached(&sql)?
            .query_row([payment.org.0, payment.id.0], |row| Ok(refund(row)))
            .optional()?
            .transpose()?;
        open.map_or(Ok(()), |refund| self.refund_moves(payment, &refund, state))
    }

    /// Hears something of money that goes back.
    pub(crate) fn hear_refund(&mut self, payment: &PaymentRow, says: &RefundSays) -> Result<Outcome, StoreError> {
        self.settle_due(payment.org)?;
        let known = self.refund_of(payment, says)?;
        let refund = match known {
            Some(refund) if refund.amount != says.amount => return Ok(Outcome::Mismatch),
            Some(refund) => refund,
            None => match self.refund_elsewhere(payment, says)? {
                Some(refund) => refund,
                None => return Ok(Outcome::Mismatch),
            },
        };
        if says.state <= refund.state {
            return Ok(if says.state == State::Asked { Outcome::Applied } else { Outcome::Stale });
        }
        self.refund_moves(payment, &refund, says.state)?;
        let sql = "UPDATE payment SET changed_at = ?3 WHERE org_id = ?1 AND payment_id = ?2";
        self.conn.prepare_cached(sql)?.execute([payment.org.0, payment.id.0, self.now().micros()])?;
        self.follow_paid(payment.org, payment.of)?;
        Ok(Outcome::Applied)
    }

    /// The refund that a provider speaks of; its reference is kept.
    fn refund_of(&mut self, payment: &PaymentRow, says: &RefundSays) -> Result<Option<Refund>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE r.org_id = ?1 AND r.payment_id = ?2 AND (r.reference = ?3 OR r.refund_id = ?4 AND r.reference IS NULL)
             ORDER BY r.reference IS NULL LIMIT 1"
        );
        let ours = says.ours.map(|id| id.0);
        let found = self
            .conn
            .prepare_cached(&sql)?
            .query_row(params![payment.org.0, payment.id.0, says.reference, ours], |row| Ok(refund(row)))
            .optional()?
            .transpose()?;
        if let Some(refund) = found.as_ref().filter(|refund| refund.reference.is_none()) {
            let sql = "UPDATE refund SET reference = ?3 WHERE org_id = ?1 AND refund_id = ?2";
            self.conn.prepare_cached(sql)?.execute(params![refund.org.0, refund.id.0, says.reference])?;
        }
        Ok(found)
    }

    /// Somebody gave money back on the provider's own pages: the ledger follows. `None` where it is more than was paid.
    fn refund_elsewhere(&mut self, payment: &PaymentRow, says: &RefundSays) -> Result<Option<Refund>, StoreError> {
        let open = payment.stands.amount.minor - back_minor(self.conn, payment)?;
        let fits = says.amount.currency == payment.stands.amount.currency && (1..=open).contains(&says.amount.minor);
        if !fits || says.state == State::Failed {
            return Ok(None);
        }
        let credits = self.sold(payment)?.map_or(Credits::ZERO, |(_, sale)| sale.credits_for(says.amount.minor));
        let new = NewRefund {
            amount: says.amount,
            credits,
            cause: Cause::Refund,
            reason: "Given back on the provider's pages",
            reference: Some(&says.reference),
            by: payment.provider.as_str(),
        };
        let id = self.open_refund(payment, &new)?;
        find(self.conn, payment.org, id).map(Some)
    }

    /// Takes the credits, and puts down that the money goes back.
    fn open_refund(&mut self, payment: &PaymentRow, new: &NewRefund<'_>) -> Result<RefundId, StoreError> {
        let entry = self.take_credits(payment, new)?;
        let sql =
            "INSERT INTO refund (org_id, refund_id, payment_id, amount_minor, credits, state, cause, reason, reference,
                                       idempotency, entry_seq, asked_at, asked_by)
             SELECT ?1, coalesce(max(refund_id), 0) + 1, ?2, ?3, ?4, 'asked', ?5, ?6, ?7, ?8, ?9, ?10, ?11
             FROM refund WHERE org_id = ?1 RETURNING refund_id";
        let values = params![
            payment.org.0,
            payment.id.0,
            new.amount.minor,
            new.credits.micros(),
            new.cause.as_str(),
            new.reason,
            new.reference,
            hex(&random::bytes::<16>()),
            entry,
            self.now().micros(),
            new.by,
        ];
        Ok(self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0).map(RefundId))?)
    }

    fn take_credits(&mut self, payment: &PaymentRow, new: &NewRefund<'_>) -> Result<Option<i64>, StoreError> {
        let Some((purchase, _)) = self.sold(payment)?.filter(|_| new.credits.is_positive()) else { return Ok(None) };
        let reason = format!("{}: {}", purchase.id, new.reason);
        let (mut due, mut last) = (new.credits, None);
        for (grant, left) in self.lefts(payment.org, &purchase)? {
            let (part, now) = (due.min(left), self.now());
            if !part.is_positive() {
                continue;
            }
            due = due.minus(part)?;
            for draft in self.org(payment.org)?.position.take(part, Some(grant), &reason, now, new.by)? {
                last = Some(self.book(payment.org, draft)?.seq.0);
            }
        }
        Ok(last)
    }

    /// The state of a refund changes, forward only.
    fn refund_moves(&mut self, payment: &PaymentRow, refund: &Refund, state: State) -> Result<(), StoreError> {
        let sql = "UPDATE refund SET state = ?3, done_at = ?4 WHERE org_id = ?1 AND refund_id = ?2";
        let now = self.now().micros();
        self.conn.prepare_cached(sql)?.execute(params![refund.org.0, refund.id.0, state.as_str(), now])?;
        match (refund.state, state) {
            (State::Asked, State::Succeeded) => self.went_back(payment, refund, 1),
            (State::Asked, State::Failed) => self.give_again(payment, refund),
            (State::Succeeded, State::Failed) => {
                self.went_back(payment, refund, -1)?;
                self.give_again(payment, refund)
            }
            (State::Asked | State::Succeeded | State::Failed, _) => Ok(()),
        }
    }

    /// The money is with the payer (`sign` 1), or came back from there (-1): the credit note says so.
    fn went_back(&mut self, payment: &PaymentRow, refund: &Refund, sign: i64) -> Result<(), StoreError> {
        let before = payment::find(self.conn, payment.org, payment.id)?.refunded_minor;
        let minor = refund.amount.minor;
        let sql = "UPDATE payment SET refunded_minor = refunded_minor + ?3 WHERE org_id = ?1 AND payment_id = ?2";
        self.conn.prepare_cached(sql)?.execute([payment.org.0, payment.id.0, sign * minor])?;
        let Some((purchase, sale)) = self.sold(payment)? else { return Ok(()) };
        let from = if sign > 0 { before } else { before - minor };
        let (net, tax) = sale.split(from, minor);
        let item = NewItem {
            of: Of::CreditNote(refund.id),
            description: format!("{}: {}", purchase.quote.title, refund.reason),
            net: Money { minor: -sign * net, ..payment.stands.amount },
            tax: Some((-sign * tax, purchase.quote.tax_name)),
        };
        self.add_item(payment.org, &item).map(|_| ())
    }

    /// What was taken for a refund that came to nothing is given again.
    fn give_again(&mut self, payment: &PaymentRow, refund: &Refund) -> Result<(), StoreError> {
        if !refund.credits.is_positive() {
            return Ok(());
        }
        let description = format!("Given again: {} came to nothing", refund.id);
        let new = NewGrant::of(GrantKind::Refund, refund.credits, &description);
        let grant = self.give_grant(payment.org, payment.provider.as_str(), &new)?;
        let sql = "UPDATE refund SET grant_id = ?3 WHERE org_id = ?1 AND refund_id = ?2";
        self.conn.prepare_cached(sql)?.execute([payment.org.0, refund.id.0, grant.id.0])?;
        Ok(())
    }

    /// What is left of what a purchase gave: of its own grant, then of those as which its credits were given again.
    fn lefts(&mut self, org: OrgId, purchase: &Purchase) -> Result<Vec<(GrantId, Credits)>, StoreError> {
        let sql =
            "SELECT r.grant_id FROM refund r JOIN payment p ON p.org_id = r.org_id AND p.payment_id = r.payment_id
             WHERE r.org_id = ?1 AND p.purchase_id = ?2 AND r.grant_id IS NOT NULL ORDER BY r.grant_id";
        let mut select = self.conn.prepare_cached(sql)?;
        let again = select.query_map([org.0, purchase.id.0], |row| row.get(0).map(GrantId))?;
        let again = again.collect::<Result<Vec<_>, _>>()?;
        let now = self.now();
        let slots = &self.org(org)?.position.slots;
        let left = |id: GrantId| {
            let slot = slots.iter().find(|slot| slot.grant.id == id && slot.grant.is_open(now));
            (id, slot.map_or(Credits::ZERO, |slot| slot.left))
        };
        Ok(purchase.grant.into_iter().chain(again).map(left).collect())
    }

    /// What a payment paid for, if it is the one that did: not what was paid twice.
    fn sold(&mut self, payment: &PaymentRow) -> Result<Option<(Purchase, Sale)>, StoreError> {
        let For::Purchase(id) = payment.of else { return Ok(None) };
        let purchase = purchase::find(self.conn, payment.org, id)?;
        if purchase.paid_by != Some(payment.id) {
            return Ok(None);
        }
        let sale = self.sale(&purchase, payment)?;
        Ok(Some((purchase, sale)))
    }

    fn sale(&mut self, purchase: &Purchase, payment: &PaymentRow) -> Result<Sale, StoreError> {
        let back_minor = back_minor(self.conn, payment)?;
        let left = Credits::sum(self.lefts(payment.org, purchase)?.into_iter().map(|(_, left)| left))?;
        Ok(Sale {
            gross_minor: payment.stands.amount.minor,
            net_minor: purchase.quote.net.minor,
            back_minor,
            credits: purchase.quote.credits,
            left,
        })
    }
}

/// What went back of a payment, or is on its way.
fn back_minor(conn: &Connection, payment: &PaymentRow) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(sum(amount_minor), 0) FROM refund
         WHERE org_id = ?1 AND payment_id = ?2 AND state IN ('asked', 'succeeded')";
    Ok(conn.prepare_cached(sql)?.query_row([payment.org.0, payment.id.0], |row| row.get(0))?)
}

const SELECT: &str =
    "SELECT r.org_id, r.refund_id, r.payment_id, p.provider, r.amount_minor, p.currency, r.credits, r.state, r.cause,
    r.reason, r.reference, r.idempotency, r.asked_at, r.done_at
    FROM refund r JOIN payment p ON p.org_id = r.org_id AND p.payment_id = r.payment_id";

fn find(conn: &Connection, org: OrgId, id: RefundId) -> Result<Refund, StoreError> {
    let sql = format!("{SELECT} WHERE r.org_id = ?1 AND r.refund_id = ?2");
    let found = conn.prepare_cached(&sql)?.query_row([org.0, id.0], |row| Ok(refund(row))).optional()?;
    found.ok_or(StoreError::NotFound("refund"))?
}

fn refund(row: &Row<'_>) -> Result<Refund, StoreError> {
    let text = |column: usize| row.get::<_, String>(column);
    let currency = Currency::parse(&text(5)?)?;
    let cause = match text(8)?.as_str() {
        "refund" => Cause::Refund,
        "dispute" => Cause::Dispute,
        _ => return Err(unreadable("cause of a refund")),
    };
    Ok(Refund {
        org: OrgId(row.get(0)?),
        id: RefundId(row.get(1)?),
        payment: PaymentId(row.get(2)?),
        provider: Provider::parse(&text(3)?).ok_or_else(|| unreadable("provider"))?,
        amount: Money { minor: row.get(4)?, currency },
        credits: Credits::from_micros(row.get(6)?),
        state: State::parse(&text(7)?).ok_or_else(|| unreadable("state of a refund"))?,
        cause,
        reason: text(9)?,
        reference: row.get(10)?,
        idempotency: text(11)?,
        asked_at: Timestamp::from_micros(row.get(12)?),
        done_at: row.get::<_, Option<i64>>(13)?.map(Timestamp::from_micros),
    })
}
