//! Checking everything, from the rows up: what an operator runs, and what a backup is accepted by.
//!
//! Reads one snapshot, on a read-only connection of its own, so it needs neither the folder nor its server; changes nothing.
//! Per org, one walk along the chain, an entry at a time, with the events that it
//! settles; each concern has a file of its own:
//!
//! - [`chain`]: numbers, zero sums, hashes, times; no column beside what is hashed; where it breaks, the org's walk ends.
//! - [`accounts`]: running balances and cached balances against the fold of all postings.
//! - [`grants`], [`holds`], [`voids`]: their rows against the entries that made and ended them, both ways; what became of
//!   each grant adds up.
//! - [`replay`]: every entry against what the rules make of the entries before it: who pays, in which order, what is due.
//! - [`events`]: every event against its identity, its charges, the Merkle root of its entry; [`prices`]: rate cards, every
//!   charge rated again, the carry before and after it.
//! - [`totals`], [`rollups`], [`wide`], [`traces`], [`identities`], [`names`]: what is derived from events, row by row and both ways.
//! - [`pruned`]: events whose detail is gone ([`crate::retention`]): their entries, and what is left of them.
//! - [`interactions`]: on whose behalf, against what was noted; [`alerts`]: rules and budgets, against what was noted and used.
//! - [`file`](self::file): what SQLite knows of its file (types, indexes, references), and rows of orgs that are not.
//!
//! Not looked at, since neither ledger nor analytics stand on it: `dimension.name` (`said`, `is_renamed`), `meter.title`, `unit` and `agent`, `org.name` and
//! `synthetic`; `user`, `member`, `session`, `api_key`, `audit` but for notes of mapped interactions, alerts and budgets; the outbox, and the history of alerts but for what stands; `org_policy` and
//! `idempotency`, beyond what the schema says of them.
//! Of grants and rate cards from before their terms were bound, only what they led to can be checked. A chain that was cut
//! at its end, or sealed again with all that follows from it, is told by its head, which statements and exports carry.
//!
//! Cost: a pass over all rows, some 10 µs per event. Memory: one entry and one event, the figures of each grant, pending
//! holds, rate cards, meters and their sets. Rollups and the index of identities are compared by fingerprints; only where
//! those differ is a map of them made, to name the row.

mod accounts;
mod alerts;
mod chain;
mod events;
mod file;
mod fingerprint;
mod grants;
mod holds;
mod identities;
mod interactions;
mod names;
mod prices;
mod pruned;
mod replay;
mod rollups;
mod totals;
mod traces;
mod voids;
mod walk;
mod wide;

use crate::error::{OpenError, StoreError};
use crate::{Store, open};
use ledger::{OrgId, Timestamp};
use rusqlite::{Connection, ErrorCode};
use std::fmt::Display;
use std::path::Path;

/// Problems told per org: the first matters, a few more help, thousands do not.
const MAX_PROBLEMS: usize = 10;

/// What was checked, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Orgs checked.
    pub orgs: u64,
    /// Entries checked.
    pub entries: u64,
    /// Events checked, pruned ones among them.
    pub events: u64,
    /// What was pruned, by org: of these events only what they add up to can be checked.
    pub pruned: Vec<PrunedEvents>,
    /// What is wrong, one sentence each, the first broken entry of an org first; empty where all is well.
    pub problems: Vec<String>,
}

/// The events of an org whose detail is not kept any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrunedEvents {
    /// The org.
    pub org: OrgId,
    /// How many.
    pub events: u64,
    /// When the last of them was booked.
    pub until: Timestamp,
}

/// What is being done, for whoever waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Everything is copied.
    Copying,
    /// Events are checked.
    Events {
        /// So many.
        done: u64,
        /// Of so many, by the ledger's own count.
        of: u64,
    },
    /// The file's pages, indexes and constraints are checked.
    File,
}

/// Checks the database in a data folder, whether or not a server has it open. Blocks.
///
/// # Errors
/// Where it cannot be checked. What is wrong in it is in the answer, not an error.
pub fn folder(dir: &Path, step: impl FnMut(Step)) -> Result<Verified, OpenError> {
    file(&open::existing(dir)?, step)
}

/// Checks a database or a snapshot, wherever it is. Blocks.
///
/// # Errors
/// Where it cannot be checked. What is wrong in it is in the answer, not an error.
pub fn file(path: &Path, step: impl FnMut(Step)) -> Result<Verified, OpenError> {
    let conn = open::open_current(path)?;
    verify(&conn, step).map_err(|error| match error {
        StoreError::Database(error) => open::open_error(path, &error),
        other => OpenError::Io { path: path.to_owned(), reason: cause(&other) },
    })
}

impl Store {
    /// Checks everything; tells `progress` of events done and events in all.
    ///
    /// # Errors
    /// Where the database cannot be read. What is wrong in it is in the answer, not an error.
    pub async fn verify(&self, mut progress: impl FnMut(u64, u64) + Send + 'static) -> Result<Verified, StoreError> {
        let path = self.path().to_owned();
        let step = move |step| match step {
            Step::Events { done, of } => progress(done, of),
            Step::Copying | Step::File => {}
        };
        let checked = tokio::task::spawn_blocking(move || verify(&open::open_reader(&path)?, step)).await;
        checked.map_err(|error| StoreError::Internal(error.to_string()))?
    }
}

/// Checks the database behind a connection.
pub(crate) fn verify(conn: &Connection, mut step: impl FnMut(Step)) -> Result<Verified, StoreError> {
    conn.execute_batch("BEGIN")?;
    let verified = snapshot(conn, &mut step);
    conn.execute_batch("COMMIT")?;
    verified
}

fn snapshot(conn: &Connection, step: &mut dyn FnMut(Step)) -> Result<Verified, StoreError> {
    let mut verified = Verified::default();
    let Some((of, orgs)) = readable(file::events(conn).and_then(|of| Ok((of, file::orgs(conn)?))), &mut verified)?
    else {
        return Ok(verified);
    };
    for org in orgs {
        let walked = walk::org(conn, org, &mut verified, &mut |done| step(Step::Events { done, of }));
        let problems = readable(walked, &mut verified)?.unwrap_or_default();
        verified.orgs += 1;
        verified.problems.extend(problems.into_iter().map(|problem| format!("{org}: {problem}")));
    }
    step(Step::Events { done: verified.events, of });
    step(Step::File);
    let mut problems = Problems::default();
    file::check(conn, &mut problems)?;
    verified.problems.extend(problems.told);
    Ok(verified)
}

/// What was read; what cannot be is a problem of the file.
fn readable<T>(result: Result<T, StoreError>, verified: &mut Verified) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            verified.problems.push(format!("the file cannot be read: {}", finding(error)?));
            Ok(None)
        }
    }
}

/// What SQLite finds in the file, whatever the rows say: a damaged page, an index that lacks a row.
pub(crate) fn file_problems(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut problems = Problems::default();
    let checked = file::integrity(conn, &mut problems);
    problems.read("the file", checked)?;
    Ok(problems.told)
}

/// In its own words, for whoever owns the database.
pub(crate) fn cause(error: &StoreError) -> String {
    match error {
        StoreError::Internal(text) => text.clone(),
        StoreError::Database(error) => open::words(error),
        other => other.to_string(),
    }
}

/// What is wrong so far.
#[derive(Debug, Default)]
struct Problems {
    told: Vec<String>,
}

impl Problems {
    fn say(&mut self, problem: String) {
        if self.told.len() < MAX_PROBLEMS {
            self.told.push(problem);
        }
    }

    /// What was read; what cannot be is a problem of `what`, not an error.
    fn read<T>(&mut self, what: impl Display, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                let reason = finding(error)?;
                self.say(format!("{what} cannot be read: {reason}"));
                Ok(None)
            }
        }
    }
}

/// Contents that no code of ours writes were tampered with or damaged: that is an answer. What is left are failures of the
/// machine, which are errors.
fn finding(error: StoreError) -> Result<String, StoreError> {
    match error {
        StoreError::Refused(refusal) => Ok(refusal.to_string()),
        StoreError::Internal(text) => Ok(text),
        StoreError::NotFound(what) => Ok(format!("there is no such {what}")),
        StoreError::Database(rusqlite::Error::SqliteFailure(error, text)) => match error.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Ok("the file is damaged there".to_owned()),
            // Of this code's own statements: sums that overflow, texts that are too long.
            ErrorCode::Unknown | ErrorCode::TooBig => Ok(text.unwrap_or_else(|| error.to_string())),
            _ => Err(StoreError::Database(rusqlite::Error::SqliteFailure(error, text))),
        },
        // A type, a length or a range that a column cannot have.
        StoreError::Database(error) => Ok(error.to_string()),
        error => Err(error),
    }
}
