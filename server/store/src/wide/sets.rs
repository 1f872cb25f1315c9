//! Sums by set of meters: what calls that use several credit types at once cost, type by type.

use super::read::Scope;
use super::segment::{FAILED, SET};
use super::sums::Counted;
use super::{Narrow, Wide};
use crate::error::StoreError;
use ledger::cube::Bucket;
use ledger::{Filter, OrgId, Quantity};
use rusqlite::Connection;
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
    let narrow = Narrow::only(filter.sources.clone(), filter.projects.clone());
    let scope = Scope::new(conn, org, buckets, by_day, wide, Some(&narrow))?;
    let mut by_set: BTreeMap<(usize, i64), SetSum> = BTreeMap::new();
    scope.visit(|segment| {
        scope.each(segment, |Counted { row, bucket, set, first }| {
            let number = segment.columns[SET].values[set];
            let none = || SetSum {
                bucket,
                events: 0,
                failed: 0,
                parts: scope.meters_of(number).iter().map(|meter| (*meter, 0, 0)).collect(),
            };
            let sum = by_set.entry((bucket, number)).or_insert_with(none);
            let events = segment.events.at(row);
            sum.events += events;
            sum.failed += if segment.columns[FAILED].at(row) == 1 { events } else { 0 };
            for (to, part) in sum.parts.iter_mut().zip(first..first + segment.parts[set]) {
                to.1 += i128::from(segment.micros.at(part));
                to.2 += Quantity::from_parts(segment.whole.at(part), segment.fraction.at(part)).micros();
            }
        })
    })?;
    Ok(by_set.into_values().collect())
}
