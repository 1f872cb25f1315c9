//! The usage cube: all of a range's usage, small enough to be sent once and sliced anywhere.
//!
//! The store fills a [`Cube`] from rollups; [`Cube::slice`] answers every question about it: the JSON API on the server,
//! a filter that was just clicked in the browser. One code, so both say the same.
//!
//! Credits and quantities are kept per meter, calls per *set* of meters: an event with three quantities is one call, and
//! stays one call whichever of its credit types are chosen. Cost of a slice: one pass over the cells; a year of days with
//! 50 combinations is some 20,000 of them.

mod dimension;
mod slice;

pub use dimension::{Dimension, Facet};
pub use slice::{Figures, Filter, Series, Slice};

use crate::label::Meter;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

/// Most buckets of one cube: 400 days, or 16 days of hours. More could be neither drawn nor read.
pub const MAX_BUCKETS: usize = 400;

/// The width of a bucket, in the calendar of the cube's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// An hour of the clock.
    Hour,
    /// A calendar day: 23 or 25 hours where the clock changes.
    Day,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// The whole range at once.
    None,
}

impl Interval {
    /// All, with the names they have on the wire.
    pub const ALL: [(Self, &'static str); 5] =
        [(Self::Hour, "hour"), (Self::Day, "day"), (Self::Week, "week"), (Self::Month, "month"), (Self::None, "none")];

    /// The interval of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| *name == text).map(|(interval, _)| interval)
    }

    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(interval, _)| *interval == self).map_or("none", |(_, name)| name)
    }
}

/// A stretch of time that is one bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// The first instant by the clock of the cube's zone.
    pub local: NaiveDateTime,
    /// Whether it is not over yet: more may come.
    pub incomplete: bool,
}

/// A meter as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterInfo {
    /// Its name.
    pub meter: Meter,
    /// What people read: "Input tokens".
    pub title: String,
    /// The unit of its quantities: "token", "s".
    pub unit: String,
    /// What lists of transactions call it; the meter's name where it is empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
}

/// An id and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Named {
    /// The id.
    pub id: String,
    /// What people read; the id again where nothing was said.
    pub name: String,
}

/// A facet that a cube tells apart, with what it met of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Which facet.
    pub facet: Facet,
    /// What was met; most credits first, then what was not said, then the rest.
    pub values: Vec<AxisValue>,
}

/// A value of a facet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AxisValue {
    /// One of its own.
    Named(Named),
    /// Usage that says none.
    Unsaid,
    /// So many others, added up: those with fewer credits than the ones that are named.
    Others(u32),
}

/// Credits and quantity of one meter, source, project and value of the facet in one bucket; the numbers point into the
/// cube's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Index of the bucket.
    pub bucket: u16,
    /// Index of the meter.
    pub meter: u16,
    /// Index of the source.
    pub source: u16,
    /// Index of the project.
    pub project: u16,
    /// Index of the facet's value; 0 where the cube knows no facet.
    pub facet: u16,
    /// Micro-credits.
    pub micros: i64,
    /// In the meter's unit.
    pub quantity: Quantity,
}

impl Cell {
    /// From the indices of bucket, meter, source, project and facet, and what is there.
    #[must_use]
    pub const fn at([bucket, meter, source, project, facet]: [u16; 5], micros: i64, quantity: Quantity) -> Self {
        Self { bucket, meter, source, project, facet, micros, quantity }
    }
}

/// Calls of one set of meters, source, project and value of the facet in one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// Index of the bucket.
    pub bucket: u16,
    /// Index of the meter set.
    pub set: u16,
    /// Index of the source.
    pub source: u16,
    /// Index of the project.
    pub project: u16,
    /// Index of the facet's value; 0 where the cube knows no facet.
    pub facet: u16,
    /// How many events.
    pub events: i64,
    /// How many of them failed.
    pub failed: i64,
    /// Data that they transferred.
    pub bytes: i64,
}

impl Calls {
    /// From the indices of bucket, set, source, project and facet, and how many there are.
    #[must_use]
    pub const fn at([bucket, set, source, project, facet]: [u16; 5], events: i64, failed: i64, bytes: i64) -> Self {
        Self { bucket, set, source, project, facet, events, failed, bytes }
    }
}

/// All usage of an org in a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cube {
    /// IANA name of the zone whose days these are.
    pub zone: String,
    /// Width of the buckets.
    pub interval: Interval,
    /// In order of time, without gaps.
    pub buckets: Vec<Bucket>,
    /// Every meter the org knows, in the order of its rate card, used or not.
    pub meters: Vec<MeterInfo>,
    /// Sources met in the range.
    pub sources: Vec<String>,
    /// Projects met in the range; `None` for usage that names none.
    pub projects: Vec<Option<Named>>,
    /// The facet that this cube tells apart.
    pub facet: Option<Axis>,
    /// Whether it has only what a filter by sources and projects let through, and tells apart of these what one view shows: all of
    /// an org would be too large. A filter by them is nothing new to it then.
    pub narrow: bool,
    /// Sets of meters met in the range, as indexes of meters.
    pub sets: Vec<Vec<u16>>,
    /// Credits and quantities.
    pub cells: Vec<Cell>,
    /// Calls.
    pub calls: Vec<Calls>,
}

#[cfg(test)]
mod tests;
