//! The rules of Scrip, and nothing else.
//!
//! This crate decides; others carry out. It has no I/O, no async, no SQL, no clock and no randomness, so that the
//! server, the command line and the browser reach the same figures from the same code, and so that every rule can be
//! tested without a database.
//!
//! Read it in this order: the words ([`Credits`], [`Quantity`], [`Timestamp`], [`id`], [`label`]) → what comes in
//! ([`event`]) → what it costs ([`rate`], [`card`]) → who pays ([`grant`], [`drawdown`]) → how it is written down
//! ([`entry`], [`merkle`], [`settle`], [`line_state`]) → where a ledger stands and what is due ([`position`], [`rollover`], [`hold`],
//! [`correction`]) → what is subscribed to ([`plan`], [`subscription`], [`proration`]) → what people are told ([`balance`], [`figures`], [`cube`], [`change`], [`reach`], [`explain`]) → which of them may do what ([`role`]) →
//! what is foretold, watched for and capped ([`forecast`], [`alert`], [`budget`]).
#![deny(clippy::float_arithmetic)]

pub mod alert;
pub mod allocate;
pub mod balance;
pub mod budget;
pub mod canon;
pub mod card;
pub mod card_text;
pub mod change;
pub mod correction;
pub mod credits;
pub mod crossing;
pub mod cube;
pub mod cycle;
pub mod decimal;
pub mod drawdown;
pub mod endpoint;
pub mod entry;
pub mod event;
pub mod explain;
pub mod figures;
pub mod forecast;
pub mod grant;
pub mod hold;
pub mod id;
pub mod invoice;
pub mod label;
pub mod line_state;
pub mod member;
pub mod merkle;
pub mod message;
pub mod money;
pub mod outlook;
pub mod pace;
pub mod package;
pub mod payment;
pub mod plan;
pub mod policy;
pub mod position;
pub mod preview;
pub mod proration;
pub mod quantity;
pub mod rate;
pub mod reach;
pub mod refund;
pub mod refusal;
pub mod remaining;
pub mod role;
pub mod rollover;
pub mod runway;
pub mod saved_view;
pub mod seller;
pub mod settings;
pub mod settle;
pub mod subscription;
pub mod tax;
pub mod time;
pub mod top_up;
pub mod words;

pub use balance::{Balance, OrgState};
pub use card::RateCard;
pub use credits::Credits;
pub use cube::{Cube, Dimension, Facet, Filter, Interval, Slice};
pub use cycle::BillingCycle;
pub use entry::{Account, Entry, EntryKind, Posting};
pub use event::Event;
pub use figures::Figures;
pub use grant::{Grant, GrantKind, Scope};
pub use hold::{Hold, HoldStatus};
pub use id::{
    BudgetId, CycleId, DeliveryId, EndpointId, EntrySeq, EventSeq, FiringId, GrantId, HoldId, InvoiceId, ItemId, KeyId,
    LineNo, MessageId, MethodId, NoticeId, OrgId, PackageId, PaymentId, PlanId, PurchaseId, RateCardVersion, RefundId,
    RuleId, SubscriptionId,
};
pub use label::{Label, Meter};
pub use line_state::{CycleUse, LineStates};
pub use message::MessageKind;
pub use money::{Currency, Money};
pub use outlook::Outlook;
pub use plan::Plan;
pub use policy::Policy;
pub use position::Position;
pub use proration::Stretch;
pub use quantity::Quantity;
pub use rate::{RateLine, Rule};
pub use refusal::Refusal;
pub use role::{Permission, Role};
pub use rollover::Rollover;
pub use settings::{Installation, OrgSettings, Support};
pub use subscription::{Months, Subscription, SubscriptionRefusal};
pub use time::Timestamp;
pub use words::Words;
