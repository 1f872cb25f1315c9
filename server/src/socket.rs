//! Handing a command to the server that holds the data folder: `scrip.sock` beside the database.
//!
//! Only whoever may read the folder can reach it (mode 0600), which is whoever could open the database. One JSON value per
//! line each way, at most [`MAX_LINE_BYTES`]; commands of one connection run one after the other. A client that goes away
//! does not cancel what it asked for.

use crate::command::{Answer, Command, CommandError, execute};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Name of the socket in the data folder.
const FILE_NAME: &str = "scrip.sock";
/// Longest line: a batch of an import fits with room.
pub const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;
/// Command lines served at once; one person needs one.
const MAX_CLIENTS: usize = 8;
/// How long commands may go on when the server ends: a batch of an import takes a second.
const GRACE: Duration = Duration::from_secs(10);

type Reply = Result<Answer, CommandError>;

/// The server's side.
pub struct Desk {
    path: PathBuf,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl Desk {
    /// Starts to take commands. A socket that is there already was left by a server that is gone: the folder is ours.
    ///
    /// # Errors
    /// In a sentence.
    pub fn open(data: &Path, store: Store, url: String) -> Result<Self, String> {
        let path = data.join(FILE_NAME);
        let fail = |error: std::io::Error| format!("cannot take commands at {}: {error}", path.display());
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.file_type().is_socket() => std::fs::remove_file(&path).map_err(fail)?,
            Ok(_) => return Err(format!("{} is no socket: move it away", path.display())),
            Err(_) => {}
        }
        let listener = UnixListener::bind(&path).map_err(fail)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(fail)?;
        let desk = Self { path, closing: CancellationToken::new(), tasks: TaskTracker::new() };
        desk.tasks.spawn(accept(listener, store, url.into(), desk.closing.clone(), desk.tasks.clone()));
        Ok(desk)
    }

    /// Takes no more commands and lets running ones finish.
    pub async fn close(self) {
        self.closing.cancel();
        self.tasks.close();
        if tokio::time::timeout(GRACE, self.tasks.wait()).await.is_err() {
            tracing::warn!("a command did not finish in time");
        }
        // Gone already where somebody tidied up.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn accept(listener: UnixListener, store: Store, url: Arc<str>, closing: CancellationToken, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(MAX_CLIENTS));
    loop {
        let accepted = tokio::select! {
            () = closing.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match (accepted, Arc::clone(&places).try_acquire_owned()) {
            (Ok((stream, _)), Ok(place)) => {
                let (store, url, closing) = (store.clone(), Arc::clone(&url), closing.clone());
                tasks.spawn(async move {
                    if let Err(error) = attend(stream, &store, &url, &closing).await {
                        tracing::debug!(%error, "a command line went away");
                    }
                    drop(place);
                });
            }
            // Dropping the stream tells the client.
            (Ok(_), Err(_)) => tracing::warn!("too many command lines at once: one was turned away"),
            (Err(error), _) => {
                tracing::warn!(%error, "cannot take a command");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn attend(stream: UnixStream, store: &Store, url: &str, closing: &CancellationToken) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let line = tokio::select! {
            () = closing.cancelled() => return Ok(()),
            line = read_line(&mut reader) => line?,
        };
        let Some(line) = line else { return Ok(()) };
        let reply: Reply = match serde_json::from_str(&line) {
            Ok(Command::Address) => Ok(Answer::Address(url.to_owned())),
            Ok(command) => execute(store, command).await,
            Err(error) => {
                let detail = format!("the server does not know this command (another release?): {error}");
                Err(CommandError::new("bad_command", detail))
            }
        };
        write_line(&mut writer, &serde_json::to_string(&reply)?).await?;
    }
}

/// The command line's side.
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Reaches the server that holds the folder.
    ///
    /// # Errors
    /// In a sentence.
    pub async fn connect(data: &Path) -> Result<Self, CommandError> {
        let path = data.join(FILE_NAME);
        let stream = UnixStream::connect(&path).await.map_err(|error| {
            let detail = format!(
                "another scrip process holds {} and takes no commands ({error}): wait for it, or stop it",
                data.display()
            );
            CommandError::new("locked", detail)
        })?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Hands a command over and waits for its answer.
    ///
    /// # Errors
    /// What the server says, or that it went away.
    pub async fn run(&mut self, command: &Command) -> Reply {
        let gone = |error: std::io::Error| {
            CommandError::new("server_gone", format!("the server went away before it answered ({error}): try again"))
        };
        let text = serde_json::to_string(command).map_err(|error| gone(error.into()))?;
        if text.len() as u64 >= MAX_LINE_BYTES {
            return Err(CommandError::new("too_large", "too much at once for the server"));
        }
        write_line(&mut self.stream, &text).await.map_err(gone)?;
        let line = read_line(&mut self.stream).await.map_err(gone)?;
        let line = line.ok_or_else(|| gone(std::io::ErrorKind::UnexpectedEof.into()))?;
        serde_json::from_str(&line).map_err(|error| gone(error.into()))?
    }
}

/// A line without its end; `None` where the other side is done.
async fn read_line(from: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let length = from.take(MAX_LINE_BYTES).read_line(&mut line).await?;
    if length == 0 {
        return Ok(None);
    }
    if line.pop() != Some('\n') {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    Ok(Some(line))
}

async fn write_line(to: &mut (impl AsyncWrite + Unpin), line: &str) -> std::io::Result<()> {
    to.write_all(line.as_bytes()).await?;
    to.write_all(b"\n").await?;
    to.flush().await
}
