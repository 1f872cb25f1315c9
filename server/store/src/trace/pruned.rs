//! What the pruned events of a trace add up to ([`crate::retention`]): its row has these and those that are kept, so that both
//! taking one of those back and making the row again need nothing that is gone.

use super::sums::{Adding, Fact, Key, Said, Sums};
use crate::error::StoreError;
use crate::retention::Print;
use ledger::OrgId;
use ledger::canon::Canon;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A row of `trace_pruned`, without its key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pruned {
    adding: Adding,
    /// The least and the largest number of a project.
    projects: (i64, i64),
}

const COLUMNS: &str = "workflow_at, workflow_seq, project_at, project_seq, user_at, user_seq, tenant_at, tenant_seq, low_project, high_project";

impl Pruned {
    /// With one event, of a kind of trace.
    pub(crate) const fn new(fact: &Fact, kind: i64) -> Self {
        Self { adding: Adding::new(fact, kind), projects: (fact.project(), fact.project()) }
    }

    /// With one more.
    pub(crate) fn add(&mut self, fact: &Fact, kind: i64) -> Result<(), StoreError> {
        let (low, high) = self.projects;
        self.projects = (low.min(fact.project()), high.max(fact.project()));
        self.adding.add(fact, kind)
    }

    /// What they are.
    pub(crate) const fn sums(&self) -> Sums {
        self.adding.sums()
    }

    /// When and by which event something is said first, and what; `None` where no pruned event says it.
    pub(super) fn saying(&self, column: Said) -> Option<((i64, i64), i64)> {
        let place = Said::ALL.iter().zip(self.adding.said()).find(|(one, _)| **one == column)?.1;
        let value = column.of(&self.sums());
        (value != 0).then_some((place, value))
    }

    /// Whether one of them says of its project anything else.
    pub(super) fn says_another(&self, project: i64) -> bool {
        self.projects != (project, project)
    }

    fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Self> {
        let adding = Adding::read(row, from)?;
        Ok(Self { adding, projects: (row.get(from + 19)?, row.get(from + 20)?) })
    }

    /// That of a trace, if events of it were pruned.
    pub(crate) fn find(conn: &Connection, org: OrgId, (kind, id): Key) -> Result<Option<Self>, StoreError> {
        let sql = format!(
            "SELECT {}, {COLUMNS} FROM trace_pruned WHERE org_id = ?1 AND kind = ?2 AND id = ?3",
            Sums::COLUMNS
        );
        let mut statement = conn.prepare_cached(&sql)?;
        Ok(statement.query_row(params![org.0, kind, id], |row| Self::read(row, 0)).optional()?)
    }

    /// Writes it.
    pub(crate) fn put(&self, conn: &Connection, org: OrgId, (kind, id): Key) -> Result<(), StoreError> {
        let sql = format!(
            "INSERT OR REPLACE INTO trace_pruned (org_id, kind, id, {}, {COLUMNS})
             VALUES (?1, ?2, ?3, {})",
            Sums::COLUMNS,
            (4..=24).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ")
        );
        let all = [org.0, kind, id].into_iter().chain(self.numbers());
        conn.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(all))?;
        Ok(())
    }

    fn numbers(&self) -> impl Iterator<Item = i64> {
        let Sums { first_at, last_at, events, failed, bytes, micros, workflow, project, one_project, user, tenant } =
            self.sums();
        let one_project = i64::from(one_project);
        let sums = [first_at, last_at, events, failed, bytes, micros, workflow, project, one_project, user, tenant];
        let said = self.adding.said().into_iter().flat_map(|(at, seq)| [at, seq]);
        sums.into_iter().chain(said).chain([self.projects.0, self.projects.1])
    }

    /// What its row counts.
    pub(crate) fn print(&self, (kind, id): Key, value: i128) -> Print {
        let mut canon = Canon::new("scrip-pruned-trace");
        canon.int(kind).int(id);
        for number in self.numbers() {
            canon.int(number);
        }
        Print::of(&canon, value)
    }
}

/// Calls `take` with each row of an org.
pub(crate) fn each(conn: &Connection, org: OrgId, mut take: impl FnMut(Key, &Pruned)) -> Result<(), StoreError> {
    let sql = format!("SELECT kind, id, {}, {COLUMNS} FROM trace_pruned WHERE org_id = ?1", Sums::COLUMNS);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([org.0])?;
    while let Some(row) = rows.next()? {
        take((row.get(0)?, row.get(1)?), &Pruned::read(row, 2)?);
    }
    Ok(())
}
