//! How long one event waits for its durable answer, against fdatasync of 4 KiB on the same disk, in turns.

use crate::client::{Connection, Server, event_request};
use crate::report;
use std::io::Write;
use store::clock::Stopwatch;

const SAMPLES: usize = 1_000;

pub(crate) async fn run(binary: &str) {
    let server = Server::scrip(binary).await;
    let mut connection = Connection::open(server.port).await;
    let mut file = tempfile::tempfile_in(server.dir()).expect("a file on the same disk");
    let (mut answers_us, mut syncs_us) = (Vec::with_capacity(SAMPLES), Vec::with_capacity(SAMPLES));
    for n in 0..SAMPLES {
        let request = event_request(&server.key, &format!("d-{n}"));
        let watch = Stopwatch::start();
        assert_eq!(connection.send(&request).await, 200, "every request of the bench is a good one");
        answers_us.push(watch.elapsed().as_secs_f64() * 1e6);
        let watch = Stopwatch::start();
        file.write_all(&[7; 4_096]).and_then(|()| file.sync_data()).expect("writes");
        syncs_us.push(watch.elapsed().as_secs_f64() * 1e6);
    }
    answers_us.sort_by(f64::total_cmp);
    syncs_us.sort_by(f64::total_cmp);
    for (name, target, at) in [("p50", "≤ 1.50", SAMPLES / 2), ("p99", "≤ 3.00", SAMPLES * 99 / 100)] {
        let (answer, sync) = (answers_us[at], syncs_us[at]);
        report(
            &format!("durable answer / fdatasync, {name}"),
            answer / sync,
            target,
            &format!("{answer:.0} µs against {sync:.0} µs"),
        );
    }
}
