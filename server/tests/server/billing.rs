//! Billing & credits and the plan, as a browser without JavaScript uses them, and as programs read them.

use super::common::{Client, ORG, Server, time};

const PLAN: &str = "/billing/plan";

/// The value of the hidden field of that name in the form that chooses.
fn hidden<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, form) = page.split_once("id=\"preview\"").expect("a preview");
    let (_, rest) = form.split_once(&format!("name=\"{name}\" value=\"")).expect("the field");
    rest.split('"').next().unwrap_or_default()
}

#[tokio::test]
async fn a_plan_is_chosen_changed_cancelled_and_kept_by_plain_forms() {
    let server = Server::start().await;
    let (owner, operator) = (server.person(ORG, "owner", false).await, server.person(ORG, "owner", true).await);
    let page = server.open(&owner, "/billing").await.text();
    for text in ["Billing &amp; credits", "No plan is subscribed to.", "Compare plans", "Nothing waits for an invoice."]
    {
        assert!(page.contains(text), "{text}");
    }
    let page = server.open(&owner, PLAN).await.text();
    for text in ["Starter", "10.00 EUR a month", "Up to 20% of a cycle rolls over for 3 months", "Ask whoever runs"] {
        assert!(page.contains(text), "{text}");
    }
    let page = server.open(&owner, "/billing/plan?plan=plan_1").await.text();
    // 9.5 of 30 days are left of November.
    for text in
        ["until 30 Nov 2026, gives", "costs 3.17 EUR", "until 21 Dec 2026, gives", "Store a payment method first"]
    {
        assert!(page.contains(text), "{text}");
    }
    let choose = [("do", "choose"), ("plan", "plan_1"), ("cycles", "calendar")];
    let refused = server.submit(&owner, PLAN, &choose).await.header("location").to_owned();
    assert!(refused.starts_with("/billing/plan?error=payment_method_needed"), "{refused}");
    let page = server.open(&owner, refused.split('#').next().unwrap_or_default()).await.text();
    assert!(page.contains("Store a payment method first: the plan is paid with it each month."));

    assert_eq!(server.submit(&operator, PLAN, &choose).await.header("location"), "/billing/plan?done=begun");
    let page = server.open(&owner, "/billing").await.text();
    for text in ["Used of the plan", "1 Dec 2026", "In 10 days", "3.17 EUR", "Plan Starter", "21 \u{2013} 30 Nov 2026"]
    {
        assert!(page.contains(text), "{text} in {page}");
    }
    let page = server.open(&operator, "/billing/plan?plan=plan_2").await.text();
    for text in ["From Starter to Team", "Starter, unused rest", "\u{2212}3.17 EUR", "18.68 EUR", "15.51 EUR"] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let upgrade =
        [("do", "choose"), ("plan", "plan_2"), ("cycle", hidden(&page, "cycle")), ("from", hidden(&page, "from"))];
    assert_eq!(server.submit(&operator, PLAN, &upgrade).await.header("location"), "/billing/plan?done=upgraded");
    let again = server.submit(&operator, PLAN, &upgrade).await;
    assert!(again.header("location").starts_with("/billing/plan?error=plan_unchanged"), "{}", again.header("location"));
    let stale = [("do", "choose"), ("plan", "plan_1"), ("cycle", "cycle_1"), ("from", "plan_1")];
    let moved = server.submit(&operator, PLAN, &stale).await;
    assert!(moved.header("location").starts_with("/billing/plan?error=price_moved"));

    let submit = async |act: &str| server.submit(&owner, PLAN, &[("do", act)]).await.header("location").to_owned();
    assert_eq!(submit("cancel").await, "/billing/plan?done=cancelled");
    assert!(server.open(&owner, PLAN).await.text().contains("It was cancelled and ends on"));
    assert_eq!(submit("resume").await, "/billing/plan?done=resumed");
    let down = [("do", "choose"), ("plan", "plan_1"), ("cycle", "cycle_1"), ("from", "plan_2")];
    assert_eq!(server.submit(&owner, PLAN, &down).await.header("location"), "/billing/plan?done=planned");
    server.clock.set(time("2026-12-02T00:00:00Z"));
    assert_eq!(server.store.begin_cycles().await.expect("works"), 1);
    // The sessions of before have ended meanwhile.
    let owner = server.person(ORG, "admin", false).await;
    let page = server.open(&owner, PLAN).await.text();
    assert!(page.contains("You have Starter") && page.contains("1 \u{2013} 31 Dec 2026"), "{page}");
    let log = server.open(&owner, "/settings/audit").await.text();
    for words in ["Plan subscribed to", "Plan changed", "Subscription cancelled", "Subscription kept after all"] {
        assert!(log.contains(words), "{words}");
    }
}

#[tokio::test]
async fn programs_read_the_plans_and_the_subscription() {
    let server = Server::start().await;
    let client = Client::new(&server).await;
    assert!(client.read("subscription").await["subscription"].is_null());
    let plans = client.read("plans").await;
    let names: Vec<&str> =
        plans["items"].as_array().expect("items").iter().filter_map(|p| p["name"].as_str()).collect();
    assert_eq!(names, ["starter", "team", "scale"]);
    assert_eq!(plans["items"][1]["price"], "59.00 EUR");
    let org = ledger::OrgId(1);
    let new = store::Subscribe { plan: ledger::PlanId(2), anniversary: true, agreed: None, operator: true };
    server.store.subscribe(org, store::By::command(), new).await.expect("subscribes");
    let told = client.read("subscription").await;
    let told = &told["subscription"];
    assert_eq!((told["plan"]["name"].as_str(), told["cycle"].as_str()), (Some("team"), Some("cycle_1")));
    assert_eq!(told["cycle_ends_at"], "2026-12-21T12:00:00Z");
    assert_eq!(told["cancelled"], false);
}

#[tokio::test]
async fn overview_says_what_is_subscribed_to_and_when_it_resets() {
    let server = Server::start().await;
    let owner = server.person(ORG, "owner", false).await;
    let new = store::Subscribe { plan: ledger::PlanId(2), anniversary: true, agreed: None, operator: true };
    server.store.subscribe(ledger::OrgId(1), store::By::command(), new).await.expect("subscribes");
    let page = server.open(&owner, "/").await.text();
    for text in ["0% of $60.000000, Team", "21 Dec 2026", "<dt>Plan</dt><dd>Team</dd>"] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let analyst = server.person(ORG, "analyst", false).await;
    assert_eq!(server.open(&analyst, "/billing").await.status.as_u16(), 403);
}

#[tokio::test]
async fn auto_top_up_is_turned_on_with_a_card_and_says_what_it_did() {
    use ledger::package::Terms;
    use store::payment::method::NewMethod;
    let server = Server::start().await;
    let owner = server.person(ORG, "owner", false).await;
    let (org, page) = (ledger::OrgId(1), "/billing/top-up");
    let price = ledger::Money::parse("10.00 EUR").expect("money");
    let terms = Terms::Fixed { credits: ledger::Credits::parse("50").expect("an amount"), price };
    let package = store::package::NewPackage { title: "50 credits".to_owned(), terms };
    server.store.offer_packages(org, store::By::command(), vec![package]).await.expect("offered");
    let offered = server.store.packages(org).await.expect("packages")[0].id.to_string();
    let form = |cap| [("do", "on"), ("threshold", "200"), ("package", offered.as_str()), ("credits", ""), ("cap", cap)];
    let back = server.submit(&owner, page, &form("100.00")).await.header("location").to_owned();
    assert!(back.starts_with("/billing/top-up?error=payment_method_needed"), "{back}");
    let card = NewMethod { reference: "card_1".to_owned(), title: "Test card".to_owned() };
    let by = store::By::command();
    server.store.add_method(org, by, ledger::payment::Provider::Sandbox, card).await.expect("kept");
    let back = server.submit(&owner, page, &form("9.99")).await.header("location").to_owned();
    assert!(back.starts_with("/billing/top-up?error=bad_cap"), "{back}");
    let told = server.open(&owner, back.split('#').next().unwrap_or_default()).await.text();
    assert!(
        told.contains("at least what one purchase costs") && told.contains("value=\"9.99\""),
        "what was typed stays"
    );
    assert_eq!(server.submit(&owner, page, &form("100.00")).await.header("location"), "/billing/top-up?done=on");
    assert!(server.store.run_top_up(org).await.expect("works").is_some());
    let told = server.open(&owner, page).await.text();
    for text in ["It is on", "Bought", "100.000000 available, below 200.000000", "Turn off"] {
        assert!(told.contains(text), "{text}");
    }
    assert_eq!(server.submit(&owner, page, &[("do", "off")]).await.header("location"), "/billing/top-up?done=off");
    assert!(server.open(&owner, page).await.text().contains("It is off"));
}
