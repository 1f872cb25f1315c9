//! Help: its examples run as they stand, and the page that tries the API does what it says.

use crate::common::{ORG, Reply, Server};
use axum::http::StatusCode;
use scrip_server::command::Command;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Stdio;

fn text(name: &str) -> String {
    let path = format!("{}/../docs/help/{name}.md", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a text of help")
}

/// The code blocks of a text: language and content.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut parts = text.split("```");
    while let (Some(_), Some(block)) = (parts.next(), parts.next()) {
        let (language, content) = block.split_once('\n').expect("a language and a content");
        blocks.push((language.to_owned(), content.to_owned()));
    }
    blocks
}

/// Whether `answer` is what the text shows: every member of it, and its value but for texts with an ellipsis.
fn shows(shown: &Value, answer: &Value, at: &str) {
    match (shown, answer) {
        (Value::Object(shown), Value::Object(answer)) => {
            for (name, value) in shown {
                shows(
                    value,
                    answer.get(name).unwrap_or_else(|| panic!("{at}.{name} is not in {answer:?}")),
                    &format!("{at}.{name}"),
                );
            }
        }
        (Value::Array(shown), Value::Array(answer)) => {
            assert!(answer.len() >= shown.len(), "{at}: {answer:?}");
            for (index, (shown, answer)) in shown.iter().zip(answer).enumerate() {
                shows(shown, answer, &format!("{at}[{index}]"));
            }
        }
        (Value::String(shown), Value::String(_)) if shown.contains('…') => {}
        (shown, answer) => assert_eq!(shown, answer, "{at}"),
    }
}

/// Runs a block as somebody would who copies it into a terminal.
async fn shell(block: &str, url: &str, key: &str) -> Value {
    let mut command = tokio::process::Command::new("bash");
    command.args(["-euo", "pipefail", "-c", block]).env("SCRIP", url).env("KEY", key).stderr(Stdio::inherit());
    let done = command.output().await.expect("bash runs");
    assert!(done.status.success(), "{block}");
    serde_json::from_slice(&done.stdout)
        .unwrap_or_else(|_| panic!("{block}: {}", String::from_utf8_lossy(&done.stdout)))
}

#[tokio::test]
async fn the_examples_run_as_they_stand_one_after_the_other() {
    let server = Server::start().await;
    let (url, _stop) = server.listen().await;
    let mut run = 0;
    for name in ["events", "usage", "holds", "errors"] {
        let blocks = blocks(&text(name));
        for (index, (language, block)) in blocks.iter().enumerate() {
            match language.as_str() {
                "sh" => {
                    let answer = shell(block, &url, &server.key).await;
                    run += 1;
                    if let Some((_, shown)) = blocks.get(index + 1).filter(|(language, _)| language == "json") {
                        let shown =
                            serde_json::from_str(shown).unwrap_or_else(|error| panic!("{name}: {error}: {shown}"));
                        shows(&shown, &answer, name);
                    }
                }
                "json" | "setup" => {}
                other => panic!("{name}: nobody runs {other}"),
            }
        }
    }
    assert!(run >= 10, "{run}");
}

#[tokio::test]
async fn every_code_that_a_call_may_answer_is_explained() {
    let server = Server::start().await;
    let described = server.get("/api/openapi.json").await.json();
    let explained = text("errors");
    let mut missing = BTreeSet::new();
    for item in described["paths"].as_object().expect("paths").values() {
        for call in item.as_object().expect("an item").values() {
            for (status, answer) in call["responses"].as_object().expect("answers") {
                if status.as_str() < "400" {
                    continue;
                }
                // Of each part of a description, the codes are what stands between backticks before its explanation.
                let text =
                    answer["description"].as_str().expect("a description").split(" with ").next().unwrap_or_default();
                let codes = text.split("; ").map(|part| match part.split_once(": ") {
                    Some((codes, _)) if !codes.contains("the code of") => codes,
                    _ => part,
                });
                for code in codes.flat_map(|part| part.split('`').skip(1).step_by(2)) {
                    let is_code = code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && code != "admin";
                    if is_code && !explained.contains(&format!("`{code}`")) {
                        missing.insert(code.to_owned());
                    }
                }
            }
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

#[tokio::test]
async fn help_is_there_for_every_role_and_names_this_server() {
    let server = Server::start().await;
    let member = server.person(ORG, "member", false).await;
    for page in ["", "/events", "/usage", "/holds", "/errors", "/api"] {
        let reply = server.open(&member, &format!("/help{page}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{page}");
        assert!(reply.text().contains("aria-current=\"page\""), "{page}");
    }
    assert_eq!(server.open(&member, "/help/nothing").await.status, StatusCode::NOT_FOUND);
    let events = server.open(&member, "/help/events").await.text();
    assert!(events.contains("export SCRIP=http://127.0.0.1:3000") && !events.contains("<script>alert"));
    let api = server.open(&member, "/help/api").await.text();
    assert!(api.contains("Only owners and admins may create, rotate and revoke API keys"), "no key, no button");
    let sent = server.submit(&member, "/help/api", &[("call", "GET /api/v1/balance"), ("key", "key_1")]).await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN);
}

async fn send(server: &Server, cookie: &str, call: &str, key: &str, more: &[(&str, &str)]) -> Reply {
    let mut form = vec![("call", call), ("key", key)];
    form.extend(more);
    server.submit(cookie, "/help/api", &form).await
}

#[tokio::test]
async fn a_call_is_sent_as_the_chosen_key_and_the_answer_is_shown() {
    let server = Server::start().await;
    let admin = server.person(ORG, "admin", false).await;
    let page = server.open(&admin, "/help/api").await.text();
    assert!(page.contains("&quot;type&quot;: &quot;input_tokens&quot;"), "an event of the org's own prices: {page}");
    let body = r#"{"id":"try-1","source":"api","type":"input_tokens","data":{"quantity":1000000}}"#;
    let reply = send(&server, &admin, "POST /api/v1/events", "key_1", &[("body", body)]).await;
    let page = reply.text();
    assert_eq!(reply.status, StatusCode::OK);
    for part in ["200 OK", "accepted&quot;: 1", "99.400000", "ratelimit: &quot;key&quot;;r=", "curl -X POST"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(page.contains("$KEY") && !page.contains(&server.key), "no secret is on the page");
    assert_eq!(server.available().await, "99.400000");
    let log = server.open(&admin, "/settings/audit").await;
    let noted = server.store.audit(ledger::OrgId(1), store::AuditPage { limit: 5, ..Default::default() }).await;
    let noted = noted.expect("reads").into_iter().find(|row| row.action == "api.try").expect("noted");
    assert_eq!((noted.actor.as_str(), noted.target.as_str()), ("user:admin-false@example.com", "POST /api/v1/events"));
    assert!(log.text().contains("API call sent from the page"));
    // What a call refuses is shown as it is answered, and what was typed stays.
    let bad = r#"{"id":"try-2","source":"<i>","type":"nothing"}"#;
    let page = send(&server, &admin, "POST /api/v1/events", "key_1", &[("body", bad)]).await.text();
    assert!(page.contains("422 Unprocessable Entity") && page.contains("unknown_meter"), "{page}");
    assert!(page.contains("&lt;i&gt;") && !page.contains("<i>"));
    let page = send(&server, &admin, "GET /api/v1/events/{id}", "key_1", &[("p.id", "")]).await.text();
    assert!(page.contains("Fill in"));
}

#[tokio::test]
async fn nobody_comes_to_credits_or_to_another_org_by_trying() {
    let server = Server::start().await;
    let admin = server.person(ORG, "admin", false).await;
    server.create_key(ORG, &["admin"]).await;
    server.create_org("Other", "token-billing").await;
    server.create_key("Other", &["usage:read"]).await;
    let body = r#"{"amount":"5","kind":"promotion","description":"x"}"#;
    let give = "POST /api/v1/grants";
    for key in ["key_1", "key_2", "key_3", "key_99", ""] {
        let page = send(&server, &admin, give, key, &[("body", body)]).await.text();
        let refused = page.contains("Choose a key") || page.contains("403 Forbidden");
        assert!(refused, "{key}: {page}");
    }
    assert_eq!(server.available().await, "100.000000");
    assert!(!server.open(&admin, "/help/api?call=POST+%2Fapi%2Fv1%2Fgrants").await.text().contains("key_2"));
    let operator = server.person(ORG, "admin", true).await;
    let page = send(&server, &operator, give, "key_2", &[("body", body)]).await.text();
    assert!(page.contains("201 Created"), "{page}");
    assert_eq!(server.available().await, "105.000000");
    let revoke = Command::RevokeKey { org: ORG.to_owned(), key: ledger::KeyId(2) };
    server.run(revoke).await;
    assert!(send(&server, &operator, give, "key_2", &[("body", body)]).await.text().contains("Choose a key"));
}
