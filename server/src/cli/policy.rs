//! `scrip org policy`

use super::{Failure, Office, unexpected};
use crate::command::{Answer, Command};
use crate::config::Config;
use clap::Args;
use ledger::{Credits, Policy};

/// Say or set what happens when an organization runs out of credits
///
/// pause: new holds and authorizations are refused until a purchase or the next cycle. finish_in_flight: the same, but
/// running work may end, into debt up to the limit. overdraft: new work too may go into debt up to the limit. Usage that
/// has happened is recorded under each of them.
#[derive(Args)]
#[command(after_help = "Examples:\n  scrip org policy Acme\n  scrip org policy Acme overdraft --limit 50")]
pub struct PolicyVerb {
    /// Organization
    org: String,
    /// pause, finish_in_flight or overdraft; without it the present one is shown
    policy: Option<String>,
    /// The largest debt, in credits
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true, requires = "policy")]
    limit: Option<String>,
}

impl PolicyVerb {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let limit = self.limit.as_deref().map(Credits::parse).transpose();
        let limit = limit.map_err(|refusal| Failure::new(format!("--limit: {refusal}")))?;
        let set = self.policy.map(|name| Policy::new(&name, limit)).transpose();
        let set = set.map_err(|refusal| Failure::new(refusal.to_string()))?;
        let command = Command::Policy { org: self.org.clone(), set };
        let Answer::Policy(policy) = Office::once(config, command).await? else { return Err(unexpected()) };
        let limit = policy.limit().map(|limit| format!(", up to {limit} credits of debt")).unwrap_or_default();
        println!("{}: {}{limit}", self.org, policy.name());
        Ok(())
    }
}
