//! `scrip verify`

use super::{Failure, Progress, one_line};
use crate::config::{Config, Flags};
use clap::Args;
use std::path::PathBuf;
use store::Verified;
use store::verify::PrunedEvents;

/// Exit status where nothing can be said of the ledger, to tell that from a ledger that is wrong.
const NOT_CHECKED: u8 = 2;

/// Check the whole ledger: hash chains, zero sums, balances, events, analytics, and the file itself
///
/// Reads everything and changes nothing, also while a server writes. Prints what is wrong, first thing first.
/// Exit status: 0 all is well, 1 something is wrong in the ledger, 2 it could not be checked.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  scrip verify --data /var/lib/scrip\n  scrip verify --file /backup/scrip-2026-11-21.db --quiet"
)]
pub struct Verify {
    /// Check this database or snapshot instead of the data folder's
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

impl Verify {
    pub(super) fn run(self, flags: &Flags) -> Result<(), Failure> {
        let verified = self.check(flags).map_err(|failure| failure.with_status(NOT_CHECKED))?;
        report(&verified)
    }

    fn check(self, flags: &Flags) -> Result<Verified, Failure> {
        let mut progress = Progress::new(self.quiet);
        let show = |step| progress.show(step);
        Ok(match self.file {
            Some(file) => store::verify::file(&file, show)?,
            None => store::verify::folder(&Config::load(flags)?.data, show)?,
        })
    }
}

fn report(verified: &Verified) -> Result<(), Failure> {
    for problem in &verified.problems {
        println!("{}", one_line(problem));
    }
    println!("{}", summary(verified));
    match verified.problems.len() {
        0 => Ok(()),
        1 => Err(Failure::new("the ledger is not intact, 1 problem: restore a backup")),
        many => Err(Failure::new(format!("the ledger is not intact, {many} problems: restore a backup"))),
    }
}

fn summary(Verified { orgs, entries, events, pruned, problems }: &Verified) -> String {
    let found = if problems.is_empty() { "intact" } else { "checked" };
    let mut text = format!("{found}: {orgs} organizations, {entries} entries, {events} events");
    for PrunedEvents { org, events, until } in pruned {
        text.push_str(&format!(
            "\n{org}: details of {events} events are pruned, those booked until {until}; their sums were checked"
        ));
    }
    text
}
