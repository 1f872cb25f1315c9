//! `scrip sample`

use super::{Failure, Office, unexpected};
use crate::auth::api_key::random_text;
use crate::command::{Answer, Command};
use crate::config::Config;
use crate::preset;
use crate::sample::{ORG, Plan, ZONE};
use clap::Args;
use ledger::{Credits, GrantKind, Timestamp};

/// Who owns the sample.
const OWNER: &str = "owner@example.com";
const PASSWORD_LEN: usize = 16;
/// Events sent at once.
const BATCH: usize = 5_000;
const DAY_US: i64 = 86_400_000_000;
/// Days after which the promotion of the sample expires: soon enough to be seen coming.
const PROMOTION_DAYS: i64 = 20;
/// Days until the sample's plan grant ends.
const PLAN_DAYS: i64 = 30;

/// Load a sample organization and print how to sign in
///
/// Everything in it is made up and labelled as such. Where it is there already, nothing happens.
#[derive(Args)]
#[command(after_help = "Example:\n  scrip sample --data data && scrip serve --data data")]
pub struct Sample {
    /// Days of usage, today included
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=400))]
    days: u32,
    /// Events over all of them
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(0..=5_000_000))]
    events: u32,
    /// Another seed makes another sample
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Sample {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let mut office = Office::open_or_create(config).await?;
        let made = self.load(&mut office, config).await;
        office.close().await;
        made
    }

    async fn load(self, office: &mut Office, config: &Config) -> Result<(), Failure> {
        let Answer::Orgs(orgs) = office.run(Command::ListOrgs).await? else { return Err(unexpected()) };
        if orgs.iter().any(|org| org.name == ORG) {
            println!("\"{ORG}\" is there already: sign in as {OWNER} with the password that was printed then.");
            println!("Another password needs another folder: scrip sample --data OTHER");
            return Ok(());
        }
        let Answer::Now(now) = office.run(Command::Now).await? else { return Err(unexpected()) };
        let password = random_text(PASSWORD_LEN);
        found(office, now, &password).await?;
        let plan = Plan { days: self.days, events: self.events, seed: self.seed, now };
        let (events, spent) = report_usage(office, plan).await?;
        let Answer::Balance(balance) = office.run(Command::Balance { org: ORG.to_owned() }).await? else {
            return Err(unexpected());
        };
        println!("\"{ORG}\": {events} made-up events over {} days, {spent} credits spent, {balance} left.", self.days);
        println!();
        println!("  Sign in at   {}", sign_in_url(config));
        println!("  as           {OWNER}");
        println!("  password     {password}");
        println!();
        Ok(())
    }
}

/// The org, its owner and what it can spend.
async fn found(office: &mut Office, now: Timestamp, password: &str) -> Result<(), Failure> {
    let create = Command::CreateOrg {
        name: ORG.to_owned(),
        preset: preset::DEFAULT.to_owned(),
        zone: ZONE.to_owned(),
        synthetic: true,
    };
    office.run(create).await?;
    let owner = Command::CreateUser {
        email: OWNER.to_owned(),
        password: password.to_owned(),
        org: ORG.to_owned(),
        role: "owner".to_owned(),
        operator: true,
    };
    office.run(owner).await?;
    let after = |days: i64| Some(Timestamp::from_micros(now.micros() + days * DAY_US));
    for (kind, amount, expires_at, description) in [
        (GrantKind::Purchase, "250", None, "Package of 250 credits"),
        (GrantKind::Promotion, "20", after(PROMOTION_DAYS), "Welcome"),
        (GrantKind::Plan, "50", after(PLAN_DAYS), "Monthly credits of the plan"),
    ] {
        let amount = Credits::parse(amount).map_err(|refusal| Failure::new(refusal.to_string()))?;
        let (org, description) = (ORG.to_owned(), description.to_owned());
        office.run(Command::Grant { org, kind, amount, effective_at: None, expires_at, description }).await?;
    }
    Ok(())
}

async fn report_usage(office: &mut Office, plan: Plan) -> Result<(u64, Credits), Failure> {
    let (mut accepted, mut spent) = (0, Credits::ZERO);
    let mut events = plan.events().peekable();
    while events.peek().is_some() {
        let batch: Vec<String> = events.by_ref().take(BATCH).collect();
        let command = Command::Ingest { org: ORG.to_owned(), cause: "sample".to_owned(), events: batch };
        let Answer::Tally(tally) = office.run(command).await? else { return Err(unexpected()) };
        if let Some(error) = tally.errors.first() {
            return Err(Failure::new(format!("the sample was not taken: {}", error.detail)));
        }
        accepted += tally.accepted;
        spent = spent.plus(tally.credits).map_err(|refusal| Failure::new(refusal.to_string()))?;
    }
    Ok((accepted, spent))
}

fn sign_in_url(config: &Config) -> String {
    let listen = config.listen.replace("0.0.0.0", "127.0.0.1");
    config.public_url.clone().unwrap_or_else(|| format!("http://{listen}"))
}
