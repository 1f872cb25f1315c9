//! `GET /api/v1/usage`
#![allow(unused_qualifications, reason = "utoipa's macro writes the parameters out in full")]

use crate::access::Caller;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{RawQuery, State};
use chrono::{Days, NaiveDate};
use ledger::cube::{Bucket, Figures, Series};
use ledger::{Cube, Dimension, Facet, Filter, Interval, Slice, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use store::{CubeQuery, Narrow, Range, Tz, Wide};
use utoipa::{IntoParams, ToSchema};

/// Days shown where no range is asked for, today included.
const DEFAULT_DAYS: u64 = 30;
/// Values of one filter: more than any page offers.
pub(super) const MAX_FILTER_VALUES: usize = 100;
/// Values of a facet that are told apart.
const FACET_VALUES: usize = 1_000;

/// Which usage.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the query for the documentation; `Question` reads it")]
pub struct UsageQuery {
    /// First day (`2026-11-01`) or instant (`2026-11-01T00:00:00Z`); 30 days before `to` where it is not said.
    from: Option<String>,
    /// Last day, included, or the instant before which usage counts; today where it is not said.
    to: Option<String>,
    /// `hour`, `day` (default), `week`, `month` or `none`.
    interval: Option<String>,
    /// Any of `type`, `source` and `project` and at most one of `workflow`, `user`, `tenant`, `status` and `attribute.NAME`,
    /// separated by commas; one series for all where it is not said.
    group_by: Option<String>,
    /// Only these meters; several by commas or by repeating the parameter.
    r#type: Option<String>,
    /// Only this source; repeat the parameter for several.
    source: Option<String>,
    /// Only this project, by id; repeat the parameter for several; empty for usage without one.
    project: Option<String>,
    /// Only this workflow, by id; repeat the parameter for several; empty for usage without one.
    workflow: Option<String>,
    /// Only this user; repeat the parameter for several; empty for usage without one.
    user: Option<String>,
    /// Only this tenant; repeat the parameter for several; empty for usage without one.
    tenant: Option<String>,
    /// `succeeded` or `failed`.
    status: Option<String>,
    /// Only events whose attribute of that name has this value; repeat the parameter for several; empty for events without it.
    #[param(rename = "attribute.NAME")]
    attribute: Option<String>,
    /// Whose days: an IANA name such as `Europe/Berlin`; the org's zone where it is not said.
    tz: Option<String>,
}

/// Get usage
///
/// Credits, events and quantities over time. Adds up to the ledger to the last micro-credit. An event with several
/// quantities counts once in `total.events`; grouped by type it counts in each of its series. Instants are widened to
/// quarters of an hour. Of a workflow, user, tenant or attribute the 1,000 values with most credits are told apart; the rest is one
/// series whose key is null.
///
/// # Errors
/// A query that cannot be read or covers too many buckets.
#[utoipa::path(
    get, path = "/api/v1/usage", operation_id = "get_usage", tag = "Usage", params(UsageQuery),
    responses(
        (status = 200, description = "Usage in the range", body = UsageAnswer),
        (status = 400, description = "`bad_query`, `bad_range`"),
        (status = 403, description = "`missing_scope`: `usage:read`; `wrong_project`"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<UsageAnswer>, Problem> {
    let mut question = Question::parse(&query.unwrap_or_default())?;
    question.keep_to(&caller)?;
    let zone = match question.zone {
        Some(zone) => zone,
        None => app.store.org(caller.org).await?.zone,
    };
    let query = question.cube_query(app.store.now(), zone)?;
    let cube = app.store.cube(caller.org, &query).await?;
    let slice = cube.slice(&question.filter, &question.group_by)?;
    Ok(Json(UsageAnswer::new(&cube, &slice)))
}

/// What is asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Question {
    from: Option<Bound>,
    to: Option<Bound>,
    interval: Option<Interval>,
    group_by: Vec<Dimension>,
    pub(super) filter: Filter,
    pub(super) wide: Wide,
    zone: Option<Tz>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Day(NaiveDate),
    Instant(Timestamp),
}

impl Question {
    fn parse(query: &str) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).map_err(|error| bad(error.to_string()))?;
        let mut question = Self::default();
        for (name, value) in pairs {
            question.take(&name, &value)?;
        }
        let Filter { types, sources, projects } = &question.filter;
        let longest = [types.len(), sources.len(), projects.len(), question.wide.chosen.len()];
        question.wide.values = Some(FACET_VALUES);
        if longest.into_iter().any(|len| len > MAX_FILTER_VALUES) {
            return Err(bad(format!("a filter has at most {MAX_FILTER_VALUES} values")));
        }
        Ok(question)
    }

    /// One pair of the address.
    pub(super) fn take(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        match name {
            "from" => once(name, &mut self.from, bound(name, value)?)?,
            "to" => once(name, &mut self.to, bound(name, value)?)?,
            "interval" => {
                let interval = Interval::parse(value);
                let interval = interval.ok_or_else(|| bad("interval must be hour, day, week, month or none"))?;
                once(name, &mut self.interval, interval)?;
            }
            "group_by" => {
                for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                    let dimension = Dimension::parse(part);
                    let dimension = dimension.ok_or_else(|| bad(GROUPS))?;
                    if let Some(facet) = dimension.facet() {
                        let before = self.wide.facet.replace(facet.clone());
                        if before.is_some_and(|before| before != *facet) {
                            return Err(bad(GROUPS));
                        }
                    }
                    if self.group_by.contains(&dimension) {
                        return Err(bad(format!("group_by has {part} twice")));
                    }
                    self.group_by.push(dimension);
                }
            }
            // Meters have no commas in their names; sources and projects may.
            "type" => self.filter.types.extend(value.split(',').map(|part| part.trim().to_owned())),
            "source" => self.filter.sources.push(value.to_owned()),
            "project" => self.filter.projects.push(value.to_owned()),
            "status" if !matches!(value, "succeeded" | "failed") => {
                return Err(bad("status must be succeeded or failed"));
            }
            "tz" => {
                let zone = value.parse().map_err(|_| bad("tz must be an IANA name such as Europe/Berlin"))?;
                once(name, &mut self.zone, zone)?;
            }
            name if Facet::parse(name).is_some() => {
                self.wide.chosen.extend(Facet::parse(name).map(|facet| (facet, value.to_owned())));
            }
            _ => {
                let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                return Err(bad(format!(
                    "there is no parameter {name}: use from, to, interval, group_by, type, source, project, workflow, user, tenant, status, attribute.NAME, tz"
                )));
            }
        }
        Ok(())
    }

    /// A key that is bound to a project reads that project's usage, whether or not it asks for it by name.
    pub(super) fn keep_to(&mut self, caller: &Caller) -> Result<(), Problem> {
        let Some(own) = &caller.project else { return Ok(()) };
        if let Some(other) = self.filter.projects.iter().find(|project| *project != own.as_str()) {
            let other = ledger::Label::parse("project", other).ok();
            return caller.keep_to(other.as_ref());
        }
        self.filter.projects = vec![own.to_string()];
        Ok(())
    }

    /// The period, the last 30 days where none is said.
    pub(super) fn range(&self, now: Timestamp, zone: Tz) -> Result<Range, Problem> {
        let today = day_of(now, zone)?;
        Ok(match (self.from, self.to) {
            (Some(Bound::Day(from)), Some(Bound::Day(to))) => Range::Days(from, to),
            (Some(Bound::Instant(from)), Some(Bound::Instant(to))) => Range::Instants(from, to),
            (Some(Bound::Day(from)), None) => Range::Days(from, today),
            (Some(Bound::Instant(from)), None) => Range::Instants(from, now),
            (None, Some(Bound::Day(to))) => Range::Days(days_before(to), to),
            (None, None) => Range::Days(days_before(today), today),
            (None, Some(Bound::Instant(to))) => {
                let before = i64::try_from(DEFAULT_DAYS).unwrap_or_default() * 86_400_000_000;
                Range::Instants(Timestamp::from_micros(to.micros().saturating_sub(before)), to)
            }
            _ => return Err(bad("from and to must both be days or both be instants")),
        })
    }

    fn cube_query(&self, now: Timestamp, zone: Tz) -> Result<CubeQuery, Problem> {
        Ok(CubeQuery {
            range: self.range(now, zone)?,
            interval: self.interval.unwrap_or(Interval::Day),
            zone: Some(zone),
            wide: self.wide.clone(),
            narrow: Some(Narrow::new(self.group_by.clone(), self.filter.sources.clone(), self.filter.projects.clone())),
        })
    }
}

/// What can be grouped by.
const GROUPS: &str =
    "group_by must be of type, source and project, and one of workflow, user, tenant, status and attribute.NAME";

fn bad(detail: impl Into<String>) -> Problem {
    Problem::bad_request("bad_query", detail)
}

fn once<T>(name: &str, slot: &mut Option<T>, value: T) -> Result<(), Problem> {
    if slot.replace(value).is_some() { Err(bad(format!("{name} is there twice"))) } else { Ok(()) }
}

fn bound(name: &str, value: &str) -> Result<Bound, Problem> {
    if let Ok(day) = value.parse::<NaiveDate>() {
        return Ok(Bound::Day(day));
    }
    let field = if name == "from" { "from" } else { "to" };
    // An unescaped + of an offset arrives as a space.
    let instant = Timestamp::parse(field, &value.replace(' ', "+"));
    instant.map(Bound::Instant).map_err(|refusal| bad(format!("{refusal}; a day such as 2026-11-21 will do too")))
}

fn day_of(now: Timestamp, zone: Tz) -> Result<NaiveDate, Problem> {
    let now = now.to_chrono().ok_or_else(|| bad("the server's clock is wrong"))?;
    Ok(now.with_timezone(&zone).date_naive())
}

fn days_before(day: NaiveDate) -> NaiveDate {
    day.checked_sub_days(Days::new(DEFAULT_DAYS - 1)).unwrap_or(day)
}

/// Usage in a range.
#[derive(Serialize, ToSchema)]
#[schema(title = "Usage")]
pub struct UsageAnswer {
    /// First instant of the range.
    #[schema(value_type = String, format = DateTime)]
    from: Option<Timestamp>,
    /// First instant after it.
    #[schema(value_type = String, format = DateTime)]
    to: Option<Timestamp>,
    /// Whose days these are.
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    /// Width of the points.
    #[schema(example = "day")]
    interval: &'static str,
    /// All that the filters let through.
    total: FiguresItem,
    /// By the dimensions asked for; most credits first.
    series: Vec<SeriesItem>,
}

/// Figures of a range or a point.
#[derive(Serialize, ToSchema)]
#[schema(title = "Figures")]
pub struct FiguresItem {
    #[schema(example = "17.505787")]
    credits: String,
    /// Each event once.
    #[schema(example = 19366)]
    events: i64,
    /// How many of them failed.
    failed: i64,
    /// In the meter's unit; null where several meters come together.
    #[schema(example = "22361870")]
    quantity: Option<String>,
}

/// One combination of the dimensions asked for.
#[derive(Serialize, ToSchema)]
#[schema(title = "Series")]
pub struct SeriesItem {
    /// The value per dimension: `""` for usage that says none, null for those that are added up.
    key: BTreeMap<String, Option<String>>,
    #[serde(flatten)]
    total: FiguresItem,
    /// In order of time, without gaps.
    points: Vec<PointItem>,
}

/// Figures of one bucket.
#[derive(Serialize, ToSchema)]
#[schema(title = "Point")]
pub struct PointItem {
    /// First instant of the bucket.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    #[serde(flatten)]
    figures: FiguresItem,
}

impl UsageAnswer {
    fn new(cube: &Cube, slice: &Slice) -> Self {
        Self {
            from: cube.buckets.first().map(|bucket| bucket.start),
            to: cube.buckets.last().map(|bucket| bucket.end),
            timezone: cube.zone.clone(),
            interval: cube.interval.as_str(),
            total: FiguresItem::new(&slice.total),
            series: slice.series.iter().map(|series| SeriesItem::new(&cube.buckets, series)).collect(),
        }
    }
}

impl FiguresItem {
    fn new(figures: &Figures) -> Self {
        Self {
            credits: figures.credits.to_string(),
            events: figures.events,
            failed: figures.failed,
            quantity: figures.quantity.map(|quantity| quantity.to_string()),
        }
    }
}

impl SeriesItem {
    fn new(buckets: &[Bucket], series: &Series) -> Self {
        let point = |(bucket, figures): (&Bucket, &Figures)| PointItem {
            start: bucket.start,
            figures: FiguresItem::new(figures),
        };
        Self {
            key: series.key.iter().map(|(dimension, value)| (dimension.name(), value.clone())).collect(),
            total: FiguresItem::new(&series.total),
            points: buckets.iter().zip(&series.points).map(point).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(query: &str) -> Result<Range, Problem> {
        let now = Timestamp::parse("now", "2026-11-21T23:30:00Z").expect("valid");
        let question = Question::parse(query)?;
        let zone = question.zone.unwrap_or(Tz::UTC);
        question.cube_query(now, zone).map(|query| query.range)
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn days_instants_and_defaults() {
        assert_eq!(range("").expect("valid"), Range::Days(day("2026-10-23"), day("2026-11-21")));
        let berlin = range("tz=Europe/Berlin").expect("valid");
        assert_eq!(berlin, Range::Days(day("2026-10-24"), day("2026-11-22")), "it is tomorrow there");
        let one = range("from=2023-11-16&to=2023-11-16").expect("valid");
        assert_eq!(one, Range::Days(day("2023-11-16"), day("2023-11-16")));
        let instants = range("from=2023-11-16T18:00:00Z&to=2023-11-16T20:00:00+01:00").expect("valid");
        let at = |text| Timestamp::parse("t", text).expect("valid");
        assert_eq!(instants, Range::Instants(at("2023-11-16T18:00:00Z"), at("2023-11-16T19:00:00Z")));
    }

    #[test]
    fn filters_and_groups() {
        let question = Question::parse("type=a,b&type=c&source=x,y&project=&group_by=type,source").expect("valid");
        assert_eq!(question.filter.types, ["a", "b", "c"]);
        assert_eq!((question.filter.sources, question.filter.projects), (vec!["x,y".to_owned()], vec![String::new()]));
        assert_eq!(question.group_by, [Dimension::Type, Dimension::Source]);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (query, said) in [
            ("form=2026-01-01", "form"),
            ("from=yesterday", "from"),
            ("from=2026-01-01&to=2026-01-02T00:00:00Z", "both"),
            ("interval=minute", "interval"),
            ("group_by=type,type", "twice"),
            ("group_by=module", "group_by"),
            ("group_by=user,tenant", "group_by"),
            ("group_by=user,user", "twice"),
            ("status=broken", "status"),
            ("attribute.=x", "attribute."),
            ("tz=Mars/Olympus", "tz"),
            ("to=2026-01-01&to=2026-01-02", "twice"),
        ] {
            let problem = range(query).expect_err(query);
            assert!(problem.status == 400 && problem.detail.contains(said), "{query}: {}", problem.detail);
        }
    }
}
