//! Reporting usage, and reading it back.

use super::common::Server;
use axum::body::Body;
use serde_json::{Value, json};

fn event(id: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "api", "type": "ai_text", "time": "2026-11-21T08:15:30Z",
        "subject": "user/u-7",
        "data": {"quantities": {"input_tokens": 4808, "completion_tokens": 10}, "project": {"id": "chat", "name": "Chat"}}
    })
}

#[tokio::test]
async fn every_content_type_says_the_same() {
    let server = Server::start().await;
    let one = event("one").to_string();
    let batch = json!([event("one"), event("two")]).to_string();
    let first = server.post("application/cloudevents+json; charset=UTF-8", one.clone()).await.json();
    // 4808 × 0.6 µ = 2884.8 µ and 10 µ: the 0.8 is carried.
    let expected = json!({
        "accepted": 1, "duplicate": 0, "rejected": 0, "credits": "0.002894", "balance": "99.997106", "errors": []
    });
    assert_eq!(first, expected);
    let counts =
        |reply: &Value| ["accepted", "duplicate", "rejected"].map(|name| reply[name].as_u64().expect("a count"));
    let reply = server.post("application/cloudevents-batch+json", batch.clone()).await.json();
    assert_eq!((counts(&reply), reply["credits"].as_str()), ([1, 1, 0], Some("0.002895")), "with what was carried");
    for (content_type, body) in [
        ("application/json", one.clone()),
        ("application/json", batch),
        ("application/x-ndjson", format!("{one}\n\n{}\r\n", event("two"))),
    ] {
        let reply = server.post(content_type, body).await.json();
        assert_eq!((counts(&reply)[0], counts(&reply)[2], reply["credits"].as_str()), (0, 0, Some("0.000000")));
    }
    let authorization = server.bearer();
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "o%6Ee"),
        ("ce-source", "api"),
        ("ce-type", "ai_text"),
        ("ce-time", "2026-11-21T08:15:30Z"),
        ("ce-subject", "user/u-7"),
    ];
    let data = event("one")["data"].to_string();
    let reply = server.send("POST", "/api/v1/events", &headers, data).await.json();
    assert_eq!(counts(&reply), [0, 1, 0], "binary mode is the same event");
    assert_eq!(server.available().await, "99.994211");
}

#[tokio::test]
async fn specversion_is_an_obligation_of_cloudevents_only() {
    let server = Server::start().await;
    let mut plain = event("one");
    plain.as_object_mut().expect("an object").remove("specversion");
    let reply = server.post("application/cloudevents+json", plain.to_string()).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "missing_field"));
    assert_eq!(server.post("application/json", plain.to_string()).await.status.as_u16(), 200);
}

#[tokio::test]
async fn an_event_without_a_body_is_one_of_its_type() {
    let server = Server::start().await;
    let authorization = server.bearer();
    let headers = [
        ("authorization", authorization.as_str()),
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "api"),
        ("ce-type", "images"),
    ];
    let reply = server.send("POST", "/api/v1/events", &headers, Body::empty()).await.json();
    assert_eq!(reply["credits"], "0.000100");
}

#[tokio::test]
async fn lines_are_settled_in_slices_however_they_are_cut() {
    let server = Server::start().await;
    let lines: String = (0..2_500).map(|id| format!("{}\n", event(&id.to_string()))).collect();
    let pieces: Vec<Result<Vec<u8>, std::io::Error>> =
        lines.into_bytes().chunks(777).map(|piece| Ok(piece.to_vec())).collect();
    let body = Body::from_stream(futures::stream::iter(pieces));
    let reply = server.post("application/x-ndjson", body).await.json();
    assert_eq!((reply["accepted"].as_u64(), reply["credits"].as_str()), (Some(2_500), Some("7.237000")));
    assert_eq!(reply["balance"].as_str(), Some("92.763000"));
}

#[tokio::test]
async fn a_line_without_end_is_refused_alone() {
    let server = Server::start().await;
    let body = format!("{}\n{{\"id\":\"{}\"}}\n{}", event("a"), "x".repeat(1_000_000), event("b"));
    let reply = server.post("application/x-ndjson", body).await.json();
    assert_eq!((reply["accepted"].as_u64(), reply["rejected"].as_u64()), (Some(2), Some(1)));
    let error = &reply["errors"][0];
    assert_eq!((error["index"].as_u64(), error["code"].as_str()), (Some(1), Some("line_too_long")));
}

#[tokio::test]
async fn a_stream_that_breaks_off_keeps_what_was_settled_and_says_so() {
    let server = Server::start().await;
    let lines: String = (0..1_000).map(|id| format!("{}\n", event(&id.to_string()))).collect();
    let pieces = vec![Ok(lines.into_bytes()), Err(std::io::Error::other("gone"))];
    let reply = server.post("application/x-ndjson", Body::from_stream(futures::stream::iter(pieces))).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (400, "body_broken"));
    assert_eq!(reply.json()["accepted"].as_u64(), Some(1_000));
}

#[tokio::test]
async fn nothing_at_all_is_an_empty_batch() {
    let server = Server::start().await;
    for (content_type, body) in
        [("application/json", "[]"), ("application/cloudevents-batch+json", " [ ] "), ("application/x-ndjson", "\n\n")]
    {
        let reply = server.post(content_type, body).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "empty_batch"), "{content_type}");
    }
}

#[tokio::test]
async fn usage_beyond_the_balance_is_recorded_as_debt() {
    let server = Server::start().await;
    let large = json!({"id": "1", "source": "api", "type": "input_tokens", "data": {"quantity": 200_000_000}});
    assert_eq!(server.post_json(&large).await.json()["balance"], "0.000000");
    let balance = server.get("/api/v1/balance").await.json();
    let expected = json!({
        "available": "0.000000", "held": "0.000000", "settled": "-20.000000", "debt": "20.000000",
        "state": "paused", "policy": {"policy": "pause"}, "as_of": "2026-11-21T12:00:00Z"
    });
    assert_eq!(balance, expected);
}

#[tokio::test]
async fn events_are_listed_in_pages_and_explained_one_by_one() {
    let server = Server::start().await;
    let events: Vec<Value> = (1..=5).map(|id| event(&format!("e-{id}"))).collect();
    server.post_json(&Value::from(events)).await;
    let mut seen = Vec::new();
    let mut path = "/api/v1/events?limit=2".to_owned();
    loop {
        let page = server.get(&path).await.json();
        let items = page["items"].as_array().expect("items");
        seen.extend(items.iter().map(|item| item["event_id"].as_str().expect("an id").to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/events?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ["e-5", "e-4", "e-3", "e-2", "e-1"]);

    let second = server.get("/api/v1/events/event_2").await.json();
    assert_eq!((second["event_id"].as_str(), second["credits"].as_str()), (Some("e-2"), Some("0.002895")));
    assert_eq!((second["project"]["name"].as_str(), second["user"].as_str()), (Some("Chat"), Some("u-7")));
    let charge = &second["charges"][1];
    assert_eq!((charge["meter"].as_str(), charge["line"].as_i64()), (Some("input_tokens"), Some(1)));
    assert_eq!(
        (&charge["service"], &charge["line_text"]),
        (&json!("ai_data"), &json!("input_tokens: 0.6 per 1000000"))
    );
    let why = &charge["explanation"];
    assert_eq!(why["arithmetic"], "4808 × 0.6 ÷ 1000000 + 0.0000008 carried = 0.002885 + 0.0000006 carried on");
    assert_eq!(
        (why["carry_before"].as_str(), why["carry_after"].as_str()),
        (Some("4/5 of a micro-credit"), Some("3/5 of a micro-credit"))
    );
    assert_eq!(why["paid_by"], json!([{"account": "grant_1", "credits": "0.002885"}]));

    for id in ["event_99", "99", "event_0", "grant_1"] {
        let reply = server.get(&format!("/api/v1/events/{id}")).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (404, "not_found"), "{id}");
    }
    for query in ["limit=0", "limit=1000", "cursor=x", "page=2"] {
        assert_eq!(server.get(&format!("/api/v1/events?{query}")).await.status.as_u16(), 400, "{query}");
    }
}
