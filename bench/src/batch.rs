//! Batch ingest (parsed, rated, deduplicated, posted, durable) against raw prepared inserts of the same rows into the same
//! schema, committed as often.

use crate::{TURNS, median, rate, report};
use ledger::budget::{Terms, Whose};
use ledger::event::Form;
use ledger::{Credits, Event, GrantKind, Label, OrgId, Scope, alert};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::path::Path;
use std::time::Duration;
use store::alert::default_recipients;
use store::clock::Stopwatch;
use store::{By, NewGrant, NewOrg, NewRule, Options, Store};

const EVENTS: usize = 100_000;
const BATCH: usize = 5_000;
const BATCHES_AHEAD: usize = 2;
/// Batches on their way at once, as from several clients.
const IN_FLIGHT: usize = 2;
/// The tables that grow with events. Rollups do not.
const TABLES: [&str; 4] = ["event", "charge", "identity", "identity_index"];

pub(crate) async fn run() {
    let lines: Vec<String> = (0..EVENTS).map(line).collect();
    let (mut ours, mut raws, mut ratios, mut watched) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let dir = tempfile::tempdir().expect("a folder for the bench");
        let our = ingest(dir.path(), &lines, false).await;
        let other = tempfile::tempdir().expect("a folder for the bench");
        watched.push(our.as_secs_f64() / ingest(other.path(), &lines, true).await.as_secs_f64());
        let raw = raw_inserts(dir.path());
        ours.push(rate(EVENTS, our));
        raws.push(rate(EVENTS, raw));
        ratios.push(raw.as_secs_f64() / our.as_secs_f64());
    }
    let figures = format!("{:.0} events/s against {:.0} raw, batches of {BATCH}", median(ours), median(raws));
    report("batch ingest / raw prepared inserts", median(ratios), "≥ 0.60", &figures);
    let figures = "batch ingest of an org that watches 8 alerts and 8 budgets with every commit, none of which fires";
    report("batch ingest, watched / not watched", median(watched), "none", figures);
}

/// A single-quantity event with a random-looking id, as services send them: one after the other, 8 s apart.
pub(crate) fn line(n: usize) -> String {
    let mixed = (n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let second = n * 8;
    format!(
        r#"{{"id":"{mixed:016x}-{n:016x}","source":"api","type":"input_tokens","time":"2026-11-{:02}T{:02}:{:02}:{:02}Z","data":{{"quantity":{},"project":"p{}","user":"u{}"}}}}"#,
        1 + second / 86_400,
        second / 3_600 % 24,
        second / 60 % 60,
        second % 60,
        100 + n % 5_000,
        n % 5,
        n % 200
    )
}

pub(crate) async fn org(store: &Store) -> OrgId {
    let lines = r#"[{"meter":"input_tokens","rule":"unit","price":"0.60","per":1000000}]"#;
    let lines = serde_json::from_str(lines).expect("a good rate line");
    let new = NewOrg {
        offers: store::Offers::default(),
        name: "Bench".to_owned(),
        zone: "UTC".to_owned(),
        synthetic: true,
        words: ledger::Words::default(),
        meters: vec![],
        agents: vec![],
        lines,
    };
    let org = store.create_org(new).await.expect("a new org").id;
    let grant = NewGrant {
        kind: GrantKind::Purchase,
        amount: Credits::from_micros(1_000_000_000_000),
        priority: 0,
        scope: Scope::default(),
        effective_at: None,
        expires_at: None,
        description: "bench".to_owned(),
        cost: None,
        rollover: None,
    };
    store.give_grant(org, "bench".to_owned(), grant, None).await.expect("a good grant");
    org
}

/// Alerts and budgets of every kind that is looked at in the transaction of usage.
async fn watch(store: &Store, org: OrgId) {
    let far = Credits::from_micros(900_000_000_000);
    let label = |id: &str| Label::parse("id", id).expect("a label");
    let alert = |kind, scope| NewRule {
        title: "bench".to_owned(),
        kind,
        scope,
        recipients: default_recipients(),
        margin_percent: 5,
    };
    let project = |id: &str| alert::Scope { project: Some(label(id)), ..alert::Scope::default() };
    let mut alerts = vec![
        alert(alert::Kind::BalanceBelow { amount: Credits::from_micros(1) }, alert::Scope::default()),
        alert(alert::Kind::BalanceBelow { amount: Credits::from_micros(2) }, alert::Scope::default()),
    ];
    for per in alert::Per::ALL {
        alerts.push(alert(alert::Kind::SpendAbove { amount: far, per }, alert::Scope::default()));
        alerts.push(alert(alert::Kind::SpendAbove { amount: far, per }, project("p1")));
    }
    for alert in alerts {
        store.set_alert(org, By::command().into(), None, alert).await.expect("a good alert");
    }
    for n in 0..4 {
        for (whose, id) in [(Whose::Project, format!("p{n}")), (Whose::User, format!("u{n}"))] {
            let id = label(&id);
            let (title, per) = ("bench".to_owned(), alert::Per::Cycle);
            let terms = Terms { title, whose, id, amount: far, per, warn_percent: Some(80), pauses: true };
            let to = default_recipients();
            store.set_budget(org, By::command().into(), None, terms, to).await.expect("a good budget");
        }
    }
}

async fn ingest(dir: &Path, lines: &[String], watched: bool) -> Duration {
    let store = Store::open(Options::new(dir)).await.expect("opens");
    let org = org(&store).await;
    if watched {
        watch(&store, org).await;
    }
    let watch = Stopwatch::start();
    // As an import does: the next batch is parsed while the last is written.
    let (parsed, mut waiting) = tokio::sync::mpsc::channel(BATCHES_AHEAD);
    let lines = lines.to_vec();
    let parser = tokio::spawn(async move {
        for batch in lines.chunks(BATCH) {
            let events = batch.iter().map(|line| Event::from_json(line, Form::Plain).expect("a good event")).collect();
            parsed.send(events).await.expect("somebody takes the batch");
        }
    });
    let mut running = tokio::task::JoinSet::new();
    while let Some(events) = waiting.recv().await {
        if running.len() == IN_FLIGHT {
            running.join_next().await.expect("some run").expect("no panic");
        }
        let store = store.clone();
        running.spawn(async move { store.ingest(org, "bench".to_owned(), events).await.expect("the writer works") });
    }
    while let Some(done) = running.join_next().await {
        done.expect("no panic");
    }
    parser.await.expect("no panic");
    let took = watch.elapsed();
    store.close().await;
    took
}

/// Reads what was written and inserts it into an empty database of the same schema.
fn raw_inserts(dir: &Path) -> Duration {
    let written = Connection::open(dir.join("scrip.db")).expect("opens");
    let target = tempfile::tempdir().expect("a folder for the bench");
    let conn = Connection::open(target.path().join("raw.db")).expect("opens");
    let schema: Vec<String> = written
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
        .and_then(|mut found| found.query_map([], |row| row.get(0))?.collect())
        .expect("reads the schema");
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;")
        .expect("sets");
    for sql in schema {
        conn.execute_batch(&sql).expect("the same schema");
    }
    // Not part of what is timed: the org that the rows refer to.
    copy(&written, &conn, "org", 0, i64::MAX);
    let batches: Vec<Vec<(String, Vec<Vec<Value>>)>> = (0..EVENTS)
        .step_by(BATCH)
        .map(|from| {
            let from = i64::try_from(from).expect("small");
            let to = from + i64::try_from(BATCH).expect("small");
            TABLES.iter().map(|table| rows(&written, table, from, to)).collect()
        })
        .collect();
    let watch = Stopwatch::start();
    for batch in &batches {
        conn.execute_batch("BEGIN IMMEDIATE").expect("begins");
        for (insert, rows) in batch {
            let mut statement = conn.prepare_cached(insert).expect("prepares");
            for row in rows {
                statement.execute(rusqlite::params_from_iter(row)).expect("inserts");
            }
        }
        conn.execute_batch("COMMIT").expect("commits");
    }
    watch.elapsed()
}

/// The statement that inserts a table's rows, and those of them with `from < seq <= to`.
fn rows(conn: &Connection, table: &str, from: i64, to: i64) -> (String, Vec<Vec<Value>>) {
    let key = if table == "org" { "org_id" } else { "seq" };
    // In the order of the primary key: the kindest there is to raw inserts.
    let sql = format!("SELECT * FROM {table} WHERE {key} > ?1 AND {key} <= ?2");
    let mut select = conn.prepare(&sql).expect("prepares");
    let columns = select.column_count();
    let marks = vec!["?"; columns].join(", ");
    let rows = select
        .query_map([from, to], |row| (0..columns).map(|column| row.get(column)).collect())
        .and_then(Iterator::collect)
        .expect("reads");
    (format!("INSERT INTO {table} VALUES ({marks})"), rows)
}

fn copy(from: &Connection, to: &Connection, table: &str, low: i64, high: i64) {
    let (insert, rows) = rows(from, table, low, high);
    for row in rows {
        to.execute(&insert, rusqlite::params_from_iter(row)).expect("inserts");
    }
}
