//! Reports, read: the page, and the files of just what it shows.

use super::export::File;
use super::{Backend, local, local_day};
use crate::calendar::{Day, range_text};
use crate::components::reports::Shown;
use crate::error::AppError;
use crate::exports::{self, CREDITS, xlsx};
use crate::filters;
use crate::format;
use crate::report::{By, MAX_LINES, Question, Report, Setting};
use crate::server_fns::Moment;
use crate::server_fns::analytics::DEFAULT_DAYS;
use crate::view::can_have;
use ::ledger::canon::hex;
use ::ledger::cube::MAX_BUCKETS;
use ::ledger::{Cube, Dimension, Facet, Permission, Words};
use store::{CubeQuery, Org, Range, Wide};

impl Backend {
    /// The Reports page of a query string.
    ///
    /// # Errors
    /// [`AppError::BadRange`], or what the store says.
    pub async fn report(&self, org: &Org, query: &str) -> Result<Shown, AppError> {
        let viewer = self.allowed(Permission::SeeUsage)?;
        let may_export = viewer.role.may(Permission::Export);
        let (report, cube) = self.reported(org, query, format::noun(&org.words)).await?;
        let now = self.store.now();
        Ok(Shown {
            report,
            cube,
            today: local_day(org, now)?,
            as_of: Moment::new(now, local(org, now)?),
            difference: self.report_difference(org, query).await?,
            may_export,
        })
    }

    /// The same as CSV.
    ///
    /// # Errors
    /// What the page would say.
    pub async fn report_csv(&self, query: &str) -> Result<File<String>, AppError> {
        let org = self.store.org(self.allowed(Permission::Export)?.org).await?;
        let (report, _) = self.reported(&org, query, CREDITS).await?;
        Ok(File { name: name(&report, "csv"), content: exports::report::csv(&report) })
    }

    /// The same as a workbook, with a sheet that says what it holds.
    ///
    /// # Errors
    /// As [`Backend::report_csv`].
    pub async fn report_xlsx(&self, query: &str) -> Result<File<Vec<u8>>, AppError> {
        let org = self.store.org(self.allowed(Permission::Export)?.org).await?;
        let (report, cube) = self.reported(&org, query, CREDITS).await?;
        let about = self.about_report(&org, &report, &cube, query).await?;
        let content = xlsx::report(&report, &about).map_err(|error| {
            tracing::error!(%error, "a workbook could not be made");
            AppError::Internal { request_id: super::request_id() }
        })?;
        Ok(File { name: name(&report, "xlsx"), content })
    }

    async fn reported(&self, org: &Org, query: &str, credits: &str) -> Result<(Report, Cube), AppError> {
        let question = Question::parse(query);
        let today = local_day(org, self.store.now())?;
        let days = days(&question, today);
        if !can_have(question.interval, days.0, days.1) {
            let problem =
                format!("This range has more than {MAX_BUCKETS} periods. Choose a shorter one, or longer periods.");
            return Err(AppError::BadRange { problem });
        }
        let facet = match &question.by {
            By::Dimension(by) => by.facet().cloned(),
            By::Operation => None,
        };
        let narrow = facet.clone().map(|facet| super::shown_of(&question.view, Dimension::Facet(facet)));
        let wide = Wide { facet, chosen: question.view.facets.clone(), values: Some(question.values()) };
        let asked =
            CubeQuery { wide, narrow, ..CubeQuery::new(Range::Days(days.0.date(), days.1.date()), question.interval) };
        let cube = self.store.cube(org.id, &asked).await?;
        let setting = Setting { words: &org.words, credits, days };
        let made = match &question.by {
            By::Dimension(by) => Report::of_cube(&question, by, &cube, &setting),
            By::Operation => {
                let (buckets, found) = self.store.operations(org.id, &asked, &question.view.filter()).await?;
                Report::of_operations(&question, &cube.meters, (&buckets, &found), &setting)
            }
        };
        let report = made.map_err(super::overview::refused)?.ok_or_else(|| AppError::BadRange {
            problem: format!(
                "This report has more than {} lines. Choose a shorter range, or longer periods.",
                format::count(i64::try_from(MAX_LINES).unwrap_or(i64::MAX))
            ),
        })?;
        Ok((report, cube))
    }

    /// What the report is made from, held against the ledger.
    async fn report_difference(&self, org: &Org, query: &str) -> Result<::ledger::Credits, AppError> {
        let question = Question::parse(query);
        let facet = match &question.by {
            By::Dimension(by) => by.facet().cloned(),
            // Any facet says that wide usage is asked, as operations always are.
            By::Operation => Some(Facet::Status),
        };
        let wide = Wide { facet, chosen: question.view.facets, ..Wide::default() };
        Ok(self.store.difference(org.id, &wide).await?)
    }

    async fn about_report(
        &self,
        org: &Org,
        report: &Report,
        cube: &Cube,
        query: &str,
    ) -> Result<Vec<(&'static str, String)>, AppError> {
        let totals = self.store.totals(org.id).await?;
        let now = self.store.now();
        Ok(vec![
            ("Organization", org.name.clone()),
            ("Range", range_text(report.days.0, report.days.1)),
            ("Time zone", org.zone.name().to_owned()),
            ("Interval", report.question.interval.as_str().to_owned()),
            ("Filters", told(cube, &report.question, &org.words)),
            ("Lines by", report.question.by.title(&org.words)),
            ("Amounts in", org.words.unit.clone()),
            ("Data as of", Moment::new(now, local(org, now)?).iso),
            ("Difference to the ledger", self.report_difference(org, query).await?.to_string()),
            ("Last ledger entry", totals.chain.seq.to_string()),
            ("Hash of that entry", hex(&totals.chain.hash)),
            ("Report", report.question.at(crate::report::PATH)),
        ])
    }
}

fn told(cube: &Cube, question: &Question, words: &Words) -> String {
    let chosen = filters::chosen(cube, &question.view);
    let told = chosen.iter().map(|chosen| format!("{}: {}", filters::title(&chosen.dimension, words), chosen.text));
    let told: Vec<String> = told.collect();
    if told.is_empty() { "none".to_owned() } else { told.join("; ") }
}

/// The days of a question, as Analytics has them.
pub(super) fn days(question: &Question, today: Day) -> (Day, Day) {
    question.view.days(today).unwrap_or((today.plus_days(1 - DEFAULT_DAYS), today))
}

fn name(report: &Report, ending: &str) -> String {
    format!("report_{}_{}.{ending}", report.days.0.iso(), report.days.1.iso())
}
