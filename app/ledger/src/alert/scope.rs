//! What part of usage a rule is about.

use crate::event::Event;
use crate::label::{Label, Meter};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// A part of usage: all that is said must fit; what is not said fits everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Of this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Label>,
    /// Of this workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Label>,
    /// From this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Label>,
    /// Of this credit type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub meter: Option<Meter>,
    /// On behalf of this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Label>,
    /// On behalf of this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Label>,
}

/// A member of a scope: its name on the wire, its title, its value.
pub type Field<'s> = (&'static str, &'static str, Option<&'s str>);

impl Scope {
    /// Whether nothing is left out.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it asks for what only events themselves, and wide usage, tell apart.
    #[must_use]
    pub const fn is_wide(&self) -> bool {
        self.workflow.is_some() || self.is_owned()
    }

    /// Whether it asks on whose behalf something was used, which can be said after the fact.
    #[must_use]
    pub const fn is_owned(&self) -> bool {
        self.user.is_some() || self.tenant.is_some()
    }

    /// Its members in the order in which people read them.
    #[must_use]
    pub fn fields(&self) -> [Field<'_>; 6] {
        [
            ("project", "Project", self.project.as_ref().map(Label::as_str)),
            ("workflow", "Workflow", self.workflow.as_ref().map(Label::as_str)),
            ("source", "Source", self.source.as_ref().map(Label::as_str)),
            ("type", "Credit type", self.meter.as_ref().map(Meter::as_str)),
            ("user", "User", self.user.as_ref().map(Label::as_str)),
            ("tenant", "Tenant", self.tenant.as_ref().map(Label::as_str)),
        ]
    }

    /// Checks names that were read without being parsed.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`].
    pub fn check(&self) -> Result<(), Refusal> {
        let labels = [
            ("project", &self.project),
            ("workflow", &self.workflow),
            ("source", &self.source),
            ("user", &self.user),
            ("tenant", &self.tenant),
        ];
        labels.into_iter().try_for_each(|(field, label)| label.as_ref().map_or(Ok(()), |label| label.check(field)))
    }

    /// Whether an event may count, whatever its credit types; `owner` is for whom it counts, which may have been said apart.
    #[must_use]
    pub fn fits(&self, event: &Event, owner: Owner<'_>) -> bool {
        let is = |asked: &Option<Label>, said: Option<&Label>| asked.as_ref().is_none_or(|asked| said == Some(asked));
        is(&self.source, Some(&event.source))
            && is(&self.project, event.project.as_ref().map(|place| &place.id))
            && is(&self.workflow, event.workflow.as_ref().map(|place| &place.id))
            && is(&self.user, owner.user)
            && is(&self.tenant, owner.tenant)
    }

    /// Whether a credit type counts.
    #[must_use]
    pub fn fits_meter(&self, meter: &Meter) -> bool {
        self.meter.as_ref().is_none_or(|asked| asked == meter)
    }
}

/// For whom an event counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Owner<'o> {
    /// The user.
    pub user: Option<&'o Label>,
    /// The tenant.
    pub tenant: Option<&'o Label>,
}
