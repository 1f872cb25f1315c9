//! A line of a rate card, and the one shape it has in JSON and TOML.

use super::{Counted, Formula, Mode, Price, Rule, Tier, Tiers};
use crate::credits::Credits;
use crate::event::Event;
use crate::label::{Label, Meter};
use crate::quantity::Quantity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A line of a rate card: what it matches, and how that is charged.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct RateLine {
    /// The meter it charges.
    pub meter: Meter,
    /// The sources it matches; all where empty.
    pub sources: Vec<Label>,
    /// Attributes that must have these values.
    pub attributes: BTreeMap<Label, Label>,
    /// How it charges.
    pub rule: Rule,
}

impl RateLine {
    /// One that matches every source.
    #[must_use]
    pub const fn new(meter: Meter, rule: Rule) -> Self {
        Self { meter, sources: Vec::new(), attributes: BTreeMap::new(), rule }
    }

    /// Whether it is for what came from there with these attributes. The meter is another question.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        (self.sources.is_empty() || self.sources.contains(&event.source))
            && self.attributes.iter().all(|(name, value)| event.attribute(name.as_str()) == Some(value.as_str()))
    }

    /// Which of the lines before it match, together, all that it matches, by their places: it is never reached behind them.
    /// None where something is left for it.
    #[must_use]
    pub fn shadowed_by(&self, before: &[Self]) -> Vec<usize> {
        let asks_no_more = |line: &Self| {
            line.meter == self.meter
                && line.attributes.iter().all(|(name, value)| self.attributes.get(name) == Some(value))
        };
        let candidates = || before.iter().enumerate().filter(|(_, line)| asks_no_more(line));
        let covers = |line: &Self, source| line.sources.is_empty() || line.sources.contains(source);
        let whole = |line: &Self| {
            line.sources.is_empty()
                || !self.sources.is_empty() && self.sources.iter().all(|source| covers(line, source))
        };
        if let Some((place, _)) = candidates().find(|(_, line)| whole(line)) {
            return vec![place];
        }
        let first = |source| candidates().find(|(_, line)| covers(line, source)).map(|(place, _)| place);
        // Sources are an open set: a line for all of them is only matched by another such line.
        if self.sources.is_empty() {
            return Vec::new();
        }
        let mut places: Vec<usize> = self.sources.iter().map(first).collect::<Option<_>>().unwrap_or_default();
        places.sort_unstable();
        places.dedup();
        places
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Unit,
    Block,
    Tiers,
    Formula,
    Reported,
    Free,
}

impl Name {
    /// The members that belong to it, as a sentence has them.
    const fn members(self) -> &'static str {
        match self {
            Self::Unit => "`unit` has `price` and `per`",
            Self::Block => "`block` has `price`, `size` and `counted`",
            Self::Tiers => "`tiers` has `mode`, `per` and `tiers`",
            Self::Formula => "`formula` has `base`, `per_second`, `per_mb`, `per_compute_unit` and `minimum`",
            Self::Reported => "`reported` has nothing more",
            Self::Free => "`free` has nothing more",
        }
    }
}

/// The members that a line can have, of whichever rule.
pub(super) const MEMBERS: [&str; 15] = [
    "meter",
    "sources",
    "attributes",
    "rule",
    "price",
    "per",
    "size",
    "counted",
    "mode",
    "tiers",
    "base",
    "per_second",
    "per_mb",
    "per_compute_unit",
    "minimum",
];

/// Every member that any rule has. What a rule does not know is refused, so that a misspelt price is told.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    meter: Meter,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sources: Vec<Label>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<Label, Label>,
    rule: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<Quantity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counted: Option<Counted>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tiers: Option<Vec<Tier>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_second: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_mb: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_compute_unit: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum: Option<Price>,
}

impl Wire {
    const fn new(meter: Meter, sources: Vec<Label>, attributes: BTreeMap<Label, Label>, rule: Name) -> Self {
        Self {
            meter,
            sources,
            attributes,
            rule,
            price: None,
            size: None,
            counted: None,
            mode: None,
            per: None,
            tiers: None,
            base: None,
            per_second: None,
            per_mb: None,
            per_compute_unit: None,
            minimum: None,
        }
    }

    /// The members that are there but belong to another rule.
    fn strays(&self) -> impl Iterator<Item = &'static str> {
        use Name::{Block, Formula, Tiers, Unit};
        let all: [(&'static str, bool, &[Name]); 11] = [
            ("price", self.price.is_some(), &[Unit, Block]),
            ("per", self.per.is_some(), &[Unit, Tiers]),
            ("size", self.size.is_some(), &[Block]),
            ("counted", self.counted.is_some(), &[Block]),
            ("mode", self.mode.is_some(), &[Tiers]),
            ("tiers", self.tiers.is_some(), &[Tiers]),
            ("base", self.base.is_some(), &[Formula]),
            ("per_second", self.per_second.is_some(), &[Formula]),
            ("per_mb", self.per_mb.is_some(), &[Formula]),
            ("per_compute_unit", self.per_compute_unit.is_some(), &[Formula]),
            ("minimum", self.minimum.is_some(), &[Formula]),
        ];
        let rule = self.rule;
        all.into_iter().filter(move |(_, is_there, of)| *is_there && !of.contains(&rule)).map(|(name, ..)| name)
    }
}

impl TryFrom<Wire> for RateLine {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Self, String> {
        let members = wire.rule.members();
        if let Some(stray) = wire.strays().next() {
            return Err(format!("`{stray}` does not belong here: {members}"));
        }
        let missing = |name: &str| format!("`{name}` is missing: {members}");
        let price = |name: &'static str| wire.price.ok_or_else(|| missing(name));
        let per = wire.per.unwrap_or(1);
        let rule = match wire.rule {
            Name::Unit => Rule::Unit { price: price("price")?, per },
            Name::Block => Rule::Block {
                price: whole_micros(price("price")?)?,
                size: wire.size.ok_or_else(|| missing("size"))?,
                counted: wire.counted.ok_or_else(|| missing("counted"))?,
            },
            Name::Tiers => Rule::Tiers(Tiers {
                mode: wire.mode.ok_or_else(|| missing("mode"))?,
                per,
                tiers: wire.tiers.ok_or_else(|| missing("tiers"))?,
            }),
            Name::Formula => Rule::Formula(Formula {
                base: wire.base.unwrap_or_default(),
                per_second: wire.per_second.unwrap_or_default(),
                per_mb: wire.per_mb.unwrap_or_default(),
                per_compute_unit: wire.per_compute_unit.unwrap_or_default(),
                minimum: wire.minimum.unwrap_or_default(),
            }),
            Name::Reported => Rule::Reported,
            Name::Free => Rule::Free,
        };
        Ok(Self { meter: wire.meter, sources: wire.sources, attributes: wire.attributes, rule })
    }
}

/// What is wrong with the price of a block that is finer than an amount.
pub(crate) const BLOCK_DECIMALS: &str = "the price of a block has at most six decimals, since blocks are charged whole";

/// Blocks are charged whole: their price is an amount of credits.
fn whole_micros(price: Price) -> Result<Credits, String> {
    Credits::parse(&price.to_string()).map_err(|_| BLOCK_DECIMALS.to_owned())
}

impl From<RateLine> for Wire {
    fn from(line: RateLine) -> Self {
        let new = |rule| Self::new(line.meter, line.sources, line.attributes, rule);
        let some = |price: Price| (price != Price::default()).then_some(price);
        match line.rule {
            Rule::Unit { price, per } => Self { price: Some(price), per: Some(per), ..new(Name::Unit) },
            Rule::Block { price, size, counted } => {
                // An amount of credits from zero on is a price as well.
                let price = Price::parse(&price.to_string()).ok();
                Self { price, size: Some(size), counted: Some(counted), ..new(Name::Block) }
            }
            Rule::Tiers(Tiers { mode, per, tiers }) => {
                Self { mode: Some(mode), per: Some(per), tiers: Some(tiers), ..new(Name::Tiers) }
            }
            Rule::Formula(formula) => Self {
                base: some(formula.base),
                per_second: some(formula.per_second),
                per_mb: some(formula.per_mb),
                per_compute_unit: some(formula.per_compute_unit),
                minimum: some(formula.minimum),
                ..new(Name::Formula)
            },
            Rule::Reported => new(Name::Reported),
            Rule::Free => new(Name::Free),
        }
    }
}
