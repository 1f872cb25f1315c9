//! News of an org's ledger for open pages.

use super::common::{ORG, Server};
use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures::StreamExt as _;
use scrip_server::live::MAX_STREAMS_PER_ORG;
use std::time::Duration;

async fn open(server: &Server, cookie: &str, path: &str) -> (u16, BodyDataStream) {
    let request = Request::get(path).header("host", "127.0.0.1:3000").header("cookie", cookie);
    let (parts, body) = server.stream(request.body(Body::empty()).expect("a request")).await;
    (parts.status.as_u16(), body.into_data_stream())
}

/// The next piece; `None` at the end.
async fn next(news: &mut BodyDataStream) -> Option<String> {
    let piece = tokio::time::timeout(Duration::from_secs(30), news.next()).await.expect("something within a beat");
    piece.map(|piece| String::from_utf8(piece.expect("sent").to_vec()).expect("UTF-8"))
}

async fn head(server: &Server) -> String {
    let org = server.store.org_by_name(ORG).await.expect("reads").expect("is there").id;
    server.store.head(org).await.expect("reads").seq.to_string()
}

#[tokio::test]
async fn an_open_page_is_told_what_is_booked_and_nothing_of_other_orgs() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "member", false).await;
    let (status, mut news) = open(&server, &cookie, &format!("/live?seen={}", head(&server).await)).await;
    assert_eq!(status, 200);
    let first = next(&mut news).await.expect("a sign of life");
    assert!(first.contains("nothing new") && !first.contains("event:"), "{first}");
    server.create_org("Other", "token-billing").await;
    server.grant("1").await;
    let moved = next(&mut news).await.expect("news");
    let seen = head(&server).await;
    assert!(moved.contains("event: moved") && moved.contains(&format!("data: {seen}\n")), "{moved}");
    // Whoever comes again after a while is told at once.
    let (_, mut later) = open(&server, &cookie, "/live?seen=entry_1").await;
    assert!(next(&mut later).await.expect("news").contains(&format!("id: {seen}\n")));
}

#[tokio::test]
async fn news_end_with_the_session() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "member", false).await;
    let (_, mut news) = open(&server, &cookie, "/live").await;
    assert!(next(&mut news).await.is_some());
    server.submit(&cookie, "/sign-out", &[]).await;
    server.grant("1").await;
    assert_eq!(next(&mut news).await, None);
    // No browser takes the page to sign in for news: it gives up.
    assert_eq!(open(&server, &cookie, "/live").await.0, 303);
}

#[tokio::test]
async fn so_many_pages_of_an_org_can_wait_and_those_that_close_make_room() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "member", false).await;
    let mut waiting = Vec::new();
    for _ in 0..MAX_STREAMS_PER_ORG {
        waiting.push(open(&server, &cookie, "/live").await.1);
    }
    assert_eq!(open(&server, &cookie, "/live").await.0, 503);
    waiting.pop();
    assert_eq!(open(&server, &cookie, "/live").await.0, 200);
}
