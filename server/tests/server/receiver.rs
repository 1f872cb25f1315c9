//! A receiver of webhooks on a free port of this machine, as reliable as a test wants it.

use scrip_server::config::Config;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What was received.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// Headers, by their names in small letters.
    pub headers: Vec<(String, String)>,
    /// `webhook-id`
    pub id: String,
    /// The body.
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }
}

/// Listens until it is dropped.
pub struct Receiver {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    _guard: DropGuard,
}

/// How fast an answer is said.
#[derive(Clone, Copy)]
enum Pace {
    AtOnce,
    Bytes(Duration),
    Never,
}

impl Pace {
    async fn say(self, stream: &mut tokio::net::TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::AtOnce => {
                stream.write_all(bytes).await?;
                stream.shutdown().await
            }
            // Until the other side hangs up, which a write is told of.
            Self::Bytes(every) => {
                let mut interval = tokio::time::interval(every);
                for byte in bytes.iter().chain(std::iter::repeat(&b'x')) {
                    interval.tick().await;
                    stream.write_all(&[*byte]).await?;
                }
                Ok(())
            }
            Self::Never => stream.read(&mut [0]).await.map(drop),
        }
    }
}

/// A server that may send to these networks.
pub fn allowing(networks: &str) -> Config {
    Config { webhook_allow: Some(networks.to_owned()), ..Config::default() }
}

impl Receiver {
    /// Answers each request with the status that is chosen for it.
    pub async fn start(status: impl Fn(&Received) -> u16 + Send + Sync + 'static) -> Self {
        Self::raw(move |received| {
            let status = status(received);
            let text = if status < 300 { "thanks" } else { "no" };
            format!("HTTP/1.1 {status} Chosen\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len())
                .into_bytes()
        })
        .await
    }

    /// Answers each request with these bytes, and hangs up.
    pub async fn raw(answer: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::paced(answer, Pace::AtOnce).await
    }

    /// Takes requests, and never says anything.
    pub async fn silent() -> Self {
        Self::paced(|_| Vec::new(), Pace::Never).await
    }

    /// Answers with a header that never ends, a byte at a time.
    pub async fn dripping(every: Duration) -> Self {
        Self::paced(|_| b"HTTP/1.1 200 OK\r\nx-slow: ".to_vec(), Pace::Bytes(every)).await
    }

    async fn paced(answer: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static, pace: Pace) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (answer, noted, stop) = (Arc::new(answer), Arc::clone(&received), CancellationToken::new());
        let stopped = stop.clone();
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = stopped.cancelled() => return,
                };
                let Ok((mut stream, _)) = accepted else { continue };
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                tokio::spawn(async move {
                    let Some(request) = read(&mut stream).await else { return };
                    let bytes = answer(&request);
                    noted.lock().expect("alive").push(request);
                    // Whoever has heard enough hangs up.
                    let _ = pace.say(&mut stream, &bytes).await;
                });
            }
        });
        Self { port, received, _guard: stop.drop_guard() }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub fn requests(&self) -> Vec<Received> {
        self.received.lock().expect("alive").clone()
    }

    pub fn count(&self) -> usize {
        self.received.lock().expect("alive").len()
    }
}

/// A receiver that answers nobody until it is told to.
pub struct Held {
    port: u16,
    held: watch::Receiver<usize>,
    released: CancellationToken,
    _guard: DropGuard,
}

impl Held {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (count, held) = watch::channel(0);
        let (released, stop, count) = (CancellationToken::new(), CancellationToken::new(), Arc::new(count));
        let (answering, stopped) = (released.clone(), stop.clone());
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = stopped.cancelled() => return,
                };
                let Ok((mut stream, _)) = accepted else { continue };
                let (count, answering) = (Arc::clone(&count), answering.clone());
                tokio::spawn(async move {
                    if read(&mut stream).await.is_some() {
                        count.send_modify(|count| *count += 1);
                        answering.cancelled().await;
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                        let _ = stream.write_all(answer).await;
                        let _ = stream.shutdown().await;
                    }
                });
            }
        });
        Self { port, held, released, _guard: stop.drop_guard() }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Waits until so many requests wait.
    pub async fn holds(&self, wanted: usize) {
        self.held.clone().wait_for(|count| *count >= wanted).await.expect("listens");
    }

    /// Answers everybody, from now on at once.
    pub fn release(&self) {
        self.released.cancel();
    }
}

async fn read(stream: &mut tokio::net::TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let headers: Vec<(String, String)> = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let get = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let length: usize = get("content-length")?.parse().ok()?;
        if body.len() >= length {
            return Some(Received { id: get("webhook-id").unwrap_or_default(), body: body.to_owned(), headers });
        }
    }
}
