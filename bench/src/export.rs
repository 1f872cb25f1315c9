//! The events of an org of a million of them as CSV: when the first byte comes, and whether the server needs more memory for more
//! rows. And what 90 days of that org weigh on their way to the browser.

use crate::client::{Owner, Server};
use crate::report;
use std::time::Duration;
use store::clock::Stopwatch;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const EVENTS: usize = 1_000_000;
const TURNS: usize = 3;

pub(crate) async fn run(binary: &str) {
    let (server, owner) = Server::sample(binary, EVENTS).await;
    let cookie = sign_in(&server, &owner).await;
    let first = download(&server, &cookie, "/exports/events.csv?from=now-90d&to=now").await;
    let before = memory_mib(&server);
    let (mut first_byte, mut took) = (first.first_byte, first.took);
    for _ in 1..TURNS {
        let next = download(&server, &cookie, "/exports/events.csv?from=now-90d&to=now").await;
        (first_byte, took) = (first_byte.max(next.first_byte), took.max(next.took));
    }
    let rows = first.lines.saturating_sub(1);
    assert!(rows >= EVENTS, "an event is a row: {rows}");
    let figures = format!("{rows} rows, {} bytes, {:.1} s at the slowest of {TURNS}", first.bytes, took.as_secs_f64());
    report("CSV of a million rows, first byte, ms", first_byte.as_secs_f64() * 1_000.0, "≤ 20", &figures);
    let after = memory_mib(&server);
    let figures = format!("{before:.0} MiB after the first, {after:.0} MiB after {TURNS}");
    report("CSV of a million rows, memory, ratio", after / before, "≤ 1.05", &figures);
    let page = download(&server, &cookie, "/analytics?from=now-90d&to=now").await;
    let bare = download(&server, &cookie, "/analytics?from=now-1200d&to=now-1200d").await;
    let figures = format!("page of {} bytes, {} without usage; brotli as sent", page.bytes, bare.bytes);
    let weight = u32::try_from(page.bytes.saturating_sub(bare.bytes)).expect("small");
    report("cube of 90 days of the sample, KB", f64::from(weight) / 1_000.0, "≤ 50", &figures);
}

/// A whole answer.
struct Answer {
    /// Until the first byte of its body.
    first_byte: Duration,
    took: Duration,
    bytes: usize,
    lines: usize,
}

async fn send(server: &Server, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.expect("connects");
    stream.write_all(request.as_bytes()).await.expect("sends");
    stream
}

/// Signs the sample's owner in; gives the cookie.
async fn sign_in(server: &Server, owner: &Owner) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let body = format!("email={}&password={}", escape(&owner.email), escape(&owner.password));
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
        port = server.port,
    );
    let mut answer = String::new();
    send(server, &request).await.read_to_string(&mut answer).await.expect("an answer");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a session");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

/// In HTTP/1.0, where the body is nothing but what is sent.
async fn download(server: &Server, cookie: &str, path: &str) -> Answer {
    let request = format!(
        "GET {path} HTTP/1.0\r\nhost: 127.0.0.1:{}\r\ncookie: {cookie}\r\naccept-encoding: {}\r\n\r\n",
        server.port,
        if path.starts_with("/exports") { "identity" } else { "br" },
    );
    let watch = Stopwatch::start();
    let mut stream = send(server, &request).await;
    let mut answer = Answer { first_byte: Duration::ZERO, took: Duration::ZERO, bytes: 0, lines: 0 };
    let (mut buffer, mut head, mut is_body) = (vec![0; 1 << 16], Vec::new(), false);
    loop {
        let read = stream.read(&mut buffer).await.expect("an answer");
        if read == 0 {
            break;
        }
        let mut body = &buffer[..read];
        if !is_body {
            head.extend_from_slice(body);
            let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            assert!(head.starts_with(b"HTTP/1.0 200"), "{}", String::from_utf8_lossy(&head));
            body = &head[end + 4..];
            is_body = true;
        }
        if answer.bytes == 0 && !body.is_empty() {
            answer.first_byte = watch.elapsed();
        }
        answer.bytes += body.len();
        answer.lines += body.iter().filter(|byte| **byte == b'\n').count();
    }
    answer.took = watch.elapsed();
    answer
}

fn memory_mib(server: &Server) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("is there");
    let kib: u32 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    f64::from(kib) / 1_024.0
}
