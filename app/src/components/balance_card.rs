//! What is left, and whether work may go on.

use super::stat_card::figure;
use crate::format::{noun, short};
use crate::markup::{Markup, amount};
use ledger::{Balance, Credits, OrgState, Words};

/// The available balance and whether work may go on.
#[must_use]
pub fn brief_balance_card(words: &Words, balance: &Balance) -> Markup {
    let (word, class) = match balance.state {
        OrgState::Active => ("Active", "status ok"),
        OrgState::Paused => ("Paused", "status danger"),
    };
    card("Available balance ", "stat balance", word, class).child(figure(words, balance.available))
}

fn card(label: &str, class: &str, word: &str, state: &str) -> Markup {
    let state = Markup::new("span").class(state).text(word);
    Markup::new("div").class(class).child(Markup::new("h2").class("stat-label").text(label).child(state))
}

/// All that is there, with available, held and debt apart, and what to do. It is low at the limit that the org has set.
#[must_use]
pub fn balance_card(words: &Words, balance: &Balance, limit: Option<Credits>) -> Markup {
    let low = limit.filter(|limit| balance.available <= *limit);
    let (word, state, class) = match (balance.state, low) {
        (OrgState::Paused, _) => ("Paused", "status danger", "stat balance low"),
        (OrgState::Active, Some(_)) => ("Low", "status danger", "stat balance low"),
        (OrgState::Active, None) => ("Healthy", "status ok", "stat balance healthy"),
    };
    let remark = match (balance.state, limit) {
        (OrgState::Paused, _) => Some(format!(
            "Nothing is left to spend. Usage is still recorded, new work should wait: whoever runs this server can add \
             {} with \u{201c}scrip grant\u{201d}.",
            noun(words)
        )),
        (OrgState::Active, Some(limit)) if low.is_some() => {
            Some(format!("At or below the low-balance limit of {}: work goes on.", short(words, limit)))
        }
        (OrgState::Active, Some(limit)) => Some(format!("Above the low-balance limit of {}.", short(words, limit))),
        (OrgState::Active, None) => None,
    };
    card("Current balance ", class, word, state)
        .child(figure(words, balance.settled))
        .child(parts(words, balance))
        .children(remark.map(|remark| Markup::new("p").class("stat-remark").text(&remark)))
}

fn parts(words: &Words, balance: &Balance) -> Markup {
    let part = |(label, credits): (&str, Credits)| {
        let label = Markup::new("span").class("muted").text(label);
        Markup::new("span").class("part").child(label).text(" ").child(amount(words, credits))
    };
    let debt = balance.debt.is_positive().then_some(("Debt", balance.debt));
    let all = [("Available", balance.available), ("Held", balance.held)].into_iter().chain(debt);
    Markup::new("p").class("stat-remark").children(all.map(part))
}
