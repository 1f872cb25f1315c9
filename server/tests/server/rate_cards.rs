//! Rate cards over the API: laid down, listed, and refused line by line.

use super::common::{Client, ORG, Server};
use serde_json::{Value, json};

const CARD: &str = "input_tokens: 0.60 per 1000000\nimages from api: 1 per 10 full\nimages: 2 each\n";

fn versions(page: &Value) -> Vec<(i64, &str)> {
    let items = page["items"].as_array().expect("items").iter();
    items
        .map(|item| (item["version"].as_i64().expect("a number"), item["status"].as_str().expect("a status")))
        .collect()
}

async fn charge(client: &Client<'_>, id: &str, source: &str) -> Value {
    let event = json!({"id": id, "source": source, "type": "images", "data": {"quantity": 10}});
    client.write("events", &event).await["credits"].clone()
}

#[tokio::test]
async fn a_card_is_laid_down_as_text_or_lines_and_rates_from_its_time_on() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    assert_eq!(charge(&client, "a", "api").await, "0.001000", "by the preset's card");
    let put = client.put("rate-cards", &json!({"text": CARD, "replaces": 1})).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text());
    let lines = json!([
        {"meter": "input_tokens", "rule": "unit", "price": "0.6", "per": 1_000_000},
        {"meter": "images", "sources": ["api"], "rule": "block", "price": "1", "size": "10", "counted": "accumulated"},
        {"meter": "images", "rule": "unit", "price": "2", "per": 1},
    ]);
    let card = put.json();
    assert_eq!(
        (&card["version"], &card["status"], &card["text"]),
        (&json!(2), &json!("in_force"), &json!(CARD.replace("0.60", "0.6")))
    );
    assert_eq!(card["lines"], lines, "{card}");
    assert_eq!(
        (charge(&client, "b", "api").await, charge(&client, "c", "platform").await),
        (json!("1.000000"), json!("20.000000"))
    );
    // The same as lines is no new version; with a time of its own it is one.
    let same = client.put("rate-cards", &json!({"lines": lines})).await;
    assert_eq!(same.json(), client.read("rate-cards/2").await);
    let later = json!({"lines": [{"meter": "images", "rule": "free"}], "effective_at": "2026-12-01T00:00:00Z",
                       "meters": [{"meter": "videos", "title": "Videos", "unit": "video"}]});
    assert_eq!(client.put("rate-cards", &later).await.json()["status"], "scheduled");
    assert_eq!(client.read("rate-cards/3").await["overtakes"], json!([]));
    assert_eq!(versions(&client.read("rate-cards").await), [(3, "scheduled"), (2, "in_force"), (1, "superseded")]);
    let page = client.read("rate-cards?limit=2").await;
    let cursor = page["next_cursor"].as_str().expect("more");
    assert_eq!(versions(&client.read(&format!("rate-cards?cursor={cursor}")).await), [(1, "superseded")]);
    assert_eq!(charge(&client, "d", "platform").await, "20.000000");
    client.at("2026-12-01T00:00:00Z");
    assert_eq!(charge(&client, "e", "platform").await, "0.000000");
    assert_eq!(client.read("rate-cards/3").await["status"], "in_force");
    // One that was scheduled and is overtaken is named by the answer to the one that does it.
    let never = json!({"text": "images: 7 each", "effective_at": "2026-12-09T00:00:00Z"});
    assert_eq!(client.put("rate-cards", &never).await.json()["version"], 4);
    assert_eq!(client.put("rate-cards", &json!({"text": "images: 8 each"})).await.json()["overtakes"], json!([4]));
    assert_eq!(client.read("rate-cards/4").await["status"], "never_in_force");
    client.assert_verified().await;
}

#[tokio::test]
async fn what_is_wrong_points_at_its_line_and_lays_nothing_down() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let before = client.entries().await;
    let errors = async |body: Value| {
        let reply = client.put("rate-cards", &body).await;
        assert_eq!((reply.status.as_u16(), reply.problem()), (422, "bad_rate_line".to_owned()), "{body}");
        let errors = reply.json()["errors"].as_array().expect("errors").clone();
        errors.iter().map(|error| error["line"].as_u64().expect("a line")).collect::<Vec<_>>()
    };
    assert_eq!(
        errors(json!({"text": "# prices\nexport: 1 eech\n\nimages: 1 each\nimages from api: 2 each"})).await,
        [2, 5]
    );
    let lines = json!([
        {"meter": "export", "rule": "unit", "price": "1"},
        {"meter": "Export", "rule": "unit", "price": "1"},
        {"meter": "images", "rule": "unit", "prise": "1"},
        "free",
    ]);
    assert_eq!(errors(json!({"lines": lines})).await, [2, 3, 4]);
    for (body, status, code) in [
        (json!({}), 422, "missing_field"),
        (json!({"text": "a: free", "lines": []}), 422, "contradiction"),
        (json!({"lines": {"meter": "a"}}), 422, "bad_field"),
        (json!({"text": "a: free", "line": 1}), 422, "unknown_field"),
        (json!({"text": "a: free", "effective_at": "2026-11-21T11:59:59Z"}), 422, "effective_in_the_past"),
        (json!({"text": "a: free", "effective_at": "2099-01-01T00:00:00Z"}), 422, "effective_too_far"),
        (json!({"text": "a: free", "replaces": 7}), 409, "rate_card_changed"),
        (
            json!({"text": "a: free", "meters": [{"meter": "a", "title": "A", "unit": "u", "service": "\u{202e}"}]}),
            422,
            "bad_label",
        ),
        (json!({"text": "a: free", "meters": ["a"]}), 422, "bad_field"),
        (json!({"text": "a".repeat(65 * 1024)}), 413, "body_too_large"),
    ] {
        let reply = client.put("rate-cards", &body).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, code), "{body}");
    }
    for path in ["rate-cards/2", "rate-cards/-1", "rate-cards/one"] {
        assert_eq!(client.get(path).await.problem(), "not_found", "{path}");
    }
    assert_eq!(client.entries().await, before);
}

#[tokio::test]
async fn an_empty_card_is_refused_and_one_org_does_not_see_the_prices_of_another() {
    let server = Server::start().await;
    server.create_org("Other", "viewer-platform").await;
    let (client, other) = (Client::new(&server).await, Client::of(&server, "Other").await);
    for empty in [json!({"lines": []}), json!({"text": "# nothing yet\n"})] {
        let refused = client.put("rate-cards", &empty).await;
        assert_eq!((refused.status.as_u16(), refused.problem()), (422, "empty_rate_card".to_owned()));
    }
    assert_eq!(client.put("rate-cards", &json!({"text": "export: free"})).await.json()["version"], 2);
    assert_eq!(versions(&other.read("rate-cards").await), [(1, "in_force")], "not of {ORG}");
    assert_eq!(other.get("rate-cards/2").await.problem(), "not_found");
}

#[tokio::test]
async fn the_card_of_the_documentation_is_taken() {
    let documentation = include_str!("../../../docs/rate-cards.md");
    let text = documentation.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a card");
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let put = client.put("rate-cards", &json!({"text": text})).await;
    assert_eq!(put.json()["lines"].as_array().map(Vec::len), Some(9), "{}", put.text());
    let refused = client.put("rate-cards", &json!({"text": "export: 1 eech"})).await;
    let detail = refused.json()["errors"][0]["detail"].as_str().expect("a detail").to_owned();
    assert!(documentation.contains(&format!("\"detail\": \"{detail}\"}}")), "{detail}");
}
