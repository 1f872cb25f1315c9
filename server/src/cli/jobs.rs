//! `scrip jobs`

use super::{Failure, Office, one_line, unexpected};
use crate::command::{Answer, Command};
use crate::config::Config;
use clap::Args;

/// List what the server did by itself: job, begin, how many things were done, and what went wrong
///
/// Newest first. Runs in which nothing was to be done are not noted. Exit status 1 where --failed finds one.
#[derive(Args)]
#[command(after_help = "Examples:\n  scrip jobs --data /var/lib/scrip\n  scrip jobs --failed")]
pub struct Jobs {
    /// Only runs that failed
    #[arg(long)]
    failed: bool,
}

impl Jobs {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let command = Command::ListJobs { failed: self.failed };
        let Answer::Jobs(runs) = Office::once(config, command).await? else { return Err(unexpected()) };
        for run in &runs {
            let error = run.error.as_deref().map_or_else(|| "ok".to_owned(), one_line);
            println!("{}\t{}\t{}\t{error}", run.begun_at, run.job, run.done);
        }
        if runs.is_empty() {
            println!("{}", if self.failed { "no run has failed" } else { "no job has had anything to do yet" });
        }
        if self.failed && !runs.is_empty() {
            return Err(Failure::new(format!("{} runs failed", runs.len())));
        }
        Ok(())
    }
}
