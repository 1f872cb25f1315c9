//! An org's life with everything in it: what tests change afterwards.

use crate::common::{Bench, NOON, credits, event, export};
use ledger::{
    EventSeq, GrantKind, HoldId, Label, Meter, Money, OrgId, Policy, Rollover, Scope, Timestamp, rollover::Cap,
};
use store::{By, CorrectionRequest, Mapping, NewGrant, NewHold, NewRateCard, Once};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_micros(NOON.micros() + offset)
}

fn grant(kind: GrantKind, amount: &str, days: Option<i64>) -> NewGrant {
    NewGrant {
        kind,
        amount: credits(amount),
        priority: 0,
        scope: Scope::default(),
        effective_at: None,
        expires_at: days.map(|days| at(days * DAY)),
        description: "given".to_owned(),
        cost: None,
        rollover: None,
    }
}

fn hold(amount: &str, seconds: Option<i64>, meter: Option<&str>) -> NewHold {
    NewHold {
        user: None,
        tenant: None,
        amount: credits(amount),
        expires_in_s: seconds,
        meter: meter.map(|name| Meter::parse(name).expect("a meter")),
        source: None,
        project: None,
        description: String::new(),
    }
}

/// Usage with several quantities, prices, sources, projects and names, at many hours.
pub fn usage(batch: i64, count: i64) -> Vec<ledger::Event> {
    let one = |n: i64| {
        let time = Timestamp::from_micros(NOON.micros() - n * 7 * HOUR - 11 * 60_000_000);
        let (source, project, status) = (n % 3, n % 4, if n % 5 == 0 { "failed" } else { "succeeded" });
        let head = format!(r#""id":"{batch}-{n}","source":"s{source}","time":"{time}""#);
        let data = match n % 6 {
            0 => format!(
                r#""type":"ai_text","data":{{"quantities":{{"input_tokens":{},"completion_tokens":9}},"project":"p{project}","workflow":{{"id":"w{source}","name":"Flow"}},"run":"r{n}","status":"{status}"}}"#,
                300 + n
            ),
            1 => format!(
                r#""type":"export","data":{{"project":{{"id":"p{project}","name":"Project"}},"module":"m","user":"u{source}","bytes":{n}}}"#
            ),
            2 => format!(
                r#""type":"viewer_session","data":{{"quantity":{},"tenant":"t{project}","interaction":"i{n}","attributes":{{"tier":"gold","zone":"x"}}}}"#,
                500 + n
            ),
            3 => format!(
                r#""type":"computation","data":{{"quantity":"{n}.25","project":"p{project}","status":"{status}"}}"#
            ),
            4 => format!(r#""type":"agent","data":{{"credits":"0.{n}000007","description":"thought"}}"#),
            _ => format!(r#""type":"ai_image","data":{{"quantities":{{"export":2,"input_tokens":{n}}},"bytes":7}}"#),
        };
        event(&format!("{{{head},{data}}}"))
    };
    (0..count).map(one).collect()
}

/// A life with everything in it.
pub async fn live(bench: &Bench, org: OrgId, name: &str) {
    let store = &bench.store;
    let by = || format!("key:{name}");
    let give = async |new: NewGrant| store.give_grant(org, by(), new, None).await.expect("a good grant").answer;
    let make = async |new: NewHold| store.create_hold(org, by(), new, None).await.expect("covered").answer.id;
    store.set_policy(org, Policy::Overdraft { limit: credits("50") }).await.expect("a policy");
    bench.ingest(org, usage(0, 7)).await;
    give(NewGrant {
        cost: Some(Money { minor: 5_000, currency: ledger::Currency::parse("EUR").expect("a currency") }),
        rollover: Some(Rollover { cap: Some(Cap::Percent(20)), months: Some(3) }),
        ..grant(GrantKind::Plan, "40", Some(3))
    })
    .await;
    give(NewGrant {
        rollover: Some(Rollover { cap: Some(Cap::Credits(credits("2"))), months: None }),
        priority: -1,
        ..grant(GrantKind::Plan, "9", Some(2))
    })
    .await;
    let scope = |json: &str| serde_json::from_str::<Scope>(json).expect("a scope");
    give(NewGrant {
        scope: scope(r#"{"meters":["export"],"projects":["p1"]}"#),
        ..grant(GrantKind::Promotion, "3", Some(1))
    })
    .await;
    give(grant(GrantKind::Promotion, "4.5", Some(1))).await;
    give(NewGrant { effective_at: Some(at(-DAY)), ..grant(GrantKind::Purchase, "30", None) }).await;
    bench.clock.set(at(HOUR));
    bench.ingest(org, usage(1, 9)).await;
    let once = Some(Once { key: "k".to_owned(), request: [7; 32] });
    for _ in 0..2 {
        let new = hold("2", Some(600), Some("export"));
        store.create_hold(org, by(), new, once.clone()).await.expect("covered");
    }
    let (kept, released) =
        (make(hold("3", Some(DAY / 1_000_000 * 5), None)).await, make(hold("1.5", None, None)).await);
    let (short, whole) = (make(hold("0.5", Some(60), None)).await, make(hold("4", Some(7_200), Some("agent"))).await);
    let said = NewHold {
        user: Some(Label::parse("user", "u1").expect("a label")),
        tenant: Some(Label::parse("tenant", "t1").expect("a label")),
        project: Some(Label::parse("project", "p1").expect("a label")),
        source: Some(Label::parse("source", "s1").expect("a label")),
        description: "long work".to_owned(),
        ..hold("6", Some(3_600), Some("export"))
    };
    let long = make(said).await;
    store.extend_hold(org, by(), long, 20 * 86_400, None).await.expect("more time");
    store.extend_hold(org, by(), kept, 6 * 86_400, None).await.expect("more time");
    store.release_hold(org, by(), released, None).await.expect("pending");
    store.capture_hold(org, by(), whole, Some(credits("5.25")), None).await.expect("pending");
    let first = store.capture_hold(org, by(), HoldId(1), Some(credits("1")), None).await.expect("pending").answer;
    bench.clock.set(at(2 * HOUR));
    store.book_due().await.expect("books");
    assert_eq!(store.hold(org, short).await.expect("there").status, ledger::HoldStatus::Expired);
    let correct = async |request: CorrectionRequest| {
        store.correct(org, by(), request, false, None).await.expect("a good correction");
    };
    let reason = || "wrong".to_owned();
    correct(CorrectionRequest::Void { event: EventSeq(2), reason: reason() }).await;
    correct(CorrectionRequest::Void { event: EventSeq(9), reason: reason() }).await;
    correct(CorrectionRequest::Void { event: first.event.expect("captured"), reason: reason() }).await;
    correct(CorrectionRequest::Replace { event: EventSeq(8), reason: reason(), with: Box::new(export("instead")) })
        .await;
    correct(CorrectionRequest::Adjust {
        amount: credits("2"),
        grant: None,
        expires_at: Some(at(9 * DAY)),
        reason: reason(),
    })
    .await;
    correct(CorrectionRequest::Adjust { amount: credits("-6"), grant: None, expires_at: None, reason: reason() }).await;
    for day in 1..6 {
        bench.clock.set(at(day * DAY + HOUR));
        bench.ingest(org, usage(10 + day, 3)).await;
    }
    bench.clock.set(at(8 * DAY));
    // More than there is: into debt, repaid by the next grant, an event of the debt taken back.
    let more = |n| event(&format!(r#"{{"id":"more-{n}","source":"s0","type":"export","data":{{"quantity":12}}}}"#));
    bench.ingest(org, (0..4).map(more).collect()).await;
    give(grant(GrantKind::Purchase, "60", None)).await;
    correct(CorrectionRequest::Void { event: EventSeq(37), reason: reason() }).await;
    make(hold("70", Some(86_400), None)).await;
    make(hold("5", Some(86_400), None)).await;
    owners(bench, org).await;
    reprice(bench, org).await;
}

/// Interactions that were mapped: after their events, before them, anew, and to nobody again.
async fn owners(bench: &Bench, org: OrgId) {
    let label = |text: &str| Label::parse("label", text).expect("a label");
    for (interaction, user, tenant) in [
        ("i2", Some("ada"), None),
        ("i2", Some("u1"), Some("t3")),
        ("i8", None, Some("t1")),
        ("later", Some("ada"), Some("t2")),
        ("i14", Some("u2"), None),
        ("i14", None, None),
    ] {
        let mapping = Mapping { interaction: label(interaction), user: user.map(label), tenant: tenant.map(label) };
        bench.store.map_interaction(org, By::command(), mapping, None).await.expect("maps");
    }
}

/// Another version of the rate card, with tiers and a formula; a volume price that is reached; voids.
async fn reprice(bench: &Bench, org: OrgId) {
    let more = "storage: graduated 0 to 2, 0.5 to 4, 0.333333333333 beyond\ncalls: volume 1 to 3, 0.25 beyond\n\
                training: formula 0.1 + 0.02 per second + 0.000001 per MB + 0.25 per compute unit, at least 0.5";
    let mut lines = bench.store.rate_card(org).await.expect("has one").lines;
    lines.extend(ledger::card_text::parse(more).expect("valid"));
    let new = NewRateCard { lines, ..NewRateCard::default() };
    bench.store.put_rate_card(org, "user:ada".to_owned(), new, None).await.expect("a good card");
    let reported = [
        r#"{"id":"t1","source":"s0","type":"ai","data":{"quantities":{"storage":3.5,"calls":3,"input_tokens":999}}}"#,
        r#"{"id":"t2","source":"s1","type":"ai","data":{"quantities":{"storage":2,"calls":1},"project":"p1"}}"#,
        r#"{"id":"t3","source":"s1","type":"storage","time":"2026-10-03T00:00:00Z"}"#,
        r#"{"id":"t4","source":"s2","type":"training","data":{"quantity":7.5,"bytes":1234567,"compute_units":"0.125"}}"#,
    ];
    for text in reported {
        bench.ingest(org, vec![event(text)]).await;
    }
    // Taken out of the middle of their tiers: one is made good by the next event, the other stays open.
    let last = bench.store.totals(org).await.expect("reads").events;
    for (back, next) in [(3, "t5"), (2, "t6")] {
        let void = CorrectionRequest::Void { event: EventSeq(last - back), reason: "wrong".to_owned() };
        bench.store.correct(org, "user:ada".to_owned(), void, false, None).await.expect("a good correction");
        let text = format!(r#"{{"id":"{next}","source":"s2","type":"storage","data":{{"quantity":1.25}}}}"#);
        bench.ingest(org, vec![event(&text)]).await;
    }
    let void = CorrectionRequest::Void { event: EventSeq(last + 1), reason: "wrong".to_owned() };
    bench.store.correct(org, "user:ada".to_owned(), void, false, None).await.expect("a good correction");
}
