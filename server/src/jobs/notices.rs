//! Sends what people are to be told by mail, at least once: a crash between sending and noting sends the same mail again, under the same
//! Message-ID, so that mail programs show it once.

use super::{Done, Job};
use crate::notify::billing::{Sender, letter};
use crate::notify::mail::{Mail, MailError, Mailer, More};
use app::format;
use std::sync::Arc;
use std::time::Duration;
use store::{Notice, Store, StoreError};

/// How often it looks: somebody who has just paid waits for the receipt.
const EVERY: Duration = Duration::from_secs(10);

/// How mail leaves this server.
#[derive(Clone)]
pub struct Post {
    /// Sends it.
    pub mailer: Arc<Mailer>,
    /// Where links in it lead.
    pub base_url: String,
}

/// See the module.
pub struct Notices(pub Post);

impl Job for Notices {
    const NAME: &'static str = "notices";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        Ok(Done { count: send_all(store, &self.0).await?, pause: EVERY })
    }
}

/// Sends all notices whose time has come; tells how many were sent.
///
/// # Errors
/// Where the store fails. A mail that is not taken is no error of the job: it is noted and tried again.
pub async fn send_all(store: &Store, post: &Post) -> Result<u64, StoreError> {
    let mut sent = 0;
    for notice in store.notices_due().await? {
        let tried = send(store, post, &notice).await?;
        if let Err((error, _)) = &tried {
            tracing::warn!(org = %notice.org, notice = %notice.id, kind = notice.kind, error, "a notice was not sent");
        }
        sent += u64::from(tried.is_ok());
        let (error, is_final) = tried.err().map_or((None, false), |(error, is_final)| (Some(error), is_final));
        store.notice_tried(notice.org, notice.id, error, is_final).await?;
    }
    Ok(sent)
}

/// Sends one notice to everybody it goes to. Why it was not, and whether trying again would help nobody.
async fn send(store: &Store, post: &Post, notice: &Notice) -> Result<Result<(), (String, bool)>, StoreError> {
    if !post.mailer.is_set_up() {
        return Ok(Err(("mail is not set up".to_owned(), true)));
    }
    if notice.to.is_empty() {
        return Ok(Err(("nobody manages billing".to_owned(), true)));
    }
    let org = store.org(notice.org).await?;
    let from =
        Sender { product: &org.product, org: &org.name, noun: format::noun(&org.words), base_url: &post.base_url };
    let Some((subject, text)) = letter(notice, &from) else {
        return Ok(Err((format!("there is no text for {}", notice.kind), true)));
    };
    for (place, to) in notice.to.iter().enumerate() {
        let mail = Mail { to: to.clone(), subject: subject.clone(), text: text.clone() };
        let id = message_id(notice, place, &post.base_url);
        match post.mailer.send_with(mail, More { id: Some(id), ..More::default() }).await {
            Ok(()) => {}
            Err(MailError::NotSetUp) => return Ok(Err(("mail is not set up".to_owned(), true))),
            Err(MailError::Failed(why)) => return Ok(Err((why, false))),
        }
    }
    Ok(Ok(()))
}

/// The same for the same notice, whenever it is sent.
fn message_id(notice: &Notice, place: usize, base_url: &str) -> String {
    format!("<{}.{}.{}.{place}@{}>", notice.id, notice.org, notice.made_at.micros(), host_of(base_url))
}

/// The host of this server's address, for a Message-ID.
pub(crate) fn host_of(base_url: &str) -> &str {
    let host = base_url.split("://").nth(1).unwrap_or(base_url);
    host.split(['/', ':']).next().filter(|host| !host.is_empty()).unwrap_or("localhost")
}
