//! What messages say to people: in the app, in mails, in Slack and Teams, all by the same words.
//!
//! A message is kept as data, so that receivers can compute with it; its words are made when it is shown, in the words of its org. What
//! the data does not say is left out, so that a message of an older release can still be shown.

mod alert;

pub use alert::part_of;

use crate::format;
use ledger::{Credits, MessageKind, Timestamp, Words};
use serde_json::Value;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something should be done.
    Bad,
    /// Something should be known.
    Mind,
    /// Good news.
    Good,
    /// News.
    Plain,
}

impl Tone {
    /// Its name in classes of CSS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Mind => "mind",
            Self::Good => "good",
            Self::Plain => "plain",
        }
    }
}

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// One line.
    pub title: String,
    /// A sentence or two.
    pub text: String,
    /// Where it leads: a path of this server.
    pub path: String,
    /// How much it matters.
    pub tone: Tone,
}

/// What a message says.
#[must_use]
pub fn say(kind: MessageKind, data: &Value, words: &Words) -> Said {
    let facts = Facts { data, words };
    let (tone, title, text) = match kind {
        MessageKind::BalanceLow | MessageKind::BalanceDepleted | MessageKind::OrgPaused | MessageKind::OrgResumed => {
            balance(kind, &facts)
        }
        MessageKind::GrantCreated | MessageKind::GrantExpiring | MessageKind::GrantExpired => grant(kind, &facts),
        MessageKind::PurchasePaid
        | MessageKind::PurchaseFailed
        | MessageKind::InvoiceCreated
        | MessageKind::InvoicePaid => money(kind, &facts),
        MessageKind::HoldExpired => {
            let amount = facts.amount("amount");
            let text = format!("{} of {amount} ended without being captured or released.", facts.or("hold", "A hold"));
            (Tone::Plain, "A hold ran out".to_owned(), text)
        }
        MessageKind::AlertFired
        | MessageKind::AlertResolved
        | MessageKind::BudgetWarned
        | MessageKind::BudgetExceeded => alert::alert(kind, &facts),
        MessageKind::EndpointDisabled => {
            let why = match facts.get("reason").as_deref() {
                Some("gone") => "It answered that it is gone (410).",
                _ => "Every attempt failed, for five days.",
            };
            let host = facts.or("host", "an endpoint");
            (
                Tone::Bad,
                format!("Webhook to {host} disabled"),
                format!("{why} Nothing is sent there until it is enabled again."),
            )
        }
        MessageKind::EndpointTest => {
            (Tone::Plain, "Test".to_owned(), "This is a test: nothing has happened.".to_owned())
        }
    };
    let path = facts.get("url").filter(|path| path.starts_with('/') && !path.starts_with("//"));
    Said { title, text, path: path.unwrap_or_else(|| "/notifications".to_owned()), tone }
}

fn balance(kind: MessageKind, facts: &Facts<'_>) -> (Tone, String, String) {
    let noun = format::noun(facts.words);
    let left = facts.amount("available");
    let debt = match facts.credits("debt").filter(|debt| debt.is_positive()) {
        Some(debt) => format!(" The next grant repays {} of debt first.", format::short(facts.words, debt)),
        None => String::new(),
    };
    match kind {
        MessageKind::BalanceLow => {
            let limit = facts.amount("limit");
            (
                Tone::Mind,
                format!("Low balance: {left} left"),
                format!("The balance fell to the limit of {limit}.{debt}"),
            )
        }
        MessageKind::BalanceDepleted => {
            let text = format!("Nothing is left to spend. Usage that happens is still recorded.{debt}");
            (Tone::Bad, format!("{} used up", format::capital(noun)), text)
        }
        MessageKind::OrgPaused => {
            let text = format!(
                "New work is refused until there are {noun} again. Usage that happens is still recorded.{debt}"
            );
            (Tone::Bad, format!("Out of {noun}: new work is refused"), text)
        }
        _ => (Tone::Good, "New work is taken again".to_owned(), format!("{left} can be spent.")),
    }
}

fn grant(kind: MessageKind, facts: &Facts<'_>) -> (Tone, String, String) {
    let amount = facts.amount("amount");
    let what = facts.or("kind", "grant");
    match kind {
        MessageKind::GrantCreated => {
            let until = facts.day("expires_at").map_or_else(String::new, |day| format!(" They expire on {day}."));
            let of = facts.get("description").map_or_else(String::new, |text| format!(" for \u{201c}{text}\u{201d}"));
            (Tone::Good, format!("{amount} added"), format!("A grant of kind {what}{of}.{until}"))
        }
        MessageKind::GrantExpiring => {
            let (left, day) = (facts.amount("left"), facts.day("expires_at").unwrap_or_else(|| "soon".to_owned()));
            (
                Tone::Mind,
                format!("{left} expire on {day}"),
                format!("That is what is left of a grant of {amount} ({what})."),
            )
        }
        _ => {
            let lost = facts.amount("expired");
            (Tone::Plain, format!("{lost} expired"), format!("That was left of a grant of {amount} ({what})."))
        }
    }
}

fn money(kind: MessageKind, facts: &Facts<'_>) -> (Tone, String, String) {
    let total = facts.money("total");
    let (title, number) = (facts.or("title", "A purchase"), facts.or("number", "An invoice"));
    match kind {
        MessageKind::PurchasePaid => {
            (Tone::Good, format!("{title} paid"), format!("{total} was paid; {} were added.", facts.amount("credits")))
        }
        MessageKind::PurchaseFailed => {
            let why = facts.get("reason").map_or_else(String::new, |why| format!(" ({})", why.replace('_', " ")));
            (Tone::Bad, format!("Payment failed: {title}"), format!("A payment of {total} did not succeed{why}."))
        }
        MessageKind::InvoiceCreated => {
            let day = facts.day("due_at").map_or_else(String::new, |day| format!(" by {day}"));
            let due = facts.money("due");
            (
                Tone::Plain,
                format!("Invoice {number} issued"),
                format!("{total} in all, of which {due} is to be paid{day}."),
            )
        }
        _ => (Tone::Good, format!("Invoice {number} paid"), format!("{total} was paid in full.")),
    }
}

struct Facts<'a> {
    data: &'a Value,
    words: &'a Words,
}

impl Facts<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.data[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn or(&self, name: &str, words: &str) -> String {
        self.get(name).unwrap_or_else(|| words.to_owned())
    }

    fn credits(&self, name: &str) -> Option<Credits> {
        self.data[name].as_str().and_then(|text| Credits::parse(text).ok())
    }

    /// `12.50 credits`
    fn amount(&self, name: &str) -> String {
        self.credits(name).map_or_else(|| "some".to_owned(), |credits| format::short(self.words, credits))
    }

    /// A value of a rule: an amount where it is written as one, else as it is.
    fn figure(&self, text: &str) -> String {
        let is_amount = text.rsplit_once('.').is_some_and(|(_, decimals)| decimals.len() == 6);
        let amount = Credits::parse(text).ok().filter(|_| is_amount);
        amount.map_or_else(|| text.to_owned(), |credits| format::short(self.words, credits))
    }

    /// `119.00 EUR`
    fn money(&self, name: &str) -> String {
        format!("{} {}", self.or(name, "An amount"), self.or("currency", "")).trim_end().to_owned()
    }

    /// `1 December 2026`
    fn day(&self, name: &str) -> Option<String> {
        let at = Timestamp::parse("time", self.data[name].as_str()?).ok()?.to_chrono()?;
        Some(at.format("%-d %B %Y").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_example_is_said_in_words_and_nothing_of_it_is_missing() {
        let mut lines = Vec::new();
        for kind in MessageKind::ALL {
            let data = serde_json::from_str(kind.example()).expect("JSON");
            let said = say(kind, &data, &Words::default());
            let all = format!("{}. {}", said.title, said.text);
            assert!(!all.contains("some") && !all.contains("An amount") && !all.contains("  "), "{kind:?}: {all}");
            lines.push(all);
        }
        assert_eq!(lines[0], "Low balance: 48.20 credits left. The balance fell to the limit of 50 credits.");
        assert_eq!(
            lines[5],
            "320.50 credits expire on 1 December 2026. That is what is left of a grant of 1,000 credits (promotion)."
        );
        assert_eq!(
            lines[8],
            "Payment failed: 1,000 credits. A payment of 99.00 USD did not succeed (insufficient funds)."
        );
        assert_eq!(lines[12], "Balance below 50. 48.20 credits can be spent; the threshold is 50 credits.");
    }

    #[test]
    fn what_it_leads_to_is_on_this_server() {
        let path = |url: &str| say(MessageKind::AlertFired, &serde_json::json!({ "url": url }), &Words::default()).path;
        assert_eq!(path("/alerts/rule_3"), "/alerts/rule_3");
        for elsewhere in ["https://evil.example", "//evil.example", "javascript:alert(1)", ""] {
            assert_eq!(path(elsewhere), "/notifications", "{elsewhere}");
        }
    }
}
