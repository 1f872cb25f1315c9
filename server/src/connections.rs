//! Connections: accepted, bounded, given up when their request's head does not come, and finished before the end.
//!
//! axum's own loop has no limit on how long a head may take, so a few hundred half-sent requests would hold every file
//! descriptor. Here a connection has [`HEAD_TIMEOUT`] for each head, idle time between requests included, and no more
//! than [`MAX_CONNECTIONS`] are open; more wait in the kernel's queue.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

/// How long the head of a request may take, from the end of the one before. Browsers reopen idle connections unseen.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections open at once: below the usual limit of 1,024 file descriptors, above what a busy proxy keeps.
const MAX_CONNECTIONS: usize = 900;
/// After a failed accept (no file descriptor left, most often) others need a moment to close theirs.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Serves until `stop` resolves, then lets running requests finish.
pub async fn serve(listener: TcpListener, routes: Router, stop: impl Future<Output = ()>) {
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let running = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        let watcher = running.watcher();
        let (builder, routes) = (builder.clone(), routes.clone());
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| answer(routes.clone(), peer, request));
            let connection = builder.serve_connection(TokioIo::new(prepared(stream)), service);
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, %peer, "a connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    running.shutdown().await;
}

/// Answers are small: waiting to fill a packet would only delay them.
fn prepared(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    stream
}

async fn answer(
    routes: Router,
    peer: SocketAddr,
    request: Request<hyper::body::Incoming>,
) -> Result<axum::response::Response, std::convert::Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    routes.oneshot(request).await
}
