//! Sums by set of meters: what calls that use several credit types at once cost, type by type.

use super::Wide;
use super::read::Scope;
use super::segment::{FAILED, SET, Segment};
use super::sums::Counted;
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
    let scope = Scope::new(conn, org, buckets, by_day, wide, (&filter.projects, &filter.sources))?;
    let mut by_set: BTreeMap<(usize, i64), SetSum> = BTreeMap::new();
    for data in &scope.segments {
        let segment = Segment::read(data)?;
        let (failed, events) = (segment.columns[FAILED].places(), segment.events.all());
        let (micros, whole, fraction) = (segment.micros.all(), segment.whole.all(), segment.fraction.all());
        for Counted { row, bucket, set, first } in scope.counted(&segment)? {
            let number = segment.columns[SET].values[set];
            let none = || SetSum {
                bucket,
                events: 0,
                failed: 0,
                parts: scope.meters_of(number).iter().map(|meter| (*meter, 0, 0)).collect(),
            };
            let sum = by_set.entry((bucket, number)).or_insert_with(none);
            sum.events += events[row];
            sum.failed += if segment.columns[FAILED].values[failed[row]] == 1 { events[row] } else { 0 };
            for (to, part) in sum.parts.iter_mut().zip(first..first + segment.parts[set]) {
                to.1 += i128::from(micros[part]);
                to.2 += Quantity::from_parts(whole[part], fraction[part]).micros();
            }
        }
    }
    Ok(by_set.into_values().collect())
}
