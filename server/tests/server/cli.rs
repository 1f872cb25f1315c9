//! The built binary, as a person or a script runs it.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use tempfile::TempDir;

fn scrip(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scrip"));
    // Settings of whoever runs the tests are not those of the tests; nothing else is needed from outside.
    command.env_clear().args(args).arg("--data").arg(data).stdin(Stdio::null());
    command
}

fn run(data: &Path, args: &[&str]) -> Output {
    scrip(data, args).output().expect("runs")
}

/// Standard output of a command that succeeds.
fn ok(data: &Path, args: &[&str]) -> String {
    let output = run(data, args);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The one line of a command that fails.
fn fails(data: &Path, args: &[&str]) -> String {
    let output = run(data, args);
    let line = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!output.status.success(), "{args:?} succeeded");
    assert_eq!((line.lines().count(), line.starts_with("scrip: ")), (1, true), "{args:?}: {line}");
    line
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A server on a port of its own; killed with the test.
struct Running {
    child: Child,
    url: String,
    _out: BufReader<ChildStdout>,
}

impl Running {
    fn start(data: &Path) -> Self {
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
        Self { child, url, _out: out }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().expect("kill runs").success());
    }

    fn wait(mut self) -> Option<i32> {
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
    assert!(ok(data.path(), &["migrate"]).contains("schema"));
    let backup = data.path().join("backup.db");
    let file = backup.to_str().expect("UTF-8");
    assert_eq!(ok(data.path(), &["backup", file]).trim_end(), file);
    assert!(fails(data.path(), &["backup", file]).contains("exists"));
    assert!(ok(data.path(), &["verify"]).starts_with("intact: 2 organizations"));
    // The snapshot is a data folder's database.
    let restored = folder();
    std::fs::copy(&backup, restored.path().join("scrip.db")).expect("copied");
    assert!(ok(restored.path(), &["org", "list"]).contains("12.500000"));
    for (args, said) in [
        (&["org", "create", "Acme"][..], "taken"),
        (&["org", "create", "B", "--preset", "gold"], "token-billing"),
        (&["org", "create", "B", "--zone", "Mars"], "zone"),
        (&["org", "create", "B", "--grant", "-1"], "above zero"),
        (&["grant", "--org", "Acme", "--amount", "1.0000001"], "decimals"),
        (&["grant", "--org", "Acme", "--amount", "1", "--kind", "gift"], "purchase"),
        (&["user", "create", "you@example.com", "--org", "Acme"], "email"),
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
    assert!(ok(data.path(), &["verify"]).contains("500 events"));
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

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn get(url: &str, key: &str, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("{url}{path}")).bearer_auth(key);
    runtime().block_on(async { request.send().await.expect("answered").json().await.expect("JSON") })
}

/// Posts until the server goes away; how many events were acknowledged.
async fn post_until_it_ends(url: &str, key: &str, worker: usize, acknowledged: &std::sync::atomic::AtomicU64) -> u64 {
    let client = reqwest::Client::new();
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
    let kept: u64 = verified.split_whitespace().rev().nth(1).expect("a count").parse().expect("a number");
    assert!(known >= 200 && kept >= known, "{known} acknowledged, {kept} kept");
}

#[test]
fn grants_are_given_on_all_terms() {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme"]);
    fn grant<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&["grant", "--org", "Acme", "--amount", "100"], more].concat()
    }
    let plan = ["--kind", "plan", "--expires-at", "2199-01-01T00:00:00Z"];
    let given = ok(
        data.path(),
        &grant(
            &[
                &plan[..],
                &[
                    "--priority",
                    "-3",
                    "--cost",
                    "50.00 EUR",
                    "--meter",
                    "images",
                    "--rollover",
                    "custom",
                    "--rollover-cap",
                    "20%",
                    "--rollover-months",
                    "2",
                ],
            ]
            .concat(),
        ),
    );
    assert!(given.starts_with("grant_1 100.000000 credits to Acme: 100.000000 available"), "{given}");
    assert!(
        ok(data.path(), &grant(&["--effective-at", "2198-01-01T00:00:00Z"]))
            .contains("grant_2 100.000000 credits to Acme: 100.000000 available")
    );
    for (more, word) in [
        (&["--kind", "gift"][..], "plan, purchase"),
        (&["--cost", "50.001 EUR"], "2 decimals"),
        (&["--cost", "50 Euro"], "ISO 4217"),
        (&["--cost", "-1 EUR"], "below zero"),
        (&["--meter", "teleports"], "teleports"),
        (&["--project", "unknown"], "unknown"),
        (&["--rollover", "professional"], "plan"),
        (&["--rollover-cap", "20%"], "--rollover custom"),
        (&["--rollover", "custom"], "--rollover-months"),
        (&["--effective-at", "2030-01-01T00:00:00Z", "--expires-at", "2029-01-01T00:00:00Z"], "expires_at"),
        (&["--effective-at", "yesterday"], "RFC 3339"),
    ] {
        assert!(fails(data.path(), &grant(more)).contains(word), "{more:?}");
    }
    assert!(ok(data.path(), &["org", "list"]).contains("Acme\tUTC\t100.000000"));
    ok(data.path(), &["verify"]);
}

#[test]
fn corrections_say_what_they_change_before_and_after_they_are_booked() {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme", "--grant", "10"]);
    let rows = data.path().join("rows.csv");
    std::fs::write(&rows, "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,1000000,0\n")
        .expect("written");
    let file = rows.to_str().expect("UTF-8");
    ok(data.path(), &["import", file, "--org", "Acme", "--mapping", "azure-llm"]);
    let void = ["correct", "void", "event_1", "--org", "Acme", "--reason", "Never happened"];
    let preview = ok(data.path(), &[&void[..], &["--preview"]].concat());
    assert!(preview.starts_with("preview, nothing is booked"), "{preview}");
    let changes = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let booked = ok(data.path(), &void);
    assert!(booked.starts_with("booked as entry_4"), "{booked}");
    assert_eq!(changes(&preview), changes(&booked));
    for line in [
        "2023-11, which is closed",
        "available\t9.400000 → 10.000000\t(+0.600000)",
        "grant_1\t9.400000 → 10.000000",
        "analytics 2023-11-16\tinput_tokens",
    ] {
        assert!(booked.contains(line), "{line} in {booked}");
    }
    assert!(fails(data.path(), &void).contains("voided already"));
    assert!(fails(data.path(), &["correct", "adjust", "-5", "--org", "Acme"]).contains("reason"));
    assert!(
        fails(data.path(), &["correct", "adjust", "-50", "--org", "Acme", "--reason", "x"]).contains("only 10.000000")
    );
    let taken =
        ok(data.path(), &["correct", "adjust", "-5", "--org", "Acme", "--reason", "Agreed", "--grant", "grant_1"]);
    assert!(taken.contains("available\t10.000000 → 5.000000\t(-5.000000)"), "{taken}");
    let with = r#"{"id":"n","source":"api","type":"images"}"#;
    assert!(
        fails(data.path(), &["correct", "replace", "event_1", "--org", "Acme", "--reason", "x", "--with", with])
            .contains("already")
    );
    ok(data.path(), &["verify"]);
}

#[test]
fn policies_are_said_and_set() {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme"]);
    assert_eq!(ok(data.path(), &["org", "policy", "Acme"]), "Acme: pause\n");
    let set = ok(data.path(), &["org", "policy", "Acme", "overdraft", "--limit", "50"]);
    assert_eq!(set, "Acme: overdraft, up to 50.000000 credits of debt\n");
    assert_eq!(ok(data.path(), &["org", "policy", "Acme"]), set);
    for args in [&["overdraft"][..], &["pause", "--limit", "5"], &["go_on"], &["finish_in_flight", "--limit", "0"]] {
        assert!(fails(data.path(), &[&["org", "policy", "Acme"], args].concat()).contains("choose"), "{args:?}");
    }
    assert_eq!(ok(data.path(), &["org", "policy", "Acme"]), set);
}

#[test]
fn a_running_server_books_what_runs_out() {
    let data = folder();
    ok(data.path(), &["org", "create", "Acme", "--grant", "10"]);
    let key = ok(data.path(), &["key", "create", "--org", "Acme", "--scope", "admin"]);
    let server = Running::start(data.path());
    let body = json!({"amount": "4", "expires_in_s": 1});
    runtime().block_on(async {
        let request = reqwest::Client::new().post(format!("{}/api/v1/holds", server.url)).bearer_auth(key.trim_end());
        assert_eq!(request.json(&body).send().await.expect("answered").status().as_u16(), 201);
    });
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    // The next server finds it due, or soon to be, and nobody writes.
    let server = Running::start(data.path());
    let entries =
        || get(&server.url, key.trim_end(), "/api/v1/ledger?kind=hold_expiry")["items"].as_array().map_or(0, Vec::len);
    let patience = store::clock::Stopwatch::start();
    while entries() == 0 {
        assert!(patience.elapsed().as_secs() < 30, "not booked");
        std::thread::yield_now();
    }
    assert_eq!(get(&server.url, key.trim_end(), "/api/v1/balance")["held"], "0.000000");
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
