//! Sends messages to people by mail, at least once: a crash between sending and noting sends the same mail again, under the same
//! Message-ID, so that mail programs show it once.

use super::notices::{Post, host_of};
use super::{Done, Job};
use crate::notify::mail::{Mail, MailError, More};
use crate::notify::message::{Sender, letter};
use crate::notify::unsubscribe;
use std::time::Duration;
use store::outbox::mail::OutboxMail;
use store::{Store, StoreError};

/// How often it looks: an alert is read within the minute.
const EVERY: Duration = Duration::from_secs(5);

/// See the module.
pub struct Mails(pub Post);

impl Job for Mails {
    const NAME: &'static str = "mails";

    async fn round(&mut self, store: &Store) -> Result<Done, StoreError> {
        Ok(Done { count: send_all(store, &self.0).await?, pause: EVERY })
    }
}

/// Makes and sends all mails whose time has come; tells how many were sent.
///
/// # Errors
/// Where the store fails. A mail that is not taken is no error of the job: it is noted and tried again.
pub async fn send_all(store: &Store, post: &Post) -> Result<u64, StoreError> {
    while store.gather_mails().await? > 0 {}
    let mut sent = 0;
    let key = store.link_key().await?;
    for mail in store.mails_due().await? {
        let tried = send(store, post, &key, &mail).await?;
        if let Err((error, _)) = &tried {
            tracing::warn!(org = %mail.org, mail = mail.id, error, "a mail was not sent");
        }
        sent += u64::from(tried.is_ok());
        let (error, is_final) = tried.err().map_or((None, false), |(error, is_final)| (Some(error), is_final));
        store.mail_tried(mail.org, mail.id, error, is_final).await?;
    }
    Ok(sent)
}

/// Sends one mail. Why it was not, and whether trying again would help nobody.
async fn send(
    store: &Store,
    post: &Post,
    key: &[u8; 32],
    mail: &OutboxMail,
) -> Result<Result<(), (String, bool)>, StoreError> {
    let Some(to) = mail.to.clone() else {
        return Ok(Err(("they left, or want no mails any more".to_owned(), true)));
    };
    let org = store.org(mail.org).await?;
    let link = unsubscribe::link(&post.base_url, key, mail.org, mail.user);
    let from = Sender {
        product: &org.product,
        org: &org.name,
        words: &org.words,
        base_url: &post.base_url,
        unsubscribe: &link,
    };
    let (subject, text, html) = letter(&mail.messages, mail.count, &from);
    let id = format!("<mail_{}.{}.{}@{}>", mail.id, mail.org, mail.made_at.micros(), host_of(&post.base_url));
    let more = More { id: Some(id), html: Some(html), unsubscribe: Some(link) };
    Ok(match post.mailer.send_with(Mail { to, subject, text }, more).await {
        Ok(()) => Ok(()),
        Err(MailError::NotSetUp) => Err(("mail is not set up".to_owned(), true)),
        Err(MailError::Failed(why)) => Err((why, false)),
    })
}
