//! The pages of workflows.

use super::customers::used;
use super::runs::{module_line, place};
use super::{Backend, local_day};
use crate::calendar::Day;
use crate::components::runs::filter::RunFilter;
use crate::components::runs::run::ModuleLine;
use crate::components::workflows::one::Workflow;
use crate::components::workflows::settings::Settings;
use crate::components::workflows::{WorkflowLine, WorkflowList};
use crate::error::AppError;
use crate::query;
use crate::span::Bound;
use crate::view::View;
use ::ledger::cube::Figures;
use ::ledger::{Facet, Filter, Interval, Label, OrgId, Permission};
use store::calendar::day_start;
use store::name::Noun;
use store::{CubeQuery, Narrow, NewWorkflowSettings, Org, Range, RankCursor, RankPage, RankedValue, Wide};

/// Workflows of one page.
const LISTED: usize = 100;
/// Projects that a workflow can be said to belong to, by id: the first.
const PROJECTS: u32 = 500;
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
        let agents = self.store.agents(org.id).await?;
        let homes = self.store.workflow_projects(org.id).await?;
        let page = RankPage {
            facet: Facet::Workflow,
            range: Range::Days(from.date(), to.date()),
            chosen: Vec::new(),
            projects: filter.view.projects.clone(),
            sources: Vec::new(),
            prefix: String::new(),
            after: RankCursor::parse(&filter.cursor),
            limit: LISTED,
        };
        let ranking = self.store.ranking(org.id, page).await?;
        let ids: Vec<String> = ranking.values.iter().map(|value| value.id.clone()).collect();
        let titles = self.store.titles(org.id, Noun::Workflow, ids).await?;
        let line = |(value, title): (&RankedValue, String)| WorkflowLine {
            agent: agents.binary_search(&value.id).is_ok(),
            project: homes.get(&value.id).map(place),
            title,
            id: value.id.clone(),
            used: used(value.used),
        };
        let meter = self.store.meters(org.id).await?.first().map(|info| info.meter.to_string());
        Ok(WorkflowList {
            next: ranking.values.last().filter(|_| ranking.more).map(|last| last.cursor.text()),
            lines: ranking.values.iter().zip(titles).map(line).collect(),
            count: ranking.count,
            total: used(ranking.total),
            unsaid: used(ranking.unsaid),
            days: (Bound::Day(from), Bound::Day(to)),
            period: period(&org, from, to),
            shown: (from, to, local_day(&org, self.store.now())?),
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
        let total = self.total_of(org.id, (from, to), id).await?;
        let newest = filter.period().only(&Facet::Workflow, Some(id));
        let mut runs = self.list_runs(&newest).await?.runs;
        runs.truncate(RUNS);
        // Between its first call and its last there are many runs: that is no duration.
        let module = |module| Ok(ModuleLine { took: 0, ..module_line(&org, module)? });
        let named = place(&found.place);
        Ok(Workflow {
            id: named.id,
            title: named.title,
            agent: found.agent,
            settings: self.workflow_settings(&org, id).await?,
            total,
            modules: found.modules.iter().map(module).collect::<Result<_, AppError>>()?,
            counted: found.counted,
            more: found.more,
            pruned: found.pruned,
            runs,
            view: View { range: Some((Bound::Day(from), Bound::Day(to))), ..newest.view },
            period: period(&org, from, to),
            days: (from, to, local_day(&org, self.store.now())?),
        })
    }

    async fn workflow_settings(&self, org: &Org, id: &str) -> Result<Settings, AppError> {
        let said = self.store.workflow_settings(org.id, id.to_owned()).await?;
        let projects = self.store.places(org.id, Noun::Project, PROJECTS).await?;
        let text = |label: Option<Label>| label.map(|label| label.to_string());
        let mut projects: Vec<_> = projects.iter().map(place).collect();
        let project = said.project.as_ref().map(place);
        projects.extend(project.iter().filter(|own| !projects.contains(own)).cloned().collect::<Vec<_>>());
        Ok(Settings {
            name: text(said.name).unwrap_or_default(),
            said: text(said.said).unwrap_or_else(|| id.to_owned()),
            project,
            projects,
            may: self.allowed(Permission::ManageSettings).is_ok(),
        })
    }

    /// Changes a workflow's name and project as a form says.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not and for what cannot be read; [`AppError::NotFound`].
    pub async fn set_workflow(&self, id: &str, form: &str) -> Result<(), AppError> {
        let viewer = self.allowed(Permission::ManageSettings)?;
        let fields = query::parse(form);
        let get = |name: &str| fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim());
        let name = Some(get("name")).filter(|name| !name.is_empty()).map(|name| Label::parse("name", name));
        let name = name.transpose().map_err(super::overview::refused)?;
        let project = Some(get("project")).filter(|project| !project.is_empty()).map(str::to_owned);
        let new = NewWorkflowSettings { workflow: id.to_owned(), name, project };
        self.store.set_workflow(viewer.org, viewer.by(), new, None).await?;
        Ok(())
    }

    /// This billing cycle until today, where no other days are asked for.
    fn days_of(&self, org: &Org, filter: &RunFilter) -> Result<(Day, Day), AppError> {
        let today = local_day(org, self.store.now())?;
        Ok(filter.days(today).unwrap_or((today.first_of_month(), today)))
    }

    /// What one used.
    async fn total_of(&self, org: OrgId, (from, to): (Day, Day), id: &str) -> Result<Figures, AppError> {
        let facet = Facet::Workflow;
        let wide = Wide { facet: Some(facet.clone()), chosen: vec![(facet, id.to_owned())], ..Wide::default() };
        let range = Range::Days(from.date(), to.date());
        let narrow = Some(Narrow::default());
        let cube = self.store.cube(org, &CubeQuery { wide, narrow, ..CubeQuery::new(range, Interval::None) }).await?;
        Ok(cube.slice(&Filter::default(), &[]).map_err(super::overview::refused)?.total)
    }
}

fn period(org: &Org, from: Day, to: Day) -> String {
    format!("{} to {}, days in {}", from.medium(), to.medium(), org.zone.name())
}
