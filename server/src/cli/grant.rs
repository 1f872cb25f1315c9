//! `scrip grant`

use super::unexpected;
use super::{Failure, Office};
use crate::command::{Answer, Command};
use crate::config::Config;
use clap::Args;
use ledger::{Credits, GrantKind, Timestamp};
use store::NewGrant;

/// Give credits to an organization
///
/// A debt, if there is one, is repaid from it first.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  scrip grant --org Acme --amount 100 --kind purchase\n  scrip grant --org Acme --amount 20 --kind promotion --expires-at 2027-01-01T00:00:00Z --description \"Welcome\""
)]
pub struct GiveGrant {
    /// Organization
    #[arg(long, value_name = "NAME")]
    org: String,
    /// How many credits, with at most six decimals
    #[arg(long, allow_negative_numbers = true)]
    amount: String,
    /// plan, purchase, promotion, rollover, adjustment or refund
    #[arg(long, default_value = "purchase")]
    kind: String,
    /// When what is left of it expires, as RFC 3339; never where it is not said
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// What people read beside it
    #[arg(long, default_value = "Granted by the operator", value_name = "TEXT")]
    description: String,
}

impl GiveGrant {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let amount = Credits::parse(&self.amount).map_err(|refusal| Failure::new(format!("--amount: {refusal}")))?;
        let kinds = || GrantKind::ALL.map(GrantKind::as_str).join(", ");
        let kind = GrantKind::parse(&self.kind)
            .ok_or_else(|| Failure::new(format!("--kind: there is no kind \"{}\": choose {}", self.kind, kinds())))?;
        let expires_at = self.expires_at.as_deref().map(|text| Timestamp::parse("--expires-at", text)).transpose();
        let expires_at = expires_at.map_err(|refusal| Failure::new(refusal.to_string()))?;
        let org = self.org.clone();
        let new = NewGrant { expires_at, ..NewGrant::of(kind, amount, &self.description) };
        let command = Command::Grant { org, new };
        let mut office = Office::open(config).await?;
        let given = office.run(command).await;
        let balance = office.run(Command::Balance { org: self.org.clone() }).await;
        office.close().await;
        let (Answer::Grant(grant), Answer::Balance(available)) = (given?, balance?) else { return Err(unexpected()) };
        println!("{} {} credits to {}: {available} available", grant.id, grant.amount, self.org);
        Ok(())
    }
}
