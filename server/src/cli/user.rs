//! `scrip user create`, `scrip user password`

use super::unexpected;
use super::{Failure, Office};
use crate::auth::api_key::random_text;
use crate::auth::session;
use crate::command::{Answer, Command};
use crate::config::Config;
use clap::{Args, Subcommand};
use std::io::BufRead as _;

/// Length of a generated password: 20 letters of 62 are 119 bits.
const PASSWORD_LEN: usize = 20;

/// People who sign in: create, password
#[derive(Subcommand)]
pub enum UserVerb {
    Create(Create),
    Password(Password),
}

/// Create somebody who can sign in
///
/// Prints a generated password, once; with --password-stdin it is read from standard input instead.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  scrip user create you@example.com --org Acme\n  pass show scrip | scrip user create you@example.com --org Acme --operator --password-stdin"
)]
pub struct Create {
    /// Email address to sign in with
    email: String,
    /// Organization
    #[arg(long, value_name = "NAME")]
    org: String,
    /// owner, admin, billing, analyst or member: what each may do is said on the Members page
    #[arg(long, default_value = "owner", value_name = "ROLE")]
    role: String,
    /// May give, adjust and correct credits from the pages, as whoever runs this installation does
    #[arg(long)]
    operator: bool,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

impl UserVerb {
    pub(super) async fn run(self, config: &Config) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(config).await,
            Self::Password(password) => password.run(config).await,
        }
    }
}

/// Let somebody set a new password, where no mail can be sent
///
/// Prints a link that works once, for an hour. The present password goes on until then; a second step is asked for as always.
#[derive(Args)]
#[command(after_help = "Example:\n  scrip user password you@example.com")]
pub struct Password {
    /// Email address of the account
    email: String,
}

impl Password {
    async fn run(self, config: &Config) -> Result<(), Failure> {
        let token = session::new_token();
        let command = Command::BeginReset { email: self.email, token: token.clone() };
        let Answer::Done = Office::once(config, command).await? else { return Err(unexpected()) };
        println!("{}/reset-password?token={token}", config.base_url());
        Ok(())
    }
}

impl Create {
    async fn run(self, config: &Config) -> Result<(), Failure> {
        let password = if self.password_stdin { read_password()? } else { random_text(PASSWORD_LEN) };
        let (email, org, role, operator) = (self.email.clone(), self.org, self.role, self.operator);
        let command = Command::CreateUser { email, password: password.clone(), org, role, operator };
        let Answer::Done = Office::once(config, command).await? else { return Err(unexpected()) };
        if !self.password_stdin {
            println!("{}\t{password}", self.email);
        }
        Ok(())
    }
}

fn read_password() -> Result<String, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::new(format!("cannot read the password: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
