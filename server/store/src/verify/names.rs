//! Meters, sets of meters, and the numbers of names: there for all that refers to them, without gaps.
//!
//! What a number stands for is bound by the events that use it; that it stands for anything, and that none is lost in
//! between, is seen here.

use super::Problems;
use crate::error::StoreError;
use crate::rows::members;
use ledger::{Meter, OrgId, RateCard};
use rusqlite::Connection;
use std::collections::{BTreeSet, HashMap};

#[derive(Default)]
pub(super) struct Names {
    meters: BTreeSet<Meter>,
    sets: HashMap<String, i64>,
}

impl Names {
    pub(super) fn load(conn: &Connection, org: OrgId) -> Result<Self, StoreError> {
        let mut names = Self::default();
        let mut statement = conn.prepare("SELECT name FROM meter WHERE org_id = ?1")?;
        let mut rows = statement.query([org.0])?;
        while let Some(row) = rows.next()? {
            names.meters.insert(Meter::parse(&row.get::<_, String>(0)?)?);
        }
        let mut statement = conn.prepare("SELECT members, set_id FROM meter_set WHERE org_id = ?1")?;
        let mut rows = statement.query([org.0])?;
        while let Some(row) = rows.next()? {
            names.sets.insert(row.get(0)?, row.get(1)?);
        }
        Ok(names)
    }

    /// The number of a set of meters, by their numbers in any order.
    pub(super) fn set(&self, members: &mut [i64]) -> Option<i64> {
        members.sort_unstable();
        let text = members.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        self.sets.get(&text).copied()
    }

    /// The meters of each set, in their order.
    pub(super) fn members(&self) -> HashMap<i64, Vec<i64>> {
        self.sets.iter().map(|(text, id)| (*id, members(text))).collect()
    }

    /// Numbers without gaps, and a meter for each line of a rate card.
    pub(super) fn check<'r>(
        &self,
        conn: &Connection,
        org: OrgId,
        cards: impl Iterator<Item = &'r RateCard>,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        for card in cards {
            for line in card.lines.iter().filter(|line| !self.meters.contains(&line.meter)) {
                problems.say(format!("the meter {}, which rate card {} names, has no row", line.meter, card.version));
            }
        }
        let numbered = [
            (
                "meters",
                "SELECT 0, count(*), min(meter_id), max(meter_id) FROM meter WHERE org_id = ?1 HAVING count(*) > 0",
            ),
            (
                "sets of meters",
                "SELECT 0, count(*), min(set_id), max(set_id) FROM meter_set WHERE org_id = ?1 HAVING count(*) > 0",
            ),
            ("names", "SELECT kind, count(*), min(id), max(id) FROM dimension WHERE org_id = ?1 GROUP BY kind"),
        ];
        for (what, sql) in numbered {
            let mut statement = conn.prepare(sql)?;
            let mut rows = statement.query([org.0])?;
            while let Some(row) = rows.next()? {
                let (kind, count): (i64, i64) = (row.get(0)?, row.get(1)?);
                let (low, high): (i64, i64) = (row.get(2)?, row.get(3)?);
                if (low, high) != (1, count) {
                    let of = if kind == 0 { String::new() } else { format!(" of kind {kind}") };
                    problems
                        .say(format!("{count} {what}{of} have the numbers {low} to {high}: some were lost or moved"));
                }
            }
        }
        Ok(())
    }
}
