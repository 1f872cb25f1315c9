//! Grants: given, listed, read at any instant.

use super::common::{Client, Server};
use serde_json::{Value, json};

fn figures(grant: &Value) -> [&str; 6] {
    ["left", "held", "spent", "expired", "rolled_over", "voided"].map(|name| grant[name].as_str().expect("an amount"))
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("items").iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn a_grant_has_one_shape_wherever_it_is_told() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let body = json!({
        "kind": "plan", "amount": "1000", "priority": -2, "scope": {"meters": ["images"]},
        "effective_at": "2026-11-01T00:00:00Z", "expires_at": "2026-12-01T00:00:00+00:00", "description": "November",
        "cost": {"minor": 5000, "currency": "EUR"}, "rollover": {"cap": {"percent": 20}, "months": 3}
    });
    let reply = client.post("grants", &body).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (201, "/api/v1/grants/grant_2"));
    let expected = json!({
        "id": "grant_2", "kind": "plan", "amount": "1000.000000", "priority": -2, "scope": {"meters": ["images"]},
        "effective_at": "2026-11-01T00:00:00Z", "expires_at": "2026-12-01T00:00:00Z", "description": "November",
        "cost": {"minor": 5000, "currency": "EUR"}, "rollover": {"cap": {"percent": 20}, "months": 3}, "parent": null,
        "given_at": "2026-11-21T12:00:00Z", "left": "1000.000000", "held": "0.000000", "spent": "0.000000",
        "expired": "0.000000", "rolled_over": "0.000000", "voided": "0.000000", "status": "open",
        "end": {"past": false, "left": "1000.000000", "cap": "200.000000", "rolled_over": "200.000000", "expired": "800.000000", "child": null}
    });
    assert_eq!(reply.json(), expected);
    assert_eq!(client.read("grants/grant_2").await, expected);
    let page = client.read("grants").await;
    assert_eq!(
        (&page["items"][0], ids(&page), page["next_cursor"].is_null()),
        (&expected, vec!["grant_2", "grant_1"], true)
    );
    assert_eq!(page["items"][1]["scope"], json!(null), "for everything");
    // The rest rolls over at the end, on time, also in a reading of later.
    let later = client.read("grants?as_of=2026-12-02T00:00:00Z").await;
    assert_eq!(ids(&later), ["grant_3", "grant_2", "grant_1"]);
    assert_eq!(
        figures(&later["items"][1]),
        ["0.000000", "0.000000", "0.000000", "800.000000", "200.000000", "0.000000"]
    );
    assert_eq!(
        (later["items"][1]["status"].as_str(), later["items"][1]["end"]["child"].as_str()),
        (Some("expired"), Some("grant_3"))
    );
    let child = &later["items"][0];
    assert_eq!(
        (child["parent"].as_str(), child["kind"].as_str(), child["expires_at"].as_str()),
        (Some("grant_2"), Some("rollover"), Some("2027-03-01T00:00:00Z"))
    );
    assert!(child["given_at"].is_null(), "due, not booked");
    assert_eq!(ids(&client.read("grants?as_of=2026-12-02T00:00:00Z&status=open").await), ["grant_3", "grant_1"]);
}

#[tokio::test]
async fn every_kind_and_all_terms_are_taken() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    for kind in ["plan", "purchase", "promotion", "rollover", "adjustment", "refund"] {
        let given = client.write("grants", &json!({"kind": kind, "amount": "1.5", "scope": null})).await;
        assert_eq!((given["kind"].as_str(), given["amount"].as_str()), (Some(kind), Some("1.500000")));
    }
    for terms in
        [json!({"months": 3}), json!({"cap": {"credits": "200"}}), json!({}), json!({"cap": null, "months": null})]
    {
        let body = json!({"kind": "plan", "amount": "1", "expires_at": "2027-01-01T00:00:00Z", "rollover": terms});
        client.write("grants", &body).await;
    }
    let first = client.read("grants?limit=4").await;
    let second =
        client.read(&format!("grants?limit=100&cursor={}", first["next_cursor"].as_str().expect("more"))).await;
    assert_eq!((ids(&first).len(), ids(&second).len(), second["next_cursor"].is_null()), (4, 7, true));
    client.assert_verified().await;
}

#[tokio::test]
async fn bad_grants_are_refused_each_for_its_own_reason_and_post_nothing() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let before = (client.entries().await, client.balance().await);
    let with = |name: &str, value: Value| {
        let mut body = json!({"kind": "plan", "amount": "5", "expires_at": "2027-01-01T00:00:00Z"});
        body[name] = value;
        body
    };
    for (body, code) in [
        (json!({"amount": "5"}), "missing_field"),
        (json!({"kind": "plan"}), "missing_field"),
        (with("kind", json!("gift")), "bad_kind"),
        (with("kind", json!(["plan"])), "bad_field"),
        (with("amount", json!("0")), "grant_not_positive"),
        (with("amount", json!("-5")), "grant_not_positive"),
        (with("amount", json!("9223372036854.775808")), "amount_overflow"),
        (with("amount", json!("1e400")), "bad_amount"),
        (with("amount", json!("Infinity")), "bad_amount"),
        (with("amount", json!(5.5)), "bad_amount"),
        (with("amount", json!({"credits": "5"})), "bad_amount"),
        // All that there is would no longer fit.
        (with("amount", json!("9223372036854.775807")), "amount_overflow"),
        (with("expires_at", json!("2026-11-21T12:00:00Z")), "expiry_before_effect"),
        (with("effective_at", json!("2027-01-01T00:00:00Z")), "expiry_before_effect"),
        (with("expires_at", json!("tomorrow")), "bad_time"),
        (with("expires_at", json!(1_800_000_000)), "bad_time"),
        (with("expires_at", json!("2200-01-01T00:00:00Z")), "time_out_of_range"),
        (with("effective_at", json!("1999-12-31T23:59:59Z")), "time_out_of_range"),
        (with("priority", json!(40_000)), "bad_field"),
        (with("priority", json!("first")), "bad_field"),
        (with("scope", json!({})), "scope_names_nothing"),
        (with("scope", json!({"meters": []})), "scope_names_nothing"),
        (with("scope", json!({"meters": ["images"], "projects": []})), "scope_names_nothing"),
        (with("scope", json!({"meters": ["teleports"]})), "scope_names_nothing"),
        (with("scope", json!({"projects": ["never-seen"]})), "scope_names_nothing"),
        (with("scope", json!({"meters": ["Bad Name"]})), "bad_meter"),
        (with("scope", json!({"meters": "images"})), "bad_field"),
        (with("scope", json!({"meter": ["images"]})), "unknown_field"),
        (with("scope", json!(["images"])), "bad_field"),
        (with("cost", json!({"minor": -1, "currency": "EUR"})), "bad_cost"),
        (with("cost", json!({"minor": 1, "currency": "eur"})), "bad_currency"),
        (with("cost", json!({"minor": 1.5, "currency": "EUR"})), "bad_field"),
        (with("cost", json!({"currency": "EUR"})), "missing_field"),
        (with("cost", json!("50 EUR")), "bad_field"),
        (with("rollover", json!({"months": 0})), "bad_rollover"),
        (with("rollover", json!({"months": 500})), "bad_rollover"),
        (with("rollover", json!({"cap": {"percent": 101}})), "bad_rollover"),
        (with("rollover", json!({"cap": {"percent": 20, "credits": "5"}})), "bad_rollover"),
        (with("rollover", json!({"cap": {}})), "bad_rollover"),
        (with("rollover", json!({"cap": {"credits": "0"}})), "bad_rollover"),
        (with("rollover", json!({"caps": 1})), "unknown_field"),
        (
            json!({"kind": "purchase", "amount": "5", "expires_at": "2027-01-01T00:00:00Z", "rollover": {}}),
            "bad_rollover",
        ),
        (json!({"kind": "plan", "amount": "5", "rollover": {"months": 3}}), "bad_rollover"),
        (with("description", json!("")), "bad_label"),
        (with("description", json!("a\u{0}b")), "bad_label"),
        (with("org", json!("org_2")), "unknown_field"),
        (with("grant", json!("grant_1")), "unknown_field"),
    ] {
        assert_eq!(client.refused("grants", &body).await, (422, code.to_owned()), "{body}");
    }
    assert_eq!((client.entries().await, client.balance().await), before);
    for path in ["grants/grant_2", "grants/grant_0", "grants/1", "grants/hold_1"] {
        assert_eq!(client.get(path).await.status.as_u16(), 404, "{path}");
    }
    for query in ["status=spent", "as_of=yesterday", "limit=1000", "cursor=x", "page=1", "as_of=1999-01-01T00:00:00Z"] {
        let reply = client.get(&format!("grants?{query}")).await;
        assert_eq!(reply.status.as_u16(), 400, "{query}");
    }
    client.assert_verified().await;
}

#[tokio::test]
async fn what_was_ever_given_always_fits() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let most = "9223372036754.775807";
    client.write("corrections", &json!({"kind": "adjust", "amount": most, "reason": "all there can be"})).await;
    let before = (client.entries().await, client.balance().await);
    for amount in ["0.000001", most] {
        let later = json!({"kind": "purchase", "amount": amount, "effective_at": "2030-01-01T00:00:00Z"});
        assert_eq!(client.refused("grants", &later).await, (422, "amount_overflow".to_owned()));
        let adjust = json!({"kind": "adjust", "amount": amount, "reason": "x"});
        assert_eq!(client.refused("corrections", &adjust).await, (422, "amount_overflow".to_owned()));
    }
    assert_eq!((client.entries().await, client.balance().await), before);
    assert_eq!(before.1[0], "9223372036854.775807");
    client.assert_verified().await;
}

#[tokio::test]
async fn a_replayed_grant_is_answered_as_it_was_given() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let body = json!({"kind": "promotion", "amount": "10", "expires_at": "2026-11-22T00:00:00Z"});
    let first = client.once("g", "grants", &body).await;
    client
        .write("events", &json!({"id": "1", "source": "api", "type": "input_tokens", "data": {"quantity": 5_000_000}}))
        .await;
    client.at("2026-11-23T00:00:00Z");
    let before = client.entries().await;
    let again = client.once("g", "grants", &body).await;
    assert_eq!((again.status.as_u16(), &again.body, again.header("idempotency-replayed")), (201, &first.body, "true"));
    assert_eq!(client.entries().await, before);
    let now = client.read("grants/grant_2").await;
    assert_eq!(
        (figures(&now), now["status"].as_str()),
        (["0.000000", "0.000000", "3.000000", "7.000000", "0.000000", "0.000000"], Some("expired"))
    );
}

/// Available credits at two times.
async fn available(client: &Client<'_>, query: &str) -> String {
    client.read(&format!("balance?{query}")).await["available"].as_str().expect("an amount").to_owned()
}

#[tokio::test]
async fn the_past_is_read_as_it_was_and_as_it_was_known() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let expiring = json!({"kind": "promotion", "amount": "20", "expires_at": "2026-11-21T14:00:00Z"});
    client.write("grants", &expiring).await;
    client.at("2026-11-21T13:00:00Z");
    client
        .write("events", &json!({"id": "1", "source": "api", "type": "input_tokens", "data": {"quantity": 5_000_000}}))
        .await;
    client.at("2026-11-21T15:00:00Z");
    // Told at three, in effect since half past twelve.
    client.write("grants", &json!({"kind": "refund", "amount": "7", "effective_at": "2026-11-21T12:30:00Z"})).await;
    client.at("2026-11-21T16:00:00Z");
    for (query, expected) in [
        ("", "107.000000"),
        ("as_of=2026-11-21T12:00:00Z", "120.000000"),
        ("as_of=2026-11-21T12:45:00Z", "127.000000"),
        ("as_of=2026-11-21T12:45:00Z&as_known_at=2026-11-21T14:30:00Z", "120.000000"),
        ("as_of=2026-11-21T13:30:00Z", "124.000000"),
        ("as_of=2026-11-21T13:59:59.999999Z", "124.000000"),
        ("as_of=2026-11-21T14:00:00Z", "107.000000"),
        ("as_of=2026-11-21T14:00:00Z&as_known_at=2026-11-21T14:00:00Z", "100.000000"),
        // What was known at half past twelve of a time after: the promotion would have expired in full.
        ("as_of=2026-11-21T15:30:00Z&as_known_at=2026-11-21T12:30:00Z", "100.000000"),
        ("as_known_at=2026-11-21T13:00:00Z", "117.000000"),
        ("as_of=2030-01-01T00:00:00Z", "107.000000"),
        ("as_of=2026-11-21T14:45:00%2B01:00", "124.000000"),
        ("as_of=2026-11-21T14:45:00+01:00", "124.000000"),
        ("as_of=2026-11-20T00:00:00Z", "0.000000"),
    ] {
        assert_eq!(available(&client, query).await, expected, "{query}");
    }
    let balance = client.read("balance?as_of=2026-11-21T12:00:00Z&as_known_at=2026-11-21T13:00:00Z").await;
    assert_eq!(
        (balance["as_of"].as_str(), balance["as_known_at"].as_str()),
        (Some("2026-11-21T12:00:00Z"), Some("2026-11-21T13:00:00Z"))
    );
    assert!(client.read("balance").await.get("as_known_at").is_none());
    let reply = client.get("balance?as_known_at=2026-11-22T00:00:00Z").await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "not_known_yet"));
    for query in ["as_of=now", "as_of=1999-01-01T00:00:00Z", "at=2026-11-21T12:00:00Z", "as_of=2026-11-21"] {
        let reply = client.get(&format!("balance?{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (400, "bad_query"), "{query}");
    }
    // Grants are read at the same two times.
    let then = client.read("grants?as_of=2026-11-21T12:45:00Z&as_known_at=2026-11-21T14:30:00Z").await;
    assert_eq!((ids(&then), figures(&then["items"][0])[0]), (vec!["grant_2", "grant_1"], "20.000000"));
    assert_eq!(client.get("grants/grant_3?as_known_at=2026-11-21T14:30:00Z").await.status.as_u16(), 404);
    assert_eq!(
        figures(&client.read("grants/grant_2?as_of=2026-11-21T14:30:00Z").await),
        ["0.000000", "0.000000", "3.000000", "17.000000", "0.000000", "0.000000"]
    );
    client.assert_verified().await;
}

#[tokio::test]
async fn a_clock_that_jumps_back_changes_nothing_that_is_booked() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    client.write("grants", &json!({"kind": "purchase", "amount": "5", "expires_at": "2026-11-21T12:30:00Z"})).await;
    client.at("2026-11-21T13:00:00Z");
    client.write("holds", &json!({"amount": "1"})).await;
    client.at("2026-11-21T11:00:00Z");
    assert_eq!(client.balance().await, ["99.000000", "1.000000", "0.000000"].map(str::to_owned));
    let released = client.write("holds/hold_1/release", &json!({})).await;
    assert_eq!(released["closed_at"], "2026-11-21T13:00:00Z", "never before what is booked");
    assert_eq!(client.balance().await[0], "100.000000");
    client.assert_verified().await;
}
