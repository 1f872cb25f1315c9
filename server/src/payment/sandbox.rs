//! The built-in sandbox: plays a provider so that everything about buying can be tried, and no money moves. It is treated like
//! any other: it answers when asked, and its messages are signed and come through the same door, also late and twice.

use super::{Charge, Forged, Provider, ProviderError, Stored, ours, read_ours, signature};
use app::components::billing::purchase::sandbox::{Card, address};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use futures::future::BoxFuture;
use ledger::payment::{Dispute, Failure, Provider as Name, Saying};
use ledger::refund::State as RefundState;
use ledger::{Currency, Money, OrgId, PaymentId, RefundId, Timestamp};
use serde::{Deserialize, Serialize};
use store::payment::message::{Answer, Message, RefundSays, Says};
use store::payment::method::NewMethod;
use store::refund::Refund;
use store::sandbox::{SandboxMessage, SandboxPayment, SandboxStep};
use store::{Store, StoreError};

/// Where the signature stands.
pub const HEADER: HeaderName = HeaderName::from_static("scrip-sandbox-signature");
/// How long a slow bank takes, and one that disputes.
const DELAY_S: i64 = 5;
/// What the reference of every method begins with.
const CARD: &str = "card_";

/// The test cards.
pub const CARDS: &[Card] = &[
    Card { name: "success", title: "4242 4242 4242 4242", does: "Pays at once" },
    Card { name: "declined", title: "4000 0000 0000 0002", does: "The bank declines" },
    Card { name: "insufficient_funds", title: "4000 0000 0000 9995", does: "Not enough money on it" },
    Card { name: "authenticate", title: "4000 0027 6000 3184", does: "The bank asks whether it is you, every time" },
    Card { name: "delay", title: "4000 0000 0000 0077", does: "The bank takes some seconds" },
    Card {
        name: "dispute",
        title: "4000 0000 0000 0259",
        does: "Pays, and the bank asks for the money back some seconds later",
    },
    Card {
        name: "declined_later",
        title: "4000 0000 0000 0341",
        does: "Pays while you are here, declines when charged later",
    },
];

/// The built-in sandbox.
pub struct Sandbox {
    store: Store,
    /// Drawn when it is made: nobody else sends messages of the sandbox.
    secret: [u8; 32],
}

/// What a message of the sandbox says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Said {
    /// The money is there.
    Paid {
        /// How much.
        minor: i64,
        /// Of which currency.
        currency: Currency,
        /// The card, where it is to be charged later.
        keep: Option<String>,
    },
    /// It was refused.
    Declined {
        /// Why.
        why: Failure,
    },
    /// The bank asks who it is.
    NeedsAction,
    /// The bank takes its time.
    Waiting,
    /// Nobody pays.
    Cancelled,
    /// The bank asks for the money back.
    Disputed,
    /// It was decided.
    Decided {
        /// Whether for us.
        won: bool,
    },
    /// Money went back.
    Refunded {
        /// Our number of it.
        refund: i64,
        /// How much.
        minor: i64,
        /// Of which currency.
        currency: Currency,
    },
}

/// The body of a message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    id: String,
    payment: String,
    says: Said,
}

/// What a card does.
struct Does {
    to: &'static str,
    says: Vec<(i64, Said)>,
}

impl Sandbox {
    /// Over the store that remembers what it was asked.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, secret: store::random::bytes() }
    }

    /// A message as it is sent.
    #[must_use]
    pub fn signed(&self, due: &SandboxMessage) -> (HeaderMap, String) {
        // What is kept was written by `step`: it reads back.
        let says = serde_json::from_str(&due.says).unwrap_or(Said::Waiting);
        let body = Body { id: format!("sandbox_{}_{}", due.org.0, due.no), payment: ours(due.org, due.payment), says };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut headers = HeaderMap::new();
        let signature = signature::sign(&self.secret, body.as_bytes(), self.store.now());
        if let Ok(value) = HeaderValue::from_str(&signature) {
            headers.insert(HEADER, value);
        }
        (headers, body)
    }

    /// The payment of an address of the sandbox.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn payment(&self, reference: &str) -> Result<Option<SandboxPayment>, StoreError> {
        let Some((org, id)) = read_reference(reference) else { return Ok(None) };
        self.store.sandbox_payment(org, id).await
    }

    /// Somebody pays with a card on the sandbox's page.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn pay(&self, payment: &SandboxPayment, card: &str, keep: bool) -> Result<bool, StoreError> {
        let Some(card) = CARDS.iter().find(|known| known.name == card) else { return Ok(false) };
        let does = match card.name {
            "authenticate" => Does { to: "authenticate", says: vec![(0, Said::NeedsAction)] },
            name => does(name, payment.amount, true, keep),
        };
        // Whether it is to be kept is asked for again after the bank has asked.
        let name = if keep { format!("{}+keep", card.name) } else { card.name.to_owned() };
        self.step(payment, &["open", "declined"], does, Some(name)).await
    }

    /// The bank knows who it is, or does not.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn authenticate(&self, payment: &SandboxPayment, yes: bool) -> Result<bool, StoreError> {
        let keep = payment.card.as_deref().is_some_and(|card| card.ends_with("+keep"));
        let keep = keep.then(|| "authenticate".to_owned());
        let Money { minor, currency } = payment.amount;
        let does = if yes {
            Does { to: "paid", says: vec![(0, Said::Paid { minor, currency, keep })] }
        } else {
            Does { to: "declined", says: vec![(0, Said::Declined { why: Failure::AuthenticationFailed })] }
        };
        self.step(payment, &["authenticate"], does, None).await
    }

    /// Nobody pays.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn give_up(&self, payment: &SandboxPayment) -> Result<bool, StoreError> {
        let does = Does { to: "cancelled", says: vec![(0, Said::Cancelled)] };
        self.step(payment, &["open", "authenticate"], does, None).await
    }

    /// The bank decides a dispute.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn decide(&self, payment: &SandboxPayment, won: bool) -> Result<bool, StoreError> {
        self.step(payment, &["paid"], Does { to: "paid", says: vec![(0, Said::Decided { won })] }, None).await
    }

    async fn step(
        &self,
        payment: &SandboxPayment,
        from: &'static [&'static str],
        does: Does,
        card: Option<String>,
    ) -> Result<bool, StoreError> {
        let now = self.store.now();
        let due = |after_s: i64| Timestamp::from_micros(now.micros() + after_s * 1_000_000);
        let said = does.says.iter().map(|(after_s, said)| Ok((due(*after_s), serde_json::to_string(said)?)));
        let says = said.collect::<Result<_, serde_json::Error>>()?;
        let step = SandboxStep { from, to: does.to, card, refunded_minor: 0, says };
        self.store.sandbox_step(payment.org, payment.payment, step).await
    }

    async fn begin(&self, charge: &Charge) -> Result<SandboxPayment, ProviderError> {
        let new = SandboxPayment {
            org: charge.row.org,
            payment: charge.row.id,
            amount: charge.row.stands.amount,
            title: charge.title.clone(),
            return_path: charge.return_path.clone(),
            state: "open".to_owned(),
            card: None,
            refunded_minor: 0,
        };
        self.store.sandbox_begin(new).await?;
        self.known(charge).await
    }

    async fn known(&self, charge: &Charge) -> Result<SandboxPayment, ProviderError> {
        let found = self.store.sandbox_payment(charge.row.org, charge.row.id).await?;
        found.ok_or_else(|| ProviderError::Refused("there is no such payment".to_owned()))
    }
}

/// What a card does, with somebody there or not.
fn does(card: &str, amount: Money, present: bool, keep: bool) -> Does {
    let Money { minor, currency } = amount;
    let keep = keep.then(|| card.to_owned());
    let paid = |after_s| (after_s, Said::Paid { minor, currency, keep: keep.clone() });
    let declined = |why| Does { to: "declined", says: vec![(0, Said::Declined { why })] };
    match card {
        "declined" => declined(Failure::Declined),
        "insufficient_funds" => declined(Failure::InsufficientFunds),
        "declined_later" if !present => declined(Failure::Declined),
        "authenticate" if !present => Does { to: "authenticate", says: vec![(0, Said::NeedsAction)] },
        // The money is on its way until the message of it is due.
        "delay" => Does { to: "paid", says: vec![(0, Said::Waiting), paid(DELAY_S)] },
        "dispute" => Does { to: "paid", says: vec![paid(0), (DELAY_S, Said::Disputed)] },
        _ => Does { to: "paid", says: vec![paid(0)] },
    }
}

/// How the sandbox calls a payment.
fn reference(org: OrgId, id: PaymentId) -> String {
    format!("sandbox_{}_{}", org.0, id.0)
}

fn read_reference(text: &str) -> Option<(OrgId, PaymentId)> {
    let (org, id) = text.strip_prefix("sandbox_")?.split_once('_')?;
    Some((OrgId(org.parse().ok()?), PaymentId(id.parse().ok()?)))
}

/// A card, as it is stored for later.
#[must_use]
pub fn method(card: &str) -> Option<NewMethod> {
    let card = CARDS.iter().find(|known| known.name == card)?;
    let last = card.title.rsplit(' ').next().unwrap_or_default();
    Some(NewMethod { reference: format!("{CARD}{}", card.name), title: format!("Test card ending in {last}") })
}

/// How a payment stands, for whoever asks. A slow bank's money is there when its message says so, not before.
fn stands(payment: &SandboxPayment) -> Saying {
    let slow = payment.card.as_deref().is_some_and(|card| card.starts_with("delay"));
    match payment.state.as_str() {
        "paid" if slow => Saying::Pending,
        "paid" => Saying::Succeeded(payment.amount),
        "authenticate" => Saying::NeedsAction,
        "waiting" => Saying::Pending,
        "declined" => Saying::Failed(Failure::Declined),
        "cancelled" => Saying::Cancelled,
        _ => Saying::Nothing,
    }
}

fn answer(payment: &SandboxPayment) -> Answer {
    let reference = reference(payment.org, payment.payment);
    let goes_on = matches!(payment.state.as_str(), "open" | "authenticate");
    let action_url = goes_on.then(|| address(&reference));
    Answer { references: vec![reference], action_url, says: stands(payment), method: None }
}

impl Provider for Sandbox {
    fn name(&self) -> Name {
        Name::Sandbox
    }

    fn start<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        Box::pin(async move { Ok(answer(&self.begin(charge).await?)) })
    }

    fn charge<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        Box::pin(async move {
            let payment = self.begin(charge).await?;
            let card = charge.method.as_deref().and_then(|method| method.strip_prefix(CARD));
            let card = card.ok_or_else(|| ProviderError::Refused("there is no such card".to_owned()))?;
            let does = does(card, payment.amount, false, false);
            // What it answers is why it refuses; the same comes as a message.
            let failure = does.says.iter().find_map(|(_, said)| match said {
                Said::Declined { why } => Some(*why),
                _ => None,
            });
            self.step(&payment, &["open"], does, Some(card.to_owned())).await?;
            let answer = answer(&self.known(charge).await?);
            Ok(match failure {
                Some(failure) => Answer { says: Saying::Failed(failure), ..answer },
                None => answer,
            })
        })
    }

    fn fetch<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        Box::pin(async move { Ok(answer(&self.known(charge).await?)) })
    }

    fn cancel<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        Box::pin(async move {
            self.give_up(&self.known(charge).await?).await?;
            Ok(answer(&self.known(charge).await?))
        })
    }

    fn store_method<'a>(&'a self, _: OrgId, _: &'a str) -> BoxFuture<'a, Result<Stored, ProviderError>> {
        Box::pin(async { Ok(Stored::At(address("store"))) })
    }

    fn stored_method<'a>(
        &'a self,
        _: OrgId,
        session: &'a str,
    ) -> BoxFuture<'a, Result<Option<NewMethod>, ProviderError>> {
        Box::pin(async move { Ok(method(session)) })
    }

    fn refund<'a>(
        &'a self,
        refund: &'a Refund,
        charge: &'a Charge,
    ) -> BoxFuture<'a, Result<RefundSays, ProviderError>> {
        Box::pin(async move {
            let known = self.known(charge).await?;
            let says = RefundSays {
                reference: refund_reference(refund.id, refund.org),
                ours: Some(refund.id),
                amount: refund.amount,
                state: RefundState::Succeeded,
            };
            // Asked again after a crash: it was given back under that number.
            if refund.reference.is_some() {
                return Ok(says);
            }
            let Money { minor, currency } = refund.amount;
            let said = Said::Refunded { refund: refund.id.0, minor, currency };
            let step = SandboxStep {
                from: &["paid"],
                to: "paid",
                card: None,
                refunded_minor: minor.min(known.amount.minor - known.refunded_minor),
                says: vec![(self.store.now(), serde_json::to_string(&said).map_err(StoreError::from)?)],
            };
            self.store.sandbox_step(known.org, known.payment, step).await?;
            Ok(says)
        })
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Vec<Message>, Forged> {
        let header = headers.get(HEADER).and_then(|value| value.to_str().ok()).ok_or(Forged::Signature)?;
        signature::check(&self.secret, header, body, now)?;
        let body: Body = serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?;
        let (org, id) = read_ours(&body.payment).ok_or(Forged::Unreadable)?;
        let kind = match serde_json::to_value(&body.says) {
            Ok(says) => says["kind"].as_str().unwrap_or_default().to_owned(),
            Err(_) => return Err(Forged::Unreadable),
        };
        let (says, keep) = says(body.says, org);
        Ok(vec![Message {
            provider: Name::Sandbox,
            id: body.id,
            kind,
            reference: reference(org, id),
            ours: Some((org, id)),
            says,
            method: keep.as_deref().and_then(method),
        }])
    }
}

fn refund_reference(id: RefundId, org: OrgId) -> String {
    format!("sandbox_refund_{}_{}", org.0, id.0)
}

/// In our words, and the card that is to be kept.
fn says(said: Said, org: OrgId) -> (Says, Option<String>) {
    let payment = |saying| (Says::Payment(saying), None);
    match said {
        Said::Paid { minor, currency, keep } => (Says::Payment(Saying::Succeeded(Money { minor, currency })), keep),
        Said::Declined { why } => payment(Saying::Failed(why)),
        Said::NeedsAction => payment(Saying::NeedsAction),
        Said::Waiting => payment(Saying::Pending),
        Said::Cancelled => payment(Saying::Cancelled),
        Said::Disputed => payment(Saying::Disputed(Dispute::Open, None)),
        Said::Decided { won } => payment(Saying::Disputed(if won { Dispute::Won } else { Dispute::Lost }, None)),
        Said::Refunded { refund, minor, currency } => {
            let id = RefundId(refund);
            let amount = Money { minor, currency };
            let reference = refund_reference(id, org);
            (Says::Refund(RefundSays { reference, ours: Some(id), amount, state: RefundState::Succeeded }), None)
        }
    }
}
