//! The pages of alerts and budgets: what is listed, found and gone.

use super::common::{NOW, ORG, Server, time};
use serde_json::{Value, json};

async fn make(server: &Server, key: &str, path: &str, body: &Value) -> String {
    let headers = [("authorization", key), ("content-type", "application/json")];
    let reply = server.send("POST", path, &headers, body.to_string()).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.text());
    reply.header("location").rsplit('/').next().expect("an id").to_owned()
}

async fn delete(server: &Server, key: &str, path: &str) {
    let reply = server.send("DELETE", path, &[("authorization", key)], String::new()).await;
    assert_eq!(reply.status.as_u16(), 204, "{path}: {}", reply.text());
}

async fn key(server: &Server) -> String {
    format!("Bearer {}", server.create_key(ORG, &["alerts:write"]).await)
}

/// The text of a page's `<main>`, without what is in its head and its navigation.
fn main_of(page: &str) -> &str {
    page.split_once("<main").map_or(page, |(_, main)| main)
}

#[tokio::test]
async fn what_was_deleted_says_what_it_was_where_messages_lead_to_it() {
    let server = Server::start().await;
    server.create_org("Other", "token-billing").await;
    let (owner, theirs) = (server.person(ORG, "owner", false).await, server.person("Other", "admin", false).await);
    let key = key(&server).await;
    let rule = json!({"title": "Low <b>", "kind": "balance_below", "amount": "1000"});
    let rule = make(&server, &key, "/api/v1/alerts", &rule).await;
    let budget = json!({"title": "Chat", "whose": "project", "id": "chat", "amount": "5", "per": "day"});
    let budget = make(&server, &key, "/api/v1/budgets", &budget).await;
    let hook = json!({"url": "https://8.8.8.8/hook", "title": "Ours"});
    let hook = make(&server, &key, "/api/v1/webhook-endpoints", &hook).await;
    let bell = server.open(&owner, "/notifications").await.text();
    let link = format!("/alerts/{rule}");
    assert!(bell.contains(&format!("href=\"{link}\"")), "it fired, and the message leads to it");
    for path in [format!("alerts/{rule}"), format!("budgets/{budget}"), format!("webhook-endpoints/{hook}")] {
        delete(&server, &key, &format!("/api/v1/{path}")).await;
    }
    for (path, title, says) in [
        (link.clone(), "Low &lt;b&gt;", "Balance below $1,000.000000"),
        (format!("/alerts/budgets/{budget}"), "Chat", "It was $5.000000 in a day for project chat."),
        (format!("/settings/webhooks/{hook}"), "Ours", "8.8.8.8"),
        (format!("/settings/webhooks/{hook}/delivery_1"), "Ours", "8.8.8.8"),
    ] {
        let reply = server.open(&owner, &path).await;
        let page = reply.text();
        let page = main_of(&page);
        assert_eq!(reply.status.as_u16(), 200, "{path}");
        for wanted in [title, says, "was deleted on", "21 Nov 2026"] {
            assert!(page.contains(wanted), "{path}: {wanted} is missing in {page}");
        }
        assert!(!page.contains("<form"), "nothing can be done to it: {path}");
        assert_eq!(server.open(&theirs, &path).await.status.as_u16(), 404, "{path} for another org");
    }
    assert!(main_of(&server.open(&owner, &link).await.text()).contains("threshold $1,000.000000"), "its history stays");
    for never in ["/alerts/rule_99", "/alerts/budgets/budget_99", "/settings/webhooks/endpoint_99", "/alerts/rule_x"] {
        assert_eq!(server.open(&owner, never).await.status.as_u16(), 404, "{never}");
    }
}

/// Where each of these stands on a page; those that do not, at the end.
fn places(page: &str, titles: &[&str]) -> Vec<usize> {
    titles.iter().map(|title| page.find(&format!(">{title}</a>")).unwrap_or(usize::MAX)).collect()
}

#[tokio::test]
async fn rules_are_searched_filtered_and_paged_and_what_fires_stands_first() {
    let server = Server::start().await;
    let (owner, key) = (server.person(ORG, "owner", false).await, key(&server).await);
    for number in 0..120 {
        let rule = json!({"title": format!("Quiet {number}"), "kind": "balance_below", "amount": "1"});
        make(&server, &key, "/api/v1/alerts", &rule).await;
    }
    let rule = json!({"title": "Spend of <i>chat", "kind": "spend_above", "amount": "1", "per": "day"});
    let spend = make(&server, &key, "/api/v1/alerts", &rule).await;
    for title in ["Fires first", "Fires last"] {
        let rule = json!({"title": title, "kind": "balance_below", "amount": "1000"});
        make(&server, &key, "/api/v1/alerts", &rule).await;
        server.clock.set(ledger::Timestamp::from_micros(time(NOW).micros() + 60_000_000));
    }
    let headers = [("authorization", key.as_str()), ("content-type", "application/json")];
    let muted = server.send("POST", &format!("/api/v1/alerts/{spend}/mute"), &headers, r#"{"muted":true}"#).await;
    assert!(muted.status.is_success(), "{}", muted.text());
    let list = async |query: &str| {
        let reply = server.open(&owner, &format!("/alerts{query}")).await;
        assert_eq!(reply.status.as_u16(), 200, "{query}");
        let page = reply.text();
        let page = main_of(&page);
        let (_, rules) = page.split_once("id=\"rules\"").expect("rules");
        rules.split_once("id=\"history\"").expect("history").0.to_owned()
    };
    let first = list("").await;
    let order = places(&first, &["Fires last", "Fires first", "Quiet 0", "Quiet 22"]);
    assert!(
        order.is_sorted() && order[3] < usize::MAX,
        "the newest that fires first, then as they were made: {order:?}"
    );
    assert!(!first.contains(">Quiet 23<") && first.contains("1 to 25 of 123"), "a page has 25");
    assert!(first.contains("href=\"/alerts?rules=2#rules\""), "and a way to the next");
    let last = list("?rules=5").await;
    let order = places(&last, &["Quiet 98", "Quiet 119", "Spend of &lt;i&gt;chat"]);
    assert!(order.is_sorted() && order[2] < usize::MAX, "what is muted stands last: {order:?}");
    let page = list("?q=UIET+11&rules=9").await;
    assert!(page.contains(">Quiet 119<") && page.contains(">Quiet 11<") && !page.contains(">Quiet 12<"));
    assert_eq!(places(&list("?q=quiet&state=firing").await, &["Quiet 0", "Fires last"]), [usize::MAX; 2]);
    for query in ["?state=firing", "?q=fires"] {
        let page = list(query).await;
        assert!(page.contains(">Fires last<") && !page.contains(">Quiet 0<") && !page.contains("of 123"), "{query}");
    }
    for query in ["?state=muted", "?kind=spend_above", "?q=%3Ci%3E"] {
        let page = list(query).await;
        assert!(page.contains("Spend of &lt;i&gt;chat</a>") && !page.contains(">Quiet 0<"), "{query}");
    }
    let page = list("?q=%22%3E%3Cscript%3E&state=%27&kind=moon&rules=-1").await;
    assert!(page.contains("None of the 123 alerts is like that.") && !page.contains("<script>"), "{page}");
    assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;\""), "what was typed stands there still: {page}");
    assert!(list("?state=ok&rules=5").await.contains("101 to 120 of 120"));
}

#[tokio::test]
async fn a_budgets_form_offers_the_ids_that_usage_has_named() {
    let server = Server::start().await;
    let data = json!({"quantity": 1, "project": "atlas <b>", "user": "ada", "tenant": "north"});
    let event = json!({"id": "1", "source": "api", "type": "images", "data": data});
    assert_eq!(server.post_json(&event).await.json()["accepted"], 1);
    let owner = server.person(ORG, "owner", false).await;
    let form = server.open(&owner, "/alerts/budgets/new").await.text();
    for known in [
        "list=\"known-ids\"",
        "value=\"atlas &lt;b&gt;\" label=\"atlas &lt;b&gt; (Project)\"",
        "label=\"ada (User)\"",
        "label=\"north (Tenant)\"",
    ] {
        assert!(form.contains(known), "{known} is missing in {form}");
    }
}
