//! The Ledger page's file, an event's page, and correcting an event from it, as a browser without JavaScript does it.

use super::common::{ORG, Reply, Server};
use axum::body::Body;
use scrip_server::command::Command;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

/// A server with one event, and the cookie of a new person.
async fn signed_in(operator: bool) -> (Server, String) {
    let server = Server::start().await;
    let (email, password) = ("somebody@example.com".to_owned(), PASSWORD.to_owned());
    server.run(Command::CreateUser { email, password, org: ORG.to_owned(), role: "owner".to_owned(), operator }).await;
    let event = json!({"id": "1", "source": "api", "type": "images"});
    assert_eq!(server.post_json(&event).await.json()["accepted"], 1);
    let form = serde_urlencoded::to_string([("email", "somebody@example.com"), ("password", PASSWORD), ("next", "/")]);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let reply = server.send("POST", "/sign-in", &headers, form.expect("a form")).await;
    let cookie = reply.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    (server, cookie)
}

async fn get(server: &Server, cookie: &str, path: &str) -> Reply {
    server.send("GET", path, &[("cookie", cookie)], Body::empty()).await
}

async fn book(server: &Server, cookie: &str, event: &str, form: &[(&str, &str)]) -> Reply {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("cookie", cookie)];
    let form = serde_urlencoded::to_string(form).expect("a form");
    server.send("POST", &format!("/events/{event}"), &headers, form).await
}

#[tokio::test]
async fn an_event_of_nobody_is_not_found() {
    let (server, cookie) = signed_in(false).await;
    assert_eq!(get(&server, &cookie, "/events/event_1").await.status.as_u16(), 200);
    for id in ["event_2", "event_0", "grant_1", "1", "event_99999999999999999999", "%FF"] {
        let reply = get(&server, &cookie, &format!("/events/{id}")).await;
        assert!(matches!(reply.status.as_u16(), 400 | 404), "{id}: {}", reply.status);
    }
}

#[tokio::test]
async fn an_operator_books_once_however_often_the_form_is_sent() {
    let (server, cookie) = signed_in(true).await;
    let before = server.available().await;
    let page = get(&server, &cookie, "/events/event_1?correct=void&reason=Twice").await.text();
    let (_, rest) = page.split_once("name=\"key\" value=\"").expect("a key");
    let key = rest.split('"').next().expect("a key").to_owned();
    assert_eq!(server.available().await, before, "a preview books nothing");
    let form = [("correct", "void"), ("reason", "Twice"), ("key", key.as_str())];
    for _ in 0..2 {
        let reply = book(&server, &cookie, "event_1", &form).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/events/event_1?booked"));
        assert_eq!(server.available().await, "100.000000");
    }
    let csv = get(&server, &cookie, "/exports/ledger.csv?kind=void").await.text();
    assert_eq!(csv.lines().filter(|line| line.contains("user:somebody@example.com")).count(), 2, "{csv}");
    // Another key, or another reason under the same: the page says why not.
    for form in [
        [("correct", "void"), ("reason", "Again"), ("key", "other")],
        [("correct", "void"), ("reason", ""), ("key", "k")],
    ] {
        let reply = book(&server, &cookie, "event_1", &form).await;
        assert_eq!(reply.status.as_u16(), 303);
        assert!(reply.header("location").starts_with("/events/event_1?correct=void"), "{}", reply.header("location"));
    }
    assert_eq!(book(&server, &cookie, "event_7", &form).await.status.as_u16(), 404);
}

#[tokio::test]
async fn nobody_else_corrects_anything() {
    let (server, cookie) = signed_in(false).await;
    let before = server.available().await;
    let page = get(&server, &cookie, "/events/event_1?correct=void&reason=Twice").await.text();
    assert!(page.contains("Only operators may correct events") && !page.contains("name=\"key\""));
    let reply = book(&server, &cookie, "event_1", &[("correct", "void"), ("reason", "x"), ("key", "k")]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (403, "not_operator"));
    assert_eq!(server.available().await, before);
}

#[tokio::test]
async fn the_ledgers_file_is_whole_and_tells_its_end() {
    let (server, cookie) = signed_in(false).await;
    let reply = get(&server, &cookie, "/exports/ledger.csv").await;
    assert_eq!(reply.header("content-disposition"), "attachment; filename=\"ledger_Acme_entry_3.csv\"");
    let text = reply.text();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert!(lines.iter().all(|cells| cells.len() == 10), "{text}");
    // Head, usage with two postings, grant with two, rate card, end.
    assert_eq!(lines.len(), 7, "{text}");
    assert_eq!(lines[6][..2], ["entry_3", "chain_head"]);
    assert_eq!(lines[6][8], lines[1][8], "the end is the newest entry's hash");
    let few = get(&server, &cookie, "/exports/ledger.csv?kind=grant&before=entry_1").await.text();
    assert_eq!(few.lines().count(), 4, "{few}");
}
