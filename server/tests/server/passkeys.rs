//! Passkeys: added, used, renamed, removed, and everything that is no good answer to what was asked.

use super::account::{later, with_second_step};
use super::authenticator::{Device, ORIGIN};
use super::common::Server;
use super::people::{Browser, PASSWORD, mails, person};
use scrip_server::config::Config;
use serde_json::Value;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const PAGE: &str = "/settings/security";
const MINUTE: i64 = 60_000_000;
const ADD: &str = "/settings/security/passkeys";
const ENTER: &str = "/sign-in/passkey";
const COOKIE: &str = "__Host-scrip-passkey";

async fn server() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let config =
        Config { public_url: Some(ORIGIN.to_owned()), mail_dir: Some(folder.path().to_owned()), ..Config::default() };
    let server = Server::with(config).await;
    person(&server, ADA, "owner").await;
    person(&server, BOB, "member").await;
    (server, folder)
}

/// What is asked of a device, where it is asked.
async fn asked(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Result<Value, String> {
    let answer = browser.post(&format!("{path}/begin"), fields).await.json();
    match answer["go"].as_str() {
        Some(path) => Err(path.to_owned()),
        None => Ok(answer["ask"].clone()),
    }
}

/// Where an answer leads.
async fn answered(browser: &mut Browser<'_>, path: &str, answer: &str) -> String {
    let reply = browser.send("POST", path, answer.to_owned()).await.json();
    reply["go"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

async fn add(browser: &mut Browser<'_>, device: &mut Device, name: &str) -> String {
    let ask = asked(browser, ADD, &[("name", name)]).await.expect("asked");
    answered(browser, ADD, &device.create(&ask)).await
}

async fn enter(browser: &mut Browser<'_>, device: &mut Device) -> String {
    let ask = asked(browser, ENTER, &[("next", "/analytics")]).await.expect("asked");
    answered(browser, ENTER, &device.sign(&ask)).await
}

fn refused(code: &str) -> String {
    format!("/sign-in?error={code}&next=%2Fanalytics")
}

#[tokio::test]
async fn a_passkey_signs_in_without_email_password_or_code_until_it_is_removed() {
    let (server, folder) = server().await;
    let mut browser = Browser::signed_in(&server, ADA, PASSWORD).await;
    with_second_step(&server, &mut browser).await;
    let mut phone = Device::new(7);
    assert_eq!(add(&mut browser, &mut phone, "My phone").await, "/settings/security?done=passkey_added#passkeys");
    let page = browser.get(PAGE).await.text();
    assert!(page.contains("My phone") && page.contains("Never"), "{page}");
    assert!(mails(folder.path(), 1).await[0].contains("A passkey named \"My phone\" was added"));

    let mut elsewhere = Browser::new(&server);
    assert_eq!(enter(&mut elsewhere, &mut phone).await, "/analytics");
    assert!(elsewhere.opens("/").await, "a finger and the device are two factors: no code is asked for");
    assert!(!elsewhere.get(PAGE).await.text().contains("Never"));

    let number = |page: &str| {
        let start = page.find("name=\"passkey\" value=\"").expect("a passkey") + 22;
        page[start..].split('"').next().expect("a number").to_owned()
    };
    let id = number(&page);
    let act = |what: &'static str, name: &str| {
        vec![("do", what.to_owned()), ("passkey", id.clone()), ("name", name.to_owned())]
    };
    let mut bob = Browser::signed_in(&server, BOB, PASSWORD).await;
    for what in ["passkey_rename", "passkey_remove"] {
        let reply = bob.post(PAGE, &act(what, "Mine")).await;
        assert_eq!(reply.header("location"), "/settings/security?error=passkey_gone#passkeys", "nobody else's");
    }
    let reply = browser.post(PAGE, &act("passkey_rename", "Old <b>phone</b>")).await;
    assert_eq!(reply.header("location"), "/settings/security?done=passkey_renamed#passkeys");
    assert!(browser.get(PAGE).await.text().contains("Old &lt;b&gt;phone&lt;/b&gt;"));
    for (name, code) in [("", "passkey_name"), (&"x".repeat(61), "passkey_name"), ("a\u{7}", "passkey_name")] {
        let reply = browser.post(PAGE, &act("passkey_rename", name)).await;
        assert_eq!(reply.header("location"), format!("/settings/security?error={code}#passkeys"), "{name:?}");
    }
    let reply = browser.post(PAGE, &act("passkey_remove", "")).await;
    assert_eq!(reply.header("location"), "/settings/security?done=passkey_removed#passkeys");
    assert_eq!(enter(&mut Browser::new(&server), &mut phone).await, refused("passkey_unknown"));

    let log = browser.get("/exports/audit.csv").await.text();
    for action in ["passkey.add", "passkey.rename", "passkey.remove"] {
        assert!(log.contains(action), "{action}: {log}");
    }
}

#[tokio::test]
async fn adding_one_needs_the_password_unless_one_signed_in_just_now() {
    let (server, _folder) = server().await;
    let mut browser = Browser::signed_in(&server, ADA, PASSWORD).await;
    assert!(!browser.get(PAGE).await.text().contains("name=\"present\" autocomplete=\"current-password\" maxlength=\"256\" required=\"\"></label><button class=\"button primary\">Add passkey"));
    later(&server, 11 * MINUTE);
    for (present, code) in [("", "password_wrong"), ("wrong", "password_wrong")] {
        let refused = asked(&mut browser, ADD, &[("name", "x"), ("present", present)]).await;
        assert_eq!(refused, Err(format!("/settings/security?error={code}#passkeys")));
    }
    let ask = asked(&mut browser, ADD, &[("present", PASSWORD)]).await.expect("asked");
    let mut phone = Device::new(7);
    let answer = phone.create(&ask);
    let mut other = Browser::signed_in(&server, ADA, PASSWORD).await;
    let late = "/settings/security?error=passkey_late#passkeys";
    assert_eq!(answered(&mut other, ADD, &answer).await, late, "another session was not asked");
    assert_eq!(answered(&mut browser, ADD, &answer).await, "/settings/security?done=passkey_added#passkeys");
    assert_eq!(answered(&mut browser, ADD, &answer).await, late, "once");

    // A device that has one is not asked again, and one that answers all the same is refused.
    let again = add(&mut other, &mut phone, "").await;
    assert_eq!(again, "/settings/security?error=passkey#passkeys");
    let mut bob = Browser::signed_in(&server, BOB, PASSWORD).await;
    assert_eq!(add(&mut bob, &mut phone, "").await, "/settings/security?error=passkey_known#passkeys");
    let stranger = Browser::new(&server).post(&format!("{ADD}/begin"), &[("name", "x")]).await;
    assert_eq!(stranger.header("location"), "/sign-in");
}

#[tokio::test]
async fn a_passkey_is_made_only_for_this_site_in_time_and_with_the_person_verified() {
    let (server, _folder) = server().await;
    let mut browser = Browser::signed_in(&server, ADA, PASSWORD).await;
    let wrong = "/settings/security?error=passkey#passkeys";
    let mut phished = Device { origin: "https://scrip.example.net", ..Device::new(1) };
    assert_eq!(add(&mut browser, &mut phished, "").await, wrong);
    let mut careless = Device { verifies: false, ..Device::new(2) };
    assert_eq!(add(&mut browser, &mut careless, "").await, "/settings/security?error=passkey_unverified#passkeys");
    let ask = asked(&mut browser, ADD, &[("name", "x")]).await.expect("asked");
    later(&server, 6 * MINUTE);
    let answer = Device::new(3).create(&ask);
    assert_eq!(answered(&mut browser, ADD, &answer).await, "/settings/security?error=passkey_late#passkeys");
    for nonsense in ["", "{}", "[1]", "\u{0}"] {
        asked(&mut browser, ADD, &[("name", "x")]).await.expect("asked");
        assert_eq!(answered(&mut browser, ADD, nonsense).await, wrong);
    }
    assert!(!browser.get(PAGE).await.text().contains("name=\"passkey\""));
}

#[tokio::test]
async fn what_is_no_answer_of_that_passkey_to_this_browser_now_signs_nobody_in() {
    let (server, _folder) = server().await;
    let mut ada = Browser::signed_in(&server, ADA, PASSWORD).await;
    let mut bob = Browser::signed_in(&server, BOB, PASSWORD).await;
    let (mut hers, mut his) = (Device::new(7), Device::new(8));
    add(&mut ada, &mut hers, "hers").await;
    add(&mut bob, &mut his, "his").await;
    let mut browser = Browser::new(&server);

    let mut phished = Device { origin: "https://scrip.example.net", ..hers.clone() };
    assert_eq!(enter(&mut browser, &mut phished).await, refused("passkey"));
    let mut careless = Device { verifies: false, ..hers.clone() };
    assert_eq!(enter(&mut browser, &mut careless).await, refused("passkey_unverified"));
    // His passkey that says it is hers, and her passkey's name signed by another key.
    let mut liar = Device { handle: hers.handle.clone(), ..his.clone() };
    assert_eq!(enter(&mut browser, &mut liar).await, refused("passkey_unknown"));
    let ask = asked(&mut browser, ENTER, &[("next", "/analytics")]).await.expect("asked");
    let forged = his.clone().sign(&ask);
    let named = hers.clone().sign(&ask);
    let swapped = named.replace(&part(&named, "signature"), &part(&forged, "signature"));
    assert_eq!(answered(&mut browser, ENTER, &swapped).await, refused("passkey"));

    // In time, once, and in the browser that was asked.
    let ask = asked(&mut browser, ENTER, &[("next", "/analytics")]).await.expect("asked");
    let (cookie, answer) = (browser.cookie(COOKIE).expect("a cookie"), hers.sign(&ask));
    let late = "/sign-in?error=passkey_late";
    assert_eq!(answered(&mut Browser::new(&server), ENTER, &answer).await, late, "no cookie");
    let mut other = Browser::new(&server);
    asked(&mut other, ENTER, &[("next", "/analytics")]).await.expect("asked");
    assert_eq!(answered(&mut other, ENTER, &answer).await, refused("passkey"), "asked something else");
    assert!(!other.opens("/").await);
    assert_eq!(answered(&mut browser, ENTER, &answer).await, "/analytics");
    let mut replayed = Browser::new(&server);
    replayed.set_cookie(COOKIE, &cookie);
    assert_eq!(answered(&mut replayed, ENTER, &answer).await, late, "replayed");
    let ask = asked(&mut replayed, ENTER, &[]).await.expect("asked");
    later(&server, 5 * MINUTE);
    assert_eq!(answered(&mut replayed, ENTER, &hers.sign(&ask)).await, late);

    // A copy that has signed less often than the passkey.
    assert_eq!(enter(&mut browser, &mut hers).await, "/analytics");
    let mut copy = Device { counter: hers.counter - 1, ..hers.clone() };
    assert_eq!(enter(&mut browser, &mut copy).await, refused("passkey_copied"));
    assert_eq!(enter(&mut browser, &mut hers).await, "/analytics", "the real one goes on");
}

fn part(answer: &str, name: &str) -> String {
    let answer: Value = serde_json::from_str(answer).expect("JSON");
    answer["response"][name].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn a_passkey_signs_in_with_a_new_session_and_only_where_its_person_belongs() {
    let (server, _folder) = server().await;
    let mut ada = Browser::signed_in(&server, ADA, PASSWORD).await;
    let mut bob = Browser::signed_in(&server, BOB, PASSWORD).await;
    let mut his = Device::new(8);
    add(&mut bob, &mut his, "his").await;
    let before = bob.session().expect("a cookie");
    assert_eq!(enter(&mut bob, &mut his).await, "/analytics");
    assert_ne!(bob.session(), Some(before.clone()));
    bob.set_session(&before);
    assert!(!bob.opens("/").await, "the session from before is over");
    let members = ada.get("/settings/members").await.text();
    let id = members.split(BOB).nth(1).and_then(|rest| rest.split("name=\"member\" value=\"").nth(1)).expect("his row");
    let id = id.split('"').next().expect("a number").to_owned();
    ada.post("/settings/members", &[("do", "remove"), ("member", id.as_str())]).await;
    assert_eq!(enter(&mut Browser::new(&server), &mut his).await, refused("no_org"));
}

#[tokio::test]
async fn where_the_address_is_a_number_the_page_says_why_there_are_none() {
    let server = Server::start().await;
    person(&server, ADA, "owner").await;
    let mut browser = Browser::signed_in(&server, ADA, PASSWORD).await;
    let page = browser.get(PAGE).await.text();
    assert!(page.contains("not to IP addresses") && !page.contains("Add passkey"), "{page}");
    assert!(!browser.get("/sign-in").await.text().contains("passkey"));
    let told = asked(&mut browser, ADD, &[("name", "x")]).await;
    assert_eq!(told, Err("/settings/security?error=passkey_address#passkeys".to_owned()));
    let told = asked(&mut browser, ENTER, &[("name", "x")]).await;
    assert_eq!(told, Err("/sign-in?error=passkey_address".to_owned()));
}
