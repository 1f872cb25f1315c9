//! The ledger's entries: one line each, and behind it the postings. Opened without a script too.

use crate::format;
use crate::ledger_view::{LedgerView, kind_title};
use crate::markup::{Markup, amount, cell, fact, link, number_of, row, signed, span, table, text_fact, time};
use crate::server_fns::Moment;
use ledger::{Credits, EntrySeq, Words};

/// Letters of a hash that are shown where all of it has no place.
const SHORT_HASH: usize = 12;

/// An entry of the list.
#[derive(Debug, Clone)]
pub struct EntryLine {
    /// Its place in the chain.
    pub seq: EntrySeq,
    /// Its kind, by name.
    pub kind: &'static str,
    /// What it is about, in words.
    pub about: String,
    /// The same as text and address, where there is something to look at.
    pub links: Vec<(String, String)>,
    /// When it was booked.
    pub booked: Moment,
    /// When it happened, where that is another time.
    pub happened: Option<Moment>,
    /// Who or what caused it.
    pub cause: String,
    /// Why, in a person's words.
    pub reason: Option<String>,
    /// What the org has more or, below zero, less by it; where nothing came or went, what was moved.
    pub amount: Option<Credits>,
    /// Whether the amount was only moved between the org's own accounts.
    pub moved: bool,
    /// Account, where it is shown, amount, balance after it.
    pub postings: Vec<(String, Option<String>, Credits, Credits)>,
    /// How many more postings there are.
    pub more: usize,
    /// In hexadecimal.
    pub hash: String,
}

/// The list, newest first. `wanted` is the one that was asked for: it is open.
#[must_use]
pub fn entries(lines: &[EntryLine], wanted: Option<EntrySeq>, words: &Words) -> Markup {
    let item = |line: &EntryLine| item(line, wanted == Some(line.seq), words);
    Markup::new("ol").class("entries").children(lines.iter().map(item))
}

fn item(line: &EntryLine, open: bool, words: &Words) -> Markup {
    let id = line.seq.to_string();
    let amount = line.amount.map(|credits| if line.moved { amount(words, credits) } else { signed(words, credits) });
    let amount = amount.unwrap_or_else(|| span("–"));
    let class = if line.moved || line.amount.is_none() { "entry-amount muted" } else { "entry-amount" };
    let part = |class: &str| Markup::new("span").class(class);
    let summary = Markup::new("summary")
        .child(part("entry-time").child(time(&line.booked)))
        .child(part("entry-kind").text(kind_title(line.kind)))
        .child(part("entry-about").text(&line.about))
        .child(part("entry-hash").child(short_hash(&line.hash)))
        .child(part(class).child(amount));
    let facts = Markup::new("dl")
        .class("facts")
        .child(fact("Entry", Markup::new("dd").child(entry_link(line.seq))))
        .children((!line.links.is_empty()).then(|| fact("About", links(&line.links))))
        .child(fact("Booked", Markup::new("dd").child(time(&line.booked))))
        .children(line.happened.as_ref().map(|moment| fact("Happened", Markup::new("dd").child(time(moment)))))
        .child(text_fact("Caused by", &line.cause))
        .children(line.reason.as_ref().map(|reason| text_fact("Reason", reason)))
        .child(fact("Hash", Markup::new("dd").child(whole_hash(&line.hash))));
    let body = Markup::new("div").class("entry-body").child(facts).child(postings(line, words));
    let details = Markup::new("details").maybe_attr("open", open.then_some("")).child(summary).child(body);
    Markup::new("li").attr("id", &id).class("entry").child(details)
}

fn links(links: &[(String, String)]) -> Markup {
    links.iter().fold(Markup::new("dd"), |line, (text, href)| line.child(link(href, text)).text(" "))
}

fn postings(line: &EntryLine, words: &Words) -> Markup {
    if line.postings.is_empty() {
        return Markup::new("p").class("muted").text("It posts nothing: it binds what it says into the chain.");
    }
    let rows = line.postings.iter().map(|(account, href, posted, balance)| {
        let account = href.as_ref().map_or_else(|| span(account), |href| link(href, account));
        row(account, [number_of(signed(words, *posted)), number_of(amount(words, *balance))])
    });
    let sum = Credits::sum(line.postings.iter().map(|posting| posting.2)).ok().filter(|_| line.more == 0);
    let foot = sum.map(|sum| row(span("Sum"), [number_of(amount(words, sum)), cell("")]));
    let rest = (line.more > 0).then(|| {
        let rest = format!("and {} more, all in the CSV", format::counted(count(line.more), "posting", "postings"));
        Markup::new("p").class("muted").text(&rest)
    });
    table("postings", "Postings", &["Account", "Amount\t", "Balance after\t"], rows, foot).children(rest)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A link to an entry.
#[must_use]
pub fn entry_link(entry: EntrySeq) -> Markup {
    link(&LedgerView { entry: Some(entry), ..LedgerView::default() }.href(), &entry.to_string())
}

/// A hash's first letters, all of it on hover.
fn short_hash(hex: &str) -> Markup {
    let short = hex.get(..SHORT_HASH).unwrap_or(hex);
    Markup::new("code").class("hash").attr("title", hex).text(&format!("{short}…"))
}

/// All of a hash.
#[must_use]
pub fn whole_hash(hex: &str) -> Markup {
    Markup::new("code").class("whole-hash").text(hex)
}
