//! What jobs did: for the operator's page. Only runs in which something was done, or failed.

use crate::Store;
use crate::error::StoreError;
use crate::tx::Tx;
use ledger::Timestamp;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

/// Runs kept of each job.
const KEPT: i64 = 200;
/// Longest error that is kept.
const MAX_ERROR_CHARS: usize = 500;

/// A run of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRun {
    /// Which job.
    pub job: String,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How many things it did.
    pub done: i64,
    /// What went wrong.
    pub error: Option<String>,
}

impl Store {
    /// Notes a run that ends now.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn note_job(
        &self,
        job: &'static str,
        begun_at: Timestamp,
        done: i64,
        error: Option<String>,
    ) -> Result<(), StoreError> {
        let error = error.map(|text| text.chars().take(MAX_ERROR_CHARS).collect::<String>());
        let run = move |tx: &mut Tx<'_>| {
            let ended = tx.now().max(begun_at);
            tx.conn
                .prepare_cached(
                    "INSERT INTO job_run (job, begun_at, ended_at, done, error) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![job, begun_at.micros(), ended.micros(), done, error])?;
            let old = "DELETE FROM job_run WHERE job = ?1 AND run_id <=
                (SELECT run_id FROM job_run WHERE job = ?1 ORDER BY run_id DESC LIMIT 1 OFFSET ?2)";
            tx.conn.prepare_cached(old)?.execute(params![job, KEPT])?;
            Ok(())
        };
        self.writer().call(0, run).await
    }

    /// The newest runs, newest first; only those that failed, if so asked.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn job_runs(&self, failed: bool, limit: u32) -> Result<Vec<JobRun>, StoreError> {
        let run = move |conn: &Connection| {
            let sql = "SELECT job, begun_at, ended_at, done, error FROM job_run
                WHERE NOT ?1 OR error IS NOT NULL ORDER BY run_id DESC LIMIT ?2";
            let mut select = conn.prepare_cached(sql)?;
            let rows = select.query_map(params![failed, limit], |row| {
                Ok(JobRun {
                    job: row.get(0)?,
                    begun_at: Timestamp::from_micros(row.get(1)?),
                    ended_at: Timestamp::from_micros(row.get(2)?),
                    done: row.get(3)?,
                    error: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        self.read(run).await
    }
}
