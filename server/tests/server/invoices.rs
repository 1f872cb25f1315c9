//! Invoices as people and programs get them: page, PDF, JSON, CSV and mail say the same.

use crate::common::{ORG, Server, time};
use app::components::billing::sheet::Sheet;
use axum::http::StatusCode;
use ledger::invoice::{Document, Party, State};
use ledger::seller::{BillingDetails, Seller};
use ledger::tax::Tax;
use ledger::{InvoiceId, Money, OrgId, Timestamp};
use rusqlite::{Connection, params};
use scrip_server::config::Config;
use scrip_server::jobs::notices::{Post, send_all};
use scrip_server::notify::mail::Mailer;
use scrip_server::pdf;
use serde_json::json;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use store::By;

const ACME: OrgId = OrgId(1);

fn file(server: &Server) -> Connection {
    Connection::open(server.folder.path().join("scrip.db")).expect("opens")
}

/// An item as plans and purchases put it down.
fn item(server: &Server, kind: &str, description: &str, net: i64, tax: Option<i64>) {
    let sql = "INSERT INTO invoice_item (org_id, item_id, kind, description, net_minor, tax_minor, tax_name, currency, happened_at, from_at, to_at)
         SELECT 1, coalesce(max(item_id), 0) + 1, ?1, ?2, ?3, ?4, CASE WHEN ?4 IS NULL THEN NULL ELSE 'VAT 19 %' END, 'EUR', ?5,
            CASE ?1 WHEN 'plan' THEN 1793491200000000 END, CASE ?1 WHEN 'plan' THEN 1796083200000000 END
         FROM invoice_item WHERE org_id = 1";
    let at = server.store.now().micros();
    file(server).execute(sql, params![kind, description, net, tax, at]).expect("an item");
}

fn seller() -> Seller {
    let party = Party {
        name: "Scrip & Söhne GmbH".to_owned(),
        address: "Gärtnerstraße 1\n1010 Wien".to_owned(),
        tax_number: "ATU12345678".to_owned(),
    };
    let tax = Tax { name: "VAT".to_owned(), millionths: 190_000 };
    Seller { party, bank: "Scrip GmbH\nIBAN AT61 1904 3002 3457 3201".to_owned(), tax, ..Seller::default() }
}

/// An org with an issued invoice of November, and a draft of December.
async fn billed() -> Server {
    billed_with(Config::default()).await
}

async fn billed_with(config: Config) -> Server {
    let server = Server::with(config).await;
    server.store.set_seller(By::command(), ACME, seller()).await.expect("good");
    let party =
        Party { name: "Acme <Ltd>".to_owned(), address: "1 Road\nSpringfield".to_owned(), tax_number: String::new() };
    let details = BillingDetails { party, ..BillingDetails::default() };
    server.store.set_billing_details(By::command(), ACME, details).await.expect("good");
    let event = json!({"id": "1", "source": "api", "type": "images", "data": {"quantity": 12_345}});
    assert_eq!(server.post_json(&event).await.status, StatusCode::OK);
    item(&server, "plan", "Professional", 199_900, None);
    item(&server, "purchase", "5,000 credits", 50_000, Some(9_500));
    item(&server, "credit_note", "5,000 credits: not needed", -10_000, Some(-1_900));
    item(&server, "adjustment", "Goodwill", -333, None);
    server.clock.set(time("2026-12-01T00:00:00Z"));
    server.store.bill_due().await.expect("works");
    server.clock.set(time("2026-12-02T09:00:00Z"));
    server.store.bill_due().await.expect("works");
    item(&server, "plan", "Professional", 199_900, None);
    server.clock.set(time("2027-01-01T09:00:00Z"));
    server.store.bill_due().await.expect("works");
    server
}

/// What a PDF says, read by another program.
fn read(pdf: &[u8]) -> String {
    let mut child = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("pdftotext is there: scripts/setup.sh --with-browser installs it");
    child.stdin.take().expect("a pipe").write_all(pdf).expect("written");
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Words, however they are spaced or broken into lines.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// A page's text, without its markup.
fn text_of(page: &str) -> String {
    let main = page.split_once("<main").expect("a page").1.split_once("</main>").expect("an end").0;
    let mut text = String::new();
    for part in main.split('<') {
        text.push_str(part.split_once('>').map_or("", |(_, text)| text));
        text.push(' ');
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

async fn document(server: &Server, id: i64) -> Document {
    server.store.invoice(ACME, InvoiceId(id)).await.expect("there").document
}

#[tokio::test]
async fn the_pdf_and_the_page_of_an_invoice_say_the_same_words() {
    let server = billed().await;
    let owner = server.person(ORG, "owner", false).await;
    let page = server.open(&owner, "/billing/invoices/invoice_1").await;
    assert_eq!(page.status, StatusCode::OK);
    let pdf = server.open(&owner, "/billing/invoices/invoice_1/pdf").await;
    assert_eq!((pdf.status, pdf.header("content-type")), (StatusCode::OK, "application/pdf"));
    assert_eq!(pdf.header("content-disposition"), "attachment; filename=\"S1-0001.pdf\"");
    assert!(pdf.body.len() < 100_000, "fonts are cut to what is used: {}", pdf.body.len());
    let (page, pdf) = (squeezed(&text_of(&page.text())), squeezed(&read(&pdf.body)));
    let sheet = Sheet::of(&document(&server, 1).await);
    assert!(sheet.texts().count() > 40);
    for text in sheet.texts() {
        let text = squeezed(text);
        assert!(page.contains(&text), "the page does not say {text}: {page}");
        assert!(pdf.contains(&text), "the PDF does not say {text}: {pdf}");
    }
    for said in ["Scrip&SöhneGmbH", "2,374.85EUR", "IBANAT61", "Acme<Ltd>"] {
        assert!(pdf.contains(said), "{said}: {pdf}");
    }
    // A draft is no invoice yet, and nobody finds another's.
    let draft = server.open(&owner, "/billing/invoices/invoice_2").await;
    assert!(draft.text().contains("Draft of an invoice") && !draft.text().contains("/pdf"));
    assert_eq!(server.open(&owner, "/billing/invoices/invoice_2/pdf").await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.open(&owner, "/billing/invoices/invoice_9").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_open_invoice_is_paid_from_its_page_once_and_by_nobody_else() {
    let server = billed().await;
    server.create_org("Other", "token-billing").await;
    let (owner, other) = (server.person(ORG, "owner", false).await, server.person("Other", "admin", false).await);
    let path = "/billing/invoices/invoice_1";
    let attempts = async |id| server.store.invoice_attempts(ACME, InvoiceId(id)).await.expect("reads").len();
    assert!(text_of(&server.open(&owner, path).await.text()).contains("Pay 2,374.85 EUR now"));
    let pay = [("do", "pay"), ("pay", "sandbox")];
    // Another org's, a draft, a way that is not there: nothing begins.
    server.submit(&other, path, &pay).await;
    server.submit(&owner, "/billing/invoices/invoice_2", &pay).await;
    server.submit(&owner, path, &[("do", "pay"), ("pay", "stripe")]).await;
    assert_eq!((attempts(1).await, attempts(2).await), (0, 0));
    let member = server.person(ORG, "analyst", false).await;
    assert_eq!(server.submit(&member, path, &pay).await.status, StatusCode::FORBIDDEN);
    for to in ["/billing/sandbox/sandbox_1_1", path] {
        assert_eq!(server.submit(&owner, path, &pay).await.header("location"), to);
    }
    assert_eq!(attempts(1).await, 1);
    assert!(text_of(&server.open(&owner, path).await.text()).contains("Not paid yet"));
    let card = [("do", "pay"), ("card", "success")];
    let reply = server.submit(&owner, "/billing/sandbox/sandbox_1_1", &card).await;
    let back = format!("{path}?back=yes");
    assert_eq!(reply.header("location"), back);
    // Whoever comes back is told how it stands, whether the message is here or not.
    server.clock.set(Timestamp::from_micros(server.store.now().micros() + 6_000_000));
    let page = text_of(&server.open(&owner, &back).await.text());
    assert!(page.contains("All of it is paid.") && !page.contains("Pay 2,374.85"), "{page}");
    server.submit(&owner, path, &pay).await;
    assert_eq!(attempts(1).await, 1);
}

#[tokio::test]
async fn an_operator_notes_a_transfer_that_pays_an_invoice() {
    let server = billed().await;
    let operator = server.person(ORG, "owner", true).await;
    let page = "/operator/payments";
    assert!(text_of(&server.open(&operator, page).await.text()).contains("S1-0001"));
    let form = |amount| [("do", "transferred"), ("org", "org_1"), ("invoice", "invoice_1"), ("amount", amount)];
    for (amount, to) in [
        ("2374.84", "/operator/payments?error=other_amount"),
        ("2374.85", "/operator/payments?done=transferred"),
        ("2374.85", "/operator/payments?error=not_awaited"),
    ] {
        let reply = server.submit(&operator, page, &form(amount)).await;
        assert!(reply.header("location").starts_with(to), "{amount}: {}", reply.header("location"));
    }
    assert_eq!(server.store.invoice(ACME, InvoiceId(1)).await.expect("there").row.state, State::Paid);
    let owner = server.person(ORG, "owner", false).await;
    assert_eq!(server.submit(&owner, page, &form("2374.85")).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_pdf_says_that_boxes_are_letters_only_where_there_are_some() {
    let server = billed().await;
    let mut document = document(&server, 1).await;
    let told = |document: &Document| read(&pdf::invoice(&Sheet::of(document)).expect("written"));
    assert!(!told(&document).contains("Boxes stand for letters"));
    document.buyer.name = "\u{682a}\u{5f0f}\u{4f1a}\u{793e} Acme".to_owned();
    let text = told(&document);
    assert!(text.contains("Boxes stand for letters") && text.contains("Acme"), "{text}");
}

#[tokio::test]
async fn a_long_invoice_goes_over_pages_and_a_long_word_breaks() {
    let server = billed().await;
    let mut document = document(&server, 1).await;
    let line = document.lines[0].clone();
    document.lines = (0..40)
        .map(|place| ledger::invoice::Line { description: format!("Line {place} {}", "x".repeat(150)), ..line.clone() })
        .collect();
    let pdf = pdf::invoice(&Sheet::of(&document)).expect("written");
    let text = read(&pdf);
    let pages: usize = text
        .split("page 1 of ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .expect("a foot")
        .parse()
        .expect("a number");
    assert!(pages > 3 && (1..=pages).all(|page| text.contains(&format!("page {page} of {pages}"))), "{text}");
    assert!((0..40).all(|place| text.contains(&format!("Line {place} "))));
    assert!(text.matches('x').count() > 40 * 150, "{text}");
    // The heads stand on each page that has rows.
    assert!(text.matches("Total").count() >= pages - 1, "{text}");
}

#[tokio::test]
async fn invoices_and_payments_are_listed_filtered_and_exported() {
    let server = billed().await;
    let owner = server.person(ORG, "billing", false).await;
    let sql = "INSERT INTO payment (org_id, payment_id, invoice_id, provider, amount_minor, currency, state, failure, idempotency, created_at, changed_at)
         VALUES (1, ?1, 1, 'sandbox', 237485, 'EUR', ?2, ?3, '0123456789abcdef', ?4, ?4)";
    for (id, state, failure) in [(1, "failed", Some("declined")), (2, "succeeded", None)] {
        file(&server).execute(sql, params![id, state, failure, server.store.now().micros()]).expect("a payment");
    }
    server.store.bill_due().await.expect("works");
    let list = server.open(&owner, "/billing/invoices").await.text();
    for said in ["S1-0001", "November 2026", "2,850.85 EUR", "Draft", "December 2026", "status ok"] {
        assert!(list.contains(said), "{said}: {list}");
    }
    let paid = server.open(&owner, "/billing/invoices?state=paid&year=2026").await.text();
    assert!(paid.contains("S1-0001") && !paid.contains("December 2026"));
    assert!(server.open(&owner, "/billing/invoices?year=2025").await.text().contains("No invoice fits."));
    let csv = server.open(&owner, "/exports/invoices.csv").await.text();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[2], "S1-0001,2026-11,paid,2026-12-02,2026-12-16,EUR,2850.85,2374.85,2374.85,invoice_1");
    assert!(lines[1].starts_with(",2026-12,draft,"), "{csv}");

    let payments = server.open(&owner, "/billing/payments").await.text();
    assert!(payments.contains("Invoice S1-0001") && payments.contains("Failed") && payments.contains("Paid"));
    let failed = server.open(&owner, "/billing/payments?state=failed").await.text();
    assert_eq!(failed.matches("href=\"/billing/invoices/invoice_1\"").count(), 1);
    assert_eq!(server.open(&owner, "/billing/payments?from=2027-02-01").await.text().matches("invoice_1").count(), 0);
    let csv = server.open(&owner, "/exports/payments.csv?state=failed").await.text();
    assert_eq!(csv.lines().count(), 2);
    assert!(csv.contains(",invoice_1,sandbox,,EUR,2374.85,0.00,failed,none,declined"), "{csv}");
    // Whoever does not buy does not see what was paid.
    let analyst = server.person(ORG, "analyst", false).await;
    assert_eq!(server.open(&analyst, "/billing/invoices").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn programs_get_invoices_their_lines_and_their_pdf() {
    let server = billed().await;
    let list = server.get("/api/v1/invoices?limit=1").await.json();
    assert_eq!((list["items"][0]["state"].as_str(), list["items"][0]["number"].as_str()), (Some("draft"), None));
    let cursor = list["next_cursor"].as_str().expect("another page");
    let next = server.get(&format!("/api/v1/invoices?limit=1&cursor={cursor}")).await.json();
    assert_eq!((next["items"][0]["number"].as_str(), &next["next_cursor"]), (Some("S1-0001"), &json!(null)));
    let one = server.get("/api/v1/invoices/invoice_1").await.json();
    assert_eq!(
        (one["total"].as_str(), one["due"].as_str(), one["paid"].as_str()),
        (Some("2850.85"), Some("2374.85"), Some("0.00"))
    );
    assert_eq!(one["lines"][0]["kind"], "plan");
    assert_eq!((&one["lines"][0]["from"], &one["lines"][0]["to"]), (&json!("2026-11-01"), &json!("2026-12-01")));
    assert_eq!(one["taxes"], json!([{"name": "VAT 19 %", "net": "2395.67", "tax": "455.18"}]));
    let pdf = server.get("/api/v1/invoices/invoice_1/pdf").await;
    assert!(pdf.body.starts_with(b"%PDF-"));
    assert_eq!(server.get("/api/v1/invoices/invoice_2/pdf").await.problem(), "not_found");
    assert_eq!(server.get("/api/v1/invoices/invoice_7").await.problem(), "not_found");
    assert_eq!(server.get("/api/v1/invoices?state=lost").await.problem(), "bad_query");
    assert_eq!(server.get("/api/v1/payments").await.json()["items"], json!([]));
}

#[tokio::test]
async fn mail_of_an_invoice_goes_to_whom_the_details_name_and_is_sent_once() {
    let mails = tempfile::tempdir().expect("a folder");
    let config = Config {
        mail_dir: Some(mails.path().to_owned()),
        mail_from: Some("Scrip <scrip@example.com>".to_owned()),
        public_url: Some("https://scrip.example.com".to_owned()),
        ..Config::default()
    };
    let post = Post { mailer: Arc::new(Mailer::new(&config).expect("valid")), base_url: config.base_url() };
    let server = billed_with(config).await;
    server.person(ORG, "owner", false).await;
    server.person(ORG, "billing", false).await;
    server.person(ORG, "analyst", false).await;
    let sent = || -> Vec<String> {
        let files = std::fs::read_dir(mails.path()).expect("a folder").flatten();
        let mut texts: Vec<String> = files.map(|file| std::fs::read_to_string(file.path()).expect("text")).collect();
        texts.sort();
        texts
    };
    // The invoice of November, and that it was due: to everybody who manages billing.
    assert_eq!(send_all(&server.store, &post).await.expect("works"), 2);
    let texts = sent();
    assert_eq!(texts.len(), 4, "{texts:?}");
    assert!(texts.iter().all(|text| text.contains("owner-false@") || text.contains("billing-false@")));
    assert!(texts.iter().any(|text| text.contains("Message-ID: <notice_1.org_1.")), "{texts:?}");
    assert_eq!(send_all(&server.store, &post).await.expect("works"), 0);

    let details = BillingDetails {
        email: Some("pay@acme.example".to_owned()),
        party: Party { name: "Acme".to_owned(), ..Party::default() },
        tax: None,
    };
    server.store.set_billing_details(By::command(), ACME, details).await.expect("good");
    server.clock.set(time("2027-01-03T09:00:00Z"));
    server.store.bill_due().await.expect("works");
    send_all(&server.store, &post).await.expect("works");
    let texts = sent();
    assert_eq!(texts.len(), 5);
    assert!(texts.iter().any(|text| text.contains("pay@acme.example") && text.contains("S1-0002")));
    // Without mail nothing waits for ever.
    let none = Post { mailer: Arc::new(Mailer::new(&Config::default()).expect("valid")), base_url: String::new() };
    server.clock.set(time("2027-03-03T09:00:00Z"));
    server.store.bill_due().await.expect("works");
    assert_eq!(send_all(&server.store, &none).await.expect("works"), 0);
    assert_eq!(server.store.notices_due().await.expect("reads"), []);
}

#[tokio::test]
async fn a_mail_that_is_not_taken_is_tried_again_later_and_later_and_then_given_up() {
    let config = Config {
        // Nobody listens there.
        smtp_url: Some("smtp://127.0.0.1:1".to_owned()),
        mail_from: Some("Scrip <scrip@example.com>".to_owned()),
        ..Config::default()
    };
    let post = Post { mailer: Arc::new(Mailer::new(&config).expect("valid")), base_url: config.base_url() };
    let server = billed_with(config).await;
    server.person(ORG, "owner", false).await;
    let mut tried = Vec::new();
    let start = server.store.now().micros();
    for minutes in 0..5 * 24 * 60 {
        server.clock.set(Timestamp::from_micros(start + minutes * 60_000_000));
        if server.store.notices_due().await.expect("reads").is_empty() {
            continue;
        }
        assert_eq!(send_all(&server.store, &post).await.expect("works"), 0);
        tried.push(minutes);
    }
    assert_eq!(tried, [0, 1, 6, 36, 156, 516, 1_236, 2_676, 4_116]);
}

#[tokio::test]
async fn who_sells_and_who_buys_are_forms_that_say_what_is_wrong() {
    let server = Server::start().await;
    let operator = server.person(ORG, "owner", true).await;
    let good = [
        ("do", "seller"),
        ("name", "Scrip GmbH"),
        ("address", "Way 1\r\n1010 Vienna"),
        ("tax_number", "ATU1"),
        ("bank", ""),
        ("tax_name", "VAT"),
        ("tax", "8.875"),
        ("grace_hours", "48"),
        ("due_days", "30"),
    ];
    let done = server.submit(&operator, "/operator/seller", &good).await;
    assert_eq!(done.header("location"), "/operator/seller?done=saved");
    let kept = server.store.seller().await.expect("reads");
    assert_eq!(
        (kept.tax.millionths, kept.grace_hours, kept.party.address.as_str()),
        (88_750, 48, "Way 1\n1010 Vienna")
    );
    let page = server.open(&operator, "/operator/seller").await.text();
    assert!(page.contains("value=\"8.875\"") && page.contains("1010 Vienna"), "{page}");
    for (field, value, code) in [
        ("name", "", "bad_party"),
        ("tax", "101", "bad_tax"),
        ("tax", "much", "bad_tax"),
        ("tax_name", "", "bad_tax_name"),
        ("grace_hours", "300", "bad_grace_hours"),
        ("due_days", "-1", "bad_due_days"),
    ] {
        let form: Vec<(&str, &str)> =
            good.iter().map(|(name, was)| (*name, if *name == field { value } else { *was })).collect();
        let refused = server.submit(&operator, "/operator/seller", &form).await;
        let location = refused.header("location").to_owned();
        assert!(location.starts_with(&format!("/operator/seller?error={code}&")), "{field}: {location}");
        let page = server.open(&operator, location.split('#').next().expect("a path")).await.text();
        assert!(page.contains("role=\"alert\"") && page.contains("aria-invalid"), "{field}");
    }

    // Who pays does not choose the tax.
    let owner = server.person(ORG, "admin", false).await;
    let form = [
        ("do", "details"),
        ("name", "Acme Ltd"),
        ("address", "1 Road"),
        ("email", "pay@acme.example"),
        ("own_tax", "own"),
        ("tax", "0"),
    ];
    let done = server.submit(&owner, "/billing/details", &form).await;
    assert_eq!(done.header("location"), "/billing/details?done=saved");
    let kept = server.store.billing_details(ACME).await.expect("reads").expect("there");
    assert_eq!((kept.party.name.as_str(), &kept.tax), ("Acme Ltd", &None));
    let page = server.open(&owner, "/billing/details").await.text();
    assert!(page.contains("VAT 8.875 % is added") && !page.contains("own_tax"), "{page}");
    server.submit(&operator, "/billing/details", &form).await;
    let kept = server.store.billing_details(ACME).await.expect("reads").expect("there");
    assert_eq!(kept.tax, Some(Tax::default()));
    let refused =
        server.submit(&owner, "/billing/details", &[("do", "details"), ("name", "Acme"), ("email", "nobody")]).await;
    assert!(refused.header("location").starts_with("/billing/details?error=bad_email&"));
}

#[tokio::test]
async fn an_operator_puts_something_onto_the_next_invoice_once_and_sees_what_does_not_fit() {
    let server = billed().await;
    let operator = server.person(ORG, "member", true).await;
    let page = server.open(&operator, "/operator/organizations?org=org_1").await.text();
    let key =
        page.split("name=\"key\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a key").to_owned();
    let form = [
        ("do", "invoice"),
        ("org", "org_1"),
        ("key", &key),
        ("amount", "-12.50"),
        ("currency", "eur"),
        ("reason", "An outage"),
    ];
    for _ in 0..2 {
        let done = server.submit(&operator, "/operator/organizations", &form).await;
        assert_eq!(done.header("location"), "/operator/organizations?org=org_1");
    }
    let open = server.store.open_items(ACME).await.expect("reads");
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].figures.totals.net, open[0].figures.lines.len()), (-1_250, 1));
    let eur = Money::parse("1.00 EUR").expect("money").currency;
    assert_eq!(open[0].currency, eur);

    // The items here were put down without what they tell of: the page says so.
    let page = server.open(&operator, "/operator/reconcile").await.text();
    assert!(
        page.contains("invoiced_not_bought") && page.contains("item_2") && page.contains("1 difference found"),
        "{page}"
    );
    let member = server.person(ORG, "owner", false).await;
    assert_eq!(server.open(&member, "/operator/reconcile").await.status, StatusCode::FORBIDDEN);
}
