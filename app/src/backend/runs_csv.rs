//! The CSV of the runs that a list shows, a page of the store at a time: there may be millions.

use super::runs::query;
use super::{Backend, local_day};
use crate::components::runs::filter::RunFilter;
use crate::error::AppError;
use crate::exports::line;
use ::ledger::Permission;
use ::ledger::event::Place;
use store::{Org, Store, Trace, TraceQuery};

/// Runs of one piece.
const PIECE: u32 = 100;
const COLUMNS: [&str; 14] = [
    "run",
    "name",
    "type",
    "workflow",
    "workflow_name",
    "project",
    "project_name",
    "status",
    "first_utc",
    "last_utc",
    "events",
    "failed",
    "bytes",
    "credits",
];

/// A file that is being written.
pub struct RunsCsv {
    store: Store,
    org: Org,
    /// What comes next; none after the last page.
    query: Option<TraceQuery>,
    begun: bool,
}

impl RunsCsv {
    /// Begins it.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, or what the store says.
    pub async fn begin(backend: &Backend, pairs: &[(String, String)]) -> Result<Self, AppError> {
        let store = backend.store.clone();
        let org = store.org(backend.allowed(Permission::Export)?.org).await?;
        let filter = RunFilter::new(pairs).first();
        let days = filter.days(local_day(&org, store.now())?);
        let query = TraceQuery { limit: PIECE, ..query(&org, &filter, days)? };
        Ok(Self { store, org, query: Some(query), begun: false })
    }

    /// The next piece of the file; `None` after the last.
    ///
    /// # Errors
    /// What the store says.
    pub async fn next(&mut self) -> Result<Option<String>, AppError> {
        let mut text = String::new();
        if !std::mem::replace(&mut self.begun, true) {
            line(&mut text, COLUMNS.into_iter());
        }
        // An empty piece would end the answer.
        while text.is_empty() {
            let Some(query) = self.query.take() else { break };
            let page = self.store.traces(self.org.id, query.clone()).await?;
            page.traces.iter().for_each(|trace| row(&mut text, trace));
            self.query = page.on.map(|cursor| TraceQuery { cursor: Some(cursor), ..query });
        }
        Ok((!text.is_empty()).then_some(text))
    }
}

fn row(text: &mut String, trace: &Trace) {
    let name = |place: &Place| place.name.as_ref().map_or_else(String::new, ToString::to_string);
    let both = |place: &Option<Place>| place.as_ref().map_or_else(Default::default, |p| [p.id.to_string(), name(p)]);
    let ([workflow, workflow_name], [project, project_name]) = (both(&trace.workflow), both(&trace.project));
    let (first, last) = (trace.first_at.to_string(), trace.last_at.to_string());
    let counts = [trace.events, trace.failed, trace.bytes].map(|count| count.to_string());
    let cells: [&str; COLUMNS.len()] = [
        trace.place.id.as_str(),
        &name(&trace.place),
        if trace.agent { "agent" } else { "workflow" },
        &workflow,
        &workflow_name,
        &project,
        &project_name,
        if trace.failed > 0 { "failed" } else { "succeeded" },
        &first,
        &last,
        &counts[0],
        &counts[1],
        &counts[2],
        &trace.credits.to_string(),
    ];
    line(text, cells.into_iter());
}
