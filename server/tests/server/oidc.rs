//! Signing in by a service elsewhere: who may come in by it, and what is no good answer to what this browser asked.

use super::account::{later, with_second_step};
use super::common::{ORG, Server};
use super::idp::{Idp, Signed, asked};
use super::people::{Browser, PASSWORD, person, token_in};
use scrip_server::auth::totp;
use scrip_server::config::Config;
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const START: &str = "/sign-in/oidc?next=%2Fanalytics";
const MINUTE: i64 = 60_000_000;

async fn world() -> (Server, Idp) {
    let idp = Idp::start().await;
    let server = Server::with(idp.config()).await;
    person(&server, ADA, "owner").await;
    (server, idp)
}

/// Where the browser is sent to.
async fn sent(browser: &mut Browser<'_>, start: &str) -> String {
    browser.get(start).await.header("location").to_owned()
}

/// Where it ends up, by whoever signs in there.
async fn signed_in(browser: &mut Browser<'_>, idp: &Idp, subject: &str, email: &str) -> String {
    with_claims(browser, idp, START, |location| idp.claims(subject, email, location)).await
}

async fn with_claims(browser: &mut Browser<'_>, idp: &Idp, start: &str, claims: impl Fn(&str) -> Value) -> String {
    let location = sent(browser, start).await;
    let back = idp.approve(&location, claims(&location));
    sent(browser, &back).await
}

fn refused(code: &str) -> String {
    format!("/sign-in?error={code}&next=%2Fanalytics")
}

#[tokio::test]
async fn somebody_who_has_an_account_signs_in_elsewhere_and_stays_who_they_are() {
    let (server, idp) = world().await;
    let mut browser = Browser::new(&server);
    let page = browser.get("/sign-in?next=/analytics").await.text();
    assert!(
        page.contains("href=\"/sign-in/oidc?next=%2Fanalytics\"") && page.contains("Sign in with Example ID"),
        "{page}"
    );
    assert_eq!(idp.discoveries(), 0, "nobody asks the service before somebody wants to sign in");
    assert_eq!(signed_in(&mut browser, &idp, "s-1", "Ada@Example.com").await, "/analytics");
    assert!(browser.opens("/").await);
    assert!(browser.get("/settings/security").await.text().contains("Your account at Example ID signs you in here"));
    let before = browser.session().expect("a cookie");

    // Her name there stays, whatever her email becomes, and whoever gets her email there is not her.
    assert_eq!(signed_in(&mut browser, &idp, "s-1", "countess@example.com").await, "/analytics");
    let log = browser.get("/exports/audit.csv").await.text();
    assert!(log.contains("elsewhere.link") && log.contains("s-1"), "{log}");
    assert_ne!(browser.session(), Some(before.clone()), "each sign-in begins with a token of its own");
    browser.set_session(&before);
    assert!(!browser.opens("/").await);
    let mut other = Browser::new(&server);
    assert_eq!(signed_in(&mut other, &idp, "s-2", ADA).await, refused("oidc_linked"));

    let mut ada = Browser::signed_in(&server, ADA, PASSWORD).await;
    let off = ada.post("/settings/security", &[("do", "unlink")]).await;
    assert_eq!(off.header("location"), "/settings/security?done=unlinked#elsewhere");
    assert_eq!(signed_in(&mut other, &idp, "s-2", ADA).await, "/analytics");
    assert_eq!(idp.discoveries(), 1, "the service says once what it is");
}

#[tokio::test]
async fn whoever_is_not_known_or_not_verified_stays_outside() {
    let (server, idp) = world().await;
    let mut browser = Browser::new(&server);
    assert_eq!(signed_in(&mut browser, &idp, "s-9", "nobody@example.com").await, refused("oidc_unknown"));
    for verified in [json!(false), Value::Null, json!("yes")] {
        let claims = |location: &str| {
            let mut claims = idp.claims("s-1", ADA, location);
            claims["email_verified"] = verified.clone();
            claims
        };
        let told = with_claims(&mut browser, &idp, START, claims).await;
        let expected = if verified == json!("yes") { refused("oidc_down") } else { refused("oidc_unverified") };
        assert_eq!(told, expected, "{verified}");
    }
    assert!(!browser.opens("/").await);
    let text = browser.get(&refused("oidc_unknown")).await.text();
    assert!(text.contains("There is no account here with your email."), "{text}");
}

#[tokio::test]
async fn only_emails_of_the_domains_that_are_set_come_in() {
    let idp = Idp::start().await;
    let config = Config { oidc_domains: Some("example.org, Example.COM".to_owned()), ..idp.config() };
    let server = Server::with(config).await;
    person(&server, ADA, "owner").await;
    person(&server, "eve@example.com.evil.example", "member").await;
    let mut browser = Browser::new(&server);
    let evil = signed_in(&mut browser, &idp, "s-2", "eve@example.com.evil.example").await;
    assert_eq!(evil, refused("oidc_domain"));
    assert_eq!(signed_in(&mut browser, &idp, "s-1", ADA).await, "/analytics");
}

#[tokio::test]
async fn an_invitation_lets_somebody_new_in_and_only_whom_it_is_for() {
    let (server, idp) = world().await;
    let mut ada = Browser::signed_in(&server, ADA, PASSWORD).await;
    let invite = [("do", "invite"), ("email", "new@example.com"), ("role", "analyst")];
    let token = token_in(&ada.post("/settings/members", &invite).await.text(), "/invitation?token=");
    let mut browser = Browser::new(&server);
    let page = browser.get(&format!("/invitation?token={token}")).await.text();
    let start = format!("/sign-in/oidc?invitation={token}");
    assert!(page.contains(&start) && page.contains("Join with Example ID"), "{page}");
    let told =
        with_claims(&mut browser, &idp, &start, |location| idp.claims("s-3", "other@example.com", location)).await;
    assert_eq!(told, format!("/invitation?error=oidc_not_invited&token={token}"));
    let joined =
        with_claims(&mut browser, &idp, &start, |location| idp.claims("s-4", "new@example.com", location)).await;
    assert_eq!(joined, "/");
    assert!(browser.get("/settings/members").await.text().contains(ORG));
    let again =
        with_claims(&mut browser, &idp, &start, |location| idp.claims("s-5", "new@example.com", location)).await;
    assert_eq!(
        again,
        format!("/invitation?error=oidc_linked&token={token}"),
        "nor is it good for another account there"
    );
    assert_eq!(signed_in(&mut Browser::new(&server), &idp, "s-4", "new@example.com").await, "/analytics");
    assert!(Browser::new(&server).sign_in("new@example.com", "").await.contains("error=credentials"));
}

#[tokio::test]
async fn an_answer_counts_once_in_time_and_in_the_browser_that_asked() {
    let (server, idp) = world().await;
    let (mut victim, mut attacker) = (Browser::new(&server), Browser::new(&server));
    let location = sent(&mut attacker, START).await;
    let back = idp.approve(&location, idp.claims("s-1", ADA, &location));
    assert_eq!(sent(&mut victim, &back).await, "/sign-in?error=oidc_late", "never asked");
    sent(&mut victim, START).await;
    assert_eq!(sent(&mut victim, &back).await, refused("oidc_late"), "another browser's state");
    // Another's code under one's own state: the service wants the secret that only the other's journey has.
    let mine = sent(&mut victim, START).await;
    let stolen = back.replace(&asked(&location)["state"], &asked(&mine)["state"]);
    assert_eq!(sent(&mut victim, &stolen).await, refused("oidc_refused"));
    assert!(!victim.opens("/").await);

    let location = sent(&mut attacker, START).await;
    let back = idp.approve(&location, idp.claims("s-1", ADA, &location));
    assert_eq!(sent(&mut attacker, &back).await, "/analytics");
    assert_eq!(sent(&mut attacker, &back).await, "/sign-in?error=oidc_late", "once");
    let location = sent(&mut victim, START).await;
    let back = idp.approve(&location, idp.claims("s-1", ADA, &location));
    later(&server, 10 * MINUTE);
    assert_eq!(sent(&mut victim, &back).await, "/sign-in?error=oidc_late", "in time");
    let state = asked(&sent(&mut victim, START).await)["state"].clone();
    let denied = format!("/sign-in/oidc/callback?error=access_denied&state={state}");
    assert_eq!(sent(&mut victim, &denied).await, refused("oidc_denied"));
    let state = asked(&sent(&mut victim, START).await)["state"].clone();
    let other = format!("/sign-in/oidc/callback?code=x&iss=https%3A%2F%2Fevil.example&state={state}");
    assert_eq!(sent(&mut victim, &other).await, refused("oidc_other"));

    // Another site cannot begin, nor choose where it ends.
    let led = [("sec-fetch-site", "cross-site")];
    let reply = server.send("GET", START, &led, axum::body::Body::empty()).await;
    assert_eq!((reply.header("location"), reply.header("set-cookie")), ("/sign-in?next=%2Fanalytics", ""));
    let start = "/sign-in/oidc?next=https%3A%2F%2Fevil.example";
    let claims = |location: &str| {
        let mut claims = idp.claims("s-1", ADA, location);
        claims["exp"] = json!(claims["exp"].as_i64().expect("a number") + 3_600);
        claims
    };
    assert_eq!(with_claims(&mut victim, &idp, start, claims).await, "/");
}

#[tokio::test]
async fn a_token_that_is_not_the_services_for_us_now_signs_nobody_in() {
    let (server, idp) = world().await;
    let mut browser = Browser::new(&server);
    let now = super::common::time(super::common::NOW).micros() / 1_000_000;
    for (name, value, code) in [
        ("nonce", json!("of another sign-in"), "oidc_nonce"),
        ("nonce", Value::Null, "oidc_nonce"),
        ("exp", json!(now - 1), "oidc_expired"),
        ("aud", json!("another-client"), "oidc_other"),
        ("aud", json!([super::idp::CLIENT, "another-client"]), "oidc_other"),
        ("iss", json!("https://evil.example"), "oidc_other"),
    ] {
        let claims = |location: &str| {
            let mut claims = idp.claims("s-1", ADA, location);
            if value.is_null() {
                claims.as_object_mut().expect("an object").remove(name);
            } else {
                claims[name] = value.clone();
            }
            claims
        };
        assert_eq!(with_claims(&mut browser, &idp, START, claims).await, refused(code), "{name} {value}");
    }
    for signed in [Signed::Forged, Signed::Shared, Signed::Not] {
        idp.sign(signed);
        assert_eq!(signed_in(&mut browser, &idp, "s-1", ADA).await, refused("oidc_signature"), "{signed:?}");
    }
    assert!(!browser.opens("/").await);
    idp.sign(Signed::Rsa);
    assert_eq!(signed_in(&mut browser, &idp, "s-1", ADA).await, "/analytics");
}

#[tokio::test]
async fn a_service_that_changes_its_key_or_was_down_is_asked_again() {
    let (server, idp) = world().await;
    let mut browser = Browser::new(&server);
    idp.set_down(true);
    assert_eq!(sent(&mut browser, START).await, refused("oidc_down"));
    assert_eq!(sent(&mut browser, START).await, refused("oidc_down"));
    assert_eq!(idp.discoveries(), 1, "not by everybody who comes meanwhile");
    assert!(browser.get("/sign-in").await.text().contains("Sign in with Example ID"), "and the rest goes on");
    idp.set_down(false);
    later(&server, MINUTE);
    assert_eq!(signed_in(&mut browser, &idp, "s-1", ADA).await, "/analytics");
    later(&server, 2 * MINUTE);
    idp.rotate();
    assert_eq!(signed_in(&mut browser, &idp, "s-1", ADA).await, "/analytics");
    assert_eq!(idp.discoveries(), 3);
}

#[tokio::test]
async fn a_second_step_is_still_asked_for_unless_the_service_is_trusted_with_it() {
    for trusted in [false, true] {
        let idp = Idp::start().await;
        let server = Server::with(Config { oidc_second_step: !trusted, ..idp.config() }).await;
        person(&server, ADA, "owner").await;
        let mut ada = Browser::signed_in(&server, ADA, PASSWORD).await;
        let (secret, _) = with_second_step(&server, &mut ada).await;
        later(&server, MINUTE);
        let mut browser = Browser::new(&server);
        let led = signed_in(&mut browser, &idp, "s-1", ADA).await;
        if trusted {
            assert_eq!(led, "/analytics");
        } else {
            assert_eq!(led, "/sign-in/code?next=%2Fanalytics");
            assert!(!browser.opens("/").await);
            let code = totp::code_at(&secret, server.store.now()).expect("a code");
            assert_eq!(browser.code(&code).await, "/");
        }
        assert!(browser.opens("/").await);
    }
}

#[tokio::test]
async fn an_email_that_the_service_tells_only_when_asked_is_asked_for() {
    let (server, idp) = world().await;
    idp.keep_the_email();
    assert_eq!(signed_in(&mut Browser::new(&server), &idp, "s-1", ADA).await, "/analytics");
    assert_eq!(signed_in(&mut Browser::new(&server), &idp, "s-2", BOB).await, refused("oidc_unknown"));
}

#[tokio::test]
async fn without_a_service_nobody_is_sent_anywhere() {
    let server = Server::start().await;
    let mut browser = Browser::new(&server);
    assert_eq!(sent(&mut browser, START).await, "/sign-in?next=%2Fanalytics");
    assert_eq!(sent(&mut browser, "/sign-in/oidc/callback?code=x&state=y").await, "/sign-in?error=oidc_late");
    assert!(!browser.get("/sign-in").await.text().contains("/sign-in/oidc"));
}
