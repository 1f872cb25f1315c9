//! Snapshots of a database in use.
//!
//! A snapshot holds everything acknowledged before it began: it is read on a connection of its own, in one transaction.
//! Written under another name, on disk, verified from its rows, then given its name: it appears whole or not at all.

use crate::Store;
use crate::error::{SnapshotError, StoreError};
use crate::open::open_error;
use crate::partial::{Partial, sync_folder};
use crate::verify::{self, Step, Verified};
use crate::{OpenError, open};
use rusqlite::Connection;
use std::path::Path;

/// Writes a verified snapshot of a data folder's database to a new file, whether or not a server has it open. Blocks.
/// Tells what is in it.
///
/// # Errors
/// [`SnapshotError`]; there is no new file then.
pub fn folder(dir: &Path, to: &Path, step: impl FnMut(Step)) -> Result<Verified, SnapshotError> {
    snapshot(&open::existing(dir)?, to, None, step)
}

/// The same with views for programs that read SQL. They are made after it was verified; it is not to be restored.
///
/// # Errors
/// As [`folder`].
pub fn with_views(dir: &Path, to: &Path, step: impl FnMut(Step)) -> Result<Verified, SnapshotError> {
    snapshot(&open::existing(dir)?, to, Some(include_str!("views.sql")), step)
}

impl Store {
    /// Writes a verified snapshot of the database to a new file, while it is in use. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::FileExists`] where the file is there already; [`StoreError::Internal`] where it cannot be written or
    /// the snapshot does not verify.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let (from, to) = (self.path().to_owned(), to.to_owned());
        let done = tokio::task::spawn_blocking(move || snapshot(&from, &to, None, |_| ())).await;
        done.map_err(|error| StoreError::Internal(error.to_string()))??;
        Ok(())
    }
}

fn snapshot(
    from: &Path,
    to: &Path,
    views: Option<&str>,
    mut step: impl FnMut(Step),
) -> Result<Verified, SnapshotError> {
    if to.symlink_metadata().is_ok() {
        return Err(SnapshotError::Exists(to.to_owned()));
    }
    let conn = open::open_current(from)?;
    let partial = Partial::create(to)?;
    step(Step::Copying);
    partial.fill(&conn, from)?;
    drop(conn);
    let verified = verify::file(partial.path(), step).map_err(|error| match error {
        OpenError::Corrupt { reason, .. } => SnapshotError::Broken { problem: reason },
        other => other.into(),
    })?;
    if let Some(problem) = verified.problems.first() {
        return Err(SnapshotError::Broken { problem: problem.clone() });
    }
    if let Some(views) = views {
        let made = Connection::open(partial.path()).and_then(|conn| conn.execute_batch(views));
        made.map_err(|error| open_error(partial.path(), &error))?;
        partial.sync()?;
    }
    // A hard link fails where the name was taken meanwhile; renaming would replace it.
    std::fs::hard_link(partial.path(), to).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => SnapshotError::Exists(to.to_owned()),
        _ => SnapshotError::io(to, &error),
    })?;
    sync_folder(to)?;
    Ok(verified)
}
