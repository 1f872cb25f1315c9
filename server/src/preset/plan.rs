//! What a preset sells: plans by the month, packages once.

use ledger::package::{Terms as Sells, VolumePrices, VolumeStep};
use ledger::rollover::Cap;
use ledger::{Credits, Currency, GrantKind, Money, Policy, Rollover};
use serde::{Deserialize, Deserializer};
use store::package::NewPackage;
use store::{NewGrant, NewPlan};

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
    /// What happens when credits run out: `pause` where it is not said.
    pub policy: Option<String>,
    /// The largest debt, for a policy that has one.
    pub limit: Option<Credits>,
    /// For how many days details of events are kept; as the org's settings say where it is not said.
    pub retention_days: Option<u32>,
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
    /// How many it gives; none where somebody chooses how many.
    pub credits: Option<Credits>,
    /// What it costs: an amount, with [`Package::currency`].
    pub price: Option<String>,
    /// The most that somebody chooses.
    pub max: Option<Credits>,
    /// What somebody's choice costs, by volume.
    #[serde(default)]
    pub prices: Vec<Step>,
    /// ISO 4217.
    pub currency: String,
}

/// From so many credits on, all of them cost so much.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From so many on.
    pub from: Credits,
    /// What a thousand cost: an amount, with [`Package::currency`].
    pub per_1000: String,
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

    /// What happens when credits run out.
    ///
    /// # Errors
    /// A sentence that says what is missing or wrong.
    pub fn policy(&self) -> Result<Policy, String> {
        let name = self.policy.as_deref().unwrap_or("pause");
        Policy::new(name, self.limit).map_err(|refusal| format!("policy = \"{name}\": {refusal}"))
    }

    /// As it is offered to an org.
    ///
    /// # Errors
    /// A sentence; only for plans that were not checked.
    pub fn offer(&self) -> Result<NewPlan, String> {
        let credits = match self.credits {
            Monthly::Credits(credits) => Some(credits),
            Monthly::Custom => None,
        };
        Ok(NewPlan {
            name: self.name.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            credits,
            price: self.money()?,
            rollover: self.rollover.0,
            policy: self.policy()?,
            retention_days: self.retention_days,
            by_agreement: self.is_custom(),
        })
    }
}

impl Package {
    /// What it sells.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn terms(&self) -> Result<Sells, String> {
        let terms = match (&self.credits, &self.price, self.max, self.prices.as_slice()) {
            (Some(credits), Some(price), None, []) => {
                Sells::Fixed { credits: *credits, price: money(price, &self.currency)? }
            }
            (None, None, Some(max), [_, ..]) => {
                let currency = Currency::parse(&self.currency).map_err(|refusal| refusal.to_string())?;
                let step = |step: &Step| {
                    let per_1000_minor = money(&step.per_1000, &self.currency)?.minor;
                    Ok::<_, String>(VolumeStep { from: step.from, per_1000_minor })
                };
                let steps = self.prices.iter().map(step).collect::<Result<_, _>>()?;
                Sells::Custom { prices: VolumePrices { max, steps }, currency }
            }
            _ => return Err("give credits and price, or max and prices where somebody chooses how many".to_owned()),
        };
        terms.check().map_err(|refusal| refusal.to_string())?;
        Ok(terms)
    }

    /// As an org is offered it.
    ///
    /// # Errors
    /// As [`Package::terms`].
    pub fn offer(&self) -> Result<NewPackage, String> {
        Ok(NewPackage { title: self.title.clone(), terms: self.terms()? })
    }

    /// The grant of `count` of them, bought at once.
    ///
    /// # Errors
    /// A sentence where it is more than a ledger can hold.
    pub fn grant(&self, count: i64) -> Result<NewGrant, String> {
        let too_many = || format!("{count} × {} are more than a ledger holds", self.title);
        let Sells::Fixed { credits, price: money } = self.terms()? else {
            return Err(format!(
                "how many {} gives is chosen by who buys it: name one with credits and price",
                self.title
            ));
        };
        let micros = credits.micros().checked_mul(count).ok_or_else(too_many)?;
        let minor = money.minor.checked_mul(count).ok_or_else(too_many)?;
        let description = if count == 1 { self.title.clone() } else { format!("{count} × {}", self.title) };
        let given = NewGrant::of(GrantKind::Purchase, Credits::from_micros(micros), &description);
        Ok(NewGrant { cost: Some(Money { minor, ..money }), ..given })
    }
}

fn money(price: &str, currency: &str) -> Result<Money, String> {
    Money::parse(&format!("{price} {currency}")).map_err(|refusal| format!("the price {price} {currency}: {refusal}"))
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
