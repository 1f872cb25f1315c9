//! What members of an org may do: one table, from which pages, handlers and the explanation for people are made.
//!
//! Who runs the installation (an operator) is another matter: operators give and correct credits and lay down rate cards in
//! every org, whatever they are there. What programs may do is said by the scopes of their keys.

use serde::{Deserialize, Serialize};

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whose the org is.
    Owner,
    /// Who runs it for the owner.
    Admin,
    /// Who buys credits.
    Billing,
    /// Who looks into usage.
    Analyst,
    /// Anybody else.
    Member,
}

impl Role {
    /// All, highest first.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Billing, Self::Analyst, Self::Member];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Billing => "billing",
            Self::Analyst => "analyst",
            Self::Member => "member",
        }
    }

    /// What people read.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Billing => "Billing",
            Self::Analyst => "Analyst",
            Self::Member => "Member",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether it may do that.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        permission.roles().contains(&self)
    }
}

/// One thing that one may do on pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See what was used: Overview, Analytics, events.
    SeeUsage,
    /// See balance, grants, ledger and prices.
    SeeLedger,
    /// Download files.
    Export,
    /// Set up alerts and budgets.
    ManageAlerts,
    /// Buy credits, see invoices, change the plan.
    ManageBilling,
    /// Create, rotate and revoke API keys.
    ManageKeys,
    /// Invite people, change what they are, remove them.
    ManageMembers,
    /// Change name, time zone, words and limits.
    ManageSettings,
    /// See who changed what.
    SeeAudit,
    /// Delete the org.
    DeleteOrg,
}

use Permission as P;
use Role::{Admin, Analyst, Billing, Member, Owner};

/// The table: everybody who may, highest first.
const TABLE: [(Permission, &[Role], &str); 10] = [
    (P::SeeUsage, &[Owner, Admin, Billing, Analyst, Member], "See usage, analytics and events"),
    (P::SeeLedger, &[Owner, Admin, Billing, Analyst, Member], "See balance, grants, ledger and rate card"),
    (P::Export, &[Owner, Admin, Billing, Analyst, Member], "Download usage and ledger as files"),
    (P::ManageAlerts, &[Owner, Admin, Billing, Analyst], "Set up alerts and budgets"),
    (P::ManageBilling, &[Owner, Admin, Billing], "Buy credits, see invoices and change the plan"),
    (P::ManageKeys, &[Owner, Admin], "Create, rotate and revoke API keys"),
    (P::ManageMembers, &[Owner, Admin], "Invite people, change their roles and remove them"),
    (P::ManageSettings, &[Owner, Admin], "Change the organization\u{2019}s settings"),
    (P::SeeAudit, &[Owner, Admin], "See and download the audit log"),
    (P::DeleteOrg, &[Owner], "Delete the organization"),
];

impl Permission {
    /// All, from what most may do to what fewest may.
    pub const ALL: [Self; 10] = {
        let mut all = [P::SeeUsage; 10];
        let mut index = 0;
        while index < all.len() {
            all[index] = TABLE[index].0;
            index += 1;
        }
        all
    };

    fn row(self) -> &'static (Self, &'static [Role], &'static str) {
        // A permission without a row would be nobody's; that there is none is tested.
        const NOBODY: (Permission, &[Role], &str) = (P::DeleteOrg, &[], "");
        TABLE.iter().find(|row| row.0 == self).unwrap_or(&NOBODY)
    }

    /// Who may, highest first.
    #[must_use]
    pub fn roles(self) -> &'static [Role] {
        self.row().1
    }

    /// What it is, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        self.row().2
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeeUsage => "see_usage",
            Self::SeeLedger => "see_ledger",
            Self::Export => "export",
            Self::ManageAlerts => "manage_alerts",
            Self::ManageBilling => "manage_billing",
            Self::ManageKeys => "manage_keys",
            Self::ManageMembers => "manage_members",
            Self::ManageSettings => "manage_settings",
            Self::SeeAudit => "see_audit",
            Self::DeleteOrg => "delete_org",
        }
    }

    /// Who may, as a part of a sentence: `owners and admins`.
    #[must_use]
    pub fn who(self) -> String {
        let plural = |role: &Role| match role {
            Owner => "owners",
            Admin => "admins",
            Billing => "billing",
            Analyst => "analysts",
            Member => "members",
        };
        let names: Vec<&str> = self.roles().iter().map(plural).collect();
        match names.as_slice() {
            [] => "nobody".to_owned(),
            [one] => (*one).to_owned(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        }
    }

    /// What whoever may not is told.
    #[must_use]
    pub fn refusal(self, role: Role) -> String {
        let mut words = self.words().to_owned();
        if let Some(first) = words.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        format!("Only {} may {words}. You are {}: ask one of them.", self.who(), role.with_article())
    }
}

impl Role {
    /// `an admin`
    #[must_use]
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Owner => "an owner",
            Self::Admin => "an admin",
            Self::Billing => "in billing",
            Self::Analyst => "an analyst",
            Self::Member => "a member",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_one_row_and_a_higher_role_may_whatever_a_lower_one_may() {
        for (index, permission) in Permission::ALL.into_iter().enumerate() {
            assert_eq!(TABLE.iter().filter(|row| row.0 == permission).count(), 1, "{permission:?}");
            assert_eq!(Permission::ALL.iter().filter(|other| other.as_str() == permission.as_str()).count(), 1);
            let allowed = permission.roles();
            assert_eq!(allowed, &Role::ALL[..allowed.len()], "{permission:?}");
            assert!(allowed.contains(&Owner) && !permission.words().is_empty());
            assert!(index == 0 || Permission::ALL[index - 1].roles().len() >= allowed.len(), "{permission:?}");
        }
    }

    #[test]
    fn the_table_is_this_one() {
        let line = |role: Role| -> String {
            Permission::ALL.iter().map(|permission| if role.may(*permission) { 'x' } else { '.' }).collect()
        };
        let lines: Vec<String> = Role::ALL.into_iter().map(line).collect();
        assert_eq!(lines, ["xxxxxxxxxx", "xxxxxxxxx.", "xxxxx.....", "xxxx......", "xxx......."]);
    }

    #[test]
    fn whoever_may_not_is_told_who_may() {
        assert_eq!(
            Permission::ManageKeys.refusal(Analyst),
            "Only owners and admins may create, rotate and revoke API keys. You are an analyst: ask one of them."
        );
        assert_eq!(Permission::DeleteOrg.who(), "owners");
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("Owner"), None);
    }
}
