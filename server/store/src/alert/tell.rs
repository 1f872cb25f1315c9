//! What a message about an alert or a budget says.

use super::budget::Budget;
use super::row::AlertRule;
use ledger::alert::Unit;
use ledger::{Credits, FiringId, Stretch};
use serde_json::{Value, json};

/// What fired.
pub(super) struct Told<'t> {
    pub(super) value: i64,
    pub(super) threshold: i64,
    pub(super) detail: &'t str,
}

/// The data of `alert.fired` and `alert.resolved`.
pub(super) fn data(rule: &AlertRule, firing: FiringId, told: &Told<'_>) -> Value {
    let figure = |value: i64| figure(rule.kind.unit(), value);
    json!({
        "rule": rule.id.to_string(),
        "firing": firing.to_string(),
        "kind": rule.kind.as_str(),
        "terms": rule.kind,
        "title": rule.title,
        "value": figure(told.value),
        "threshold": figure(told.threshold),
        "detail": told.detail,
        "scope": rule.scope,
        "url": format!("/alerts/{}", rule.id),
    })
}

/// A figure as its unit is written: credits with six places, hours, percent with two; nothing for what is no figure.
#[must_use]
pub fn figure(unit: Unit, value: i64) -> Option<String> {
    match unit {
        Unit::Credits => Some(Credits::from_micros(value).to_string()),
        Unit::Hours => Some(value.to_string()),
        Unit::Share => Some(format!("{}.{:02}", value / 100, value % 100)),
        Unit::Number => None,
    }
}

/// The data of `budget.warned` and `budget.exceeded`.
pub(super) fn budget_message(budget: &Budget, spent: Credits, period: Stretch) -> Value {
    let terms = &budget.terms;
    json!({
        "budget": budget.id.to_string(),
        "title": terms.title,
        "used": spent.to_string(),
        "limit": terms.amount.to_string(),
        "per": terms.per.as_str(),
        "until": period.to.to_string(),
        "paused": terms.pauses && spent >= terms.amount,
        "scope": { terms.whose.as_str(): terms.id.as_str() },
        "url": format!("/alerts/budgets/{}", budget.id),
    })
}
