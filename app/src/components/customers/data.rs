//! What the pages of customers show, as the backend reads it.

use crate::calendar::Day;
use crate::server_fns::Moment;
use ledger::{Credits, Facet};

/// Lines of one page of a list.
pub const PAGE: usize = 50;
/// Lines of a list that is part of a page.
pub const SHORT: usize = 10;

/// On whose behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A user of the customer's.
    User,
    /// A tenant of theirs.
    Tenant,
}

impl Who {
    /// As events call it, and filters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Tenant => "tenant",
        }
    }

    /// At the head of a column.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Tenant => "Tenant",
        }
    }

    /// Several of them.
    #[must_use]
    pub const fn many(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Tenant => "tenants",
        }
    }

    /// Where they are listed.
    #[must_use]
    pub const fn list(self) -> &'static str {
        match self {
            Self::User => "/customers",
            Self::Tenant => "/customers/tenants",
        }
    }

    /// The facet of usage.
    #[must_use]
    pub const fn facet(self) -> Facet {
        match self {
            Self::User => Facet::User,
            Self::Tenant => Facet::Tenant,
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::User => Self::Tenant,
            Self::Tenant => Self::User,
        }
    }
}

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// What it cost.
    pub credits: Credits,
    /// Events, each once.
    pub events: i64,
    /// Those that failed.
    pub failed: i64,
    /// Data transferred, in bytes.
    pub bytes: i64,
}

/// The days that a page is about, in the org's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: Day,
    /// The last, included.
    pub to: Day,
    /// The present one.
    pub today: Day,
}

/// A page of users or tenants, heaviest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Whose usage.
    pub days: Days,
    /// Ids, and what was used.
    pub lines: Vec<(String, Used)>,
    /// How the next page is asked for.
    pub next: Option<String>,
    /// How many there are, on this page and others.
    pub count: usize,
    /// All usage that was asked for.
    pub total: Used,
    /// What of it belongs to nobody.
    pub unsaid: Used,
}

/// A user or a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// When.
    pub days: Days,
    /// What was used.
    pub used: Used,
    /// Columns of the chart: what it is called in a line above and one below, and in full.
    pub columns: Vec<Slot>,
    /// What the columns are wide.
    pub step: &'static str,
    /// By credit type, heaviest first: its name, title and unit, quantity and credits.
    pub types: Vec<TypeUse>,
    /// Users of a tenant, tenants of a user: the heaviest.
    pub others: Listing,
}

/// One column of a chart over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Above the column.
    pub head: String,
    /// Below it.
    pub foot: String,
    /// In full.
    pub name: String,
    /// What was used.
    pub credits: Credits,
    /// Whether it is not over yet.
    pub incomplete: bool,
}

/// What was used of a credit type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeUse {
    /// The meter's name.
    pub meter: String,
    /// What people read.
    pub title: String,
    /// How much, with its unit.
    pub quantity: String,
    /// Events that used it.
    pub events: i64,
    /// What it cost.
    pub credits: Credits,
}

/// To whom an interaction is mapped, and what was done about that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    /// The user it is mapped to; empty where that is left to the events.
    pub user: String,
    /// The tenant it is mapped to; empty where that is left to the events.
    pub tenant: String,
    /// When, by whom, from and to what; newest first.
    pub history: Vec<(Moment, String, String)>,
}
