//! Who belongs to an org: roles, leaving, invitations, and going from one org to another.

use super::common::{ORG, Server, time};
use super::people::{Browser, PASSWORD, mails, member_of, person, server_with_mail, token_in};
use ledger::Role;
use scrip_server::config::Config;
use std::sync::{Arc, Mutex};
use store::audit::AuditPage;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

const PAGE: &str = "/settings/members";
const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const EVE: &str = "eve@example.com";

async fn id_of(server: &Server, email: &str) -> String {
    server.store.user_by_email(email).await.expect("readable").expect("somebody").id.0.to_string()
}

async fn role_of(server: &Server, email: &str) -> Option<Role> {
    let org = server.store.org_by_name(ORG).await.expect("readable").expect("the org").id;
    let members = server.store.members(org).await.expect("readable");
    members.into_iter().find(|member| member.email == email).map(|member| member.role)
}

async fn team() -> Server {
    let server = Server::start().await;
    for (email, role) in [(ADA, "owner"), (BOB, "admin"), (EVE, "member")] {
        person(&server, email, role).await;
    }
    server
}

#[tokio::test]
async fn the_last_owner_stays_and_admins_touch_no_owner() {
    let server = team().await;
    let (ada, eve) = (id_of(&server, ADA).await, id_of(&server, EVE).await);
    let mut owner = Browser::signed_in(&server, ADA, PASSWORD).await;
    let mut admin = Browser::signed_in(&server, BOB, PASSWORD).await;
    for fields in
        [vec![("do", "remove"), ("member", ada.as_str())], vec![("do", "role"), ("member", &ada), ("role", "admin")]]
    {
        assert_eq!(owner.post(PAGE, &fields).await.header("location"), "/settings/members?error=last_owner");
        assert_eq!(admin.post(PAGE, &fields).await.header("location"), "/settings/members?error=owners_only");
    }
    assert_eq!(
        owner.post("/settings/leave", &[("", "")]).await.header("location"),
        "/settings/members?error=last_owner"
    );
    let raise = [("do", "role"), ("member", eve.as_str()), ("role", "owner")];
    assert_eq!(admin.post(PAGE, &raise).await.header("location"), "/settings/members?error=owners_only");
    assert_eq!(owner.post(PAGE, &raise).await.header("location"), "/settings/members?done=role");
    assert_eq!(owner.post("/settings/leave", &[("", "")]).await.header("location"), "/sign-in?done=left");
    assert_eq!((role_of(&server, ADA).await, role_of(&server, EVE).await), (None, Some(Role::Owner)));
    assert!(!owner.opens("/").await);
    assert_eq!(Browser::new(&server).sign_in(ADA, PASSWORD).await, "/sign-in?error=no_org");
}

#[tokio::test]
async fn two_owners_who_demote_each_other_at_once_cannot_both_succeed() {
    let server = team().await;
    let org = server.store.org_by_name(ORG).await.expect("readable").expect("the org").id;
    let user = async |email| server.store.user_by_email(email).await.expect("readable").expect("somebody").id;
    let (ada, eve) = (user(ADA).await, user(EVE).await);
    let by = store::audit::By::command;
    server.store.change_member(org, ada, eve, Some(Role::Owner), by()).await.expect("an owner may");
    let (first, second) = tokio::join!(
        server.store.change_member(org, ada, eve, Some(Role::Member), by()),
        server.store.change_member(org, eve, ada, Some(Role::Member), by()),
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
}

#[tokio::test]
async fn whoever_may_not_manage_members_is_told_who_may_and_is_refused() {
    let server = team().await;
    let mut eve = Browser::signed_in(&server, EVE, PASSWORD).await;
    let page = eve.get(PAGE).await.text();
    assert!(page.contains("Only owners and admins may invite people") && page.contains(ADA), "{page}");
    assert!(!page.contains("name=\"role\""));
    let bob = id_of(&server, BOB).await;
    for fields in [[("do", "remove"), ("member", bob.as_str())], [("do", "invite"), ("email", "x@example.com")]] {
        let reply = eve.post(PAGE, &fields).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (403, "missing_role"));
    }
    assert_eq!(role_of(&server, BOB).await, Some(Role::Admin));
}

#[tokio::test]
async fn removing_somebody_counts_from_their_next_request() {
    let server = team().await;
    let mut eve = Browser::signed_in(&server, EVE, PASSWORD).await;
    assert!(eve.opens("/").await);
    let mut admin = Browser::signed_in(&server, BOB, PASSWORD).await;
    let member = id_of(&server, EVE).await;
    let reply = admin.post(PAGE, &[("do", "remove"), ("member", &member)]).await;
    assert_eq!(reply.header("location"), "/settings/members?done=removed");
    assert!(!eve.opens("/").await);
}

#[tokio::test]
async fn an_invitation_makes_an_account_once_and_for_a_week() {
    let (server, folder) = server_with_mail().await;
    person(&server, ADA, "owner").await;
    let mut owner = Browser::signed_in(&server, ADA, PASSWORD).await;
    let invite = [("do", "invite"), ("email", " New@Example.com "), ("role", "analyst")];
    assert_eq!(owner.post(PAGE, &invite).await.header("location"), "/settings/members?done=invited");
    let mail = mails(folder.path(), 1).await.remove(0);
    assert!(mail.contains("To: new@example.com") && mail.contains("join Acme"), "{mail}");
    let first = token_in(&mail, "/invitation?token=");

    owner.post(PAGE, &[("do", "resend"), ("invitation", "1")]).await;
    let all = mails(folder.path(), 2).await;
    let second =
        all.iter().map(|mail| token_in(mail, "/invitation?token=")).find(|token| *token != first).expect("new");
    let mut guest = Browser::new(&server);
    assert!(
        guest.get(&format!("/invitation?token={first}")).await.text().contains("works once"),
        "sent again is another"
    );
    assert!(guest.get(&format!("/invitation?token={second}")).await.text().contains("Join Acme"));
    let join =
        |password: &str| [("token", second.clone()), ("password", password.to_owned()), ("again", password.to_owned())];
    let weak = guest.post("/invitation", &join("Acme Acme Acme")).await;
    assert!(weak.header("location").contains("error=password_"), "{}", weak.header("location"));
    assert_eq!(guest.post("/invitation", &join("three blue kettles")).await.header("location"), "/");
    assert!(guest.opens("/").await);
    assert_eq!(role_of(&server, "new@example.com").await, Some(Role::Analyst));
    let again = Browser::new(&server).post("/invitation", &join("three red kettles!")).await;
    assert!(again.header("location").contains("error=invitation_late"));

    owner.post(PAGE, &[("do", "invite"), ("email", "late@example.com"), ("role", "member")]).await;
    let all = mails(folder.path(), 3).await;
    let late = all
        .iter()
        .find(|mail| mail.contains("To: late@"))
        .map(|mail| token_in(mail, "/invitation?token="))
        .expect("sent");
    server.clock.set(time("2026-11-28T12:00:00Z"));
    assert!(guest.get(&format!("/invitation?token={late}")).await.text().contains("or is over"));
}

#[tokio::test]
async fn whoever_has_an_account_joins_signed_in_as_whom_the_invitation_is_for() {
    let server = team().await;
    server.create_org("Other", "token-billing").await;
    member_of(&server, "zoe@example.com", "Other", "owner").await;
    let mut zoe = Browser::signed_in(&server, "zoe@example.com", PASSWORD).await;
    // Without mail the link is on the page, once.
    let shown = zoe.post(PAGE, &[("do", "invite"), ("email", EVE), ("role", "billing")]).await.text();
    let token = token_in(&shown, "/invitation?token=");
    assert!(shown.contains("Mail is not set up") && !zoe.get(PAGE).await.text().contains(&token));
    let accept = [("token", token.as_str())];
    let refused = |code: &str| format!("/invitation?error={code}&token={token}");
    assert_eq!(Browser::new(&server).post("/invitation", &accept).await.header("location"), refused("sign_in_first"));
    assert_eq!(zoe.post("/invitation", &accept).await.header("location"), refused("other_account"));
    let mut eve = Browser::signed_in(&server, EVE, PASSWORD).await;
    assert_eq!(eve.post("/invitation", &accept).await.header("location"), "/");
    let page = eve.get("/").await.text();
    assert!(page.contains("class=\"switcher\"") && page.contains("<option value=\"2\" selected=\"\">Other"), "{page}");

    // She goes back and forth; another session of hers goes where the last one went.
    assert_eq!(eve.post("/switch", &[("org", "1")]).await.header("location"), "/");
    assert!(eve.get("/").await.text().contains("<option value=\"1\" selected=\"\">Acme"));
    let mut later = Browser::signed_in(&server, EVE, PASSWORD).await;
    assert!(later.get("/").await.text().contains("<option value=\"1\" selected=\"\">Acme"));
    eve.post("/switch", &[("org", "2")]).await;
    assert!(later.get("/").await.text().contains("<option value=\"1\" selected=\"\">Acme"), "sessions keep their org");
    // Nobody goes where they are no member.
    assert_eq!(zoe.post("/switch", &[("org", "1")]).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_revoked_invitation_opens_nothing_and_who_is_a_member_is_not_invited() {
    let server = team().await;
    let mut bob = Browser::signed_in(&server, BOB, PASSWORD).await;
    let invite = |email: &'static str, role: &'static str| [("do", "invite"), ("email", email), ("role", role)];
    let shown = bob.post(PAGE, &invite("new@example.com", "member")).await.text();
    let token = token_in(&shown, "/invitation?token=");
    assert_eq!(
        bob.post(PAGE, &[("do", "revoke"), ("invitation", "1")]).await.header("location"),
        "/settings/members?done=revoked"
    );
    assert!(Browser::new(&server).get(&format!("/invitation?token={token}")).await.text().contains("taken back"));
    for (email, role, code) in
        [(EVE, "member", "is_member"), ("x@example.com", "owner", "owners_only"), ("none", "member", "bad_email")]
    {
        let reply = bob.post(PAGE, &invite(email, role)).await;
        assert!(reply.header("location").starts_with(&format!("/settings/members?error={code}&email=")), "{email}");
    }
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_and_no_secret_is() {
    let server = team().await;
    let mut ada = Browser::signed_in(&server, ADA, PASSWORD).await;
    let eve = id_of(&server, EVE).await;
    let shown = ada.post(PAGE, &[("do", "invite"), ("email", "new@example.com"), ("role", "member")]).await.text();
    let token = token_in(&shown, "/invitation?token=");
    ada.post(PAGE, &[("do", "revoke"), ("invitation", "1")]).await;
    ada.post(PAGE, &[("do", "role"), ("member", &eve), ("role", "billing")]).await;
    ada.post(PAGE, &[("do", "remove"), ("member", &eve)]).await;
    let change = [
        ("do", "password"),
        ("present", PASSWORD),
        ("password", "three blue kettles"),
        ("again", "three blue kettles"),
    ];
    ada.post("/settings/security", &change).await;
    let org = server.store.org_by_name(ORG).await.expect("readable").expect("the org").id;
    let rows = server.store.audit(org, AuditPage { limit: 5, ..AuditPage::default() }).await.expect("readable");
    let actions: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["password.change", "member.remove", "member.role", "invitation.revoke", "invitation.send"]);
    assert!(rows.iter().all(|row| row.actor == format!("user:{ADA}")));
    assert_eq!(rows[2].before.as_deref(), Some(r#"{"role":"member"}"#));
    assert_eq!(rows[2].after.as_deref(), Some(r#"{"role":"billing"}"#));
    let all = format!("{rows:?}");
    assert!(!all.contains(&token) && !all.contains("kettles") && !all.contains("argon2"));
}

/// As much of a mail server as a client needs to see (RFC 5321), over a real connection.
async fn mail_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let taken = Arc::new(Mutex::new(Vec::new()));
    let mails = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (read, mut write) = stream.into_split();
            let (mut lines, mut mail, mut in_data) = (BufReader::new(read).lines(), String::new(), false);
            write.write_all(b"220 mail.test ESMTP\r\n").await.expect("greets");
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = match (in_data, line.as_str()) {
                    (true, ".") => {
                        in_data = false;
                        mails.lock().expect("nobody panicked").push(std::mem::take(&mut mail));
                        "250 taken\r\n"
                    }
                    (true, text) => {
                        mail.push_str(text);
                        mail.push_str("\r\n");
                        continue;
                    }
                    (false, "DATA") => {
                        in_data = true;
                        "354 go on\r\n"
                    }
                    (false, text) if text.contains("refused@") => "550 no such mailbox\r\n",
                    (false, "QUIT") => "221 bye\r\n",
                    (false, _) => "250 fine\r\n",
                };
                write.write_all(answer.as_bytes()).await.expect("answers");
            }
        }
    });
    (format!("smtp://{address}"), taken)
}

#[tokio::test]
async fn invitations_go_through_a_mail_server_and_a_refused_one_becomes_a_link() {
    let (smtp_url, taken) = mail_server().await;
    let mail_from = Some("Scrip <scrip@example.com>".to_owned());
    let public_url = Some("https://scrip.example.com/".to_owned());
    let config = Config { smtp_url: Some(smtp_url), mail_from, public_url, ..Config::default() };
    let server = Server::with(config).await;
    person(&server, ADA, "owner").await;
    let mut ada = Browser::signed_in(&server, ADA, PASSWORD).await;
    let invite = |email: &'static str| [("do", "invite"), ("email", email), ("role", "member")];
    assert_eq!(ada.post(PAGE, &invite("new@example.com")).await.header("location"), "/settings/members?done=invited");
    let mail = taken.lock().expect("nobody panicked").join("\n").replace("=\r\n", "").replace("=3D", "=");
    assert!(
        mail.contains("From: Scrip <scrip@example.com>")
            && mail.contains("https://scrip.example.com/invitation?token="),
        "{mail}"
    );
    let shown = ada.post(PAGE, &invite("refused@example.com")).await.text();
    assert!(shown.contains("The mail could not be sent") && shown.contains("/invitation?token="));
}
