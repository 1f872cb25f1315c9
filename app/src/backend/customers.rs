//! Users and tenants: what was used on their behalf.

use super::{Backend, local_day};
use crate::calendar::Day;
use crate::components::customers::data::{Customer, Days, Listing, SHORT, Slot, TypeUse, Used, Who};
use crate::error::AppError;
use crate::format;
use crate::server_fns::analytics::DEFAULT_DAYS;
use crate::view::{View, can_have};
use ledger::cube::{Bucket, Figures, MAX_BUCKETS, MeterInfo, Series};
use ledger::{Dimension, Facet, Filter, Interval, Label, OrgId};
use store::{CubeQuery, Org, Range, RankCursor, RankPage, Wide};

impl Backend {
    /// Users or tenants of the days of a view, heaviest first: those after a place in the list and whose id begins so.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], [`AppError::BadRange`], or what the store says.
    pub async fn customers(
        &self,
        org: &Org,
        who: Who,
        view: &View,
        (after, prefix): (&str, &str),
        limit: usize,
    ) -> Result<Listing, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let days = self.days(org, view)?;
        let page = RankPage {
            facet: who.facet(),
            range: Range::Days(days.from.date(), days.to.date()),
            chosen: view.facets.clone(),
            projects: view.projects.clone(),
            sources: view.sources.clone(),
            prefix: prefix.to_owned(),
            after: RankCursor::parse(after),
            limit,
        };
        let ranking = self.store.ranking(viewer.org, page).await?;
        let last = ranking.values.last().map(|value| value.cursor).filter(|_| ranking.more);
        Ok(Listing {
            days,
            next: last.map(RankCursor::text),
            lines: ranking.values.into_iter().map(|value| (value.id, used(value.used))).collect(),
            count: ranking.count,
            total: used(ranking.total),
            unsaid: used(ranking.unsaid),
        })
    }

    /// One user or tenant over the days of a view.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where nobody ever said that id; [`AppError::NotSignedIn`]; or what the store says.
    pub async fn customer(&self, org: &Org, who: Who, id: &str, view: &View) -> Result<Customer, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        if !self.is_known(viewer.org, who, id).await? {
            return Err(AppError::NotFound);
        }
        let days = self.days(org, view)?;
        let own = view.with_value(&Dimension::Facet(who.facet()), id, true);
        let interval = view.interval_over(days.from, days.to);
        if !can_have(interval, days.from, days.to) {
            let problem = format!("This range gives more than {MAX_BUCKETS} columns. Choose a shorter one.");
            return Err(AppError::BadRange { problem });
        }
        let wide = Wide { chosen: own.facets.clone(), ..Wide::default() };
        let narrow = Some(super::shown_of(&own, Dimension::Type));
        let query = CubeQuery { wide, narrow, ..super::days(days.from, days.to, interval) };
        let cube = self.store.cube(viewer.org, &query).await?;
        let filter = Filter { types: Vec::new(), ..own.filter() };
        let slice = cube.slice(&filter, &[Dimension::Type]).map_err(super::overview::refused)?;
        let others = self.customers(org, who.other(), &own, ("", ""), SHORT).await?;
        let interactions = self.interactions(org, &own, ("", ""), SHORT).await?;
        let points = cube.slice(&filter, &[]).map_err(super::overview::refused)?;
        let empty = vec![Figures::default(); cube.buckets.len()];
        let points = points.series.first().map_or(&empty, |series| &series.points);
        let columns = cube.buckets.iter().zip(points).map(|(bucket, used)| slot(bucket, interval, used));
        Ok(Customer {
            days,
            used: others.total,
            columns: columns.collect(),
            step: step(interval),
            types: slice.series.iter().filter_map(|series| type_use(&cube.meters, series)).collect(),
            others,
            interactions,
        })
    }

    async fn is_known(&self, org: OrgId, who: Who, id: &str) -> Result<bool, AppError> {
        let Ok(label) = Label::kept(id) else { return Ok(false) };
        Ok(match who.facet() {
            Facet::Tenant => self.store.knows_tenant(org, label).await?,
            _ => self.store.knows_user(org, label).await?,
        })
    }

    /// The days of a view as its org's clock has them, the last 30 where it says none.
    ///
    /// # Errors
    /// Where the clock is wrong.
    pub(super) fn days(&self, org: &Org, view: &View) -> Result<Days, AppError> {
        let today = local_day(org, self.store.now())?;
        let (from, to) = view.days(today).unwrap_or((today.plus_days(1 - DEFAULT_DAYS), today));
        Ok(Days { from, to, today })
    }
}

pub(super) const fn used(used: store::Used) -> Used {
    let store::Used { credits, events, failed, bytes } = used;
    Used { credits, events, failed, bytes }
}

const fn step(interval: Interval) -> &'static str {
    match interval {
        Interval::Hour => "hour",
        Interval::Week => "week",
        Interval::Month => "month",
        Interval::Day | Interval::None => "day",
    }
}

fn slot(bucket: &Bucket, interval: Interval, used: &Figures) -> Slot {
    let day = Day::new(bucket.local.date()).unwrap_or_else(Day::first);
    let dated = format!("{} {}", day.month_short(), day.number());
    let (head, foot, name) = match interval {
        Interval::Hour => {
            let hour = bucket.local.format("%H:%M").to_string();
            (bucket.local.format("%H").to_string(), day.number().to_string(), format!("{dated}, {hour}"))
        }
        Interval::Week => (dated.clone(), String::new(), format!("Week from {dated}")),
        Interval::Month => (day.month_short().to_owned(), day.iso()[..4].to_owned(), day.month_title()),
        Interval::Day | Interval::None => {
            (day.number().to_string(), day.with_weekday()[..3].to_owned(), day.with_weekday())
        }
    };
    Slot { head, foot, name, credits: used.credits, incomplete: bucket.incomplete }
}

fn type_use(meters: &[MeterInfo], series: &Series) -> Option<TypeUse> {
    let meter = series.key.first()?.1.clone()?;
    let unit = meters.iter().find(|info| info.meter.as_str() == meter).map(super::event::unit_of).unwrap_or_default();
    let quantity = series.total.quantity.map(|quantity| format::units(&format::quantity(quantity), unit));
    Some(TypeUse {
        meter,
        title: series.title.clone(),
        quantity: quantity.unwrap_or_default(),
        events: series.total.events,
        credits: series.total.credits,
    })
}
