//! The pages of usage: runs, and one run.

use super::{Backend, local, local_day};
use crate::calendar::Day;
use crate::components::retention;
use crate::components::runs::filter::RunFilter;
use crate::components::runs::list::RunList;
use crate::components::runs::run::{ModuleLine, RunDetail, RunEvent};
use crate::components::runs::{Place, RunLine, Used};
use crate::error::AppError;
use crate::format;
use crate::server_fns::Moment;
use ::ledger::event::Place as Said;
use ::ledger::{EventSeq, Facet, Permission, Timestamp};
use store::calendar::day_start;
use store::{Kept, Org, Sort, Trace, TraceCursor, TraceEvent, TraceKind, TraceModule, TraceQuery, TraceUse};

/// Runs and events on a page.
const PAGE: u32 = 50;

impl Backend {
    /// A page of the list.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], [`AppError::BadRange`], or what the store says.
    pub async fn list_runs(&self, filter: &RunFilter) -> Result<RunList, AppError> {
        let viewer = self.allowed(Permission::SeeUsage)?;
        let org = self.store.org(viewer.org).await?;
        let days = filter.days(local_day(&org, self.store.now())?);
        let page = self.store.traces(org.id, query(&org, filter, days)?).await?;
        let text = |day: Option<Day>| day.map(|day| day.iso()).unwrap_or_default();
        let days = (text(days.map(|(from, _)| from)), text(days.map(|(_, to)| to)));
        let meter = self.store.meters(org.id).await?.first().map(|info| info.meter.to_string());
        let runs: Vec<RunLine> = page.traces.iter().map(|trace| line(&org, trace)).collect::<Result<_, _>>()?;
        let chosen = chosen(filter, &runs);
        Ok(RunList {
            runs,
            back: page.back.map(TraceCursor::text),
            on: page.on.map(TraceCursor::text),
            whole: page.whole,
            days,
            chosen,
            meter: meter.unwrap_or_else(|| "export".to_owned()),
            kept: self.kept_for(&org).await?,
        })
    }

    /// For how long details of events are kept, in a sentence.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn kept_for(&self, org: &Org) -> Result<String, AppError> {
        let Kept { days, pruned } = self.store.kept(org.id).await?;
        let until = pruned.map(|(_, until)| Ok::<_, AppError>(local_day(org, until)?.medium())).transpose()?;
        Ok(retention::sentence(days, until.as_deref()))
    }

    /// A run, with the page of its events after one of them.
    ///
    /// # Errors
    /// [`AppError::NotFound`], or what the store says.
    pub async fn run(&self, id: &str, after: Option<&str>) -> Result<RunDetail, AppError> {
        let viewer = self.allowed(Permission::SeeUsage)?;
        let org = self.store.org(viewer.org).await?;
        let after = after.map(|after| EventSeq::parse(after).ok_or(AppError::NotFound)).transpose()?;
        // Read first: what is booked meanwhile is news for the page.
        let head = self.store.head(org.id).await?.seq.to_string();
        let detail = self.store.trace(org.id, TraceKind::Run, id.to_owned(), None).await?;
        let events = self.store.trace_events(org.id, TraceKind::Run, id.to_owned(), None, after, PAGE).await?;
        Ok(RunDetail {
            run: line(&org, &detail.trace)?,
            modules: detail.modules.iter().map(|module| module_line(&org, module)).collect::<Result<_, _>>()?,
            counted: detail.counted,
            pruned: detail.trace.pruned,
            events: events.events.iter().map(|event| event_line(&org, event)).collect::<Result<_, _>>()?,
            next: events.next.map(|seq| seq.to_string()),
            head,
        })
    }
}

pub(super) fn query(org: &Org, filter: &RunFilter, days: Option<(Day, Day)>) -> Result<TraceQuery, AppError> {
    let midnight = |day: Day| Ok::<_, AppError>(day_start(org.zone, day.date())?);
    Ok(TraceQuery {
        sort: match filter.sort {
            "credits" => Sort::Credits,
            "data" => Sort::Data,
            _ => Sort::Time,
        },
        from: days.map(|(from, _)| midnight(from)).transpose()?,
        before: days.map(|(_, to)| midnight(to.plus_days(1))).transpose()?,
        workflows: filter.chosen(&Facet::Workflow),
        projects: filter.view.projects.clone(),
        failed: filter.failed(),
        agent: Some(filter.kind.as_str()).filter(|kind| !kind.is_empty()).map(|kind| kind == "agent"),
        search: filter.search.clone(),
        cursor: TraceCursor::parse(&filter.cursor),
        limit: PAGE,
        ..TraceQuery::new(TraceKind::Run)
    })
}

/// What is chosen, by the name that the runs found have for it.
fn chosen(filter: &RunFilter, runs: &[RunLine]) -> [Option<Place>; 2] {
    let named = |ids: Vec<String>, of: fn(&RunLine) -> Option<&Place>| {
        let ids = Some(ids).filter(|ids| !ids.is_empty())?;
        let title = |id: &String| match runs.iter().filter_map(of).find(|place| place.id == *id) {
            Some(place) => place.title.clone(),
            None if id.is_empty() => "none".to_owned(),
            None => id.clone(),
        };
        let title = ids.iter().map(title).collect::<Vec<_>>().join(", ");
        Some(Place { id: ids.join(","), title })
    };
    [
        named(filter.chosen(&Facet::Workflow), |run| run.workflow.as_ref()),
        named(filter.view.projects.clone(), |run| run.project.as_ref()),
    ]
}

pub(super) fn place(said: &Said) -> Place {
    Place { id: said.id.to_string(), title: said.name.as_ref().unwrap_or(&said.id).to_string() }
}

pub(super) fn moment(org: &Org, at: Timestamp) -> Result<Moment, AppError> {
    Ok(Moment::exact(at, local(org, at)?))
}

fn line(org: &Org, trace: &Trace) -> Result<RunLine, AppError> {
    Ok(RunLine {
        place: place(&trace.place),
        workflow: trace.workflow.as_ref().map(place),
        project: trace.project.as_ref().map(place),
        agent: trace.agent,
        first: moment(org, trace.first_at)?,
        last: moment(org, trace.last_at)?,
        took: trace.last_at.micros().saturating_sub(trace.first_at.micros()),
        events: trace.events,
        failed: trace.failed,
        bytes: trace.bytes,
        credits: trace.credits,
    })
}

fn used(uses: &[TraceUse]) -> Vec<Used> {
    let one = |used: &TraceUse| {
        let quantity = format::units(&format::quantity(used.quantity), &used.meter.unit);
        (format!("{}: {quantity}", used.meter.title), used.credits)
    };
    uses.iter().map(one).collect()
}

pub(super) fn module_line(org: &Org, module: &TraceModule) -> Result<ModuleLine, AppError> {
    Ok(ModuleLine {
        title: module.module.as_ref().map_or_else(|| "Without a module".to_owned(), |said| place(said).title),
        first: moment(org, module.first_at)?,
        took: module.last_at.micros().saturating_sub(module.first_at.micros()),
        events: module.events,
        failed: module.failed,
        bytes: module.bytes,
        credits: module.credits,
        uses: used(&module.uses),
    })
}

fn event_line(org: &Org, event: &TraceEvent) -> Result<RunEvent, AppError> {
    Ok(RunEvent {
        seq: event.seq.to_string(),
        id: event.id.clone(),
        at: moment(org, event.at)?,
        module: event.module.as_ref().map_or_else(String::new, |said| place(said).title),
        operation: event.operation.clone(),
        failed: event.failed,
        bytes: event.bytes,
        credits: event.credits,
        uses: used(&event.uses),
    })
}
