//! What an org and the installation are set to: validated, noted, and in force on the next page.

use super::common::{ORG, Server, without_product};
use axum::body::Body;

const GOOD: [(&str, &str); 7] = [
    ("do", "organization"),
    ("name", "Acme & Sons"),
    ("zone", "Asia/Kathmandu"),
    ("currency", "eur"),
    ("contact", "billing@acme.example"),
    ("low_balance", "100.5"),
    ("retention", "400"),
];

fn with<'f>(name: &'f str, value: &'f str) -> Vec<(&'f str, &'f str)> {
    GOOD.into_iter().map(|(key, kept)| (key, if key == name { value } else { kept })).collect()
}

const WORDS: [(&str, &str); 6] = [
    ("product", "Tollbooth"),
    ("unit", "points"),
    ("position", "after"),
    ("decimals", "1"),
    ("workflow", "Scenario"),
    ("workflows", "Scenarios"),
];

fn words_of(form: &'static str) -> Vec<(&'static str, &'static str)> {
    [("do", form)].into_iter().chain(WORDS).collect()
}

#[tokio::test]
async fn what_is_saved_is_in_force_on_the_next_page_and_in_the_audit_log() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "admin", false).await;
    assert!(!server.open(&cookie, "/").await.text().contains("low-balance limit"));
    let reply = server.submit(&cookie, "/settings/organization", &GOOD).await;
    assert_eq!(reply.header("location"), "/settings/organization?done=saved");
    let page = server.open(&cookie, reply.header("location")).await.text();
    for text in ["is saved", "value=\"Acme &amp; Sons\"", "value=\"Asia/Kathmandu\"", "value=\"EUR\"", "value=\"400\""]
    {
        assert!(page.contains(text), "{text}");
    }
    assert!(page.contains("value=\"100.500000\"") && page.contains("What is older is pruned"));
    let overview = server.open(&cookie, "/").await.text();
    assert!(overview.contains("Acme &amp; Sons") && overview.contains(">Low<"), "{overview}");
    assert!(overview.contains("At or below the low-balance limit of $100.5"));
    // Whatever page one is on, and with the way to more.
    let analytics = server.open(&cookie, "/analytics").await.text();
    assert!(analytics.contains("Low balance: $100 left") && analytics.contains("href=\"/grants\""), "{analytics}");
    assert!(server.open(&cookie, "/analytics").await.text().contains("Asia/Kathmandu"));
    let log = server.open(&cookie, "/settings/audit").await.text();
    for text in ["Organization changed", "Asia/Kathmandu", "Acme &amp; Sons", "admin-false@example.com"] {
        assert!(log.contains(text), "{text}");
    }
    let limit = with("low_balance", "");
    server.submit(&cookie, "/settings/organization", &limit).await;
    assert!(!server.open(&cookie, "/").await.text().contains("low-balance limit"));
}

#[tokio::test]
async fn what_is_wrong_is_named_and_typed_values_come_back_and_nothing_changes() {
    let server = Server::start().await;
    server.create_org("Other", "none").await;
    let cookie = server.person(ORG, "owner", false).await;
    for (name, value, code) in [
        ("name", "", "bad_name"),
        ("name", "Other", "name_taken"),
        ("zone", "Europe/Atlantis", "bad_zone"),
        ("currency", "EURO", "bad_currency"),
        ("contact", "javascript:alert(1)", "bad_contact"),
        ("low_balance", "-1", "bad_low_balance"),
        ("low_balance", "1,000", "bad_low_balance"),
        ("low_balance", "0.0000001", "bad_low_balance"),
        ("retention", "7", "bad_retention"),
    ] {
        let reply = server.submit(&cookie, "/settings/organization", &with(name, value)).await;
        let back = reply.header("location");
        assert!(back.starts_with(&format!("/settings/organization?error={code}&")), "{name} {value:?}: {back}");
        let page = server.open(&cookie, back.split('#').next().expect("a path")).await.text();
        assert!(page.contains("role=\"alert\"") && page.contains("aria-invalid=\"true\""), "{code}");
        assert!(name == "contact" || page.contains("value=\"billing@acme.example\""), "{code}: typed values come back");
    }
    assert_eq!(server.store.org_settings(ledger::OrgId(1)).await.expect("reads").name, ORG);
    let hostile = server.submit(&cookie, "/settings/organization", &with("name", "\"><script>x")).await;
    assert!(hostile.header("location").ends_with("done=saved"));
    for path in ["/", "/settings/organization", "/settings/members", "/settings/audit"] {
        assert!(!server.open(&cookie, path).await.text().contains("<script>x"), "{path}");
    }
}

#[tokio::test]
async fn a_zone_by_which_usage_was_counted_stays_and_the_page_says_so() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "owner", false).await;
    let event = serde_json::json!({"id": "1", "source": "api", "type": "images"});
    assert_eq!(server.post_json(&event).await.status.as_u16(), 200);
    let reply = server.submit(&cookie, "/settings/organization", &GOOD).await;
    assert!(reply.header("location").contains("error=zone_in_use"), "{}", reply.header("location"));
    assert!(server.open(&cookie, "/settings/organization").await.text().contains("Cannot change any more"));
    let reply = server.submit(&cookie, "/settings/organization", &with("zone", "UTC")).await;
    assert!(reply.header("location").ends_with("done=saved"), "all else can change");
}

#[tokio::test]
async fn after_another_zone_the_ledger_verifies_and_days_are_its() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "owner", false).await;
    let saved = server.submit(&cookie, "/settings/organization", &GOOD).await;
    assert!(saved.header("location").ends_with("done=saved"));
    // 18:30 of UTC is past midnight in Kathmandu, where clocks are 5:45 ahead.
    let event = serde_json::json!({"id": "1", "source": "api", "type": "images", "time": "2026-11-20T18:30:00Z"});
    assert_eq!(server.post_json(&event).await.status.as_u16(), 200);
    let usage = server.get("/api/v1/usage?from=2026-11-20&to=2026-11-22&interval=day").await.json();
    let starts: Vec<&str> = usage["series"][0]["points"]
        .as_array()
        .expect("points")
        .iter()
        .filter(|point| point["events"] == 1)
        .filter_map(|point| point["start"].as_str())
        .collect();
    assert!(starts.len() == 1 && starts[0] == "2026-11-20T18:15:00Z", "{usage}");
    let verified = server.store.verify(|_, _| ()).await.expect("checks");
    assert_eq!(verified.problems, Vec::<String>::new());
}

#[tokio::test]
async fn an_org_has_the_words_of_the_installation_until_it_has_its_own() {
    let server = Server::start().await;
    // Without a preset an org has no words of its own.
    server.create_org("Plain", "none").await;
    let operator = server.person("Plain", "member", true).await;
    let owner = server.person("Plain", "owner", false).await;
    let mut form = words_of("installation");
    form.push(("support", "https://help.example/desk"));
    let refused = server.submit(&owner, "/settings/terminology", &form).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (403, "missing_role"));
    let refused = server.submit(&operator, "/settings/terminology", &words_of("org")).await;
    assert!(refused.text().contains("Only owners and admins may"), "{}", refused.text());
    let saved = server.submit(&operator, "/settings/terminology", &form).await;
    assert_eq!(saved.header("location"), "/settings/terminology?done=installation");
    let overview = server.open(&owner, "/").await.text();
    for text in ["<title>Overview · Tollbooth</title>", ">points<", "data-product=\"Tollbooth\""] {
        assert!(overview.contains(text), "{text} in {overview}");
    }
    assert!(server.send("GET", "/sign-in", &[], Body::empty()).await.text().contains("Tollbooth"));
    for path in ["/help", "/nothing"] {
        assert!(
            server.send("GET", path, &[], Body::empty()).await.text().contains("https://help.example/desk"),
            "{path}"
        );
    }
    assert_eq!(server.get("/api/v1/nothing").await.json()["support"], "https://help.example/desk");

    let mut own = words_of("org");
    own[1].1 = "<b>Mine</b>";
    own[2].1 = "\u{20ac}";
    own[3].1 = "before";
    let saved = server.submit(&owner, "/settings/terminology", &own).await;
    assert_eq!(saved.header("location"), "/settings/terminology?done=org");
    let overview = without_product(&server.open(&owner, "/").await.text());
    assert!(
        overview.contains("title=\"\u{20ac}0.000000\"")
            && overview.contains("<title>Overview · &lt;b>Mine&lt;/b></title>")
    );
    assert!(!overview.contains("<b>Mine"), "{overview}");
    let log = server.open(&owner, "/settings/audit").await.text();
    assert!(log.contains("Terminology changed") && log.contains("Installation changed"), "{log}");
    let reset = server.submit(&owner, "/settings/terminology", &[("do", "reset")]).await;
    assert_eq!(reset.header("location"), "/settings/terminology?done=reset");
    assert!(server.open(&owner, "/").await.text().contains(">points<"));
}

#[tokio::test]
async fn words_that_cannot_be_shown_are_named_and_typed_ones_come_back() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "owner", true).await;
    for (name, value, code) in [
        ("product", "", "bad_product"),
        ("unit", "", "bad_unit"),
        ("position", "above", "bad_position"),
        ("decimals", "7", "bad_decimals"),
        ("workflow", "\u{202e}x", "bad_workflow"),
        ("workflows", "", "bad_workflows"),
        ("support", "javascript:alert(1)", "bad_support"),
    ] {
        let mut form: Vec<(&str, &str)> = words_of("installation");
        form.push(("support", "a@b.example"));
        form.iter_mut().filter(|(key, _)| *key == name).for_each(|field| field.1 = value);
        let reply = server.submit(&cookie, "/settings/terminology", &form).await;
        let back = reply.header("location");
        assert!(back.starts_with(&format!("/settings/terminology?error={code}&")), "{name}: {back}");
        let page = server.open(&cookie, back.split('#').next().expect("a path")).await.text();
        assert!(page.contains("aria-invalid=\"true\"") && (name == "workflow" || page.contains("value=\"Scenario\"")));
    }
    assert_eq!(server.store.installation().await.expect("reads"), ledger::Installation::default());
}

#[tokio::test]
async fn a_grant_is_noted_in_the_currency_of_the_org_unless_another_is_said() {
    let server = Server::start().await;
    let cookie = server.person(ORG, "owner", true).await;
    server.submit(&cookie, "/settings/organization", &GOOD).await;
    let page = server.open(&cookie, "/grants").await.text();
    assert!(page.contains("placeholder=\"EUR\""));
}
