//! By what usage is told apart.

use serde::{Deserialize, Serialize};

/// What begins the name of an attribute as a dimension: `attribute.region`.
const ATTRIBUTE: &str = "attribute.";

/// What an event may say besides its credit types, source and project. A cube knows at most one of them: all at once would be
/// nearly as many cells as events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Facet {
    /// Which workflow.
    Workflow,
    /// Which of the customer's users.
    User,
    /// Which of the customer's tenants.
    Tenant,
    /// `succeeded` or `failed`.
    Status,
    /// The attribute of that name.
    Attribute(String),
}

impl Facet {
    /// The one of that name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "workflow" => Some(Self::Workflow),
            "user" => Some(Self::User),
            "tenant" => Some(Self::Tenant),
            "status" => Some(Self::Status),
            _ => text
                .strip_prefix(ATTRIBUTE)
                .filter(|name| !name.is_empty())
                .map(|name| Self::Attribute(name.to_owned())),
        }
    }

    /// Its name on the wire.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Workflow => "workflow".to_owned(),
            Self::User => "user".to_owned(),
            Self::Tenant => "tenant".to_owned(),
            Self::Status => "status".to_owned(),
            Self::Attribute(name) => format!("{ATTRIBUTE}{name}"),
        }
    }

    /// What usage is called that does not say it.
    #[must_use]
    pub fn unsaid(&self) -> String {
        match self {
            // What people call a workflow is theirs to say.
            Self::Workflow => "None".to_owned(),
            Self::User => "No user".to_owned(),
            Self::Tenant => "No tenant".to_owned(),
            Self::Status => "No status".to_owned(),
            Self::Attribute(name) => format!("No {name}"),
        }
    }
}

/// By what usage is told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Dimension {
    /// Credit type.
    Type,
    /// Source.
    Source,
    /// Project.
    Project,
    /// What else events say.
    Facet(Facet),
}

impl Dimension {
    /// Those that every cube knows.
    pub const BASE: [Self; 3] = [Self::Type, Self::Source, Self::Project];

    /// The dimension of that name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "type" => Some(Self::Type),
            "source" => Some(Self::Source),
            "project" => Some(Self::Project),
            _ => Facet::parse(text).map(Self::Facet),
        }
    }

    /// Its name on the wire.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Type => "type".to_owned(),
            Self::Source => "source".to_owned(),
            Self::Project => "project".to_owned(),
            Self::Facet(facet) => facet.name(),
        }
    }

    /// The facet, where it is one.
    #[must_use]
    pub const fn facet(&self) -> Option<&Facet> {
        match self {
            Self::Type | Self::Source | Self::Project => None,
            Self::Facet(facet) => Some(facet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in
            ["type", "source", "project", "workflow", "user", "tenant", "status", "attribute.region", "attribute.a.b"]
        {
            assert_eq!(Dimension::parse(name).map(|d| d.name()).as_deref(), Some(name));
        }
        assert_eq!([Dimension::parse("attribute."), Dimension::parse("module")], [None, None]);
    }
}
