//! Kinds of alerts that people make by API and read back by API: each fires by what is sent to the real router, or by what a provider says.

use super::common::{Client, NOW, ORG, Server, time};
use ledger::package::Terms;
use ledger::payment::{Failure, Provider, Saying};
use ledger::top_up::Rule;
use ledger::{Credits, Money, OrgId, PackageId, PaymentId, Timestamp};
use serde_json::{Value, json};
use store::package::NewPackage;
use store::payment::message::Answer;
use store::payment::method::NewMethod;
use store::{By, TopUp};

const ACME: OrgId = OrgId(1);

/// Makes a rule; its id.
async fn watch(api: &Client<'_>, terms: &Value) -> String {
    let mut rule = terms.clone();
    rule["title"] = json!(format!("Watches {}", terms["kind"]));
    api.write("alerts", &rule).await["id"].as_str().expect("an id").to_owned()
}

/// One round of the job.
async fn look(server: &Server) {
    server.store.look_at_alerts(ACME).await.expect("looks");
}

/// What a rule fired, oldest first.
async fn fired(api: &Client<'_>, rule: &str) -> Vec<Value> {
    let page = api.read(&format!("alerts/history?rule={rule}")).await;
    page["items"].as_array().expect("items").iter().rev().cloned().collect()
}

async fn details(api: &Client<'_>, rule: &str) -> Vec<String> {
    let rows = fired(api, rule).await;
    assert!(rows.iter().all(|row| row["silence"].is_null() && row["value"].is_null()), "told, and no figure: {rows:?}");
    rows.iter().map(|row| row["detail"].as_str().expect("a detail").to_owned()).collect()
}

/// State, value and threshold as the API says them.
async fn stands(api: &Client<'_>, rule: &str) -> Value {
    let rule = api.read(&format!("alerts/{rule}")).await;
    json!([rule["state"], rule["value"], rule["threshold"]])
}

fn later(server: &Server, minutes: i64) {
    server.clock.set(Timestamp::from_micros(time(NOW).micros() + minutes * 60_000_000));
}

fn eur(text: &str) -> Money {
    Money::parse(text).expect("money")
}

/// So many images, at a ten-thousandth of a credit each.
fn images(id: &str, quantity: i64) -> Value {
    json!({"id": id, "source": "api", "type": "images", "data": {"quantity": quantity}})
}

#[tokio::test]
async fn usage_of_the_plan_and_spend_of_a_day_fire_with_the_event_that_reaches_them() {
    let server = Server::start().await;
    let api = Client::new(&server).await;
    let team = store::Subscribe { plan: ledger::PlanId(2), anniversary: true, agreed: None, operator: true };
    server.store.subscribe(ACME, By::command(), team).await.expect("subscribes");
    let half = watch(&api, &json!({"kind": "cycle_usage", "percent": 50})).await;
    let spend = watch(&api, &json!({"kind": "spend_above", "amount": "40", "per": "day"})).await;
    let projected = watch(&api, &json!({"kind": "projected_above", "percent": 75})).await;
    api.write("events", &images("a", 299_999)).await;
    assert_eq!(stands(&api, &half).await, json!(["ok", "29.999900", "30.000000"]), "of 60 credits");
    api.write("events", &images("b", 1)).await;
    assert_eq!(stands(&api, &half).await, json!(["firing", "30.000000", "30.000000"]));
    assert_eq!(stands(&api, &spend).await, json!(["ok", "30.000000", "40.000000"]));
    api.write("events", &images("c", 100_000)).await;
    assert_eq!(stands(&api, &spend).await, json!(["firing", "40.000000", "40.000000"]));
    for (rule, value, threshold) in [(&half, "30.000000", "30.000000"), (&spend, "40.000000", "40.000000")] {
        let rows = fired(&api, rule).await;
        assert_eq!(rows.len(), 1, "once: {rows:?}");
        assert_eq!((&rows[0]["value"], &rows[0]["threshold"]), (&json!(value), &json!(threshold)));
        assert!(rows[0]["silence"].is_null() && rows[0]["resolved_at"].is_null(), "told, and it holds: {rows:?}");
    }
    // Told by the job, and by the share that was set.
    look(&server).await;
    assert_eq!(api.read(&format!("alerts/{projected}")).await["threshold"], "45.000000");

    // The next day spend is over, and may fire again.
    later(&server, 13 * 60);
    api.write("events", &images("d", 1)).await;
    assert_eq!(stands(&api, &spend).await, json!(["ok", "0.000100", "40.000000"]));
    assert!(fired(&api, &spend).await[0]["resolved_at"].is_string());
    assert_eq!(stands(&api, &half).await[0], "firing", "the cycle goes on");
    api.assert_verified().await;
}

#[tokio::test]
async fn a_share_of_failed_calls_fires_from_as_many_calls_as_say_something() {
    let server = Server::start().await;
    let api = Client::new(&server).await;
    let rule = watch(&api, &json!({"kind": "failed_share", "percent": 50, "hours": 2, "calls": 4})).await;
    let call = |id: &str, status: &str| json!({"id": id, "source": "api", "type": "images", "data": {"quantity": 1, "status": status}});
    for id in ["a", "b", "c"] {
        api.write("events", &call(id, "failed")).await;
    }
    look(&server).await;
    assert_eq!(stands(&api, &rule).await, json!(["ok", "0.00", "50.00"]), "three calls say nothing");
    api.write("events", &call("d", "succeeded")).await;
    look(&server).await;
    assert_eq!(stands(&api, &rule).await, json!(["firing", "75.00", "50.00"]));
    look(&server).await;
    assert_eq!(fired(&api, &rule).await.len(), 1);
    later(&server, 3 * 60);
    look(&server).await;
    assert_eq!(stands(&api, &rule).await[0], "ok", "of the last two hours alone");
}

#[tokio::test]
async fn each_key_and_each_version_of_the_rate_card_is_told_and_what_was_before_is_not() {
    let server = Server::start().await;
    let api = Client::new(&server).await;
    let keys = watch(&api, &json!({"kind": "key_changed"})).await;
    let cards = watch(&api, &json!({"kind": "rate_card_changed"})).await;
    look(&server).await;
    assert!(details(&api, &keys).await.is_empty() && details(&api, &cards).await.is_empty());
    later(&server, 1);
    let made = api.write("keys", &json!({"name": "Nightly", "scopes": ["usage:read"]})).await;
    let id = made["id"].as_str().expect("an id");
    assert!(api.delete(&format!("keys/{id}")).await.status.is_success());
    let put = api.put("rate-cards", &json!({"text": "images: 8 each"})).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text());
    look(&server).await;
    look(&server).await;
    let told = details(&api, &keys).await;
    assert_eq!(told.len(), 2, "made and revoked, each once: {told:?}");
    assert!(told.iter().all(|detail| detail.contains(id)), "{told:?}");
    assert_eq!(details(&api, &cards).await, ["Version 2"]);
}

/// Sells 50 credits for 10 EUR.
async fn shop(server: &Server) -> PackageId {
    let terms = Terms::Fixed { credits: Credits::parse("50").expect("an amount"), price: eur("10.00 EUR") };
    let package = NewPackage { title: "50 credits".to_owned(), terms };
    server.store.offer_packages(ACME, By::command(), vec![package]).await.expect("offered");
    server.store.packages(ACME).await.expect("reads")[0].id
}

#[tokio::test]
async fn a_declined_payment_is_told_with_its_number() {
    let server = Server::start().await;
    let (api, owner) = (Client::new(&server).await, server.person(ORG, "owner", false).await);
    let package = shop(&server).await.to_string();
    let rule = watch(&api, &json!({"kind": "payment_failed"})).await;
    let key = "00112233445566778899aabbccddeeff";
    let form =
        [("package", package.as_str()), ("credits", ""), ("total", "10.00 EUR"), ("pay", "sandbox"), ("key", key)];
    let bought = server.submit(&owner, "/billing/purchase", &form).await;
    assert_eq!(bought.header("location"), "/billing/sandbox/sandbox_1_1");
    look(&server).await;
    assert!(details(&api, &rule).await.is_empty(), "nothing has failed yet");
    let declined = Answer::of(Saying::Failed(Failure::Declined));
    server.store.answered(ACME, PaymentId(1), declined).await.expect("heard");
    look(&server).await;
    look(&server).await;
    assert_eq!(details(&api, &rule).await, ["payment_1"]);
}

#[tokio::test]
async fn a_top_up_that_its_cap_forbids_is_told() {
    let server = Server::start().await;
    let api = Client::new(&server).await;
    let package = shop(&server).await;
    let card = NewMethod { reference: "card_1".to_owned(), title: "Test card".to_owned() };
    server.store.add_method(ACME, By::command(), Provider::Sandbox, card).await.expect("kept");
    let rule = watch(&api, &json!({"kind": "top_up_failed"})).await;
    let terms = Rule { is_on: true, threshold: Credits::parse("200").expect("an amount"), cap: eur("15.00 EUR") };
    let wanted = TopUp { rule: terms, package, credits: None, gave_up: false };
    server.store.set_top_up(ACME, By::command(), wanted).await.expect("set");
    assert!(server.store.run_top_up(ACME).await.expect("works").is_some(), "100 credits are fewer than 200");
    let paid = Answer::of(Saying::Succeeded(eur("10.00 EUR")));
    server.store.answered(ACME, PaymentId(1), paid).await.expect("heard");
    look(&server).await;
    assert!(details(&api, &rule).await.is_empty(), "one that is made is no failure");
    later(&server, 60);
    assert_eq!(server.store.run_top_up(ACME).await.expect("works"), None);
    look(&server).await;
    assert_eq!(details(&api, &rule).await, ["Another purchase would cost more than the cap of the month"]);
}
