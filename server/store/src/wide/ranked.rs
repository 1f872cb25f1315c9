//! Users and tenants by what they used: who cost most in a range of time, a page of them, and what belongs to nobody.
//!
//! Cost: one pass over the segments of the range, which are a day each at the level of users or of tenants, and over the events that
//! are in none yet; names are looked up for those on the page.

use super::read::{FacetIds, Scope};
use super::segment::FAILED;
use super::sums::Counted;
use super::{Narrow, Wide};
use crate::Store;
use crate::calendar;
use crate::error::StoreError;
use crate::org;
use crate::usage::{Range, bounds};
use chrono_tz::Tz;
use ledger::{Credits, Facet, Interval, OrgId, Timestamp};
use rusqlite::{Connection, params};
use rustc_hash::{FxHashMap, FxHashSet};

/// Values on a page, at most.
const MAX_PAGE: usize = 500;

/// What is asked.
#[derive(Debug, Clone)]
pub struct RankPage {
    /// What is told apart: users or tenants, or any other facet that has ids.
    pub facet: Facet,
    /// When.
    pub range: Range,
    /// Only usage of these values of facets.
    pub chosen: Vec<(Facet, String)>,
    /// Only usage of these projects, `""` for usage without one.
    pub projects: Vec<String>,
    /// Only usage of these sources.
    pub sources: Vec<String>,
    /// Only values whose id begins so.
    pub prefix: String,
    /// Only what comes after this one.
    pub after: Option<RankCursor>,
    /// At most so many.
    pub limit: usize,
}

/// A place in the order: micro-credits, and the number of the value among those with as many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankCursor {
    /// Micro-credits.
    pub micros: i64,
    /// The value's number.
    pub number: i64,
}

impl RankCursor {
    /// As addresses and answers carry it.
    #[must_use]
    pub fn text(self) -> String {
        format!("c{:x}.{:x}", self.micros, self.number)
    }

    /// From its text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (micros, number) = text.strip_prefix('c')?.split_once('.')?;
        let number_of = |hex: &str| u64::from_str_radix(hex, 16).ok().map(u64::cast_signed);
        Some(Self { micros: number_of(micros)?, number: number_of(number)? })
    }
}

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// What it cost.
    pub credits: Credits,
    /// Events, each once.
    pub events: i64,
    /// Of these, those that failed.
    pub failed: i64,
    /// Data transferred.
    pub bytes: i64,
}

/// A value, and what was used on its behalf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedValue {
    /// Its id.
    pub id: String,
    /// What was used.
    pub used: Used,
    /// Its place in the order.
    pub cursor: RankCursor,
}

/// A page, heaviest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// Whose days the range has.
    pub from: Timestamp,
    /// The instant after the range.
    pub to: Timestamp,
    /// The values.
    pub values: Vec<RankedValue>,
    /// Whether there are more after them.
    pub more: bool,
    /// How many values there are, on this page and others.
    pub count: usize,
    /// All usage of the range that was asked for, whoever's it is.
    pub total: Used,
    /// What of it belongs to nobody.
    pub unsaid: Used,
}

impl Store {
    /// The values of a facet by what they cost, heaviest first.
    ///
    /// # Errors
    /// [`StoreError::BadRange`]; [`StoreError::Busy`] right after a large import.
    pub async fn ranking(&self, org: OrgId, page: RankPage) -> Result<Ranking, StoreError> {
        self.read(move |conn| ranking(conn, org, &page)).await
    }
}

fn ranking(conn: &Connection, org: OrgId, page: &RankPage) -> Result<Ranking, StoreError> {
    let zone = org::zone(conn, org)?;
    let (from, to) = bounds(zone, page.range)?;
    if from >= to {
        return Err(StoreError::BadRange("the range ends before it begins"));
    }
    let wide = Wide { facet: Some(page.facet.clone()), chosen: page.chosen.clone(), ..Wide::default() };
    let buckets = calendar::buckets(zone, Interval::None, from, to, to)?;
    let narrow = Narrow::only(page.sources.clone(), page.projects.clone());
    let scope = Scope::new(conn, org, &buckets, is_days(zone, from, to)?, &wide, Some(&narrow))?;
    let ids = FacetIds::new(conn, org, &page.facet, &scope.sets)?;
    let mut sums = scope.used(&ids)?;
    let unsaid = Used::of(sums.remove(&0).unwrap_or_default())?;
    let mut total = Sum::default();
    sums.values().for_each(|sum| total.add(sum));
    let total = Used::of(total)?.plus(unsaid)?;
    if !page.prefix.is_empty() {
        let wanted = ids.beginning(conn, org, &page.prefix)?;
        sums.retain(|id, _| wanted.contains(id));
    }
    let count = sums.len();
    let mut ranked: Vec<(RankCursor, Used)> = Vec::with_capacity(count);
    for (number, sum) in sums {
        let used = Used::of(sum)?;
        ranked.push((RankCursor { micros: used.credits.micros(), number }, used));
    }
    let order = |cursor: &RankCursor| (std::cmp::Reverse(cursor.micros), cursor.number);
    if let Some(after) = page.after {
        ranked.retain(|(cursor, _)| order(cursor) > order(&after));
    }
    ranked.sort_unstable_by_key(|(cursor, _)| order(cursor));
    let limit = page.limit.clamp(1, MAX_PAGE);
    let more = ranked.len() > limit;
    ranked.truncate(limit);
    let named = ids.named(conn, org, &ranked.iter().map(|(cursor, _)| cursor.number).collect::<Vec<_>>())?;
    let value = |(cursor, used): (RankCursor, Used)| {
        named.get(&cursor.number).map(|named| RankedValue { id: named.id.clone(), used, cursor })
    };
    Ok(Ranking { from, to, values: ranked.into_iter().filter_map(value).collect(), more, count, total, unsaid })
}

/// Whether a range is made of whole days of the org's zone.
fn is_days(zone: Tz, from: Timestamp, to: Timestamp) -> Result<bool, StoreError> {
    let begins = |at: Timestamp| -> Result<bool, StoreError> {
        let day = calendar::day_number(zone, at)?;
        Ok(calendar::day_start(zone, calendar::date_of(day)?)? == at)
    };
    Ok(begins(from)? && begins(to)?)
}

/// What is added up, wide enough for any number of rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    micros: i128,
    events: i64,
    failed: i64,
    bytes: i64,
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.micros += other.micros;
        self.events += other.events;
        self.failed += other.failed;
        self.bytes += other.bytes;
    }
}

impl Used {
    fn of(sum: Sum) -> Result<Self, StoreError> {
        let Sum { micros, events, failed, bytes } = sum;
        Ok(Self { credits: Credits::from_wide(micros)?, events, failed, bytes })
    }

    fn plus(self, other: Self) -> Result<Self, StoreError> {
        Ok(Self {
            credits: self.credits.plus(other.credits)?,
            events: self.events + other.events,
            failed: self.failed + other.failed,
            bytes: self.bytes + other.bytes,
        })
    }
}

impl Scope<'_> {
    /// Every value of a facet that is met, and what was used.
    fn used(&self, ids: &FacetIds) -> Result<FxHashMap<i64, Sum>, StoreError> {
        let mut sums: FxHashMap<i64, Sum> = FxHashMap::default();
        self.visit(|segment| {
            let (values, place) = (ids.of(segment)?, ids.places(segment));
            let mut here: Vec<Option<Sum>> = vec![None; values.len().max(1)];
            self.each(segment, |Counted { row, set, first, .. }| {
                let sum = here[place(row)].get_or_insert_default();
                let events = segment.events.at(row);
                for part in first..first + segment.parts[set] {
                    sum.micros += i128::from(segment.micros.at(part));
                }
                sum.events += events;
                sum.failed += if segment.columns[FAILED].at(row) == 1 { events } else { 0 };
                sum.bytes += segment.bytes.at(row);
            })?;
            for (value, sum) in values.iter().zip(here) {
                if let Some(sum) = sum {
                    sums.entry(*value).or_default().add(&sum);
                }
            }
            Ok(())
        })?;
        Ok(sums)
    }
}

impl FacetIds {
    /// The numbers of values whose id begins so.
    fn beginning(&self, conn: &Connection, org: OrgId, prefix: &str) -> Result<FxHashSet<i64>, StoreError> {
        let Self::Column(_, kind) = self else { return Ok(FxHashSet::default()) };
        // Text is compared byte by byte: the range ends where the bytes begin otherwise.
        let mut statement = conn.prepare_cached(
            "SELECT id FROM dimension WHERE org_id = ?1 AND kind = ?2 AND value >= ?3 AND substr(value, 1, length(?3)) = ?3
               AND value < ?3 || char(0x10FFFF)",
        )?;
        let found = statement.query_map(params![org.0, *kind as i64, prefix], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}
