//! Why did it change? The difference to the period compared, in a sentence and a table. Written by the server.

use crate::calendar::{Day, range_text};
use crate::filters;
use crate::format;
use crate::markup::{Markup, amount_bare, number_of, row, signed, signed_bare, span, table};
use crate::view::View;
use ledger::change::{Change, Effects, Row};
use ledger::{Credits, Dimension, Words};

/// Values that are listed; the rest is one line.
const ROWS: usize = 8;

/// The panel.
#[must_use]
pub fn panel(words: &Words, view: &View, change: &Change, before: (Day, Day)) -> Markup {
    let head = Markup::new("div")
        .class("panel-head")
        .child(Markup::new("h2").attr("id", "why-title").text("Why did it change?"));
    let panel = Markup::new("div").child(head).child(sentence(words, change, before));
    if change.rows.is_empty() { panel } else { panel.child(figures(words, view, change)) }
}

/// Credits are exact; where one does not fit, nothing in the ledger does.
fn less(a: Credits, b: Credits) -> Credits {
    a.minus(b).unwrap_or_default()
}

fn sentence(words: &Words, change: &Change, before: (Day, Day)) -> Markup {
    let difference = less(change.after, change.before);
    let than = range_text(before.0, before.1);
    let from_to = format!("{} then, {} now", format::amount(words, change.before), format::amount(words, change.after));
    if difference.is_zero() {
        return Markup::new("p").text(&format!("As much as in {than}: {from_to}."));
    }
    let (how, size) =
        if difference.is_positive() { ("more", difference) } else { ("less", less(Credits::ZERO, difference)) };
    let p = Markup::new("p")
        .child(Markup::new("strong").text(&format!("{} {how} than {than}", format::amount(words, size))));
    if change.before.is_zero() {
        return Markup::new("p")
            .text(&format!("Nothing was charged in {than}; {} now.", format::amount(words, change.after)));
    }
    let Effects { volume, mix, price } = change.effects;
    let used = if volume.is_negative() { "less was used" } else { "more was used" };
    let parts = [(volume, used), (mix, "what was used is another mix"), (price, "prices changed")];
    let mut p = p.text(&format!(" ({from_to})"));
    let mut join = ": ";
    // What is next to nothing beside the others is rounding, or explains nothing: the table has it.
    let size = |amount: Credits| amount.micros().unsigned_abs();
    let least = parts.iter().map(|(amount, _)| size(*amount)).max().unwrap_or_default() / 1_000;
    for (amount, why) in parts.into_iter().filter(|(amount, _)| size(*amount) > least) {
        p = p.text(join).child(signed(words, amount)).text(&format!(" because {why}"));
        join = ", ";
    }
    let p = p.text(".");
    let Some(first) = change.rows.first().filter(|_| change.values > 1) else { return p };
    let most = less(first.after, first.before);
    let title = filters::title(&change.dimension, words).to_lowercase();
    // `None` is a good name in a table, and a puzzling one in a sentence.
    let what = if first.key.as_deref() == Some("") { "usage without one" } else { &first.title };
    p.text(&format!(" By {title}, most of it is {what}: ")).child(signed(words, most)).text(".")
}

fn figures(words: &Words, view: &View, change: &Change) -> Markup {
    let (shown, rest) = change.rows.split_at(change.rows.len().min(ROWS));
    let title = filters::title(&change.dimension, words);
    let heads = [title.as_str(), "Before\t", "Now\t", "Difference\t", "Volume\t", "Mix\t", "Price\t"];
    let lines = shown
        .iter()
        .map(|line| row(name(view, &change.dimension, line), cells(words, line.before, line.after, line.effects)));
    let others = (!rest.is_empty()).then(|| {
        let sum = |amount: fn(&Row) -> Credits| Credits::sum(rest.iter().map(amount)).unwrap_or_default();
        let effects = Effects {
            volume: sum(|line| line.effects.volume),
            mix: sum(|line| line.effects.mix),
            price: sum(|line| line.effects.price),
        };
        let others = span(&format::counted(i64::try_from(rest.len()).unwrap_or(i64::MAX), "other", "others"));
        row(others, cells(words, sum(|line| line.before), sum(|line| line.after), effects))
    });
    let total = row(span("Total"), cells(words, change.before, change.after, change.effects));
    table("table-scroll", "Why it changed, in figures", &heads, lines.chain(others), Some(total))
}

fn cells(words: &Words, before: Credits, after: Credits, effects: Effects) -> Vec<Markup> {
    let plain = |amount| number_of(amount_bare(words, amount));
    let signed = |amount| number_of(signed_bare(words, amount));
    let Effects { volume, mix, price } = effects;
    vec![plain(before), plain(after), signed(less(after, before)), signed(volume), signed(mix), signed(price)]
}

/// A link that filters to the value, where it is one.
fn name(view: &View, dimension: &Dimension, line: &Row) -> Markup {
    let Some(key) = &line.key else { return span(&line.title) };
    let to = match dimension {
        Dimension::Type => view.with_type(Some(key)),
        other => view.with_value(other, key, true),
    };
    Markup::new("a").attr("href", &to.href()).attr("data-noscroll", "").text(&line.title)
}
