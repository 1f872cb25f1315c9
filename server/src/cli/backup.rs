//! `scrip backup`

use super::unexpected;
use super::{Failure, Office};
use crate::command::{Answer, Command};
use crate::config::{Config, absolute};
use clap::Args;
use std::path::PathBuf;

/// Write a verified snapshot of the database to a new file, also while the server is busy
///
/// To restore it, stop the server and put the file in the data folder as scrip.db, without the -wal and -shm files of
/// the old one.
#[derive(Args)]
#[command(after_help = "Example:\n  scrip backup /backup/scrip-2026-11-21.db --data /var/lib/scrip")]
pub struct Backup {
    /// File to write; it must not exist yet
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let to = absolute(&self.file).map_err(|error| Failure::new(format!("{}: {error}", self.file.display())))?;
        let Answer::Done = Office::once(config, Command::Backup { to: to.clone() }).await? else {
            return Err(unexpected());
        };
        println!("{}", to.display());
        Ok(())
    }
}
