//! Why a charge is what it is, as the event's page says it: written on the server, and again in the browser to compare.
//!
//! Both write it from the line's text, the usage and what was carried, with the ledger's own code; what is compared is what
//! people read. Nothing that the server computed goes into the second writing.

use crate::format;
use crate::markup::{Markup, Step, cell, fact, number, number_of, row, span, table, text_fact};
use crate::server_fns::event::ChargeReason;
use ledger::explain::{Explanation, Part, explain};
use ledger::settle::Charge;
use ledger::{Credits, Event, RateCardVersion, Words, card_text};

/// What the page says of a charge. `line` is the text of the line that it was rated by.
#[must_use]
pub fn told(line: &str, charge: &Charge, why: &Explanation, words: &Words) -> Markup {
    let rate = match charge.version {
        RateCardVersion::CAPTURES => Markup::new("dd").text("What the capture of the hold said"),
        version => {
            let place = format!(" (line {} of version {})", charge.line.0, version.0);
            let place = Markup::new("span").class("muted").text(&place);
            Markup::new("dd").child(Markup::new("code").text(line)).child(place)
        }
    };
    let arithmetic = Markup::new("dd").child(Markup::new("code").text(&why.arithmetic));
    let parts = (!why.parts.is_empty()).then(|| parts(charge, why, words));
    let tiers = why.tiers.as_ref().map(|[before, after]| text_fact("Tiers", &format!("{before} → {after}")));
    let carried = match &why.carry_before {
        before if *before == why.carry_after => before.clone(),
        before => format!("{before} → {}", why.carry_after),
    };
    Markup::new("dl")
        .class("facts")
        .child(fact("Rate", rate))
        .child(fact("Arithmetic", arithmetic))
        .children(parts)
        .children(tiers)
        .child(text_fact("Carried", &carried))
}

fn parts(charge: &Charge, why: &Explanation, words: &Words) -> Markup {
    let unit = format::unit_head(words) + "\t";
    let part = |part: &Part| row(span(&part.name), [cell(&part.arithmetic), number(&part.credits)]);
    let charged = number_of(span(&format::credits(charge.credits, ledger::credits::DECIMALS)));
    let foot = row(span("Charged"), [cell(""), charged]);
    let rows = why.parts.iter().map(part);
    let table = table("parts", "Parts of the price", &["Part", "Arithmetic", &unit], rows, Some(foot));
    // Wider than a value beside its label.
    Markup::new("div").class("wide").child(Markup::new("dt").text("Made of")).child(Markup::new("dd").child(table))
}

/// Explains every charge of an event again and compares it with what is said.
///
/// # Errors
/// The first difference, in words.
pub fn check(event: &Event, charges: &[Charge], reasons: &[ChargeReason], words: &Words) -> Result<(), String> {
    if charges.len() != reasons.len() {
        return Err("not every charge is explained".to_owned());
    }
    let mut pairs = charges.iter().zip(reasons);
    pairs.try_for_each(|(charge, reason)| {
        again(event, charge, reason, words).map_err(|difference| format!("{}: {difference}", reason.title))
    })
}

fn again(event: &Event, charge: &Charge, reason: &ChargeReason, words: &Words) -> Result<(), String> {
    let line = card_text::parse(&reason.line).ok().and_then(|mut lines| lines.pop());
    let line = line.filter(|line| line.meter == charge.meter && line.matches(event));
    let why = line.and_then(|line| explain(&line, event.usage(charge.quantity), charge).ok());
    let why = why.ok_or("the line is not one that charges this usage")?;
    let equal = |said: &str, computed: &str| {
        let differs =
            || format!("the server says \u{201c}{said}\u{201d}, your browser computes \u{201c}{computed}\u{201d}");
        if said == computed { Ok(()) } else { Err(differs()) }
    };
    let amount = |credits| format::in_full(words, credits);
    equal(&amount(charge.credits), &amount(why.credits))?;
    let computed = told(&reason.line, charge, &why, words);
    let mut steps = reason.said.steps().zip(computed.steps());
    steps.try_for_each(|(said, computed)| equal(words_of(said), words_of(computed)))?;
    if reason.said != computed {
        return Err("the server says more or less than your browser computes".to_owned());
    }
    let paid = Credits::sum(reason.paid.iter().map(|(_, part)| *part)).unwrap_or_default();
    equal(&amount(paid), &amount(charge.credits))
}

const fn words_of<'m>(step: Step<'m>) -> &'m str {
    match step {
        Step::Open(text) | Step::Attribute(_, text) | Step::Text(text) => text,
        Step::Drawing(_) | Step::Close => "",
    }
}

#[cfg(test)]
mod tests;
