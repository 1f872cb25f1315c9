//! The servers under load, and the least HTTP client that can load them: the same for both, so that it cancels out.

use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Attempts to reach a server that starts, a hundredth of a second apart.
const START_ATTEMPTS: usize = 1_000;

/// A server in a process of its own; it ends with this value.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) key: String,
    dir: tempfile::TempDir,
    child: Child,
}

/// How the owner of a sample signs in.
pub(crate) struct Owner {
    pub(crate) email: String,
    pub(crate) password: String,
}

impl Server {
    /// Scrip with an org and a key.
    pub(crate) async fn scrip(binary: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the bench");
        let data = dir.path().to_str().expect("UTF-8").to_owned();
        for command in [
            ["org", "create", "Bench", "--preset", "token-billing"].as_slice(),
            &["grant", "--org", "Bench", "--amount", "1000000", "--kind", "purchase"],
        ] {
            run(binary, command, &data).await;
        }
        let key = run(binary, &["key", "create", "--org", "Bench"], &data).await;
        Self::serve(binary, dir, key).await
    }

    /// Scrip with a sample of so many events in 90 days, and its owner.
    pub(crate) async fn sample(binary: &str, events: usize) -> (Self, Owner) {
        let dir = tempfile::tempdir().expect("a folder for the bench");
        let data = dir.path().to_str().expect("UTF-8").to_owned();
        let said = run(binary, &["sample", "--events", &events.to_string()], &data).await;
        let after = |word: &str| {
            let line = said.lines().find_map(|line| line.trim().strip_prefix(word));
            line.expect("sample says how to sign in").trim().to_owned()
        };
        let owner = Owner { email: after("as "), password: after("password ") };
        (Self::serve(binary, dir, String::new()).await, owner)
    }

    async fn serve(binary: &str, dir: tempfile::TempDir, key: String) -> Self {
        let (data, port) = (dir.path().to_str().expect("UTF-8").to_owned(), free_port());
        let child = Command::new(binary)
            .args(["serve", "--data", &data, "--listen", &format!("127.0.0.1:{port}")])
            // Counted as usual, but never refused.
            .env("SCRIP_KEY_REQUESTS_PER_S", "10000000")
            .env("SCRIP_ORG_REQUESTS_PER_S", "10000000")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        reachable(port).await;
        Self { port, key, dir, child }
    }

    /// An axum server whose handler does nothing: this program, told to be one.
    pub(crate) async fn empty() -> Self {
        let dir = tempfile::tempdir().expect("a folder for the bench");
        let port = free_port();
        let this = std::env::current_exe().expect("this program has a path");
        let child = Command::new(this).args(["--empty", &port.to_string()]).kill_on_drop(true).spawn().expect("starts");
        reachable(port).await;
        Self { port, key: "none".to_owned(), dir, child }
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// A folder on the disk that the server writes to.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }
}

/// What [`Server::empty`] runs.
pub(crate) async fn serve_empty(port: u16) {
    let router = axum::Router::new().route("/api/v1/events", axum::routing::post(|| async { "{}" }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
    axum::serve(listener, router).await.expect("serves");
}

async fn run(binary: &str, arguments: &[&str], data: &str) -> String {
    let output = Command::new(binary).args(arguments).args(["--data", data]).output().await.expect("runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("has an address").port()
}

async fn reachable(port: u16) {
    for _ in 0..START_ATTEMPTS {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the server on port {port} did not start");
}

/// A request that reports one small event.
pub(crate) fn event_request(key: &str, id: &str) -> String {
    let body = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"api","type":"ai_text","data":{{"quantities":{{"input_tokens":374,"completion_tokens":44}}}}}}"#
    );
    format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\ncontent-type: application/cloudevents+json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A kept-alive connection.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) async fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connects");
        stream.set_nodelay(true).expect("sets");
        Self(BufReader::new(stream))
    }

    /// Sends a request, reads its whole answer, tells its status.
    pub(crate) async fn send(&mut self, request: &str) -> u16 {
        self.0.write_all(request.as_bytes()).await.expect("sends");
        let (mut line, mut status, mut length) = (String::new(), 0, 0);
        loop {
            line.clear();
            self.0.read_line(&mut line).await.expect("an answer");
            let header = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = header.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().expect("a status");
            } else if let Some(rest) = header.strip_prefix("content-length:") {
                length = rest.trim().parse().expect("a length");
            } else if header.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.expect("the body");
        status
    }
}
