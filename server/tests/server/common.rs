//! A server to ask, without a port: the router is called directly.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use scrip_server::command::{Answer, Command, execute};
use scrip_server::config::Config;
use scrip_server::router::router;
use scrip_server::state::AppState;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use store::clock::FixedClock;
use store::{Options, Store};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// What time it is in every test.
pub const NOW: &str = "2026-11-21T12:00:00Z";
const FORM: &str = "application/x-www-form-urlencoded";
/// The org of every test.
pub const ORG: &str = "Acme";
/// What `key create` gives by default, and everything.
pub const SCOPES: [&str; 3] = ["events:write", "usage:read", "ledger:read"];

/// A server over a new folder, with an org of 100 credits and a key.
pub struct Server {
    /// Keeps the folder.
    pub folder: TempDir,
    /// Tells the server what time it is.
    pub clock: Arc<FixedClock>,
    /// The store behind it.
    pub store: Store,
    /// A key with [`SCOPES`].
    pub key: String,
    /// One per request worked on.
    pub places: Arc<tokio::sync::Semaphore>,
    /// Counts what signing in costs.
    pub passwords: Arc<scrip_server::auth::password::Passwords>,
    router: Router,
}

/// What was answered.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).expect("UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: {:?} is no JSON", self.status, self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// The code of a problem, after checking that it is one of the right form.
    pub fn problem(&self) -> String {
        let problem = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json", "{problem}");
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{problem}");
        let code = problem["code"].as_str().expect("a code").to_owned();
        assert_eq!(problem["type"], format!("urn:scrip:problem:{code}"));
        assert!(problem["title"].is_string() && !problem["detail"].as_str().expect("a detail").is_empty());
        code
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(FixedClock::at(time(NOW)));
        let options = Options { clock: Arc::clone(&clock) as Arc<dyn store::Clock>, ..Options::new(folder.path()) };
        let store = Store::open(options).await.expect("opens");
        let state = AppState::new(store.clone(), config);
        let (places, passwords) = (Arc::clone(&state.places), Arc::clone(&state.passwords));
        let router = router(state).expect("a router");
        let mut server = Self { folder, clock, store, key: String::new(), places, passwords, router };
        server.create_org(ORG, "token-billing").await;
        server.grant("100").await;
        server.key = server.create_key(ORG, &SCOPES).await;
        server
    }

    pub async fn run(&self, command: Command) -> Answer {
        execute(&self.store, command).await.expect("carried out")
    }

    pub async fn create_org(&self, name: &str, preset: &str) {
        let (name, preset) = (name.to_owned(), preset.to_owned());
        self.run(Command::CreateOrg { name, preset, zone: "UTC".to_owned(), synthetic: false }).await;
    }

    pub async fn grant(&self, amount: &str) {
        let amount = ledger::Credits::parse(amount).expect("an amount");
        let new = store::NewGrant::of(ledger::GrantKind::Purchase, amount, "Bought");
        self.run(Command::Grant { org: ORG.to_owned(), new }).await;
    }

    pub async fn create_key(&self, org: &str, scopes: &[&str]) -> String {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let (org, name) = (org.to_owned(), "test".to_owned());
        match self.run(Command::CreateKey { org, name, scopes, project: None, expires_in_days: None }).await {
            Answer::Key(key) => key,
            other => panic!("{other:?}"),
        }
    }

    /// Makes somebody of that role and signs them in: the cookie of their browser.
    pub async fn person(&self, org: &str, role: &str, operator: bool) -> String {
        let (email, password) = (format!("{role}-{operator}@example.com"), "correct horse battery".to_owned());
        let form = [("email", email.clone()), ("password", password.clone()), ("next", "/".to_owned())];
        let (org, role) = (org.to_owned(), role.to_owned());
        self.run(Command::CreateUser { email, password, org, role, operator }).await;
        let form = serde_urlencoded::to_string(form).expect("a form");
        let reply = self.send("POST", "/sign-in", &[("content-type", FORM)], form).await;
        reply.header("set-cookie").split(';').next().expect("a cookie").to_owned()
    }

    /// Opens a page as that browser.
    pub async fn open(&self, cookie: &str, path: &str) -> Reply {
        self.send("GET", path, &[("cookie", cookie)], Body::empty()).await
    }

    /// Sends a form as that browser.
    pub async fn submit(&self, cookie: &str, path: &str, form: &[(&str, &str)]) -> Reply {
        let form = serde_urlencoded::to_string(form).expect("a form");
        self.send("POST", path, &[("content-type", FORM), ("cookie", cookie)], form).await
    }

    /// Listens on a free port of this machine until what comes with the address is dropped.
    pub async fn listen(&self) -> (String, tokio_util::sync::DropGuard) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = tokio_util::sync::CancellationToken::new();
        let (router, stopped) = (self.router.clone(), stop.clone().cancelled_owned());
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await });
        (url, stop.drop_guard())
    }

    pub async fn call(&self, request: Request<Body>) -> Reply {
        let (parts, body) = self.stream(request).await;
        let kind = parts.headers.get("content-type").and_then(|kind| kind.to_str().ok());
        // News has no end.
        let is_news = kind == Some("text/event-stream") && parts.headers.contains_key("x-accel-buffering");
        let body = if is_news { Bytes::new() } else { to_bytes(body, usize::MAX).await.expect("a body") };
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// An answer whose body is still to be read.
    pub async fn stream(&self, request: Request<Body>) -> (axum::http::response::Parts, Body) {
        self.router.clone().oneshot(request).await.expect("infallible").into_parts()
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:3000");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.call(request.body(body.into()).expect("a request")).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[("authorization", &self.bearer())], Body::empty()).await
    }

    /// Posts to /api/v1/events.
    pub async fn post(&self, content_type: &str, body: impl Into<Body>) -> Reply {
        let headers = [("authorization", self.bearer()), ("content-type", content_type.to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send("POST", "/api/v1/events", &headers, body).await
    }

    pub async fn post_json(&self, body: &Value) -> Reply {
        self.post("application/json", body.to_string()).await
    }

    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }

    /// Credits that are available.
    pub async fn available(&self) -> String {
        self.get("/api/v1/balance").await.json()["available"].as_str().expect("an amount").to_owned()
    }
}

/// A page without the attribute that hands the product's name to the browser: in quotes it may hold any letter but a quote.
pub fn without_product(page: &str) -> String {
    let (before, rest) = page.split_once("data-product=\"").expect("a page of the app");
    before.to_owned() + rest.split_once('"').expect("an end").1
}

/// An instant.
pub fn time(text: &str) -> ledger::Timestamp {
    ledger::Timestamp::parse("time", text).expect("a time")
}

/// Somebody with a key for everything in one org.
pub struct Client<'s> {
    pub server: &'s Server,
    pub key: String,
}

impl<'s> Client<'s> {
    /// Of the org of every test.
    pub async fn new(server: &'s Server) -> Self {
        Self::of(server, ORG).await
    }

    pub async fn of(server: &'s Server, org: &str) -> Self {
        Self { server, key: server.create_key(org, &["admin"]).await }
    }

    pub async fn get(&self, path: &str) -> Reply {
        let bearer = format!("Bearer {}", self.key);
        self.server.send("GET", &format!("/api/v1/{path}"), &[("authorization", &bearer)], Body::empty()).await
    }

    /// What a good reading says.
    pub async fn read(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status.as_u16(), 200, "{path}: {}", reply.text());
        reply.json()
    }

    pub async fn send(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        self.request("POST", path, headers, body).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.request("DELETE", path, &[], Body::empty()).await
    }

    async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let bearer = format!("Bearer {}", self.key);
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        self.server.send(method, &format!("/api/v1/{path}"), &all, body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.request("PUT", path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// With an Idempotency-Key.
    pub async fn once(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.send(path, &[("content-type", "application/json"), ("idempotency-key", key)], body.to_string()).await
    }

    /// What a good write says.
    pub async fn write(&self, path: &str, body: &Value) -> Value {
        let reply = self.post(path, body).await;
        assert!(reply.status.is_success(), "{path} {body}: {}", reply.text());
        reply.json()
    }

    /// Status and code of a refused write.
    pub async fn refused(&self, path: &str, body: &Value) -> (u16, String) {
        let reply = self.post(path, body).await;
        (reply.status.as_u16(), reply.problem())
    }

    /// How many entries the ledger has: where nothing is posted it stays.
    pub async fn entries(&self) -> u64 {
        let page = self.read("ledger?limit=1").await;
        let last = page["chain_head"]["entry"].as_str().expect("an entry").to_owned();
        last.trim_start_matches("entry_").parse().expect("a number")
    }

    /// Available, held and debt.
    pub async fn balance(&self) -> [String; 3] {
        let balance = self.read("balance").await;
        ["available", "held", "debt"].map(|part| balance[part].as_str().expect("an amount").to_owned())
    }

    /// Moves the clock.
    pub fn at(&self, text: &str) {
        self.server.clock.set(time(text));
    }

    pub async fn assert_verified(&self) {
        let verified = self.server.store.verify(|_, _| ()).await.expect("readable");
        assert_eq!(verified.problems, Vec::<String>::new());
    }
}

/// The shared real data, where it is there: `SCRIP_SHARED_DATA`, or `../shared/data` beside the checkout.
pub fn shared_data(file: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration to read it from")]
    let folder = std::env::var_os("SCRIP_SHARED_DATA").map(PathBuf::from);
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = folder.unwrap_or_else(beside).join(file);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: {} is not there; SCRIP_SHARED_DATA may name its folder", path.display());
    None
}

/// Asks a server that runs. Which TLS the client would use is for the program to say, not for the client.
pub fn http() -> reqwest::Client {
    // Where tests share a process another one may have said it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}
