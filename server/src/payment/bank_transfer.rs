//! Bank transfers: the page of the purchase says where to and with which reference; an operator who sees the money confirms it.
//! Nobody is asked, and nobody sends messages.

use super::{Charge, Forged, Provider, ProviderError, Stored};
use axum::http::HeaderMap;
use futures::future::BoxFuture;
use ledger::payment::{Provider as Name, Saying};
use ledger::refund::State;
use ledger::{OrgId, Timestamp};
use store::payment::message::{Answer, Message, RefundSays};
use store::payment::method::NewMethod;
use store::refund::Refund;

/// Bank transfers.
#[derive(Debug, Clone, Copy)]
pub struct BankTransfer;

fn now<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl Provider for BankTransfer {
    fn name(&self) -> Name {
        Name::BankTransfer
    }

    fn start<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        let reference = format!("SCRIP-{}-{}", charge.row.org.0, charge.row.id.0);
        now(Ok(Answer { references: vec![reference], ..Answer::of(Saying::Pending) }))
    }

    fn charge<'a>(&'a self, _: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        now(Err(ProviderError::Refused("nobody can be made to transfer money".to_owned())))
    }

    fn fetch<'a>(&'a self, _: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        now(Ok(Answer::of(Saying::Nothing)))
    }

    fn cancel<'a>(&'a self, _: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        now(Ok(Answer::of(Saying::Cancelled)))
    }

    fn store_method<'a>(&'a self, _: OrgId, _: &'a str) -> BoxFuture<'a, Result<Stored, ProviderError>> {
        now(Err(ProviderError::Unsupported))
    }

    fn stored_method<'a>(&'a self, _: OrgId, _: &'a str) -> BoxFuture<'a, Result<Option<NewMethod>, ProviderError>> {
        now(Ok(None))
    }

    /// The operator who gives it back transfers it: nobody else says when it is there.
    fn refund<'a>(&'a self, refund: &'a Refund, _: &'a Charge) -> BoxFuture<'a, Result<RefundSays, ProviderError>> {
        let reference = refund.reference.clone().unwrap_or_else(|| format!("transfer-{}", refund.idempotency));
        now(Ok(RefundSays { reference, ours: Some(refund.id), amount: refund.amount, state: State::Succeeded }))
    }

    fn verify(&self, _: &HeaderMap, _: &[u8], _: Timestamp) -> Result<Vec<Message>, Forged> {
        Err(Forged::Signature)
    }
}
