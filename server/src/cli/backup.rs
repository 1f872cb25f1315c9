//! `scrip backup`

use super::{Failure, Progress};
use crate::config::{Config, absolute};
use clap::Args;
use std::path::PathBuf;

/// Write a verified snapshot of the database to a new file, also while a server is busy
///
/// It holds everything that was acknowledged before. The file appears whole or not at all, and only its owner may read
/// it. scrip restore puts it back.
#[derive(Args)]
#[command(after_help = "Example:\n  scrip backup /backup/scrip-2026-11-21.db --data /var/lib/scrip")]
pub struct Backup {
    /// File to write; it must not exist yet
    file: PathBuf,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

impl Backup {
    pub(super) fn run(self, config: &Config) -> Result<(), Failure> {
        let to = absolute(&self.file).map_err(|error| Failure::new(format!("{}: {error}", self.file.display())))?;
        let mut progress = Progress::new(self.quiet);
        store::backup::folder(&config.data, &to, |step| progress.show(step))?;
        drop(progress);
        println!("{}", to.display());
        Ok(())
    }
}
