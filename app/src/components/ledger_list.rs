//! The still parts of the Ledger page: its head, its list with filters and pages, the end of the chain.

use super::entries::{EntryLine, entries, whole_hash};
use super::entry_filter::entry_filter;
use crate::format::{capital, noun};
use crate::ledger_view::LedgerView;
use crate::markup::{Markup, button_link, link};
use ledger::{EntrySeq, Words};

/// The page's title, and whose times these are.
#[must_use]
pub fn page_head(zone: &str) -> Markup {
    let zone = Markup::new("p").class("muted").text(&format!("Times in {zone}"));
    Markup::new("div").class("page-head").child(Markup::new("h1").text("Ledger")).child(zone)
}

/// The entries of a view. `older` and `newer` say where other pages begin; `young` is where this server is reached, for an
/// org that was given nothing yet.
#[must_use]
pub fn entry_list(
    view: &LedgerView,
    lines: &[EntryLine],
    older: Option<EntrySeq>,
    newer: Option<Option<EntrySeq>>,
    young: Option<&str>,
    words: &Words,
) -> Markup {
    let csv = view.entries().from_the_newest().at_path("/exports/ledger.csv");
    let csv = Markup::new("a")
        .class("button panel-link")
        .attr("href", &csv)
        .attr("download", "")
        .attr("rel", "external")
        .text("Download CSV");
    let title = Markup::new("h2").attr("id", "entries").text("Entries");
    let head = Markup::new("div").class("panel-head").child(title).child(csv);
    let list = if lines.is_empty() { no_entry(view) } else { entries(lines, view.entry, words) };
    Markup::new("section")
        .class("panel")
        .attr("aria-labelledby", "entries")
        .child(head)
        .child(entry_filter(view))
        .children(young.map(|origin| first_steps(origin, noun(words))))
        .child(list)
        .children(pager(view, older, newer))
}

fn pager(view: &LedgerView, older: Option<EntrySeq>, newer: Option<Option<EntrySeq>>) -> Option<Markup> {
    let link = |rel: &str, text: &str, before: Option<EntrySeq>| {
        let href = LedgerView { before, ..view.from_the_newest() }.href();
        Markup::new("a").class("button").attr("rel", rel).attr("href", &href).text(text)
    };
    let newer = newer.map(|before| link("prev", "Newer", before));
    let older = older.map(|before| link("next", "Older", Some(before)));
    (newer.is_some() || older.is_some()).then(|| {
        Markup::new("nav").class("pager").attr("aria-label", "Pages of entries").children(newer).children(older)
    })
}

fn no_entry(view: &LedgerView) -> Markup {
    let text = if view.is_filtered() { "No entry fits these filters." } else { "There is no entry here." };
    Markup::new("div")
        .class("no-entry")
        .child(Markup::new("p").text(text))
        .child(button_link(&view.instants().href(), "Show all entries"))
}

/// What to do where nothing was given or used yet.
fn first_steps(origin: &str, noun: &str) -> Markup {
    let label = format!("Command that gives {noun}");
    let command = Markup::new("code").text("scrip grant --org NAME --amount 100");
    Markup::new("div")
        .class("no-entry")
        .child(
            Markup::new("p")
                .text(&format!("Nothing was given or used yet. {} come with a grant, on the server:", capital(noun))),
        )
        .child(Markup::new("pre").attr("tabindex", "0").attr("aria-label", &label).child(command))
        .child(
            Markup::new("p")
                .text(&format!("Usage comes with POST {origin}/api/v1/events. "))
                .child(link("/", "The overview has a line to copy.")),
        )
}

/// The last entry of all and its hash.
#[must_use]
pub fn chain_end(last: EntrySeq, hash: &str) -> Markup {
    Markup::new("p")
        .class("chain-end")
        .text(&format!("The chain ends with {last}, hash "))
        .child(whole_hash(hash))
        .text(". Whoever writes it down can tell later whether anything before it was changed.")
}
