//! Tax on a sale: one rate, in millionths, on a net amount of money; rounded half up to the minor unit, once per sum.

use crate::money::Money;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// All of it: 100 %.
const WHOLE: i128 = 1_000_000;

/// What is added to a net amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// What people read, such as `VAT`; empty where there is none.
    pub name: String,
    /// 190,000 are 19 %.
    pub millionths: u32,
}

impl Tax {
    /// The tax on a net amount, of its sign: a refund gives back what the sale took.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn on(&self, net: Money) -> Result<Money, Refusal> {
        let exact = i128::from(net.minor.unsigned_abs()) * i128::from(self.millionths);
        let rounded = (exact + WHOLE / 2) / WHOLE;
        let minor = i64::try_from(rounded).map_err(|_| Refusal::AmountOverflow)?;
        Ok(Money { minor: if net.minor < 0 { -minor } else { minor }, ..net })
    }

    /// As people read it: `VAT 19 %`; empty where there is none.
    #[must_use]
    pub fn title(&self) -> String {
        if self.name.is_empty() {
            return String::new();
        }
        let (whole, rest) = (self.millionths / 10_000, self.millionths % 10_000);
        let rest = format!("{rest:04}");
        match rest.trim_end_matches('0') {
            "" => format!("{} {whole} %", self.name),
            rest => format!("{} {whole}.{rest} %", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn tax_is_rounded_half_up_and_has_the_sign_of_what_it_is_on() {
        let on = |minor, millionths| {
            let net = Money { minor, currency: Currency::parse("EUR").expect("a currency") };
            Tax { name: "VAT".to_owned(), millionths }.on(net).expect("fits").minor
        };
        assert_eq!([on(10_000, 190_000), on(-10_000, 190_000), on(0, 190_000)], [1_900, -1_900, 0]);
        // 0.5 of a cent, and a little less.
        assert_eq!([on(50, 10_000), on(49, 10_000), on(-50, 10_000)], [1, 0, -1]);
        assert_eq!(on(i64::MAX, 1_000_000), i64::MAX);
    }

    #[test]
    fn a_rate_is_written_without_needless_zeros() {
        let title = |name: &str, millionths| Tax { name: name.to_owned(), millionths }.title();
        assert_eq!([title("VAT", 190_000), title("Sales tax", 88_750)], ["VAT 19 %", "Sales tax 8.875 %"]);
        assert_eq!(title("", 0), "");
    }
}
