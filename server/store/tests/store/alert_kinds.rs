//! Each kind of alert fires through the real store where it should, and pages say of runway and projection what rules say.

use crate::common::{Bench, NOON, credits, event, export};
use crate::purchases::{buy, shop};
use ledger::alert::{Kind, Scope};
use ledger::package::Terms;
use ledger::payment::{Failure, Provider, Saying};
use ledger::runway::Lasts;
use ledger::top_up::Rule;
use ledger::{Currency, Money, OrgId, PackageId, RateCardVersion, Timestamp};
use store::alert::default_recipients;
use store::package::NewPackage;
use store::payment::message::Answer;
use store::payment::method::NewMethod;
use store::rate_card::NewRateCard;
use store::{By, FiringPage, FiringRow, NewRule, TopUp};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

async fn watch(bench: &Bench, org: OrgId, kind: Kind) {
    watch_part(bench, org, kind, Scope::default()).await;
}

async fn watch_part(bench: &Bench, org: OrgId, kind: Kind, scope: Scope) {
    let (title, recipients) = ("watched".to_owned(), default_recipients());
    let new = NewRule { title, kind, scope, recipients, margin_percent: 5 };
    bench.store.set_alert(org, By::command().into(), None, new).await.expect("made");
}

async fn look(bench: &Bench, org: OrgId) -> u64 {
    bench.store.look_at_alerts(org).await.expect("looks")
}

/// Everything that fired, oldest first.
async fn fired(bench: &Bench, org: OrgId) -> Vec<FiringRow> {
    let page = FiringPage { limit: 200, ..FiringPage::default() };
    bench.store.alert_history(org, page).await.expect("reads").into_iter().rev().collect()
}

async fn details(bench: &Bench, org: OrgId) -> Vec<String> {
    fired(bench, org).await.into_iter().map(|row| row.detail).collect()
}

fn later(bench: &Bench, by: i64) {
    bench.clock.set(Timestamp::from_micros(NOON.micros() + by));
}

/// So many exports on a day, at a credit each.
async fn use_on(bench: &Bench, org: OrgId, day: i64, count: i64) {
    later(bench, day * DAY);
    bench.ingest(org, (0..count).map(|n| export(&format!("{day}-{n}"))).collect()).await;
}

#[tokio::test]
async fn each_failed_payment_is_told_once_also_those_of_one_instant() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let fail = async || {
        let (_, payment) = buy(&bench, org).await;
        bench.store.answered(org, payment, Answer::of(Saying::Failed(Failure::Declined))).await.expect("heard");
    };
    fail().await;
    watch(&bench, org, Kind::PaymentFailed).await;
    assert_eq!(look(&bench, org).await, 0, "what failed before the rule was there is no news");
    later(&bench, HOUR);
    let (_, paid) = buy(&bench, org).await;
    let price = Money { minor: 10_000, currency: Currency::parse("EUR").expect("a currency") };
    bench.store.answered(org, paid, Answer::of(Saying::Succeeded(price))).await.expect("heard");
    assert_eq!(look(&bench, org).await, 0, "a payment that is made is none that failed");
    fail().await;
    fail().await;
    assert_eq!((look(&bench, org).await, look(&bench, org).await), (2, 0));
    assert_eq!(details(&bench, org).await, ["payment_3", "payment_4"]);
    assert!(fired(&bench, org).await.iter().all(|row| row.resolved_at.is_some()), "nothing of it stands");
}

#[tokio::test]
async fn a_top_up_that_fails_is_capped_or_gives_up_is_told() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    let eur = |minor| Money { minor, currency: Currency::parse("EUR").expect("a currency") };
    let terms = Terms::Fixed { credits: credits("5"), price: eur(1_000) };
    let offered = vec![NewPackage { title: "5 credits".to_owned(), terms }];
    bench.store.offer_packages(org, By::command(), offered).await.expect("offered");
    bench.grant(org, "2").await;
    let card = NewMethod { reference: "card_1".to_owned(), title: "Test card".to_owned() };
    bench.store.add_method(org, By::command(), Provider::Sandbox, card).await.expect("kept");
    watch(&bench, org, Kind::TopUpFailed).await;
    let set = async |is_on| {
        let rule = Rule { is_on, threshold: credits("3"), cap: eur(1_500) };
        let wanted = TopUp { rule, package: PackageId(1), credits: None, gave_up: false };
        bench.store.set_top_up(org, By::command(), wanted).await.expect("set");
    };
    set(true).await;
    let top_up = async || bench.store.run_top_up(org).await.expect("works");
    let hear = async |purchase, says| {
        let (_, payments) = bench.store.purchase(org, purchase).await.expect("there");
        bench.store.answered(org, payments[0].id, Answer::of(says)).await.expect("heard");
    };
    hear(top_up().await.expect("bought"), Saying::Failed(Failure::Declined)).await;
    assert_eq!((look(&bench, org).await, look(&bench, org).await), (1, 0));
    later(&bench, HOUR);
    hear(top_up().await.expect("bought"), Saying::Succeeded(eur(1_000))).await;
    assert_eq!(look(&bench, org).await, 0, "one that is made is no failure");
    // 10 of 15 EUR are spent: the next one would be beyond the cap.
    bench.ingest(org, (0..5).map(|n| export(&n.to_string())).collect()).await;
    later(&bench, 2 * HOUR);
    assert_eq!(top_up().await, None);
    assert_eq!(look(&bench, org).await, 1);
    later(&bench, 3 * HOUR);
    set(false).await;
    assert_eq!(look(&bench, org).await, 0, "what people turn off has not failed");
    // December: three failures, and it turns itself off.
    later(&bench, 12 * DAY);
    set(true).await;
    for round in 0..3 {
        later(&bench, 12 * DAY + round * HOUR);
        hear(top_up().await.expect("bought"), Saying::Failed(Failure::Declined)).await;
    }
    later(&bench, 12 * DAY + 4 * HOUR);
    assert_eq!(top_up().await, None);
    look(&bench, org).await;
    let told = details(&bench, org).await;
    let failed = "The payment failed";
    assert_eq!(told[..2], [failed, "Another purchase would cost more than the cap of the month"]);
    assert_eq!(told[2..5], [failed; 3]);
    assert_eq!(told.len(), 6, "and that it turned itself off: {told:?}");
    let simulated = bench.store.simulate_alert(org, Kind::TopUpFailed, Scope::default(), 5).await.expect("simulates");
    assert_eq!(simulated.fired.len(), 6, "what would have fired is what fires");
}

#[tokio::test]
async fn a_day_outside_of_its_weekdays_band_is_told_by_an_amount_that_matters() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, "100000").await;
    watch(&bench, org, Kind::UnusualSpend { minimum: credits("15") }).await;
    watch(&bench, org, Kind::UnusualSpend { minimum: credits("25") }).await;
    let elsewhere = Scope { source: Some(ledger::Label::parse("source", "app").expect("valid")), ..Scope::default() };
    watch_part(&bench, org, Kind::UnusualSpend { minimum: credits("1") }, elsewhere).await;
    // Six weeks: weekends cost a quarter, which is as usual for a weekend.
    let usual = |day: i64| if (day + 5) % 7 >= 5 { 5 } else { 20 };
    for day in 0..42 {
        use_on(&bench, org, day, usual(day)).await;
        assert_eq!(look(&bench, org).await, 0, "day {day} is as ever");
    }
    // A Saturday that costs what a Monday does.
    assert_eq!(usual(42), 5);
    use_on(&bench, org, 42, 15).await;
    assert_eq!(look(&bench, org).await, 0, "ten more are not worth it");
    later(&bench, 42 * DAY + HOUR);
    bench.ingest(org, (0..5).map(|n| export(&format!("more-{n}"))).collect()).await;
    assert_eq!((look(&bench, org).await, look(&bench, org).await), (1, 0), "once a day");
    let rows = fired(&bench, org).await;
    assert_eq!((rows[0].rule.0, rows[0].value), (1, 15_000_000), "15 more than the 5 of such a weekday");
    // Nothing on a Monday, which is known on Tuesday.
    use_on(&bench, org, 43, usual(43)).await;
    assert_eq!(look(&bench, org).await, 0);
    use_on(&bench, org, 45, usual(45)).await;
    assert_eq!(look(&bench, org).await, 1, "a day without its usage is unusual too");
    assert!(fired(&bench, org).await[1].value > 15_000_000);
}

#[tokio::test]
async fn pages_say_of_runway_and_projection_what_rules_are_held_against() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.subscribe(org, "310").await;
    bench.grant(org, "100").await;
    watch(&bench, org, Kind::RunwayBelow { days: 14 }).await;
    watch(&bench, org, Kind::ProjectedAbove { percent: 100 }).await;
    watch(&bench, org, Kind::BalanceBelowShare { percent: 30 }).await;
    look(&bench, org).await;
    let empty = bench.store.overview(org, 30).await.expect("reads");
    assert_eq!((empty.ahead.basis, empty.ahead.runway.lasts, empty.cycle.projection), (None, Lasts::Unused, None));
    let mut compared = 0;
    for day in 0..24 {
        use_on(&bench, org, day, if day < 12 { 4 } else { 25 }).await;
        look(&bench, org).await;
        let page = bench.store.overview(org, 30).await.expect("reads");
        let Lasts::Until(ends) = page.ahead.runway.lasts else { panic!("day {day}: it ends") };
        let measured = bench.store.alerts_measured(org).await.expect("reads");
        let value = |rule: i64| {
            let of = measured.iter().find(|of| of.rule.id.0 == rule).expect("there");
            of.measure.map(|measure| measure.value)
        };
        assert_eq!(value(1), Some((ends.micros() - page.as_of.micros()) / HOUR), "day {day}: hours until it ends");
        let projection = page.cycle.projection.expect("used");
        assert_eq!(value(2), Some(projection.end.expected), "day {day}: what the cycle comes to");
        assert_eq!(projection.days.last().map(|end| end.micros()), value(2), "day {day}: the line ends there");
        let spent: i64 = page.cycle.days.iter().map(|day| day.micros()).sum();
        assert_eq!(spent, projection.days[0].micros().min(spent), "day {day}: nothing that was used is taken back");
        let (soonest, latest) = (page.ahead.soonest, page.ahead.latest);
        let at = |lasts| if let Lasts::Until(at) = lasts { at } else { Timestamp::from_micros(i64::MAX) };
        assert!(at(soonest) <= ends && ends <= at(latest), "day {day}: the band holds it");
        compared += 1;
    }
    assert_eq!(compared, 24);
    let rows = fired(&bench, org).await;
    // The rest are those that an org with a plan begins with.
    let mut rules: Vec<i64> = rows.iter().map(|row| row.rule.0).filter(|rule| *rule <= 3).collect();
    let projected = rows.iter().find(|row| row.rule.0 == 2).expect("fired");
    // 310 credits are used on day 22.
    assert!(projected.fired_at.micros() < NOON.micros() + 20 * DAY, "before it is so: {}", projected.fired_at);
    assert_eq!(projected.threshold, 310_000_000, "people hear the figure they set, not the first one beyond it");
    rules.sort_unstable();
    rules.dedup();
    assert_eq!(rules, [1, 2, 3], "each of the three fired");
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_cycle_that_begins_at_noon_counts_from_noon() {
    let bench = Bench::new().await;
    later(&bench, -2 * HOUR);
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, "1000").await;
    bench.ingest(org, (0..7).map(|n| export(&format!("before-{n}"))).collect()).await;
    later(&bench, 0);
    bench.subscribe(org, "310").await;
    use_on(&bench, org, 0, 3).await;
    let page = bench.store.overview(org, 30).await.expect("reads");
    assert_eq!(page.cycle.days, [credits("3")], "what was used in the morning belongs to the cycle before");
    assert_eq!(page.cycle.days_before.iter().map(|day| day.micros()).sum::<i64>(), 7_000_000);
    assert_eq!(page.cycle.days_before.last(), Some(&credits("7")));
    let whole: i64 = page.days.iter().map(|day| day.credits.micros()).sum();
    assert_eq!(whole, 10_000_000);
}

#[tokio::test]
async fn each_version_of_the_rate_card_is_told() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    watch(&bench, org, Kind::RateCardChanged).await;
    assert_eq!(look(&bench, org).await, 0, "the first was there before");
    let put = async |replaces: i64| {
        let lines = format!(r#"[{{"meter":"export","rule":"unit","price":"{}"}}]"#, replaces + 1);
        let lines = serde_json::from_str(&lines).expect("valid lines");
        let replaces = Some(RateCardVersion(replaces));
        let new = NewRateCard { lines, meters: vec![], effective_at: None, replaces };
        bench.store.put_rate_card(org, By::command(), new, None).await.expect("laid down");
    };
    put(1).await;
    later(&bench, HOUR);
    put(2).await;
    assert_eq!((look(&bench, org).await, look(&bench, org).await), (2, 0));
    assert_eq!(details(&bench, org).await, ["Version 2", "Version 3"]);
}

#[tokio::test]
async fn an_import_is_quiet_whatever_its_age_and_the_next_crossing_is_told() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    let known = bench.store.org_settings(org).await.expect("reads");
    let settings = ledger::OrgSettings { low_balance: Some(credits("50")), ..known };
    bench.store.set_org_settings(By::command(), org, settings).await.expect("set");
    bench.grant(org, "100").await;
    watch(&bench, org, Kind::BalanceBelow { amount: credits("60") }).await;
    watch(&bench, org, Kind::FailedShare { percent: 50, hours: 2, calls: 4 }).await;
    let budget = ledger::budget::Terms {
        title: "Chat".to_owned(),
        whose: ledger::budget::Whose::Project,
        id: ledger::Label::parse("id", "chat").expect("valid"),
        amount: credits("10"),
        per: ledger::alert::Per::Cycle,
        warn_percent: Some(50),
        pauses: false,
    };
    bench.store.set_budget(org, By::command().into(), None, budget, default_recipients()).await.expect("made");
    let before = told(&bench, org);
    // Of the last hour.
    let just_now = Timestamp::from_micros(NOON.micros() - HOUR);
    let of = |n: i64| {
        let data = r#"{"project":"chat","status":"failed"}"#;
        event(&format!(r#"{{"id":"{n}","source":"api","type":"export","time":"{just_now}","data":{data}}}"#))
    };
    for batch in 0..6 {
        let events = (0..10).map(|n| of(batch * 10 + n)).collect();
        bench.store.import(org, "import:test".to_owned(), events).await.expect("imported");
    }
    look(&bench, org).await;
    let silences: Vec<_> = fired(&bench, org).await.into_iter().map(|row| (row.rule.0, row.silence)).collect();
    let imported = Some("imported".to_owned());
    assert_eq!(silences, [(1, imported.clone()), (2, imported)], "noted");
    assert_eq!(told(&bench, org), before, "nothing is sent, neither of rules nor of budgets nor of the balance");
    // What goes on is no crossing.
    bench.ingest(org, vec![export("a")]).await;
    look(&bench, org).await;
    assert_eq!(told(&bench, org), before);
    // Back, and across once more.
    bench.grant(org, "100").await;
    bench.ingest(org, (100..200).map(|n| export(&n.to_string())).collect()).await;
    let mut news = told(&bench, org).split_off(before.len());
    news.sort_unstable();
    assert_eq!(news, ["alert.fired", "balance.low", "grant.created"]);
    bench.assert_verified().await;
}

/// Kinds of what was announced, oldest first.
fn told(bench: &Bench, org: OrgId) -> Vec<String> {
    let conn = rusqlite::Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let mut select = conn.prepare("SELECT kind FROM message WHERE org_id = ?1 ORDER BY message_id").expect("prepares");
    let rows = select.query_map([org.0], |row| row.get(0)).expect("reads");
    rows.map(|row| row.expect("a kind")).collect()
}
