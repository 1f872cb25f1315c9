//! A service that signs people in, as OpenID Connect wants it: discovery, keys, the code flow with PKCE. It lies where it is
//! told to.

use super::common::NOW;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rsa::BigUint;
use rsa::traits::PublicKeyParts as _;
use scrip_server::config::Config;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

pub const CLIENT: &str = "scrip-client";
pub const SECRET: &str = "canary-of-the-client-secret";
/// Two primes that a key was once made of: making one takes longer than all these tests.
const PRIMES: [&[u8]; 2] = [
    b"f5831ce38f54b5b687e3401d2bebf1227e556a89051ce700bd093bd8f5fedf460bb4f828c6a12e007dec341c3180af20a16cd8730fd41c15051b01b05825cc46b5110556df140d125503181993c81762001179ac8bd0f62681680f9e91d13a9de4ae8a568a3588994e696bbed3df834731d6916c9f5241d0ba225c17e0f88f97",
    b"cc6b7424c77ae2dab3c7b10f87520e82957108e348488523b16f1ecc655a9ba6e222aa6b70ad254d000ed7bed03f9b44d2fb464a6f518464d693a9abdd2c519b0eaabd8058a07f5f715beae2a68b165e451890dfc603b4d5312a4261231e1dedf5345d0b6b3c1517502feac3dfd5c1f675cec8c428a34a6fc704983374bd7a33",
];

/// How tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    Ec,
    Rsa,
    /// By a key that the service never had, under the name of one that it has.
    Forged,
    /// With the secret that both sides know.
    Shared,
    /// Not at all.
    Not,
}

/// The service.
#[derive(Clone)]
pub struct Idp {
    pub issuer: String,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    /// Which key signs. Another one has another name.
    seed: u8,
    signed: Signed,
    down: bool,
    /// Whether the email is told only to those who ask for it.
    asks: bool,
    discoveries: usize,
    codes: HashMap<String, Code>,
    told: Value,
}

struct Code {
    challenge: String,
    redirect: String,
    claims: Value,
}

impl Idp {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let inner = Inner {
            seed: 1,
            signed: Signed::Ec,
            down: false,
            asks: false,
            discoveries: 0,
            codes: HashMap::new(),
            told: Value::Null,
        };
        let idp = Self { issuer, inner: Arc::new(Mutex::new(inner)) };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/who", get(who))
            .with_state(idp.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        idp
    }

    /// A server that takes its word.
    pub fn config(&self) -> Config {
        Config {
            oidc_issuer: Some(self.issuer.clone()),
            oidc_client_id: Some(CLIENT.to_owned()),
            oidc_client_secret: Some(SECRET.to_owned()),
            oidc_name: "Example ID".to_owned(),
            ..Config::default()
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic")
    }

    pub fn sign(&self, signed: Signed) {
        self.inner().signed = signed;
    }

    pub fn rotate(&self) {
        self.inner().seed += 1;
    }

    pub fn set_down(&self, down: bool) {
        self.inner().down = down;
    }

    pub fn keep_the_email(&self) {
        self.inner().asks = true;
    }

    pub fn discoveries(&self) -> usize {
        self.inner().discoveries
    }

    /// What a token says of somebody, as a browser was sent to ask.
    pub fn claims(&self, subject: &str, email: &str, location: &str) -> Value {
        json!({
            "iss": self.issuer, "aud": CLIENT, "sub": subject, "email": email, "email_verified": true,
            "iat": seconds(NOW), "exp": seconds(NOW) + 300, "nonce": asked(location)["nonce"],
        })
    }

    /// Somebody signs in here: what their browser brings back.
    pub fn approve(&self, location: &str, claims: Value) -> String {
        let asked = asked(location);
        assert!(location.starts_with(&format!("{}/authorize?", self.issuer)), "{location}");
        assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT));
        assert_eq!((asked["code_challenge_method"].as_str(), asked["scope"].as_str()), ("S256", "openid email"));
        assert!(asked["state"].len() >= 22 && asked["nonce"].len() >= 22, "128 bits");
        let mut inner = self.inner();
        let code = format!("code-{}", inner.codes.len());
        let (challenge, redirect) = (asked["code_challenge"].clone(), asked["redirect_uri"].clone());
        inner.codes.insert(code.clone(), Code { challenge, redirect, claims });
        format!("/sign-in/oidc/callback?code={code}&state={}", asked["state"])
    }
}

/// What a browser was sent to ask.
pub fn asked(location: &str) -> HashMap<String, String> {
    let query = location.split_once('?').map_or("", |(_, query)| query);
    serde_urlencoded::from_str(query).expect("a query")
}

fn seconds(time: &str) -> i64 {
    super::common::time(time).micros() / 1_000_000
}

async fn discovery(State(idp): State<Idp>) -> Result<Json<Value>, StatusCode> {
    let mut inner = idp.inner();
    inner.discoveries += 1;
    if inner.down {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let at = |path: &str| format!("{}{path}", idp.issuer);
    Ok(Json(json!({
        "issuer": idp.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"), "userinfo_endpoint": at("/who"), "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "ES256"],
    })))
}

async fn keys(State(idp): State<Idp>) -> Json<Value> {
    let seed = idp.inner().seed;
    let point = ec(seed).verifying_key().to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    let rsa = rsa_key();
    let (n, e) = (rsa.n().to_bytes_be(), rsa.e().to_bytes_be());
    Json(json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": format!("ec-{seed}"), "x": b64(x), "y": b64(y) },
        { "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa", "n": b64(&n), "e": b64(&e) },
    ]}))
}

/// RFC 6749 §4.1.3, RFC 7636 §4.6.
async fn token(State(idp): State<Idp>, headers: HeaderMap, body: String) -> (StatusCode, Json<Value>) {
    let form: HashMap<String, String> = serde_urlencoded::from_str(&body).expect("a form");
    let refuse = |why: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": why })));
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    if headers.get("authorization").is_none_or(|said| said != basic.as_str()) {
        return refuse("invalid_client");
    }
    let mut inner = idp.inner();
    let Some(code) = inner.codes.remove(&form["code"]) else { return refuse("invalid_grant") };
    let verifier = form.get("code_verifier").map_or("", String::as_str);
    let proven = b64(&Sha256::digest(verifier.as_bytes())) == code.challenge && verifier.len() >= 43;
    if !proven || form["redirect_uri"] != code.redirect || form["grant_type"] != "authorization_code" {
        return refuse("invalid_grant");
    }
    let mut claims = code.claims;
    inner.told = claims.clone();
    if inner.asks {
        claims.as_object_mut().expect("an object").retain(|name, _| !name.starts_with("email"));
    }
    let id_token = signed(&claims, inner.signed, inner.seed);
    (StatusCode::OK, Json(json!({ "access_token": "at", "token_type": "Bearer", "id_token": id_token })))
}

async fn who(State(idp): State<Idp>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let known = headers.get("authorization").is_some_and(|said| said == "Bearer at");
    let told = idp.inner().told.clone();
    let answer = json!({ "sub": told["sub"], "email": told["email"], "email_verified": told["email_verified"] });
    if known { Ok(Json(answer)) } else { Err(StatusCode::UNAUTHORIZED) }
}

fn signed(claims: &Value, how: Signed, seed: u8) -> String {
    let (alg, kid) = match how {
        Signed::Ec | Signed::Forged => ("ES256", format!("ec-{seed}")),
        Signed::Rsa => ("RS256", "rsa".to_owned()),
        Signed::Shared => ("HS256", "shared".to_owned()),
        Signed::Not => ("none", "none".to_owned()),
    };
    let head = json!({ "typ": "JWT", "alg": alg, "kid": kid }).to_string();
    let text = format!("{}.{}", b64(head.as_bytes()), b64(claims.to_string().as_bytes()));
    let by_ec = |seed: u8| -> Vec<u8> {
        let signature: Signature = ec(seed).sign(text.as_bytes());
        signature.to_bytes().to_vec()
    };
    let signature = match how {
        Signed::Ec => by_ec(seed),
        Signed::Forged => by_ec(99),
        Signed::Rsa => {
            let key = rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(rsa_key());
            rsa::signature::SignatureEncoding::to_vec(&rsa::signature::Signer::sign(&key, text.as_bytes()))
        }
        Signed::Shared => shared(text.as_bytes()),
        Signed::Not => Vec::new(),
    };
    format!("{text}.{}", b64(&signature))
}

/// HMAC-SHA-256 (RFC 2104) by the client's secret.
fn shared(text: &[u8]) -> Vec<u8> {
    let mut key = [0_u8; 64];
    key[..SECRET.len()].copy_from_slice(SECRET.as_bytes());
    let pad = |with: u8| key.map(|byte| byte ^ with);
    let inner = Sha256::digest([&pad(0x36)[..], text].concat());
    Sha256::digest([&pad(0x5c)[..], &inner].concat()).to_vec()
}

fn ec(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).expect("a key")
}

fn rsa_key() -> rsa::RsaPrivateKey {
    let [p, q] = PRIMES.map(|prime| BigUint::parse_bytes(prime, 16).expect("a number"));
    rsa::RsaPrivateKey::from_p_q(p, q, BigUint::from(65_537_u32)).expect("a key")
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
