//! A year of usage, holds, purchases, top-ups, voids, billing cycles, expiries and restarts: alerts fire what a plain model says, when it
//! says so, and nothing else. The model looks after each single thing that is booked.

use crate::alert_model::{DAY, HOUR, In, MONTHS, Model, PLAN, RULES, month_end, month_of};
use crate::common::{Bench, Random, credits, event};
use ledger::alert::{Kind, Per, Scope};
use ledger::package::Terms;
use ledger::payment::{Provider, Saying};
use ledger::top_up::Rule;
use ledger::{Currency, EventSeq, GrantKind, HoldId, Label, Meter, Money, OrgId, PackageId, Timestamp};
use rusqlite::Connection;
use store::alert::default_recipients;
use store::package::NewPackage;
use store::payment::message::Answer;
use store::payment::method::NewMethod;
use store::{By, CorrectionRequest, FiringPage, NewGrant, NewHold, NewRule, TopUp};

const SEED: u64 = 0x2026_1122;
/// 5 h 30 min ahead the whole year, so days and months of the model need no calendar.
const ZONE: &str = "Asia/Kolkata";
/// 2026-01-01 in Kolkata.
const START: i64 = 1_767_205_800_000_000;
/// What a top-up buys, and below what.
const TOP_UP: (i64, i64) = (30, 20);

fn kind((of, at, chat): (In, i64, bool)) -> Kind {
    let amount = credits(&at.to_string());
    match of {
        In::Balance => Kind::BalanceBelow { amount },
        In::Hour => Kind::SpendAbove { amount, per: Per::Hour },
        In::Day => Kind::SpendAbove { amount, per: Per::Day },
        // Of a plan of 150: half of it, all of it; and an amount.
        In::Month if at == 300 || chat => Kind::SpendAbove { amount, per: Per::Cycle },
        In::Month => Kind::CycleUsage { percent: u32::try_from(at * 100 / PLAN).expect("small") },
    }
}

fn chat() -> Label {
    Label::parse("project", "chat").expect("valid")
}

/// The product and the model, side by side.
struct Year {
    bench: Bench,
    org: OrgId,
    model: Model,
    random: Random,
    /// Since the year began in the org's zone.
    at: i64,
    events: usize,
}

impl Year {
    async fn begin() -> Self {
        let bench = Bench::in_memory().await;
        bench.clock.set(Timestamp::from_micros(START));
        let org = bench.org("Acme", ZONE).await;
        let mut year = Self { bench, org, model: Model::default(), random: Random(SEED), at: 0, events: 0 };
        year.allow_top_ups().await;
        for rule in RULES {
            let scope = Scope { project: rule.2.then(chat), ..Scope::default() };
            let (title, recipients) = ("watched".to_owned(), default_recipients());
            let new = NewRule { title, kind: kind(rule), scope, recipients, margin_percent: 5 };
            // The balance is nothing yet, so both rules about it fire as they are made.
            year.bench.store.set_alert(org, By::command().into(), None, new).await.expect("made");
        }
        year.model.look(0);
        year
    }

    async fn allow_top_ups(&self) {
        let (store, org) = (&self.bench.store, self.org);
        let eur = |minor| Money { minor, currency: Currency::parse("EUR").expect("a currency") };
        let terms = Terms::Fixed { credits: credits(&TOP_UP.0.to_string()), price: eur(100) };
        let offered = vec![NewPackage { title: "More".to_owned(), terms }];
        store.offer_packages(org, By::command(), offered).await.expect("offered");
        let card = NewMethod { reference: "card_1".to_owned(), title: "Test card".to_owned() };
        store.add_method(org, By::command(), Provider::Sandbox, card).await.expect("kept");
        let rule = Rule { is_on: true, threshold: credits(&TOP_UP.1.to_string()), cap: eur(10_000_000) };
        let wanted = TopUp { rule, package: PackageId(1), credits: None, gave_up: false };
        store.set_top_up(org, By::command(), wanted).await.expect("set");
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random.below(bound)
    }

    fn number(&mut self, bound: usize) -> i64 {
        i64::try_from(self.random.below(bound)).expect("small")
    }

    fn go_to(&mut self, at: i64) {
        self.at = at;
        self.bench.clock.set(Timestamp::from_micros(START + at));
    }

    /// What time does: holds end, and the plan's credits of the month that is over.
    async fn pass(&mut self) {
        while self.bench.store.book_due().await.expect("books") > 0 {}
        self.model.pass(self.at);
        self.model.look(self.at);
    }

    async fn give(&mut self, amount: i64, ends: Option<i64>) {
        let new = NewGrant {
            kind: if ends.is_some() { GrantKind::Plan } else { GrantKind::Purchase },
            amount: credits(&amount.to_string()),
            priority: 0,
            scope: ledger::Scope::default(),
            effective_at: None,
            expires_at: ends.map(|at| Timestamp::from_micros(START + at)),
            description: "test".to_owned(),
            cost: None,
            rollover: None,
        };
        self.bench.store.give_grant(self.org, "test".to_owned(), new, None).await.expect("given");
        if ends.is_some() {
            self.model.give_plan(month_of(self.at));
        } else {
            self.model.buy(amount);
        }
        self.model.look(self.at);
    }

    /// Some events, each in a commit of its own; a third of them in project chat.
    async fn spend(&mut self, count: usize) {
        for _ in 0..count {
            let is_chat = self.below(3) == 0;
            let data = if is_chat { r#","data":{"project":"chat"}"# } else { "" };
            let one = event(&format!(r#"{{"id":"{}","source":"api","type":"export"{data}}}"#, self.events));
            self.bench.ingest(self.org, vec![one]).await;
            self.events += 1;
            self.model.spend(self.at, 1, is_chat);
            self.model.look(self.at);
        }
    }

    async fn void(&mut self) {
        let choice = self.below(100);
        let Some(number) = self.model.void(self.at, choice) else { return };
        let void = CorrectionRequest::Void { event: EventSeq(number), reason: "twice".to_owned() };
        self.bench.store.correct(self.org, By::command(), void, false, None).await.expect("voided");
        self.model.look(self.at);
    }

    async fn hold(&mut self) {
        let (amount, seconds, is_chat) = (1 + self.number(30), 3_600 + self.number(5 * 86_400), self.below(2) == 0);
        let new = NewHold {
            amount: credits(&amount.to_string()),
            expires_in_s: Some(seconds),
            meter: Some(Meter::parse("export").expect("valid")),
            source: None,
            project: is_chat.then(chat),
            user: None,
            tenant: None,
            description: String::new(),
        };
        let made = self.bench.store.create_hold(self.org, "test".to_owned(), new, None).await;
        let wanted = self.model.hold(amount, self.at + seconds * 1_000_000, is_chat);
        assert_eq!(made.ok().map(|made| made.answer.id), wanted.map(HoldId), "held where it is there");
        self.model.look(self.at);
    }

    /// Gives up a hold, or captures it for less, as much or more.
    async fn end_hold(&mut self) {
        let choice = self.below(100);
        let Some((id, held)) = self.model.pending(choice) else { return };
        let by = "test".to_owned();
        if self.below(3) == 0 {
            self.bench.store.release_hold(self.org, by, HoldId(id), None).await.expect("released");
            self.model.release(self.at, id);
        } else {
            let most = usize::try_from(held + self.model.free().min(5)).expect("small");
            let amount = 1 + self.number(most);
            let asked = Some(credits(&amount.to_string()));
            self.bench.store.capture_hold(self.org, by, HoldId(id), asked, None).await.expect("captured");
            self.model.capture(self.at, id, amount);
        }
        self.model.look(self.at);
    }

    async fn top_up(&mut self) {
        let Some(purchase) = self.bench.store.run_top_up(self.org).await.expect("works") else { return };
        assert!(self.model.free() < TOP_UP.1, "bought only where little is left");
        let (_, payments) = self.bench.store.purchase(self.org, purchase).await.expect("there");
        let paid = Money { minor: 100, currency: Currency::parse("EUR").expect("a currency") };
        let answer = Answer::of(Saying::Succeeded(paid));
        self.bench.store.answered(self.org, payments[0].id, answer).await.expect("heard");
        self.model.buy(TOP_UP.0);
        *self.model.done.entry("topped up").or_default() += 1;
        self.model.look(self.at);
    }

    async fn agrees(&self) {
        let balance = self.bench.store.balance(self.org).await.expect("reads");
        let expected = (credits(&self.model.free().to_string()), credits(&self.model.debt.to_string()));
        assert_eq!((balance.available, balance.debt), expected, "at {} of the year", self.at / DAY);
    }
}

#[tokio::test]
async fn a_year_fires_what_a_plain_model_says_and_nothing_else() {
    println!("seed {SEED:#x}");
    let mut year = Year::begin().await;
    let (mut restarts, mut next_month) = (0, 0);
    for day in 0..MONTHS.iter().sum::<i64>() {
        let month = month_of(day * DAY);
        for part in 0..4 {
            let into = year.number(6) * HOUR + year.number(3_599_000_000);
            year.go_to(day * DAY + part * 6 * HOUR + into);
            if year.below(40) == 0 {
                year.bench.reopen().await;
                restarts += 1;
            }
            year.pass().await;
            if part == 0 && day * DAY >= next_month {
                next_month = month_end(month);
                year.give(PLAN, Some(next_month)).await;
            }
            match year.below(16) {
                // In some months nobody buys, and what is topped up is all there is beside the plan.
                0 if month % 4 != 1 => {
                    let amount = 5 + year.number(20);
                    year.give(amount, None).await;
                }
                1..=8 => {
                    let count = year.below(if month % 3 == 0 { 16 } else { 9 });
                    year.spend(count).await;
                }
                9 | 10 => year.void().await,
                11 | 12 => year.hold().await,
                13 => year.end_hold().await,
                // Nothing is booked: what the job finds is what there was.
                _ => {}
            }
            if month % 4 == 1 {
                year.top_up().await;
            }
            year.model.look(year.at);
            year.bench.store.look_at_alerts(year.org).await.expect("looks");
            year.agrees().await;
        }
    }
    let (bench, org, model) = (&year.bench, year.org, &year.model);
    let done = |what: &str| model.done.get(what).copied().unwrap_or_default();
    println!("{:?}, {restarts} restarts", model.done);
    let enough = [("used", 1_500), ("void", 80), ("hold", 60), ("hold refused", 3), ("hold expired", 10)];
    let enough = enough.into_iter().chain([("release", 8), ("capture", 15), ("topped up", 5), ("bought", 50)]);
    for (what, least) in enough {
        assert!(done(what) >= least, "{what}: {} times, which shows little", done(what));
    }
    assert!(restarts > 20, "{restarts} restarts");
    let fired = history(bench, org).await;
    for rule in 1..=i64::try_from(RULES.len()).expect("small") {
        let times = model.fired.iter().filter(|(of, _)| *of == rule).count();
        assert!(times > 0, "rule {rule} never fires: the year shows nothing of it");
    }
    println!("{} firings", fired.len());
    let expected: Vec<(i64, i64)> = model.fired.iter().map(|(rule, at)| (*rule, START + at)).collect();
    let first = fired.iter().zip(&expected).position(|(fired, expected)| fired != expected);
    assert_eq!(first.map(|place| (fired[place], expected[place])), None, "the first that differs");
    assert_eq!(fired.len(), expected.len());
    assert_eq!(messages(bench, org, "alert.fired"), fired.len(), "each was told, once");
    let page = FiringPage { firing: true, limit: 200, ..FiringPage::default() };
    let standing = bench.store.alert_history(org, page).await.expect("reads").len();
    assert_eq!(standing, model.firing(), "what stands, stands in both");
    assert_eq!(messages(bench, org, "alert.resolved") + standing, fired.len(), "and all the rest was said to be over");
    bench.assert_verified().await;
}

/// Every firing, oldest first.
async fn history(bench: &Bench, org: OrgId) -> Vec<(i64, i64)> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = FiringPage { before, limit: 200, ..FiringPage::default() };
        let rows = bench.store.alert_history(org, page).await.expect("reads");
        before = rows.last().map(|row| row.id);
        if before.is_none() {
            break;
        }
        all.extend(rows.into_iter().map(|row| (row.rule.0, row.fired_at.micros())));
    }
    all.reverse();
    all
}

fn messages(bench: &Bench, org: OrgId, kind: &str) -> usize {
    let conn = Connection::open(bench.dir.path().join("scrip.db")).expect("opens");
    let sql = "SELECT count(*) FROM message WHERE org_id = ?1 AND kind = ?2";
    let count: i64 = conn.query_row(sql, rusqlite::params![org.0, kind], |row| row.get(0)).expect("counts");
    usize::try_from(count).expect("small")
}
