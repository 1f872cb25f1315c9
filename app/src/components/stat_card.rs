//! One figure and what it means.

use crate::format;
use crate::markup::{Markup, amount, amount_bare};
use ledger::words::UnitPosition;
use ledger::{Credits, Words};

/// Letters from which a large figure is written smaller, so that it stays on one line of a phone.
const LONG: usize = 14;

/// A figure in credits with its label above and a remark below.
#[must_use]
pub fn stat_card(words: &Words, label: &str, credits: Credits, remark: &str) -> Markup {
    Markup::new("div")
        .class("stat")
        .child(Markup::new("h2").class("stat-label").text(label))
        .child(figure(words, credits))
        .child(Markup::new("p").class("stat-remark").text(remark))
}

/// An amount that is a figure by itself: a word for its unit is smaller than its digits.
#[must_use]
pub fn figure(words: &Words, credits: Credits) -> Markup {
    let long = format::bare(words, credits).len() > LONG;
    let figure = Markup::new("p").class(if long { "stat-figure long" } else { "stat-figure" });
    match words.unit_position {
        UnitPosition::After => {
            let unit = Markup::new("span").class("stat-unit").text(&words.unit);
            figure.child(amount_bare(words, credits)).text(" ").child(unit)
        }
        UnitPosition::Before => figure.child(amount(words, credits)),
    }
}
