//! Sums while they are added up, in order: by bucket, meter or set of meters, source, project and value of the facet.
//!
//! Numbers of the database become places in sorted lists once per segment; a combination of places is one number, which is where
//! its sum is: in an array, or in a map where there could be too many.

use super::segment::{FAILED, PROJECT, SET, SOURCE, Segment};
use crate::error::StoreError;
use crate::rows::unreadable;
use crate::usage::Cells;
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

    /// What was met, in order.
    fn met(self) -> Vec<(usize, Figures)> {
        match self {
            Self::Dense(all) => {
                let met = |(at, [a, b, c, met]): (usize, [i64; 4])| (met == 1).then_some((at, [a, b, c]));
                all.into_iter().enumerate().filter_map(met).collect()
            }
            Self::Sparse(all) => {
                let mut met: Vec<(usize, Figures)> = all.into_iter().collect();
                met.sort_unstable_by_key(|(at, _)| *at);
                met
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
    facets: usize,
    usage: Table,
    calls: Table,
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
    ) -> Result<Self, StoreError> {
        let held = |column: usize| sorted(segments.iter().flat_map(|segment| &segment.columns[column].values).copied());
        let sets = held(SET);
        let of = |set: &i64| meters_of.get(set).ok_or_else(|| unreadable("set of meters"));
        let lists = sets.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        let meters = sorted(lists.iter().copied().flatten().copied());
        let members = lists.iter().map(|list| list.iter().map(|meter| place(&meters, *meter)).collect());
        let members = members.collect::<Result<_, _>>()?;
        let (sources, projects) = (held(SOURCE), held(PROJECT));
        let size = |kinds: usize| {
            [buckets, kinds, sources.len(), projects.len(), facets].into_iter().fold(1_usize, usize::saturating_mul)
        };
        let (usage, calls) = (Table::new(size(meters.len())), Table::new(size(sets.len())));
        Ok(Self { meters, sets, members, sources, projects, facets, usage, calls })
    }

    /// Adds rows of a segment; `facet` is the place of a row's value of the facet.
    pub(super) fn add(
        &mut self,
        segment: &Segment<'_>,
        rows: &[Counted],
        facet: impl Fn(usize) -> usize,
    ) -> Result<(), StoreError> {
        let place_of = |all: &[i64], column: usize| {
            segment.columns[column].values.iter().map(|value| place(all, *value)).collect::<Result<Vec<_>, _>>()
        };
        let sets = place_of(&self.sets, SET)?;
        if sets.iter().zip(&segment.parts).any(|(set, parts)| self.members[*set].len() != *parts) {
            return Err(unreadable("set of meters"));
        }
        let (sources, source_of) = (place_of(&self.sources, SOURCE)?, segment.columns[SOURCE].places());
        let (projects, project_of) = (place_of(&self.projects, PROJECT)?, segment.columns[PROJECT].places());
        let failed: Vec<i64> = segment.columns[FAILED].values.iter().map(|failed| i64::from(*failed == 1)).collect();
        let failed_of = segment.columns[FAILED].places();
        let (events, bytes) = (segment.events.all(), segment.bytes.all());
        let (micros, whole, fraction) = (segment.micros.all(), segment.whole.all(), segment.fraction.all());
        let sizes = (self.sources.len(), self.projects.len(), self.facets);
        for &Counted { row, bucket, set, first } in rows {
            let (source, project) = (sources[source_of[row]], projects[project_of[row]]);
            let combined = |kinds: usize, kind: usize| {
                (((bucket * kinds + kind) * sizes.0 + source) * sizes.1 + project) * sizes.2 + facet(row)
            };
            let calls = [events[row], events[row] * failed[failed_of[row]], bytes[row]];
            self.calls.add(combined(self.sets.len(), sets[set]), calls);
            for (meter, part) in self.members[sets[set]].iter().zip(first..) {
                self.usage.add(combined(self.meters.len(), *meter), [micros[part], whole[part], fraction[part]]);
            }
        }
        Ok(())
    }

    /// The sums, in order.
    pub(super) fn cells(self) -> Cells {
        let Self { meters, sets, sources, projects, facets, usage, calls, .. } = self;
        let key = |at: usize, kinds: &[i64]| {
            let (at, facet) = (at / facets, at % facets);
            let (at, project) = (at / projects.len(), at % projects.len());
            let (at, source) = (at / sources.len(), at % sources.len());
            let small = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
            [small(at / kinds.len()), kinds[at % kinds.len()], sources[source], projects[project], small(facet)]
        };
        let mut cells = Cells::default();
        for (at, [micros, whole, fraction]) in usage.met() {
            cells.add_usage(key(at, &meters), micros, i128::from(whole) * 1_000_000 + i128::from(fraction));
        }
        for (at, figures) in calls.met() {
            cells.add_calls(key(at, &sets), figures);
        }
        cells
    }
}

fn sorted(numbers: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut numbers: Vec<i64> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn place(all: &[i64], number: i64) -> Result<usize, StoreError> {
    all.binary_search(&number).map_err(|_| unreadable("place of a dimension"))
}
