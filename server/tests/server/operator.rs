//! What operators do from pages, whatever organization it is about.

use crate::common::{Client, ORG, Reply, Server};
use axum::http::StatusCode;
use std::time::Duration;

/// For work that a busy machine does in a second.
const PATIENCE: Duration = Duration::from_secs(60);
const ORGS: &str = "/operator/organizations";

/// Opens a page until it says `text`: work goes on beside the requests.
async fn until(server: &Server, cookie: &str, path: &str, text: &str) -> Reply {
    let said = async {
        loop {
            let reply = server.open(cookie, path).await;
            if reply.text().contains(text) {
                return reply;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, said).await.unwrap_or_else(|_| panic!("{path} never said {text}"))
}

fn form_key(page: &str) -> String {
    let after = page.split("name=\"key\" value=\"").nth(1).expect("the form has a key");
    after.split('"').next().expect("a value").to_owned()
}

#[tokio::test]
async fn an_operator_sees_every_organization_and_puts_a_balance_right_with_a_reason() {
    let server = Server::start().await;
    server.create_org("<b>Other</b>", "viewer-platform").await;
    let operator = server.person(ORG, "member", true).await;
    let list = server.open(&operator, ORGS).await.text();
    assert!(list.contains("Acme") && list.contains("&lt;b&gt;Other&lt;/b&gt;") && !list.contains("<b>Other"));
    let found = server.open(&operator, "/operator/organizations?q=ac").await.text();
    assert!(found.contains("org=org_1") && !found.contains("org=org_2"));

    let page = server.open(&operator, "/operator/organizations?org=org_2").await.text();
    let key = form_key(&page);
    let form = [("do", "adjust"), ("org", "org_2"), ("key", &key), ("amount", "12.5"), ("reason", "A gift")];
    let done = server.submit(&operator, ORGS, &form).await;
    assert_eq!(done.header("location"), "/operator/organizations?org=org_2");
    // Sent twice it counts once.
    server.submit(&operator, ORGS, &form).await;
    let balance = server.store.balance(ledger::OrgId(2)).await.expect("reads");
    assert_eq!(balance.available.to_string(), "12.500000");
    let noted = server.store.audit(ledger::OrgId(2), store::AuditPage { limit: 1, ..Default::default() }).await;
    assert_eq!(noted.expect("reads")[0].actor, "user:member-true@example.com");

    let again = form_key(&server.open(&operator, "/operator/organizations?org=org_2").await.text());
    for (amount, reason) in [("much", "x"), ("0", "x"), ("1", ""), ("99999999999999", "x")] {
        let form = [("do", "adjust"), ("org", "org_2"), ("key", &again), ("amount", amount), ("reason", reason)];
        let refused = server.submit(&operator, ORGS, &form).await;
        assert!(refused.text().contains("role=\"alert\""), "{amount} {reason}: {}", refused.status);
    }
    let form = [("do", "policy"), ("org", "org_2"), ("policy", "overdraft"), ("limit", "50")];
    server.submit(&operator, ORGS, &form).await;
    let policy = server.store.policy(ledger::OrgId(2)).await.expect("reads");
    assert_eq!(
        (policy.name(), policy.limit().map(|limit| limit.to_string())),
        ("overdraft", Some("50.000000".to_owned()))
    );
    assert!(!server.open(&operator, "/operator/organizations?org=org_9").await.text().contains("Adjust"));
    Client::new(&server).await.assert_verified().await;
}

#[tokio::test]
async fn an_operator_makes_an_organization_and_becomes_its_owner() {
    let server = Server::start().await;
    let operator = server.person(ORG, "member", true).await;
    let form = [("do", "create"), ("name", "Newer"), ("zone", "Asia/Kathmandu"), ("preset", "ai-engine")];
    let made = server.submit(&operator, ORGS, &form).await;
    assert_eq!(made.header("location"), "/operator/organizations?org=org_2");
    let page = server.open(&operator, "/operator/organizations?org=org_2").await.text();
    assert!(page.contains("Asia/Kathmandu") && page.contains("member-true@example.com") && page.contains("Owner"));
    for (name, zone, preset) in
        [("Newer", "UTC", "ai-engine"), ("X", "Mars", "ai-engine"), ("X", "UTC", "../x"), ("", "UTC", "ai-engine")]
    {
        let form = [("do", "create"), ("name", name), ("zone", zone), ("preset", preset)];
        assert!(
            server.submit(&operator, ORGS, &form).await.text().contains("role=\"alert\""),
            "{name} {zone} {preset}"
        );
    }
    assert_eq!(server.store.orgs().await.expect("reads").len(), 2);
}

#[tokio::test]
async fn verifying_and_backing_up_go_on_beside_the_requests_and_are_noted() {
    let server = Server::with(scrip_server::config::Config::default()).await;
    let operator = server.person(ORG, "owner", true).await;
    server.submit(&operator, "/operator/verify", &[("do", "verify")]).await;
    let page = until(&server, &operator, "/operator/verify", "Intact: 1 organizations").await;
    assert_eq!(page.header("refresh"), "", "it is over");
    let jobs = until(&server, &operator, "/operator/jobs", "verify</span>").await.text();
    assert!(jobs.contains("Books what time causes"));
    assert!(server.open(&operator, "/operator/jobs?failed=1").await.text().contains("No run has failed"));
    let listed = server.run(scrip_server::command::Command::ListJobs { failed: false }).await;
    assert!(matches!(listed, scrip_server::command::Answer::Jobs(runs) if runs.iter().any(|run| run.job == "verify")));
    for name in ["..%2Fscrip.db", "scrip.db", "scrip-none.db"] {
        let reply = server.submit(&operator, &format!("/operator/backups/{name}"), &[]).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{name}");
    }
}
