//! Auto top-up: one purchase at a time, within the month's cap, off after three failures, never on by itself.

use crate::common::{Bench, NOON, credits, export};
use ledger::package::Terms;
use ledger::payment::{Failure, Provider, Saying};
use ledger::top_up::Rule;
use ledger::{Currency, Money, OrgId, PackageId, PurchaseId, Timestamp};
use store::package::NewPackage;
use store::payment::message::Answer;
use store::payment::method::NewMethod;
use store::{By, TopUp};

const MINUTE: i64 = 60_000_000;

fn eur(minor: i64) -> Money {
    Money { minor, currency: Currency::parse("EUR").expect("a currency") }
}

/// An org with 2 credits, a stored card, and 5 credits for 10 EUR; below 3, up to 25 EUR a month.
async fn org(bench: &Bench) -> OrgId {
    let org = bench.org("Acme", "Europe/Berlin").await;
    let terms = Terms::Fixed { credits: credits("5"), price: eur(1_000) };
    let offered = vec![NewPackage { title: "5 credits".to_owned(), terms }];
    bench.store.offer_packages(org, By::command(), offered).await.expect("offered");
    bench.grant(org, "2").await;
    org
}

fn wanted(is_on: bool, cap: i64) -> TopUp {
    let rule = Rule { is_on, threshold: credits("3"), cap: eur(cap) };
    TopUp { rule, package: PackageId(1), credits: None, gave_up: false }
}

async fn card(bench: &Bench, org: OrgId) {
    let new = NewMethod { reference: "card_1".to_owned(), title: "Test card".to_owned() };
    bench.store.add_method(org, By::command(), Provider::Sandbox, new).await.expect("kept");
}

async fn look(bench: &Bench, org: OrgId) -> Option<PurchaseId> {
    bench.store.run_top_up(org).await.expect("works")
}

async fn hear(bench: &Bench, org: OrgId, purchase: PurchaseId, says: Saying) {
    let (_, payments) = bench.store.purchase(org, purchase).await.expect("there");
    bench.store.answered(org, payments[0].id, Answer::of(says)).await.expect("heard");
}

async fn told(bench: &Bench, org: OrgId) -> Vec<String> {
    let rows = bench.store.top_ups(org, 100).await.expect("reads");
    rows.into_iter().rev().map(|row| row.outcome).collect()
}

fn later(bench: &Bench, minutes: i64) {
    bench.clock.set(Timestamp::from_micros(NOON.micros() + minutes * MINUTE));
}

#[tokio::test]
async fn it_buys_once_at_a_time_and_stops_at_the_cap_until_the_next_month() {
    let bench = Bench::new().await;
    let org = org(&bench).await;
    assert_eq!(look(&bench, org).await, None, "nobody asked for it");
    let refused = bench.store.set_top_up(org, By::command(), wanted(true, 2_500)).await.expect_err("no method");
    assert!(refused.to_string().contains("payment method"));
    card(&bench, org).await;
    assert!(bench.store.set_top_up(org, By::command(), wanted(true, 999)).await.is_err(), "a cap below one purchase");
    bench.store.set_top_up(org, By::command(), wanted(true, 2_500)).await.expect("set");

    let first = look(&bench, org).await.expect("bought");
    later(&bench, 30);
    assert_eq!(look(&bench, org).await, None, "one is under way");
    hear(&bench, org, first, Saying::Succeeded(eur(1_000))).await;
    assert_eq!(look(&bench, org).await, None, "7 are there");
    bench.ingest(org, (0..5).map(|n| export(&format!("a{n}"))).collect()).await;
    let second = look(&bench, org).await.expect("bought");
    hear(&bench, org, second, Saying::Succeeded(eur(1_000))).await;
    bench.ingest(org, (0..5).map(|n| export(&format!("b{n}"))).collect()).await;
    assert_eq!(look(&bench, org).await, None, "right after the last");
    later(&bench, 32);
    assert_eq!((look(&bench, org).await, look(&bench, org).await), (None, None));
    assert_eq!(told(&bench, org).await, ["turned_on", "bought", "bought", "capped"], "said once");
    // December begins in Berlin at 23:00 UTC.
    bench.clock.set(Timestamp::parse("time", "2026-11-30T22:59:59Z").expect("valid"));
    assert_eq!(look(&bench, org).await, None);
    bench.clock.set(Timestamp::parse("time", "2026-11-30T23:00:00Z").expect("valid"));
    assert!(look(&bench, org).await.is_some());
    bench.assert_verified().await;
}

#[tokio::test]
async fn three_failures_turn_it_off_and_only_a_person_turns_it_on() {
    let mut bench = Bench::new().await;
    let org = org(&bench).await;
    card(&bench, org).await;
    bench.store.set_top_up(org, By::command(), wanted(true, 2_000)).await.expect("set");
    for round in 0..3 {
        later(&bench, round * 20);
        let purchase = look(&bench, org).await.expect("bought");
        hear(&bench, org, purchase, Saying::Failed(Failure::Declined)).await;
        later(&bench, round * 20 + 14);
        if round < 2 {
            assert_eq!(look(&bench, org).await, None, "not so soon after a failure");
        }
    }
    bench.reopen().await;
    assert_eq!(look(&bench, org).await, None);
    let rule = bench.store.top_up(org).await.expect("reads").expect("there");
    assert_eq!((rule.rule.is_on, rule.gave_up), (false, true));
    later(&bench, 10_000);
    assert_eq!(look(&bench, org).await, None, "it stays off");
    assert_eq!(told(&bench, org).await, ["turned_on", "bought", "bought", "bought", "turned_off"]);
    bench.store.set_top_up(org, By::command(), wanted(true, 2_000)).await.expect("set");
    assert!(look(&bench, org).await.is_some(), "what failed before does not count, nor against the cap");
    bench.assert_verified().await;
}
