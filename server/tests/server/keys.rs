//! API keys: made, told, rotated, revoked; what they never reach; and that every change is noted.

use super::common::{Client, ORG, Reply, Server};
use axum::body::Body;
use ledger::Label;
use scrip_server::command::{Answer, Command, execute};
use serde_json::{Value, json};
use store::AuditPage;

async fn status(server: &Server, key: &str, path: &str) -> u16 {
    let bearer = format!("Bearer {key}");
    server.send("GET", path, &[("authorization", &bearer)], Body::empty()).await.status.as_u16()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

/// What was noted, oldest first.
async fn noted(server: &Server) -> Vec<(String, String, String)> {
    let org = server.store.org_by_name(ORG).await.expect("reads").expect("is there").id;
    let page = AuditPage { limit: 500, ..AuditPage::default() };
    let rows = server.store.audit(org, page).await.expect("reads");
    rows.into_iter().rev().map(|row| (row.actor, row.action, row.target)).collect()
}

#[tokio::test]
async fn a_key_is_shown_once_and_told_without_its_secret_ever_after() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let body = json!({"name": "Reports", "scopes": ["usage:read", "events:write", "usage:read"]});
    let reply = client.post("keys", &body).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (201, "no-store"));
    let made = reply.json();
    assert_eq!(made["scopes"], json!(["events:write", "usage:read"]));
    assert_eq!(reply.header("location"), format!("/api/v1/keys/{}", text(&made, "id")));
    let secret = text(&made, "key");
    assert_eq!(status(&server, &secret, "/api/v1/usage").await, 200);
    assert_eq!(status(&server, &secret, "/api/v1/keys").await, 403);
    let listed = client.read("keys").await;
    assert_eq!(listed["items"][0]["id"], made["id"]);
    assert_eq!(listed["items"].as_array().expect("items").len(), 3);
    let hidden = &secret[secret.len() - 40..];
    let one = client.read(&format!("keys/{}", text(&made, "id"))).await;
    assert!(!listed.to_string().contains(hidden) && !one.to_string().contains(hidden));
    assert_eq!((one["status"].as_str(), one["created_by"].as_str().map(|by| &by[..4])), (Some("active"), Some("key:")));
    let log =
        server.store.audit(ledger::OrgId(1), AuditPage { limit: 100, ..AuditPage::default() }).await.expect("reads");
    assert!(log.iter().all(|row| !format!("{row:?}").contains(hidden)));
}

#[tokio::test]
async fn members_that_are_not_the_callers_to_say_are_refused() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let good = json!({"name": "x", "scopes": ["usage:read"]});
    for (name, value) in [
        ("org", json!("org_2")),
        ("org_id", json!(2)),
        ("id", json!("key_1")),
        ("key", json!("scrip_x")),
        ("prefix", json!("abcdefgh")),
        ("key_hash", json!("00")),
        ("created_by", json!("user:x")),
        ("revoked_at", json!(null)),
        ("last_used_at", json!("2026-01-01T00:00:00Z")),
    ] {
        let mut body = good.clone();
        body[name] = value.clone();
        assert_eq!(client.refused("keys", &body).await, (422, "unknown_field".to_owned()), "{name}");
    }
    for (body, code) in [
        (json!({"name": "x"}), "missing_field"),
        (json!({"name": "x", "scopes": []}), "bad_key_terms"),
        (json!({"name": "x", "scopes": ["root"]}), "bad_scope"),
        (json!({"name": "", "scopes": ["usage:read"]}), "bad_label"),
        (json!({"name": "x", "scopes": ["usage:read"], "expires_at": "2026-11-21T12:00:00Z"}), "bad_key_terms"),
        (json!({"name": "x", "scopes": ["ledger:read"], "project": "chat"}), "bad_key_terms"),
        (json!({"name": "x", "scopes": ["admin"], "project": "chat"}), "bad_key_terms"),
    ] {
        assert_eq!(client.refused("keys", &body).await, (422, code.to_owned()), "{body}");
    }
    let once = client.once("a", "keys", &good).await;
    assert_eq!((once.status.as_u16(), once.problem().as_str()), (400, "idempotency_not_here"));
    assert_eq!(client.read("keys").await["items"].as_array().map(Vec::len), Some(2), "none was made");
}

#[tokio::test]
async fn a_revoked_key_fails_with_its_next_request_and_an_expired_one_at_its_instant() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let make = async |more: Value| -> Value {
        let mut body = json!({"name": "x", "scopes": ["usage:read"]});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        client.write("keys", &body).await
    };
    let (revoked, ending) = (make(json!({})).await, make(json!({"expires_at": "2026-11-21T13:00:00Z"})).await);
    for key in [&revoked, &ending] {
        assert_eq!(status(&server, &text(key, "key"), "/api/v1/usage").await, 200);
    }
    let path = format!("keys/{}", text(&revoked, "id"));
    for _ in 0..2 {
        assert_eq!(client.delete(&path).await.json()["status"], "revoked");
        assert_eq!(status(&server, &text(&revoked, "key"), "/api/v1/usage").await, 401);
    }
    client.at("2026-11-21T12:59:59Z");
    assert_eq!(status(&server, &text(&ending, "key"), "/api/v1/usage").await, 200);
    client.at("2026-11-21T13:00:00Z");
    assert_eq!(status(&server, &text(&ending, "key"), "/api/v1/usage").await, 401);
    assert_eq!(client.read(&format!("keys/{}", text(&ending, "id"))).await["status"], "expired");
    let ended = client.post(&format!("keys/{}/rotate", text(&ending, "id")), &json!({})).await;
    assert_eq!((ended.status.as_u16(), ended.problem().as_str()), (409, "key_ended"));
    let active = client.read("keys?status=active").await;
    assert_eq!(active["items"].as_array().map(Vec::len), Some(2));
    let count = noted(&server).await.iter().filter(|(_, action, _)| action == "key.revoke").count();
    assert_eq!(count, 1, "what changes nothing is not noted");
}

#[tokio::test]
async fn a_rotated_key_goes_on_for_its_overlap_and_only_once() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let old = client
        .write("keys", &json!({"name": "x", "scopes": ["usage:read"], "expires_at": "2026-12-21T12:00:00Z"}))
        .await;
    client.at("2026-11-22T12:00:00Z");
    let path = format!("keys/{}/rotate", text(&old, "id"));
    assert_eq!(client.refused(&path, &json!({"overlap_hours": 169})).await, (422, "bad_field".to_owned()));
    let new = client.write(&path, &json!({"overlap_hours": 2})).await;
    assert_eq!((&new["name"], &new["scopes"]), (&old["name"], &old["scopes"]));
    assert_eq!(new["expires_at"], "2026-12-22T12:00:00Z", "as long a life as the old one had");
    assert_eq!(client.refused(&path, &json!({})).await, (409, "key_ended".to_owned()));
    let told = client.read(&format!("keys/{}", text(&old, "id"))).await;
    assert_eq!((&told["status"], &told["replaced_by"]), (&json!("rotated"), &new["id"]));
    let both = async || {
        (
            status(&server, &text(&old, "key"), "/api/v1/usage").await,
            status(&server, &text(&new, "key"), "/api/v1/usage").await,
        )
    };
    assert_eq!(both().await, (200, 200));
    client.at("2026-11-22T14:00:00Z");
    assert_eq!(both().await, (401, 200));
    // Without an overlap the old one ends at once.
    let last = client.write(&format!("keys/{}/rotate", text(&new, "id")), &json!({"overlap_hours": 0})).await;
    assert_eq!(status(&server, &text(&new, "key"), "/api/v1/usage").await, 401);
    assert_eq!(status(&server, &text(&last, "key"), "/api/v1/usage").await, 200);
}

#[tokio::test]
async fn another_orgs_keys_are_not_there() {
    let server = Server::start().await;
    server.create_org("Other", "token-billing").await;
    let (ours, theirs) = (Client::new(&server).await, Client::of(&server, "Other").await);
    let key = ours.write("keys", &json!({"name": "x", "scopes": ["usage:read"]})).await;
    let path = format!("keys/{}", text(&key, "id"));
    assert_eq!(theirs.get(&path).await.status.as_u16(), 404);
    assert_eq!(theirs.delete(&path).await.status.as_u16(), 404);
    assert_eq!(theirs.post(&format!("{path}/rotate"), &json!({})).await.status.as_u16(), 404);
    assert_eq!(status(&server, &text(&key, "key"), "/api/v1/usage").await, 200);
    assert_eq!(theirs.read("keys").await["items"].as_array().map(Vec::len), Some(1));
    for bad in ["keys/key_0", "keys/key_99", "keys/1", "keys/%FF"] {
        assert!(matches!(ours.get(bad).await.status.as_u16(), 400 | 404), "{bad}");
    }
}

/// A client with a key of the project `chat`.
async fn of_project<'s>(server: &'s Server, all: &Client<'_>) -> Client<'s> {
    let body = json!({"name": "chat", "scopes": ["events:write", "usage:read"], "project": "chat"});
    Client { server, key: text(&all.write("keys", &body).await, "key") }
}

fn event(id: &str, project: Option<&str>) -> Value {
    json!({"id": id, "source": "api", "type": "images", "data": {"project": project}})
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.problem())
}

#[tokio::test]
async fn a_key_of_a_project_reports_and_reads_that_project_and_nothing_else() {
    let server = Server::start().await;
    let all = Client::new(&server).await;
    let bound = of_project(&server, &all).await;
    assert_eq!(bound.write("events", &event("1", Some("chat"))).await["accepted"], 1);
    for (id, project) in [("2", Some("other")), ("3", None)] {
        assert_eq!(bound.refused("events", &event(id, project)).await, (422, "wrong_project".to_owned()));
    }
    let lines = format!("{}\n{}\n", event("4", Some("chat")), event("5", Some("other")));
    let tally = bound.send("events", &[("content-type", "application/x-ndjson")], lines).await.json();
    assert_eq!(
        (&tally["accepted"], &tally["errors"][0]["code"], &tally["errors"][0]["index"]),
        (&json!(1), &json!("wrong_project"), &json!(1))
    );
    assert_eq!(all.write("events", &event("6", Some("other"))).await["accepted"], 1);

    assert_eq!(bound.read("usage").await["total"]["events"], 2);
    assert_eq!(bound.read("usage?project=chat").await["total"]["events"], 2);
    for query in ["usage?project=other", "usage?project=", "usage?project=chat&project=other"] {
        assert_eq!(code(&bound.get(query).await), (403, "wrong_project".to_owned()), "{query}");
    }
    assert_eq!(all.read("usage").await["total"]["events"], 3);
    assert_eq!(bound.get("events/event_1").await.status.as_u16(), 200);
    assert_eq!(bound.get("events/event_3").await.status.as_u16(), 404);

    let hold = |project: &str| json!({"amount": "1", "project": project});
    let own = text(&bound.write("holds", &hold("chat")).await, "id");
    let other = text(&all.write("holds", &hold("other")).await, "id");
    assert_eq!(bound.refused("holds", &hold("other")).await, (403, "wrong_project".to_owned()));
    assert_eq!(bound.refused("holds", &json!({"amount": "1"})).await, (403, "wrong_project".to_owned()));
    assert_eq!(bound.refused("authorize", &hold("other")).await, (403, "wrong_project".to_owned()));
    assert_eq!(bound.post("authorize", &hold("chat")).await.status.as_u16(), 200);
    for (verb, body) in [("extend", json!({"expires_in_s": 3_600})), ("release", json!({})), ("capture", json!({}))] {
        let reply = bound.post(&format!("holds/{other}/{verb}"), &body).await;
        assert_eq!(code(&reply), (404, "not_found".to_owned()), "{verb}");
    }
    assert_eq!(bound.get(&format!("holds/{other}")).await.status.as_u16(), 404);
    assert_eq!(bound.post(&format!("holds/{own}/capture"), &json!({})).await.status.as_u16(), 200);
    // What cannot be kept to a project is closed to it.
    for path in ["events", "holds"] {
        assert_eq!(code(&bound.get(path).await), (403, "project_key".to_owned()), "{path}");
    }
    all.assert_verified().await;
}

#[tokio::test]
async fn the_last_use_is_noted_at_most_every_ten_minutes() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let made = client.write("keys", &json!({"name": "x", "scopes": ["usage:read"]})).await;
    let (key, path) = (text(&made, "key"), format!("keys/{}", text(&made, "id")));
    let used = async || {
        assert_eq!(status(&server, &key, "/api/v1/usage").await, 200);
        // The note waits in the writer's queue by then: whatever is written after it has met it.
        tokio::task::yield_now().await;
        server.store.ready().await.expect("the writer answers");
        client.read(&path).await["last_used_at"].clone()
    };
    assert_eq!(client.read(&path).await["last_used_at"], Value::Null);
    assert_eq!(used().await, "2026-11-21T12:00:00Z");
    client.at("2026-11-21T12:09:59Z");
    assert_eq!(used().await, "2026-11-21T12:00:00Z");
    client.at("2026-11-21T12:10:00Z");
    assert_eq!(used().await, "2026-11-21T12:10:00Z");
}

#[tokio::test]
async fn every_change_is_noted_with_who_made_it_and_a_replay_is_not() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    let by = format!("key:{}", &client.key[6..14]);
    let grant = json!({"kind": "purchase", "amount": "5"});
    for _ in 0..2 {
        assert_eq!(client.once("g", "grants", &grant).await.status.as_u16(), 201);
    }
    client.write("corrections", &json!({"kind": "adjust", "amount": "-1", "reason": "Test", "preview": true})).await;
    client.write("corrections", &json!({"kind": "adjust", "amount": "-1", "reason": "Test"})).await;
    server.person(ORG, "analyst", false).await;
    let line = |actor: &str, action: &str, target: &str| (actor.to_owned(), action.to_owned(), target.to_owned());
    let all = noted(&server).await;
    let expected = [
        line("command", "org.create", "org_1"),
        line("command", "plan.offer", "org_1"),
        line("command", "package.offer", "org_1"),
        line("command", "grant.give", "grant_1"),
        line("command", "key.create", "key_1"),
        line("command", "key.create", "key_2"),
        line(&by, "grant.give", "grant_2"),
    ];
    assert_eq!(all[..7], expected);
    assert_eq!((all[7].0.as_str(), all[7].1.as_str()), (by.as_str(), "ledger.adjust"));
    assert_eq!(all[8..], [line("command", "member.add", "analyst-false@example.com")]);
}

#[tokio::test]
async fn the_command_line_lists_rotates_and_revokes() {
    let server = Server::start().await;
    let org = || ORG.to_owned();
    let project = Label::parse("project", "chat").expect("a label");
    let scopes = vec!["events:write".to_owned()];
    let made =
        Command::CreateKey { org: org(), name: "a".to_owned(), scopes, project: Some(project), expires_in_days: None };
    let Answer::Key(first) = server.run(made).await else { panic!("a key") };
    let Answer::Keys(keys) = server.run(Command::ListKeys { org: org() }).await else { panic!("keys") };
    assert_eq!((keys[0].status.as_str(), keys[0].project.as_deref()), ("active", Some("chat")));
    assert!(first.contains(&keys[0].prefix));
    let key = ledger::KeyId::parse(&keys[0].id).expect("an id");
    let Answer::Key(second) = server.run(Command::RotateKey { org: org(), key, overlap_hours: 1 }).await else {
        panic!("a key")
    };
    assert_ne!(first, second);
    server.run(Command::RevokeKey { org: org(), key }).await;
    assert_eq!(status(&server, &first, "/api/v1/events/event_1").await, 401);
    let missing = Command::RevokeKey { org: org(), key: ledger::KeyId(99) };
    assert_eq!(execute(&server.store, missing).await.expect_err("none").code, "not_found");
}
