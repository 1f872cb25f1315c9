//! `scrip key create`, `list`, `rotate` and `revoke`

use super::unexpected;
use super::{Failure, Office};
use crate::api::v1::keys::OVERLAP_HOURS;
use crate::command::{Answer, Command, KeyLine};
use crate::config::Config;
use clap::{Args, Subcommand};
use ledger::{KeyId, Label, Timestamp};

/// API keys: create, list, rotate, revoke
#[derive(Subcommand)]
pub enum KeyVerb {
    Create(Create),
    List(List),
    Rotate(Rotate),
    Revoke(Revoke),
}

/// Create an API key and print it, and nothing else, on standard output
///
/// It is shown this once: only its hash is kept. Scopes: events:write (report usage, hold credits for work), usage:read (usage and events),
/// ledger:read (balance and ledger), ledger:write (grants, holds, corrections), billing:write, alerts:write (alerts, budgets, webhooks),
/// admin (all of them).
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
    /// Id of the only project that it may report and read; then its scopes can be events:write and usage:read
    #[arg(long, value_name = "ID", value_parser = project)]
    project: Option<Label>,
    /// Days after which it ends; never where it is not said
    #[arg(long, value_name = "DAYS")]
    expires_in_days: Option<u32>,
}

/// List the API keys of an organization, also those that have ended
///
/// A line each: id, public part, status, scopes, project, end, last use, name, with tabs between. Never the keys themselves.
#[derive(Args)]
pub struct List {
    /// Organization
    #[arg(long, value_name = "NAME")]
    org: String,
}

/// Create another key in the place of one and print it, and nothing else, on standard output
///
/// It has the same name, scopes, project and length of life. The old one goes on for the overlap, then ends.
#[derive(Args)]
pub struct Rotate {
    /// Which, as scrip key list shows it
    #[arg(value_name = "KEY", value_parser = key)]
    key: KeyId,
    /// Organization
    #[arg(long, value_name = "NAME")]
    org: String,
    /// Hours for which the old key goes on, 0 to 168
    #[arg(long, value_name = "HOURS", default_value_t = OVERLAP_HOURS)]
    overlap_hours: u32,
}

/// End an API key: the next request with it is refused
#[derive(Args)]
pub struct Revoke {
    /// Which, as scrip key list shows it
    #[arg(value_name = "KEY", value_parser = key)]
    key: KeyId,
    /// Organization
    #[arg(long, value_name = "NAME")]
    org: String,
}

impl KeyVerb {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let command = match self {
            Self::Create(Create { org, name, scopes, project, expires_in_days }) => {
                Command::CreateKey { org, name, scopes, project, expires_in_days }
            }
            Self::List(List { org }) => Command::ListKeys { org },
            Self::Rotate(Rotate { key, org, overlap_hours }) => Command::RotateKey { org, key, overlap_hours },
            Self::Revoke(Revoke { key, org }) => Command::RevokeKey { org, key },
        };
        match Office::once(config, command).await? {
            Answer::Key(key) => println!("{key}"),
            Answer::Keys(keys) => keys.iter().for_each(print),
            Answer::Done => (),
            _ => return Err(unexpected()),
        }
        Ok(())
    }
}

/// One key per line, fields separated by tabs, as `scrip org list` does; the name, which may hold anything, comes last.
fn print(key: &KeyLine) {
    let time = |at: Option<Timestamp>, none: &str| at.map_or_else(|| none.to_owned(), |at| at.to_string());
    let (ends, used) = (time(key.expires_at, "no_end"), time(key.used_at, "unused"));
    let project = key.project.as_deref().unwrap_or("-");
    println!(
        "{}\t{}\t{}\t{}\t{project}\t{ends}\t{used}\t{}",
        key.id,
        key.prefix,
        key.status,
        key.scopes.join(","),
        key.name
    );
}

fn project(text: &str) -> Result<Label, String> {
    Label::parse("project", text).map_err(|refusal| refusal.to_string())
}

fn key(text: &str) -> Result<KeyId, String> {
    KeyId::parse(text).ok_or_else(|| "an id looks like key_3: scrip key list shows them".to_owned())
}
