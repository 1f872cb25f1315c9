//! One's own account: password, second step, sessions, and what a session planted before signing in is worth.

use super::common::Server;
use super::people::{Browser, PASSWORD, mails, person, server_with_mail, token_in};
use ledger::Timestamp;
use scrip_server::auth::totp;
use scrip_server::command::Command;

const ADA: &str = "ada@example.com";
const NEW: &str = "quiet teapots at noon";
const PAGE: &str = "/settings/security";
const MINUTE: i64 = 60_000_000;

async fn server() -> Server {
    let server = Server::start().await;
    person(&server, ADA, "owner").await;
    server
}

pub fn later(server: &Server, micros: i64) {
    server.clock.set(Timestamp::from_micros(server.store.now().micros() + micros));
}

/// Turns the second step on, and gives its secret and the recovery codes.
pub async fn with_second_step(server: &Server, browser: &mut Browser<'_>) -> (String, Vec<String>) {
    let begun = browser.post(PAGE, &[("do", "totp_begin"), ("present", PASSWORD)]).await;
    assert_eq!(begun.header("location"), "/settings/security?done=totp_begun#second");
    let page = browser.get(PAGE).await.text();
    let start = page.find("?secret=").expect("an address for apps") + 8;
    let secret = page[start..].split('&').next().expect("a secret").to_owned();
    let wrong = browser.post(PAGE, &[("do", "totp_confirm"), ("code", "000000")]).await;
    assert_eq!(wrong.header("location"), "/settings/security?error=code#second");
    let code = totp::code_at(&secret, server.store.now()).expect("a code");
    let shown = browser.post(PAGE, &[("do", "totp_confirm"), ("code", &code)]).await.text();
    let codes: Vec<String> =
        shown.split("<li><code>").skip(1).map(|part| part.split('<').next().expect("a code").to_owned()).collect();
    assert_eq!(codes.len(), 10, "{shown}");
    assert!(!browser.get(PAGE).await.text().contains(&codes[0]), "shown once");
    (secret, codes)
}

#[tokio::test]
async fn changing_the_password_needs_the_present_one_and_signs_out_everybody_else() {
    let server = server().await;
    let mut here = Browser::signed_in(&server, ADA, PASSWORD).await;
    let mut there = Browser::signed_in(&server, ADA, PASSWORD).await;
    let change = |present: &'static str, new: &'static str, again: &'static str| {
        [("do", "password"), ("present", present), ("password", new), ("again", again)]
    };
    for (present, new, again, code) in [
        ("wrong", NEW, NEW, "password_wrong"),
        (PASSWORD, NEW, "another", "passwords_differ"),
        (PASSWORD, "short", "short", "password_too_short"),
        (PASSWORD, "Password1234", "Password1234", "password_common"),
        (PASSWORD, "ada@example.com", "ada@example.com", "password_personal"),
    ] {
        let reply = here.post(PAGE, &change(present, new, again)).await;
        assert_eq!(reply.header("location"), format!("{PAGE}?error={code}#password"));
    }
    assert!(there.opens("/").await, "nothing was changed yet");
    assert_eq!(
        here.post(PAGE, &change(PASSWORD, NEW, NEW)).await.header("location"),
        "/settings/security?done=password#password"
    );
    assert!(here.opens("/").await && !there.opens("/").await);
    assert_eq!(there.sign_in(ADA, PASSWORD).await, "/sign-in?error=credentials");
    assert_eq!(there.sign_in(ADA, NEW).await, "/");
}

#[tokio::test]
async fn the_password_cannot_be_guessed_from_inside() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server, ADA, PASSWORD).await;
    for _ in 0..5 {
        browser.post(PAGE, &[("do", "totp_begin"), ("present", "wrong")]).await;
    }
    let reply = browser.post(PAGE, &[("do", "totp_begin"), ("present", PASSWORD)]).await;
    assert_eq!(reply.header("location"), "/settings/security?error=password_throttled#second");
}

#[tokio::test]
async fn a_second_step_is_asked_for_and_no_code_counts_twice() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server, ADA, PASSWORD).await;
    let (secret, codes) = with_second_step(&server, &mut browser).await;
    let used = totp::code_at(&secret, server.store.now()).expect("a code");

    let mut other = Browser::new(&server);
    assert_eq!(other.sign_in(ADA, PASSWORD).await, "/sign-in/code");
    assert!(!other.opens("/").await, "the password alone opens nothing");
    assert_eq!(other.code(&used).await, "/sign-in/code?error=code", "the code that turned it on is used up");
    later(&server, MINUTE);
    let fresh = totp::code_at(&secret, server.store.now()).expect("a code");
    let half = other.half().expect("a cookie");
    assert_eq!(other.code(&fresh).await, "/");
    assert!(other.opens("/").await);
    let mut replayed = Browser::new(&server);
    replayed.sign_in(ADA, PASSWORD).await;
    assert_eq!(replayed.code(&fresh).await, "/sign-in/code?error=code", "nor does one that signed in");
    replayed.set_half(&half);
    assert_eq!(replayed.code(&codes[9]).await, "/sign-in?error=code_late", "a half session is for once");

    assert_eq!(replayed.sign_in(ADA, PASSWORD).await, "/sign-in/code");
    assert_eq!(replayed.code(&codes[0].replace('-', " ")).await, "/");
    replayed.sign_in(ADA, PASSWORD).await;
    assert_eq!(replayed.code(&codes[0]).await, "/sign-in/code?error=code", "nor a recovery code");
    let text = other.get(PAGE).await.text();
    assert!(text.contains("9 recovery codes left"), "{text}");
}

#[tokio::test]
async fn guessing_codes_is_slowed_down_for_the_account_wherever_it_comes_from() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server, ADA, PASSWORD).await;
    let (secret, _) = with_second_step(&server, &mut browser).await;
    later(&server, MINUTE);
    for _ in 0..5 {
        let mut other = Browser::new(&server);
        other.sign_in(ADA, PASSWORD).await;
        assert_eq!(other.code("123456x").await, "/sign-in/code?error=code");
    }
    let mut other = Browser::new(&server);
    other.sign_in(ADA, PASSWORD).await;
    let code = totp::code_at(&secret, server.store.now()).expect("a code");
    assert_eq!(other.code(&code).await, "/sign-in/code?error=code_throttled");
    later(&server, 16 * MINUTE);
    assert_eq!(other.code(&code).await, "/sign-in?error=code_late", "and the password is asked for again");
}

#[tokio::test]
async fn turning_the_second_step_off_needs_password_and_code() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server, ADA, PASSWORD).await;
    let (_, codes) = with_second_step(&server, &mut browser).await;
    let off = |present: &'static str, code: String| {
        vec![("do", "totp_off".to_owned()), ("present", present.to_owned()), ("code", code)]
    };
    for (present, code, error) in [("wrong", codes[0].clone(), "password_wrong"), (PASSWORD, "1".to_owned(), "code")] {
        let reply = browser.post(PAGE, &off(present, code)).await;
        assert_eq!(reply.header("location"), format!("{PAGE}?error={error}#second"));
    }
    let renewed = browser.post(PAGE, &[("do", "codes"), ("code", &codes[0])]).await.text();
    assert!(renewed.contains("<li><code>") && !renewed.contains(&codes[1]));
    let reply = browser.post(PAGE, &off(PASSWORD, codes[1].clone())).await;
    assert_eq!(reply.header("location"), "/settings/security?error=code#second", "the old codes are void");
    let fresh = renewed.split("<li><code>").nth(1).and_then(|part| part.split('<').next()).expect("a code").to_owned();
    assert_eq!(
        browser.post(PAGE, &off(PASSWORD, fresh)).await.header("location"),
        "/settings/security?done=totp_off#second"
    );
    assert_eq!(Browser::new(&server).sign_in(ADA, PASSWORD).await, "/");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_at_once() {
    let server = server().await;
    person(&server, "bob@example.com", "member").await;
    let mut here = Browser::signed_in(&server, ADA, PASSWORD).await;
    let mut there = Browser::signed_in(&server, ADA, PASSWORD).await;
    let mut bob = Browser::signed_in(&server, "bob@example.com", PASSWORD).await;
    let page = here.get(PAGE).await.text();
    assert!(page.contains("Firefox on Linux") && page.contains("This one"), "{page}");
    let name = |page: &str| {
        page.split("name=\"session\" value=\"").nth(1).and_then(|p| p.get(..16)).expect("another").to_owned()
    };
    let other = name(&page);
    let gone = bob.post(PAGE, &[("do", "end"), ("session", &other)]).await;
    assert_eq!(gone.header("location"), "/settings/security?done=session_gone#sessions", "nobody ends another's");
    assert!(there.opens("/").await);
    here.post(PAGE, &[("do", "end"), ("session", &other)]).await;
    assert!(here.opens("/").await && !there.opens("/").await);
    there.sign_in(ADA, PASSWORD).await;
    here.post(PAGE, &[("do", "end_others")]).await;
    assert!(here.opens("/").await && !there.opens("/").await);
    there.sign_in(ADA, PASSWORD).await;
    assert_eq!(here.post(PAGE, &[("do", "end_all")]).await.header("location"), "/sign-in?done=everywhere");
    assert!(!here.opens("/").await && !there.opens("/").await && bob.opens("/").await);
}

#[tokio::test]
async fn a_token_from_before_signing_in_is_worth_nothing_after() {
    let server = server().await;
    let mut browser = Browser::signed_in(&server, ADA, PASSWORD).await;
    let (secret, _) = with_second_step(&server, &mut browser).await;
    let before = browser.session().expect("a cookie");
    later(&server, MINUTE);
    browser.sign_in(ADA, PASSWORD).await;
    assert_eq!(browser.session(), Some(before.clone()), "half way nothing changes");
    let code = totp::code_at(&secret, server.store.now()).expect("a code");
    assert_eq!(browser.code(&code).await, "/");
    let after = browser.session().expect("a cookie");
    assert_ne!(before, after);
    browser.set_session(&before);
    assert!(!browser.opens("/").await);
    // A half session opens no page, whichever cookie it is put into.
    let mut half = Browser::new(&server);
    half.sign_in(ADA, PASSWORD).await;
    let token = half.half().expect("a cookie");
    half.set_session(&token);
    assert!(!half.opens("/").await);
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_by_a_link_that_works_once_and_for_an_hour() {
    let (server, folder) = server_with_mail().await;
    person(&server, ADA, "owner").await;
    let mut signed_in = Browser::signed_in(&server, ADA, PASSWORD).await;
    let mut browser = Browser::new(&server);
    for email in [ADA, "nobody@example.com", "no address"] {
        let reply = browser.post("/forgot-password", &[("email", email)]).await;
        assert_eq!(reply.header("location"), "/forgot-password?done=sent", "{email}");
    }
    let token = token_in(&mails(folder.path(), 1).await[0], "/reset-password?token=");
    assert!(browser.get(&format!("/reset-password?token={token}")).await.text().contains(ADA));
    let set = |token: &str, password: &str| {
        [("token", token.to_owned()), ("password", password.to_owned()), ("again", password.to_owned())]
    };
    let weak = browser.post("/reset-password", &set(&token, "short")).await;
    assert!(weak.header("location").contains("error=password_too_short"));
    assert_eq!(browser.post("/reset-password", &set(&token, NEW)).await.header("location"), "/sign-in?done=reset");
    assert!(!signed_in.opens("/").await, "whoever had the old one is out");
    let again = browser.post("/reset-password", &set(&token, PASSWORD)).await;
    assert!(again.header("location").contains("error=link_late"), "works once");
    assert_eq!(browser.sign_in(ADA, NEW).await, "/");

    browser.post("/forgot-password", &[("email", ADA)]).await;
    let all = mails(folder.path(), 3).await;
    let link =
        all.iter().find(|mail| mail.contains("/reset-password") && !mail.contains(&token)).expect("another link");
    later(&server, 61 * MINUTE);
    let late = browser.post("/reset-password", &set(&token_in(link, "/reset-password?token="), PASSWORD)).await;
    assert!(late.header("location").contains("error=link_late"), "for an hour");
}

#[tokio::test]
async fn whoever_runs_the_server_can_make_a_link_where_no_mail_can_be_sent() {
    let server = server().await;
    let mut signed_in = Browser::signed_in(&server, ADA, PASSWORD).await;
    let token = scrip_server::auth::session::new_token();
    server.run(Command::BeginReset { email: ADA.to_owned(), token: token.clone() }).await;
    assert!(signed_in.opens("/").await, "nothing changes before the link is used");
    let form = [("token", token.as_str()), ("password", NEW), ("again", NEW)];
    let mut browser = Browser::new(&server);
    assert_eq!(browser.post("/reset-password", &form).await.header("location"), "/sign-in?done=reset");
    assert!(!signed_in.opens("/").await);
    assert_eq!(browser.sign_in(ADA, NEW).await, "/");
}

#[tokio::test]
async fn without_mail_the_page_says_whom_to_ask() {
    let server = server().await;
    let text = Browser::new(&server).get("/forgot-password").await.text();
    assert!(text.contains("Mail is not set up") && !text.contains("Send link"), "{text}");
}
