//! The operator's pages: organizations of the installation, jobs, verification, backups. For whoever runs the server.

mod organizations;
mod upkeep;

use crate::backend::Backend;
use crate::components::billing::{purchase, reconcile, seller};
use crate::error::AppError;
use crate::markup::Markup;
use crate::query;
use crate::server_fns::Moment;
use ledger::{Balance, Words};
use leptos::prelude::use_context;

/// Where the list of organizations is, and the page of one (`?org=org_3`).
pub const ORGANIZATIONS: &str = "/operator/organizations";
/// Where it is seen what jobs did.
pub const JOBS: &str = "/operator/jobs";
/// Where the ledger is verified.
pub const VERIFY: &str = "/operator/verify";
/// Where snapshots are made.
pub const BACKUPS: &str = "/operator/backups";

/// All of them.
pub const PAGES: [&str; 7] = [ORGANIZATIONS, purchase::OPERATOR, JOBS, VERIFY, BACKUPS, seller::PATH, reconcile::PATH];

/// An org in the list.
pub struct OrgLine {
    /// `org_3`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// Whether its usage is made up.
    pub synthetic: bool,
    /// What it has.
    pub balance: Balance,
    /// How it calls credits.
    pub words: Words,
    /// How many events it has.
    pub events: i64,
    /// When it ends, if it does.
    pub ends: Option<Moment>,
}

/// The list.
pub struct Organizations {
    /// By name.
    pub lines: Vec<OrgLine>,
    /// What was searched for.
    pub search: String,
    /// The next page.
    pub more: Option<String>,
    /// Presets that a new one can be made from.
    pub presets: Vec<String>,
    /// Those that were deleted: id, when, entries, hash of the last.
    pub deleted: Vec<(String, Moment, i64, String)>,
}

/// One org.
pub struct Organization {
    /// As in the list.
    pub line: OrgLine,
    /// Since when.
    pub since: Moment,
    /// How many entries its ledger has, and the hash of the last.
    pub chain: (i64, String),
    /// What it can subscribe to.
    pub plans: Vec<String>,
    /// What it can buy once.
    pub packages: Vec<String>,
    /// What else could be offered to it.
    pub presets: Vec<String>,
    /// `pause`, `finish_in_flight` or `overdraft`.
    pub policy: &'static str,
    /// The limit of an overdraft.
    pub limit: Option<String>,
    /// Email and role.
    pub members: Vec<(String, &'static str)>,
    /// API keys in force.
    pub keys: usize,
}

/// A run of a job.
pub struct Run {
    /// Which.
    pub job: String,
    /// When.
    pub at: Moment,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// How many things it did.
    pub done: i64,
    /// What went wrong.
    pub error: Option<String>,
}

/// What the server itself knows: a context of these pages.
#[derive(Debug, Clone, Default)]
pub struct Office {
    /// What each job does, by name.
    pub jobs: Vec<(&'static str, &'static str)>,
    /// The verification that runs or ran last.
    pub check: Check,
    /// Whether a backup is being written.
    pub backing_up: bool,
    /// What went wrong with the last.
    pub backup_error: Option<String>,
    /// Snapshots in the data folder, newest first: name, bytes.
    pub backups: Vec<(String, u64)>,
    /// Presets that a new organization can be made from.
    pub presets: Vec<String>,
    /// What came of a form.
    pub said: Option<Said>,
}

/// What came of a form.
#[derive(Debug, Clone)]
pub enum Said {
    /// It was done.
    Done(String),
    /// It was not.
    Wrong(String),
}

/// How a verification stands.
#[derive(Debug, Clone, Default)]
pub enum Check {
    /// None since the server started.
    #[default]
    None,
    /// It runs: events done, and of how many.
    Running(u64, u64),
    /// What it found: when it ended (RFC 3339), orgs, entries, events, problems.
    Done(String, [u64; 3], Vec<String>),
    /// It could not be done.
    Failed(String),
}

/// The page at an address under `/operator`.
///
/// # Errors
/// [`AppError::Refused`] for whoever is no operator, or what the store says.
pub async fn page(path: &str, search: &str) -> Result<Markup, AppError> {
    let backend = Backend::current();
    backend.operator()?;
    let office = use_context::<Office>().unwrap_or_default();
    let asked = query::parse(search);
    let get = |name: &str| asked.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let body = match path {
        ORGANIZATIONS if !get("org").is_empty() => {
            organizations::one(&backend.organization_of(get("org"), office.presets.clone()).await?)
        }
        ORGANIZATIONS => {
            organizations::list(&backend.organizations(get("q"), get("after"), office.presets.clone()).await?)
        }
        JOBS => upkeep::jobs(&office.jobs, &backend.runs(get("failed") == "1").await?, get("failed") == "1"),
        VERIFY => upkeep::verify(&office.check),
        BACKUPS => upkeep::backups(&office),
        purchase::OPERATOR => vec![purchase::operator::page(&backend.till(&asked).await?)],
        seller::PATH => vec![seller::page(&backend.seller_shown(search).await?)],
        reconcile::PATH => vec![reconcile::page(&backend.reconciled().await?)],
        _ => return Err(AppError::NotFound),
    };
    let said = office.said.map(|said| match said {
        Said::Done(text) => Markup::new("p").class("notice").attr("role", "status").text(&text),
        Said::Wrong(text) => Markup::new("p").class("form-error").attr("role", "alert").text(&text),
    });
    Ok(Markup::new("div").class("people").children(said).children(body))
}

fn head(title: &str, about: &str) -> Markup {
    let about = Markup::new("p").class("muted").text(about);
    Markup::new("div").class("page-head").child(Markup::new("h1").text(title)).child(about)
}

/// A link that leaves the page: these stand still.
fn go(href: &str, text: &str) -> Markup {
    Markup::new("a").attr("href", href).attr("rel", "external").text(text)
}
