//! The money of an org of the simulation: invoices with tax, month by month; payments that fail, come late, twice, and go back in
//! part; auto top-up under its cap. Plain sums say what must come of it.

use super::{Chance, Zone};
use chrono::Datelike as _;
use ledger::invoice::{Figures, Item, ItemKind, Standing, State, Step, days_after, figures, next_step};
use ledger::payment::{Dispute, Effect, Failure, Heard, Payment, Saying};
use ledger::tax::Tax;
use ledger::top_up::{COOL_DOWN_US, Decision, Facts, MAX_FAILURES, Rule, decide};
use ledger::{Credits, Currency, Money, Months as _, Stretch, Timestamp};
use std::collections::BTreeMap;

/// What a package of auto top-up costs without tax, and what it gives.
const PRICE: i64 = 4_990;
const PACKAGE: Credits = Credits::from_micros(500_000_000);
/// Below so many credits one is bought.
const THRESHOLD: Credits = Credits::from_micros(200_000_000);
const DUE_DAYS: i64 = 14;

/// How often things came up.
pub type Met = BTreeMap<&'static str, u32>;

fn eur(minor: i64) -> Money {
    Money { minor, currency: Currency::parse("EUR").expect("a currency") }
}

/// An attempt to be paid, and what of it went back.
#[derive(Clone)]
struct Attempt {
    payment: Payment,
    back: i64,
}

impl Attempt {
    fn new(money: Money) -> Self {
        Self { payment: Payment::new(money), back: 0 }
    }

    fn brought(&self) -> i64 {
        if self.payment.state == ledger::payment::State::Succeeded { self.payment.amount.minor - self.back } else { 0 }
    }

    fn hear(&mut self, saying: Saying) -> Effect {
        match self.payment.hear(saying) {
            Heard::Changed { now, so } => {
                self.payment = now;
                so
            }
            Heard::Stale | Heard::Mismatch => Effect::None,
        }
    }
}

#[derive(Clone)]
struct Issued {
    figures: Figures,
    currency: Currency,
    standing: Standing,
    attempts: Vec<Attempt>,
}

impl Issued {
    fn look(&mut self) {
        self.standing.paid = self.attempts.iter().map(Attempt::brought).sum();
        self.standing.in_flight = self.attempts.iter().any(|attempt| !attempt.payment.state.is_over());
    }

    fn charge(&mut self) {
        let minor = self.standing.due - self.standing.paid;
        self.attempts.push(Attempt::new(Money { minor, currency: self.currency }));
        self.look();
    }

    /// What is done about it, as the job does, and as whoever hears of a payment does.
    fn follow(&mut self, now: Timestamp, met: &mut Met) {
        self.look();
        loop {
            match next_step(&self.standing, now) {
                Step::Wait => return,
                Step::Paid => self.standing.state = State::Paid,
                Step::Reopen => {
                    (self.standing.state, self.standing.next_try_at) = (State::Open, None);
                    *met.entry("reopened").or_default() += 1;
                }
                Step::Charge(again) => {
                    (self.standing.tries, self.standing.next_try_at) = (self.standing.tries + 1, again);
                    self.charge();
                }
                Step::Remind(count) => self.standing.reminded = count,
                Step::GiveUp => {
                    self.standing.state = State::Uncollectible;
                    *met.entry("given up").or_default() += 1;
                }
            }
        }
    }

    /// A message about one of its attempts, whichever and in whatever order; money that is too much goes back.
    fn hear(&mut self, card_works: bool, chance: &mut Chance, met: &mut Met) {
        if self.attempts.is_empty() {
            return;
        }
        let count = self.attempts.len();
        let place = usize::try_from(chance.below(count as u64)).expect("small");
        let amount = self.attempts[place].payment.amount;
        let saying = match chance.below(if card_works { 40 } else { 60 }) {
            0..=3 => Saying::Pending,
            4..=5 => Saying::Cancelled,
            6 => Saying::Disputed(Dispute::Lost, Some(Money { minor: 1 + chance.signed(500), ..amount })),
            7 => Saying::Succeeded(Money { minor: amount.minor + 1, ..amount }),
            8..=38 if card_works => Saying::Succeeded(amount),
            // Rarely, after all.
            8 => Saying::Succeeded(amount),
            _ => Saying::Failed(Failure::Declined),
        };
        let so = self.attempts[place].hear(saying);
        if so == Effect::Take || (so == Effect::Give && self.attempts[place].payment.dispute.takes()) {
            let attempt = &mut self.attempts[place];
            attempt.back += attempt.payment.disputed_minor.min(amount.minor - attempt.back);
            *met.entry("disputes").or_default() += 1;
        }
        self.look();
        let too_much = self.standing.paid - self.standing.due;
        if too_much > 0 {
            self.attempts[place].back += too_much;
            *met.entry("paid twice").or_default() += 1;
        }
    }
}

/// A purchase of auto top-up.
#[derive(Clone)]
struct Bought {
    at: Timestamp,
    gross: i64,
    payment: Payment,
}

/// What waits for an invoice: since when, and of which currency.
type Open = (Timestamp, Currency, Item);

/// All of it.
#[derive(Clone)]
pub struct Till {
    tax: Tax,
    /// Whether the stored card pays.
    pub card_works: bool,
    open: Vec<Open>,
    /// Net of all that was ever put down, by currency.
    put_down: BTreeMap<String, i64>,
    issued: Vec<Issued>,
    credit: BTreeMap<String, i64>,
    rule: Rule,
    bought: Vec<Bought>,
    turned_on_at: usize,
}

impl Till {
    pub fn new(chance: &mut Chance) -> Self {
        let taxes = [("", 0), ("VAT", 190_000), ("VAT", 77_000), ("Sales tax", 88_750), ("GST", 333_333)];
        let (name, millionths) = taxes[usize::try_from(chance.below(5)).expect("small")];
        let tax = Tax { name: name.to_owned(), millionths };
        let cap = eur(10_000 + chance.signed(20_000));
        Self {
            tax,
            card_works: chance.below(3) > 0,
            open: vec![],
            put_down: BTreeMap::new(),
            issued: vec![],
            credit: BTreeMap::new(),
            rule: Rule { is_on: chance.below(2) == 0, threshold: THRESHOLD, cap },
            bought: vec![],
            turned_on_at: 0,
        }
    }

    /// Something to be invoiced; `settled`: its tax was paid with it.
    pub fn item(&mut self, zone: &Zone, at: Timestamp, kind: ItemKind, net: Money, settled: bool) {
        let tax = settled.then(|| (self.tax.on(net).expect("fits").minor, self.tax.title()));
        let on = zone.local(at).date_naive();
        let item = Item { kind, description: String::new(), on, period: None, net: net.minor, settled: tax };
        *self.put_down.entry(net.currency.as_str().to_owned()).or_default() += net.minor;
        self.open.push((at, net.currency, item));
    }

    pub fn owes(&self) -> bool {
        self.issued.iter().any(|made| made.standing.state == State::Uncollectible)
    }

    /// Somebody pays by hand what is open.
    pub fn pay_by_hand(&mut self) {
        for made in &mut self.issued {
            let asked = matches!(made.standing.state, State::Open | State::Uncollectible);
            if asked && !made.standing.in_flight && made.standing.paid < made.standing.due {
                made.charge();
            }
        }
    }

    /// What is due about invoices, and what banks say meanwhile.
    pub fn bill(&mut self, now: Timestamp, zone: &Zone, chance: &mut Chance, met: &mut Met) {
        self.issue(now, zone, met);
        for place in 0..self.issued.len() {
            let made = &mut self.issued[place];
            made.standing.has_method = true;
            made.follow(now, met);
            for _ in 0..chance.below(3) {
                made.hear(self.card_works, chance, met);
                made.follow(now, met);
            }
            let Standing { state, paid, due, .. } = made.standing;
            assert!(paid <= due, "nobody pays twice");
            assert_eq!(state == State::Paid, paid >= due, "an invoice stands as its payments do");
        }
    }

    /// One invoice for each month that is over, and currency.
    fn issue(&mut self, now: Timestamp, zone: &Zone, met: &mut Met) {
        let this_month = zone.month_of(now).expect("in range").from;
        let mut months: BTreeMap<(Timestamp, String), Vec<Open>> = BTreeMap::new();
        let (over, open): (Vec<_>, Vec<_>) = self.open.drain(..).partition(|(at, ..)| *at < this_month);
        self.open = open;
        for (at, currency, item) in over {
            let month = zone.month_of(at).expect("in range").from;
            months.entry((month, currency.as_str().to_owned())).or_default().push((at, currency, item));
        }
        for ((_, code), items) in months {
            let currency = items[0].1;
            let items: Vec<Item> = items.into_iter().map(|(.., item)| item).collect();
            let credit = self.credit.entry(code).or_default();
            let figures = figures(&items, &self.tax, currency, *credit).expect("fits");
            assert_eq!(figures.totals.credit_before, std::mem::replace(credit, figures.totals.credit_after));
            adds_up(&items, &self.tax, &figures);
            *met.entry("invoices").or_default() += 1;
            let due = figures.totals.due;
            let standing = Standing {
                state: if due == 0 { State::Paid } else { State::Open },
                due_at: days_after(now, DUE_DAYS),
                due,
                paid: 0,
                tries: 0,
                next_try_at: Some(now),
                reminded: 0,
                in_flight: false,
                has_method: true,
            };
            self.issued.push(Issued { figures, currency, standing, attempts: vec![] });
        }
    }

    /// Auto top-up: the credits that came of it now.
    pub fn top_up(
        &mut self,
        now: Timestamp,
        available: Credits,
        zone: &Zone,
        chance: &mut Chance,
        met: &mut Met,
    ) -> Credits {
        let mut came = Credits::ZERO;
        let month = zone.month_of(now).expect("in range");
        let price = eur(PRICE + self.tax.on(eur(PRICE)).expect("fits").minor);
        let facts = self.facts(now, available, price, month);
        match decide(&self.rule, &facts) {
            Decision::Buy => {
                assert!(self.rule.is_on && available < THRESHOLD && !facts.under_way, "{facts:?}");
                let last = self.bought.last().map_or(i64::MIN, |last| last.at.micros());
                assert!(now.micros().saturating_sub(last) >= COOL_DOWN_US, "not at once again");
                self.bought.push(Bought { at: now, gross: price.minor, payment: Payment::new(price) });
                *met.entry("top-ups").or_default() += 1;
            }
            Decision::TurnOff => {
                assert_eq!(facts.failures, MAX_FAILURES, "three in a row");
                self.rule.is_on = false;
                *met.entry("top-ups turned off").or_default() += 1;
            }
            Decision::Rest => {}
            Decision::Without(_) => *met.entry("top-ups capped").or_default() += 1,
        }
        if let Some(last) = self.bought.last_mut().filter(|last| !last.payment.state.is_over()) {
            let saying = match chance.below(6) {
                0 => Saying::Pending,
                _ if self.card_works => Saying::Succeeded(price),
                _ => Saying::Failed(Failure::Declined),
            };
            if let Heard::Changed { now: payment, so } = last.payment.hear(saying) {
                last.payment = payment;
                if so == Effect::Give {
                    came = PACKAGE;
                }
            }
        }
        if came.is_positive() {
            self.item(zone, now, ItemKind::Purchase, eur(PRICE), true);
        }
        let of_month = self.facts(now, available, price, month).spent_minor;
        assert!(of_month <= self.rule.cap.minor, "never above the cap of a month");
        came
    }

    fn facts(&self, now: Timestamp, available: Credits, price: Money, month: Stretch) -> Facts {
        use ledger::payment::State as Paid;
        let counts = |bought: &&Bought| !matches!(bought.payment.state, Paid::Failed | Paid::Cancelled);
        let of_month = self.bought.iter().filter(|bought| (month.from..month.to).contains(&bought.at));
        let since = self.bought[self.turned_on_at..].iter().rev();
        Facts {
            now,
            available,
            price: Some(price),
            can_charge: true,
            spent_minor: of_month.filter(counts).map(|bought| bought.gross).sum(),
            under_way: self.bought.iter().any(|bought| !bought.payment.state.is_over()),
            last_at: self.bought.last().map(|bought| bought.at),
            failures: u32::try_from(since.take_while(|b| b.payment.state == Paid::Failed).count()).expect("small"),
        }
    }

    /// A person turns it on again: it never does so by itself.
    pub fn turn_on(&mut self) {
        (self.rule.is_on, self.turned_on_at) = (true, self.bought.len());
    }

    /// What waits for an invoice, in all.
    pub fn open_net(&self) -> i64 {
        self.open.iter().map(|(.., item)| item.net).sum()
    }

    /// Nothing that was put down is lost, and what was asked for is paid, open, or credit.
    pub fn check(&self) {
        for (code, put_down) in &self.put_down {
            let of = |currency: &Currency| currency.as_str() == code;
            let open: i64 = self.open.iter().filter(|(_, currency, _)| of(currency)).map(|(.., item)| item.net).sum();
            let made = || self.issued.iter().filter(|made| of(&made.currency));
            let nets: i64 = made().map(|made| made.figures.totals.net).sum();
            assert_eq!(nets + open, *put_down, "every item is on one invoice, or waits for one");
            let asked: i64 = made().map(|made| made.figures.totals.gross - made.figures.totals.settled).sum();
            let due: i64 = made().map(|made| made.standing.due).sum();
            assert_eq!(
                asked,
                due - self.credit.get(code).copied().unwrap_or_default(),
                "what is due, less credit that is left"
            );
        }
    }
}

/// Lines add up to what is said of them, and the tax on what is not settled is that of its sum, rounded once.
fn adds_up(items: &[Item], tax: &Tax, figures: &Figures) {
    let (lines, totals) = (&figures.lines, figures.totals);
    assert_eq!(lines.len(), items.len());
    assert_eq!(
        (lines.iter().map(|line| line.net).sum::<i64>(), lines.iter().map(|line| line.tax).sum()),
        (totals.net, totals.tax)
    );
    let taxes = figures.taxes.iter().fold((0, 0), |(net, tax), sum| (net + sum.net, tax + sum.tax));
    assert_eq!((taxes, totals.gross), ((totals.net, totals.tax), totals.net + totals.tax));
    let open =
        lines.iter().filter(|line| !line.settled).fold((0, 0), |(net, tax), line| (net + line.net, tax + line.tax));
    let exact = i128::from(open.0) * i128::from(tax.millionths);
    assert!(2 * (i128::from(open.1) * 1_000_000 - exact).abs() <= 1_000_000, "rounded once: {open:?}");
    assert_eq!(items.iter().map(|item| item.net).sum::<i64>(), totals.net);
    assert!(lines.iter().all(|line| line.on.year() > 2_000));
}
