//! A database file that is being written, under a name of its own until it is whole.
//!
//! Private from its first byte. One process at a time writes it; what an interrupted one left is overwritten.

use crate::error::SnapshotError;
use crate::open::open_error;
use rusqlite::{Connection, ErrorCode};
use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What SQLite keeps beside a database: the log, the log's index, the rollback journal.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A file that becomes another. Removed when this is dropped, unless it was moved.
pub(crate) struct Partial {
    path: PathBuf,
    // Holds the lock.
    _file: File,
}

impl Partial {
    /// Its name while it is not whole.
    pub(crate) fn path_beside(target: &Path) -> PathBuf {
        with_suffix(target, ".partial")
    }

    /// Takes the name beside `target`, for this process alone.
    pub(crate) fn create(target: &Path) -> Result<Self, SnapshotError> {
        let path = Self::path_beside(target);
        let io = |error| SnapshotError::io(&path, &error);
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SnapshotError::InProgress(path)),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_permissions(Permissions::from_mode(0o600)).and_then(|()| file.set_len(0)).map_err(io)?;
        remove_beside(&path).map_err(io)?;
        Ok(Self { path, _file: file })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Copies everything that `conn` sees of the database at `source`, and waits until it is on disk.
    pub(crate) fn fill(&self, conn: &Connection, source: &Path) -> Result<(), SnapshotError> {
        let unnameable = || SnapshotError::io(&self.path, &std::io::Error::other("its name is not UTF-8"));
        let target = self.path.to_str().ok_or_else(unnameable)?;
        // Into an empty file of ours: SQLite would make one that others may read.
        conn.execute("VACUUM INTO ?1", [target]).map_err(|error| {
            let damaged = matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::DatabaseBusy)
            );
            open_error(if damaged { source } else { &self.path }, &error)
        })?;
        self.sync()
    }

    /// Waits until it is on disk.
    pub(crate) fn sync(&self) -> Result<(), SnapshotError> {
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(|error| SnapshotError::io(&self.path, &error))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Gone already where it was moved; what cannot be removed is overwritten the next time.
        let _ = std::fs::remove_file(&self.path);
        let _ = remove_beside(&self.path);
    }
}

/// Removes what SQLite keeps beside a database.
pub(crate) fn remove_beside(path: &Path) -> std::io::Result<()> {
    BESIDE.iter().map(|suffix| with_suffix(path, suffix)).try_for_each(|path| match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    })
}

/// The path with more at its end.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Waits until the names in the folder of `path` are on disk.
pub(crate) fn sync_folder(path: &Path) -> Result<(), SnapshotError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| SnapshotError::io(folder, &error))
}
