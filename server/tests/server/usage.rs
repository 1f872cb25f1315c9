//! Reading usage, and what describes and watches the server.

use super::common::Server;
use serde_json::{Value, json};

async fn server_with_usage() -> Server {
    let server = Server::start().await;
    let event = |id: u32, source: &str, time: &str, data: Value| json!({"id": id.to_string(), "source": source, "type": "ai_text", "time": time, "data": data});
    let tokens = |project: &str| json!({"quantities": {"input_tokens": 1_000_000, "completion_tokens": 500_000}, "project": project});
    let image = json!({"quantities": {"images": 10}, "status": "failed"});
    let events = json!([
        event(1, "api", "2026-11-20T10:00:00Z", tokens("a")),
        event(2, "web", "2026-11-20T23:30:00Z", tokens("b")),
        event(3, "api", "2026-11-21T09:00:00Z", image),
    ]);
    assert_eq!(server.post_json(&events).await.json()["accepted"], 3);
    server
}

#[tokio::test]
async fn usage_has_the_shape_that_clients_rely_on() {
    let server = server_with_usage().await;
    let usage =
        server.get("/api/v1/usage?from=2026-11-20&to=2026-11-21&group_by=type,source&type=input_tokens").await.json();
    let point = |start: &str, credits: &str, events: u32, quantity: &str| json!({"start": start, "credits": credits, "events": events, "failed": 0, "quantity": quantity});
    let series = |source: &str| {
        json!({
            "key": {"type": "input_tokens", "source": source}, "credits": "0.600000", "events": 1, "failed": 0,
            "quantity": "1000000",
            "points": [point("2026-11-20T00:00:00Z", "0.600000", 1, "1000000"), point("2026-11-21T00:00:00Z", "0.000000", 0, "0")]
        })
    };
    let mut expected = json!({
        "from": "2026-11-20T00:00:00Z", "to": "2026-11-22T00:00:00Z", "timezone": "UTC", "interval": "day",
        "total": {"credits": "1.200000", "events": 2, "failed": 0, "quantity": "2000000"},
        "series": [series("api"), series("web")]
    });
    assert_eq!(usage, expected);
    let narrow = server
        .get("/api/v1/usage?from=2026-11-20&to=2026-11-21&group_by=type,source&type=input_tokens&source=web")
        .await;
    expected["series"].as_array_mut().expect("series").remove(0);
    assert_eq!(narrow.json()["series"], expected["series"]);
}

#[tokio::test]
async fn an_event_with_several_quantities_counts_once_in_the_total() {
    let server = server_with_usage().await;
    let usage = server.get("/api/v1/usage?interval=none&group_by=type").await.json();
    assert_eq!(usage["total"], json!({"credits": "2.201000", "events": 3, "failed": 1, "quantity": null}));
    let events: Vec<u64> =
        usage["series"].as_array().expect("series").iter().map(|s| s["events"].as_u64().expect("one")).collect();
    assert_eq!(events.iter().sum::<u64>(), 5, "each in each of its types");
    let all = server.get("/api/v1/usage?interval=none").await.json();
    assert_eq!((all["series"].as_array().map(Vec::len), &all["series"][0]["key"]), (Some(1), &json!({})));
}

#[tokio::test]
async fn days_are_those_of_the_zone_that_is_asked_for() {
    let server = server_with_usage().await;
    let berlin = server.get("/api/v1/usage?from=2026-11-21&to=2026-11-21&tz=Europe/Berlin&source=web").await.json();
    assert_eq!((berlin["timezone"].as_str(), berlin["total"]["events"].as_u64()), (Some("Europe/Berlin"), Some(1)));
    assert_eq!(berlin["from"], "2026-11-20T23:00:00Z");
    let hours =
        server.get("/api/v1/usage?from=2026-11-20T22:00:00Z&to=2026-11-21T00:00:00Z&interval=hour").await.json();
    let points = hours["series"][0]["points"].as_array().expect("points");
    assert_eq!(points.iter().map(|p| p["events"].as_u64().expect("one")).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_problem() {
    let server = Server::start().await;
    for (query, code) in [
        ("form=2026-01-01", "bad_query"),
        ("interval=minute", "bad_query"),
        ("group_by=module", "bad_query"),
        ("group_by=user,tenant", "bad_query"),
        ("status=broken", "bad_query"),
        ("tz=Mars/Olympus", "bad_query"),
        ("from=2026-01-02&to=2026-01-01", "bad_range"),
        ("from=2001-01-01&to=2026-01-01", "bad_range"),
        ("from=2026-01-01&to=2026-06-01&interval=hour", "bad_range"),
    ] {
        let reply = server.get(&format!("/api/v1/usage?{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (400, code), "{query}");
    }
}

#[tokio::test]
async fn the_server_says_how_it_is() {
    let server = server_with_usage().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.send("GET", path, &[], "").await.status.as_u16(), 200, "{path}");
    }
    let metrics = server.send("GET", "/metrics", &[], "").await.text();
    for name in [
        "scrip_http_requests_total",
        "scrip_http_request_seconds_bucket",
        "scrip_events_total",
        "scrip_writer_commits_total",
    ] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
    server.store.close().await;
    assert_eq!(server.send("GET", "/healthz", &[], "").await.status.as_u16(), 200, "the process lives");
    assert_eq!(server.send("GET", "/readyz", &[], "").await.status.as_u16(), 503);
}

#[tokio::test]
async fn beyond_its_places_the_server_asks_to_come_back() {
    let server = Server::start().await;
    let free = u32::try_from(server.places.available_permits()).expect("some");
    let all = server.places.acquire_many(free).await.expect("open");
    let reply = server.get("/api/v1/balance").await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str(), reply.header("retry-after")), (503, "busy", "1"));
    assert_eq!(server.send("GET", "/healthz", &[], "").await.status.as_u16(), 200, "watching goes on");
    drop(all);
    assert_eq!(server.get("/api/v1/balance").await.status.as_u16(), 200);
    server.store.close().await;
    let reply = server.get("/api/v1/balance").await;
    assert!(reply.status.is_server_error() && !reply.problem().is_empty(), "a closed store is a problem too");
}

#[tokio::test]
async fn the_description_covers_every_route_and_problem() {
    let server = Server::start().await;
    let described = server.send("GET", "/api/openapi.json", &[], "").await.json();
    for (path, operations) in described["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let responses = operation["responses"].as_object().expect("responses");
            for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with('2')) {
                let problem = &response["content"]["application/problem+json"];
                assert!(problem.is_object(), "{method} {path} {status} has no problem");
            }
            assert!(responses.contains_key("401") && responses.contains_key("403"), "{method} {path}");
            assert!(operation["operationId"].is_string() && operation["summary"].is_string(), "{method} {path}");
        }
    }
    assert!(described["components"]["securitySchemes"]["key"].is_object());
    let page = server.send("GET", "/api/docs/", &[], "").await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(!page.text().contains("https://") && page.header("content-security-policy").contains("default-src 'self'"));
    let start = server.send("GET", "/api/docs/swagger-initializer.js", &[], "").await.text();
    assert!(start.contains("/api/openapi.json"), "{start}");
}
