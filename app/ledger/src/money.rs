//! Money: whole minor units of a currency. Never added to credits.

use crate::decimal::{self, DecimalError};
use crate::refusal::Refusal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The codes of ISO 4217 that name money people pay with, as of 2026.
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD \
    CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL \
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA \
    MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB \
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU \
    UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";
/// Currencies without minor units (ISO 4217, exponent 0).
const NO_MINOR: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
/// Currencies with thousandths (ISO 4217, exponent 3).
const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency of that code, in capitals.
    ///
    /// # Errors
    /// [`Refusal::BadCurrency`].
    pub fn parse(code: &str) -> Result<Self, Refusal> {
        let known = CODES.split_ascii_whitespace().any(|known| known == code);
        let bytes = <[u8; 3]>::try_from(code.as_bytes()).ok().filter(|_| known);
        bytes.map(Self).ok_or(Refusal::BadCurrency)
    }

    /// Its code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII letters get in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Decimals that its amounts are written with.
    #[must_use]
    pub fn decimals(self) -> u32 {
        let among = |codes: &str| codes.split_ascii_whitespace().any(|code| code == self.as_str());
        if among(NO_MINOR) {
            0
        } else if among(THOUSANDTHS) {
            3
        } else {
            2
        }
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// An amount of money in minor units (cents).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// In the currency's minor units: 5000 are 50.00 EUR, or 5000 JPY.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

impl Money {
    /// Reads `50.00 EUR`: an amount with at most the currency's decimals, then its code.
    ///
    /// # Errors
    /// [`Refusal::BadCurrency`], [`Refusal::BadAmount`], [`Refusal::BadCost`] below zero.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let (amount, code) = text.trim().rsplit_once(' ').ok_or(Refusal::BadCurrency)?;
        let currency = Currency::parse(code)?;
        let minor = decimal::parse(amount.trim_end(), currency.decimals());
        let minor = minor.map_err(|reason| Refusal::BadAmount { reason })?;
        let too_large = |_| Refusal::BadAmount { reason: DecimalError::TooLarge };
        let minor = i64::try_from(minor).map_err(too_large)?;
        if minor < 0 { Err(Refusal::BadCost) } else { Ok(Self { minor, currency }) }
    }
}

impl Money {
    /// The amount without its currency, as the API and files say it: `119.00`.
    #[must_use]
    pub fn decimal(&self) -> String {
        let mut text = self.to_string();
        text.truncate(text.len() - 1 - self.currency.as_str().len());
        text
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (decimals, code) = (self.currency.decimals(), self.currency.as_str());
        let unit = 10_u64.pow(decimals);
        let (minor, sign) = (self.minor.unsigned_abs(), if self.minor < 0 { "-" } else { "" });
        match decimals {
            0 => write!(f, "{sign}{minor} {code}"),
            _ => write!(f, "{sign}{}.{:0width$} {code}", minor / unit, minor % unit, width = decimals as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_the_decimals_of_their_currency() {
        let money = |minor, code| Money { minor, currency: Currency::parse(code).expect("a currency") }.to_string();
        assert_eq!(money(5_000, "EUR"), "50.00 EUR");
        assert_eq!(money(-5, "USD"), "-0.05 USD");
        assert_eq!(money(5_000, "JPY"), "5000 JPY");
        assert_eq!(money(1_234, "KWD"), "1.234 KWD");
    }

    #[test]
    fn what_people_write_is_read_exactly() {
        for text in ["50.00 EUR", "0.01 USD", "5000 JPY", "1.234 KWD", "92233720368547758.07 EUR"] {
            assert_eq!(Money::parse(text).map(|money| money.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Money::parse("50 EUR").map(|money| money.minor), Ok(5_000));
        let code = |text| Money::parse(text).expect_err("no money").code();
        assert_eq!([code("50"), code("50 eur"), code("50EUR"), code("")], ["bad_currency"; 4]);
        assert_eq!(
            [code("0.001 EUR"), code("5.5 JPY"), code("x EUR"), code("92233720368547758.08 EUR")],
            ["bad_amount"; 4]
        );
        assert_eq!(code("-1 EUR"), "bad_cost");
    }

    #[test]
    fn what_is_no_currency_is_refused() {
        for code in ["", "eur", "EURO", "XTS", "E R", "€"] {
            assert_eq!(Currency::parse(code), Err(Refusal::BadCurrency), "{code:?}");
        }
    }
}
