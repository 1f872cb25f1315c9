//! Sums by set of meters: what calls that use several credit types at once cost, type by type.

use super::Wide;
use super::read::{FacetIds, Scope, numbers};
use crate::dimension::Kind;
use crate::error::StoreError;
use ledger::cube::Bucket;
use ledger::{Filter, OrgId};
use rusqlite::Connection;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// What a set was used for in a bucket.
pub(crate) struct SetSum {
    pub(crate) bucket: usize,
    pub(crate) events: i64,
    pub(crate) failed: i64,
    /// Number of the meter, micro-credits, micro-units.
    pub(crate) parts: Vec<(i64, i128, i128)>,
}

/// The sums of what the question and the filter's sources and projects let through.
pub(crate) fn wide_sets(
    conn: &Connection,
    org: OrgId,
    buckets: &[Bucket],
    by_day: bool,
    wide: &Wide,
    filter: &Filter,
) -> Result<Vec<SetSum>, StoreError> {
    let (sources, projects) = (
        numbers(conn, org, Kind::Source, &texts(&filter.sources))?,
        numbers(conn, org, Kind::Project, &texts(&filter.projects))?,
    );
    let counts = |asked: &[String], ids: &[i64], id: i64| asked.is_empty() || ids.contains(&id);
    let scope = Scope::new(conn, org, buckets, by_day, wide)?;
    let sums = scope.sums(&FacetIds::None, &FxHashMap::default(), 0)?;
    let mut by_set: BTreeMap<(u16, i64), SetSum> = BTreeMap::new();
    for (place, set, figures, parts) in sums.by_set(|source, project| {
        counts(&filter.sources, &sources, source) && counts(&filter.projects, &projects, project)
    }) {
        let members = scope.meters_of(set);
        let sum = by_set.entry((place, set)).or_insert_with(|| SetSum {
            bucket: usize::from(place),
            events: 0,
            failed: 0,
            parts: members.iter().map(|meter| (*meter, 0, 0)).collect(),
        });
        sum.events += figures.0;
        sum.failed += figures.1;
        for (to, (micros, quantity)) in sum.parts.iter_mut().zip(parts) {
            to.1 += i128::from(micros);
            to.2 += quantity;
        }
    }
    Ok(by_set.into_values().collect())
}

fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}
