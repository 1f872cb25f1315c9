//! What the folder, the file and the rows are protected from.

use crate::common::{Bench, credits, export};
use rusqlite::Connection;
use store::{NewGrant, OpenError, Options, Store, StoreError};

#[tokio::test]
async fn a_folder_has_one_holder() {
    let bench = Bench::new().await;
    let second = Store::open(Options::new(bench.dir.path())).await;
    assert!(matches!(second, Err(OpenError::Locked(_))));
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_in_one_line_and_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let missing = Store::open(Options::new(dir.path().join("none"))).await.err().expect("missing");
    assert!(matches!(missing, OpenError::MissingFolder(_)));

    let file = dir.path().join("scrip.db");
    std::fs::write(
        &file,
        b"this is not a database, but somebody's notes, long enough to be read as a header of one hundred bytes",
    )
    .expect("writes");
    let before = std::fs::read(&file).expect("reads");
    let corrupt = Store::open(Options::new(dir.path())).await.err().expect("corrupt");
    assert!(matches!(corrupt, OpenError::Corrupt { .. }), "{corrupt}");
    assert!(!corrupt.to_string().contains('\n'));
    assert_eq!(std::fs::read(&file).expect("reads"), before);
}

#[tokio::test]
async fn an_empty_folder_or_file_passes_for_no_database() {
    let dir = tempfile::tempdir().expect("a folder");
    let look = || Options { create: false, ..Options::new(dir.path()) };
    let none = Store::open(look()).await.err().expect("no database");
    assert!(matches!(none, OpenError::NoDatabase(_)), "{none}");
    assert!(!dir.path().join("scrip.db").exists());
    std::fs::write(dir.path().join("scrip.db"), b"").expect("writes");
    let cut = Store::open(Options::new(dir.path())).await.err().expect("cut to nothing");
    assert!(matches!(cut, OpenError::Corrupt { .. }), "{cut}");
}

#[tokio::test]
async fn nobody_else_on_the_machine_reads_the_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new().await;
    let mode = std::fs::metadata(bench.dir.path().join("scrip.db")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused() {
    let bench = Bench::new().await;
    bench.store.close().await;
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    conn.pragma_update(None, "user_version", 999).expect("sets");
    drop(conn);
    let newer = Store::open(Options::new(bench.dir.path())).await.err().expect("newer");
    assert!(matches!(newer, OpenError::Newer { found: 999, .. }), "{newer}");
}

#[tokio::test]
async fn another_programs_database_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let conn = Connection::open(dir.path().join("scrip.db")).expect("opens");
    conn.execute_batch("CREATE TABLE theirs (x)").expect("creates");
    drop(conn);
    let foreign = Store::open(Options::new(dir.path())).await.err().expect("foreign");
    assert!(matches!(foreign, OpenError::Corrupt { .. }), "{foreign}");
}

#[tokio::test]
async fn the_database_itself_refuses_changes_to_history() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.ingest(org, vec![export("1")]).await;
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    for table in ["entry", "posting", "event", "charge", "identity"] {
        let update = conn.execute(&format!("UPDATE {table} SET org_id = org_id"), []).expect_err("refused");
        assert!(update.to_string().contains("append-only"), "{update}");
        let delete = conn.execute(&format!("DELETE FROM {table}"), []).expect_err("refused");
        assert!(delete.to_string().contains("append-only"), "{delete}");
    }
}

#[tokio::test]
async fn a_refused_write_is_undone_alone() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    assert!(bench.store.create_user("a@example.com", "x", false).await.is_ok());
    assert!(matches!(bench.store.create_user("A@example.com ", "x", false).await, Err(StoreError::Conflict("email"))));
    let nothing = NewGrant {
        kind: ledger::GrantKind::Promotion,
        amount: credits("0"),
        priority: 0,
        scope: ledger::Scope::default(),
        effective_at: None,
        expires_at: None,
        description: "nothing".to_owned(),
        cost: None,
        rollover: None,
    };
    let refused = bench.store.give_grant(org, "test".to_owned(), nothing, None).await;
    assert!(matches!(refused, Err(StoreError::Refused(ledger::Refusal::GrantNotPositive))));
    bench.grant(org, "1").await;
    bench.assert_verified().await;
}

#[tokio::test]
async fn after_closing_writes_are_told_so() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.store.close().await;
    let late = bench.store.ingest(org, "test".to_owned(), vec![export("1")]).await;
    assert!(matches!(late, Err(StoreError::Stopped)));
}

#[tokio::test]
async fn a_backup_is_whole_verified_and_never_replaces_a_file() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.grant(org, "10").await;
    bench.ingest(org, (0..100).map(|n| export(&n.to_string())).collect()).await;
    let copy = tempfile::tempdir().expect("a folder");
    let file = copy.path().join("scrip.db");
    bench.store.backup(&file).await.expect("backs up");
    assert!(matches!(bench.store.backup(&file).await, Err(StoreError::FileExists(_))));
    let restored = Store::open(Options::new(copy.path())).await.expect("opens");
    assert_eq!(restored.balance(org).await.expect("reads").debt, credits("90"));
}

/// Every kind of edit that somebody with the file could make, without the triggers in their way.
#[tokio::test]
async fn verify_finds_every_kind_of_tampering() {
    let edits = [
        "UPDATE entry SET cause = 'x' WHERE seq = 2",
        "UPDATE entry SET booked_at = booked_at + 1 WHERE seq = 3",
        "DELETE FROM posting WHERE entry_seq = 3 AND ordinal = 0",
        "UPDATE posting SET amount = amount + 1 WHERE entry_seq = 2",
        "DELETE FROM entry WHERE seq = 2",
        "UPDATE event SET bytes = 1 WHERE seq = 2",
        "UPDATE event SET occurred_at = occurred_at + 1 WHERE seq = 2",
        "UPDATE event SET failed = 1 WHERE seq = 3",
        "DELETE FROM event WHERE seq = 3",
        "UPDATE charge SET credits = credits + 1 WHERE seq = 1",
        "UPDATE charge SET quantity = quantity + 1 WHERE seq = 1",
        "DELETE FROM charge WHERE seq = 4",
        "UPDATE identity SET external_id = 'other' WHERE seq = 1",
        "UPDATE dimension SET value = 'other' WHERE kind = 2",
        "UPDATE account SET balance = balance + 1 WHERE account = 'consumed'",
        "UPDATE credit_grant SET amount = amount + 1",
        "UPDATE carry SET carry = carry + 1",
        "UPDATE usage_quarter SET credits = credits + 1",
        "UPDATE usage_day SET credits = credits + 1",
        "UPDATE calls_quarter SET events = events + 1",
        "DELETE FROM usage_quarter",
    ];
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    bench.grant(org, "2").await;
    for id in ["1", "2", "3"] {
        let tokens = format!(
            r#"{{"id":"{id}","source":"api","type":"ai_text","data":{{"quantities":{{"input_tokens":7,"completion_tokens":9}}}}}}"#
        );
        bench.ingest(org, vec![crate::common::event(&tokens), export(&format!("e{id}"))]).await;
    }
    bench.assert_verified().await;
    bench.store.close().await;
    for edit in edits {
        let copy = tempfile::tempdir().expect("a folder");
        let file = copy.path().join("scrip.db");
        std::fs::copy(bench.dir.path().join("scrip.db"), &file).expect("copies");
        let conn = Connection::open(&file).expect("opens");
        let triggers: Vec<String> = conn
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .and_then(|mut found| found.query_map([], |row| row.get(0))?.collect())
            .expect("reads");
        conn.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").expect("sets");
        for trigger in triggers {
            conn.execute_batch(&format!("DROP TRIGGER {trigger}")).expect("drops");
        }
        let changed = conn.execute(edit, []).expect(edit);
        assert!(changed > 0, "{edit} changed nothing");
        drop(conn);
        let tampered = Store::open(Options::new(copy.path())).await.expect("opens");
        let verified = tampered.verify(|_, _| ()).await.expect("readable");
        assert!(!verified.problems.is_empty(), "not found: {edit}");
        tampered.close().await;
    }
}

/// A disk of its own in memory, which goes when this goes; `None` where the machine does not let us mount.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a folder");
        mount(&["-t", "tmpfs", "-o", size, "tmpfs"], dir.path()).then_some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

fn mount(arguments: &[&str], at: &std::path::Path) -> bool {
    std::process::Command::new("mount").args(arguments).arg(at).output().is_ok_and(|done| done.status.success())
}

#[tokio::test]
async fn a_full_disk_ends_the_writer_and_loses_nothing_acknowledged() {
    let Some(disk) = SmallDisk::new("size=3m") else {
        println!("skipped: this machine does not let the test mount a small disk");
        return;
    };
    let store = Store::open(Options::new(disk.0.path())).await.expect("opens");
    let lines = serde_json::from_str(r#"[{"meter":"export","rule":"unit","price":"1"}]"#).expect("valid");
    let new = store::NewOrg {
        offers: store::Offers::default(),
        name: "Acme".to_owned(),
        zone: "UTC".to_owned(),
        synthetic: false,
        words: ledger::Words::default(),
        meters: vec![],
        agents: vec![],
        lines,
    };
    let org = store.create_org(new).await.expect("a new org").id;
    let batch = |n: usize| (0..500).map(|k| export(&format!("{n}-{k}"))).collect::<Vec<_>>();
    let mut acknowledged = 0;
    let refused = loop {
        match store.ingest(org, "test".to_owned(), batch(acknowledged)).await {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 1_000, "a disk of 3 MB takes no half a million events");
    };
    assert!(matches!(refused, StoreError::Stopped), "{refused:?}");
    let line = store.stopped().await;
    assert!(line.starts_with("the disk is full"), "{line}");
    store.close().await;

    assert!(mount(&["-o", "remount,size=64m"], disk.0.path()), "the disk grows");
    let store = Store::open(Options::new(disk.0.path())).await.expect("opens again");
    assert_eq!(store.verify(|_, _| ()).await.expect("readable").problems, Vec::<String>::new());
    for n in 0..acknowledged {
        let again = store.ingest(org, "test".to_owned(), batch(n)).await.expect("the writer works");
        assert_eq!(crate::common::counts(&again), (0, 500, 0));
    }
    store.close().await;
}

#[tokio::test]
async fn a_key_ends_at_its_instant_also_when_it_is_remembered() {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "UTC").await;
    let hour_later = ledger::Timestamp::from_micros(crate::common::NOON.micros() + 3_600_000_000);
    let new = store::NewKey {
        org,
        name: "test".to_owned(),
        prefix: "abcdefgh".to_owned(),
        hash: [7; 32],
        scopes: vec![store::Scope::EventsWrite],
        project: None,
        expires_at: Some(hour_later),
    };
    bench.store.create_key(store::audit::By::command(), new, None).await.expect("a new key");
    for _ in 0..2 {
        let key = bench.store.key([7; 32]).await.expect("reads").expect("in force");
        assert!(key.allows(store::Scope::EventsWrite) && !key.allows(store::Scope::LedgerRead));
    }
    bench.clock.set(hour_later);
    assert_eq!(bench.store.key([7; 32]).await.expect("reads"), None);
}
