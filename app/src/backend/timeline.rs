//! What ends when: the ledger's outlook as days for people and as stretches for a drawing.

use super::{local, local_day};
use crate::calendar::Day;
use crate::components::grants::data::{EndingLine, ExpiryDay, Stretch, Timeline};
use crate::error::AppError;
use crate::format::{counted, short};
use crate::server_fns::Moment;
use ledger::outlook::Ending;
use ledger::{Credits, Timestamp};
use store::{Drawdown, Org};

/// Days that are listed.
const DAYS: usize = 12;
/// Stretches that are drawn.
const STRETCHES: usize = 120;
const DAY_US: i64 = 86_400_000_000;
/// The drawing reaches at least a month ahead and at most so far that the next weeks can still be told apart.
const SHORTEST_US: i64 = 30 * DAY_US;
const LONGEST_US: i64 = 400 * DAY_US;
const WHOLE: i64 = 1_000;

/// The timeline of an org.
pub(super) fn timeline(org: &Org, drawdown: &Drawdown) -> Result<Timeline, AppError> {
    let outlook = &drawdown.outlook;
    let lasting = outlook.points.last().map(|(_, available)| *available).unwrap_or_default();
    let losing = outlook.endings.iter().filter(|ending| ending.expired.is_positive() || ending.child.is_some());
    let today = local_day(org, drawdown.as_of)?;
    let mut days: Vec<ExpiryDay> = Vec::new();
    let mut more = 0;
    for ending in losing {
        // What ends after the calendar's last day is as good as never.
        let Ok(day) = local_day(org, ending.at) else { continue };
        let line = line(org, drawdown, ending)?;
        let after = available_after(drawdown, ending.at);
        let full = days.len() == DAYS;
        match days.last_mut().filter(|last| last.day == day) {
            Some(last) => {
                last.credits = last.credits.plus(ending.expired).unwrap_or(last.credits);
                last.after = after;
                last.endings.push(line);
            }
            None if full => more += 1,
            None => {
                let (distance, credits) = (distance(today, day), ending.expired);
                days.push(ExpiryDay { day, distance, credits, after, endings: vec![line] });
            }
        }
    }
    let (steps, until) = drawing(org, drawdown)?;
    Ok(Timeline { days, more, steps, until, lasting })
}

fn line(org: &Org, drawdown: &Drawdown, ending: &Ending) -> Result<EndingLine, AppError> {
    let grant = &ending.grant;
    // What other grants will have left has no number yet: its description says whose rest it is.
    let known =
        drawdown.outlook.endings.iter().filter_map(|other| other.child.as_ref()).all(|child| child.id != grant.id);
    let rolls = ending.child.as_ref().map(|child| {
        let until =
            child.expires_at.and_then(|at| local_day(org, at).ok()).map(|day| format!(" until {}", day.medium()));
        format!("{} roll over{}", short(&org.words, child.amount), until.unwrap_or_else(|| " for ever".to_owned()))
    });
    Ok(EndingLine {
        id: known.then(|| grant.id.to_string()),
        title: grant.description.clone(),
        at: Moment::new(ending.at, local(org, ending.at)?),
        credits: ending.expired,
        rolls,
    })
}

/// What is available once everything due at `at` has happened.
fn available_after(drawdown: &Drawdown, at: Timestamp) -> Credits {
    let points = &drawdown.outlook.points;
    points.iter().rev().find(|(point, _)| *point <= at).map(|(_, available)| *available).unwrap_or_default()
}

fn distance(today: Day, day: Day) -> String {
    match today.days_until(day) - 1 {
        ..=0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        days => format!("in {}", counted(days, "day", "days")),
    }
}

/// The available amount over time as stretches, and the words for where the drawing ends.
fn drawing(org: &Org, drawdown: &Drawdown) -> Result<(Vec<Stretch>, String), AppError> {
    let outlook = &drawdown.outlook;
    let from = drawdown.as_of.micros();
    let last = outlook.endings.last().map_or(from, |ending| ending.at.micros());
    let length = ((last - from) / 100 * 108).clamp(SHORTEST_US, LONGEST_US);
    let place = |at: Timestamp| ((at.micros() - from).clamp(0, length) / (length / WHOLE)).min(WHOLE);
    let until = local_day(org, Timestamp::from_micros(from + length))?;
    // Several things may happen at one instant: the last of them counts.
    let mut points: Vec<(Timestamp, Credits)> = Vec::new();
    for (at, available) in outlook.points.iter().filter(|(at, _)| at.micros() < from + length) {
        match points.last_mut().filter(|(last, _)| last == at) {
            Some(last) => last.1 = *available,
            None => points.push((*at, *available)),
        }
    }
    let most = points.iter().map(|(_, available)| available.micros()).max().unwrap_or(0).max(1);
    let mut steps = Vec::new();
    for (index, (at, available)) in points.iter().enumerate().take(STRETCHES) {
        let begin = place(*at);
        let end = points.get(index + 1).map_or(WHOLE, |(next, _)| place(*next));
        let height = i128::from(available.micros()) * i128::from(WHOLE) / i128::from(most);
        let day = local_day(org, *at)?.medium();
        steps.push(Stretch {
            x: u16::try_from(begin).unwrap_or_default(),
            width: u16::try_from(end - begin).unwrap_or_default(),
            height: u16::try_from(height).unwrap_or_default(),
            title: format!("From {day}: {} available", short(&org.words, *available)),
        });
    }
    steps.retain(|step| step.width > 0);
    Ok((steps, until.medium()))
}
