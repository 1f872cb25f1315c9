//! `make bench`: each budget of ARCHITECTURE.md as a ratio beside its target, measured in one run.
//!
//! Every figure is taken against what the same machine does without Scrip, in turns (A, B, A, B, …), and the median of the
//! turns is told: ratios hold where absolute figures drift. Nothing leaves the machine; everything is bounded in count.

mod analytics;
mod batch;
mod client;
mod durable;
mod export;
mod http;
mod usage;

use std::time::Duration;

/// Turns per comparison; odd, so that there is a median.
const TURNS: usize = 5;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--empty", port] => client::serve_empty(port.parse().expect("a port")).await,
        ["--export", server] => export::run(server).await,
        ["--http", server] => http::run(server).await,
        [server] => measure(server).await,
        ["--analytics", events] => analytics::run(events.parse().ok(), None, "").await,
        ["--analytics", events, kept] => analytics::run(events.parse().ok(), Some(kept.as_ref()), "").await,
        ["--analytics", events, kept, views] => {
            analytics::run(events.parse().ok(), Some(kept.as_ref()), views).await;
        }
        _ => eprintln!(
            "usage: scrip-bench target/release/scrip, or --export or --http and that, or --analytics EVENTS [FOLDER [VIEWS]] for that part alone"
        ),
    }
}

async fn measure(server: &str) {
    println!("{:<44} {:>9} {:>9}  figures", "budget", "measured", "target");
    batch::run().await;
    usage::run().await;
    http::run(server).await;
    durable::run(server).await;
    export::run(server).await;
    analytics::run(None, None, "").await;
}

/// One line of the table.
fn report(name: &str, measured: f64, target: &str, figures: &str) {
    println!("{name:<44} {measured:>9.2} {target:>9}  {figures}");
}

/// The median of a few figures.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Events, rows or requests per second.
fn rate(count: usize, took: Duration) -> f64 {
    // Counts here are far below 2^52.
    #[expect(clippy::cast_precision_loss, reason = "a figure to be read, not an amount")]
    let count = count as f64;
    count / took.as_secs_f64()
}
