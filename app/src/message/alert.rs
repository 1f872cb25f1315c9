//! What alerts and budgets say: what is measured, how it stands beside its threshold, and of which part of usage.
//!
//! The title is what somebody once called the rule. Whoever hears of it has not made it, so the text says the rest by itself.

use super::{Facts, Tone};
use crate::format;
use ledger::alert::Scope;
use ledger::{MessageKind, Words};

/// Hours from which on days are said.
const DAYS_FROM_HOURS: i64 = 72;

/// Tone, title and text.
pub(super) fn alert(kind: MessageKind, facts: &Facts<'_>) -> (Tone, String, String) {
    let title = facts.or("title", "An alert");
    let (used, limit) = (facts.amount("used"), facts.amount("limit"));
    match kind {
        MessageKind::AlertFired => (Tone::Bad, title, limited(facts, stands(facts))),
        MessageKind::AlertResolved => {
            let text = match facts.get("kind").as_deref() {
                Some("no_usage") => "There is usage again.".to_owned(),
                _ => stands(facts),
            };
            (Tone::Good, format!("Resolved: {title}"), limited(facts, text))
        }
        MessageKind::BudgetWarned => {
            let text = format!("{used} of {limit} are used{}.", within(facts));
            (Tone::Mind, format!("Budget nearly used: {title}"), limited(facts, text))
        }
        _ => {
            let paused = if facts.data["paused"] == true { " New work for it is refused." } else { "" };
            let text = format!("{used} of {limit} are used{}.{paused}", within(facts));
            (Tone::Bad, format!("Budget used up: {title}"), limited(facts, text))
        }
    }
}

/// What is measured, and its threshold; of what is told each time, what happened.
fn stands(facts: &Facts<'_>) -> String {
    let kind = facts.get("kind").unwrap_or_default();
    let (Some(value), Some(threshold)) = (facts.get("value"), facts.get("threshold")) else {
        return happened(&kind, facts.get("detail"));
    };
    let terms = &facts.data["terms"];
    let share = match (kind.as_str(), terms["percent"].as_u64()) {
        ("balance_below_share" | "cycle_usage" | "projected_above", Some(percent)) => {
            format!(" ({percent}% of the plan)")
        }
        _ => String::new(),
    };
    let (said, threshold) = match kind.as_str() {
        "runway_below" => {
            let lasts = format!("{} last {} by forecast", format::capital(format::noun(facts.words)), hours(&value));
            (lasts, hours(&threshold))
        }
        "no_usage" => (format!("Nothing was used for {}", hours(&value)), hours(&threshold)),
        "failed_share" => (failed(&value, terms["hours"].as_i64()), percent(&threshold)),
        _ => (amount(&kind, facts, &value), facts.figure(&threshold)),
    };
    format!("{said}; the threshold is {threshold}{share}.")
}

/// What counts credits.
fn amount(kind: &str, facts: &Facts<'_>, value: &str) -> String {
    let (value, terms) = (facts.figure(value), &facts.data["terms"]);
    match kind {
        "balance_below" | "balance_below_share" => format!("{value} can be spent"),
        "cycle_usage" => format!("{value} were used in the billing cycle"),
        "spend_above" => {
            let per = terms["per"].as_str().and_then(ledger::alert::Per::parse);
            per.map_or_else(|| format!("{value} were used"), |per| format!("{value} were used in the {}", per.words()))
        }
        "unusual_spend" => format!("The day is {value} away from what such a weekday comes to"),
        "projected_above" => format!("The billing cycle is projected to take {value}"),
        "grants_expiring" => {
            let days = terms["days"].as_i64();
            let within = days
                .map_or_else(|| "soon".to_owned(), |days| format!("within {}", format::counted(days, "day", "days")));
            format!("{value} expire {within}")
        }
        _ => format!("It is {value}"),
    }
}

fn failed(value: &str, of: Option<i64>) -> String {
    let hours = of.map_or_else(String::new, |of| match of {
        1 => " of the last hour".to_owned(),
        of => format!(" of the last {of} hours"),
    });
    format!("{} of the calls{hours} failed", percent(value))
}

fn happened(kind: &str, detail: Option<String>) -> String {
    let what = match kind {
        "payment_failed" => "A payment failed",
        "top_up_failed" => "Auto top-up could not buy",
        "key_changed" => "An API key changed",
        "rate_card_changed" => "The rate card changed",
        _ => return detail.unwrap_or_default(),
    };
    detail.map_or_else(|| format!("{what}."), |detail| format!("{what} ({detail})."))
}

/// `3.03%`, `1%`
fn percent(text: &str) -> String {
    format!("{}%", text.strip_suffix(".00").unwrap_or(text))
}

/// `36 hours`, `5 days`, `years`
fn hours(text: &str) -> String {
    match text.parse::<i64>() {
        Ok(i64::MAX) => "years".to_owned(),
        Ok(hours) if hours >= DAYS_FROM_HOURS => format::counted(hours / 24, "day", "days"),
        Ok(hours) => format::counted(hours, "hour", "hours"),
        Err(_) => text.to_owned(),
    }
}

/// ` in this billing cycle`
fn within(facts: &Facts<'_>) -> String {
    let per = facts.get("per").and_then(|per| ledger::alert::Per::parse(&per));
    per.map_or_else(String::new, |per| format!(" in this {}", per.words()))
}

/// The text with the part of usage that it is about in front, where it is about a part.
fn limited(facts: &Facts<'_>, text: String) -> String {
    let scope = serde_json::from_value::<Scope>(facts.data["scope"].clone()).unwrap_or_default();
    match part_of(facts.words, &scope) {
        Some(part) => format!("{part}: {text}"),
        None => text,
    }
}

/// A part of usage in the org's words: `Project chat · Source api`; `None` where it is all of it.
#[must_use]
pub fn part_of(words: &Words, scope: &Scope) -> Option<String> {
    let said = |(name, title, value): (&str, &'static str, Option<&str>)| {
        let title = if name == "workflow" { words.workflow.as_str() } else { title };
        value.map(|value| format!("{title} {value}"))
    };
    let parts: Vec<String> = scope.fields().into_iter().filter_map(said).collect();
    (!parts.is_empty()).then(|| parts.join(" \u{b7} "))
}

#[cfg(test)]
mod tests {
    use crate::message::say;
    use ledger::{MessageKind, Words};
    use serde_json::{Value, json};

    fn text(kind: MessageKind, data: &Value) -> String {
        say(kind, data, &Words::default()).text
    }

    #[test]
    fn whoever_has_not_made_the_rule_reads_what_is_measured_of_what_and_in_which_unit() {
        let fired = |terms: Value, value: &str, threshold: &str| {
            let kind = terms["kind"].clone();
            let data = json!({"title": "x", "kind": kind, "terms": terms, "value": value, "threshold": threshold, "scope": {}});
            text(MessageKind::AlertFired, &data)
        };
        let amounts = ("12.400000", "10.000000");
        let of = |terms: Value| fired(terms, amounts.0, amounts.1);
        let all = [
            (
                of(json!({"kind": "balance_below", "amount": "10"})),
                "12.40 credits can be spent; the threshold is 10 credits.",
            ),
            (
                of(json!({"kind": "balance_below_share", "percent": 20})),
                "12.40 credits can be spent; the threshold is 10 credits (20% of the plan).",
            ),
            (
                of(json!({"kind": "cycle_usage", "percent": 50})),
                "12.40 credits were used in the billing cycle; the threshold is 10 credits (50% of the plan).",
            ),
            (
                of(json!({"kind": "spend_above", "amount": "10", "per": "hour"})),
                "12.40 credits were used in the hour; the threshold is 10 credits.",
            ),
            (
                of(json!({"kind": "unusual_spend", "minimum": "10"})),
                "The day is 12.40 credits away from what such a weekday comes to; the threshold is 10 credits.",
            ),
            (
                of(json!({"kind": "projected_above", "percent": 100})),
                "The billing cycle is projected to take 12.40 credits; the threshold is 10 credits (100% of the plan).",
            ),
            (
                of(json!({"kind": "grants_expiring", "amount": "10", "days": 1})),
                "12.40 credits expire within 1 day; the threshold is 10 credits.",
            ),
            (
                fired(json!({"kind": "runway_below", "days": 14}), "60", "336"),
                "Credits last 60 hours by forecast; the threshold is 14 days.",
            ),
            (
                fired(json!({"kind": "no_usage", "hours": 1}), "1", "1"),
                "Nothing was used for 1 hour; the threshold is 1 hour.",
            ),
            (
                fired(json!({"kind": "failed_share", "percent": 1, "hours": 24, "calls": 20}), "3.03", "1.00"),
                "3.03% of the calls of the last 24 hours failed; the threshold is 1%.",
            ),
        ];
        for (said, wanted) in all {
            assert_eq!(said, wanted);
        }
    }

    #[test]
    fn what_happens_each_time_says_what_happened() {
        let fired = |kind: &str, detail: &str| {
            text(MessageKind::AlertFired, &json!({"title": "x", "kind": kind, "detail": detail, "value": null}))
        };
        assert_eq!(fired("key_changed", "Made: key_8"), "An API key changed (Made: key_8).");
        assert_eq!(fired("rate_card_changed", ""), "The rate card changed.");
        assert_eq!(fired("payment_failed", "declined"), "A payment failed (declined).");
        assert_eq!(fired("top_up_failed", "cap reached"), "Auto top-up could not buy (cap reached).");
    }

    #[test]
    fn a_part_of_usage_is_named_and_so_is_the_time_of_a_budget() {
        let data = json!({"title": "x", "kind": "spend_above", "terms": {"kind": "spend_above", "per": "day"}, "value": "2.000000",
            "threshold": "1.000000", "scope": {"project": "chat", "source": "api"}});
        let wanted = "Project chat \u{b7} Source api: 2 credits were used in the day; the threshold is 1 credit.";
        assert_eq!(text(MessageKind::AlertFired, &data), wanted);
        let data =
            json!({"title": "x", "used": "8.000000", "limit": "10.000000", "per": "cycle", "scope": {"user": "ada"}});
        assert_eq!(
            text(MessageKind::BudgetWarned, &data),
            "User ada: 8 credits of 10 credits are used in this billing cycle."
        );
    }

    #[test]
    fn a_part_of_usage_has_the_words_of_the_org() {
        let words = Words { workflow: "Pipeline".to_owned(), ..Words::default() };
        let data = json!({"title": "x", "kind": "key_changed", "scope": {"workflow": "w1"}});
        assert_eq!(say(MessageKind::AlertFired, &data, &words).text, "Pipeline w1: An API key changed.");
    }

    #[test]
    fn usage_that_is_back_is_not_called_none() {
        let data = json!({"title": "x", "kind": "no_usage", "value": "0", "threshold": "24"});
        assert_eq!(text(MessageKind::AlertResolved, &data), "There is usage again.");
    }
}
