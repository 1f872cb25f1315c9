//! `scrip snapshot`

use super::{Failure, Progress};
use crate::config::{Config, absolute};
use clap::Args;
use std::path::PathBuf;

/// Write a verified snapshot with views for programs that read SQL, also while a server is busy
///
/// Besides the tables it has views whose names and columns stay: events, charges, usage_by_day, runs, grants, balances,
/// ledger_entries and others (docs/views.md). It holds all organizations and hashes of secrets, as a backup does; to put
/// one back, take scrip backup.
#[derive(Args)]
#[command(
    after_help = "Example:\n  scrip snapshot /reports/scrip.db --data /var/lib/scrip\n  sqlite3 /reports/scrip.db '.schema usage_by_day'"
)]
pub struct Snapshot {
    /// File to write; it must not exist yet
    file: PathBuf,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

impl Snapshot {
    pub(super) fn run(self, config: &Config) -> Result<(), Failure> {
        let to = absolute(&self.file).map_err(|error| Failure::new(format!("{}: {error}", self.file.display())))?;
        let mut progress = Progress::new(self.quiet);
        store::backup::with_views(&config.data, &to, |step| progress.show(step))?;
        drop(progress);
        println!("{}", to.display());
        Ok(())
    }
}
