//! The one writer: a thread that owns the only writing connection.
//!
//! It takes what waits (bounded), opens one `BEGIN IMMEDIATE`, runs each request, settles what was ingested, commits
//! once, then answers all. What follows from that:
//! - An answer is sent after the commit is on disk, never before.
//! - A request that is refused rolls back to its own savepoint; its neighbours lose nothing.
//! - Where the database fails within a group, the group is rolled back and its requests are run again one by one, so that
//!   only the one that fails alone is refused.
//! - A failed commit, a full or broken disk acknowledges nobody and ends the writer; the process follows.
//! - A caller that goes away cancels nothing: its request runs, only its answer is dropped.
//!
//! Cost: one fsync per group. Bounds: [`QUEUE`] requests wait, [`MAX_GROUP`] share a commit.

use crate::clock::{Clock, Stopwatch};
use crate::error::StoreError;
use crate::live::Heads;
use crate::tx::{Caches, Tx};
use rusqlite::{Connection, ErrorCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot, watch};

/// Requests that may wait. Beyond it callers are told to come back: memory stays bounded and waits stay short.
pub(crate) const QUEUE: usize = 1_024;
/// Requests in one commit: enough for every connection of a busy server, few enough that the first does not wait long.
const MAX_GROUP: usize = 256;
/// Weight (events) in one commit, so that a queue of full batches is not one huge transaction.
const MAX_GROUP_WEIGHT: usize = 20_000;

/// What the writer has done, for metrics. All counts since the start.
#[derive(Debug, Default)]
pub struct WriterStats {
    /// Commits.
    pub commits: AtomicU64,
    /// Requests in those commits.
    pub requests: AtomicU64,
    /// Microseconds spent committing, in sum.
    pub commit_us: AtomicU64,
}

/// A request to the writer. May be run more than once: each run must start afresh.
trait Work: Send {
    /// `Ok(false)` where a rule refused and what was done must be undone; `Err` only where the database failed.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<bool, rusqlite::Error>;
    /// How many events it brings; 0 for everything else, which gets a savepoint of its own.
    fn weight(&self) -> usize;
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

struct Call<T, F> {
    weight: usize,
    /// Whether all of it is undone, whatever comes of it: what would happen is all that is asked.
    trial: bool,
    run: F,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work for Call<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<bool, rusqlite::Error> {
        let result = match (self.run)(tx) {
            Err(StoreError::Database(error)) => return Err(error),
            Err(StoreError::Internal(text)) => return Err(other_error(text)),
            result => result,
        };
        let keep = result.is_ok() && !self.trial;
        self.result = Some(result);
        Ok(keep)
    }

    fn weight(&self) -> usize {
        self.weight
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        let result = match failed {
            Some(error) => Err(error),
            None => self.result.unwrap_or(Err(StoreError::Stopped)),
        };
        // Nobody listens any more where the caller went away: that is fine.
        let _ = self.reply.send(result);
    }
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct Handle {
    queue: mpsc::Sender<Box<dyn Work>>,
    /// Why the writer ended by itself, once it has.
    died: watch::Receiver<Option<String>>,
    pub(crate) stats: Arc<WriterStats>,
}

/// Ends when the writer has drained its queue.
pub(crate) type Finished = oneshot::Receiver<()>;

impl Handle {
    /// Starts the writer's thread.
    pub(crate) fn start(
        conn: Connection,
        clock: Arc<dyn Clock>,
        heads: Arc<Heads>,
    ) -> std::io::Result<(Self, Finished)> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let (died_tx, died) = watch::channel(None);
        let (finished_tx, finished) = oneshot::channel();
        let stats = Arc::new(WriterStats::default());
        let writer = Writer { conn, clock, caches: Caches::default(), heads, stats: Arc::clone(&stats) };
        std::thread::Builder::new().name("scrip-writer".to_owned()).spawn(move || {
            if let Err(line) = writer.serve(requests) {
                died_tx.send_replace(Some(line));
            }
            let _ = finished_tx.send(());
        })?;
        Ok((Self { queue, died, stats }, finished))
    }

    /// Has `run` done inside the next commit. `weight` is the number of events it brings.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        weight: usize,
        run: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.send(weight, false, run).await
    }

    /// Has `run` done and undone again inside the next commit: what it answers is what would happen.
    pub(crate) async fn try_out<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.send(0, true, run).await
    }

    async fn send<T: Send + 'static>(
        &self,
        weight: usize,
        trial: bool,
        run: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let call = Box::new(Call { weight, trial, run, result: None, reply });
        self.queue.try_send(call).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Stopped,
        })?;
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// How many requests wait.
    pub(crate) fn waiting(&self) -> usize {
        QUEUE - self.queue.capacity()
    }

    /// Where the writer's end will be told.
    pub(crate) fn news(&self) -> watch::Receiver<Option<String>> {
        self.died.clone()
    }
}

/// Resolves with one line when the writer ended because of a failure.
pub(crate) async fn died(mut news: watch::Receiver<Option<String>>) -> String {
    let line = news.wait_for(Option::is_some).await.map(|line| line.clone().unwrap_or_default());
    match line {
        Ok(line) => line,
        // The writer ended in peace: there is nothing to report, ever.
        Err(_) => std::future::pending().await,
    }
}

struct Writer {
    conn: Connection,
    clock: Arc<dyn Clock>,
    caches: Caches,
    heads: Arc<Heads>,
    stats: Arc<WriterStats>,
}

impl Writer {
    /// Until every sender is gone (in peace) or the disk fails (with a line that says so).
    fn serve(mut self, mut requests: mpsc::Receiver<Box<dyn Work>>) -> Result<(), String> {
        while let Some(first) = requests.blocking_recv() {
            let mut weight = first.weight();
            let mut group = vec![first];
            while group.len() < MAX_GROUP && weight < MAX_GROUP_WEIGHT {
                let Ok(next) = requests.try_recv() else { break };
                weight += next.weight();
                group.push(next);
            }
            self.run_group(group)?;
        }
        // Leaves one tidy file behind; what is committed is safe without it.
        let _ = self.conn.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()));
        Ok(())
    }

    fn run_group(&mut self, mut group: Vec<Box<dyn Work>>) -> Result<(), String> {
        match self.try_group(&mut group) {
            Ok(()) => {
                group.into_iter().for_each(|work| work.answer(None));
                Ok(())
            }
            Err(failure) => self.recover(group, &failure),
        }
    }

    /// Runs a whole group in one transaction. On failure nothing of it happened.
    fn try_group(&mut self, group: &mut [Box<dyn Work>]) -> Result<(), Failure> {
        self.conn.execute_batch("BEGIN IMMEDIATE").map_err(Failure::Work)?;
        let mut tx = Tx::new(&self.conn, self.clock.as_ref(), &mut self.caches);
        for work in group.iter_mut() {
            run_one(work.as_mut(), &mut tx).map_err(Failure::Work)?;
        }
        tx.settle_all().map_err(|error| Failure::Work(sqlite_error(error)))?;
        tx.look_at_all().map_err(|error| Failure::Work(sqlite_error(error)))?;
        let watch = Stopwatch::start();
        self.conn.execute_batch("COMMIT").map_err(Failure::Commit)?;
        self.stats.commits.fetch_add(1, Ordering::Relaxed);
        self.stats.requests.fetch_add(group.len() as u64, Ordering::Relaxed);
        let took_us = u64::try_from(watch.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.stats.commit_us.fetch_add(took_us, Ordering::Relaxed);
        self.heads.moved(&self.caches.take_booked());
        self.caches.trim();
        Ok(())
    }

    fn recover(&mut self, group: Vec<Box<dyn Work>>, failure: &Failure) -> Result<(), String> {
        // Fails where SQLite already rolled back by itself.
        let _ = self.conn.execute_batch("ROLLBACK");
        self.caches.clear();
        if let Some(line) = failure.ends_the_process() {
            tracing::error!(?failure, "the writer ends");
            group.into_iter().for_each(|work| work.answer(Some(StoreError::Stopped)));
            return Err(line);
        }
        if failure.is_busy() {
            tracing::warn!("another process holds the database; these writes were not done");
            group.into_iter().for_each(|work| work.answer(Some(StoreError::Busy)));
            return Ok(());
        }
        if group.len() > 1 {
            tracing::warn!(?failure, "a group of writes failed; running its requests one by one");
            return group.into_iter().try_for_each(|work| self.run_group(vec![work]));
        }
        tracing::error!(?failure, "a write failed");
        group.into_iter().for_each(|work| work.answer(Some(StoreError::Internal(format!("{failure:?}")))));
        Ok(())
    }
}

/// One request of a group. A refusal undoes it alone; only a failing database is an error of the group.
fn run_one(work: &mut dyn Work, tx: &mut Tx<'_>) -> Result<(), rusqlite::Error> {
    if work.weight() > 0 {
        // Ingesting decides before it writes and refuses event by event: there is never anything to undo.
        return work.run(tx).map(|_| ());
    }
    tx.settle_all().map_err(sqlite_error)?;
    tx.begin_request();
    tx.conn.execute_batch("SAVEPOINT request")?;
    if work.run(tx)? {
        tx.conn.execute_batch("RELEASE request")
    } else {
        tx.forget_request();
        tx.conn.execute_batch("ROLLBACK TO request; RELEASE request")
    }
}

/// Where a group failed.
#[derive(Debug)]
enum Failure {
    Work(rusqlite::Error),
    Commit(rusqlite::Error),
}

impl Failure {
    /// A line for the terminal where going on could lose what is acknowledged: after a failed commit, always.
    fn ends_the_process(&self) -> Option<String> {
        let (error, committing) = match self {
            Self::Work(error) => (error, false),
            Self::Commit(error) => (error, true),
        };
        Some(match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                "the disk is full: free some space, then start again; nothing acknowledged was lost".to_owned()
            }
            Some(ErrorCode::SystemIoFailure) => {
                format!("the disk failed ({error}): check it, then start again; nothing acknowledged was lost")
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                format!("the database is damaged ({error}): stop, and restore a backup")
            }
            Some(ErrorCode::ReadOnly) => {
                "the database has become read-only: check the disk, then start again".to_owned()
            }
            _ if committing => format!("a commit failed ({error}): start again; nothing acknowledged was lost"),
            _ => return None,
        })
    }

    fn is_busy(&self) -> bool {
        let (Self::Work(error) | Self::Commit(error)) = self;
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }
}

fn sqlite_error(error: StoreError) -> rusqlite::Error {
    match error {
        StoreError::Database(error) => error,
        other => other_error(format!("{other:?}")),
    }
}

fn other_error(text: String) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(text.into())
}
