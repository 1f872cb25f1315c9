//! All SQL of Scrip.
//!
//! One SQLite file in a data folder, one writer, many readers. Writes go through [`writer`]'s queue and are answered when
//! they are on disk; reads go through a pool of read-only connections. sqlx and rusqlite types stay in here: methods take
//! and return the words of `ledger`.
//!
//! Read it in this order: [`open`] (what is refused before anything is written) → [`writer`] (one commit for many
//! requests) → [`tx`] (what the writer knows, the only way to book) → [`ingest`] (usage) → [`usage`] (charts) →
//! [`verify`] (everything, again, from the rows).

pub mod alert;
pub mod audit;
pub mod backup;
pub mod billing;
pub mod calendar;
pub mod clock;
pub mod correction;
pub mod drawdown;
pub mod due;
pub mod dump;
pub mod elsewhere;
pub mod ending;
pub mod entry;
pub mod error;
pub mod event;
pub mod event_export;
pub mod forecast;
pub mod grant;
pub mod hold;
pub mod ingest;
pub mod interaction;
pub mod invitation;
pub mod invoice;
pub mod job;
pub mod key;
pub mod live;
pub mod mark;
mod member;
pub mod name;
pub mod notice;
pub mod offer;
pub mod once;
pub mod operation;
pub mod org;
pub mod outbox;
pub mod overview;
pub mod package;
pub mod passkey;
pub mod password;
pub mod payment;
pub mod plan;
pub mod policy;
pub mod position;
pub mod proof;
pub mod purchase;
pub mod random;
pub mod rate_card;
pub mod reconcile;
pub mod refund;
pub mod restore;
pub mod retention;
pub mod sandbox;
pub mod saved_view;
pub mod second_factor;
pub mod seller;
pub mod session;
pub mod settings;
pub mod setup;
pub mod subscription;
pub mod top_up;
pub mod trace;
pub mod transaction;
pub mod usage;
pub mod user;
pub mod verify;
pub mod wide;
pub mod workflow;

mod dimension;
mod identity;
mod line_state;
mod meter;
mod migrate;
mod open;
mod partial;
mod payer;
mod reading;
mod rollup;
mod rows;
mod tx;
mod writer;

pub use alert::{AlertRule, Budget, FiringPage, FiringRow, Measured, NewRule, Point, Simulation};
pub use audit::{AuditPage, AuditRow, By, Change};
pub use billing::{Billing, InvoiceLine, OpenItem};
pub use chrono_tz::Tz;
pub use clock::Clock;
pub use correction::{Correction, Request as CorrectionRequest};
pub use drawdown::{Drawdown, DrawdownPage};
pub use elsewhere::Subject;
pub use ending::{Deleted, Ending};
pub use entry::{EntryPage, EntryRow};
pub use error::{OpenError, SnapshotError, StoreError};
pub use event::{EventDetail, EventPage, EventRow};
pub use event_export::{EventExport, EventFilter, ExportedEvent};
pub use forecast::{Ahead, CycleDays, Projection};
pub use grant::{GrantPage, GrantState, NewGrant};
pub use hold::{HoldPage, NewHold};
pub use ingest::{Ingested, Outcome};
pub use interaction::{Mapped, Mapping};
pub use invitation::{Guest, Invitation, Invited};
pub use invoice::{Invoice, InvoicePage, InvoiceRow, OpenInvoice, OpenItems};
pub use job::JobRun;
pub use key::{Key, KeyPage, KeyRow, KeyStatus, NewKey, Scope, Successor};
pub use live::HeadWatch;
pub use member::{Member, Membership};
pub use notice::Notice;
pub use offer::Offers;
pub use once::{Done, Once};
pub use operation::Operation;
pub use org::{NewOrg, Org, Totals};
pub use outbox::Recipients;
pub use overview::{DayUse, Overview};
pub use passkey::{NewPasskey, Passkey, PasskeyRow};
pub use payment::list::{PaidFor, PaymentLine, PaymentPage};
pub use plan::NewPlan;
pub use position::At;
pub use proof::EventProof;
pub use rate_card::{CardPage, CardState, CardStatus, NewRateCard};
pub use reconcile::{Difference, Reconciled};
pub use restore::Restored;
pub use retention::Kept;
pub use saved_view::{NewView, SavedView};
pub use second_factor::{HalfSignedIn, SecondFactor};
pub use session::{EndSessions, NewSession, Session, SessionRow};
pub use settings::OwnWords;
pub use setup::{Draft, Founding, Setup};
pub use subscription::{Agreed, Choose, Chosen, CycleRow, Subscribe, Subscribed};
pub use top_up::{TopUp, TopUpRow};
pub use trace::{
    Sort, Trace, TraceCursor, TraceDetail, TraceEvent, TraceEvents, TraceKind, TraceModule, TracePage, TraceQuery,
    TraceUse, WorkflowModules,
};
pub use transaction::{Cursor, Transaction, What};
pub use usage::{CubeQuery, Range};
pub use user::{User, UserId};
pub use verify::{Step, Verified};
pub use wide::{Narrow, RankCursor, RankPage, RankedValue, Ranking, Used, Wide};
pub use workflow::{NewWorkflowSettings, WorkflowSettings};
pub use writer::WriterStats;

use ledger::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Events in one call of [`Store::ingest`]: a second or less of the writer's time.
pub const MAX_BATCH: usize = 10_000;
/// How long a read waits for a free connection before it gives up.
const READ_WAIT: Duration = Duration::from_secs(5);

/// Where and how to open.
#[derive(Clone)]
pub struct Options {
    /// The data folder; it must exist.
    pub dir: PathBuf,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Connections for reading.
    pub readers: u32,
    /// Whether a database is made where there is none. Without it a mistyped folder is told, not filled.
    pub create: bool,
}

impl Options {
    /// A folder, the machine's clock, four readers; a database is made where there is none.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), clock: Arc::new(clock::SystemClock), readers: 4, create: true }
    }
}

/// An open data folder. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    reader: SqlitePool,
    readers: reading::Readers,
    keys: key::KeyCache,
    endings: ending::Endings,
    heads: Arc<live::Heads>,
    writer: Mutex<Option<writer::Handle>>,
    finished: tokio::sync::Mutex<Option<writer::Finished>>,
    lock: Mutex<Option<File>>,
}

impl Store {
    /// Takes the folder, checks and migrates the database, starts the writer.
    ///
    /// # Errors
    /// [`OpenError`] in a line for the terminal; nothing was changed then.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let path = open::database_path(&options.dir);
        let lock = open::lock(&options.dir)?;
        let conn = {
            let (path, create) = (path.clone(), options.create);
            let opened = tokio::task::spawn_blocking(move || open::open_writer(&path, create)).await;
            opened.map_err(|error| OpenError::Unsafe(error.to_string()))??
        };
        let endings = ending::Endings::load(&conn).map_err(|error| open::open_error(&path, &error))?;
        let io = |reason: String| OpenError::Io { path: path.clone(), reason };
        let reader = read_pool(&path, options.readers).await.map_err(|error| io(error.to_string()))?;
        let heads = Arc::new(live::Heads::default());
        let (writer, finished) = writer::Handle::start(conn, Arc::clone(&options.clock), Arc::clone(&heads))
            .map_err(|error| io(error.to_string()))?;
        let inner = Inner {
            path: path.clone(),
            clock: options.clock,
            reader,
            readers: reading::Readers::new(path.clone()),
            keys: key::KeyCache::default(),
            endings,
            heads,
            writer: Mutex::new(Some(writer)),
            finished: tokio::sync::Mutex::new(Some(finished)),
            lock: Mutex::new(Some(lock)),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Lets the writer finish what it took, closes everything and gives the folder free. Writes after it are told
    /// [`StoreError::Stopped`].
    pub async fn close(&self) {
        drop(self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(finished) = self.inner.finished.lock().await.take() {
            // An error means that the writer is gone already: finished too.
            let _ = finished.await;
        }
        self.inner.reader.close().await;
        self.inner.readers.close();
        drop(self.inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.inner.path.parent().unwrap_or(&self.inner.path)
    }

    /// What time it is, by the store's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Resolves with one line when the writer ended because the disk or a commit failed: the process should end too.
    pub async fn stopped(&self) -> String {
        // Only the news of its end is held here: a held queue would keep the writer from ending.
        let news = self.handle().map(|writer| writer.news());
        match news {
            Some(news) => writer::died(news).await,
            None => std::future::pending().await,
        }
    }

    /// Requests that wait for the writer, and what it has done.
    #[must_use]
    pub fn writer_stats(&self) -> Option<(usize, Arc<WriterStats>)> {
        self.handle().map(|writer| (writer.waiting(), Arc::clone(&writer.stats)))
    }

    /// Whether reads and writes are answered.
    ///
    /// # Errors
    /// What a reader or the writer says.
    pub async fn ready(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(self.reader()).await?;
        self.writer().call(0, |_| Ok(())).await
    }

    fn handle(&self) -> Option<writer::Handle> {
        self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn writer(&self) -> Writing {
        Writing(self.handle())
    }

    fn reader(&self) -> &SqlitePool {
        &self.inner.reader
    }

    fn keys(&self) -> &key::KeyCache {
        &self.inner.keys
    }

    fn endings(&self) -> &ending::Endings {
        &self.inner.endings
    }

    fn path(&self) -> &Path {
        &self.inner.path
    }
}

/// The writer, if it is still there.
struct Writing(Option<writer::Handle>);

impl Writing {
    async fn call<T: Send + 'static>(
        self,
        weight: usize,
        run: impl FnMut(&mut tx::Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.0 {
            Some(writer) => writer.call(weight, run).await,
            None => Err(StoreError::Stopped),
        }
    }

    async fn try_out<T: Send + 'static>(
        self,
        run: impl FnMut(&mut tx::Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.0 {
            Some(writer) => writer.try_out(run).await,
            None => Err(StoreError::Stopped),
        }
    }
}

async fn read_pool(path: &Path, readers: u32) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("trusted_schema", "OFF")
        .pragma("query_only", "ON");
    SqlitePoolOptions::new().max_connections(readers.max(1)).acquire_timeout(READ_WAIT).connect_with(options).await
}
