//! A thousand hostile texts through every label, name and note: into pages, charts, files and mails.
//!
//! A text that stays text changes no element and no attribute of a page. So each page is compared, by its elements and the
//! names of their attributes, with the same page made of harmless texts.

use crate::common::{Client, ORG, Reply, Server};
use scrip_server::config::Config;
use serde_json::json;
use std::collections::BTreeSet;

const COUNT: usize = 1_000;
const SEED: u64 = 0x5c41_97b0_21d3_66ef;

/// What has broken pages, files and shells before.
const PARTS: [&str; 40] = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)//",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "\" autofocus onfocus=alert(1) x=\"",
    "</title><b>",
    "</textarea><i>",
    "</svg><a href=javascript:alert(1)>x</a>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&lt;b&gt;",
    "&#x3C;b&#x3E;",
    "&quot;",
    "javascript:alert(1)",
    "data:text/html,<b>",
    "=HYPERLINK(\"http://x\")",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    "a,b;c",
    "\"quoted\"",
    "it's",
    "`id`",
    "$(id)",
    "${7*7}",
    "{{7*7}}",
    "%3Cb%3E",
    "../../etc/passwd",
    "?a=b&c=d#e",
    "\\u003cb\\u003e",
    "Ada <ada@example.com>",
    "Subject: x",
    "\u{1f4a9}\u{1f469}\u{200d}\u{1f4bb}",
    "\u{645}\u{631}\u{62d}\u{628}\u{627}",
    "Z\u{351}a\u{363}l\u{36c}g\u{35c}o",
    "'; DROP TABLE event; --",
];

/// Parts put together by a fixed seed: one to three each.
fn hostile() -> Vec<String> {
    println!("seed {SEED:#x}");
    let mut state = SEED;
    let mut below = |end: usize| {
        // xorshift64: any sequence will do, as long as it is the same each time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(end).expect("small")).expect("small")
    };
    (0..COUNT).map(|_| (0..=below(3)).map(|_| PARTS[below(PARTS.len())]).collect::<String>()).collect()
}

/// Elements with the names of their attributes, in order; scripts, whose content is not markup, with nothing in them.
fn skeleton(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let (tag, after) = tag(rest);
        rest = after;
        let closes = if tag.starts_with("script") {
            "</script"
        } else if tag.starts_with("style") {
            "</style"
        } else {
            ""
        };
        if !closes.is_empty() {
            rest = rest.find(closes).map_or("", |end| &rest[end..]);
        }
        found.push(tag);
    }
    found
}

/// The tag that `html` begins with, without the values of its attributes, and what follows.
fn tag(html: &str) -> (String, &str) {
    if html.starts_with("<!--") {
        let end = html.find("-->").map_or(html.len(), |end| end + 3);
        return ("!--".to_owned(), &html[end..]);
    }
    let (mut name, mut quote) = (String::new(), None);
    for (index, letter) in html.char_indices().skip(1) {
        match (quote, letter) {
            (None, '>') => return (name, &html[index + 1..]),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if letter == open => quote = None,
            (None, letter) => name.push(letter),
            (Some(_), _) => {}
        }
    }
    panic!("a tag without an end: {}", html.chars().take(200).collect::<String>());
}

fn assert_same(harmless: &Reply, hostile: &Reply, what: &str) {
    assert_eq!((harmless.status, hostile.status.as_u16()), (hostile.status, 200), "{what}");
    let (harmless, hostile) = (skeleton(&harmless.text()), skeleton(&hostile.text()));
    if harmless != hostile {
        let differs = harmless.iter().zip(&hostile).position(|(a, b)| a != b);
        panic!(
            "{what}: {differs:?}: {:?} became {:?}",
            differs.map(|at| &harmless[at]),
            differs.map(|at| &hostile[at])
        );
    }
}

fn event(id: usize, text: &str) -> serde_json::Value {
    let named = |id: &str| json!({"id": id, "name": text});
    json!({"id": format!("e{id}"), "source": text, "type": "input_tokens", "data": {
        "quantity": 1000, "project": named(text), "workflow": named(text), "run": named("r"), "module": named("m"),
        "user": text, "tenant": text, "interaction": text, "description": text, "attributes": {"note": text}}})
}

#[tokio::test]
async fn a_text_stays_a_text_on_the_page_of_an_event_and_in_its_chart() {
    let server = Server::with(Config { address_requests_per_s: 0, ..Config::default() }).await;
    let cookie = server.person(ORG, "owner", true).await;
    server.post_json(&event(0, "plain")).await;
    let plain_event = server.open(&cookie, "/events/event_1").await;
    let texts = hostile();
    let all: Vec<_> = texts.iter().enumerate().map(|(n, text)| event(n + 1, text)).collect();
    let answer = server.post_json(&json!(all)).await.json();
    // Every text is taken, or its event is refused by name; none is changed.
    let refused: BTreeSet<u64> =
        answer["errors"].as_array().into_iter().flatten().filter_map(|error| error["index"].as_u64()).collect();
    assert_eq!(answer["accepted"].as_u64(), Some(texts.len() as u64 - refused.len() as u64));
    assert!(refused.len() < COUNT / 10, "{answer}");
    let mut seq = 1;
    for (n, text) in texts.iter().enumerate().filter(|(n, _)| !refused.contains(&(*n as u64))) {
        seq += 1;
        if n % 10 == 0 {
            let page = server.open(&cookie, &format!("/events/event_{seq}")).await;
            assert_same(&plain_event, &page, text);
        }
    }
    // Names of projects are in the chart, its legend and its table, and the file beside it.
    let page = server.open(&cookie, "/analytics?group=project").await;
    assert_eq!(page.status.as_u16(), 200);
    let known: BTreeSet<String> = skeleton(&page.text()).into_iter().collect();
    let harmless: BTreeSet<String> =
        [skeleton(&server.open(&cookie, "/analytics").await.text()), skeleton(&server.open(&cookie, "/").await.text())]
            .concat()
            .into_iter()
            .collect();
    let strange: Vec<_> = known.difference(&harmless).filter(|tag| tag.contains("on") && tag.contains('=')).collect();
    let strange: Vec<_> =
        strange.into_iter().filter(|tag| tag.split_whitespace().any(|name| name.starts_with("on"))).collect();
    assert_eq!(strange, Vec::<&String>::new());
    for path in ["/exports/usage.csv?group=project", "/exports/events.csv", "/exports/ledger.csv", "/exports/audit.csv"]
    {
        neutral(&server.open(&cookie, path).await.text(), path);
    }
    Client::new(&server).await.assert_verified().await;
}

/// A file in which no cell is a formula, and every row has the cells of its head.
fn neutral(text: &str, what: &str) {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let width = reader.headers().expect("a head").len();
    for row in reader.records() {
        let row = row.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(row.len(), width, "{what}: {row:?}");
        for cell in &row {
            let number = cell.parse::<f64>().is_ok();
            assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{what}: {cell:?}");
        }
    }
}

#[tokio::test]
async fn a_text_stays_a_text_in_lists_forms_notes_and_titles() {
    let server = Server::with(Config { address_requests_per_s: 0, ..Config::default() }).await;
    let cookie = server.person(ORG, "owner", true).await;
    let grant = |text: &str| store::NewGrant { description: text.to_owned(), ..grant_of() };
    let give = async |text: &str| server.store.give_grant(ledger::OrgId(1), "test".to_owned(), grant(text), None).await;
    let settings = async |text: &str| {
        let organization = [
            ("do", "organization"),
            ("name", text),
            ("zone", "UTC"),
            ("currency", "EUR"),
            ("contact", ""),
            ("low_balance", ""),
            ("retention", ""),
        ];
        let saved = server.submit(&cookie, "/settings/organization", &organization).await;
        let words = [
            ("do", "org"),
            ("product", text),
            ("unit", text),
            ("position", "after"),
            ("decimals", "2"),
            ("workflow", text),
            ("workflows", text),
        ];
        server.submit(&cookie, "/settings/terminology", &words).await;
        saved.header("location").contains("done=saved")
    };
    assert!(settings("Plain").await);
    give("plain").await.expect("given");
    let paths = [
        "/",
        "/analytics",
        "/grants",
        "/ledger",
        "/rate-card",
        "/settings/organization",
        "/settings/members",
        "/settings/keys",
        "/operator/organizations",
        "/help",
    ];
    let mut plain = Vec::new();
    for path in paths {
        plain.push(server.open(&cookie, path).await);
    }
    let mut taken = 0;
    for (n, text) in hostile().iter().enumerate() {
        let given = give(text).await;
        assert!(given.is_ok() || text.len() > 200 || text.contains('\u{200d}'), "{text}: {given:?}");
        // One page after another: each text is in the header, the title and the words of all of them.
        let index = n % paths.len();
        if n % 7 == 0 && settings(text).await {
            taken += 1;
            let page = server.open(&cookie, paths[index]).await;
            if !["/grants", "/ledger", "/"].contains(&paths[index]) {
                assert_same(&plain[index], &page, &format!("{}: {text}", paths[index]));
            } else {
                assert!(!page.text().contains("<img src=x") && !page.text().contains("<svg onload"), "{text}");
            }
        }
    }
    assert!(taken > 20, "{taken}");
    let typed = server
        .submit(
            &cookie,
            "/settings/organization",
            &[("do", "organization"), ("name", "\"><script>x</script>"), ("zone", "\"><b>")],
        )
        .await;
    let again = server.open(&cookie, typed.header("location")).await.text();
    assert!(!again.contains("<script>x") && !again.contains("\"><b>"));
    neutral(&server.open(&cookie, "/exports/ledger.csv").await.text(), "ledger");
    neutral(&server.open(&cookie, "/exports/audit.csv").await.text(), "audit");
    let verified = server.store.verify(|_, _| ()).await.expect("readable");
    assert_eq!(verified.problems, Vec::<String>::new());
}

fn grant_of() -> store::NewGrant {
    store::NewGrant::of(ledger::GrantKind::Promotion, ledger::Credits::parse("1").expect("an amount"), "x")
}

#[tokio::test]
async fn a_name_stays_in_its_line_of_a_mail() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { mail_dir: Some(folder.path().to_owned()), address_requests_per_s: 0, ..Config::default() };
    let server = Server::with(config).await;
    let cookie = server.person(ORG, "owner", true).await;
    let mut sent = 0;
    for (n, text) in hostile().iter().step_by(50).chain(["a\r\nBcc: x@example.com".to_owned()].iter()).enumerate() {
        let organization = [
            ("do", "organization"),
            ("name", text.as_str()),
            ("zone", "UTC"),
            ("currency", "EUR"),
            ("contact", ""),
            ("low_balance", ""),
            ("retention", ""),
        ];
        server.submit(&cookie, "/settings/organization", &organization).await;
        let invite = [("do", "invite"), ("email", &format!("guest{n}@example.com")), ("role", "member")];
        let reply = server.submit(&cookie, "/settings/members", &invite).await;
        sent += usize::from(reply.header("location").contains("done=invited"));
    }
    let mails: Vec<String> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("a mail"))
        .collect();
    assert!(mails.len() == sent && sent > 10, "{sent} {}", mails.len());
    for mail in mails {
        let (head, _) = mail.split_once("\r\n\r\n").expect("a head and a body");
        let names: BTreeSet<String> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap_or_default().to_ascii_lowercase())
            .collect();
        let known = [
            "from",
            "to",
            "subject",
            "date",
            "message-id",
            "mime-version",
            "content-type",
            "content-transfer-encoding",
            "auto-submitted",
            "reply-to",
        ];
        assert!(names.iter().all(|name| known.contains(&name.as_str())), "{head}");
        assert_eq!(
            head.matches("example.com").count(),
            head.lines().filter(|line| line.contains("example.com")).count(),
            "{head}"
        );
    }
}
