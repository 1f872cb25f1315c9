//! A day of wide usage as columns: how it lies in the database, and how it is read.
//!
//! A row is a sum of events that say the same in every dimension within one quarter of an hour; rows are sorted by dimension and
//! then by time. A column of dimension is a sorted list of what it holds, and an index into it per row, as narrow as it can be: 0 bytes
//! where there is one value. Columns of numbers are their smallest and what each is more. Credits and quantities are per meter of
//! the row's set, one after the other. Reading copies nothing but the lists.

use crate::error::StoreError;
use crate::rows::unreadable;
use ledger::{Credits, Quantity, Refusal};

/// Places of the dimensions in a row. The quarter of an hour is the last, so that rows that differ in nothing else are neighbours.
pub(crate) const SET: usize = 0;
pub(crate) const SOURCE: usize = 1;
pub(crate) const PROJECT: usize = 2;
pub(crate) const WORKFLOW: usize = 3;
pub(crate) const USER: usize = 4;
pub(crate) const TENANT: usize = 5;
pub(crate) const ATTRIBUTES: usize = 6;
pub(crate) const FAILED: usize = 7;
pub(crate) const QUARTER: usize = 8;
const COLUMNS: usize = 9;

/// What the first byte says; another shape would have another.
const VERSION: u8 = 1;
/// Meters of one set, at most: more than an event can have quantities. Only damage says more.
const MAX_PARTS: usize = 1_000;

/// What a row is about: a number per dimension, 0 where nothing was said.
pub(crate) type Key = [i64; COLUMNS];

/// Credits and quantity of one meter; added up they always fit, since sums over all time do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Part {
    pub(crate) micros: i64,
    pub(crate) quantity: i128,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) key: Key,
    pub(crate) events: i64,
    pub(crate) bytes: i64,
    /// One per meter of the key's set, in the set's order.
    pub(crate) parts: Vec<Part>,
}

impl Fact {
    fn add(&mut self, other: &Self) -> Result<(), StoreError> {
        let overflow = || StoreError::from(Refusal::AmountOverflow);
        self.events = self.events.checked_add(other.events).ok_or_else(overflow)?;
        self.bytes = self.bytes.checked_add(other.bytes).ok_or_else(overflow)?;
        for (part, more) in self.parts.iter_mut().zip(&other.parts) {
            part.micros = part.micros.checked_add(more.micros).ok_or_else(overflow)?;
            part.quantity = part.quantity.checked_add(more.quantity).ok_or_else(overflow)?;
        }
        Ok(())
    }

    fn is_nothing(&self) -> bool {
        self.events == 0 && self.bytes == 0 && self.parts.iter().all(|part| *part == Part::default())
    }

    /// The same, to be taken away.
    pub(crate) fn negated(mut self) -> Self {
        (self.events, self.bytes) = (-self.events, -self.bytes);
        self.parts.iter_mut().for_each(|part| (part.micros, part.quantity) = (-part.micros, -part.quantity));
        self
    }
}

/// Sorted, and those of one key added up; what is nothing then is left out.
pub(crate) fn added_up(mut facts: Vec<Fact>) -> Result<Vec<Fact>, StoreError> {
    facts.sort_unstable_by_key(|fact| fact.key);
    let mut sums: Vec<Fact> = Vec::with_capacity(facts.len());
    for fact in facts {
        match sums.last_mut() {
            Some(last) if last.key == fact.key => last.add(&fact)?,
            _ => sums.push(fact),
        }
    }
    sums.retain(|fact| !fact.is_nothing());
    Ok(sums)
}

/// What all rows cost.
pub(crate) fn cost(facts: &[Fact]) -> Result<Credits, StoreError> {
    Ok(Credits::sum(facts.iter().flat_map(|fact| &fact.parts).map(|part| Credits::from_micros(part.micros)))?)
}

/// Rows as bytes; they are sorted and each key is there once.
pub(crate) fn write(facts: &[Fact]) -> Result<Vec<u8>, StoreError> {
    let mut out = vec![VERSION];
    unsigned(&mut out, facts.len() as u64);
    for column in 0..COLUMNS {
        let mut values: Vec<i64> = facts.iter().map(|fact| fact.key[column]).collect();
        values.sort_unstable();
        values.dedup();
        unsigned(&mut out, values.len() as u64);
        values.iter().for_each(|value| signed(&mut out, *value));
        if column == SET {
            // How many parts a row of each set has, so that a segment can be read by itself.
            let parts = |set: &i64| facts.iter().find(|fact| fact.key[SET] == *set).map_or(0, |fact| fact.parts.len());
            values.iter().for_each(|set| unsigned(&mut out, parts(set) as u64));
        }
        let index = |fact: &Fact| values.binary_search(&fact.key[column]).unwrap_or_default() as u64;
        pack(&mut out, facts.iter().map(index));
    }
    let parts = || facts.iter().flat_map(|fact| &fact.parts);
    let split = |part: &Part| Quantity::from_micros(part.quantity).parts();
    let quantities: Vec<(i64, i64)> = parts().map(split).collect::<Result<_, _>>()?;
    numbers(&mut out, facts.iter().map(|fact| fact.events));
    numbers(&mut out, facts.iter().map(|fact| fact.bytes));
    numbers(&mut out, parts().map(|part| part.micros));
    numbers(&mut out, quantities.iter().map(|(whole, _)| *whole));
    numbers(&mut out, quantities.iter().map(|(_, micros)| *micros));
    Ok(out)
}

fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn signed(out: &mut Vec<u8>, value: i64) {
    unsigned(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

fn numbers(out: &mut Vec<u8>, values: impl Iterator<Item = i64> + Clone) {
    let least = values.clone().min().unwrap_or_default();
    signed(out, least);
    pack(out, values.map(|value| value.wrapping_sub(least).cast_unsigned()));
}

/// A width in bytes and as many per value.
fn pack(out: &mut Vec<u8>, values: impl Iterator<Item = u64> + Clone) {
    let width: u8 = match values.clone().max().unwrap_or_default() {
        0 => 0,
        1..=0xFF => 1,
        0x100..=0xFFFF => 2,
        0x1_0000..=0xFFFF_FFFF => 4,
        _ => 8,
    };
    out.push(width);
    values.for_each(|value| out.extend_from_slice(&value.to_le_bytes()[..width.into()]));
}

/// Values of one width, one per row.
#[derive(Debug, Clone, Copy)]
struct Packed<'b> {
    width: usize,
    bytes: &'b [u8],
}

impl Packed<'_> {
    /// The one of a row. All of a column have one width, so the processor guesses right.
    #[inline]
    fn at(&self, row: usize) -> u64 {
        match self.width {
            0 => 0,
            1 => u64::from(self.bytes[row]),
            2 => u64::from(u16::from_le_bytes(self.bytes.as_chunks().0[row])),
            4 => u64::from(u32::from_le_bytes(self.bytes.as_chunks().0[row])),
            _ => u64::from_le_bytes(self.bytes.as_chunks().0[row]),
        }
    }

    fn largest(&self) -> u64 {
        match self.width {
            0 => 0,
            1 => self.bytes.iter().copied().fold(0, u8::max).into(),
            2 => self.bytes.as_chunks().0.iter().map(|two| u16::from_le_bytes(*two)).fold(0, u16::max).into(),
            4 => self.bytes.as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).fold(0, u32::max).into(),
            _ => self.bytes.as_chunks().0.iter().map(|eight| u64::from_le_bytes(*eight)).fold(0, u64::max),
        }
    }
}

/// A column of numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers<'b> {
    least: i64,
    packed: Packed<'b>,
}

impl Numbers<'_> {
    /// The one of a row, or of a part of one.
    #[inline]
    pub(crate) fn at(&self, row: usize) -> i64 {
        self.least.wrapping_add(self.packed.at(row).cast_signed())
    }
}

/// A column of a dimension.
#[derive(Debug, Clone)]
pub(crate) struct Column<'b> {
    /// What it holds.
    pub(crate) values: Vec<i64>,
    index: Packed<'b>,
}

impl Column<'_> {
    /// The place in [`Column::values`] of a row's value.
    #[inline]
    pub(crate) fn place(&self, row: usize) -> usize {
        // It was looked at when the segment was read.
        usize::try_from(self.index.at(row)).unwrap_or(usize::MAX)
    }

    /// A row's value.
    pub(crate) fn at(&self, row: usize) -> i64 {
        self.values[self.place(row)]
    }
}

/// A segment, to be read.
#[derive(Debug, Clone)]
pub(crate) struct Segment<'b> {
    pub(crate) rows: usize,
    pub(crate) columns: [Column<'b>; COLUMNS],
    /// Parts of a row, by place of its set.
    pub(crate) parts: Vec<usize>,
    pub(crate) events: Numbers<'b>,
    pub(crate) bytes: Numbers<'b>,
    pub(crate) micros: Numbers<'b>,
    pub(crate) whole: Numbers<'b>,
    pub(crate) fraction: Numbers<'b>,
}

impl<'b> Segment<'b> {
    /// Reads one; what was not written by [`write`] is refused, so that nothing is looked up beyond an end later.
    pub(crate) fn read(data: &'b [u8]) -> Result<Self, StoreError> {
        Self::parse(&mut Reading(data)).ok_or_else(|| unreadable("segment of wide usage"))
    }

    fn parse(from: &mut Reading<'b>) -> Option<Self> {
        if from.byte()? != VERSION {
            return None;
        }
        // Rows differ, so each takes a byte at least.
        let rows = from.length().filter(|rows| *rows <= from.0.len())?;
        let mut parts = Vec::new();
        let mut columns = Vec::with_capacity(COLUMNS);
        for column in 0..COLUMNS {
            let count = from.length().filter(|count| *count <= from.0.len())?;
            let values = (0..count).map(|_| from.signed()).collect::<Option<Vec<_>>>()?;
            if column == SET {
                parts = (0..count)
                    .map(|_| from.length().filter(|parts| *parts <= MAX_PARTS))
                    .collect::<Option<Vec<_>>>()?;
            }
            let read = Column { values, index: from.packed(rows)? };
            (rows == 0 || read.index.largest() < count as u64).then_some(())?;
            columns.push(read);
        }
        let columns: [Column<'b>; COLUMNS] = columns.try_into().ok()?;
        let all = (0..rows).try_fold(0_usize, |sum, row| sum.checked_add(parts[columns[SET].place(row)]))?;
        let segment = Self {
            rows,
            events: from.numbers(rows)?,
            bytes: from.numbers(rows)?,
            micros: from.numbers(all)?,
            whole: from.numbers(all)?,
            fraction: from.numbers(all)?,
            columns,
            parts,
        };
        from.0.is_empty().then_some(segment)
    }

    /// All rows.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let part = |at| Part {
            micros: self.micros.at(at),
            quantity: Quantity::from_parts(self.whole.at(at), self.fraction.at(at)).micros(),
        };
        let fact = |first: &mut usize, row: usize| {
            let parts = *first..*first + self.parts[self.columns[SET].place(row)];
            *first = parts.end;
            Some(Fact {
                key: std::array::from_fn(|column| self.columns[column].at(row)),
                events: self.events.at(row),
                bytes: self.bytes.at(row),
                parts: parts.map(part).collect(),
            })
        };
        (0..self.rows).scan(0, fact).collect()
    }
}

/// What is left to be read.
struct Reading<'b>(&'b [u8]);

impl<'b> Reading<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.unsigned()?).ok()
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn packed(&mut self, count: usize) -> Option<Packed<'b>> {
        let width = usize::from(self.byte()?);
        let len = matches!(width, 0 | 1 | 2 | 4 | 8).then(|| count.checked_mul(width))??;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(Packed { width, bytes })
    }

    fn numbers(&mut self, count: usize) -> Option<Numbers<'b>> {
        Some(Numbers { least: self.signed()?, packed: self.packed(count)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fact() -> impl Strategy<Value = Fact> {
        let value = || prop_oneof![Just(0_i64), 1..4_i64, 1..100_000_i64];
        let key = (0..4_i64, prop::collection::vec(value(), 7), -3..3_000_000_i64);
        let number = prop_oneof![Just(0_i64), -5..300_i64, any::<i32>().prop_map(i64::from), -1_i64 << 50..1 << 50];
        let parts = prop::collection::vec((number, 0_i64..1 << 40, 0..1_000_000_i64), 3);
        (key, 0..70_000_i64, 0_i64..1 << 40, parts).prop_map(|((set, dims, quarter), events, bytes, parts)| {
            let mut key = [0; COLUMNS];
            key[SET] = set;
            key[SOURCE..QUARTER].copy_from_slice(&dims);
            key[QUARTER] = quarter;
            // As many parts as the set's number says.
            let parts =
                parts.into_iter().take(usize::try_from(set).expect("small")).map(|(micros, whole, fraction)| Part {
                    micros,
                    quantity: Quantity::from_parts(whole, fraction).micros(),
                });
            Fact { key, events, bytes, parts: parts.collect() }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(facts in prop::collection::vec(fact(), 0..60)) {
            let facts = added_up(facts).expect("fits");
            let data = write(&facts).expect("fits");
            prop_assert_eq!(Segment::read(&data).expect("ours").facts(), facts);
        }

        #[test]
        fn what_is_taken_away_was_never_there(facts in prop::collection::vec(fact(), 1..30), taken in 0..30_usize) {
            let taken = facts[taken % facts.len()].clone();
            let before = added_up(facts).expect("fits");
            let mut more = before.clone();
            more.extend([taken.clone(), taken.negated()]);
            prop_assert_eq!(added_up(more).expect("fits"), before);
        }

        #[test]
        fn damage_is_refused_or_read_but_never_panics(
            facts in prop::collection::vec(fact(), 0..20),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut data = write(&added_up(facts).expect("fits")).expect("fits");
            let place = at.index(data.len());
            data[place] = byte;
            let _ = Segment::read(&data).map(|segment| segment.facts());
            let _ = Segment::read(&data[..cut.index(data.len())]).map(|segment| segment.facts());
        }
    }
}
