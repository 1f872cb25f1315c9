//! `scrip org create` and `scrip org list`

use super::unexpected;
use super::{Failure, Office};
use crate::command::{Answer, Command, OrgLine};
use crate::config::Config;
use crate::preset;
use clap::{Args, Subcommand};
use ledger::{Credits, GrantKind};
use store::NewGrant;

/// Organizations: create, list
#[derive(Subcommand)]
pub enum OrgVerb {
    Create(Create),
    /// List organizations with what each has left
    List,
}

/// Create an organization
///
/// Its rate card comes from a preset: token-billing (language models by the token, images by the piece), cloud-costs
/// (what a provider billed), or none for an empty one, with which no usage is accepted yet.
#[derive(Args)]
#[command(after_help = "Example:\n  scrip org create Acme --preset token-billing --zone Europe/Berlin --grant 100")]
pub struct Create {
    /// What it is called; unique
    name: String,
    /// Where meters and prices come from
    #[arg(long, default_value = preset::DEFAULT, value_name = "PRESET")]
    preset: String,
    /// Whose days and months are shown, as an IANA name
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    zone: String,
    /// Credits to start with, as a purchase
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    grant: Option<String>,
}

impl OrgVerb {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(config).await,
            Self::List => list(config).await,
        }
    }
}

impl Create {
    async fn run(self, config: &Config) -> Result<(), Failure> {
        let amount = self.grant.as_deref().map(Credits::parse).transpose();
        let amount = amount.map_err(|refusal| Failure::new(format!("--grant: {refusal}")))?;
        if amount.is_some_and(|amount| !amount.is_positive()) {
            return Err(Failure::new("--grant: a grant must be above zero"));
        }
        let mut office = Office::open_or_create(config).await?;
        let made = self.make(&mut office, amount).await;
        office.close().await;
        let preset = if self.preset == preset::EMPTY { "an empty rate card" } else { &self.preset };
        let (org, available) = made?;
        println!("{} {}: {preset}, days of {}, {available} credits available", org.id, org.name, org.zone);
        Ok(())
    }

    async fn make(&self, office: &mut Office, amount: Option<Credits>) -> Result<(OrgLine, Credits), Failure> {
        let (name, preset, zone) = (self.name.clone(), self.preset.clone(), self.zone.clone());
        let made = office.run(Command::CreateOrg { name, preset, zone, synthetic: false }).await?;
        let Answer::Orgs(orgs) = made else { return Err(unexpected()) };
        let org = orgs.into_iter().next().ok_or_else(unexpected)?;
        if let Some(amount) = amount {
            let grant = Command::Grant {
                org: self.name.clone(),
                new: NewGrant::of(GrantKind::Purchase, amount, "Opening credits"),
            };
            office.run(grant).await?;
        }
        Ok((org, amount.unwrap_or_default()))
    }
}

async fn list(config: &Config) -> Result<(), Failure> {
    let Answer::Orgs(orgs) = Office::once(config, Command::ListOrgs).await? else { return Err(unexpected()) };
    if orgs.is_empty() {
        eprintln!("there is no organization yet: scrip org create NAME makes one");
    }
    for org in orgs {
        let mark = if org.synthetic { "\tsynthetic" } else { "" };
        println!("{}\t{}\t{}\t{}{mark}", org.id, org.name, org.zone, org.available);
    }
    Ok(())
}
