//! What every provider keeps to, whoever it is: asked twice it begins once, credits come for money and once, what is paid cannot be
//! given up, money goes back once, and nobody is believed who does not sign.

use super::common::time;
use super::stripe::Stripe;
use axum::http::HeaderMap;
use ledger::package::Terms;
use ledger::payment::{Failure, Provider, Saying, State};
use ledger::refund::{How, State as RefundState};
use ledger::{Credits, MethodId, Money, OrgId, PackageId, PaymentId, PurchaseId, Timestamp};
use scrip_server::config::Config;
use scrip_server::jobs::payments as job;
use scrip_server::payment::{Payments, Stored};
use serde_json::json;
use std::sync::Arc;
use store::clock::FixedClock;
use store::package::NewPackage;
use store::payment::message::Answer;
use store::payment::method::NewMethod;
use store::purchase::{Cause, NewPurchase};
use store::{By, NewOrg, Options, Store};
use tempfile::TempDir;

/// A store with an org that can buy, and one provider.
struct World {
    _folder: TempDir,
    clock: Arc<FixedClock>,
    store: Store,
    payments: Payments,
    org: OrgId,
    name: Provider,
    stripe: Option<Stripe>,
}

impl World {
    async fn new(name: Provider) -> Self {
        let stripe = if name == Provider::Stripe { Some(Stripe::start().await) } else { None };
        let config = stripe.as_ref().map_or_else(Config::default, Stripe::config);
        let config = Config { payment_providers: name.as_str().to_owned(), ..config };
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(FixedClock::at(time("2026-11-21T12:00:00Z")));
        let options = Options { clock: Arc::clone(&clock) as Arc<dyn store::Clock>, ..Options::new(folder.path()) };
        let store = Store::open(options).await.expect("opens");
        let price = Money::parse("100.00 EUR").expect("money");
        let terms = Terms::Fixed { credits: Credits::parse("1000").expect("credits"), price };
        let new = NewOrg {
            name: "Acme".to_owned(),
            zone: "UTC".to_owned(),
            synthetic: false,
            words: ledger::Words::default(),
            meters: vec![],
            agents: vec![],
            lines: vec![],
            offers: store::Offers {
                packages: vec![NewPackage { title: "1,000 credits".to_owned(), terms }],
                ..store::Offers::default()
            },
        };
        let org = store.create_org(new).await.expect("made").id;
        let payments = Payments::new(store.clone(), &config).expect("set up");
        Self { _folder: folder, clock, store, payments, org, name, stripe }
    }

    async fn buy(&self, method: Option<MethodId>) -> (PurchaseId, PaymentId) {
        let new = NewPurchase { package: PackageId(1), credits: None, cause: Cause::Person };
        let done = self.store.buy(self.org, By::command(), new, (self.name, method), None).await;
        done.expect("opened").answer
    }

    async fn ask(&self, id: PaymentId) {
        self.payments.ask(self.org, id).await.expect("answered");
    }

    async fn references(&self, id: PaymentId) -> Vec<String> {
        self.store.payment_references(self.org, id).await.expect("reads")
    }

    /// Somebody pays; nobody of us is told yet.
    async fn pays(&self, id: PaymentId) {
        match (&self.stripe, self.payments.sandbox()) {
            (Some(stripe), _) => stripe.pay(&self.references(id).await[0]),
            (None, Some(sandbox)) => {
                let payment = self.store.sandbox_payment(self.org, id).await.expect("reads").expect("begun");
                assert!(sandbox.pay(&payment, "success", false).await.expect("plays"));
            }
            // The money is on the account; whoever looks after it has not looked yet.
            (None, None) => {}
        }
    }

    /// The provider tells what it knows.
    async fn tells(&self, id: PaymentId) {
        match (&self.stripe, self.payments.sandbox()) {
            (Some(stripe), _) => {
                let session = stripe
                    .object(&self.references(id).await.iter().find(|r| r.starts_with("cs_")).expect("one").clone());
                let intent = stripe.object(session["payment_intent"].as_str().expect("paid"));
                for (kind, object) in [("payment_intent.succeeded", &intent), ("checkout.session.completed", &session)]
                {
                    let (headers, body) = stripe.event(kind, object, self.store.now());
                    for _ in 0..2 {
                        self.payments
                            .take(Provider::Stripe, &headers, body.as_bytes())
                            .await
                            .expect("works")
                            .expect("signed");
                    }
                }
            }
            (None, Some(_)) => {
                self.payments.deliver_sandbox().await.expect("delivers");
            }
            (None, None) => {
                let amount = self.store.payment(self.org, id).await.expect("there").stands.amount;
                let answer = Answer::of(Saying::Succeeded(amount));
                self.store.confirm_payment(self.org, By::command(), id, answer).await.expect("confirmed");
            }
        }
    }

    async fn state(&self, id: PaymentId) -> State {
        self.store.payment(self.org, id).await.expect("there").stands.state
    }

    async fn available(&self) -> String {
        self.store.balance(self.org).await.expect("reads").available.to_string()
    }

    fn later(&self, seconds: i64) {
        self.clock.set(Timestamp::from_micros(self.store.now().micros() + seconds * 1_000_000));
    }
}

#[tokio::test]
async fn every_provider_keeps_to_the_contract() {
    for name in Provider::ALL {
        let world = World::new(name).await;
        // Asked twice, begun once; nothing is given before somebody pays.
        let (purchase, payment) = world.buy(None).await;
        world.ask(payment).await;
        let begun = world.references(payment).await;
        world.ask(payment).await;
        assert_eq!((world.references(payment).await, begun.len()), (begun.clone(), 1), "{name:?}");
        assert_eq!(world.available().await, "0.000000", "{name:?}");
        // Paid: by its messages, twice, and by asking: once.
        world.pays(payment).await;
        world.tells(payment).await;
        world.tells(payment).await;
        world.ask(payment).await;
        assert_eq!(
            (world.state(payment).await, world.available().await.as_str()),
            (State::Succeeded, "1000.000000"),
            "{name:?}"
        );
        // What is paid cannot be given up; what is not can, and then nobody can pay it.
        world.payments.cancel(world.org, payment).await.expect("answered");
        assert_eq!(world.state(payment).await, State::Succeeded, "{name:?}");
        let (_, given_up) = world.buy(None).await;
        world.ask(given_up).await;
        world.payments.cancel(world.org, given_up).await.expect("answered");
        assert_eq!(world.state(given_up).await, State::Cancelled, "{name:?}");
        // Money goes back once, however often it is asked for.
        let reason = || "Bought by mistake".to_owned();
        world.store.refund(world.org, By::command(), purchase, How::Full, reason()).await.expect("asked");
        let waiting = world.store.refunds_waiting().await.expect("reads");
        for _ in 0..2 {
            world.payments.refund(&waiting[0]).await.expect("answered");
        }
        let refunds = world.store.refunds_of(world.org, purchase).await.expect("reads");
        assert_eq!((refunds.len(), refunds[0].state), (1, RefundState::Succeeded), "{name:?}");
        assert_eq!(world.store.payment(world.org, payment).await.expect("there").refunded_minor, 10_000, "{name:?}");
        assert_eq!(world.available().await, "0.000000", "{name:?}");
        // Nobody is believed who does not sign.
        for header in [None, Some("t=1,v1=00"), Some("")] {
            let mut headers = HeaderMap::new();
            for name in ["stripe-signature", "scrip-sandbox-signature"] {
                header.map(|value| headers.insert(name, value.parse().expect("ASCII")));
            }
            let body = json!({"id": "evt_9", "type": "payment_intent.succeeded"}).to_string();
            let taken = world.payments.take(name, &headers, body.as_bytes()).await.expect("works");
            assert!(taken.is_err(), "{name:?} {header:?}");
        }
        let verified = world.store.verify(|_, _| ()).await.expect("readable");
        assert_eq!(verified.problems, Vec::<String>::new(), "{name:?}");
    }
}

#[tokio::test]
async fn a_payment_whose_messages_never_come_is_found_out_by_asking() {
    for name in [Provider::Sandbox, Provider::Stripe] {
        let world = World::new(name).await;
        let (_, payment) = world.buy(None).await;
        world.ask(payment).await;
        world.pays(payment).await;
        assert_eq!(world.state(payment).await, State::Created, "{name:?}");
        world.later(3_600);
        world.ask(payment).await;
        assert_eq!(
            (world.state(payment).await, world.available().await.as_str()),
            (State::Succeeded, "1000.000000"),
            "{name:?}"
        );
        world.tells(payment).await;
        assert_eq!(world.available().await, "1000.000000", "{name:?}");
    }
}

#[tokio::test]
async fn what_nobody_pays_is_given_up_by_the_job_in_time() {
    for (name, days) in [(Provider::Sandbox, 1), (Provider::Stripe, 1), (Provider::BankTransfer, 14)] {
        let world = World::new(name).await;
        let (purchase, payment) = world.buy(None).await;
        world.ask(payment).await;
        world.later(days * 86_400 - 60);
        job::once(&world.store, &world.payments).await.expect("runs");
        assert!(!world.state(payment).await.is_over(), "{name:?}");
        world.later(2 * 3_600);
        job::once(&world.store, &world.payments).await.expect("runs");
        assert_eq!(world.state(payment).await, State::Cancelled, "{name:?}");
        assert!(world.store.purchase(world.org, purchase).await.expect("there").0.closed_at.is_some(), "{name:?}");
    }
}

#[tokio::test]
async fn a_stored_method_is_charged_without_anybody_there() {
    for (name, good, bad) in [
        (Provider::Sandbox, "card_success", "card_declined_later"),
        (Provider::Stripe, "cus_1/pm_card", "cus_1/pm_declined"),
    ] {
        let world = World::new(name).await;
        let keep = |reference: &str| {
            let new = NewMethod { reference: reference.to_owned(), title: reference.to_owned() };
            world.store.add_method(world.org, By::command(), name, new)
        };
        let (good, bad) = (keep(good).await.expect("kept"), keep(bad).await.expect("kept"));
        let (_, paid) = world.buy(Some(good)).await;
        // Nobody asked for it on a page: the job does.
        job::once(&world.store, &world.payments).await.expect("runs");
        assert_eq!(
            (world.state(paid).await, world.available().await.as_str()),
            (State::Succeeded, "1000.000000"),
            "{name:?}"
        );
        let (_, refused) = world.buy(Some(bad)).await;
        job::once(&world.store, &world.payments).await.expect("runs");
        let stands = world.store.payment(world.org, refused).await.expect("there").stands;
        let why = if name == Provider::Stripe { Failure::InsufficientFunds } else { Failure::Declined };
        assert_eq!((stands.state, stands.failure), (State::Failed, Some(why)), "{name:?}");
    }
}

#[tokio::test]
async fn stripe_stores_a_method_for_the_org_that_asked_and_for_no_other() {
    let world = World::new(Provider::Stripe).await;
    let provider = world.payments.provider(Provider::Stripe).expect("set up");
    let begun = provider.store_method(world.org, "http://127.0.0.1/billing/methods").await.expect("answered");
    let Stored::At(url) = begun else { panic!("{begun:?}") };
    let session = url.rsplit('/').next().expect("a session");
    let stored = provider.stored_method(world.org, session).await.expect("answered").expect("stored");
    assert_eq!((stored.reference.as_str(), stored.title.as_str()), ("cus_1/pm_card", "Visa ending in 4242"));
    assert_eq!(provider.stored_method(OrgId(99), session).await.expect("answered"), None);
    assert!(provider.stored_method(world.org, "../refunds").await.is_err());
}

#[tokio::test]
async fn a_dispute_at_stripe_takes_the_credits_and_winning_it_gives_them_again() {
    let world = World::new(Provider::Stripe).await;
    let (_, payment) = world.buy(None).await;
    world.ask(payment).await;
    world.pays(payment).await;
    world.tells(payment).await;
    let intent = world.references(payment).await.into_iter().find(|r| r.starts_with("pi_")).expect("known");
    let stripe = world.stripe.as_ref().expect("Stripe");
    for (kind, status, left) in [
        ("charge.dispute.created", "warning_needs_response", "1000.000000"),
        ("charge.dispute.created", "needs_response", "0.000000"),
        ("charge.dispute.closed", "won", "1000.000000"),
        ("charge.dispute.created", "needs_response", "1000.000000"),
    ] {
        let object =
            json!({"id": "dp_1", "payment_intent": intent, "status": status, "amount": 10_000, "currency": "eur"});
        let (headers, body) = stripe.event(kind, &object, world.store.now());
        world.payments.take(Provider::Stripe, &headers, body.as_bytes()).await.expect("works").expect("signed");
        assert_eq!(world.available().await, left, "{status}");
    }
    assert_eq!((stripe.count("cs_"), stripe.count("pi_")), (1, 1));
}
