//! What a preset's sample looks like: who works on what, how often, and how much of it.
//!
//! Only a shape: [`crate::sample`] makes events of any, and knows no preset. Everything is a whole number.

use ledger::{Credits, GrantKind, Meter};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// How busy a day is, Monday first, where a shape does not say.
const WEEKDAYS: [u64; 7] = [100, 112, 118, 110, 92, 28, 22];
/// How busy an hour of UTC is, where a shape does not say.
const HOURS: [u64; 24] = [3, 2, 2, 2, 3, 6, 14, 30, 48, 58, 60, 56, 44, 52, 60, 58, 50, 38, 26, 20, 16, 12, 8, 5];

/// The shape of a sample.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// What the org is called; `Sample: TITLE (synthetic)` where it is not said.
    pub org: Option<String>,
    /// Who owns it; `owner@NAME.example` where it is not said.
    pub owner: Option<String>,
    /// Whose days and months its days and months are.
    #[serde(default = "utc")]
    pub zone: String,
    /// How busy a day of the week is, Monday first.
    #[serde(default = "weekdays")]
    pub weekdays: [u64; 7],
    /// How busy an hour of UTC is.
    #[serde(default = "hours")]
    pub hours: [u64; 24],
    /// Percent by which a day is busier than the one before, of the first day.
    #[serde(default = "one")]
    pub growth_percent: u64,
    /// Days before today on which hardly anything happened.
    #[serde(default = "quiet_days")]
    pub quiet_days: Vec<u64>,
    /// Days before today on which much failed.
    #[serde(default = "bad_days")]
    pub bad_days: Vec<u64>,
    /// Of a thousand calls, how many fail: on most days, and on bad ones.
    #[serde(default = "failing")]
    pub failing: [u64; 2],
    /// Of a thousand interactions, how many say neither user nor tenant: they are to be mapped.
    #[serde(default)]
    pub unmapped: u64,
    /// On whose behalf.
    pub users: Crowd,
    /// For which customers of the customer.
    pub tenants: Crowd,
    /// The plan that gives credits each month, by name.
    pub plan: String,
    /// What is bought when credits run low.
    pub top_up: TopUp,
    /// What is bought besides.
    #[serde(default)]
    pub purchases: Vec<Purchase>,
    /// What is given.
    #[serde(default)]
    pub gifts: Vec<Gift>,
    /// What is held.
    #[serde(default)]
    pub holds: Vec<Hold>,
    /// Projects.
    pub projects: Vec<Project>,
    /// What is done in them.
    pub workflows: Vec<Spanned<Workflow>>,
}

/// Ids that are a word and a number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crowd {
    /// What comes before the number.
    pub prefix: String,
    /// How many there are.
    pub count: u64,
}

/// What is bought when credits run low.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopUp {
    /// A package, by title.
    pub package: String,
    /// As many of it as it takes to have so much again.
    pub below: Credits,
}

/// A package that is bought.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purchase {
    /// Which, by title.
    pub package: String,
    /// How long ago.
    pub days_ago: u32,
    /// In how many days from today it can be spent from; from the beginning where it is not said.
    pub starts_in_days: Option<u32>,
    /// What is added to its title.
    pub note: Option<String>,
}

/// Credits that are given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gift {
    /// Why: promotion, refund or adjustment.
    pub kind: GrantKind,
    /// How many.
    pub credits: Credits,
    /// What people read beside it.
    pub description: String,
    /// How long ago; on the first day where it is not said.
    pub days_ago: Option<u32>,
    /// For how many days; for ever where it is not said.
    pub days: Option<u32>,
    /// Lower is spent first.
    #[serde(default)]
    pub priority: i16,
    /// Only for these meters.
    #[serde(default)]
    pub meters: Vec<Meter>,
}

/// Credits that are held for work.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// How many.
    pub credits: Credits,
    /// How long ago.
    #[serde(default)]
    pub days_ago: u32,
    /// For how many days.
    pub days: u32,
    /// In which project, by id.
    pub project: Option<String>,
    /// What people read beside it.
    pub description: String,
    /// What the work came to, where it is done.
    pub captured: Option<Credits>,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// What identifies it.
    pub id: String,
    /// What people read.
    pub name: String,
}

/// A workflow: each of its runs goes through its modules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// What identifies it.
    pub id: String,
    /// What people read.
    pub name: String,
    /// In which project, by id.
    pub project: String,
    /// How often it runs, compared to the others.
    pub weight: u64,
    /// From where, each compared to the others.
    pub sources: BTreeMap<String, u64>,
    /// Its steps.
    pub modules: Vec<Spanned<Module>>,
}

/// A step of a workflow: one event, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// What identifies it.
    pub id: String,
    /// What people read.
    pub name: String,
    /// The events' `type`.
    #[serde(rename = "type")]
    pub operation: String,
    /// Only in runs that come from these; in all where it is empty.
    #[serde(default)]
    pub sources: Vec<String>,
    /// How many events, at least and at most.
    #[serde(default = "once")]
    pub times: [u64; 2],
    /// How much of each meter; one of the type where it is not said.
    #[serde(default)]
    pub quantities: BTreeMap<Meter, Amount>,
    /// Credits that the event says it consumed.
    pub credits: Option<Range>,
    /// Bytes transferred.
    pub bytes: Option<Range>,
    /// The meter whose quantity is the bytes transferred.
    pub bytes_of: Option<Meter>,
    /// Compute units used.
    pub compute_units: Option<Range>,
    /// More facts.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
}

/// A quantity: of its own, or a share of another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// From and to, rather low than high.
    pub range: Option<[u64; 2]>,
    /// Decimals of the range: with 3, `[500, 1500]` is 0.500 to 1.500.
    #[serde(default)]
    pub decimals: u8,
    /// Of which other meter it takes a share; that one has so much less.
    pub of: Option<Meter>,
    /// The largest share.
    pub percent: Option<u64>,
    /// In steps of so many.
    #[serde(default = "one")]
    pub step: u64,
    /// Whether it is a result: a failed call has none.
    #[serde(default)]
    pub result: bool,
}

/// From and to, rather low than high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// From and to.
    pub range: [u64; 2],
    /// Decimals of both.
    #[serde(default)]
    pub decimals: u8,
}

impl Module {
    /// What an event of it says beside its quantities, by the names of an event's `data`.
    pub fn ranges(&self) -> impl Iterator<Item = (&'static str, Range)> {
        let ranges = [("credits", self.credits), ("bytes", self.bytes), ("compute_units", self.compute_units)];
        ranges.into_iter().filter_map(|(name, range)| Some((name, range?)))
    }

    /// Whether runs from that source have it.
    #[must_use]
    pub fn is_in_runs_from(&self, source: &str) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|known| known == source)
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn weekdays() -> [u64; 7] {
    WEEKDAYS
}

const fn hours() -> [u64; 24] {
    HOURS
}

const fn one() -> u64 {
    1
}

const fn once() -> [u64; 2] {
    [1, 1]
}

fn quiet_days() -> Vec<u64> {
    vec![23, 51]
}

fn bad_days() -> Vec<u64> {
    vec![12]
}

const fn failing() -> [u64; 2] {
    [18, 140]
}
