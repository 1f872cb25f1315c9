//! Holds: made, captured, released, extended, run out; and work that may not begin.

use super::common::{Client, Server};
use axum::body::Body;
use serde_json::{Value, json};
use std::sync::Arc;

fn amounts(parts: [&str; 3]) -> [String; 3] {
    parts.map(str::to_owned)
}

#[tokio::test]
async fn a_hold_has_one_shape_from_its_making_to_its_end() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let reply = client.post("holds", &json!({"amount": "5", "expires_in_s": 60, "description": "A report"})).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (201, "/api/v1/holds/hold_1"));
    let mut expected = json!({
        "id": "hold_1", "amount": "5.000000", "status": "pending",
        "reserved": [{"grant": "grant_1", "credits": "5.000000"}], "held": "5.000000", "uncovered": "0.000000",
        "meter": "hold", "source": "hold", "project": null, "user": null, "tenant": null, "description": "A report",
        "created_at": "2026-11-21T12:00:00Z", "expires_at": "2026-11-21T12:01:00Z", "closed_at": null,
        "captured": null, "event": null
    });
    assert_eq!(reply.json(), expected);
    assert_eq!(client.read("holds/hold_1").await, expected);
    assert_eq!(client.balance().await, amounts(["95.000000", "5.000000", "0.000000"]));
    client.at("2026-11-21T12:00:30Z");
    let extended = client.write("holds/hold_1/extend", &json!({"expires_in_s": 60})).await;
    assert_eq!(extended["expires_at"], "2026-11-21T12:01:30Z");
    let captured = client.write("holds/hold_1/capture", &json!({"amount": "3"})).await;
    for (name, value) in [
        ("expires_at", "2026-11-21T12:01:30Z"),
        ("status", "captured"),
        ("held", "0.000000"),
        ("closed_at", "2026-11-21T12:00:30Z"),
        ("captured", "3.000000"),
        ("event", "event_1"),
    ] {
        expected[name] = json!(value);
    }
    assert_eq!(captured, expected);
    assert_eq!(client.balance().await, amounts(["97.000000", "0.000000", "0.000000"]));
    let event = client.read("events/event_1").await;
    assert_eq!((event["type"].as_str(), event["credits"].as_str()), (Some("hold"), Some("3.000000")));
    client.assert_verified().await;
}

#[tokio::test]
async fn less_equal_more_and_nothing_said_are_captured() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    for (amount, left) in [
        (json!({"amount": "1"}), "99"),
        (json!({"amount": "5"}), "94"),
        (json!({"amount": "7"}), "87"),
        (json!({}), "82"),
    ] {
        let id = client.write("holds", &json!({"amount": "5"})).await["id"].as_str().expect("an id").to_owned();
        client.write(&format!("holds/{id}/capture"), &amount).await;
        assert_eq!(client.balance().await, amounts([&format!("{left}.000000"), "0.000000", "0.000000"]), "{amount}");
    }
    // A body is not needed where nothing must be said.
    client.write("holds", &json!({"amount": "2"})).await;
    assert_eq!(client.send("holds/hold_5/capture", &[], Body::empty()).await.json()["captured"], "2.000000");
    client.write("holds", &json!({"amount": "2"})).await;
    assert_eq!(client.send("holds/hold_6/release", &[], Body::empty()).await.json()["status"], "released");
    assert_eq!(client.balance().await, amounts(["80.000000", "0.000000", "0.000000"]));
    client.assert_verified().await;
}

#[tokio::test]
async fn a_hold_ends_once() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    for (number, end) in [(1, "capture"), (2, "release"), (3, "nothing")] {
        client.write("holds", &json!({"amount": "5", "expires_in_s": 60})).await;
        if end != "nothing" {
            client.write(&format!("holds/hold_{number}/{end}"), &json!({})).await;
        }
    }
    client.at("2026-11-21T12:01:00Z");
    // The end of the third is booked by the first that looks at it for writing; after that nothing is.
    client.write("holds", &json!({"amount": "1"})).await;
    let before = client.entries().await;
    for (number, code) in [(1, "hold_captured"), (2, "hold_released"), (3, "hold_expired")] {
        for (verb, body) in [("capture", json!({})), ("release", json!({})), ("extend", json!({"expires_in_s": 900}))] {
            let refused = client.refused(&format!("holds/hold_{number}/{verb}"), &body).await;
            assert_eq!(refused, (409, code.to_owned()), "{verb}");
        }
    }
    assert_eq!(client.entries().await, before);
    assert_eq!(client.read("holds/hold_3").await["closed_at"], "2026-11-21T12:01:00Z");
    let listed = |page: Value| -> Vec<String> {
        page["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|item| item["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(listed(client.read("holds").await), ["hold_4", "hold_3", "hold_2", "hold_1"]);
    for (status, ids) in [("pending", "hold_4"), ("captured", "hold_1"), ("released", "hold_2"), ("expired", "hold_3")]
    {
        assert_eq!(listed(client.read(&format!("holds?status={status}")).await), [ids], "{status}");
    }
    let first = client.read("holds?limit=3").await;
    let rest = client.read(&format!("holds?limit=3&cursor={}", first["next_cursor"].as_str().expect("more"))).await;
    assert_eq!((listed(rest.clone()), rest["next_cursor"].is_null()), (vec!["hold_1".to_owned()], true));
    for query in ["status=open", "limit=0", "cursor=hold_1", "page=2"] {
        assert_eq!(client.get(&format!("holds?{query}")).await.status.as_u16(), 400, "{query}");
    }
}

#[tokio::test]
async fn bad_holds_are_refused_each_for_its_own_reason_and_post_nothing() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    client.write("holds", &json!({"amount": "5"})).await;
    let before = (client.entries().await, client.balance().await);
    for (path, body, status, code) in [
        ("holds", json!({}), 422, "missing_field"),
        ("holds", json!({"amount": "0"}), 422, "hold_not_positive"),
        ("holds", json!({"amount": "-1"}), 422, "hold_not_positive"),
        ("holds", json!({"amount": "0.0000001"}), 422, "bad_amount"),
        ("holds", json!({"amount": 5}), 422, "bad_amount"),
        ("holds", json!({"amount": ["5"]}), 422, "bad_amount"),
        ("holds", json!({"amount": "NaN"}), 422, "bad_amount"),
        ("holds", json!({"amount": "1e400"}), 422, "bad_amount"),
        ("holds", json!({"amount": "٥"}), 422, "bad_amount"),
        ("holds", json!({"amount": "9223372036854.775808"}), 422, "amount_overflow"),
        ("holds", json!({"amount": "9223372036854"}), 422, "amount_overflow"),
        ("holds", json!({"amount": "101"}), 402, "insufficient_credits"),
        ("holds", json!({"amount": "1", "expires_in_s": 0}), 422, "bad_hold_time"),
        ("holds", json!({"amount": "1", "expires_in_s": 2_678_401}), 422, "bad_hold_time"),
        ("holds", json!({"amount": "1", "expires_in_s": i64::MAX}), 422, "bad_hold_time"),
        ("holds", json!({"amount": "1", "expires_in_s": 1.5}), 422, "bad_field"),
        ("holds", json!({"amount": "1", "expires_in_s": "60"}), 422, "bad_field"),
        ("holds", json!({"amount": "1", "meter": "teleports"}), 422, "unknown_meter"),
        ("holds", json!({"amount": "1", "meter": "Not A Meter"}), 422, "bad_meter"),
        ("holds", json!({"amount": "1", "source": ""}), 422, "bad_label"),
        ("holds", json!({"amount": "1", "project": "a\u{202e}b"}), 422, "bad_label"),
        ("holds", json!({"amount": "1", "description": "x".repeat(300)}), 422, "bad_label"),
        ("holds", json!({"amount": "1", "org": "org_2"}), 422, "unknown_field"),
        ("holds", json!([{"amount": "1"}]), 400, "not_json"),
        ("holds/hold_1/capture", json!({"amount": "0"}), 422, "capture_not_positive"),
        ("holds/hold_1/capture", json!({"amount": "-3"}), 422, "capture_not_positive"),
        ("holds/hold_1/capture", json!({"amount": "101"}), 402, "insufficient_credits"),
        ("holds/hold_1/capture", json!({"amout": "3"}), 422, "unknown_field"),
        ("holds/hold_1/release", json!({"amount": "3"}), 422, "unknown_field"),
        ("holds/hold_1/extend", json!({}), 422, "missing_field"),
        ("holds/hold_1/extend", json!({"expires_in_s": 600}), 422, "hold_not_extended"),
        ("holds/hold_1/extend", json!({"expires_in_s": -1}), 422, "bad_hold_time"),
        ("holds/hold_2/capture", json!({}), 404, "not_found"),
        ("holds/hold_0/release", json!({}), 404, "not_found"),
        ("holds/1/release", json!({}), 404, "not_found"),
        ("holds/hold_99999999999999999999/release", json!({}), 404, "not_found"),
    ] {
        assert_eq!(client.refused(path, &body).await, (status, code.to_owned()), "{path} {body}");
    }
    assert_eq!((client.entries().await, client.balance().await), before);
    assert_eq!(client.read("holds/hold_1").await["status"], "pending");
}

#[tokio::test]
async fn hostile_bodies_are_refused_before_they_are_understood() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let before = client.entries().await;
    let json = [("content-type", "application/json")];
    let deep = format!(r#"{{"amount":"1","description":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let large = format!(r#"{{"amount":"1","description":"{}"}}"#, "x".repeat(70_000));
    let mut bytes = br#"{"amount":"1"}"#.to_vec();
    bytes[3] = 0xff;
    for (headers, body, status, code) in [
        (&json[..], "{\"amount\":1e400}".as_bytes().to_vec(), 422, "bad_amount"),
        (&json[..], b"{\"amount\":NaN}".to_vec(), 400, "not_json"),
        (&json[..], b"{\"amount\":\"1\",\"amount\":\"2\"}".to_vec(), 400, "not_json"),
        (&json[..], b"{\"amount\":\"1\"".to_vec(), 400, "not_json"),
        (&json[..], b"{\"amount\":\"1\"} {}".to_vec(), 400, "not_json"),
        (&json[..], "[".repeat(60_000).into_bytes(), 400, "not_json"),
        (&json[..], deep.into_bytes(), 400, "not_json"),
        (&json[..], bytes, 400, "bad_utf8"),
        (&json[..], large.into_bytes(), 413, "body_too_large"),
        (&[], b"{\"amount\":\"1\"}".to_vec(), 415, "unsupported_media_type"),
        (&[("content-type", "text/plain")], b"{\"amount\":\"1\"}".to_vec(), 415, "unsupported_media_type"),
        (&[("content-type", "application/x-www-form-urlencoded")], b"amount=1".to_vec(), 415, "unsupported_media_type"),
        (&[("content-type", "application/json; charset=utf-16")], b"{}".to_vec(), 415, "unsupported_media_type"),
        (
            &[("content-type", "application/json"), ("content-encoding", "gzip")],
            b"{}".to_vec(),
            415,
            "unsupported_media_type",
        ),
        (&[("content-type", "application/json"), ("idempotency-key", "")], b"{}".to_vec(), 400, "bad_idempotency_key"),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let reply = client.send("holds", headers, body).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, code), "{shown}");
    }
    // `preview` in the address would be passed over, and something booked.
    assert_eq!(
        client.refused("holds?preview=true", &serde_json::json!({"amount": "1"})).await,
        (400, "bad_query".to_owned())
    );
    assert_eq!(client.entries().await, before);
}

#[tokio::test]
async fn the_same_key_posts_once_and_says_so() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let body = json!({"amount": "5", "source": "api"});
    let first = client.once("k-1", "holds", &body).await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (201, ""));
    let before = client.entries().await;
    client.at("2026-11-21T12:05:00Z");
    let again = client
        .send(
            "holds",
            &[("content-type", "application/json"), ("idempotency-key", "k-1")],
            r#"{ "source":"api", "amount":"5" }"#,
        )
        .await;
    assert_eq!(
        (again.status.as_u16(), again.header("idempotency-replayed"), again.header("location")),
        (201, "true", "/api/v1/holds/hold_1")
    );
    assert_eq!(again.body, first.body, "byte by byte, however it was written");
    for (path, body) in
        [("holds", json!({"amount": "6", "source": "api"})), ("holds/hold_1/capture", json!({"amount": "5"}))]
    {
        let reply = client.once("k-1", path, &body).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (409, "idempotency_conflict"), "{path}");
    }
    assert_eq!(client.entries().await, before);
    let captured = client.once("k-2", "holds/hold_1/capture", &json!({})).await;
    let again = client.once("k-2", "holds/hold_1/capture", &json!({})).await;
    assert_eq!(
        (again.status.as_u16(), &again.body, again.header("idempotency-replayed")),
        (200, &captured.body, "true")
    );
    // What was refused may be tried again with the same key.
    let large = json!({"amount": "1000"});
    assert_eq!(client.once("k-3", "holds", &large).await.status.as_u16(), 402);
    client.write("grants", &json!({"kind": "purchase", "amount": "1000"})).await;
    assert_eq!(client.once("k-3", "holds", &large).await.status.as_u16(), 201);
    // Another org's same key is another key.
    server.create_org("Other", "token-billing").await;
    let other = Client::of(&server, "Other").await;
    other.write("grants", &json!({"kind": "purchase", "amount": "10"})).await;
    assert_eq!(other.once("k-1", "holds", &json!({"amount": "1"})).await.status.as_u16(), 201);
    client.assert_verified().await;
}

#[tokio::test]
async fn many_at_once_with_one_key_post_once() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let before = client.entries().await;
    let body = json!({"amount": "5"});
    let replies = futures::future::join_all((0..20).map(|_| client.once("same", "holds", &body))).await;
    assert!(replies.iter().all(|reply| reply.status.as_u16() == 201 && reply.body == replies[0].body));
    assert_eq!(replies.iter().filter(|reply| reply.header("idempotency-replayed").is_empty()).count(), 1);
    assert_eq!(
        (client.entries().await, client.balance().await),
        (before + 1, amounts(["95.000000", "5.000000", "0.000000"]))
    );
}

#[tokio::test]
async fn without_credits_work_waits_until_somebody_buys() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let used = json!({"id": "1", "source": "api", "type": "input_tokens", "data": {"quantity": 200_000_000}});
    client.write("events", &used).await;
    let reply = client.post("holds", &json!({"amount": "5"})).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (402, "insufficient_credits"));
    let problem = reply.json();
    assert_eq!(
        problem["balance"],
        json!({"available": "0.000000", "held": "0.000000", "settled": "-20.000000", "debt": "20.000000", "state": "paused"})
    );
    assert_eq!(
        (
            problem["policy"].clone(),
            problem["needed"].as_str(),
            problem["covered"].as_str(),
            problem["shortfall"].as_str()
        ),
        (json!({"policy": "pause"}), Some("5.000000"), Some("0.000000"), Some("5.000000"))
    );
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("buy credits") && detail.contains("debt of 20.000000"), "{detail}");
    assert_eq!(client.refused("authorize", &json!({})).await, (402, "insufficient_credits".to_owned()));
    // What has happened is recorded all the same, and what costs nothing may begin.
    client.write("events", &json!({"id": "2", "source": "api", "type": "images"})).await;
    assert_eq!(client.balance().await[2], "20.000100");
    let given = client.write("grants", &json!({"kind": "purchase", "amount": "30"})).await;
    assert_eq!(
        (given["left"].as_str(), given["spent"].as_str()),
        (Some("9.999900"), Some("20.000100")),
        "the debt is repaid first"
    );
    assert_eq!(client.read("balance").await["state"], "active");
    assert_eq!(client.write("authorize", &json!({"amount": "5"})).await["allowed"], true);
    client.write("holds", &json!({"amount": "5"})).await;
    client.assert_verified().await;
}

#[tokio::test]
async fn asking_answers_with_the_price_and_posts_nothing() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let before = client.entries().await;
    let said = client.write("authorize", &json!({"meter": "input_tokens", "quantity": 1_000_000})).await;
    let expected = json!({"allowed": true, "credits": "0.600000", "available": "100.000000", "held": "0.000000", "debt": "0.000000", "state": "active"});
    assert_eq!(said, expected);
    assert_eq!(client.write("authorize", &json!({"meter": "images"})).await["credits"], "0.000100");
    assert_eq!(client.write("authorize", &json!({})).await["credits"], "0.000001");
    for (body, status, code) in [
        (json!({"amount": "100.000001"}), 402, "insufficient_credits"),
        (json!({"meter": "input_tokens", "quantity": 1_000_000_000}), 402, "insufficient_credits"),
        (json!({"amount": "0"}), 422, "hold_not_positive"),
        (json!({"amount": "-5"}), 422, "hold_not_positive"),
        (json!({"amount": "5", "quantity": 1, "meter": "images"}), 422, "contradiction"),
        (json!({"quantity": 5}), 422, "missing_field"),
        (json!({"meter": "teleports"}), 422, "unknown_meter"),
        (json!({"meter": "images", "quantity": -1}), 422, "negative_quantity"),
        (json!({"meter": "images", "quantity": "NaN"}), 422, "bad_quantity"),
        (json!({"meter": "images", "quantity": [1]}), 422, "bad_quantity"),
        (json!({"meter": "images", "quantity": "1e300"}), 422, "quantity_too_large"),
        (json!({"metre": "images"}), 422, "unknown_field"),
    ] {
        assert_eq!(client.refused("authorize", &body).await, (status, code.to_owned()), "{body}");
    }
    assert_eq!(client.entries().await, before);
}

async fn policy(client: &Client<'_>, policy: ledger::Policy) {
    let org = super::common::ORG.to_owned();
    client.server.run(scrip_server::command::Command::Policy { org, set: Some(policy) }).await;
}

fn limit(text: &str) -> ledger::Credits {
    ledger::Credits::parse(text).expect("an amount")
}

#[tokio::test]
async fn overdraft_lets_new_work_into_debt_up_to_its_limit() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    policy(&client, ledger::Policy::Overdraft { limit: limit("50") }).await;
    assert_eq!(client.read("balance").await["policy"], json!({"policy": "overdraft", "limit": "50.000000"}));
    let hold = client.write("holds", &json!({"amount": "140"})).await;
    assert_eq!((hold["held"].as_str(), hold["uncovered"].as_str()), (Some("100.000000"), Some("40.000000")));
    // 40 of 50 are promised.
    assert_eq!(client.refused("holds", &json!({"amount": "10.000001"})).await.0, 402);
    client.write("holds", &json!({"amount": "10"})).await;
    let reply = client.post("holds", &json!({"amount": "0.000001"})).await.json();
    assert_eq!(reply["policy"], json!({"policy": "overdraft", "limit": "50.000000"}));
    client.write("holds/hold_1/capture", &json!({})).await;
    client.write("holds/hold_2/capture", &json!({})).await;
    assert_eq!(client.balance().await, amounts(["0.000000", "0.000000", "50.000000"]));
    assert_eq!(
        (client.refused("authorize", &json!({})).await.0, client.read("balance").await["state"].as_str()),
        (402, Some("paused"))
    );
    client.assert_verified().await;
}

#[tokio::test]
async fn running_work_may_finish_into_debt_where_the_policy_says_so() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    policy(&client, ledger::Policy::FinishInFlight { limit: limit("20") }).await;
    client.write("holds", &json!({"amount": "100"})).await;
    assert_eq!(client.refused("holds", &json!({"amount": "1"})).await, (402, "insufficient_credits".to_owned()));
    let before = client.entries().await;
    assert_eq!(client.refused("holds/hold_1/capture", &json!({"amount": "120.000001"})).await.0, 402);
    assert_eq!(
        (client.entries().await, client.read("holds/hold_1").await["status"].as_str()),
        (before, Some("pending"))
    );
    client.write("holds/hold_1/capture", &json!({"amount": "120"})).await;
    assert_eq!(client.balance().await, amounts(["0.000000", "0.000000", "20.000000"]));
    client.assert_verified().await;
}

#[tokio::test]
async fn a_hold_that_ran_out_is_booked_without_anybody_writing() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    client.write("holds", &json!({"amount": "5", "expires_in_s": 60})).await;
    client.at("2026-11-21T13:00:00Z");
    assert_eq!(client.read("ledger?kind=hold_expiry").await["items"], json!([]));
    let end = tokio_util::sync::CancellationToken::new();
    let job = tokio::spawn(scrip_server::jobs::run(scrip_server::jobs::due::Due, server.store.clone(), end.clone()));
    let booked = loop {
        let page = client.read("ledger?kind=hold_expiry").await;
        if let Some(entry) = page["items"].get(0) {
            break entry.clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(
        (booked["hold"].as_str(), booked["happened_at"].as_str()),
        (Some("hold_1"), Some("2026-11-21T12:01:00Z"))
    );
    assert_eq!(
        (booked["booked_at"].as_str(), booked["cause"].as_str()),
        (Some("2026-11-21T13:00:00Z"), Some("job:expiry"))
    );
    // It sleeps by now, and ends at once.
    end.cancel();
    job.await.expect("ends");
    client.assert_verified().await;
}

/// 200 clients create holds on one balance and capture them, each as much as it reserved or a little less.
async fn race(set: ledger::Policy, most: i64) {
    let server = Arc::new(Server::start().await);
    let key = server.create_key(super::common::ORG, &["admin"]).await;
    policy(&Client { server: &server, key: key.clone() }, set).await;
    let clients = (0..200_i64).map(|number| {
        let (server, key) = (Arc::clone(&server), key.clone());
        tokio::spawn(async move {
            let client = Client { server: &server, key };
            let mut spent = 0;
            for round in 0..3 {
                let amount = 1 + (number + round) % 3;
                let reply = client.post("holds", &json!({"amount": amount.to_string()})).await;
                if reply.status.as_u16() == 402 {
                    continue;
                }
                assert_eq!(reply.status.as_u16(), 201, "{}", reply.text());
                let id = reply.json()["id"].as_str().expect("an id").to_owned();
                if (number + round) % 5 == 0 {
                    client.write(&format!("holds/{id}/release"), &json!({})).await;
                    continue;
                }
                client.write(&format!("holds/{id}/capture"), &json!({})).await;
                spent += amount;
            }
            spent
        })
    });
    let spent = futures::future::join_all(clients).await;
    let given: i64 = spent.into_iter().map(|spent| spent.expect("no panic")).sum();
    let client = Client { server: &server, key };
    let balance = client.read("balance").await;
    let credits = |name: &str| limit(balance[name].as_str().expect("an amount")).micros() / 1_000_000;
    assert!(given <= most, "{given} of {most} were given out");
    // Far more was asked for than there is: nearly all of it was used.
    assert!(given > most - 3, "{given} of {most}");
    assert_eq!((credits("available") - credits("debt"), credits("held")), (100 - given, 0));
    client.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_never_get_more_than_there_is() {
    race(ledger::Policy::Pause, 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_never_get_more_than_the_overdraft_allows() {
    race(ledger::Policy::Overdraft { limit: limit("50") }, 150).await;
}
