//! Kinds of alerts and their figures, in words.

use crate::backend::alerts::FiringRow;
use crate::format;
use crate::message::part_of;
use ledger::alert::{Kind, Per, Scope, Unit};
use ledger::{Credits, Words};

/// A kind by its name: what people choose, and what it is for.
pub(super) const KINDS: [(&str, &str, &str); 14] = [
    ("balance_below", "Balance below an amount", "Fires when what is available falls below so much."),
    (
        "balance_below_share",
        "Balance below a share of the plan",
        "Fires when what is available falls below a share of what the plan gives.",
    ),
    (
        "cycle_usage",
        "Usage of the billing cycle",
        "Fires when usage reaches a share of what the plan gives in the cycle.",
    ),
    ("spend_above", "Spend in an hour, a day or a cycle", "Fires when usage in it reaches so much."),
    (
        "unusual_spend",
        "Unusual spend",
        "Fires when a day is outside of what such a weekday came to in the weeks before.",
    ),
    ("runway_below", "Runway", "Fires when credits will run out within so many days, by forecast."),
    (
        "projected_above",
        "Projected to exceed the plan",
        "Fires when the cycle will take more than a share of the plan, by forecast.",
    ),
    ("grants_expiring", "Credits that expire", "Fires when credits of some worth expire within so many days."),
    ("payment_failed", "A payment failed", "Fires each time a payment fails."),
    ("top_up_failed", "Auto top-up failed or capped", "Fires each time auto top-up could not buy."),
    ("no_usage", "No usage", "Fires when nothing was used for so many hours."),
    ("failed_share", "Failed calls", "Fires when a share of the calls of the last hours failed."),
    ("key_changed", "API key changed", "Fires each time a key is made, rotated or revoked."),
    ("rate_card_changed", "Rate card changed", "Fires each time a version of the rate card is laid down."),
];

/// What people read for a kind.
pub(super) fn title_of(name: &str) -> &'static str {
    KINDS.iter().find(|(known, ..)| *known == name).map_or("Alert", |(_, title, _)| title)
}

/// What it is for.
pub(super) fn about(name: &str) -> &'static str {
    KINDS.iter().find(|(known, ..)| *known == name).map_or("", |(.., about)| about)
}

/// What a rule watches for, as a sentence without its end: "Spend in a day reaches 50 credits".
pub(super) fn sentence(words: &Words, kind: &Kind) -> String {
    let amount = |credits: Credits| format::amount(words, credits);
    match kind {
        Kind::BalanceBelow { amount: of } => format!("Balance below {}", amount(*of)),
        Kind::BalanceBelowShare { percent } => format!("Balance below {percent}% of the plan"),
        Kind::CycleUsage { percent } => format!("Usage of the cycle at {percent}% of the plan"),
        Kind::SpendAbove { amount: of, per } => format!("{} or more in {}", amount(*of), one_of(*per)),
        Kind::UnusualSpend { minimum } => format!("A day unusual by {} or more", amount(*minimum)),
        Kind::RunwayBelow { days } => format!("Credits last less than {}", count(*days, "day", "days")),
        Kind::ProjectedAbove { percent } => format!("The cycle is projected above {percent}% of the plan"),
        Kind::GrantsExpiring { amount: of, days } => {
            format!("{} or more expire within {}", amount(*of), count(*days, "day", "days"))
        }
        Kind::PaymentFailed => "A payment fails".to_owned(),
        Kind::TopUpFailed => "Auto top-up fails or reaches its cap".to_owned(),
        Kind::NoUsage { hours } => format!("Nothing used for {}", count(*hours, "hour", "hours")),
        Kind::FailedShare { percent, hours, calls } => {
            format!("{percent}% of calls fail in {}, of {calls} or more", count(*hours, "hour", "hours"))
        }
        Kind::KeyChanged => "An API key changes".to_owned(),
        Kind::RateCardChanged => "The rate card changes".to_owned(),
    }
}

/// "an hour", "a day", "a billing cycle"
pub(super) fn one_of(per: Per) -> String {
    let article = if per == Per::Hour { "an" } else { "a" };
    format!("{article} {}", per.words())
}

fn count(number: u32, one: &str, many: &str) -> String {
    format::counted(number.into(), one, many)
}

/// What a rule is limited to: "Project chat · Source api"; all usage where it could be and is not, else a dash.
pub(super) fn scope(words: &Words, kind: &Kind, scope: &Scope) -> String {
    if !kind.takes_scope() {
        return "\u{2013}".to_owned();
    }
    part_of(words, scope).unwrap_or_else(|| "All usage".to_owned())
}

/// A figure of a kind: "48.20 credits", "36 h", "12.5%".
pub(super) fn figure(words: &Words, unit: Unit, value: i64) -> String {
    match unit {
        Unit::Credits => format::amount(words, Credits::from_micros(value)),
        Unit::Hours if value == i64::MAX => "years".to_owned(),
        Unit::Hours if value >= 72 => format!("{} days", value / 24),
        Unit::Hours => format!("{value} h"),
        Unit::Share if value % 100 == 0 => format!("{}%", value / 100),
        Unit::Share => format!("{}.{:02}%", value / 100, value % 100),
        Unit::Number => String::new(),
    }
}

/// What a firing says of itself: its figure, or what happened.
pub(super) fn told(words: &Words, row: &FiringRow) -> String {
    let unit = row.kind.unit();
    match unit {
        Unit::Number => row.detail.clone(),
        _ => format!("{}, threshold {}", figure(words, unit, row.value), figure(words, unit, row.threshold)),
    }
}

/// Why nobody was told.
pub(super) fn silence(name: &str) -> &'static str {
    match name {
        "imported" => "not sent: imported usage",
        "muted" => "not sent: muted",
        "snoozed" => "not sent: snoozed",
        _ => "not sent: it held already",
    }
}
