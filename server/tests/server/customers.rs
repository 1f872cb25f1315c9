//! Customers: on whose behalf, through pages and the API, whatever ids look like.

use super::common::{ORG, Reply, Server};
use axum::body::Body;
use serde_json::{Value, json};
use store::Scope;

/// Ids that mean something to somebody else.
const HOSTILE: [&str; 6] = ["../", "..%2f", "a\"b'<script>", "é 😀+&=?#", "=1+1", "x/y;z"];

/// Its quantity is in tenths of a credit, which are a thousand images each.
fn event(id: &str, mut data: Value) -> Value {
    if let Some(tenths) = data["quantity"].as_i64() {
        data["quantity"] = json!(tenths * 1_000);
    }
    json!({"id": id, "source": "api", "type": "images", "time": "2026-11-20T09:00:00Z", "data": data})
}

async fn send(server: &Server, method: &str, path: &str, kind: &str, body: String) -> Reply {
    let bearer = server.bearer();
    server.send(method, path, &[("authorization", bearer.as_str()), ("content-type", kind)], body).await
}

async fn put(server: &Server, id: &str, body: &Value) -> Reply {
    let path = app::query::place("/api/v1/interactions", id);
    send(server, "PUT", &path, "application/json", body.to_string()).await
}

fn credits(list: &Value) -> Vec<(String, String)> {
    let of = |item: &Value, name: &str| item[name].as_str().expect("a text").to_owned();
    list["items"].as_array().expect("a list").iter().map(|item| (of(item, "id"), of(item, "credits"))).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(id, credits)| ((*id).to_owned(), (*credits).to_owned())).collect()
}

async fn with_events(server: &Server) {
    let events = json!([
        event("1", json!({"quantity": 50, "interaction": "visit-1", "user": "ada", "tenant": "north"})),
        event("2", json!({"quantity": 20, "interaction": "visit-1", "user": "ada", "tenant": "north"})),
        event("3", json!({"quantity": 40, "interaction": "visit-2"})),
        event("4", json!({"quantity": 10, "user": "ben", "project": {"id": "p1"}})),
        event("5", json!({"quantity": 30})),
    ]);
    assert_eq!(server.post_json(&events).await.json()["accepted"], 5);
}

#[tokio::test]
async fn a_mapping_is_followed_by_every_sum_at_once() {
    let server = Server::start().await;
    with_events(&server).await;
    for widened in [false, true] {
        if widened {
            while server.store.widen_from(1).await.expect("widens") > 0 {}
        }
        let users = server.get("/api/v1/users").await.json();
        assert_eq!(credits(&users), pairs(&[("ada", "7.000000"), ("ben", "1.000000")]));
        assert_eq!(
            (&users["total"]["credits"], &users["unmapped"]["credits"]),
            (&json!("15.000000"), &json!("7.000000"))
        );
        assert_eq!((&users["unmapped"]["events"], &users["count"]), (&json!(2), &json!(2)));
    }
    let done = put(&server, "visit-2", &json!({"user": "cleo", "tenant": "north"})).await;
    assert_eq!((done.status.as_u16(), &done.json()["user"]), (200, &json!("cleo")));
    let users = server.get("/api/v1/users").await.json();
    assert_eq!(credits(&users), pairs(&[("ada", "7.000000"), ("cleo", "4.000000"), ("ben", "1.000000")]));
    assert_eq!(credits(&server.get("/api/v1/tenants").await.json()), pairs(&[("north", "11.000000")]));
    let usage = server.get("/api/v1/usage?user=cleo").await.json();
    assert_eq!(usage["total"]["credits"], "4.000000");
    // What comes later counts for the same.
    server.post_json(&event("6", json!({"quantity": 60, "interaction": "visit-2", "user": "wrong"}))).await;
    let users = server.get("/api/v1/users?limit=1").await.json();
    assert_eq!(credits(&users), pairs(&[("cleo", "10.000000")]));
    let next = users["next_cursor"].as_str().expect("a cursor");
    let users = server.get(&format!("/api/v1/users?limit=2&cursor={next}")).await.json();
    assert_eq!(credits(&users), pairs(&[("ada", "7.000000"), ("ben", "1.000000")]));
    assert_eq!(users["next_cursor"], Value::Null);
    assert_eq!(credits(&server.get("/api/v1/users?prefix=be").await.json()), pairs(&[("ben", "1.000000")]));
    let one = server.get("/api/v1/interactions/visit-2").await.json();
    assert_eq!(
        (&one["user"], &one["credits"], &one["mapping"]["user"]),
        (&json!("cleo"), &json!("10.000000"), &json!("cleo"))
    );
    // Events keep what they said.
    assert_eq!(server.get("/api/v1/events/event_6").await.json()["user"], "wrong");
}

#[tokio::test]
async fn interactions_are_listed_heaviest_first_by_whose_they_are() {
    let server = Server::start().await;
    with_events(&server).await;
    put(&server, "later", &json!({"user": "dora"})).await;
    for widened in [false, true] {
        if widened {
            while server.store.widen_from(1).await.expect("widens") > 0 {}
        }
        let list = async |query: &str| credits(&server.get(&format!("/api/v1/interactions?{query}")).await.json());
        let (first, second) = (("visit-1", "7.000000"), ("visit-2", "4.000000"));
        assert_eq!(list("").await, pairs(&[first, second]));
        assert_eq!(list("user=ada").await, pairs(&[first]));
        assert_eq!(list("mapped=false").await, pairs(&[second]));
        assert_eq!(list("tenant=").await, pairs(&[second]));
        assert_eq!(list("user=nobody").await, pairs(&[]));
        assert_eq!(list("from=2026-11-21&to=2026-11-21").await, pairs(&[]));
    }
    let later = server.get("/api/v1/interactions/later").await.json();
    assert_eq!((&later["events"], &later["first_at"], &later["user"]), (&json!(0), &Value::Null, &json!("dora")));
    assert_eq!(server.get("/api/v1/interactions/never").await.problem(), "not_found");
    for bad in ["interval=day", "mapped=maybe", "cursor=x", "limit=0", "source=api", "nothing=1"] {
        assert_eq!(server.get(&format!("/api/v1/interactions?{bad}")).await.status.as_u16(), 400, "{bad}");
    }
}

#[tokio::test]
async fn a_mapping_is_sent_twice_without_harm_and_checked() {
    let server = Server::start().await;
    let bearer = server.bearer();
    let put = async |key: &str, body: &str| {
        let headers =
            [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", key)];
        server.send("PUT", "/api/v1/interactions/visit-1", &headers, body.to_owned()).await
    };
    let first = put("k", r#"{"user":"ada"}"#).await;
    let again = put("k", r#"{ "user" : "ada" }"#).await;
    assert_eq!((again.header("idempotency-replayed"), again.text()), ("true", first.text()));
    assert_eq!(put("k", r#"{"user":"ben"}"#).await.problem(), "idempotency_conflict");
    for (body, code) in [
        (r#"{"user":""}"#, "bad_label"),
        (r#"{"user":5}"#, "bad_field"),
        (r#"{"usr":"ada"}"#, "unknown_field"),
        ("[]", "not_json"),
    ] {
        assert_eq!(put("other", body).await.problem(), code, "{body}");
    }
    // Both left out: to nobody again.
    assert_eq!(put("l", "{}").await.json()["mapped_at"], Value::Null);
}

#[tokio::test]
async fn a_csv_maps_its_good_lines_and_names_the_bad_ones() {
    let server = Server::start().await;
    with_events(&server).await;
    let csv = "interaction,user,tenant\nvisit-1,cleo,\nvisit-2,,\nvisit-2,dora,south\n,x,y\n";
    let reply = send(&server, "PUT", "/api/v1/interactions", "text/csv; charset=utf-8", csv.to_owned()).await;
    let report = reply.json();
    assert_eq!((reply.status.as_u16(), &report["mapped"], &report["rejected"]), (200, &json!(2), &json!(2)));
    assert_eq!((&report["errors"][0]["line"], &report["errors"][1]["code"]), (&json!(3), &json!("missing_field")));
    let users = credits(&server.get("/api/v1/users").await.json());
    assert_eq!(users, pairs(&[("cleo", "7.000000"), ("dora", "4.000000"), ("ben", "1.000000")]));
    let again = send(&server, "PUT", "/api/v1/interactions", "text/csv", csv.to_owned()).await.json();
    assert_eq!((&again["mapped"], &again["unchanged"]), (&json!(0), &json!(2)));
    let head = send(&server, "PUT", "/api/v1/interactions", "text/csv", "a,b\n1,2\n".to_owned()).await;
    assert_eq!(head.problem(), "bad_head");
    let json = send(&server, "PUT", "/api/v1/interactions", "application/json", "{}".to_owned()).await;
    assert_eq!(json.problem(), "unsupported_media_type");
}

#[tokio::test]
async fn a_key_of_one_project_sees_what_was_used_there_and_maps_nothing() {
    let mut server = Server::start().await;
    with_events(&server).await;
    server.post_json(&event("7", json!({"quantity": 10, "interaction": "mine", "project": {"id": "p1"}}))).await;
    let new = scrip_server::command::Command::CreateKey {
        org: ORG.to_owned(),
        name: "p1".to_owned(),
        scopes: [Scope::EventsWrite, Scope::UsageRead].map(|scope| scope.as_str().to_owned()).to_vec(),
        project: Some(ledger::Label::parse("project", "p1").expect("a label")),
        expires_in_days: None,
    };
    server.key = match server.run(new).await {
        scrip_server::command::Answer::Key(key) => key,
        other => panic!("{other:?}"),
    };
    let users = server.get("/api/v1/users").await.json();
    assert_eq!((credits(&users), &users["total"]["credits"]), (pairs(&[("ben", "1.000000")]), &json!("2.000000")));
    assert_eq!(server.get("/api/v1/users?project=p2").await.problem(), "wrong_project");
    assert_eq!(credits(&server.get("/api/v1/interactions").await.json()), pairs(&[("mine", "1.000000")]));
    assert_eq!(server.get("/api/v1/interactions/visit-1").await.problem(), "not_found");
    assert_eq!(put(&server, "visit-1", &json!({"user": "me"})).await.status.as_u16(), 403);
}

#[tokio::test]
async fn pages_lead_to_every_id_and_map_by_plain_forms() {
    let server = Server::start().await;
    with_events(&server).await;
    let cookie = server.person(ORG, "admin", false).await;
    for (number, id) in HOSTILE.into_iter().enumerate() {
        server.post_json(&event(&format!("h{number}"), json!({"user": id, "tenant": id, "interaction": id}))).await;
        for list in ["users", "tenants", "interactions"] {
            let path = app::query::place(&format!("/{list}"), id);
            let reply = server.open(&cookie, &path).await;
            assert_eq!(reply.status.as_u16(), 200, "{path}");
            assert!(!reply.text().contains("<script>a") && !reply.text().contains("b'<script>"), "{path}");
        }
        let users = server.open(&cookie, "/customers").await.text();
        assert!(users.contains(&format!("href=\"{}\"", app::query::place("/users", id))), "{id}");
    }
    let html = server.open(&cookie, "/customers").await.text();
    assert!(html.contains("href=\"/customers/interactions?user=\""), "{html}");
    let unmapped = server.open(&cookie, "/customers/interactions?user=").await.text();
    assert!(unmapped.contains("/interactions/visit-2") && !unmapped.contains("/interactions/visit-1?"), "{unmapped}");
    assert_eq!(server.open(&cookie, "/users/never").await.status.as_u16(), 404);
    // One by its page, one by its id, many by a CSV.
    let reply = server.submit(&cookie, "/interactions/visit-2", &[("user", "cleo"), ("tenant", "")]).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/interactions/visit-2?mapped=yes"));
    let page = server.open(&cookie, "/interactions/visit-2?mapped=yes").await.text();
    for text in ["As it is mapped", "from nobody to user cleo", "href=\"/events/event_3?via=interaction\"", "4.00"] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let form = [("interaction", "visit-9"), ("user", ""), ("tenant", "")];
    let refused = server.submit(&cookie, "/customers/interactions", &form).await;
    assert_eq!((refused.status.as_u16(), refused.text().contains("Name a user, a tenant or both.")), (422, true));
    let csv = "interaction,user\r\nvisit-1,dora\r\nvisit-1,x\r\n";
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n\
         --b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n{csv}\r\n--b--\r\n"
    );
    let headers = [("cookie", cookie.as_str()), ("content-type", "multipart/form-data; boundary=b")];
    let told = server.send("POST", "/customers/interactions", &headers, body).await;
    let text = told.text();
    assert!(told.status.is_success() && text.contains("1 mapped; 1 line could not be read"), "{} {text}", told.status);
    assert!(server.open(&cookie, "/users/dora").await.text().contains("7.00"));
    // Only those who run the org.
    let member = server.person(ORG, "member", false).await;
    let page = server.open(&member, "/interactions/visit-1").await.text();
    assert!(page.contains("Owners and admins can map it") && !page.contains("<button class=\"button primary\">Map"));
    let reply = server.submit(&member, "/interactions/visit-1", &[("user", "me")]).await;
    assert_eq!(reply.status.as_u16(), 403);
    let nobody = server.send("GET", "/customers", &[], Body::empty()).await;
    assert_eq!(nobody.status.as_u16(), 303);
}
