//! Sums while they are added up, in order: by bucket, meter or set of meters, source, project and value of the facet.
//!
//! Numbers of the database become places in sorted lists once per segment; a combination of places is one number, which is where
//! its sum is: in an array, or in a map where there could be too many.

use super::segment::{FAILED, PROJECT, SET, SOURCE, Segment};
use crate::error::StoreError;
use crate::rows::unreadable;
use crate::usage::{Cells, Lists, place_in as place, sorted};
use ledger::Quantity;
use ledger::cube::{Calls, Cell};
use rustc_hash::FxHashMap;

/// Combinations for which an array is made: 32 MB, of which only what is touched is ever there.
const DENSE: usize = 1 << 20;

/// Three figures of a combination: events, failed and bytes, or micro-credits, whole units and micro-units.
type Figures = [i64; 3];

/// Figures by combination, and in the array whether it was met at all: all zeros cost nothing to lay down.
enum Table {
    Dense(Vec<[i64; 4]>),
    Sparse(FxHashMap<usize, Figures>),
}

impl Table {
    fn new(size: usize) -> Self {
        if size <= DENSE { Self::Dense(vec![[0; 4]; size]) } else { Self::Sparse(FxHashMap::default()) }
    }

    fn add(&mut self, at: usize, [a, b, c]: Figures) {
        match self {
            Self::Dense(all) => {
                let sum = &mut all[at];
                *sum = [sum[0] + a, sum[1] + b, sum[2] + c, 1];
            }
            Self::Sparse(all) => {
                let sum = all.entry(at).or_default();
                *sum = [sum[0] + a, sum[1] + b, sum[2] + c];
            }
        }
    }

    /// What was met, in order, as `of` makes it of a combination and its figures.
    fn met<T>(self, of: impl Fn(usize, Figures) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Dense(all) => {
                let met = all.iter().enumerate().filter(|(_, [.., met])| *met == 1);
                met.map(|(at, [a, b, c, _])| of(at, [*a, *b, *c])).collect()
            }
            Self::Sparse(all) => {
                let mut met: Vec<(usize, Figures)> = all.into_iter().collect();
                met.sort_unstable_by_key(|(at, _)| *at);
                met.into_iter().map(|(at, figures)| of(at, figures)).collect()
            }
        }
    }
}

/// See the module.
pub(super) struct Sums {
    meters: Vec<i64>,
    sets: Vec<i64>,
    /// Places of the meters of each set.
    members: Vec<Vec<usize>>,
    sources: Vec<i64>,
    projects: Vec<i64>,
    told: Option<[bool; 2]>,
    facets: usize,
    usage: Table,
    calls: Table,
}

/// Sums, and what the values of a segment's columns add to the places of its rows.
pub(super) struct Adding<'s> {
    segment: &'s Segment<'s>,
    usage: &'s mut Table,
    calls: &'s mut Table,
    members: &'s [Vec<usize>],
    sets: Vec<usize>,
    source: Vec<usize>,
    project: Vec<usize>,
    failed: Vec<i64>,
    one_kind: usize,
    all_sets: usize,
    all_meters: usize,
}

impl Adding<'_> {
    /// Adds a row; `facet` is the place of its value of the facet.
    #[inline]
    pub(super) fn add(&mut self, &Counted { row, bucket, set, first }: &Counted, facet: usize) {
        let Segment { columns, events, bytes, micros, whole, fraction, .. } = self.segment;
        let set = self.sets[set];
        let at = self.source[columns[SOURCE].place(row)] + self.project[columns[PROJECT].place(row)] + facet;
        let events = events.at(row);
        let calls = [events, events * self.failed[columns[FAILED].place(row)], bytes.at(row)];
        self.calls.add(bucket * self.all_sets + set * self.one_kind + at, calls);
        let at = bucket * self.all_meters + at;
        for (meter, part) in self.members[set].iter().zip(first..) {
            self.usage.add(at + meter * self.one_kind, [micros.at(part), whole.at(part), fraction.at(part)]);
        }
    }
}

/// A row of a segment that counts.
pub(super) struct Counted {
    pub(super) row: usize,
    /// Its bucket's place.
    pub(super) bucket: usize,
    /// The place of its set in the segment.
    pub(super) set: usize,
    /// Where its parts begin.
    pub(super) first: usize,
}

impl Sums {
    pub(super) fn new(
        segments: &[Segment<'_>],
        buckets: usize,
        meters_of: &FxHashMap<i64, Vec<i64>>,
        facets: usize,
        told: Option<[bool; 2]>,
    ) -> Result<Self, StoreError> {
        let held = |column: usize| sorted(segments.iter().flat_map(|segment| &segment.columns[column].values).copied());
        let sets = held(SET);
        let of = |set: &i64| meters_of.get(set).ok_or_else(|| unreadable("set of meters"));
        let lists = sets.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        let meters = sorted(lists.iter().copied().flatten().copied());
        let members = lists.iter().map(|list| list.iter().map(|meter| place(&meters, *meter)).collect());
        let members = members.collect::<Result<_, _>>()?;
        let [sources, projects] = told.unwrap_or([true; 2]);
        let sources = if sources { held(SOURCE) } else { vec![0] };
        let projects = if projects { held(PROJECT) } else { vec![0] };
        let size = |kinds: usize| {
            [buckets, kinds, sources.len(), projects.len(), facets].into_iter().fold(1_usize, usize::saturating_mul)
        };
        let (usage, calls) = (Table::new(size(meters.len())), Table::new(size(sets.len())));
        Ok(Self { meters, sets, members, sources, projects, told, facets, usage, calls })
    }

    /// Ready to add rows of a segment.
    pub(super) fn adding<'s>(&'s mut self, segment: &'s Segment<'s>) -> Result<Adding<'s>, StoreError> {
        let (sources, projects, facets) = (self.sources.len(), self.projects.len(), self.facets);
        // What a value of a column adds to the place of its combination.
        let steps = |all: &[i64], column: usize, step: usize| {
            let values = segment.columns[column].values.iter();
            values.map(|value| Ok(place(all, *value)? * step)).collect::<Result<Vec<_>, StoreError>>()
        };
        let [source_told, project_told] = self.told.unwrap_or([true; 2]);
        let none = |column: usize| Ok(vec![0; segment.columns[column].values.len()]);
        let sets = steps(&self.sets, SET, 1)?;
        if sets.iter().zip(&segment.parts).any(|(set, parts)| self.members[*set].len() != *parts) {
            return Err(unreadable("set of meters"));
        }
        let source = if source_told { steps(&self.sources, SOURCE, projects * facets) } else { none(SOURCE) }?;
        let project = if project_told { steps(&self.projects, PROJECT, facets) } else { none(PROJECT) }?;
        let failed = segment.columns[FAILED].values.iter().map(|failed| i64::from(*failed == 1)).collect();
        let one_kind = sources * projects * facets;
        let (all_sets, all_meters) = (self.sets.len() * one_kind, self.meters.len() * one_kind);
        let (usage, calls, members) = (&mut self.usage, &mut self.calls, &self.members);
        Ok(Adding { segment, usage, calls, members, sets, source, project, failed, one_kind, all_sets, all_meters })
    }

    /// The sums, in order.
    pub(super) fn cells(self) -> Result<Cells, StoreError> {
        let Self { meters, sets, sources, projects, told, facets, usage, calls, .. } = self;
        let small = |place: usize| u16::try_from(place).map_err(|_| unreadable("place in a cube"));
        let sizes = [sources.len(), projects.len(), facets];
        let place = |at: usize, kinds: usize| -> Result<[u16; 5], StoreError> {
            let (at, facet) = (at / sizes[2], at % sizes[2]);
            let (at, project) = (at / sizes[1], at % sizes[1]);
            let (at, source) = (at / sizes[0], at % sizes[0]);
            Ok([small(at / kinds)?, small(at % kinds)?, small(source)?, small(project)?, small(facet)?])
        };
        let cells = usage.met(|at, [micros, whole, fraction]| {
            let quantity = i128::from(whole) * 1_000_000 + i128::from(fraction);
            Ok(Cell::at(place(at, meters.len())?, micros, Quantity::from_micros(quantity)))
        })?;
        let calls =
            calls.met(|at, [events, failed, bytes]| Ok(Calls::at(place(at, sets.len())?, events, failed, bytes)))?;
        Ok(Cells { lists: Lists { meters, sets, sources, projects }, told, cells, calls })
    }
}
