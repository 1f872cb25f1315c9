//! A thousand orgs over thirty-six months: whatever they subscribe to, change, cancel, buy, use and owe, and however late the
//! job is, cycles follow each other on the right days, fees add up to what the time was worth, and no credit is lost or made.
//!
//! A plain model says what must come of it: it has a calendar of its own, knows who was subscribed to what from when until
//! when, and adds up exact fractions. All of it is invoiced with tax and paid or not ([`till`]), and auto top-up buys besides. An
//! org whose job is off for two months must have what it would have had with a job every day.
#![allow(missing_docs, reason = "tests tell their rule in their name")]

use chrono::{DateTime, Datelike as _, Months as ChronoMonths, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use ledger::entry::{Draft, Posting};
use ledger::invoice::ItemKind;
use ledger::plan::{Comes, Supply};
use ledger::position::Calendar;
use ledger::subscription::{Anchor, Choice, Due};
use ledger::{
    Account, Credits, Currency, EntryKind, EventSeq, Grant, GrantId, GrantKind, Meter, Money, Months, Plan, PlanId,
    Policy, Position, Refusal, Rollover, Scope, Stretch, Subscription, SubscriptionRefusal, Timestamp, settle,
};
use std::collections::BTreeMap;

#[path = "subscriptions/model.rs"]
mod model;
#[path = "subscriptions/till.rs"]
mod till;

use model::{Model, Month};
use till::{Met, Till};

const ORGS: u64 = 1_000;
const MONTHS: u32 = 36;
const SEED: u64 = 0x706c_616e_2026_1122;
const ZONES: [Tz; 8] = [
    Tz::UTC,
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Asia__Kathmandu,
    Tz::Australia__Lord_Howe,
    Tz::Asia__Beirut,
    Tz::America__St_Johns,
    Tz::Pacific__Apia,
];
const DAY: i64 = 86_400_000_000;

/// Chance from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn signed(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).expect("small")
    }
}

#[derive(Clone)]
struct Zone(Tz);

impl Zone {
    fn local(&self, at: Timestamp) -> DateTime<Tz> {
        at.to_chrono().expect("in range").with_timezone(&self.0)
    }

    fn instant(&self, wall: NaiveDateTime) -> Timestamp {
        let tries = (0..12).map(|quarter| wall + TimeDelta::minutes(15 * quarter));
        let found = tries.filter_map(|wall| self.0.from_local_datetime(&wall).earliest()).next();
        Timestamp::from_micros(found.expect("a gap of the clock is short").timestamp_micros())
    }

    fn midnight(&self, date: NaiveDate) -> Timestamp {
        self.instant(date.and_hms_opt(0, 0, 0).expect("midnight"))
    }
}

impl Calendar for Zone {
    fn months_after(&self, at: Timestamp, months: u32) -> Result<Timestamp, Refusal> {
        Ok(self.instant(self.local(at).naive_local() + ChronoMonths::new(months)))
    }
}

impl Months for Zone {
    fn month_of(&self, at: Timestamp) -> Result<Stretch, Refusal> {
        let first = self.local(at).date_naive().with_day(1).expect("every month has a first");
        Stretch::new(self.midnight(first), self.midnight(first + ChronoMonths::new(1)))
    }
}

fn plans() -> Vec<Plan> {
    let plan = |id: i64, credits: i64, cents: Option<(i64, &str)>, rollover: Option<Rollover>| Plan {
        id: PlanId(id),
        name: format!("plan-{id}"),
        title: format!("Plan {id}"),
        description: String::new(),
        credits: Some(Credits::from_micros(credits)),
        price: cents.map(|(minor, code)| Money { minor, currency: Currency::parse(code).expect("a currency") }),
        rollover,
        policy: Policy::Pause,
        retention_days: None,
        by_agreement: false,
        offered: true,
    };
    vec![
        plan(1, 100_000_000, None, None),
        plan(2, 1_000_000_000, Some((4_900, "EUR")), None),
        plan(3, 5_000_000_001, Some((19_999, "EUR")), Some(Rollover::PROFESSIONAL)),
        plan(4, 7_000_000_000, Some((19_999, "EUR")), Some(Rollover { cap: None, months: None })),
        plan(5, 33_333_333_333, Some((7_777_777, "JPY")), Some(Rollover::PROFESSIONAL)),
        plan(6, 3, Some((100_001, "EUR")), None),
    ]
}

/// What the rules made of one subscription.
#[derive(Debug, Clone, Default)]
struct Books {
    cycles: Vec<Stretch>,
    /// By cycle and currency, in minor units.
    fees: BTreeMap<(usize, String), i64>,
    /// By cycle, in micro-credits.
    credits: BTreeMap<usize, i64>,
}

/// An org under the rules.
#[derive(Clone)]
struct Org {
    zone: Zone,
    plans: Vec<Plan>,
    now: Timestamp,
    owes: bool,
    subscription: Option<Subscription>,
    position: Position,
    next_grant: i64,
    accounts: BTreeMap<&'static str, i128>,
    given: i128,
    books: Vec<Books>,
    models: Vec<Model>,
    till: Till,
}

impl Org {
    fn plan(&self, id: PlanId) -> &Plan {
        self.plans.iter().find(|plan| plan.id == id).expect("a plan")
    }

    fn post(&mut self, draft: &Draft) {
        let sum: i128 = draft.postings.iter().map(|posting| i128::from(posting.amount.micros())).sum();
        assert_eq!(sum, 0, "an entry sums to zero");
        for posting in &draft.postings {
            let name = match posting.account {
                Account::Grant(_) => "grants",
                Account::Consumed => "consumed",
                Account::Expired => "expired",
                Account::Debt => "debt",
                Account::Funding => "funding",
                Account::Hold(_) | Account::Adjustment => "others",
            };
            *self.accounts.entry(name).or_default() += i128::from(posting.amount.micros());
        }
        if let EntryKind::Expiry { grant } | EntryKind::Rollover { grant, .. } = draft.kind {
            let ended = self.position.slots.iter().find(|slot| slot.grant.id == grant).expect("there");
            assert_ne!(ended.grant.kind, GrantKind::Purchase, "what was bought is never touched by a cycle");
        }
        self.position.apply(draft).expect("fits");
    }

    /// Books what time causes, as the writer does.
    fn settle(&mut self) {
        while let Some(step) =
            self.position.next_step(self.now, GrantId(self.next_grant), &self.zone).expect("in range")
        {
            self.book(&step.draft, step.child);
        }
        self.position.settled(self.now);
    }

    fn book(&mut self, draft: &Draft, given: Option<Grant>) {
        if let Some(grant) = given {
            assert_eq!(grant.id.0, self.next_grant);
            self.next_grant += 1;
            self.position.admit(grant);
        }
        self.post(draft);
    }

    fn give(&mut self, kind: GrantKind, amount: Credits, part: Option<Stretch>, rollover: Option<Rollover>) {
        self.settle();
        let grant = Grant {
            id: GrantId(self.next_grant),
            kind,
            amount,
            priority: 0,
            scope: Scope::default(),
            effective_at: part.map_or(self.now, |part| part.from),
            expires_at: part.map(|part| part.to),
            description: String::new(),
            cost: None,
            rollover,
            parent: None,
        };
        self.given += i128::from(amount.micros());
        let draft = settle::give(&grant, self.now, "test").expect("a good grant");
        let late = grant.is_expired(self.now);
        self.book(&draft, Some(grant.clone()));
        if let Some(repayment) =
            self.position.repay_late(grant.id).expect("fits").filter(|_| late && kind == GrantKind::Plan)
        {
            self.book(&repayment, None);
        }
        if late && self.position.slots.iter().any(|slot| slot.grant.id == grant.id) {
            let step = self.position.end_late(grant.id, GrantId(self.next_grant), &self.zone).expect("in range");
            self.book(&step.draft, step.child);
        }
        self.settle();
    }

    fn fee(&mut self, money: Option<Money>, sign: i64, at: Timestamp) {
        let Some(money) = money else { return };
        // As of when its time begins, so that a late job does not carry it into another month's invoice.
        self.till.item(&self.zone, at, ItemKind::Plan, Money { minor: sign * money.minor, ..money }, false);
        let books = self.books.last_mut().expect("subscribed");
        let cycle = books.cycles.len() - 1;
        *books.fees.entry((cycle, money.currency.as_str().to_owned())).or_default() += sign * money.minor;
    }

    fn supply(&mut self, plan: PlanId, supply: Supply) {
        let rollover = self.plan(plan).rollover;
        self.fee(supply.fee, 1, supply.part.from);
        self.credit(supply.credits, supply.part, rollover);
    }

    fn credit(&mut self, credits: Credits, part: Stretch, rollover: Option<Rollover>) {
        let books = self.books.last_mut().expect("subscribed");
        *books.credits.entry(books.cycles.len() - 1).or_default() += credits.micros();
        if credits.is_positive() {
            self.give(GrantKind::Plan, credits, Some(part), rollover);
        }
    }

    fn begin(&mut self, subscription: Subscription) {
        self.subscription = Some(subscription);
        self.books.last_mut().expect("subscribed").cycles.push(subscription.cycle.part);
        if subscription.cycle.supplied {
            let whole = subscription.whole(&self.zone).expect("in range");
            let supply = self.plan(subscription.plan).supply(whole, subscription.cycle.part.from).expect("not over");
            self.supply(subscription.plan, supply);
        }
    }

    /// The job, however late it is.
    fn catch_up(&mut self) {
        while let Some(subscription) = self.subscription {
            let Some(due) = subscription.due(self.now, self.owes, &self.zone).expect("in range") else { break };
            match (due, subscription.after(due)) {
                (Due::Begins { .. }, Some(after)) => self.begin(after),
                (Due::Resumes { rest }, after) => {
                    let whole = subscription.whole(&self.zone).expect("in range");
                    let supply = self.plan(subscription.plan).supply(whole, rest.from).expect("not over");
                    self.supply(subscription.plan, supply);
                    self.subscription = after;
                }
                (Due::Ends { at }, None) => {
                    assert_eq!(at, subscription.cycle.part.to);
                    self.subscription = None;
                }
                (due, after) => panic!("{due:?} makes {after:?}"),
            }
        }
        self.settle();
        if let Some(model) = self.models.last_mut() {
            model.go_on(&self.zone, self.now, self.owes);
            assert_eq!(model.ended, self.subscription.is_none(), "both know whether it is over");
        }
    }

    fn subscribe(&mut self, plan: usize, anniversary: bool) {
        let anchor = if anniversary { Anchor::At(self.now) } else { Anchor::Calendar };
        let begun = Subscription::begin(self.plans[plan].id, anchor, self.now, &self.zone).expect("in range");
        self.books.push(Books::default());
        let anchor = anniversary.then(|| self.zone.local(self.now));
        let mut model = Model { anchor, plan, next: None, cancelled: false, months: vec![], ended: false };
        model.begin_month(&self.zone, self.now, false);
        self.models.push(model);
        self.begin(begun);
    }

    fn choose(&mut self, plan: usize) {
        let Some(subscription) = self.subscription else { return };
        let (old, new) = (self.plan(subscription.plan).clone(), self.plans[plan].clone());
        let model = self.models.last_mut().expect("subscribed");
        let choice = subscription.choose(&old, &new, self.now, &self.zone).expect("in range");
        let choice = match choice {
            Err(refusal) => {
                let same = plan == model.plan && model.next.is_none() && !model.cancelled;
                let expected = if same { SubscriptionRefusal::Unchanged } else { SubscriptionRefusal::Owed };
                assert_eq!(refusal, expected);
                assert!(same || model.last().lived.is_empty());
                return;
            }
            Ok(choice) => choice,
        };
        match choice {
            Choice::Upgrade(replaced) => {
                model.upgrade(plan, self.now);
                assert_eq!(new.comes(&old), Comes::AtOnce);
                self.fee(replaced.back, -1, replaced.part.from);
                self.fee(replaced.fee, 1, replaced.part.from);
                self.credit(replaced.credits, replaced.part, new.rollover);
            }
            Choice::Downgrade(at) => {
                assert_eq!(at, model.last().to);
                (model.next, model.cancelled) = (Some(plan), false);
            }
            Choice::Stay => {
                assert_eq!(plan, model.plan);
                (model.next, model.cancelled) = (None, false);
            }
        }
        self.subscription = Some(subscription.chosen(new.id, &choice));
    }

    fn cancel(&mut self, cancelled: bool) {
        if let Some(subscription) = &mut self.subscription {
            subscription.cancelled_at = cancelled.then_some(self.now);
            self.models.last_mut().expect("subscribed").cancelled = cancelled;
        }
    }

    fn spend(&mut self, micros: i64) {
        let mut purse = self.position.purse(self.now);
        let meter = Meter::parse("export").expect("a meter");
        purse.draw(&meter, None, Credits::from_micros(micros), |_, _| ()).expect("fits");
        let mut postings = purse.postings();
        postings.push(Posting { account: Account::Consumed, amount: Credits::from_micros(micros) });
        let kind = EntryKind::Usage { first: EventSeq(1), last: EventSeq(1), root: [0; 32] };
        self.post(&Draft { kind, happened_at: self.now, cause: "test".to_owned(), postings });
    }

    fn act(&mut self, chance: &mut Chance) {
        match chance.below(12) {
            0 | 1 if self.subscription.is_none() => {
                let (plan, anniversary) = (chance.below(6), chance.below(2) == 0);
                self.subscribe(usize::try_from(plan).expect("small"), anniversary);
            }
            0..=2 => {
                let plan = chance.below(6);
                self.choose(usize::try_from(plan).expect("small"));
            }
            3 => self.cancel(true),
            4 => self.cancel(false),
            5 => {
                let micros = 1 + chance.signed(900_000_000);
                self.give(GrantKind::Purchase, Credits::from_micros(micros), None, None);
                let price =
                    Money { minor: 1 + micros / 100_000, currency: Currency::parse("EUR").expect("a currency") };
                self.till.item(&self.zone, self.now, ItemKind::Purchase, price, true);
            }
            6 if chance.below(3) == 0 => self.till.card_works = false,
            6 => self.till.turn_on(),
            7 => {
                self.till.card_works = true;
                self.till.pay_by_hand();
            }
            8 => self.spend(1 + chance.signed(60_000_000_000)),
            _ => self.spend(1 + chance.signed(400_000_000)),
        }
    }

    /// Invoices, what banks say of them, and auto top-up.
    fn money(&mut self, chance: &mut Chance, met: &mut Met) {
        self.till.bill(self.now, &self.zone, chance, met);
        self.owes = self.till.owes();
        let available = self.position.available(self.now).expect("fits");
        let came = self.till.top_up(self.now, available, &self.zone, chance, met);
        if came.is_positive() {
            self.give(GrantKind::Purchase, came, None, None);
        }
    }

    /// What it has is what it would have if the job had looked every day.
    fn sleep(&mut self, days: i64) {
        self.catch_up();
        let mut twin = self.clone();
        for _ in 0..days {
            twin.now = Timestamp::from_micros(twin.now.micros() + DAY);
            twin.catch_up();
        }
        self.now = twin.now;
        self.catch_up();
        assert_eq!(self.accounts, twin.accounts, "a late job changes nothing");
        assert_eq!(self.position.debt, twin.position.debt);
        assert_eq!(self.till.open_net(), twin.till.open_net());
    }

    fn check_credits(&self) {
        let account = |name: &str| self.accounts.get(name).copied().unwrap_or_default();
        let left: i128 = self.position.slots.iter().map(|slot| i128::from(slot.left.micros())).sum();
        assert_eq!(account("grants"), left);
        assert_eq!(account("debt"), -i128::from(self.position.debt.micros()));
        assert_eq!(account("funding"), -self.given);
        assert_eq!(self.given, left + account("consumed") + account("expired") + account("debt"), "no credit is lost");
    }
}

/// What a part of a whole is worth, as a fraction over the length of the whole.
fn exact(whole: i64, month: &Month, from: Timestamp, to: Timestamp) -> i128 {
    i128::from(whole) * i128::from(to.micros() - from.micros())
        / i128::from(month.whole.1.micros() - month.whole.0.micros())
}

/// Compares what the rules made with what the plain model expects.
fn check(plans: &[Plan], books: &Books, model: &Model, met: &mut BTreeMap<&'static str, u32>) {
    let told: Vec<_> = books.cycles.iter().map(|cycle| (cycle.from, cycle.to)).collect();
    let expected: Vec<_> = model.months.iter().map(|month| (month.from, month.to)).collect();
    assert_eq!(told, expected, "cycles begin on the days that the calendar says");
    assert!(told.windows(2).all(|pair| pair[0].1 == pair[1].0), "without gaps");
    for (number, month) in model.months.iter().enumerate() {
        let mut fees: BTreeMap<String, (i128, i128)> = BTreeMap::new();
        let (mut credits, mut parts) = (0_i128, 0_i128);
        for lived in &month.lived {
            let plan = &plans[lived.plan];
            let before = lived.replaced.map_or(0, |old| exact(micros(&plans[old]), month, lived.from, month.to));
            credits += (exact(micros(plan), month, lived.from, month.to) - before).max(0);
            parts += 1;
            if let Some(price) = plan.price {
                let sum = fees.entry(price.currency.as_str().to_owned()).or_default();
                *sum = (sum.0 + exact(price.minor, month, lived.from, lived.to), sum.1 + 1);
            }
        }
        let got = books.credits.get(&number).copied().unwrap_or_default();
        assert!((i128::from(got) - credits).abs() <= 2 * parts, "credits of {month:?}: {got}, not {credits}");
        for (currency, (sum, parts)) in fees {
            let got = books.fees.get(&(number, currency)).copied().unwrap_or_default();
            assert!((i128::from(got) - sum).abs() <= 2 * parts, "fee of {month:?}: {got}, not {sum}");
        }
        let is_whole = (month.from, month.to) == month.whole;
        match month.lived.as_slice() {
            [] => assert_eq!(got, 0, "a cycle that is owed gives nothing"),
            [only] if is_whole && only.from == month.from => {
                assert_eq!(got, micros(&plans[only.plan]), "a whole cycle gives all");
                if let Some(price) = plans[only.plan].price {
                    assert_eq!(books.fees.get(&(number, price.currency.as_str().to_owned())), Some(&price.minor));
                }
                *met.entry("whole cycles").or_default() += 1;
            }
            [_] => *met.entry("parts of a cycle").or_default() += 1,
            _ => *met.entry("upgrades").or_default() += 1,
        }
    }
    *met.entry("ends").or_default() += u32::from(model.ended);
}

fn micros(plan: &Plan) -> i64 {
    plan.credits.expect("said").micros()
}

fn live(number: u64, met: &mut Met) {
    let mut chance = Chance(SEED ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let zone = Zone(ZONES[usize::try_from(chance.below(8)).expect("small")]);
    // Within 2027 and 2028, so that most live through a 29 February.
    let start = Timestamp::parse("time", "2027-01-01T00:00:00Z").expect("valid").micros() + chance.signed(700) * DAY;
    let end = zone.months_after(Timestamp::from_micros(start), MONTHS).expect("in range");
    let mut org = Org {
        zone,
        plans: plans(),
        now: Timestamp::from_micros(start + chance.signed(DAY.unsigned_abs())),
        owes: false,
        subscription: None,
        position: Position::start(Policy::Pause),
        next_grant: 1,
        accounts: BTreeMap::new(),
        given: 0,
        books: vec![],
        models: vec![],
        till: Till::new(&mut chance),
    };
    while org.now < end {
        org.catch_up();
        org.money(&mut chance, met);
        org.catch_up();
        org.act(&mut chance);
        // Some minutes, some days; now and then the machine is off for two months.
        let pause = match chance.below(60) {
            0 => {
                org.sleep(60);
                *met.entry("sleeps").or_default() += 1;
                0
            }
            1..=20 => chance.signed(3_600_000_000),
            _ => chance.signed(12 * DAY.unsigned_abs()),
        };
        let to_month_end = org.zone.month_of(org.now).expect("in range").to.micros() - org.now.micros();
        // Sometimes exactly when a month ends.
        let pause = if chance.below(30) == 0 { to_month_end } else { pause };
        org.now = Timestamp::from_micros(org.now.micros() + pause);
    }
    org.catch_up();
    org.check_credits();
    org.till.check();
    for (books, model) in org.books.iter().zip(&org.models) {
        check(&org.plans, books, model, met);
    }
    *met.entry("debts").or_default() += u32::from(org.position.debt.is_positive());
}

#[test]
fn a_thousand_orgs_over_thirty_six_months_pay_for_their_time_and_keep_their_credits() {
    let mut met = BTreeMap::new();
    for number in 0..ORGS {
        live(number, &mut met);
    }
    println!("seed {SEED:#x}: {ORGS} orgs, {MONTHS} months: {met:?}");
    let money = [
        "invoices",
        "reopened",
        "given up",
        "disputes",
        "paid twice",
        "top-ups",
        "top-ups turned off",
        "top-ups capped",
    ];
    for what in ["whole cycles", "parts of a cycle", "upgrades", "ends", "debts", "sleeps"].into_iter().chain(money) {
        assert!(met.get(what).copied().unwrap_or_default() > 100, "{what} came up too seldom: {met:?}");
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse("time", text).expect("valid")
}

/// The first days of so many cycles, in the zone.
fn days(zone: Tz, anchor: Anchor, from: &str, count: usize) -> Vec<String> {
    let (zone, mut begins) = (Zone(zone), at(from));
    let mut days = Vec::new();
    for _ in 0..count {
        let cycle = anchor.cycle_of(begins, &zone).expect("in range");
        days.push(zone.local(cycle.from).format("%m-%d %H:%M").to_string());
        begins = cycle.to;
    }
    days
}

#[test]
fn an_anniversary_on_the_31st_comes_back_to_the_31st() {
    let from = "2027-12-31T10:00:00Z";
    let expected = ["12-31 11:00", "01-31 11:00", "02-29 11:00", "03-31 11:00", "04-30 11:00", "05-31 11:00"];
    assert_eq!(days(Tz::Europe__Berlin, Anchor::At(at(from)), from, 6), expected);
    assert_eq!(Anchor::At(at(from)).cycle_of(at("2027-12-31T09:59:59Z"), &Zone(Tz::UTC)), Err(Refusal::TimeOutOfRange));
}

#[test]
fn a_cycle_begins_by_the_clock_on_the_wall_also_where_that_is_changed() {
    // 02:30 is skipped on 28 March 2027, and comes twice on 31 October.
    let from = "2027-02-28T01:30:00Z";
    let expected = ["02-28 02:30", "03-28 03:00", "04-28 02:30"];
    assert_eq!(days(Tz::Europe__Berlin, Anchor::At(at(from)), from, 3), expected);
    // Months begin at their first instant, where midnight is skipped too.
    assert_eq!(days(Tz::Asia__Beirut, Anchor::Calendar, "2027-02-28T22:00:00Z", 2), ["03-01 00:00", "04-01 00:00"]);
}

#[test]
fn a_hundred_years_of_months_are_found_at_once() {
    let first = at("2027-01-31T00:00:00Z");
    let cycle = Anchor::At(first).cycle_of(at("2127-02-27T23:59:59Z"), &Zone(Tz::UTC)).expect("in range");
    assert_eq!(cycle, Stretch { from: at("2127-01-31T00:00:00Z"), to: at("2127-02-28T00:00:00Z") });
}
