//! Invoices: what a month comes to, numbers without gaps, late usage, and what is done until one is paid.

use crate::common::{Bench, Random, credits, event, export};
use ledger::invoice::{ItemKind, Party, State};
use ledger::payment::{Dispute, Saying};
use ledger::seller::{BillingDetails, Seller};
use ledger::tax::Tax;
use ledger::{Currency, InvoiceId, Money, OrgId, PaymentId, Timestamp};
use rusqlite::{Connection, params};
use store::payment::message::Answer;
use store::{By, Invoice, InvoicePage, InvoiceRow};

const HOUR: i64 = 3_600_000_000;

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse("time", text).expect("valid")
}

pub fn file(bench: &Bench) -> Connection {
    Connection::open(bench.dir.path().join("scrip.db")).expect("opens")
}

/// Puts down an item as plans and purchases do: with its tax where it was settled with a payment.
pub fn item(bench: &Bench, org: OrgId, kind: &str, net: i64, tax: Option<i64>) {
    let at = bench.store.now().micros();
    let sql = "INSERT INTO invoice_item (org_id, item_id, kind, description, net_minor, tax_minor, tax_name, currency, happened_at)
         SELECT ?1, coalesce(max(item_id), 0) + 1, ?2, ?2 || ' ' || ?3, ?3, ?4, CASE WHEN ?4 IS NULL THEN NULL ELSE 'VAT 19 %' END, 'EUR', ?5
         FROM invoice_item WHERE org_id = ?1";
    file(bench).execute(sql, params![org.0, kind, net, tax, at]).expect("an item");
}

/// A stored payment method.
pub fn method(bench: &Bench, org: OrgId) {
    let sql =
        "INSERT INTO payment_method VALUES (?1, 1, 'sandbox', 'card', 'Visa ending in 4242', 1, ?2, 'test', NULL)";
    file(bench).execute(sql, params![org.0, bench.store.now().micros()]).expect("a method");
}

/// What a provider says of the payments that are under way: state and dispute.
fn settle_payments(bench: &Bench, org: OrgId, state: &str) -> usize {
    let sql = "UPDATE payment SET state = ?2 WHERE org_id = ?1 AND state IN ('created', 'pending')";
    file(bench).execute(sql, params![org.0, state]).expect("payments")
}

pub fn vat() -> Seller {
    let party = Party {
        name: "Scrip GmbH".to_owned(),
        address: "Way 1\n1010 Vienna".to_owned(),
        tax_number: "ATU1".to_owned(),
    };
    let tax = Tax { name: "VAT".to_owned(), millionths: 190_000 };
    Seller { party, bank: "AT00 1234".to_owned(), tax, ..Seller::default() }
}

/// An org that is sold to with 19 % of tax.
pub async fn org(bench: &Bench, zone: &str) -> OrgId {
    let org = bench.org("Acme", zone).await;
    bench.store.set_seller(By::command(), org, vat()).await.expect("good");
    org
}

/// Does what is due about invoices shortly before an instant and at it: a draft waits for an hour at least.
pub async fn bill_until(bench: &Bench, text: &str) {
    for earlier in [2 * HOUR, 0] {
        bench.clock.set(Timestamp::from_micros(at(text).micros() - earlier));
        bench.store.bill_due().await.expect("works");
    }
}

pub async fn all(bench: &Bench, org: OrgId) -> Vec<InvoiceRow> {
    bench.store.invoices(org, InvoicePage { limit: 100, ..InvoicePage::default() }).await.expect("reads")
}

async fn one(bench: &Bench, org: OrgId, id: i64) -> Invoice {
    bench.store.invoice(org, InvoiceId(id)).await.expect("there")
}

fn told(bench: &Bench, org: OrgId) -> Vec<String> {
    let conn = file(bench);
    let mut select = conn.prepare("SELECT kind FROM notice WHERE org_id = ?1 ORDER BY notice_id").expect("reads");
    select.query_map([org.0], |row| row.get(0)).expect("reads").collect::<Result<_, _>>().expect("kinds")
}

#[tokio::test]
async fn a_month_is_drafted_waits_for_late_usage_and_is_issued_with_what_it_comes_to() {
    let bench = Bench::new().await;
    let org = org(&bench, "Europe/Vienna").await;
    bench.grant(org, "100").await;
    bench.ingest(org, vec![export("1"), export("2")]).await;
    item(&bench, org, "purchase", 5_000, Some(950));
    item(&bench, org, "plan", 1_999, None);
    // Of December where the org is, and of November where the clock is.
    bench.clock.set(at("2026-11-30T22:59:59Z"));
    assert_eq!(bench.store.bill_due().await.expect("works"), 0);
    bench.clock.set(at("2026-11-30T23:00:00Z"));
    item(&bench, org, "plan", 777, None);
    assert_eq!(bench.store.bill_due().await.expect("works"), 1);
    let draft = one(&bench, org, 1).await;
    assert_eq!((draft.row.state, draft.row.number.as_deref(), draft.row.due), (State::Draft, None, 2_379));
    assert_eq!(draft.document.usage[0].credits, credits("2"));

    // Usage of November that comes while the draft waits is on it.
    bench.ingest(org, vec![event(r#"{"id":"3","source":"api","type":"export","time":"2026-11-30T20:00:00Z"}"#)]).await;
    bench.clock.set(at("2026-12-01T22:59:59Z"));
    assert_eq!(bench.store.bill_due().await.expect("works"), 0);
    bench.clock.set(at("2026-12-01T23:00:00Z"));
    assert_eq!(bench.store.bill_due().await.expect("works"), 1);
    let issued = one(&bench, org, 1).await;
    let document = &issued.document;
    assert_eq!((issued.row.state, issued.row.number.as_deref()), (State::Open, Some("S1-0001")));
    assert_eq!((document.month.to_string().as_str(), document.issued.to_string().as_str()), ("2026-11", "2026-12-02"));
    assert_eq!(document.due.to_string(), "2026-12-16");
    assert_eq!((document.totals.net, document.totals.tax, document.totals.settled), (6_999, 1_330, 5_950));
    assert_eq!(document.totals.due, 2_379);
    assert_eq!(document.used().expect("fits"), credits("3"));
    assert_eq!((document.seller.name.as_str(), document.buyer.name.as_str()), ("Scrip GmbH", "Acme"));
    let kinds: Vec<ItemKind> = document.lines.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [ItemKind::Plan, ItemKind::Purchase]);
    assert_eq!(told(&bench, org), ["invoice_issued"]);

    // What comes later is on the next one, and what the issued one says stays.
    bench.ingest(org, vec![event(r#"{"id":"4","source":"api","type":"export","time":"2026-11-30T20:00:00Z"}"#)]).await;
    bench.store.set_seller(By::command(), org, Seller { due_days: 0, ..vat() }).await.expect("good");
    assert_eq!(one(&bench, org, 1).await, issued);
    bill_until(&bench, "2027-01-02T23:00:00Z").await;
    let next = one(&bench, org, 2).await;
    let usage: Vec<_> = next.document.usage.iter().map(|line| (line.month.to_string(), line.credits)).collect();
    assert_eq!(usage, [("2026-11".to_owned(), credits("1"))]);
    assert_eq!((next.row.number.as_deref(), next.document.totals.net), (Some("S1-0002"), 777));
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_job_that_was_months_late_issues_every_month_in_its_order() {
    let bench = Bench::new().await;
    let org = org(&bench, "UTC").await;
    for month in ["2026-11-22", "2026-12-05", "2027-01-31", "2027-02-28", "2027-03-01"] {
        bench.clock.set(at(&format!("{month}T10:00:00Z")));
        item(&bench, org, "plan", 1_000, None);
    }
    bill_until(&bench, "2027-06-15T10:00:00Z").await;
    let found: Vec<_> = all(&bench, org)
        .await
        .into_iter()
        .rev()
        .map(|row| (row.number.unwrap_or_default(), row.month.to_string()))
        .collect();
    let expected = [
        ("S1-0001", "2026-11"),
        ("S1-0002", "2026-12"),
        ("S1-0003", "2027-01"),
        ("S1-0004", "2027-02"),
        ("S1-0005", "2027-03"),
    ];
    assert_eq!(found, expected.map(|(number, month)| (number.to_owned(), month.to_owned())));
}

#[tokio::test]
async fn the_stored_method_is_charged_again_over_days_and_then_somebody_is_reminded() {
    let bench = Bench::in_memory().await;
    let org = org(&bench, "UTC").await;
    method(&bench, org);
    item(&bench, org, "plan", 1_000, None);
    bill_until(&bench, "2026-12-02T00:00:00Z").await;
    let issue = at("2026-12-02T00:00:00Z");
    let mut charged = Vec::new();
    for hours in (0..24 * 60).step_by(6) {
        bench.clock.set(Timestamp::from_micros(issue.micros() + hours * HOUR));
        bench.store.bill_due().await.expect("works");
        // While a charge is under way there is no second one.
        assert_eq!(bench.store.bill_due().await.expect("works"), 0);
        if settle_payments(&bench, org, "failed") == 1 {
            charged.push(hours / 24);
        }
    }
    assert_eq!(charged, [0, 1, 4, 9]);
    assert_eq!(
        told(&bench, org),
        ["invoice_issued", "invoice_due", "invoice_unpaid", "invoice_unpaid", "invoice_unpaid"]
    );
    assert_eq!(all(&bench, org).await[0].state, State::Uncollectible);

    // Money that comes all the same counts, and money that the bank took back does not.
    let last = PaymentId(4);
    let hear = |saying| bench.store.answered(org, last, Answer::of(saying));
    let eur = |minor| Money { minor, currency: Currency::parse("EUR").expect("a currency") };
    hear(Saying::Succeeded(eur(1_190))).await.expect("paid");
    assert_eq!(all(&bench, org).await[0].state, State::Paid);
    hear(Saying::Disputed(Dispute::Lost, None)).await.expect("taken back");
    let row = all(&bench, org).await.remove(0);
    assert_eq!((row.state, row.paid, row.paid_at), (State::Uncollectible, 0, None));
}

#[tokio::test]
async fn credit_of_one_month_pays_for_the_next_and_nothing_due_is_paid_at_once() {
    let bench = Bench::new().await;
    let org = org(&bench, "UTC").await;
    let eur = |minor| Money { minor, currency: Currency::parse("EUR").expect("a currency") };
    let adjust = |minor| bench.store.adjust_invoice(org, By::command(), eur(minor), "Goodwill".to_owned(), None);
    adjust(-3_000).await.expect("good");
    assert!(adjust(0).await.is_err() && adjust(i64::MIN + 1).await.is_err());
    bench.clock.set(at("2026-12-02T12:00:00Z"));
    item(&bench, org, "plan", 2_000, None);
    bill_until(&bench, "2026-12-03T00:00:00Z").await;
    let first = one(&bench, org, 1).await;
    assert_eq!((first.row.state, first.document.totals.credit_after), (State::Paid, 3_570));
    bill_until(&bench, "2027-01-03T00:00:00Z").await;
    let second = one(&bench, org, 2).await;
    assert_eq!((second.row.state, second.document.totals.credit_after), (State::Paid, 1_190));
}

#[tokio::test]
async fn an_org_with_a_tax_and_a_name_of_its_own_is_invoiced_so() {
    let bench = Bench::new().await;
    let org = org(&bench, "UTC").await;
    let party =
        Party { name: "Acme Inc.".to_owned(), address: "1 Road\nSpringfield".to_owned(), tax_number: String::new() };
    let details = BillingDetails { party, email: None, tax: Some(Tax::default()) };
    bench.store.set_billing_details(By::command(), org, details.clone()).await.expect("good");
    assert_eq!(bench.store.billing_details(org).await.expect("reads"), Some(details));
    item(&bench, org, "plan", 2_000, None);
    bill_until(&bench, "2026-12-03T00:00:00Z").await;
    let document = one(&bench, org, 1).await.document;
    assert_eq!((document.totals.tax, document.taxes[0].name.as_str()), (0, ""));
    assert_eq!(document.buyer.name, "Acme Inc.");
}

#[tokio::test]
async fn an_issued_invoice_cannot_be_changed_by_any_statement() {
    let bench = Bench::new().await;
    let org = org(&bench, "UTC").await;
    item(&bench, org, "plan", 2_000, None);
    bench.ingest(org, vec![export("1")]).await;
    bill_until(&bench, "2026-12-03T00:00:00Z").await;
    let conn = file(&bench);
    for statement in [
        "UPDATE invoice SET document = '{}'",
        "UPDATE invoice SET due_minor = 0",
        "UPDATE invoice SET ordinal = 7",
        "DELETE FROM invoice",
        "UPDATE invoice_item SET invoice_id = NULL",
        "UPDATE invoice_item SET net_minor = 1",
        "DELETE FROM invoice_item",
        "UPDATE invoice_usage SET credits = 1",
        "DELETE FROM invoice_usage",
    ] {
        assert!(conn.execute(statement, []).is_err(), "{statement}");
    }
}

/// Two years of random items, usage, payments and late jobs. Every item is on one invoice, every invoice adds up, numbers have no gap,
/// and all usage that was not later than a year is told once.
#[tokio::test]
async fn over_two_years_nothing_is_lost_and_nothing_is_told_twice() {
    let seed = 8_006;
    println!("seed {seed}");
    let mut random = Random(seed);
    let bench = Bench::in_memory().await;
    let org = org(&bench, "America/St_Johns").await;
    method(&bench, org);
    let start = bench.store.now().micros();
    let mut now = start;
    for step in 0..400_i64 {
        now += i64::try_from(random.below(80)).expect("small") * HOUR;
        bench.clock.set(Timestamp::from_micros(now));
        match random.below(6) {
            0 => item(&bench, org, "plan", i64::try_from(random.below(9_999)).expect("small"), None),
            1 => item(&bench, org, "purchase", 5_000, Some(950)),
            2 => item(&bench, org, "adjustment", -i64::try_from(random.below(5_000)).expect("small"), None),
            3 => {
                // Some of it happened weeks ago, never before the org was billed at all.
                let late = i64::try_from(random.below(40)).expect("small") * 24 * HOUR;
                let time = Timestamp::from_micros((now - late).max(start));
                let json = format!(r#"{{"id":"{step}","source":"api","type":"export","time":"{time}"}}"#);
                bench.ingest(org, vec![event(&json)]).await;
            }
            4 => {
                bench.store.bill_due().await.expect("works");
            }
            _ => {
                settle_payments(&bench, org, if random.below(3) == 0 { "failed" } else { "succeeded" });
            }
        }
    }
    // Something in each month until the end, so that each is invoiced.
    for _ in 0..3 {
        item(&bench, org, "plan", 100, None);
        for later in [31 * 24 * HOUR, 2 * HOUR] {
            now += later;
            bench.clock.set(Timestamp::from_micros(now));
            bench.store.bill_due().await.expect("works");
        }
    }
    let rows = all(&bench, org).await;
    let numbers: Vec<String> = rows.iter().rev().filter_map(|row| row.number.clone()).collect();
    assert!(numbers.len() > 20, "{numbers:?}");
    assert_eq!(numbers, (1..=numbers.len()).map(|n| format!("S1-{n:04}")).collect::<Vec<_>>());
    let (mut told, mut credit) = (credits("0"), 0);
    for row in rows.iter().rev().filter(|row| row.number.is_some()) {
        let Invoice { document, .. } = one(&bench, org, row.id.0).await;
        let totals = document.totals;
        assert_eq!(document.lines.iter().map(|line| line.net + line.tax).sum::<i64>(), totals.gross);
        assert_eq!(totals.credit_before, credit, "{:?}", document.number);
        credit = totals.credit_after;
        told = told.plus(document.used().expect("fits")).expect("fits");
    }
    let conn = file(&bench);
    let count = |sql: &str| -> i64 { conn.query_row(sql, [], |row| row.get(0)).expect("counts") };
    assert_eq!(
        count(
            "SELECT count(*) FROM invoice_item i WHERE invoice_id IS NULL AND happened_at < (SELECT max(issued_at) FROM invoice) - 5184000000000"
        ),
        0
    );
    let items = count("SELECT sum(net_minor) FROM invoice_item WHERE invoice_id IS NOT NULL");
    assert_eq!(
        items,
        count("SELECT sum(net_minor) FROM invoice WHERE ordinal IS NOT NULL")
            + count(
                "SELECT coalesce(sum(t.net_minor), 0) FROM invoice_item t JOIN invoice i USING (org_id, invoice_id) WHERE i.ordinal IS NULL"
            )
    );
    assert_eq!(told.micros(), count("SELECT coalesce(sum(credits), 0) FROM invoice_usage"));
    assert_eq!(told, bench.store.totals(org).await.expect("reads").spent);
    bench.assert_verified().await;
}
