//! Alerts beyond what a year of usage shows: scopes, silence, imported pasts, what only the job measures, and what would have been.

use crate::common::{Bench, NOON, credits, event, export};
use ledger::alert::{Kind, Per, Scope};
use ledger::{Label, Meter, OrgId, Refusal, RuleId, Timestamp};
use rusqlite::Connection;
use store::alert::{Act, default_recipients};
use store::{By, FiringPage, NewRule, StoreError};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

fn rule(kind: Kind, scope: Scope) -> NewRule {
    NewRule { title: "watched".to_owned(), kind, scope, recipients: default_recipients(), margin_percent: 5 }
}

async fn made(bench: &Bench, org: OrgId, kind: Kind) -> RuleId {
    made_of(bench, org, kind, Scope::default()).await
}

async fn made_of(bench: &Bench, org: OrgId, kind: Kind, scope: Scope) -> RuleId {
    bench.store.set_alert(org, By::command().into(), None, rule(kind, scope)).await.expect("made").answer
}

/// Rules that fired, oldest first, with why nobody was told.
async fn fired(bench: &Bench, org: OrgId) -> Vec<(i64, Option<String>)> {
    let page = FiringPage { limit: 200, ..FiringPage::default() };
    let rows = bench.store.alert_history(org, page).await.expect("reads");
    rows.into_iter().rev().map(|row| (row.rule.0, row.silence)).collect()
}

fn told(bench: &Bench, org: OrgId, kind: &str) -> usize {
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let sql = "SELECT count(*) FROM message WHERE org_id = ?1 AND kind = ?2";
    let count: i64 = conn.query_row(sql, rusqlite::params![org.0, kind], |row| row.get(0)).expect("counts");
    usize::try_from(count).expect("small")
}

fn later(bench: &Bench, by: i64) {
    bench.clock.set(Timestamp::from_micros(NOON.micros() + by));
}

async fn look(bench: &Bench, org: OrgId) -> u64 {
    bench.store.look_at_alerts(org).await.expect("looks")
}

fn label(text: &str) -> Label {
    Label::parse("id", text).expect("valid")
}

async fn org(bench: &Bench) -> OrgId {
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.grant(org, "1000").await;
    org
}

#[tokio::test]
async fn each_part_of_usage_can_be_watched_by_itself() {
    let bench = Bench::new().await;
    let org = org(&bench).await;
    let scopes = [
        Scope { project: Some(label("chat")), ..Scope::default() },
        Scope { workflow: Some(label("flow")), ..Scope::default() },
        Scope { source: Some(label("app")), ..Scope::default() },
        Scope { meter: Some(Meter::parse("export").expect("valid")), ..Scope::default() },
        Scope { user: Some(label("ada")), ..Scope::default() },
        Scope { tenant: Some(label("bolt")), user: Some(label("ada")), ..Scope::default() },
    ];
    // Counted before a rule is there as after it.
    let data = r#"{"project":"chat","workflow":"flow","user":"ada","tenant":"bolt"}"#;
    let one = |id: &str| event(&format!(r#"{{"id":"{id}","source":"app","type":"export","data":{data}}}"#));
    bench.ingest(org, vec![one("a")]).await;
    let kind = Kind::SpendAbove { amount: credits("3"), per: Per::Day };
    for scope in scopes {
        made_of(&bench, org, kind, scope).await;
    }
    let other = r#"{"id":"x","source":"api","type":"viewer_session","data":{"quantity":6000,"user":"eve"}}"#;
    bench.ingest(org, vec![event(other), one("b")]).await;
    assert_eq!(fired(&bench, org).await, [], "two of three credits");
    bench.ingest(org, vec![one("c"), one("d")]).await;
    let all: Vec<i64> = fired(&bench, org).await.into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(all, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn silence_is_kept_and_ends_with_what_holds_still() {
    let bench = Bench::new().await;
    let org = org(&bench).await;
    let id = made(&bench, org, Kind::BalanceBelow { amount: credits("999") }).await;
    let act = async |act| bench.store.act_on_alert(org, By::command().into(), id, act).await;
    assert!(
        matches!(act(Act::Acknowledge).await, Err(StoreError::Refused(Refusal::BadAlert { .. }))),
        "nothing is firing"
    );
    assert!(matches!(act(Act::Snooze(2_678_401)).await, Err(StoreError::Refused(Refusal::BadAlert { .. }))));
    act(Act::Snooze(3_600)).await.expect("snoozed");
    bench.ingest(org, vec![export("1"), export("2")]).await;
    assert_eq!(
        (fired(&bench, org).await, told(&bench, org, "alert.fired")),
        (vec![(1, Some("snoozed".to_owned()))], 0)
    );
    assert_eq!(bench.store.orgs_to_look_at().await.expect("reads"), []);
    later(&bench, HOUR);
    assert_eq!(bench.store.orgs_to_look_at().await.expect("reads"), [org]);
    look(&bench, org).await;
    assert_eq!((fired(&bench, org).await, told(&bench, org, "alert.fired")), (vec![(1, None)], 1), "it holds still");
    // Acknowledged, it is not said again when a second silence ends.
    act(Act::Acknowledge).await.expect("seen to");
    act(Act::Snooze(60)).await.expect("snoozed");
    later(&bench, 2 * HOUR);
    look(&bench, org).await;
    assert_eq!(told(&bench, org, "alert.fired"), 1);
    bench.grant(org, "100").await;
    assert_eq!(told(&bench, org, "alert.resolved"), 1);
    act(Act::Mute(true)).await.expect("muted");
    bench.ingest(org, (10..140).map(|n| export(&n.to_string())).collect()).await;
    assert_eq!(told(&bench, org, "alert.fired"), 1);
    assert_eq!(fired(&bench, org).await.last(), Some(&(1, Some("muted".to_owned()))));
}

#[tokio::test]
async fn an_imported_past_tells_nobody_and_what_comes_after_it_does() {
    let bench = Bench::new().await;
    let org = org(&bench).await;
    made(&bench, org, Kind::BalanceBelow { amount: credits("995") }).await;
    made(&bench, org, Kind::SpendAbove { amount: credits("5"), per: Per::Day }).await;
    made(&bench, org, Kind::RunwayBelow { days: 366 }).await;
    let old = |day: i64, n: i64| {
        let time = Timestamp::from_micros(NOON.micros() - day * DAY);
        event(&format!(r#"{{"id":"{day}-{n}","source":"api","type":"export","time":"{time}"}}"#))
    };
    bench.ingest(org, (2..40).flat_map(|day| (0..5).map(move |n| old(day, n))).collect()).await;
    look(&bench, org).await;
    let imported = Some("imported".to_owned());
    assert_eq!(fired(&bench, org).await, [(1, imported.clone()), (3, imported.clone())]);
    assert_eq!(told(&bench, org, "alert.fired"), 0);
    bench.ingest(org, (0..5).map(|n| export(&n.to_string())).collect()).await;
    assert_eq!(fired(&bench, org).await[2..], [(2, None)], "what is used today is news");
    assert_eq!(told(&bench, org, "alert.fired"), 1);
}

#[tokio::test]
async fn the_job_finds_what_no_transaction_changes() {
    let bench = Bench::new().await;
    let org = org(&bench).await;
    let idle = made(&bench, org, Kind::NoUsage { hours: 6 }).await;
    let failing = made(&bench, org, Kind::FailedShare { percent: 50, hours: 2, calls: 4 }).await;
    let expiring = made(&bench, org, Kind::GrantsExpiring { amount: credits("10"), days: 3 }).await;
    let keys = made(&bench, org, Kind::KeyChanged).await;
    assert_eq!(look(&bench, org).await, 0, "nothing is waited for longer than the rule is there");
    let event_of = |id: u32, status: &str| {
        event(&format!(r#"{{"id":"{id}","source":"api","type":"export","data":{{"status":"{status}"}}}}"#))
    };
    bench.ingest(org, vec![event_of(1, "failed"), event_of(2, "failed"), event_of(3, "failed")]).await;
    assert_eq!(look(&bench, org).await, 0, "three calls say nothing");
    bench.ingest(org, vec![event_of(4, "succeeded")]).await;
    assert_eq!(look(&bench, org).await, 1);
    bench.grant_with(org, "9", Some(Timestamp::from_micros(NOON.micros() + 2 * DAY))).await;
    assert_eq!(look(&bench, org).await, 0, "nine are not worth it");
    bench.grant_with(org, "2", Some(Timestamp::from_micros(NOON.micros() + 3 * DAY))).await;
    assert_eq!(look(&bench, org).await, 1);
    later(&bench, 7 * HOUR);
    assert_eq!(look(&bench, org).await, 1);
    let prefix = "abcdefgh".to_owned();
    let key = store::NewKey {
        org,
        name: "one".to_owned(),
        prefix,
        hash: [1; 32],
        scopes: vec![store::Scope::UsageRead],
        project: None,
        expires_at: None,
    };
    bench.store.create_key(By::command(), key, None).await.expect("made");
    assert_eq!((look(&bench, org).await, look(&bench, org).await), (1, 0), "each time, once");
    let all: Vec<i64> = fired(&bench, org).await.into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(all, [failing.0, expiring.0, idle.0, keys.0]);
}

#[tokio::test]
async fn an_org_with_a_plan_begins_with_its_rules_and_hears_only_of_what_comes() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "Europe/Berlin").await;
    bench.subscribe(org, "310").await;
    bench.ingest(org, (0..160).map(|n| export(&format!("a{n}"))).collect()).await;
    assert_eq!(bench.store.orgs_to_look_at().await.expect("reads"), [org]);
    look(&bench, org).await;
    let already = Some("already".to_owned());
    assert_eq!(
        (fired(&bench, org).await, told(&bench, org, "alert.fired")),
        (vec![(1, already)], 0),
        "half is used already"
    );
    bench.ingest(org, (0..125).map(|n| export(&format!("b{n}"))).collect()).await;
    let rules: Vec<i64> = fired(&bench, org).await.into_iter().map(|(rule, _)| rule).collect();
    assert_eq!((rules, told(&bench, org, "alert.fired")), (vec![1, 2, 3], 2));
    bench.store.delete_alert(org, By::command(), RuleId(4)).await.expect("gone");
    look(&bench, org).await;
    assert_eq!(bench.store.alerts(org).await.expect("reads").len(), 3, "what was taken away stays away");
    // The next cycle: everything is over, and begins again.
    later(&bench, 31 * DAY);
    look(&bench, org).await;
    assert_eq!(told(&bench, org, "alert.resolved"), 2, "of what was told");
    bench.ingest(org, (0..155).map(|n| export(&format!("c{n}"))).collect()).await;
    assert_eq!(fired(&bench, org).await.last(), Some(&(1, None)));
}

#[tokio::test]
async fn what_would_have_fired_is_what_fires() {
    let bench = Bench::new().await;
    let org = org(&bench).await;
    let kind = Kind::SpendAbove { amount: credits("5"), per: Per::Day };
    made(&bench, org, kind).await;
    for day in 0..31 {
        later(&bench, day * DAY);
        let count = [2, 6, 5, 0, 4][usize::try_from(day % 5).expect("small")];
        bench.ingest(org, (0..count).map(|n| export(&format!("{day}-{n}"))).collect()).await;
    }
    let told = bench.store.simulate_alert(org, kind, Scope::default(), 5).await.expect("simulates");
    assert_eq!(told.points.len(), 31);
    assert_eq!(told.fired.len(), fired(&bench, org).await.len());
    let higher = Kind::SpendAbove { amount: credits("6"), per: Per::Day };
    let higher = bench.store.simulate_alert(org, higher, Scope::default(), 5).await.expect("simulates");
    assert!(!higher.fired.is_empty() && higher.fired.len() < told.fired.len());
    let below = Kind::BalanceBelow { amount: credits("950") };
    let below = bench.store.simulate_alert(org, below, Scope::default(), 5).await.expect("simulates");
    assert_eq!((below.fired.len(), below.points.len()), (1, 121), "four a day since credits were given, and now");
    let every = [
        Kind::BalanceBelowShare { percent: 10 },
        Kind::CycleUsage { percent: 50 },
        Kind::SpendAbove { amount: credits("1"), per: Per::Hour },
        Kind::SpendAbove { amount: credits("50"), per: Per::Cycle },
        Kind::UnusualSpend { minimum: credits("1") },
        Kind::RunwayBelow { days: 300 },
        Kind::ProjectedAbove { percent: 100 },
        Kind::GrantsExpiring { amount: credits("1"), days: 7 },
        Kind::PaymentFailed,
        Kind::TopUpFailed,
        Kind::NoUsage { hours: 24 },
        Kind::FailedShare { percent: 10, hours: 1, calls: 1 },
        Kind::KeyChanged,
        Kind::RateCardChanged,
    ];
    for kind in every {
        let simulated = bench.store.simulate_alert(org, kind, Scope::default(), 5).await.expect("simulates");
        assert!(simulated.fired.len() <= simulated.points.len(), "{kind:?}");
    }
}

#[tokio::test]
async fn nobody_reaches_the_rules_of_another_org() {
    let bench = Bench::new().await;
    let (one, other) = (org(&bench).await, bench.org("Bolt", "Europe/Berlin").await);
    let id = made(&bench, one, Kind::KeyChanged).await;
    assert!(matches!(bench.store.alert(other, id).await, Err(StoreError::NotFound(_))));
    assert!(bench.store.delete_alert(other, By::command(), id).await.is_err());
    assert!(bench.store.act_on_alert(other, By::command().into(), id, Act::Mute(true)).await.is_err());
    let stolen = bench.store.set_alert(other, By::command().into(), Some(id), rule(Kind::KeyChanged, Scope::default()));
    assert!(matches!(stolen.await, Err(StoreError::NotFound(_))));
    let nobody = NewRule {
        recipients: store::Recipients { people: vec![store::UserId(99)], ..default_recipients() },
        ..rule(Kind::KeyChanged, Scope::default())
    };
    assert!(matches!(
        bench.store.set_alert(one, By::command().into(), None, nobody).await,
        Err(StoreError::NotFound("member"))
    ));
}
