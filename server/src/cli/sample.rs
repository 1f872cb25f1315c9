//! `scrip sample`

use super::{Failure, Office, unexpected};
use crate::auth::api_key::random_text;
use crate::command::{Answer, Command};
use crate::config::Config;
use crate::jobs;
use crate::payment::{Payments, sandbox};
use crate::preset::{self, Preset, Shape};
use crate::sample::{Act, Deed, Plan, deeds, org_of, owner_of, topped_up};
use clap::Args;
use ledger::event::Form;
use ledger::payment::Provider;
use ledger::{Credits, Event, Role, Timestamp};
use std::sync::Arc;
use store::clock::{FixedClock, SystemClock};
use store::{By, Clock, NewGrant, Store, StoreError, UserId};

const PASSWORD_LEN: usize = 16;
/// The card of the sandbox that always pays.
const SAMPLE_CARD: &str = "success";
/// Events sent at once.
const BATCH: usize = 5_000;

/// How much of a sample is made beside a running server.
const BESIDE_DAYS: u32 = 30;
const BESIDE_EVENTS: u32 = 3_000;

/// Load a sample organization and print how to sign in
///
/// Everything in it is made up and labelled as such. Each preset has its own sample, and several may lie in one folder.
/// Where it is there already, nothing happens.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  scrip sample --data data && scrip serve --data data\n  scrip sample --preset ai-engine --days 400 --events 100000 --data data"
)]
pub struct Sample {
    /// Whose meters, prices, plans and shape of usage
    #[arg(long, default_value = preset::DEFAULT, value_name = "PRESET")]
    preset: String,
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

/// A sample that is being made.
struct Maker<'m> {
    office: &'m mut Office,
    clock: &'m FixedClock,
    preset: &'m Preset,
    shape: &'m Shape,
    org: String,
    accepted: u64,
    spent: Credits,
    available: Credits,
    /// Where this process holds the folder: what invoices and payments are due at the sample's time.
    till: Option<(Store, Payments)>,
}

impl<'m> Maker<'m> {
    /// Of a preset's shape, with nothing made yet.
    fn new(office: &'m mut Office, clock: &'m FixedClock, preset: &'m Preset, shape: &'m Shape) -> Self {
        let org = org_of(preset, shape);
        let none = Credits::ZERO;
        Self { office, clock, preset, shape, org, accepted: 0, spent: none, available: none, till: None }
    }
}

impl Sample {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        let preset = Preset::named(&self.preset, &config.data).map_err(|error| Failure::new(error.to_string()))?;
        let no_sample = || {
            let line = format!("the preset {} has no sample: its file has no [sample]; choose another", self.preset);
            Failure::new(line)
        };
        let preset = preset.ok_or_else(no_sample)?;
        let shape = preset.sample.as_ref().ok_or_else(no_sample)?;
        // Where this process holds the folder, the sample's weeks are gone through day by day: what expired and rolled over
        // did so at its time. A running server has its own clock, and books everything now.
        let now = SystemClock.now();
        let clock = Arc::new(FixedClock::of_a_past(now));
        let mut office = Office::open_or_create_by(config, Arc::clone(&clock) as Arc<dyn Clock>).await?;
        let till = match &office {
            // Whoever pays with other things than the sandbox has no sample of that.
            Office::Here(store) => Payments::new(store.clone(), config).ok().map(|payments| (store.clone(), payments)),
            Office::Server(_) => None,
        };
        let till = till.filter(|(_, payments)| payments.sandbox().is_some());
        let maker = Maker { till, ..Maker::new(&mut office, &clock, &preset, shape) };
        let made = self.load(maker, config).await;
        office.close().await;
        made
    }

    async fn load(&self, mut maker: Maker<'_>, config: &Config) -> Result<(), Failure> {
        let (org, owner) = (maker.org.clone(), owner_of(maker.preset, maker.shape));
        let Answer::Orgs(orgs) = maker.office.run(Command::ListOrgs).await? else { return Err(unexpected()) };
        if orgs.iter().any(|known| known.name == org) {
            println!("\"{org}\" is there already: sign in as {owner} with the password that was printed then.");
            println!("Another password needs another folder: scrip sample --data OTHER");
            return Ok(());
        }
        let Answer::Now(now) = maker.office.run(Command::Now).await? else { return Err(unexpected()) };
        let end = start_of_hour(now);
        let password = random_text(PASSWORD_LEN);
        let deeds = deeds(maker.preset, maker.shape, end, self.days).map_err(Failure::new)?;
        if let Some(first) = deeds.first() {
            maker.clock.set(first.at);
        }
        let plan = Plan { shape: maker.shape, days: self.days, events: self.events, seed: self.seed, now: end };
        maker.make(&owner, &password, plan, deeds).await?;
        maker.clock.set(now);
        let Answer::Balance(balance) = maker.office.run(Command::Balance { org: org.clone() }).await? else {
            return Err(unexpected());
        };
        let (accepted, spent) = (maker.accepted, maker.spent);
        println!(
            "\"{org}\": {accepted} made-up events over {} days, {spent} credits spent, {balance} left.",
            self.days
        );
        println!();
        println!("  Sign in at   {}", maker.sign_in_url(config).await?);
        println!("  as           {owner}");
        println!("  password     {password}");
        println!();
        Ok(())
    }
}

/// Makes the sample of a preset in a server that runs, for somebody who is there already; nothing where there is one.
/// Bounded, so that a person need not wait long for it.
///
/// # Errors
/// In a sentence.
pub async fn sample_beside(store: &Store, preset: &str, user: UserId) -> Result<(), Failure> {
    let failed = |line: String| Failure::new(line);
    let preset = Preset::named(preset, store.folder()).map_err(|error| failed(error.to_string()))?;
    let Some(preset) = preset.filter(|preset| preset.sample.is_some()) else { return Ok(()) };
    let Some(shape) = preset.sample.as_ref() else { return Ok(()) };
    let now = store.now();
    // It is never read: a running server goes by its own.
    let clock = FixedClock::at(now);
    let mut office = Office::Here(store.clone());
    let mut maker = Maker::new(&mut office, &clock, &preset, shape);
    let known = async |name: &str| store.org_by_name(name).await.map_err(|error| failed(error.to_string()));
    if known(&maker.org).await?.is_some() {
        return Ok(());
    }
    let deeds = deeds(&preset, shape, now, BESIDE_DAYS).map_err(Failure::new)?;
    maker.found_org().await?;
    let org = known(&maker.org).await?.ok_or_else(unexpected)?;
    store.add_member(org.id, user, Role::Owner).await.map_err(|error| failed(error.to_string()))?;
    maker.live_through(Plan { shape, days: BESIDE_DAYS, events: BESIDE_EVENTS, seed: 1, now }, deeds).await
}

impl Maker<'_> {
    /// The org.
    async fn found_org(&mut self) -> Result<(), Failure> {
        let create = Command::CreateOrg {
            name: self.org.clone(),
            preset: self.preset.name.clone(),
            zone: self.shape.zone.clone(),
            synthetic: true,
        };
        self.office.run(create).await?;
        Ok(())
    }

    /// The org and its owner.
    async fn found(&mut self, owner: &str, password: &str) -> Result<(), Failure> {
        self.found_org().await?;
        let owner = Command::CreateUser {
            email: owner.to_owned(),
            password: password.to_owned(),
            org: self.org.clone(),
            role: "owner".to_owned(),
            operator: true,
        };
        self.office.run(owner).await?;
        self.store_card().await
    }

    /// A test card, by which its invoices are paid.
    async fn store_card(&self) -> Result<(), Failure> {
        let Some((store, _)) = &self.till else { return Ok(()) };
        let org = store.org_by_name(&self.org).await.map_err(|error| told(&error))?.ok_or_else(unexpected)?;
        let card = sandbox::method(SAMPLE_CARD).ok_or_else(unexpected)?;
        store.add_method(org.id, By::command(), Provider::Sandbox, card).await.map_err(|error| told(&error))?;
        Ok(())
    }

    /// Invoices and payments that are due at the sample's time.
    async fn bill(&self) -> Result<(), Failure> {
        let Some((store, payments)) = &self.till else { return Ok(()) };
        store.bill_due().await.map_err(|error| told(&error))?;
        jobs::payments::once(store, payments).await.map_err(|error| told(&error))?;
        Ok(())
    }

    /// The org and its past. What fails half-way says what is there by then.
    async fn make(&mut self, owner: &str, password: &str, plan: Plan<'_>, deeds: Vec<Deed>) -> Result<(), Failure> {
        let made = match self.found(owner, password).await {
            Ok(()) => self.live_through(plan, deeds).await,
            Err(failure) => Err(failure),
        };
        made.map_err(|failure| {
            Failure::new(format!(
                "{failure}. \"{}\" is half made and stays so: put what is wrong right, then load it into another folder, \
                 scrip sample --data OTHER",
                self.org
            ))
        })
    }

    /// Where the server is reached that has the folder; where none has, where one would be.
    async fn sign_in_url(&mut self, config: &Config) -> Result<String, Failure> {
        if let Office::Here(_) = self.office {
            return Ok(config.base_url());
        }
        match self.office.run(Command::Address).await? {
            Answer::Address(url) => Ok(url),
            _ => Err(unexpected()),
        }
    }

    /// Reports the usage day by day, and does each deed at its time.
    async fn live_through(&mut self, plan: Plan<'_>, deeds: Vec<Deed>) -> Result<(), Failure> {
        let mut deeds = deeds.into_iter().peekable();
        let a_day = usize::try_from(plan.events / plan.days.max(1)).unwrap_or(BATCH).clamp(1, BATCH);
        let mut events = plan.events().peekable();
        while events.peek().is_some() {
            let batch: Vec<String> = events.by_ref().take(a_day).collect();
            let (first, last) = (time_of(batch.first()), time_of(batch.last()));
            while let Some(deed) = deeds.next_if(|deed| first.is_some_and(|first| deed.at <= first)) {
                self.act(deed).await?;
            }
            last.into_iter().for_each(|last| self.clock.set(last));
            self.report(batch).await?;
            self.top_up(self.shape.top_up.below).await?;
            self.bill().await?;
        }
        for deed in deeds {
            self.act(deed).await?;
        }
        Ok(())
    }

    async fn report(&mut self, events: Vec<String>) -> Result<(), Failure> {
        let command = Command::Import { org: self.org.clone(), cause: "sample".to_owned(), events };
        let Answer::Tally(tally) = self.office.run(command).await? else { return Err(unexpected()) };
        if let Some(error) = tally.errors.first() {
            return Err(Failure::new(format!("the sample was not taken: {}", error.detail)));
        }
        self.accepted += tally.accepted;
        self.spent = self.spent.plus(tally.credits).map_err(|refusal| Failure::new(refusal.to_string()))?;
        self.available = tally.balance;
        Ok(())
    }

    /// Buys as people do who see that it runs low.
    async fn top_up(&mut self, wanted: Credits) -> Result<(), Failure> {
        // What repays debt is not there afterwards: then more is bought.
        while let Some(new) = topped_up(self.preset, self.shape, self.available, wanted).map_err(Failure::new)? {
            self.office.run(Command::Grant { org: self.org.clone(), new }).await?;
            self.look().await?;
        }
        Ok(())
    }

    async fn look(&mut self) -> Result<(), Failure> {
        let asked = Command::Balance { org: self.org.clone() };
        let Answer::Balance(available) = self.office.run(asked).await? else { return Err(unexpected()) };
        self.available = available;
        Ok(())
    }

    async fn act(&mut self, deed: Deed) -> Result<(), Failure> {
        self.clock.set(deed.at);
        let org = self.org.clone();
        match deed.act {
            Act::Subscribe(plan) => {
                self.office.run(Command::Subscribe { org, plan, anniversary: false, agreed: None }).await?;
            }
            Act::Give(new) => {
                // A running server has its own clock: what took effect long ago, and may have expired, is told late.
                let new = NewGrant { effective_at: Some(deed.at), ..new };
                self.office.run(Command::Grant { org, new }).await?;
            }
            Act::Hold { amount, expires_in_s, project, description, captured } => {
                self.look().await?;
                self.top_up(amount).await?;
                let hold = Command::Hold { org: org.clone(), amount, expires_in_s, project, description };
                let Answer::Hold(hold) = self.office.run(hold).await? else { return Err(unexpected()) };
                if let Some(amount) = captured {
                    self.clock.set(Timestamp::from_micros(deed.at.micros() + 1));
                    self.office.run(Command::Capture { org, hold, amount }).await?;
                }
            }
        }
        Ok(())
    }
}

fn told(error: &StoreError) -> Failure {
    Failure::new(error.to_string())
}

/// When an event of the sample happened.
fn time_of(event: Option<&String>) -> Option<Timestamp> {
    Event::from_json(event?, Form::Plain).ok()?.time
}

/// The sample ends with the hour before, so that it is the same whenever within an hour it is made.
fn start_of_hour(now: Timestamp) -> Timestamp {
    const HOUR_US: i64 = 3_600_000_000;
    Timestamp::from_micros(now.micros().div_euclid(HOUR_US) * HOUR_US)
}
