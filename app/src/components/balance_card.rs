//! What is left, and whether work may go on.

use super::stat_card::figure;
use crate::format::{noun, short};
use crate::markup::{Markup, amount};
use ledger::{Balance, Credits, OrgState, Words};

/// The available balance and whether work may go on.
#[must_use]
pub fn brief_balance_card(words: &Words, balance: &Balance) -> Markup {
    card(words, balance, false)
}

fn card(words: &Words, balance: &Balance, low: bool) -> Markup {
    let (word, class) = match balance.state {
        OrgState::Active if low => ("Low", "status warn"),
        OrgState::Active => ("Active", "status ok"),
        OrgState::Paused => ("Paused", "status danger"),
    };
    let state = Markup::new("span").class(class).text(word);
    Markup::new("div")
        .class("stat balance")
        .child(Markup::new("h2").class("stat-label").text("Available balance ").child(state))
        .child(figure(words, balance.available))
}

/// The same, with held and debt apart where there are any, and what to do. It is low at the limit that the org has set.
#[must_use]
pub fn balance_card(words: &Words, balance: &Balance, limit: Option<Credits>) -> Markup {
    let paused = || {
        let noun = noun(words);
        Markup::new("p").class("stat-remark").text(&format!(
            "Nothing is left to spend. Usage is still recorded, new work should wait: whoever runs this server can add \
             {noun} with \u{201c}scrip grant\u{201d}."
        ))
    };
    let limit = limit.filter(|limit| balance.available <= *limit);
    let low = |limit| {
        let text = format!("At or below the low-balance limit of {}: work goes on.", short(words, limit));
        Markup::new("p").class("stat-remark").text(&text)
    };
    let remark = if balance.state == OrgState::Paused { Some(paused()) } else { limit.map(low) };
    card(words, balance, limit.is_some()).child(parts(words, balance)).children(remark)
}

fn parts(words: &Words, balance: &Balance) -> Markup {
    let parts = Markup::new("p").class("stat-remark");
    if !balance.held.is_positive() && !balance.debt.is_positive() {
        return parts.text("Nothing held, no debt");
    }
    let part = |(label, credits): (&str, Credits)| {
        let label = Markup::new("span").class("muted").text(label);
        Markup::new("span").class("part").child(label).text(" ").child(amount(words, credits))
    };
    let apart =
        [("Held", balance.held), ("Debt", balance.debt)].into_iter().filter(|(_, credits)| credits.is_positive());
    parts.children(apart.chain([("Settled", balance.settled)]).map(part))
}
