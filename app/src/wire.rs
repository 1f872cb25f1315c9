//! The cube on its way to the browser: columns of small numbers, a tenth of what objects would take.
//!
//! Cells that differ in nothing but the day follow each other as a run, so that a cell is the gap to the one before, its quantity, and
//! what its credits are beyond what the quantity costs at the meter's average: nearly always 0, since prices are
//! nearly always linear. Compressed, what is left is little more than the quantities themselves. Nothing is rounded.
//! The shape is private to this crate and may change with any release: both sides are always built together.

use chrono::DateTime;
use ledger::cube::{Axis, Bucket, Calls, Cell, Cube, Interval, MeterInfo, Named};
use ledger::quantity::MICROS_PER_UNIT;
use ledger::{Quantity, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
struct Wire {
    zone: String,
    interval: Interval,
    /// Start, end, local start (microseconds), incomplete.
    buckets: Vec<(i64, i64, i64, bool)>,
    meters: Vec<MeterInfo>,
    sources: Vec<String>,
    projects: Vec<Option<Named>>,
    facet: Option<Axis>,
    narrow: bool,
    sets: Vec<Vec<u16>>,
    /// Micro-credits and whole units of each meter in all cells.
    sums: Vec<(i64, i64)>,
    cells: Runs,
    /// Whole units of each cell, and the micro-units beyond them; none where all are 0.
    whole: Vec<i64>,
    fraction: Vec<i64>,
    /// Micro-credits beyond what the whole units cost on average.
    beyond: Vec<i64>,
    calls: Runs,
    events: Vec<i64>,
    failed: Vec<i64>,
    bytes: Vec<i64>,
}

/// Where things are: runs of those that differ in the bucket only.
#[derive(Default, Serialize, Deserialize)]
struct Runs {
    /// Meter or set, source, project, facet; and how many there are.
    keys: Vec<[u16; 5]>,
    /// Buckets between each and the one before in its run.
    gaps: Vec<u16>,
}

impl Runs {
    /// Of places that are sorted by all but the bucket, which comes last.
    fn of(places: impl Iterator<Item = [u16; 5]>) -> Self {
        let (mut runs, mut next) = (Self::default(), 0);
        for [what, source, project, facet, bucket] in places {
            match runs.keys.last_mut() {
                Some([a, b, c, d, count]) if [*a, *b, *c, *d] == [what, source, project, facet] => *count += 1,
                _ => {
                    runs.keys.push([what, source, project, facet, 1]);
                    next = 0;
                }
            }
            runs.gaps.push(bucket - next);
            next = bucket + 1;
        }
        runs
    }

    /// The places again, with the bucket first.
    fn places(&self) -> Option<Vec<[u16; 5]>> {
        let mut places = Vec::with_capacity(self.gaps.len());
        let mut gaps = self.gaps.iter();
        for &[what, source, project, facet, count] in &self.keys {
            let mut next = 0_u16;
            for gap in gaps.by_ref().take(count.into()) {
                let bucket = next.checked_add(*gap)?;
                places.push([bucket, what, source, project, facet]);
                next = bucket.checked_add(1)?;
            }
        }
        (places.len() == self.gaps.len()).then_some(places)
    }
}

/// What so many units cost on average; the same on both sides, whatever it is.
fn average((micros, whole): (i64, i64), units: i64) -> i64 {
    let cost = if whole == 0 { 0 } else { i128::from(micros) * i128::from(units) / i128::from(whole) };
    i64::try_from(cost).unwrap_or_default()
}

/// Whole units and micro-units. What the ledger keeps fits.
fn parts(quantity: Quantity) -> (i64, i64) {
    let (whole, fraction) =
        (quantity.micros().div_euclid(MICROS_PER_UNIT), quantity.micros().rem_euclid(MICROS_PER_UNIT));
    (i64::try_from(whole).unwrap_or_default(), i64::try_from(fraction).unwrap_or_default())
}

/// For `#[serde(with)]`.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(cube: &Cube, serializer: S) -> Result<S::Ok, S::Error> {
    let bucket = |b: &Bucket| (b.start.micros(), b.end.micros(), b.local.and_utc().timestamp_micros(), b.incomplete);
    let mut cells = cube.cells.clone();
    cells.sort_unstable_by_key(|c| (c.meter, c.source, c.project, c.facet, c.bucket));
    let mut calls = cube.calls.clone();
    calls.sort_unstable_by_key(|c| (c.set, c.source, c.project, c.facet, c.bucket));
    let mut sums = vec![(0_i64, 0_i64); cube.meters.len()];
    for cell in &cells {
        let sum = &mut sums[usize::from(cell.meter)];
        *sum = (sum.0.wrapping_add(cell.micros), sum.1.wrapping_add(parts(cell.quantity).0));
    }
    let beyond = |c: &Cell| c.micros.wrapping_sub(average(sums[usize::from(c.meter)], parts(c.quantity).0));
    let mut fraction: Vec<i64> = cells.iter().map(|c| parts(c.quantity).1).collect();
    if fraction.iter().all(|micros| *micros == 0) {
        fraction.clear();
    }
    let wire = Wire {
        zone: cube.zone.clone(),
        interval: cube.interval,
        buckets: cube.buckets.iter().map(bucket).collect(),
        meters: cube.meters.clone(),
        sources: cube.sources.clone(),
        projects: cube.projects.clone(),
        facet: cube.facet.clone(),
        narrow: cube.narrow,
        sets: cube.sets.clone(),
        cells: Runs::of(cells.iter().map(|c| [c.meter, c.source, c.project, c.facet, c.bucket])),
        whole: cells.iter().map(|c| parts(c.quantity).0).collect(),
        fraction,
        beyond: cells.iter().map(beyond).collect(),
        calls: Runs::of(calls.iter().map(|c| [c.set, c.source, c.project, c.facet, c.bucket])),
        events: calls.iter().map(|c| c.events).collect(),
        failed: calls.iter().map(|c| c.failed).collect(),
        bytes: calls.iter().map(|c| c.bytes).collect(),
        sums,
    };
    wire.serialize(serializer)
}

/// For `#[serde(with)]`. Cells and calls come in the order of their runs.
///
/// # Errors
/// Where the text is not what [`serialize`] writes, or an index points nowhere: a slice would panic on it.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cube, D::Error> {
    cube(Wire::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not a cube"))
}

fn cube(wire: Wire) -> Option<Cube> {
    let bucket = |(start, end, local, incomplete)| {
        let local = DateTime::from_timestamp_micros(local)?.naive_utc();
        Some(Bucket { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end), local, incomplete })
    };
    let mut cells = Vec::with_capacity(wire.whole.len());
    for (i, at) in wire.cells.places()?.into_iter().enumerate() {
        let (whole, fraction) = (*wire.whole.get(i)?, wire.fraction.get(i).copied().unwrap_or(0));
        let micros = average(*wire.sums.get(usize::from(at[1]))?, whole).wrapping_add(*wire.beyond.get(i)?);
        cells.push(Cell::at(at, micros, Quantity::from_parts(whole, fraction)));
    }
    let mut calls = Vec::with_capacity(wire.events.len());
    for (i, at) in wire.calls.places()?.into_iter().enumerate() {
        calls.push(Calls::at(at, *wire.events.get(i)?, *wire.failed.get(i)?, *wire.bytes.get(i)?));
    }
    let cube = Cube {
        zone: wire.zone,
        interval: wire.interval,
        buckets: wire.buckets.into_iter().map(bucket).collect::<Option<_>>()?,
        meters: wire.meters,
        sources: wire.sources,
        projects: wire.projects,
        facet: wire.facet,
        narrow: wire.narrow,
        sets: wire.sets,
        cells,
        calls,
    };
    is_sound(&cube).then_some(cube)
}

fn is_sound(cube: &Cube) -> bool {
    let within = |index: u16, len: usize| usize::from(index) < len;
    let values = cube.facet.as_ref().map_or(1, |axis| axis.values.len());
    let place = |bucket, source, project, facet| {
        within(bucket, cube.buckets.len())
            && within(source, cube.sources.len())
            && within(project, cube.projects.len())
            && within(facet, values)
    };
    cube.sets.iter().flatten().all(|m| within(*m, cube.meters.len()))
        && cube
            .cells
            .iter()
            .all(|c| place(c.bucket, c.source, c.project, c.facet) && within(c.meter, cube.meters.len()))
        && cube.calls.iter().all(|c| place(c.bucket, c.source, c.project, c.facet) && within(c.set, cube.sets.len()))
}

#[cfg(test)]
mod tests {
    use super::{Cell, Quantity};
    use crate::usage_chart::specimen_cube;
    use ledger::Cube;
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Dto(#[serde(with = "super")] Cube);

    fn sent(cube: &Cube) -> Cube {
        let text = crate::rows::write(&Dto(cube.clone())).expect("serializes");
        crate::rows::read::<Dto>(&text).expect("reads").0
    }

    fn sorted(mut cube: Cube) -> Cube {
        cube.cells.sort_unstable_by_key(|c| (c.meter, c.source, c.project, c.facet, c.bucket));
        cube.calls.sort_unstable_by_key(|c| (c.set, c.source, c.project, c.facet, c.bucket));
        cube
    }

    #[test]
    fn a_cube_arrives_as_it_left() {
        assert_eq!(sent(&specimen_cube()), sorted(specimen_cube()));
        let narrow = Cube { narrow: true, ..specimen_cube() };
        assert_eq!(sent(&narrow), sorted(narrow));
    }

    #[test]
    fn an_index_that_points_nowhere_is_refused() {
        let mut cube = specimen_cube();
        cube.calls[0].set = 99;
        let text = crate::rows::write(&Dto(cube)).expect("serializes");
        assert!(crate::rows::read::<Dto>(&text).is_err());
    }

    proptest! {
        #[test]
        fn every_amount_and_quantity_arrives_exactly(
            cells in prop::collection::btree_map(
                (0..3_u16, 0..3_u16, 0..2_u16, 0..2_u16),
                (any::<i64>(), 0_i64..1 << 50, prop_oneof![Just(0_i64), 0..1_000_000_i64]),
                0..30,
            ),
        ) {
            let cell = |((bucket, meter, source, project), (micros, whole, fraction))| {
                Cell::at([bucket, meter, source, project, 0], micros, Quantity::from_parts(whole, fraction))
            };
            let cube = Cube { cells: cells.into_iter().map(cell).collect(), ..specimen_cube() };
            prop_assert_eq!(sent(&cube), sorted(cube));
        }
    }
}
