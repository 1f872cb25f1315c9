//! Auto top-up, read, and what its form does.

use super::Backend;
use super::desk::{Form, NotTaken};
use super::purchases::Package;
use crate::error::AppError;
use ledger::package::Terms;
use ledger::top_up::Rule;
use ledger::{Credits, Money, OrgId, PackageId, Permission};
use store::{Org, StoreError};

pub use store::{TopUp, TopUpRow};

/// Address of the page.
const TOP_UP: &str = "/billing/top-up";
/// Rows of the history.
const ROWS: u32 = 50;

/// What the page shows.
#[derive(Debug, Clone)]
pub struct TopUps {
    /// What was asked for.
    pub asked: Option<TopUp>,
    /// What can be bought.
    pub packages: Vec<Package>,
    /// What it did, newest first.
    pub history: Vec<TopUpRow>,
    /// Whether somebody can be charged.
    pub has_method: bool,
}

impl Backend {
    /// Auto top-up.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn top_ups(&self, org: &Org) -> Result<TopUps, AppError> {
        self.allowed(Permission::ManageBilling)?;
        Ok(TopUps {
            asked: self.store.top_up(org.id).await?,
            packages: self.store.packages(org.id).await?,
            history: self.store.top_ups(org.id, ROWS).await?,
            has_method: !self.store.methods(org.id).await?.is_empty(),
        })
    }

    /// Sets it as the form says: the address of the page that says what came of it.
    ///
    /// # Errors
    /// As [`Backend::top_ups`].
    pub async fn set_top_up(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::ManageBilling)?;
        let form = Form::parse(body);
        let done = async {
            let new = self.wanted(viewer.org, &form).await?;
            self.store.set_top_up(viewer.org, viewer.by(), new).await?;
            Ok(if new.rule.is_on { "on" } else { "off" })
        };
        match done.await {
            Ok(done) => Ok(format!("{TOP_UP}?done={done}")),
            Err(NotTaken::Form(code)) => Ok(form.back_to(TOP_UP, code, "rule")),
            Err(NotTaken::Store(StoreError::BadRange(_))) => Ok(form.back_to(TOP_UP, "bad_cap", "rule")),
            Err(NotTaken::Store(StoreError::NoSale(refusal))) => Ok(form.back_to(TOP_UP, refusal.code(), "rule")),
            Err(NotTaken::Store(StoreError::NotFound(_))) => Ok(form.back_to(TOP_UP, "package_not_offered", "rule")),
            Err(NotTaken::Store(error)) => Err(error.into()),
        }
    }

    async fn wanted(&self, org: OrgId, form: &Form) -> Result<TopUp, NotTaken> {
        let is_on = match form.get("do") {
            "on" => true,
            "off" => false,
            _ => return Err(NotTaken::Form("stale_form")),
        };
        if !is_on && let Some(known) = self.store.top_up(org).await? {
            return Ok(TopUp { rule: Rule { is_on, ..known.rule }, ..known });
        }
        if self.store.methods(org).await?.is_empty() {
            return Err(NotTaken::Form("payment_method_needed"));
        }
        let package = PackageId::parse(form.get("package")).ok_or(NotTaken::Form("package_not_offered"))?;
        let terms = self.store.package(org, package).await?.terms;
        let number = |name: &str| Credits::parse(form.get(name)).ok().filter(|credits| !credits.is_negative());
        let credits = match &terms {
            Terms::Fixed { .. } => None,
            Terms::Custom { .. } => Some(number("credits").ok_or(NotTaken::Form("bad_purchase_amount"))?),
        };
        let threshold = number("threshold").ok_or(NotTaken::Form("bad_threshold"))?;
        let cap = Money::parse(&format!("{} {}", form.get("cap"), terms.currency().as_str()));
        let cap = cap.ok().filter(|cap| cap.minor > 0).ok_or(NotTaken::Form("bad_cap"))?;
        Ok(TopUp { rule: Rule { is_on, threshold, cap }, package, credits, gave_up: false })
    }
}
