//! That the event is in the ledger as it is shown here, and that it cost what it had to: checked by the browser, with the
//! ledger's own code.

use super::entries::{entry_link, whole_hash};
use super::still::Still;
use crate::explain;
use crate::markup::{Markup, fact, text_fact};
use crate::proof::Evidence;
use crate::server_fns::event::ChargeReason;
use crate::words;
use ledger::canon::hex;
use leptos::prelude::*;

/// Once there is one: what was found, or what does not fit.
type Verdict = RwSignal<Option<Result<String, String>>>;

/// The verdicts, and the hashes that the first one follows from.
#[component]
pub fn ProofPanel(
    /// What the page shows of the event.
    evidence: Evidence,
    /// Why its charges are what they are, as the server says.
    reasons: Vec<ChargeReason>,
) -> impl IntoView {
    let words = words::current();
    let entry = evidence.entry.seq;
    let hash = hex(&evidence.entry.hash);
    let short = hash.get(..12).unwrap_or_default().to_owned();
    let hashes = hashes(&evidence, &hash);
    let (place, price) = (Verdict::new(None), Verdict::new(None));
    // After hydration only: a check that the server made of its own figures would say nothing.
    Effect::new(move |_| {
        let found =
            evidence.check().map(|()| format!("Checked in your browser: this event is in {entry}, hash {short}…"));
        place.set(Some(found.map_err(|misfit| format!("This does not fit: {misfit}"))));
        let equal = explain::check(&evidence.event, &evidence.charges, &reasons, &words);
        let equal = equal.map(|()| "Computed again in your browser: what it cost, and why, is equal.".to_owned());
        price.set(Some(equal.map_err(|difference| format!("The explanation does not fit: {difference}"))));
    });
    view! {
        <section class="panel" aria-labelledby="proof">
            <div class="panel-head"><h2 id="proof">"Proof"</h2></div>
            {shown(place, "Your browser checks this itself as soon as scripts run.")}
            {shown(price, "It also computes again what each quantity cost, and why.")}
            {Still(hashes)}
        </section>
    }
}

fn shown(verdict: Verdict, waiting: &'static str) -> impl IntoView {
    let sentence = move || match verdict.get() {
        None => waiting.to_owned(),
        Some(Ok(found)) => found,
        Some(Err(wrong)) => format!("{wrong}. Do not rely on this page, and tell whoever runs this server."),
    };
    let class = move || match verdict.get() {
        None => "verdict",
        Some(Ok(_)) => "verdict ok",
        Some(Err(_)) => "verdict danger",
    };
    view! { <p class=class role="status">{sentence}</p> }
}

fn hashes(evidence: &Evidence, hash: &str) -> Markup {
    let root = evidence.entry.draft.kind.settles().map(|(_, _, root)| hex(root)).unwrap_or_default();
    let in_full = |hex: &str| Markup::new("dd").child(whole_hash(hex));
    let end = Markup::new("dd").text(&format!("{}, ", evidence.head.seq)).child(whole_hash(&hex(&evidence.head.hash)));
    let place = format!("event {} of {}", evidence.proof.index + 1, evidence.proof.size);
    let facts = Markup::new("dl")
        .class("facts")
        .child(fact("Entry", Markup::new("dd").child(entry_link(evidence.entry.seq))))
        .child(text_fact("Place in it", &place))
        .child(fact("Root over its events", in_full(&root)))
        .child(fact("Hash of the entry", in_full(hash)))
        .child(fact("Hash before it", in_full(&hex(&evidence.previous))))
        .child(fact("End of the chain", end));
    let help = Markup::new("p")
        .class("proof-help")
        .text(
            "Computed from the figures on this page: what was said, what was charged, the entry with its postings; the \
             explanation from the line of the rate card as it is shown. Titles, names of places and who paid are not part of it. \
             Without scripts, or with a program of your own: ",
        )
        .child(Markup::new("code").text(&format!("GET /api/v1/ledger/proof/{}", evidence.seq)));
    Markup::new("div").child(help).child(facts)
}
