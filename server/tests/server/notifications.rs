//! What people are told: the bell and its page, mails at once, after quiet hours and as a digest, and the link that ends them.

use super::common::Server;
use scrip_server::config::Config;
use scrip_server::jobs::mails::send_all;
use scrip_server::jobs::notices::Post;
use scrip_server::notify::mail::Mailer;
use std::path::Path;
use std::sync::Arc;

const HOUR_US: i64 = 3_600_000_000;

/// The texts of all mails in a folder, oldest first; they are taken out of it.
fn mails(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).map(|files| files.flatten().map(|file| file.path()).collect::<Vec<_>>());
    let mut texts: Vec<String> = Vec::new();
    for file in files.unwrap_or_default() {
        texts.push(std::fs::read_to_string(&file).expect("text"));
        std::fs::remove_file(file).expect("removed");
    }
    texts.sort();
    texts
}

/// A mail without the soft line breaks of quoted-printable.
fn plain(mail: &str) -> String {
    mail.replace("=\r\n", "")
}

struct Told {
    server: Server,
    cookie: String,
    post: Post,
    folder: tempfile::TempDir,
}

/// An org whose owner hears that its balance is low at 50 credits.
async fn told() -> Told {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config {
        mail_dir: Some(folder.path().to_owned()),
        mail_from: Some("Scrip <scrip@example.com>".to_owned()),
        ..Config::default()
    };
    let post = Post {
        mailer: Arc::new(Mailer::new(&config).expect("set up")),
        base_url: "https://scrip.example.com".to_owned(),
    };
    let server = Server::start().await;
    let cookie = server.person("Acme", "owner", false).await;
    let form = [("name", "Acme"), ("zone", "UTC"), ("currency", "USD"), ("low_balance", "50"), ("do", "save")];
    let reply = server.submit(&cookie, "/settings/organization", &form).await;
    assert_eq!(reply.status.as_u16(), 303, "{}", reply.text());
    Told { server, cookie, post, folder }
}

impl Told {
    async fn spend(&self, id: &str, credits: u32) {
        // 0.0001 credits an image.
        let event =
            serde_json::json!({"id": id, "source": "api", "type": "images", "data": {"quantity": credits * 10_000}});
        let reply = self.server.post_json(&event).await;
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
    }

    async fn mailed(&self) -> Vec<String> {
        send_all(&self.server.store, &self.post).await.expect("the store works");
        mails(self.folder.path()).iter().map(|mail| plain(mail)).collect()
    }

    fn later(&self, us: i64) {
        self.server.clock.set(ledger::Timestamp::from_micros(self.server.store.now().micros() + us));
    }

    async fn wishes(&self, form: &[(&str, &str)]) -> String {
        self.server.submit(&self.cookie, "/settings/notifications", form).await.header("location").to_owned()
    }
}

#[tokio::test]
async fn a_crossing_is_told_once_in_the_app_and_by_mail_with_text_and_html() {
    let told = told().await;
    told.spend("1", 40).await;
    assert_eq!(told.mailed().await, Vec::<String>::new());
    told.spend("2", 15).await;
    told.spend("3", 1).await;
    let mails = told.mailed().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    let mail = &mails[0];
    for part in [
        "Subject: Low balance: $45 left (Acme)",
        "Content-Type: text/plain",
        "Content-Type: text/html",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Unsubscribe: <https://scrip.example.com/unsubscribe?org=1&user=1&sign=",
        "Message-ID: <mail_1.org_1.",
        "The balance fell to the limit of $50.",
    ] {
        assert!(mail.contains(part), "{part} is missing:\n{mail}");
    }
    assert_eq!(told.mailed().await, Vec::<String>::new(), "once");
    let page = told.server.open(&told.cookie, "/notifications").await.text();
    assert!(page.contains("Low balance: $45 left") && page.contains("1 unread"), "{page}");
    let read = told.server.submit(&told.cookie, "/notifications", &[("do", "all"), ("message", "message_99")]).await;
    assert_eq!(read.header("location"), "/notifications");
    let page = told.server.open(&told.cookie, "/notifications").await.text();
    assert!(!page.contains("1 unread") && page.contains("Low balance"), "{page}");
}

#[tokio::test]
async fn quiet_hours_and_digests_put_mails_off_and_make_one_of_them() {
    let told = told().await;
    let quiet = [("mail", "once"), ("zone", "Asia/Tokyo"), ("quiet_from", "20:00"), ("quiet_until", "07:00")];
    assert_eq!(told.wishes(&quiet).await, "/settings/notifications?done=saved");
    // Noon UTC is 21:00 in Tokyo: quiet until 22:00 UTC.
    told.spend("1", 60).await;
    told.spend("2", 40).await;
    assert_eq!(told.mailed().await, Vec::<String>::new());
    told.later(10 * HOUR_US);
    let mails = told.mailed().await;
    assert!(mails.len() == 1 && mails[0].contains("Subject: 2 notifications (Acme)"), "{mails:?}");
    assert!(mails[0].contains("Low balance: $40 left") && mails[0].contains("Out of credits: new work is refused"));
    for (form, code) in [
        (vec![("mail", "once"), ("zone", "Mars/Base")], "bad_zone"),
        (vec![("mail", "once"), ("zone", "UTC"), ("quiet_from", "22:00")], "bad_hours"),
        (vec![("mail", "daily"), ("zone", "UTC"), ("digest_at", "25:00")], "bad_hours"),
    ] {
        assert_eq!(told.wishes(&form).await, format!("/settings/notifications?error={code}"));
    }
    assert!(told.wishes(&[("mail", "daily"), ("zone", "UTC"), ("digest_at", "08:00")]).await.contains("done"));
    told.server.grant("100").await;
    told.spend("3", 60).await;
    assert_eq!(told.mailed().await, Vec::<String>::new());
    told.later(10 * HOUR_US);
    assert_eq!(told.mailed().await.len(), 1, "at 08:00");
}

#[tokio::test]
async fn the_link_in_a_mail_ends_mails_without_signing_in_and_no_other_link_does() {
    let told = told().await;
    told.spend("1", 60).await;
    let mails = told.mailed().await;
    let (_, rest) = mails[0].split_once("List-Unsubscribe: <https://scrip.example.com").expect("a link");
    let link = rest.split('>').next().expect("an end").replace("\r\n", "").replace(' ', "");
    let send = async |method: &str, path: &str, body: &'static str| {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        told.server.send(method, path, &headers, body).await
    };
    let page = send("GET", &link, "").await;
    assert!(page.status.as_u16() == 200 && page.text().contains("No more mails about Acme?"), "{}", page.text());
    for wrong in [
        link.replace("user=1", "user=2"),
        link.replace("sign=", "sign=0"),
        "/unsubscribe".to_owned(),
        "/unsubscribe?org=x&user=1&sign=%00".to_owned(),
    ] {
        assert_eq!(send("GET", &wrong, "").await.status.as_u16(), 404, "{wrong}");
        assert_eq!(send("POST", &wrong, "").await.status.as_u16(), 404, "{wrong}");
    }
    // Looking at it ended nothing.
    assert!(told.server.store.person_channel(ledger::OrgId(1), store::UserId(1)).await.expect("reads").mail);
    let done = send("POST", &link, "List-Unsubscribe=One-Click").await;
    assert_eq!(done.status.as_u16(), 200);
    assert!(!told.server.store.person_channel(ledger::OrgId(1), store::UserId(1)).await.expect("reads").mail);
    told.spend("2", 40).await;
    assert_eq!(told.mailed().await, Vec::<String>::new());
    let page = told.server.open(&told.cookie, "/notifications").await.text();
    assert!(page.contains("Out of credits"), "in the app it is there all the same");
}

#[tokio::test]
async fn pages_of_webhooks_show_what_the_receiver_answered_and_keep_what_was_typed() {
    let receiver = super::receiver::Receiver::start(|_| 418).await;
    let server = Server::with(super::receiver::allowing("127.0.0.1")).await;
    let cookie = server.person("Acme", "owner", false).await;
    let page = "/settings/webhooks";
    assert!(server.open(&cookie, page).await.text().contains("None yet."));
    let refused = server
        .submit(
            &cookie,
            page,
            &[("do", "create"), ("url", "https://192.168.0.1/x"), ("shape", "slack"), ("kind", "balance.low")],
        )
        .await;
    let back = refused.header("location").to_owned();
    assert!(back.contains("error=forbidden_address") && back.contains("192.168.0.1"), "{back}");
    let shown = server.open(&cookie, back.split('#').next().expect("a path")).await.text();
    assert!(shown.contains("not on the public internet") && shown.contains("https://192.168.0.1/x"), "{shown}");
    let url = receiver.url();
    let made = server
        .submit(
            &cookie,
            page,
            &[("do", "create"), ("url", &url), ("shape", "webhook"), ("title", "<b>Ours</b>"), ("kind", "org.paused")],
        )
        .await;
    let one = made.header("location").split('?').next().expect("a path").to_owned();
    let shown = server.open(&cookie, &one).await.text();
    assert!(shown.contains("&lt;b&gt;Ours&lt;/b&gt;") && shown.contains("whsec_"), "{shown}");
    let tried = server.submit(&cookie, &one, &[("do", "test")]).await.header("location").to_owned();
    let shown = server.open(&cookie, &tried).await.text();
    assert!(shown.contains("answered 418") && shown.contains("Not taken") && shown.contains("Given up"), "{shown}");
    server.submit(&cookie, tried.split('?').next().expect("a path"), &[("do", "redeliver")]).await;
    assert_eq!(receiver.count(), 2);
    let log = server.open(&cookie, &format!("{one}?state=failed")).await.text();
    assert!(log.contains("endpoint.test"), "a test is tried when somebody asks, and not by itself: {log}");
    let analyst = server.person("Acme", "analyst", false).await;
    assert_eq!(server.open(&analyst, page).await.status.as_u16(), 403);
    assert_eq!(server.submit(&analyst, &one, &[("do", "delete")]).await.status.as_u16(), 403);
}
