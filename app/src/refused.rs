//! Why a form was not taken, in the form's own words. The address of the page carries only the code, so that nobody can
//! make it say something else.

use crate::format::noun;
use ledger::Words;

/// The sentence for a code, in the words of the org.
#[must_use]
pub fn sentence(code: &str, words: &Words) -> String {
    let noun = noun(words);
    match code {
        "expiry_before_effect" => format!("The {noun} would expire before they take effect. Choose a later expiry."),
        "bad_rollover" => format!(
            "Only a plan\u{2019}s {noun} that expire can roll over: in percent from 1 to 100 or as an amount above zero, for 1 \
             to 120 months or for ever."
        ),
        _ => plain(code).to_owned(),
    }
}

/// Those that name no credits.
fn plain(code: &str) -> &'static str {
    match code {
        "bad_amount" => {
            "The amount must be a number such as 12.5, with at most six decimals and no thousands separators."
        }
        "amount_overflow" => "The amount is beyond what the ledger can hold. Split it.",
        "grant_not_positive" => "The amount must be above zero.",
        "adjustment_is_zero" => "The amount must be above or below zero.",
        "adjustment_too_large" => "Less is left than should be taken. Take less.",
        "missing_reason" => "Say why: an adjustment needs a reason.",
        "bad_label" => "The text is empty, too long, or holds characters that cannot be kept.",
        "bad_meter" => "One of the credit types is unknown.",
        "bad_kind" => "Choose a kind.",
        "bad_priority" => "The priority must be a whole number from \u{2212}32768 to 32767.",
        "bad_time" => "A time is not complete: give day, hour and minute.",
        "time_out_of_range" => "A time must be between the years 2000 and 2200.",
        "skipped_time" => "This time does not exist: the clocks go forward over it. Choose another.",
        "bad_cost" => "The cost must be a number such as 50.00, not below zero.",
        "bad_currency" => "The currency must be an ISO 4217 code such as EUR.",
        "scope_names_nothing" => "One of the projects is unknown: no usage has named it yet.",
        "too_many" => "This is more than one grant, or one organization, can have.",
        "unknown_grant" => "There is no such grant.",
        "grant_for_giving" => "A grant can be chosen for taking only: what is given becomes a grant of its own.",
        "bad_key_terms" => "Choose at least one scope. A key of one project can have only events:write and usage:read.",
        "operator_scope" => {
            "Only operators, who run this server, may make or rotate keys that give credits: ledger:write and admin."
        }
        "bad_project" => "The project must be an id as events name it: up to 200 characters that can be printed.",
        "bad_days" => "A key ends after 1 to 3650 days, or never.",
        "bad_overlap" => "The old key can go on for 0 to 168 hours.",
        "unknown_key" => "There is no such key.",
        "key_ended" => "This key has ended, or was rotated already. Create a new one.",
        "key_shown_before" => {
            "This form was sent before: its key was made then, and is not shown again. If it is lost, revoke it and create another."
        }
        "idempotency_conflict" | "stale_form" => {
            "This form was sent before, or was open for too long. See below whether it was booked; to do it now, send it again."
        }
        _ => "This was not taken. Check what is typed and send it again.",
    }
}

/// The field that a code is about; none where it is about all of them.
#[must_use]
pub fn field(code: &str) -> &'static str {
    match code {
        "bad_amount" | "amount_overflow" | "grant_not_positive" | "adjustment_is_zero" | "adjustment_too_large" => {
            "amount"
        }
        "missing_reason" => "reason",
        "bad_label" => "description",
        "bad_project" => "project",
        "bad_days" => "days",
        "bad_kind" => "kind",
        "bad_priority" => "priority",
        "expiry_before_effect" => "expires_at",
        "bad_rollover" => "cap",
        "bad_cost" => "cost",
        "bad_currency" => "currency",
        "scope_names_nothing" => "projects",
        "unknown_grant" | "grant_for_giving" => "from",
        _ => "",
    }
}
