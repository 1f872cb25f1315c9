//! How much of something a balance buys at the prices of a line.
//!
//! Nothing is computed a second way: the answer is the largest whole number of units that [`RateLine::rate`] charges no
//! more than the balance for, found by halving. So it holds for what is carried, for blocks and for the tiers that the
//! billing cycle has reached. Cost: some fifty ratings of a line, per tier where a price is for all units of the cycle.

use crate::credits::Credits;
use crate::decimal;
use crate::label::Meter;
use crate::quantity::{MAX_UNITS, MICROS_PER_UNIT, Quantity};
use crate::rate::{Before, Mode, PRICE_DECIMALS, RateLine, Rule, Usage};

/// A price is listed for at most so many units: more could not be imagined.
const MOST_LISTED: i64 = 1_000_000;
const PICOS_PER_CREDIT: i128 = 1_000_000_000_000;

/// How much a balance buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remaining {
    /// So many whole units, as one event; one more costs more. At most what one event can carry.
    Units(Quantity),
    /// As much as anybody wants: it costs nothing.
    Unlimited,
    /// There is no telling from the price: the event says what it costs, or more than its quantity counts.
    Unsaid,
}

/// How much of what `line` charges `available` buys, after what the line has `before`.
#[must_use]
pub fn remaining(line: &RateLine, before: Before, available: Credits) -> Remaining {
    let available = available.max(Credits::ZERO);
    // What costs more than can be an amount costs more than anybody has.
    let cost = |units: i64| line.rate(Usage::of(Quantity::from_units(units)), before).ok().map(|rated| rated.credits);
    let affordable = |units: i64| cost(units).is_some_and(|credits| credits <= available);
    let most = i64::try_from(MAX_UNITS).unwrap_or(i64::MAX);
    let units = match &line.rule {
        Rule::Reported | Rule::Formula(_) => return Remaining::Unsaid,
        Rule::Free => return Remaining::Unlimited,
        // The carry would make some tokens free of charge; nobody who has nothing left sees it so.
        Rule::Unit { price, .. } if available.is_zero() && price.picos() > 0 => {
            return Remaining::Units(Quantity::from_units(0));
        }
        // Each tier has a price for everything: more may cost less where the next one begins.
        Rule::Tiers(tiers) if tiers.mode == Mode::Volume => {
            let ends = tiers.tiers.iter().map(|tier| tier.up_to.map_or(most, |end| whole_between(before.used, end)));
            let mut from = 0;
            let mut best = 0;
            for end in ends.filter(|end| *end >= 0) {
                let end = end.min(most);
                if affordable(from) {
                    best = largest(from, end, affordable);
                }
                from = end.saturating_add(1).min(most);
            }
            best
        }
        Rule::Tiers(_) | Rule::Unit { .. } | Rule::Block { .. } => largest(0, most, affordable),
    };
    if units == most && cost(most).is_some_and(|credits| !credits.is_positive()) {
        return Remaining::Unlimited;
    }
    Remaining::Units(Quantity::from_units(units))
}

/// Whole units from what was used until an end; below zero where that is past.
fn whole_between(used: Quantity, end: Quantity) -> i64 {
    i64::try_from((end.micros() - used.micros()).div_euclid(MICROS_PER_UNIT)).unwrap_or(i64::MAX)
}

/// The last of `from ..= to` for which it holds, of which it holds up to some place; `from` where it holds for none.
fn largest(from: i64, to: i64, holds: impl Fn(i64) -> bool) -> i64 {
    if holds(to) {
        return to;
    }
    let (mut good, mut bad) = (from, to);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if holds(middle) { good = middle } else { bad = middle }
    }
    good
}

/// How much a balance buys at what so much has cost on average, in whole units; `None` where that was nothing.
#[must_use]
pub fn at_average(available: Credits, cost: Credits, of: Quantity) -> Option<Quantity> {
    if !cost.is_positive() || of.micros() <= 0 {
        return None;
    }
    let micros = i128::from(available.max(Credits::ZERO).micros());
    let units = micros.checked_mul(of.micros())? / i128::from(cost.micros()) / MICROS_PER_UNIT;
    Some(Quantity::from_micros(units.min(MAX_UNITS) * MICROS_PER_UNIT))
}

/// What so many units cost, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// How many.
    pub units: i64,
    picos: i128,
}

impl Listed {
    /// In credits, without zeros at its end: `0.6`.
    #[must_use]
    pub fn credits(self) -> String {
        decimal::trimmed(self.picos, PRICE_DECIMALS)
    }

    /// The same for so many units instead, if that is exact.
    #[must_use]
    pub fn of(self, units: i64) -> Option<Self> {
        let all = self.picos.checked_mul(i128::from(units))?;
        let own = i128::from(self.units);
        (own > 0 && all % own == 0).then_some(Self { units, picos: all / own })
    }

    /// What another quantity costs at that price, rounded down.
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Credits> {
        let picos = quantity.micros().checked_mul(self.picos)?.checked_div(i128::from(self.units))?;
        // Micro-units times 10⁻¹² credit: by 10⁶ and 10⁶ it is micro-credits.
        Credits::from_wide(picos / (MICROS_PER_UNIT * 1_000_000)).ok()
    }

    /// What this one costs less than another for the same units, and how much of the other's price that is, in thousandths.
    #[must_use]
    pub fn saving(self, other: Self) -> Option<(Self, i64)> {
        let this = self.of(other.units)?;
        let less = other.picos - this.picos;
        let share = less.checked_mul(1_000)?.checked_div(other.picos)?;
        (less > 0).then_some((Self { units: other.units, picos: less }, i64::try_from(share).ok()?))
    }
}

/// The price of a line as a list has it: for as many units as its card says, or for so many that they cost a credit.
#[must_use]
pub fn listed(line: &RateLine) -> Option<Listed> {
    let Rule::Unit { price, per } = &line.rule else { return None };
    let own = Listed { units: *per, picos: i128::from(price.picos()) };
    if *per > 1 || own.picos == 0 {
        return Some(own);
    }
    let mut listed = own;
    while listed.picos < PICOS_PER_CREDIT && listed.units < MOST_LISTED {
        listed = Listed { units: listed.units * 10, picos: listed.picos * 10 };
    }
    Some(listed)
}

/// The meter that a cache's serves instead of: `input_tokens` of `cached_tokens`, by their names.
#[must_use]
pub fn served_instead_of<'m>(cached: &Meter, all: &[&'m Meter]) -> Option<&'m Meter> {
    let name = cached.as_str();
    let place = name.find("cached")?;
    let (before, after) = (&name[..place], &name[place + "cached".len()..]);
    let bare = format!("{before}{}", after.trim_start_matches('_'));
    let candidates = [bare, format!("{before}input{after}")];
    candidates.iter().find_map(|candidate| all.iter().find(|meter| meter.as_str() == candidate).copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card_text::parse;
    use crate::rate::Carry;
    use proptest::prelude::*;

    fn line(text: &str) -> RateLine {
        parse(text).expect("a card").remove(0)
    }

    fn credits(text: &str) -> Credits {
        Credits::parse(text).expect("an amount")
    }

    fn buys(text: &str, available: &str) -> Remaining {
        remaining(&line(text), Before::default(), credits(available))
    }

    fn units(units: i64) -> Remaining {
        Remaining::Units(Quantity::from_units(units))
    }

    #[test]
    fn every_rule_says_what_a_balance_buys_or_that_there_is_no_telling() {
        // Rounded down in favour of whoever pays: a part of a micro-credit is carried.
        assert_eq!(buys("tokens: 0.60 per 1000000", "3"), units(5_000_001));
        assert_eq!(buys("images: 0.0001 each", "1"), units(10_000));
        assert_eq!(buys("images: 0.0001 each", "-5"), units(0));
        assert_eq!(buys("tokens: 0.60 per 1000000", "0"), units(0));
        assert_eq!(buys("tokens: 0.60 per 1000000", "0.000001"), units(3));
        assert_eq!(buys("session: 1 per 600 begun", "2.5"), units(1_200));
        assert_eq!(buys("computation: 1 per 10 full", "2.5"), units(29));
        assert_eq!(buys("calls: graduated 0 to 1000, 0.5 beyond", "2"), units(1_004));
        assert_eq!(buys("session: free", "0"), Remaining::Unlimited);
        assert_eq!(buys("session: 0 each", "0"), Remaining::Unlimited);
        assert_eq!(buys("fact: reported", "5"), Remaining::Unsaid);
        assert_eq!(buys("training: formula 0.5 + 0.02 per second", "5"), Remaining::Unsaid);
    }

    #[test]
    fn a_volume_price_is_reached_where_it_costs_less_in_all() {
        // A hundred cost 100, a hundred and one cost 50.50: who has 60 can have up to a hundred and twenty.
        let text = "calls: volume 1 to 100, 0.5 beyond";
        assert_eq!([buys(text, "60"), buys(text, "50"), buys(text, "100")], [units(120), units(50), units(200)]);
    }

    #[test]
    fn what_the_cycle_used_and_what_is_carried_counts() {
        let text = line("calls: graduated 0 to 1000, 0.5 beyond");
        let used = Before { used: Quantity::from_units(990), ..Before::default() };
        assert_eq!(remaining(&text, used, credits("1")), units(12));
        let full = line("computation: 1 per 10 full");
        let carried = Before::carrying(Carry(9_000_000));
        assert_eq!(remaining(&full, carried, credits("1")), units(10));
    }

    #[test]
    fn prices_are_listed_for_what_can_be_imagined() {
        let told = |text| listed(&line(text)).map(|listed| (listed.units, listed.credits()));
        assert_eq!(told("tokens: 0.60 per 1000000"), Some((1_000_000, "0.6".to_owned())));
        assert_eq!(told("images: 0.0001 each"), Some((10_000, "1".to_owned())));
        assert_eq!(told("operation: 1 each"), Some((1, "1".to_owned())));
        assert_eq!(told("dust: 0.000000000001 each"), Some((1_000_000, "0.000001".to_owned())));
        assert_eq!(told("session: free"), None);
    }

    #[test]
    fn a_cache_saves_what_it_is_cheaper() {
        let (cached, full) = (listed(&line("a: 0.075 per 1000000")), listed(&line("b: 0.60 per 1000000")));
        let (less, thousandths) = cached.zip(full).and_then(|(cached, full)| cached.saving(full)).expect("cheaper");
        assert_eq!((less.credits().as_str(), less.units, thousandths), ("0.525", 1_000_000, 875));
        assert_eq!(less.times(Quantity::from_units(4_000_000)), Some(credits("2.1")));
        let all = ["cached_tokens", "input_tokens", "prompt_cached_tokens", "prompt_tokens"];
        let all = all.map(|name| Meter::parse(name).expect("a meter"));
        let known: Vec<&Meter> = all.iter().collect();
        let instead = |at: usize| served_instead_of(&all[at], &known).map(Meter::as_str);
        assert_eq!([instead(0), instead(1), instead(2)], [Some("input_tokens"), None, Some("prompt_tokens")]);
    }

    #[test]
    fn an_average_is_taken_of_what_was_used() {
        let average = |cost| at_average(credits("10"), credits(cost), Quantity::from_units(7));
        assert_eq!(average("2"), Some(Quantity::from_units(35)));
        assert_eq!(average("0"), None);
    }

    proptest! {
        #[test]
        fn so_much_is_covered_and_one_unit_more_is_not(
            price in 1..1_000_000_000i64, zeros in 0..7u32, available in 0..1_000_000_000_000i64, carried in 0..1_000i64,
        ) {
            let per = 10_i64.pow(zeros);
            let text = format!("tokens: 0.{price:09} per {per}");
            let line = line(&text);
            let before = Before::carrying(Carry(carried % line.denominator().expect("fits")));
            let available = Credits::from_micros(available);
            let Remaining::Units(units) = remaining(&line, before, available) else {
                return Err(TestCaseError::fail("a price has an end"));
            };
            let cost = |quantity| line.rate(Usage::of(quantity), before).map(|rated| rated.credits);
            prop_assert!(cost(units).expect("fits") <= available, "{text}");
            if units.micros() < MAX_UNITS * MICROS_PER_UNIT {
                let more = units.plus(Quantity::ONE).expect("fits");
                prop_assert!(cost(more).is_ok_and(|cost| cost > available) || cost(more).is_err(), "{text}");
            }
        }

        #[test]
        fn no_tier_lets_a_balance_be_exceeded(
            ends in prop::collection::btree_set(1..10_000i64, 1..4), prices in prop::collection::vec(0..3_000_000i64, 5),
            volume: bool, used in 0..12_000i64, available in 0..100_000_000i64,
        ) {
            let mode = if volume { "volume" } else { "graduated" };
            let price = |at: usize| { let micros = prices[at]; format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000) };
            let tiers: Vec<String> = ends.iter().enumerate().map(|(at, end)| format!("{} to {end}", price(at))).collect();
            let text = format!("calls: {mode} {}, {} beyond", tiers.join(", "), price(4));
            let (line, used) = (line(&text), Quantity::from_units(used));
            let before = Before { used, ..Before::default() };
            let available = Credits::from_micros(available);
            if let Remaining::Units(units) = remaining(&line, before, available) {
                let cost = |quantity| line.rate(Usage::of(quantity), before).map(|rated| rated.credits);
                prop_assert!(cost(units).expect("fits") <= available, "{text}");
                let more = units.plus(Quantity::ONE).expect("fits");
                prop_assert!(units.micros() == MAX_UNITS * MICROS_PER_UNIT || cost(more).map_or(true, |c| c > available), "{text}");
            }
        }
    }
}
