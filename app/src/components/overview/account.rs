//! Whose account it is.

use super::panel;
use crate::markup::{Markup, fact, text_fact, time};
use crate::server_fns::Moment;

/// What is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The org's name.
    pub org: String,
    /// The email by which whoever looks signs in.
    pub email: String,
    /// What the org subscribed to.
    pub plan: Option<String>,
    /// Since when whoever looks belongs to it.
    pub since: Moment,
    /// IANA name of the org's zone.
    pub zone: String,
}

/// The panel.
#[must_use]
pub fn account(account: &Account) -> Markup {
    let domain = account.email.rsplit_once('@').map_or("\u{2013}", |(_, domain)| domain);
    let since = Markup::new("dd").child(time(&account.since));
    let facts = Markup::new("dl")
        .class("facts")
        .child(text_fact("Organization", &account.org))
        .child(text_fact("Email", &account.email))
        .child(text_fact("Domain", domain))
        .child(text_fact("Plan", account.plan.as_deref().unwrap_or("No plan")))
        .child(fact("Member since", since))
        .child(text_fact("Time zone", &account.zone));
    panel("account", "Account", "").child(facts)
}
