//! What the command line may ask of a ledger: one enum, one way to carry it out. Verifying and backing up are not among
//! it: they only read, and do so by themselves.
//!
//! A command runs in this process where no server holds the data folder, and is handed to the server where one does
//! ([`crate::socket`]). Both call [`execute`]: there is no second path to the ledger.

mod plan;

use crate::auth::api_key::FreshKey;
use crate::auth::{password, password_rule, session};
use crate::ingest::{Tally, import, read_item};
use crate::preset::{Preset, PresetError};
use ledger::event::Form;
use ledger::{
    Credits, Event, EventSeq, Grant, GrantId, HoldId, KeyId, Label, Plan, Policy, RateCard, Role, Timestamp, Words,
};
use serde::{Deserialize, Serialize};
use store::key::MAX_PAGE;
use store::{
    Agreed, By, Correction, CorrectionRequest, JobRun, KeyPage, KeyRow, NewGrant, NewHold, NewKey, NewOrg, Org, Scope,
    Store, StoreError, Subscribed, Successor,
};

/// What the ledger notes as the cause of what is typed.
const CAUSE: &str = "command";
const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Runs of jobs that are listed.
const MAX_RUNS: u32 = 100;
/// A key that lives longer than a century was meant to be without an end.
const MAX_KEY_DAYS: u32 = 36_500;

/// A request of the command line. Orgs go by name here, since that is what people type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// What time the ledger goes by.
    Now,
    /// Where the running server is reached.
    Address,
    /// Make an org from a preset.
    CreateOrg {
        /// Its name.
        name: String,
        /// The preset, or `none`.
        preset: String,
        /// IANA name of its time zone.
        zone: String,
        /// Whether its data is made up.
        synthetic: bool,
    },
    /// Offer what a preset sells.
    Offer {
        /// The org's name.
        org: String,
        /// The preset.
        preset: String,
    },
    /// Subscribe to a plan, or change to it.
    Subscribe {
        /// The org's name.
        org: String,
        /// The plan's name.
        plan: String,
        /// Whether cycles begin on this day of each month, where a subscription begins.
        anniversary: bool,
        /// What was agreed on.
        agreed: Option<Agreed>,
    },
    /// List orgs.
    ListOrgs,
    /// Let somebody set a new password by a link.
    BeginReset {
        /// Whose.
        email: String,
        /// What the link holds. In the clear: the socket is this user's own.
        token: String,
    },
    /// What jobs did.
    ListJobs {
        /// Only runs that failed.
        failed: bool,
    },
    /// Make a person and a member.
    CreateUser {
        /// How they sign in.
        email: String,
        /// In the clear: the socket is this user's own, and the hash is made where it is stored.
        password: String,
        /// The org's name.
        org: String,
        /// What they may.
        role: String,
        /// Whether they may give and correct credits from the pages.
        operator: bool,
    },
    /// Make an API key.
    CreateKey {
        /// The org's name.
        org: String,
        /// What people read.
        name: String,
        /// What it may.
        scopes: Vec<String>,
        /// The only project that it may report and read.
        #[serde(default)]
        project: Option<Label>,
        /// After how many days it ends.
        expires_in_days: Option<u32>,
    },
    /// List API keys.
    ListKeys {
        /// The org's name.
        org: String,
    },
    /// Make another key in the place of one.
    RotateKey {
        /// The org's name.
        org: String,
        /// Which.
        key: KeyId,
        /// For how many hours the old one goes on.
        overlap_hours: u32,
    },
    /// End a key.
    RevokeKey {
        /// The org's name.
        org: String,
        /// Which.
        key: KeyId,
    },
    /// Give credits.
    Grant {
        /// The org's name.
        org: String,
        /// What to give.
        new: NewGrant,
    },
    /// Correct the ledger, or say what that would do.
    Correct {
        /// The org's name.
        org: String,
        /// What to correct.
        change: Change,
        /// Why, in a person's words.
        reason: String,
        /// Only say what would happen.
        preview: bool,
    },
    /// What happens when credits run out: said, or set.
    Policy {
        /// The org's name.
        org: String,
        /// The new one; `None` only asks.
        set: Option<Policy>,
    },
    /// Reserve credits.
    Hold {
        /// The org's name.
        org: String,
        /// How much.
        amount: Credits,
        /// For how long, in seconds.
        expires_in_s: i64,
        /// In which project.
        project: Option<Label>,
        /// What people read.
        description: String,
    },
    /// Charge what was held for.
    Capture {
        /// The org's name.
        org: String,
        /// Which.
        hold: HoldId,
        /// How much it came to.
        amount: Credits,
    },
    /// Settle events of a past that is brought in, each as JSON text in the API's plain form: nobody is told of what they cross.
    Import {
        /// The org's name.
        org: String,
        /// What the ledger notes as the cause.
        cause: String,
        /// At most [`store::MAX_BATCH`].
        events: Vec<String>,
    },
    /// The rate card in force.
    RateCard {
        /// The org's name.
        org: String,
    },
    /// What an org has.
    Balance {
        /// The org's name.
        org: String,
    },
}

/// What to correct.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Take an event back.
    Void(EventSeq),
    /// Let another event stand in its place, given as JSON text in the API's plain form.
    Replace(EventSeq, String),
    /// Give credits, or take some.
    Adjust {
        /// Above zero gives, below takes.
        amount: Credits,
        /// Only from this grant.
        grant: Option<GrantId>,
        /// When a new grant expires.
        expires_at: Option<Timestamp>,
    },
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing to say.
    Done,
    /// The time.
    Now(Timestamp),
    /// An address for browsers.
    Address(String),
    /// Orgs.
    Orgs(Vec<OrgLine>),
    /// Plans that are offered.
    Plans(Vec<Plan>),
    /// What an org is subscribed to.
    Subscribed(Option<Box<Subscribed>>),
    /// Runs of jobs, newest first.
    Jobs(Vec<JobRun>),
    /// A key, to be shown once.
    Key(String),
    /// Keys.
    Keys(Vec<KeyLine>),
    /// A grant.
    Grant(Grant),
    /// What a correction does.
    Correction(Box<Correction>),
    /// What happens when credits run out.
    Policy(Policy),
    /// A hold.
    Hold(HoldId),
    /// What became of events.
    Tally(Tally),
    /// A rate card.
    RateCard(RateCard),
    /// Credits available.
    Balance(Credits),
}

/// An org in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrgLine {
    /// `org_1`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its time zone.
    pub zone: String,
    /// Whether its data is made up.
    pub synthetic: bool,
    /// Credits available.
    pub available: Credits,
}

/// An API key in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyLine {
    /// `key_3`
    pub id: String,
    /// Its public part.
    pub prefix: String,
    /// How it stands.
    pub status: String,
    /// What it may.
    pub scopes: Vec<String>,
    /// The only project that it may report and read.
    pub project: Option<String>,
    /// Until when.
    pub expires_at: Option<Timestamp>,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
    /// What people call it.
    pub name: String,
}

/// Why a command was not carried out: a sentence for a terminal and a code for tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct CommandError {
    /// Stable.
    pub code: String,
    /// What to do.
    pub detail: String,
}

impl CommandError {
    /// Of that code.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into() }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        // The person at this terminal owns the database: here its own words help.
        let detail = match &error {
            StoreError::Internal(cause) => format!("the store failed: {cause}"),
            StoreError::Database(cause) => format!("the store failed: {cause}"),
            other => other.to_string(),
        };
        Self::new(error.code(), detail)
    }
}

impl From<PresetError> for CommandError {
    fn from(error: PresetError) -> Self {
        Self::new("bad_preset", error.to_string())
    }
}

/// Carries out a command.
///
/// # Errors
/// What the store or a rule says.
pub async fn execute(store: &Store, command: Command) -> Result<Answer, CommandError> {
    match command {
        Command::Now => Ok(Answer::Now(store.now())),
        // A server answers this where it takes commands.
        Command::Address => Err(CommandError::new("no_server", "no server runs on this folder")),
        Command::CreateOrg { name, preset, zone, synthetic } => create_org(store, name, &preset, zone, synthetic).await,
        Command::Offer { org, preset } => plan::offer(store, &org, &preset).await,
        Command::Subscribe { org, plan, anniversary, agreed } => {
            plan::subscribe(store, &org, &plan, anniversary, agreed).await
        }
        Command::ListOrgs => list_orgs(store).await,
        Command::ListJobs { failed } => Ok(Answer::Jobs(store.job_runs(failed, MAX_RUNS).await?)),
        Command::BeginReset { email, token } => begin_reset(store, &email, &token).await,
        Command::CreateUser { email, password, org, role, operator } => {
            create_user(store, &email, password, &org, &role, operator).await
        }
        Command::CreateKey { org, name, scopes, project, expires_in_days } => {
            create_key(store, &org, name, &scopes, project, expires_in_days).await
        }
        Command::ListKeys { org } => list_keys(store, &org).await,
        Command::RotateKey { org, key, overlap_hours } => rotate_key(store, &org, key, overlap_hours).await,
        Command::RevokeKey { org, key } => {
            let org = org_named(store, &org).await?.id;
            store.revoke_key(By::command(), org, key).await?;
            Ok(Answer::Done)
        }
        Command::Grant { org, new } => {
            let org = org_named(store, &org).await?;
            Ok(Answer::Grant(store.give_grant(org.id, CAUSE.to_owned(), new, None).await?.answer))
        }
        Command::Correct { org, change, reason, preview } => {
            let (org, request) = (org_named(store, &org).await?.id, request(change, reason)?);
            let done = store.correct(org, CAUSE.to_owned(), request, preview, None).await?;
            Ok(Answer::Correction(Box::new(done.answer)))
        }
        Command::Policy { org, set } => {
            let org = org_named(store, &org).await?.id;
            if let Some(policy) = set {
                store.set_policy(org, policy).await?;
            }
            Ok(Answer::Policy(store.policy(org).await?))
        }
        Command::Hold { org, amount, expires_in_s, project, description } => {
            let org = org_named(store, &org).await?.id;
            let expires_in_s = Some(expires_in_s);
            let new = NewHold {
                user: None,
                tenant: None,
                amount,
                expires_in_s,
                meter: None,
                source: None,
                project,
                description,
            };
            Ok(Answer::Hold(store.create_hold(org, CAUSE.to_owned(), new, None).await?.answer.id))
        }
        Command::Capture { org, hold, amount } => {
            let org = org_named(store, &org).await?.id;
            Ok(Answer::Hold(store.capture_hold(org, CAUSE.to_owned(), hold, Some(amount), None).await?.answer.id))
        }
        Command::Import { org, cause, events } => {
            let org = org_named(store, &org).await?;
            let items = (0_u64..).zip(&events).map(|(index, text)| read_item(index, text, Form::Plain)).collect();
            Ok(Answer::Tally(import(store, org.id, cause, items).await?))
        }
        Command::RateCard { org } => Ok(Answer::RateCard(store.rate_card(org_named(store, &org).await?.id).await?)),
        Command::Balance { org } => {
            Ok(Answer::Balance(store.balance(org_named(store, &org).await?.id).await?.available))
        }
    }
}

fn request(change: Change, reason: String) -> Result<CorrectionRequest, StoreError> {
    Ok(match change {
        Change::Void(event) => CorrectionRequest::Void { event, reason },
        Change::Replace(event, with) => {
            CorrectionRequest::Replace { event, reason, with: Box::new(Event::from_json(&with, Form::Plain)?) }
        }
        Change::Adjust { amount, grant, expires_at } => CorrectionRequest::Adjust { amount, grant, expires_at, reason },
    })
}

async fn create_org(
    store: &Store,
    name: String,
    preset: &str,
    zone: String,
    synthetic: bool,
) -> Result<Answer, CommandError> {
    let preset = Preset::named(preset, store.folder())?;
    let bad = |line| CommandError::new("bad_preset", line);
    let new = match preset {
        Some(preset) => preset.new_org(name, zone, synthetic).map_err(bad)?,
        None => NewOrg {
            offers: store::Offers::default(),
            name,
            zone,
            synthetic,
            words: Words::default(),
            meters: Vec::new(),
            agents: Vec::new(),
            lines: Vec::new(),
        },
    };
    let org = store.create_org(new).await?;
    Ok(Answer::Orgs(vec![line(store, org).await?]))
}

async fn list_orgs(store: &Store) -> Result<Answer, CommandError> {
    let mut lines = Vec::new();
    for org in store.orgs().await? {
        lines.push(line(store, org).await?);
    }
    Ok(Answer::Orgs(lines))
}

async fn line(store: &Store, org: Org) -> Result<OrgLine, CommandError> {
    let available = store.balance(org.id).await?.available;
    let (id, zone) = (org.id.to_string(), org.zone.to_string());
    Ok(OrgLine { id, name: org.name, zone, synthetic: org.synthetic, available })
}

async fn begin_reset(store: &Store, email: &str, token: &str) -> Result<Answer, CommandError> {
    let user = store.user_by_email(email).await?;
    let unknown = || CommandError::new("unknown_user", format!("there is no account with the email \"{email}\""));
    store.begin_reset(user.ok_or_else(unknown)?.id, session::hash(token)).await?;
    Ok(Answer::Done)
}

async fn create_user(
    store: &Store,
    email: &str,
    password: String,
    org: &str,
    role: &str,
    operator: bool,
) -> Result<Answer, CommandError> {
    let known = || Role::ALL.map(Role::as_str).join(", ");
    let role = Role::parse(role)
        .ok_or_else(|| CommandError::new("bad_role", format!("there is no role \"{role}\": choose {}", known())))?;
    password_rule::check(&password, &[email, org])
        .map_err(|weak| CommandError::new("bad_password", weak.to_string()))?;
    let org = org_named(store, org).await?;
    let hashed = tokio::task::spawn_blocking(move || password::hash(&password)).await;
    let hash = hashed.map_err(|error| CommandError::new("internal", error.to_string()))?;
    let user = store.create_user(email, &hash, operator).await?;
    store.add_member(org.id, user, role).await?;
    Ok(Answer::Done)
}

async fn create_key(
    store: &Store,
    org: &str,
    name: String,
    scopes: &[String],
    project: Option<Label>,
    expires_in_days: Option<u32>,
) -> Result<Answer, CommandError> {
    let org = org_named(store, org).await?.id;
    let scopes = scopes.iter().map(|scope| scope_named(scope)).collect::<Result<Vec<_>, _>>()?;
    if expires_in_days.is_some_and(|days| days == 0 || days > MAX_KEY_DAYS) {
        return Err(CommandError::new("bad_expiry", format!("a key lasts 1 to {MAX_KEY_DAYS} days")));
    }
    let after = |days: u32| store.now().micros().saturating_add(i64::from(days).saturating_mul(MICROS_PER_DAY));
    let expires_at = expires_in_days.map(|days| Timestamp::from_micros(after(days)));
    let key = FreshKey::draw();
    let new = NewKey { org, name, prefix: key.prefix, hash: key.hash, scopes, project, expires_at };
    store.create_key(By::command(), new, None).await?;
    Ok(Answer::Key(key.text))
}

/// All that there are: an org has few, and somebody who looks for one to revoke must find it.
async fn list_keys(store: &Store, org: &str) -> Result<Answer, CommandError> {
    let org = org_named(store, org).await?.id;
    let (mut lines, mut before) = (Vec::new(), None);
    loop {
        let rows = store.api_keys(org, KeyPage { active: false, before, limit: MAX_PAGE }).await?;
        before = rows.last().map(|row| row.id);
        lines.extend(rows.iter().map(key_line));
        if rows.len() < MAX_PAGE as usize {
            return Ok(Answer::Keys(lines));
        }
    }
}

fn key_line(row: &KeyRow) -> KeyLine {
    KeyLine {
        id: row.id.to_string(),
        prefix: row.prefix.clone(),
        status: row.status.as_str().to_owned(),
        scopes: row.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        project: row.project.as_ref().map(Label::to_string),
        expires_at: row.expires_at,
        used_at: row.used_at,
        name: row.name.clone(),
    }
}

async fn rotate_key(store: &Store, org: &str, key: KeyId, overlap_hours: u32) -> Result<Answer, CommandError> {
    let org = org_named(store, org).await?.id;
    let fresh = FreshKey::draw();
    let to = Successor { prefix: fresh.prefix, hash: fresh.hash, overlap_hours };
    store.rotate_key(By::command(), org, key, to, None).await?;
    Ok(Answer::Key(fresh.text))
}

fn scope_named(name: &str) -> Result<Scope, CommandError> {
    let known = || Scope::ALL.map(Scope::as_str).join(", ");
    Scope::parse(name)
        .ok_or_else(|| CommandError::new("bad_scope", format!("there is no scope \"{name}\": choose {}", known())))
}

async fn org_named(store: &Store, name: &str) -> Result<Org, CommandError> {
    let missing = || {
        let detail =
            format!("there is no org \"{name}\": scrip org list shows those there are, scrip org create makes one");
        CommandError::new("not_found", detail)
    };
    store.org_by_name(name).await?.ok_or_else(missing)
}
