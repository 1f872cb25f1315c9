//! What an org calls its credits and workflows is what its pages say.

use super::common::Server;
use axum::body::Body;
use ledger::Words;
use ledger::words::UnitPosition;
use scrip_server::command::Command;
use serde_json::json;
use store::NewOrg;

const PASSWORD: &str = "correct horse battery";
const MILLION: &str = "1000000";

/// The pages of an org of such words, as its operator sees them, with a grant of 100 and an event of 0.70.
struct Pages {
    server: Server,
    cookie: String,
}

impl Pages {
    async fn of(words: Words) -> Self {
        Self::given(words, Some("100")).await
    }

    async fn given(words: Words, amount: Option<&str>) -> Self {
        let mut server = Server::start().await;
        let rate = r#"[{"meter":"input_tokens","rule":"unit","price":"0.70","per":1000000}]"#;
        let lines = serde_json::from_str(rate).expect("valid lines");
        let (name, zone) = ("Worded".to_owned(), "UTC".to_owned());
        let new = NewOrg {
            offers: store::Offers::default(),
            name,
            zone,
            synthetic: false,
            words,
            meters: vec![],
            agents: vec![],
            lines,
        };
        let org = server.store.create_org(new).await.expect("a new org");
        assert_eq!(server.store.org(org.id).await.expect("reads"), org, "the words are kept");
        server.key = server.create_key("Worded", &["admin"]).await;
        if let Some(amount) = amount {
            let amount = ledger::Credits::parse(amount).expect("an amount");
            let new = store::NewGrant::of(ledger::GrantKind::Purchase, amount, "Bought");
            server.run(Command::Grant { org: "Worded".to_owned(), new }).await;
        }
        Self::signed_in(server, "Worded").await
    }

    async fn signed_in(server: Server, org: &str) -> Self {
        let event = json!({
            "id": "1", "source": "api", "type": "ai_text",
            "data": {"quantities": {"input_tokens": MILLION}, "workflow": {"id": "w-1", "name": "Nightly"}},
        });
        assert_eq!(server.post_json(&event).await.json()["accepted"], 1);
        let (email, password) = ("words@example.com".to_owned(), PASSWORD.to_owned());
        let (org, role) = (org.to_owned(), "owner".to_owned());
        server.run(Command::CreateUser { email, password, org, role, operator: true }).await;
        let form = [("email", "words@example.com"), ("password", PASSWORD), ("next", "/")];
        let form = serde_urlencoded::to_string(form).expect("a form");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let reply = server.send("POST", "/sign-in", &headers, form).await;
        let cookie = reply.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        Self { server, cookie }
    }

    async fn get(&self, path: &str) -> String {
        let reply = self.server.send("GET", path, &[("cookie", &self.cookie)], Body::empty()).await;
        assert_eq!(reply.status.as_u16(), 200, "{path}");
        reply.text()
    }

    /// The page as HTML: without the data that travels with it for the browser.
    async fn html(&self, path: &str) -> String {
        let page = self.get(path).await;
        let mut html = String::new();
        for piece in page.split("<script").enumerate() {
            html.push_str(match piece {
                (0, before) => before,
                (_, script) => script.split_once("</script>").expect("an end").1,
            });
        }
        // Views and still parts write these in different orders.
        html.replace(" class=\"amount\"", "").replace(" class=\"number\"", "")
    }
}

fn holds(html: &str, texts: &[&str]) {
    for text in texts {
        assert!(html.contains(text), "{text} is missing in {html}");
    }
}

#[tokio::test]
async fn token_billing_shows_dollars_with_six_decimals() {
    let pages = Pages::signed_in(Server::start().await, super::common::ORG).await;
    let overview = pages.html("/").await;
    holds(
        &overview,
        &[
            ">$99.400000<",
            ">$0.600000<",
            ">Nov 21: 0.600000</text>",
            "Difference to the ledger: ",
            "title=\"$0.600000\"",
        ],
    );
    holds(&overview, &[">$</th>", "title=\"$0.600000\">0.600000<"]);
    let analytics = pages.html("/analytics").await;
    holds(
        &analytics,
        &[">$ per day<", "title=\"$0.600000\">$0.600000</dd>", "Amounts in $", ">$</th>", ">0.600000</td>"],
    );
    holds(&overview, &["<td class=\"services\">ai_data</td>", "<td>1,000,000</td>", "$0.60 per 1,000,000 tokens"]);
    let event = pages.html("/events/event_1").await;
    holds(&event, &["<h3>Input tokens</h3><code>ai_data</code>"]);
    holds(&event, &[">$0.600000<", "<dt>Workflow</dt><dd>Nightly (w-1)</dd>"]);
    assert!(!overview.contains("0.600000 credits") && !event.contains("0.600000 credits"));
    holds(&pages.html("/ledger").await, &[">+$100.000000<", ">\u{2212}$0.600000<", ">$99.400000<"]);
    holds(&pages.html("/grants").await, &[">$99.400000<", "Amount in $<"]);
}

#[tokio::test]
async fn credits_stand_behind_amounts_with_all_decimals_on_hover() {
    let words = Words { workflow: "Scenario".to_owned(), workflows: "Scenarios".to_owned(), ..Words::default() };
    let pages = Pages::of(words).await;
    let shown = "title=\"0.700000 credits\">0.70 credits<";
    holds(&pages.html("/").await, &["title=\"99.300000 credits\">99.30<", ">credits</span>", "Credits per day", shown]);
    let analytics = pages.html("/analytics").await;
    holds(
        &analytics,
        &[
            shown,
            "class=\"legend-figure\">0.70 credits<",
            "title=\"0.700000 credits\">0.70</td>",
            ">Credits</th>",
            "0.70 credits from ",
        ],
    );
    // What an event cost is said in full: its parts must add up.
    let in_full = "title=\"0.700000 credits\">0.700000 credits<";
    holds(&pages.html("/events/event_1").await, &[in_full, "<dt>Scenario</dt><dd>Nightly (w-1)</dd>"]);
    holds(&pages.html("/ledger").await, &[">+100.00 credits<", "title=\"99.300000 credits\">99.30 credits<"]);
    holds(&pages.html("/grants").await, &["title=\"99.300000 credits\">99.30 credits<", "Amount in credits<"]);
    let preview = pages.html("/events/event_1?correct=void&reason=Twice").await;
    holds(&preview, &[">+0.70 credits<", ">Credits</th>", "title=\"\u{2212}0.700000 credits\">\u{2212}0.70<"]);
    let csv = pages.get("/exports/usage.csv").await;
    assert!(csv.starts_with("Day,Begins (UTC),Credits,Calls,Failed\r\n") && csv.contains("0.700000,1,0"), "{csv}");
}

#[tokio::test]
async fn whoever_sells_points_reads_of_points() {
    let words = Words { unit: "points".to_owned(), ..Words::default() };
    let pages = Pages::of(words.clone()).await;
    holds(&pages.html("/grants?adjust=-101&reason=x").await, &["Only 99.30 points can be taken there."]);
    let mut paths = vec!["/", "/analytics", "/ledger", "/grants", "/events/event_1?correct=void&reason="];
    paths.extend(["/grants?adjust=-101&reason=x", "/grants?error=bad_rollover", "/grants?error=expiry_before_effect"]);
    for path in paths {
        says_no_credits(&pages.html(path).await, path);
    }
    let paused = Pages::given(words, None).await;
    holds(&paused.html("/grants").await, &["No points yet", "aria-label=\"Command that gives points\""]);
    for path in ["/", "/ledger", "/grants"] {
        says_no_credits(&paused.html(path).await, path);
    }
}

/// But for "credit type", which is the name of the field, and a value that a form sends.
fn says_no_credits(html: &str, path: &str) {
    let text = html.to_lowercase().replace("credit type", "").replace("value=\"credits\"", "");
    let found = text.find("credit").map(|at| text.get(at.saturating_sub(60)..(at + 40).min(text.len())));
    assert_eq!(found, None, "{path}");
}

#[tokio::test]
async fn words_are_text_wherever_they_stand() {
    let hostile = "<b>&\"'";
    for unit_position in [UnitPosition::Before, UnitPosition::After] {
        let word = |word: &str| format!("{word}{hostile}");
        let words =
            Words { unit: hostile.to_owned(), unit_position, decimals: 2, workflow: word("W"), workflows: word("Ws") };
        let pages = Pages::of(words).await;
        for path in
            ["/", "/analytics", "/grants?adjust=-1&reason=x", "/ledger", "/events/event_1?correct=void&reason=Twice"]
        {
            let html = pages.html(path).await;
            assert!(html.contains("&lt;b&gt;&amp;"), "{path}");
            // A quote would end an attribute.
            let titles = html.split("title=\"").skip(1).filter_map(|rest| rest.split_once('"'));
            assert!(titles.clone().all(|(title, rest)| !title.contains('<') && rest.starts_with([' ', '>'])), "{path}");
            assert!(!pages.get(path).await.contains("<b>&"), "{path}: in the data for the browser");
        }
    }
}
