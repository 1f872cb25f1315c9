//! Finding things: what an org has, nothing of another's, in few steps however much there is.

use super::common::Server;
use serde_json::{Value, json};

async fn hits(server: &Server, cookie: &str, text: &str) -> Vec<Value> {
    let query = serde_urlencoded::to_string([("q", text)]).expect("a query");
    let reply = server.open(cookie, &format!("/search.json?{query}")).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
    let found = reply.json()["items"].as_array().expect("items").clone();
    // The page says the same.
    let page = server.open(cookie, &format!("/search?{query}")).await;
    assert_eq!(page.status.as_u16(), 200);
    let rows = page.text().split("<th scope=\"row\" class=\"found\">").count() - 1;
    assert_eq!(rows, found.len(), "{text}");
    found
}

fn told(hits: &[Value]) -> Vec<(&str, &str)> {
    let text = |hit: &'_ Value, name: &str| hit[name].as_str().expect("a text").to_owned();
    hits.iter()
        .map(|hit| (hit["kind"].as_str().unwrap_or(""), hit["title"].as_str().unwrap_or("")))
        .inspect(|(kind, _)| {
            assert!(!kind.is_empty() && hits.iter().all(|hit| !text(hit, "href").is_empty()));
        })
        .collect()
}

async fn send(server: &Server, id: &str, data: Value) {
    let event = json!({"id": id, "source": "api", "type": "images", "data": data});
    assert_eq!(server.post_json(&event).await.json()["accepted"], 1);
}

#[tokio::test]
async fn what_events_name_is_found_by_the_beginning_of_its_id_or_name() {
    let server = Server::start().await;
    let cookie = server.person("Acme", "owner", false).await;
    let data = json!({
        "quantity": 1, "project": {"id": "p-1", "name": "Harbour"}, "workflow": {"id": "w-9", "name": "Harvest of data"},
        "user": "harriet", "tenant": "Harlem", "run": "har-1", "interaction": "har/../\"2\" 😀",
    });
    send(&server, "1", data).await;
    let found = hits(&server, &cookie, "har").await;
    let names = told(&found);
    let expected = [
        ("Project", "Harbour"),
        ("Workflow", "Harvest of data"),
        ("Run", "har-1"),
        ("User", "harriet"),
        ("Interaction", "har/../\"2\" 😀"),
    ];
    assert_eq!(names, expected, "ids by their letters, names in any case");
    assert_eq!(told(&hits(&server, &cookie, "p-").await), [("Project", "Harbour")]);
    assert_eq!(told(&hits(&server, &cookie, "Harl").await), [("Tenant", "Harlem")]);
    assert_eq!(told(&hits(&server, &cookie, " event_1 ").await), [("Event", "event_1")]);
    let own_id = hits(&server, &cookie, "1").await;
    assert_eq!((told(&own_id), &own_id[0]["href"]), (vec![("Event", "1")], &json!("/events/event_1")));
    assert_eq!(told(&hits(&server, &cookie, "rate").await), [("Page", "Rate card")]);
    for nothing in ["event_2", "%", "_", "arbour", "\u{10ffff}", &"x".repeat(400)] {
        assert_eq!(told(&hits(&server, &cookie, nothing).await), [], "{nothing}");
    }
    let hrefs: Vec<&str> = found.iter().map(|hit| hit["href"].as_str().expect("an address")).collect();
    let expected = [
        "/analytics?project=p-1",
        "/workflows/w-9",
        "/runs/har-1",
        "/users/harriet",
        "/interactions/har%2F..%2F%222%22%20%F0%9F%98%80",
    ];
    assert_eq!(hrefs, expected);
    for hit in hits(&server, &cookie, "").await {
        let href = hit["href"].as_str().expect("an address").to_owned();
        let reply = server.open(&cookie, &href).await;
        assert!([200, 303].contains(&reply.status.as_u16()), "{href}");
    }
}

#[tokio::test]
async fn nobody_finds_what_is_anothers_and_no_list_is_long() {
    let server = Server::start().await;
    server.create_org("Other", "token-billing").await;
    for number in 0..12 {
        send(&server, &number.to_string(), json!({"quantity": 1, "user": format!("user-{number}")})).await;
    }
    let (own, other) = (server.person("Acme", "member", false).await, server.person("Other", "owner", false).await);
    let users = hits(&server, &own, "user-").await;
    assert_eq!(users.len(), store::name::PER_KIND + 1, "and where the list goes on");
    assert_eq!(users[store::name::PER_KIND]["href"], "/customers?q=user-");
    assert_eq!(hits(&server, &other, "user-").await.len(), 0);
    assert_eq!(hits(&server, &other, "event_1").await.len(), 0);
    let pages: Vec<String> =
        told(&hits(&server, &own, "").await).iter().map(|(_, title)| (*title).to_owned()).collect();
    assert!(pages.contains(&"Analytics".to_owned()) && !pages.contains(&"Audit log".to_owned()), "{pages:?}");
    let nobody = server.send("GET", "/search.json?q=a", &[], axum::body::Body::empty()).await;
    assert_eq!(nobody.status.as_u16(), 303);
}
