//! A server that answers as Stripe's API does, as far as it is asked: Checkout Sessions, PaymentIntents, refunds, idempotency, and
//! events signed as Stripe signs them.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use ledger::Timestamp;
use scrip_server::config::Config;
use scrip_server::payment::signature;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const KEY: &str = "sk_test_of_ours";
const SECRET: &str = "whsec_of_ours";

/// What the account holds.
#[derive(Default)]
struct Account {
    objects: BTreeMap<String, Value>,
    /// What was answered under each key.
    answered: BTreeMap<String, (u16, Value)>,
    events: u64,
}

impl Account {
    fn next(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.objects.len() + 1)
    }
}

/// Stripe, on a free port of this machine.
#[derive(Clone)]
pub struct Stripe {
    account: Arc<Mutex<Account>>,
    pub url: String,
}

type Fields = BTreeMap<String, String>;
type Answer = (StatusCode, Json<Value>);

fn fields(body: &str) -> Fields {
    serde_urlencoded::from_str::<Vec<(String, String)>>(body).expect("a form").into_iter().collect()
}

impl Stripe {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stripe = Self { account: Arc::default(), url };
        let routes = Router::new()
            .route("/v1/checkout/sessions", post(begin))
            .route("/v1/checkout/sessions/{id}/expire", post(expire))
            .route("/v1/payment_intents", post(charge))
            .route("/v1/payment_intents/{id}/cancel", post(cancel))
            .route("/v1/refunds", post(refund))
            .route("/v1/checkout/sessions/{id}", get(object))
            .route("/v1/payment_intents/{id}", get(object))
            .route("/v1/refunds/{id}", get(object))
            .with_state(stripe.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        stripe
    }

    /// What a server that uses it is set to.
    pub fn config(&self) -> Config {
        Config {
            payment_providers: "stripe".to_owned(),
            stripe_secret_key: Some(KEY.to_owned()),
            stripe_webhook_secret: Some(SECRET.to_owned()),
            stripe_url: self.url.clone(),
            ..Config::default()
        }
    }

    fn account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().expect("nobody panicked")
    }

    /// Somebody pays on the page of a session.
    pub fn pay(&self, session: &str) {
        let mut account = self.account();
        let intent = account.next("pi");
        let session = account.objects.get_mut(session).expect("a session");
        (session["status"], session["payment_status"]) = (json!("complete"), json!("paid"));
        session["payment_intent"] = json!(intent);
        let (amount, currency) = (session["amount_total"].clone(), session["currency"].clone());
        let metadata = json!({"scrip_payment": session["client_reference_id"]});
        let paid = json!({"id": intent, "status": "succeeded", "amount_received": amount, "currency": currency, "metadata": metadata});
        account.objects.insert(intent, paid);
    }

    /// How an object stands.
    pub fn object(&self, id: &str) -> Value {
        self.account().objects[id].clone()
    }

    /// How many objects of a kind there are.
    pub fn count(&self, prefix: &str) -> usize {
        self.account().objects.keys().filter(|id| id.starts_with(prefix)).count()
    }

    /// An event about an object, signed now.
    pub fn event(&self, kind: &str, object: &Value, now: Timestamp) -> (HeaderMap, String) {
        let mut account = self.account();
        account.events += 1;
        let id = format!("evt_{}", account.events);
        let body = json!({"id": id, "object": "event", "type": kind, "data": {"object": object}}).to_string();
        let mut headers = HeaderMap::new();
        let value = signature::sign(SECRET.as_bytes(), body.as_bytes(), now);
        headers.insert("stripe-signature", HeaderValue::from_str(&value).expect("ASCII"));
        (headers, body)
    }

    /// Answers once under each key, and only to whoever knows the account's.
    fn once(&self, headers: &HeaderMap, body: &str, run: impl FnOnce(&mut Account, Fields) -> (u16, Value)) -> Answer {
        if headers.get("authorization").and_then(|v| v.to_str().ok()) != Some(&format!("Bearer {KEY}")) {
            return (StatusCode::UNAUTHORIZED, Json(json!({"error": {"type": "invalid_request_error"}})));
        }
        let key = headers["idempotency-key"].to_str().expect("ASCII").to_owned();
        let mut account = self.account();
        let answer = match account.answered.get(&key).cloned() {
            Some(answer) => answer,
            None => {
                let answer = run(&mut account, fields(body));
                account.answered.insert(key, answer.clone());
                answer
            }
        };
        (StatusCode::from_u16(answer.0).expect("a status"), Json(answer.1))
    }
}

async fn begin(State(stripe): State<Stripe>, headers: HeaderMap, body: String) -> Answer {
    let url = stripe.url.clone();
    stripe.once(&headers, &body, |account, fields| {
        let id = account.next("cs_test");
        let amount = fields.get("line_items[0][price_data][unit_amount]").and_then(|amount| amount.parse::<i64>().ok());
        let mut session = json!({
            "id": id, "object": "checkout.session", "mode": fields["mode"], "status": "open", "payment_status": "unpaid",
            "amount_total": amount, "currency": fields.get("line_items[0][price_data][currency]"), "payment_intent": null,
            "client_reference_id": fields["client_reference_id"], "url": format!("{url}/pay/{id}"),
        });
        if fields["mode"] == "setup" {
            // Somebody typed a card there at once.
            session["status"] = json!("complete");
            session["customer"] = json!("cus_1");
            session["setup_intent"] =
                json!({"payment_method": {"id": "pm_card", "card": {"brand": "visa", "last4": "4242"}}});
        }
        account.objects.insert(id, session.clone());
        (200, session)
    })
}

async fn charge(State(stripe): State<Stripe>, headers: HeaderMap, body: String) -> Answer {
    stripe.once(&headers, &body, |account, fields| {
        let id = account.next("pi");
        let refused = fields["payment_method"] == "pm_declined";
        let amount: i64 = fields["amount"].parse().expect("a number");
        let status = if refused { "requires_payment_method" } else { "succeeded" };
        let mut intent = json!({
            "id": id, "object": "payment_intent", "status": status, "amount_received": amount, "currency": fields["currency"],
            "metadata": {"scrip_payment": fields["metadata[scrip_payment]"], "scrip_alone": fields["metadata[scrip_alone]"]},
        });
        let error = json!({"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"});
        if refused {
            intent["last_payment_error"] = error.clone();
        }
        account.objects.insert(id, intent.clone());
        let mut told = error;
        told["payment_intent"] = intent.clone();
        if refused { (402, json!({ "error": told })) } else { (200, intent) }
    })
}

async fn expire(State(stripe): State<Stripe>, Path(id): Path<String>, headers: HeaderMap, body: String) -> Answer {
    end(&stripe, &id, &headers, &body, "open", "expired")
}

async fn cancel(State(stripe): State<Stripe>, Path(id): Path<String>, headers: HeaderMap, body: String) -> Answer {
    end(&stripe, &id, &headers, &body, "requires_action", "canceled")
}

fn end(stripe: &Stripe, id: &str, headers: &HeaderMap, body: &str, from: &str, to: &str) -> Answer {
    stripe.once(headers, body, |account, _| {
        let object = account.objects.get_mut(id).expect("an object");
        if object["status"] != from {
            return (400, json!({"error": {"type": "invalid_request_error"}}));
        }
        object["status"] = json!(to);
        (200, object.clone())
    })
}

async fn refund(State(stripe): State<Stripe>, headers: HeaderMap, body: String) -> Answer {
    stripe.once(&headers, &body, |account, fields| {
        let id = account.next("re");
        let intent = account.objects[&fields["payment_intent"]].clone();
        let amount: i64 = fields["amount"].parse().expect("a number");
        let refund = json!({
            "id": id, "object": "refund", "status": "succeeded", "amount": amount, "currency": intent["currency"],
            "payment_intent": intent["id"], "metadata": {"scrip_refund": fields["metadata[scrip_refund]"]},
        });
        account.objects.insert(id, refund.clone());
        (200, refund)
    })
}

async fn object(State(stripe): State<Stripe>, Path(id): Path<String>) -> Answer {
    match stripe.account().objects.get(&id) {
        Some(object) => (StatusCode::OK, Json(object.clone())),
        None => (StatusCode::NOT_FOUND, Json(json!({"error": {"code": "resource_missing"}}))),
    }
}
