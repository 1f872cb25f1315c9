//! What is offered to an org, all at once: what a preset sells.

use crate::Store;
use crate::audit::By;
use crate::error::StoreError;
use crate::package::NewPackage;
use crate::plan::NewPlan;
use crate::tx::Tx;
use ledger::OrgId;

/// What is offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offers {
    /// What can be subscribed to.
    pub plans: Vec<NewPlan>,
    /// What can be bought once.
    pub packages: Vec<NewPackage>,
}

impl Store {
    /// Offers all of it to an org, in the place of what it was offered before.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for what makes no sense, [`StoreError::NotFound`] for the org.
    pub async fn offer(&self, org: OrgId, by: By, new: Offers) -> Result<(), StoreError> {
        self.writer().call(0, move |tx: &mut Tx<'_>| tx.offer_all(org, &by, &new)).await
    }
}

impl Tx<'_> {
    /// Offers all of it, as [`Store::offer`].
    pub(crate) fn offer_all(&mut self, org: OrgId, by: &By, new: &Offers) -> Result<(), StoreError> {
        if !new.plans.is_empty() {
            self.offer_plans(org, by, &new.plans)?;
        }
        if !new.packages.is_empty() {
            self.offer_packages(org, by, &new.packages)?;
        }
        Ok(())
    }
}
