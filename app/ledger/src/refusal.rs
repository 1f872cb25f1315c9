//! Why something is refused: one enum, a stable code for programs, a sentence for people that says what to do.

use crate::credits::Credits;
use crate::decimal::DecimalError;
use crate::id::RateCardVersion;

/// A rule said no. `Display` is the sentence; [`Refusal::code`] is the stable name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An amount is not a decimal with at most six decimals.
    #[error("the amount {reason}: send it as a decimal string such as \"12.5\"")]
    BadAmount {
        /// What is wrong with it.
        reason: DecimalError,
    },
    /// An amount or a sum of amounts is beyond what an `i64` of micro-credits holds.
    #[error("the amount, or what it adds up to with what is there, is beyond 9223372036854.775807: send less")]
    AmountOverflow,
    /// A quantity is not a decimal with at most six decimals.
    #[error("the quantity {reason}: send a number such as 12 or 12.5, in a unit of which six decimals are enough")]
    BadQuantity {
        /// What is wrong with it.
        reason: DecimalError,
    },
    /// A quantity is below zero.
    #[error("the quantity is negative: to take usage back, correct the event instead")]
    NegativeQuantity,
    /// A quantity is above 10^15.
    #[error("the quantity is above 1000000000000000: check its unit")]
    QuantityTooLarge,
    /// A number beside the quantities is none, or out of its range.
    #[error("{field} must be a number from 0 to {max} with at most {decimals} decimals")]
    BadNumber {
        /// Where it stood.
        field: &'static str,
        /// The largest that is taken.
        max: i128,
        /// How many decimals it may have.
        decimals: u32,
    },
    /// `data.credits` is not a decimal from 0 on with at most twelve decimals.
    #[error("data.credits {reason}: send the credits consumed as a decimal such as \"0.25\", not below zero")]
    BadReportedCredits {
        /// What is wrong with it.
        reason: DecimalError,
    },
    /// The zone of an org in which something was used.
    #[error("the time zone cannot change any more: days, billing cycles and tiers have been counted by it")]
    ZoneInUse,
    /// A label is empty, too long or unprintable.
    #[error("{field} {problem}")]
    BadLabel {
        /// Where it stood.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Not a name that a meter can have.
    #[error(
        "\"{name}\" cannot be a meter: use lower-case letters, digits, '_', '-' and '.', starting with a letter, at most 64"
    )]
    BadMeter {
        /// The name, cut and cleaned.
        name: String,
    },
    /// A time is not RFC 3339.
    #[error("{field} is not an RFC 3339 time such as 2026-11-21T08:15:30Z")]
    BadTime {
        /// Where it stood.
        field: &'static str,
    },
    /// A time is before 2000 or more than an hour ahead.
    #[error("the time is before the year 2000 or more than an hour in the future: check the clock and the unit")]
    TimeOutOfRange,
    /// Not readable as an event at all.
    #[error("not a usage event: {problem}")]
    BadEvent {
        /// What is wrong, from the reader of the text.
        problem: String,
    },
    /// An attribute that must be there is not.
    #[error("{field} is missing")]
    MissingField {
        /// Which.
        field: &'static str,
    },
    /// `data` holds something that Scrip would not look at.
    #[error("{problem}: remove it, or put it under data.attributes")]
    UnknownField {
        /// Which, and what is known.
        problem: String,
    },
    /// Two statements of one event contradict each other.
    #[error("{problem}")]
    Contradiction {
        /// Which.
        problem: &'static str,
    },
    /// More quantities or attributes than one event may carry.
    #[error("{field} has more than {max} members: split the event")]
    TooMany {
        /// Which.
        field: &'static str,
        /// How many are taken.
        max: usize,
    },
    /// No line of the rate card names the meter.
    #[error("the rate card has no meter \"{meter}\": {known}")]
    UnknownMeter {
        /// The meter.
        meter: String,
        /// The meters there are, as a sentence.
        known: String,
    },
    /// The meter is known, but no line matches this source and these attributes.
    #[error(
        "no rate of \"{meter}\" matches the source \"{from}\": add a line to the rate card, `free` if it costs nothing"
    )]
    NoRate {
        /// The meter.
        meter: String,
        /// The event's source.
        from: String,
    },
    /// The line charges what the event reports, and the event reports nothing.
    #[error("\"{meter}\" charges what the event reports: send data.credits")]
    CreditsNotReported {
        /// The meter.
        meter: String,
    },
    /// The event reports credits, and the line does not use them.
    #[error("\"{meter}\" is charged by the rate card: leave data.credits out")]
    CreditsNotExpected {
        /// The meter.
        meter: String,
    },
    /// Same org, source and id as an earlier event, other content.
    #[error("an event with this source and id was accepted with other content: give the new one its own id")]
    EventConflict,
    /// An id that a captured hold will have.
    #[error("ids such as hold_12 belong to captured holds: give the event another")]
    ReservedId,
    /// A grant of nothing or less.
    #[error("a grant must be above zero")]
    GrantNotPositive,
    /// A grant that ends before it begins.
    #[error("the grant would expire before it takes effect: set expires_at after effective_at")]
    ExpiryBeforeEffect,
    /// Terms of a rollover that make no sense.
    #[error("rollover: {problem}")]
    BadRollover {
        /// What to change.
        problem: &'static str,
    },
    /// A cost below zero.
    #[error("what was paid cannot be below zero")]
    BadCost,
    /// An org can only be deleted by who holds all of it.
    #[error("export the organization first, to the end: an export of the last seven days is needed")]
    ExportFirst,
    /// Not an ISO 4217 code.
    #[error("the currency must be an ISO 4217 code in capitals, such as EUR")]
    BadCurrency,
    /// A scope that would never match anything.
    #[error("scope: {problem}")]
    ScopeNamesNothing {
        /// What to change.
        problem: String,
    },
    /// A grant that is not there, or that nothing can be taken from or given to.
    #[error("there is no such grant in this organization: GET /api/v1/grants lists them")]
    UnknownGrant,
    /// No such policy, or a limit that does not belong to it.
    #[error("choose pause (without a limit), or finish_in_flight or overdraft with a limit above zero")]
    BadPolicy,
    /// Nothing covers it.
    #[error("{needed} credits are needed and {covered} can be used for this: buy credits, or wait for the next cycle")]
    InsufficientCredits {
        /// What was asked for.
        needed: Credits,
        /// What can be used for it: grants of fitting scope, and debt as far as the policy lets it.
        covered: Credits,
    },
    /// A rule of an alert that cannot be.
    #[error("{problem}")]
    BadAlert {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A budget that cannot be.
    #[error("{problem}")]
    BadBudget {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A budget that pauses is used up, or would be.
    #[error("{told}")]
    BudgetExceeded {
        /// Which, what is left of it, and what was asked for.
        told: String,
    },
    /// A hold of nothing or less.
    #[error("the amount must be above zero")]
    HoldNotPositive,
    /// A capture of nothing or less.
    #[error("a capture must be above zero: release the hold instead")]
    CaptureNotPositive,
    /// A hold that would last no time or too long.
    #[error("expires_in_s must be 1 to 2678400 (31 days): extend the hold later if work takes longer")]
    BadHoldTime,
    /// Too many holds at once.
    #[error("10000 holds are pending already: capture or release some")]
    TooManyHolds,
    /// The hold was captured before.
    #[error("this hold was captured already: nothing was posted")]
    HoldCaptured,
    /// The hold was released before.
    #[error("this hold was released already: nothing was posted")]
    HoldReleased,
    /// The hold's time ran out.
    #[error("this hold expired, and what it reserved was given back: create a new one")]
    HoldExpired,
    /// An extension that would not make it last longer.
    #[error("the hold lasts longer than that already: choose a larger expires_in_s")]
    HoldNotExtended,
    /// A correction without a reason.
    #[error("say why: a correction needs a reason")]
    MissingReason,
    /// The event was taken back before.
    #[error("this event was voided already: nothing was posted")]
    AlreadyVoided,
    /// An adjustment of nothing.
    #[error("an adjustment must be above or below zero")]
    AdjustmentIsZero,
    /// Less is there than should be taken.
    #[error("only {available} credits can be taken: take less")]
    AdjustmentTooLarge {
        /// What is there.
        available: Credits,
    },
    /// The key was used for something else before.
    #[error("this Idempotency-Key was used with another request: choose a new key")]
    IdempotencyConflict,
    /// A time to read at that cannot be.
    #[error("as_known_at is in the future: nobody knows yet what will be known then")]
    NotKnownYet,
    /// Another version of the rate card was laid down meanwhile.
    #[error("the rate card is at {newest} by now: look at it, then put yours with `replaces` set to that")]
    RateCardChanged {
        /// The newest version there is.
        newest: RateCardVersion,
    },
    /// A rate card whose lines take too much room.
    #[error("the lines of the rate card take more than {max} bytes as JSON: use fewer lines, or shorter names")]
    RateCardTooLong {
        /// How many are kept.
        max: usize,
    },
    /// A rate card of no lines.
    #[error("a rate card without lines would refuse all usage: write at least one; `export: free` charges nothing")]
    EmptyRateCard,
    /// A rate card that would count for what is rated already.
    #[error("a rate card takes effect now or later: what was rated stays as it was")]
    EffectiveInThePast,
    /// A rate card for a time that nobody can plan.
    #[error("a rate card takes effect within ten years: choose an earlier time")]
    EffectiveTooFar,
    /// As many versions as are kept.
    #[error("this organization has 1000 versions of its rate card, and no more are kept")]
    TooManyVersions,
    /// An org would be nobody's.
    #[error("an organization has an owner: make somebody else an owner first")]
    LastOwner,
    /// Making, changing or removing an owner, by somebody who is none.
    #[error("only owners may make, change or remove owners: ask one of them")]
    OwnersOnly,
    /// An API key that was revoked, has expired, or has been replaced already.
    #[error("this key has ended, or was rotated already: create a new one")]
    KeyEnded,
    /// An API key for nothing, or for more than a key can be for.
    #[error("{problem}")]
    BadKey {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A rate card line that cannot be used.
    #[error("line {line}: {problem}")]
    BadRateLine {
        /// Counted from 1.
        line: usize,
        /// What to change.
        problem: String,
    },
}

impl Refusal {
    /// The stable code that programs compare. Never renamed, never reused.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadAmount { .. } => "bad_amount",
            Self::AmountOverflow => "amount_overflow",
            Self::BadQuantity { .. } => "bad_quantity",
            Self::NegativeQuantity => "negative_quantity",
            Self::QuantityTooLarge => "quantity_too_large",
            Self::BadNumber { .. } => "bad_number",
            Self::BadReportedCredits { .. } => "bad_reported_credits",
            Self::ZoneInUse => "zone_in_use",
            Self::BadLabel { .. } => "bad_label",
            Self::BadMeter { .. } => "bad_meter",
            Self::BadTime { .. } => "bad_time",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::BadEvent { .. } => "bad_event",
            Self::MissingField { .. } => "missing_field",
            Self::UnknownField { .. } => "unknown_field",
            Self::Contradiction { .. } => "contradiction",
            Self::TooMany { .. } => "too_many",
            Self::UnknownMeter { .. } => "unknown_meter",
            Self::NoRate { .. } => "no_rate",
            Self::CreditsNotReported { .. } => "credits_not_reported",
            Self::CreditsNotExpected { .. } => "credits_not_expected",
            Self::EventConflict => "event_conflict",
            Self::ReservedId => "reserved_id",
            Self::GrantNotPositive => "grant_not_positive",
            Self::ExpiryBeforeEffect => "expiry_before_effect",
            Self::BadRollover { .. } => "bad_rollover",
            Self::BadCost => "bad_cost",
            Self::ExportFirst => "export_first",
            Self::BadCurrency => "bad_currency",
            Self::ScopeNamesNothing { .. } => "scope_names_nothing",
            Self::UnknownGrant => "unknown_grant",
            Self::BadPolicy => "bad_policy",
            Self::InsufficientCredits { .. } => "insufficient_credits",
            Self::BadAlert { .. } => "bad_alert",
            Self::BadBudget { .. } => "bad_budget",
            Self::BudgetExceeded { .. } => "budget_exceeded",
            Self::HoldNotPositive => "hold_not_positive",
            Self::CaptureNotPositive => "capture_not_positive",
            Self::BadHoldTime => "bad_hold_time",
            Self::TooManyHolds => "too_many_holds",
            Self::HoldCaptured => "hold_captured",
            Self::HoldReleased => "hold_released",
            Self::HoldExpired => "hold_expired",
            Self::HoldNotExtended => "hold_not_extended",
            Self::MissingReason => "missing_reason",
            Self::AlreadyVoided => "already_voided",
            Self::AdjustmentIsZero => "adjustment_is_zero",
            Self::AdjustmentTooLarge { .. } => "adjustment_too_large",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::NotKnownYet => "not_known_yet",
            Self::RateCardChanged { .. } => "rate_card_changed",
            Self::RateCardTooLong { .. } => "rate_card_too_long",
            Self::EmptyRateCard => "empty_rate_card",
            Self::EffectiveInThePast => "effective_in_the_past",
            Self::EffectiveTooFar => "effective_too_far",
            Self::TooManyVersions => "too_many_versions",
            Self::LastOwner => "last_owner",
            Self::OwnersOnly => "owners_only",
            Self::KeyEnded => "key_ended",
            Self::BadKey { .. } => "bad_key_terms",
            Self::BadRateLine { .. } => "bad_rate_line",
        }
    }
}
