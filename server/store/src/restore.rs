//! A snapshot becomes the ledger of a data folder.
//!
//! In this order: the folder's lock; the snapshot, checked in full; a copy of it beside the database, on disk and checked
//! in full; the old database gets a second name; the copy gets the database's name. Only the last step changes what is
//! opened, and it is one rename: whatever fails or ends before it leaves the old database as it works, whatever ends
//! after it leaves the new one.
//!
//! The old database's log is the trap: a log beside a file of the same name is applied to it whatever it was written for.
//! So the log is folded into the old database before anything is renamed, and nobody may have that open meanwhile. Where
//! it cannot be folded since the database is damaged, it is kept beside it, and never beside the new one.

use crate::error::{OpenError, SnapshotError};
use crate::partial::{Partial, remove_beside, sync_folder, with_suffix};
use crate::verify::{self, Step, Verified};
use crate::{migrate, open};
use ledger::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};

/// What was restored, and what became of what was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the ledger holds now.
    pub verified: Verified,
    /// Where it is.
    pub database: PathBuf,
    /// The files of the database that was there, under the names they have now.
    pub kept: Vec<PathBuf>,
}

/// Makes a snapshot the database of a data folder that no server has open. Blocks. A snapshot of an earlier release is
/// brought up to date; an existing database is only replaced with `replace`, and kept under a name that tells `now`.
///
/// # Errors
/// [`SnapshotError`]; the folder's database is what it was then.
pub fn folder(
    snapshot: &Path,
    dir: &Path,
    replace: bool,
    now: Timestamp,
    mut step: impl FnMut(Step),
) -> Result<Restored, SnapshotError> {
    let _lock = open::lock(dir)?;
    let path = open::database_path(dir);
    if !replace && path.symlink_metadata().is_ok() {
        return Err(SnapshotError::Occupied(path));
    }
    // SQLite keeps its log beside the file that a link leads to.
    let database = std::fs::canonicalize(&path).unwrap_or(path);
    if std::fs::canonicalize(snapshot).is_ok_and(|file| file == Partial::path_beside(&database)) {
        return Err(unfit_since(snapshot, "its copy would be written over it: give it another name first"));
    }
    let promised = check(snapshot, &mut step).map_err(|error| unfit(snapshot, error))?;
    let copy = Partial::create(&database)?;
    step(Step::Copying);
    copy_into(&copy, snapshot)?;
    let verified = verify::file(copy.path(), &mut step).map_err(|error| unfit(snapshot, error.into()))?;
    if let Some(problem) = verified.problems.first() {
        return Err(unfit_since(snapshot, &format!("its copy does not verify: {problem}")));
    }
    if promised.is_some_and(|promised| promised != verified) {
        return Err(unfit_since(snapshot, "it changed while it was copied"));
    }
    let kept = put_in_place(&copy, &database, now)?;
    Ok(Restored { verified, database, kept })
}

/// Everything that can be known of a snapshot without touching anything; what it holds, where it is of this schema.
fn check(snapshot: &Path, step: &mut impl FnMut(Step)) -> Result<Option<Verified>, SnapshotError> {
    let (conn, schema) = open::open_known(snapshot)?;
    if schema == migrate::newest() {
        drop(conn);
        let verified = verify::file(snapshot, step)?;
        let problem = verified.problems.first().map(|problem| format!("it does not verify: {problem}"));
        return problem.map_or(Ok(Some(verified)), |problem| Err(unfit_since(snapshot, &problem)));
    }
    step(Step::File);
    let problems = verify::file_problems(&conn).map_err(|error| unfit_since(snapshot, &verify::cause(&error)))?;
    problems.first().map_or(Ok(None), |problem| Err(unfit_since(snapshot, problem)))
}

/// By SQLite, not byte by byte: where the snapshot is somebody's copy of a database with its log, both are read.
fn copy_into(copy: &Partial, snapshot: &Path) -> Result<(), SnapshotError> {
    let (conn, schema) = open::open_known(snapshot)?;
    copy.fill(&conn, snapshot)?;
    if schema < migrate::newest() {
        let failed = |error: rusqlite::Error| open::open_error(copy.path(), &error);
        let mut conn = Connection::open(copy.path()).map_err(failed)?;
        migrate::migrate(&mut conn, copy.path()).map_err(|error| match error {
            OpenError::Io { reason, .. } => unfit_since(snapshot, &format!("its schema cannot be updated: {reason}")),
            other => unfit(snapshot, other.into()),
        })?;
        drop(conn);
        copy.sync()?;
    }
    Ok(())
}

fn put_in_place(copy: &Partial, database: &Path, now: Timestamp) -> Result<Vec<PathBuf>, SnapshotError> {
    // Held until the end: nobody writes to what is about to be replaced.
    let folded = fold(database)?;
    let name = with_suffix(database, &format!(".before-restore-{}", now.to_string().replace([':', '-'], "")));
    let kept = keep(database, &name)?;
    // From here on the old files have their second names.
    let io = |error| SnapshotError::io(database, &error);
    let placed = sync_folder(database)
        .and_then(|()| remove_beside(database).map_err(io))
        .and_then(|()| std::fs::rename(copy.path(), database).map_err(io));
    if placed.is_err() && folded.is_some() {
        forget(&kept);
    }
    placed?;
    sync_folder(database)?;
    Ok(kept)
}

/// Folds the log into the database and keeps everybody out; `None` where that is no database, or too damaged for it.
fn fold(database: &Path) -> Result<Option<Connection>, SnapshotError> {
    // An empty file would be taken for a new database, and the log beside it deleted.
    if std::fs::metadata(database).map_or(0, |found| found.len()) == 0 {
        return Ok(None);
    }
    match alone(database) {
        Ok(conn) => Ok(Some(conn)),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Ok(None),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Err(SnapshotError::InUse(database.to_owned())),
            _ => Err(open::open_error(database, &error).into()),
        },
    }
}

/// Leaving the log behind is what SQLite allows to the only one who has the database open, and to nobody else.
fn alone(database: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(database, flags)?;
    conn.pragma_update(None, "busy_timeout", open::BUSY_TIMEOUT_MS)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
    conn.execute_batch("BEGIN EXCLUSIVE")?;
    Ok(conn)
}

/// Gives the old files a second name each. A rename would leave a moment with no database, in which a server that
/// starts makes an empty one.
fn keep(database: &Path, name: &Path) -> Result<Vec<PathBuf>, SnapshotError> {
    let mut kept = Vec::new();
    // The log's index is made anew by whoever opens the log.
    for suffix in ["", "-wal", "-journal"] {
        let (old, new) = (with_suffix(database, suffix), with_suffix(name, suffix));
        match std::fs::hard_link(&old, &new) {
            Ok(()) => kept.push(new),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                forget(&kept);
                return Err(SnapshotError::io(&new, &error));
            }
        }
    }
    Ok(kept)
}

/// Takes second names back; one that stays is a name too many, and nothing else.
fn forget(kept: &[PathBuf]) {
    for path in kept {
        let _ = std::fs::remove_file(path);
    }
}

fn unfit(snapshot: &Path, error: SnapshotError) -> SnapshotError {
    match error {
        SnapshotError::Open(OpenError::Corrupt { reason, .. }) => unfit_since(snapshot, &reason),
        other => other,
    }
}

fn unfit_since(snapshot: &Path, reason: &str) -> SnapshotError {
    SnapshotError::Unfit { path: snapshot.to_owned(), reason: reason.to_owned() }
}
