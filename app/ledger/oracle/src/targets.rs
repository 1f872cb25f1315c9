//! The bodies of the fuzz targets. Each takes any bytes and ends quietly, or panics with what is wrong.

use crate::{Choices, History, Oracle, Reported};
use ledger::canon::Canon;
use ledger::card::Prices;
use ledger::drawdown::{Purse, Slot};
use ledger::entry::Head;
use ledger::rate::{Counted, Mode, Tiers};
use ledger::settle::{Charge, Settlement, leaf, rate_event};
use ledger::{
    Account, BillingCycle, Credits, Entry, EventSeq, Grant, GrantId, GrantKind, LineNo, LineStates, OrgId, Quantity,
    RateCard, RateCardVersion, Refusal, Rule, Scope, Timestamp, card, card_text, explain,
};
use std::collections::BTreeMap;

/// What parses writes back, and what was written parses to the same, as text and as JSON. Nothing panics.
pub fn card_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match card_text::parse(text) {
        Ok(lines) => {
            let written = card_text::write(&lines);
            assert_eq!(card_text::parse(&written).as_ref(), Ok(&lines), "{written}");
            assert_eq!(card_text::write(&lines), written);
            assert_eq!(RateCard::check(&lines), Ok(()));
            for line in &lines {
                let json = serde_json::to_string(line).expect("lines have a form in JSON");
                assert_eq!(card::read_line(&json).as_ref(), Ok(line), "{json}");
            }
        }
        Err(problems) => {
            let count = text.lines().count().max(1);
            assert!(!problems.is_empty() && problems.iter().all(|wrong| (1..=count).contains(&wrong.line)));
        }
    }
}

/// How often something came up, by name: a property that never meets what it is about shows nothing.
#[derive(Debug, Default)]
pub struct Met(pub BTreeMap<&'static str, u64>);

impl Met {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// Adds what another came across.
    pub fn add(&mut self, other: Self) {
        for (what, times) in other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }
}

/// Usage is rated exactly or refused: by the definition of each rule, event by event and in all; split, turned around, and
/// in other company.
#[must_use]
pub fn rating(bytes: &[u8]) -> Met {
    let history = History::of(&mut Choices::new(bytes));
    let prices = prices(&history);
    let mut met = Met::default();
    for org in history.orgs() {
        let of_org: Vec<&Reported> = history.reported.iter().filter(|reported| reported.org == org).collect();
        let mut oracle = Oracle::new(&history.cards);
        let mut lines = Lines::new(&prices);
        let accepted: Vec<Reported> =
            settle(&of_org, &mut oracle, &mut lines, &mut met).into_iter().map(|index| of_org[index].clone()).collect();
        lines.compare(&history, &oracle);
        // The same usage in another order and in smaller pieces: the totals are the same, unless one of them is too much.
        let mut pieces: Vec<Reported> = accepted.iter().flat_map(|one| split(&prices, one)).collect();
        pieces.reverse();
        pieces.sort_by_key(|piece| piece.version);
        let mut again = Lines::new(&prices);
        if pieces.iter().all(|piece| again.rate(piece).map(|charges| again.take_up(&charges)).is_ok()) {
            again.compare(&history, &oracle);
            met.count("split and turned around");
        }
        crate::voids::compare(bytes, &history, &of_org, &prices, &mut met);
    }
    met
}

fn prices(history: &History) -> Prices {
    Prices::new(history.cards.iter().zip(1..).map(|(lines, version)| RateCard {
        version: RateCardVersion(version),
        effective_at: ledger::time::EARLIEST,
        lines: lines.clone(),
    }))
}

/// What the code under test makes of one org's usage.
pub(crate) struct Lines<'p> {
    pub(crate) prices: &'p Prices,
    pub(crate) states: LineStates,
    pub(crate) charges: Vec<Charge>,
}

impl<'p> Lines<'p> {
    pub(crate) fn new(prices: &'p Prices) -> Self {
        Self { prices, states: LineStates::default(), charges: Vec::new() }
    }

    pub(crate) fn rate(&self, reported: &Reported) -> Result<Vec<Charge>, Refusal> {
        let card = &self.prices.cards()[reported.version];
        let cycle = || BillingCycle::from_number(reported.cycle()).ok_or(Refusal::TimeOutOfRange);
        let before = |line, cycle| self.states.before(self.prices.origin(card.version, line), cycle);
        rate_event(card, &reported.event, cycle, before)
    }

    pub(crate) fn take_up(&mut self, charges: &[Charge]) {
        for charge in charges {
            self.states.take_up(self.prices, charge).expect("quantities of a few events fit");
        }
        self.charges.extend_from_slice(charges);
    }

    /// Every line's charges add up to its exact sum, rounded once.
    pub(crate) fn compare(&self, history: &History, oracle: &Oracle) {
        for (card, version) in history.cards.iter().zip(0..) {
            for (line, number) in card.iter().zip(1..) {
                let place = usize::try_from(number).expect("small") - 1;
                let origin = self.prices.origin(self.prices.cards()[version].version, LineNo(number));
                let of_line = |charge: &&Charge| self.prices.origin(charge.version, charge.line) == origin;
                let charged: i128 =
                    self.charges.iter().filter(of_line).map(|charge| i128::from(charge.credits.micros())).sum();
                assert_eq!(charged, oracle.total_of(version, place), "{}", card_text::write_line(line));
            }
        }
    }
}

/// Rates and settles events in commits; says which were accepted.
fn settle(reported: &[&Reported], oracle: &mut Oracle, lines: &mut Lines<'_>, met: &mut Met) -> Vec<usize> {
    let (mut accepted, mut head, mut canon) = (Vec::new(), Head::START, Canon::new(""));
    for commit in commits(reported) {
        let mut settlement = Settlement::new(purse());
        let (mut moved, mut total) = (0_i128, 0_i128);
        for index in commit.clone() {
            let one = reported[index];
            let verdict = oracle.judge(one.version, &one.event, one.cycle());
            let rated = lines.rate(one);
            let costs: i128 = verdict.costs.iter().map(|cost| cost.abs()).sum();
            let charges = match (rated, verdict.refused) {
                (Ok(charges), None) => charges,
                (Err(refusal), refused)
                    if refused == Some(refusal.code())
                        || refusal == Refusal::AmountOverflow && verdict.may_overflow =>
                {
                    met.count(refusal.code());
                    continue;
                }
                (rated, refused) => panic!("{rated:?}, but {refused:?} {:?} for {:?}", verdict.costs, one.event),
            };
            let charged: Vec<i128> = charges.iter().map(|charge| i128::from(charge.credits.micros())).collect();
            assert_eq!(charged, verdict.costs, "{:?}", one.event);
            explained(one, &charges, lines, met);
            let seq = EventSeq(i64::try_from(index).expect("small") + 1);
            leaf(&mut canon, seq, &[0; 32], one.now, &charges);
            match settlement.add(seq, None, &charges, canon.as_bytes()) {
                Ok(sum) => assert_eq!(i128::from(sum.micros()), verdict.costs.iter().sum::<i128>()),
                Err(refusal) => {
                    let too_much = moved + costs > i128::from(i64::MAX);
                    assert!(refusal == Refusal::AmountOverflow && too_much, "{refusal:?}: {:?}", one.event);
                    met.count("too much for one commit");
                    continue;
                }
            }
            (moved, total) = (moved + costs, total + verdict.costs.iter().sum::<i128>());
            lines.take_up(&charges);
            oracle.accept(verdict);
            accepted.push(index);
        }
        let Some(draft) = settlement.finish(reported[commit.start].now, "test") else { continue };
        let consumed = draft.postings.iter().find(|posting| posting.account == Account::Consumed);
        assert_eq!(consumed.map_or(0, |posting| i128::from(posting.amount.micros())), total);
        let entry = Entry::seal(OrgId(1), head, reported[commit.start].now, draft).expect("sums to zero");
        head = entry.head();
    }
    assert_eq!(lines.charges.iter().map(|charge| i128::from(charge.credits.micros())).sum::<i128>(), oracle.total());
    accepted
}

/// The ranges of what is committed together.
fn commits(reported: &[&Reported]) -> Vec<std::ops::Range<usize>> {
    let mut ends: Vec<usize> =
        reported.iter().zip(1..).filter(|(one, _)| one.ends_commit).map(|(_, end)| end).collect();
    ends.push(reported.len());
    let starts = std::iter::once(0).chain(ends.clone());
    starts.zip(ends).filter(|(start, end)| start < end).map(|(start, end)| start..end).collect()
}

/// The explanation of every charge says what was charged.
pub(crate) fn explained(reported: &Reported, charges: &[Charge], lines: &Lines<'_>, met: &mut Met) {
    let card = &lines.prices.cards()[reported.version];
    for charge in charges {
        let line = card.line(charge.line).expect("a line of the card");
        let usage = reported.event.usage(charge.quantity);
        let explanation = explain::explain(line, usage, charge).expect("what was charged can be explained");
        assert_eq!(explanation.credits, charge.credits);
        assert!((0..line.denominator().expect("a good line")).contains(&charge.carry_after.0));
        met.count(name(&line.rule));
        if lines.prices.origin(charge.version, charge.line).version != charge.version {
            met.count("a line that was kept");
        }
        if charge.credits.is_negative() {
            met.count("credits given back");
        }
        if charge.credits > Credits::from_micros(i64::MAX / 1_000) {
            met.count("near the end of the range");
        }
        if charge.carry_before != charge.carry_after {
            met.count("a carry");
        }
    }
}

const fn name(rule: &Rule) -> &'static str {
    match rule {
        Rule::Unit { .. } => "unit",
        Rule::Block { counted: Counted::PerEvent, .. } => "block begun",
        Rule::Block { counted: Counted::Accumulated, .. } => "block full",
        Rule::Tiers(Tiers { mode: Mode::Graduated, .. }) => "graduated",
        Rule::Tiers(Tiers { mode: Mode::Volume, .. }) => "volume",
        Rule::Formula(_) => "formula",
        Rule::Reported => "reported",
        Rule::Free => "free",
    }
}

/// In pieces: each quantity by itself, and in two where its rule knows no events but only sums.
fn split(prices: &Prices, whole: &Reported) -> Vec<Reported> {
    let mut pieces = Vec::new();
    for (meter, quantity) in &whole.event.quantities {
        let card = &prices.cards()[whole.version];
        let (_, line) = card.line_for(meter, &whole.event).expect("it was rated");
        let sums = match &line.rule {
            Rule::Unit { .. } | Rule::Tiers(_) | Rule::Reported | Rule::Free => true,
            Rule::Block { counted, .. } => *counted == Counted::Accumulated,
            Rule::Formula(_) => false,
        };
        let piece = |micros, reported| {
            let mut piece = whole.clone();
            piece.event.quantities = vec![(meter.clone(), Quantity::from_micros(micros))];
            piece.event.reported = reported;
            piece
        };
        let (micros, reported) = (quantity.micros(), whole.event.reported);
        if sums {
            pieces.push(piece(micros / 3, reported.map(|picos| picos / 3)));
            pieces.push(piece(micros - micros / 3, reported.map(|picos| picos - picos / 3)));
        } else {
            pieces.push(piece(micros, reported));
        }
    }
    pieces
}

/// More than enough, or nearly.
fn purse() -> Purse {
    let amount = Credits::from_micros(i64::MAX / 2);
    let grant = Grant {
        id: GrantId(1),
        kind: GrantKind::Purchase,
        amount,
        priority: 0,
        scope: Scope::default(),
        effective_at: ledger::time::EARLIEST,
        expires_at: None,
        description: String::new(),
        cost: None,
        rollover: None,
        parent: None,
    };
    Purse::new([Slot { grant, left: amount }], Timestamp::from_micros(ledger::time::EARLIEST.micros() + 1))
}
