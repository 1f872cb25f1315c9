//! Entries: listed, filtered, paged, proved.

use super::common::{Client, Server};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn kinds(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("items").iter().map(|item| item["kind"].as_str().expect("a kind")).collect()
}

/// One entry of every kind that can be made in an hour.
async fn busy(client: &Client<'_>) {
    let tokens = |id: &str| json!({"id": id, "source": "api", "type": "input_tokens", "data": {"quantity": 1_000_000}});
    client.write("events", &json!([tokens("1"), tokens("2"), tokens("3")])).await;
    client.write("holds", &json!({"amount": "1"})).await;
    client.write("holds/hold_1/extend", &json!({"expires_in_s": 900})).await;
    client.write("holds/hold_1/capture", &json!({})).await;
    client.write("holds", &json!({"amount": "1"})).await;
    client.write("holds/hold_2/release", &json!({})).await;
    client.write("corrections", &json!({"kind": "void", "event": "event_2", "reason": "Twice"})).await;
    client.write("corrections", &json!({"kind": "adjust", "amount": "-1", "reason": "Agreed"})).await;
    let plan = json!({"kind": "plan", "amount": "2", "expires_at": "2026-11-21T12:30:00Z", "rollover": {"cap": {"credits": "1"}}});
    client.write("grants", &plan).await;
    client.write("grants", &json!({"kind": "promotion", "amount": "2", "expires_at": "2026-11-21T12:30:00Z"})).await;
    client.write("holds", &json!({"amount": "0.5", "expires_in_s": 60})).await;
    client.at("2026-11-21T13:00:00Z");
    client
        .write(
            "events",
            &json!({"id": "4", "source": "api", "type": "input_tokens", "data": {"quantity": 300_000_000}}),
        )
        .await;
    client.write("grants", &json!({"kind": "purchase", "amount": "1000"})).await;
}

#[tokio::test]
async fn every_kind_of_entry_is_told_with_its_postings() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    busy(&client).await;
    let page = client.read("ledger?limit=100").await;
    let mut seen = kinds(&page);
    seen.sort_unstable();
    seen.dedup();
    let mut all = ledger::EntryKind::NAMES.to_vec();
    all.sort_unstable();
    assert_eq!(seen, all);
    let items = page["items"].as_array().expect("items");
    for item in items {
        let sum: i64 = item["postings"]
            .as_array()
            .expect("postings")
            .iter()
            .map(|p| ledger::Credits::parse(p["amount"].as_str().expect("an amount")).expect("an amount").micros())
            .sum();
        assert_eq!(sum, 0, "{item}");
        let id = item["id"].as_str().expect("an id");
        assert_eq!(&client.read(&format!("ledger/{id}")).await, item);
    }
    assert_eq!((&page["chain_head"]["entry"], &page["chain_head"]["hash"]), (&items[0]["id"], &items[0]["hash"]));
    let usage = items.iter().find(|item| item["last_event"] == "event_3").expect("settled");
    assert_eq!((usage["first_event"].as_str(), usage["kind"].as_str()), (Some("event_1"), Some("usage")));
    assert_eq!(
        usage["postings"],
        json!([
            {"account": "grant_1", "amount": "-1.800000", "balance": "98.200000"},
            {"account": "consumed", "amount": "1.800000", "balance": "1.800000"}
        ])
    );
    assert!(usage["cause"].as_str().expect("a cause").starts_with("key:"));
    client.assert_verified().await;
}

#[tokio::test]
async fn entries_are_filtered_and_paged() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    busy(&client).await;
    for kind in ledger::EntryKind::NAMES {
        let page = client.read(&format!("ledger?kind={kind}")).await;
        assert!(!kinds(&page).is_empty() && kinds(&page).iter().all(|other| *other == kind), "{kind}");
    }
    let of_grant = client.read("ledger?grant=grant_2").await;
    assert!(of_grant["items"].as_array().expect("items").iter().all(|item| item.to_string().contains("grant_2")));
    assert_eq!(kinds(&client.read("ledger?grant=grant_2&kind=grant").await), ["grant"]);
    let count = client.entries().await;
    let (mut seen, mut path) = (Vec::new(), "ledger?limit=4".to_owned());
    loop {
        let page = client.read(&path).await;
        seen.extend(
            page["items"].as_array().expect("items").iter().map(|item| item["id"].as_str().expect("an id").to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("ledger?limit=4&cursor={cursor}");
    }
    let all: Vec<String> = (1..=count).rev().map(|seq| format!("entry_{seq}")).collect();
    assert_eq!(seen, all);
    let early = client.read("ledger?to=2026-11-21T13:00:00Z&limit=100").await;
    let late = client.read("ledger?from=2026-11-21T13:00:00Z&limit=100").await;
    assert_eq!(kinds(&early).len() + kinds(&late).len(), usize::try_from(count).expect("few"));
    assert!(late["items"].as_array().expect("items").iter().all(|item| item["booked_at"] == "2026-11-21T13:00:00Z"));
    for query in ["kind=gift", "grant=1", "grant=hold_1", "from=yesterday", "limit=0", "cursor=entry_3", "org=org_2"] {
        let reply = client.get(&format!("ledger?{query}")).await;
        assert_eq!(reply.status.as_u16(), 400, "{query}");
    }
    for path in [
        "ledger/entry_999",
        "ledger/entry_0",
        "ledger/1",
        "ledger/grant_1",
        "ledger/proof/event_99",
        "ledger/proof/entry_1",
    ] {
        let reply = client.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (404, "not_found"), "{path}");
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal")).collect()
}

/// RFC 9162 §2.1.3.2, by nothing but what the answer says.
fn root(proof: &Value) -> Vec<u8> {
    let text = |value: &Value| bytes(value.as_str().expect("a text"));
    let (mut place, mut last) =
        (proof["index"].as_u64().expect("a number"), proof["size"].as_u64().expect("a number") - 1);
    let mut hash = Sha256::new().chain_update([0]).chain_update(text(&proof["leaf"])).finalize().to_vec();
    assert_eq!(hash, text(&proof["leaf_hash"]));
    for neighbour in proof["path"].as_array().expect("a path") {
        let neighbour = text(neighbour);
        let node = Sha256::new().chain_update([1]);
        if place & 1 == 1 || place == last {
            hash = node.chain_update(&neighbour).chain_update(&hash).finalize().to_vec();
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            hash = node.chain_update(&hash).chain_update(&neighbour).finalize().to_vec();
        }
        (place, last) = (place >> 1, last >> 1);
    }
    assert_eq!(last, 0);
    hash
}

#[tokio::test]
async fn every_event_can_be_proved_by_hashes_alone() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    busy(&client).await;
    for number in 1..=5 {
        let proof = client.read(&format!("ledger/proof/event_{number}")).await;
        assert_eq!(proof["event"], format!("event_{number}"));
        assert_eq!(root(&proof), bytes(proof["root"].as_str().expect("a root")));
        assert_eq!(proof["root"], proof["entry"]["root"], "the entry binds it");
        let id: u64 =
            proof["entry"]["id"].as_str().expect("an id").trim_start_matches("entry_").parse().expect("a number");
        assert_eq!(proof["previous_hash"], client.read(&format!("ledger/entry_{}", id - 1)).await["hash"]);
        assert_eq!(proof["chain_head"], client.read("ledger").await["chain_head"]);
        assert_eq!(proof["entry"], client.read(&format!("ledger/entry_{id}")).await);
    }
}
