//! The command line. One file per command; each says in its help what it does, with an example.
//!
//! Answers go to standard output, everything else to standard error. An error is one line and a non-zero exit.

mod backup;
mod correct;
mod grant;
mod import;
mod jobs;
mod key;
mod migrate;
mod office;
mod org;
mod plan;
mod policy;
mod preset;
mod progress;
mod reconcile;
mod restore;
mod sample;
mod serve;
mod snapshot;
mod user;
mod verify;

pub use office::{Office, unexpected};
use progress::Progress;
pub use sample::sample_beside;

use crate::command::CommandError;
use crate::config::{Config, ConfigError, Flags};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use store::{OpenError, SnapshotError};

const AFTER_HELP: &str = "\
Start here:
  scrip sample --data data                     a sample organization, and how to sign in
  scrip serve --data data                      the server, on http://127.0.0.1:3000

Or with your own:
  scrip org create Acme --data data --grant 100
  scrip user create you@example.com --org Acme --data data
  scrip key create --org Acme --data data      a key for the services that report usage

All commands but serve and restore work beside a running server too: it does the work for them;
verify and backup read for themselves.
Settings come from flags, then SCRIP_… variables (SCRIP_DATA, SCRIP_LISTEN, …), then scrip.toml in the data folder.";

/// Scrip: a self-hosted ledger of prepaid credits.
#[derive(Parser)]
#[command(name = "scrip", version, after_help = AFTER_HELP, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Verb,
    #[command(flatten)]
    place: Place,
}

/// Where the data and the settings are.
#[derive(Args)]
struct Place {
    /// Folder of the database; it must exist [default: data, or SCRIP_DATA]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    data: Option<PathBuf>,
    /// Configuration file [default: scrip.toml in the data folder if it is there, or SCRIP_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Verb {
    Serve(serve::Serve),
    #[command(subcommand)]
    Org(org::OrgVerb),
    #[command(subcommand)]
    User(user::UserVerb),
    #[command(subcommand)]
    Key(key::KeyVerb),
    #[command(subcommand)]
    Preset(preset::PresetVerb),
    Grant(grant::GiveGrant),
    Correct(correct::Correct),
    Import(import::Import),
    Sample(sample::Sample),
    Jobs(jobs::Jobs),
    Verify(verify::Verify),
    Reconcile(reconcile::Reconcile),
    Backup(backup::Backup),
    Snapshot(snapshot::Snapshot),
    Restore(restore::Restore),
    Migrate(migrate::Migrate),
}

/// Why a command failed: one line for a terminal, and the exit status.
#[derive(Debug)]
pub struct Failure {
    line: String,
    status: u8,
}

impl Failure {
    /// In a sentence, which becomes one line. The exit status is 1.
    #[must_use]
    pub fn new(line: impl Into<String>) -> Self {
        Self { line: one_line(&line.into()), status: 1 }
    }

    /// With another exit status.
    #[must_use]
    pub fn with_status(self, status: u8) -> Self {
        Self { status, ..self }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::new(error.detail)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(error.to_string())
    }
}

/// Runs what was typed.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err(Failure::new(format!("cannot start: {error}"))),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("scrip: {failure}");
            ExitCode::from(failure.status)
        }
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let flags = Flags { data: cli.place.data, config: cli.place.config, ..Flags::default() };
    match cli.command {
        Verb::Serve(verb) => verb.run(flags).await,
        Verb::Org(verb) => verb.run(&load(&flags)?).await,
        Verb::User(verb) => verb.run(&load(&flags)?).await,
        Verb::Key(verb) => verb.run(&load(&flags)?).await,
        Verb::Preset(verb) => verb.run(&load(&flags)?),
        Verb::Grant(verb) => verb.run(&load(&flags)?).await,
        Verb::Correct(verb) => verb.run(&load(&flags)?).await,
        Verb::Import(verb) => verb.run(&load(&flags)?).await,
        Verb::Jobs(verb) => verb.run(&load(&flags)?).await,
        Verb::Sample(verb) => verb.run(&load(&flags)?).await,
        Verb::Verify(verb) => verb.run(&flags),
        Verb::Reconcile(verb) => verb.run(&flags),
        Verb::Backup(verb) => verb.run(&load(&flags)?),
        Verb::Snapshot(verb) => verb.run(&load(&flags)?),
        Verb::Restore(verb) => verb.run(&load(&flags)?),
        Verb::Migrate(verb) => verb.run(&load(&flags)?).await,
    }
}

fn load(flags: &Flags) -> Result<Config, Failure> {
    Ok(Config::load(flags)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_failure_is_one_line() {
        assert_eq!(Failure::new("a\n  b\tc").to_string(), "a b c");
    }
}
