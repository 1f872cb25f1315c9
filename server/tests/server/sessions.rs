//! What cookies, links and forms are worth that nobody gave, or that were over, or that say more than they are asked.

use super::access::path_of;
use super::account::{later, with_second_step};
use super::common::{ORG, Server};
use super::idp::{Idp, SECRET};
use super::people::{Browser, PASSWORD, member_of, person, token_in};
use axum::body::Body;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use scrip_server::access::RULES;
use scrip_server::auth::session::new_token;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const SECURITY: &str = "/settings/security";
const HOUR: i64 = 3_600_000_000;
/// Written beside reading: when something was used last.
const TOUCHED: [(&str, &str); 2] = [("session", "seen_at"), ("api_key", "used_at")];

async fn server() -> Server {
    let server = Server::start().await;
    person(&server, ADA, "owner").await;
    server
}

fn open(server: &Server) -> Connection {
    let path = server.folder.path().join("scrip.db");
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens")
}

fn rows(conn: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = conn.prepare(sql).expect("prepares");
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    statement.query_map([], row).expect("runs").collect::<Result<_, _>>().expect("reads")
}

fn texts(conn: &Connection, sql: &str) -> Vec<String> {
    rows(conn, sql).iter().map(|row| format!("{row:?}")).collect()
}

/// Every table with all that is in it, but for [`TOUCHED`].
fn contents(server: &Server) -> BTreeMap<String, Vec<String>> {
    let conn = open(server);
    let named = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let tables = rows(&conn, named).into_iter().map(|row| match &row[0] {
        Value::Text(name) => name.clone(),
        other => panic!("{other:?}"),
    });
    let content = |table: String| {
        let columns = rows(&conn, &format!("SELECT name FROM pragma_table_info('{table}')"));
        let columns =
            columns.iter().filter_map(|row| if let Value::Text(name) = &row[0] { Some(name.clone()) } else { None });
        let kept: Vec<String> = columns.filter(|column| !TOUCHED.contains(&(&table, column))).collect();
        let all = texts(&conn, &format!("SELECT {} FROM {table} ORDER BY 1, 2", kept.join(", ")));
        (table, all)
    };
    tables.map(content).collect()
}

#[tokio::test]
async fn a_cookie_that_was_not_given_opens_nothing_and_is_not_taken_over() {
    let server = server().await;
    let mut real = Browser::signed_in(&server, ADA, PASSWORD).await;
    let token = real.session().expect("a cookie");
    let other = |letter: char| if letter == 'x' { 'y' } else { 'x' };
    let flipped = |place: usize| -> String {
        token.chars().enumerate().map(|(at, letter)| if at == place { other(letter) } else { letter }).collect()
    };
    let forged = [
        String::new(),
        new_token(),
        token[..42].to_owned(),
        format!("{token}A"),
        format!(" {token}"),
        flipped(0),
        flipped(42),
        token.to_lowercase(),
        token.chars().rev().collect(),
        "' OR 1=1 --".to_owned(),
        "%00".repeat(14),
        "0".repeat(100_000),
    ];
    for cookie in forged.iter().filter(|cookie| **cookie != token) {
        let mut browser = Browser::new(&server);
        browser.set_session(cookie);
        // A space at its edge belongs to the header, not to the cookie (RFC 6265).
        let trimmed = cookie.trim() == token;
        assert!(trimmed || !browser.opens("/").await, "{cookie:.60}");
        let asked = browser.send("POST", "/api/fn/overview", String::new()).await;
        assert!(trimmed || asked.status.as_u16() == 401, "{cookie:.60}: {}", asked.status);
    }
    // One that was planted before signing in is worth nothing after.
    let (mut victim, planted) = (Browser::new(&server), new_token());
    victim.set_session(&planted);
    victim.sign_in(ADA, PASSWORD).await;
    assert_ne!(victim.session().as_ref(), Some(&planted));
    let mut attacker = Browser::new(&server);
    attacker.set_session(&planted);
    assert!(victim.opens("/").await && !attacker.opens("/").await && real.opens("/").await);
    // Without the name that binds it to this host it is none.
    let bare = format!("scrip_session={token}; scrip={token}; __Host-scrip-half={token}");
    let reply = server.send("GET", "/", &[("cookie", &bare)], Body::empty()).await;
    assert_eq!(reply.status.as_u16(), 303);
}

#[tokio::test]
async fn a_session_ends_after_a_day_without_a_request_and_after_two_weeks_whatever_happens() {
    let server = server().await;
    let (mut idle, mut busy) =
        (Browser::signed_in(&server, ADA, PASSWORD).await, Browser::signed_in(&server, ADA, PASSWORD).await);
    later(&server, 24 * HOUR - 1);
    assert!(busy.opens("/").await);
    later(&server, 1);
    assert!(!idle.opens("/").await && busy.opens("/").await);
    for _ in 0..15 {
        later(&server, 20 * HOUR);
        assert!(busy.opens("/").await);
    }
    later(&server, 12 * HOUR - 1);
    assert!(busy.opens("/").await, "a moment before two weeks");
    later(&server, 1);
    assert!(!busy.opens("/").await, "two weeks");
    idle.sign_in(ADA, PASSWORD).await;
    assert!(idle.opens("/").await);
}

#[tokio::test]
async fn a_half_session_is_for_the_code_alone_for_five_minutes_and_for_whom_it_was_given() {
    let server = server().await;
    let mut ada = Browser::signed_in(&server, ADA, PASSWORD).await;
    let (_, codes) = with_second_step(&server, &mut ada).await;
    let mut half = Browser::new(&server);
    half.sign_in(ADA, PASSWORD).await;
    let token = half.half().expect("a cookie");
    for forged in [String::new(), new_token(), token[..42].to_owned(), ada.session().expect("a cookie")] {
        let mut browser = Browser::new(&server);
        browser.set_half(&forged);
        assert_eq!(browser.code(&codes[0]).await, "/sign-in?error=code_late", "{forged}");
    }
    let mut wrong = Browser::new(&server);
    wrong.set_session(&token);
    assert!(!wrong.opens(SECURITY).await && !half.opens(SECURITY).await);
    for path in ["/settings/security", "/settings/members", "/switch", "/settings/security/passkeys/begin"] {
        assert_eq!(half.post(path, &[("do", "end_all")]).await.header("location"), "/sign-in", "{path}");
    }
    later(&server, 5 * 60 * 1_000_000);
    assert_eq!(half.code(&codes[0]).await, "/sign-in?error=code_late");
    half.sign_in(ADA, PASSWORD).await;
    assert_eq!(half.code(&codes[0]).await, "/", "the code was not used up by what was refused");
}

/// What somebody may try to say along with any form.
const MORE: [(&str, &str); 17] = [
    ("operator", "true"),
    ("operator", "1"),
    ("is_operator", "on"),
    ("user", "1"),
    ("user_id", "1"),
    ("org", "2"),
    ("org_id", "2"),
    ("role", "owner"),
    ("scope", "admin"),
    ("scopes", "admin"),
    ("email", "evil@example.com"),
    ("password_hash", "x"),
    ("confirmed_at", "1"),
    ("secret", "AAAAAAAAAAAAAAAA"),
    ("token_hash", "00"),
    ("created_by", "user:ada@example.com"),
    ("expires_at", "9999999999999999"),
];

/// A form with all of [`MORE`] that it does not say itself.
fn stuffed<'f>(form: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let more = MORE.into_iter().filter(|(name, _)| !form.iter().any(|(own, _)| own == name));
    form.iter().copied().chain(more).collect()
}

#[tokio::test]
async fn what_a_form_says_beyond_what_it_is_asked_changes_nothing() {
    let server = server().await;
    server.create_org("Other", "token-billing").await;
    member_of(&server, "mallory@example.com", "Other", "owner").await;
    person(&server, BOB, "member").await;
    let (mut ada, mut bob) = (Browser::new(&server), Browser::new(&server));
    ada.post("/sign-in", &stuffed(&[("email", ADA), ("password", PASSWORD)])).await;
    bob.post("/sign-in", &stuffed(&[("email", BOB), ("password", PASSWORD)])).await;

    let invite = stuffed(&[("do", "invite"), ("email", "new@example.com"), ("role", "member")]);
    let token = token_in(&ada.post("/settings/members", &invite).await.text(), "/invitation?token=");
    let new = "quiet teapots at noon";
    let join = stuffed(&[("token", &token), ("password", new), ("again", new)]);
    assert_eq!(Browser::new(&server).post("/invitation", &join).await.header("location"), "/");
    let key = [
        ("do", "create"),
        ("form_key", "a-key"),
        ("key", "a-key"),
        ("name", "n"),
        ("scope", "usage:read"),
        ("days", ""),
    ];
    ada.post("/settings/keys", &stuffed(&key)).await;
    let change = [("do", "password"), ("present", PASSWORD), ("password", new), ("again", new)];
    assert!(bob.post(SECURITY, &stuffed(&change)).await.header("location").contains("done=password"));
    for form in [
        &[("do", "totp_begin"), ("present", new)][..],
        &[("do", "end_others")],
        &[("do", "end"), ("session", "0000000000000000")],
        &[("do", "passkey_rename"), ("passkey", "1"), ("name", "x")],
        &[("do", "unlink"), ("present", new)],
    ] {
        bob.post(SECURITY, &stuffed(form)).await;
    }
    bob.post("/forgot-password", &stuffed(&[("email", BOB)])).await;
    bob.post("/switch", &[("org", "2"), ("role", "owner")]).await;
    bob.post("/settings/members", &stuffed(&[("do", "role"), ("member", "3"), ("role", "owner")])).await;

    let conn = open(&server);
    let people = texts(&conn, "SELECT email, operator FROM user ORDER BY user_id");
    let expected = [ADA, "mallory@example.com", BOB, "new@example.com"];
    let expected: Vec<String> = expected.iter().map(|email| format!("[Text({email:?}), Integer(0)]")).collect();
    assert_eq!(people, expected);
    let members = texts(
        &conn,
        "SELECT m.org_id, u.email, m.role FROM member m JOIN user u ON u.user_id = m.user_id ORDER BY m.org_id, u.email",
    );
    let member = |org: i64, email: &str, role: &str| format!("[Integer({org}), Text({email:?}), Text({role:?})]");
    let expected = vec![
        member(1, ADA, "owner"),
        member(1, BOB, "member"),
        member(1, "new@example.com", "member"),
        member(2, "mallory@example.com", "owner"),
    ];
    assert_eq!(members, expected);
    let keys = texts(&conn, "SELECT DISTINCT org_id FROM api_key");
    assert_eq!(keys, ["[Integer(1)]"]);
    assert_eq!(texts(&conn, "SELECT 1 FROM api_key WHERE scopes LIKE '%admin%'"), Vec::<String>::new());
    assert_eq!(texts(&conn, "SELECT secret FROM second_factor WHERE secret LIKE 'AAAA%'"), Vec::<String>::new());
    assert_eq!(texts(&conn, "SELECT 1 FROM session WHERE org_id = 2"), Vec::<String>::new());
}

#[tokio::test]
async fn no_get_changes_anything() {
    let idp = Idp::start().await;
    let server = Server::with(idp.config()).await;
    person(&server, ADA, "owner").await;
    let mut ada = Browser::signed_in(&server, ADA, PASSWORD).await;
    server.post_json(&json!({"id": "1", "source": "api", "type": "images"})).await;
    let invite = [("do", "invite"), ("email", "new@example.com"), ("role", "member")];
    let token = token_in(&ada.post("/settings/members", &invite).await.text(), "/invitation?token=");
    ada.post(SECURITY, &[("do", "totp_begin"), ("present", PASSWORD)]).await;
    let bearer = format!("Bearer {}", server.create_key(ORG, &["admin"]).await);
    let cookie = format!("__Host-scrip={}", ada.session().expect("a cookie"));
    let before = contents(&server);
    assert!(before["event"].len() == 1 && before["invitation"].len() == 1 && before["second_factor"].len() == 1);
    let query = format!(
        "?token={token}&do=end_all&org=2&role=owner&member=1&invitation=1&session=0000000000000000&error=x&done=x&code=x&state=y&revoked=key_1"
    );
    for rule in RULES.iter().filter(|rule| rule.method == "GET") {
        for (id, more) in
            [("event_1", ""), ("1", ""), ("grant_1", ""), ("key_1", query.as_str()), ("entry_1", query.as_str())]
        {
            let path = path_of(rule).replace("event_1", id).replace("{version}", "1");
            for method in ["GET", "HEAD"] {
                let headers = [("authorization", bearer.as_str()), ("cookie", cookie.as_str())];
                let reply = server.send(method, &format!("{path}{more}"), &headers, Body::empty()).await;
                assert!(reply.status.as_u16() < 500 || rule.path == "/readyz", "{method} {path}: {}", reply.status);
            }
        }
        let after = contents(&server);
        for (table, rows) in &before {
            assert_eq!(rows, &after[table], "GET {} changes {table}", rule.path);
        }
    }
}

#[tokio::test]
async fn an_unknown_email_takes_as_much_work_as_a_wrong_password() {
    let server = server().await;
    let long = "x".repeat(5_000);
    let mut browser = Browser::new(&server);
    for (email, password) in [
        (ADA, "wrong"),
        ("nobody@example.com", PASSWORD),
        ("no address", "x"),
        ("", ""),
        (ADA, ""),
        (ADA, long.as_str()),
        ("nobody@example.com", long.as_str()),
    ] {
        let before = server.passwords.checked();
        assert!(browser.sign_in(email, password).await.contains("error=credentials"), "{email}");
        // No password is that long, whoever's it is.
        let expected = u64::from(password.len() < 1_000);
        assert_eq!(server.passwords.checked() - before, expected, "{email}: one hash, no more and no less");
    }
    // A forgotten password is answered before anybody looks.
    let before = server.passwords.checked();
    for email in [ADA, "nobody@example.com"] {
        browser.post("/forgot-password", &[("email", email)]).await;
    }
    assert_eq!(server.passwords.checked(), before);
}

/// What is logged, in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_reaches_the_log_however_much_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    // For every thread. Where tests share a process only this one asks for it.
    let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    all.with_writer(move || writer.clone()).try_init().expect("the only one");
    let idp = Idp::start().await;
    let server = Server::with(idp.config()).await;
    person(&server, ADA, "owner").await;
    let mut secrets = vec![PASSWORD.to_owned(), SECRET.to_owned(), server.key.clone()];

    let mut ada = Browser::signed_in(&server, ADA, PASSWORD).await;
    secrets.extend(ada.session());
    let (secret, codes) = with_second_step(&server, &mut ada).await;
    secrets.push(secret);
    secrets.extend(codes.clone());
    let mut other = Browser::new(&server);
    other.sign_in(ADA, PASSWORD).await;
    secrets.extend(other.half());
    other.code(&codes[0]).await;
    other.sign_in(ADA, "canary-of-a-wrong-password").await;
    secrets.extend(other.session());
    secrets.push("canary-of-a-wrong-password".to_owned());

    let invite = [("do", "invite"), ("email", "new@example.com"), ("role", "member")];
    let token = token_in(&ada.post("/settings/members", &invite).await.text(), "/invitation?token=");
    other.get(&format!("/invitation?token={token}")).await;
    other.get("/reset-password?token=canary-of-a-reset-token").await;
    secrets.extend([token, "canary-of-a-reset-token".to_owned()]);
    server.get("/api/v1/balance").await;
    let wrong = "scrip_canary00_of0a0key0that0is0mistyped0000000000000000000";
    server.send("GET", "/api/v1/balance", &[("authorization", &format!("Bearer {wrong}"))], Body::empty()).await;
    secrets.push(wrong.to_owned());

    let mut guest = Browser::new(&server);
    let location = guest.get("/sign-in/oidc").await.header("location").to_owned();
    secrets.extend(guest.cookie("__Host-scrip-elsewhere"));
    let asked = super::idp::asked(&location);
    secrets.extend([asked["state"].clone(), asked["nonce"].clone()]);
    let back = idp.approve(&location, idp.claims("s-1", ADA, &location));
    secrets.push(super::idp::asked(&back)["code"].clone() + "&");
    assert_eq!(guest.get(&back).await.header("location"), "/sign-in/code");
    let denied = guest.get("/sign-in/oidc/callback?code=canary-of-a-code&state=canary-of-a-state").await;
    assert_eq!(denied.status.as_u16(), 303);
    secrets.extend(["canary-of-a-code".to_owned(), "canary-of-a-state".to_owned()]);

    let text = String::from_utf8_lossy(&log.0.lock().expect("no panic")).into_owned();
    assert!(text.contains("path=/sign-in/code") && text.contains("answered"), "the log is written");
    for secret in secrets {
        let place = text.find(&secret);
        let line = place.map(|at| text[..at].rfind('\n').map_or(0, |start| start + 1)).map(|start| &text[start..]);
        assert!(place.is_none(), "{secret} in {:?}", line.and_then(|line| line.lines().next()));
    }
}
