//! The pages of workflows.

use super::runs::{module_line, place};
use super::{Backend, local_day, origin};
use crate::calendar::Day;
use crate::components::runs::filter::RunFilter;
use crate::components::runs::run::ModuleLine;
use crate::components::workflows::one::Workflow;
use crate::components::workflows::{WorkflowLine, WorkflowList};
use crate::error::AppError;
use crate::span::Bound;
use crate::view::View;
use ::ledger::cube::{Figures, Series};
use ::ledger::{Dimension, Facet, Filter, Interval, OrgId, Permission};
use store::calendar::day_start;
use store::{CubeQuery, Org, Range, Wide};

/// Workflows that are listed; the rest is one line.
const LISTED: usize = 200;
/// Runs on the page of a workflow.
const RUNS: usize = 20;

impl Backend {
    /// The list, over the days asked for or this month.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn workflows(&self, filter: &RunFilter) -> Result<WorkflowList, AppError> {
        let org = self.store.org(self.allowed(Permission::SeeUsage)?.org).await?;
        let (from, to) = self.days_of(&org, filter)?;
        let (total, series) = self.by_workflow(org.id, (from, to), Vec::new()).await?;
        let agents = self.store.agents(org.id).await?;
        let line = |series: Series| {
            let id = series.key.first().and_then(|(_, id)| id.clone());
            let agent = id.as_ref().is_some_and(|id| agents.binary_search(id).is_ok());
            WorkflowLine { id, title: series.title, agent, total: series.total }
        };
        let meter = self.store.meters(org.id).await?.first().map(|info| info.meter.to_string());
        Ok(WorkflowList {
            lines: series.into_iter().map(line).collect(),
            total,
            days: (Bound::Day(from), Bound::Day(to)),
            period: period(&org, from, to),
            origin: origin(),
            meter: meter.unwrap_or_else(|| "export".to_owned()),
        })
    }

    /// A workflow, over the days asked for or this month.
    ///
    /// # Errors
    /// [`AppError::NotFound`], or what the store says.
    pub async fn workflow(&self, id: &str, filter: &RunFilter) -> Result<Workflow, AppError> {
        let org = self.store.org(self.allowed(Permission::SeeUsage)?.org).await?;
        let (from, to) = self.days_of(&org, filter)?;
        let (start, end) = (day_start(org.zone, from.date())?, day_start(org.zone, to.plus_days(1).date())?);
        let found = self.store.workflow_modules(org.id, id.to_owned(), start, end).await?;
        let (total, _) = self.by_workflow(org.id, (from, to), vec![(Facet::Workflow, id.to_owned())]).await?;
        let newest = RunFilter::default().only(&Facet::Workflow, Some(id));
        let mut runs = self.list_runs(&newest).await?.runs;
        runs.truncate(RUNS);
        // Between its first call and its last there are many runs: that is no duration.
        let module = |module| Ok(ModuleLine { took: 0, ..module_line(&org, module)? });
        let named = place(&found.place);
        Ok(Workflow {
            id: named.id,
            title: named.title,
            agent: found.agent,
            total,
            modules: found.modules.iter().map(module).collect::<Result<_, AppError>>()?,
            counted: found.counted,
            more: found.more,
            runs,
            view: View { range: Some((Bound::Day(from), Bound::Day(to))), ..newest.view },
            period: period(&org, from, to),
        })
    }

    /// This billing cycle until today, where no other days are asked for.
    fn days_of(&self, org: &Org, filter: &RunFilter) -> Result<(Day, Day), AppError> {
        let today = local_day(org, self.store.now())?;
        Ok(filter.days(today).unwrap_or((today.first_of_month(), today)))
    }

    async fn by_workflow(
        &self,
        org: OrgId,
        (from, to): (Day, Day),
        chosen: Vec<(Facet, String)>,
    ) -> Result<(Figures, Vec<Series>), AppError> {
        let wide = Wide { facet: Some(Facet::Workflow), chosen, values: LISTED };
        let range = Range::Days(from.date(), to.date());
        let cube = self.store.cube(org, &CubeQuery { wide, ..CubeQuery::new(range, Interval::None) }).await?;
        let sliced = cube.slice(&Filter::default(), &[Dimension::Facet(Facet::Workflow)]);
        let slice = sliced.map_err(|refusal| AppError::Refused { problem: refusal.to_string() })?;
        Ok((slice.total, slice.series))
    }
}

fn period(org: &Org, from: Day, to: Day) -> String {
    format!("{} to {}, days in {}", from.medium(), to.medium(), org.zone.name())
}
