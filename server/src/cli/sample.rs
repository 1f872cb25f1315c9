//! `scrip sample`

use super::{Failure, Office, unexpected};
use crate::auth::api_key::random_text;
use crate::command::{Answer, Command};
use crate::config::Config;
use crate::preset;
use crate::sample::{ORG, Plan, ZONE};
use chrono::{Datelike as _, Months};
use clap::Args;
use ledger::event::Form;
use ledger::rollover::Cap;
use ledger::{Credits, Currency, Event, GrantKind, HoldId, Label, Meter, Money, Rollover, Scope, Timestamp};
use std::sync::Arc;
use store::calendar::{day_start, local};
use store::clock::{FixedClock, SystemClock};
use store::{Clock, NewGrant, StoreError, Tz};

/// Who owns the sample.
const OWNER: &str = "owner@example.com";
const PASSWORD_LEN: usize = 16;
/// Events sent at once.
const BATCH: usize = 5_000;
const DAY_US: i64 = 86_400_000_000;
/// Days after which the promotion of the sample expires: soon enough to be seen coming.
const PROMOTION_DAYS: i64 = 20;
/// Days of the promotion of which a part expired.
const WELCOME_DAYS: i64 = 14;

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
        // Where this process holds the folder, the sample's weeks are gone through day by day: what expired and rolled over
        // did so at its time. A running server has its own clock, and books everything now.
        let now = SystemClock.now();
        let clock = Arc::new(FixedClock::at(now));
        let mut office = Office::open_or_create_by(config, Arc::clone(&clock) as Arc<dyn Clock>).await?;
        let made = self.load(&mut office, config, &clock).await;
        office.close().await;
        made
    }

    async fn load(self, office: &mut Office, config: &Config, clock: &FixedClock) -> Result<(), Failure> {
        let Answer::Orgs(orgs) = office.run(Command::ListOrgs).await? else { return Err(unexpected()) };
        if orgs.iter().any(|org| org.name == ORG) {
            println!("\"{ORG}\" is there already: sign in as {OWNER} with the password that was printed then.");
            println!("Another password needs another folder: scrip sample --data OTHER");
            return Ok(());
        }
        let Answer::Now(now) = office.run(Command::Now).await? else { return Err(unexpected()) };
        let password = random_text(PASSWORD_LEN);
        let deeds = deeds(now, i64::from(self.days)).map_err(|refusal| Failure::new(refusal.to_string()))?;
        if let Some(first) = deeds.first() {
            clock.set(first.at);
        }
        found(office, &password).await?;
        let plan = Plan { days: self.days, events: self.events, seed: self.seed, now };
        let (events, spent) = live_through(office, plan, deeds, clock).await?;
        clock.set(now);
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

/// The org and its owner.
async fn found(office: &mut Office, password: &str) -> Result<(), Failure> {
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
    Ok(())
}

/// Something that is done with the sample's credits.
struct Deed {
    at: Timestamp,
    command: Command,
}

/// What was done with credits over the days up to `now`, in order: a plan that rolls over, packages, gifts of which one
/// expired, one for images only, one to come, work in progress.
fn deeds(now: Timestamp, days: i64) -> Result<Vec<Deed>, StoreError> {
    let back = |days: i64| Timestamp::from_micros(now.micros() - days * DAY_US);
    // Midnight, as the first event may happen right after it.
    let start = Timestamp::from_micros((now.micros().div_euclid(DAY_US) + 1 - days) * DAY_US);
    let credits = |text: &str| Credits::parse(text).map_err(StoreError::from);
    let mut deeds = Vec::new();
    let mut give = |at: Timestamp, new: NewGrant| {
        deeds.push(Deed { at: at.max(start), command: Command::Grant { org: ORG.to_owned(), new } });
    };
    let plain =
        |kind, amount: &str, description: &str| credits(amount).map(|amount| NewGrant::of(kind, amount, description));
    let terms = Some(Rollover { cap: Some(Cap::Percent(20)), months: Some(3) });
    for (from, to) in cycles(start, now)? {
        let effective_at = Some(from.max(start));
        let plan = plain(GrantKind::Plan, "60", "Monthly credits of the plan")?;
        give(before(from), NewGrant { effective_at, expires_at: Some(to), rollover: terms, ..plan });
    }
    let welcome = plain(GrantKind::Promotion, "30", "Welcome")?;
    let expires_at = Some(Timestamp::from_micros(start.micros() + WELCOME_DAYS * DAY_US));
    give(start, NewGrant { priority: -1, expires_at, ..welcome });
    let euros = |minor| -> Result<_, StoreError> { Ok(Some(Money { minor, currency: Currency::parse("EUR")? })) };
    let package = plain(GrantKind::Purchase, "250", "Package of 250 credits")?;
    give(back(60), NewGrant { cost: euros(23_900)?, ..package });
    let images = Scope { meters: vec![Meter::parse("images")?], projects: Vec::new() };
    let trial = plain(GrantKind::Promotion, "10", "Try out images")?;
    give(back(25), NewGrant { priority: -1, scope: images, expires_at: Some(back(-PROMOTION_DAYS)), ..trial });
    give(back(7), plain(GrantKind::Refund, "2", "Failed calls of the bad day")?);
    let next = plain(GrantKind::Purchase, "100", "Package of 100 credits, from next week on")?;
    give(back(2), NewGrant { effective_at: Some(back(-7)), cost: euros(9_900)?, ..next });
    let hold = |amount: &str, days: i64, project: Option<&str>, description: &str| -> Result<Command, StoreError> {
        let project = project.map(|id| Label::parse("project", id)).transpose()?;
        let (amount, expires_in_s) = (credits(amount)?, days * DAY_US / 1_000_000);
        Ok(Command::Hold { org: ORG.to_owned(), amount, expires_in_s, project, description: description.to_owned() })
    };
    let capture = Command::Capture { org: ORG.to_owned(), hold: HoldId(1), amount: credits("1.25")? };
    for (at, command) in [
        (back(3), hold("2", 1, Some("research"), "Market report")?),
        (Timestamp::from_micros(back(3).micros() + 1), capture),
        (now, hold("3.5", 7, Some("catalog"), "Translating the spring catalog")?),
        (now, hold("0.75", 1, None, "Nightly summary")?),
    ] {
        deeds.push(Deed { at: at.max(start), command });
    }
    deeds.sort_by_key(|deed| deed.at);
    Ok(deeds)
}

/// A plan's credits are given a little before their cycle begins, so that usage finds them.
const fn before(cycle: Timestamp) -> Timestamp {
    Timestamp::from_micros(cycle.micros() - DAY_US)
}

/// The calendar months of the sample's zone from `start` to `now`, as first instant and end.
fn cycles(start: Timestamp, now: Timestamp) -> Result<Vec<(Timestamp, Timestamp)>, StoreError> {
    let zone: Tz = ZONE.parse().map_err(|_| StoreError::BadRange("no such time zone"))?;
    let first = local(zone, start)?.date_naive();
    let mut month = first.with_day(1).unwrap_or(first);
    let mut cycles = Vec::new();
    while day_start(zone, month)? <= now {
        let next = month.checked_add_months(Months::new(1)).ok_or(ledger::Refusal::TimeOutOfRange)?;
        cycles.push((day_start(zone, month)?, day_start(zone, next)?));
        month = next;
    }
    Ok(cycles)
}

/// Reports the usage day by day, and does each deed at its time.
async fn live_through(
    office: &mut Office,
    plan: Plan,
    deeds: Vec<Deed>,
    clock: &FixedClock,
) -> Result<(u64, Credits), Failure> {
    let (mut accepted, mut spent) = (0, Credits::ZERO);
    let mut deeds = deeds.into_iter().peekable();
    let a_day = usize::try_from(plan.events / plan.days.max(1)).unwrap_or(BATCH).clamp(1, BATCH);
    let mut events = plan.events().peekable();
    while events.peek().is_some() {
        let batch: Vec<String> = events.by_ref().take(a_day).collect();
        let (first, last) = (time_of(batch.first()), time_of(batch.last()));
        while let Some(deed) = deeds.next_if(|deed| first.is_some_and(|first| deed.at <= first)) {
            clock.set(deed.at);
            office.run(deed.command).await?;
        }
        last.into_iter().for_each(|last| clock.set(last));
        let command = Command::Ingest { org: ORG.to_owned(), cause: "sample".to_owned(), events: batch };
        let Answer::Tally(tally) = office.run(command).await? else { return Err(unexpected()) };
        if let Some(error) = tally.errors.first() {
            return Err(Failure::new(format!("the sample was not taken: {}", error.detail)));
        }
        accepted += tally.accepted;
        spent = spent.plus(tally.credits).map_err(|refusal| Failure::new(refusal.to_string()))?;
    }
    for deed in deeds {
        clock.set(deed.at);
        office.run(deed.command).await?;
    }
    Ok((accepted, spent))
}

/// When an event of the sample happened.
fn time_of(event: Option<&String>) -> Option<Timestamp> {
    Event::from_json(event?, Form::Plain).ok()?.time
}

fn sign_in_url(config: &Config) -> String {
    let listen = config.listen.replace("0.0.0.0", "127.0.0.1");
    config.public_url.clone().unwrap_or_else(|| format!("http://{listen}"))
}
