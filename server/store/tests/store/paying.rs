//! Invoices that are paid, by hand and by themselves, and what becomes of them when the money goes back; disputes about a part;
//! payments that take long.

use crate::common::Bench;
use crate::invoices::{all, bill_until, file, item, method, org};
use crate::purchases::{available, back, buy, eur, items, message, shop, told};
use ledger::invoice::State;
use ledger::payment::{Dispute, LATE_AFTER_S, Provider, Saying, State as Payment};
use ledger::refund::{How, State as Back};
use ledger::{InvoiceId, OrgId, PaymentId, Timestamp};
use store::payment::For;
use store::payment::message::{Answer, Outcome};
use store::{By, StoreError};

const INVOICE: InvoiceId = InvoiceId(1);
/// What it asks for: 10.00 and 19 % of tax.
const DUE: i64 = 1_190;

/// An org with an open invoice.
async fn open(bench: &Bench) -> OrgId {
    let org = org(bench, "UTC").await;
    item(bench, org, "plan", 1_000, None);
    bill_until(bench, "2026-12-02T00:00:00Z").await;
    org
}

async fn pay(bench: &Bench, org: OrgId) -> Result<PaymentId, StoreError> {
    bench.store.pay_invoice(org, By::command(), INVOICE, (Provider::Sandbox, None)).await
}

async fn hear(bench: &Bench, org: OrgId, payment: PaymentId, saying: Saying) {
    bench.store.answered(org, payment, Answer::of(saying)).await.expect("heard");
}

/// How the invoice stands, and what of it is paid. Nobody runs the job.
async fn stands(bench: &Bench, org: OrgId) -> (State, i64) {
    let row = all(bench, org).await.remove(0);
    assert_eq!(row.paid_at.is_some(), row.state == State::Paid);
    (row.state, row.paid)
}

#[tokio::test]
async fn an_invoice_stands_as_its_payments_do_at_once() {
    let bench = Bench::new().await;
    let org = open(&bench).await;
    let payment = pay(&bench, org).await.expect("opened");
    assert_eq!(stands(&bench, org).await, (State::Open, 0));
    hear(&bench, org, payment, Saying::Succeeded(eur(DUE))).await;
    assert_eq!(stands(&bench, org).await, (State::Paid, DUE));
    // A bank asks for a part, and gets it; the rest is given back on the provider's pages.
    hear(&bench, org, payment, Saying::Disputed(Dispute::Open, Some(eur(190)))).await;
    assert_eq!(stands(&bench, org).await, (State::Paid, DUE));
    hear(&bench, org, payment, Saying::Disputed(Dispute::Lost, Some(eur(190)))).await;
    assert_eq!(stands(&bench, org).await, (State::Open, 1_000));
    bench.store.hear(back("m1", "r1", org, payment, 1_000, Back::Succeeded)).await.expect("heard");
    assert_eq!(stands(&bench, org).await, (State::Open, 0));
    // The bank sends that back: it is paid again, but for the part.
    bench.store.hear(back("m2", "r1", org, payment, 1_000, Back::Failed)).await.expect("heard");
    assert_eq!(stands(&bench, org).await, (State::Open, 1_000));
    let rest = pay(&bench, org).await.expect("opened");
    assert_eq!(bench.store.payment(org, rest).await.expect("there").stands.amount, eur(190));
    hear(&bench, org, rest, Saying::Succeeded(eur(190))).await;
    assert_eq!(stands(&bench, org).await, (State::Paid, DUE));
    // No provider gave a reference here, but for the refund's message.
    let found = bench.store.reconcile().await.expect("reads").differences;
    let codes: Vec<_> = found.iter().map(|difference| difference.code).collect();
    assert_eq!(codes, ["payment_unknown_to_provider"]);
}

#[tokio::test]
async fn one_attempt_is_under_way_and_what_is_paid_twice_all_the_same_goes_back() {
    let bench = Bench::new().await;
    let org = open(&bench).await;
    let first = pay(&bench, org).await.expect("opened");
    assert!(matches!(pay(&bench, org).await, Err(StoreError::Conflict("invoice"))));
    hear(&bench, org, first, Saying::Cancelled).await;
    let second = pay(&bench, org).await.expect("opened");
    hear(&bench, org, second, Saying::Succeeded(eur(DUE))).await;
    assert!(matches!(pay(&bench, org).await, Err(StoreError::NotFound("open invoice"))));
    hear(&bench, org, first, Saying::Succeeded(eur(DUE))).await;
    let waiting = bench.store.refunds_waiting().await.expect("reads");
    let back: Vec<_> = waiting.iter().map(|refund| (refund.payment, refund.amount)).collect();
    assert_eq!(back, [(first, eur(DUE))]);
    let says = store::payment::message::RefundSays {
        reference: "r1".to_owned(),
        ours: None,
        amount: eur(DUE),
        state: Back::Succeeded,
    };
    bench.store.refund_answered(org, waiting[0].id, says).await.expect("heard");
    assert_eq!(stands(&bench, org).await, (State::Paid, DUE));
    // No credit note: it was never charged twice.
    let notes: i64 = file(&bench)
        .query_row("SELECT count(*) FROM invoice_item WHERE kind = 'credit_note'", [], |row| row.get(0))
        .expect("counts");
    assert_eq!(notes, 0);
}

#[tokio::test]
async fn whoever_is_charged_by_hand_is_not_charged_by_the_job_as_well() {
    let bench = Bench::new().await;
    let org = org(&bench, "UTC").await;
    item(&bench, org, "plan", 1_000, None);
    bill_until(&bench, "2026-12-02T00:00:00Z").await;
    let by_hand = pay(&bench, org).await.expect("opened");
    method(&bench, org);
    assert_eq!(bench.store.bill_due().await.expect("works"), 0);
    // It fails: now the stored method is due, in the same transaction.
    hear(&bench, org, by_hand, Saying::Failed(ledger::payment::Failure::Declined)).await;
    let attempts = bench.store.invoice_attempts(org, INVOICE).await.expect("reads");
    let methods: Vec<bool> = attempts.iter().map(|attempt| attempt.method.is_some()).collect();
    assert_eq!(methods, [false, true]);
    assert_eq!(attempts[1].of, For::Invoice(INVOICE));
}

#[tokio::test]
async fn a_transfer_that_nobody_announced_pays_for_all_that_is_open_or_for_nothing() {
    let bench = Bench::new().await;
    let org = open(&bench).await;
    let open: Vec<_> = bench.store.open_invoices().await.expect("reads");
    assert_eq!((open.len(), open[0].number.as_str(), open[0].open), (1, "S1-0001", eur(DUE)));
    let came = |minor| bench.store.invoice_transferred(org, By::command(), INVOICE, eur(minor));
    assert!(matches!(came(DUE - 1).await, Err(StoreError::BadRange(_))));
    assert!(bench.store.invoice_attempts(org, INVOICE).await.expect("reads").is_empty());
    assert_eq!(came(DUE).await.expect("noted"), Outcome::Applied);
    assert_eq!(stands(&bench, org).await, (State::Paid, DUE));
    assert!(bench.store.open_invoices().await.expect("reads").is_empty());
    assert!(came(DUE).await.is_err());
    assert_eq!(bench.store.reconcile().await.expect("reads").differences, []);
}

#[tokio::test]
async fn a_dispute_about_a_part_takes_that_part() {
    for (sayings, left, invoiced) in [
        (&[Dispute::Open][..], "700.000000", 10_000),
        (&[Dispute::Open, Dispute::Won], "1000.000000", 10_000),
        (&[Dispute::Open, Dispute::Lost, Dispute::Open], "700.000000", 7_000),
        (&[Dispute::Lost], "700.000000", 7_000),
    ] {
        for money_comes_last in [false, true] {
            let bench = Bench::in_memory().await;
            let org = shop(&bench).await;
            let (purchase, payment) = buy(&bench, org).await;
            let paid = message("m0", org, payment, Saying::Succeeded(eur(10_000)));
            if !money_comes_last {
                bench.store.hear(paid.clone()).await.expect("heard");
            }
            for (n, dispute) in sayings.iter().enumerate() {
                let says = Saying::Disputed(*dispute, Some(eur(3_000)));
                bench.store.hear(message(&format!("d{n}"), org, payment, says)).await.expect("heard");
            }
            bench.store.hear(paid).await.expect("heard");
            assert_eq!(available(&bench, org).await, left, "{sayings:?}");
            let sum: i64 = items(&bench).iter().map(|item| item.1).sum();
            assert_eq!(sum, invoiced, "{sayings:?}");
            // What nobody disputes can be given back once the bank has decided.
            let rest = bench.store.refund(org, By::command(), purchase, How::Full, "Goodwill".to_owned()).await;
            assert_eq!(rest.is_err(), sayings == [Dispute::Open], "{rest:?}");
            bench.assert_verified().await;
        }
    }
}

#[tokio::test]
async fn people_are_told_once_that_a_payment_takes_long() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let (_, payment) = buy(&bench, org).await;
    hear(&bench, org, payment, Saying::Pending).await;
    let look = async |seconds: i64| {
        let begun = bench.store.payment(org, payment).await.expect("there").created_at;
        bench.clock.set(Timestamp::from_micros(begun.micros() + seconds * 1_000_000));
        for row in bench.store.payments_waiting(begun).await.expect("reads") {
            bench.store.tell_late(org, row.id).await.expect("told");
        }
    };
    look(LATE_AFTER_S - 1).await;
    assert!(told(&bench).is_empty());
    look(LATE_AFTER_S).await;
    look(LATE_AFTER_S + 1).await;
    assert_eq!(told(&bench), ["payment_late"]);
    hear(&bench, org, payment, Saying::Succeeded(eur(10_000))).await;
    assert_eq!(told(&bench), ["payment_late", "purchase_paid"]);
}

#[tokio::test]
async fn transfers_that_are_awaited_do_not_stand_before_payments_that_can_be_asked_about() {
    let bench = Bench::in_memory().await;
    let org = shop(&bench).await;
    let (_, payment) = buy(&bench, org).await;
    bench.store.asking(org, payment).await.expect("noted");
    let sql = "WITH RECURSIVE n (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM n WHERE n < 1200)
        INSERT INTO payment (org_id, payment_id, purchase_id, provider, amount_minor, currency, state, idempotency, created_at,
            changed_at, asked_at)
        SELECT org_id, n, purchase_id, 'bank_transfer', amount_minor, currency, 'pending', idempotency, created_at, changed_at, 1
        FROM payment, n WHERE payment_id = 1";
    file(&bench).execute(sql, []).expect("transfers");
    let begun = bench.store.payment(org, payment).await.expect("there").created_at;
    let waiting = bench.store.payments_waiting(Timestamp::from_micros(begun.micros() - 1)).await.expect("reads");
    assert_eq!(waiting.iter().map(|row| row.id).collect::<Vec<_>>(), [payment]);
    // Once they are to be given up they are looked at.
    assert_eq!(bench.store.payments_waiting(begun).await.expect("reads").len(), 1_000);
    let awaited = bench.store.transfers_waiting().await.expect("reads");
    assert!(awaited.len() == 1_000 && awaited.iter().all(|row| row.stands.state == Payment::Pending));
}
