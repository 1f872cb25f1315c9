//! Packages: credits that are bought once. A fixed amount has a price; a custom amount has prices by volume: all of it
//! costs what the last step that it reaches says. So a little more may cost less than a little less
//! ([`VolumePrices::cheaper`] finds that, for the buyer's sake).

use crate::credits::{Credits, MICROS_PER_CREDIT};
use crate::money::{Currency, Money};
use serde::{Deserialize, Serialize};

/// Steps of one list of prices, at most: as many as a page can show.
pub const MAX_STEPS: usize = 20;
/// Prices are per so many credits, so that a fraction of a cent per credit can be said.
pub const PER: i64 = 1_000;

/// Why something cannot be bought, or offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSale {
    /// Not a package of this org, or not any more.
    #[error("this package is not offered any more: choose another")]
    NotOffered,
    /// A custom amount that is not sold.
    #[error("choose a whole number of credits from {min} to {max}")]
    BadAmount {
        /// The least.
        min: Credits,
        /// The most.
        max: Credits,
    },
    /// An amount where there is none to choose, or none where there is.
    #[error("say how many credits for a custom amount, and only for that")]
    AmountNotExpected,
    /// A price of nothing.
    #[error("this costs nothing, so there is nothing to pay: credits like these are given by an operator")]
    Free,
    /// A price beyond what can be paid.
    #[error("this costs more than can be paid at once: choose less")]
    TooDear,
    /// Prices that make no sense.
    #[error("prices of a custom amount: {problem}")]
    BadPrices {
        /// What to change.
        problem: &'static str,
    },
}

impl NoSale {
    /// The stable code that programs compare.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOffered => "package_not_offered",
            Self::BadAmount { .. } => "bad_purchase_amount",
            Self::AmountNotExpected => "purchase_amount_not_expected",
            Self::Free => "purchase_is_free",
            Self::TooDear => "purchase_too_dear",
            Self::BadPrices { .. } => "bad_prices",
        }
    }
}

/// From so many credits on, all of them cost so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeStep {
    /// From so many on.
    pub from: Credits,
    /// Minor units per [`PER`] credits, net.
    pub per_1000_minor: i64,
}

/// Prices of a custom amount, by volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumePrices {
    /// The most that is sold at once.
    pub max: Credits,
    /// In ascending order; the first one says the least that is sold.
    pub steps: Vec<VolumeStep>,
}

impl VolumePrices {
    /// Checks what a type cannot say.
    ///
    /// # Errors
    /// [`NoSale::BadPrices`].
    pub fn check(&self) -> Result<(), NoSale> {
        let bad = |problem| Err(NoSale::BadPrices { problem });
        let whole = |credits: Credits| credits.is_positive() && credits.micros() % MICROS_PER_CREDIT == 0;
        let Some(last) = self.steps.last() else { return bad("there must be at least one step") };
        if self.steps.len() > MAX_STEPS {
            return bad("there are more than 20 steps");
        }
        if !self.steps.iter().all(|step| whole(step.from)) || !whole(self.max) {
            return bad("steps begin at a whole number of credits above zero, and so is the most that is sold");
        }
        if !self.steps.is_sorted_by(|one, next| one.from < next.from) || last.from > self.max {
            return bad("each step begins above the one before it, and none above the most that is sold");
        }
        if self.steps.iter().any(|step| step.per_1000_minor <= 0) {
            return bad("a price is above zero");
        }
        Ok(())
    }

    /// The least that is sold.
    #[must_use]
    pub fn min(&self) -> Credits {
        self.steps.first().map_or(self.max, |step| step.from)
    }

    /// What so many credits cost, net: rounded half up to the minor unit, once.
    ///
    /// # Errors
    /// [`NoSale::BadAmount`], [`NoSale::TooDear`], [`NoSale::Free`] where it rounds to nothing.
    pub fn price(&self, credits: Credits, currency: Currency) -> Result<Money, NoSale> {
        let bad = NoSale::BadAmount { min: self.min(), max: self.max };
        if credits > self.max || credits.micros() % MICROS_PER_CREDIT != 0 {
            return Err(bad);
        }
        let step = self.steps.iter().rev().find(|step| step.from <= credits).ok_or(bad)?;
        let minor = div_half_up(i128::from(credits.micros()) * i128::from(step.per_1000_minor));
        match i64::try_from(minor) {
            Ok(0) => Err(NoSale::Free),
            Ok(minor) => Ok(Money { minor, currency }),
            Err(_) => Err(NoSale::TooDear),
        }
    }

    /// The least amount above this one that costs less, if there is one: the beginning of a later step.
    #[must_use]
    pub fn cheaper(&self, credits: Credits, currency: Currency) -> Option<(Credits, Money)> {
        let price = self.price(credits, currency).ok()?;
        let later = self.steps.iter().filter(|step| step.from > credits);
        let mut priced = later.filter_map(|step| Some((step.from, self.price(step.from, currency).ok()?)));
        priced.find(|(_, other)| other.minor < price.minor)
    }
}

/// An amount from zero on, divided by a thousand credits.
const fn div_half_up(amount: i128) -> i128 {
    let unit = PER as i128 * MICROS_PER_CREDIT as i128;
    (amount + unit / 2) / unit
}

/// What a package sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terms {
    /// So many credits for so much, net.
    Fixed {
        /// How many.
        credits: Credits,
        /// What for.
        price: Money,
    },
    /// As many as somebody wants.
    Custom {
        /// What they cost.
        prices: VolumePrices,
        /// In which currency.
        currency: Currency,
    },
}

impl Terms {
    /// Checks what a type cannot say.
    ///
    /// # Errors
    /// [`NoSale::Free`], [`NoSale::BadPrices`].
    pub fn check(&self) -> Result<(), NoSale> {
        match self {
            Self::Fixed { credits, price } if !credits.is_positive() || price.minor <= 0 => Err(NoSale::Free),
            Self::Fixed { .. } => Ok(()),
            Self::Custom { prices, .. } => prices.check(),
        }
    }

    /// In which currency it is sold.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        match self {
            Self::Fixed { price, .. } => price.currency,
            Self::Custom { currency, .. } => *currency,
        }
    }

    /// How many credits, and for how much, net. `wanted` is there for a custom amount and only then.
    ///
    /// # Errors
    /// [`NoSale`].
    pub fn sell(&self, wanted: Option<Credits>) -> Result<(Credits, Money), NoSale> {
        match (self, wanted) {
            (Self::Fixed { credits, price }, None) => Ok((*credits, *price)),
            (Self::Custom { prices, currency }, Some(wanted)) => Ok((wanted, prices.price(wanted, *currency)?)),
            (Self::Fixed { .. }, Some(_)) | (Self::Custom { .. }, None) => Err(NoSale::AmountNotExpected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn eur() -> Currency {
        Currency::parse("EUR").expect("a currency")
    }

    fn whole(count: i64) -> Credits {
        Credits::from_micros(count * MICROS_PER_CREDIT)
    }

    fn prices(max: i64, steps: &[(i64, i64)]) -> VolumePrices {
        let step =
            |(from, per_1000_minor): &(i64, i64)| VolumeStep { from: whole(*from), per_1000_minor: *per_1000_minor };
        VolumePrices { max: whole(max), steps: steps.iter().map(step).collect() }
    }

    fn any_prices() -> impl Strategy<Value = VolumePrices> {
        let steps = proptest::collection::btree_map(1_i64..1_000_000, 1_i64..10_000_000, 1..8);
        steps.prop_map(|steps| prices(2_000_000, &steps.into_iter().collect::<Vec<_>>()))
    }

    proptest! {
        #[test]
        fn all_of_an_amount_costs_what_its_step_says(prices in any_prices(), count in 1_i64..2_000_001) {
            prices.check().expect("in order");
            let step = prices.steps.iter().rfind(|step| step.from <= whole(count));
            match (prices.price(whole(count), eur()), step) {
                // Less than half a minor unit beside the exact price, in either direction.
                (Ok(money), Some(step)) => {
                    let off = i128::from(money.minor) * 1_000 - i128::from(count) * i128::from(step.per_1000_minor);
                    prop_assert!((-499..=500).contains(&off), "{}", off);
                }
                (Err(NoSale::BadAmount { min, .. }), None) => prop_assert!(whole(count) < min),
                (Err(NoSale::Free), Some(step)) => prop_assert!(count * step.per_1000_minor < 500),
                other => prop_assert!(false, "{:?}", other),
            }
        }

        #[test]
        fn within_a_step_more_never_costs_less(prices in any_prices(), count in 1_i64..1_999_999, more in 1_i64..1_000) {
            let (one, other) = (whole(count), whole(count + more));
            let step = |credits: Credits| prices.steps.iter().filter(|step| step.from <= credits).count();
            if step(one) == step(other)
                && let (Ok(one), Ok(other)) = (prices.price(one, eur()), prices.price(other, eur()))
            {
                prop_assert!(one.minor <= other.minor);
            }
        }

        #[test]
        fn what_is_cheaper_is_more_for_less(prices in any_prices(), count in 1_i64..2_000_000) {
            if let Some((more, less)) = prices.cheaper(whole(count), eur()) {
                prop_assert!(more > whole(count));
                prop_assert!(less.minor < prices.price(whole(count), eur()).expect("sold").minor);
            }
        }
    }

    #[test]
    fn a_custom_amount_is_whole_credits_within_bounds() {
        let prices = prices(10_000, &[(100, 12_000), (1_000, 10_000)]);
        let minor = |credits| prices.price(credits, eur()).map(|money| money.minor);
        assert_eq!([minor(whole(100)), minor(whole(999)), minor(whole(1_000))], [Ok(1_200), Ok(11_988), Ok(10_000)]);
        for credits in [whole(99), whole(10_001), Credits::from_micros(100_500_000), whole(0), whole(-5)] {
            assert_eq!(minor(credits).expect_err("not sold").code(), "bad_purchase_amount", "{credits}");
        }
        assert_eq!(prices.cheaper(whole(999), eur()).map(|(more, _)| more), Some(whole(1_000)));
        assert_eq!(prices.cheaper(whole(500), eur()), None);
    }

    #[test]
    fn prices_that_make_no_sense_are_refused() {
        let code = |prices: &VolumePrices| prices.check().map_err(|refusal| refusal.code());
        assert_eq!(code(&prices(100, &[(1, 1)])), Ok(()));
        let half = VolumePrices { max: Credits::from_micros(1_500_000), ..prices(9, &[(1, 1)]) };
        let many: Vec<(i64, i64)> = (1..=21).map(|from| (from, 1)).collect();
        for bad in [
            prices(100, &[]),
            prices(100, &[(0, 1)]),
            prices(100, &[(5, 1), (5, 1)]),
            prices(100, &[(5, 1), (4, 1)]),
            prices(100, &[(101, 1)]),
            prices(100, &[(1, 0)]),
            prices(100, &many),
            half,
        ] {
            assert_eq!(code(&bad), Err("bad_prices"), "{bad:?}");
        }
    }

    #[test]
    fn a_custom_amount_is_said_and_a_fixed_one_is_not() {
        let price = Money { minor: 100, currency: eur() };
        let fixed = Terms::Fixed { credits: whole(5), price };
        let custom = Terms::Custom { prices: prices(10, &[(1, 1_000)]), currency: eur() };
        assert_eq!(fixed.sell(None), Ok((whole(5), price)));
        assert_eq!(custom.sell(Some(whole(2))), Ok((whole(2), Money { minor: 2, ..price })));
        assert_eq!(fixed.sell(Some(whole(5))), Err(NoSale::AmountNotExpected));
        assert_eq!(custom.sell(None), Err(NoSale::AmountNotExpected));
    }
}
