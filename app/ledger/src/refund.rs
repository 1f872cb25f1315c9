//! Giving money back: how much, which credits go for it, and how its tax is split.
//!
//! Money goes back in full, or for what is left of what was bought. Whichever it is, what is left of the grant is taken: nobody
//! keeps credits that were paid back. Credits that are used stay used, and no debt is made of them: that something goes back
//! although it was used is the seller's choice, and what a bank took in a dispute is owed in money, not in credits.

use crate::credits::Credits;
use serde::{Deserialize, Serialize};

/// How far giving back has come. In the order in which one state follows another: a bank may send back what it took first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The provider is asked, or a dispute is open.
    Asked,
    /// The money is with the payer.
    Succeeded,
    /// It is not: it stays, or came back.
    Failed,
}

impl State {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Asked, Self::Succeeded, Self::Failed];

    /// Its name in tables and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Why nothing can be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRefund {
    /// It was never paid.
    #[error("this purchase is not paid: there is nothing to give back")]
    NotPaid,
    /// All of it is given back, or on its way.
    #[error("all of this is given back already, or on its way")]
    NothingLeft,
    /// All credits are used.
    #[error("all credits of this purchase are used: give the whole amount back, if you mean to")]
    AllUsed,
    /// The payer's bank has taken it.
    #[error("the payer's bank asks for this money in a dispute: answer that first")]
    Disputed,
}

impl NoRefund {
    /// The stable code that programs compare.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotPaid => "refund_not_paid",
            Self::NothingLeft => "refund_nothing_left",
            Self::AllUsed => "refund_all_used",
            Self::Disputed => "refund_disputed",
        }
    }
}

/// How much is to go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// All of the money.
    Full,
    /// What the credits cost that are left.
    Rest,
}

/// What was sold, and what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sale {
    /// What was paid, in minor units; above zero.
    pub gross_minor: i64,
    /// What of it was the price without tax.
    pub net_minor: i64,
    /// What is given back, or on its way.
    pub back_minor: i64,
    /// What was given for it; above zero.
    pub credits: Credits,
    /// What is left of that.
    pub left: Credits,
}

/// What goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    /// Gross, in minor units; above zero.
    pub gross_minor: i64,
    /// The credits that are taken for it.
    pub credits: Credits,
}

impl Sale {
    /// What goes back. For the rest of the credits their share of the price, rounded down: never more than they cost.
    ///
    /// # Errors
    /// [`NoRefund::NothingLeft`], [`NoRefund::AllUsed`].
    pub fn refund(&self, how: How) -> Result<Refund, NoRefund> {
        let open = self.gross_minor - self.back_minor;
        if open <= 0 {
            return Err(NoRefund::NothingLeft);
        }
        let gross_minor = match how {
            How::Full => open,
            How::Rest => open.min(mul_div_floor(self.gross_minor, self.left.micros(), self.credits.micros())),
        };
        if gross_minor == 0 { Err(NoRefund::AllUsed) } else { Ok(Refund { gross_minor, credits: self.left }) }
    }

    /// The credits that go for an amount that somebody gave back elsewhere: their share, rounded down, of what is left.
    #[must_use]
    pub fn credits_for(&self, gross_minor: i64) -> Credits {
        let share = mul_div_floor(self.credits.micros(), gross_minor, self.gross_minor);
        Credits::from_micros(share).min(self.left)
    }

    /// Net and tax of a part that goes back after `before` went back: parts of the whole sum up to the whole.
    #[must_use]
    pub fn split(&self, before_minor: i64, gross_minor: i64) -> (i64, i64) {
        let net = |gross| mul_div_floor(self.net_minor, gross, self.gross_minor);
        let net = net(before_minor + gross_minor) - net(before_minor);
        (net, gross_minor - net)
    }
}

/// `amount` × `part` / `whole`, all from zero on and `part` at most `whole`, so that it fits.
fn mul_div_floor(amount: i64, part: i64, whole: i64) -> i64 {
    let exact = i128::from(amount) * i128::from(part.clamp(0, whole)) / i128::from(whole.max(1));
    i64::try_from(exact).unwrap_or(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sale() -> impl Strategy<Value = Sale> {
        (1_i64..1_000_000_000, 0_i64..1_000_000_000, 1_i64..1_000_000_000_000_000, 0_i64..1_000_000_000_000_000)
            .prop_map(|(gross_minor, net, credits, left)| Sale {
                gross_minor,
                net_minor: net.min(gross_minor),
                back_minor: 0,
                credits: Credits::from_micros(credits),
                left: Credits::from_micros(left.min(credits)),
            })
    }

    proptest! {
        #[test]
        fn what_goes_back_in_parts_adds_up_to_what_was_paid_net_and_tax(
            sale in sale(),
            cuts in proptest::collection::vec(0_i64..1_000_000_000, 0..6),
        ) {
            let mut cuts: Vec<i64> = cuts.into_iter().map(|cut| cut % sale.gross_minor).collect();
            cuts.extend([0, sale.gross_minor]);
            cuts.sort_unstable();
            let parts = cuts.windows(2).map(|cut| sale.split(cut[0], cut[1] - cut[0]));
            let (net, tax) = parts.fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
            prop_assert_eq!((net, tax), (sale.net_minor, sale.gross_minor - sale.net_minor));
        }

        #[test]
        fn the_rest_is_never_worth_more_than_was_paid_for_it(sale in sale(), back in 0_i64..1_000_000_000) {
            let sale = Sale { back_minor: back.min(sale.gross_minor), ..sale };
            let open = sale.gross_minor - sale.back_minor;
            match sale.refund(How::Rest) {
                Ok(refund) => {
                    prop_assert!(refund.gross_minor > 0 && refund.gross_minor <= open);
                    let paid = i128::from(refund.gross_minor) * i128::from(sale.credits.micros());
                    prop_assert!(paid <= i128::from(sale.gross_minor) * i128::from(sale.left.micros()));
                    prop_assert_eq!(refund.credits, sale.left);
                }
                Err(NoRefund::NothingLeft) => prop_assert_eq!(open, 0),
                Err(_) => prop_assert!(sale.left < sale.credits),
            }
        }

        #[test]
        fn what_is_left_bounds_the_credits_that_go(sale in sale(), gross in 0_i64..2_000_000_000) {
            prop_assert!(sale.credits_for(gross) <= sale.left);
        }
    }

    #[test]
    fn in_full_means_the_money_and_all_credits_that_are_left() {
        let credits = |text| Credits::parse(text).expect("an amount");
        let sale = Sale {
            gross_minor: 11_900,
            net_minor: 10_000,
            back_minor: 0,
            credits: credits("1000"),
            left: credits("250"),
        };
        assert_eq!(sale.refund(How::Full), Ok(Refund { gross_minor: 11_900, credits: credits("250") }));
        assert_eq!(sale.refund(How::Rest), Ok(Refund { gross_minor: 2_975, credits: credits("250") }));
        assert_eq!(sale.split(0, 2_975), (2_500, 475));
        assert_eq!(Sale { left: Credits::ZERO, ..sale }.refund(How::Rest), Err(NoRefund::AllUsed));
        assert_eq!(Sale { back_minor: 11_900, ..sale }.refund(How::Full), Err(NoRefund::NothingLeft));
    }
}
