//! The Overview page: every figure against a plain recomputation from the events that were sent.

use super::common::{NOW, ORG, Server, time};
use ledger::Credits;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DAY_US: i64 = 86_400_000_000;
/// Micro-credits for a unit, in thousandths: those of the preset `token-billing`.
const PRICES: [(&str, i64); 4] =
    [("input_tokens", 600), ("completion_tokens", 1_000), ("cached_tokens", 75), ("images", 100_000)];

/// Numbers that look like chance and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

struct Sent {
    days_ago: i64,
    micros: i64,
    failed: bool,
    quantities: Vec<(&'static str, i64)>,
    body: Value,
}

fn sent(number: i64, dice: &mut Dice) -> Sent {
    let days_ago = dice.roll(70);
    let failed = dice.roll(9) == 0;
    let mut quantities = Vec::new();
    let mut micros = 0;
    for (meter, price) in PRICES {
        if quantities.is_empty() && meter == "images" || dice.roll(3) > 0 {
            // Forty of anything cost whole micro-credits: nothing is carried from one event to the next.
            let quantity = 40 * (1 + dice.roll(if meter == "images" { 30 } else { 30_000 }));
            micros += quantity * price / 1_000;
            quantities.push((meter, quantity));
        }
    }
    let at = ledger::Timestamp::from_micros(time(NOW).micros() - days_ago * DAY_US - dice.roll(11) * 3_600_000_000);
    let all: serde_json::Map<String, Value> =
        quantities.iter().map(|(meter, quantity)| ((*meter).to_owned(), json!(quantity))).collect();
    let status = if failed { "failed" } else { "succeeded" };
    let source = ["api", "web"][usize::try_from(dice.roll(2)).expect("small")];
    let data = json!({"quantities": all, "status": status, "description": "=cmd, \"quoted\""});
    let body =
        json!({"id": number.to_string(), "source": source, "type": "ai_text", "time": at.to_string(), "data": data});
    Sent { days_ago, micros, failed, quantities, body }
}

async fn with_events(server: &Server, count: i64) -> Vec<Sent> {
    let mut dice = Dice(7);
    let all: Vec<Sent> = (0..count).map(|number| sent(number, &mut dice)).collect();
    for part in all.chunks(250) {
        let body: Vec<&Value> = part.iter().map(|sent| &sent.body).collect();
        assert_eq!(server.post_json(&json!(body)).await.json()["accepted"], part.len());
    }
    all
}

fn shown(micros: i64) -> String {
    app::format::credits(Credits::from_micros(micros), 6)
}

fn holds(html: &str, texts: &[String]) {
    for text in texts {
        assert!(html.contains(text.as_str()), "{text} is missing in {html}");
    }
}

#[tokio::test]
async fn every_figure_is_what_the_events_add_up_to() {
    let server = Server::start().await;
    server.grant("900").await;
    let events = with_events(&server, 600).await;
    let cookie = server.person(ORG, "member", false).await;
    let html = server.open(&cookie, "/").await.text().replace(" class=\"amount\"", "").replace(" class=\"number\"", "");
    let sum = |of: &dyn Fn(&Sent) -> bool| events.iter().filter(|sent| of(sent)).map(|sent| sent.micros).sum::<i64>();
    // Days and months.
    for back in 0..30 {
        let day = app::calendar::parse_iso("2026-11-21").expect("a day").plus_days(-back);
        let all = sum(&|sent| sent.days_ago == back);
        holds(&html, &[format!(">{} {}: {}</text>", day.month_short(), day.number(), shown(all))]);
    }
    let (november, october) = (sum(&|sent| sent.days_ago < 21), sum(&|sent| (21..52).contains(&sent.days_ago)));
    holds(&html, &[format!(">Nov 2026: {}</text>", shown(november)), format!(">Oct 2026: {}</text>", shown(october))]);
    holds(&html, &[">Jan 2026: 0.000000</text>".to_owned(), format!(">Nov 21: {} \u{b7}", shown(november))]);
    // The cards.
    let (spent, recent) = (sum(&|_| true), sum(&|sent| sent.days_ago < 30));
    let left = 1_000_000_000 - spent;
    let average = (recent + 15) / 30;
    holds(&html, &[spent, left, average].map(|micros| format!(">${}<", shown(micros))));
    // How long it lasts, and what the cycle comes to: by the forecast from what was used on each day.
    let used: Vec<i64> = (0..70).rev().map(|back| sum(&|sent| sent.days_ago == back)).collect();
    let month = ledger::pace::pace(&used, 27).expect("used").total.expected;
    let lasts_us = i128::from(left) * i128::from(DAY_US) * 28 / i128::from(month);
    let days = i64::try_from(lasts_us / i128::from(DAY_US)).expect("fits");
    let ends = app::calendar::parse_iso("2026-11-21").expect("a day");
    let ends = ends.plus_days(i64::try_from((lasts_us + i128::from(DAY_US) / 2) / i128::from(DAY_US)).expect("fits"));
    let rest = ledger::pace::pace(&used, 9).expect("used").whole_rest(used[69]).expected;
    holds(
        &html,
        &[
            format!("<p class=\"stat-figure\">{}</p>", app::format::counted(days, "day", "days")),
            format!("By forecast from the last 9 weeks it ends on {}.", ends.with_weekday()),
            format!(">${}<", shown(november + rest)),
        ],
    );
    let failed = events.iter().filter(|sent| sent.failed).count();
    holds(&html, &[format!("{} successful", events.len() - failed), format!("{failed} failed"), ">600</p>".to_owned()]);
    // Each credit type: how much was used, what it cost, how much the balance buys.
    let mut used: BTreeMap<&str, i64> = BTreeMap::new();
    for (meter, quantity) in events.iter().flat_map(|sent| &sent.quantities) {
        *used.entry(meter).or_default() += quantity;
    }
    for (meter, price) in PRICES {
        let unit = if meter == "images" { "images" } else { "tokens" };
        let cost = shown(used[meter] * price / 1_000);
        // One more would cost the micro-credit that is not there.
        let buys = (1_000 * (left + 1) - 1) / price;
        let row = format!(
            "<td><strong>{} {unit}</strong></td><td>{} {unit}</td><td><span title=\"${cost}\">{cost}</span></td>",
            app::format::count(buys),
            app::format::count(used[meter])
        );
        holds(&html, &[row]);
    }
    holds(&html, &["$1 per 10,000 images".to_owned(), "Cached tokens cost 87.5% less than input tokens".to_owned()]);
    // The last hundred, the newest first.
    assert_eq!(html.matches("<td class=\"nowrap\"><a href=\"/events/").count(), 100);
    let last = events.last().expect("some").micros;
    let first_row = html.split_once("<tbody><tr><td class=\"nowrap\">").expect("a list").1;
    let first_row = first_row.split_once("</tr>").expect("a row").0;
    assert!(
        first_row.contains(&format!(">\u{2212}{}<", shown(last))) && first_row.contains("event_600"),
        "{first_row}"
    );
    assert!(html.contains("Difference to the ledger: <span class=\"amount zero\" title=\"$0.000000\""), "{html}");
}

#[tokio::test]
async fn an_org_of_which_nothing_is_known_is_calm() {
    let server = Server::start().await;
    server.create_org("Empty", "viewer-platform").await;
    let cookie = server.person("Empty", "owner", false).await;
    let html = server.open(&cookie, "/").await.text();
    for text in
        ["No usage yet", "Current balance", "Nothing is left.", "No plan", "Viewer sessions", "Free", "Unlimited"]
    {
        assert!(html.contains(text), "{text} is missing in {html}");
    }
    assert!(!html.contains("Last transactions") && !html.contains("daily-chart"));
}

#[tokio::test]
async fn the_history_is_a_file_of_every_transaction_that_no_spreadsheet_runs() {
    let server = Server::start().await;
    let events = with_events(&server, 1_200).await;
    let cookie = server.person(ORG, "member", false).await;
    let reply = server.open(&cookie, "/exports/transactions.csv").await;
    let name = "attachment; filename=\"token_usage_history_2026-11-21_12-00-00.csv\"";
    assert_eq!((reply.header("content-disposition"), reply.header("content-type")), (name, "text/csv; charset=utf-8"));
    let text = reply.text();
    let rows: Vec<&str> = text.trim_end().split("\r\n").collect();
    let heads = "transaction,at,at_local,type,service,amount,input_tokens,completion_tokens,cached_tokens,images,source,project,status,description";
    assert_eq!((rows[0], rows.len()), (heads, events.len() + 3));
    assert!(rows[1].starts_with("event_1200,") && rows[1].ends_with("\"'=cmd, \"\"quoted\"\"\""), "{}", rows[1]);
    assert!(rows[events.len() + 1].contains(",purchase,,100.000000,,,,,,,,Bought"), "{}", rows[events.len() + 1]);
    let org = server.store.org_by_name(ORG).await.expect("reads").expect("is there").id;
    let head = server.store.head(org).await.expect("reads");
    let end = format!("{},,,chain_head,,,,,,,,,,{}", head.seq, ledger::canon::hex(&head.hash));
    assert_eq!(rows.last(), Some(&end.as_str()));
    let amounts = rows[1..=events.len() + 1].iter().map(|row| row.split(',').nth(5).expect("an amount"));
    let sum = Credits::sum(amounts.map(|amount| Credits::parse(amount).expect("an amount"))).expect("fits");
    assert_eq!(server.get("/api/v1/balance").await.json()["settled"], sum.to_string());
}

#[tokio::test]
async fn transactions_tell_purchases_usage_refunds_and_expiries_apart() {
    let server = Server::start().await;
    server.post_json(&json!({"id": "1", "source": "api", "type": "images", "data": {"quantity": 5_000}})).await;
    let org = server.store.org_by_name(ORG).await.expect("reads").expect("is there").id;
    let ends = ledger::Timestamp::from_micros(time(NOW).micros() + DAY_US);
    let gift = store::NewGrant {
        expires_at: Some(ends),
        ..store::NewGrant::of(ledger::GrantKind::Promotion, Credits::from_micros(2_000_000), "Welcome")
    };
    server.store.give_grant(org, "test".to_owned(), gift, None).await.expect("given");
    server.clock.set(time("2026-11-23T12:00:00Z"));
    server.store.book_due().await.expect("booked");
    let cookie = server.person(ORG, "member", false).await;
    let html = server.open(&cookie, "/").await.text();
    for text in [
        "<span class=\"kind used\">Usage</span>",
        "<span class=\"kind given\">Purchase</span>",
        "<span class=\"kind given\">Promotion</span>",
        "<span class=\"kind taken\">Expiry</span>",
        ">\u{2212}2.000000<",
        ">+100.000000<",
    ] {
        assert!(html.contains(text), "{text} is missing in {html}");
    }
}
