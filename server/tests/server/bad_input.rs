//! Everything bad that has been thought of: its own clear problem, and nothing lost of its neighbours.

use super::common::Server;
use axum::body::Body;
use serde_json::{Value, json};

fn good(id: &str) -> Value {
    json!({"id": id, "source": "api", "type": "ai_text", "data": {"quantities": {"input_tokens": 1_000_000}}})
}

/// A good event with one thing about it changed.
fn with(path: &str, value: Value) -> String {
    let mut event = good("bad");
    *event.pointer_mut(path).expect("a place") = value;
    event.to_string()
}

fn with_data(data: &str) -> String {
    format!(r#"{{"id":"bad","source":"api","type":"input_tokens","data":{data}}}"#)
}

/// Items that are JSON and still no events: what each is refused for.
fn bad_items() -> Vec<(String, &'static str)> {
    let long = "x".repeat(10_240);
    // Deep, and still shorter than a line may be.
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    vec![
        ("1".to_owned(), "bad_event"),
        ("[]".to_owned(), "bad_event"),
        (r#"["1.0","a","api","images",null,null,null,null]"#.to_owned(), "bad_event"),
        ("{}".to_owned(), "missing_field"),
        (r#"{"id":"bad","type":"images"}"#.to_owned(), "missing_field"),
        (r#"{"id":"bad","source":"api","type":"images","data":{"quantities":{}}}"#.to_owned(), "missing_field"),
        (with_data(r#"{"amount":1}"#), "unknown_field"),
        (with("/type", json!(7)), "bad_event"),
        (r#"{"id":"bad","source":"api","type":"teleports"}"#.to_owned(), "unknown_meter"),
        (with_data(r#"{"quantity":-1}"#), "negative_quantity"),
        (with_data(r#"{"quantity":"NaN"}"#), "bad_quantity"),
        (with_data(r#"{"quantity":"Infinity"}"#), "bad_quantity"),
        (with_data(r#"{"quantity":1e300}"#), "quantity_too_large"),
        (with_data(r#"{"quantity":9223372036854775808}"#), "quantity_too_large"),
        (with_data(r#"{"quantity":0.0000001}"#), "bad_quantity"),
        (with_data(r#"{"quantity":1,"quantities":{"images":1}}"#), "contradiction"),
        (with_data(r#"{"credits":"1"}"#), "credits_not_expected"),
        (with_data(&format!(r#"{{"attributes":{{"deep":{deep}}}}}"#)), "bad_label"),
        (with_data(&format!(r#"{{"project":{deep}}}"#)), "bad_event"),
        (with("/source", json!("api\u{1b}[31m")), "bad_label"),
        (with("/source", json!("a\u{0}b")), "bad_label"),
        (with("/source", json!(long)), "bad_label"),
        (with("/id", json!("")), "bad_label"),
        (
            r#"{"id":"bad","source":"api","type":"images","time":"1726-01-01T00:00:00Z"}"#.to_owned(),
            "time_out_of_range",
        ),
        (
            r#"{"id":"bad","source":"api","type":"images","time":"2426-01-01T00:00:00Z"}"#.to_owned(),
            "time_out_of_range",
        ),
        (
            r#"{"id":"bad","source":"api","type":"images","time":"2026-11-21T14:00:00Z"}"#.to_owned(),
            "time_out_of_range",
        ),
        (r#"{"id":"bad","source":"api","type":"images","time":"yesterday"}"#.to_owned(), "bad_time"),
        (r#"{"id":"bad","source":"api","type":"images","subject":"robot/7"}"#.to_owned(), "contradiction"),
    ]
}

#[tokio::test]
async fn a_single_bad_event_is_refused_for_its_own_reason() {
    let server = Server::start().await;
    for (item, code) in bad_items() {
        let reply = server.post("application/json", item.clone()).await;
        let shown: String = item.chars().take(120).collect();
        // What looks like an array is a batch: none of its items is an event.
        let expected = match item.as_str() {
            "[]" => "empty_batch",
            array if array.starts_with('[') => "none_accepted",
            _ => code,
        };
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, expected), "{shown}");
    }
    assert_eq!(server.available().await, "100.000000");
}

#[tokio::test]
async fn good_neighbours_of_bad_items_are_kept() {
    let server = Server::start().await;
    let (mut items, mut expected) = (Vec::new(), Vec::new());
    for (index, (item, code)) in bad_items().into_iter().enumerate() {
        items.push(item);
        items.push(good(&format!("good-{index}")).to_string());
        expected.push(code);
    }
    let reply = server.post("application/json", format!("[{}]", items.join(","))).await.json();
    assert_eq!((reply["accepted"].as_u64(), reply["rejected"].as_u64()), (Some(28), Some(28)));
    assert_eq!((reply["credits"].as_str(), reply["balance"].as_str()), (Some("16.800000"), Some("83.200000")));
    let errors = reply["errors"].as_array().expect("errors");
    assert_eq!(errors.iter().map(|error| error["code"].as_str().expect("a code")).collect::<Vec<_>>(), expected);
    assert_eq!(
        errors.iter().map(|e| e["index"].as_u64().expect("one")).collect::<Vec<_>>(),
        (0..28).map(|i| i * 2).collect::<Vec<_>>()
    );
    // The same as lines, with two that are no JSON and no UTF-8: all good ones are known by now.
    let mut lines = items.join("\n").into_bytes();
    lines.extend_from_slice(b"\n{\"id\":\n\xff\xfe\n");
    let reply = server.post("application/x-ndjson", lines).await.json();
    assert_eq!((reply["duplicate"].as_u64(), reply["rejected"].as_u64()), (Some(28), Some(30)), "{reply}");
    let codes: Vec<&str> = reply["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["code"].as_str().expect("a code"))
        .collect();
    assert_eq!((&codes[..28], &codes[28..]), (&expected[..], &["not_json", "bad_utf8"][..]));
    assert_eq!(server.available().await, "83.200000");
}

#[tokio::test]
async fn a_body_whose_items_cannot_be_told_apart_is_refused_whole() {
    let server = Server::start().await;
    let broken = format!("[{},{{\"id\":]", good("a"));
    for (content_type, body, status, code) in [
        ("application/json", "".to_owned(), 400, "not_json"),
        ("application/json", "credits please".to_owned(), 400, "not_json"),
        (
            "application/json",
            r#"{"id":"a","source":"api","type":"images","data":{"quantity":NaN}}"#.to_owned(),
            400,
            "not_json",
        ),
        ("application/json", format!("{} {}", good("a"), good("b")), 400, "not_json"),
        ("application/json", broken, 400, "not_json"),
        ("application/cloudevents-batch+json", good("a").to_string(), 400, "not_json"),
        ("application/cloudevents+json", format!("[{}]", good("a")), 400, "not_json"),
        ("text/plain", good("a").to_string(), 415, "unsupported_media_type"),
        ("application/json; charset=iso-8859-1", good("a").to_string(), 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", "id=a".to_owned(), 415, "unsupported_media_type"),
    ] {
        let reply = server.post(content_type, body.clone()).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, code), "{content_type}: {body}");
    }
    let mut bytes = good("a").to_string().into_bytes();
    bytes[7] = 0xff;
    let reply = server.post("application/json", bytes).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (400, "bad_utf8"));
    let named = server.post("text/plain", "x").await.json()["detail"].as_str().expect("a detail").to_owned();
    for kind in ["application/json", "cloudevents+json", "cloudevents-batch+json", "x-ndjson"] {
        assert!(named.contains(kind), "{named}");
    }
    assert_eq!(server.available().await, "100.000000");
}

#[tokio::test]
async fn too_much_at_once_is_refused_before_it_is_read_or_rated() {
    let server = Server::start().await;
    let large = format!("[{}]", " ".repeat(10 * 1024 * 1024));
    let reply = server.post("application/json", large.clone()).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (413, "body_too_large"));
    // Without a length, in pieces.
    let pieces =
        large.into_bytes().chunks(65_536).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
    let reply = server.post("application/json", Body::from_stream(futures::stream::iter(pieces))).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (413, "body_too_large"));
    for count in [10_001, 100_000] {
        let many = format!("[{}{{}}]", "{},".repeat(count - 1));
        let reply = server.post("application/json", many).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (413, "too_many_items"), "{count}");
        assert!(reply.json()["detail"].as_str().expect("a detail").contains("10000"));
    }
    let reply = server.post("application/json", format!("[{}{{}}]", "{},".repeat(9_999))).await;
    let problem = reply.json();
    assert_eq!((reply.status.as_u16(), problem["code"].as_str()), (422, Some("none_accepted")));
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(100));
    assert_eq!((problem["rejected"].as_u64(), problem["errors_omitted"].as_u64()), (Some(10_000), Some(9_900)));
}

#[tokio::test]
async fn nesting_without_end_costs_nothing() {
    let server = Server::start().await;
    for body in ["[".repeat(1_000_000), "{\"a\":".repeat(500_000)] {
        let reply = server.post("application/json", body).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (400, "not_json"));
    }
    let closed = format!(
        r#"{{"id":"a","source":"api","type":"images","extension":{}1{}}}"#,
        "[".repeat(500_000),
        "]".repeat(500_000)
    );
    assert_eq!(
        server.post("application/json", closed).await.status.as_u16(),
        200,
        "unknown attributes are passed over"
    );
}

#[tokio::test]
async fn an_id_with_other_content_is_a_conflict_and_posts_nothing() {
    let server = Server::start().await;
    assert_eq!(server.post_json(&good("a")).await.status.as_u16(), 200);
    let mut other = good("a");
    other["data"]["quantities"]["input_tokens"] = json!(2);
    let reply = server.post_json(&other).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (409, "event_conflict"));
    let problem = reply.json();
    assert_eq!((problem["rejected"].as_u64(), problem["balance"].as_str()), (Some(1), Some("99.400000")));
    let reply = server.post_json(&json!([other, good("b")])).await.json();
    assert_eq!((reply["accepted"].as_u64(), reply["errors"][0]["code"].as_str()), (Some(1), Some("event_conflict")));
    assert_eq!(server.available().await, "98.800000");
}
