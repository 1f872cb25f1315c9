//! The end of an organization, and the file with everything that it has.

use super::{Backend, people::moment};
use crate::components::settings::deletion::{DELETION, DeletionView};
use crate::error::AppError;
use crate::query;
use ::ledger::{Permission, Refusal, Timestamp};
use store::ending::{EXPORT_DAYS, GRACE_DAYS};
use store::{By, Store, StoreError, dump};

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Backend {
    /// The page.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn deletion(&self) -> Result<DeletionView, AppError> {
        let viewer = self.allowed(Permission::DeleteOrg)?;
        let org = self.store.org(viewer.org).await?;
        let ending = self.store.ending(org.id).await?;
        let ending = ending.map(|end| Ok::<_, AppError>((moment(&org, end.ends_at)?, end.asked_by))).transpose()?;
        let exported = self.store.exported_at(org.id).await?;
        let oldest = Timestamp::from_micros(self.store.now().micros().saturating_sub(EXPORT_DAYS * MICROS_PER_DAY));
        let export_counts = exported.is_some_and(|at| at >= oldest);
        let exported = exported.map(|at| moment(&org, at)).transpose()?;
        Ok(DeletionView { org: org.name, ending, exported, export_counts, grace_days: GRACE_DAYS })
    }

    /// Asks for the end, or takes that back, as the form says; the address that tells what came of it.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn send_deletion(&self, body: &str) -> Result<String, AppError> {
        let viewer = self.allowed(Permission::DeleteOrg)?;
        let fields = query::parse(body);
        let get = |name: &str| fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim());
        let done = match get("do") {
            "end" if get("name") == self.store.org(viewer.org).await?.name => {
                self.store.end_org(viewer.org, viewer.by()).await.map(|_| DELETION.to_owned())
            }
            "end" => return Ok(format!("{DELETION}?error=name_differs")),
            _ => self.store.keep_org(viewer.org, viewer.by()).await.map(|()| format!("{DELETION}?done=kept")),
        };
        match done {
            Err(StoreError::Refused(Refusal::ExportFirst)) => Ok(format!("{DELETION}?error=export_first")),
            Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => Ok(format!("{DELETION}?error=stale")),
            done => Ok(done?),
        }
    }
}

/// The file with everything of an org, piece by piece.
pub struct OrgExport {
    dump: dump::Dump,
    store: Store,
    org: ::ledger::OrgId,
    by: By,
}

impl OrgExport {
    /// Begins it.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn begin(backend: &Backend) -> Result<Self, AppError> {
        let viewer = backend.allowed(Permission::DeleteOrg)?;
        let dump = backend.store.dump(viewer.org).await?;
        Ok(Self { dump, store: backend.store.clone(), org: viewer.org, by: viewer.by() })
    }

    /// `scrip-org_3-2026-11-21.jsonl`
    #[must_use]
    pub fn file_name(&self) -> String {
        let day: String = self.store.now().to_string().chars().take(10).collect();
        format!("scrip-{}-{day}.jsonl", self.org)
    }

    /// Some more lines; `None` after the last, when the export is noted as made.
    ///
    /// # Errors
    /// What the store says.
    pub async fn next(&mut self) -> Result<Option<String>, AppError> {
        if let Some(piece) = self.dump.next().await? {
            return Ok(Some(piece));
        }
        self.store.note_export(self.org, self.by.clone()).await?;
        Ok(None)
    }
}
