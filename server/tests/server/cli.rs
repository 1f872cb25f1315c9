//! The built binary, as a person or a script runs it.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use tempfile::TempDir;

pub(crate) fn scrip(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scrip"));
    // Settings of whoever runs the tests are not those of the tests; nothing else is needed from outside.
    command.env_clear().args(args).arg("--data").arg(data).stdin(Stdio::null());
    command
}

pub(crate) fn run(data: &Path, args: &[&str]) -> Output {
    scrip(data, args).output().expect("runs")
}

/// Standard output of a command that succeeds.
pub(crate) fn ok(data: &Path, args: &[&str]) -> String {
    let output = run(data, args);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The one line of a command that fails.
pub(crate) fn fails(data: &Path, args: &[&str]) -> String {
    let output = run(data, args);
    let line = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!output.status.success(), "{args:?} succeeded");
    assert_eq!((line.lines().count(), line.starts_with("scrip: ")), (1, true), "{args:?}: {line}");
    line
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A server on a port of its own; killed with the test.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) url: String,
    out: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(data: &Path) -> Self {
        let mut child = scrip(data, &["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        // Written once it listens: nothing to wait for after that.
        out.read_line(&mut line).expect("a line");
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).expect("an address").to_owned();
        Self { child, url, out }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().expect("kill runs").success());
    }

    pub(crate) fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already where the test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn key_create_prints_the_key_and_nothing_else() {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme", "--grant", "10"]);
    let out = ok(data.path(), &["key", "create", "--org", "Acme", "--scope", "events:write"]);
    let key = out.trim_end();
    assert_eq!((out.lines().count(), key.len()), (1, 61), "{out}");
    assert!(key.starts_with("scrip_") && out == format!("{key}\n"));
    assert!(fails(data.path(), &["key", "create", "--org", "Nobody"]).contains("Nobody"));
    assert!(fails(data.path(), &["key", "create", "--org", "Acme", "--scope", "everything"]).contains("events:write"));
}

#[test]
fn an_org_from_nothing_to_a_verified_backup() {
    let data = folder();
    let made = ok(data.path(), &["org", "create", "Acme", "--zone", "Asia/Kathmandu", "--grant", "10.5"]);
    assert!(made.contains("token-billing") && made.contains("10.500000"), "{made}");
    let given = ok(
        data.path(),
        &["grant", "--org", "Acme", "--amount", "2", "--kind", "promotion", "--expires-at", "2199-01-01T00:00:00Z"],
    );
    assert!(given.contains("12.500000 available"), "{given}");
    assert!(ok(data.path(), &["org", "create", "Empty", "--preset", "none"]).contains("empty rate card"));
    assert!(ok(data.path(), &["org", "list"]).contains("Acme\tAsia/Kathmandu\t12.500000"));
    let user = ok(data.path(), &["user", "create", "you@example.com", "--org", "Acme"]);
    assert!(user.starts_with("you@example.com\t"), "{user}");
    let link = ok(data.path(), &["user", "password", "You@example.com"]);
    assert!(link.starts_with("http://127.0.0.1:3000/reset-password?token="), "{link}");
    assert!(ok(data.path(), &["migrate"]).contains("schema"));
    let backup = data.path().join("backup.db");
    let file = backup.to_str().expect("UTF-8");
    assert_eq!(ok(data.path(), &["backup", file]).trim_end(), file);
    assert!(fails(data.path(), &["backup", file]).contains("exists"));
    assert!(ok(data.path(), &["verify"]).starts_with("intact: 2 organizations"));
    assert!(ok(data.path(), &["verify", "--file", file]).starts_with("intact: 2 organizations"));
    let restored = folder();
    assert!(ok(restored.path(), &["restore", file]).starts_with("restored 2 organizations, "));
    assert!(ok(restored.path(), &["org", "list"]).contains("12.500000"));
    for (args, said) in [
        (&["org", "create", "Acme"][..], "taken"),
        (&["org", "create", "B", "--preset", "gold"], "token-billing"),
        (&["org", "create", "B", "--zone", "Mars"], "zone"),
        (&["org", "create", "B", "--grant", "-1"], "above zero"),
        (&["grant", "--org", "Acme", "--amount", "1.0000001"], "decimals"),
        (&["grant", "--org", "Acme", "--amount", "1", "--kind", "gift"], "purchase"),
        (&["user", "create", "you@example.com", "--org", "Acme"], "email"),
        (&["user", "password", "nobody@example.com"], "no account"),
        (&["import", "/nowhere.csv", "--org", "Acme", "--mapping", "azure-llm"], "nowhere.csv"),
        (&["import", file, "--org", "Acme", "--mapping", "unknown"], "azure-llm"),
    ] {
        let line = fails(data.path(), args);
        assert!(line.contains(said), "{args:?}: {line}");
    }
}

#[test]
fn the_sample_is_made_once_and_says_how_to_sign_in() {
    let data = folder();
    let first = ok(data.path(), &["sample", "--events", "500", "--days", "30"]);
    for part in ["500 made-up events", "owner@example.com", "password", "http://127.0.0.1:3000"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    let again = ok(data.path(), &["sample"]);
    assert!(again.contains("there already") && !again.contains("made-up events over"), "{again}");
    assert!(ok(data.path(), &["org", "list"]).contains("synthetic"));
    // And the hold that was captured: work counts as an event.
    assert!(ok(data.path(), &["verify"]).contains("501 events"));
}

#[test]
fn help_can_be_followed() {
    let data = folder();
    for verb in [&["--help"][..], &["serve", "--help"], &["import", "--help"], &["key", "create", "--help"]] {
        assert!(ok(data.path(), verb).contains("scrip "), "{verb:?}");
    }
}

#[test]
fn what_cannot_be_opened_is_one_line_and_stays_as_it_was() {
    let missing = folder();
    assert!(fails(&missing.path().join("nowhere"), &["serve"]).contains("does not exist"));

    let corrupt = folder();
    let file = corrupt.path().join("scrip.db");
    std::fs::write(&file, "this is no database, however long one looks at it".repeat(100)).expect("written");
    let before = std::fs::read(&file).expect("readable");
    for verb in ["serve", "verify", "migrate"] {
        assert!(fails(corrupt.path(), &[verb]).contains("not an intact Scrip database"), "{verb}");
    }
    assert_eq!(std::fs::read(&file).expect("readable"), before);

    let settings = folder();
    std::fs::write(settings.path().join("scrip.toml"), "lisen = \"127.0.0.1:1\"").expect("written");
    assert!(fails(settings.path(), &["serve"]).contains("lisen"));
}

#[test]
fn a_database_of_a_newer_release_is_not_touched() {
    let data = folder();
    ok(data.path(), &["migrate"]);
    let file = data.path().join("scrip.db");
    let mut bytes = std::fs::read(&file).expect("readable");
    // The user version: four bytes at 60 of SQLite's header, where the schema's version is kept.
    bytes[60..64].copy_from_slice(&9_999_u32.to_be_bytes());
    std::fs::write(&file, &bytes).expect("written");
    let line = fails(data.path(), &["serve"]);
    assert!(line.contains("newer") && line.contains("9999"), "{line}");
    assert_eq!(std::fs::read(&file).expect("readable"), bytes);
}

#[test]
fn a_taken_port_is_said_and_the_folder_is_free_again() {
    let data = folder();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let line = fails(data.path(), &["serve", "--listen", &address]);
    assert!(line.contains(&address) && line.contains("--listen"), "{line}");
    ok(data.path(), &["verify"]);
}

#[test]
fn commands_work_beside_a_running_server() {
    let data = folder();
    let server = Running::start(data.path());
    ok(data.path(), &["org", "create", "Acme", "--grant", "10"]);
    let key = ok(data.path(), &["key", "create", "--org", "Acme"]);
    assert!(ok(data.path(), &["grant", "--org", "Acme", "--amount", "5"]).contains("15.000000 available"));
    let rows = data.path().join("rows.csv");
    std::fs::write(&rows, "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,1000000,0\n")
        .expect("written");
    let args = ["import", rows.to_str().expect("UTF-8"), "--org", "Acme", "--mapping", "azure-llm"];
    assert!(
        ok(data.path(), &args).contains("accepted 1, duplicate 0, rejected 0, credits 0.600000, balance 14.400000")
    );
    assert!(ok(data.path(), &args).contains("accepted 0, duplicate 1"));
    let answer = get(&server.url, key.trim_end(), "/api/v1/balance");
    assert_eq!(answer["available"], "14.400000");
    let backup = data.path().join("backup.db");
    ok(data.path(), &["backup", backup.to_str().expect("UTF-8")]);
    assert!(ok(data.path(), &["verify"]).contains("1 events"));
    assert!(fails(data.path(), &["org", "create", "Acme"]).contains("taken"));
    // A second server is told whose folder it is.
    assert!(fails(data.path(), &["serve", "--listen", "127.0.0.1:0"]).contains("in use"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(data.path().join("scrip.sock")).expect("a socket").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    assert!(!data.path().join("scrip.sock").exists());
    // A socket that a killed server left behind does not stop the next.
    let server = Running::start(data.path());
    server.signal("KILL");
    server.wait();
    let server = Running::start(data.path());
    ok(data.path(), &["org", "list"]);
    drop(server);
}

/// A folder with a ledger of that name and as many rows of usage, and a snapshot of it.
fn ledger(name: &str, rows: usize) -> (TempDir, String) {
    let data = folder();
    ok(data.path(), &["org", "create", name, "--grant", "10"]);
    let table: String = (0..rows).map(|row| format!("2023-11-16 18:15:46.{row:06},1000,{row}\n")).collect();
    let csv = data.path().join("rows.csv");
    std::fs::write(&csv, format!("TIMESTAMP,ContextTokens,GeneratedTokens\n{table}")).expect("written");
    ok(data.path(), &["import", csv.to_str().expect("UTF-8"), "--org", name, "--mapping", "azure-llm"]);
    let file = data.path().join("snapshot.db").to_str().expect("UTF-8").to_owned();
    ok(data.path(), &["backup", &file, "--quiet"]);
    (data, file)
}

/// Exit status, standard output and standard error.
fn ends(data: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = run(data, args);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_exit_status_of_verify_tells_wrong_from_unchecked() {
    let (data, file) = ledger("Acme", 5);
    assert_eq!(ends(data.path(), &["verify"]).0, Some(0));
    assert_eq!(ends(data.path(), &["verify", "--file", &file, "--quiet"]).2, "");

    let mut bytes = std::fs::read(&file).expect("readable");
    let at = bytes.windows(16).position(|part| part == b"import:azure-llm").expect("an entry's cause");
    bytes[at] = b'I';
    std::fs::write(&file, bytes).expect("written");
    let (status, out, err) = ends(data.path(), &["verify", "--file", &file]);
    assert_eq!((status, err.lines().count()), (Some(1), 1), "{out}{err}");
    let first = out.lines().next().expect("a problem");
    assert!(first.starts_with("org_1: entry_") && first.contains("is the first broken entry"), "{out}");
    assert!(out.lines().last().expect("a summary").starts_with("checked: 1 organizations"), "{out}");
    assert!(err.contains("restore a backup"), "{err}");

    let (nothing, text) = (folder(), data.path().join("text.db"));
    std::fs::write(&text, "no database, whatever its name says".repeat(10)).expect("written");
    let (nowhere, text) = (nothing.path().join("nowhere"), text.to_str().expect("UTF-8"));
    for (data, args, said) in [
        (nowhere.as_path(), &["verify"][..], "does not exist"),
        (nothing.path(), &["verify"], "no database"),
        (data.path(), &["verify", "--file", "/nowhere.db"], "No such file"),
        (data.path(), &["verify", "--file", text], "not a database"),
    ] {
        let (status, out, err) = ends(data, args);
        assert_eq!((status, out.as_str(), err.lines().count()), (Some(2), "", 1), "{args:?}: {err}");
        assert!(err.contains(said), "{args:?}: {err}");
    }
    assert!(!nothing.path().join("scrip.db").exists());
}

#[test]
fn a_restore_replaces_only_when_asked_and_says_where_the_old_one_is() {
    let (_from, file) = ledger("Acme", 3);
    let (data, _) = ledger("Other", 1);
    let before = std::fs::read(data.path().join("scrip.db")).expect("readable");
    let text = data.path().join("rows.csv").to_str().expect("UTF-8").to_owned();
    for (args, said) in [
        (&["restore", &file][..], "--replace"),
        (&["restore", &text, "--replace"], "rows.csv cannot be restored"),
        (&["restore", "/nowhere.db", "--replace"], "nowhere.db"),
    ] {
        let line = fails(data.path(), args);
        assert!(line.contains(said), "{args:?}: {line}");
    }
    assert!(fails(&data.path().join("nowhere"), &["restore", &file]).contains("does not exist"));
    assert_eq!(std::fs::read(data.path().join("scrip.db")).expect("readable"), before);

    let server = Running::start(data.path());
    assert!(fails(data.path(), &["restore", &file, "--replace"]).contains("in use"));
    // Killed: its log is still there.
    drop(server);

    let said = ok(data.path(), &["restore", &file, "--replace"]);
    assert!(said.starts_with("restored 1 organizations, ") && said.contains(" 3 events to "), "{said}");
    let kept = said.lines().nth(1).and_then(|line| line.rsplit(' ').next()).expect("the old one's name");
    assert!(kept.contains("scrip.db.before-restore-2"), "{said}");
    assert!(ok(data.path(), &["verify", "--file", kept]).ends_with(" 1 events\n"));
    assert!(ok(data.path(), &["org", "list"]).contains("Acme"));
}

/// A command whose files may not grow beyond 50 KB: as on a full disk, or ended by a signal in the middle of a write.
fn cramped(data: &Path, args: &[&str], by_signal: bool) -> Output {
    let trap = if by_signal { "" } else { "trap '' XFSZ; " };
    let mut shell = Command::new("sh");
    shell.env_clear().args(["-c", &format!("{trap}ulimit -c 0; ulimit -f 100; exec \"$0\" \"$@\"")]);
    shell.arg(env!("CARGO_BIN_EXE_scrip")).args(args).arg("--data").arg(data).stdin(Stdio::null());
    shell.output().expect("runs")
}

#[test]
fn what_cannot_be_written_to_its_end_changes_nothing() {
    let (_from, file) = ledger("Acme", 600);
    let (data, _) = ledger("Other", 1);
    for by_signal in [true, false] {
        let restore = cramped(data.path(), &["restore", &file, "--replace"], by_signal);
        let to = data.path().join("new.db").to_str().expect("UTF-8").to_owned();
        let backup = cramped(data.path(), &["backup", &to], by_signal);
        for (what, ended) in [("restore", restore), ("backup", backup)] {
            let lines = String::from_utf8(ended.stderr).expect("UTF-8");
            assert_eq!(ended.status.code(), if by_signal { None } else { Some(1) }, "{what}: {lines}");
            assert_eq!(lines.lines().count(), usize::from(!by_signal), "{what}: {lines}");
        }
        assert!(!Path::new(&to).exists());
        assert!(ok(data.path(), &["org", "list"]).contains("Other"));
        assert!(ok(data.path(), &["verify"]).ends_with(" 1 events\n"));
    }
    assert!(!data.path().join("scrip.db.partial").exists());
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_ledger_or_the_new() {
    let (_from, file) = ledger("Acme", 300);
    for moment in ["scrip.db.partial", "scrip.db.before-restore", "scrip.lock"] {
        let (data, _) = ledger("Other", 1);
        let mut child = scrip(data.path(), &["restore", &file, "--replace", "--quiet"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let reached = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(moment))
        };
        // Ends by itself where the moment passed unseen.
        while !data.path().read_dir().expect("a folder").any(reached) && child.try_wait().expect("known").is_none() {
            std::thread::yield_now();
        }
        // Gone already where it was faster.
        let _ = child.kill();
        child.wait().expect("ends");
        let orgs = ok(data.path(), &["org", "list"]);
        let events = ok(data.path(), &["verify"]);
        let whole = (orgs.contains("Other") && events.ends_with(" 1 events\n"))
            || (orgs.contains("Acme") && events.ends_with(" 300 events\n"));
        assert!(whole, "killed at {moment}: {orgs}{events}");
        ok(data.path(), &["restore", &file, "--replace"]);
        assert!(ok(data.path(), &["verify"]).ends_with(" 300 events\n"));
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

pub(crate) fn get(url: &str, key: &str, path: &str) -> Value {
    let request = super::common::http().get(format!("{url}{path}")).bearer_auth(key);
    runtime().block_on(async { request.send().await.expect("answered").json().await.expect("JSON") })
}

/// Posts until the server goes away; how many events were acknowledged.
async fn post_until_it_ends(url: &str, key: &str, worker: usize, acknowledged: &std::sync::atomic::AtomicU64) -> u64 {
    let client = super::common::http();
    let mut known = 0;
    for number in 0.. {
        let event = json!({"id": format!("{worker}-{number}"), "source": "api", "type": "images"});
        let sent = client.post(format!("{url}/api/v1/events")).bearer_auth(key).json(&event).send().await;
        let Ok(reply) = sent else { return known };
        if !reply.status().is_success() {
            return known;
        }
        // The body may be cut off by a kill; without it nothing was acknowledged.
        let Ok(body) = reply.json::<Value>().await else { return known };
        known += body["accepted"].as_u64().expect("a count");
        acknowledged.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    known
}

/// Ends a server by `signal` in the middle of work; every event it acknowledged is there afterwards.
fn loses_nothing(signal: &str, code: Option<i32>) {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme", "--grant", "1000"]);
    let key = ok(data.path(), &["key", "create", "--org", "Acme"]);
    let server = Running::start(data.path());
    let (url, key) = (server.url.clone(), key.trim_end().to_owned());
    let acknowledged = std::sync::atomic::AtomicU64::new(0);
    let known: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let (url, key, acknowledged) = (&url, &key, &acknowledged);
                scope.spawn(move || runtime().block_on(post_until_it_ends(url, key, worker, acknowledged)))
            })
            .collect();
        while acknowledged.load(std::sync::atomic::Ordering::Relaxed) < 200 {
            std::thread::yield_now();
        }
        server.signal(signal);
        workers.into_iter().map(|worker| worker.join().expect("counted")).sum()
    });
    assert_eq!(server.wait(), code);
    let verified = ok(data.path(), &["verify"]);
    let kept = events_of(&verified);
    assert!(known >= 200 && kept >= known, "{known} acknowledged, {kept} kept");
}

#[test]
fn backups_beside_a_busy_server_hold_what_it_acknowledged_before() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let data = folder();
    ok(data.path(), &["org", "create", "Acme", "--grant", "1000"]);
    let key = ok(data.path(), &["key", "create", "--org", "Acme"]);
    let server = Running::start(data.path());
    let (url, key) = (server.url.clone(), key.trim_end().to_owned());
    let acknowledged = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (url, key, acknowledged) = (&url, &key, &acknowledged);
            scope.spawn(move || runtime().block_on(post_until_it_ends(url, key, worker, acknowledged)));
        }
        for number in 1..=3 {
            while acknowledged.load(Ordering::SeqCst) < number * 50 {
                std::thread::yield_now();
            }
            let known = acknowledged.load(Ordering::SeqCst);
            let file = data.path().join(format!("{number}.db"));
            ok(data.path(), &["backup", file.to_str().expect("UTF-8")]);
            let kept = events_of(&ok(data.path(), &["verify", "--file", file.to_str().expect("UTF-8")]));
            assert!(kept >= known, "{known} acknowledged, {kept} in the snapshot");
            assert!(events_of(&ok(data.path(), &["verify"])) >= kept);
        }
        server.signal("TERM");
    });
    assert_eq!(server.wait(), Some(0));
}

/// The last count of what `verify` prints.
fn events_of(verified: &str) -> u64 {
    verified.split_whitespace().rev().nth(1).expect("a count").parse().expect("a number")
}

#[test]
fn a_server_that_is_told_to_stop_loses_nothing_it_acknowledged() {
    loses_nothing("TERM", Some(0));
}

#[test]
fn a_server_that_is_killed_loses_nothing_it_acknowledged() {
    loses_nothing("KILL", None);
}

#[test]
fn a_password_may_be_given_on_standard_input() {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme"]);
    for (password, good) in [("short\n", false), ("long enough to be one\n", true)] {
        let mut child = scrip(data.path(), &["user", "create", "you@example.com", "--org", "Acme", "--password-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        child.stdin.take().expect("piped").write_all(password.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("ends");
        assert_eq!((output.status.success(), output.stdout.len()), (good, 0));
    }
}
