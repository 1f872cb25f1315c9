//! What people say of a workflow: a name of its own, and the project that it belongs to.
//!
//! A name that people gave is shown wherever the workflow is; what events call it is kept beside it and comes back when theirs is
//! taken away. The project is where lists show the workflow: usage counts for the project that its event names, so nothing that is
//! added up ever moves.

use crate::Store;
use crate::audit::{By, Change};
use crate::dimension::Kind;
use crate::error::StoreError;
use crate::once::{Done, Once};
use crate::trace::lookup;
use crate::tx::Tx;
use ledger::event::Place;
use ledger::{Label, OrgId};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// What is said of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowSettings {
    /// Which, under the name that is shown.
    pub workflow: Place,
    /// The name that people gave it, if they did.
    pub name: Option<Label>,
    /// What events call it, if they do.
    pub said: Option<Label>,
    /// The project that it belongs to.
    pub project: Option<Place>,
}

/// What is to be said of a workflow; what is left out is taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWorkflowSettings {
    /// Which.
    pub workflow: String,
    /// A name of its own.
    pub name: Option<Label>,
    /// The id of a project that events have named.
    pub project: Option<String>,
}

impl Store {
    /// What is said of a workflow.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for one that no event has named.
    pub async fn workflow_settings(&self, org: OrgId, workflow: String) -> Result<WorkflowSettings, StoreError> {
        self.read(move |conn| settings(conn, org, number(conn, org, &workflow)?)).await
    }

    /// The projects that workflows belong to, by the workflow's id.
    ///
    /// # Errors
    /// What the database says.
    pub async fn workflow_projects(&self, org: OrgId) -> Result<BTreeMap<String, Place>, StoreError> {
        self.read(move |conn| {
            let sql = "SELECT workflow_id, project_id FROM workflow_project WHERE org_id = ?1";
            let mut select = conn.prepare_cached(sql)?;
            let rows = select.query_map([org.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut projects = BTreeMap::new();
            for row in rows {
                let (workflow, project): (i64, i64) = row?;
                let place = |kind, number| lookup::place(conn, org, kind, number);
                if let (Some(workflow), Some(project)) =
                    (place(Kind::Workflow, workflow)?, place(Kind::Project, project)?)
                {
                    projects.insert(workflow.id.to_string(), project);
                }
            }
            Ok(projects)
        })
        .await
    }

    /// Says a workflow's name and project, once for a key. Saying what stands changes nothing and is not noted.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a workflow or a project that no event has named; another request with the same key.
    pub async fn set_workflow(
        &self,
        org: OrgId,
        by: By,
        new: NewWorkflowSettings,
        once: Option<Once>,
    ) -> Result<Done<WorkflowSettings>, StoreError> {
        let run = move |tx: &mut Tx<'_>| tx.once(org, once.as_ref(), |tx| tx.set_workflow(org, &by, &new));
        self.writer().call(0, run).await
    }
}

impl Tx<'_> {
    fn set_workflow(&mut self, org: OrgId, by: &By, new: &NewWorkflowSettings) -> Result<WorkflowSettings, StoreError> {
        let conn = self.conn;
        let number = number(conn, org, &new.workflow)?;
        let before = settings(conn, org, number)?;
        let project = match &new.project {
            None => None,
            Some(id) => {
                let found = lookup::number(conn, org, Kind::Project, id)?;
                Some(found.ok_or(StoreError::NotFound("project that an event has named"))?)
            }
        };
        let renamed =
            "UPDATE dimension SET said = CASE WHEN is_renamed = 1 THEN said ELSE name END, name = ?4, is_renamed = 1
                       WHERE org_id = ?1 AND kind = ?2 AND id = ?3";
        let as_said = "UPDATE dimension SET name = said, said = NULL, is_renamed = 0
                       WHERE org_id = ?1 AND kind = ?2 AND id = ?3 AND is_renamed = 1";
        let kind = Kind::Workflow as i64;
        match &new.name {
            Some(name) => conn.prepare_cached(renamed)?.execute(params![org.0, kind, number, name.as_str()])?,
            None => conn.prepare_cached(as_said)?.execute(params![org.0, kind, number])?,
        };
        match project {
            Some(project) => {
                let sql = "INSERT INTO workflow_project (org_id, workflow_id, project_id) VALUES (?1, ?2, ?3)
                           ON CONFLICT (org_id, workflow_id) DO UPDATE SET project_id = excluded.project_id";
                conn.prepare_cached(sql)?.execute(params![org.0, number, project])?
            }
            None => {
                let sql = "DELETE FROM workflow_project WHERE org_id = ?1 AND workflow_id = ?2";
                conn.prepare_cached(sql)?.execute(params![org.0, number])?
            }
        };
        let after = settings(conn, org, number)?;
        if after != before {
            let told = |of: &WorkflowSettings| json!({"name": of.name, "project": of.project.as_ref().map(|project| &project.id)});
            let target = format!("workflow:{}", after.workflow.id);
            let (before, after) = (Some(told(&before)), Some(told(&after)));
            self.note(org, by, Change { action: "workflow.settings", target, before, after })?;
        }
        Ok(after)
    }
}

fn number(conn: &Connection, org: OrgId, workflow: &str) -> Result<i64, StoreError> {
    lookup::number(conn, org, Kind::Workflow, workflow)?.ok_or(StoreError::NotFound("workflow"))
}

fn settings(conn: &Connection, org: OrgId, number: i64) -> Result<WorkflowSettings, StoreError> {
    let sql = "SELECT is_renamed, name, said FROM dimension WHERE org_id = ?1 AND kind = ?2 AND id = ?3";
    let (is_renamed, name, said): (bool, Option<String>, Option<String>) = conn
        .prepare_cached(sql)?
        .query_row(params![org.0, Kind::Workflow as i64, number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let label = |text: Option<String>| text.map(|text| Label::kept(&text)).transpose();
    let (name, said) = if is_renamed { (label(name)?, label(said)?) } else { (None, label(name)?) };
    let project: Option<i64> = conn
        .prepare_cached("SELECT project_id FROM workflow_project WHERE org_id = ?1 AND workflow_id = ?2")?
        .query_row(params![org.0, number], |row| row.get(0))
        .optional()?;
    let project = project.map(|project| lookup::place(conn, org, Kind::Project, project)).transpose()?.flatten();
    let workflow = lookup::place(conn, org, Kind::Workflow, number)?.ok_or(StoreError::NotFound("workflow"))?;
    Ok(WorkflowSettings { workflow, name, said, project })
}
