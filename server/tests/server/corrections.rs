//! Corrections: tried out, booked, refused; late events; and nothing across two orgs.

use super::common::{Client, Server};
use serde_json::{Value, json};

fn tokens(id: &str, quantity: u64) -> Value {
    json!({"id": id, "source": "api", "type": "input_tokens", "time": "2026-11-21T08:00:00Z", "data": {"quantity": quantity, "project": "chat"}})
}

async fn usage(client: &Client<'_>) -> (String, u64) {
    let total = client.read("usage?from=2026-10-01&to=2026-11-30").await["total"].clone();
    (total["credits"].as_str().expect("an amount").to_owned(), total["events"].as_u64().expect("a count"))
}

#[tokio::test]
async fn a_preview_says_what_booking_then_does() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    client.write("events", &tokens("1", 10_000_000)).await;
    let before = client.entries().await;
    let mut body = json!({"kind": "void", "event": "event_1", "reason": "Reported twice", "preview": true});
    let reply = client.post("corrections", &body).await;
    assert_eq!(reply.status.as_u16(), 200);
    let figures = |available: &str| json!({"available": available, "held": "0.000000", "settled": available, "debt": "0.000000", "state": "active"});
    let mut expected = json!({
        "booked": false, "kind": "void", "entries": ["entry_4"], "event": "event_1", "replacement": null,
        "happened_in": "2026-11", "booked_in": "2026-11", "closed_cycle": false,
        "before": figures("94.000000"), "after": figures("100.000000"),
        "grants": [{"grant": "grant_1", "before": "94.000000", "after": "100.000000", "change": "6.000000"}],
        "analytics": [{"day": "2026-11-21", "meter": "input_tokens", "source": "api", "project": "chat", "credits": "-6.000000", "quantity": "-10000000"}]
    });
    assert_eq!(reply.json(), expected);
    assert_eq!(
        (client.entries().await, client.balance().await[0].as_str()),
        (before, "94.000000"),
        "nothing is booked"
    );
    body["preview"] = json!(false);
    expected["booked"] = json!(true);
    let reply = client.once("c", "corrections", &body).await;
    assert_eq!((reply.status.as_u16(), reply.json()), (201, expected));
    let again = client.once("c", "corrections", &body).await;
    assert_eq!((again.status.as_u16(), &again.body, again.header("idempotency-replayed")), (201, &reply.body, "true"));
    assert_eq!(
        client.once("c", "corrections", &json!({"kind": "adjust", "amount": "1", "reason": "x"})).await.status.as_u16(),
        409
    );
    assert_eq!((client.entries().await, client.balance().await[0].as_str()), (before + 1, "100.000000"));
    assert_eq!(usage(&client).await, ("0.000000".to_owned(), 0));
    let event = client.read("events/event_1").await;
    assert_eq!(event["voided"], json!({"entry": "entry_4", "replacement": null}));
    assert_eq!(event["billing_cycle"], json!({"happened": "2026-11", "booked": "2026-11", "late": false}));
    client.assert_verified().await;
}

#[tokio::test]
async fn a_replaced_event_leaves_the_right_one() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    client.write("events", &tokens("1", 10_000_000)).await;
    let body = json!({"kind": "replace", "event": "event_1", "reason": "Wrong unit", "with": tokens("1-b", 1_000_000)});
    let done = client.write("corrections", &body).await;
    assert_eq!((done["kind"].as_str(), done["replacement"].as_str()), (Some("replace"), Some("event_2")));
    assert_eq!(done["analytics"][0]["credits"], "-5.400000", "netted");
    assert_eq!(client.balance().await[0], "99.400000");
    assert_eq!(client.read("events/event_1").await["voided"]["replacement"], "event_2");
    assert_eq!(client.read("events/event_2").await["voided"], json!(null));
    assert_eq!(usage(&client).await, ("0.600000".to_owned(), 1));
    client.assert_verified().await;
}

#[tokio::test]
async fn adjusting_gives_and_takes() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let given = client
        .write(
            "corrections",
            &json!({"kind": "adjust", "amount": "5", "expires_at": "2027-01-01T00:00:00Z", "reason": "Goodwill"}),
        )
        .await;
    assert_eq!(
        given["grants"],
        json!([{"grant": "grant_2", "before": "0.000000", "after": "5.000000", "change": "5.000000"}])
    );
    client
        .write("corrections", &json!({"kind": "adjust", "amount": "-2", "grant": "grant_1", "reason": "Agreed"}))
        .await;
    client.write("corrections", &json!({"kind": "adjust", "amount": "-6", "reason": "Agreed"})).await;
    // Of that what expires soonest goes first: five, then one.
    let grants = client.read("grants").await;
    assert_eq!(
        (grants["items"][0]["voided"].as_str(), grants["items"][1]["voided"].as_str()),
        (Some("5.000000"), Some("3.000000"))
    );
    assert_eq!(client.balance().await[0], "97.000000");
    let entry = &client.read("ledger?kind=adjustment&limit=1").await["items"][0];
    assert_eq!(entry["reason"], "Agreed");
    client.assert_verified().await;
}

#[tokio::test]
async fn bad_corrections_are_refused_each_for_its_own_reason_and_post_nothing() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    client.write("events", &json!([tokens("1", 1_000_000), tokens("2", 1_000_000)])).await;
    client.write("corrections", &json!({"kind": "void", "event": "event_2", "reason": "Twice"})).await;
    let before = (client.entries().await, client.balance().await, usage(&client).await);
    let void = |event: &str| json!({"kind": "void", "event": event, "reason": "x"});
    let adjust = |amount: &str| json!({"kind": "adjust", "amount": amount, "reason": "x"});
    for (body, status, code) in [
        (json!({"event": "event_1", "reason": "x"}), 422, "missing_field"),
        (json!({"kind": "undo", "event": "event_1", "reason": "x"}), 422, "bad_kind"),
        (json!({"kind": "void", "reason": "x"}), 422, "missing_field"),
        (json!({"kind": "void", "event": "event_1"}), 422, "missing_reason"),
        (json!({"kind": "void", "event": "event_1", "reason": ""}), 422, "missing_reason"),
        (json!({"kind": "void", "event": "event_1", "reason": "  \t"}), 422, "missing_reason"),
        (json!({"kind": "void", "event": "event_1", "reason": "a\u{202e}b"}), 422, "bad_label"),
        (json!({"kind": "void", "event": "event_1", "reason": ["x"]}), 422, "bad_field"),
        (json!({"kind": "void", "event": "event_1", "reason": "x".repeat(2_000)}), 422, "bad_label"),
        (json!({"kind": "void", "event": "event_1", "reason": "x", "preview": "yes"}), 422, "bad_field"),
        (json!({"kind": "void", "event": "event_1", "reason": "x", "amount": "5"}), 422, "unknown_field"),
        (void("event_2"), 409, "already_voided"),
        (void("event_99"), 404, "not_found"),
        (void("event_0"), 422, "bad_id"),
        // The correction itself is no event.
        (void("entry_4"), 422, "bad_id"),
        (json!({"kind": "void", "event": 1, "reason": "x"}), 422, "bad_field"),
        (json!({"kind": "adjust", "amount": "5"}), 422, "missing_reason"),
        (json!({"kind": "adjust", "reason": "x"}), 422, "missing_field"),
        (adjust("0"), 422, "adjustment_is_zero"),
        (adjust("-100"), 422, "adjustment_too_large"),
        (adjust("9223372036854.775808"), 422, "amount_overflow"),
        (adjust("9223372036854.775807"), 422, "amount_overflow"),
        (adjust("-9223372036854.775808"), 422, "amount_overflow"),
        (adjust("1e400"), 422, "bad_amount"),
        (json!({"kind": "adjust", "amount": "-1", "grant": "grant_7", "reason": "x"}), 422, "unknown_grant"),
        (json!({"kind": "adjust", "amount": "-1", "grant": "hold_1", "reason": "x"}), 422, "bad_id"),
        (json!({"kind": "adjust", "amount": "1", "grant": "grant_1", "reason": "x"}), 422, "contradiction"),
        (
            json!({"kind": "adjust", "amount": "-1", "expires_at": "2027-01-01T00:00:00Z", "reason": "x"}),
            422,
            "contradiction",
        ),
        (
            json!({"kind": "adjust", "amount": "1", "expires_at": "2026-01-01T00:00:00Z", "reason": "x"}),
            422,
            "expiry_before_effect",
        ),
        (json!({"kind": "replace", "event": "event_1", "reason": "x"}), 422, "missing_field"),
        (json!({"kind": "replace", "event": "event_1", "reason": "x", "with": []}), 422, "bad_event"),
        (
            json!({"kind": "replace", "event": "event_1", "reason": "x", "with": {"id": "z", "source": "api", "type": "teleports"}}),
            422,
            "unknown_meter",
        ),
        (json!({"kind": "replace", "event": "event_2", "reason": "x", "with": tokens("z", 1)}), 409, "already_voided"),
        // The same identity again is either the same event or a conflict: it cannot stand for itself.
        (
            json!({"kind": "replace", "event": "event_1", "reason": "x", "with": tokens("1", 1_000_000)}),
            409,
            "event_conflict",
        ),
        (json!({"kind": "replace", "event": "event_1", "reason": "x", "with": tokens("1", 5)}), 409, "event_conflict"),
    ] {
        for preview in [false, true] {
            let mut body = body.clone();
            if preview && body.get("preview").is_none() {
                body["preview"] = json!(true);
            }
            assert_eq!(client.refused("corrections", &body).await, (status, code.to_owned()), "{body}");
        }
    }
    assert_eq!((client.entries().await, client.balance().await, usage(&client).await), before);
    client.assert_verified().await;
}

#[tokio::test]
async fn what_belongs_to_a_closed_cycle_is_booked_in_this_one() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let mut late = tokens("late", 1_000_000);
    late["time"] = json!("2026-10-30T08:00:00Z");
    client.write("events", &late).await;
    let event = client.read("events/event_1").await;
    assert_eq!(event["billing_cycle"], json!({"happened": "2026-10", "booked": "2026-11", "late": true}));
    let done =
        client.write("corrections", &json!({"kind": "void", "event": "event_1", "reason": "Never happened"})).await;
    assert_eq!(
        (done["happened_in"].as_str(), done["booked_in"].as_str(), done["closed_cycle"].as_bool()),
        (Some("2026-10"), Some("2026-11"), Some(true))
    );
    assert_eq!(done["analytics"][0]["day"], "2026-10-30");
    client.assert_verified().await;
}

/// Every way that the API offers to name something of another org, tried.
#[tokio::test]
async fn nothing_is_ever_posted_across_two_orgs() {
    let server = Server::start().await;
    let ours = Client::new(&server).await;
    ours.write("events", &tokens("1", 1_000_000)).await;
    ours.write("holds", &json!({"amount": "5", "description": "ours alone"})).await;
    ours.write("grants", &json!({"kind": "purchase", "amount": "3", "description": "ours alone"})).await;
    server.create_org("Other", "token-billing").await;
    let theirs = Client::of(&server, "Other").await;
    let state = async |client: &Client<'_>| {
        (client.entries().await, client.balance().await, client.read("ledger").await.to_string())
    };
    let (before, their_before) = (state(&ours).await, state(&theirs).await);
    let org = json!("org_1");
    for (path, body) in [
        ("holds/hold_1/capture", json!({})),
        ("holds/hold_1/capture", json!({"amount": "1"})),
        ("holds/hold_1/release", json!({})),
        ("holds/hold_1/extend", json!({"expires_in_s": 9_000})),
        ("corrections", json!({"kind": "void", "event": "event_1", "reason": "x"})),
        ("corrections", json!({"kind": "void", "event": "event_1", "reason": "x", "preview": true})),
        ("corrections", json!({"kind": "replace", "event": "event_1", "reason": "x", "with": tokens("9", 1)})),
        ("corrections", json!({"kind": "adjust", "amount": "-1", "grant": "grant_1", "reason": "x"})),
        ("corrections", json!({"kind": "adjust", "amount": "-1", "reason": "x"})),
        ("grants", json!({"kind": "purchase", "amount": "1", "org": org})),
        ("grants", json!({"kind": "purchase", "amount": "1", "parent": "grant_1"})),
        ("grants", json!({"kind": "purchase", "amount": "1", "scope": {"projects": ["chat"]}})),
        ("holds", json!({"amount": "1"})),
        ("holds", json!({"amount": "1", "org": org})),
        ("holds", json!({"amount": "1", "grant": "grant_1"})),
        ("authorize", json!({"amount": "1"})),
        ("authorize", json!({"amount": "1", "org": org})),
        ("events?org=org_1", json!({"id": "1", "source": "api", "type": "teleports", "org": org})),
    ] {
        let reply = theirs.post(path, &body).await;
        assert!(matches!(reply.status.as_u16(), 402 | 404 | 422), "{path} {body}: {}", reply.text());
        let said = reply.text();
        assert!(!said.contains("ours alone") && !said.contains("100.000000") && !said.contains("94.400000"), "{said}");
    }
    for path in
        ["holds/hold_1", "grants/grant_1", "grants/grant_2", "events/event_1", "ledger/entry_4", "ledger/proof/event_1"]
    {
        let reply = theirs.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (404, "not_found"), "{path}");
    }
    // An own thing and one that is not there are told apart from another org's by nothing.
    let (other, none) = (theirs.get("holds/hold_1").await.json(), theirs.get("holds/hold_77").await.json());
    assert_eq!((&other["detail"], &other["title"]), (&none["detail"], &none["title"]));
    for path in ["holds", "grants", "events", "ledger?grant=grant_1"] {
        assert_eq!(theirs.read(path).await["items"], json!([]), "{path}");
    }
    for query in ["", "?org=org_1"] {
        assert!(!theirs.get(&format!("ledger{query}")).await.text().contains("grant_1"));
    }
    assert_eq!((state(&ours).await, state(&theirs).await), (before, their_before));
    // What is theirs under the same name touches nothing of ours.
    theirs.write("grants", &json!({"kind": "purchase", "amount": "10"})).await;
    theirs.write("events", &tokens("1", 1_000_000)).await;
    theirs.write("holds", &json!({"amount": "2"})).await;
    theirs.write("holds/hold_1/capture", &json!({})).await;
    theirs.write("corrections", &json!({"kind": "void", "event": "event_1", "reason": "x"})).await;
    assert_eq!(ours.balance().await, ["97.400000", "5.000000", "0.000000"].map(str::to_owned));
    assert_eq!(ours.read("holds/hold_1").await["status"], "pending");
    assert_eq!(ours.read("events/event_1").await["voided"], json!(null));
    ours.assert_verified().await;
}
