//! Reading wide usage: one pass over the segments of a range, and over the events that are in none yet.
//!
//! What is asked of a dimension is decided once per value that a segment holds of it, not once per row; rows that differ only in
//! time follow each other, so most add to the sum before. Cost: a few nanoseconds per row, a row being a combination that was
//! used within a quarter of an hour.

use super::attributes::{self, AttributeSets, TOO_MANY};
use super::level::Level;
use super::narrow::Narrow;
use super::segment::{self, ATTRIBUTES, FAILED, PROJECT, QUARTER, SET, SOURCE, Segment, TENANT, USER, WORKFLOW};
use super::sums::{Counted, Sums};
use super::{is_near, last_event, tail};
use crate::Store;
use crate::calendar;
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::mark::newest_event;
use crate::org;
use crate::rollup::QUARTER_US;
use crate::rows::unreadable;
use crate::usage::Cells;
use ledger::cube::{Axis, AxisValue, Bucket, Named};
use ledger::{Credits, Facet, OrgId, Timestamp};
use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

/// Values of a facet that a cube tells apart at most where nobody asks for another number.
const VALUES: usize = 100;
/// Of these always so many, as charts show at most.
const SHOWN: usize = 20;
/// The others as long as all of them together are from no more rows: a page takes all of it along.
const MAX_ROWS: usize = 50_000;
/// Events that are taken from their rows, at most: more of them wait only right after a large import, for seconds.
const MAX_TAIL: i64 = 300_000;
/// Names of attributes that are listed.
const MAX_NAMES: usize = 200;

/// What is asked of the dimensions that the rollups leave out. By default nothing: then the rollups answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wide {
    /// The facet to tell apart.
    pub facet: Option<Facet>,
    /// Only these values, `""` for what was not said: several of one facet are any of them, several facets all of them.
    pub chosen: Vec<(Facet, String)>,
    /// How many values of the facet are told apart: those with most credits. The rest is added up. `None`: as many as a page
    /// takes along, between [`SHOWN`] and [`VALUES`].
    pub values: Option<usize>,
}

impl Wide {
    /// Whether anything is asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.facet.is_some() || !self.chosen.is_empty()
    }
}

impl Store {
    /// The names of attributes that events brought, by name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn attribute_names(&self, org: OrgId) -> Result<Vec<String>, StoreError> {
        self.read(move |conn| attributes::names(conn, org, MAX_NAMES)).await
    }

    /// What differs from the ledger over all time; 0 unless something is wrong: the rollups and, where they answer what is asked,
    /// wide usage at every level. Of several differences the largest.
    ///
    /// # Errors
    /// What the database says.
    pub async fn difference(&self, org: OrgId, wide: &Wide) -> Result<Credits, StoreError> {
        let of_rollups = self.totals(org).await?.difference;
        let asked = wide.is_asked();
        self.read(move |conn| {
            if !asked && !is_near(conn, org)? {
                return Ok(of_rollups);
            }
            let last = last_event(conn, org)?;
            let mut levels =
                conn.prepare_cached("SELECT sum(credits) FROM wide_day WHERE org_id = ?1 GROUP BY level")?;
            let kept: Vec<i64> = levels.query_map([org.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let waiting: i64 = conn
                .prepare_cached(
                    "SELECT coalesce(sum(credits), 0) FROM charge c WHERE org_id = ?1 AND seq > ?2
                     AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.org_id = c.org_id AND v.event_seq = c.seq)",
                )?
                .query_row([org.0, last], |row| row.get(0))?;
            let spent = crate::position::balance_of(conn, org, ledger::Account::Consumed)?;
            let differs = |kept: i64| i128::from(kept) + i128::from(waiting) - i128::from(spent.micros());
            let kept = if kept.is_empty() { vec![0] } else { kept };
            let all = kept.into_iter().map(differs).chain([of_rollups.micros().into()]);
            Ok(Credits::from_wide(all.max_by_key(|difference| difference.abs()).unwrap_or(0))?)
        })
        .await
    }
}

/// The cells of a cube from wide usage. `buckets` are its own; `by_day` where each is made of whole days of the org's zone.
pub(crate) fn wide_cells(
    conn: &Connection,
    org: OrgId,
    buckets: &[Bucket],
    by_day: bool,
    wide: &Wide,
    narrow: Option<&Narrow>,
) -> Result<(Cells, Option<Axis>), StoreError> {
    let scope = Scope::new(conn, org, buckets, by_day, wide, narrow)?;
    let Some(facet) = &wide.facet else {
        return Ok((scope.cells(&FacetIds::None, &FxHashMap::default(), 0)?, None));
    };
    let ids = FacetIds::new(conn, org, facet, &scope.sets)?;
    let ranked = scope.ranked(&ids)?;
    let said: Vec<&Ranked> = ranked.iter().filter(|ranked| ranked.id != 0).collect();
    let count = wide.values.unwrap_or_else(|| fitting(&said));
    let shown: Vec<i64> = said.iter().take(count).map(|ranked| ranked.id).collect();
    let named = ids.named(conn, org, &shown)?;
    let mut values: Vec<AxisValue> =
        shown.iter().filter_map(|id| named.get(id).cloned()).map(AxisValue::Named).collect();
    let mut places: FxHashMap<i64, u16> = shown.iter().copied().zip(0..).collect();
    let mut others = 0;
    if ranked.len() > said.len() {
        places.insert(0, place(values.len())?);
        values.push(AxisValue::Unsaid);
    }
    if said.len() > shown.len() {
        others = place(values.len())?;
        values.push(AxisValue::Others(u32::try_from(said.len() - shown.len()).unwrap_or(u32::MAX)));
    }
    let cells = scope.cells(&ids, &places, others)?;
    Ok((cells, Some(Axis { facet: facet.clone(), values })))
}

/// How many values a page takes along.
fn fitting(ranked: &[&Ranked]) -> usize {
    let sums = ranked.iter().scan(0, |rows, ranked| {
        *rows += ranked.rows;
        Some(*rows)
    });
    sums.take_while(|rows| *rows <= MAX_ROWS).count().clamp(SHOWN, VALUES)
}

/// A value of a facet, and what it stands for.
struct Ranked {
    id: i64,
    /// Micro-credits.
    cost: i128,
    /// Rows, of which each may become a cell.
    rows: usize,
}

fn place(index: usize) -> Result<u16, StoreError> {
    u16::try_from(index).map_err(|_| StoreError::BadRange("too many values to tell apart"))
}

/// What is read: where the segments of a range lie, and what is asked of their rows.
pub(super) struct Scope<'q> {
    conn: &'q Connection,
    org: OrgId,
    /// The level, and its first and last day; none where the range has no day.
    days: Option<(Level, i64, i64)>,
    /// What is in no segment yet, as one.
    tail: Vec<u8>,
    buckets: &'q [Bucket],
    chosen: Vec<Chosen>,
    /// The meters of each set.
    meters: FxHashMap<i64, Vec<i64>>,
    pub(super) sets: AttributeSets,
    /// Whether sources and projects are told apart, where not both are.
    told: Option<[bool; 2]>,
}

/// Which values of a column count.
struct Chosen {
    column: usize,
    counts: Box<dyn Fn(i64) -> bool + Send>,
    of_attributes: bool,
}

impl<'q> Scope<'q> {
    pub(super) fn new(
        conn: &'q Connection,
        org: OrgId,
        buckets: &'q [Bucket],
        by_day: bool,
        wide: &Wide,
        narrow: Option<&Narrow>,
    ) -> Result<Self, StoreError> {
        let mut sets = AttributeSets::load(conn, org)?;
        let meter_sets = tail::sets(conn, org)?;
        let (mut days, mut narrow) = (None, narrow);
        if let (Some(first), Some(last)) = (buckets.first(), buckets.last()) {
            let zone = org::zone(conn, org)?;
            let facets = wide.facet.iter().chain(wide.chosen.iter().map(|(facet, _)| facet)).map(column_of);
            let whole = Level::knowing(&facets.clone().chain([SOURCE, PROJECT]).collect::<Vec<_>>(), by_day);
            let end = Timestamp::from_micros(last.end.micros() - 1);
            let (low, high) = (calendar::day_number(zone, first.start)?, calendar::day_number(zone, end)?);
            narrow = match narrow {
                Some(narrow) if bytes(conn, org, whole, (low, high))? >= narrow.beyond => Some(narrow),
                _ => None,
            };
            let level = narrow
                .map_or(whole, |narrow| Level::knowing(&facets.chain(narrow.columns()).collect::<Vec<_>>(), by_day));
            days = Some((level, low, high));
        }
        let after = last_event(conn, org)?;
        let newest = newest_event(conn, org)?;
        if newest - after > MAX_TAIL {
            return Err(StoreError::Busy);
        }
        let tail = segment::write(&tail::events(conn, org, (after, newest), &meter_sets, &mut sets)?)?;
        let mut chosen = Chosen::all(conn, org, &wide.chosen, &sets)?;
        if let Some(narrow) = narrow {
            let both = [(PROJECT, Kind::Project, &narrow.projects), (SOURCE, Kind::Source, &narrow.sources)];
            for (column, kind, values) in both.into_iter().filter(|(.., values)| !values.is_empty()) {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                let counts = among(numbers(conn, org, kind, &values)?);
                chosen.push(Chosen { column, counts, of_attributes: false });
            }
        }
        let meters = meter_sets.into_iter().map(|(members, set)| (set, members)).collect();
        let told = narrow.map(Narrow::told);
        Ok(Self { conn, org, days, tail, buckets, chosen, meters, sets, told })
    }

    /// Hands over the segments, one after the other: however much a range holds, one day of it is in memory.
    pub(super) fn visit(&self, mut take: impl FnMut(&Segment<'_>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        if let Some((level, low, high)) = self.days {
            let mut days = self.conn.prepare_cached(
                "SELECT data FROM wide_day WHERE org_id = ?1 AND level = ?2 AND day BETWEEN ?3 AND ?4 ORDER BY day",
            )?;
            let mut rows = days.query(params![self.org.0, level.number, low, high])?;
            while let Some(row) = rows.next()? {
                let data = row.get_ref(0)?.as_blob().map_err(|_| unreadable("segment of wide usage"))?;
                take(&Segment::read(data)?)?;
            }
        }
        take(&Segment::read(&self.tail)?)
    }

    /// The bucket of each quarter that a segment holds.
    fn bucket_of(&self, quarter: i64) -> Option<u16> {
        let start = Timestamp::from_micros(quarter.checked_mul(QUARTER_US)?);
        let after = self.buckets.partition_point(|bucket| bucket.start <= start);
        let bucket = after.checked_sub(1)?;
        (start < self.buckets[bucket].end).then(|| u16::try_from(bucket).ok())?
    }

    /// Hands over the rows of a segment that count, in order.
    pub(super) fn each(&self, segment: &Segment<'_>, mut take: impl FnMut(Counted)) -> Result<(), StoreError> {
        let buckets: Vec<Option<u16>> = segment.columns[QUARTER].values.iter().map(|q| self.bucket_of(*q)).collect();
        let mut wanted = Vec::with_capacity(self.chosen.len());
        for chosen in &self.chosen {
            let column = &segment.columns[chosen.column];
            if chosen.of_attributes && column.values.contains(&TOO_MANY) {
                return Err(too_many());
            }
            let counts: Vec<bool> = column.values.iter().map(|value| (chosen.counts)(*value)).collect();
            wanted.push((column, counts));
        }
        // Most days have nothing of what is chosen by name.
        if wanted.iter().any(|(_, counts)| !counts.contains(&true)) {
            return Ok(());
        }
        let (sets, quarters, mut first) = (&segment.columns[SET], &segment.columns[QUARTER], 0);
        for row in 0..segment.rows {
            let set = sets.place(row);
            if wanted.iter().all(|(column, counts)| counts[column.place(row)])
                && let Some(bucket) = buckets[quarters.place(row)]
            {
                take(Counted { row, bucket: usize::from(bucket), set, first });
            }
            first += segment.parts[set];
        }
        Ok(())
    }

    /// Every value of a facet that is met; those that cost most first.
    fn ranked(&self, ids: &FacetIds) -> Result<Vec<Ranked>, StoreError> {
        let mut sums: FxHashMap<i64, (i128, usize)> = FxHashMap::default();
        self.visit(|segment| {
            let (values, place) = (ids.of(segment)?, ids.places(segment));
            let mut here = vec![(0_i128, 0_usize); values.len().max(1)];
            self.each(segment, |Counted { row, set, first, .. }| {
                let (sum, rows) = &mut here[place(row)];
                for part in first..first + segment.parts[set] {
                    *sum += i128::from(segment.micros.at(part));
                }
                *rows += 1;
            })?;
            // Those without a row that counts were not met.
            for (value, (sum, rows)) in values.iter().zip(here).filter(|(_, (_, rows))| *rows > 0) {
                let all = sums.entry(*value).or_default();
                *all = (all.0 + sum, all.1 + rows);
            }
            Ok(())
        })?;
        let mut ranked: Vec<Ranked> = sums.into_iter().map(|(id, (cost, rows))| Ranked { id, cost, rows }).collect();
        ranked.sort_unstable_by(|a, b| b.cost.cmp(&a.cost).then(a.id.cmp(&b.id)));
        Ok(ranked)
    }

    /// The meters of a set.
    pub(super) fn meters_of(&self, set: i64) -> &[i64] {
        self.meters.get(&set).map_or(&[][..], Vec::as_slice)
    }

    /// All that counts, per bucket, meter, source, project and place of the facet's value.
    fn cells(&self, ids: &FacetIds, places: &FxHashMap<i64, u16>, others: u16) -> Result<Cells, StoreError> {
        let last_facet = places.values().copied().max().unwrap_or(0).max(others);
        let facets = usize::from(last_facet) + 1;
        let mut sums = Sums::new(self.buckets.len(), &self.meters, facets, self.told);
        self.visit(|segment| {
            let of_values: Vec<usize> =
                ids.of(segment)?.iter().map(|id| places.get(id).copied().unwrap_or(others).into()).collect();
            let (mut adding, place) = (sums.adding(segment)?, ids.places(segment));
            self.each(segment, |counted| {
                let facet = of_values.get(place(counted.row)).copied().unwrap_or(0);
                adding.add(&counted, facet);
            })
        })?;
        sums.cells()
    }
}

/// What segments of those days weigh at a level.
fn bytes(conn: &Connection, org: OrgId, level: Level, (low, high): (i64, i64)) -> Result<usize, StoreError> {
    // Lengths are in the heads of rows: the segments themselves are not read for it.
    let sum = "SELECT coalesce(sum(length(data)), 0) FROM wide_day WHERE org_id = ?1 AND level = ?2 AND day BETWEEN ?3 AND ?4";
    let bytes: i64 = conn.prepare_cached(sum)?.query_row(params![org.0, level.number, low, high], |row| row.get(0))?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// How a facet's values are told by the numbers of a column.
pub(super) enum FacetIds {
    /// No facet is told apart.
    None,
    /// The numbers are its values; the kind of names that they have.
    Column(usize, Kind),
    /// 1 for what succeeded, 2 for what failed: 0 is what was not said.
    Status,
    /// A number per value, by combination.
    Attribute(FxHashMap<i64, i64>, Vec<String>),
}

impl FacetIds {
    pub(super) fn new(conn: &Connection, org: OrgId, facet: &Facet, sets: &AttributeSets) -> Result<Self, StoreError> {
        Ok(match facet {
            Facet::Workflow => Self::Column(WORKFLOW, Kind::Workflow),
            Facet::User => Self::Column(USER, Kind::User),
            Facet::Tenant => Self::Column(TENANT, Kind::Tenant),
            Facet::Status => Self::Status,
            Facet::Attribute(name) => {
                let mut names: Vec<String> = Vec::new();
                let mut known: FxHashMap<String, i64> = FxHashMap::default();
                let mut of = FxHashMap::default();
                for (set, value) in attribute_values(conn, org, name, sets)? {
                    let number = *known.entry(value).or_insert_with_key(|value| {
                        names.push(value.clone());
                        i64::try_from(names.len()).unwrap_or(0)
                    });
                    of.insert(set, number);
                }
                Self::Attribute(of, names)
            }
        })
    }

    pub(super) const fn column(&self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Column(column, _) => Some(*column),
            Self::Status => Some(FAILED),
            Self::Attribute(..) => Some(ATTRIBUTES),
        }
    }

    /// The place in its column of a row's value.
    pub(super) fn places<'s>(&self, segment: &'s Segment<'_>) -> impl Fn(usize) -> usize + 's {
        let column = self.column().map(|column| &segment.columns[column]);
        move |row| column.map_or(0, |column| column.place(row))
    }

    /// The facet's value for each value of its column.
    pub(super) fn of(&self, segment: &Segment<'_>) -> Result<Vec<i64>, StoreError> {
        Ok(match self {
            Self::None => Vec::new(),
            Self::Column(column, _) => segment.columns[*column].values.clone(),
            Self::Status => segment.columns[FAILED].values.iter().map(|failed| failed + 1).collect(),
            Self::Attribute(of, _) => {
                let values = &segment.columns[ATTRIBUTES].values;
                if values.contains(&TOO_MANY) {
                    return Err(too_many());
                }
                values.iter().map(|set| of.get(set).copied().unwrap_or(0)).collect()
            }
        })
    }

    pub(super) fn named(
        &self,
        conn: &Connection,
        org: OrgId,
        ids: &[i64],
    ) -> Result<FxHashMap<i64, Named>, StoreError> {
        let plain = |id: &str, name: &str| Named { id: id.to_owned(), name: name.to_owned() };
        Ok(match self {
            Self::None => FxHashMap::default(),
            Self::Status => {
                [(1, plain("succeeded", "Succeeded")), (2, plain("failed", "Failed"))].into_iter().collect()
            }
            Self::Attribute(_, names) => (1..).zip(names.iter().map(|name| plain(name, name))).collect(),
            Self::Column(_, kind) => {
                let mut statement = conn.prepare_cached(
                    "SELECT id, value, coalesce(name, value) FROM dimension
                     WHERE org_id = ?1 AND kind = ?2 AND id IN (SELECT value FROM json_each(?3))",
                )?;
                let found = statement.query_map(params![org.0, *kind as i64, serde_json::to_string(ids)?], |row| {
                    Ok((row.get(0)?, Named { id: row.get(1)?, name: row.get(2)? }))
                })?;
                found.collect::<Result<_, _>>()?
            }
        })
    }
}

impl Chosen {
    /// One per facet that is asked for.
    fn all(
        conn: &Connection,
        org: OrgId,
        chosen: &[(Facet, String)],
        sets: &AttributeSets,
    ) -> Result<Vec<Self>, StoreError> {
        let mut by_facet: FxHashMap<&Facet, Vec<&str>> = FxHashMap::default();
        for (facet, value) in chosen {
            by_facet.entry(facet).or_default().push(value);
        }
        by_facet.into_iter().map(|(facet, values)| Self::one(conn, org, facet, &values, sets)).collect()
    }

    fn one(
        conn: &Connection,
        org: OrgId,
        facet: &Facet,
        values: &[&str],
        sets: &AttributeSets,
    ) -> Result<Self, StoreError> {
        let counts: Box<dyn Fn(i64) -> bool + Send> = match facet {
            Facet::Workflow => among(numbers(conn, org, Kind::Workflow, values)?),
            Facet::User => among(numbers(conn, org, Kind::User, values)?),
            Facet::Tenant => among(numbers(conn, org, Kind::Tenant, values)?),
            Facet::Status => {
                let (failed, succeeded) = (values.contains(&"failed"), values.contains(&"succeeded"));
                Box::new(move |value| if value == 1 { failed } else { succeeded })
            }
            Facet::Attribute(name) => {
                let unsaid = values.contains(&"");
                let said: FxHashMap<i64, bool> = attribute_values(conn, org, name, sets)?
                    .into_iter()
                    .map(|(set, value)| (set, values.contains(&value.as_str())))
                    .collect();
                Box::new(move |set| said.get(&set).copied().unwrap_or(unsaid))
            }
        };
        Ok(Self { column: column_of(facet), counts, of_attributes: matches!(facet, Facet::Attribute(_)) })
    }
}

const fn column_of(facet: &Facet) -> usize {
    match facet {
        Facet::Workflow => WORKFLOW,
        Facet::User => USER,
        Facet::Tenant => TENANT,
        Facet::Status => FAILED,
        Facet::Attribute(_) => ATTRIBUTES,
    }
}

fn among(ids: Vec<i64>) -> Box<dyn Fn(i64) -> bool + Send> {
    Box::new(move |value| ids.contains(&value))
}

/// The numbers of names; 0 for `""`, none for a name that never came.
pub(super) fn numbers(conn: &Connection, org: OrgId, kind: Kind, values: &[&str]) -> Result<Vec<i64>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id FROM dimension WHERE org_id = ?1 AND kind = ?2 AND value IN (SELECT value FROM json_each(?3))",
    )?;
    let found = statement.query_map(params![org.0, kind as i64, serde_json::to_string(values)?], |row| row.get(0))?;
    let mut ids: Vec<i64> = found.collect::<Result<_, _>>()?;
    ids.extend(values.contains(&"").then_some(0));
    Ok(ids)
}

fn attribute_values(
    conn: &Connection,
    org: OrgId,
    name: &str,
    sets: &AttributeSets,
) -> Result<Vec<(i64, String)>, StoreError> {
    let mut values = attributes::values(conn, org, name)?;
    values.extend(sets.fresh_values(name)?);
    Ok(values)
}

fn too_many() -> StoreError {
    StoreError::BadRange(
        "events of this range bring more combinations of attributes than charts tell apart (10,000): put ids into user, tenant, run or interaction instead",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_along_what_is_small_and_always_what_is_drawn() {
        let of = |rows: usize, count: usize| (0..count).map(|_| Ranked { id: 1, cost: 0, rows }).collect::<Vec<_>>();
        let fitting = |rows, count| fitting(&of(rows, count).iter().collect::<Vec<_>>());
        assert_eq!(fitting(1, 1_000), VALUES);
        assert_eq!(fitting(MAX_ROWS / 50, 1_000), 50);
        assert_eq!(fitting(MAX_ROWS, 1_000), SHOWN);
    }
}
