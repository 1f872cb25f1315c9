//! What a plan says, in words.

use crate::calendar::Day;
use crate::format;
use crate::markup::Markup;
use ledger::rollover::Cap;
use ledger::{Money, Plan, Policy, Words};

/// Address of the page of the plan.
pub(super) const PLAN: &str = "/billing/plan";

/// What a whole cycle gives.
pub(super) fn credits(words: &Words, plan: &Plan) -> String {
    plan.credits.map_or_else(|| "By agreement".to_owned(), |credits| format::short(words, credits))
}

/// What a whole cycle costs.
pub(super) fn price(plan: &Plan) -> String {
    match plan.price {
        Some(price) if price.minor == 0 => "Free".to_owned(),
        Some(price) => format!("{} a month", format::money(price)),
        None if plan.by_agreement => "By agreement".to_owned(),
        None => "Nothing is invoiced".to_owned(),
    }
}

/// What becomes of the unused rest.
pub(super) fn rollover(words: &Words, plan: &Plan) -> String {
    let Some(terms) = plan.rollover else { return "What is unused expires with the cycle".to_owned() };
    let what = match terms.cap {
        None => "What is unused".to_owned(),
        Some(Cap::Percent(percent)) => format!("Up to {percent}% of a cycle"),
        Some(Cap::Credits(cap)) => format!("Up to {}", format::short(words, cap)),
    };
    match terms.months {
        Some(months) => {
            let months = format::counted(i64::from(months), "month", "months");
            format!("{what} rolls over for {months}")
        }
        None => format!("{what} rolls over and never expires"),
    }
}

/// What happens when credits run out.
pub(super) fn policy(words: &Words, policy: Policy) -> String {
    match policy {
        Policy::Pause => "New work waits when nothing is left".to_owned(),
        Policy::FinishInFlight { limit } => {
            format!("Running work may end, up to {} of debt", format::short(words, limit))
        }
        Policy::Overdraft { limit } => format!("Work goes on, up to {} of debt", format::short(words, limit)),
    }
}

/// How long details of events are kept.
pub(super) fn retention(plan: &Plan) -> Option<String> {
    plan.retention_days.map(|days| format!("Details are kept for {}", format::counted(i64::from(days), "day", "days")))
}

/// All that is not in its title, as a list.
pub(super) fn list(words: &Words, plan: &Plan) -> Markup {
    let lines = [Some(rollover(words, plan)), Some(policy(words, plan.policy)), retention(plan)];
    Markup::new("ul")
        .class("plan-terms")
        .children(lines.into_iter().flatten().map(|line| Markup::new("li").text(&line)))
}

/// A day.
pub(super) fn day(day: Day) -> Markup {
    Markup::new("time").attr("datetime", &day.iso()).text(&day.medium())
}

/// A link to a page that stands still.
pub(super) fn external(href: &str, text: &str) -> Markup {
    Markup::new("a").attr("href", href).attr("rel", "external").text(text)
}

/// The same as a button.
pub(super) fn go(href: &str, text: &str, primary: bool) -> Markup {
    let class = if primary { "button primary" } else { "button" };
    Markup::new("a").class(class).attr("href", href).attr("rel", "external").text(text)
}

/// A panel with its title.
pub(super) fn panel(id: &'static str, title: &str) -> Markup {
    let head = Markup::new("div").class("panel-head").child(Markup::new("h2").attr("id", id).text(title));
    Markup::new("section").class("panel").attr("aria-labelledby", id).child(head)
}

/// A row of a sum.
pub(super) fn sum_row(name: &str, money: Money) -> Markup {
    Markup::new("tr")
        .child(Markup::new("th").attr("scope", "row").text(name))
        .child(Markup::new("td").class("number").text(&format::money(money)))
}

/// The sentence for a code of a form.
pub(super) fn told(code: &str) -> &'static str {
    match code {
        "plan_not_offered" => "This plan is not offered any more. Choose another.",
        "plan_by_agreement" => "This plan is agreed on with whoever runs the service. Ask them.",
        "nothing_agreed" => "Say how many credits a month were agreed on.",
        "already_subscribed" => "There is a subscription already. Change its plan instead.",
        "not_subscribed" => "There is no subscription any more. Choose a plan first.",
        "plan_unchanged" => "This is the plan already. Nothing was changed.",
        "already_cancelled" => "The subscription ends with its cycle already. Nothing was changed.",
        "not_cancelled" => "The subscription was not cancelled. Nothing was changed.",
        "payment_method_needed" => "Store a payment method first: the plan is paid with it each month.",
        "invoice_unpaid" => "An invoice is unpaid. Pay it first, then choose another plan.",
        "price_moved" => "A new cycle or another plan has begun meanwhile. Look at what it costs now, then confirm.",
        "bad_amount" => "The credits must be a number above zero such as 5000.",
        "bad_price" => "Give the price with its currency, such as 490.00 EUR.",
        "stale_form" => "This form is too old. Look at it again, then confirm.",
        _ => "This was not done. Look at it again.",
    }
}
