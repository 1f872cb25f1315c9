//! `scrip key create`

use super::unexpected;
use super::{Failure, Office};
use crate::command::{Answer, Command};
use crate::config::Config;
use clap::{Args, Subcommand};

/// API keys: create
#[derive(Subcommand)]
pub enum KeyVerb {
    Create(Create),
}

/// Create an API key and print it, and nothing else, on standard output
///
/// It is shown this once: only its hash is kept. Scopes: events:write (report usage, hold credits for work), usage:read (usage and events),
/// ledger:read (balance and ledger), ledger:write (grants, holds, corrections), billing:write, admin (all of them).
#[derive(Args)]
#[command(
    after_help = "Examples:\n  KEY=$(scrip key create --org Acme)\n  scrip key create --org Acme --name reports --scope usage:read --scope ledger:read --expires-in-days 90"
)]
pub struct Create {
    /// Organization
    #[arg(long, value_name = "NAME")]
    org: String,
    /// What people call it
    #[arg(long, default_value = "command line", value_name = "NAME")]
    name: String,
    /// What it may; may be repeated or separated by commas
    #[arg(long = "scope", value_delimiter = ',', default_values = ["events:write", "usage:read", "ledger:read"], value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Days after which it ends; never where it is not said
    #[arg(long, value_name = "DAYS")]
    expires_in_days: Option<u32>,
}

impl KeyVerb {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let Self::Create(Create { org, name, scopes, expires_in_days }) = self;
        let command = Command::CreateKey { org, name, scopes, expires_in_days };
        let Answer::Key(key) = Office::once(config, command).await? else { return Err(unexpected()) };
        println!("{key}");
        Ok(())
    }
}
