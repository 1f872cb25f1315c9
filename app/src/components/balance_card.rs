//! What is left, and whether work may go on.

use super::banner::More;
use super::stat_card::figure;
use crate::format::{counted, noun, short};
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

/// Without a limit of the org's own, a balance is low that lasts for less than so many days.
const SOON_DAYS: i64 = 7;
/// What marks a card of a balance that is low or gone.
const LOW: &str = "stat balance low";

/// All that is there, with available, held and debt apart, and what to do. It is low at the limit that the org has set, or where
/// it ends soon: `days` is how many whole days it lasts at the present pace. What is low leads to `more`.
#[must_use]
pub fn balance_card(words: &Words, balance: &Balance, limit: Option<Credits>, days: Option<i64>, more: More) -> Markup {
    let ends = days.filter(|days| limit.is_none() && *days < SOON_DAYS);
    let is_low = limit.is_some_and(|limit| balance.available <= limit) || ends.is_some();
    let (word, state, class) = match balance.state {
        OrgState::Paused => ("Paused", "status danger", LOW),
        OrgState::Active if is_low => ("Low", "status danger", LOW),
        OrgState::Active => ("Healthy", "status ok", "stat balance healthy"),
    };
    let remark = match (balance.state, limit, ends) {
        (OrgState::Paused, ..) => {
            Some("Nothing is left to spend. Usage is still recorded, new work is refused.".to_owned())
        }
        (OrgState::Active, Some(limit), _) if is_low => {
            Some(format!("At or below the low-balance limit of {}: work goes on.", short(words, limit)))
        }
        (OrgState::Active, Some(limit), _) => Some(format!("Above the low-balance limit of {}.", short(words, limit))),
        (OrgState::Active, None, Some(0)) => Some("At this pace it ends within a day.".to_owned()),
        (OrgState::Active, None, Some(days)) => {
            Some(format!("At this pace it ends in {}.", counted(days, "day", "days")))
        }
        (OrgState::Active, None, None) => None,
    };
    card("Current balance ", class, word, state)
        .child(figure(words, balance.settled))
        .child(parts(words, balance))
        .children(remark.map(|remark| Markup::new("p").class("stat-remark").text(&remark)))
        .children((class == LOW).then(|| remedy(noun(words), more)))
}

/// The way to more, in the words of whoever may go it.
fn remedy(noun: &str, more: More) -> Markup {
    let remark = Markup::new("p").class("stat-remark");
    if more == More::Ask {
        return remark.text(&format!("Owners and those who manage billing can buy {noun}."));
    }
    let (href, text) = more.link(noun);
    remark.child(Markup::new("a").class("panel-link").attr("href", href).attr("rel", "external").text(&text))
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
