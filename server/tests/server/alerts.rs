//! Alerts and budgets by API: made once however often asked for, told apart by org and by key, and nothing that cannot be.

use super::common::{Client, ORG, Server};
use serde_json::{Value, json};

const ALERTS: &str = "/api/v1/alerts";

fn rule() -> Value {
    json!({"title": "Chat", "kind": "spend_above", "amount": "0.5", "per": "day", "scope": {"project": "chat"}})
}

async fn send(server: &Server, key: &str, (method, path): (&str, &str), once: &str, body: &Value) -> (u16, Value) {
    let bearer = format!("Bearer {key}");
    let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
    if !once.is_empty() {
        headers.push(("idempotency-key", once));
    }
    let reply = server.send(method, path, &headers, body.to_string()).await;
    let status = reply.status.as_u16();
    (status, if status == 204 { Value::Null } else { reply.json() })
}

#[tokio::test]
async fn a_rule_is_made_once_and_is_there_for_its_own_org_and_for_keys_that_may() {
    let server = Server::start().await;
    server.create_org("Other", "token-billing").await;
    let ours = server.create_key(ORG, &["alerts:write", "ledger:read"]).await;
    let theirs = server.create_key("Other", &["alerts:write", "ledger:read"]).await;
    let reads = server.create_key(ORG, &["ledger:read", "ledger:write", "usage:read"]).await;
    let (status, made) = send(&server, &ours, ("POST", ALERTS), "one", &rule()).await;
    assert_eq!((status, &made["id"]), (201, &json!("rule_1")), "{made}");
    let again = send(&server, &ours, ("POST", ALERTS), "one", &rule()).await;
    assert_eq!(again.1["id"], "rule_1", "the same request makes no second one");
    let one = format!("{ALERTS}/rule_1");
    let snooze = format!("{one}/snooze");
    for (call, body) in [
        (("GET", one.as_str()), json!({})),
        (("PUT", one.as_str()), rule()),
        (("POST", snooze.as_str()), json!({"seconds": 60})),
        (("DELETE", one.as_str()), json!({})),
    ] {
        let once = if call.0 == "GET" { "" } else { call.0 };
        assert_eq!(send(&server, &theirs, call, once, &body).await.0, 404, "{call:?} of another org");
        if call.0 != "GET" {
            let (status, told) = send(&server, &reads, call, once, &body).await;
            assert_eq!((status, &told["code"]), (403, &json!("missing_scope")), "{call:?}");
        }
    }
    let (status, kept) = send(&server, &ours, ("GET", &one), "", &json!({})).await;
    assert_eq!((status, &kept["title"], &kept["scope"]), (200, &json!("Chat"), &json!({"project": "chat"})), "{kept}");
    let listed = send(&server, &theirs, ("GET", ALERTS), "", &json!({})).await.1;
    assert_eq!(listed["items"], json!([]), "nothing of it in another org");
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused_and_nothing_is_made() {
    let server = Server::start().await;
    server.create_org("Other", "token-billing").await;
    let key = server.create_key(ORG, &["alerts:write", "ledger:read"]).await;
    let with = |name: &str, value: Value| {
        let mut rule = rule();
        rule[name] = value;
        rule
    };
    let wrongs = [
        with("kind", json!("moon")),
        with("amount", json!("0")),
        with("amount", json!("-1")),
        with("amount", json!(0.5)),
        with("amount", json!("9".repeat(40))),
        with("per", json!("second")),
        with("title", json!("\u{202e}x")),
        with("title", json!("x".repeat(10_000))),
        with("margin_percent", json!(51)),
        with("scope", json!({"project": "chat", "colour": "red"})),
        with("scope", json!({"project": "\u{0}"})),
        with("recipients", json!({"people": ["nobody@example.com"]})),
        with("recipients", json!({"endpoints": ["endpoint_1"]})),
        with("recipients", json!({"roles": ["emperor"]})),
        with("org", json!("Other")),
    ];
    for (place, wrong) in wrongs.iter().enumerate() {
        let (status, told) = send(&server, &key, ("POST", ALERTS), &format!("wrong-{place}"), wrong).await;
        assert!([404, 422].contains(&status) && told["code"].is_string(), "{wrong}: {status} {told}");
    }
    assert_eq!(send(&server, &key, ("GET", ALERTS), "", &json!({})).await.1["items"], json!([]));
}

#[tokio::test]
async fn a_budget_that_is_used_up_refuses_work_and_records_what_happened() {
    let server = Server::start().await;
    server.grant("100").await;
    let key = server.create_key(ORG, &["alerts:write", "ledger:read"]).await;
    let body =
        json!({"title": "Chat", "whose": "project", "id": "chat", "amount": "1", "per": "cycle", "pauses": true});
    let (status, made) = send(&server, &key, ("POST", "/api/v1/budgets"), "one", &body).await;
    assert_eq!(status, 201, "{made}");
    let api = Client::new(&server).await;
    let asked = |project: &str| json!({"amount": "0.5", "project": project});
    assert_eq!(api.post("authorize", &asked("chat")).await.status.as_u16(), 200);
    // 0.0001 credits an image.
    let event = json!({"id": "1", "source": "api", "type": "images", "data": {"quantity": 20_000, "project": "chat"}});
    assert_eq!(server.post_json(&event).await.json()["accepted"], 1, "what happened is always recorded");
    let refused = api.post("authorize", &asked("chat")).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (402, &json!("budget_exceeded")),
        "{}",
        refused.text()
    );
    assert_eq!(api.post("authorize", &asked("website")).await.status.as_u16(), 200, "others go on");
}

#[tokio::test]
async fn a_key_that_makes_alerts_reads_them_and_one_that_reads_the_ledger_only_reads() {
    let server = Server::start().await;
    let key = server.create_key(ORG, &["alerts:write"]).await;
    assert_eq!(send(&server, &key, ("POST", ALERTS), "one", &rule()).await.0, 201);
    for scopes in [["alerts:write"], ["ledger:read"]] {
        let key = server.create_key(ORG, &scopes).await;
        for path in [ALERTS, "/api/v1/alerts/rule_1", "/api/v1/alerts/history", "/api/v1/budgets"] {
            assert_eq!(send(&server, &key, ("GET", path), "", &json!({})).await.0, 200, "{path} with {scopes:?}");
        }
    }
    let key = server.create_key(ORG, &["usage:read"]).await;
    assert_eq!(send(&server, &key, ("GET", ALERTS), "", &json!({})).await.0, 403);
}

#[tokio::test]
async fn a_number_that_cannot_be_is_named() {
    let server = Server::start().await;
    let key = server.create_key(ORG, &["alerts:write"]).await;
    for (member, number) in [("percent", json!(-5)), ("percent", json!(1_i64 << 40)), ("margin_percent", json!(-1))] {
        let mut rule = json!({"title": "Half", "kind": "cycle_usage", "percent": 50});
        rule[member] = number;
        let told = send(&server, &key, ("POST", ALERTS), "", &rule).await.1;
        assert!(told["detail"].as_str().is_some_and(|detail| detail.starts_with(member)), "{rule}: {told}");
    }
}

#[tokio::test]
async fn a_form_offers_what_usage_of_its_own_org_has_named() {
    let server = Server::start().await;
    server.create_org("Other", "token-billing").await;
    let event = json!({"id": "1", "source": "api", "type": "images", "data": {"quantity": 1, "project": "atlas <b>", "user": "ada"}});
    assert_eq!(server.post_json(&event).await.json()["accepted"], 1);
    let ours = server.person(ORG, "owner", false).await;
    let theirs = server.person("Other", "admin", false).await;
    let page = "/alerts/new?kind=spend_above";
    let form = server.open(&ours, page).await.text();
    for known in
        ["list=\"known-project\"", "value=\"atlas &lt;b&gt;\"", "value=\"ada\"", "value=\"api\"", "value=\"images\""]
    {
        assert!(form.contains(known), "{known} is missing");
    }
    let form = server.open(&theirs, page).await.text();
    assert!(form.contains("value=\"images\"") && !form.contains("atlas") && !form.contains("value=\"ada\""));
}

#[tokio::test]
async fn forms_of_alerts_and_budgets_are_for_whoever_may_send_them_and_one_click_deletes_nothing() {
    let server = Server::start().await;
    let (owner, member) = (server.person(ORG, "owner", false).await, server.person(ORG, "member", false).await);
    let key = server.create_key(ORG, &["alerts:write"]).await;
    assert_eq!(send(&server, &key, ("POST", ALERTS), "one", &rule()).await.0, 201);
    for page in ["/alerts/new", "/alerts/budgets/new"] {
        assert_eq!(server.open(&member, page).await.status.as_u16(), 403, "{page} as a member");
        assert_eq!(server.open(&owner, page).await.status.as_u16(), 200, "{page} as an owner");
    }
    let read = server.open(&member, "/alerts/rule_1").await.text();
    assert!(read.contains("Chat") && !read.contains("Delete"), "a member reads it and changes nothing");
    let page = server.open(&owner, "/alerts/rule_1").await.text();
    let (before, _) = page.split_once("Delete for good").expect("a button");
    assert!(before.rfind("<details").expect("behind something") > before.rfind("</details>").unwrap_or_default());
}
