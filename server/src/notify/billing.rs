//! What mails about money say. Each kind of notice has its text here, made of the facts that were put down with it; what a fact does not
//! say is left out, so that a notice of an older release can still be sent.

use chrono::NaiveDate;
use ledger::BillingCycle;
use ledger::payment::Failure;
use serde_json::Value;
use store::Notice;

/// Where a mail comes from.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// What the product is called there.
    pub product: &'a str,
    /// The org it is about.
    pub org: &'a str,
    /// How its credits are called, in the plural.
    pub noun: &'a str,
    /// Where this server is reached.
    pub base_url: &'a str,
}

/// Every kind of notice that there is a text for.
pub const KINDS: [&str; 11] = [
    "invoice_issued",
    "invoice_due",
    "invoice_unpaid",
    "payment_failed",
    "payment_needs_action",
    "payment_late",
    "purchase_paid",
    "purchase_abandoned",
    "top_up_failed",
    "top_up_off",
    "subscription_changed",
];

/// Subject and text of a notice; `None` for a kind that is not known here.
#[must_use]
pub fn letter(notice: &Notice, from: &Sender<'_>) -> Option<(String, String)> {
    let facts = Facts(&notice.facts);
    let (subject, body, path) = match notice.kind.as_str() {
        "invoice_issued" => invoice_issued(&facts),
        "invoice_due" => invoice_due(&facts),
        "invoice_unpaid" => invoice_unpaid(&facts),
        "payment_failed" => payment_failed(&facts),
        "payment_needs_action" => payment_needs_action(&facts),
        "payment_late" => payment_late(&facts, from.noun),
        "purchase_paid" => purchase_paid(&facts, from.noun),
        "purchase_abandoned" => purchase_abandoned(&facts, from.noun),
        "top_up_failed" => top_up_failed(&facts, from.noun),
        "top_up_off" => top_up_off(&facts, from.noun),
        "subscription_changed" => subscription_changed(&facts, from.noun),
        _ => return None,
    };
    let Sender { product, org, base_url, .. } = from;
    let text = format!(
        "{body}\n\n{base_url}{path}\n\nThis is about {org} on {product}. It goes to the address in its billing details, or else to everybody \
         who manages its billing.\n"
    );
    Some((format!("{subject} ({org})"), text))
}

/// What was put down with a notice.
struct Facts<'a>(&'a Value);

impl Facts<'_> {
    fn get(&self, name: &str) -> Option<String> {
        match &self.0[name] {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A value, or these words where there is none.
    fn or(&self, name: &str, words: &str) -> String {
        self.get(name).unwrap_or_else(|| words.to_owned())
    }

    fn is(&self, name: &str) -> bool {
        self.0[name] == Value::Bool(true)
    }

    /// `November 2026`
    fn month(&self) -> String {
        let cycle = self.get("month").as_deref().and_then(BillingCycle::parse);
        let first = cycle.and_then(|cycle| NaiveDate::from_ymd_opt(cycle.year, cycle.month, 1));
        first.map_or_else(|| "the month".to_owned(), |day| day.format("%B %Y").to_string())
    }

    /// `16 December 2026`
    fn day(&self, name: &str) -> String {
        let day = self.get(name).and_then(|text| text.get(..10)?.parse::<NaiveDate>().ok());
        day.map_or_else(|| "its day".to_owned(), |day| day.format("%-d %B %Y").to_string())
    }

    fn number(&self) -> String {
        self.or("number", "an invoice")
    }

    /// Where what was bought, or is owed, stands.
    fn place(&self) -> String {
        match (self.get("invoice"), self.get("purchase")) {
            (Some(invoice), _) => format!("/billing/invoices/{}", prefixed(&invoice, "invoice_")),
            (None, Some(purchase)) => format!("/billing/purchases/{}", prefixed(&purchase, "purchase_")),
            (None, None) => "/billing".to_owned(),
        }
    }

    /// Why a payment failed, as a sentence.
    fn failure(&self) -> &'static str {
        match self.get("failure").as_deref().and_then(Failure::parse) {
            Some(Failure::Declined) => "The card or account was declined.",
            Some(Failure::InsufficientFunds) => "There is not enough money on the card or account.",
            Some(Failure::ExpiredCard) => "The card is past its end.",
            Some(Failure::AuthenticationFailed) => "The bank could not confirm who pays.",
            Some(Failure::AuthenticationRequired) => "The bank wants the payer to confirm it, and nobody was there.",
            Some(Failure::Abandoned) => "It was not completed in time.",
            Some(Failure::ProviderError) | None => "The provider did not take it.",
        }
    }
}

fn prefixed(id: &str, prefix: &str) -> String {
    if id.starts_with(prefix) { id.to_owned() } else { format!("{prefix}{id}") }
}

type Parts = (String, String, String);

fn invoice_issued(facts: &Facts<'_>) -> Parts {
    let (number, month, total) = (facts.number(), facts.month(), facts.or("total", "its amount"));
    let due = match facts.get("due_minor").as_deref() {
        Some("0") => "Nothing of it is left to pay.".to_owned(),
        _ => format!(
            "{} is to be paid by {}. A stored payment method is charged by itself; otherwise pay on the page below, or by transfer as the \
             invoice says.",
            facts.or("due", "It"),
            facts.day("due_on")
        ),
    };
    let text = format!("Invoice {number} for {month} is there: {total} in all.\n\n{due}\n\nPage and PDF:");
    (format!("Invoice {number} for {month}"), text, facts.place())
}

fn invoice_due(facts: &Facts<'_>) -> Parts {
    let (number, due) = (facts.number(), facts.or("due", "its amount"));
    let day = facts.day("due_on");
    let text = format!(
        "Invoice {number} was to be paid by {day}, and {due} has not come yet. If it is on its way, there is nothing to do.\n\nTo pay it now:"
    );
    (format!("Invoice {number} is due"), text, facts.place())
}

fn invoice_unpaid(facts: &Facts<'_>) -> Parts {
    let (number, due) = (facts.number(), facts.or("due", "its amount"));
    let day = facts.day("due_on");
    let then = if facts.is("last") {
        "We do not ask again. Until it is paid the plan gives no new credits."
    } else {
        "Pay it, or store a payment method that can be charged."
    };
    let text = format!("{due} of invoice {number} is still not paid; it was due on {day}. {then}\n\nTo pay it:");
    (format!("Invoice {number} is not paid"), text, facts.place())
}

fn payment_failed(facts: &Facts<'_>) -> Parts {
    let (total, why) = (facts.or("total", "An amount"), facts.failure());
    let what = facts.get("title").map_or_else(|| "an invoice".to_owned(), |title| format!("\"{title}\""));
    let text = format!(
        "{total} for {what} could not be charged. {why} Nothing was taken.\n\nChoose another way to pay, or try again:"
    );
    (format!("A payment of {total} failed"), text, facts.place())
}

fn payment_needs_action(facts: &Facts<'_>) -> Parts {
    let total = facts.or("total", "an amount");
    let text =
        format!("The bank asks you to confirm a payment of {total}. Until then nothing is taken.\n\nTo confirm it:");
    (format!("Confirm a payment of {total}"), text, facts.place())
}

fn payment_late(facts: &Facts<'_>, noun: &str) -> Parts {
    let total = facts.or("total", "an amount");
    let (what, then) = match facts.get("title") {
        Some(title) => {
            (format!("\"{title}\""), format!("The {noun} come when it is certain, and we write to you then."))
        }
        None => ("an invoice".to_owned(), "The invoice is paid when it is certain.".to_owned()),
    };
    let text = format!(
        "A payment of {total} for {what} takes longer than most: the bank or the provider has not said yet whether it is made. \
         {then} There is nothing to do, and it need not be paid a second time.\n\nHow it stands:"
    );
    (format!("A payment of {total} takes longer"), text, facts.place())
}

fn purchase_paid(facts: &Facts<'_>, noun: &str) -> Parts {
    let (total, title) = (facts.or("total", "The amount"), facts.or("title", noun));
    let credits = facts.get("credits").map_or_else(|| format!("The {noun}"), |of| format!("{} {noun}", trimmed(&of)));
    let by = match facts.get("cause").as_deref() {
        Some("top_up") => " Auto top-up bought it, since the balance was below its threshold.",
        _ => "",
    };
    let text = format!("{total} for \"{title}\" is paid. {credits} are there to be used.{by}\n\nReceipt:");
    (format!("Paid: {title}"), text, facts.place())
}

fn purchase_abandoned(facts: &Facts<'_>, noun: &str) -> Parts {
    let (total, title) = (facts.or("total", "The amount"), facts.or("title", noun));
    let text = format!(
        "\"{title}\" was ordered and not paid, so the order is closed. {total} was not taken, and no {noun} were given.\n\nTo order again:"
    );
    (format!("Not bought: {title}"), text, facts.place())
}

fn top_up_failed(facts: &Facts<'_>, noun: &str) -> Parts {
    let why = sentence(facts.or("reason", facts.failure()));
    let text = format!(
        "The balance is below the threshold of auto top-up, and no {noun} could be bought. {why}\n\nWhat it did, and its settings:"
    );
    ("Auto top-up could not buy".to_owned(), text, "/billing/top-up".to_owned())
}

fn top_up_off(facts: &Facts<'_>, noun: &str) -> Parts {
    let why = sentence(facts.or("reason", "Three payments in a row failed."));
    let text = format!(
        "Auto top-up has turned itself off. {why} It buys no more {noun}, and does not turn itself on again.\n\nStore another payment method and \
         turn it on:"
    );
    ("Auto top-up is off".to_owned(), text, "/billing/top-up".to_owned())
}

fn subscription_changed(facts: &Facts<'_>, noun: &str) -> Parts {
    let plan = facts.or("plan", "The plan");
    let day = facts.day("at");
    let (subject, text) = match facts.get("change").as_deref() {
        Some("begun") => (
            format!("Subscribed to {plan}"),
            format!("{plan} is in force since {day}; the {noun} of its first cycle are there."),
        ),
        Some("changed") => (format!("Now {plan}"), format!("{plan} is in force since {day}, as was chosen before.")),
        Some("kept") => {
            (format!("{plan} stays"), format!("{plan} goes on when the cycle ends: what was to come then does not."))
        }
        Some("upgraded") => (
            format!("Upgraded to {plan}"),
            format!("{plan} is in force since {day}; its {noun} for the rest of the cycle are there."),
        ),
        Some("downgraded") => {
            (format!("Changing to {plan}"), format!("{plan} takes over when the cycle ends, on {day}."))
        }
        Some("cancelled") => (
            format!("{plan} is cancelled"),
            format!("{plan} ends with its cycle, on {day}. Until then nothing changes."),
        ),
        Some("resumed") => (format!("{plan} goes on"), format!("{plan} was cancelled and goes on after all.")),
        Some("ended") => {
            (format!("{plan} has ended"), format!("{plan} ended on {day}. What was bought besides stays."))
        }
        Some(_) | None => {
            ("The plan has changed".to_owned(), format!("{plan}: something about the subscription changed on {day}."))
        }
    };
    (subject, format!("{text}\n\nThe plan, and what comes next:"), "/billing".to_owned())
}

/// With its full stop.
fn sentence(mut text: String) -> String {
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

/// A decimal without zeros at its end.
fn trimmed(decimal: &str) -> String {
    match decimal.contains('.') {
        true => decimal.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => decimal.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{NoticeId, OrgId, Timestamp};
    use serde_json::json;
    use std::collections::BTreeSet;

    const FROM: Sender<'_> =
        Sender { product: "Scrip", org: "Acme", noun: "credits", base_url: "https://scrip.example.com" };

    fn written(kind: &str, facts: Value) -> (String, String) {
        let made_at = Timestamp::from_micros(0);
        let notice = Notice { org: OrgId(1), id: NoticeId(1), kind: kind.to_owned(), facts, made_at, to: vec![] };
        letter(&notice, &FROM).expect("a text")
    }

    #[test]
    fn every_kind_has_a_text_that_leads_somewhere_even_without_its_facts() {
        for kind in KINDS {
            let (subject, text) = written(kind, json!({}));
            assert!(!subject.contains('{') && subject.ends_with("(Acme)") && subject.len() < 100, "{subject}");
            assert!(text.contains("https://scrip.example.com/billing") && !text.contains("null"), "{text}");
        }
        let made_at = Timestamp::from_micros(0);
        let unknown =
            Notice { org: OrgId(1), id: NoticeId(1), kind: "else".to_owned(), facts: json!({}), made_at, to: vec![] };
        assert_eq!(letter(&unknown, &FROM), None);
    }

    #[test]
    fn every_change_of_a_subscription_and_every_failure_has_words_of_its_own() {
        let changes =
            ["begun", "upgraded", "downgraded", "changed", "kept", "cancelled", "resumed", "ended", "unknown"];
        let facts = |change: &str| json!({"change": change, "plan": "Standard", "at": "2026-12-01"});
        let texts: BTreeSet<_> = changes.map(|change| written("subscription_changed", facts(change)).1).into();
        assert_eq!(texts.len(), changes.len(), "{texts:?}");
        let failures: BTreeSet<_> =
            Failure::ALL.map(|why| written("payment_failed", json!({"failure": why.as_str()})).1).into();
        assert_eq!(failures.len(), Failure::ALL.len(), "{failures:?}");
    }

    #[test]
    fn a_reason_is_a_sentence_of_its_own() {
        let (_, text) = written("top_up_off", json!({"reason": "3 payments in a row failed"}));
        assert!(text.contains("turned itself off. 3 payments in a row failed. It buys no more"), "{text}");
    }

    #[test]
    fn an_invoice_says_what_is_due_and_until_when() {
        let facts = json!({
            "invoice": 7, "number": "S1-0003", "month": "2026-11", "total": "119.00 EUR", "due": "23.80 EUR", "due_minor": 2380,
            "due_on": "2026-12-16",
        });
        let (subject, text) = written("invoice_issued", facts.clone());
        assert_eq!(subject, "Invoice S1-0003 for November 2026 (Acme)");
        for said in
            ["119.00 EUR in all", "23.80 EUR is to be paid by 16 December 2026", "/billing/invoices/invoice_7\n"]
        {
            assert!(text.contains(said), "{text}");
        }
        let mut paid = facts;
        paid["due_minor"] = 0.into();
        assert!(written("invoice_issued", paid).1.contains("Nothing of it is left to pay."));
    }

    #[test]
    fn credits_that_were_bought_are_named_without_needless_zeros() {
        let facts = json!({"purchase": "purchase_3", "title": "1,000 credits", "total": "11.90 EUR", "credits": "1000.000000", "cause": "top_up"});
        let (_, text) = written("purchase_paid", facts);
        assert!(text.contains("1000 credits are there") && text.contains("Auto top-up bought it"), "{text}");
        assert!(text.contains("/billing/purchases/purchase_3\n"), "{text}");
    }
}
