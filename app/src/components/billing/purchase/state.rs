//! `/billing/purchases/{id}`: how far a purchase has come, until it is certain; then its receipt. It hears of news by itself; without
//! a script it looks again every few seconds as long as something is awaited.

use super::{METHODS, PURCHASE, PURCHASES, form_as, go, sum, way};
use crate::backend::purchases::{Method, PaymentRow, Purchase, Refund, RefundCause};
use crate::components::billing::purchase::choose::ways;
use crate::components::crumbs::crumbs;
use crate::components::people::parts::{button, form, hidden, primary};
use crate::components::written::{Asked, Written};
use crate::error::AppError;
use crate::format;
use crate::markup::{Markup, amount, fact, text_fact, time};
use crate::server_fns::Moment;
use ledger::payment::{Dispute, Failure, Provider, State};
use ledger::{Credits, Money, PurchaseId, Words, refund};

/// Seconds after which somebody who waits is told that it takes longer.
const LATE_S: i64 = 60;
/// Seconds after which a page without scripts looks again.
const LOOK_AGAIN_S: &str = "3";

/// What the page shows.
pub struct Bought {
    /// The purchase.
    pub purchase: Purchase,
    /// The attempts to be paid, oldest first.
    pub payments: Vec<PaymentRow>,
    /// What went back.
    pub refunds: Vec<Refund>,
    /// When it was made.
    pub made_at: Moment,
    /// When it was paid.
    pub paid_at: Option<Moment>,
    /// Seconds since the last attempt began.
    pub waited_s: i64,
    /// What can be spent.
    pub balance: Credits,
    /// Where money is transferred to.
    pub bank: Vec<String>,
    /// Methods that can be charged.
    pub methods: Vec<Method>,
    /// Who can be paid.
    pub offered: Vec<Provider>,
    /// Whether whoever looks comes back from the provider: they have done what they could.
    pub is_back: bool,
    /// What the page has seen of the ledger and of payments.
    pub seen: String,
    /// How credits are called.
    pub words: Words,
}

/// How far it has come, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::components::billing) enum Stands {
    Paid,
    /// Somebody goes on elsewhere.
    GoOn,
    /// Somebody has to show the bank who they are.
    NeedsAction,
    Waiting,
    Late,
    Transfer,
    Failed(Failure),
    GivenUp,
}

impl Bought {
    fn stands(&self) -> Stands {
        if self.purchase.paid_at.is_some() {
            return Stands::Paid;
        }
        self.payments.last().map_or(Stands::GivenUp, |last| Stands::of(last, self.is_back, self.waited_s))
    }
}

impl Stands {
    /// By the last attempt to be paid. `is_back`: whoever looks comes back from the provider.
    pub(in crate::components::billing) fn of(last: &PaymentRow, is_back: bool, waited_s: i64) -> Self {
        match last.stands.state {
            State::Failed => Self::Failed(last.stands.failure.unwrap_or(Failure::Declined)),
            State::Cancelled => Self::GivenUp,
            _ if last.provider == Provider::BankTransfer => Self::Transfer,
            State::NeedsAction => Self::NeedsAction,
            State::Created if last.action_url.is_some() && !is_back => Self::GoOn,
            State::Created | State::Pending | State::Succeeded if waited_s >= LATE_S => Self::Late,
            State::Created | State::Pending | State::Succeeded => Self::Waiting,
        }
    }
}

/// The page.
///
/// # Errors
/// [`AppError::NotFound`], or what the store says.
pub async fn page(asked: &Asked<'_>, offered: &[Provider]) -> Result<Written, AppError> {
    let id = asked.path.last().and_then(|id| PurchaseId::parse(id)).ok_or(AppError::NotFound)?;
    let is_back = asked.get("back") == "yes";
    let bought = Bought { is_back, ..asked.backend.bought(&asked.org, id, offered).await? };
    let stands = bought.stands();
    let title = format!("Purchase: {}", bought.purchase.quote.title);
    let live = Markup::new("div")
        .class("purchase-live")
        .attr("data-live", &bought.seen)
        .child(standing(&bought, stands))
        .child(receipt(&bought))
        .children(back(&bought))
        .children(again_without_script(stands));
    let head = Markup::new("div").class("page-head").child(Markup::new("h1").text(&title));
    let told = Markup::new("p").class("visually-hidden").attr("role", "status").attr("data-live-status", "");
    let script = Markup::new("script").attr("src", "/live.js").attr("type", "module");
    let body = Markup::new("div").class("page billing").child(crumbs(&[(PURCHASES, "Purchases")])).child(head);
    Ok(Written { title, body: body.child(live).child(told).child(script) })
}

pub(in crate::components::billing) fn again_without_script(stands: Stands) -> Option<Markup> {
    let waits = matches!(stands, Stands::Waiting | Stands::Late);
    let meta = Markup::new("meta").attr("http-equiv", "refresh").attr("content", LOOK_AGAIN_S);
    waits.then(|| Markup::new("noscript").child(meta))
}

fn standing(bought: &Bought, stands: Stands) -> Markup {
    let (class, title, text) = said(bought, stands);
    let panel = Markup::new("section").class(&format!("panel purchase-state {class}")).attr("aria-labelledby", "state");
    let panel = panel.child(Markup::new("h2").attr("id", "state").text(title)).child(Markup::new("p").text(&text));
    let last = bought.payments.last();
    let url = last.and_then(|payment| payment.action_url.as_deref());
    match (stands, url) {
        (Stands::Paid, _) => panel.child(balance(bought)).child(Markup::new("p").child(go(PURCHASE, "Buy more"))),
        (Stands::GoOn, Some(url)) => {
            panel.child(Markup::new("p").child(go(url, "Go on to pay"))).child(give_up(&here(bought)))
        }
        (Stands::NeedsAction, Some(url)) => {
            panel.child(Markup::new("p").child(go(url, "Confirm with your bank"))).child(give_up(&here(bought)))
        }
        (Stands::Transfer, _) => {
            let total = bought.purchase.quote.gross().map(format::money).unwrap_or_default();
            panel.child(transfer(&bought.bank, &total, last)).child(give_up(&here(bought)))
        }
        (Stands::Failed(_) | Stands::GivenUp, _) => panel.child(again(bought)),
        (Stands::Waiting | Stands::Late | Stands::GoOn | Stands::NeedsAction, url) => {
            let on = url.filter(|_| bought.is_back && last.is_some_and(|last| last.stands.state == State::Created));
            let on = on.map(|url| {
                Markup::new("p").class("muted").text("Not done there yet? ").child(super::external(url, "Go on to pay"))
            });
            panel.child(balance(bought)).children(on)
        }
    }
}

/// Class, title and sentence of a state.
fn said(bought: &Bought, stands: Stands) -> (&'static str, &'static str, String) {
    let credits = format::amount(&bought.words, bought.purchase.quote.credits);
    match stands {
        Stands::Paid => ("ok", "Paid", format!("{credits} are there and can be spent.")),
        Stands::GoOn => {
            ("", "Not paid yet", format!("Go on to pay. {credits} come as soon as the payment is certain."))
        }
        Stands::NeedsAction => {
            let text = "Your bank wants to know that it is you. Confirm the payment there; until then nothing is charged and no credits come.";
            ("warn", "Your bank asks you to confirm", text.to_owned())
        }
        Stands::Waiting => {
            let text = format!(
                "The payment is on its way. {credits} come as soon as it is certain; this page says so by itself."
            );
            ("", "Waiting for the payment", text)
        }
        Stands::Late => {
            let text = format!(
                "The payment is on its way and takes longer than most. You need not wait here: {credits} come when it is \
                 certain, and we write to you then. Do not pay a second time."
            );
            ("warn", "This takes longer", text)
        }
        Stands::Transfer => {
            let text = format!("Transfer the total with the reference below. {credits} come when the money is there.");
            ("", "Waiting for your transfer", text)
        }
        Stands::Failed(failure) => ("danger", "Not paid", failed(failure).to_owned()),
        Stands::GivenUp => {
            let text = "Nobody paid, so this purchase was given up. Nothing was charged. You can still pay for it, at the same price.";
            ("", "Given up", text.to_owned())
        }
    }
}

pub(in crate::components::billing) const fn failed(failure: Failure) -> &'static str {
    match failure {
        Failure::Declined => {
            "The bank declined the payment. Nothing was charged. Try another card, or ask your bank why."
        }
        Failure::InsufficientFunds => {
            "There is not enough money on that card. Nothing was charged. Try another card, or buy less."
        }
        Failure::ExpiredCard => "That card is past its end. Nothing was charged. Try another card.",
        Failure::AuthenticationFailed => {
            "The bank could not confirm that it was you. Nothing was charged. Try again, or use another card."
        }
        Failure::AuthenticationRequired => {
            "The stored method needs you to confirm the payment, and nobody was there. Nothing was charged. Pay by hand once."
        }
        Failure::Abandoned => "Nobody paid in time. Nothing was charged. You can still pay, at the same price.",
        Failure::ProviderError => {
            "The payment provider could not take the payment. Nothing was charged. Try again in some minutes."
        }
    }
}

fn balance(bought: &Bought) -> Markup {
    let now = Markup::new("b").attr("data-balance", "").child(amount(&bought.words, bought.balance));
    Markup::new("p").class("purchase-balance").text("Available now: ").child(now)
}

pub(in crate::components::billing) fn give_up(here: &str) -> Markup {
    form(here, "give-up").child(Markup::new("button").class("button quiet").text("Give it up"))
}

fn here(bought: &Bought) -> String {
    format!("{PURCHASES}/{}", bought.purchase.id)
}

fn again(bought: &Bought) -> Markup {
    let failed = bought.payments.last().and_then(|payment| payment.method);
    // What was refused is not proposed again.
    let methods: Vec<Method> = bought.methods.iter().filter(|method| Some(method.id) != failed).cloned().collect();
    let pay = form_as(&here(bought), "again", "purchase-form").child(ways(&methods, &bought.offered, ""));
    let go = Markup::new("p").class("purchase-go").child(primary("Try again"));
    let choose = Markup::new("a").attr("href", METHODS).attr("rel", "external").text("Payment methods");
    pay.child(go.child(choose))
}

/// Where to, and with which reference.
pub(in crate::components::billing) fn transfer(bank: &[String], total: &str, last: Option<&PaymentRow>) -> Markup {
    let lines = if bank.is_empty() {
        vec!["Ask whoever runs this server for the bank account".to_owned()]
    } else {
        bank.to_vec()
    };
    let account = Markup::new("dd").children(lines.iter().map(|line| Markup::new("div").text(line)));
    let reference = last.map(transfer_reference).unwrap_or_default();
    Markup::new("dl")
        .class("facts")
        .child(text_fact("Amount", total))
        .child(fact("To", account))
        .child(fact("Reference", Markup::new("dd").child(Markup::new("code").text(&reference))))
}

/// What a transfer must name, so that it is found.
#[must_use]
pub fn transfer_reference(payment: &PaymentRow) -> String {
    format!("SCRIP-{}-{}", payment.org.0, payment.id.0)
}

fn receipt(bought: &Bought) -> Markup {
    let Purchase { id, quote, made_by, paid_by, grant, .. } = &bought.purchase;
    let title = if bought.paid_at.is_some() { "Receipt" } else { "What is bought" };
    let panel = Markup::new("section").class("panel purchase-receipt").attr("aria-labelledby", "receipt");
    let by = made_by.strip_prefix("user:").unwrap_or(made_by);
    let facts = Markup::new("dl")
        .class("facts")
        .child(text_fact("Number", &id.to_string()))
        .child(fact("Ordered", Markup::new("dd").child(time(&bought.made_at)).text(&format!(" by {by}"))))
        .children(bought.paid_at.as_ref().map(|at| fact("Paid", Markup::new("dd").child(time(at)))))
        .children(paid_by.and_then(|paid_by| paid_with(bought, paid_by)).map(|with| text_fact("Paid with", &with)))
        .children(grant.map(|grant| {
            let href = format!("/grants#{grant}");
            fact(
                "Credits",
                Markup::new("dd")
                    .child(amount(&bought.words, quote.credits))
                    .text(", ")
                    .child(super::external(&href, &grant.to_string())),
            )
        }));
    panel.child(Markup::new("h2").attr("id", "receipt").text(title)).child(facts).child(sum(quote))
}

fn paid_with(bought: &Bought, paid_by: ledger::PaymentId) -> Option<String> {
    let payment = bought.payments.iter().find(|payment| payment.id == paid_by)?;
    let stored = payment.method.and_then(|id| bought.methods.iter().find(|method| method.id == id));
    Some(stored.map_or_else(|| way(payment.provider).0.to_owned(), |method| method.title.clone()))
}

/// What went back, or is asked back.
fn back(bought: &Bought) -> Option<Markup> {
    let disputed = bought.payments.iter().map(|payment| payment.stands.dispute).max().unwrap_or(Dispute::None);
    if bought.refunds.is_empty() && disputed == Dispute::None {
        return None;
    }
    let line = |refund: &Refund| {
        let money = format::money(Money { ..refund.amount });
        let taken = format::amount(&bought.words, refund.credits);
        let text = match (refund.cause, refund.state) {
            (RefundCause::Refund, refund::State::Asked) => {
                format!("{money} are on their way back; {taken} were taken.")
            }
            (RefundCause::Refund, refund::State::Succeeded) => format!("{money} went back; {taken} were taken."),
            (RefundCause::Refund, refund::State::Failed) => {
                format!("{money} could not be given back; {taken} were given again.")
            }
            (RefundCause::Dispute, refund::State::Asked) => {
                format!("The payer\u{2019}s bank asks for {money} back. Until it has decided, {taken} are taken.")
            }
            (RefundCause::Dispute, refund::State::Succeeded) => {
                format!("The payer\u{2019}s bank took {money} back; {taken} were taken.")
            }
            (RefundCause::Dispute, refund::State::Failed) => {
                format!("The bank decided for the seller; {taken} were given again.")
            }
        };
        Markup::new("li").text(&text).child(Markup::new("small").class("muted").text(&format!(" {}", refund.reason)))
    };
    let panel = Markup::new("section").class("panel").attr("aria-labelledby", "back");
    let list = Markup::new("ul").class("purchase-back").children(bought.refunds.iter().map(line));
    Some(panel.child(Markup::new("h2").attr("id", "back").text("Given back")).child(list))
}

/// A button of a form by itself, with one more value.
pub(super) fn act(action: &str, what: &str, (name, value): (&'static str, &str), text: &str) -> Markup {
    form(action, what).child(hidden(name, value)).child(button(text))
}
