//! The Projects page, read: the Analytics of all projects, beside the period before.

use super::Backend;
use crate::components::projects::{Shown, view_of};
use crate::error::AppError;
use ledger::Permission;
use store::Org;

impl Backend {
    /// What a query string asks of projects.
    ///
    /// # Errors
    /// As [`Backend::analytics`].
    pub async fn projects(&self, org: &Org, query: &str) -> Result<Shown, AppError> {
        self.allowed(Permission::SeeUsage)?;
        let view = view_of(query);
        let analytics = super::analytics(&self.store, org.id, &view).await?;
        Ok(Shown { view, analytics })
    }
}
