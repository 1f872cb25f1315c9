//! Payments: providers behind one trait, and the one way in which they are asked and heard.
//!
//! **Asked** ([`Payments::ask`]): a row of the store says that somebody is to be asked for money; the provider is asked outside of any
//! transaction, under the row's own key, and what it answers is written down. Asking again after a crash charges once.
//! **Heard** ([`Payments::take`]): what comes to `/webhooks/{provider}` is verified by the provider's own rules before anything of it is
//! read as true, then handed to the store, which does what follows, once. Neither needs the other: a webhook that never comes
//! is found out by asking, and an answer that is lost comes as a webhook.

pub mod bank_transfer;
pub mod sandbox;
pub mod signature;
pub mod stripe;

use crate::config::Config;
use app::components::billing::invoices::PATH as INVOICES;
use app::components::billing::purchase::{BACK, PURCHASES};
use axum::http::HeaderMap;
use futures::future::BoxFuture;
use ledger::payment::{Failure, Provider as Name, Saying};
use ledger::refund::State as RefundState;
use ledger::{Money, OrgId, PaymentId, RefundId, Timestamp};
use std::sync::Arc;
use store::payment::message::{Answer, Message, Outcome, RefundSays};
use store::payment::method::NewMethod;
use store::payment::{For, PaymentRow};
use store::refund::Refund;
use store::{Store, StoreError};

/// Why a provider did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It cannot be reached, or says that it is its own fault: it is asked again.
    #[error("the payment provider cannot be reached: {0}")]
    Unreachable(String),
    /// It refuses what it is asked for, and would again. The text is for logs only.
    #[error("the payment provider refuses: {0}")]
    Refused(String),
    /// It does not do such a thing.
    #[error("this way of paying cannot do that")]
    Unsupported,
    /// The store could not say what to ask, or keep what was answered.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a message is not believed. Nothing of it was read as true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// Nobody signed it, or somebody else.
    #[error("the signature is missing or wrong")]
    Signature,
    /// It was signed too long ago, or in the future: somebody may have kept it.
    #[error("the signature is too old")]
    Stale,
    /// It is signed, and cannot be read.
    #[error("the message cannot be read")]
    Unreadable,
}

/// What a provider is asked about.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The row.
    pub row: PaymentRow,
    /// What people read beside it on the provider's pages.
    pub title: String,
    /// The path of the page that the payer comes back to.
    pub return_path: String,
    /// The same as an address.
    pub return_url: String,
    /// What is charged without anybody there.
    pub method: Option<String>,
    /// How the provider calls the payment, where it has said so.
    pub references: Vec<String>,
}

/// What comes back from storing a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// Somebody goes on there.
    At(String),
    /// It is stored.
    Done(NewMethod),
}

/// Whoever moves money, or plays that they do. All methods may be asked again with the same arguments.
pub trait Provider: Send + Sync {
    /// Which it is.
    fn name(&self) -> Name;

    /// Begins a payment that somebody makes on the provider's pages.
    fn start<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>>;

    /// Charges a stored method without anybody there.
    fn charge<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>>;

    /// How a payment stands that was begun.
    fn fetch<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>>;

    /// Gives a payment up, so that nobody can make it any more; or says that it was made.
    fn cancel<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>>;

    /// Begins to store a method; somebody comes back to that address.
    fn store_method<'a>(&'a self, org: OrgId, return_url: &'a str) -> BoxFuture<'a, Result<Stored, ProviderError>>;

    /// The method that somebody stored, by what came back with them, if it is that org's.
    fn stored_method<'a>(
        &'a self,
        org: OrgId,
        session: &'a str,
    ) -> BoxFuture<'a, Result<Option<NewMethod>, ProviderError>>;

    /// Gives money back.
    fn refund<'a>(&'a self, refund: &'a Refund, charge: &'a Charge)
    -> BoxFuture<'a, Result<RefundSays, ProviderError>>;

    /// Verifies a message and reads it. Some say nothing that matters here.
    ///
    /// # Errors
    /// [`Forged`].
    fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Vec<Message>, Forged>;
}

/// How we call a payment where a provider repeats what we tell it: `org_1/payment_3`.
#[must_use]
pub fn ours(org: OrgId, id: PaymentId) -> String {
    format!("{org}/{id}")
}

/// The payment of [`ours`].
#[must_use]
pub fn read_ours(text: &str) -> Option<(OrgId, PaymentId)> {
    let (org, id) = text.split_once('/')?;
    Some((OrgId::parse(org)?, PaymentId::parse(id)?))
}

/// All providers that this installation has, and the way to them.
#[derive(Clone)]
pub struct Payments {
    store: Store,
    base_url: String,
    providers: Arc<Vec<Arc<dyn Provider>>>,
    sandbox: Option<Arc<sandbox::Sandbox>>,
}

impl Payments {
    /// Those that the configuration names.
    ///
    /// # Errors
    /// A sentence where one cannot be set up.
    pub fn new(store: Store, config: &Config) -> Result<Self, String> {
        let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
        let mut sandbox = None;
        for name in offered(config)? {
            match name {
                Name::Sandbox => {
                    let one = Arc::new(sandbox::Sandbox::new(store.clone()));
                    sandbox = Some(Arc::clone(&one));
                    providers.push(one);
                }
                Name::Stripe => providers.push(Arc::new(stripe::Stripe::new(config)?)),
                Name::BankTransfer => providers.push(Arc::new(bank_transfer::BankTransfer)),
            }
        }
        Ok(Self { store, base_url: config.base_url(), providers: Arc::new(providers), sandbox })
    }

    /// Who can be paid.
    #[must_use]
    pub fn offered(&self) -> Vec<Name> {
        self.providers.iter().map(|provider| provider.name()).collect()
    }

    /// The provider of that name, where this installation has it.
    #[must_use]
    pub fn provider(&self, name: Name) -> Option<&Arc<dyn Provider>> {
        self.providers.iter().find(|provider| provider.name() == name)
    }

    /// The sandbox, where it is offered.
    #[must_use]
    pub fn sandbox(&self) -> Option<&Arc<sandbox::Sandbox>> {
        self.sandbox.as_ref()
    }

    /// An address of ours, for a provider to lead back to.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Asks the provider for a payment, or how it stands, and writes down what it says.
    ///
    /// # Errors
    /// [`ProviderError`]: nothing certain is known, and it is asked again later.
    pub async fn ask(&self, org: OrgId, id: PaymentId) -> Result<Outcome, ProviderError> {
        let row = self.store.payment(org, id).await?;
        if row.stands.state.is_over() {
            return Ok(Outcome::Stale);
        }
        self.store.asking(org, id).await?;
        let charge = self.charge_of(row).await?;
        let provider = self.of(&charge)?;
        let answered = match (&charge.references[..], &charge.method) {
            ([], None) => provider.start(&charge).await,
            ([], Some(_)) => provider.charge(&charge).await,
            (_, _) => provider.fetch(&charge).await,
        };
        self.write(&charge, answered).await
    }

    /// Gives a payment up, unless it was made.
    ///
    /// # Errors
    /// As [`Payments::ask`].
    pub async fn cancel(&self, org: OrgId, id: PaymentId) -> Result<Outcome, ProviderError> {
        let charge = self.charge_of(self.store.payment(org, id).await?).await?;
        let answered = if charge.references.is_empty() {
            // Nobody has told us that it was begun: it is begun, under its own key, so that it can be given up.
            self.ask(org, id).await?;
            let charge = self.charge_of(self.store.payment(org, id).await?).await?;
            self.of(&charge)?.cancel(&charge).await
        } else {
            self.of(&charge)?.cancel(&charge).await
        };
        self.write(&charge, answered).await
    }

    /// Asks the provider to give money back, and writes down what it says.
    ///
    /// # Errors
    /// As [`Payments::ask`].
    pub async fn refund(&self, refund: &Refund) -> Result<Outcome, ProviderError> {
        let charge = self.charge_of(self.store.payment(refund.org, refund.payment).await?).await?;
        let says = match self.of(&charge)?.refund(refund, &charge).await {
            Ok(says) => says,
            Err(ProviderError::Refused(reason)) => {
                tracing::warn!(reason, refund = %refund.id, "a provider refuses to give money back");
                let reference = refund.reference.clone().unwrap_or_else(|| format!("refused-{}", refund.idempotency));
                RefundSays { reference, ours: Some(refund.id), amount: refund.amount, state: RefundState::Failed }
            }
            Err(error) => return Err(error),
        };
        Ok(self.store.refund_answered(refund.org, refund.id, says).await?)
    }

    /// What is to be given back and waits for an answer.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn refunds_waiting(&self) -> Result<Vec<Refund>, StoreError> {
        self.store.refunds_waiting().await
    }

    /// Verifies what came to the door of a provider, and does what it says. The last outcome, where it said several things.
    ///
    /// # Errors
    /// [`Forged`], or what the store says: then the provider sends it again.
    pub async fn take(
        &self,
        name: Name,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Result<Option<Outcome>, Forged>, StoreError> {
        let Some(provider) = self.provider(name) else { return Ok(Err(Forged::Signature)) };
        let messages = match provider.verify(headers, body, self.store.now()) {
            Ok(messages) => messages,
            Err(forged) => return Ok(Err(forged)),
        };
        let mut last = None;
        for message in messages {
            last = Some(self.store.hear(message).await?);
        }
        Ok(Ok(last))
    }

    /// Sends what the sandbox has to say and is due, through the same door; tells how many were taken.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn deliver_sandbox(&self) -> Result<u64, StoreError> {
        let Some(sandbox) = &self.sandbox else { return Ok(0) };
        let mut taken = 0;
        for due in self.store.sandbox_due().await? {
            let (headers, body) = sandbox.signed(&due);
            if let Err(forged) = self.take(Name::Sandbox, &headers, body.as_bytes()).await? {
                tracing::error!(%forged, "the sandbox does not believe itself");
                continue;
            }
            self.store.sandbox_delivered(due.org, due.no).await?;
            taken += 1;
        }
        Ok(taken)
    }

    fn of(&self, charge: &Charge) -> Result<&Arc<dyn Provider>, ProviderError> {
        let missing = || ProviderError::Unreachable("it is not set up any more".to_owned());
        self.provider(charge.row.provider).ok_or_else(missing)
    }

    async fn write(&self, charge: &Charge, answered: Result<Answer, ProviderError>) -> Result<Outcome, ProviderError> {
        let answer = match answered {
            Ok(answer) => answer,
            Err(ProviderError::Refused(reason)) => {
                tracing::warn!(reason, payment = %charge.row.id, "a provider refuses a payment");
                Answer::of(Saying::Failed(Failure::ProviderError))
            }
            Err(error) => return Err(error),
        };
        Ok(self.store.answered(charge.row.org, charge.row.id, answer).await?)
    }

    async fn charge_of(&self, row: PaymentRow) -> Result<Charge, ProviderError> {
        let (title, return_path) = match row.of {
            For::Purchase(id) => {
                let (purchase, _) = self.store.purchase(row.org, id).await?;
                (purchase.quote.title, format!("{PURCHASES}/{id}?{BACK}"))
            }
            For::Invoice(id) => {
                let number = self.store.invoice(row.org, id).await?.row.number.unwrap_or_default();
                (format!("Invoice {number}"), format!("{INVOICES}/{id}?{BACK}"))
            }
        };
        let method = match row.method {
            Some(id) => Some(self.store.method(row.org, id).await?.reference),
            None => None,
        };
        let references = self.store.payment_references(row.org, row.id).await?;
        Ok(Charge { title, return_url: self.url(&return_path), return_path, method, references, row })
    }
}

/// The providers that the configuration names.
///
/// # Errors
/// A sentence where one is none.
pub fn offered(config: &Config) -> Result<Vec<Name>, String> {
    let names = config.payment_providers.split(',').map(str::trim).filter(|name| !name.is_empty());
    let read = |name: &str| {
        let known = "sandbox, stripe and bank_transfer";
        Name::parse(name).ok_or_else(|| format!("payment_providers names \"{name}\": there are {known}"))
    };
    names.map(read).collect()
}

/// What a refund says of itself where the provider repeats our number of it.
#[must_use]
pub fn refund_says(reference: String, ours: Option<RefundId>, amount: Money, state: RefundState) -> RefundSays {
    RefundSays { reference, ours, amount, state }
}

/// Checks what the configuration says of payments.
///
/// # Errors
/// A sentence that says what to change.
pub fn check(config: &Config) -> Result<(), String> {
    match offered(config)?.contains(&Name::Stripe) {
        true => stripe::Stripe::new(config).map(|_| ()),
        false => Ok(()),
    }
}
