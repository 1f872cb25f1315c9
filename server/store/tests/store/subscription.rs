//! What is subscribed to: credits and fees of each cycle, once, on its day, however late anybody looks.

use crate::common::{Bench, NOON, credits, export};
use ledger::subscription::Choice;
use ledger::{Currency, Money, OrgId, PlanId, Policy, Rollover, SubscriptionRefusal, Timestamp};
use rusqlite::Connection;
use store::{Agreed, At, By, Choose, GrantPage, NewPlan, StoreError, Subscribe};

fn by() -> By {
    By::command()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse("time", text).expect("valid")
}

fn euros(minor: i64) -> Option<Money> {
    Some(Money { minor, currency: Currency::parse("EUR").expect("a currency") })
}

fn plan(name: &str, amount: &str, price: Option<Money>) -> NewPlan {
    NewPlan {
        name: name.to_owned(),
        title: name.to_owned(),
        description: String::new(),
        credits: Some(credits(amount)),
        price,
        rollover: None,
        policy: Policy::Pause,
        retention_days: None,
        by_agreement: false,
    }
}

/// A free plan, two that cost, and one by agreement.
async fn offered(bench: &Bench) -> OrgId {
    let org = bench.org("Acme", "Europe/Berlin").await;
    let professional = NewPlan {
        rollover: Some(Rollover::PROFESSIONAL),
        policy: Policy::Overdraft { limit: credits("50") },
        retention_days: Some(400),
        ..plan("professional", "900", euros(9_000))
    };
    let enterprise = NewPlan { credits: None, price: None, by_agreement: true, ..plan("enterprise", "1", None) };
    let plans = vec![plan("free", "10", euros(0)), plan("standard", "300", euros(3_000)), professional, enterprise];
    bench.store.offer_plans(org, by(), plans).await.expect("good plans");
    org
}

const FREE: PlanId = PlanId(1);
const STANDARD: PlanId = PlanId(2);
const PROFESSIONAL: PlanId = PlanId(3);
const ENTERPRISE: PlanId = PlanId(4);

fn to(plan: PlanId) -> Subscribe {
    Subscribe { plan, anniversary: false, agreed: None, operator: true }
}

fn change(plan: PlanId) -> Choose {
    Choose { plan, agreed: None, operator: true, seen: None }
}

/// What was put down to be invoiced: description, minor units, when.
fn items(bench: &Bench) -> Vec<(String, i64, String)> {
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let mut select =
        conn.prepare("SELECT description, net_minor, happened_at FROM invoice_item ORDER BY item_id").expect("a table");
    let rows =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, Timestamp::from_micros(row.get(2)?).to_string())));
    rows.and_then(Iterator::collect).expect("reads")
}

fn execute(bench: &Bench, sql: &str) {
    Connection::open(bench.dir.path().join("scrip.db")).and_then(|conn| conn.execute_batch(sql)).expect("writes");
}

/// Amount and first and last instant of each grant, oldest first.
async fn grants(bench: &Bench, org: OrgId) -> Vec<(String, String, String)> {
    let page = GrantPage { open: false, before: None, limit: 100 };
    let (states, _) = bench.store.grants(org, At::default(), page).await.expect("reads");
    let told = states.iter().rev().map(|state| {
        let end = state.grant.expires_at.map_or_else(String::new, |end| end.to_string());
        (state.grant.amount.to_string(), state.grant.effective_at.to_string(), end)
    });
    told.collect()
}

async fn available(bench: &Bench, org: OrgId) -> String {
    bench.store.balance(org).await.expect("reads").available.to_string()
}

fn three(a: &str, b: &str, c: &str) -> (String, String, String) {
    (a.to_owned(), b.to_owned(), c.to_owned())
}

#[tokio::test]
async fn a_first_month_is_paid_by_its_part_and_the_next_begins_before_its_first_usage() {
    let bench = Bench::new().await;
    let org = offered(&bench).await;
    bench.clock.set(at("2026-12-16T11:00:00Z"));
    bench.store.subscribe(org, by(), to(STANDARD)).await.expect("subscribes");
    // Half of December is left in Berlin.
    let december = three("150.000000", "2026-12-16T11:00:00Z", "2026-12-31T23:00:00Z");
    assert_eq!(grants(&bench, org).await, std::slice::from_ref(&december));
    // No job runs. The first usage of January finds January's credits.
    bench.clock.set(at("2027-01-03T10:00:00Z"));
    bench.ingest(org, vec![export("1")]).await;
    assert_eq!(available(&bench, org).await, "299.000000");
    let january = three("300.000000", "2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z");
    assert_eq!(grants(&bench, org).await, [december, january]);
    assert_eq!(bench.store.begin_cycles().await.expect("works"), 0);
    let told = [("standard", 1_500, "2026-12-16T11:00:00Z"), ("standard", 3_000, "2026-12-31T23:00:00Z")];
    assert_eq!(items(&bench), told.map(|(plan, minor, at)| (format!("Plan {plan}"), minor, at.to_owned())));
    bench.assert_verified().await;
}

#[tokio::test]
async fn an_upgrade_comes_at_once_and_a_downgrade_and_the_end_with_the_cycle() {
    let mut bench = Bench::new().await;
    let org = offered(&bench).await;
    bench.clock.set(at("2026-11-30T23:00:00Z"));
    bench.store.subscribe(org, by(), to(STANDARD)).await.expect("subscribes");
    bench.clock.set(at("2026-12-16T11:00:00Z"));
    let preview = bench.store.preview_plan(org, change(PROFESSIONAL)).await.expect("can be");
    assert_eq!(available(&bench, org).await, "300.000000", "a preview changes nothing");
    let done = bench.store.change_plan(org, by(), change(PROFESSIONAL)).await.expect("upgrades");
    assert_eq!(done, preview);
    // Half of the month is left: half of 600 credits and of 60 euros.
    assert_eq!(available(&bench, org).await, "600.000000");
    let net: Vec<i64> = items(&bench).iter().map(|(_, minor, _)| *minor).collect();
    assert_eq!(net, [3_000, -1_500, 4_500]);
    assert_eq!(bench.store.policy(org).await.expect("reads"), Policy::Overdraft { limit: credits("50") });
    assert_eq!(bench.store.plan_retention(org).await.expect("reads"), Some(400));

    let done = bench.store.change_plan(org, by(), change(FREE)).await.expect("downgrades");
    assert_eq!(done.choice, Choice::Downgrade(at("2026-12-31T23:00:00Z")));
    assert_eq!(available(&bench, org).await, "600.000000");
    bench.reopen().await;
    bench.clock.set(at("2026-12-31T23:00:00Z"));
    assert_eq!(bench.store.begin_cycles().await.expect("works"), 1);
    // 10 of the free plan; of the professional one what it added rolls over, on its terms.
    assert_eq!(available(&bench, org).await, "310.000000");
    assert_eq!(bench.store.policy(org).await.expect("reads"), Policy::Pause);

    bench.store.cancel_subscription(org, by()).await.expect("cancels");
    let again = bench.store.cancel_subscription(org, by()).await.expect_err("once");
    assert_eq!(again.code(), "already_cancelled");
    bench.store.resume_subscription(org, by()).await.expect("resumes");
    bench.store.cancel_subscription(org, by()).await.expect("cancels");
    bench.clock.set(at("2027-02-02T00:00:00Z"));
    assert_eq!(bench.store.begin_cycles().await.expect("works"), 1);
    assert_eq!(bench.store.subscription(org).await.expect("reads"), None);
    assert_eq!(items(&bench).len(), 3, "a free plan is not invoiced");
    bench.assert_verified().await;
}

#[tokio::test]
async fn months_without_anybody_make_the_same_cycles_in_order() {
    let bench = Bench::new().await;
    let (late, punctual) = (offered(&bench).await, bench.org("Bolt", "Europe/Berlin").await);
    let plans = vec![plan("free", "10", euros(0)), plan("standard", "300", euros(3_000))];
    bench.store.offer_plans(punctual, by(), plans).await.expect("good plans");
    bench.clock.set(at("2027-01-31T09:00:00Z"));
    for org in [late, punctual] {
        let anniversary = Subscribe { anniversary: true, ..to(STANDARD) };
        bench.store.subscribe(org, by(), anniversary).await.expect("subscribes");
    }
    for time in ["2027-02-28T09:00:00Z", "2027-03-31T08:00:00Z", "2027-04-30T08:00:00Z"] {
        bench.clock.set(at(time));
        bench.ingest(punctual, vec![export(time)]).await;
    }
    bench.clock.set(at("2027-05-02T00:00:00Z"));
    assert_eq!(bench.store.begin_cycles().await.expect("works"), 3);
    assert_eq!(grants(&bench, late).await, grants(&bench, punctual).await);
    let begins: Vec<String> = grants(&bench, late).await.into_iter().map(|(_, from, _)| from).collect();
    let days = ["2027-01-31T09:00:00Z", "2027-02-28T09:00:00Z", "2027-03-31T08:00:00Z", "2027-04-30T08:00:00Z"];
    assert_eq!(begins, days);
    let end = bench.store.next_cycle_end().await.expect("reads");
    assert_eq!(end, Some(at("2027-05-31T08:00:00Z")));
    bench.assert_verified().await;
}

#[tokio::test]
async fn while_an_invoice_is_unpaid_cycles_give_and_cost_nothing() {
    let bench = Bench::new().await;
    let org = offered(&bench).await;
    bench.clock.set(at("2026-11-30T23:00:00Z"));
    bench.store.subscribe(org, by(), to(STANDARD)).await.expect("subscribes");
    execute(
        &bench,
        "INSERT INTO invoice (org_id, invoice_id, month, currency, state, ordinal, drafted_at, finalises_at, issued_at, document)
         VALUES (1, 1, 24311, 'EUR', 'uncollectible', 1, 0, 0, 0, '{}')",
    );
    bench.clock.set(at("2027-01-05T00:00:00Z"));
    bench.ingest(org, vec![export("1")]).await;
    assert_eq!((available(&bench, org).await, items(&bench).len()), ("0.000000".to_owned(), 1));
    assert!(bench.store.cycles(org, 1).await.expect("reads")[0].waits);
    let refused = bench.store.change_plan(org, by(), change(PROFESSIONAL)).await.expect_err("owes");
    assert_eq!(refused.code(), "invoice_unpaid");
    execute(&bench, "UPDATE invoice SET state = 'paid'");
    bench.clock.set(at("2027-01-16T11:00:00Z"));
    assert_eq!(bench.store.begin_cycles().await.expect("works"), 1);
    assert_eq!(bench.store.begin_cycles().await.expect("works"), 0);
    // Half of January, less what was used meanwhile.
    assert_eq!(available(&bench, org).await, "149.000000");
    assert_eq!(items(&bench)[1], ("Plan standard".to_owned(), 1_500, "2027-01-16T11:00:00Z".to_owned()));
    bench.assert_verified().await;
}

#[tokio::test]
async fn what_is_agreed_on_is_a_plan_of_its_own() {
    let bench = Bench::new().await;
    let org = offered(&bench).await;
    let agreed = Some(Agreed { credits: credits("20000"), price: euros(100_000) });
    let code = |refused: Result<_, StoreError>| refused.map(|_: store::Subscribed| ()).expect_err("refused").code();
    let subscribe = |new: Subscribe| bench.store.subscribe(org, by(), new);
    let person = |plan, agreed| Subscribe { operator: false, agreed, ..to(plan) };
    assert_eq!(code(subscribe(person(ENTERPRISE, None)).await), "plan_by_agreement");
    assert_eq!(code(subscribe(person(FREE, agreed)).await), "plan_by_agreement");
    assert_eq!(code(subscribe(to(ENTERPRISE)).await), "nothing_agreed");
    assert_eq!(code(subscribe(person(STANDARD, None)).await), "payment_method_needed");
    assert_eq!(code(subscribe(to(PlanId(9))).await), "not_found");
    let subscribed = subscribe(Subscribe { agreed, anniversary: true, ..to(ENTERPRISE) }).await.expect("agreed");
    assert_eq!((subscribed.plan.price, subscribed.plan.offered), (euros(100_000), false));
    assert_eq!(available(&bench, org).await, "20000.000000");
    assert_eq!(code(subscribe(to(FREE)).await), "already_subscribed");
    let again = bench.store.change_plan(org, by(), change(subscribed.plan.id)).await.expect_err("it is that");
    assert!(matches!(again, StoreError::Subscription(SubscriptionRefusal::Unchanged)));
    let shown = Choose { seen: Some((subscribed.cycle, FREE)), ..change(STANDARD) };
    assert_eq!(bench.store.change_plan(org, by(), shown).await.expect_err("moved").code(), "price_moved");
    // Offered again as they are, plans stay the same rows; one that changed is another, and the old one is not offered.
    let plans = vec![plan("free", "10", euros(0)), plan("standard", "400", euros(3_000))];
    bench.store.offer_plans(org, by(), plans).await.expect("good plans");
    let ids: Vec<i64> = bench.store.plans(org).await.expect("reads").iter().map(|plan| plan.id.0).collect();
    assert_eq!(ids, [1, 6]);
    let gone = bench.store.change_plan(org, by(), change(STANDARD)).await.expect_err("withdrawn");
    assert_eq!(gone.code(), "plan_not_offered");
    assert_eq!(bench.store.now(), NOON);
    bench.assert_verified().await;
}
