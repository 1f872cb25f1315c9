//! Which colour stands for what: the same for the same thing on every page, whatever is filtered.
//!
//! A credit type has the colour of its place in the org's rate card. Sources and projects are an open set without an
//! order, so theirs follows from the name: a hash, and where two names want the same colour, the next free one in
//! alphabetical order. Behind the largest eight twelve more have one of the second choice, by size, and whatever is smaller
//! the neutral colour; which ones is decided over all that the cube holds, not over what a filter leaves.

use ledger::cube::AxisValue;
use ledger::{Cube, Dimension};

/// Colours that tell things apart.
pub const SLOTS: u8 = 8;
/// Colours for what comes behind those, where a view tells more apart.
const MORE: usize = 12;
/// The neutral colour.
pub const OTHER: u8 = SLOTS;

/// The colour of each value of a dimension, in the order of the cube's own list.
#[must_use]
pub fn slots(cube: &Cube, dimension: &Dimension) -> Vec<u8> {
    let none = String::new;
    let names: Vec<String> = match dimension {
        Dimension::Type => return (0..cube.meters.len()).map(by_place).collect(),
        Dimension::Source => cube.sources.clone(),
        Dimension::Project => cube.projects.iter().map(|p| p.as_ref().map_or_else(none, |p| p.id.clone())).collect(),
        Dimension::Facet(_) => {
            let values = cube.facet.iter().flat_map(|axis| &axis.values);
            let id = |value: &AxisValue| match value {
                AxisValue::Named(named) => Some(named.id.clone()),
                AxisValue::Unsaid => Some(String::new()),
                AxisValue::Others(_) => None,
            };
            // What is added up comes last, and has the neutral colour.
            values.map_while(id).collect()
        }
    };
    by_name(&names, &spent(cube, dimension, names.len()))
}

/// The colour of a place: between the first and the others lies the neutral one.
fn by_place(index: usize) -> u8 {
    let slot = if index < usize::from(SLOTS) { index } else { index + 1 };
    u8::try_from(slot).ok().filter(|_| index < usize::from(SLOTS) + MORE).unwrap_or(OTHER)
}

/// Credits spent per value of a dimension over the whole cube.
fn spent(cube: &Cube, dimension: &Dimension, len: usize) -> Vec<i128> {
    let mut sums = vec![0_i128; len];
    for cell in &cube.cells {
        let index = match dimension {
            Dimension::Type => cell.meter,
            Dimension::Source => cell.source,
            Dimension::Project => cell.project,
            Dimension::Facet(_) => cell.facet,
        };
        if let Some(sum) = sums.get_mut(usize::from(index)) {
            *sum += i128::from(cell.micros);
        }
    }
    sums
}

fn by_name(names: &[String], spent: &[i128]) -> Vec<u8> {
    let mut largest: Vec<usize> = (0..names.len()).collect();
    largest.sort_by(|a, b| spent[*b].cmp(&spent[*a]).then_with(|| names[*a].cmp(&names[*b])));
    let mut slots = vec![OTHER; names.len()];
    for (place, index) in largest.iter().enumerate().skip(usize::from(SLOTS)) {
        slots[*index] = by_place(place);
    }
    largest.truncate(usize::from(SLOTS));
    largest.sort_by(|a, b| names[*a].cmp(&names[*b]));
    let mut taken = [false; SLOTS as usize];
    for index in largest {
        let wanted = hash(&names[index]) % u32::from(SLOTS);
        let free = (0..u32::from(SLOTS)).map(|step| (wanted + step) % u32::from(SLOTS)).find(|s| !taken[*s as usize]);
        if let Some(slot) = free {
            taken[slot as usize] = true;
            slots[index] = u8::try_from(slot).unwrap_or(OTHER);
        }
    }
    slots
}

/// FNV-1a, folded: any fixed function would do, as long as it never changes.
fn hash(name: &str) -> u32 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<u8> {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        by_name(&names, &vec![1; names.len()])
    }

    #[test]
    fn a_name_keeps_its_colour_whatever_the_order() {
        let (a, b) = (named(&["api", "embedded", "platform"]), named(&["platform", "api", "embedded"]));
        assert_eq!((a[0], a[1], a[2]), (b[1], b[2], b[0]));
    }

    #[test]
    fn twenty_names_have_colours_of_their_own_and_the_smallest_beyond_them_the_neutral_one() {
        let names: Vec<String> = (0..22).map(|i| format!("source-{i}")).collect();
        let spent: Vec<i128> = (0..22).collect();
        let slots = by_name(&names, &spent);
        assert_eq!(&slots[..2], &[OTHER, OTHER]);
        let mut rest = slots[14..].to_vec();
        rest.sort_unstable();
        assert_eq!(rest, (0..SLOTS).collect::<Vec<_>>());
        let second: Vec<u8> = slots[2..14].iter().rev().copied().collect();
        assert_eq!(second, (9..=20).collect::<Vec<_>>());
        assert_eq!([7, 8, 19, 20].map(by_place), [7, 9, 20, OTHER]);
    }
}
