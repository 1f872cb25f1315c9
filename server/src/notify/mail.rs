//! Mail: by SMTP, into a folder for trying out, or not at all.
//!
//! Without `smtp_url` and `mail_dir` nothing is sent, and whoever wanted to send is told so: pages then show the link
//! that the mail would have carried. A mail is plain text, some have the same as HTML beside it. Cost: one connection per mail; a few a day are sent.

use crate::auth::api_key::random_text;
use crate::config::Config;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

/// How long a mail server may take for a mail: somebody waits for the page.
const SEND_WITHIN: Duration = Duration::from_secs(15);
/// Who sends, where `mail_from` is not set.
const NOBODY: &str = "Scrip <scrip@localhost>";
/// Length of the random part of a file's name.
const NAME_LEN: usize = 12;

/// A mail to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Their address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// What a mail may have besides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct More {
    /// Its Message-ID, `<…@…>`: a mail that is sent twice is shown once where both say the same.
    pub id: Option<String>,
    /// The same as its text, as HTML.
    pub html: Option<String>,
    /// Where no more of such mails can be asked for, by opening it or by one POST (RFC 8058).
    pub unsubscribe: Option<String>,
}

/// Sends mail, or says that it cannot.
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

enum Way {
    /// Nothing is set up.
    None,
    Folder(PathBuf),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Neither `smtp_url` nor `mail_dir` is set.
    #[error("mail is not set up")]
    NotSetUp,
    /// The address or the server said no; the text is for logs.
    #[error("the mail was not sent: {0}")]
    Failed(String),
}

impl Mailer {
    /// As the configuration says.
    ///
    /// # Errors
    /// A setting that cannot be used, in a sentence that names it and holds no password.
    pub fn new(config: &Config) -> Result<Self, String> {
        let from = config.mail_from.as_deref().unwrap_or(NOBODY);
        let from = from.parse().map_err(|_| format!("mail_from \"{from}\" is not like Scrip <scrip@example.com>"))?;
        let way = match (&config.smtp_url, &config.mail_dir) {
            (Some(_), Some(_)) => return Err("set smtp_url or mail_dir, not both".to_owned()),
            (Some(url), None) => Way::Smtp(transport(url)?),
            (None, Some(folder)) => Way::Folder(folder.clone()),
            (None, None) => Way::None,
        };
        if matches!(way, Way::Smtp(_)) && config.mail_from.is_none() {
            return Err("smtp_url is set: set mail_from too, such as Scrip <scrip@example.com>".to_owned());
        }
        Ok(Self { from, way })
    }

    /// Whether mail goes anywhere.
    #[must_use]
    pub const fn is_set_up(&self) -> bool {
        !matches!(self.way, Way::None)
    }

    /// Sends one mail, and waits until the server has taken it.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send(&self, mail: Mail) -> Result<(), MailError> {
        self.send_with(mail, More::default()).await
    }

    /// The same with more to it.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send_with(&self, mail: Mail, more: More) -> Result<(), MailError> {
        let failed = |error: &dyn std::fmt::Display| MailError::Failed(error.to_string());
        let message = self.message(mail, more).map_err(|error| failed(&error))?;
        match &self.way {
            Way::None => Err(MailError::NotSetUp),
            Way::Smtp(transport) => transport.send(message).await.map(drop).map_err(|error| failed(&error)),
            Way::Folder(folder) => {
                tokio::fs::create_dir_all(folder).await.map_err(|error| failed(&error))?;
                let path = folder.join(format!("{}.eml", random_text(NAME_LEN)));
                // Links in it sign in: for its owner's eyes only, as the database is.
                let mut options = tokio::fs::OpenOptions::new();
                let opened = options.write(true).create_new(true).mode(0o600).open(path).await;
                let mut file = opened.map_err(|error| failed(&error))?;
                file.write_all(&message.formatted()).await.map_err(|error| failed(&error))?;
                file.flush().await.map_err(|error| failed(&error))
            }
        }
    }
}

impl Mailer {
    fn message(&self, mail: Mail, more: More) -> Result<Message, String> {
        let mut message = Message::builder();
        if more.id.is_some() {
            message = message.message_id(more.id);
        }
        if let Some(link) = more.unsubscribe {
            message = message.header(ListUnsubscribe(format!("<{link}>"))).header(ListUnsubscribePost);
        }
        let to = mail.to.parse::<Mailbox>().map_err(|error| error.to_string())?;
        let message = message.from(self.from.clone()).to(to).subject(mail.subject);
        let made = match more.html {
            None => message.header(ContentType::TEXT_PLAIN).body(mail.text),
            Some(html) => message.multipart(MultiPart::alternative_plain_html(mail.text, html)),
        };
        made.map_err(|error| error.to_string())
    }
}

/// Where mail programs find no more of them (RFC 2369).
#[derive(Clone)]
struct ListUnsubscribe(String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        // An address has no spaces to be folded at, and encoded nobody would find it.
        let plain: String = self.0.chars().filter(char::is_ascii_graphic).collect();
        HeaderValue::dangerous_new_pre_encoded(Self::name(), plain.clone(), plain)
    }
}

/// That one POST is enough (RFC 8058).
#[derive(Clone)]
struct ListUnsubscribePost;

impl Header for ListUnsubscribePost {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".to_owned())
    }
}

fn transport(url: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    // The address may hold a password: it is not repeated.
    let wrong = || "smtp_url is not like smtps://user:password@mail.example.com or smtp://127.0.0.1:25".to_owned();
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| wrong())?;
    Ok(builder.timeout(Some(SEND_WITHIN)).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(smtp_url: Option<&str>, mail_dir: Option<&str>, mail_from: Option<&str>) -> Config {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Config {
            smtp_url: text(smtp_url),
            mail_dir: mail_dir.map(PathBuf::from),
            mail_from: text(mail_from),
            ..Config::default()
        }
    }

    #[test]
    fn settings_that_cannot_work_are_named_without_their_password() {
        for (smtp, folder, from, said) in [
            (Some("smtp://127.0.0.1"), Some("mail"), Some("a@b.c"), "not both"),
            (Some("smtp://127.0.0.1"), None, None, "mail_from"),
            (Some("mail.example.com"), None, Some("a@b.c"), "smtp_url"),
            (Some("http://user:hunter2@b.c"), None, Some("a@b.c"), "smtp_url"),
            (None, Some("mail"), Some("nobody"), "mail_from"),
        ] {
            let told = Mailer::new(&config(smtp, folder, from)).err().expect("refused");
            assert!(told.contains(said) && !told.contains("hunter2"), "{told}");
        }
        assert!(!Mailer::new(&Config::default()).expect("no mail is fine").is_set_up());
    }

    #[tokio::test]
    async fn a_line_break_in_a_subject_makes_no_header() {
        let folder = tempfile::tempdir().expect("a folder");
        let mailer = Mailer::new(&config(None, folder.path().to_str(), Some("Scrip <s@example.com>"))).expect("valid");
        let mail = |to: &str| Mail {
            to: to.to_owned(),
            subject: "Join\r\nBcc: evil@example.com".to_owned(),
            text: "…\n".to_owned(),
        };
        mailer.send(mail("ada@example.com")).await.expect("written");
        let file = std::fs::read_dir(folder.path()).expect("a folder").flatten().next().expect("a mail");
        let text = std::fs::read_to_string(file.path()).expect("text");
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
        for bad in ["", "ada", "ada@example.com\r\nBcc: x@y.z", "a@b.c, d@e.f"] {
            assert!(mailer.send(mail(bad)).await.is_err(), "{bad:?}");
        }
    }
}
