//! Signing in and out, as a browser without JavaScript does it.

use super::common::{ORG, Reply, Server};
use axum::body::Body;
use scrip_server::command::Command;
use scrip_server::config::Config;

const EMAIL: &str = "owner@example.com";
const PASSWORD: &str = "correct horse battery";

async fn server() -> Server {
    let server = Server::start().await;
    let (email, password) = (EMAIL.to_owned(), PASSWORD.to_owned());
    server
        .run(Command::CreateUser { email, password, org: ORG.to_owned(), role: "owner".to_owned(), operator: false })
        .await;
    server
}

async fn sign_in(server: &Server, email: &str, password: &str, next: &str, headers: &[(&str, &str)]) -> Reply {
    let form = serde_urlencoded::to_string([("email", email), ("password", password), ("next", next)]).expect("a form");
    let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
    all.extend_from_slice(headers);
    server.send("POST", "/sign-in", &all, form).await
}

fn cookie(reply: &Reply) -> String {
    reply.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

async fn opens(server: &Server, cookie: &str) -> bool {
    let reply = server.send("GET", "/", &[("cookie", cookie)], Body::empty()).await;
    match reply.status.as_u16() {
        200 => true,
        303 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_right_password_opens_the_pages_until_signing_out() {
    let server = server().await;
    let reply = sign_in(&server, " Owner@Example.com", PASSWORD, "/analytics?from=2026-11-01", &[]).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/analytics?from=2026-11-01"));
    let set = reply.header("set-cookie");
    for part in ["__Host-scrip=", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
        assert!(set.contains(part), "{set}");
    }
    let first = cookie(&reply);
    assert!(opens(&server, &first).await);
    // Signing in again gives another session and ends the one before.
    let second = cookie(&sign_in(&server, EMAIL, PASSWORD, "", &[("cookie", &first)]).await);
    assert_ne!(first, second);
    assert!(opens(&server, &second).await && !opens(&server, &first).await);
    let reply = server.send("POST", "/sign-out", &[("cookie", &second)], Body::empty()).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/sign-in"));
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    assert!(!opens(&server, &second).await);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_person_look_the_same() {
    let server = server().await;
    for (email, password) in [(EMAIL, "wrong"), ("nobody@example.com", PASSWORD), ("", "")] {
        let reply = sign_in(&server, email, password, "/analytics", &[]).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("location")),
            (303, "/sign-in?error=credentials&next=%2Fanalytics")
        );
        assert_eq!(reply.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let server = server().await;
    for _ in 0..5 {
        sign_in(&server, EMAIL, "wrong", "", &[]).await;
    }
    let reply = sign_in(&server, EMAIL, PASSWORD, "", &[]).await;
    assert_eq!(reply.header("location"), "/sign-in?error=throttled");
}

#[tokio::test]
async fn another_site_can_neither_sign_in_nor_out_nor_lead_away() {
    let server = server().await;
    for headers in [&[("origin", "https://evil.example")][..], &[("sec-fetch-site", "cross-site")]] {
        let reply = sign_in(&server, EMAIL, PASSWORD, "", headers).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (403, "cross_site"));
        assert_eq!(server.send("POST", "/sign-out", headers, Body::empty()).await.status.as_u16(), 403);
        assert_eq!(server.send("POST", "/api/fn/anything", headers, Body::empty()).await.status.as_u16(), 403);
    }
    let same = [("origin", "http://127.0.0.1:3000"), ("sec-fetch-site", "same-origin")];
    assert_eq!(sign_in(&server, EMAIL, PASSWORD, "//evil.example", &same).await.header("location"), "/");
}

#[tokio::test]
async fn where_browsers_would_drop_a_secure_cookie_it_is_plain() {
    let config = Config { public_url: Some("http://scrip.lan:3000".to_owned()), ..Config::default() };
    let server = Server::with(config).await;
    let reply = server.send("POST", "/sign-out", &[], Body::empty()).await;
    let set = reply.header("set-cookie");
    assert!(set.starts_with("scrip_session=;") && !set.contains("Secure"), "{set}");
}

#[tokio::test]
async fn the_scripts_of_a_page_carry_the_nonce_of_its_policy() {
    let server = server().await;
    let nonce_of = |reply: &Reply| {
        let policy = reply.header("content-security-policy").to_owned();
        let start = policy.find("'nonce-").expect("a nonce") + 7;
        policy[start..].split('\'').next().expect("its end").to_owned()
    };
    let first = server.send("GET", "/sign-in", &[], Body::empty()).await;
    let second = server.send("GET", "/sign-in", &[], Body::empty()).await;
    assert_eq!(first.status.as_u16(), 200);
    assert_ne!(nonce_of(&first), nonce_of(&second));
    let html = first.text();
    let scripts = html.matches("<script").count();
    assert_eq!(html.matches(&format!("nonce=\"{}\"", nonce_of(&first))).count().min(scripts), scripts, "{html}");
}

#[tokio::test]
async fn pages_send_strangers_to_sign_in_and_back() {
    let server = server().await;
    let reply = server.send("GET", "/analytics?from=2026-11-01&to=2026-11-02", &[], Body::empty()).await;
    assert_eq!(reply.header("location"), "/sign-in?next=%2Fanalytics%3Ffrom%3D2026-11-01%26to%3D2026-11-02");
}
