//! The definition of each rule, without what makes it fast: sums of all that was used, and one rounding.

use crate::Big;
use ledger::event::Event;
use ledger::rate::{Counted, Mode, Tiers};
use ledger::{Meter, RateLine, Rule};
use std::collections::BTreeMap;
use std::ops::Add as _;

const PICOS: u128 = 1_000_000_000_000;
const PICOS_PER_MICRO: u128 = 1_000_000;

/// What one line of one org was used for, in all.
#[derive(Debug, Clone)]
struct Account {
    line: RateLine,
    /// Micro-units; blocks begun; picos reported; or parts of a formula in 10⁻¹⁸ credit.
    sum: Big,
    /// Micro-units of each billing cycle, of events that stand.
    cycles: BTreeMap<i64, Big>,
    /// By how many micro-credits the cycle's charges that stand fall short of what it costs, until its next event.
    open: BTreeMap<i64, i128>,
    /// Micro-credits of voided events of lines that go on as if these stood.
    returned: i128,
}

impl Account {
    const fn new(line: RateLine) -> Self {
        Self { line, sum: Big::ZERO, cycles: BTreeMap::new(), open: BTreeMap::new(), returned: 0 }
    }

    fn add(&mut self, event: &Event, quantity: i128, cycle: i64) {
        let quantity = Big::of(quantity);
        let more = match &self.line.rule {
            Rule::Unit { .. } | Rule::Block { counted: Counted::Accumulated, .. } => quantity,
            Rule::Block { size, counted: Counted::PerEvent, .. } => {
                let size = u128::try_from(size.micros()).expect("above zero");
                let begun = (quantity + Big::new(size - 1)).div_floor(size);
                begun.max(Big::new(1))
            }
            Rule::Tiers(_) => {
                let used = self.cycles.remove(&cycle).unwrap_or_default();
                self.cycles.insert(cycle, used + quantity);
                self.open.remove(&cycle);
                Big::default()
            }
            Rule::Formula(formula) => {
                // Prices in 10⁻¹² credit, what they are for in 10⁻⁶.
                let whole = |picos: i64| Big::of(picos) * Big::new(1_000_000);
                let sum = whole(formula.base.picos())
                    + Big::of(formula.per_second.picos()) * quantity
                    + Big::of(formula.per_mb.picos()) * Big::of(event.bytes)
                    + Big::of(formula.per_compute_unit.picos()) * Big::of(event.compute_micros);
                sum.max(whole(formula.minimum.picos()))
            }
            Rule::Reported => Big::of(event.reported.expect("asked before")),
            Rule::Free => Big::default(),
        };
        self.sum = std::mem::take(&mut self.sum) + more;
    }

    /// Takes back what was charged that much.
    fn void(&mut self, quantity: i128, cycle: i64, cost: i128) {
        if !matches!(self.line.rule, Rule::Tiers(_)) {
            self.returned += cost;
            return;
        }
        let before = self.total().to_i128().expect("what was accepted fits");
        let used = self.cycles.remove(&cycle).and_then(|used| used.to_i128()).expect("it was used");
        self.cycles.insert(cycle, Big::of(used - quantity));
        let fell = before - self.total().to_i128().expect("less than what was accepted");
        *self.open.entry(cycle).or_default() += cost - fell;
    }

    /// Micro-credits that were charged and stand.
    fn standing(&self) -> Option<i128> {
        Some(self.total().to_i128()? - self.returned - self.open.values().sum::<i128>())
    }

    /// Micro-credits, rounded down once.
    fn total(&self) -> Big {
        let sum = || self.sum.clone();
        match &self.line.rule {
            Rule::Unit { price, per } => (sum() * Big::of(price.picos())).div_floor(PICOS * per_units(*per)),
            Rule::Block { price, size, counted: Counted::Accumulated } => {
                sum().div_floor(u128::try_from(size.micros()).expect("above zero")) * Big::of(price.micros())
            }
            Rule::Block { price, counted: Counted::PerEvent, .. } => sum() * Big::of(price.micros()),
            Rule::Tiers(tiers) => {
                let costs = self.cycles.values().map(|used| cost_of_cycle(tiers, used));
                costs.fold(Big::default(), Big::add).div_floor(PICOS * per_units(tiers.per))
            }
            Rule::Formula(_) => sum().div_floor(PICOS),
            Rule::Reported => sum().div_floor(PICOS_PER_MICRO),
            Rule::Free => Big::default(),
        }
    }
}

fn per_units(per: i64) -> u128 {
    u128::try_from(per).expect("at least 1")
}

/// What a billing cycle costs in which that much was used, in 10⁻¹² credit for `per` micro-units.
fn cost_of_cycle(tiers: &Tiers, used: &Big) -> Big {
    let end_of = |tier: &ledger::rate::Tier| tier.up_to.map(|end| Big::of(end.micros()));
    if tiers.mode == Mode::Volume {
        let reached = tiers.tiers.iter().find(|tier| end_of(tier).is_none_or(|end| *used <= end));
        return used.clone() * Big::of(reached.expect("the last has no end").price.picos());
    }
    // Each price counts from where its tier begins, less what the tier behind it takes over.
    let used = used.to_i128().expect("quantities are bounded");
    let (mut cost, mut from) = (Big::default(), 0_i128);
    for tier in &tiers.tiers {
        let end = tier.up_to.map_or(used, |end| end.micros());
        cost = cost + Big::of((used.min(end) - from).max(0)) * Big::of(tier.price.picos());
        from = end;
    }
    cost
}

/// What must become of an event.
#[derive(Debug)]
pub struct Verdict {
    /// The code with which it must be refused.
    pub refused: Option<&'static str>,
    /// Whether a sum leaves the range of credits, so that it may be refused though its own charges fit.
    pub may_overflow: bool,
    /// Micro-credits of each of its quantities, up to the one that refuses it.
    pub costs: Vec<i128>,
    changed: Vec<(usize, Account)>,
}

/// What became of taking an event back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voided {
    /// Whether it was done.
    pub fits: bool,
    /// Whether a sum was beyond the range of credits, so that it may be refused though what it leaves open fits.
    pub may_overflow: bool,
}

/// The sums of one org.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    accounts: Vec<Account>,
    /// For each version, the account of each of its lines.
    versions: Vec<Vec<usize>>,
}

impl Oracle {
    /// With these versions of a rate card, the oldest first. A line that the version before has keeps its account.
    #[must_use]
    pub fn new(cards: &[Vec<RateLine>]) -> Self {
        let mut oracle = Self::default();
        for lines in cards {
            let mut accounts = Vec::new();
            for line in lines {
                let before = oracle.versions.last().into_iter().flatten();
                let kept = before.copied().find(|account| oracle.accounts[*account].line == *line);
                accounts.push(kept.unwrap_or(oracle.accounts.len()));
                if kept.is_none() {
                    oracle.accounts.push(Account::new(line.clone()));
                }
            }
            oracle.versions.push(accounts);
        }
        oracle
    }

    /// What must become of an event that happened in that billing cycle, under a version counted from 0.
    #[must_use]
    pub fn judge(&self, version: usize, event: &Event, cycle: i64) -> Verdict {
        let mut verdict = Verdict { refused: None, may_overflow: false, costs: Vec::new(), changed: Vec::new() };
        for (meter, quantity) in &event.quantities {
            let account = match self.line_for(version, meter, event) {
                Ok(account) => account,
                Err(code) => return Verdict { refused: Some(code), ..verdict },
            };
            let reports = matches!(self.accounts[account].line.rule, Rule::Reported);
            if reports != event.reported.is_some() {
                let code = if reports { "credits_not_reported" } else { "credits_not_expected" };
                return Verdict { refused: Some(code), ..verdict };
            }
            let mut after = self.accounts[account].clone();
            let before = after.standing().expect("what was accepted fits");
            after.add(event, quantity.micros(), cycle);
            let total = after.total().to_i128();
            verdict.may_overflow |= total.is_none_or(|total| total > i128::from(i64::MAX));
            match after.standing().map(|standing| standing - before) {
                Some(cost) if i64::try_from(cost).is_ok() => verdict.costs.push(cost),
                _ => return Verdict { refused: Some("amount_overflow"), ..verdict },
            }
            verdict.changed.push((account, after));
        }
        verdict
    }

    /// Takes up an event that was accepted.
    pub fn accept(&mut self, verdict: Verdict) {
        for (account, after) in verdict.changed {
            self.accounts[account] = after;
        }
    }

    /// Takes back an event that was accepted under that version and cost that much; whether what its cycles have open fits
    /// then. Where it does not, nothing is done.
    pub fn void(&mut self, version: usize, event: &Event, cycle: i64, costs: &[i128]) -> Voided {
        let mut after = self.accounts.clone();
        let mut voided = Voided { fits: true, may_overflow: false };
        for ((meter, quantity), cost) in event.quantities.iter().zip(costs) {
            let account = &mut after[self.line_for(version, meter, event).expect("it was accepted")];
            voided.may_overflow |= account.total().to_i128().is_none_or(|total| total > i128::from(i64::MAX));
            account.void(quantity.micros(), cycle, *cost);
            voided.fits &= account.open.values().all(|open| i64::try_from(*open).is_ok());
        }
        if voided.fits {
            self.accounts = after;
        }
        voided
    }

    /// Micro-credits of everything accepted that stands: each line's exact sum, rounded down once, but for what its cycles
    /// have open.
    #[must_use]
    pub fn total(&self) -> i128 {
        self.accounts.iter().map(|account| account.standing().expect("what was accepted fits")).sum()
    }

    /// What the cycles of a line have open, by its version and place, both counted from 0.
    #[must_use]
    pub fn open_of(&self, version: usize, line: usize) -> i128 {
        self.accounts[self.versions[version][line]].open.values().sum()
    }

    /// The same of a line, by its version and place, both counted from 0.
    #[must_use]
    pub fn total_of(&self, version: usize, line: usize) -> i128 {
        self.accounts[self.versions[version][line]].standing().expect("what was accepted fits")
    }

    fn line_for(&self, version: usize, meter: &Meter, event: &Event) -> Result<usize, &'static str> {
        let accounts = &self.versions[version];
        let of_meter: Vec<usize> =
            accounts.iter().copied().filter(|account| self.accounts[*account].line.meter == *meter).collect();
        let matching = of_meter.iter().find(|account| {
            let line = &self.accounts[**account].line;
            let source = line.sources.is_empty() || line.sources.contains(&event.source);
            source
                && line.attributes.iter().all(|(name, value)| event.attributes.contains(&(name.clone(), value.clone())))
        });
        matching.copied().ok_or(if of_meter.is_empty() { "unknown_meter" } else { "no_rate" })
    }
}
