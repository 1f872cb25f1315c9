//! Logs and metrics: what an operator sees.
//!
//! Every request gets an id of ours (one that a client sends is not trusted, as it would let one request's log be passed
//! off as another's), one log line without query, headers or body, so that no secret can get into it, and one count.
//! Labels of metrics are route patterns and statuses: a bounded set, whatever is asked for.

use crate::config::{Config, LogFormat};
use axum::extract::{MatchedPath, Request};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::time::Duration;
use store::clock::Stopwatch;
use tracing::Instrument as _;
use tracing_subscriber::EnvFilter;

/// Name of the response header that carries the id.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
/// How often histograms are folded: they grow in memory until then.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// From a commit on a fast disk to the request timeout.
const LATENCY_BUCKETS_S: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// What a request is called in logs and problems.
#[derive(Debug, Clone, Default)]
pub struct RequestId(pub String);

impl RequestId {
    fn new() -> Self {
        let mut id = String::with_capacity(16);
        for byte in store::random::bytes::<8>() {
            // Writing to a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        Self(id)
    }
}

/// Starts the log; a second call in the same process changes nothing.
///
/// # Errors
/// A filter that cannot be read, in a sentence.
pub fn start_log(config: &Config) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| format!("log \"{}\": {error}", config.log))?;
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    // Only the first log of a process is kept; tests start several servers in one.
    let _ = match config.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
}

/// The process's metrics, started on first use.
#[must_use]
pub fn metrics() -> &'static PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| {
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(seconds, &LATENCY_BUCKETS_S)
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Another recorder in this process can only be one of a test: then this one stays empty.
        let _ = metrics::set_global_recorder(recorder);
        describe();
        handle
    })
}

fn describe() {
    metrics::describe_counter!("scrip_http_requests_total", "Requests by route, method and status");
    metrics::describe_histogram!("scrip_http_request_seconds", "Time to answer by route");
    metrics::describe_counter!("scrip_events_total", "Events by outcome: accepted, duplicate, rejected");
    metrics::describe_gauge!("scrip_writer_queue", "Requests waiting for the writer");
    metrics::describe_counter!("scrip_writer_commits_total", "Commits on disk");
    metrics::describe_counter!("scrip_writer_requests_total", "Requests those commits answered");
    metrics::describe_gauge!("scrip_writer_commit_time_seconds", "Time spent in commits since the start");
}

/// What the writer says of itself, when it is asked.
pub fn writer(waiting: usize, commits: u64, requests: u64, commit_us: u64) {
    // Figures for people: a float loses nothing that could be seen.
    let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
    metrics::gauge!("scrip_writer_queue").set(f64::from(waiting));
    metrics::counter!("scrip_writer_commits_total").absolute(commits);
    metrics::counter!("scrip_writer_requests_total").absolute(requests);
    metrics::gauge!("scrip_writer_commit_time_seconds").set(Duration::from_micros(commit_us).as_secs_f64());
}

/// Counts the outcomes of events.
pub fn count_events(accepted: u64, duplicate: u64, rejected: u64) {
    for (outcome, count) in [("accepted", accepted), ("duplicate", duplicate), ("rejected", rejected)] {
        metrics::counter!("scrip_events_total", "outcome" => outcome).increment(count);
    }
}

/// The path without the token of the first start's link, which opens everything: the log is no place for it.
fn path_for_log(path: &str) -> &str {
    if path.starts_with("/setup/") && path != "/setup/waiting" { "/setup/\u{2026}" } else { path }
}

/// Middleware: the id, the log line and the count of a request.
pub async fn observe(mut request: Request, next: Next) -> Response {
    let id = RequestId::new();
    let method = request.method().clone();
    let span = tracing::info_span!("request", id = %id.0, %method, path = %path_for_log(request.uri().path()));
    request.extensions_mut().insert(id.clone());
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let watch = Stopwatch::start();
    async move {
        let mut response = next.run(request).await;
        if let Ok(value) = HeaderValue::from_str(&id.0) {
            response.headers_mut().insert(REQUEST_ID_HEADER, value);
        }
        let status = response.status().as_u16();
        let elapsed = watch.elapsed();
        tracing::debug!(status, elapsed_us = elapsed.as_micros(), "answered");
        metrics::counter!("scrip_http_requests_total", "route" => route.clone(), "method" => method.to_string(), "status" => status.to_string()).increment(1);
        metrics::histogram!("scrip_http_request_seconds", "route" => route).record(elapsed.as_secs_f64());
        response
    }
    .instrument(span)
    .await
}
