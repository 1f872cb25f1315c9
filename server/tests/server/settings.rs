//! The pages of settings, as a browser without JavaScript uses them: API keys and the audit log.

use super::common::{ORG, Server};
use axum::body::Body;

/// The text of a page after `mark`, up to the next quote or tag.
fn after<'t>(page: &'t str, mark: &str) -> &'t str {
    let (_, rest) = page.split_once(mark).unwrap_or_else(|| panic!("no {mark} in {page}"));
    rest.split(['"', '<']).next().unwrap_or_default()
}

async fn form_key(server: &Server, cookie: &str, form: &str) -> String {
    let page = server.open(cookie, "/settings/keys").await.text();
    let (_, rest) = page.split_once(&format!("name=\"do\" value=\"{form}\"")).expect("the form");
    after(rest, "name=\"key\" value=\"").to_owned()
}

#[tokio::test]
async fn an_admin_creates_rotates_and_revokes_a_key_whose_secret_is_shown_once() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "admin", false).await;
    let key = form_key(&server, &cookie, "create").await;
    let form = [
        ("do", "create"),
        ("key", &key),
        ("name", "<b>Nightly</b>"),
        ("scope", "events:write"),
        ("scope", "usage:read"),
        ("days", "30"),
    ];
    let reply = server.submit(&cookie, "/settings/keys", &form).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    let page = reply.text();
    let secret = after(&page, "aria-label=\"The key\"><code>").to_owned();
    assert!(
        secret.starts_with("scrip_") && page.contains("curl -X POST http://127.0.0.1:3000/api/v1/events"),
        "{secret}"
    );
    assert!(page.contains("&lt;b&gt;Nightly") && !page.contains("<b>Nightly"), "a name is text");
    let bearer = format!("Bearer {secret}");
    let usage = async || {
        server.send("GET", "/api/v1/usage", &[("authorization", &bearer)], Body::empty()).await.status.as_u16()
    };
    assert_eq!(usage().await, 200);
    let again = server.submit(&cookie, "/settings/keys", &form).await;
    assert_eq!(again.header("location"), "/settings/keys?error=key_shown_before#keys");
    let listed = server.open(&cookie, "/settings/keys").await.text();
    assert!(!listed.contains(&secret) && listed.contains(&secret[..14]));

    let row = server
        .store
        .api_keys(ledger::OrgId(1), store::KeyPage { limit: 1, ..Default::default() })
        .await
        .expect("reads");
    let id = row[0].id.to_string();
    let key = form_key(&server, &cookie, "rotate").await;
    let page = server
        .submit(&cookie, "/settings/keys", &[("do", "rotate"), ("key", &key), ("id", &id), ("hours", "24")])
        .await
        .text();
    assert_ne!(after(&page, "aria-label=\"The key\"><code>"), secret);
    assert_eq!(usage().await, 200, "it goes on for the overlap");
    let reply = server.submit(&cookie, "/settings/keys", &[("do", "revoke"), ("id", &id)]).await;
    assert_eq!(reply.header("location"), format!("/settings/keys?revoked={id}"));
    assert_eq!(usage().await, 401);

    let log = server.open(&cookie, "/settings/audit").await.text();
    for words in ["API key created", "API key rotated", "API key revoked", "admin-false@example.com"] {
        assert!(log.contains(words), "{words}");
    }
    let only = server.open(&cookie, "/settings/audit?what=key.revoke&from=2026-11-21&to=2026-11-21").await.text();
    assert!(only.contains("<td>API key revoked</td>") && !only.contains("<td>API key created</td>"));
    assert!(server.open(&cookie, "/settings/audit?to=2026-11-20").await.text().contains("Nothing fits"));
    let csv = server.open(&cookie, "/exports/audit.csv?who=user%3Aadmin-false%40example.com").await;
    assert!(csv.header("content-disposition").contains("audit.csv"));
    let lines = csv.text();
    assert_eq!(lines.lines().count(), 4, "{lines}");
    assert!(!lines.contains(&secret[15..]));
}

#[tokio::test]
async fn who_is_no_operator_makes_no_key_that_gives_credits_and_rotates_none() {
    let server = Server::start().await;
    let owner = server.person(ORG, "owner", false).await;
    server.create_key(ORG, &["admin"]).await;
    let rows = server
        .store
        .api_keys(ledger::OrgId(1), store::KeyPage { limit: 1, ..Default::default() })
        .await
        .expect("reads");
    let id = rows[0].id.to_string();
    let key = form_key(&server, &owner, "create").await;
    for scope in ["ledger:write", "admin"] {
        let form = [("do", "create"), ("key", key.as_str()), ("name", "x"), ("scope", scope)];
        let reply = server.submit(&owner, "/settings/keys", &form).await;
        assert!(reply.header("location").starts_with("/settings/keys?error=operator_scope"), "{scope}");
    }
    let form = [("do", "rotate"), ("key", key.as_str()), ("id", &id), ("hours", "0")];
    let reply = server.submit(&owner, "/settings/keys", &form).await;
    assert!(reply.header("location").starts_with("/settings/keys?error=operator_scope"));
    let page = server.open(&owner, &reply.header("location").replace("#keys", "")).await.text();
    assert!(page.contains("Only operators"));
    let operator = server.person(ORG, "owner", true).await;
    let key = form_key(&server, &operator, "create").await;
    let form = [("do", "create"), ("key", key.as_str()), ("name", "x"), ("scope", "admin")];
    assert_eq!(server.submit(&operator, "/settings/keys", &form).await.status.as_u16(), 200);
}

#[tokio::test]
async fn lower_roles_are_told_who_may_and_an_address_written_otherwise_opens_nothing() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "analyst", false).await;
    for path in ["/settings/keys", "/settings/audit"] {
        let reply = server.open(&cookie, path).await;
        assert_eq!(reply.status.as_u16(), 403, "{path}");
        assert!(reply.text().contains("Only owners and admins may"), "{path}");
    }
    for path in ["/settings/keys/", "/settings//keys", "/settings/Keys", "/settings/nothing", "/settings/keys/x"] {
        let reply = server.open(&cookie, path).await;
        assert_eq!(reply.status.as_u16(), 404, "{path}");
        assert!(!reply.text().contains("name=\"scope\""), "{path}");
    }
    let reply =
        server.submit(&cookie, "/settings/keys", &[("do", "create"), ("name", "x"), ("scope", "usage:read")]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (403, "missing_role"));
    assert_eq!(reply.json()["roles"], serde_json::json!(["owner", "admin"]));
    assert_eq!(server.open(&cookie, "/settings").await.header("location"), "/settings/members");
}
