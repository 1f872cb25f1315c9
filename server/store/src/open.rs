//! Opening a data folder: lock, check, set, read back, migrate; refuse rather than guess.
//!
//! Order: the folder's lock first (one process owns the writer), then SQLite's version, then the file's integrity, then
//! the settings of DESIGN §9, each read back, then migrations. Nothing is written before all checks passed.

use crate::error::OpenError;
use crate::migrate;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The oldest SQLite that is used: 3.51.3 mends a WAL bug by which commits could be lost.
const OLDEST_SQLITE: i32 = 3_051_003;
/// How long a statement waits for another process's lock (backup tools, a shell).
pub(crate) const BUSY_TIMEOUT_MS: i64 = 5_000;
/// Statements kept prepared; the hot path uses about twenty.
const STATEMENT_CACHE: usize = 64;
/// Page cache of the writer in KiB (SQLite's negative unit): the hot end of each table.
const WRITER_CACHE_KIB: i64 = 32 * 1024;

/// Up to this size the whole file is checked at every start (some 0.2 s); above, `scrip verify` and backups do it.
const QUICK_CHECK_BYTES: u64 = 64 * 1024 * 1024;

/// The database's file in its folder.
pub(crate) fn database_path(dir: &Path) -> PathBuf {
    dir.join("scrip.db")
}

/// Takes the folder for this process; released when the file is dropped, also by a crash.
pub(crate) fn lock(dir: &Path) -> Result<File, OpenError> {
    if !dir.is_dir() {
        return Err(OpenError::MissingFolder(dir.to_owned()));
    }
    let path = dir.join("scrip.lock");
    let io = |error: std::io::Error| OpenError::Io { path: path.clone(), reason: error.to_string() };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Opens the database for writing, checked, set and migrated.
pub(crate) fn open_writer(path: &Path, create: bool) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::Unsafe(format!("version {} is older than 3.51.3", rusqlite::version())));
    }
    let failed = |error: rusqlite::Error| open_error(path, &error);
    match std::fs::metadata(path) {
        // SQLite would take it for a new one, and what was lost would look like a fresh start.
        Ok(file) if file.len() == 0 => {
            let reason = "it has 0 bytes; remove it to begin anew".to_owned();
            return Err(OpenError::Corrupt { path: path.to_owned(), reason });
        }
        Err(_) if !create => return Err(OpenError::NoDatabase(path.parent().unwrap_or(path).to_owned())),
        _ => {}
    }
    // One thread owns it for life: SQLite's own locking would only cost time.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    private(path)?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    check_integrity(&conn, path)?;
    for (name, value, expected) in SETTINGS {
        set(&conn, name, value, expected).map_err(|problem| match problem {
            SetError::Sqlite(error) => open_error(path, &error),
            SetError::DidNotTake(found) => OpenError::Unsafe(format!("{name} is {found}, not {value}")),
        })?;
    }
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB).map_err(failed)?;
    migrate::migrate(&mut conn, path)?;
    Ok(conn)
}

/// Nobody else on the machine reads it: it holds hashes of passwords and everybody's usage.
fn private(path: &Path) -> Result<(), OpenError> {
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, owner_only)
        .map_err(|error| OpenError::Io { path: path.to_owned(), reason: error.to_string() })
}

/// Opens the database for reading only, on a connection of its own.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.pragma_update(None, "busy_timeout", BUSY_TIMEOUT_MS)?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    Ok(conn)
}

/// The database of a folder that is only read: no lock is needed for that, a server may have it open.
pub(crate) fn existing(dir: &Path) -> Result<PathBuf, OpenError> {
    let path = database_path(dir);
    match (dir.is_dir(), path.exists()) {
        (true, true) => Ok(path),
        (true, false) => Err(OpenError::NoDatabase(dir.to_owned())),
        (false, _) => Err(OpenError::MissingFolder(dir.to_owned())),
    }
}

/// Opens a file for reading only that must be a Scrip database of a schema this release knows; tells which.
///
/// The file is only ever opened by SQLite: closing a handle of our own would drop the locks that this process, perhaps
/// the server, holds on it by `POSIX`'s rules, and another process could then delete the log under it.
pub(crate) fn open_known(path: &Path) -> Result<(Connection, i64), OpenError> {
    let corrupt = |reason: &str| OpenError::Corrupt { path: path.to_owned(), reason: reason.to_owned() };
    match std::fs::metadata(path) {
        Err(error) => return Err(OpenError::Io { path: path.to_owned(), reason: error.to_string() }),
        Ok(found) if !found.is_file() => return Err(corrupt("it is no file")),
        Ok(found) if found.len() == 0 => return Err(corrupt("it has 0 bytes")),
        Ok(_) => {}
    }
    let conn = open_reader(path).map_err(|error| open_error(path, &error))?;
    let schema = migrate::schema(&conn, path)?;
    Ok((conn, schema))
}

/// The same for what is checked row by row, which takes this release's schema.
pub(crate) fn open_current(path: &Path) -> Result<Connection, OpenError> {
    let (conn, found) = open_known(path)?;
    let known = migrate::newest();
    if found == known { Ok(conn) } else { Err(OpenError::Older { path: path.to_owned(), found, known }) }
}

/// Name, what is set, what must be read back (SQLite answers words with numbers).
const SETTINGS: [(&str, &str, &str); 6] = [
    ("journal_mode", "wal", "wal"),
    ("synchronous", "FULL", "2"),
    ("foreign_keys", "ON", "1"),
    ("recursive_triggers", "ON", "1"),
    ("busy_timeout", "5000", "5000"),
    ("trusted_schema", "OFF", "0"),
];

enum SetError {
    Sqlite(rusqlite::Error),
    DidNotTake(String),
}

fn set(conn: &Connection, name: &str, value: &str, expected: &str) -> Result<(), SetError> {
    // Some pragmas answer when they are set, some do not: either way the answer that counts is the one read back.
    conn.pragma_update_and_check(None, name, value, |_| Ok(()))
        .or_else(|error| if matches!(error, rusqlite::Error::QueryReturnedNoRows) { Ok(()) } else { Err(error) })
        .map_err(SetError::Sqlite)?;
    let found: String = conn
        .pragma_query_value(None, name, |row| row.get_ref(0).map(|value| value_text(value)))
        .map_err(SetError::Sqlite)?;
    if found.eq_ignore_ascii_case(expected) { Ok(()) } else { Err(SetError::DidNotTake(found)) }
}

fn value_text(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => "unreadable".to_owned(),
    }
}

fn check_integrity(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    // Reads the header and the schema, so that a foreign or cut file is found whatever its size.
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(|error| open_error(path, &error))?;
    if std::fs::metadata(path).is_ok_and(|file| file.len() > QUICK_CHECK_BYTES) {
        return Ok(());
    }
    let answer: String =
        conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|error| open_error(path, &error))?;
    if answer == "ok" { Ok(()) } else { Err(OpenError::Corrupt { path: path.to_owned(), reason: answer }) }
}

/// SQLite's errors in the words of whoever starts the program.
pub(crate) fn open_error(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            OpenError::Corrupt { path, reason: "it is damaged or not a database".to_owned() }
        }
        Some(ErrorCode::DiskFull) => OpenError::DiskFull(path),
        _ => OpenError::Io { path, reason: words(error) },
    }
}

/// What SQLite says, without the page of SQL that rusqlite quotes with it.
pub(crate) fn words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}
