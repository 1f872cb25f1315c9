//! The page of the built-in sandbox, which plays a payment provider: somebody chooses what the bank is to do. No number of a card
//! is ever typed here, so that nobody types a real one.

use super::{SANDBOX, form_as};
use crate::components::people::parts::{form, hidden, hint, panel, primary};
use crate::components::written::Written;
use crate::format;
use crate::markup::Markup;
use ledger::Money;

/// A test card: its name, what people read, what the bank does.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// Its name in forms.
    pub name: &'static str,
    /// What people read.
    pub title: &'static str,
    /// What the bank does.
    pub does: &'static str,
}

/// Which of its pages is shown.
#[derive(Debug, Clone)]
pub enum Step {
    /// Somebody chooses a card.
    Pay,
    /// The bank asks who it is.
    Authenticate,
    /// There is nothing to do.
    Over(&'static str),
    /// A dispute can be decided.
    Decide,
    /// A card is chosen to be stored.
    Store,
}

/// What the page shows.
pub struct Shown {
    /// Where its forms go.
    pub here: String,
    /// What is paid for, and how much.
    pub pays: Option<(String, Money)>,
    /// Where it leads back to.
    pub back: String,
    /// The cards there are.
    pub cards: &'static [Card],
    /// Which page.
    pub step: Step,
}

/// The page.
#[must_use]
pub fn page(shown: &Shown) -> Written {
    let title = "Sandbox payment".to_owned();
    let mark = Markup::new("p").class("sandbox-mark").attr("role", "note");
    let mark = mark
        .child(Markup::new("b").text("Sandbox: no money moves."))
        .text(" This page plays a payment provider. Choose what the bank is to do.");
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(&title));
    let body = Markup::new("div").class("page billing sandbox").child(head).child(mark).child(step(shown));
    Written { title, body }
}

fn step(shown: &Shown) -> Markup {
    let back = || Markup::new("p").child(super::external(&shown.back, "Back to Scrip"));
    let act = |what: &str, text: &str| form(&shown.here, what).child(Markup::new("button").class("button").text(text));
    match &shown.step {
        Step::Pay => {
            let what = shown.pays.as_ref().map(|(title, money)| format!("{title}: {}", format::money(*money)));
            let keep = Markup::new("label").class("purchase-choice");
            let keep =
                keep.child(Markup::new("input").attr("type", "checkbox").attr("name", "keep").attr("value", "yes"));
            let keep = keep.child(Markup::new("span").text("Store this card, for auto top-up and invoices"));
            let pay = form_as(&shown.here, "pay", "purchase-form").child(cards(shown.cards)).child(keep);
            let pay = pay.child(Markup::new("p").class("purchase-go").child(primary("Pay")));
            panel("pay", "Pay")
                .child(Markup::new("p").text(&what.unwrap_or_default()))
                .child(pay)
                .child(act("cancel", "Do not pay"))
        }
        Step::Authenticate => panel("bank", "Your bank asks: is it you?")
            .child(hint("A real bank would send a code to your phone."))
            .child(form(&shown.here, "authenticate").child(primary("Yes, it is me")))
            .child(act("refuse", "No")),
        Step::Over(text) => panel("over", "Nothing to do here").child(Markup::new("p").text(text)).child(back()),
        Step::Decide => panel("decide", "A dispute is open")
            .child(hint("The bank of the payer asks for the money back. Decide for it:"))
            .child(act("won", "For the seller"))
            .child(act("lost", "For the payer"))
            .child(back()),
        Step::Store => {
            let store = form_as(&shown.here, "store", "purchase-form").child(cards(shown.cards));
            let store = store
                .child(hidden("provider", "sandbox"))
                .child(Markup::new("p").class("purchase-go").child(primary("Store it")));
            panel("store", "Store a test card").child(store).child(back())
        }
    }
}

fn cards(cards: &[Card]) -> Markup {
    let row = |(place, card): (usize, &Card)| {
        let radio = Markup::new("input").attr("type", "radio").attr("name", "card").attr("value", card.name);
        let radio = radio.maybe_attr("checked", (place == 0).then_some(""));
        let label = Markup::new("label").class("purchase-choice").child(radio).child(Markup::new("b").text(card.title));
        label.child(Markup::new("small").class("muted").text(card.does))
    };
    let legend = Markup::new("legend").text("Test cards");
    Markup::new("fieldset").class("purchase-choices").child(legend).children(cards.iter().enumerate().map(row))
}

/// The address of the sandbox's page of a payment.
#[must_use]
pub fn address(reference: &str) -> String {
    format!("{SANDBOX}/{reference}")
}
