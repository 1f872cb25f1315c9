//! `scrip org offer` and `scrip org subscribe`

use super::{Failure, Office, unexpected};
use crate::command::{Answer, Command};
use crate::config::Config;
use clap::Args;
use ledger::{Credits, Money, Plan};
use store::Agreed;

/// Offer what a preset sells to an organization
///
/// Its plans and packages take the place of those that were offered before. Whoever subscribed keeps their plan, and what was bought
/// stays as it was.
#[derive(Args)]
#[command(after_help = "Examples:\n  scrip org offer Acme --preset ai-engine")]
pub struct Offer {
    /// Organization
    org: String,
    /// What to offer
    #[arg(long, value_name = "PRESET")]
    preset: String,
}

/// Subscribe an organization to a plan, or change its plan
///
/// A plan that costs more comes at once, and the rest of the cycle is put right; any other comes with the next cycle.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  scrip org subscribe Acme professional\n  scrip org subscribe Acme standard --calendar\n  scrip org subscribe Acme enterprise --credits 20000 --price \"1500.00 EUR\""
)]
pub struct SubscribeVerb {
    /// Organization
    org: String,
    /// Name of a plan that it is offered
    plan: String,
    /// Cycles begin with calendar months, and the first is charged by its part; otherwise on this day of each month
    #[arg(long)]
    calendar: bool,
    /// What was agreed on: credits of a cycle
    #[arg(long, value_name = "AMOUNT")]
    credits: Option<String>,
    /// What was agreed on: net price of a cycle
    #[arg(long, value_name = "PRICE", requires = "credits")]
    price: Option<String>,
}

impl Offer {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let command = Command::Offer { org: self.org.clone(), preset: self.preset };
        let Answer::Plans(plans) = Office::once(config, command).await? else { return Err(unexpected()) };
        println!("{}: {} plans offered", self.org, plans.len());
        plans.iter().for_each(|plan| println!("{}", line(plan)));
        Ok(())
    }
}

impl SubscribeVerb {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let agreed = self.agreed()?;
        let (org, plan) = (self.org.clone(), self.plan);
        let command = Command::Subscribe { org, plan, anniversary: !self.calendar, agreed };
        let Answer::Subscribed(subscribed) = Office::once(config, command).await? else { return Err(unexpected()) };
        let subscribed = subscribed.ok_or_else(unexpected)?;
        let end = subscribed.terms.cycle.part.to;
        println!("{}: {}, in a cycle until {end}", self.org, subscribed.plan.name);
        subscribed.next.iter().for_each(|next| println!("from then on: {}", next.name));
        Ok(())
    }

    fn agreed(&self) -> Result<Option<Agreed>, Failure> {
        let Some(credits) = &self.credits else { return Ok(None) };
        let credits = Credits::parse(credits).map_err(|refusal| Failure::new(format!("--credits: {refusal}")))?;
        let price = self.price.as_deref().map(Money::parse).transpose();
        let price = price.map_err(|refusal| Failure::new(format!("--price: {refusal}; such as \"49.00 EUR\"")))?;
        Ok(Some(Agreed { credits, price }))
    }
}

fn line(plan: &Plan) -> String {
    let credits = plan.credits.map_or_else(|| "by agreement".to_owned(), |credits| credits.to_string());
    let price = plan.price.map_or_else(|| "-".to_owned(), |price| price.to_string());
    format!("{}\t{}\t{credits}\t{price}", plan.name, plan.title)
}
