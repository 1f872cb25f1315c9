//! Buying credits, whatever providers say and in which order: given once, taken once, invoiced once.

use crate::common::{Bench, credits, export};
use ledger::package::{Terms, VolumePrices, VolumeStep};
use ledger::payment::{Dispute, Failure, Provider, Saying, State};
use ledger::refund::{self, How};
use ledger::{Currency, Money, OrgId, PackageId, PaymentId, PurchaseId};
use store::package::NewPackage;
use store::payment::message::{Answer, Message, Outcome, RefundSays, Says};
use store::payment::method::NewMethod;
use store::purchase::{Cause, NewPurchase};
use store::{At, By, StoreError};

pub fn eur(minor: i64) -> Money {
    Money { minor, currency: Currency::parse("EUR").expect("a currency") }
}

/// An org that is offered 1,000 credits for 100 EUR, and any amount from 100 on.
pub async fn shop(bench: &Bench) -> OrgId {
    let org = bench.org("Acme", "Europe/Berlin").await;
    let step = |from, per_1000_minor| VolumeStep { from: credits(from), per_1000_minor };
    let prices = VolumePrices { max: credits("50000"), steps: vec![step("100", 12_000), step("5000", 9_000)] };
    let offered = vec![
        NewPackage {
            title: "1,000 credits".to_owned(),
            terms: Terms::Fixed { credits: credits("1000"), price: eur(10_000) },
        },
        NewPackage { title: "Custom amount".to_owned(), terms: Terms::Custom { prices, currency: eur(0).currency } },
    ];
    bench.store.offer_packages(org, By::command(), offered).await.expect("offered");
    org
}

const FIXED: NewPurchase = NewPurchase { package: PackageId(1), credits: None, cause: Cause::Person };

pub async fn buy(bench: &Bench, org: OrgId) -> (PurchaseId, PaymentId) {
    bench.store.buy(org, By::command(), FIXED, (Provider::Sandbox, None), None).await.expect("opened").answer
}

pub fn message(id: &str, org: OrgId, payment: PaymentId, says: Saying) -> Message {
    Message {
        provider: Provider::Sandbox,
        id: id.to_owned(),
        kind: "payment".to_owned(),
        reference: format!("sandbox_{}_{}", org.0, payment.0),
        ours: Some((org, payment)),
        says: Says::Payment(says),
        method: None,
    }
}

pub fn back(id: &str, reference: &str, org: OrgId, payment: PaymentId, minor: i64, state: refund::State) -> Message {
    let says = RefundSays { reference: reference.to_owned(), ours: None, amount: eur(minor), state };
    Message { says: Says::Refund(says), ..message(id, org, payment, Saying::Nothing) }
}

pub async fn available(bench: &Bench, org: OrgId) -> String {
    bench.store.balance(org).await.expect("reads").available.to_string()
}

/// Kind, net and tax of what is to be invoiced.
pub fn items(bench: &Bench) -> Vec<(String, i64, i64)> {
    let conn = rusqlite::Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let mut select =
        conn.prepare("SELECT kind, net_minor, tax_minor FROM invoice_item ORDER BY item_id").expect("prepares");
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("reads");
    rows.collect::<Result<_, _>>().expect("rows")
}

/// The kinds of what people are told.
pub fn told(bench: &Bench) -> Vec<String> {
    let conn = rusqlite::Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let mut select = conn.prepare("SELECT kind FROM notice ORDER BY notice_id").expect("prepares");
    select.query_map([], |row| row.get(0)).expect("reads").collect::<Result<_, _>>().expect("rows")
}

#[tokio::test]
async fn credits_are_given_once_whatever_order_the_messages_come_in() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let (purchase, payment) = buy(&bench, org).await;
    assert_eq!(available(&bench, org).await, "0.000000");
    let hear = |id: &str, says| bench.store.hear(message(id, org, payment, says));
    assert_eq!(hear("m3", Saying::Succeeded(eur(9_999))).await.expect("heard"), Outcome::Mismatch);
    assert_eq!(hear("m2", Saying::Succeeded(eur(10_000))).await.expect("heard"), Outcome::Applied);
    assert_eq!(hear("m2", Saying::Succeeded(eur(10_000))).await.expect("heard"), Outcome::Repeated);
    assert_eq!(hear("m4", Saying::Succeeded(eur(10_000))).await.expect("heard"), Outcome::Stale);
    assert_eq!(hear("m1", Saying::Pending).await.expect("heard"), Outcome::Stale);
    assert_eq!(hear("m5", Saying::Failed(Failure::Declined)).await.expect("heard"), Outcome::Stale);
    let redirect = bench.store.answered(org, payment, Answer::of(Saying::Succeeded(eur(10_000)))).await;
    assert_eq!(redirect.expect("heard"), Outcome::Stale);
    assert_eq!(available(&bench, org).await, "1000.000000");
    let (bought, payments) = bench.store.purchase(org, purchase).await.expect("there");
    assert_eq!((bought.paid_by, payments[0].stands.state), (Some(payment), State::Succeeded));
    let grant = bench.store.grant(org, bought.grant.expect("given"), At::default()).await.expect("there");
    assert_eq!(grant.grant.cost, Some(eur(10_000)));
    assert_eq!(items(&bench), [("purchase".to_owned(), 10_000, 0)]);
    assert_eq!(told(&bench), ["purchase_paid"]);
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_message_before_its_reference_is_known_counts_when_it_comes_again() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let (_, payment) = buy(&bench, org).await;
    let early = Message { ours: None, ..message("m1", org, payment, Saying::Succeeded(eur(10_000))) };
    assert_eq!(bench.store.hear(early.clone()).await.expect("heard"), Outcome::UnknownPayment);
    let answer = Answer { references: vec![early.reference.clone()], ..Answer::of(Saying::Nothing) };
    bench.store.answered(org, payment, answer).await.expect("noted");
    assert_eq!(bench.store.hear(early.clone()).await.expect("heard"), Outcome::Applied);
    assert_eq!(bench.store.hear(early).await.expect("heard"), Outcome::Repeated);
    // A reference of another payment's is not believed to be this one's.
    let (_, other) = buy(&bench, org).await;
    let wrong = Message { id: "m2".to_owned(), ..message("m1", org, payment, Saying::Succeeded(eur(10_000))) };
    let wrong = Message { ours: Some((org, other)), ..wrong };
    assert_eq!(bench.store.hear(wrong).await.expect("heard"), Outcome::Stale);
    assert_eq!(available(&bench, org).await, "1000.000000");
}

#[tokio::test]
async fn what_is_paid_twice_goes_back_and_gives_nothing() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let (purchase, one) = buy(&bench, org).await;
    let again = || bench.store.buy_again(org, purchase, (Provider::Sandbox, None));
    assert!(matches!(again().await, Err(StoreError::Conflict(_))));
    bench.store.hear(message("m1", org, one, Saying::Failed(Failure::Declined))).await.expect("heard");
    let two = again().await.expect("opened");
    bench.store.hear(message("m2", org, two, Saying::Succeeded(eur(10_000)))).await.expect("heard");
    bench.store.hear(message("m3", org, one, Saying::Succeeded(eur(10_000)))).await.expect("heard");
    assert_eq!(available(&bench, org).await, "1000.000000");
    let refunds = bench.store.refunds_waiting().await.expect("reads");
    assert_eq!((refunds.len(), refunds[0].payment, refunds[0].amount), (1, one, eur(10_000)));
    let says =
        RefundSays { reference: "r1".to_owned(), ours: None, amount: eur(10_000), state: refund::State::Succeeded };
    bench.store.refund_answered(org, refunds[0].id, says).await.expect("heard");
    assert_eq!(items(&bench), [("purchase".to_owned(), 10_000, 0)]);
    assert_eq!(told(&bench), ["payment_failed", "purchase_paid"]);
    assert!(again().await.is_err());
    bench.assert_verified().await;
}

#[tokio::test]
async fn what_is_given_up_is_paid_after_all() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let (purchase, payment) = buy(&bench, org).await;
    bench.store.hear(message("m1", org, payment, Saying::Cancelled)).await.expect("heard");
    assert!(bench.store.purchase(org, purchase).await.expect("there").0.closed_at.is_some());
    bench.store.hear(message("m2", org, payment, Saying::Succeeded(eur(10_000)))).await.expect("heard");
    let (bought, _) = bench.store.purchase(org, purchase).await.expect("there");
    assert_eq!((bought.closed_at, bought.paid_by), (None, Some(payment)));
    assert_eq!(told(&bench), ["purchase_abandoned", "purchase_paid"]);
}

#[tokio::test]
async fn a_custom_amount_costs_what_its_volume_says_and_a_price_stands_once_it_is_opened() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let custom = |amount| NewPurchase { package: PackageId(2), credits: Some(credits(amount)), cause: Cause::Person };
    let buy = async |new| {
        let done = bench.store.buy(org, By::command(), new, (Provider::Sandbox, None), None).await;
        done.map(|done| done.answer)
    };
    assert_eq!(buy(custom("99")).await.expect_err("too few").code(), "bad_purchase_amount");
    let (purchase, payment) = buy(custom("5000")).await.expect("opened");
    bench.store.offer_packages(org, By::command(), vec![]).await.expect("withdrawn");
    assert_eq!(buy(custom("5000")).await.expect_err("withdrawn").code(), "package_not_offered");
    bench.store.hear(message("m1", org, payment, Saying::Succeeded(eur(45_000)))).await.expect("heard");
    let (bought, _) = bench.store.purchase(org, purchase).await.expect("there");
    assert_eq!((bought.quote.net, bought.paid_at.is_some()), (eur(45_000), true));
    assert_eq!(available(&bench, org).await, "5000.000000");
}

#[tokio::test]
async fn a_refund_takes_what_is_left_when_asked_and_is_credited_when_the_money_is_there() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let (purchase, payment) = buy(&bench, org).await;
    let refund = |how| bench.store.refund(org, By::command(), purchase, how, "Bought by mistake".to_owned());
    assert_eq!(refund(How::Rest).await.expect_err("unpaid").code(), "refund_not_paid");
    bench.store.hear(message("m1", org, payment, Saying::Succeeded(eur(10_000)))).await.expect("heard");
    bench.ingest(org, (0..250).map(|n| export(&format!("e{n}"))).collect()).await;
    let id = refund(How::Rest).await.expect("asked");
    assert_eq!(available(&bench, org).await, "0.000000");
    assert_eq!(items(&bench).len(), 1);
    assert_eq!(refund(How::Rest).await.expect_err("all gone").code(), "refund_all_used");
    let done = |id: &str, state| bench.store.hear(back(id, "r1", org, payment, 7_500, state));
    let waiting = bench.store.refunds_waiting().await.expect("reads");
    assert_eq!((waiting[0].amount, waiting[0].credits), (eur(7_500), credits("750")));
    let says = RefundSays { reference: "r1".to_owned(), ours: None, amount: eur(7_500), state: refund::State::Asked };
    bench.store.refund_answered(org, id, says).await.expect("heard");
    assert_eq!(done("m2", refund::State::Succeeded).await.expect("heard"), Outcome::Applied);
    assert_eq!(done("m3", refund::State::Succeeded).await.expect("heard"), Outcome::Stale);
    assert_eq!(items(&bench)[1], ("credit_note".to_owned(), -7_500, 0));
    // The bank sends it back: the credit note is undone, and the credits are given again.
    assert_eq!(done("m4", refund::State::Failed).await.expect("heard"), Outcome::Applied);
    assert_eq!(done("m5", refund::State::Succeeded).await.expect("heard"), Outcome::Stale);
    assert_eq!(items(&bench).iter().map(|item| item.1).sum::<i64>(), 10_000);
    assert_eq!(available(&bench, org).await, "750.000000");
    bench.assert_verified().await;
}

#[tokio::test]
async fn money_given_back_on_the_providers_own_pages_is_followed() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let (_, payment) = buy(&bench, org).await;
    bench.store.hear(message("m1", org, payment, Saying::Succeeded(eur(10_000)))).await.expect("heard");
    let done = |id: &str, reference: &str, minor| {
        bench.store.hear(back(id, reference, org, payment, minor, refund::State::Succeeded))
    };
    assert_eq!(done("m2", "r1", 2_500).await.expect("heard"), Outcome::Applied);
    assert_eq!(done("m3", "r1", 2_500).await.expect("heard"), Outcome::Stale);
    assert_eq!(available(&bench, org).await, "750.000000");
    assert_eq!(done("m4", "r2", 7_501).await.expect("heard"), Outcome::Mismatch);
    assert_eq!(done("m5", "r3", 7_500).await.expect("heard"), Outcome::Applied);
    assert_eq!(available(&bench, org).await, "0.000000");
    assert_eq!(items(&bench).iter().map(|item| item.1).sum::<i64>(), 0);
    assert_eq!(bench.store.payment(org, payment).await.expect("there").refunded_minor, 10_000);
    bench.assert_verified().await;
}

#[tokio::test]
async fn a_dispute_takes_what_is_left_and_gives_it_again_when_it_is_won() {
    for (sayings, left, invoiced) in [
        (&[Dispute::Open][..], "0.000000", 10_000),
        (&[Dispute::Open, Dispute::Won], "900.000000", 10_000),
        (&[Dispute::Won, Dispute::Open], "900.000000", 10_000),
        (&[Dispute::Open, Dispute::Lost, Dispute::Open], "0.000000", 0),
        (&[Dispute::Lost], "0.000000", 0),
        // Decided for us, and then against us after all.
        (&[Dispute::Open, Dispute::Won, Dispute::Lost], "0.000000", 0),
    ] {
        let bench = Bench::in_memory().await;
        let org = shop(&bench).await;
        let (purchase, payment) = buy(&bench, org).await;
        bench.store.hear(message("m0", org, payment, Saying::Succeeded(eur(10_000)))).await.expect("heard");
        bench.ingest(org, (0..100).map(|n| export(&format!("e{n}"))).collect()).await;
        for (n, dispute) in sayings.iter().enumerate() {
            for again in 0..2 {
                let said = message(&format!("d{n}-{again}"), org, payment, Saying::Disputed(*dispute, None));
                bench.store.hear(said).await.expect("heard");
            }
        }
        assert_eq!(available(&bench, org).await, left, "{sayings:?}");
        assert_eq!(items(&bench).iter().map(|item| item.1).sum::<i64>(), invoiced, "{sayings:?}");
        if sayings.last() == Some(&Dispute::Open) && left == "0.000000" {
            let asked = bench.store.refund(org, By::command(), purchase, How::Full, "x".to_owned()).await;
            let code = if sayings.contains(&Dispute::Lost) { "refund_nothing_left" } else { "refund_disputed" };
            assert_eq!(asked.expect_err("disputed").code(), code);
        }
        bench.assert_verified().await;
    }
}

#[tokio::test]
async fn a_dispute_that_is_heard_before_the_money_takes_it_when_it_comes() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let (_, payment) = buy(&bench, org).await;
    bench.store.hear(message("m1", org, payment, Saying::Disputed(Dispute::Lost, None))).await.expect("heard");
    bench.store.hear(message("m2", org, payment, Saying::Succeeded(eur(10_000)))).await.expect("heard");
    assert_eq!(available(&bench, org).await, "0.000000");
    assert_eq!(items(&bench).iter().map(|item| item.1).sum::<i64>(), 0);
    bench.assert_verified().await;
}

#[tokio::test]
async fn methods_are_kept_once_and_one_of_them_is_charged() {
    let bench = Bench::new().await;
    let org = shop(&bench).await;
    let add = |reference: &str| {
        let new = NewMethod { reference: reference.to_owned(), title: format!("Card {reference}") };
        bench.store.add_method(org, By::command(), Provider::Sandbox, new)
    };
    let one = add("one").await.expect("kept");
    let two = add("two").await.expect("kept");
    assert_eq!(add("one").await.expect("known"), one);
    let charged = async || {
        let methods = bench.store.methods(org).await.expect("reads");
        methods.into_iter().filter(|method| method.is_default).map(|method| method.id).collect::<Vec<_>>()
    };
    assert_eq!(charged().await, [one]);
    bench.store.choose_method(org, By::command(), two).await.expect("chosen");
    assert_eq!(charged().await, [two]);
    bench.store.remove_method(org, By::command(), two).await.expect("removed");
    assert_eq!(charged().await, [one]);
    bench.store.remove_method(org, By::command(), one).await.expect("removed");
    assert!(charged().await.is_empty() && add("one").await.expect("kept again") != one);
}
