//! Plans: what is subscribed to. A plan says what a whole cycle gives and costs, and what is in force meanwhile; what a part
//! of a cycle gives and costs follows from that ([`Plan::supply`], [`Plan::instead_of`]).

use crate::credits::Credits;
use crate::id::PlanId;
use crate::label::{MAX_LABEL_BYTES, check_text};
use crate::money::Money;
use crate::policy::Policy;
use crate::proration::Stretch;
use crate::refusal::Refusal;
use crate::rollover::Rollover;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest that details of events are kept by a plan: a hundred years.
pub const MAX_RETENTION_DAYS: u32 = 36_525;

/// A plan that is offered to an org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its number within the org.
    pub id: PlanId,
    /// What programs and the command line call it. A plan that changes is another row of the same name.
    pub name: String,
    /// What people read.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What a whole cycle gives; `None`: to be agreed on.
    pub credits: Option<Credits>,
    /// What a whole cycle costs, net; `None`: to be agreed on, or nothing that is invoiced here.
    pub price: Option<Money>,
    /// What becomes of the unused rest of a cycle; without terms it expires.
    pub rollover: Option<Rollover>,
    /// What happens when credits run out.
    pub policy: Policy,
    /// How long details of events are kept; `None`: as the org's settings say.
    pub retention_days: Option<u32>,
    /// Whether only an operator subscribes an org to it.
    pub by_agreement: bool,
    /// Whether somebody may still subscribe to it.
    pub offered: bool,
}

/// What a part of a cycle gives, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supply {
    /// From when until when.
    pub part: Stretch,
    /// Credits; from zero on.
    pub credits: Credits,
    /// Net; `None` where nothing is to be paid.
    pub fee: Option<Money>,
}

/// What another plan changes in the rest of a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The rest of the cycle.
    pub part: Stretch,
    /// What comes on top of what the old plan gave; from zero on, since what was given is not taken back.
    pub credits: Credits,
    /// What is given back of the old plan's fee, above zero; `None` where nothing is.
    pub back: Option<Money>,
    /// The new plan's fee; `None` where nothing is to be paid.
    pub fee: Option<Money>,
}

/// When another plan takes the place of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comes {
    /// At once: it costs more, or the same and gives more.
    AtOnce,
    /// With the next cycle: what is paid for is used up first.
    NextCycle,
}

impl Plan {
    /// Checks what a type cannot say.
    ///
    /// # Errors
    /// What is wrong with its texts, terms or amounts.
    pub fn check(&self) -> Result<(), Refusal> {
        check_text("name", &self.name, MAX_LABEL_BYTES)?;
        check_text("title", &self.title, MAX_LABEL_BYTES)?;
        if self.credits.is_some_and(|credits| !credits.is_positive()) || (self.credits.is_none() && !self.by_agreement)
        {
            return Err(Refusal::GrantNotPositive);
        }
        if self.price.is_some_and(|price| price.minor < 0) {
            return Err(Refusal::BadCost);
        }
        self.rollover.map_or(Ok(()), |terms| terms.check())
    }

    /// What a whole cycle costs in minor units; nothing where no price is said.
    #[must_use]
    pub fn fee(&self) -> i64 {
        self.price.map_or(0, |price| price.minor)
    }

    /// When it would take the place of `old`. Prices in two currencies cannot be compared: then with the next cycle.
    #[must_use]
    pub fn comes(&self, old: &Self) -> Comes {
        let currency = |plan: &Self| plan.price.filter(|price| price.minor > 0).map(|price| price.currency);
        let comparable = match (currency(self), currency(old)) {
            (Some(new), Some(old)) => new == old,
            _ => true,
        };
        let worth = |plan: &Self| (plan.fee(), plan.credits.unwrap_or_default());
        if comparable && worth(self) > worth(old) { Comes::AtOnce } else { Comes::NextCycle }
    }

    /// What the part of a cycle from `from` on gives and costs. `whole` is what a whole cycle would be.
    ///
    /// # Errors
    /// [`Refusal::TimeOutOfRange`] where nothing is left of the cycle.
    pub fn supply(&self, whole: Stretch, from: Timestamp) -> Result<Supply, Refusal> {
        let part = Stretch::new(from.max(whole.from), whole.to)?;
        let credits = whole.part(self.credits.unwrap_or_default().micros(), part.from, part.to);
        Ok(Supply { part, credits: Credits::from_micros(credits), fee: self.fee_of(whole, part) })
    }

    /// What changes where it takes the place of `old` at `at`, within a cycle.
    ///
    /// # Errors
    /// As [`Plan::supply`].
    pub fn instead_of(&self, old: &Self, whole: Stretch, at: Timestamp) -> Result<Replaced, Refusal> {
        let (new, rest) = (self.supply(whole, at)?, old.supply(whole, at)?);
        let credits = new.credits.minus(rest.credits)?;
        let credits = if credits.is_negative() { Credits::ZERO } else { credits };
        Ok(Replaced { part: new.part, credits, back: rest.fee, fee: new.fee })
    }

    fn fee_of(&self, whole: Stretch, part: Stretch) -> Option<Money> {
        let price = self.price?;
        let minor = whole.part(price.minor, part.from, part.to);
        (minor > 0).then_some(Money { minor, ..price })
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::money::Currency;

    /// A plan of so many credits for so many cents.
    pub(crate) fn plan(id: i64, credits: &str, cents: i64) -> Plan {
        Plan {
            id: PlanId(id),
            name: format!("plan-{id}"),
            title: format!("Plan {id}"),
            description: String::new(),
            credits: Some(Credits::parse(credits).expect("an amount")),
            price: Some(Money { minor: cents, currency: Currency::parse("EUR").expect("a currency") }),
            rollover: None,
            policy: Policy::Pause,
            retention_days: None,
            by_agreement: false,
            offered: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::plan;
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn what_costs_more_comes_at_once_and_everything_else_with_the_next_cycle() {
        let (small, large) = (plan(1, "100", 1_000), plan(2, "500", 4_000));
        assert_eq!((large.comes(&small), small.comes(&large)), (Comes::AtOnce, Comes::NextCycle));
        let more_for_the_same = plan(3, "200", 1_000);
        assert_eq!(more_for_the_same.comes(&small), Comes::AtOnce);
        assert_eq!(plan(4, "100", 1_000).comes(&small), Comes::NextCycle);
        let free = Plan { price: None, ..plan(5, "10", 0) };
        assert_eq!((small.comes(&free), free.comes(&small)), (Comes::AtOnce, Comes::NextCycle));
        let dollars = Money { minor: 9_000, currency: Currency::parse("USD").expect("a currency") };
        assert_eq!(Plan { price: Some(dollars), ..large }.comes(&small), Comes::NextCycle);
    }

    #[test]
    fn an_upgrade_gives_back_what_is_left_of_the_old_fee_and_takes_nothing_that_was_given() {
        let cycle = Stretch::new(at(0), at(30)).expect("not empty");
        let (old, new) = (plan(1, "300", 3_000), plan(2, "900", 6_000));
        let replaced = new.instead_of(&old, cycle, at(20)).expect("within");
        let minor = |money: Option<Money>| money.map(|money| money.minor);
        assert_eq!((minor(replaced.back), minor(replaced.fee)), (Some(1_000), Some(2_000)));
        assert_eq!(replaced.credits, Credits::parse("200").expect("an amount"));
        let fewer = Plan { credits: Some(Credits::from_micros(1)), ..new };
        assert_eq!(fewer.instead_of(&old, cycle, at(20)).expect("within").credits, Credits::ZERO);
        assert_eq!(fewer.instead_of(&old, cycle, at(30)), Err(Refusal::TimeOutOfRange));
    }

    proptest! {
        #[test]
        fn however_often_a_plan_is_replaced_each_costs_its_own_time(
            fees in prop::collection::vec(0..=1_000_000_i64, 2..6),
            mut times in prop::collection::vec(0..1_000_000_i64, 6),
        ) {
            let cycle = Stretch::new(at(0), at(1_000_000)).expect("not empty");
            times.sort_unstable();
            let plans: Vec<Plan> = fees.iter().zip(1..).map(|(fee, id)| plan(id, "1", *fee)).collect();
            let minor = |money: Option<Money>| money.map_or(0, |money| money.minor);
            let mut paid = minor(plans[0].supply(cycle, at(times[0])).expect("within").fee);
            for (pair, time) in plans.windows(2).zip(&times[1..]) {
                let replaced = pair[1].instead_of(&pair[0], cycle, at(*time)).expect("within");
                paid += minor(replaced.fee) - minor(replaced.back);
            }
            let ends = times[1..plans.len()].iter().chain([&1_000_000]);
            let own: i64 = plans.iter().zip(&times).zip(ends)
                .map(|((plan, from), to)| cycle.part(plan.fee(), at(*from), at(*to))).sum();
            prop_assert_eq!(paid, own);
        }
    }
}
