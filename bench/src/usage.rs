//! Dashboard queries on what `batch` leaves, and the bytes on disk per event.

use crate::{batch, report};
use ledger::event::Form;
use ledger::{Event, Interval};
use store::clock::Stopwatch;
use store::{CubeQuery, Options, Range, Store};

const EVENTS: usize = 200_000;
const QUERIES: usize = 200;

pub(crate) async fn run() {
    let dir = tempfile::tempdir().expect("a folder for the bench");
    let store = Store::open(Options::new(dir.path())).await.expect("opens");
    let org = batch::org(&store).await;
    for from in (0..EVENTS).step_by(10_000) {
        let events = (from..from + 10_000)
            .map(|n| Event::from_json(&batch::line(n), Form::Plain).expect("a good event"))
            .collect();
        store.ingest(org, "bench".to_owned(), events).await.expect("the writer works");
    }
    let days = Range::Days("2026-11-01".parse().expect("a date"), "2026-11-21".parse().expect("a date"));
    let query = CubeQuery::new(days, Interval::Day);
    let mut took_ms = Vec::with_capacity(QUERIES);
    for _ in 0..QUERIES {
        let watch = Stopwatch::start();
        store.cube(org, &query).await.expect("in range");
        took_ms.push(watch.elapsed().as_secs_f64() * 1_000.0);
    }
    took_ms.sort_by(f64::total_cmp);
    let figures = format!("ms; p50 {:.2} ms; at {EVENTS} events, not yet at 100 M", took_ms[QUERIES / 2]);
    report("dashboard query, p99", took_ms[QUERIES * 99 / 100], "≤ 5 ms", &figures);
    store.close().await;
    let bytes = std::fs::metadata(dir.path().join("scrip.db")).expect("there").len();
    #[expect(clippy::cast_precision_loss, reason = "a figure to be read, not an amount")]
    let per_million = bytes as f64 / EVENTS as f64;
    report("disk per million events, MB", per_million, "≤ 200", &format!("{bytes} bytes for {EVENTS} events"));
}
