//! The Overview page, put together: what the store adds up, in the words of the page.

use super::{Backend, local, local_day, origin};
use crate::calendar::{Day, date_and_seconds};
use crate::components::difference::difference;
use crate::components::empty_state::first_event;
use crate::components::overview::account::{Account, account};
use crate::components::overview::cards::{Figures, Plan, Runway, cards};
use crate::components::overview::charts::{CycleUsage, DAYS, Usage, cycle, daily, monthly};
use crate::components::overview::prices::{MeterUse, price_panel, usage_panel};
use crate::components::overview::transactions::{LISTED, transactions};
use crate::components::overview::{head, side_by_side};
use crate::error::AppError;
use crate::format::{self, counted};
use crate::server_fns::Moment;
use crate::server_fns::overview::Overview;
use ledger::runway::Lasts;
use ledger::{Credits, Quantity, Timestamp};
use std::collections::BTreeMap;
use store::{GrantState, Org, Subscribed};

const DAY_US: i64 = 86_400_000_000;

impl Backend {
    /// The Overview page.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn overview(&self) -> Result<Overview, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let org = self.store.org(viewer.org).await?;
        let pace_days = u32::try_from(DAYS).unwrap_or(1);
        // First, since it says what the page has seen: what is booked meanwhile is news for it.
        let totals = self.store.totals(org.id).await?;
        let read = self.store.overview(org.id, pace_days).await?;
        let low = self.store.org_settings(org.id).await?.low_balance;
        let since = self.store.member_since(org.id, viewer.user).await?.unwrap_or(org.created_at);
        let as_of = Moment::new(read.as_of, local(&org, read.as_of)?);
        let words = &org.words;
        let figures = figures(&org, &read, (low, totals.granted, totals.spent))?;
        let plan = read.subscribed.as_ref().map(|subscribed| subscribed.plan.title.clone());
        let plan = plan.or_else(|| figures.plan.as_ref().map(|plan| plan.title.clone()));
        let whose = Account {
            org: org.name.clone(),
            email: viewer.email.clone(),
            plan,
            since: Moment::new(since, local(&org, since)?),
            zone: org.zone.name().to_owned(),
        };
        let seen = totals.chain.seq.to_string();
        let mut parts =
            vec![head(&as_of, format::noun(words), viewer.more(), &seen), cards(words, &figures, viewer.more())];
        let meters = meters(&read)?;
        let recent = counted(read.pace_days, "day", "days");
        if totals.events == 0 {
            parts.push(first_event(&origin(), &org.name, &read.meters));
        } else {
            let today = day(read.today)?;
            let days = by_day(&read)?;
            let usage = Usage { words, today, days: &days };
            parts.push(daily(&usage, org.zone.name()));
            parts
                .push(side_by_side("side-by-side", [monthly(&usage), cycle(&usage, &cycle_usage(&org, &read.cycle)?)]));
        }
        parts.push(side_by_side(
            "side-by-side uneven",
            [usage_panel(words, &meters, &recent), price_panel(words, &meters, &recent)],
        ));
        let (listed, _) = self.store.transactions(org.id, None, LISTED).await?;
        if !listed.is_empty() {
            let lines = listed.iter().map(|one| super::transactions::line(&org, &read.meters, one));
            parts.push(transactions(words, &lines.collect::<Result<Vec<_>, _>>()?));
        }
        parts.push(account(&whose));
        parts.push(difference(words, totals.difference));
        Ok(Overview { parts, as_of: as_of.text })
    }
}

fn day(date: chrono::NaiveDate) -> Result<Day, AppError> {
    Day::new(date).ok_or(AppError::Internal { request_id: super::request_id() })
}

fn figures(
    org: &Org,
    read: &store::Overview,
    (low, granted, spent): (Option<Credits>, Credits, Credits),
) -> Result<Figures, AppError> {
    let today = day(read.today)?;
    let next = match &read.subscribed {
        Some(subscribed) => local_day(org, subscribed.terms.cycle.part.to)?,
        None => today.last_of_month().plus_days(1),
    };
    let ahead = &read.ahead;
    let end = |lasts: Lasts| match lasts {
        Lasts::Until(at) => local_day(org, at).map(Some),
        Lasts::Unused | Lasts::Beyond => Ok(None),
    };
    let (soonest, latest) = (end(ahead.soonest)?, end(ahead.latest)?);
    let recent = Credits::sum(read.pace.iter().map(|(_, spent)| *spent)).map_err(refused)?;
    let runway = match ahead.runway.lasts {
        Lasts::Unused => Runway::Unused,
        Lasts::Beyond => Runway::Beyond,
        Lasts::Until(at) => Runway::Until(local_day(org, at)?, whole_days(read.as_of, at)),
    };
    Ok(Figures {
        balance: read.balance,
        low,
        plan: plan(&read.plan, read.subscribed.as_ref())?,
        pace: (recent, read.pace_days),
        runway,
        told: ahead.basis.map(|basis| (basis, soonest, latest)),
        lost: ahead.runway.lost,
        resets: (next, today.days_until(next) - 1),
        given: read.given.clone(),
        granted,
        spent,
        calls: read.calls,
    })
}

/// The billing cycle as its chart wants it.
fn cycle_usage(org: &Org, read: &store::CycleDays) -> Result<CycleUsage, AppError> {
    let last = Timestamp::from_micros(read.cycle.to.micros() - 1);
    let projection = read.projection.as_ref();
    let end = projection.map(|told| {
        let [low, expected, high] = [told.end.low, told.end.expected, told.end.high].map(Credits::from_micros);
        (expected, told.basis, (low, high))
    });
    Ok(CycleUsage {
        days: (local_day(org, read.cycle.from)?, local_day(org, last)?),
        used: read.days.clone(),
        before: local_day(org, read.before.from)?,
        used_before: read.days_before.clone(),
        ahead: projection.map_or_else(Vec::new, |told| told.days.clone()),
        end,
    })
}

const fn whole_days(from: Timestamp, to: Timestamp) -> i64 {
    (to.micros() - from.micros()) / DAY_US
}

/// All that is in force of a plan, as one; by the name of what is subscribed to, or of what was given last.
fn plan(grants: &[GrantState], subscribed: Option<&Subscribed>) -> Result<Option<Plan>, AppError> {
    let Some(newest) = grants.first() else { return Ok(None) };
    let sum = |of: fn(&GrantState) -> Credits| Credits::sum(grants.iter().map(of)).map_err(refused);
    let of_grant = newest.grant.description.as_str();
    let title = if let Some(subscribed) = subscribed {
        &subscribed.plan.title
    } else if of_grant.is_empty() {
        "Plan"
    } else {
        of_grant
    };
    Ok(Some(Plan {
        title: title.to_owned(),
        granted: sum(|state| state.figures.granted)?,
        used: sum(|state| state.figures.spent)?,
        left: sum(|state| state.figures.left)?,
    }))
}

fn by_day(read: &store::Overview) -> Result<BTreeMap<Day, Credits>, AppError> {
    let mut days: BTreeMap<Day, Credits> = BTreeMap::new();
    for used in &read.days {
        let sum = days.entry(day(used.date)?).or_default();
        *sum = sum.plus(used.credits).map_err(refused)?;
    }
    Ok(days)
}

fn meters(read: &store::Overview) -> Result<Vec<MeterUse>, AppError> {
    let from = read.today.checked_sub_days(chrono::Days::new(u64::try_from(read.pace_days - 1).unwrap_or_default()));
    let from = from.unwrap_or(read.today);
    let mut all = Vec::with_capacity(read.meters.len());
    for (index, info) in read.meters.iter().enumerate() {
        let mut recent = (Credits::ZERO, Quantity::ZERO);
        for used in read.days.iter().filter(|used| used.meter == index && used.date >= from) {
            recent = (recent.0.plus(used.credits).map_err(refused)?, recent.1.plus(used.quantity).map_err(refused)?);
        }
        // What is for one project only is not there for whatever else is used.
        let covering = read.position.slots.iter().filter(|slot| slot.grant.is_open(read.as_of));
        let covering = covering.filter(|slot| slot.grant.scope.covers(&info.meter, None));
        all.push(MeterUse {
            info: info.clone(),
            all: read.used.get(index).copied().unwrap_or_default(),
            recent,
            available: Credits::sum(covering.map(|slot| slot.left)).map_err(refused)?,
            lines: read.lines.iter().filter(|(line, _)| line.meter == info.meter).cloned().collect(),
        });
    }
    Ok(all)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
pub(crate) fn refused(refusal: ledger::Refusal) -> AppError {
    AppError::Refused { problem: refusal.to_string() }
}

/// When something happened, to the second, in the org's zone.
pub(super) fn exactly(org: &Org, at: Timestamp) -> Result<Moment, AppError> {
    Ok(Moment { iso: at.to_string(), text: date_and_seconds(local(org, at)?) })
}
