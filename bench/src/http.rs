//! Single events over HTTP, 64 connections, each answered when it is on disk, against an empty axum handler under the same
//! load generator on the same cores.

use crate::client::{Connection, Server, event_request};
use crate::{TURNS, median, rate, report};
use store::clock::Stopwatch;

const CONNECTIONS: usize = 64;
const REQUESTS_EACH: usize = 200;

pub(crate) async fn run(binary: &str) {
    let scrip = Server::scrip(binary).await;
    let empty = Server::empty().await;
    let (mut ours, mut empties, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let our = load(&scrip, &format!("h{turn}")).await;
        let bare = load(&empty, "e").await;
        ours.push(our);
        empties.push(bare);
        ratios.push(our / bare);
    }
    let figures = format!("{:.0} requests/s against {:.0}, {CONNECTIONS} connections", median(ours), median(empties));
    report("single events over HTTP / empty handler", median(ratios), "≥ 0.40", &figures);
}

/// Requests per second over all connections.
async fn load(server: &Server, run: &str) -> f64 {
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(server.port).await);
    }
    let watch = Stopwatch::start();
    let mut tasks = tokio::task::JoinSet::new();
    for (number, mut connection) in connections.into_iter().enumerate() {
        let (key, run) = (server.key.clone(), run.to_owned());
        tasks.spawn(async move {
            for n in 0..REQUESTS_EACH {
                let status = connection.send(&event_request(&key, &format!("{run}-{number}-{n}"))).await;
                assert_eq!(status, 200, "every request of the bench is a good one");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
    rate(CONNECTIONS * REQUESTS_EACH, watch.elapsed())
}
