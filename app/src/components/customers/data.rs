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
    /// Their heaviest interactions.
    pub interactions: Interactions,
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

/// One interaction of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InteractionLine {
    /// Its id.
    pub id: String,
    /// For whom it counts; empty where nobody said so.
    pub user: String,
    /// For which tenant; empty where nobody said so.
    pub tenant: String,
    /// When the first of its events happened.
    pub first: Moment,
    /// What of it was used in the days of the list.
    pub used: Used,
    /// Whether it has events before or after them.
    pub reaches_out: bool,
    /// Whether more of it may have happened in these days, of which no details are kept.
    pub at_least: bool,
}

/// A page of interactions, heaviest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interactions {
    /// Which days.
    pub days: Days,
    /// The interactions.
    pub lines: Vec<InteractionLine>,
    /// How the next page is asked for.
    pub next: Option<String>,
    /// Whether all were looked at that could stand on this page.
    pub whole: bool,
    /// Whether whoever looks may map.
    pub may_map: bool,
}

/// One interaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// For whom it counts; empty where nobody said so.
    pub user: String,
    /// For which tenant; empty where nobody said so.
    pub tenant: String,
    /// When its first and its last event happened; none without events.
    pub when: Option<(Moment, Moment)>,
    /// What was used.
    pub used: Used,
    /// Events of it whose details are no longer kept.
    pub pruned: i64,
    /// Its events by meter: title, sums, and each of them.
    pub meters: Vec<MeterEvents>,
    /// The event after which the next page begins.
    pub next: Option<String>,
    /// Whether these are not the first.
    pub later: bool,
    /// To whom it is mapped.
    pub mapping: Mapping,
    /// Whether whoever looks may map.
    pub may_map: bool,
}

/// What an interaction used of one meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterEvents {
    /// The meter's name.
    pub meter: String,
    /// What people read.
    pub title: String,
    /// How much in all, with its unit.
    pub quantity: String,
    /// What it cost in all.
    pub credits: Credits,
    /// Events of this page that used it.
    pub events: Vec<EventLine>,
}

/// An event of an interaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLine {
    /// `event_12`
    pub event: String,
    /// Its own id.
    pub id: String,
    /// When it happened.
    pub at: Moment,
    /// How much it used, with its unit.
    pub quantity: String,
    /// Whether it failed.
    pub failed: bool,
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
    /// What was done about it, newest first.
    pub history: Vec<MappingNote>,
}

/// One change of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingNote {
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: String,
    /// User and tenant before; empty where there were none.
    pub before: [String; 2],
    /// User and tenant after.
    pub after: [String; 2],
}

/// What came of a form that maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// So many are mapped now, so many were so already, so many lines were not done: which, and why.
    Done(usize, usize, usize, Vec<(u64, String)>),
    /// Nothing was done.
    Refused(String),
}
