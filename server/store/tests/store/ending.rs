//! The end of an org: exported whole, kept or deleted whole, and nobody else notices.

use crate::common::{Bench, NOON, credits, export};
use ledger::{OrgId, Refusal, Timestamp};
use rusqlite::Connection;
use std::collections::BTreeMap;
use store::{By, StoreError};

const DAY: i64 = 86_400_000_000;

fn after_days(days: i64) -> Timestamp {
    Timestamp::from_micros(NOON.micros() + days * DAY)
}

/// Rows of an org in each table that has any.
fn rows(bench: &Bench, org: OrgId) -> BTreeMap<String, u64> {
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let mut tables = conn
        .prepare(
            "SELECT m.name FROM sqlite_schema m WHERE m.type = 'table' AND m.name <> 'org_deleted'
             AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'org_id')",
        )
        .expect("reads");
    let names: Vec<String> =
        tables.query_map([], |row| row.get(0)).expect("reads").collect::<Result<_, _>>().expect("names");
    let count = |name: &String| -> u64 {
        let sql = format!("SELECT count(*) FROM {name} WHERE org_id = ?1");
        let rows: i64 = conn.query_row(&sql, [org.0], |row| row.get(0)).expect("counts");
        rows.try_into().expect("a count")
    };
    names.iter().map(|name| (name.clone(), count(name))).filter(|(_, rows)| *rows > 0).collect()
}

async fn dump(bench: &Bench, org: OrgId) -> Vec<serde_json::Value> {
    let mut dump = bench.store.dump(org).await.expect("begins");
    let mut text = String::new();
    while let Some(piece) = dump.next().await.expect("reads") {
        text.push_str(&piece);
    }
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// An org with a little of everything, and another beside it.
async fn two(bench: &Bench) -> [OrgId; 2] {
    let orgs = [bench.org("Acme", "Europe/Berlin").await, bench.org("Other", "UTC").await];
    for org in orgs {
        bench.grant_with(org, "100", Some(after_days(10))).await;
        bench.ingest(org, (0..1_200).map(|n| export(&n.to_string())).collect()).await;
        let hold = store::NewHold {
            user: None,
            tenant: None,
            amount: credits("1"),
            expires_in_s: Some(600),
            meter: None,
            source: None,
            project: None,
            description: String::new(),
        };
        bench.store.create_hold(org, "test".to_owned(), hold, None).await.expect_err("there is only debt");
    }
    orgs
}

#[tokio::test]
async fn an_export_has_every_row_of_every_table_and_says_where_it_ends() {
    let bench = Bench::new().await;
    let [acme, _] = two(&bench).await;
    let lines = dump(&bench, acme).await;
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for line in &lines[1..lines.len() - 1] {
        *found.entry(line["table"].as_str().expect("a table").to_owned()).or_default() += 1;
        assert_eq!(line["org_id"], acme.0, "{line}");
    }
    assert_eq!(found, rows(&bench, acme));
    assert_eq!((lines[0]["table"].as_str(), lines[0]["name"].as_str()), (Some("export"), Some("Acme")));
    let end = lines.last().expect("an end");
    assert_eq!((end["table"].as_str(), end["lines"].as_u64()), (Some("end"), Some(lines.len() as u64 - 1)));
    let chain = bench.store.totals(acme).await.expect("totals").chain;
    assert_eq!(end["chain_head"]["entry"], chain.seq.to_string());
    assert!(found["event"] == 1_200 && found["charge"] == 1_200 && found["audit"] > 0, "{found:?}");
}

#[tokio::test]
async fn no_secret_is_in_an_export() {
    let bench = Bench::new().await;
    let [acme, _] = two(&bench).await;
    let new = store::NewKey {
        org: acme,
        name: "k".to_owned(),
        prefix: "abcdefgh".to_owned(),
        hash: [0xAB; 32],
        scopes: vec![store::Scope::Admin],
        project: None,
        expires_at: None,
    };
    bench.store.create_key(By::command(), new, None).await.expect("a key");
    let lines = dump(&bench, acme).await;
    let key = lines.iter().find(|line| line["table"] == "api_key").expect("the key");
    assert_eq!((key["prefix"].as_str(), key.get("key_hash")), (Some("abcdefgh"), None));
    assert!(!lines.iter().any(|line| line.to_string().contains(&"ab".repeat(32))));
}

#[tokio::test]
async fn an_org_ends_only_after_an_export_and_a_month_and_can_be_kept_until_then() {
    let mut bench = Bench::new().await;
    let [acme, other] = two(&bench).await;
    let refused = bench.store.end_org(acme, By::command()).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::ExportFirst))), "{refused:?}");
    bench.store.note_export(acme, By::command()).await.expect("noted");
    bench.clock.set(after_days(8));
    let refused = bench.store.end_org(acme, By::command()).await;
    assert!(matches!(refused, Err(StoreError::Refused(Refusal::ExportFirst))), "an old export is none: {refused:?}");
    bench.store.note_export(acme, By::command()).await.expect("noted");
    let ending = bench.store.end_org(acme, By::command()).await.expect("asked for");
    assert_eq!((ending.ends_at, bench.store.ends_at(acme)), (after_days(38), Some(after_days(38))));
    assert!(matches!(bench.store.end_org(acme, By::command()).await, Err(StoreError::Conflict(_))));
    // It is remembered over a restart, and nothing is deleted before its time.
    bench.reopen().await;
    assert_eq!((bench.store.ends_at(acme), bench.store.ends_at(other)), (Some(after_days(38)), None));
    let before = rows(&bench, acme);
    bench.clock.set(Timestamp::from_micros(after_days(38).micros() - 1));
    assert_eq!(bench.store.delete_some().await.expect("looks"), 0);
    assert_eq!(rows(&bench, acme), before);
    bench.store.keep_org(acme, By::command()).await.expect("kept");
    bench.clock.set(after_days(60));
    assert_eq!((bench.store.ends_at(acme), bench.store.delete_some().await.expect("looks")), (None, 0));
    assert!(matches!(bench.store.keep_org(acme, By::command()).await, Err(StoreError::NotFound(_))));
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_deletion_goes_on_after_a_restart_leaves_a_line_and_touches_nobody_else() {
    let mut bench = Bench::new().await;
    let [acme, other] = two(&bench).await;
    let chain = bench.store.totals(acme).await.expect("totals").chain;
    let neighbour = rows(&bench, other);
    bench.store.note_export(acme, By::command()).await.expect("noted");
    bench.store.end_org(acme, By::command()).await.expect("asked for");
    bench.clock.set(after_days(31));
    let mut steps = 0;
    loop {
        let deleted = bench.store.delete_some().await.expect("deletes");
        if deleted == 0 {
            break;
        }
        steps += 1;
        // Everything else is whole at every step, whatever is open or closed in between.
        bench.assert_verified().await;
        if steps % 4 == 0 {
            bench.reopen().await;
            bench.clock.set(after_days(31));
        }
        assert!(steps < 100, "it ends");
    }
    assert_eq!(rows(&bench, acme), BTreeMap::new());
    assert_eq!(rows(&bench, other), neighbour);
    assert!(matches!(bench.store.org(acme).await, Err(StoreError::NotFound(_))));
    let gone = bench.store.deleted_orgs(10).await.expect("reads");
    assert_eq!((gone.len(), gone[0].org, gone[0].entries), (1, acme, chain.seq.0));
    assert_eq!(gone[0].head_hash, chain.hash);
    // Its id is never given again, also where it was the newest; its name may be.
    bench.store.note_export(other, By::command()).await.expect("noted");
    bench.store.end_org(other, By::command()).await.expect("asked for");
    bench.clock.set(after_days(70));
    while bench.store.delete_some().await.expect("deletes") > 0 {}
    assert_eq!(bench.org("Acme", "UTC").await, OrgId(3));
    bench.assert_verified().await;
}

#[tokio::test]
async fn what_is_append_only_stays_while_nobody_asked_for_its_end() {
    let bench = Bench::new().await;
    let [acme, _] = two(&bench).await;
    bench.store.note_export(acme, By::command()).await.expect("noted");
    bench.store.end_org(acme, By::command()).await.expect("asked for");
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    for table in ["entry", "posting", "event", "charge", "identity", "credit_grant", "rate_card", "audit"] {
        let refused = conn.execute(&format!("DELETE FROM {table} WHERE org_id = ?1"), [acme.0]);
        assert!(refused.is_err(), "{table}: the time of grace has not passed");
    }
}
