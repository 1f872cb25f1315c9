//! What people say of a workflow: its name and project, by page and API, and what events go on saying.

use super::common::{ORG, Reply, Server};
use serde_json::{Value, json};

const HOSTILE: &str = "../<b>\"&?#";

async fn send(server: &Server, id: &str, workflow: Value) {
    let data = json!({"quantities": {"input_tokens": 1_000_000}, "workflow": workflow, "run": id, "project": {"id": "p-1", "name": "Harbour"}});
    let event = json!({"id": id, "source": "api", "type": "step", "time": "2026-11-21T10:00:00Z", "data": data});
    assert_eq!(server.post_json(&event).await.json()["accepted"], 1);
}

async fn put(server: &Server, id: &str, body: &Value) -> Reply {
    let bearer = server.bearer();
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    server.send("PUT", &app::query::place("/api/v1/workflows", id), &headers, body.to_string()).await
}

async fn title(server: &Server, cookie: &str) -> String {
    let page = server.open(cookie, "/workflows/w-1").await.text();
    page.split_once("<h1>")
        .and_then(|(_, rest)| rest.split_once("</h1>"))
        .map(|(title, _)| title.to_owned())
        .expect("a title")
}

#[tokio::test]
async fn a_name_that_people_give_stands_whatever_events_say_and_theirs_comes_back() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "admin", false).await;
    send(&server, "1", json!({"id": "w-1", "name": "Nightly"})).await;
    let save = async |name: &str, project: &str| {
        let reply = server.submit(&cookie, "/workflows/w-1", &[("name", name), ("project", project)]).await;
        assert_eq!(reply.status.as_u16(), 303, "{}", reply.text());
        assert_eq!(reply.header("location"), "/workflows/w-1?saved=yes#settings");
    };
    assert_eq!(title(&server, &cookie).await, "Nightly");
    save("The night shift", "p-1").await;
    assert_eq!(title(&server, &cookie).await, "The night shift");
    send(&server, "2", json!({"id": "w-1", "name": "Nightly 2"})).await;
    assert_eq!(title(&server, &cookie).await, "The night shift", "an event does not rename what people named");
    let list = server.open(&cookie, "/workflows").await.text();
    assert!(list.contains("The night shift") && list.contains(">Harbour<"), "{list}");
    let found = server.get("/api/v1/workflows/w-1").await.json();
    let expected = json!({"id": "w-1", "title": "The night shift", "name": "The night shift", "said": "Nightly 2", "kind": "workflow",
        "project": {"id": "p-1", "name": "Harbour"}});
    assert_eq!(found, expected);
    save("", "").await;
    assert_eq!(title(&server, &cookie).await, "Nightly 2", "what events call it by now");
    send(&server, "3", json!({"id": "w-1", "name": "Nightly 3"})).await;
    assert_eq!(title(&server, &cookie).await, "Nightly 3");
    let audit = server.open(&cookie, "/settings/audit").await.text();
    assert_eq!(audit.matches("Workflow changed").count() - 1, 2, "two notes, and the filter's choice");
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_and_changes_nothing() {
    let server = Server::start().await;
    let (admin, analyst) = (server.person(ORG, "admin", false).await, server.person(ORG, "analyst", false).await);
    send(&server, "1", json!({"id": "w-1"})).await;
    send(&server, "2", json!({"id": HOSTILE})).await;
    for (form, status) in [
        ([("name", "\u{202e}x"), ("project", "")], 422),
        ([("name", &"x".repeat(257)), ("project", "")], 422),
        ([("name", "x"), ("project", "no such project")], 404),
    ] {
        let reply = server.submit(&admin, "/workflows/w-1", &form).await;
        assert_eq!(reply.status.as_u16(), status, "{form:?}: {}", reply.text());
    }
    assert_eq!(server.submit(&analyst, "/workflows/w-1", &[("name", "x"), ("project", "")]).await.status.as_u16(), 403);
    assert_eq!(
        server.submit(&admin, "/workflows/nothing", &[("name", "x"), ("project", "")]).await.status.as_u16(),
        404
    );
    assert_eq!(title(&server, &analyst).await, "w-1");
    for (body, status) in [
        (json!({"name": 5}), 422),
        (json!({"title": "x"}), 422),
        (json!({"project": "no such project"}), 404),
        (json!([]), 400),
    ] {
        assert_eq!(put(&server, "w-1", &body).await.status.as_u16(), status, "{body}");
    }
    let (bearer, path) = (server.bearer(), "/api/v1/workflows/w-1");
    let bare = server.send("PUT", path, &[("authorization", bearer.as_str())], "").await;
    assert_eq!((bare.status.as_u16(), bare.problem().as_str()), (400, "not_json"), "nothing said takes nothing away");
    let done = put(&server, HOSTILE, &json!({"name": "<script>alert(1)</script>", "project": "p-1"})).await;
    assert_eq!((done.status.as_u16(), &done.json()["title"]), (200, &json!("<script>alert(1)</script>")));
    let listed = server.open(&admin, "/workflows").await.text();
    assert!(listed.contains("&lt;script&gt;alert") && !listed.contains("<script>alert"));
    let items = server.get("/api/v1/workflows").await.json();
    assert_eq!((&items["count"], &items["total"]["events"]), (&json!(2), &json!(2)));
}
