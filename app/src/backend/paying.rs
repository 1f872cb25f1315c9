//! Invoices that are paid from their pages, and by transfers that operators see. Asking providers is the server's.

use super::Backend;
use super::desk::{Form, NotTaken};
use super::purchases::Begun;
use crate::components::billing::invoice::PATH;
use crate::components::billing::pay::Pay;
use crate::error::AppError;
use ::ledger::invoice::State;
use ::ledger::payment::Provider;
use ::ledger::{InvoiceId, Money, OrgId};
use store::payment::PaymentRow;
use store::{Invoice, StoreError};

impl Backend {
    /// The way to pay an invoice, while it is open.
    pub(super) async fn to_pay(
        &self,
        found: &Invoice,
        offered: &[Provider],
        is_back: bool,
    ) -> Result<Option<Pay>, AppError> {
        let (org, id) = (self.buyer()?.org, found.row.id);
        if !matches!(found.row.state, State::Open | State::Uncollectible) {
            return Ok(None);
        }
        let last = self.store.invoice_attempts(org, id).await?.pop();
        let now = self.store.now();
        let since = last.as_ref().map_or(now, |last| last.created_at);
        let methods = self.store.methods(org).await?.into_iter().filter(|m| offered.contains(&m.provider)).collect();
        Ok(Some(Pay {
            id,
            open: found.document.money(found.row.due - found.row.paid),
            waited_s: (now.micros() - since.micros()) / 1_000_000,
            last,
            methods,
            offered: offered.to_vec(),
            bank: self.store.bank_lines().await?,
            is_back,
        }))
    }

    /// Begins to pay what is open of an invoice, as the form on its page says; nothing where one is under way already, or it is paid:
    /// its page says so.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn pay_invoice(
        &self,
        offered: &[Provider],
        id: InvoiceId,
        body: &str,
    ) -> Result<Option<Begun>, AppError> {
        let viewer = self.buyer()?;
        let org = viewer.org;
        let paid_by = match self.paid_by(org, offered, Form::parse(body).get("pay")).await {
            Ok(paid_by) => paid_by,
            Err(NotTaken::Form(_)) => return Ok(None),
            Err(NotTaken::Store(error)) => return Err(error.into()),
        };
        match self.store.pay_invoice(org, viewer.by(), id, paid_by).await {
            Ok(payment) => Ok(Some(Begun { org, page: format!("{PATH}/{id}"), payment })),
            Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The payment of an invoice that is under way.
    ///
    /// # Errors
    /// As [`Backend::pay_invoice`].
    pub async fn invoice_under_way(&self, id: InvoiceId) -> Result<Option<PaymentRow>, AppError> {
        let attempts = self.store.invoice_attempts(self.buyer()?.org, id).await?;
        Ok(attempts.into_iter().find(|payment| !payment.stands.state.is_over()))
    }

    /// Notes that a transfer came which pays an invoice, as the form of an operator says.
    ///
    /// # Errors
    /// What was wrong with it.
    pub(super) async fn invoice_transferred(
        &self,
        viewer: &super::Viewer,
        org: OrgId,
        form: &Form,
    ) -> Result<(), NotTaken> {
        let id = InvoiceId::parse(form.get("invoice")).ok_or(NotTaken::Form("not_awaited"))?;
        let currency = self.store.invoice(org, id).await?.row.currency;
        let came = Money::parse(&format!("{} {}", form.get("amount"), currency.as_str()))?;
        match self.store.invoice_transferred(org, viewer.by(), id, came).await {
            Ok(_) => Ok(()),
            Err(StoreError::BadRange(_)) => Err(NotTaken::Form("other_amount")),
            Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => Err(NotTaken::Form("not_awaited")),
            Err(error) => Err(error.into()),
        }
    }
}
