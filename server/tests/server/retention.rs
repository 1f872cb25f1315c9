//! Retention: what pages, API, files and commands say once details of events are pruned.

use super::common::{Client, NOW, ORG, Server, time};
use ledger::{OrgId, Timestamp};
use serde_json::{Value, json};
use store::By;

const DAY: i64 = 86_400_000_000;

fn event(id: &str, run: &str) -> Value {
    let data = json!({"quantities": {"input_tokens": 1_000_000}, "run": run, "workflow": "flow", "module": "m", "interaction": run});
    json!({"id": id, "source": "api", "type": "step", "data": data})
}

/// Three events of a day, and one fifty days later, seen after another eleven by an org that keeps details for 60 days.
async fn server() -> Server {
    let server = Server::start().await;
    let org = OrgId(1);
    for events in [vec![event("1", "old"), event("2", "both")], vec![event("3", "both")]] {
        server.post_json(&json!(events)).await;
    }
    let later = server.clock.as_ref();
    let now = |days: i64| Timestamp::from_micros(time(NOW).micros() + days * DAY);
    later.set(now(50));
    server.post_json(&json!([event("4", "both")])).await;
    let settings = server.store.org_settings(org).await.expect("reads");
    let settings = ledger::OrgSettings { retention_days: Some(60), ..settings };
    server.store.set_org_settings(By::command(), org, settings).await.expect("good settings");
    server.store.widen_from(1).await.expect("widens");
    later.set(now(61));
    while server.store.prune_some().await.expect("prunes") > 0 {}
    server
}

#[tokio::test]
async fn the_api_says_gone_where_details_are_pruned_and_sums_stay() {
    let server = server().await;
    let ask = async |path: &str| server.get(path).await;
    for path in ["/api/v1/events/event_1", "/api/v1/ledger/proof/event_3"] {
        let reply = ask(path).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (410, "details_pruned"), "{path}");
        assert!(reply.text().contains("keeps them for 60 days"), "{}", reply.text());
    }
    assert_eq!(ask("/api/v1/events/event_5").await.status.as_u16(), 404);
    let list = ask("/api/v1/events").await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    assert!(list["pruned_until"].as_str().is_some_and(|until| until.starts_with("2026-11-21T12:00:00")), "{list}");
    let run = ask("/api/v1/runs/both").await.json();
    assert_eq!((&run["events"], &run["pruned"], &run["counted"]), (&json!(3), &json!(2), &json!(1)), "{run}");
    let usage = ask("/api/v1/usage?from=2026-11-01&to=2027-01-31&interval=month&group_by=type").await.json();
    assert_eq!(usage["total"]["events"], 4, "{usage}");
    let mapped = Client::new(&server).await.put("interactions/old", &json!({"user": "ada"})).await;
    assert_eq!((mapped.status.as_u16(), mapped.problem().as_str()), (410, "details_pruned"));
    // The same event again is known, another of its id conflicts, and neither needs what is gone.
    let again = server.post_json(&json!([event("1", "old")])).await;
    assert_eq!(again.json()["duplicate"], 1);
    let other = server.post_json(&json!([event("1", "new")])).await;
    assert_eq!((other.status.as_u16(), other.problem().as_str()), (409, "event_conflict"));
}

#[tokio::test]
async fn pages_say_what_is_no_longer_kept() {
    let server = server().await;
    let owner = server.person(ORG, "owner", false).await;
    let says = async |path: &str, text: &str| {
        let page = server.open(&owner, path).await;
        let main = page.text().split("<main").nth(1).unwrap_or_default().to_owned();
        assert_eq!(page.status.as_u16(), 200, "{path}");
        assert!(main.contains(text), "{path} does not say {text:?}: {main}");
    };
    says("/usage", "Details of events are kept for 60 days; those booked until").await;
    says("/runs/old", "Details of 1 event are no longer kept.").await;
    says("/runs/both", "Details of 2 events are no longer kept.").await;
    says("/interactions/old", "for whom it counts cannot change any more").await;
    says("/workflows/flow?from=2026-11-01&to=2027-01-31", "Details of 3 events are no longer kept.").await;
    says("/settings/organization", "What is older is pruned").await;
    says("/", "details are no longer kept").await;
    says("/events/event_1", "are no longer kept").await;
}

#[tokio::test]
async fn files_say_what_is_not_in_them() {
    let server = server().await;
    let owner = server.person(ORG, "owner", false).await;
    let file = server.open(&owner, "/exports/events.csv?from=2026-11-01&to=2027-01-31").await;
    let lines: Vec<String> = file.text().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[2].starts_with("pruned,,2026-11-21T12:00:00") && lines[2].contains("no longer kept"), "{lines:?}");
    assert_eq!(lines[2].matches(',').count() - 1, lines[0].matches(',').count(), "{lines:?}");
    let gone = server.open(&owner, "/exports/events.csv?from=2026-11-01&to=2026-11-20").await;
    assert!(gone.text().contains("no longer kept"), "{} {}", gone.status, gone.text());
}
