//! Snapshots of a database in use.

use crate::Store;
use crate::error::StoreError;
use crate::{open, verify};
use std::path::{Path, PathBuf};

impl Store {
    /// Writes a verified snapshot of the database to a new file, while it is in use. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::FileExists`] where the file is there already; [`StoreError::Internal`] where it cannot be written or
    /// the snapshot does not verify.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let (from, to) = (self.path().to_owned(), to.to_owned());
        let done = tokio::task::spawn_blocking(move || snapshot(&from, &to)).await;
        done.map_err(|error| StoreError::Internal(error.to_string()))?
    }
}

fn snapshot(from: &Path, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::FileExists(to.to_owned()));
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".partial");
    let partial = PathBuf::from(name);
    // Left over from a backup that was cut short: not a backup.
    let _ = std::fs::remove_file(&partial);
    let finished = write(from, &partial).and_then(|()| {
        // A hard link fails where the name was taken meanwhile; renaming would replace it.
        std::fs::hard_link(&partial, to).map_err(|error| StoreError::Internal(format!("{}: {error}", to.display())))
    });
    let _ = std::fs::remove_file(&partial);
    finished
}

fn write(from: &Path, partial: &Path) -> Result<(), StoreError> {
    let io = |error: std::io::Error| StoreError::Internal(format!("{}: {error}", partial.display()));
    let target = partial.to_str().ok_or_else(|| StoreError::Internal("the file's name is not UTF-8".to_owned()))?;
    open::open_reader(from)?.execute("VACUUM INTO ?1", [target])?;
    std::fs::File::open(partial).and_then(|file| file.sync_all()).map_err(io)?;
    let verified = verify::verify(&open::open_reader(partial)?, |_, _| ())?;
    match verified.problems.first() {
        None => Ok(()),
        Some(problem) => Err(StoreError::Internal(format!("the snapshot does not verify: {problem}"))),
    }
}
