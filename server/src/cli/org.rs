//! `scrip org create`, `scrip org list`, `scrip org policy`, `scrip org offer` and `scrip org subscribe`

use super::plan::{Offer, SubscribeVerb};
use super::policy::PolicyVerb;
use super::{Failure, Office, unexpected};
use crate::command::{Answer, Command, OrgLine};
use crate::config::Config;
use crate::preset::{self, Plan, Preset};
use clap::{Args, Subcommand};
use ledger::{Credits, GrantKind};
use store::{Agreed, NewGrant};

/// Organizations: create, list, policy, plans
#[derive(Subcommand)]
pub enum OrgVerb {
    Create(Create),
    /// List organizations with what each has left
    List,
    Policy(PolicyVerb),
    Offer(Offer),
    Subscribe(SubscribeVerb),
}

/// Create an organization
///
/// Its meters, words and rate card come from a preset (scrip preset list shows them), or none for an empty rate card, with
/// which no usage is accepted yet.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  scrip org create Acme --preset token-billing --zone Europe/Berlin --grant 100\n  scrip org create Acme --preset ai-engine --plan professional\n  scrip org create Acme --preset ai-engine --plan enterprise --grant 20000"
)]
pub struct Create {
    /// What it is called; unique
    name: String,
    /// Where meters and prices come from
    #[arg(long, default_value = preset::DEFAULT, value_name = "PRESET")]
    preset: String,
    /// Whose days and months are shown, as an IANA name
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    zone: String,
    /// Plan of the preset: subscribed to from now on, month by month
    #[arg(long, value_name = "PLAN")]
    plan: Option<String>,
    /// Credits to start with, as a purchase; what a custom plan gives a month
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    grant: Option<String>,
}

impl OrgVerb {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(config).await,
            Self::List => list(config).await,
            Self::Policy(policy) => policy.run(config).await,
            Self::Offer(offer) => offer.run(config).await,
            Self::Subscribe(subscribe) => subscribe.run(config).await,
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
        let plan = self.plan_of(config)?;
        let mut office = Office::open_or_create(config).await?;
        let made = self.make(&mut office, plan.as_ref(), amount).await;
        office.close().await;
        let preset = if self.preset == preset::EMPTY { "an empty rate card" } else { &self.preset };
        let (org, available) = made?;
        println!("{} {}: {preset}, days of {}, {available} credits available", org.id, org.name, org.zone);
        Ok(())
    }

    /// The plan that was named, before anything is made.
    fn plan_of(&self, config: &Config) -> Result<Option<Plan>, Failure> {
        let Some(name) = &self.plan else { return Ok(None) };
        let preset = Preset::named(&self.preset, &config.data).map_err(|error| Failure::new(error.to_string()))?;
        let preset = preset.ok_or_else(|| Failure::new("--plan needs a preset that has plans: add --preset"))?;
        let plan = preset.plan(name).map_err(|line| Failure::new(format!("--plan: {line}")))?;
        if plan.is_custom() && self.grant.is_none() {
            let line = format!("--plan: what {name} gives is agreed with each organization: say it with --grant");
            return Err(Failure::new(line));
        }
        Ok(Some(plan.clone()))
    }

    async fn make(
        &self,
        office: &mut Office,
        plan: Option<&Plan>,
        amount: Option<Credits>,
    ) -> Result<(OrgLine, Credits), Failure> {
        let (name, preset, zone) = (self.name.clone(), self.preset.clone(), self.zone.clone());
        let made = office.run(Command::CreateOrg { name, preset, zone, synthetic: false }).await?;
        let Answer::Orgs(orgs) = made else { return Err(unexpected()) };
        let org = orgs.into_iter().next().ok_or_else(unexpected)?;
        if let Some(plan) = plan {
            let agreed = amount.filter(|_| plan.is_custom()).map(|credits| Agreed { credits, price: None });
            let (org, plan) = (self.name.clone(), plan.name.clone());
            office.run(Command::Subscribe { org, plan, anniversary: true, agreed }).await?;
        }
        if let Some(amount) = amount.filter(|_| !plan.is_some_and(Plan::is_custom)) {
            let new = NewGrant::of(GrantKind::Purchase, amount, "Opening credits");
            office.run(Command::Grant { org: self.name.clone(), new }).await?;
        }
        let Answer::Balance(available) = office.run(Command::Balance { org: self.name.clone() }).await? else {
            return Err(unexpected());
        };
        Ok((org, available))
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
