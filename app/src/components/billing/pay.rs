//! How an invoice is paid from its page: now, on its way, or not at all so far. As the page of a purchase ([`super::purchase::state`]).

use super::invoice::PATH;
use super::purchase::choose::ways;
use super::purchase::state::{Stands, failed, give_up, transfer};
use super::purchase::{METHODS, form_as, go};
use crate::backend::purchases::{Method, PaymentRow};
use crate::components::people::parts::primary;
use crate::format;
use crate::markup::Markup;
use ledger::payment::Provider;
use ledger::{InvoiceId, Money};

/// What is to be paid, and how far that has come.
pub struct Pay {
    /// Of which invoice.
    pub id: InvoiceId,
    /// What is open.
    pub open: Money,
    /// The last attempt.
    pub last: Option<PaymentRow>,
    /// Methods that can be charged.
    pub methods: Vec<Method>,
    /// Who can be paid.
    pub offered: Vec<Provider>,
    /// Where money is transferred to.
    pub bank: Vec<String>,
    /// Whether whoever looks comes back from the provider.
    pub is_back: bool,
    /// Seconds since the last attempt began.
    pub waited_s: i64,
}

impl Pay {
    /// How far it has come.
    pub(super) fn stands(&self) -> Stands {
        self.last.as_ref().map_or(Stands::GivenUp, |last| Stands::of(last, self.is_back, self.waited_s))
    }

    fn here(&self) -> String {
        format!("{PATH}/{}", self.id)
    }
}

/// The way to pay it.
pub(super) fn panel(pay: &Pay) -> Markup {
    let (class, title, text) = said(pay);
    let panel = Markup::new("section").class(&format!("panel purchase-state {class}")).attr("aria-labelledby", "pay");
    let panel = panel.child(Markup::new("h2").attr("id", "pay").text(&title)).child(Markup::new("p").text(&text));
    let url = pay.last.as_ref().and_then(|last| last.action_url.as_deref());
    let on = |url: &str, text: &str| Markup::new("p").child(go(url, text));
    match (pay.stands(), url) {
        (Stands::GoOn, Some(url)) => panel.child(on(url, "Go on to pay")).child(give_up(&pay.here())),
        (Stands::NeedsAction, Some(url)) => panel.child(on(url, "Confirm with your bank")).child(give_up(&pay.here())),
        (Stands::Transfer, _) => {
            let facts = transfer(&pay.bank, &format::money(pay.open), pay.last.as_ref());
            panel.child(facts).child(give_up(&pay.here()))
        }
        (Stands::Failed(_) | Stands::GivenUp, _) => panel.child(form(pay)),
        (Stands::Waiting | Stands::Late | Stands::Paid | Stands::GoOn | Stands::NeedsAction, _) => panel,
    }
}

/// Class, title and sentence of how far it has come.
fn said(pay: &Pay) -> (&'static str, String, String) {
    let plain = |class, title: &str, text: &str| (class, title.to_owned(), text.to_owned());
    match pay.stands() {
        Stands::GoOn => {
            plain("", "Not paid yet", "Go on to pay. The invoice is paid as soon as the payment is certain.")
        }
        Stands::NeedsAction => {
            plain("warn", "Your bank asks you to confirm", "Confirm the payment there; until then nothing is charged.")
        }
        Stands::Waiting | Stands::Paid => plain(
            "",
            "Waiting for the payment",
            "The payment is on its way. The invoice is paid as soon as it is certain; this page says so by itself.",
        ),
        Stands::Late => plain(
            "warn",
            "This takes longer",
            "The payment is on its way and takes longer than most. You need not wait here. Do not pay a second time.",
        ),
        Stands::Transfer => plain(
            "",
            "Waiting for your transfer",
            "Transfer what is open with the reference below. The invoice is paid when it is there.",
        ),
        Stands::Failed(failure) => plain("danger", "The last payment failed", failed(failure)),
        Stands::GivenUp => {
            let text = "Choose how. What was given up before is charged no more.";
            let text =
                if pay.last.is_some() { text } else { "Choose how. You can also transfer it, as the invoice says." };
            ("", format!("Pay {} now", format::money(pay.open)), text.to_owned())
        }
    }
}

fn form(pay: &Pay) -> Markup {
    if pay.methods.is_empty() && pay.offered.is_empty() {
        return Markup::new("p").class("muted").text("There is no way to pay here: transfer it, as the invoice says.");
    }
    let send = primary(&format!("Pay {}", format::money(pay.open)));
    let choose = Markup::new("a").attr("href", METHODS).attr("rel", "external").text("Payment methods");
    form_as(&pay.here(), "pay", "purchase-form")
        .child(ways(&pay.methods, &pay.offered, ""))
        .child(Markup::new("p").class("purchase-go").child(send).child(choose))
}
