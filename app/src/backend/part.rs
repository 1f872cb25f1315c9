//! Parts of the Analytics page: saved views, the values of a facet, why figures changed.

use super::{Backend, Timestamp};
use crate::calendar::Day;
use crate::components::facet_menu::{self, Offered};
use crate::components::why;
use crate::error::AppError;
use crate::filters;
use crate::markup::Markup;
use crate::server_fns::part::{FACET, VIEWS, WHY};
use crate::view::View;
use ::ledger::change::{self, Change};
use ::ledger::cube::AxisValue;
use ::ledger::reach::Reach;
use ::ledger::{Cube, Dimension, Facet, Interval, Permission, RateCard};
use std::collections::BTreeSet;
use store::rate_card::MAX_PAGE;
use store::{CardPage, CubeQuery, Org, Store, Wide};

/// Values of a dimension that its menu lists.
const VALUES: usize = 50;
/// Facets by which a change is told apart besides what the view is grouped by.
const FACETS: [Facet; 4] = [Facet::Workflow, Facet::User, Facet::Tenant, Facet::Status];
/// Values of a facet that two periods are compared by.
const COMPARED: usize = 1_000;

impl Backend {
    /// A part of the page for its query string.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a part that there is none of, or what the store says.
    pub async fn part(&self, part: &str, query: &str) -> Result<Markup, AppError> {
        let viewer = self.allowed(Permission::SeeUsage)?;
        match part {
            VIEWS => self.saved_views().await,
            WHY | FACET if query.is_empty() => Ok(Markup::new("div").attr("hidden", "")),
            WHY => {
                let org = self.store.org(viewer.org).await?;
                self.why(&org, &View::parse(query)).await
            }
            FACET => {
                let org = self.store.org(viewer.org).await?;
                self.facet_menu(&org, query).await
            }
            _ => Err(AppError::NotFound),
        }
    }

    async fn why(&self, org: &Org, view: &View) -> Result<Markup, AppError> {
        // Told apart by what every cube of days knows.
        let whole = View { group: Dimension::Type, interval: None, ..view.clone() };
        let analytics = super::analytics(&self.store, org.id, &whole).await?;
        let Some(before) = &analytics.compared else { return Ok(Markup::new("div").attr("hidden", "")) };
        let filter = view.filter();
        let cards = cards(&self.store, org, (before.from.min(analytics.from), before.to.max(analytics.to))).await?;
        let repriced = change::repriced(cards.iter().map(|card| card.lines.as_slice()));
        let base = |dimension| Change::by(&before.cube, &analytics.cube, &filter, &dimension, &repriced);
        let mut changes = Dimension::BASE.into_iter().map(base).collect::<Result<Vec<_>, _>>()?;
        let days = [(before.from, before.to), (analytics.from, analytics.to)];
        let asked = view.group.facet().filter(|facet| !FACETS.contains(facet));
        for facet in FACETS.iter().chain(asked) {
            changes.extend(self.change_by(org, view, facet, days, &repriced).await?);
        }
        let by_type = changes.first().cloned();
        let Some(change) = Change::most_telling(changes).or(by_type) else { return Err(AppError::NotFound) };
        Ok(why::panel(&org.words, view, &change, days[0]))
    }

    /// The change by a facet. `None` where it has more values than are told apart: which of them are the rest differs between
    /// two periods.
    async fn change_by(
        &self,
        org: &Org,
        view: &View,
        facet: &Facet,
        days: [(Day, Day); 2],
        repriced: &BTreeSet<String>,
    ) -> Result<Option<Change>, AppError> {
        let wide = Wide { facet: Some(facet.clone()), chosen: view.facets.clone(), values: Some(COMPARED) };
        let cube = async |(from, to)| {
            let query = CubeQuery { wide: wide.clone(), ..super::days(from, to, Interval::None) };
            self.store.cube(org.id, &query).await
        };
        let [before, after] = [cube(days[0]).await?, cube(days[1]).await?];
        let has_rest = |cube: &Cube| {
            cube.facet.iter().flat_map(|axis| &axis.values).any(|value| matches!(value, AxisValue::Others(_)))
        };
        if has_rest(&before) || has_rest(&after) {
            return Ok(None);
        }
        Ok(Some(Change::by(&before, &after, &view.filter(), &Dimension::Facet(facet.clone()), repriced)?))
    }
}

impl Backend {
    /// The values of what `filter=` names, most credits first.
    async fn facet_menu(&self, org: &Org, query: &str) -> Result<Markup, AppError> {
        let view = View::parse(query);
        let name = facet_menu::opened(query).ok_or(AppError::NotFound)?;
        let Some(dimension) = Dimension::parse(&name) else {
            return Ok(facet_menu::attributes(&view, &self.store.attribute_names(org.id).await?));
        };
        // Its own filter left out: what else could be chosen is the question.
        let mut open = view.clone();
        filters::chosen_of(&view, &dimension).iter().for_each(|id| open = open.with_value(&dimension, id, false));
        open = View { compare: None, group: dimension.clone(), ..open };
        let analytics = super::analytics(&self.store, org.id, &open).await?;
        let slice = analytics.cube.slice(&open.filter(), std::slice::from_ref(&dimension))?;
        let mut offered = Vec::new();
        let mut others = analytics.cube.facet.iter().flat_map(|axis| &axis.values).fold(0, |sum, value| match value {
            AxisValue::Others(count) => sum + u64::from(*count),
            AxisValue::Named(_) | AxisValue::Unsaid => sum,
        });
        for series in slice.series {
            match series.key.into_iter().next().and_then(|(_, id)| id) {
                Some(id) if offered.len() < VALUES => {
                    offered.push(Offered { id, name: series.title, credits: series.total.credits });
                }
                Some(_) => others += 1,
                // They are counted already.
                None => {}
            }
        }
        Ok(facet_menu::values(&org.words, &view, &dimension, &offered, others))
    }
}

/// What the rate cards match that are in force some time in those days, each by itself.
pub(super) async fn reach(store: &Store, org: &Org, days: (Day, Day)) -> Result<Vec<Vec<Reach>>, AppError> {
    let mut found: Vec<Vec<Reach>> = Vec::new();
    for card in cards(store, org, days).await? {
        let lines: Vec<Reach> = card.lines.iter().map(Reach::from).collect();
        if !found.contains(&lines) {
            found.push(lines);
        }
    }
    Ok(found)
}

/// The rate cards that are in force some time in those days, newest first.
async fn cards(store: &Store, org: &Org, (from, to): (Day, Day)) -> Result<Vec<RateCard>, AppError> {
    let start = store::calendar::day_start(org.zone, from.date())?;
    let end: Timestamp = store::calendar::day_start(org.zone, to.plus_days(1).date())?;
    let mut found: Vec<RateCard> = Vec::new();
    for state in store.rate_cards(org.id, CardPage { before: None, limit: MAX_PAGE }).await? {
        // The one in force when the days begin is the last that counts.
        if state.card.effective_at < end && found.last().is_none_or(|newer| newer.effective_at > start) {
            found.push(state.card);
        }
    }
    Ok(found)
}
