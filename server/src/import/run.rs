//! An import from its first row to its summary.
//!
//! Rows are read one at a time and sent [`BATCH_ROWS`] at once, so memory does not grow with the file. Each batch is on
//! disk before the next is read. Stopped at any moment and started again, rows that were taken before are duplicates and
//! cost nothing.

use super::csv::CsvRows;
use super::jsonl::JsonRows;
use super::mapping::{Format, Mapper, Mapping};
use super::rejects::Rejects;
use super::rows::{Ids, Read, Row};
use crate::cli::{Failure, Office};
use crate::command::{Answer, Command};
use crate::ingest::Tally;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ledger::card::Prices;
use ledger::event::Form;
use ledger::settle::rate_event;
use ledger::{Credits, Event, LineStates, Timestamp};
use std::fs::File;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::calendar::cycle;
use store::clock::Stopwatch;
use store::{StoreError, Tz};

/// Rows sent at once.
const BATCH_ROWS: usize = 5_000;
/// Bytes sent at once: with quotes escaped it stays below what a line to the server may have.
const BATCH_BYTES: usize = 6 * 1024 * 1024;
/// How often a line is written where there is no terminal for a bar.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// What to import.
pub struct Job {
    /// The file.
    pub file: PathBuf,
    /// The org's name.
    pub org: String,
    /// What its columns mean.
    pub mapping: Mapping,
    /// Send nothing.
    pub dry_run: bool,
    /// Where rejected rows go.
    pub rejects: Option<PathBuf>,
}

/// What came of it.
pub struct Summary {
    /// Rows read.
    pub read: u64,
    /// What became of them; in a dry run, what would.
    pub tally: Tally,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

enum Source {
    Csv(Box<CsvRows>),
    Jsonl(JsonRows),
}

impl Source {
    fn open(path: &Path, format: Format) -> Result<(Self, u64), Failure> {
        let fail = |error: &dyn std::fmt::Display| Failure::new(format!("cannot read {}: {error}", path.display()));
        let file = File::open(path).map_err(|error| fail(&error))?;
        let length = file.metadata().map_err(|error| fail(&error))?.len();
        let source = match format {
            Format::Csv => Self::Csv(Box::new(CsvRows::open(file).map_err(|bad| fail(&bad))?)),
            Format::Jsonl => Self::Jsonl(JsonRows::open(file)),
        };
        Ok((source, length))
    }

    fn head(&self) -> Option<Vec<String>> {
        match self {
            Self::Csv(rows) => Some(rows.head().to_vec()),
            Self::Jsonl(_) => None,
        }
    }

    fn position(&self) -> u64 {
        match self {
            Self::Csv(rows) => rows.position(),
            Self::Jsonl(rows) => rows.position(),
        }
    }

    fn next(&mut self) -> Result<Option<Read>, Failure> {
        let read = match self {
            Self::Csv(rows) => rows.read(),
            Self::Jsonl(rows) => rows.read(),
        };
        read.map_err(|error| Failure::new(format!("the file cannot be read on: {error}")))
    }
}

/// Imports a file.
///
/// # Errors
/// One line for a terminal. What was sent before it stays.
pub async fn run(office: &mut Office, job: Job) -> Result<Summary, Failure> {
    let (source, length) = Source::open(&job.file, job.mapping.format)?;
    let rejects = Rejects::new(&job.file, job.rejects.clone(), job.mapping.format, source.head());
    let cause = format!("import:{}", job.mapping.name);
    let prices = if job.dry_run { Some(DryRun::new(office, &job.org).await?) } else { None };
    let balance = match office.run(Command::Balance { org: job.org.clone() }).await? {
        Answer::Balance(balance) => balance,
        _ => return Err(crate::cli::unexpected()),
    };
    let run = Run {
        mapper: Mapper::new(job.mapping.clone()),
        ids: Ids::default(),
        rejects,
        rejects_are_written: !job.dry_run,
        progress: Progress::new(length),
        tally: Tally::new(balance),
        org: job.org,
        cause,
        prices,
        read: 0,
    };
    run.all(office, source).await
}

struct Run {
    mapper: Mapper,
    ids: Ids,
    rejects: Rejects,
    rejects_are_written: bool,
    progress: Progress,
    tally: Tally,
    org: String,
    cause: String,
    prices: Option<DryRun>,
    read: u64,
}

#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    events: Vec<String>,
    bytes: usize,
}

impl Batch {
    const fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }
}

impl Run {
    async fn all(mut self, office: &mut Office, mut source: Source) -> Result<Summary, Failure> {
        let stop = watch_for_stop();
        let mut batch = Batch::default();
        let mut stopped = false;
        while let Some(read) = source.next()? {
            self.read += 1;
            match read {
                Read::Row(row) => self.take(&mut batch, row)?,
                Read::Bad { number, reason, text } => self.reject_bad(number, &reason, &text)?,
            }
            if batch.is_full() {
                self.send(office, std::mem::take(&mut batch)).await?;
                self.progress.at(source.position(), self.read);
                // Between two batches: everything that was taken is accounted for.
                stopped = stop.load(Ordering::Relaxed);
                if stopped {
                    break;
                }
            }
        }
        if !stopped {
            self.send(office, batch).await?;
        }
        self.finish(stopped)
    }

    /// Reads a row as an event, here already, so that what is wrong is found where the row still is.
    fn take(&mut self, batch: &mut Batch, row: Row) -> Result<(), Failure> {
        let id = self.ids.next(&row);
        let text = match self.mapper.event(&row, &id) {
            Ok(text) => text,
            Err(bad) => return self.reject(&row, bad.code, &bad.reason),
        };
        match Event::from_json(&text, Form::Plain) {
            Err(refusal) => self.reject(&row, refusal.code(), &refusal.to_string()),
            Ok(event) => {
                if let Some(prices) = &mut self.prices {
                    return match prices.rate(&event, &mut self.tally) {
                        Ok(()) => Ok(()),
                        Err(error) => self.reject(&row, error.code(), &error.to_string()),
                    };
                }
                batch.bytes += text.len();
                batch.events.push(text);
                batch.rows.push(row);
                Ok(())
            }
        }
    }

    async fn send(&mut self, office: &mut Office, batch: Batch) -> Result<(), Failure> {
        if batch.events.is_empty() {
            return Ok(());
        }
        let Batch { rows, events, .. } = batch;
        let command = Command::Import { org: self.org.clone(), cause: self.cause.clone(), events };
        let Answer::Tally(tally) = office.run(command).await? else { return Err(crate::cli::unexpected()) };
        for error in &tally.errors {
            let row = usize::try_from(error.index).ok().and_then(|index| rows.get(index));
            if let Some(row) = row {
                self.write_reject(row, &error.code, &error.detail)?;
            }
        }
        self.tally.add(tally).map_err(|refusal| Failure::new(refusal.to_string()))
    }

    fn reject(&mut self, row: &Row, code: &str, reason: &str) -> Result<(), Failure> {
        self.tally.rejected += 1;
        self.write_reject(row, code, reason)
    }

    fn write_reject(&mut self, row: &Row, code: &str, reason: &str) -> Result<(), Failure> {
        if self.rejects_are_written {
            return self.rejects.row(row, code, reason).map_err(cannot_write);
        }
        self.rejects.count(code);
        Ok(())
    }

    fn reject_bad(&mut self, number: u64, bad: &super::mapping::Bad, text: &str) -> Result<(), Failure> {
        self.tally.rejected += 1;
        if self.rejects_are_written {
            return self.rejects.bad(number, bad, text).map_err(cannot_write);
        }
        self.rejects.count(bad.code);
        Ok(())
    }

    fn finish(mut self, stopped: bool) -> Result<Summary, Failure> {
        self.progress.finish();
        for (code, count) in self.rejects.codes() {
            eprintln!("rejected: {count} × {code}");
        }
        if let Some(path) = self.rejects.finish().map_err(cannot_write)? {
            eprintln!("the rejected rows, each with its reason, are in {}", path.display());
        }
        Ok(Summary { read: self.read, tally: self.tally, stopped })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn cannot_write(error: std::io::Error) -> Failure {
    Failure::new(format!("cannot write the rejected rows ({error}): name another file with --rejects"))
}

/// Whether Ctrl-C was pressed since.
fn watch_for_stop() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            eprintln!("stopping after this batch");
            flag.store(true, Ordering::Relaxed);
        }
    });
    stop
}

/// Rates without posting: the rate card as it is, carries and tiers from nothing. Duplicates are not known here.
struct DryRun {
    prices: Prices,
    lines: LineStates,
    zone: Tz,
    now: Timestamp,
}

impl DryRun {
    async fn new(office: &mut Office, org: &str) -> Result<Self, Failure> {
        let card = office.run(Command::RateCard { org: org.to_owned() }).await?;
        let now = office.run(Command::Now).await?;
        let (Answer::RateCard(card), Answer::Now(now)) = (card, now) else { return Err(crate::cli::unexpected()) };
        let Answer::Orgs(orgs) = office.run(Command::ListOrgs).await? else { return Err(crate::cli::unexpected()) };
        let zone = orgs.iter().find(|line| line.name == org).and_then(|line| line.zone.parse().ok());
        let zone = zone.ok_or_else(crate::cli::unexpected)?;
        Ok(Self { prices: Prices::new([card]), lines: LineStates::default(), zone, now })
    }

    fn rate(&mut self, event: &Event, tally: &mut Tally) -> Result<(), StoreError> {
        let occurred_at = event.occurred_at(self.now)?;
        let card = self.prices.cards().first().ok_or(StoreError::NotFound("rate card"))?;
        let before = |line, cycle| self.lines.before(self.prices.origin(card.version, line), cycle);
        let charges = rate_event(card, event, || cycle(self.zone, occurred_at), before)?;
        let credits = tally.credits.plus(Credits::sum(charges.iter().map(|charge| charge.credits))?)?;
        charges.iter().try_for_each(|charge| self.lines.take_up(&self.prices, charge).map(|_| ()))?;
        tally.credits = credits;
        tally.accepted += 1;
        Ok(())
    }
}

/// A bar on a terminal, lines elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    length: u64,
    watch: Stopwatch,
    next_report: Duration,
}

impl Progress {
    fn new(length: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}  {eta} left");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, length, watch: Stopwatch::start(), next_report: REPORT_EVERY }
    }

    fn at(&mut self, position: u64, rows: u64) {
        let elapsed = self.watch.elapsed();
        let micros = elapsed.as_micros().max(1);
        let rate = u128::from(rows) * 1_000_000 / micros;
        if let Some(bar) = &self.bar {
            bar.set_position(position);
            bar.set_message(format!("{rows} rows, {rate} rows/s"));
        } else if elapsed >= self.next_report {
            self.next_report = elapsed + REPORT_EVERY;
            let left_s =
                micros * u128::from(self.length.saturating_sub(position)) / u128::from(position.max(1)) / 1_000_000;
            eprintln!("{rows} rows, {rate} rows/s, {left_s} s left");
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
