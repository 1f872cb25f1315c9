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
use ::ledger::change::Change;
use ::ledger::cube::AxisValue;
use ::ledger::reach::Reach;
use ::ledger::{Dimension, Permission};
use store::rate_card::MAX_PAGE;
use store::{CardPage, Org};

/// Values of a dimension that its menu lists.
const VALUES: usize = 50;

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
        let analytics = super::analytics(&self.store, org.id, view).await?;
        let Some(before) = &analytics.compared else { return Ok(Markup::new("div").attr("hidden", "")) };
        let facet = analytics.cube.facet.as_ref().map(|axis| Dimension::Facet(axis.facet.clone()));
        let dimensions: Vec<Dimension> = Dimension::BASE.into_iter().chain(facet).collect();
        let (cube, filter) = (&analytics.cube, view.filter());
        let change = match Change::explained(&before.cube, cube, &filter, &dimensions)? {
            Some(change) => change,
            None => Change::by(&before.cube, cube, &filter, &Dimension::Type)?,
        };
        Ok(why::panel(&org.words, view, &change, (before.from, before.to)))
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
pub(super) async fn reach(
    store: &store::Store,
    org: &Org,
    (from, to): (Day, Day),
) -> Result<Vec<Vec<Reach>>, AppError> {
    let start = store::calendar::day_start(org.zone, from.date())?;
    let end: Timestamp = store::calendar::day_start(org.zone, to.plus_days(1).date())?;
    let mut found: Vec<Vec<Reach>> = Vec::new();
    // Newest first: the one in force when the days begin is the last that counts.
    for state in store.rate_cards(org.id, CardPage { before: None, limit: MAX_PAGE }).await? {
        if state.card.effective_at < end {
            let lines: Vec<Reach> = state.card.lines.iter().map(Reach::from).collect();
            if !found.contains(&lines) {
                found.push(lines);
            }
            if state.card.effective_at <= start {
                break;
            }
        }
    }
    Ok(found)
}
