//! How many requests are taken, and what one is told who sends more.

use crate::common::Server;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use scrip_server::config::Config;
use std::net::SocketAddr;

fn config() -> Config {
    Config { key_requests_per_s: 1, org_requests_per_s: 2, address_requests_per_s: 1, ..Config::default() }
}

fn from(address: [u8; 4], path: &str, key: Option<&str>) -> Request<Body> {
    let mut request = Request::get(path);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let request = request.extension(ConnectInfo(SocketAddr::from((address, 4000))));
    request.body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn a_key_is_told_what_is_left_and_then_when_to_come_back() {
    let server = Server::with(config()).await;
    let first = server.get("/api/v1/balance").await;
    assert_eq!(first.header("ratelimit-policy"), "\"key\";q=10;w=10, \"org\";q=20;w=10");
    assert_eq!(first.header("ratelimit"), "\"key\";r=9;t=1, \"org\";r=19;t=1");
    // A refused question is answered with what is left too.
    assert_eq!(
        server.get("/api/v1/usage?interval=never").await.header("ratelimit"),
        "\"key\";r=8;t=2, \"org\";r=18;t=1"
    );
    let mut refused = None;
    for _ in 0..30 {
        let reply = server.get("/api/v1/balance").await;
        if reply.status != 200 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("a limit");
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (429, "rate_limited"));
    assert_eq!((refused.header("retry-after"), refused.json()["limit"].as_str()), ("1", Some("key")));
    assert_eq!(refused.json()["requests_per_s"], 1);
}

#[tokio::test]
async fn nothing_of_a_refused_batch_is_counted_and_it_can_be_sent_again() {
    let server = Server::with(Config { key_requests_per_s: 1, ..Config::default() }).await;
    let event = |n: usize| {
        format!(
            "{{\"id\":\"e{n}\",\"source\":\"api\",\"type\":\"ai_text\",\"data\":{{\"quantities\":{{\"input_tokens\":1}}}}}}"
        )
    };
    let mut taken = 0;
    for n in 0..30 {
        let reply = server.post("application/json", event(n)).await;
        match reply.status.as_u16() {
            200 => taken += 1,
            429 => break,
            other => panic!("{other}: {}", reply.text()),
        }
    }
    assert!((10..30).contains(&taken), "{taken}");
    assert_eq!(server.store.totals(ledger::OrgId(1)).await.expect("totals").events, taken);
}

#[tokio::test]
async fn guessing_keys_is_limited_by_address_and_a_right_key_from_there_is_not() {
    let server = Server::with(Config { key_requests_per_s: 1_000, org_requests_per_s: 0, ..config() }).await;
    let guess = "scrip_abcdefgh_0000000000000000000000000000000000000000000000";
    let here = [192, 0, 2, 1];
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(server.call(from(here, "/api/v1/balance", Some(guess))).await.status.as_u16());
    }
    assert_eq!((statuses[0], statuses[11]), (401, 429), "{statuses:?}");
    assert_eq!(server.call(from(here, "/help", None)).await.status, 429);
    assert_eq!(server.call(from(here, "/healthz", None)).await.status, 200);
    assert_eq!(server.call(from(here, "/api/v1/balance", Some(&server.key))).await.status, 200);
    assert_eq!(server.call(from([192, 0, 2, 2], "/help", None)).await.status, 200);
}

#[tokio::test]
async fn every_call_is_described_with_what_every_call_may_be_answered() {
    let server = Server::start().await;
    let described = server.get("/api/openapi.json").await.json();
    for (path, item) in described["paths"].as_object().expect("paths") {
        for (method, call) in item.as_object().expect("an item") {
            for status in ["408", "429", "500", "503"] {
                let answer = &call["responses"][status]["content"]["application/problem+json"];
                assert!(answer["schema"]["$ref"].is_string(), "{method} {path} {status}");
            }
        }
    }
}
