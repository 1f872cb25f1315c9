//! `scrip verify`

use super::unexpected;
use super::{Failure, Office};
use crate::command::{Answer, Command};
use crate::config::Config;
use clap::Args;

/// Check the whole ledger: hash chains, zero sums, balances, events, analytics
///
/// Reads everything and changes nothing. Exits non-zero where anything does not fit, first thing first.
#[derive(Args)]
#[command(after_help = "Example:\n  scrip verify --data /var/lib/scrip")]
pub struct Verify {}

impl Verify {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let answer = Office::once(config, Command::Verify).await?;
        let Answer::Verified { orgs, entries, events, problems } = answer else { return Err(unexpected()) };
        if problems.is_empty() {
            println!("intact: {orgs} organizations, {entries} entries, {events} events");
            return Ok(());
        }
        for problem in &problems {
            println!("{problem}");
        }
        Err(Failure::new(format!(
            "{} problems in {entries} entries and {events} events: restore a backup",
            problems.len()
        )))
    }
}
