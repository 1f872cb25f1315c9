//! Snapshots under load, and their way back into a folder.

use crate::common::{Bench, NOON, export};
use ledger::OrgId;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use store::{OpenError, Restored, SnapshotError, Step, Store, Verified};

/// Events acknowledged before each snapshot of the test under load.
const BETWEEN_SNAPSHOTS: u64 = 60;

/// A folder with a snapshot of a ledger of two orgs in it, and 20 events.
async fn snapshot() -> (tempfile::TempDir, PathBuf) {
    let bench = Bench::new().await;
    for name in ["Acme", "Bolt"] {
        let org = bench.org(name, "UTC").await;
        bench.grant(org, "5").await;
        bench.ingest(org, (0..10).map(|n| export(&n.to_string())).collect()).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("snapshot.db");
    store::backup::folder(bench.dir.path(), &file, |_| ()).expect("backs up");
    (folder, file)
}

/// A folder whose database holds one org of one event; the store is closed.
async fn other() -> Bench {
    let bench = Bench::new().await;
    let org = bench.org("Other", "UTC").await;
    bench.ingest(org, vec![export("other")]).await;
    bench.store.close().await;
    bench
}

fn restore(file: &Path, dir: &Path, replace: bool) -> Result<Restored, SnapshotError> {
    store::restore::folder(file, dir, replace, NOON, |_| ())
}

fn intact(verified: &Verified) -> (u64, u64) {
    assert_eq!(verified.problems, Vec::<String>::new());
    (verified.orgs, verified.events)
}

fn in_folder(dir: &Path) -> (u64, u64) {
    intact(&store::verify::folder(dir, |_| ()).expect("readable"))
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        dir.read_dir().expect("a folder").flatten().map(|f| f.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Events by their ids, and hashes of entries, in the order of the ledger, by org.
fn rows(file: &Path) -> BTreeMap<(i64, &'static str), Vec<Vec<u8>>> {
    let conn = Connection::open(file).expect("opens");
    let mut found = BTreeMap::<_, Vec<_>>::new();
    let events = "SELECT org_id, CAST(external_id AS BLOB) FROM identity ORDER BY org_id, seq";
    for (what, sql) in [("events", events), ("entries", "SELECT org_id, hash FROM entry ORDER BY org_id, seq")] {
        let mut statement = conn.prepare(sql).expect("prepares");
        let mut rows = statement.query([]).expect("reads");
        while let Some(row) = rows.next().expect("reads") {
            found.entry((row.get(0).expect("an org"), what)).or_default().push(row.get(1).expect("a value"));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn snapshots_under_load_hold_what_was_acknowledged_and_a_prefix_of_the_rest() {
    let bench = Bench::new().await;
    let (acme, bolt) = (bench.org("Acme", "UTC").await, bench.org("Bolt", "UTC").await);
    bench.grant(acme, "100").await;
    let (enough, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let (store, org) = (bench.store.clone(), if writer % 2 == 0 { acme } else { bolt });
            tokio::spawn(write_until(store, org, writer, Arc::clone(&enough), Arc::clone(&acknowledged)))
        })
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let mut snapshots = Vec::new();
    for number in 0..5 {
        while acknowledged.load(Ordering::SeqCst) < number * BETWEEN_SNAPSHOTS {
            tokio::task::yield_now().await;
        }
        let (dir, file) = (bench.dir.path().to_owned(), folder.path().join(format!("{number}.db")));
        let known = acknowledged.load(Ordering::SeqCst);
        let to = file.clone();
        let taken = tokio::task::spawn_blocking(move || store::backup::folder(&dir, &to, |_| ())).await.expect("ends");
        snapshots.push((file, known, taken.expect("backs up")));
    }
    enough.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.expect("the writers end");
    }
    bench.store.close().await;
    let all = rows(&bench.dir.path().join("scrip.db"));
    for (file, known, taken) in snapshots {
        assert_eq!(store::verify::file(&file, |_| ()).expect("readable"), taken);
        let (_, events) = intact(&taken);
        assert!(events >= known, "{known} acknowledged, {events} in the snapshot");
        for (key, part) in rows(&file) {
            assert!(all[&key].starts_with(&part), "{key:?} of {} is no prefix", file.display());
        }
        let mode = std::fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(names(folder.path()), ["0.db", "1.db", "2.db", "3.db", "4.db"]);
}

async fn write_until(store: Store, org: OrgId, writer: usize, enough: Arc<AtomicBool>, acknowledged: Arc<AtomicU64>) {
    let mut number = 0;
    while !enough.load(Ordering::SeqCst) {
        let events = (0..3).map(|k| export(&format!("{writer}-{number}-{k}"))).collect();
        store.ingest(org, "test".to_owned(), events).await.expect("the writer works");
        acknowledged.fetch_add(3, Ordering::SeqCst);
        number += 1;
    }
}

#[tokio::test]
async fn a_backup_overwrites_what_an_interrupted_one_left_and_no_file_of_anybody() {
    let bench = Bench::new().await;
    bench.org("Acme", "UTC").await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.db");
    std::fs::write(folder.path().join("a.db.partial"), "half a snapshot").expect("writes");
    std::fs::write(folder.path().join("a.db.partial-journal"), "half a journal").expect("writes");
    let mut steps = Vec::new();
    store::backup::folder(bench.dir.path(), &file, |step| steps.push(step)).expect("backs up");
    let (done, of) = (0, 0);
    assert_eq!(steps, [Step::Copying, Step::Events { done, of }, Step::File]);
    assert_eq!(names(folder.path()), ["a.db"]);
    let again = store::backup::folder(bench.dir.path(), &file, |_| ());
    assert!(matches!(again, Err(SnapshotError::Exists(_))), "{again:?}");
    // A name that leads nowhere is somebody's too.
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).expect("links");
    assert!(matches!(store::backup::folder(bench.dir.path(), &link, |_| ()), Err(SnapshotError::Exists(_))));
    assert_eq!(names(folder.path()), ["a.db", "link.db"]);
}

#[tokio::test]
async fn one_process_at_a_time_writes_a_snapshot() {
    let bench = Bench::new().await;
    bench.org("Acme", "UTC").await;
    let folder = tempfile::tempdir().expect("a folder");
    let other = std::fs::File::create(folder.path().join("a.db.partial")).expect("creates");
    other.try_lock().expect("free");
    let second = store::backup::folder(bench.dir.path(), &folder.path().join("a.db"), |_| ());
    assert!(matches!(second, Err(SnapshotError::InProgress(_))), "{second:?}");
    assert_eq!(names(folder.path()), ["a.db.partial"]);
}

#[tokio::test]
async fn a_ledger_that_does_not_verify_makes_no_snapshot() {
    let bench = other().await;
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    conn.execute("UPDATE account SET balance = balance + 1", []).expect("tampers");
    drop(conn);
    let folder = tempfile::tempdir().expect("a folder");
    let refused = store::backup::folder(bench.dir.path(), &folder.path().join("a.db"), |_| ());
    assert!(matches!(refused, Err(SnapshotError::Broken { .. })), "{refused:?}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_snapshot_becomes_the_ledger_of_an_empty_folder() {
    let (_folder, file) = snapshot().await;
    let dir = tempfile::tempdir().expect("a folder");
    let restored = restore(&file, dir.path(), false).expect("restores");
    assert_eq!((intact(&restored.verified), restored.kept.as_slice()), ((2, 20), &[][..]));
    assert_eq!(names(dir.path()), ["scrip.db", "scrip.lock"]);
    let mode = std::fs::metadata(&restored.database).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let store = Store::open(store::Options::new(dir.path())).await.expect("opens");
    let org = store.org_by_name("Bolt").await.expect("reads").expect("there").id;
    let again = store.ingest(org, "test".to_owned(), vec![export("3"), export("new")]).await.expect("writes");
    assert_eq!(crate::common::counts(&again), (1, 1, 0));
    store.close().await;
    assert_eq!(in_folder(dir.path()), (2, 21));
}

#[tokio::test]
async fn an_existing_database_is_replaced_only_when_asked_and_then_kept() {
    let (_folder, file) = snapshot().await;
    let bench = other().await;
    let refused = restore(&file, bench.dir.path(), false);
    assert!(matches!(refused, Err(SnapshotError::Occupied(_))), "{refused:?}");
    assert_eq!(in_folder(bench.dir.path()), (1, 1));
    let restored = restore(&file, bench.dir.path(), true).expect("restores");
    assert_eq!(in_folder(bench.dir.path()), (2, 20));
    let kept = bench.dir.path().join("scrip.db.before-restore-20261121T120000Z");
    assert_eq!(restored.kept, std::slice::from_ref(&kept));
    // A name that is taken is not taken away.
    let taken = restore(&file, bench.dir.path(), true).expect_err("the same instant").to_string();
    assert!(taken.contains("File exists"), "{taken}");
    assert_eq!(in_folder(bench.dir.path()), (2, 20));
    // It is a snapshot as good as any.
    let later = ledger::Timestamp::from_micros(NOON.micros() + 1);
    store::restore::folder(&kept, bench.dir.path(), true, later, |_| ()).expect("restores");
    assert_eq!(in_folder(bench.dir.path()), (1, 1));
}

/// The files of a folder whose server was killed: what is acknowledged is in the log, and only there.
async fn killed() -> tempfile::TempDir {
    let mut bench = Bench::new().await;
    let org = bench.org("Killed", "UTC").await;
    bench.ingest(org, (0..4).map(|n| export(&n.to_string())).collect()).await;
    // A log of everything since the beginning would be as good as the database.
    bench.reopen().await;
    bench.ingest(org, vec![export("4")]).await;
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["scrip.db", "scrip.db-wal", "scrip.db-shm"] {
        std::fs::copy(bench.dir.path().join(name), dir.path().join(name)).expect("copies");
    }
    assert!(std::fs::metadata(dir.path().join("scrip.db-wal")).expect("there").len() > 0);
    dir
}

#[tokio::test]
async fn the_log_of_a_killed_server_stays_with_its_own_database() {
    let (_folder, file) = snapshot().await;
    let dir = killed().await;
    let saved = dir.path().join("saved.db");
    assert_eq!(intact(&store::backup::folder(dir.path(), &saved, |_| ()).expect("backs up")), (1, 5));
    let restored = restore(&file, dir.path(), true).expect("restores");
    assert_eq!(in_folder(dir.path()), (2, 20));
    let kept = &restored.kept[0];
    assert_eq!(restored.kept.len(), 1, "folded into one file");
    assert_eq!(intact(&store::verify::file(kept, |_| ()).expect("readable")), (1, 5));
    Store::open(store::Options::new(dir.path())).await.expect("opens").close().await;
    assert_eq!(in_folder(dir.path()), (2, 20));
}

#[tokio::test]
async fn a_log_that_cannot_be_folded_is_kept_beside_its_database_and_never_read_again() {
    let (_folder, file) = snapshot().await;
    for damaged in [Some("no database at all, whatever its name says. ".repeat(500)), Some(String::new()), None] {
        let dir = killed().await;
        let (database, log) = (dir.path().join("scrip.db"), dir.path().join("scrip.db-wal"));
        let before = std::fs::read(&log).expect("readable");
        match &damaged {
            Some(text) => std::fs::write(&database, text).expect("writes"),
            None => std::fs::remove_file(&database).expect("removes"),
        }
        let restored = restore(&file, dir.path(), true).expect("restores");
        assert_eq!(in_folder(dir.path()), (2, 20));
        let kept = restored.kept.last().expect("the log");
        assert!(kept.to_string_lossy().ends_with("Z-wal"), "{}", kept.display());
        assert_eq!(std::fs::read(kept).expect("readable"), before);
        assert_eq!(restored.kept.len(), if damaged.is_some() { 2 } else { 1 });
        Store::open(store::Options::new(dir.path())).await.expect("opens").close().await;
        assert_eq!(in_folder(dir.path()), (2, 20));
    }
}

#[tokio::test]
async fn nothing_is_replaced_under_a_server_or_a_shell() {
    let (_folder, file) = snapshot().await;
    let bench = Bench::new().await;
    bench.org("Other", "UTC").await;
    let refused = restore(&file, bench.dir.path(), true);
    assert!(matches!(refused, Err(SnapshotError::Open(OpenError::Locked(_)))), "{refused:?}");
    bench.store.close().await;
    let shell = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    shell.execute_batch("BEGIN; SELECT count(*) FROM org").expect("reads");
    let refused = restore(&file, bench.dir.path(), true);
    assert!(matches!(refused, Err(SnapshotError::InUse(_))), "{refused:?}");
    drop(shell);
    assert_eq!(in_folder(bench.dir.path()), (1, 0));
    restore(&file, bench.dir.path(), true).expect("restores");
    assert_eq!(in_folder(bench.dir.path()), (2, 20));
}

/// Makes a bad snapshot of a good one.
fn spoil(file: &Path, how: &str) {
    match how {
        "text" => std::fs::write(file, "dear diary, today I ".repeat(50)).expect("writes"),
        "empty" => std::fs::write(file, "").expect("writes"),
        "missing" => std::fs::remove_file(file).expect("removes"),
        "truncated" => {
            let length = std::fs::metadata(file).expect("there").len();
            let file = std::fs::OpenOptions::new().write(true).open(file).expect("opens");
            file.set_len(length / 2).expect("cuts");
        }
        "flipped" => {
            let mut bytes = std::fs::read(file).expect("reads");
            let middle = bytes.len() / 2 / 4096 * 4096;
            bytes[middle..middle + 64].fill(0xff);
            std::fs::write(file, bytes).expect("writes");
        }
        sql => {
            let conn = Connection::open(file).expect("opens");
            conn.execute_batch(sql).expect("spoils");
        }
    }
}

#[tokio::test]
async fn a_bad_snapshot_is_refused_in_one_line_and_changes_nothing() {
    let (_folder, good) = snapshot().await;
    let bench = other().await;
    let database = bench.dir.path().join("scrip.db");
    let before = std::fs::read(&database).expect("reads");
    for (how, said) in [
        ("text", "not a database"),
        ("empty", "0 bytes"),
        ("missing", "No such file"),
        ("truncated", "damaged"),
        ("flipped", "cannot be restored"),
        ("PRAGMA user_version = 9999", "newer"),
        ("PRAGMA application_id = 1", "another program"),
        ("UPDATE account SET balance = balance + 1", "does not verify"),
        ("DROP TRIGGER entry_is_final; UPDATE entry SET cause = 'x' WHERE seq = 1", "entry_1 is the first broken"),
        (
            "DROP TRIGGER entry_is_final; UPDATE entry SET hash = zeroblob(32) WHERE seq = 2",
            "entry_2 is the first broken",
        ),
        ("DROP TABLE posting", "does not verify"),
        ("PRAGMA user_version = 0", "already exists"),
    ] {
        let bad = bench.dir.path().join("bad.db");
        std::fs::copy(&good, &bad).expect("copies");
        spoil(&bad, how);
        let line = restore(&bad, bench.dir.path(), true).expect_err(how).to_string();
        assert!(line.contains(said) && !line.contains('\n'), "{how}: {line}");
        assert_eq!(std::fs::read(&database).expect("reads"), before, "{how}");
        // Gone already where it was missing.
        let _ = std::fs::remove_file(&bad);
        assert_eq!(names(bench.dir.path()), ["scrip.db", "scrip.lock"], "{how}");
    }
    let partial = bench.dir.path().canonicalize().expect("there").join("scrip.db.partial");
    std::fs::copy(&good, &partial).expect("copies");
    let line = restore(&partial, bench.dir.path(), true).expect_err("in its own way").to_string();
    assert!(line.contains("another name"), "{line}");
    assert_eq!(intact(&store::verify::file(&partial, |_| ()).expect("still there")), (2, 20));
    let folder = restore(bench.dir.path(), bench.dir.path(), true).expect_err("a folder").to_string();
    assert!(folder.contains("no file"), "{folder}");
    let nowhere = restore(&good, &bench.dir.path().join("nowhere"), false);
    assert!(matches!(nowhere, Err(SnapshotError::Open(OpenError::MissingFolder(_)))), "{nowhere:?}");
}

#[tokio::test]
async fn a_snapshot_of_an_earlier_schema_is_brought_up_to_date() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("early.db");
    // What every schema begins with; 0x53637270 says that it is ours.
    let conn = Connection::open(&file).expect("opens");
    conn.execute_batch("PRAGMA application_id = 0x53637270").expect("sets");
    drop(conn);
    let checked = store::verify::file(&file, |_| ());
    assert!(matches!(checked, Err(OpenError::Older { .. })), "{checked:?}");
    assert!(matches!(store::backup::folder(dir.path(), &file, |_| ()), Err(SnapshotError::Open(_))));
    let restored = restore(&file, dir.path(), false).expect("restores");
    assert_eq!(intact(&restored.verified), (0, 0));
    assert_eq!(in_folder(dir.path()), (0, 0));
}

#[tokio::test]
async fn a_link_to_a_database_elsewhere_is_followed() {
    let (_folder, file) = snapshot().await;
    let (bench, dir) = (other().await, tempfile::tempdir().expect("a folder"));
    let link = dir.path().join("scrip.db");
    std::os::unix::fs::symlink(bench.dir.path().join("scrip.db"), &link).expect("links");
    restore(&file, dir.path(), true).expect("restores");
    assert!(link.symlink_metadata().expect("there").is_symlink());
    assert_eq!((in_folder(dir.path()), in_folder(bench.dir.path())), ((2, 20), (2, 20)));
}

#[tokio::test]
async fn what_is_damaged_is_a_finding_and_what_cannot_be_read_is_an_error() {
    let (_folder, file) = snapshot().await;
    spoil(&file, "DROP TRIGGER rate_card_is_final; UPDATE rate_card SET lines = '{'");
    let verified = store::verify::file(&file, |_| ()).expect("a finding");
    assert!(verified.problems[0].contains("org_1: rate card v1"), "{:?}", verified.problems);
    assert!(store::verify::file(Path::new("/nowhere.db"), |_| ()).is_err());
    assert!(matches!(store::verify::folder(Path::new("/nowhere"), |_| ()), Err(OpenError::MissingFolder(_))));
    let dir = tempfile::tempdir().expect("a folder");
    assert!(matches!(store::verify::folder(dir.path(), |_| ()), Err(OpenError::NoDatabase(_))));
}
