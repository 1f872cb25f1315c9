//! Answering a question about a cube: what a filter lets through, told apart by dimensions.

use super::{AxisValue, Calls, Cell, Cube, Dimension, Named};
use crate::credits::Credits;
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is wanted; an empty list wants everything. Projects are named by id; `""` stands for usage without one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Filter {
    /// Meters by name.
    pub types: Vec<String>,
    /// Sources.
    pub sources: Vec<String>,
    /// Projects by id.
    pub projects: Vec<String>,
}

/// Figures of a slice, a series or one of its buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// What it cost.
    pub credits: Credits,
    /// Calls, each once.
    pub events: i64,
    /// Calls that failed.
    pub failed: i64,
    /// What was used; `None` where several meters come together, whose units cannot be added.
    pub quantity: Option<Quantity>,
}

/// One combination of the dimensions asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The value per dimension asked for, in that order: name of the meter, source, id of the project or of the facet's
    /// value, `""` where usage says none, nothing for those that are added up.
    pub key: Vec<(Dimension, Option<String>)>,
    /// What people read for it.
    pub title: String,
    /// Over the whole range.
    pub total: Figures,
    /// Per bucket.
    pub points: Vec<Figures>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// All that the filter lets through.
    pub total: Figures,
    /// The same per bucket.
    pub points: Vec<Figures>,
    /// By the dimensions asked for; most credits first, then by key.
    pub series: Vec<Series>,
}

impl Cube {
    /// What the filter lets through, told apart by `group_by`.
    ///
    /// # Errors
    /// [`Refusal::AmountOverflow`] where sums do not fit.
    pub fn slice(&self, filter: &Filter, group_by: &[Dimension]) -> Result<Slice, Refusal> {
        let chosen = Chosen::new(self, filter);
        let mut groups = Groups::new(self, group_by);
        let mut all = vec![Sum::default(); self.buckets.len()];
        for cell in self.cells.iter().filter(|c| chosen.cell(c)) {
            groups.sum([cell.meter, cell.source, cell.project, cell.facet], cell.bucket).add_cell(cell);
            all[usize::from(cell.bucket)].add_cell(cell);
        }
        for calls in self.calls.iter().filter(|c| chosen.calls(c)) {
            all[usize::from(calls.bucket)].add_calls(calls);
            // By credit type an event counts for each of its types; otherwise once.
            let by_type = group_by.contains(&Dimension::Type);
            let meters = self.sets[usize::from(calls.set)].iter().filter(|m| chosen.types[usize::from(**m)]);
            for meter in meters.take(if by_type { usize::MAX } else { 1 }) {
                groups.sum([*meter, calls.source, calls.project, calls.facet], calls.bucket).add_calls(calls);
            }
        }
        let mut series = Vec::with_capacity(groups.keys.len());
        for (key, points) in groups.keys.iter().zip(groups.sums.chunks(self.buckets.len().max(1))) {
            series.push(self.series(group_by, *key, points)?);
        }
        series.sort_by(|a, b| b.total.credits.cmp(&a.total.credits).then_with(|| a.key.cmp(&b.key)));
        let points = figures_of(&all)?;
        Ok(Slice { total: total_of(&all)?, points, series })
    }

    fn series(&self, group_by: &[Dimension], key: [u16; 4], points: &[Sum]) -> Result<Series, Refusal> {
        let names: Vec<(Option<String>, String)> = group_by.iter().map(|d| self.named(d, key)).collect();
        let title = names.iter().map(|(_, title)| title.as_str()).collect::<Vec<_>>().join(" · ");
        let key = group_by.iter().cloned().zip(names.into_iter().map(|(id, _)| id)).collect();
        Ok(Series { key, title, total: total_of(points)?, points: figures_of(points)? })
    }

    /// Id and title of a key's value in a dimension.
    fn named(&self, dimension: &Dimension, key: [u16; 4]) -> (Option<String>, String) {
        let index = usize::from(key[slot(dimension)]);
        let said = |named: &Named| (Some(named.id.clone()), named.name.clone());
        match dimension {
            Dimension::Type => (Some(self.meters[index].meter.to_string()), self.meters[index].title.clone()),
            Dimension::Source => (Some(self.sources[index].clone()), self.sources[index].clone()),
            Dimension::Project => {
                self.projects[index].as_ref().map_or_else(|| (Some(String::new()), "No project".to_owned()), said)
            }
            Dimension::Facet(facet) => match self.facet.as_ref().and_then(|axis| axis.values.get(index)) {
                Some(AxisValue::Named(named)) => said(named),
                Some(AxisValue::Others(count)) => (None, format!("{count} others")),
                // A cube that does not know the facet says nothing of it.
                Some(AxisValue::Unsaid) | None => (Some(String::new()), facet.unsaid()),
            },
        }
    }
}

/// Combinations up to which their places are a list, which is looked up for every cell.
const LISTED: u64 = 1 << 20;

/// Where the sums of each combination are that is met, counted from 1; 0 in the list: not met yet.
enum Places {
    Listed(Vec<u32>),
    Mapped(BTreeMap<u64, u32>),
}

/// Sums of the groups that are met, bucket by bucket.
struct Groups {
    /// What a step in each dimension is worth in the number of a combination; 0 for those not asked for.
    steps: [u64; 4],
    places: Places,
    buckets: usize,
    /// Of each place: indexes in the dimensions asked for, 0 in the others.
    keys: Vec<[u16; 4]>,
    sums: Vec<Sum>,
}

impl Groups {
    fn new(cube: &Cube, group_by: &[Dimension]) -> Self {
        let facets = cube.facet.as_ref().map_or(1, |axis| axis.values.len());
        let sizes = [cube.meters.len(), cube.sources.len(), cube.projects.len(), facets];
        // Four indexes of 16 bits: every combination has a number of 64.
        let (mut steps, mut size) = ([0; 4], 1_u64);
        for slot in group_by.iter().map(slot) {
            if steps[slot] == 0 {
                steps[slot] = size;
                size = size.saturating_mul(sizes[slot].max(1) as u64);
            }
        }
        let listed = usize::try_from(size).ok().filter(|_| size <= LISTED);
        let places = listed.map_or_else(|| Places::Mapped(BTreeMap::new()), |size| Places::Listed(vec![0; size]));
        Self { steps, places, buckets: cube.buckets.len(), keys: Vec::new(), sums: Vec::new() }
    }

    fn sum(&mut self, at: [u16; 4], bucket: u16) -> &mut Sum {
        let number: u64 = at.iter().zip(self.steps).map(|(index, step)| u64::from(*index) * step).sum();
        let place = match &mut self.places {
            // It is as long as there are combinations, so a number of them fits.
            Places::Listed(list) => &mut list[usize::try_from(number).unwrap_or(usize::MAX)],
            Places::Mapped(map) => map.entry(number).or_default(),
        };
        if *place == 0 {
            let key = std::array::from_fn(|slot| if self.steps[slot] == 0 { 0 } else { at[slot] });
            self.keys.push(key);
            self.sums.resize(self.sums.len() + self.buckets, Sum::default());
            *place = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        }
        let first = (*place as usize - 1) * self.buckets;
        &mut self.sums[first + usize::from(bucket)]
    }
}

const fn slot(dimension: &Dimension) -> usize {
    match dimension {
        Dimension::Type => 0,
        Dimension::Source => 1,
        Dimension::Project => 2,
        Dimension::Facet(_) => 3,
    }
}

/// A filter as yes and no per index, so that a cell costs three look-ups.
struct Chosen {
    types: Vec<bool>,
    sources: Vec<bool>,
    projects: Vec<bool>,
    sets: Vec<bool>,
}

impl Chosen {
    fn new(cube: &Cube, filter: &Filter) -> Self {
        let wants = |list: &[String], value: &str| list.is_empty() || list.iter().any(|wanted| wanted == value);
        let types: Vec<bool> = cube.meters.iter().map(|m| wants(&filter.types, m.meter.as_str())).collect();
        let sets = cube.sets.iter().map(|set| set.iter().any(|meter| types[usize::from(*meter)])).collect();
        let id = |project: &Option<Named>| project.as_ref().map_or(String::new(), |p| p.id.clone());
        Self {
            sources: cube.sources.iter().map(|s| cube.narrow || wants(&filter.sources, s)).collect(),
            projects: cube.projects.iter().map(|p| cube.narrow || wants(&filter.projects, &id(p))).collect(),
            types,
            sets,
        }
    }

    fn cell(&self, cell: &Cell) -> bool {
        self.types[usize::from(cell.meter)]
            && self.sources[usize::from(cell.source)]
            && self.projects[usize::from(cell.project)]
    }

    fn calls(&self, calls: &Calls) -> bool {
        self.sets[usize::from(calls.set)]
            && self.sources[usize::from(calls.source)]
            && self.projects[usize::from(calls.project)]
    }
}

/// Figures while they are added up; wide, so that only the result is checked.
#[derive(Clone, Copy, Default)]
struct Sum {
    micros: i128,
    quantity: i128,
    events: i64,
    failed: i64,
    /// One more than the index of the only meter met; `u32::MAX` once there are several.
    meter: u32,
}

impl Sum {
    fn add_cell(&mut self, cell: &Cell) {
        self.micros += i128::from(cell.micros);
        self.quantity += cell.quantity.micros();
        self.meet(u32::from(cell.meter) + 1);
    }

    fn add_calls(&mut self, calls: &Calls) {
        self.events += calls.events;
        self.failed += calls.failed;
    }

    fn add(&mut self, other: &Self) {
        self.micros += other.micros;
        self.quantity += other.quantity;
        self.events += other.events;
        self.failed += other.failed;
        self.meet(other.meter);
    }

    fn meet(&mut self, meter: u32) {
        self.meter = match (self.meter, meter) {
            (0, other) | (other, 0) => other,
            (a, b) if a == b => a,
            _ => u32::MAX,
        };
    }

    fn figures(&self) -> Result<Figures, Refusal> {
        let quantity = (self.meter != u32::MAX).then(|| Quantity::from_micros(self.quantity));
        Ok(Figures { credits: Credits::from_wide(self.micros)?, events: self.events, failed: self.failed, quantity })
    }
}

fn figures_of(points: &[Sum]) -> Result<Vec<Figures>, Refusal> {
    points.iter().map(Sum::figures).collect()
}

fn total_of(points: &[Sum]) -> Result<Figures, Refusal> {
    let mut total = Sum::default();
    points.iter().for_each(|point| total.add(point));
    total.figures()
}
