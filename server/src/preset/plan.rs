//! What a preset sells: plans by the month, packages once.

use chrono::{Datelike as _, Months};
use ledger::rollover::Cap;
use ledger::{Credits, GrantKind, Money, Refusal, Rollover, Timestamp};
use serde::{Deserialize, Deserializer};
use store::calendar::{day_start, local};
use store::{NewGrant, StoreError, Tz};

/// What is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What it is called on the command line.
    pub name: String,
    /// What people read.
    pub title: String,
    /// How many it gives a month.
    pub credits: Monthly,
    /// What a month costs: an amount, with [`Plan::currency`].
    pub price: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// What becomes of the unused rest of a month.
    #[serde(default)]
    pub rollover: Terms,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

/// Credits of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monthly {
    /// So many.
    Credits(Credits),
    /// What was agreed with each org.
    Custom,
}

/// What becomes of the unused rest of a plan's month: the ledger's own terms, written for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms(pub Option<Rollover>);

/// What is bought once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// What people read.
    pub title: String,
    /// How many it gives.
    pub credits: Credits,
    /// What it costs: an amount, with [`Package::currency`].
    pub price: String,
    /// ISO 4217.
    pub currency: String,
}

impl Plan {
    /// Whether what it gives is agreed with each org.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.credits == Monthly::Custom
    }

    /// What a month costs, if that is said.
    ///
    /// # Errors
    /// A sentence that says what is missing or wrong.
    pub fn money(&self) -> Result<Option<Money>, String> {
        match (&self.price, &self.currency) {
            (None, None) => Ok(None),
            (Some(price), Some(currency)) => money(price, currency).map(Some),
            (Some(_), None) => Err("a price needs its currency: add currency = \"EUR\"".to_owned()),
            (None, Some(_)) => Err("a currency without a price: add price = \"49.00\"".to_owned()),
        }
    }

    /// The grant of one billing cycle. `agreed` is what a custom plan gives.
    ///
    /// # Errors
    /// A sentence where a custom plan is not told how many.
    pub fn grant(
        &self,
        (from, to): (Timestamp, Timestamp),
        agreed: Option<Credits>,
        now: Timestamp,
    ) -> Result<NewGrant, String> {
        let amount = match (self.credits, agreed) {
            (Monthly::Credits(credits), _) | (Monthly::Custom, Some(credits)) => credits,
            (Monthly::Custom, None) => {
                return Err(format!("what the plan {} gives is agreed with each org: say it with --grant", self.name));
            }
        };
        let description = format!("Monthly credits of the plan {}", self.title);
        let given = NewGrant::of(GrantKind::Plan, amount, &description);
        // A month that has begun is given from now on: nobody could have spent it before.
        let effective_at = Some(from).filter(|from| *from > now);
        Ok(NewGrant { effective_at, expires_at: Some(to), rollover: self.rollover.0, cost: self.money()?, ..given })
    }
}

impl Package {
    /// What it costs.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn money(&self) -> Result<Money, String> {
        money(&self.price, &self.currency)
    }

    /// The grant of `count` of them, bought at once.
    ///
    /// # Errors
    /// A sentence where it is more than a ledger can hold.
    pub fn grant(&self, count: i64) -> Result<NewGrant, String> {
        let too_many = || format!("{count} × {} are more than a ledger holds", self.title);
        let micros = self.credits.micros().checked_mul(count).ok_or_else(too_many)?;
        let money = self.money()?;
        let minor = money.minor.checked_mul(count).ok_or_else(too_many)?;
        let description = if count == 1 { self.title.clone() } else { format!("{count} × {}", self.title) };
        let given = NewGrant::of(GrantKind::Purchase, Credits::from_micros(micros), &description);
        Ok(NewGrant { cost: Some(Money { minor, ..money }), ..given })
    }
}

fn money(price: &str, currency: &str) -> Result<Money, String> {
    Money::parse(&format!("{price} {currency}")).map_err(|refusal| format!("the price {price} {currency}: {refusal}"))
}

/// The calendar months of a zone that hold the instants from `start` to `now`, as first instant and end.
///
/// # Errors
/// [`Refusal::TimeOutOfRange`] beyond what a calendar holds.
pub fn cycles(zone: Tz, start: Timestamp, now: Timestamp) -> Result<Vec<(Timestamp, Timestamp)>, StoreError> {
    let first = local(zone, start)?.date_naive();
    let mut month = first.with_day(1).unwrap_or(first);
    let mut cycles = Vec::new();
    while day_start(zone, month)? <= now {
        let next = month.checked_add_months(Months::new(1)).ok_or(Refusal::TimeOutOfRange)?;
        cycles.push((day_start(zone, month)?, day_start(zone, next)?));
        month = next;
    }
    Ok(cycles)
}

impl<'de> Deserialize<'de> for Monthly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "custom" {
            return Ok(Self::Custom);
        }
        let bad = |refusal| format!("credits = \"{text}\": {refusal}; give a number in quotes, or \"custom\"");
        Credits::parse(&text).map(Self::Credits).map_err(|refusal| serde::de::Error::custom(bad(refusal)))
    }
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "rollover is \"none\", \"never\" (the rest never expires), or a table such as { months = 3 }, \
                 { cap_percent = 20, months = 3 } or { cap = \"200\", months = \"never\" }"
)]
enum WrittenTerms {
    Word(String),
    Table(WrittenTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTable {
    cap_percent: Option<u8>,
    cap: Option<Credits>,
    // For ever is much to give away by leaving something out.
    months: WrittenMonths,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenMonths {
    Count(u8),
    Word(String),
}

impl<'de> Deserialize<'de> for Terms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bad = |what: &str| serde::de::Error::custom(what);
        let table = match WrittenTerms::deserialize(deserializer)? {
            WrittenTerms::Word(word) if word == "none" => return Ok(Self(None)),
            WrittenTerms::Word(word) if word == "never" => return Ok(Self(Some(Rollover { cap: None, months: None }))),
            WrittenTerms::Word(word) => {
                let what = format!("rollover = \"{word}\": choose \"none\" or \"never\", or give a table");
                return Err(bad(&what));
            }
            WrittenTerms::Table(table) => table,
        };
        let cap = match (table.cap_percent, table.cap) {
            (Some(_), Some(_)) => return Err(bad("rollover has cap_percent and cap: leave one of them out")),
            (Some(percent), None) => Some(Cap::Percent(percent)),
            (None, Some(credits)) => Some(Cap::Credits(credits)),
            (None, None) => None,
        };
        let months = match table.months {
            WrittenMonths::Count(months) => Some(months),
            WrittenMonths::Word(word) if word == "never" => None,
            WrittenMonths::Word(_) => return Err(bad("months is a number from 1 to 120, or \"never\"")),
        };
        let terms = Rollover { cap, months };
        terms.check().map_err(|refusal| bad(&refusal.to_string()))?;
        Ok(Self(Some(terms)))
    }
}
