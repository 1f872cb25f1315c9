//! The Analytics page as a browser without a script uses it: saved views, menus, files, and why figures changed.

use super::common::{ORG, Server};
use serde_json::json;

const VIEWS: &str = "/analytics/views";

/// An event on a day of November 2026, whose 21st it is.
fn event(id: usize, day: usize, source: &str, user: &str) -> serde_json::Value {
    let (status, region) = (if id.is_multiple_of(4) { "failed" } else { "succeeded" }, ["eu", "us"][id % 2]);
    json!({"id": id.to_string(), "source": source, "type": "images", "time": format!("2026-11-{day:02}T10:00:00Z"),
        "data": {"quantity": 10 * (1 + id % 3), "user": user, "status": status, "attributes": {"region": region}}})
}

async fn used() -> (Server, String) {
    let server = Server::start().await;
    let events: Vec<_> =
        (0..60).map(|n| event(n, 1 + n % 20, ["api", "web"][n % 2], ["ann", "=SUM(A1)", "<b>bob"][n % 3])).collect();
    assert_eq!(server.post_json(&json!(events)).await.json()["accepted"], 60);
    let cookie = server.person(ORG, "member", false).await;
    (server, cookie)
}

async fn page(server: &Server, cookie: &str, path: &str) -> String {
    let reply = server.open(cookie, path).await;
    assert_eq!(reply.status.as_u16(), 200, "{path}");
    reply.text()
}

#[tokio::test]
async fn a_view_is_saved_shared_renamed_and_deleted_by_plain_forms() {
    let (server, member) = used().await;
    let admin = server.person(ORG, "admin", false).await;
    let save = |name: &'static str, shared: &'static str| {
        [("do", "save"), ("name", name), ("query", "source=web&from=now-7d&utm=x&group=user"), ("shared", shared)]
    };
    let reply = server.submit(&member, VIEWS, &save(" Web <b>week ", "")).await;
    let there = "/analytics?from=now-7d&to=now&source=web&group=user&views=saved";
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, there));
    let own = page(&server, &member, there).await;
    assert!(
        own.contains("The view is saved.") && own.contains("Web &lt;b&gt;week") && !own.contains("Web <b>week"),
        "{own}"
    );
    assert!(!page(&server, &admin, "/analytics").await.contains("&lt;b&gt;week"), "it is nobody else's");
    let told = |reply: super::common::Reply| reply.header("location").rsplit('=').next().map(str::to_owned);
    let act = [("do", "delete"), ("view", "1"), ("query", "")];
    assert_eq!(told(server.submit(&admin, VIEWS, &act).await).as_deref(), Some("gone"));
    assert_eq!(told(server.submit(&member, VIEWS, &save("Web <b>week", "1")).await).as_deref(), Some("saved"));
    assert!(page(&server, &admin, "/analytics").await.contains("by member-false@example.com"));
    let rename = [("do", "rename"), ("view", "1"), ("name", "Mine"), ("shared", "1"), ("query", "")];
    assert_eq!(told(server.submit(&admin, VIEWS, &rename).await).as_deref(), Some("gone"));
    assert_eq!(told(server.submit(&member, VIEWS, &rename).await).as_deref(), Some("renamed"));
    assert_eq!(told(server.submit(&admin, VIEWS, &act).await).as_deref(), Some("deleted"));
    assert!(!page(&server, &member, "/analytics").await.contains("Mine"));
    for (name, code) in [("", "bad_name"), ("a\u{202E}b", "bad_name")] {
        assert_eq!(told(server.submit(&member, VIEWS, &save(name, "")).await).as_deref(), Some(code));
    }
    // Whatever a form calls a view, it leads to the page.
    let evil = [("do", "save"), ("name", "x"), ("query", "//evil.example/\r\nset-cookie: x=y&from=%00")];
    assert_eq!(server.submit(&member, VIEWS, &evil).await.header("location"), "/analytics?views=saved");
    let long: String = (0..60).map(|n| format!("user={}{n}&", "x".repeat(160))).collect();
    let long = [("do", "save"), ("name", "long"), ("query", long.as_str())];
    assert_eq!(told(server.submit(&member, VIEWS, &long).await).as_deref(), Some("too_long"));
}

#[tokio::test]
async fn a_menu_lists_what_was_used_most_as_text_and_any_other_can_be_typed() {
    let (server, cookie) = used().await;
    let users = page(&server, &cookie, "/analytics?source=api&filter=user").await;
    assert!(users.contains("Filter by user") && users.contains("&lt;b&gt;bob") && !users.contains("<b>bob"), "{users}");
    assert!(users.contains("href=\"/analytics?source=api&amp;user=ann&amp;filter=user\""), "{users}");
    assert!(users.contains("name=\"user\""), "a field for any other");
    // What the job beside the writer has reached.
    server.store.widen_from(0).await.expect("widened");
    let attributes = page(&server, &cookie, "/analytics?filter=attributes").await;
    assert!(
        attributes.contains("filter=attribute.region") && attributes.contains("group=attribute.region"),
        "{attributes}"
    );
    let chosen = page(&server, &cookie, "/analytics?user=ann&status=failed&attribute.region=eu&project=").await;
    for chip in ["User: ann", "Status: failed", "region: eu", "Project: No project"] {
        assert!(chosen.contains(&format!("Take away the filter {chip}")), "{chip}");
    }
    let long = format!("/analytics?filter=user&{}", "user=%3Cb%3E&".repeat(800));
    assert!(!page(&server, &cookie, &long).await.contains("<b>&user"));
    let unread = page(&server, &cookie, "/analytics?from=yesterday").await;
    assert!(unread.contains("yesterday\u{201d} is neither a day"), "{unread}");
}

#[tokio::test]
async fn files_hold_what_the_view_shows_and_nothing_that_runs() {
    let (server, cookie) = used().await;
    let days = "from=2026-11-01&to=2026-11-20";
    let events = server.open(&cookie, &format!("/exports/events.csv?{days}")).await;
    assert_eq!(events.header("content-disposition"), "attachment; filename=\"events_2026-11-01_2026-11-20.csv\"");
    let text = events.text();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heads = reader.headers().expect("a head").clone();
    let column = |name: &str| heads.iter().position(|head| head == name).unwrap_or_else(|| panic!("{name}"));
    let rows: Vec<_> = reader.records().collect::<Result<_, _>>().expect("rows of equal width");
    assert_eq!(rows.len(), 60);
    assert!(
        rows.iter().all(|row| row[column("time_utc")].ends_with('Z') && row[column("time_local")].ends_with("+00:00"))
    );
    assert!(rows.iter().all(|row| !row[column("user")].starts_with('=')), "{text}");
    let sum = |rows: &[csv::StringRecord]| -> ledger::Credits {
        let credits = rows.iter().map(|row| ledger::Credits::parse(&row[column("credits")]).expect("an amount"));
        ledger::Credits::sum(credits).expect("fits")
    };
    let shown = server.open(&cookie, &format!("/exports/usage.csv?{days}")).await.text();
    assert!(shown.trim_end().rsplit("\r\n").next().expect("totals").contains(&sum(&rows).to_string()), "{shown}");
    let few = server
        .open(&cookie, &format!("/exports/events.csv?{days}&user=ann&status=failed&source=api&attribute.region=eu"))
        .await;
    assert_eq!(few.text().lines().count() - 1, (0..60).filter(|n| n % 3 == 0 && n % 4 == 0 && n % 2 == 0).count());
    let book = server.open(&cookie, &format!("/exports/usage.xlsx?{days}&group=user")).await;
    assert!(book.header("content-type").ends_with("spreadsheetml.sheet") && book.body.starts_with(b"PK"));
    for path in ["/exports/usage.xlsx", "/exports/events.csv"] {
        assert_ne!(server.open("", path).await.status.as_u16(), 200, "{path}");
    }
}

#[tokio::test]
async fn why_it_changed_is_said_in_words_and_adds_up() {
    let (server, cookie) = used().await;
    let path = "/analytics?from=2026-11-11&to=2026-11-20&compare=previous&group=user";
    let page = page(&server, &cookie, path).await;
    assert!(page.contains("Why did it change?") && page.contains("1 – 10 Nov 2026"), "{page}");
    assert!(page.contains("Difference to the ledger: "), "{page}");
}

#[tokio::test]
async fn what_the_rate_card_does_not_charge_is_no_empty_chart() {
    let server = Server::start().await;
    server.create_org("Viewers", "viewer-platform").await;
    let cookie = server.person("Viewers", "analyst", false).await;
    for (query, words) in [
        ("type=viewer_session&source=platform", "This is free"),
        ("type=viewer_session&source=backend", "This cannot be"),
        ("type=export&source=backend", "Nothing was used"),
    ] {
        let page = page(&server, &cookie, &format!("/analytics?{query}")).await;
        assert!(page.contains(words) && page.contains("Show all sources"), "{query}");
    }
}
