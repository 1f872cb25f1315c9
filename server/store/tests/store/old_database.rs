//! A database from before holds and corrections: it migrates, verifies, and goes on.

use crate::common::{Bench, NOON, credits, event, export};
use ledger::canon::Canon;
use ledger::entry::{Draft, Head};
use ledger::merkle::Builder;
use ledger::settle::Charge;
use ledger::settle::leaf;
use ledger::{
    Account, Credits, Entry, EntryKind, EventSeq, GrantId, LineNo, Meter, OrgId, Posting, Quantity, RateCardVersion,
    Timestamp, rate::Carry,
};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

const FIRST_SCHEMA: &str = include_str!("../../../../migrations/sqlite/0001_foundation.sql");
const APPLICATION_ID: i64 = 0x5363_7270;
const MINUTE: i64 = 60_000_000;

/// A ledger as the first release wrote it.
struct Old {
    conn: Connection,
    head: Head,
    balances: BTreeMap<Account, i64>,
    grants: i64,
    events: i64,
}

fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_micros(NOON.micros() + (minutes - 600) * MINUTE)
}

impl Old {
    fn new(path: &std::path::Path) -> Self {
        let conn = Connection::open(path).expect("opens");
        conn.execute_batch(FIRST_SCHEMA).expect("the first schema");
        conn.pragma_update(None, "user_version", 1).expect("sets");
        conn.pragma_update(None, "application_id", APPLICATION_ID).expect("sets");
        let lines = r#"[{"meter":"export","rule":"unit","price":"1","per":1}]"#;
        let now = minute(0).micros();
        let run = |sql: &str| conn.execute(sql, []).expect("inserts");
        run(&format!("INSERT INTO org VALUES (1, 'Acme', 'Europe/Berlin', 0, {now})"));
        run("INSERT INTO meter VALUES (1, 1, 'export', 'Export', 'unit')");
        run("INSERT INTO meter_set VALUES (1, 1, '1')");
        run(&format!("INSERT INTO rate_card VALUES (1, 1, {now}, '{lines}', {now})"));
        run("INSERT INTO dimension VALUES (1, 1, 1, 'export', NULL)");
        run("INSERT INTO dimension VALUES (1, 2, 1, 'api', NULL)");
        Self { conn, head: Head::START, balances: BTreeMap::new(), grants: 0, events: 0 }
    }

    fn book(&mut self, kind: EntryKind, happened_at: Timestamp, now: Timestamp, cause: &str, lines: &[(Account, i64)]) {
        let posting =
            |(account, micros): &(Account, i64)| Posting { account: *account, amount: Credits::from_micros(*micros) };
        let draft = Draft { kind, happened_at, cause: cause.to_owned(), postings: lines.iter().map(posting).collect() };
        let entry = Entry::seal(OrgId(1), self.head, now, draft).expect("fits");
        let kind = &entry.draft.kind;
        let grant = match kind {
            EntryKind::Grant { grant, .. } | EntryKind::Expiry { grant } | EntryKind::Repayment { grant } => {
                Some(grant.0)
            }
            _ => None,
        };
        let range = kind.settles();
        let row = params![
            entry.seq.0,
            kind.name(),
            grant,
            range.map(|(first, ..)| first.0),
            range.map(|(_, last, _)| last.0),
            range.map(|(.., root)| root.to_vec()),
            happened_at.micros(),
            now.micros(),
            cause,
            entry.hash.as_slice()
        ];
        self.conn
            .execute("INSERT INTO entry VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", row)
            .expect("inserts");
        for ((account, micros), ordinal) in lines.iter().zip(0_i64..) {
            let (name, number) = account.parts();
            let row = params![entry.seq.0, ordinal, name, number, micros];
            self.conn.execute("INSERT INTO posting VALUES (1, ?1, ?2, ?3, ?4, ?5)", row).expect("inserts");
            *self.balances.entry(*account).or_default() += micros;
        }
        self.head = entry.head();
    }

    fn give(&mut self, amount: i64, expires_at: Option<Timestamp>, now: Timestamp) -> GrantId {
        self.grants += 1;
        let id = GrantId(self.grants);
        let row = params![id.0, amount, now.micros(), expires_at.map(Timestamp::micros)];
        let sql = "INSERT INTO credit_grant VALUES (1, ?1, 'purchase', ?2, 0, '{}', ?3, ?4, 'bought')";
        self.conn.execute(sql, row).expect("inserts");
        let lines = [(Account::Grant(id), amount), (Account::Funding, -amount)];
        self.book(EntryKind::Grant { grant: id, terms: None }, now, now, "test", &lines);
        id
    }

    /// So many exports of one credit each in one commit, paid by these.
    fn export(&mut self, count: i64, now: Timestamp, payers: &[(Account, i64)]) {
        let (first, mut tree, mut canon) = (self.events + 1, Builder::default(), Canon::new(""));
        for _ in 0..count {
            self.events += 1;
            let seq = self.events;
            let said = export(&format!("old-{seq}"));
            let content = said.content_hash(&mut canon);
            let charge = Charge {
                meter: Meter::parse("export").expect("a meter"),
                quantity: Quantity::ONE,
                credits: credits("1"),
                version: RateCardVersion(1),
                line: LineNo(1),
                carry_before: Carry(0),
                carry_after: Carry(0),
                tier: None,
            };
            leaf(&mut canon, EventSeq(seq), &content, now, &[charge]);
            tree.push(canon.as_bytes());
            let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| self.conn.execute(sql, values).expect("inserts");
            let sql = "INSERT INTO event VALUES (1, ?1, ?2, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL)";
            run(sql, &[&seq, &now.micros()]);
            run("INSERT INTO charge VALUES (1, ?1, 1, 1, 0, 1000000, 1, 1, 0)", &[&seq]);
            run("INSERT INTO identity VALUES (1, ?1, 1, ?2, ?3)", &[&seq, &format!("old-{seq}"), &&content[..16]]);
        }
        let quarter = now.micros() / (15 * MINUTE);
        // Noon and before, on one day of the zone.
        let day = NOON.micros() / (24 * 60 * MINUTE);
        for (table, bucket) in [("usage_quarter", quarter), ("usage_day", day)] {
            let sql = format!(
                "INSERT INTO {table} VALUES (1, ?1, 1, 1, 0, ?2 * 1000000, ?2, 0) ON CONFLICT DO UPDATE
                SET credits = credits + excluded.credits, quantity = quantity + excluded.quantity"
            );
            self.conn.execute(&sql, [bucket, count]).expect("inserts");
        }
        for (table, bucket) in [("calls_quarter", quarter), ("calls_day", day)] {
            let sql = format!(
                "INSERT INTO {table} VALUES (1, ?1, 1, 1, 0, ?2, 0, 0) ON CONFLICT DO UPDATE SET events = events + excluded.events"
            );
            self.conn.execute(&sql, [bucket, count]).expect("inserts");
        }
        let kind = EntryKind::Usage { first: EventSeq(first), last: EventSeq(self.events), root: tree.root() };
        let mut lines: Vec<(Account, i64)> =
            payers.iter().map(|(account, part)| (*account, -part * 1_000_000)).collect();
        lines.push((Account::Consumed, count * 1_000_000));
        self.book(kind, now, now, "test", &lines);
    }

    fn finish(self) {
        for (account, balance) in &self.balances {
            let (name, number) = account.parts();
            self.conn
                .execute("INSERT INTO account VALUES (1, ?1, ?2, ?3)", params![name, number, balance])
                .expect("inserts");
        }
        let run = |sql: &str| self.conn.execute(sql, [self.events]).expect("inserts");
        run("INSERT INTO org_total VALUES (1, 0, ?1, 0, 0)");
        run("INSERT INTO meter_total VALUES (1, 1, ?1 * 1000000, ?1, 0)");
        self.conn.execute("INSERT INTO carry VALUES (1, 1, 1, 0)", []).expect("inserts");
    }
}

/// Grants, usage, debt and what repaid it, a grant given while another's expiry was not booked yet.
fn old_ledger(path: &std::path::Path) {
    let mut old = Old::new(path);
    let soon = old.give(3_000_000, Some(minute(60)), minute(1));
    let lasting = old.give(2_000_000, None, minute(2));
    old.export(2, minute(3), &[(Account::Grant(soon), 2)]);
    old.give(1_000_000, Some(minute(105)), minute(100));
    let (soon_left, late_left) = (1_000_000, 1_000_000);
    let expired = |left: i64| [(Account::Grant(soon), -left), (Account::Expired, left)];
    old.book(EntryKind::Expiry { grant: soon }, minute(60), minute(110), "job:expiry", &expired(soon_left));
    let late = GrantId(3);
    let expired = [(Account::Grant(late), -late_left), (Account::Expired, late_left)];
    old.book(EntryKind::Expiry { grant: late }, minute(105), minute(110), "job:expiry", &expired);
    old.export(5, minute(110), &[(Account::Grant(lasting), 2), (Account::Debt, 3)]);
    let next = old.give(10_000_000, None, minute(200));
    let repaid = [(Account::Grant(next), -3_000_000), (Account::Debt, 3_000_000)];
    old.book(EntryKind::Repayment { grant: next }, minute(200), minute(200), "test", &repaid);
    old.finish();
}

#[tokio::test]
async fn a_database_of_the_first_release_migrates_and_verifies() {
    let dir = tempfile::tempdir().expect("a folder");
    old_ledger(&dir.path().join("scrip.db"));
    let bench = Bench::open(dir).await;
    bench.assert_verified().await;
    let org = OrgId(1);
    assert_eq!(bench.store.balance(org).await.expect("reads").available, credits("7"));

    // And on with what there is now.
    bench.grant(org, "4").await;
    bench.ingest(org, vec![export("old-1"), export("new")]).await;
    let hold = store::NewHold {
        user: None,
        tenant: None,
        amount: credits("2"),
        expires_in_s: None,
        meter: None,
        source: None,
        project: None,
        description: String::new(),
    };
    let hold = bench.store.create_hold(org, "test".to_owned(), hold, None).await.expect("covered").answer;
    bench.store.capture_hold(org, "test".to_owned(), hold.id, None, None).await.expect("pending");
    // An event of the old part, paid by a debt that is repaid.
    let void = store::CorrectionRequest::Void { event: EventSeq(7), reason: "wrong".to_owned() };
    let corrected = bench.store.correct(org, "test".to_owned(), void, false, None).await.expect("a good correction");
    assert_eq!(corrected.answer.grants.len(), 1);
    bench.ingest(org, vec![event(r#"{"id":"last","source":"web","type":"export"}"#)]).await;
    bench.assert_verified().await;
}

#[tokio::test]
async fn what_is_changed_before_migrating_is_found_after() {
    for edit in [
        "UPDATE credit_grant SET amount = amount + 1 WHERE grant_id = 2",
        "UPDATE posting SET number = 1 WHERE account = 'grant' AND entry_seq = 7",
        "UPDATE charge SET quantity = 2 WHERE seq = 4",
        "UPDATE entry SET cause = 'else' WHERE seq = 5",
        "UPDATE usage_day SET quantity = quantity + 1",
        "UPDATE account SET balance = balance + 1 WHERE account = 'funding'",
        "UPDATE credit_grant SET expires_at = expires_at + 7200000000 WHERE grant_id = 3",
        "UPDATE rate_card SET created_at = created_at + 1",
        "DELETE FROM carry",
    ] {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("scrip.db");
        old_ledger(&file);
        let conn = Connection::open(&file).expect("opens");
        for table in ["entry", "posting", "event", "charge", "identity"] {
            conn.execute_batch(&format!("DROP TRIGGER {table}_is_final; DROP TRIGGER {table}_stays")).expect("drops");
        }
        assert!(conn.execute(edit, []).expect(edit) > 0, "{edit} changed nothing");
        drop(conn);
        let bench = Bench::open(dir).await;
        let problems = bench.store.verify(|_, _| ()).await.expect("readable").problems;
        assert!(!problems.is_empty(), "not found: {edit}");
    }
}
