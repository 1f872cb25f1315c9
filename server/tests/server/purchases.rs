//! Buying from pages: a form counts once, nobody pays what they did not see, and what is another org's is not there.

use super::common::Server;
use axum::body::Body;
use serde_json::json;

const KEY: &str = "00112233445566778899aabbccddeeff";
const FORM: [(&str, &str); 5] =
    [("package", "package_1"), ("credits", ""), ("total", "99.00 EUR"), ("pay", "sandbox"), ("key", KEY)];

#[tokio::test]
async fn a_form_that_is_sent_twice_buys_once_and_leads_to_where_it_is_paid() {
    let server = Server::start().await;
    let cookie = server.person("Acme", "billing", false).await;
    for _ in 0..2 {
        let reply = server.submit(&cookie, "/billing/purchase", &FORM).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/billing/sandbox/sandbox_1_1"));
    }
    let list = server.open(&cookie, "/billing/purchases").await.text();
    assert_eq!(list.matches("/billing/purchases/purchase_").count(), 1);
    let pay = [("do", "pay"), ("card", "success")];
    let reply = server.submit(&cookie, "/billing/sandbox/sandbox_1_1", &pay).await;
    assert_eq!(reply.header("location"), "/billing/purchases/purchase_1?back=yes");
}

#[tokio::test]
async fn nobody_pays_what_they_did_not_see_or_by_a_way_that_is_not_there() {
    let server = Server::start().await;
    let cookie = server.person("Acme", "owner", false).await;
    for (field, value, code) in [
        ("total", "98.00 EUR", "price_changed"),
        ("package", "package_99", "package_not_offered"),
        ("pay", "stripe", "bad_payment"),
        ("pay", "method_1", "bad_payment"),
        ("key", "old", "stale_form"),
    ] {
        let form = FORM.map(|(name, before)| (name, if name == field { value } else { before }));
        let reply = server.submit(&cookie, "/billing/purchase", &form).await;
        let to = reply.header("location").to_owned();
        assert!(to.starts_with(&format!("/billing/purchase?error={code}&")), "{field}: {to}");
        assert_eq!(server.open(&cookie, &to).await.status.as_u16(), 200, "{field}");
    }
    let list = server.open(&cookie, "/billing/purchases").await.text();
    assert!(list.contains("Nothing was bought yet"));
}

#[tokio::test]
async fn what_another_org_buys_is_not_there() {
    let server = Server::start().await;
    server.create_org("Other", "token-billing").await;
    let (ours, others) = (server.person("Acme", "owner", false).await, server.person("Other", "admin", false).await);
    server.submit(&ours, "/billing/purchase", &FORM).await;
    for page in ["/billing/purchases/purchase_1", "/billing/sandbox/sandbox_1_1"] {
        assert_eq!(server.open(&ours, page).await.status.as_u16(), 200, "{page}");
        assert_eq!(server.open(&others, page).await.status.as_u16(), 404, "{page}");
    }
    let pay = [("do", "pay"), ("card", "success")];
    assert_eq!(server.submit(&others, "/billing/sandbox/sandbox_1_1", &pay).await.status.as_u16(), 404);
    let again = [("do", "again"), ("pay", "sandbox")];
    let reply = server.submit(&others, "/billing/purchases/purchase_1", &again).await;
    assert_eq!(reply.header("location"), "/billing/purchases/purchase_1");
    assert!(server.open(&others, "/billing/purchases").await.text().contains("Nothing was bought yet"));
}

#[tokio::test]
async fn the_api_lists_purchases_with_what_they_cost_and_gave() {
    let server = Server::start().await;
    let cookie = server.person("Acme", "owner", false).await;
    for key in [KEY, "ffeeddccbbaa99887766554433221100"] {
        let form = FORM.map(|(name, value)| (name, if name == "key" { key } else { value }));
        server.submit(&cookie, "/billing/purchase", &form).await;
    }
    let list = server.get("/api/v1/purchases?limit=1").await.json();
    let one = &list["items"][0];
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&one["id"], &one["state"], &one["total"], &one["credits"], &one["grant"]),
        (&json!("purchase_2"), &json!("open"), &json!("99.00"), &json!("100.000000"), &json!(null))
    );
    let next = list["next_cursor"].as_str().expect("more");
    let rest = server.get(&format!("/api/v1/purchases?cursor={next}")).await.json();
    assert_eq!((&rest["items"][0]["id"], &rest["next_cursor"]), (&json!("purchase_1"), &json!(null)));
    assert_eq!(server.get("/api/v1/purchases?limit=101").await.problem(), "bad_query");
    assert_eq!(server.get("/api/v1/purchases?cursor=x").await.problem(), "bad_cursor");
}

#[tokio::test]
async fn the_door_of_a_provider_opens_for_signed_messages_only() {
    let server = Server::start().await;
    let knock = async |path: &str, header: (&str, &str)| {
        let reply = server.send("POST", path, &[header], Body::from("{}")).await;
        (reply.status.as_u16(), reply.problem())
    };
    let signature = ("scrip-sandbox-signature", "t=1,v1=00");
    assert_eq!(knock("/webhooks/sandbox", signature).await, (400, "bad_signature".to_owned()));
    assert_eq!(knock("/webhooks/sandbox", ("x-nothing", "")).await, (400, "bad_signature".to_owned()));
    // Not set up here.
    assert_eq!(knock("/webhooks/stripe", ("stripe-signature", "t=1,v1=00")).await, (404, "not_found".to_owned()));
    assert_eq!(knock("/webhooks/else", signature).await, (404, "not_found".to_owned()));
}
