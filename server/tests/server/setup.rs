//! The first start, as a browser without JavaScript goes through it.

use super::cli::{Running, folder, ok};
use super::common::{NOW, Reply, Server, time, without_product};
use axum::body::Body;
use serde_json::Value;
use store::session::token_hash;

const TOKEN: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg";
const PASSWORD: &str = "four quiet green kettles";
const WORDS: [(&str, &str); 8] = [
    ("do", "words"),
    ("product", "Tollbooth"),
    ("unit", "credits"),
    ("position", "after"),
    ("decimals", "2"),
    ("workflow", "Workflow"),
    ("workflows", "Workflows"),
    ("support", "help@tollbooth.example"),
];
const ORGANIZATION: [(&str, &str); 4] =
    [("do", "organization"), ("name", "Bob & Sons"), ("zone", "Asia/Kathmandu"), ("currency", "chf")];

/// A server where nobody is, with a link.
async fn open() -> Server {
    let server = Server::start().await;
    assert!(server.store.open_setup(token_hash(TOKEN)).await.expect("laid down"));
    server
}

async fn get(server: &Server, path: &str) -> Reply {
    server.send("GET", path, &[], Body::empty()).await
}

fn account<'f>(email: &'f str, password: &'f str) -> [(&'f str, &'f str); 3] {
    [("email", email), ("password", password), ("again", password)]
}

/// Makes the owner's account: the cookie of their browser.
async fn owner(server: &Server) -> String {
    let reply = server.submit("", &format!("/setup/{TOKEN}"), &account("Bob@Example.com", PASSWORD)).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/setup"), "{}", reply.text());
    reply.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

async fn goes_to(server: &Server, cookie: &str, form: &[(&str, &str)], to: &str) {
    let reply = server.submit(cookie, "/setup", form).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, to), "{form:?}: {}", reply.text());
}

fn preset(name: &str) -> Vec<(&str, &str)> {
    vec![("do", "preset"), ("preset", name), ("opening", "100")]
}

/// Goes through the steps up to the page that shows the key.
async fn founded(server: &Server, cookie: &str, name: &str) -> String {
    goes_to(server, cookie, &WORDS, "/setup?step=organization").await;
    goes_to(server, cookie, &ORGANIZATION, "/setup?step=preset").await;
    goes_to(server, cookie, &preset(name), "/setup?step=key").await;
    let reply = server.submit(cookie, "/setup", &[("do", "key")]).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"), "{}", reply.text());
    reply.text()
}

/// The key and the event of the line that is shown.
fn shown(page: &str) -> (String, String) {
    let page = page.replace("&quot;", "\"").replace("&amp;", "&");
    let key = page.split_once("id=\"key\">").and_then(|(_, rest)| rest.split_once('<')).expect("a key").0.to_owned();
    let event = page.split_once("-d '").and_then(|(_, rest)| rest.split_once('\'')).expect("an event").0.to_owned();
    assert!(page.contains(&format!("Authorization: Bearer {key}")));
    (key, event)
}

async fn report(server: &Server, key: &str, event: String) -> Value {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    server.send("POST", "/api/v1/events", &headers, event).await.json()
}

#[tokio::test]
async fn the_link_leads_step_by_step_from_nobody_to_the_first_event_on_a_chart() {
    let server = open().await;
    for path in ["/", "/analytics", "/settings/keys", "/sign-in"] {
        assert_eq!(get(&server, path).await.header("location"), "/setup", "{path}");
    }
    let closed = get(&server, "/setup").await.text();
    assert!(closed.contains("Open the link that <code>scrip serve</code> printed") && !closed.contains("<form"));
    let first = get(&server, &format!("/setup/{TOKEN}")).await;
    assert!(
        first.text().contains("Your account") && first.header("content-security-policy").contains("script-src 'self'")
    );

    let cookie = owner(&server).await;
    assert_eq!(server.open(&cookie, "/").await.header("location"), "/setup", "nobody is lost on the way");
    assert!(server.open(&cookie, "/setup").await.text().contains("Name and words"));
    let page = founded(&server, &cookie, "automation").await;
    let (key, event) = shown(&page);
    let sse = async || server.send("GET", "/setup/waiting", &[("cookie", &cookie)], Body::empty()).await.text();
    let waits = server.open(&cookie, "/setup").await.text();
    assert!(waits.contains("Waiting for your first event") && waits.contains("http-equiv=\"refresh\""), "{waits}");
    let answer = report(&server, &key, event).await;
    assert_eq!(answer["accepted"], 1, "{answer}");

    // Past six in the evening of UTC it would be the next day there.
    let chart = "/analytics?from=2026-11-21&to=2026-11-21";
    assert_eq!(sse().await.trim(), "event: received\ndata: /setup");
    assert_eq!(server.open(&cookie, "/setup").await.header("location"), chart);
    let analytics = server.open(&cookie, chart).await.text();
    for text in ["Bob &amp; Sons", "Tollbooth", "Asia/Kathmandu"] {
        assert!(analytics.contains(text), "{text}");
    }
    let log = server.open(&cookie, "/settings/audit").await.text();
    for text in ["Organization created", "Installation changed", "Member added", "Credits given", "API key created"] {
        assert!(log.contains(text), "{text}");
    }
    assert!(log.contains("bob@example.com") && !log.contains(&key));
    assert!(server.open(&cookie, "/grants").await.text().contains("id=\"give\""), "the owner is an operator");
    let verified = server.store.verify(|_, _| ()).await.expect("checks");
    assert_eq!(verified.problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_link_works_once_and_for_a_day_and_only_while_nobody_is_here() {
    let server = open().await;
    let link = format!("/setup/{TOKEN}");
    let wrong = format!("/setup/{}", TOKEN.replace('0', "1"));
    assert_eq!(get(&server, &wrong).await.status.as_u16(), 404);
    assert_eq!(server.submit("", &wrong, &account("eve@example.com", PASSWORD)).await.status.as_u16(), 404);
    server.clock.set(ledger::Timestamp::from_micros(time(NOW).micros() + store::setup::LINK_US));
    assert_eq!(get(&server, &link).await.status.as_u16(), 404, "over");
    assert_eq!(server.submit("", &link, &account("eve@example.com", PASSWORD)).await.status.as_u16(), 404);
    // The next start prints another, and the one before is dead.
    let next = TOKEN.replace('0', "2");
    assert!(server.store.open_setup(token_hash(&next)).await.expect("laid down"));
    assert_eq!(get(&server, &link).await.status.as_u16(), 404);
    assert_eq!(get(&server, &format!("/setup/{next}")).await.status.as_u16(), 200);
    assert!(server.store.open_setup(token_hash(TOKEN)).await.expect("laid down"));
    let cookie = owner(&server).await;
    assert_eq!(get(&server, &link).await.status.as_u16(), 404, "used");
    assert_eq!(server.submit("", &link, &account("eve@example.com", PASSWORD)).await.status.as_u16(), 404);
    assert!(!server.store.open_setup(token_hash(TOKEN)).await.expect("asked"), "a later start prints none");
    for path in ["/setup", "/setup/waiting"] {
        assert_eq!(get(&server, path).await.status.as_u16(), 404, "{path} is nobody else's");
    }
    assert_eq!(server.submit("", "/setup", &WORDS).await.status.as_u16(), 404);
    founded(&server, &cookie, "token-billing").await;
    goes_to(&server, &cookie, &[("do", "event")], "/").await;
    for path in ["/setup", "/setup/waiting", &link] {
        assert_eq!(server.open(&cookie, path).await.status.as_u16(), 404, "{path} is over");
    }
    assert_eq!(server.submit(&cookie, "/setup", &WORDS).await.status.as_u16(), 404);
    assert_eq!(server.open(&cookie, "/").await.status.as_u16(), 200);
}

#[tokio::test]
async fn whoever_is_made_by_a_command_ends_the_first_start() {
    let server = open().await;
    let cookie = server.person("Acme", "owner", true).await;
    for path in [format!("/setup/{TOKEN}"), "/setup".to_owned()] {
        assert_eq!(server.open(&cookie, &path).await.status.as_u16(), 404, "{path}");
    }
    assert!(get(&server, "/").await.header("location").starts_with("/sign-in"));
    assert!(!server.store.open_setup(token_hash(TOKEN)).await.expect("asked"));
}

#[tokio::test]
async fn another_site_cannot_send_its_forms() {
    let server = open().await;
    let form = serde_urlencoded::to_string(account("eve@example.com", PASSWORD)).expect("a form");
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    let reply = server.send("POST", &format!("/setup/{TOKEN}"), &headers, form).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (403, "cross_site"));
    assert!(!server.store.has_people().await.expect("reads"));
    let cookie = owner(&server).await;
    let headers = [headers[0], headers[1], ("cookie", cookie.as_str())];
    let reply = server.send("POST", "/setup", &headers, serde_urlencoded::to_string(WORDS).expect("a form")).await;
    assert_eq!(reply.status.as_u16(), 403);
    assert_eq!(server.store.installation().await.expect("reads").product, "Scrip");
}

#[tokio::test]
async fn what_is_wrong_is_named_at_each_step_and_typed_values_come_back() {
    let server = open().await;
    let link = format!("/setup/{TOKEN}");
    for (form, said) in [
        (account("nobody", PASSWORD), "no email address"),
        (account("bob@example.com", "short"), "at least 10 characters"),
        (account("bob@example.com", "password123"), "first that are guessed"),
        ([("email", "bob@example.com"), ("password", PASSWORD), ("again", "x")], "not the same"),
    ] {
        let reply = server.submit("", &link, &form).await;
        let page = reply.text();
        assert!(reply.status.as_u16() == 422 && page.contains(said) && page.contains(form[0].1), "{said}: {page}");
        assert!(!page.contains(form[1].1) || form[1].1 == "short", "a password never comes back");
    }
    assert!(!server.store.has_people().await.expect("reads"), "nothing half-made");
    let cookie = owner(&server).await;
    let refused = async |form: &[(&str, &str)], name: &str, value: &str, said: &str| {
        let form: Vec<(&str, &str)> =
            form.iter().map(|(key, kept)| (*key, if *key == name { value } else { *kept })).collect();
        let reply = server.submit(&cookie, "/setup", &form).await;
        let page = reply.text();
        assert_eq!(reply.status.as_u16(), 422, "{name} {value}");
        assert!(page.contains(said) && page.contains("role=\"alert\""), "{said}: {page}");
        assert!(form.iter().all(|(key, kept)| *key == "do" || page.contains(&kept.replace('&', "&amp;"))), "{page}");
    };
    // A step whose turn has not come leads back to where one is.
    goes_to(&server, &cookie, &preset("automation"), "/setup").await;
    refused(&WORDS, "support", "javascript:x", "support contact must be").await;
    refused(&WORDS, "decimals", "9", "0 to 6 decimals").await;
    goes_to(&server, &cookie, &WORDS, "/setup?step=organization").await;
    refused(&ORGANIZATION, "zone", "Europe/Atlantis", "no such time zone").await;
    refused(&ORGANIZATION, "currency", "XXX", "ISO 4217").await;
    refused(&ORGANIZATION, "name", "Acme", "of this name already").await;
    goes_to(&server, &cookie, &ORGANIZATION, "/setup?step=preset").await;
    refused(&preset("automation"), "opening", "-5", "above zero").await;
    let reply = server.submit(&cookie, "/setup", &preset("nothing")).await;
    assert!(reply.status.as_u16() == 422 && reply.text().contains("Choose one of the presets"));
    goes_to(&server, &cookie, &preset("automation"), "/setup?step=key").await;
    // Gone back to, with what was said.
    let back = server.open(&cookie, "/setup?step=organization").await.text();
    assert!(back.contains("value=\"Bob &amp; Sons\"") && back.contains("value=\"CHF\""), "{back}");
    // Somebody takes the name in between: nothing is made, and the step that has it says so.
    server.create_org("Bob & Sons", "none").await;
    let reply = server.submit(&cookie, "/setup", &[("do", "key")]).await;
    assert!(reply.status.as_u16() == 422 && reply.text().contains("of this name already"));
    let key = server.open(&cookie, "/setup?step=key").await.text();
    assert!(key.contains("Make organization and key"), "nothing half-made");
}

#[tokio::test]
async fn it_goes_on_where_it_was_after_signing_in_again_and_a_lost_key_can_be_made_anew() {
    let server = open().await;
    let cookie = owner(&server).await;
    goes_to(&server, &cookie, &WORDS, "/setup?step=organization").await;
    server.submit(&cookie, "/sign-out", &[]).await;
    assert!(get(&server, "/").await.header("location").starts_with("/sign-in"));
    let form = [("email", "bob@example.com"), ("password", PASSWORD), ("next", "/")];
    let reply = server.submit("", "/sign-in", &form).await;
    let cookie = reply.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    assert_eq!(server.open(&cookie, reply.header("location")).await.header("location"), "/setup");
    assert!(server.open(&cookie, "/setup").await.text().contains("Your organization"));
    let (first, event) = shown(&founded(&server, &cookie, "token-billing").await);
    let again = server.open(&cookie, "/setup?step=key").await.text();
    assert!(again.contains("was shown once") && !again.contains(&first));
    let (second, _) = shown(&server.submit(&cookie, "/setup", &[("do", "key")]).await.text());
    assert_ne!(first, second);
    assert_eq!(report(&server, &second, event).await["accepted"], 1);
    // The steps before are over: another org cannot be made of their forms.
    goes_to(&server, &cookie, &ORGANIZATION, "/setup").await;
}

#[tokio::test]
async fn whoever_owns_the_org_no_more_has_no_first_start_any_more() {
    let server = open().await;
    let cookie = owner(&server).await;
    founded(&server, &cookie, "automation").await;
    let user = server.store.user_by_email("bob@example.com").await.expect("reads").expect("is there").id;
    let org = server.store.org_by_name("Bob & Sons").await.expect("reads").expect("is there").id;
    server.store.add_member(org, user, ledger::Role::Analyst).await.expect("changed");
    assert_eq!(server.open(&cookie, "/setup").await.status.as_u16(), 404);
    assert_eq!(server.submit(&cookie, "/setup", &[("do", "key")]).await.status.as_u16(), 404, "no key is made");
}

#[tokio::test]
async fn the_line_of_every_preset_sends_an_event_that_is_taken() {
    for preset in scrip_server::preset::Preset::embedded().expect("presets") {
        let server = open().await;
        let cookie = owner(&server).await;
        let (key, event) = shown(&founded(&server, &cookie, &preset.name).await);
        let answer = report(&server, &key, event).await;
        assert_eq!(
            (answer["accepted"].as_u64(), &answer["errors"]),
            (Some(1), &serde_json::json!([])),
            "{}",
            preset.name
        );
    }
}

#[tokio::test]
async fn names_are_text_wherever_they_stand() {
    let server = open().await;
    let cookie = owner(&server).await;
    let hostile = "<script>x</script>\"'&";
    let mut words = WORDS;
    words[1].1 = hostile;
    words[2].1 = "<b>c";
    words[5].1 = "<b>w";
    goes_to(&server, &cookie, &words, "/setup?step=organization").await;
    let mut organization = ORGANIZATION;
    organization[1].1 = hostile;
    goes_to(&server, &cookie, &organization, "/setup?step=preset").await;
    goes_to(&server, &cookie, &preset("automation"), "/setup?step=key").await;
    for step in ["words", "organization", "preset", "key"] {
        let page = server.open(&cookie, &format!("/setup?step={step}")).await.text();
        assert!(page.contains("&lt;script&gt;x") && !page.contains("<script>x") && !page.contains("<b>c"), "{step}");
    }
    server.submit(&cookie, "/setup", &[("do", "key")]).await;
    for path in ["/setup", "/", "/grants", "/settings/terminology", "/settings/organization", "/help"] {
        let page = server.open(&cookie, path).await.text();
        let page = if path == "/setup" { page } else { without_product(&page) };
        assert!(!page.contains("<script>x") && !page.contains("<b>c") && !page.contains("<b>w"), "{path}");
    }
}

#[tokio::test]
async fn words_left_as_suggested_follow_the_preset_and_chosen_ones_stay() {
    for (unit, shown) in [("credits", "$100.000000"), ("points", "100.00 points")] {
        let server = open().await;
        let cookie = owner(&server).await;
        let mut words = WORDS;
        words[2].1 = unit;
        goes_to(&server, &cookie, &words, "/setup?step=organization").await;
        goes_to(&server, &cookie, &ORGANIZATION, "/setup?step=preset").await;
        goes_to(&server, &cookie, &preset("token-billing"), "/setup?step=key").await;
        server.submit(&cookie, "/setup", &[("do", "key")]).await;
        assert!(server.open(&cookie, "/grants").await.text().contains(shown), "{unit}");
    }
}

#[tokio::test]
async fn a_sample_is_made_beside_it_for_the_owner_and_says_that_it_is_made_up() {
    let server = open().await;
    let cookie = owner(&server).await;
    let user = server.store.user_by_email("bob@example.com").await.expect("reads").expect("is there").id;
    let (key, event) = shown(&founded(&server, &cookie, "token-billing").await);
    scrip_server::cli::sample_beside(&server.store, "token-billing", user).await.expect("made");
    // A second time changes nothing.
    scrip_server::cli::sample_beside(&server.store, "token-billing", user).await.expect("there already");
    let page = server.open(&cookie, "/setup").await.text();
    let id = page.split_once("name=\"org\" value=\"").and_then(|(_, rest)| rest.split_once('"')).expect("a sample").0;
    server.submit(&cookie, "/switch", &[("org", id)]).await;
    let overview = server.open(&cookie, "/").await.text();
    assert!(overview.contains("Synthetic sample data") && overview.contains("Last transactions"));
    // The first event is not among the sample's: the page offers the chart that has it.
    assert_eq!(report(&server, &key, event).await["accepted"], 1);
    let received = server.open(&cookie, "/setup").await.text();
    assert!(received.contains("Open the chart of Bob &amp; Sons"), "{received}");
    goes_to(&server, &cookie, &[("do", "event")], "/analytics?from=2026-11-21&to=2026-11-21").await;
    assert!(!server.open(&cookie, "/").await.text().contains("Synthetic sample data"));
    let orgs = server.store.orgs().await.expect("reads");
    assert_eq!(orgs.iter().filter(|org| org.synthetic).count(), 1);
}

/// The address that a server prints on its second line.
fn printed(server: &mut Running) -> String {
    let line = server.line();
    assert!(line.starts_with("First start: open http://127.0.0.1:"), "{line}");
    line.split_whitespace().find(|word| word.starts_with("http://")).expect("an address").to_owned()
}

#[tokio::test]
async fn serve_prints_a_link_that_works_a_new_one_at_each_start_and_none_once_somebody_is_here() {
    let data = folder();
    let status = async |url: &str| super::common::http().get(url).send().await.expect("answers").status().as_u16();
    let mut server = Running::start(data.path());
    let first = printed(&mut server);
    assert_eq!((status(&first).await, status(&first).await), (200, 200), "looking at it does not use it up");
    drop(server);
    let mut server = Running::start(data.path());
    let second = printed(&mut server);
    let path = first.rsplit_once("/setup/").expect("a path").1;
    assert_eq!((status(&second).await, status(&format!("{}/setup/{path}", server.url)).await), (200, 404));
    let form = serde_urlencoded::to_string(account("bob@example.com", PASSWORD)).expect("a form");
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let made = client.post(&second).header("content-type", "application/x-www-form-urlencoded").body(form).send().await;
    assert_eq!(made.expect("answers").status().as_u16(), 303);
    assert_eq!(status(&second).await, 404, "it works once");
    drop(server);
    let mut server = Running::start(data.path());
    assert!(!server.line().contains("First start"), "there is no link any more");
    drop(server);

    let data = folder();
    ok(data.path(), &["org", "create", "Acme"]);
    ok(data.path(), &["user", "create", "ada@example.com", "--org", "Acme"]);
    let server = Running::start(data.path());
    assert_eq!(status(&format!("{}/setup", server.url)).await, 404, "commands made somebody first");
}
