//! What people and other systems hear of an org: the kinds of messages, their words, and an example of what each says.
//!
//! Amounts in a message are decimal strings of six places, instants RFC 3339, ids text. A kind keeps its name for ever: receivers
//! compare it.

mod example;

use crate::role::{Permission, Role};
use serde::{Deserialize, Serialize};

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// The balance fell to the org's limit or below.
    BalanceLow,
    /// Nothing is left.
    BalanceDepleted,
    /// New work is refused.
    OrgPaused,
    /// New work is taken again.
    OrgResumed,
    /// Credits were given.
    GrantCreated,
    /// Credits expire within days.
    GrantExpiring,
    /// Credits expired.
    GrantExpired,
    /// A purchase was paid.
    PurchasePaid,
    /// A payment of a purchase failed.
    PurchaseFailed,
    /// An invoice was issued.
    InvoiceCreated,
    /// An invoice was paid.
    InvoicePaid,
    /// A hold ended without being captured or released.
    HoldExpired,
    /// An alert's rule came to hold.
    AlertFired,
    /// It holds no more.
    AlertResolved,
    /// A budget comes to its end.
    BudgetWarned,
    /// A budget is used up.
    BudgetExceeded,
    /// Nothing is sent to an endpoint any more.
    EndpointDisabled,
    /// Somebody tries an endpoint.
    EndpointTest,
}

use MessageKind as K;

/// Names and words, in the order in which people choose among them.
const TABLE: [(MessageKind, &str, &str, &str); 18] = [
    (K::BalanceLow, "balance.low", "Balance low", "The balance fell to the organization\u{2019}s limit, or below."),
    (K::BalanceDepleted, "balance.depleted", "Balance used up", "Nothing is left to spend."),
    (K::OrgPaused, "org.paused", "Paused", "New work is refused until there are credits again."),
    (K::OrgResumed, "org.resumed", "Resumed", "New work is taken again."),
    (K::GrantCreated, "grant.created", "Credits given", "Credits came: a plan\u{2019}s, bought, or given."),
    (K::GrantExpiring, "grant.expiring", "Credits expire soon", "Unused credits expire within seven days."),
    (K::GrantExpired, "grant.expired", "Credits expired", "Unused credits expired."),
    (K::PurchasePaid, "purchase.paid", "Purchase paid", "A purchase was paid and its credits given."),
    (K::PurchaseFailed, "purchase.failed", "Payment failed", "A payment of a purchase failed."),
    (K::InvoiceCreated, "invoice.created", "Invoice issued", "An invoice was issued."),
    (K::InvoicePaid, "invoice.paid", "Invoice paid", "An invoice was paid in full."),
    (K::HoldExpired, "hold.expired", "Hold expired", "A hold ended without being captured or released."),
    (K::AlertFired, "alert.fired", "Alert", "What an alert\u{2019}s rule watches for has come to be."),
    (K::AlertResolved, "alert.resolved", "Alert resolved", "What an alert told of is over."),
    (K::BudgetWarned, "budget.warned", "Budget nearly used", "A budget comes to its end."),
    (K::BudgetExceeded, "budget.exceeded", "Budget used up", "A budget is used up."),
    (
        K::EndpointDisabled,
        "endpoint.disabled",
        "Webhook disabled",
        "An endpoint said that it is gone, or failed for days.",
    ),
    (K::EndpointTest, "endpoint.test", "Test", "Somebody tries whether an endpoint receives what is sent."),
];

impl MessageKind {
    /// All, in the order in which people choose among them.
    pub const ALL: [Self; 18] = {
        let mut all = [K::BalanceLow; 18];
        let mut index = 0;
        while index < all.len() {
            all[index] = TABLE[index].0;
            index += 1;
        }
        all
    };

    const fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        // In the order of the variants, as a test checks.
        &TABLE[self as usize]
    }

    /// Its name in tables and on the wire: `balance.low`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().1
    }

    /// What people read.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    /// When it is sent, as a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        self.row().3
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether endpoints can subscribe to it; a test goes to the endpoint that is tried and nowhere else.
    #[must_use]
    pub fn is_offered(self) -> bool {
        self != Self::EndpointTest
    }

    /// What its `data` looks like, as JSON.
    #[must_use]
    pub const fn example(self) -> &'static str {
        example::data(self)
    }

    /// Who hears of it where nobody chose: who, in the app, by mail. What an alert or a budget says goes to whom its rule names, and about
    /// purchases and invoices there are letters already.
    #[must_use]
    pub fn audience(self) -> Audience {
        let whoever = |permission: Permission, mail| {
            let may = |role: &Role| role.may(permission);
            Audience { roles: Role::ALL.into_iter().filter(may).collect(), in_app: true, mail }
        };
        match self {
            Self::BalanceLow | Self::BalanceDepleted | Self::OrgPaused | Self::GrantExpiring => {
                whoever(Permission::ManageBilling, true)
            }
            Self::EndpointDisabled => whoever(Permission::ManageSettings, true),
            Self::OrgResumed
            | Self::GrantCreated
            | Self::GrantExpired
            | Self::PurchasePaid
            | Self::PurchaseFailed
            | Self::InvoiceCreated
            | Self::InvoicePaid => whoever(Permission::ManageBilling, false),
            Self::HoldExpired
            | Self::AlertFired
            | Self::AlertResolved
            | Self::BudgetWarned
            | Self::BudgetExceeded
            | Self::EndpointTest => Audience { roles: Vec::new(), in_app: false, mail: false },
        }
    }
}

/// Who hears of a message by what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Everybody who is one of these.
    pub roles: Vec<Role>,
    /// Whether the app shows it.
    pub in_app: bool,
    /// Whether a mail is sent.
    pub mail: bool,
}

impl Serialize for MessageKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MessageKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("there is no kind of message {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_one_row_in_its_place_and_is_read_back() {
        for (place, kind) in MessageKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place, "{kind:?}");
            assert_eq!(MessageKind::parse(kind.as_str()), Some(kind));
            assert!(!kind.title().is_empty() && kind.words().ends_with('.'));
        }
        assert_eq!(MessageKind::parse("balance.high"), None);
        assert_eq!(serde_json::from_str::<MessageKind>("\"grant.created\"").ok(), Some(MessageKind::GrantCreated));
        assert!(serde_json::from_str::<MessageKind>("\"*\"").is_err());
    }

    #[test]
    fn each_example_is_an_object() {
        for kind in MessageKind::ALL {
            let example: serde_json::Value = serde_json::from_str(kind.example()).expect("an example is JSON");
            assert!(example.as_object().is_some_and(|members| !members.is_empty()), "{kind:?}");
        }
    }
}
