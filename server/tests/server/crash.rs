//! Killed at any moment: nothing that was acknowledged is lost, nothing is done twice.
//!
//! Several clients report events and make, capture and release holds, each write with its identity or its
//! `Idempotency-Key`. The server is killed with SIGKILL at a random moment and started again. What was not answered is sent
//! again as it was. Then the server's figures must be those of the clients' own books, and `scrip verify` must find
//! nothing. The longer run is `make soak`.

use crate::cli::{Running, ok};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;
use tokio::task::JoinSet;

const CLIENTS: u64 = 4;
const CYCLES: u64 = 20;
const SEED: u64 = 0x5c21_90aa;
/// The price of one event of a million input tokens, in micro-credits.
const EVENT_MICROS: i64 = 600_000;
const GRANTED_MICROS: i64 = 1_000_000_000_000;

/// SplitMix64 (Steele, Lea, Flood 2014): enough for choosing what to do.
struct Rng(u64);

impl Rng {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// A write as it was sent, so that it can be sent again.
#[derive(Clone)]
struct Sent {
    path: String,
    key: Option<String>,
    body: Value,
}

/// What a client knows: its own books.
#[derive(Default)]
struct Books {
    events: Vec<Value>,
    /// Pending holds: id and amount.
    holds: BTreeMap<String, i64>,
    captured_micros: i64,
    /// Sent, and not answered before the server was gone.
    open: Option<Sent>,
    numbers: u64,
}

/// Tells when the server is to be killed: after so many answers, while other requests are under way.
struct Fuse {
    answered: AtomicU64,
    kill_after: u64,
    burnt: Notify,
}

impl Fuse {
    fn burn(&self) {
        if self.answered.fetch_add(1, Ordering::Relaxed) + 1 == self.kill_after {
            self.burnt.notify_one();
        }
    }
}

struct Client {
    name: u64,
    rng: Rng,
    books: Books,
    key: String,
}

fn micros(amount: &Value) -> i64 {
    let (whole, fraction) = amount.as_str().expect("an amount").split_once('.').expect("six decimals");
    format!("{whole}{fraction}").parse().expect("a number")
}

fn credits(micros: i64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

impl Client {
    /// Writes until the server is gone. What was left open by the crash before comes first.
    async fn work(&mut self, http: &reqwest::Client, url: &str, fuse: &Fuse) {
        loop {
            let sent = match self.books.open.take() {
                Some(open) => open,
                None => self.choose(),
            };
            self.books.open = Some(sent.clone());
            let mut request = http.post(format!("{url}{}", sent.path)).bearer_auth(&self.key).json(&sent.body);
            if let Some(key) = &sent.key {
                request = request.header("idempotency-key", key);
            }
            let Ok(response) = request.send().await else { return };
            let status = response.status();
            let Ok(answer) = response.json::<Value>().await else { return };
            if status.as_u16() == 503 {
                return;
            }
            assert!(status.is_success(), "{} {}: {status} {answer}", sent.path, sent.body);
            self.books.open = None;
            self.note(&sent, &answer);
            fuse.burn();
        }
    }

    fn number(&mut self) -> u64 {
        self.books.numbers += 1;
        self.books.numbers
    }

    fn choose(&mut self) -> Sent {
        let number = self.number();
        let key = Some(format!("client-{}-{number}", self.name));
        let hold = {
            let count = self.books.holds.len() as u64;
            let index = self.rng.next(count.max(1));
            self.books
                .holds
                .iter()
                .nth(usize::try_from(index).expect("small"))
                .map(|(id, amount)| (id.clone(), *amount))
        };
        match (self.rng.next(6), hold) {
            (3, _) => {
                let amount = credits(1 + i64::try_from(self.rng.next(5_000_000)).expect("small"));
                Sent { path: "/api/v1/holds".into(), key, body: json!({"amount": amount, "expires_in_s": 86_400}) }
            }
            (4, Some((id, amount))) => {
                let part = 1 + i64::try_from(self.rng.next(2 * amount.unsigned_abs())).expect("small");
                Sent { path: format!("/api/v1/holds/{id}/capture"), key, body: json!({"amount": credits(part)}) }
            }
            (5, Some((id, _))) => Sent { path: format!("/api/v1/holds/{id}/release"), key, body: json!({}) },
            _ => {
                let count = 1 + self.rng.next(4);
                let event = |part| {
                    json!({"specversion": "1.0", "id": format!("e{}-{number}-{part}", self.name), "source": "api", "type": "ai_text",
                           "data": {"quantities": {"input_tokens": 1_000_000}}})
                };
                Sent { path: "/api/v1/events".into(), key: None, body: (0..count).map(event).collect() }
            }
        }
    }

    fn note(&mut self, sent: &Sent, answer: &Value) {
        if sent.path == "/api/v1/events" {
            let events = sent.body.as_array().expect("a batch");
            let count = answer["accepted"].as_u64().zip(answer["duplicate"].as_u64()).map(|(a, d)| a + d);
            assert_eq!((count, answer["rejected"].as_u64()), (Some(events.len() as u64), Some(0)), "{answer}");
            self.books.events.extend(events.iter().cloned());
            return;
        }
        let id = answer["id"].as_str().expect("a hold").to_owned();
        match answer["status"].as_str() {
            Some("pending") => {
                self.books.holds.insert(id, micros(&answer["amount"]));
            }
            Some("captured") => {
                self.books.holds.remove(&id);
                self.books.captured_micros += micros(&answer["captured"]);
            }
            Some("released") => {
                self.books.holds.remove(&id);
            }
            _ => panic!("{answer}"),
        }
    }
}

/// After everything open was sent again: the server's figures are those of the books.
async fn compare(clients: &[Client], http: &reqwest::Client, url: &str) {
    let response =
        http.get(format!("{url}/api/v1/balance")).bearer_auth(&clients[0].key).send().await.expect("an answer");
    let balance: Value = response.json().await.expect("a balance");
    let events: i64 = clients.iter().map(|client| i64::try_from(client.books.events.len()).expect("few")).sum();
    let captured: i64 = clients.iter().map(|client| client.books.captured_micros).sum();
    let held: i64 = clients.iter().flat_map(|client| client.books.holds.values()).sum();
    let settled = GRANTED_MICROS - events * EVENT_MICROS - captured;
    assert_eq!((micros(&balance["settled"]), micros(&balance["held"])), (settled, held), "{events} events");
}

/// Sends again what was not answered before the crash.
async fn finish_open(clients: &mut [Client], http: &reqwest::Client, url: &str) {
    for client in clients {
        let Some(sent) = client.books.open.take() else { continue };
        let mut request = http.post(format!("{url}{}", sent.path)).bearer_auth(&client.key).json(&sent.body);
        if let Some(key) = &sent.key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.expect("an answer");
        let (status, answer) = (response.status(), response.json::<Value>().await.expect("JSON"));
        assert!(status.is_success(), "{}: {status} {answer}", sent.path);
        client.note(&sent, &answer);
    }
}

/// Everything acknowledged is known to the server: sent again, each event is a duplicate.
async fn all_known(clients: &[Client], http: &reqwest::Client, url: &str) {
    for client in clients {
        for batch in client.books.events.chunks(1_000) {
            let request = http.post(format!("{url}/api/v1/events")).bearer_auth(&client.key).json(batch);
            let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
            assert_eq!(answer["duplicate"].as_u64(), Some(batch.len() as u64), "{answer}");
        }
    }
}

async fn cycles(count: u64, seed: u64) {
    println!("crash: {count} cycles, seed {seed}");
    let data = tempfile::tempdir().expect("a folder");
    ok(data.path(), &["org", "create", "Acme", "--grant", "1000000"]);
    let scopes = ["--scope", "events:write", "--scope", "ledger:read", "--scope", "ledger:write"];
    let key = ok(data.path(), &[&["key", "create", "--org", "Acme"], &scopes[..]].concat()).trim().to_owned();
    let mut rng = Rng(seed);
    let client = |name| Client { name, rng: Rng(seed ^ (name + 1)), books: Books::default(), key: key.clone() };
    let mut clients: Vec<Client> = (0..CLIENTS).map(client).collect();
    let mut writes = 0;
    for _ in 0..count {
        let mut server = Running::start(data.path());
        let (http, url) = (super::common::http(), server.url.clone());
        finish_open(&mut clients, &http, &url).await;
        compare(&clients, &http, &url).await;
        let mut working = JoinSet::new();
        let fuse = Fuse { answered: AtomicU64::new(0), kill_after: 1 + rng.next(150), burnt: Notify::new() };
        let fuse = Arc::new(fuse);
        for mut client in clients.drain(..) {
            let (http, url, fuse) = (http.clone(), url.clone(), Arc::clone(&fuse));
            working.spawn(async move {
                client.work(&http, &url, &fuse).await;
                client
            });
        }
        fuse.burnt.notified().await;
        server.child.kill().expect("killed");
        server.child.wait().expect("ends");
        while let Some(client) = working.join_next().await {
            clients.push(client.expect("a client that did not fail"));
        }
        writes += fuse.answered.load(Ordering::Relaxed);
        let verified = ok(data.path(), &["verify"]);
        assert!(verified.starts_with("intact"), "{verified}");
    }
    let server = Running::start(data.path());
    let http = super::common::http();
    finish_open(&mut clients, &http, &server.url).await;
    compare(&clients, &http, &server.url).await;
    all_known(&clients, &http, &server.url).await;
    let events: usize = clients.iter().map(|client| client.books.events.len()).sum();
    println!("crash: {count} kills, {writes} acknowledged writes, {events} events: nothing lost, nothing twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_has_lost_nothing_and_done_nothing_twice() {
    cycles(CYCLES, SEED).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "as long as wished: run by make soak, which says how many cycles and which seed"]
#[expect(clippy::disallowed_methods, reason = "how long to go on is the caller's choice")]
async fn a_server_killed_many_times() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    cycles(number("CRASH_CYCLES", 500), number("CRASH_SEED", SEED)).await;
}
