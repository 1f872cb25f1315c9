//! Views of usage that people keep under a name, and who may do what with them.

use crate::label::check_text;
use crate::refusal::Refusal;
use crate::role::{Permission, Role};
use std::fmt;

/// Views that one person keeps in an org: a menu lists them all.
pub const MAX_VIEWS: i64 = 100;
/// Longest name in characters: it is a line of a menu.
pub const MAX_NAME_CHARS: usize = 60;
/// Longest query string of a view in bytes: what an address of the page can have.
pub const MAX_QUERY_BYTES: usize = 4_096;

/// The name of a saved view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewName(String);

impl ViewName {
    /// What somebody typed, without spaces around it.
    ///
    /// # Errors
    /// [`Refusal::BadLabel`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let chars = text.chars().count();
        if chars > MAX_NAME_CHARS {
            let problem = format!("has {chars} characters; at most {MAX_NAME_CHARS} are kept");
            return Err(Refusal::BadLabel { field: "name", problem });
        }
        check_text("name", text, MAX_NAME_CHARS * 4)?;
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ViewName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether somebody may delete a view: their own, and what somebody else shares with the org if they run it.
#[must_use]
pub fn may_delete(role: Role, is_own: bool, is_shared: bool) -> bool {
    is_own || is_shared && role.may(Permission::ManageSettings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_line_that_people_can_read() {
        assert_eq!(ViewName::parse("  Exports, EU ").map(|name| name.to_string()), Ok("Exports, EU".to_owned()));
        assert!(ViewName::parse(&"ü".repeat(60)).is_ok());
        for text in ["", "  ", "a\nb", "a\u{202E}b", "a\u{200B}b", &"x".repeat(61)] {
            assert!(matches!(ViewName::parse(text), Err(Refusal::BadLabel { field: "name", .. })), "{text:?}");
        }
    }

    #[test]
    fn what_is_shared_can_be_cleared_away_by_those_who_run_the_org() {
        assert!(may_delete(Role::Member, true, false) && may_delete(Role::Admin, false, true));
        assert!(!may_delete(Role::Analyst, false, true) && !may_delete(Role::Owner, false, false));
    }
}
