//! Where commands are carried out: here, or by the server that holds the data folder.

use super::Failure;
use crate::command::{Answer, Command, CommandError, execute};
use crate::config::Config;
use crate::socket::Client;
use std::sync::Arc;
use std::time::Duration;
use store::{Clock, OpenError, Options, Store};

/// How often, and how long apart, a full queue of the server is tried again: a minute.
const TRIES: u32 = 600;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// Where commands are carried out.
pub enum Office {
    /// In this process, which holds the folder.
    Here(Store),
    /// In the server that does.
    Server(Client),
}

impl Office {
    /// Opens the data folder, or reaches the server that has it open.
    ///
    /// # Errors
    /// One line for a terminal.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        Self::open_with(Options { create: false, ..Options::new(&config.data) }).await
    }

    /// The same for commands that may be somebody's first: makes the database where there is none.
    ///
    /// # Errors
    /// One line for a terminal.
    pub async fn open_or_create(config: &Config) -> Result<Self, Failure> {
        Self::open_with(Options::new(&config.data)).await
    }

    /// The same, by another clock than the machine's; only where no server runs.
    ///
    /// # Errors
    /// One line for a terminal.
    pub async fn open_or_create_by(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        Self::open_with(Options { clock, ..Options::new(&config.data) }).await
    }

    async fn open_with(options: Options) -> Result<Self, Failure> {
        let data = options.dir.clone();
        match Store::open(options).await {
            Ok(store) => Ok(Self::Here(store)),
            Err(OpenError::Locked(_)) => Ok(Self::Server(Client::connect(&data).await?)),
            Err(error) => Err(error.into()),
        }
    }

    /// Carries out a command. While the writer's queue is full it waits: nobody else is kept waiting by that.
    ///
    /// # Errors
    /// What the store or a rule says.
    pub async fn run(&mut self, command: Command) -> Result<Answer, CommandError> {
        for _ in 0..TRIES {
            let answer = match self {
                Self::Here(store) => execute(store, command.clone()).await,
                Self::Server(client) => client.run(&command).await,
            };
            match answer {
                Err(error) if error.code == "busy" => tokio::time::sleep(BETWEEN_TRIES).await,
                Err(error) if error.code == "stopped" => return Err(self.why_it_stopped(error).await),
                answer => return answer,
            }
        }
        Err(CommandError::new("busy", "the server has too much to write: try again later"))
    }

    /// What ended the writer of this process: a full disk, say. The server tells its own reason where it runs.
    async fn why_it_stopped(&self, error: CommandError) -> CommandError {
        let Self::Here(store) = self else { return error };
        match tokio::time::timeout(BETWEEN_TRIES, store.stopped()).await {
            Ok(line) => CommandError::new("stopped", line),
            Err(_) => error,
        }
    }

    /// Closes what was opened.
    pub async fn close(self) {
        if let Self::Here(store) = self {
            store.close().await;
        }
    }

    /// One command from opening to closing.
    ///
    /// # Errors
    /// One line for a terminal.
    pub async fn once(config: &Config, command: Command) -> Result<Answer, Failure> {
        let mut office = Self::open(config).await?;
        let answer = office.run(command).await;
        office.close().await;
        Ok(answer?)
    }
}

/// What is said where an answer does not belong to its command: only another release's server can do that.
#[must_use]
pub fn unexpected() -> Failure {
    Failure::new("the server answered something else: is it another release of scrip?")
}
