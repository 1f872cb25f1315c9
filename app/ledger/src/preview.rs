//! What usage that is past would have cost under another rate card, from the cube: on the server, and in the browser while
//! somebody types.
//!
//! The cube knows sums per credit type and source, not events. Rules that only look at sums are foretold exactly; what
//! looks at each event (blocks begun, minimums, attributes) is estimated from averages, and says so. Lines that the new card
//! keeps are as exact as the ledger. Cost: one pass over the cube, and one rating per line.

use crate::credits::Credits;
use crate::cube::Cube;
use crate::label::Meter;
use crate::quantity::Quantity;
use crate::rate::{Before, Counted, RateLine, Rule, Usage};
use crate::refusal::Refusal;

/// How sure a foretold figure is; the least sure of a sum counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// To the micro-credit, as one billing cycle.
    Exact,
    /// From averages: a line of it looks at each event.
    Average,
    /// Lines with attributes are left out: which events have them is not known here.
    WithoutAttributes,
    /// Compute units are left out: they are not known here.
    WithoutCompute,
    /// A part of it cannot be said: events would have to report their credits, and so far they do not.
    Unreported,
    /// A part of it would be refused: no line would charge it.
    Refused,
}

impl Basis {
    /// Whether it is a figure, though not an exact one.
    const fn is_estimate(self) -> bool {
        matches!(self, Self::Average | Self::WithoutAttributes | Self::WithoutCompute)
    }

    /// In words, for who reads the figure.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Average => "estimated from averages",
            Self::WithoutAttributes => "estimated, without the lines that ask for attributes",
            Self::WithoutCompute => "estimated, without compute units",
            Self::Unreported => "a part is not known: events would have to report their credits",
            Self::Refused => "a part would be refused: no line charges it",
        }
    }
}

/// A credit type, as charged and as foretold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewRow {
    /// The credit type.
    pub meter: Meter,
    /// What was used.
    pub quantity: Quantity,
    /// What it cost.
    pub charged: Credits,
    /// What it would have cost.
    pub foretold: Credits,
    /// How sure that is.
    pub basis: Basis,
}

/// What was used of one meter from one source.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    quantity: Quantity,
    micros: i64,
    events: i64,
    bytes: i64,
}

/// What one line of the old card charged of it, where one did.
type Part<'l> = (Option<&'l RateLine>, Used);

impl Used {
    fn add(&mut self, other: &Self) -> Result<(), Refusal> {
        let sum = |a: i64, b: i64| a.checked_add(b).ok_or(Refusal::AmountOverflow);
        self.quantity = self.quantity.plus(other.quantity)?;
        self.micros = sum(self.micros, other.micros)?;
        self.events = sum(self.events, other.events)?;
        self.bytes = sum(self.bytes, other.bytes)?;
        Ok(())
    }
}

/// What the usage of a cube, taken as one billing cycle, would have cost under `lines`, by credit type in the order of the
/// cube's meters. `charged_by` has the lines of those meters of which it is known what charged them
/// ([`crate::card::Prices::agreed`]).
///
/// # Errors
/// [`Refusal::AmountOverflow`] where a figure would not fit.
pub fn preview(cube: &Cube, charged_by: &[RateLine], lines: &[RateLine]) -> Result<Vec<PreviewRow>, Refusal> {
    let used = used(cube)?;
    let mut rows = Vec::new();
    for used in used.chunk_by(same_first) {
        let sources: Vec<(&str, Used)> = used
            .iter()
            .filter_map(|((_, source), used)| Some((cube.sources.get(usize::from(*source))?.as_str(), *used)))
            .collect();
        let meter = used.first().and_then(|((meter, _), _)| cube.meters.get(usize::from(*meter)));
        let (Some(info), false) = (meter, sources.is_empty()) else { continue };
        let of_meter = |lines: &[RateLine]| lines.iter().filter(|line| line.meter == info.meter).cloned().collect();
        let new: Vec<RateLine> = of_meter(lines);
        let old: Vec<RateLine> = of_meter(charged_by);
        let mut sum = Used::default();
        sources.iter().try_for_each(|(_, used)| sum.add(used))?;
        let charged = Credits::from_micros(sum.micros);
        let (foretold, basis) = if !old.is_empty() && old == new {
            (charged, Basis::Exact)
        } else {
            calibrated(&sources, charged, &old, &new)?
        };
        rows.push(PreviewRow { meter: info.meter.clone(), quantity: sum.quantity, charged, foretold, basis });
    }
    Ok(rows)
}

/// What is estimated is told as a change of what was charged, by estimating both cards alike: what the cube does not know
/// of is in the charged sum all the same, and a card that says the same costs the same.
fn calibrated(
    sources: &[(&str, Used)],
    charged: Credits,
    old: &[RateLine],
    new: &[RateLine],
) -> Result<(Credits, Basis), Refusal> {
    let (foretold, basis) = foretell(sources, old, new)?;
    if old.is_empty() || !basis.is_estimate() {
        return Ok((foretold, basis));
    }
    let (before, how) = foretell(sources, &[], old)?;
    if !how.is_estimate() {
        return Ok((foretold, basis));
    }
    let (after, _) = foretell(sources, &[], new)?;
    let moved = charged.plus(after.minus(before)?)?;
    Ok((moved.max(Credits::ZERO), basis.max(how)))
}

/// Usage by two things, in their order. A list, since a map would be written into the browser's code for each kind of key.
type UsedBy<A, B> = Vec<((A, B), Used)>;

/// What a key has so far.
fn entry<A: Ord + Copy, B: Ord + Copy>(used: &mut UsedBy<A, B>, key: (A, B)) -> &mut Used {
    let at = used.binary_search_by_key(&key, |(key, _)| *key).unwrap_or_else(|at| {
        used.insert(at, (key, Used::default()));
        at
    });
    &mut used[at].1
}

fn same_first<A: PartialEq, B>(((a, _), _): &((A, B), Used), ((b, _), _): &((A, B), Used)) -> bool {
    a == b
}

/// By meter and source.
fn used(cube: &Cube) -> Result<UsedBy<u16, u16>, Refusal> {
    let mut used = UsedBy::new();
    for cell in &cube.cells {
        let one = Used { quantity: cell.quantity, micros: cell.micros, ..Used::default() };
        entry(&mut used, (cell.meter, cell.source)).add(&one)?;
    }
    for calls in &cube.calls {
        let one = Used { events: calls.events, bytes: calls.bytes, ..Used::default() };
        for meter in cube.sets.get(usize::from(calls.set)).into_iter().flatten() {
            entry(&mut used, (*meter, calls.source)).add(&one)?;
        }
    }
    Ok(used)
}

/// The line that charges what has no attributes, and whether others ask for some before it.
fn line_for<'l>(lines: &'l [RateLine], source: &str) -> (Option<(usize, &'l RateLine)>, bool) {
    let fits = |line: &RateLine| line.sources.is_empty() || line.sources.iter().any(|known| known.as_str() == source);
    let mut fitting = lines.iter().enumerate().filter(|(_, line)| fits(line));
    let mut asks = false;
    let found = fitting.find(|(_, line)| {
        asks |= !line.attributes.is_empty();
        line.attributes.is_empty()
    });
    (found, asks)
}

fn foretell(sources: &[(&str, Used)], old: &[RateLine], new: &[RateLine]) -> Result<(Credits, Basis), Refusal> {
    let (mut total, mut basis) = (Credits::ZERO, Basis::Exact);
    // What one line charges is rounded and tiered together, wherever it came from.
    let mut by_line: UsedBy<usize, Option<usize>> = UsedBy::new();
    for (source, used) in sources {
        let (found, asks) = line_for(new, source);
        if asks {
            basis = basis.max(Basis::WithoutAttributes);
        }
        match found {
            Some((index, _)) => {
                entry(&mut by_line, (index, line_for(old, source).0.map(|(i, _)| i))).add(used)?;
            }
            None => basis = basis.max(Basis::Refused),
        }
    }
    for used in by_line.chunk_by(same_first) {
        let Some(line) = used.first().and_then(|((index, _), _)| new.get(*index)) else { continue };
        let mut sum = Used::default();
        used.iter().try_for_each(|(_, used)| sum.add(used))?;
        let part = |((_, before), used): &((usize, Option<usize>), Used)| (before.and_then(|i| old.get(i)), *used);
        let parts: Vec<Part<'_>> = used.iter().map(part).collect();
        let (credits, how) = by_rule(line, &sum, &parts)?;
        (total, basis) = (total.plus(credits)?, basis.max(how));
    }
    Ok((total, basis))
}

fn by_rule(line: &RateLine, sum: &Used, parts: &[Part<'_>]) -> Result<(Credits, Basis), Refusal> {
    let rated = |usage: Usage| line.rate(usage, Before::default()).map(|rated| rated.credits);
    match &line.rule {
        Rule::Free => Ok((Credits::ZERO, Basis::Exact)),
        Rule::Unit { .. } | Rule::Tiers(_) | Rule::Block { counted: Counted::Accumulated, .. } => {
            Ok((rated(Usage::of(sum.quantity))?, Basis::Exact))
        }
        Rule::Block { price, size, counted: Counted::PerEvent } => {
            let (mut blocks, mut basis) = (0_i128, Basis::Exact);
            for (old, used) in parts {
                let (begun, how) = begun(old.map(|line| &line.rule), *size, used);
                (blocks, basis) = (blocks + begun, basis.max(how));
            }
            let micros = blocks.checked_mul(i128::from(price.micros())).ok_or(Refusal::AmountOverflow)?;
            Ok((Credits::from_wide(micros)?, basis))
        }
        Rule::Formula(formula) => {
            // Linear but for the minimum, so sums are as good as events; the base counts once per event.
            let linear = crate::rate::Formula { base: Default::default(), minimum: Default::default(), ..*formula };
            let linear = RateLine::new(line.meter.clone(), Rule::Formula(linear));
            let usage = Usage { bytes: sum.bytes, ..Usage::of(sum.quantity) };
            let each = RateLine::new(line.meter.clone(), Rule::Unit { price: formula.base, per: 1 });
            let bases = each.rate(Usage::of(Quantity::from_units(sum.events)), Before::default())?.credits;
            let used = linear.rate(usage, Before::default())?.credits.plus(bases)?;
            let least = RateLine::new(line.meter.clone(), Rule::Unit { price: formula.minimum, per: 1 });
            let least = least.rate(Usage::of(Quantity::from_units(sum.events)), Before::default())?.credits;
            let basis = if formula.per_compute_unit.picos() > 0 { Basis::WithoutCompute } else { Basis::Average };
            Ok((used.max(least), basis))
        }
        Rule::Reported => {
            let (mut micros, mut basis) = (0_i64, Basis::Exact);
            for (old, used) in parts {
                if old.is_some_and(|line| line.rule == Rule::Reported) {
                    micros = micros.checked_add(used.micros).ok_or(Refusal::AmountOverflow)?;
                } else {
                    basis = Basis::Unreported;
                }
            }
            Ok((Credits::from_micros(micros), basis))
        }
    }
}

/// How many blocks of a size were begun: counted where blocks of that size were charged, otherwise by the average event.
fn begun(old: Option<&Rule>, size: Quantity, used: &Used) -> (i128, Basis) {
    if let Some(Rule::Block { price, size: before, counted: Counted::PerEvent }) = old
        && *before == size
        && price.is_positive()
    {
        return (i128::from(used.micros) / i128::from(price.micros()), Basis::Exact);
    }
    let events = i128::from(used.events);
    if events == 0 || size.micros() == 0 {
        return (0, Basis::Average);
    }
    // Every event begins a block, and ends somewhere within one: half of it is wasted on average.
    let whole = used.quantity.micros() / size.micros();
    (events.max(whole + (events + 1) / 2), Basis::Average)
}

#[cfg(test)]
mod tests;
