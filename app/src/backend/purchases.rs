//! Purchases, payments and payment methods, as pages show them, and what their forms do. Asking providers is the server's.

use super::desk::{Form, NotTaken, new_key};
use super::{Backend, Viewer, local};
use crate::components::billing::purchase::choose::{Chosen, Shop};
use crate::components::billing::purchase::methods::Methods;
use crate::components::billing::purchase::operator::{Awaited, Owed, Sold, Till};
use crate::components::billing::purchase::state::Bought;
use crate::components::billing::purchase::{METHODS, OPERATOR, PURCHASE, PURCHASES};
use crate::error::AppError;
use crate::server_fns::Moment;
use ::ledger::payment::{Provider, Saying, State};
use ::ledger::refund::How;
use ::ledger::{Credits, MethodId, Money, OrgId, PackageId, PaymentId, Permission, PurchaseId, Timestamp};
pub use store::OpenInvoice;
pub use store::package::Package;
use store::payment::message::Answer;
pub use store::payment::method::Method;
pub use store::payment::{For, PaymentRow};
use store::purchase::NewPurchase;
pub use store::purchase::{Cause, Purchase, Quote};
pub use store::refund::{Cause as RefundCause, Refund};
use store::{By, Org, StoreError};

/// Purchases on one page.
const PAGE: u32 = 50;

/// What a form began: a payment that the provider is to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Whose.
    pub org: OrgId,
    /// The page that says how far it has come.
    pub page: String,
    /// The attempt to be paid.
    pub payment: PaymentId,
}

impl Begun {
    fn of_purchase(org: OrgId, purchase: PurchaseId, payment: PaymentId) -> Self {
        Self { org, page: format!("{PURCHASES}/{purchase}"), payment }
    }
}

/// How somebody pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pay {
    On(Provider),
    With(MethodId),
}

impl Backend {
    pub(super) fn buyer(&self) -> Result<&Viewer, AppError> {
        self.allowed(Permission::ManageBilling)
    }

    /// What can be bought, and what is chosen of it. `offered`: who can be paid.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn shop(&self, offered: &[Provider], query: &[(String, String)]) -> Result<Shop, AppError> {
        let org = self.buyer()?.org;
        let get = |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim());
        let mut error = Some(get("error").to_owned()).filter(|code| !code.is_empty());
        let mut chosen = None;
        if let Some(package) = PackageId::parse(get("package")) {
            match self.quoted(org, package, get("credits")).await {
                Ok((credits, quote)) => chosen = Some(Chosen { package, credits, quote, key: new_key() }),
                Err(NotTaken::Form(code)) => error = Some(code.to_owned()),
                Err(NotTaken::Store(StoreError::NotFound(_))) => error = Some("package_not_offered".to_owned()),
                Err(NotTaken::Store(error)) => return Err(error.into()),
            }
        }
        Ok(Shop {
            packages: self.store.packages(org).await?,
            methods: self.store.methods(org).await?.into_iter().filter(|m| offered.contains(&m.provider)).collect(),
            offered: offered.to_vec(),
            chosen,
            package: get("package").to_owned(),
            credits: get("credits").to_owned(),
            pay: get("pay").to_owned(),
            error,
        })
    }

    async fn quoted(&self, org: OrgId, package: PackageId, typed: &str) -> Result<(Option<Credits>, Quote), NotTaken> {
        let terms = self.store.package(org, package).await?.terms;
        let custom = matches!(terms, ::ledger::package::Terms::Custom { .. });
        // Whoever types 5,000 means five thousand.
        let typed = typed.replace([',', ' ', '\u{2019}', '\u{a0}'], "");
        let wanted = || Credits::parse(&typed).map_err(|_| NotTaken::Form("bad_purchase_amount"));
        let credits = custom.then(wanted).transpose()?;
        Ok((credits, self.store.quote(org, package, credits).await?))
    }

    /// Begins a purchase as the form says; or the address of the page that says what to change.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn buy(&self, offered: &[Provider], body: &str) -> Result<Result<Begun, String>, AppError> {
        let viewer = self.buyer()?;
        let form = Form::parse(body);
        match self.begin(viewer, offered, &form).await {
            Ok(begun) => Ok(Ok(begun)),
            Err(NotTaken::Form(code)) => Ok(Err(form.back_to(PURCHASE, code, "buy"))),
            Err(NotTaken::Store(StoreError::NotFound(_))) => {
                Ok(Err(form.back_to(PURCHASE, "package_not_offered", "buy")))
            }
            Err(NotTaken::Store(error)) => Err(error.into()),
        }
    }

    async fn begin(&self, viewer: &Viewer, offered: &[Provider], form: &Form) -> Result<Begun, NotTaken> {
        let org = viewer.org;
        let package = PackageId::parse(form.get("package")).ok_or(NotTaken::Form("package_not_offered"))?;
        let (credits, quote) = self.quoted(org, package, form.get("credits")).await?;
        // Prices and taxes may have changed since the page was looked at: nobody pays what they did not see.
        if quote.gross().map_err(StoreError::from)?.to_string() != form.get("total") {
            return Err(NotTaken::Form("price_changed"));
        }
        let paid_by = self.paid_by(org, offered, form.get("pay")).await?;
        let new = NewPurchase { package, credits, cause: Cause::Person };
        let done = self.store.buy(org, viewer.by(), new, paid_by, Some(form.once("purchase")?)).await?;
        let (purchase, payment) = done.answer;
        Ok(Begun::of_purchase(org, purchase, payment))
    }

    pub(super) async fn paid_by(
        &self,
        org: OrgId,
        offered: &[Provider],
        text: &str,
    ) -> Result<(Provider, Option<MethodId>), NotTaken> {
        let wrong = NotTaken::Form("bad_payment");
        let pay = MethodId::parse(text).map(Pay::With).or_else(|| Provider::parse(text).map(Pay::On));
        let (provider, method) = match pay.ok_or(NotTaken::Form("bad_payment"))? {
            Pay::On(provider) => (provider, None),
            Pay::With(id) => {
                let methods = self.store.methods(org).await?;
                let method = methods.into_iter().find(|method| method.id == id).ok_or(NotTaken::Form("bad_payment"))?;
                (method.provider, Some(id))
            }
        };
        if offered.contains(&provider) { Ok((provider, method)) } else { Err(wrong) }
    }

    /// One purchase, as it stands.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn bought(&self, org: &Org, id: PurchaseId, offered: &[Provider]) -> Result<Bought, AppError> {
        self.buyer()?;
        // Before anything is read: what comes in between is news for the page, not old to it.
        let seen = self.seen(org.id).await?;
        let (purchase, payments) = self.store.purchase(org.id, id).await?;
        let now = self.store.now();
        let at = |at: Timestamp| -> Result<Moment, AppError> { Ok(Moment::new(at, local(org, at)?)) };
        let waits = payments.last().map_or(now, |payment| payment.created_at);
        Ok(Bought {
            made_at: at(purchase.made_at)?,
            paid_at: purchase.paid_at.map(at).transpose()?,
            waited_s: (now.micros() - waits.micros()) / 1_000_000,
            refunds: self.store.refunds_of(org.id, id).await?,
            balance: self.store.balance(org.id).await?.available,
            bank: self.store.bank_lines().await?,
            methods: self.store.methods(org.id).await?.into_iter().filter(|m| offered.contains(&m.provider)).collect(),
            offered: offered.to_vec(),
            is_back: false,
            seen,
            words: org.words.clone(),
            purchase,
            payments,
        })
    }

    /// What a page has seen of an org's ledger and payments, so that it hears of news.
    pub(super) async fn seen(&self, org: OrgId) -> Result<String, AppError> {
        let head = self.store.head(org).await?.seq;
        Ok(format!("{head}.{}", self.store.payments_changed(org).await?))
    }

    /// Tries to be paid once more, or gives up, as the form on a purchase's page says: the payment to be asked for.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn pay_again(&self, offered: &[Provider], id: PurchaseId, body: &str) -> Result<Option<Begun>, AppError> {
        let viewer = self.buyer()?;
        let org = viewer.org;
        let form = Form::parse(body);
        let paid_by = match self.paid_by(org, offered, form.get("pay")).await {
            Ok(paid_by) => paid_by,
            Err(NotTaken::Form(_)) => return Ok(None),
            Err(NotTaken::Store(error)) => return Err(error.into()),
        };
        match self.store.buy_again(org, id, paid_by).await {
            Ok(payment) => Ok(Some(Begun::of_purchase(org, id, payment))),
            // One is under way already, or it is paid: its page says so.
            Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The payment of a purchase that is under way, to be given up.
    ///
    /// # Errors
    /// As [`Backend::bought`].
    pub async fn under_way(&self, id: PurchaseId) -> Result<Option<PaymentRow>, AppError> {
        let (_, payments) = self.store.purchase(self.buyer()?.org, id).await?;
        Ok(payments.into_iter().find(|payment| !payment.stands.state.is_over()))
    }

    /// A page of purchases, newest first.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn purchases(&self, org: &Org, before: &str) -> Result<Vec<(Purchase, Moment)>, AppError> {
        self.buyer()?;
        let found = self.store.purchases(org.id, PurchaseId::parse(before), PAGE).await?;
        let line = |purchase: Purchase| {
            let at = Moment::new(purchase.made_at, local(org, purchase.made_at)?);
            Ok((purchase, at))
        };
        found.into_iter().map(line).collect()
    }

    /// The stored methods.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn methods(&self, org: &Org, offered: &[Provider]) -> Result<Methods, AppError> {
        self.buyer()?;
        let line = |method: Method| {
            let at = Moment::new(method.added_at, local(org, method.added_at)?);
            Ok::<_, AppError>((method, at))
        };
        let methods = self.store.methods(org.id).await?.into_iter().map(line).collect::<Result<_, _>>()?;
        Ok(Methods { methods, offered: offered.to_vec() })
    }

    /// Chooses or removes a method, as the form says: the address of the page.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn act_on_method(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.buyer()?;
        let form = Form::parse(body);
        let id = MethodId::parse(form.get("method")).ok_or(AppError::NotFound)?;
        match form.get("do") {
            "choose" => self.store.choose_method(viewer.org, viewer.by(), id).await?,
            "remove" => self.store.remove_method(viewer.org, viewer.by(), id).await?,
            _ => return Err(AppError::NotFound),
        }
        Ok(format!("{METHODS}?done={}", form.get("do")))
    }

    /// What operators see of payments: transfers that are awaited, invoices that are not paid, and the newest purchases.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who are no operators, or what the store says.
    pub async fn till(&self, query: &[(String, String)]) -> Result<Till, AppError> {
        self.operator()?;
        let get = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let mut newest = Vec::new();
        for (org, purchase) in self.store.newest_purchases(PAGE).await? {
            let found = self.store.org(org).await?;
            newest.push(Sold {
                org: found.name.clone(),
                id: org,
                at: Moment::new(purchase.made_at, local(&found, purchase.made_at)?),
                refunds: self.store.refunds_of(org, purchase.id).await?,
                words: found.words.clone(),
                purchase,
            });
        }
        let (awaited, owed) = (self.awaited().await?, self.owed().await?);
        Ok(Till { awaited, owed, newest, done: get("done"), error: get("error") })
    }

    async fn awaited(&self) -> Result<Vec<Awaited>, AppError> {
        let mut awaited = Vec::new();
        for payment in self.store.transfers_waiting().await? {
            let what = match payment.of {
                For::Purchase(id) => self.store.purchase(payment.org, id).await?.0.quote.title,
                For::Invoice(id) => {
                    let number = self.store.invoice(payment.org, id).await?.row.number;
                    format!("Invoice {}", number.unwrap_or_default())
                }
            };
            awaited.push(Awaited { org: self.store.org(payment.org).await?.name, what, payment });
        }
        Ok(awaited)
    }

    async fn owed(&self) -> Result<Vec<Owed>, AppError> {
        let now = self.store.now();
        let mut owed = Vec::new();
        for invoice in self.store.open_invoices().await? {
            let org = self.store.org(invoice.org).await?;
            let due = Moment::new(invoice.due_at, local(&org, invoice.due_at)?);
            owed.push(Owed { org: org.name, due, overdue: invoice.due_at < now, invoice });
        }
        Ok(owed)
    }

    /// Gives money back or confirms a transfer, as the form says: the address of the page that says what came of it.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who are no operators, or what the store says.
    pub async fn act_on_till(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.operator()?;
        let form = Form::parse(body);
        let org = OrgId::parse(form.get("org")).ok_or(AppError::NotFound)?;
        match self.till_act(viewer, org, &form).await {
            Ok(done) => Ok(format!("{OPERATOR}?done={done}")),
            Err(NotTaken::Form(code)) => Ok(form.back_to(OPERATOR, code, "purchases")),
            Err(NotTaken::Store(error)) => Err(error.into()),
        }
    }

    async fn till_act(&self, viewer: &Viewer, org: OrgId, form: &Form) -> Result<&'static str, NotTaken> {
        let missing = || NotTaken::Store(StoreError::NotFound("purchase"));
        match form.get("do") {
            "refund" => {
                let id = PurchaseId::parse(form.get("purchase")).ok_or_else(missing)?;
                let how = if form.get("how") == "full" { How::Full } else { How::Rest };
                self.store.refund(org, viewer.by(), id, how, form.get("reason").to_owned()).await?;
                Ok("refund")
            }
            "confirm" => {
                let id = PaymentId::parse(form.get("payment")).ok_or_else(missing)?;
                let payment = self.store.payment(org, id).await?;
                if payment.provider != Provider::BankTransfer || payment.stands.state == State::Succeeded {
                    return Err(NotTaken::Form("not_awaited"));
                }
                let amount =
                    Money::parse(&format!("{} {}", form.get("amount"), payment.stands.amount.currency.as_str()));
                if amount? != payment.stands.amount {
                    return Err(NotTaken::Form("other_amount"));
                }
                let answer = Answer::of(Saying::Succeeded(payment.stands.amount));
                self.store.confirm_payment(org, viewer.by(), id, answer).await?;
                Ok("confirm")
            }
            "transferred" => self.invoice_transferred(viewer, org, form).await.map(|()| "transferred"),
            _ => Err(missing()),
        }
    }

    /// Keeps a method that a provider stores for the viewer's org.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn keep_method(
        &self,
        provider: Provider,
        new: store::payment::method::NewMethod,
    ) -> Result<(), AppError> {
        let viewer = self.buyer()?;
        let by: By = viewer.by();
        self.store.add_method(viewer.org, by, provider, new).await?;
        Ok(())
    }
}
