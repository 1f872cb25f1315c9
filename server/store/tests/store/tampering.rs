//! Whatever row is changed, `verify` finds it.
//!
//! One database with everything in it is made once. Then, from a fixed seed, a random row of a random table is edited,
//! deleted, or exchanged with another, without the triggers, references and, now and then, CHECKs in the way; verified;
//! and put back from a pristine copy. Some 10 ms each.

use crate::common::{Bench, NOON, Random, credits, event, export};
use crate::life::{live, usage};
use crate::retention::{keep, prune};
use ledger::alert::{Kind, Per};
use ledger::budget::{Terms, Whose};
use ledger::{OrgId, Timestamp};
use proptest::test_runner::Config;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use store::alert::{Act, default_recipients};
use store::{By, NewRule, Store};

/// Tamperings in a run; `PROPTEST_CASES` asks for more.
const CASES: u32 = 1_000;
/// Where the random choices begin.
const SEED: u64 = 0x5363_7270_2026_1121;
/// In how many tamperings one is made that not even the schema's CHECKs allow.
const WILD: u64 = 8;
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_micros(NOON.micros() + offset)
}

async fn database() -> Bench {
    let bench = Bench::new().await;
    for (name, zone) in [("Acme", "Europe/Berlin"), ("Bolt", "America/St_Johns")] {
        bench.clock.set(NOON);
        let org = bench.org(name, zone).await;
        live(&bench, org, name).await;
        watched(&bench, org).await;
    }
    let org = bench.org("Cave", "Asia/Kathmandu").await;
    bench.grant(org, "1").await;
    bench.ingest(org, usage(0, 6)).await;
    // Some of an org's events are in wide usage and some of them are not yet.
    bench.store.widen_from(1).await.expect("widens");
    bench.ingest(org, usage(1, 3)).await;
    bench.assert_verified().await;
    bench
}

/// Rules and budgets of days, some of which have fired; for whom, and of what, there is usage today.
async fn watched(bench: &Bench, org: OrgId) {
    let label = |text: &str| ledger::Label::parse("id", text).expect("valid");
    let scopes = [
        ledger::alert::Scope { user: Some(label("u1")), ..Default::default() },
        ledger::alert::Scope { source: Some(label("s1")), ..Default::default() },
    ];
    let spend = |amount: &str| Kind::SpendAbove { amount: credits(amount), per: Per::Day };
    let rules = [
        (spend("0.5"), scopes[0].clone()),
        (spend("900"), scopes[1].clone()),
        (Kind::BalanceBelow { amount: credits("5000") }, Default::default()),
        (Kind::RunwayBelow { days: 200 }, Default::default()),
        (Kind::KeyChanged, Default::default()),
    ];
    for ((kind, scope), number) in rules.into_iter().zip(1..) {
        let title = format!("Rule {number}");
        let new = NewRule { title, kind, scope, recipients: default_recipients(), margin_percent: number };
        bench.store.set_alert(org, By::command().into(), None, new).await.expect("made");
    }
    let whose = [(Whose::Project, "p1", "0.5"), (Whose::User, "u1", "1.5"), (Whose::Tenant, "t2", "700")];
    for (whose, id, amount) in whose {
        let (title, id, amount) = (format!("Budget of {id}"), label(id), credits(amount));
        let terms = Terms { title, whose, id, amount, per: Per::Day, warn_percent: Some(80), pauses: false };
        bench.store.set_budget(org, By::command().into(), None, terms, default_recipients()).await.expect("made");
    }
    let now = bench.store.now();
    let one = |n: i64| {
        let (time, data) = (now, r#"{"project":"p1","user":"u1","tenant":"t2"}"#);
        event(&format!(r#"{{"id":"watched-{n}","source":"s1","type":"export","time":"{time}","data":{data}}}"#))
    };
    bench.ingest(org, (0..3).map(one).collect()).await;
    bench.store.act_on_alert(org, By::command().into(), ledger::RuleId(2), Act::Mute(true)).await.expect("muted");
    bench.store.look_at_alerts(org).await.expect("looks");
}

/// A connection that nothing stops.
fn unbound(bench: &Bench) -> Connection {
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    conn.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0")
        .expect("sets");
    let triggers: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .and_then(|mut found| found.query_map([], |row| row.get(0))?.collect())
        .expect("reads");
    for trigger in triggers {
        conn.execute_batch(&format!("DROP TRIGGER {trigger}")).expect("drops");
    }
    conn
}

/// Identities of the first org up to its 20th event are merged, as they are after some 30,000 events.
fn merge_identities(conn: &Connection) {
    use sha2::{Digest as _, Sha256};
    let sql = "SELECT i.seq, d.value, i.external_id FROM identity i
        JOIN dimension d ON d.org_id = i.org_id AND d.kind = 2 AND d.id = i.source_id WHERE i.org_id = 1 AND i.seq <= 20";
    let mut statement = conn.prepare(sql).expect("reads");
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("reads");
    for row in found {
        let (seq, source, id): (i64, String, String) = row.expect("reads");
        let digest = Sha256::new()
            .chain_update((source.len() as u64).to_be_bytes())
            .chain_update(&source)
            .chain_update(&id)
            .finalize();
        conn.execute("INSERT INTO identity_index VALUES (1, ?1, ?2)", rusqlite::params![&digest[..16], seq])
            .expect("inserts");
    }
    conn.execute("UPDATE org_total SET merged_seq = 20 WHERE org_id = 1", []).expect("updates");
}

/// Tables with their keys, and columns that nothing stands on. Left out are the outbox (messages and attempts are news of the ledger, kept
/// for a time: no entry binds them; what was told last of a balance may be older than the balance, since a past is not told), the history of
/// alerts (figures of moments that are over; what of it stands is compared with the rules), the tables of people and of what pages show:
/// `org_words` says how an org calls its credits, no entry binds it, so there is nothing that `verify` could compare it with.
/// Of rules: until when they are silent, what they told last and when they fired are nowhere else. Of budgets: more may have been told than
/// is used by now. Of an org's alerts: whether the job was there already.
const TABLES: [(&str, &[&str], &[&str]); 37] = [
    ("alert_rule", &["org_id", "rule_id"], &["snoozed_until", "seen", "fired_at", "fired_in"]),
    ("alert_org", &["org_id"], &["has_defaults", "past_at"]),
    ("budget", &["org_id", "budget_id"], &["standing", "standing_in"]),
    ("org", &["org_id"], &["name", "synthetic"]),
    ("meter", &["org_id", "meter_id"], &["title", "unit", "service", "agent"]),
    ("meter_set", &["org_id", "set_id"], &[]),
    ("rate_card", &["org_id", "version"], &[]),
    ("carry", &["org_id", "version", "line"], &[]),
    ("credit_grant", &["org_id", "grant_id"], &[]),
    ("entry", &["org_id", "seq"], &[]),
    ("posting", &["org_id", "entry_seq", "ordinal"], &[]),
    ("account", &["org_id", "account", "number"], &[]),
    ("dimension", &["org_id", "kind", "id"], &["name", "is_renamed", "said"]),
    ("event", &["org_id", "seq"], &[]),
    ("charge", &["org_id", "seq", "meter_id"], &[]),
    ("charge_tier", &["org_id", "seq", "meter_id"], &[]),
    ("tier_use", &["org_id", "version", "line", "cycle"], &[]),
    ("identity", &["org_id", "seq"], &[]),
    ("identity_index", &["org_id", "key"], &[]),
    ("org_total", &["org_id"], &[]),
    ("meter_total", &["org_id", "meter_id"], &[]),
    ("usage_quarter", &["org_id", "bucket", "meter_id", "source_id", "project_id"], &[]),
    ("usage_day", &["org_id", "bucket", "meter_id", "source_id", "project_id"], &[]),
    ("calls_quarter", &["org_id", "bucket", "set_id", "source_id", "project_id"], &[]),
    ("calls_day", &["org_id", "bucket", "set_id", "source_id", "project_id"], &[]),
    ("hold", &["org_id", "hold_id"], &[]),
    ("hold_part", &["org_id", "hold_id", "ordinal"], &[]),
    ("voided", &["org_id", "event_seq"], &[]),
    ("interaction_owner", &["org_id", "interaction_id"], &[]),
    ("wide_org", &["org_id"], &[]),
    ("wide_day", &["org_id", "level", "day"], &[]),
    ("attribute_set", &["org_id", "set_id"], &[]),
    ("attribute", &["org_id", "name", "set_id"], &[]),
    ("trace_org", &["org_id"], &[]),
    ("trace", &["org_id", "kind", "id"], &[]),
    ("trace_event", &["org_id", "kind", "id", "at", "seq"], &[]),
    ("workflow_meter", &["org_id", "workflow_id", "meter_id"], &[]),
];

/// What there is beside where events were pruned.
const PRUNED_TABLES: [(&str, &[&str], &[&str]); 2] =
    [("pruning", &["org_id"], &["pruned_at"]), ("trace_pruned", &["org_id", "kind", "id"], &[])];

struct Table {
    name: &'static str,
    keys: &'static [&'static str],
    /// Columns that count: name, whether it may be NULL, type, place.
    columns: Vec<(String, bool, String, usize)>,
    /// Columns in all.
    width: usize,
}

impl Table {
    fn all(conn: &Connection, more: &[(&'static str, &'static [&'static str], &'static [&'static str])]) -> Vec<Self> {
        let of = |(name, keys, out): (&'static str, &'static [&'static str], &[&str])| {
            let mut statement = conn.prepare(&format!("PRAGMA table_info({name})")).expect("reads");
            let all = statement.query_map([], |row| {
                Ok((row.get::<_, String>(1)?, row.get::<_, i64>(3)? == 0, row.get::<_, String>(2)?))
            });
            let all: Vec<_> = all.expect("reads").map(|column| column.expect("reads")).collect();
            let width = all.len();
            let columns =
                all.into_iter().zip(0..).map(|((column, nullable, kind), place)| (column, nullable, kind, place));
            let columns = columns.filter(|(column, ..)| !out.contains(&column.as_str())).collect();
            Self { name, keys, columns, width }
        };
        TABLES.into_iter().chain(more.iter().copied()).map(of).collect()
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn row(&self, conn: &Connection, random: &mut Random) -> Vec<Value> {
        let count: i64 =
            conn.query_row(&format!("SELECT count(*) FROM {}", self.name), [], |row| row.get(0)).expect("counts");
        let count = usize::try_from(count).expect("small");
        assert!(count > 0, "{} is empty: nothing to tamper with", self.name);
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1 OFFSET {}",
            self.names(),
            self.name,
            self.keys.join(", "),
            random.below(count)
        );
        conn.query_row(&sql, [], |row| (0..self.columns.len()).map(|column| row.get(column)).collect()).expect("a row")
    }

    /// `WHERE` that finds a row by its key, whose values come after `from` others.
    fn place(&self, row: &[Value], from: usize) -> (String, Vec<Value>) {
        let conditions = self.keys.iter().zip(from + 1..).map(|(key, n)| format!("{key} = ?{n}")).collect::<Vec<_>>();
        let values = self.keys.iter().map(|key| {
            let index = self.columns.iter().position(|(name, ..)| name == key).expect("a key is a column");
            row[index].clone()
        });
        (conditions.join(" AND "), values.collect())
    }
}

fn other_value(conn: &Connection, table: &Table, column: usize, before: &Value, random: &mut Random) -> Value {
    let (_, nullable, kind, _) = &table.columns[column];
    match random.below(10) {
        0 if *nullable => return Value::Null,
        1..=4 => return table.row(conn, random)[column].clone(),
        _ => {}
    }
    match (kind.as_str(), before) {
        ("INTEGER", before) => {
            let Value::Integer(n) = *before else { return Value::Integer(1) };
            let by = i64::try_from(random.next() >> random.below(63)).unwrap_or(i64::MAX);
            Value::Integer(match random.below(8) {
                0 => n.wrapping_neg(),
                1 => 0,
                2 => by,
                3 => n.wrapping_add(by),
                4 => n.wrapping_sub(by),
                5 => n.wrapping_sub(1),
                6 => i64::MAX - n.rem_euclid(2),
                _ => n.wrapping_add(1),
            })
        }
        ("TEXT", before) => {
            let Value::Text(text) = before else { return Value::Text("x".to_owned()) };
            let mut chars: Vec<char> = text.chars().collect();
            let place = random.below(chars.len().max(1));
            match random.below(5) {
                0 => chars.push(' '),
                1 => chars.clear(),
                2 if !chars.is_empty() => drop(chars.remove(place)),
                3 if !chars.is_empty() => {
                    chars[place] = char::from(b'a' + u8::try_from(random.below(26)).expect("small"));
                }
                _ => chars.insert(place.min(chars.len()), '"'),
            }
            Value::Text(chars.into_iter().collect())
        }
        (_, before) => {
            let Value::Blob(bytes) = before else { return Value::Blob(vec![7; 32]) };
            let mut bytes = bytes.clone();
            let place = random.below(bytes.len());
            bytes[place] ^= 1 << random.below(8);
            Value::Blob(bytes)
        }
    }
}

/// Makes one change; says which, or `None` where that one changed nothing or the schema did not let it.
fn tamper(conn: &Connection, table: &Table, random: &mut Random) -> Option<String> {
    let Table { name, columns, .. } = table;
    let row = table.row(conn, random);
    match random.below(10) {
        0 | 1 => {
            let (place, values) = table.place(&row, 0);
            conn.execute(&format!("DELETE FROM {name} WHERE {place}"), params_from_iter(values)).ok()?;
            Some(format!("{name}: deleted {row:?}"))
        }
        2 | 3 => {
            let other = table.row(conn, random);
            let free: Vec<usize> =
                (0..columns.len()).filter(|n| !table.keys.contains(&columns[*n].0.as_str())).collect();
            if free.iter().all(|n| row[*n] == other[*n]) {
                return None;
            }
            conn.execute_batch("SAVEPOINT swap").expect("begins");
            // One row makes way, so that what is unique does not stop the exchange.
            let (gone, key) = table.place(&other, 0);
            let whole: Vec<Value> = conn
                .query_row(&format!("SELECT * FROM {name} WHERE {gone}"), params_from_iter(key.iter()), |row| {
                    (0..table.width).map(|column| row.get(column)).collect()
                })
                .expect("a row");
            conn.execute(&format!("DELETE FROM {name} WHERE {gone}"), params_from_iter(key.iter())).expect("deletes");
            let sets = |from: &[Value]| free.iter().map(|n| from[*n].clone()).collect::<Vec<_>>();
            let names =
                free.iter().zip(1..).map(|(n, m)| format!("{} = ?{m}", columns[*n].0)).collect::<Vec<_>>().join(", ");
            let update = |place: (String, Vec<Value>), from: &[Value]| {
                let values = sets(from).into_iter().chain(place.1);
                conn.execute(&format!("UPDATE {name} SET {names} WHERE {}", place.0), params_from_iter(values))
            };
            let marks = (1..=table.width).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
            let mut back = whole;
            for n in &free {
                back[columns[*n].3] = row[*n].clone();
            }
            let swapped = update(table.place(&row, free.len()), &other)
                .and_then(|_| conn.execute(&format!("INSERT INTO {name} VALUES ({marks})"), params_from_iter(back)))
                .is_ok();
            if !swapped {
                conn.execute_batch("ROLLBACK TO swap; RELEASE swap").expect("undone");
                return None;
            }
            conn.execute_batch("RELEASE swap").expect("ends");
            Some(format!("{name}: exchanged {row:?} with {other:?}"))
        }
        _ => {
            let column = random.below(columns.len());
            let after = other_value(conn, table, column, &row[column], random);
            // What is not counted is counted anew by the next look: nothing is lost.
            if after == row[column] || (columns[column].0 == "counted" && after == Value::Null) {
                return None;
            }
            let (place, values) = table.place(&row, 1);
            let column_name = &columns[column].0;
            let values = std::iter::once(after.clone()).chain(values);
            let sql = format!("UPDATE {name} SET {column_name} = ?1 WHERE {place}");
            conn.execute(&sql, params_from_iter(values)).ok()?;
            Some(format!("{name}.{column_name}: {:?} became {after:?} in {row:?}", row[column]))
        }
    }
}

/// Keeps a copy of everything as it is now.
fn keep_pristine(conn: &Connection, bench: &Bench) {
    let pristine = bench.dir.path().join("pristine.db");
    conn.execute("VACUUM INTO ?1", [pristine.to_str().expect("a path")]).expect("copies");
    conn.execute("ATTACH ?1 AS pristine", [pristine.to_str().expect("a path")]).expect("attaches");
}

/// Makes a table again what it was.
fn put_back(conn: &Connection, table: &str) {
    conn.pragma_update(None, "ignore_check_constraints", true).expect("sets");
    let sql =
        format!("BEGIN; DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM pristine.{table}; COMMIT");
    conn.execute_batch(&sql).expect("puts back");
}

async fn problems(store: &Store) -> Vec<String> {
    store.verify(|_, _| ()).await.expect("an answer, whatever the rows say").problems
}

#[tokio::test]
async fn the_database_that_is_tampered_with_has_everything_in_it() {
    let bench = database().await;
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = conn.prepare(sql).expect("reads");
        statement.query_map([], |row| row.get(0)).expect("reads").collect::<Result<_, _>>().expect("reads")
    };
    let mut kinds = ledger::EntryKind::NAMES.to_vec();
    kinds.sort_unstable();
    for org in [1, 2] {
        assert_eq!(texts(&format!("SELECT DISTINCT kind FROM entry WHERE org_id = {org} ORDER BY 1")), kinds);
        let statuses = texts(&format!("SELECT DISTINCT status FROM hold WHERE org_id = {org} ORDER BY 1"));
        assert_eq!(statuses, ["captured", "expired", "pending", "released"]);
        let grants = texts(&format!("SELECT DISTINCT kind FROM credit_grant WHERE org_id = {org} ORDER BY 1"));
        assert_eq!(grants, ["adjustment", "plan", "promotion", "purchase", "refund", "rollover"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_one_of_a_thousand_tamperings_is_found() {
    let bench = database().await;
    let conn = unbound(&bench);
    merge_identities(&conn);
    find_all(&bench, &conn, &Table::all(&conn, &[])).await;
}

/// Of pruned events only what they add up to is left; that is found as well, whatever is changed of it.
#[tokio::test(flavor = "multi_thread")]
async fn every_one_of_a_thousand_tamperings_with_pruned_orgs_is_found() {
    let bench = database().await;
    for (org, days) in [(OrgId(1), 33), (OrgId(2), 40)] {
        bench.clock.set(at(days * DAY));
        keep(&bench, org, Some(30)).await;
        prune(&bench).await;
        keep(&bench, org, None).await;
        bench.ingest(org, usage(20, 9)).await;
        bench.store.widen_from(1).await.expect("widens");
        bench.ingest(org, usage(21, 2)).await;
    }
    let verified = bench.store.verify(|_, _| ()).await.expect("readable");
    let gone: Vec<u64> = verified.pruned.iter().map(|pruned| pruned.events).collect();
    assert!(gone.len() == 2 && gone[0] > 20 && gone[1] > gone[0], "{gone:?}");
    let conn = unbound(&bench);
    merge_identities(&conn);
    find_all(&bench, &conn, &Table::all(&conn, &PRUNED_TABLES)).await;
}

/// Tampers with those tables; each time it must be found.
async fn find_all(bench: &Bench, conn: &Connection, tables: &[Table]) {
    assert_eq!(problems(&bench.store).await, Vec::<String>::new());
    keep_pristine(conn, bench);
    let mut random = Random(SEED);
    let cases = CASES.max(Config::default().cases);
    let (mut tampered, mut missed, mut by_file_only) = (0, Vec::new(), 0);
    while tampered < cases {
        let seed = random.0;
        let table = &tables[random.below(tables.len())];
        let wild = random.next().is_multiple_of(WILD);
        conn.pragma_update(None, "ignore_check_constraints", wild).expect("sets");
        let Some(change) = tamper(conn, table, &mut random) else { continue };
        tampered += 1;
        let found = problems(&bench.store).await;
        if found.is_empty() {
            missed.push(format!("seed {seed:#x}: {change}"));
        }
        by_file_only += u32::from(found.iter().all(|problem| problem.starts_with("the file")));
        put_back(conn, table.name);
        if tampered.is_multiple_of(100) {
            assert_eq!(problems(&bench.store).await, Vec::<String>::new(), "after {change} was put back");
        }
    }
    println!("seed {SEED:#x}: {tampered} tamperings, {by_file_only} of them told by the file's own rules alone");
    assert!(missed.is_empty(), "{} of {tampered} not found:\n{}", missed.len(), missed.join("\n"));
}

/// The chain of an org as its rows say it, oldest entry first.
async fn chain(store: &Store, org: OrgId) -> Vec<ledger::Entry> {
    let page = store::EntryPage { limit: 200, ..store::EntryPage::default() };
    let (rows, _) = store.entries(org, page).await.expect("reads");
    rows.into_iter().rev().map(|row| row.entry).collect()
}

#[tokio::test]
async fn the_first_broken_entry_of_each_org_is_named_first() {
    let bench = database().await;
    let conn = unbound(&bench);
    keep_pristine(&conn, &bench);
    let edits = [
        ("UPDATE entry SET cause = 'else'", "its sum or its hash is not what was sealed"),
        ("UPDATE entry SET version = 1", "it says more than its kind can, or its lines are not numbered from 0 on"),
        ("DELETE FROM entry", "it is missing"),
        ("UPDATE entry SET hash = zeroblob(32)", "its sum or its hash is not what was sealed"),
        ("UPDATE entry SET kind = 'else'", "its sum or its hash is not what was sealed"),
    ];
    conn.execute_batch("PRAGMA ignore_check_constraints = ON").expect("sets");
    for (edit, why) in edits {
        for (org, seq) in [(1, 9), (2, 5), (2, 12)] {
            conn.execute(&format!("{edit} WHERE org_id = {org} AND seq = {seq}"), []).expect(edit);
        }
        let found = problems(&bench.store).await;
        let first = |org: &str| found.iter().find(|problem| problem.starts_with(org)).cloned().unwrap_or_default();
        if edit.contains("kind") {
            assert!(
                first("org_1").starts_with("org_1: entry_9 is the first broken entry: it cannot be read"),
                "{found:?}"
            );
        } else {
            assert_eq!(first("org_1"), format!("org_1: entry_9 is the first broken entry: {why}"));
        }
        assert!(first("org_2").starts_with("org_2: entry_5 is the first broken entry"), "{found:?}");
        put_back(&conn, "entry");
    }
}

/// Compute units are what a formula charges: part of the event's content, and of what is rated again.
#[tokio::test]
async fn compute_units_that_were_changed_are_found() {
    let bench = database().await;
    let conn = unbound(&bench);
    keep_pristine(&conn, &bench);
    for edit in
        ["compute = 0 WHERE compute > 0", "compute = compute + 1 WHERE compute > 0", "compute = 1 WHERE seq = 3"]
    {
        assert!(conn.execute(&format!("UPDATE event SET {edit}"), []).expect(edit) > 0);
        let found = problems(&bench.store).await;
        assert!(found.iter().any(|problem| problem.contains("event_")), "{edit}: {found:?}");
        put_back(&conn, "event");
    }
    assert_eq!(problems(&bench.store).await, Vec::<String>::new());
}

/// Somebody who knows the code changes who paid and seals the chain again, with every cache: who pays follows from the
/// entries before, so it shows all the same.
#[tokio::test]
async fn a_chain_that_was_sealed_again_is_found_by_what_it_says() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.grant_with(org, "5", Some(at(DAY))).await;
    bench.grant(org, "5").await;
    bench.ingest(org, vec![export("1")]).await;
    bench.ingest(org, vec![export("2")]).await;
    let chain = chain(&bench.store, org).await;
    let conn = unbound(&bench);
    let mut head = chain[2].head();
    for old in &chain[3..] {
        let mut draft = old.draft.clone();
        draft.postings[0].account = ledger::Account::Grant(ledger::GrantId(2));
        let entry = ledger::Entry::seal(org, head, old.booked_at, draft).expect("fits");
        let values = rusqlite::params![entry.seq.0, entry.hash.as_slice()];
        conn.execute("UPDATE entry SET hash = ?2 WHERE seq = ?1", values).expect("updates");
        head = entry.head();
    }
    conn.execute_batch(
        "UPDATE posting SET number = 2 WHERE entry_seq > 3 AND account = 'grant';
         UPDATE account SET balance = 5000000 WHERE account = 'grant' AND number = 1;
         UPDATE account SET balance = 3000000 WHERE account = 'grant' AND number = 2",
    )
    .expect("updates");
    let found = problems(&bench.store).await;
    assert_eq!(
        found,
        [
            "org_1: entry_4 posts grant_2 -1.000000, consumed 1.000000, by the entries before it, it should be grant_1 -1.000000, consumed 1.000000",
            "org_1: entry_5 posts grant_2 -1.000000, consumed 1.000000, by the entries before it, it should be grant_1 -1.000000, consumed 1.000000",
        ]
    );
}
