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

    /// The same figures, each where `to` says, in a table of another size.
    fn moved(self, size: usize, to: impl Fn(usize) -> usize) -> Self {
        let mut moved = Self::new(size);
        match self {
            Self::Dense(all) => {
                let met = all.iter().enumerate().filter(|(_, [.., met])| *met == 1);
                met.for_each(|(at, [a, b, c, _])| moved.add(to(at), [*a, *b, *c]));
            }
            Self::Sparse(all) => all.into_iter().for_each(|(at, figures)| moved.add(to(at), figures)),
        }
        moved
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

/// How many there are of what a combination is made of, but for buckets: kinds (meters or sets), sources, projects, values of the facet.
#[derive(Debug, Clone, Copy)]
struct Shape([usize; 4]);

impl Shape {
    /// Combinations in so many buckets.
    fn size(self, buckets: usize) -> usize {
        self.0.into_iter().fold(buckets, usize::saturating_mul)
    }

    /// Bucket, kind, source, project and value of a combination.
    fn places(self, at: usize) -> [usize; 5] {
        let [kinds, sources, projects, facets] = self.0;
        let (at, facet) = (at / facets, at % facets);
        let (at, project) = (at / projects, at % projects);
        let (at, source) = (at / sources, at % sources);
        [at / kinds, at % kinds, source, project, facet]
    }

    /// The combination of them.
    fn at(self, [bucket, kind, source, project, facet]: [usize; 5]) -> usize {
        let [kinds, sources, projects, facets] = self.0;
        (((bucket * kinds + kind) * sources + source) * projects + project) * facets + facet
    }
}

/// See the module.
pub(super) struct Sums<'q> {
    /// The meters of each set.
    meters_of: &'q FxHashMap<i64, Vec<i64>>,
    lists: Lists,
    /// Places of the meters of each set.
    members: Vec<Vec<usize>>,
    told: Option<[bool; 2]>,
    buckets: usize,
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

impl<'q> Sums<'q> {
    pub(super) fn new(
        buckets: usize,
        meters_of: &'q FxHashMap<i64, Vec<i64>>,
        facets: usize,
        told: Option<[bool; 2]>,
    ) -> Self {
        // What is not told apart is all of one kind.
        let all = |told: bool| if told { Vec::new() } else { vec![0] };
        let [sources, projects] = told.unwrap_or([true; 2]).map(all);
        let lists = Lists { sources, projects, ..Lists::default() };
        Self {
            meters_of,
            lists,
            members: Vec::new(),
            told,
            buckets,
            facets,
            usage: Table::new(0),
            calls: Table::new(0),
        }
    }

    fn shape(&self, kinds: usize) -> Shape {
        Shape([kinds, self.lists.sources.len(), self.lists.projects.len(), self.facets])
    }

    /// Makes room for what a segment holds. Most hold what the one before held.
    fn reach(&mut self, segment: &Segment<'_>) -> Result<(), StoreError> {
        let [source_told, project_told] = self.told.unwrap_or([true; 2]);
        let held = |list: &[i64], column: usize, told: bool| {
            let more = segment.columns[column].values.iter().filter(|_| told);
            sorted(list.iter().chain(more).copied())
        };
        let sets = held(&self.lists.sets, SET, true);
        let of = |set: &i64| self.meters_of.get(set).ok_or_else(|| unreadable("set of meters"));
        let of_sets = sets.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        let lists = Lists {
            meters: sorted(of_sets.iter().copied().flatten().copied()),
            sources: held(&self.lists.sources, SOURCE, source_told),
            projects: held(&self.lists.projects, PROJECT, project_told),
            sets,
        };
        if lists == self.lists {
            return Ok(());
        }
        let members = of_sets.iter().map(|list| list.iter().map(|meter| place(&lists.meters, *meter)).collect());
        self.members = members.collect::<Result<_, _>>()?;
        self.lay_out(lists)
    }

    /// Puts the sums so far where they belong among other lists, which have all that the old ones have.
    fn lay_out(&mut self, lists: Lists) -> Result<(), StoreError> {
        let places =
            |from: &[i64], to: &[i64]| from.iter().map(|number| place(to, *number)).collect::<Result<Vec<_>, _>>();
        let sources = places(&self.lists.sources, &lists.sources)?;
        let projects = places(&self.lists.projects, &lists.projects)?;
        let (meters, sets) = (places(&self.lists.meters, &lists.meters)?, places(&self.lists.sets, &lists.sets)?);
        let before = [self.shape(meters.len()), self.shape(sets.len())];
        self.lists = lists;
        let after = [self.shape(self.lists.meters.len()), self.shape(self.lists.sets.len())];
        let tables = [&mut self.usage, &mut self.calls];
        for (((table, kinds), before), after) in tables.into_iter().zip([meters, sets]).zip(before).zip(after) {
            let to = |at: usize| {
                let [bucket, kind, source, project, facet] = before.places(at);
                after.at([bucket, kinds[kind], sources[source], projects[project], facet])
            };
            *table = std::mem::replace(table, Table::new(0)).moved(after.size(self.buckets), to);
        }
        Ok(())
    }

    /// Ready to add rows of a segment.
    pub(super) fn adding<'s>(&'s mut self, segment: &'s Segment<'s>) -> Result<Adding<'s>, StoreError> {
        self.reach(segment)?;
        let Lists { meters, sets, sources, projects } = &self.lists;
        // What a value of a column adds to the place of its combination.
        let steps = |all: &[i64], column: usize, step: usize| {
            let values = segment.columns[column].values.iter();
            values.map(|value| Ok(place(all, *value)? * step)).collect::<Result<Vec<_>, StoreError>>()
        };
        let [source_told, project_told] = self.told.unwrap_or([true; 2]);
        let none = |column: usize| Ok(vec![0; segment.columns[column].values.len()]);
        let of_sets = steps(sets, SET, 1)?;
        if of_sets.iter().zip(&segment.parts).any(|(set, parts)| self.members[*set].len() != *parts) {
            return Err(unreadable("set of meters"));
        }
        let source = if source_told { steps(sources, SOURCE, projects.len() * self.facets) } else { none(SOURCE) }?;
        let project = if project_told { steps(projects, PROJECT, self.facets) } else { none(PROJECT) }?;
        let failed = segment.columns[FAILED].values.iter().map(|failed| i64::from(*failed == 1)).collect();
        let one_kind = sources.len() * projects.len() * self.facets;
        let (all_sets, all_meters) = (sets.len() * one_kind, meters.len() * one_kind);
        let (usage, calls, members) = (&mut self.usage, &mut self.calls, &self.members);
        Ok(Adding {
            segment,
            usage,
            calls,
            members,
            sets: of_sets,
            source,
            project,
            failed,
            one_kind,
            all_sets,
            all_meters,
        })
    }

    /// The sums, in order.
    pub(super) fn cells(self) -> Result<Cells, StoreError> {
        let [of_meters, of_sets] = [self.shape(self.lists.meters.len()), self.shape(self.lists.sets.len())];
        let small = |place: usize| u16::try_from(place).map_err(|_| unreadable("place in a cube"));
        let place = |shape: Shape, at: usize| -> Result<[u16; 5], StoreError> {
            let [bucket, kind, source, project, facet] = shape.places(at);
            Ok([small(bucket)?, small(kind)?, small(source)?, small(project)?, small(facet)?])
        };
        let cells = self.usage.met(|at, [micros, whole, fraction]| {
            let quantity = i128::from(whole) * 1_000_000 + i128::from(fraction);
            Ok(Cell::at(place(of_meters, at)?, micros, Quantity::from_micros(quantity)))
        })?;
        let calls =
            self.calls.met(|at, [events, failed, bytes]| Ok(Calls::at(place(of_sets, at)?, events, failed, bytes)))?;
        Ok(Cells { lists: self.lists, told: self.told, cells, calls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wide::segment::{Fact, Part, added_up, write};
    use proptest::prelude::*;

    const BUCKETS: usize = 2;

    /// Sets 1 to 3 have as many meters as their number says, of which they share some.
    fn meters_of() -> FxHashMap<i64, Vec<i64>> {
        (1..4).map(|set| (set, (0..set).map(|meter| meter * 10 + 4 - set).collect())).collect()
    }

    fn fact() -> impl Strategy<Value = Fact> {
        (1..4_i64, 0..5_i64, 0..5_i64, 0..2_i64, 1..1_000_i64).prop_map(|(set, source, project, failed, amount)| {
            let mut key = [0; 9];
            (key[SET], key[SOURCE], key[PROJECT], key[FAILED]) = (set, source, project, failed);
            let part = |n| Part { micros: amount * n, quantity: i128::from(amount + n) * 1_500_000 };
            Fact { key, events: amount, bytes: amount * 2, parts: (0..set).map(part).collect() }
        })
    }

    /// The sums of these days, each a segment; every other row is of the other bucket and of another value.
    fn summed(days: &[Vec<Fact>], facets: usize, told: Option<[bool; 2]>) -> Cells {
        let meters_of = meters_of();
        let mut sums = Sums::new(BUCKETS, &meters_of, facets, told);
        for facts in days {
            let data = write(facts).expect("fits");
            let segment = Segment::read(&data).expect("ours");
            let mut adding = sums.adding(&segment).expect("fits");
            let mut first = 0;
            for row in 0..segment.rows {
                let set = segment.columns[SET].place(row);
                let odd = usize::from(segment.events.at(row) % 2 == 1);
                adding.add(&Counted { row, bucket: odd, set, first }, odd * (facets - 1));
                first += segment.parts[set];
            }
        }
        sums.cells().expect("fits")
    }

    proptest! {
        #[test]
        fn what_later_days_bring_finds_room_and_moves_nothing(
            days in prop::collection::vec(prop::collection::vec(fact(), 0..6), 1..6),
            // One value, some, and so many that the table cannot be an array any more once there are several sources.
            facets in prop_oneof![Just(1_usize), Just(3), Just(usize::from(u16::MAX))],
            told in prop_oneof![Just(None), any::<[bool; 2]>().prop_map(Some)],
        ) {
            let days: Vec<Vec<Fact>> = days.into_iter().map(|facts| added_up(facts).expect("fits")).collect();
            let forth = summed(&days, facets, told);
            let back = summed(&days.iter().rev().cloned().collect::<Vec<_>>(), facets, told);
            prop_assert_eq!(&forth.lists, &back.lists);
            prop_assert_eq!(&forth.cells, &back.cells);
            prop_assert_eq!(&forth.calls, &back.calls);
            let all = |of: fn(&Fact) -> i64| days.iter().flatten().map(of).sum::<i64>();
            let micros = all(|fact| fact.parts.iter().map(|part| part.micros).sum());
            prop_assert_eq!(forth.cells.iter().map(|cell| cell.micros).sum::<i64>(), micros);
            prop_assert_eq!(forth.calls.iter().map(|calls| calls.events).sum::<i64>(), all(|fact| fact.events));
            // Each row's sum is where the numbers of the row say.
            let Lists { sets, sources, projects, .. } = &forth.lists;
            let [source_told, project_told] = told.unwrap_or([true; 2]).map(i64::from);
            for Fact { key, events, .. } in days.iter().flatten() {
                let odd = usize::from(events % 2 == 1);
                let at = |list: &[i64], number: i64| place(list, number).expect("listed");
                let (source, project) = (at(sources, key[SOURCE] * source_told), at(projects, key[PROJECT] * project_told));
                let wanted = [odd, at(sets, key[SET]), source, project, odd * (facets - 1)];
                let of = |calls: &Calls| [calls.bucket, calls.set, calls.source, calls.project, calls.facet];
                let found = forth.calls.iter().find(|calls| of(calls).map(usize::from) == wanted);
                prop_assert!(found.is_some_and(|calls| calls.events >= *events), "{:?}", wanted);
            }
        }
    }
}
