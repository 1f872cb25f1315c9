//! What the job does about invoices: drafts, issues, charges the stored method, reminds, gives up; and what payments change.
//!
//! [`ledger::invoice::next_step`] decides; here its steps are carried out, each org in a transaction of its own.

use super::make::{facts, said};
use crate::Store;
use crate::audit::{By, Change};
use crate::calendar::cycle;
use crate::error::StoreError;
use crate::invoice::item::{NewItem, Of};
use crate::invoice::paid;
use crate::once::{Done, Once};
use crate::org::zone_named;
use crate::payment::{For, NewPayment};
use crate::rows::unreadable;
use crate::tx::Tx;
use ledger::invoice::{Document, Standing, State, Step, next_step};
use ledger::label::check_text;
use ledger::payment::Provider;
use ledger::{Currency, InvoiceId, ItemId, MessageKind, MethodId, Money, OrgId, Refusal, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

/// Steps of one invoice in one go: more than any has, so that rules which disagreed with each other could not keep the writer.
const MAX_STEPS: usize = 8;
/// Longest text of an adjustment in bytes.
const MAX_DESCRIPTION_BYTES: usize = 200;
/// Least and most that an adjustment can be, in minor units: what is beyond was mistyped.
const MAX_ADJUSTMENT_MINOR: i64 = 100_000_000_000;

/// Everything that decides what is done about an invoice. What went back of a payment, or a bank took, is not paid.
const STANDING: &str = concat!(
    "SELECT i.state, i.due_at, i.due_minor, i.tries, i.next_try_at, i.reminded, ",
    paid!(),
    ",
        EXISTS (SELECT 1 FROM payment p WHERE p.org_id = i.org_id AND p.invoice_id = i.invoice_id
            AND p.state IN ('created', 'pending', 'needs_action')),
        EXISTS (SELECT 1 FROM payment_method m WHERE m.org_id = i.org_id AND m.is_default = 1 AND m.removed_at IS NULL),
        i.invoice_id, i.org_id
    FROM invoice i "
);

impl Store {
    /// Does what is due about invoices in every org; tells how many things that were.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bill_due(&self) -> Result<usize, StoreError> {
        let now = self.now();
        let orgs = self.read(move |conn| due(conn, now)).await?;
        let mut done = 0;
        // Nobody is billed by an org whose time is over.
        for org in orgs.into_iter().filter(|org| self.ends_at(*org).is_none_or(|at| at > now)) {
            done += self.writer().call(0, move |tx: &mut Tx<'_>| tx.bill(org)).await?;
        }
        Ok(done)
    }

    /// Puts something onto the next invoice that an operator put right: below zero for what is given back.
    ///
    /// # Errors
    /// [`Refusal::MissingReason`], [`Refusal::AdjustmentIsZero`], [`Refusal::BadLabel`]; [`StoreError::NotFound`] for the org.
    pub async fn adjust_invoice(
        &self,
        org: OrgId,
        by: By,
        net: Money,
        description: String,
        once: Option<Once>,
    ) -> Result<Done<ItemId>, StoreError> {
        if description.is_empty() {
            return Err(Refusal::MissingReason.into());
        }
        check_text("description", &description, MAX_DESCRIPTION_BYTES)?;
        if net.minor == 0 {
            return Err(Refusal::AdjustmentIsZero.into());
        }
        if net.minor.abs() > MAX_ADJUSTMENT_MINOR {
            return Err(Refusal::AmountOverflow.into());
        }
        let run = move |tx: &mut Tx<'_>| {
            crate::org::zone(tx.conn, org)?;
            let new = NewItem { of: Of::Adjustment, description: description.clone(), net, tax: None };
            tx.once(org, once.as_ref(), |tx| {
                let item = tx.add_item(org, &new)?;
                let after = Some(json!({"net": net.to_string(), "description": description}));
                tx.note(org, &by, Change { action: "invoice.adjust", target: item.to_string(), before: None, after })?;
                Ok(item)
            })
        };
        self.writer().call(0, run).await
    }
}

impl Tx<'_> {
    /// Does what is due about the invoices of an org.
    fn bill(&mut self, org: OrgId) -> Result<usize, StoreError> {
        let zone = self.org(org)?.zone;
        let mut done = self.draft_invoices(org, zone)? + self.issue_invoices(org, zone)?;
        for invoice in watched(self.conn, org)? {
            done += self.follow_invoice(org, invoice)?;
        }
        Ok(done)
    }

    /// Does what is due about one invoice, whoever asks: the job, or whoever heard of a payment for it. Tells how many steps that was.
    pub(crate) fn follow_invoice(&mut self, org: OrgId, invoice: InvoiceId) -> Result<usize, StoreError> {
        for step in 0..MAX_STEPS {
            let sql = format!("{STANDING} WHERE i.org_id = ?1 AND i.invoice_id = ?2 AND i.ordinal IS NOT NULL");
            let found = self.conn.prepare_cached(&sql)?.query_row([org.0, invoice.0], standing).optional()?;
            let Some(standing) = found else { return Ok(step) };
            let standing = standing?.1;
            match next_step(&standing, self.now()) {
                Step::Wait => return Ok(step),
                taken => self.take_step(org, invoice, &standing, taken)?,
            }
        }
        Err(StoreError::Internal(format!("{invoice} of {org} has steps without end")))
    }

    fn take_step(&mut self, org: OrgId, invoice: InvoiceId, standing: &Standing, step: Step) -> Result<(), StoreError> {
        match step {
            Step::Wait => Ok(()),
            Step::Paid => {
                self.set_state(org, invoice, State::Paid)?;
                let data = said(invoice, &self.document(org, invoice)?);
                self.tell_all(org, MessageKind::InvoicePaid, &data)
            }
            // Whoever has their money back is not charged again without being asked.
            Step::Reopen => self.set_state(org, invoice, State::Open),
            Step::Charge(again) => self.charge(org, invoice, (standing.due - standing.paid, again)),
            Step::Remind(count) => {
                let sql = "UPDATE invoice SET reminded = ?3 WHERE org_id = ?1 AND invoice_id = ?2";
                self.conn.prepare_cached(sql)?.execute(params![
                    org.0,
                    invoice.0,
                    i64::try_from(count).unwrap_or(i64::MAX)
                ])?;
                self.tell_of_invoice(
                    org,
                    invoice,
                    if standing.reminded == 0 { "invoice_due" } else { "invoice_unpaid" },
                    false,
                )
            }
            Step::GiveUp => {
                self.set_state(org, invoice, State::Uncollectible)?;
                self.tell_of_invoice(org, invoice, "invoice_unpaid", true)
            }
        }
    }

    fn set_state(&mut self, org: OrgId, invoice: InvoiceId, state: State) -> Result<(), StoreError> {
        let paid_at = (state == State::Paid).then(|| self.now().micros());
        let sql =
            "UPDATE invoice SET state = ?3, paid_at = ?4, next_try_at = NULL WHERE org_id = ?1 AND invoice_id = ?2";
        self.conn.prepare_cached(sql)?.execute(params![org.0, invoice.0, state.as_str(), paid_at])?;
        Ok(())
    }

    /// Puts down an attempt to charge the stored method; the job of payments asks the provider.
    fn charge(
        &mut self,
        org: OrgId,
        invoice: InvoiceId,
        (minor, again): (i64, Option<Timestamp>),
    ) -> Result<(), StoreError> {
        let sql = "SELECT m.method_id, m.provider, i.currency FROM payment_method m, invoice i
            WHERE m.org_id = ?1 AND m.is_default = 1 AND m.removed_at IS NULL AND i.org_id = ?1 AND i.invoice_id = ?2";
        let (method, provider, currency): (i64, String, String) = self
            .conn
            .prepare_cached(sql)?
            .query_row([org.0, invoice.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let new = NewPayment {
            of: For::Invoice(invoice),
            provider: Provider::parse(&provider).ok_or_else(|| unreadable("provider"))?.as_str(),
            method: Some(MethodId(method)),
            amount: Money { minor, currency: Currency::parse(&currency)? },
        };
        self.open_payment(org, &new)?;
        let sql = "UPDATE invoice SET tries = tries + 1, next_try_at = ?3 WHERE org_id = ?1 AND invoice_id = ?2";
        self.conn.prepare_cached(sql)?.execute(params![org.0, invoice.0, again.map(Timestamp::micros)])?;
        Ok(())
    }

    fn document(&self, org: OrgId, invoice: InvoiceId) -> Result<Document, StoreError> {
        let sql = "SELECT document FROM invoice WHERE org_id = ?1 AND invoice_id = ?2";
        let text: String = self.conn.prepare_cached(sql)?.query_row([org.0, invoice.0], |row| row.get(0))?;
        Ok(serde_json::from_str(&text)?)
    }

    fn tell_of_invoice(&mut self, org: OrgId, invoice: InvoiceId, kind: &str, is_last: bool) -> Result<(), StoreError> {
        let mut facts = facts(org, invoice, &self.document(org, invoice)?);
        facts["last"] = is_last.into();
        self.tell(org, kind, &facts)?;
        Ok(())
    }
}

type Standings = Result<(OrgId, Standing), StoreError>;

fn standing(row: &Row<'_>) -> rusqlite::Result<Standings> {
    let state: String = row.get(0)?;
    let Some(state) = State::parse(&state) else { return Ok(Err(unreadable("state of an invoice"))) };
    let standing = Standing {
        state,
        due_at: Timestamp::from_micros(row.get(1)?),
        due: row.get(2)?,
        paid: row.get(6)?,
        tries: small(row.get(3)?),
        next_try_at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_micros),
        reminded: small(row.get(5)?),
        in_flight: row.get(7)?,
        has_method: row.get(8)?,
    };
    Ok(Ok((OrgId(row.get(10)?), standing)))
}

fn small(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Issued invoices of an org about which something may have to be done: those that are not paid, and those of whose payments something
/// went back.
fn watched(conn: &Connection, org: OrgId) -> Result<Vec<InvoiceId>, StoreError> {
    let sql = "SELECT invoice_id FROM invoice WHERE org_id = ?1 AND state IN ('open', 'uncollectible')
        UNION SELECT p.invoice_id FROM payment p WHERE p.org_id = ?1 AND p.invoice_id IS NOT NULL AND p.refunded_minor > 0";
    let mut select = conn.prepare_cached(sql)?;
    let found = select.query_map([org.0], |row| row.get(0).map(InvoiceId))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Orgs in which something is due about invoices.
fn due(conn: &Connection, now: Timestamp) -> Result<Vec<OrgId>, StoreError> {
    let mut orgs = Vec::new();
    let sql = "SELECT i.org_id, o.zone, min(i.happened_at) FROM invoice_item i JOIN org o ON o.org_id = i.org_id
        WHERE i.invoice_id IS NULL GROUP BY i.org_id";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (org, zone, oldest): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let zone = zone_named(&zone)?;
        if cycle(zone, Timestamp::from_micros(oldest))? < cycle(zone, now)? {
            orgs.push(OrgId(org));
        }
    }
    let drafts = "SELECT org_id FROM invoice WHERE state = 'draft' AND finalises_at <= ?1";
    let mut select = conn.prepare_cached(drafts)?;
    let found = select.query_map([now.micros()], |row| row.get(0).map(OrgId))?;
    orgs.extend(found.collect::<Result<Vec<_>, _>>()?);
    let sql = format!(
        "{STANDING} WHERE i.state IN ('open', 'uncollectible') OR (i.state = 'paid' AND EXISTS (SELECT 1 FROM payment p
            WHERE p.org_id = i.org_id AND p.invoice_id = i.invoice_id AND p.refunded_minor > 0))"
    );
    let mut select = conn.prepare_cached(&sql)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (org, standing) = standing(row)??;
        if next_step(&standing, now) != Step::Wait {
            orgs.push(org);
        }
    }
    orgs.sort_unstable();
    orgs.dedup();
    Ok(orgs)
}
