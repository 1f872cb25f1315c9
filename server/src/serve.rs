//! `scrip serve`: from an open data folder to the last answered request.
//!
//! The end, in order: no new connections → running requests finish, within a bound → jobs end → commands on the socket
//! finish → the writer finishes what it took → exit. Whatever was answered is on disk long before. When the writer
//! itself dies, the process ends at once and non-zero: a server that cannot write must be restarted, not asked again.

use crate::auth::{password, session};
use crate::cli::Failure;
use crate::config::Config;
use crate::jobs::Job;
use crate::jobs::deliveries::Courier;
use crate::jobs::notices::Post;
use crate::notify::mail::Mailer;
use crate::outgoing::Outgoing;
use crate::payment::Payments;
use crate::preset::Preset;
use crate::state::AppState;
use crate::{connections, jobs, router, socket, telemetry};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{Options, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Runs the server until it is told to stop.
///
/// # Errors
/// One line for a terminal.
pub async fn run(config: Config) -> Result<(), Failure> {
    telemetry::start_log(&config).map_err(Failure::new)?;
    // Before anything is opened: a preset that is wrong is found by whoever changed it, not by who needs it next.
    Preset::check_all(&config.data).map_err(|error| Failure::new(error.to_string()))?;
    let store = Store::open(Options { readers: config.readers, ..Options::new(&config.data) }).await?;
    let listener = TcpListener::bind(&config.listen).await.map_err(|error| {
        let reason = if error.kind() == std::io::ErrorKind::AddrInUse {
            "another program uses it".to_owned()
        } else {
            error.to_string()
        };
        Failure::new(format!("cannot listen on {}: {reason}; choose another with --listen", config.listen))
    })?;
    let bound = listener.local_addr().map_err(|error| Failure::new(error.to_string()))?;
    let desk = socket::Desk::open(&config.data, store.clone(), config.url(bound)).map_err(Failure::new)?;
    let mailer = Arc::new(Mailer::new(&config).map_err(Failure::new)?);
    let post = Post { mailer, base_url: config.url(bound) };
    let closing = CancellationToken::new();
    let payments = Payments::new(store.clone(), &config).map_err(Failure::new)?;
    let outgoing = Outgoing::new(&config).map_err(Failure::new)?;
    let courier = Courier::new(store.clone(), outgoing, &config.url(bound));
    let running = [
        start(jobs::due::Due, &store, &closing),
        start(jobs::cycles::Cycles, &store, &closing),
        start(jobs::top_ups::TopUps::default(), &store, &closing),
        start(jobs::alerts::Alerts, &store, &closing),
        start(jobs::deletions::Deletions, &store, &closing),
        start(jobs::wide::WideUsage, &store, &closing),
        start(jobs::retention::Retention::default(), &store, &closing),
        start(jobs::payments::PaymentsDue(payments), &store, &closing),
        start(jobs::invoices::Invoices, &store, &closing),
        start(jobs::notices::Notices(post.clone()), &store, &closing),
        start(jobs::mails::Mails(post), &store, &closing),
        start(jobs::outbox::Outbox, &store, &closing),
        tokio::spawn(jobs::deliveries::run(courier, closing.clone())),
    ];
    let ended = serve(store.clone(), config, listener, bound).await;
    closing.cancel();
    for job in running {
        // It fails only where it panicked, which is in the log already.
        let _ = job.await;
    }
    desk.close().await;
    store.close().await;
    ended
}

fn start<J: Job>(job: J, store: &Store, end: &CancellationToken) -> JoinHandle<()> {
    tokio::spawn(jobs::run(job, store.clone(), end.clone()))
}

async fn serve(store: Store, config: Config, listener: TcpListener, bound: SocketAddr) -> Result<(), Failure> {
    let grace = Duration::from_secs(config.shutdown_s);
    announce(&store, &config, bound).await?;
    tokio::task::spawn_blocking(password::prepare);
    let app = AppState::new(store.clone(), config);
    let (limits, streams) = (Arc::clone(&app.limits), Arc::clone(&app.streams));
    let routes = router::router(app).map_err(Failure::new)?;
    let (stop, stopping) = watch::channel(false);
    let asked = async move {
        let mut stopping = stopping;
        // An error means that the sender is gone: then it is over as well.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let server = connections::serve(listener, routes, asked);
    let upkeep = async {
        loop {
            tokio::time::sleep(telemetry::UPKEEP_EVERY).await;
            telemetry::metrics().run_upkeep();
            limits.forget_full();
        }
    };
    tokio::pin!(server);
    tokio::select! {
        () = &mut server => return Ok(()),
        line = store.stopped() => return Err(Failure::new(line)),
        () = upkeep => {}
        () = told_to_stop() => {}
    }
    tracing::info!("stopping: no new requests, running ones finish");
    // Nobody listens only where the server has ended by itself.
    let _ = stop.send(true);
    streams.close();
    if tokio::time::timeout(grace, server).await.is_err() {
        tracing::warn!(grace_s = grace.as_secs(), "some requests did not finish in time and are broken off");
    }
    Ok(())
}

async fn announce(store: &Store, config: &Config, bound: SocketAddr) -> Result<(), Failure> {
    let url = config.url(bound);
    // On standard output, for people and for scripts that wait for it.
    println!("Scrip listens on http://{bound} and serves {}: open {url}", config.data.display());
    let token = session::new_token();
    let open = store.open_setup(session::hash(&token)).await.map_err(|error| Failure::new(error.to_string()))?;
    if open {
        println!("First start: open {url}/setup/{token} to make your account. The link works once, for 24 hours.");
    }
    let orgs = store.orgs().await.map_err(|error| Failure::new(error.to_string()))?;
    if orgs.is_empty() {
        println!(
            "Or by commands, while this runs: scrip sample --data {0} for a sample; for your own \
             scrip org create NAME --data {0}, then scrip user create EMAIL --org NAME --data {0}.",
            config.data.display()
        );
    }
    if url.starts_with("https://") && config.payment_providers.contains("sandbox") {
        tracing::warn!(
            "credits can be bought in the sandbox, where no money moves: set payment_providers to change that"
        );
    }
    if url.starts_with("http://") && !config.secure_cookies() {
        tracing::warn!("passwords and cookies travel unencrypted to {url}: set public_url to an https address");
    }
    Ok(())
}

async fn told_to_stop() {
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        // Without handlers the signals end the process, as they do by default.
        _ => std::future::pending().await,
    }
}
