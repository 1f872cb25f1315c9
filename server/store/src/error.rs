//! What can go wrong here, for three readers: the caller of a store method, whoever starts the program, and whoever
//! takes or restores a snapshot.

use ledger::package::NoSale;
use ledger::refund::NoRefund;
use ledger::{Refusal, SubscriptionRefusal, Timestamp};
use std::path::{Path, PathBuf};

/// Why a read or write did not happen. No variant shows database text to people; that goes to the log.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A subscription stays as it is.
    #[error(transparent)]
    Subscription(#[from] SubscriptionRefusal),
    /// Something cannot be bought, or offered.
    #[error(transparent)]
    NoSale(#[from] NoSale),
    /// Nothing can be given back.
    #[error(transparent)]
    NoRefund(#[from] NoRefund),
    /// No such thing in this org.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Something with this name exists.
    #[error("this {0} is taken: choose another")]
    Conflict(&'static str),
    /// A range of time that cannot be shown.
    #[error("{0}")]
    BadRange(&'static str),
    /// More events in one call than [`crate::MAX_BATCH`].
    #[error("more than {} events at once: send them in parts", crate::MAX_BATCH)]
    TooLarge,
    /// It needs the detail of events that is not kept any more.
    #[error("details of events booked up to {} UTC are no longer kept{}; what they cost stays in the ledger and in every chart", minute(.until), kept_for(.days))]
    Pruned {
        /// When the last of those events was booked.
        until: Timestamp,
        /// For how many days the org keeps them now; `None`: for ever.
        days: Option<u32>,
    },
    /// More than can be done in one transaction.
    #[error("{0}")]
    TooMany(&'static str),
    /// The writer's queue is full.
    #[error("too much is waiting to be written: try again in a moment")]
    Busy,
    /// The store is closing or its writer ended.
    #[error("the store is closed: try again when the server is back")]
    Stopped,
    /// A file stands where one would be written.
    #[error("{} exists already: name a new file", .0.display())]
    FileExists(PathBuf),
    /// The writer's database failed; the text of the error is for logs only.
    #[error("something went wrong in the store: the log has the details")]
    Database(rusqlite::Error),
    /// A read failed, or what is stored cannot be understood; the text is for logs only.
    #[error("something went wrong in the store: the log has the details")]
    Internal(String),
}

impl StoreError {
    /// The stable code that programs compare.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Subscription(refusal) => refusal.code(),
            Self::NoSale(refusal) => refusal.code(),
            Self::NoRefund(refusal) => refusal.code(),
            Self::NotFound(_) => "not_found",
            Self::Conflict(_) => "conflict",
            Self::BadRange(_) => "bad_range",
            Self::Pruned { .. } => "details_pruned",
            Self::TooLarge => "too_many_items",
            Self::TooMany(_) => "too_many",
            Self::Busy => "busy",
            Self::Stopped => "stopped",
            Self::FileExists(_) => "file_exists",
            Self::Database(_) | Self::Internal(_) => "internal",
        }
    }
}

/// `2026-11-21 12:00`.
fn minute(at: &Timestamp) -> String {
    at.to_string().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn kept_for(days: &Option<u32>) -> String {
    days.map_or_else(String::new, |days| format!(" (this organization keeps them for {days} days)"))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Internal(format!("{error:?}"))
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(format!("stored JSON: {error}"))
    }
}

/// Why a data folder could not be opened: one line for a terminal, saying what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not there.
    #[error("the data folder {} does not exist: create it, or name another with --data", .0.display())]
    MissingFolder(PathBuf),
    /// There is no database in it.
    #[error("there is no database in {}: name the right folder with --data, or make one with scrip sample or scrip org create", .0.display())]
    NoDatabase(PathBuf),
    /// Another process holds it.
    #[error("the data folder {} is in use by another scrip process: stop that one first", .0.display())]
    Locked(PathBuf),
    /// The folder cannot be read or written.
    #[error("cannot use {}: {reason}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// In the operating system's words.
        reason: String,
    },
    /// The file is no database, or a damaged one.
    #[error("{} is not an intact Scrip database ({reason}): restore a backup, or name another folder; nothing was changed", path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// What SQLite says of it.
        reason: String,
    },
    /// Made by a later release.
    #[error("{} was made by a newer scrip (schema {found}, this one knows up to {known}): use that release; nothing was changed", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Made by an earlier release, where only this release's schema can be read.
    #[error("{} has an older schema ({found}, this scrip uses {known}): run scrip migrate first, then try again; nothing was changed", path.display())]
    Older {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// SQLite too old, or a setting that did not take.
    #[error("SQLite is not safe to use here: {0}")]
    Unsafe(String),
    /// The disk is full.
    #[error("the disk that holds {} is full: free some space, then start again", .0.display())]
    DiskFull(PathBuf),
}

/// Why no snapshot was written, or none restored: one line for a terminal, saying what to do.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The folder or a database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file stands where one would be written.
    #[error("{} exists already: name a new file", .0.display())]
    Exists(PathBuf),
    /// The same file is being written by another process.
    #[error("another scrip process is writing {}: wait for it to end, then try again", .0.display())]
    InProgress(PathBuf),
    /// What was copied does not add up.
    #[error("the ledger does not verify ({problem}): no snapshot was written; scrip verify names what is wrong")]
    Broken {
        /// The first thing that is wrong.
        problem: String,
    },
    /// The file cannot become the ledger.
    #[error("{} cannot be restored ({reason}): name a file that scrip backup wrote; nothing was changed", path.display())]
    Unfit {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is a database already.
    #[error("{} is there already: --replace puts the snapshot in its place, and keeps it beside under another name", .0.display())]
    Occupied(PathBuf),
    /// Another program reads or writes the database that would be replaced.
    #[error("another program has {} open: wait until scrip verify, scrip backup or a shell on it ends, then try again; nothing was changed", .0.display())]
    InUse(PathBuf),
}

impl SnapshotError {
    /// In the operating system's words.
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        let path = path.to_owned();
        Self::Open(match error.kind() {
            std::io::ErrorKind::StorageFull => OpenError::DiskFull(path),
            _ => OpenError::Io { path, reason: error.to_string() },
        })
    }
}

impl From<SnapshotError> for StoreError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Exists(path) => Self::FileExists(path),
            other => Self::Internal(other.to_string()),
        }
    }
}
