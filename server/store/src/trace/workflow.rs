//! Workflows by their runs: which of them are AI agents, and what their modules add up to.

use super::detail::{MAX_EVENTS, TraceModule, modules, places};
use super::lookup;
use super::pruned::Pruned;
use super::read::{Tail, TraceKind};
use crate::Store;
use crate::dimension::Kind;
use crate::error::StoreError;
use ledger::event::Place;
use ledger::{OrgId, Timestamp};
use rusqlite::{Connection, params};

/// A workflow, by its runs within some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowModules {
    /// The workflow.
    pub place: Place,
    /// Whether it is an AI agent.
    pub agent: bool,
    /// Its modules, in the order of its newest run; what that has not comes after.
    pub modules: Vec<TraceModule>,
    /// Events of runs that these add up: those of the newest runs, at most 10,000.
    pub counted: i64,
    /// Whether there were more.
    pub more: bool,
    /// Events of the runs that were looked at whose detail is pruned, so that no module has them.
    pub pruned: i64,
}

impl Store {
    /// The ids of workflows that are AI agents.
    ///
    /// # Errors
    /// [`StoreError::Busy`] right after a large import; what the database says.
    pub async fn agents(&self, org: OrgId) -> Result<Vec<String>, StoreError> {
        self.read(move |conn| {
            let tail = Tail::read(conn, org, Kind::Run)?;
            let mut ids = Vec::with_capacity(tail.agents.len());
            for agent in tail.agents {
                ids.extend(lookup::place(conn, org, Kind::Workflow, agent)?.map(|place| place.id.as_str().to_owned()));
            }
            ids.sort_unstable();
            Ok(ids)
        })
        .await
    }

    /// What the modules of a workflow add up to, over its runs whose last event happened from an instant to before another.
    ///
    /// Cost: some microseconds per event, up to 10,000.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Busy`] right after a large import.
    pub async fn workflow_modules(
        &self,
        org: OrgId,
        workflow: String,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<WorkflowModules, StoreError> {
        self.read(move |conn| {
            let unknown = || StoreError::NotFound("workflow");
            let number = lookup::number(conn, org, Kind::Workflow, &workflow)?.ok_or_else(unknown)?;
            let tail = Tail::read(conn, org, Kind::Run)?;
            let period = (from.micros(), before.micros());
            let (mut all, mut pruned) = (Vec::new(), 0);
            for run in runs(conn, org, number, period, &tail)? {
                let left = MAX_EVENTS + 1 - all.len();
                all.extend(places(conn, org, TraceKind::Run, run, &tail, None, left)?);
                pruned += Pruned::find(conn, org, (Kind::Run as i64, run))?.map_or(0, |pruned| pruned.sums().events);
                if all.len() > MAX_EVENTS {
                    break;
                }
            }
            let more = all.len() > MAX_EVENTS;
            all.truncate(MAX_EVENTS);
            Ok(WorkflowModules {
                place: lookup::place(conn, org, Kind::Workflow, number)?.ok_or_else(unknown)?,
                agent: tail.agents.contains(&number),
                modules: modules(conn, org, &all)?,
                counted: i64::try_from(all.len()).unwrap_or(i64::MAX),
                more,
                pruned,
            })
        })
        .await
    }
}

/// Numbers of its runs, newest first, no more than have [`MAX_EVENTS`] events.
fn runs(
    conn: &Connection,
    org: OrgId,
    workflow: i64,
    (from, before): (i64, i64),
    tail: &Tail,
) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT last_at, id FROM trace INDEXED BY trace_by_workflow
               WHERE org_id = ?1 AND kind = 5 AND workflow_id = ?2 AND last_at >= ?3 AND last_at < ?4
               ORDER BY last_at DESC, id DESC LIMIT ?5";
    let limit = i64::try_from(MAX_EVENTS + 1).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(sql)?;
    let kept =
        statement.query_map(params![org.0, workflow, from, before, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut found: Vec<(i64, i64)> = kept.collect::<Result<_, _>>()?;
    found.retain(|(_, id)| !tail.sums.contains_key(id));
    let waiting = tail.sums.iter().filter(|(_, sums)| sums.workflow == workflow);
    found.extend(waiting.map(|(id, sums)| (sums.last_at, *id)).filter(|(at, _)| (from..before).contains(at)));
    found.sort_unstable();
    Ok(found.into_iter().rev().map(|(_, id)| id).collect())
}
