//! Levels of detail: the same usage, with dimensions left out that a question does not ask about.
//!
//! A view of workflows over a quarter reads rows per day and workflow, not those of every user in every quarter of an hour. Credit
//! types, sources, projects and status are in all of them.

use super::segment::{ATTRIBUTES, Fact, Key, QUARTER, TENANT, USER, WORKFLOW};

/// How much a segment tells apart. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Everything, by quarters of an hour.
    Quarters = 0,
    /// Everything, by days of the org's zone.
    Day = 1,
    /// No facet but the status, by days.
    Status = 2,
    /// Workflows, by days.
    Workflow = 3,
    /// Users, by days.
    User = 4,
    /// Tenants, by days.
    Tenant = 5,
    /// Attributes, by days.
    Attributes = 6,
    /// No facet but the status, by quarters of an hour.
    StatusQuarters = 7,
}

/// The columns that a level may leave out.
const FACETS: [usize; 4] = [WORKFLOW, USER, TENANT, ATTRIBUTES];

impl Level {
    pub(crate) const ALL: [Self; 8] = [
        Self::Quarters,
        Self::Day,
        Self::Status,
        Self::Workflow,
        Self::User,
        Self::Tenant,
        Self::Attributes,
        Self::StatusQuarters,
    ];

    /// The least detailed one that knows these columns; `by_day` where whole days of the org's zone will do.
    pub(crate) fn knowing(columns: &[usize], by_day: bool) -> Self {
        let mut asked = FACETS.into_iter().filter(|facet| columns.contains(facet));
        match (by_day, asked.next(), asked.next()) {
            (false, None, _) => Self::StatusQuarters,
            (false, ..) => Self::Quarters,
            (true, None, _) => Self::Status,
            (true, Some(WORKFLOW), None) => Self::Workflow,
            (true, Some(USER), None) => Self::User,
            (true, Some(TENANT), None) => Self::Tenant,
            (true, Some(ATTRIBUTES), None) => Self::Attributes,
            (true, Some(_), _) => Self::Day,
        }
    }

    /// The columns it keeps of [`FACETS`].
    const fn keeps(self, facet: usize) -> bool {
        match self {
            Self::Quarters | Self::Day => true,
            Self::Status | Self::StatusQuarters => false,
            Self::Workflow => facet == WORKFLOW,
            Self::User => facet == USER,
            Self::Tenant => facet == TENANT,
            Self::Attributes => facet == ATTRIBUTES,
        }
    }

    /// Rows of one day, which begins with the quarter `first`, as this level has them.
    pub(crate) fn of(self, facts: &[Fact], first: i64) -> Vec<Fact> {
        let key = |key: &Key| {
            let mut key = *key;
            FACETS.into_iter().filter(|facet| !self.keeps(*facet)).for_each(|facet| key[facet] = 0);
            if !matches!(self, Self::Quarters | Self::StatusQuarters) {
                key[QUARTER] = first;
            }
            key
        };
        facts.iter().map(|fact| Fact { key: key(&fact.key), ..fact.clone() }).collect()
    }
}
