//! The cube on its way to the browser: rows of numbers instead of objects, a tenth of the size and of the parsing.
//!
//! A year of days with 50 combinations is some 20,000 cells; it travels inside the page and in every change of range.
//! The shape is private to this crate and may change with any release: both sides are always built together.

use chrono::DateTime;
use ledger::cube::{Axis, Bucket, Calls, Cell, Cube, Interval, MeterInfo, Named};
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
    sets: Vec<Vec<u16>>,
    /// Bucket, meter, source, project, facet; micro-credits, quantity.
    cells: Vec<([u16; 5], i64, Quantity)>,
    /// Bucket, set, source, project, facet; events, failed, bytes.
    calls: Vec<([u16; 5], i64, i64, i64)>,
}

/// For `#[serde(with)]`.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(cube: &Cube, serializer: S) -> Result<S::Ok, S::Error> {
    let bucket = |b: &Bucket| (b.start.micros(), b.end.micros(), b.local.and_utc().timestamp_micros(), b.incomplete);
    let wire = Wire {
        zone: cube.zone.clone(),
        interval: cube.interval,
        buckets: cube.buckets.iter().map(bucket).collect(),
        meters: cube.meters.clone(),
        sources: cube.sources.clone(),
        projects: cube.projects.clone(),
        sets: cube.sets.clone(),
        facet: cube.facet.clone(),
        cells: cube
            .cells
            .iter()
            .map(|c| ([c.bucket, c.meter, c.source, c.project, c.facet], c.micros, c.quantity))
            .collect(),
        calls: cube
            .calls
            .iter()
            .map(|c| ([c.bucket, c.set, c.source, c.project, c.facet], c.events, c.failed, c.bytes))
            .collect(),
    };
    wire.serialize(serializer)
}

/// For `#[serde(with)]`.
///
/// # Errors
/// Where the text is not what [`serialize`] writes, or an index points nowhere: a slice would panic on it.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cube, D::Error> {
    let wire = Wire::deserialize(deserializer)?;
    let mut buckets = Vec::with_capacity(wire.buckets.len());
    for (start, end, local, incomplete) in wire.buckets {
        let local = DateTime::from_timestamp_micros(local).ok_or_else(|| D::Error::custom("no such local time"))?;
        buckets.push(Bucket {
            start: Timestamp::from_micros(start),
            end: Timestamp::from_micros(end),
            local: local.naive_utc(),
            incomplete,
        });
    }
    let cube = Cube {
        zone: wire.zone,
        interval: wire.interval,
        buckets,
        meters: wire.meters,
        sources: wire.sources,
        projects: wire.projects,
        sets: wire.sets,
        facet: wire.facet,
        cells: wire.cells.into_iter().map(|(at, micros, quantity)| Cell::at(at, micros, quantity)).collect(),
        calls: wire.calls.into_iter().map(|(at, events, failed, bytes)| Calls::at(at, events, failed, bytes)).collect(),
    };
    if is_sound(&cube) { Ok(cube) } else { Err(D::Error::custom("an index points nowhere")) }
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
    use crate::usage_chart::specimen_cube;
    use ledger::Cube;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Dto(#[serde(with = "super")] Cube);

    #[test]
    fn a_cube_arrives_as_it_left() {
        let dto = Dto(specimen_cube());
        let json = serde_json::to_string(&dto).expect("serializes");
        assert_eq!(serde_json::from_str::<Dto>(&json).ok(), Some(dto));
    }

    #[test]
    fn an_index_that_points_nowhere_is_refused() {
        let mut cube = specimen_cube();
        cube.cells[0].meter = 99;
        let json = serde_json::to_string(&Dto(cube)).expect("serializes");
        assert!(serde_json::from_str::<Dto>(&json).is_err());
    }
}
