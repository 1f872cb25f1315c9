//! Usage by operation: calls that use several credit types at once, each set of them by itself, with what each type of the set
//! cost. The rollups keep credits by type and calls by set; wide usage keeps both together, so it is what answers.

use crate::Store;
use crate::calendar;
use crate::error::StoreError;
use crate::org;
use crate::rows::unreadable;
use crate::usage::{CubeQuery, RollupSource, bounds};
use crate::wide::wide_sets;
use ledger::cube::Bucket;
use ledger::{Credits, Filter, Meter, OrgId, Quantity};
use rusqlite::Connection;
use rustc_hash::FxHashMap;

/// What one set of credit types was used for in one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Place of the bucket.
    pub bucket: usize,
    /// Calls that used just these credit types.
    pub events: i64,
    /// Of them, those that failed.
    pub failed: i64,
    /// Credits and quantity of each credit type, in the order of the org's meters.
    pub parts: Vec<(Meter, Credits, Quantity)>,
}

impl Store {
    /// All operations of a range with the buckets of the question, in no order that means anything. Sources and projects are
    /// filtered here; of the filter's credit types each operation uses at least one, and the others stay in it.
    ///
    /// # Errors
    /// As [`Store::cube`].
    pub async fn operations(
        &self,
        org: OrgId,
        query: &CubeQuery,
        filter: &Filter,
    ) -> Result<(Vec<Bucket>, Vec<Operation>), StoreError> {
        let (now, query, filter) = (self.now(), query.clone(), filter.clone());
        self.read(move |conn| {
            let own = org::zone(conn, org)?;
            let zone = query.zone.unwrap_or(own);
            let (from, to) = bounds(zone, query.range)?;
            let buckets = calendar::buckets(zone, query.interval, from, to, now)?;
            let by_day = RollupSource::choose(&query, zone, own) != RollupSource::Quarter;
            let sums = wide_sets(conn, org, &buckets, by_day, &query.wide, &filter)?;
            let meters = meters(conn, org)?;
            let wanted = |meter: &Meter| filter.types.is_empty() || filter.types.iter().any(|t| t == meter.as_str());
            let mut operations = Vec::with_capacity(sums.len());
            for sum in sums {
                let mut parts = Vec::with_capacity(sum.parts.len());
                for (id, micros, quantity) in sum.parts {
                    let meter = meters.get(&id).cloned().ok_or_else(|| unreadable("meter of an operation"))?;
                    parts.push((meter, Credits::from_wide(micros)?, Quantity::from_micros(quantity)));
                }
                if parts.iter().any(|(meter, ..)| wanted(meter)) {
                    operations.push(Operation { bucket: sum.bucket, events: sum.events, failed: sum.failed, parts });
                }
            }
            Ok((buckets, operations))
        })
        .await
    }
}

fn meters(conn: &Connection, org: OrgId) -> Result<FxHashMap<i64, Meter>, StoreError> {
    let mut select = conn.prepare_cached("SELECT meter_id, name FROM meter WHERE org_id = ?1")?;
    let mut rows = select.query([org.0])?;
    let mut meters = FxHashMap::default();
    while let Some(row) = rows.next()? {
        meters.insert(row.get(0)?, Meter::parse(&row.get::<_, String>(1)?)?);
    }
    Ok(meters)
}
