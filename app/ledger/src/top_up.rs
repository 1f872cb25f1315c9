//! Auto top-up: whether a package is bought now, without anybody there.
//!
//! What is asked for is bought once at a time, within a cap for each calendar month, and not again at once. After
//! [`MAX_FAILURES`] in a row it turns itself off; it never turns itself on. The caller reads the facts and opens the purchase in
//! one transaction, so that nothing can come between the two.

use crate::credits::Credits;
use crate::money::Money;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Failures in a row after which it turns itself off: a card that was refused three times will be refused again.
pub const MAX_FAILURES: u32 = 3;
/// Shortest time between two purchases: the credits of the first must have been there to be used.
pub const COOL_DOWN_US: i64 = 60 * 1_000_000;
/// The same after a failure: what a bank refused it refuses a minute later too.
pub const AFTER_FAILURE_US: i64 = 15 * 60 * 1_000_000;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Whether it is on.
    pub is_on: bool,
    /// Below so many available credits something is bought.
    pub threshold: Credits,
    /// What it may cost in a calendar month, tax included.
    pub cap: Money,
}

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What time it is.
    pub now: Timestamp,
    /// Credits that are available.
    pub available: Credits,
    /// What the package costs now, tax included; `None` where it is not offered any more.
    pub price: Option<Money>,
    /// Whether somebody can be charged.
    pub can_charge: bool,
    /// What was bought this way in this calendar month and is paid or under way, in minor units.
    pub spent_minor: i64,
    /// Whether a purchase is under way.
    pub under_way: bool,
    /// When it bought last, whatever came of it.
    pub last_at: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
}

/// Why nothing is bought although too little is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It would cost more than is left of the month's cap.
    Capped,
    /// Nobody could be charged.
    NoMethod,
    /// The package is not offered any more, or costs another currency than the cap.
    NoPackage,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing, and nothing is to be told.
    Rest,
    /// A purchase is opened.
    Buy,
    /// Nothing, and people should know why.
    Without(Why),
    /// It turns itself off.
    TurnOff,
}

/// What is done now.
#[must_use]
pub fn decide(rule: &Rule, facts: &Facts) -> Decision {
    if !rule.is_on {
        return Decision::Rest;
    }
    if facts.failures >= MAX_FAILURES {
        return Decision::TurnOff;
    }
    let pause = if facts.failures > 0 { AFTER_FAILURE_US } else { COOL_DOWN_US };
    let is_soon = facts.last_at.is_some_and(|at| facts.now.micros().saturating_sub(at.micros()) < pause);
    if facts.available >= rule.threshold || facts.under_way || is_soon {
        return Decision::Rest;
    }
    let Some(price) = facts.price.filter(|price| price.currency == rule.cap.currency) else {
        return Decision::Without(Why::NoPackage);
    };
    if !facts.can_charge {
        return Decision::Without(Why::NoMethod);
    }
    match facts.spent_minor.checked_add(price.minor) {
        Some(sum) if sum <= rule.cap.minor => Decision::Buy,
        _ => Decision::Without(Why::Capped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    const MONTH_US: i64 = 30 * 86_400_000_000;

    fn euros(minor: i64) -> Money {
        Money { minor, currency: Currency::parse("EUR").expect("a currency") }
    }

    fn facts() -> Facts {
        Facts {
            now: Timestamp::from_micros(MONTH_US),
            available: Credits::from_micros(4),
            price: Some(euros(1_000)),
            can_charge: true,
            spent_minor: 4_000,
            under_way: false,
            last_at: None,
            failures: 0,
        }
    }

    fn rule() -> Rule {
        Rule { is_on: true, threshold: Credits::from_micros(5), cap: euros(5_000) }
    }

    #[test]
    fn it_buys_only_where_nothing_speaks_against_it() {
        let told = |change: fn(&mut Facts)| {
            let mut facts = facts();
            change(&mut facts);
            decide(&rule(), &facts)
        };
        assert_eq!(told(|_| ()), Decision::Buy);
        assert_eq!(told(|f| f.available = Credits::from_micros(5)), Decision::Rest);
        assert_eq!(told(|f| f.under_way = true), Decision::Rest);
        assert_eq!(told(|f| f.last_at = Some(Timestamp::from_micros(MONTH_US - COOL_DOWN_US + 1))), Decision::Rest);
        assert_eq!(told(|f| f.last_at = Some(Timestamp::from_micros(MONTH_US - COOL_DOWN_US))), Decision::Buy);
        assert_eq!(told(|f| f.spent_minor = 4_001), Decision::Without(Why::Capped));
        assert_eq!(told(|f| f.spent_minor = i64::MAX), Decision::Without(Why::Capped));
        assert_eq!(told(|f| f.can_charge = false), Decision::Without(Why::NoMethod));
        assert_eq!(told(|f| f.price = None), Decision::Without(Why::NoPackage));
        assert_eq!(told(|f| f.failures = MAX_FAILURES), Decision::TurnOff);
        assert_eq!(decide(&Rule { is_on: false, ..rule() }, &facts()), Decision::Rest);
    }

    proptest! {
        /// Time passes, credits are used, payments succeed, fail or hang: no month costs more than its cap, no two purchases are
        /// under way, three failures in a row are the end, and nothing but a person begins it again.
        #[test]
        fn it_stays_within_its_bounds_whatever_happens(
            steps in prop::collection::vec((0..6_u8, 0..2_000_000_000_i64, 1..40_i64), 1..400),
        ) {
            let (mut rule, mut facts) = (rule(), Facts { spent_minor: 0, ..facts() });
            let mut months = std::collections::BTreeMap::<i64, i64>::new();
            for (what, pause, used) in steps {
                facts.now = Timestamp::from_micros(facts.now.micros() + pause * 1_000);
                let month = facts.now.micros() / MONTH_US;
                facts.spent_minor = months.get(&month).copied().unwrap_or_default();
                match what {
                    0 if facts.under_way => {
                        (facts.under_way, facts.failures) = (false, 0);
                        facts.available = Credits::from_micros(facts.available.micros() + 20);
                    }
                    1 | 2 if facts.under_way => {
                        (facts.under_way, facts.failures) = (false, facts.failures + 1);
                        let bought = facts.last_at.expect("bought").micros() / MONTH_US;
                        *months.entry(bought).or_default() -= 1_000;
                        facts.spent_minor = months.get(&month).copied().unwrap_or_default();
                    }
                    _ => facts.available = Credits::from_micros(facts.available.micros() - used),
                }
                let was = rule.is_on;
                match decide(&rule, &facts) {
                    Decision::Buy => {
                        prop_assert!(was && !facts.under_way && facts.failures < MAX_FAILURES);
                        (facts.under_way, facts.last_at) = (true, Some(facts.now));
                        *months.entry(month).or_default() += 1_000;
                    }
                    Decision::TurnOff => {
                        prop_assert_eq!(facts.failures, MAX_FAILURES);
                        rule.is_on = false;
                    }
                    Decision::Rest | Decision::Without(_) => {}
                }
                prop_assert!(was || !rule.is_on);
                prop_assert!(months.values().all(|spent| (0..=rule.cap.minor).contains(spent)));
            }
        }
    }
}
