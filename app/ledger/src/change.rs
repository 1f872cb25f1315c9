//! Why did it change? The difference between two periods, split into volume, mix and price, by one dimension.
//!
//! The method is price-volume-mix analysis, as management accounting teaches it ("sales variance analysis": quantity, mix
//! and price variance). Everything is told apart by meter first, since units of different meters cannot be added. Of one
//! meter let `q` be what one value of the dimension used, `c` what that cost, `Q` and `C` the same of all values together;
//! `0` is the period before, `1` the one after.
//!
//! | effect | what it would be if … | less |
//! |---|---|---|
//! | volume | everything had grown evenly: `c0 · Q1/Q0` | `c0` |
//! | mix | the value's share had shifted, at its old price: `q1 · p0`, where `p0 = c0/q0` | `c0 · Q1/Q0` |
//! | price | – (what it did cost: `c1`) | `q1 · p0` |
//!
//! A value that is new has no price of its own before: it is measured by the meter's, `C0/Q0`. A meter that is new has
//! none at all, so all of it is volume. By credit type there is one value per meter, and so no mix.
//!
//! The three are differences between neighbours in the chain `c0 → c0·Q1/Q0 → q1·p0 → c1`, each rounded once (towards
//! zero, to a micro-credit): whatever the rounding, they add up to `c1 − c0` exactly, and each is less than a micro-credit
//! from what it is. Cost: two slices of each cube per dimension.

use crate::credits::Credits;
use crate::cube::{Cube, Dimension, Figures, Filter, Series};
use crate::quantity::Quantity;
use crate::rate::RateLine;
use crate::refusal::Refusal;
use std::collections::{BTreeMap, BTreeSet};

/// A share of everything, in the parts that [`Change::concentration`] counts in.
const WHOLE: i128 = 1_000_000;

/// A difference in its three parts. They add up to it exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// More or less of everything, evenly.
    pub volume: Credits,
    /// More or less of this than of the rest.
    pub mix: Credits,
    /// What the same costs more or less.
    pub price: Credits,
}

impl Effects {
    /// All of it.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`].
    pub fn total(self) -> Result<Credits, Refusal> {
        Credits::sum([self.volume, self.mix, self.price])
    }

    fn plus(self, other: Self) -> Result<Self, Refusal> {
        Ok(Self {
            volume: self.volume.plus(other.volume)?,
            mix: self.mix.plus(other.mix)?,
            price: self.price.plus(other.price)?,
        })
    }
}

/// What was used of one meter, and what that cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// In the meter's unit.
    pub quantity: Quantity,
    /// What it cost.
    pub credits: Credits,
}

impl Used {
    fn of(figures: &Figures) -> Self {
        Self { quantity: figures.quantity.unwrap_or_default(), credits: figures.credits }
    }

    fn plus(self, other: Self) -> Result<Self, Refusal> {
        Ok(Self { quantity: self.quantity.plus(other.quantity)?, credits: self.credits.plus(other.credits)? })
    }
}

/// Two periods of the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pair {
    /// The period before.
    pub before: Used,
    /// The period after.
    pub after: Used,
}

/// The effects of one value of a dimension and one meter; `all` is of all values of that meter together.
///
/// # Errors
/// [`Refusal::AmountOverflow`] where an amount between does not fit.
pub fn effects(one: Pair, all: Pair) -> Result<Effects, Refusal> {
    let (start, end) = (one.before.credits, one.after.credits);
    let (all_before, all_after) = (all.before.quantity.micros(), all.after.quantity.micros());
    if all_before <= 0 {
        return Ok(Effects { volume: end.minus(start)?, ..Effects::default() });
    }
    let evenly = share(start, all_after, all_before)?;
    let old_price = if one.before.quantity.micros() > 0 { one.before } else { all.before };
    let at_old_price = share(old_price.credits, one.after.quantity.micros(), old_price.quantity.micros())?;
    Ok(Effects { volume: evenly.minus(start)?, mix: at_old_price.minus(evenly)?, price: end.minus(at_old_price)? })
}

/// One value of the dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id, as the dimension's series have it.
    pub key: Key,
    /// What people read for it.
    pub title: String,
    /// What it cost before.
    pub before: Credits,
    /// What it costs after.
    pub after: Credits,
    /// Why.
    pub effects: Effects,
}

/// What names a value in a [`Series`]: its id, `""` for usage that says none, nothing for those that are added up.
pub type Key = Option<String>;

/// A difference, told apart by a dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// By what it is told apart.
    pub dimension: Dimension,
    /// What everything cost before.
    pub before: Credits,
    /// What everything costs after.
    pub after: Credits,
    /// Why, over all values.
    pub effects: Effects,
    /// What changed, the largest difference first, whichever its sign; what is as before is left out.
    pub rows: Vec<Row>,
    /// How many values were met in either period.
    pub values: usize,
}

/// The meters whose prices are not the same in all of these cards, each given by its lines.
pub fn repriced<'c>(cards: impl IntoIterator<Item = &'c [RateLine]>) -> BTreeSet<String> {
    let mut cards = cards.into_iter().map(|lines| {
        let mut by_meter: BTreeMap<&str, Vec<&RateLine>> = BTreeMap::new();
        lines.iter().for_each(|line| by_meter.entry(line.meter.as_str()).or_default().push(line));
        by_meter
    });
    let Some(first) = cards.next() else { return BTreeSet::new() };
    let differ = |other: BTreeMap<&str, Vec<&RateLine>>| {
        let meters: BTreeSet<&str> = first.keys().chain(other.keys()).copied().collect();
        meters.into_iter().filter(|meter| first.get(meter) != other.get(meter)).map(str::to_owned).collect::<Vec<_>>()
    };
    cards.flat_map(differ).collect()
}

impl Change {
    /// The one that explains most: where the difference lies with few values ([`Change::concentration`]) of which there is now more
    /// or less than of the others ([`Change::shift`]). What nearly all usage has, such as that it succeeded, has nearly all of any
    /// difference, and explains none. Where everything grew evenly it is the most concentrated one; of two that say it alike, the
    /// one with more values, of which it singles out one, then the first. `None` where nothing changed or none has two values.
    #[must_use]
    pub fn most_telling(changes: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut best: Option<((i128, i128, usize), Self)> = None;
        for change in changes {
            let Some(concentration) = change.concentration() else { continue };
            let rank = (concentration * change.shift() / WHOLE, concentration, change.values);
            if best.as_ref().is_none_or(|(found, _)| rank > *found) {
                best = Some((rank, change));
            }
        }
        best.map(|(_, change)| change)
    }

    /// The change between two cubes under a filter, told apart by a dimension.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where sums do not fit.
    pub fn by(
        before: &Cube,
        after: &Cube,
        filter: &Filter,
        dimension: &Dimension,
        repriced: &BTreeSet<String>,
    ) -> Result<Self, Refusal> {
        let mut pairs = Pairs::default();
        pairs.read(before, filter, dimension, |pair| &mut pair.before)?;
        pairs.read(after, filter, dimension, |pair| &mut pair.after)?;
        pairs.change(dimension, repriced)
    }

    /// How much of the difference lies with how few values, in millionths: the Herfindahl-Hirschman index over the absolute
    /// differences, made comparable between few values and many (0: evenly spread, all: one value alone). `None` where
    /// nothing changed, or where there is one value only, which explains nothing.
    #[must_use]
    pub fn concentration(&self) -> Option<i128> {
        let count = i128::try_from(self.values).ok()?;
        let size = |row: &Row| (i128::from(row.after.micros()) - i128::from(row.before.micros())).abs();
        let all: i128 = self.rows.iter().map(size).sum();
        if all == 0 || count < 2 {
            return None;
        }
        let squares: i128 = self.rows.iter().map(|row| (size(row) * WHOLE / all).pow(2)).sum();
        Some((squares * count - WHOLE * WHOLE).max(0) / (WHOLE * (count - 1)))
    }

    /// How much of everything went from some values to others, in millionths: half of what their shares differ by, in absolute
    /// figures (the total variation distance). All where there was nothing before, or is nothing now.
    #[must_use]
    pub fn shift(&self) -> i128 {
        let [before, after] = [self.before, self.after].map(|all| i128::from(all.micros()));
        if before <= 0 || after <= 0 {
            return WHOLE;
        }
        let share = |part: Credits, all: i128| i128::from(part.micros()) * WHOLE / all;
        let moved = |row: &Row| share(row.after, after) - share(row.before, before);
        // What cost as much as before is in no row; its shares all moved the same way, so the other way is complete.
        let (came, went) =
            self.rows.iter().map(moved).fold((0, 0), |(came, went), moved| {
                if moved > 0 { (came + moved, went) } else { (came, went - moved) }
            });
        came.max(went).min(WHOLE)
    }
}

/// What both periods have, by value and meter.
#[derive(Default)]
struct Pairs {
    titles: BTreeMap<Key, String>,
    cells: BTreeMap<(Key, String), Pair>,
}

impl Pairs {
    fn read(
        &mut self,
        cube: &Cube,
        filter: &Filter,
        dimension: &Dimension,
        side: fn(&mut Pair) -> &mut Used,
    ) -> Result<(), Refusal> {
        for series in cube.slice(filter, std::slice::from_ref(dimension))?.series {
            let (key, _) = keys(&series);
            self.titles.insert(key, series.title);
        }
        let apart = [dimension.clone(), Dimension::Type];
        // By credit type the value is the meter.
        let apart = if *dimension == Dimension::Type { &apart[1..] } else { &apart[..] };
        for series in cube.slice(filter, apart)?.series {
            let (key, meter) = keys(&series);
            let used = side(self.cells.entry((key, meter)).or_default());
            *used = used.plus(Used::of(&series.total))?;
        }
        Ok(())
    }

    fn change(self, dimension: &Dimension, repriced: &BTreeSet<String>) -> Result<Change, Refusal> {
        let mut meters: BTreeMap<&str, Pair> = BTreeMap::new();
        for ((_, meter), pair) in &self.cells {
            let all = meters.entry(meter).or_default();
            *all = Pair { before: all.before.plus(pair.before)?, after: all.after.plus(pair.after)? };
        }
        let mut rows: BTreeMap<&Key, Row> = BTreeMap::new();
        for ((key, meter), pair) in &self.cells {
            let title = self.titles.get(key).cloned().unwrap_or_default();
            let row = rows.entry(key).or_insert_with(|| Row::new(key.clone(), title));
            row.before = row.before.plus(pair.before.credits)?;
            row.after = row.after.plus(pair.after.credits)?;
            let all = meters.get(meter.as_str()).copied().unwrap_or_default();
            let Effects { volume, mix, price } = effects(*pair, all)?;
            // Where no price changed, another cost of the same is another mix within it: of models, sizes, tiers.
            let told = if repriced.contains(meter) {
                Effects { volume, mix, price }
            } else {
                Effects { volume, mix: mix.plus(price)?, price: Credits::ZERO }
            };
            row.effects = row.effects.plus(told)?;
        }
        let values = rows.len();
        let mut change = Change {
            dimension: dimension.clone(),
            before: Credits::sum(rows.values().map(|row| row.before))?,
            after: Credits::sum(rows.values().map(|row| row.after))?,
            effects: rows.values().try_fold(Effects::default(), |sum, row| sum.plus(row.effects))?,
            rows: rows
                .into_values()
                .filter(|row| row.before != row.after || row.effects != Effects::default())
                .collect(),
            values,
        };
        // Stable: values that differ alike stay in the order of their ids.
        change.rows.sort_by_key(|row| std::cmp::Reverse(row.after.micros().abs_diff(row.before.micros())));
        Ok(change)
    }
}

impl Row {
    fn new(key: Key, title: String) -> Self {
        Self { key, title, before: Credits::ZERO, after: Credits::ZERO, effects: Effects::default() }
    }
}

/// The ids of the value and of the meter.
fn keys(series: &Series) -> (Key, String) {
    let id = |at: Option<&(Dimension, Key)>| at.and_then(|(_, id)| id.clone());
    (id(series.key.first()), id(series.key.last()).unwrap_or_default())
}

/// `amount · part / whole` towards zero, exact however large: the product of two such numbers does not fit 128 bits.
/// `whole` is above 0.
fn share(amount: Credits, part: i128, whole: i128) -> Result<Credits, Refusal> {
    let (part_size, whole) = (part.unsigned_abs(), whole.unsigned_abs());
    let (wholes, rest) = (part_size / whole, part_size % whole);
    let (mut quotient, mut left) = (0_u128, 0_u128);
    let size = amount.micros().unsigned_abs();
    // As on paper, in base two: nothing here exceeds twice `whole`, or what is refused at the end.
    for bit in (0..u64::BITS).rev() {
        quotient = quotient.checked_mul(2).ok_or(Refusal::AmountOverflow)?;
        left = left.checked_mul(2).ok_or(Refusal::AmountOverflow)?;
        if size >> bit & 1 == 1 {
            quotient = quotient.checked_add(wholes).ok_or(Refusal::AmountOverflow)?;
            left = left.checked_add(rest).ok_or(Refusal::AmountOverflow)?;
        }
        quotient = quotient.checked_add(left / whole).ok_or(Refusal::AmountOverflow)?;
        left %= whole;
    }
    let size = i128::try_from(quotient).map_err(|_| Refusal::AmountOverflow)?;
    Credits::from_wide(if amount.is_negative() == (part < 0) { size } else { -size })
}

#[cfg(test)]
mod tests;
