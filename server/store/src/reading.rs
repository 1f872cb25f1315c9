//! Reading with the writer's own code.
//!
//! What decides a write must be read the same way where it is only shown: position, payers, entries. Such reads run on
//! plain connections (rusqlite, as the writer's) off the async threads, each in one snapshot. Pages' lists and charts read
//! through sqlx.

use crate::error::StoreError;
use crate::{Store, open};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Reads at once: each may take a core for a moment, and there are few.
const AT_ONCE: usize = 8;

/// Read-only connections that wait to be used again.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), places: Semaphore::new(AT_ONCE) }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn close(&self) {
        self.places.close();
        self.idle().clear();
    }

    fn run<T>(&self, run: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let conn = idle.map_or_else(|| open::open_reader(&self.path), Ok)?;
        conn.execute_batch("BEGIN")?;
        let result = run(&conn);
        // A connection that cannot end its snapshot is not used again.
        if conn.execute_batch("COMMIT").is_ok() && !self.places.is_closed() {
            self.idle().push(conn);
        }
        result
    }
}

impl Store {
    /// Runs `run` on one snapshot.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = std::sync::Arc::clone(&self.inner);
        let place = inner.readers.places.acquire().await.map_err(|_| StoreError::Stopped)?;
        let reading = std::sync::Arc::clone(&inner);
        let done = tokio::task::spawn_blocking(move || reading.readers.run(run)).await;
        drop(place);
        // What a read says of the database is for the log, like what sqlx says.
        match done.map_err(|error| StoreError::Internal(error.to_string()))? {
            Err(StoreError::Database(error)) => Err(StoreError::Internal(format!("{error:?}"))),
            result => result,
        }
    }
}
