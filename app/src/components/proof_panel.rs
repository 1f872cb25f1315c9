//! That the event is in the ledger as it is shown here: checked by the browser, with the ledger's own code.

use super::entries::{entry_link, whole_hash};
use super::still::Still;
use crate::markup::{Markup, fact, text_fact};
use crate::proof::{Evidence, Misfit};
use ledger::canon::hex;
use leptos::prelude::*;

/// The verdict, and the hashes that it follows from.
#[component]
pub fn ProofPanel(
    /// What the page shows of the event.
    evidence: Evidence,
) -> impl IntoView {
    let entry = evidence.entry.seq;
    let hash = hex(&evidence.entry.hash);
    let short = hash.get(..12).unwrap_or_default().to_owned();
    let hashes = hashes(&evidence, &hash);
    let verdict = RwSignal::new(None::<Result<(), Misfit>>);
    // After hydration only: a check that the server made of its own figures would say nothing.
    Effect::new(move |_| verdict.set(Some(evidence.check())));
    let sentence = move || match verdict.get() {
        None => "Your browser checks this itself as soon as scripts run.".to_owned(),
        Some(Ok(())) => format!("Checked in your browser: this event is in {entry}, hash {short}…"),
        Some(Err(misfit)) => {
            format!("This does not fit: {misfit}. Do not rely on this page, and tell whoever runs this server.")
        }
    };
    let class = move || match verdict.get() {
        None => "verdict",
        Some(Ok(())) => "verdict ok",
        Some(Err(_)) => "verdict danger",
    };
    view! {
        <section class="panel" aria-labelledby="proof">
            <div class="panel-head"><h2 id="proof">"Proof"</h2></div>
            <p class=class role="status">{sentence}</p>
            {Still(hashes)}
        </section>
    }
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
            "Computed from the figures on this page: what was said, what was charged, the entry with its postings. \
             Titles, names of places and the words of the arithmetic are not part of it. \
             Without scripts, or with a program of your own: ",
        )
        .child(Markup::new("code").text(&format!("GET /api/v1/ledger/proof/{}", evidence.seq)));
    Markup::new("div").child(help).child(facts)
}
