//! `scrip restore`

use super::{Failure, Progress};
use crate::config::Config;
use clap::Args;
use std::path::PathBuf;
use store::clock::{Clock as _, SystemClock};
use store::{Restored, Verified};

/// Put a snapshot in place of the data folder's database; the server must be stopped
///
/// The snapshot is checked in full before anything is touched, and its copy again. The database that was there is kept
/// beside it. Passwords, keys and sessions are those of the snapshot too: revoke again what was revoked since.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  scrip restore /backup/scrip-2026-11-21.db --data /srv/new\n  scrip restore /backup/scrip-2026-11-21.db --data /var/lib/scrip --replace"
)]
pub struct Restore {
    /// Snapshot that scrip backup wrote
    file: PathBuf,
    /// Replace the database that is there; it is kept under another name
    #[arg(long)]
    replace: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

impl Restore {
    pub(super) fn run(self, config: &Config) -> Result<(), Failure> {
        let mut progress = Progress::new(self.quiet);
        let now = SystemClock.now();
        let restored = store::restore::folder(&self.file, &config.data, self.replace, now, |step| progress.show(step))?;
        drop(progress);
        report(&restored);
        Ok(())
    }
}

fn report(Restored { verified, database, kept }: &Restored) {
    let Verified { orgs, entries, events, .. } = verified;
    println!("restored {orgs} organizations, {entries} entries, {events} events to {}", database.display());
    for old in kept {
        println!("what was there before is kept as {}", old.display());
    }
}
