//! The FOCUS file of a report's period and filters.

use super::export::File;
use super::{Backend, local_day};
use crate::calendar::Day;
use crate::error::AppError;
use crate::exports::focus::{self, Bill, Charge, Price, Row};
use crate::format;
use crate::report::{MAX_LINES, Question};
use crate::view::{View, can_have};
use ::ledger::cube::{Bucket, MeterInfo};
use ::ledger::{Cube, Dimension, Interval, Permission, Timestamp};
use store::{CubeQuery, Org, Range, Wide};

impl Backend {
    /// Usage of a query string's range and filters by day, project, source and credit type, and what was bought in it, as FOCUS 1.0.
    ///
    /// # Errors
    /// What the Reports page would say.
    pub async fn focus_csv(&self, query: &str) -> Result<File<String>, AppError> {
        let org = self.store.org(self.allowed(Permission::Export)?.org).await?;
        let question = Question::parse(query);
        let days = super::report::days(&question, local_day(&org, self.store.now())?);
        let view = &question.view;
        let wide = Wide { chosen: view.facets.clone(), ..Wide::default() };
        let range = Range::Days(days.0.date(), days.1.date());
        let cube =
            self.store.cube(org.id, &CubeQuery { wide, ..CubeQuery::new(range, interval(&question, days)) }).await?;
        let currency = self.store.org_settings(org.id).await?.currency;
        let start = |day: Day| store::calendar::day_start(org.zone, day.date()).map_err(AppError::from);
        let paid = self.store.paid(org.id, currency, (start(days.0)?, start(days.1.plus_days(1))?)).await?;
        let bill = Bill {
            account: (org.id.to_string(), org.name.clone()),
            issuer: self.installed().await.product,
            unit: format::noun(&org.words).to_owned(),
            price: Price { currency, minor: paid.minor, micros: paid.micros },
        };
        let mut rows = usage(&org, &cube, view)?;
        // A purchase has no project, source or credit type: where these are chosen it is not among them.
        if *view == view.without_filters() {
            for purchase in paid.purchases {
                rows.push(Row {
                    period: bucket_of(&cube.buckets, purchase.effective_at),
                    cycle: cycle(&org, purchase.effective_at)?,
                    credits: purchase.credits,
                    charge: Charge::Purchase(purchase.grant.to_string(), purchase.description, purchase.cost.minor),
                });
            }
        }
        rows.sort_by_key(|row| row.period);
        let mut content = focus::head();
        rows.iter().for_each(|row| focus::row(&mut content, &bill, row));
        Ok(File { name: format!("focus_{}_{}.csv", days.0.iso(), days.1.iso()), content })
    }
}

/// The steps that were asked for; days where none were, or what fits.
fn interval(question: &Question, days: (Day, Day)) -> Interval {
    let asked = Some(question.interval).filter(|interval| *interval != Interval::None);
    let mut fitting = asked.into_iter().chain([Interval::Day, Interval::Week, Interval::Month]);
    fitting.find(|interval| can_have(*interval, days.0, days.1)).unwrap_or(Interval::None)
}

fn usage(org: &Org, cube: &Cube, view: &View) -> Result<Vec<Row>, AppError> {
    let by = [Dimension::Type, Dimension::Source, Dimension::Project];
    let slice = cube.slice(&view.filter(), &by).map_err(super::overview::refused)?;
    let mut rows = Vec::new();
    for series in &slice.series {
        let said = |place: usize| series.key.get(place).and_then(|(_, id)| id.clone()).unwrap_or_default();
        let info = cube.meters.iter().find(|info| info.meter.as_str() == said(0));
        let project = cube.projects.iter().flatten().find(|project| project.id == said(2));
        for (bucket, figures) in cube.buckets.iter().zip(&series.points) {
            if figures.credits.is_zero() && figures.events == 0 {
                continue;
            }
            if rows.len() == MAX_LINES {
                let problem =
                    "This file has more than 50,000 lines. Choose a shorter range, or longer periods.".to_owned();
                return Err(AppError::BadRange { problem });
            }
            rows.push(Row {
                period: (bucket.start, bucket.end),
                cycle: cycle(org, bucket.start)?,
                credits: figures.credits,
                charge: Charge::Usage {
                    meter: info.map(told).unwrap_or_default(),
                    source: said(1),
                    project: project.map(|project| (project.id.clone(), project.name.clone())),
                    quantity: figures.quantity,
                    calls: figures.events,
                },
            });
        }
    }
    Ok(rows)
}

fn told(info: &MeterInfo) -> [String; 4] {
    [info.meter.to_string(), info.title.clone(), info.unit.clone(), info.service.clone()]
}

fn bucket_of(buckets: &[Bucket], at: Timestamp) -> (Timestamp, Timestamp) {
    let bucket = buckets.iter().find(|bucket| bucket.start <= at && at < bucket.end);
    bucket.map_or((at, at), |bucket| (bucket.start, bucket.end))
}

/// The calendar month of the org's zone, as the billing cycle is.
fn cycle(org: &Org, at: Timestamp) -> Result<(Timestamp, Timestamp), AppError> {
    let first = local_day(org, at)?.first_of_month();
    let start = |day: Day| store::calendar::day_start(org.zone, day.date()).map_err(AppError::from);
    Ok((start(first)?, start(first.last_of_month().plus_days(1))?))
}
