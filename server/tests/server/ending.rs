//! The end of an organization, from its page.

use crate::common::{Client, NOW, ORG, Server, time};
use axum::http::StatusCode;
use ledger::{OrgId, Timestamp};
use serde_json::json;

const PAGE: &str = "/settings/deletion";
const EXPORT: &str = "/exports/organization.jsonl";

#[tokio::test]
async fn an_owner_exports_deletes_and_keeps_and_nobody_else_does() {
    let server = Server::start().await;
    let admin = server.person(ORG, "admin", true).await;
    assert_eq!(server.open(&admin, PAGE).await.status, StatusCode::FORBIDDEN);
    assert_eq!(server.submit(&admin, EXPORT, &[]).await.status, StatusCode::FORBIDDEN);
    let owner = server.person(ORG, "owner", false).await;
    let page = server.open(&owner, PAGE).await.text();
    assert!(page.contains("None has been made yet") && !page.contains("name=\"name\""), "no export, no form");
    let refused = server.submit(&owner, PAGE, &[("do", "end"), ("name", ORG)]).await;
    assert_eq!(refused.header("location"), "/settings/deletion?error=export_first");

    let export = server.submit(&owner, EXPORT, &[]).await;
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    assert!(export.header("content-disposition").contains("scrip-org_1-2026-11-21.jsonl"));
    let text = export.text();
    assert!(text.lines().last().is_some_and(|line| line.contains("\"table\":\"end\"")), "{text}");
    assert!(!text.contains(&server.key) && text.contains("owner-false@example.com"));

    let wrong = server.submit(&owner, PAGE, &[("do", "end"), ("name", "acme")]).await;
    assert_eq!(wrong.header("location"), "/settings/deletion?error=name_differs");
    assert!(server.store.ends_at(OrgId(1)).is_none());
    server.submit(&owner, PAGE, &[("do", "end"), ("name", ORG)]).await;
    let page = server.open(&owner, PAGE).await.text();
    assert!(page.contains("owner-false@example.com asked for its deletion") && page.contains("Keep the organization"));

    // Nothing is taken, by key or by page; everything can be read, and whoever asks is told what happens.
    let event = json!({"id": "1", "source": "api", "type": "input_tokens"});
    let refused = server.post_json(&event).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (403, "org_ends"));
    assert_eq!(server.get("/api/v1/balance").await.status, StatusCode::OK);
    let refused = server.submit(&owner, "/settings/organization", &[("do", "organization")]).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (403, "org_ends"));
    // A key that must go goes at once.
    let key = server.create_key(ORG, &["admin"]).await;
    let revoked = Client { server: &server, key }.delete("keys/key_2").await;
    assert_eq!(revoked.status.as_u16(), 200, "{}", revoked.text());
    assert!(server.open(&admin, "/").await.text().contains("This organization will be deleted on"));

    let kept = server.submit(&owner, PAGE, &[("do", "keep")]).await;
    assert_eq!(kept.header("location"), "/settings/deletion?done=kept");
    assert_eq!(server.post_json(&event).await.status, StatusCode::OK);
    Client::new(&server).await.assert_verified().await;
}

#[tokio::test]
async fn after_its_time_neither_key_nor_session_opens_anything_of_it() {
    let server = Server::start().await;
    let owner = server.person(ORG, "owner", false).await;
    server.submit(&owner, EXPORT, &[]).await;
    server.submit(&owner, PAGE, &[("do", "end"), ("name", ORG)]).await;
    server.clock.set(Timestamp::from_micros(time(NOW).micros() + 31 * 86_400_000_000));
    while server.store.delete_some().await.expect("deletes") > 0 {
        assert_eq!(server.get("/api/v1/balance").await.status.as_u16(), 401, "from the first step on");
    }
    assert_eq!(server.open(&owner, "/").await.status.as_u16(), 303);
    Client { server: &server, key: String::new() }.assert_verified().await;
}
