//! Stripe: Checkout for whoever is there, PaymentIntents off-session for stored methods, refunds, disputes, signed webhooks.
//!
//! Every POST carries the payment's own key as `Idempotency-Key`, and our number of it in `metadata`, so that a message is ours to
//! know even where the answer to the question was lost. A failed attempt within Checkout is not the end: somebody is there and may
//! try another card, until the session expires. Answers that cannot be read are asked for again, never guessed at.

use super::{Charge, Forged, Provider, ProviderError, Stored, ours, read_ours, signature};
use crate::auth::oidc::http::client;
use crate::config::Config;
use axum::http::HeaderMap;
use futures::future::BoxFuture;
use ledger::canon::hex;
use ledger::payment::{Dispute, Failure, Provider as Name, Saying};
use ledger::refund::State as RefundState;
use ledger::{Currency, Money, OrgId, PaymentId, RefundId, Timestamp};
use serde_json::Value;
use store::payment::message::{Answer, Message, RefundSays, Says};
use store::payment::method::NewMethod;
use store::refund::Refund;

/// Where the signature stands.
const HEADER: &str = "stripe-signature";
/// What we tell Stripe of a payment: `org_1/payment_3`.
const OURS: &str = "scrip_payment";
/// Stands beside it where nobody is there: then a refusal is the end.
const ALONE: &str = "scrip_alone";
/// What we tell Stripe of a refund: `refund_4`.
const OUR_REFUND: &str = "scrip_refund";
/// Most bytes of an answer.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Stripe, as one account of it.
pub struct Stripe {
    http: reqwest::Client,
    url: String,
    key: String,
    webhook_secret: String,
}

type Fields = Vec<(&'static str, String)>;

impl Stripe {
    /// As the configuration says.
    ///
    /// # Errors
    /// A sentence that names what is missing.
    pub fn new(config: &Config) -> Result<Self, String> {
        let missing = |name: &str| format!("payment_providers names stripe: set {name} too");
        Ok(Self {
            http: client()?,
            url: config.stripe_url.trim_end_matches('/').to_owned(),
            key: config.stripe_secret_key.clone().ok_or_else(|| missing("stripe_secret_key"))?,
            webhook_secret: config.stripe_webhook_secret.clone().ok_or_else(|| missing("stripe_webhook_secret"))?,
        })
    }

    async fn get(&self, path: &str) -> Result<Value, ProviderError> {
        let (status, body) = self.send(self.http.get(format!("{}{path}", self.url))).await?;
        read(status, body)
    }

    async fn post(&self, path: &str, key: &str, fields: &Fields) -> Result<(u16, Value), ProviderError> {
        let body = serde_urlencoded::to_string(fields).map_err(|error| ProviderError::Refused(error.to_string()))?;
        let request = self.http.post(format!("{}{path}", self.url)).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.header("idempotency-key", key)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<(u16, Value), ProviderError> {
        let unreachable = |error: reqwest::Error| ProviderError::Unreachable(error.without_url().to_string());
        let mut answer = request.bearer_auth(&self.key).send().await.map_err(unreachable)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + piece.len() > MAX_ANSWER_BYTES {
                return Err(ProviderError::Unreachable("it answers more than is read".to_owned()));
            }
            body.extend_from_slice(&piece);
        }
        let body = serde_json::from_slice(&body).map_err(|error| ProviderError::Unreachable(error.to_string()))?;
        Ok((status, body))
    }

    async fn session(&self, id: &str) -> Result<Answer, ProviderError> {
        let session = self.get(&format!("/v1/checkout/sessions/{}", checked(id)?)).await?;
        Ok(of_session(&session))
    }

    async fn intent(&self, id: &str, alone: bool) -> Result<Answer, ProviderError> {
        let intent = self.get(&format!("/v1/payment_intents/{}", checked(id)?)).await?;
        Ok(of_intent(&intent, alone))
    }

    /// The PaymentIntent of a payment, which is what is given back.
    async fn paid_intent(&self, charge: &Charge) -> Result<String, ProviderError> {
        if let Some(intent) = charge.references.iter().find(|reference| reference.starts_with("pi_")) {
            return Ok(intent.clone());
        }
        let session =
            charge.references.first().ok_or_else(|| ProviderError::Refused("it was never begun".to_owned()))?;
        let known = self.session(session).await?.references.into_iter().find(|reference| reference.starts_with("pi_"));
        known.ok_or_else(|| ProviderError::Refused("nothing was paid".to_owned()))
    }
}

impl Provider for Stripe {
    fn name(&self) -> Name {
        Name::Stripe
    }

    fn start<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        Box::pin(async move {
            let ours = ours(charge.row.org, charge.row.id);
            let amount = charge.row.stands.amount;
            let cancelled = charge.return_url.split('?').next().unwrap_or_default().to_owned();
            let fields = vec![
                ("mode", "payment".to_owned()),
                ("line_items[0][quantity]", "1".to_owned()),
                ("line_items[0][price_data][currency]", amount.currency.as_str().to_lowercase()),
                ("line_items[0][price_data][unit_amount]", amount.minor.to_string()),
                ("line_items[0][price_data][product_data][name]", charge.title.clone()),
                ("client_reference_id", ours.clone()),
                ("payment_intent_data[metadata][scrip_payment]", ours),
                ("success_url", charge.return_url.clone()),
                ("cancel_url", cancelled),
            ];
            let (status, session) = self.post("/v1/checkout/sessions", &charge.row.idempotency, &fields).await?;
            Ok(of_session(&read(status, session)?))
        })
    }

    fn charge<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        Box::pin(async move {
            let stored = charge.method.as_deref().and_then(|method| method.split_once('/'));
            let (customer, method) = stored.ok_or_else(|| ProviderError::Refused("no such method".to_owned()))?;
            let amount = charge.row.stands.amount;
            let fields = vec![
                ("amount", amount.minor.to_string()),
                ("currency", amount.currency.as_str().to_lowercase()),
                ("customer", customer.to_owned()),
                ("payment_method", method.to_owned()),
                ("description", charge.title.clone()),
                ("confirm", "true".to_owned()),
                ("off_session", "true".to_owned()),
                ("metadata[scrip_payment]", ours(charge.row.org, charge.row.id)),
                ("metadata[scrip_alone]", "yes".to_owned()),
            ];
            let (status, body) = self.post("/v1/payment_intents", &charge.row.idempotency, &fields).await?;
            if status == 402 {
                let intent = text(&body["error"]["payment_intent"], "id");
                let says = Saying::Failed(failure(&body["error"]));
                return Ok(Answer { references: intent.into_iter().collect(), ..Answer::of(says) });
            }
            Ok(of_intent(&read(status, body)?, true))
        })
    }

    fn fetch<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        Box::pin(async move {
            // What a session says is about all attempts in it.
            let session = charge.references.iter().find(|reference| reference.starts_with("cs_"));
            match (session, charge.references.first()) {
                (Some(session), _) => self.session(session).await,
                (None, Some(intent)) => self.intent(intent, charge.row.method.is_some()).await,
                (None, None) => Ok(Answer::of(Saying::Nothing)),
            }
        })
    }

    fn cancel<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Result<Answer, ProviderError>> {
        Box::pin(async move {
            for reference in &charge.references {
                let path = match reference.split_once('_') {
                    Some(("cs", _)) => format!("/v1/checkout/sessions/{}/expire", checked(reference)?),
                    Some(("pi", _)) if charge.row.method.is_some() => {
                        format!("/v1/payment_intents/{}/cancel", checked(reference)?)
                    }
                    _ => continue,
                };
                // What is over already refuses to end: how it ended is asked below.
                let _ = self.post(&path, &format!("{}-end", charge.row.idempotency), &Vec::new()).await?;
            }
            self.fetch(charge).await
        })
    }

    fn store_method<'a>(&'a self, org: OrgId, return_url: &'a str) -> BoxFuture<'a, Result<Stored, ProviderError>> {
        Box::pin(async move {
            let fields = vec![
                ("mode", "setup".to_owned()),
                ("payment_method_types[0]", "card".to_owned()),
                ("customer_creation", "always".to_owned()),
                ("client_reference_id", org.to_string()),
                ("success_url", format!("{return_url}?session={{CHECKOUT_SESSION_ID}}")),
                ("cancel_url", return_url.to_owned()),
            ];
            let key = hex(&store::random::bytes::<16>());
            let (status, session) = self.post("/v1/checkout/sessions", &key, &fields).await?;
            let url = text(&read(status, session)?, "url");
            url.map(Stored::At).ok_or_else(|| ProviderError::Unreachable("it names no page".to_owned()))
        })
    }

    fn stored_method<'a>(
        &'a self,
        org: OrgId,
        session: &'a str,
    ) -> BoxFuture<'a, Result<Option<NewMethod>, ProviderError>> {
        Box::pin(async move {
            let path = format!("/v1/checkout/sessions/{}?expand[]=setup_intent.payment_method", checked(session)?);
            let session = self.get(&path).await?;
            // A session of another org's, or of nobody's, stores nothing here.
            let is_ours = session["client_reference_id"].as_str() == Some(org.to_string().as_str());
            if !is_ours || session["mode"] != "setup" || session["status"] != "complete" {
                return Ok(None);
            }
            let method = &session["setup_intent"]["payment_method"];
            let known = text(&session, "customer").zip(text(method, "id"));
            Ok(known.map(|(customer, id)| NewMethod { reference: format!("{customer}/{id}"), title: title(method) }))
        })
    }

    fn refund<'a>(
        &'a self,
        refund: &'a Refund,
        charge: &'a Charge,
    ) -> BoxFuture<'a, Result<RefundSays, ProviderError>> {
        Box::pin(async move {
            let body = match &refund.reference {
                Some(reference) => self.get(&format!("/v1/refunds/{}", checked(reference)?)).await?,
                None => {
                    let fields = vec![
                        ("payment_intent", self.paid_intent(charge).await?),
                        ("amount", refund.amount.minor.to_string()),
                        ("metadata[scrip_refund]", refund.id.to_string()),
                    ];
                    let (status, body) = self.post("/v1/refunds", &refund.idempotency, &fields).await?;
                    read(status, body)?
                }
            };
            of_refund(&body).ok_or_else(|| ProviderError::Unreachable("it says nothing of the refund".to_owned()))
        })
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Vec<Message>, Forged> {
        let header = headers.get(HEADER).and_then(|value| value.to_str().ok()).ok_or(Forged::Signature)?;
        signature::check(self.webhook_secret.as_bytes(), header, body, now)?;
        let event: Value = serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?;
        let (id, kind) = text(&event, "id").zip(text(&event, "type")).ok_or(Forged::Unreadable)?;
        let object = &event["data"]["object"];
        let message = |reference: Option<String>, ours: Option<(OrgId, PaymentId)>, says: Says| {
            let reference = reference.ok_or(Forged::Unreadable)?;
            let (id, kind) = (id.clone(), kind.clone());
            Ok(vec![Message { provider: Name::Stripe, id, kind, reference, ours, says, method: None }])
        };
        let by_metadata = || object["metadata"][OURS].as_str().and_then(read_ours);
        match kind.as_str() {
            "payment_intent.succeeded"
            | "payment_intent.processing"
            | "payment_intent.payment_failed"
            | "payment_intent.requires_action"
            | "payment_intent.canceled" => {
                let says = of_intent(object, object["metadata"][ALONE] == "yes").says;
                message(text(object, "id"), by_metadata(), Says::Payment(says))
            }
            _ if kind.starts_with("checkout.session.") && object["mode"] == "payment" => {
                let ours = object["client_reference_id"].as_str().and_then(read_ours);
                let failed = kind == "checkout.session.async_payment_failed";
                let says = if failed { Saying::Failed(Failure::Declined) } else { of_session(object).says };
                message(text(object, "id"), ours, Says::Payment(says))
            }
            _ if kind.starts_with("charge.dispute.") => {
                let stands = dispute(object["status"].as_str().unwrap_or_default());
                // Some are about a part of what was paid.
                let says = Says::Payment(Saying::Disputed(stands, money(object, "amount")));
                message(text(object, "payment_intent"), by_metadata(), says)
            }
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
                let says = of_refund(object).ok_or(Forged::Unreadable)?;
                message(text(object, "payment_intent"), None, Says::Refund(says))
            }
            // Everything else is true, and nothing to us.
            _ => Ok(Vec::new()),
        }
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().map(str::to_owned)
}

/// A number of Stripe's, as it may stand in a path.
fn checked(id: &str) -> Result<&str, ProviderError> {
    let plain = !id.is_empty() && id.len() <= 255 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { Ok(id) } else { Err(ProviderError::Refused("this is no number of Stripe's".to_owned())) }
}

/// What a refusal of the API means for us: a wrong question is refused for good, everything else is asked again.
fn read(status: u16, body: Value) -> Result<Value, ProviderError> {
    let told = || {
        format!("{status} {}", body["error"]["code"].as_str().or(body["error"]["type"].as_str()).unwrap_or_default())
    };
    match status {
        200..=299 => Ok(body),
        400 | 402 | 404 => Err(ProviderError::Refused(told())),
        _ => Err(ProviderError::Unreachable(told())),
    }
}

fn money(object: &Value, amount: &str) -> Option<Money> {
    let currency = Currency::parse(&object["currency"].as_str()?.to_uppercase()).ok()?;
    Some(Money { minor: object[amount].as_i64()?, currency })
}

fn of_session(session: &Value) -> Answer {
    let paid = || money(session, "amount_total").map_or(Saying::Nothing, Saying::Succeeded);
    let says = match (session["status"].as_str(), session["payment_status"].as_str()) {
        (Some("complete"), Some("paid")) => paid(),
        (Some("complete"), _) => Saying::Pending,
        (Some("expired"), _) => Saying::Cancelled,
        _ => Saying::Nothing,
    };
    let intent = &session["payment_intent"];
    let intent = intent.as_str().map(str::to_owned).or_else(|| text(intent, "id"));
    let references = text(session, "id").into_iter().chain(intent).collect();
    Answer { references, action_url: text(session, "url"), says, method: None }
}

/// `alone`: nobody is there who could try another way.
fn of_intent(intent: &Value, alone: bool) -> Answer {
    let says = match intent["status"].as_str() {
        Some("succeeded") => money(intent, "amount_received").map_or(Saying::Nothing, Saying::Succeeded),
        Some("processing") => Saying::Pending,
        Some("requires_action") if alone => Saying::NeedsAction,
        Some("requires_payment_method") if alone && intent["last_payment_error"].is_object() => {
            Saying::Failed(failure(&intent["last_payment_error"]))
        }
        // Of a Checkout session too: what cancels one ends it.
        Some("canceled") => Saying::Cancelled,
        _ => Saying::Nothing,
    };
    let action_url = text(&intent["next_action"]["redirect_to_url"], "url");
    Answer { references: text(intent, "id").into_iter().collect(), action_url, says, method: None }
}

fn of_refund(refund: &Value) -> Option<RefundSays> {
    let state = match refund["status"].as_str()? {
        "succeeded" => RefundState::Succeeded,
        "failed" | "canceled" => RefundState::Failed,
        _ => RefundState::Asked,
    };
    let ours = refund["metadata"][OUR_REFUND].as_str().and_then(RefundId::parse);
    Some(RefundSays { reference: text(refund, "id")?, ours, amount: money(refund, "amount")?, state })
}

/// Only what a bank has begun in earnest takes anything; a warning does not.
fn dispute(status: &str) -> Dispute {
    match status {
        "won" => Dispute::Won,
        "lost" => Dispute::Lost,
        "needs_response" | "under_review" => Dispute::Open,
        _ => Dispute::None,
    }
}

fn failure(error: &Value) -> Failure {
    let code = error["decline_code"].as_str().or(error["code"].as_str()).unwrap_or_default();
    match (error["code"].as_str().unwrap_or_default(), code) {
        ("authentication_required", _) | (_, "authentication_required") => Failure::AuthenticationRequired,
        ("payment_intent_authentication_failure", _) => Failure::AuthenticationFailed,
        ("expired_card", _) => Failure::ExpiredCard,
        (_, "insufficient_funds") => Failure::InsufficientFunds,
        ("processing_error", _) => Failure::ProviderError,
        _ => Failure::Declined,
    }
}

/// `Visa ending in 4242`.
fn title(method: &Value) -> String {
    let card = &method["card"];
    let brand = card["brand"].as_str().unwrap_or("card");
    let brand: String =
        brand.chars().take(32).enumerate().map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c }).collect();
    let last = card["last4"].as_str().filter(|last| last.len() == 4 && last.bytes().all(|b| b.is_ascii_digit()));
    last.map_or_else(|| brand.clone(), |last| format!("{brand} ending in {last}"))
}
