//! Typed ids: numbers that cannot be mistaken for one another.
//!
//! All but [`OrgId`] and [`KeyId`] count within one org, so that no sequence spans two orgs.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// What its text form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// Reads the text form.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let digits = text.strip_prefix($prefix)?;
                let number: i64 = digits.parse().ok()?;
                (number > 0 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Self(number))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id!(
    /// An organization. Given by the directory of orgs, never reused.
    OrgId, "org_"
);
id!(
    /// A grant, counted within its org.
    GrantId, "grant_"
);
id!(
    /// A hold, counted within its org.
    HoldId, "hold_"
);
id!(
    /// The place of an entry in its org's chain; starts at 1, no gaps.
    EntrySeq, "entry_"
);
id!(
    /// The place of an event in the order in which its org accepted events; starts at 1, no gaps.
    EventSeq, "event_"
);
id!(
    /// A plan that is offered to an org, counted within it.
    PlanId, "plan_"
);
id!(
    /// A package that is offered to an org, counted within it.
    PackageId, "package_"
);
id!(
    /// A subscription, counted within its org.
    SubscriptionId, "subscription_"
);
id!(
    /// A cycle of a subscription, counted within its org.
    CycleId, "cycle_"
);
id!(
    /// An order of credits, counted within its org.
    PurchaseId, "purchase_"
);
id!(
    /// An attempt to be paid, counted within its org.
    PaymentId, "payment_"
);
id!(
    /// A stored payment method, counted within its org.
    MethodId, "method_"
);
id!(
    /// A refund, counted within its org.
    RefundId, "refund_"
);
id!(
    /// An invoice or the draft of one, counted within its org. What people call its number is another.
    InvoiceId, "invoice_"
);
id!(
    /// Something that is to be invoiced, counted within its org.
    ItemId, "item_"
);
id!(
    /// Something that people are to be told, counted within its org.
    NoticeId, "notice_"
);
id!(
    /// A rule of an alert, counted within its org.
    RuleId, "rule_"
);
id!(
    /// That an alert's rule came to hold, counted within its org.
    FiringId, "firing_"
);
id!(
    /// A budget, counted within its org.
    BudgetId, "budget_"
);
id!(
    /// Something that people or other systems hear, counted within its org.
    MessageId, "message_"
);
id!(
    /// Where messages go besides people, counted within its org.
    EndpointId, "endpoint_"
);
id!(
    /// A message on its way to an endpoint, counted within its org.
    DeliveryId, "delivery_"
);
id!(
    /// An API key. Given by the directory of keys, never reused.
    KeyId, "key_"
);
id!(
    /// A version of an org's rate card; starts at 1.
    RateCardVersion, "v"
);
impl RateCardVersion {
    /// Under which captured holds are charged: not a card of the org, but the amount that the capture says
    /// ([`crate::RateCard::of_captures`]).
    pub const CAPTURES: Self = Self(0);
}

id!(
    /// A line of a rate card version, counted from 1 as people do.
    LineNo, "line_"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_strict() {
        assert_eq!(GrantId::parse("grant_12"), Some(GrantId(12)));
        assert_eq!(GrantId(12).to_string(), "grant_12");
        for text in ["12", "grant_", "grant_-1", "grant_+1", "grant_0", "hold_12", "grant_12 "] {
            assert_eq!(GrantId::parse(text), None, "{text:?}");
        }
    }
}
