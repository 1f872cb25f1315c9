//! The plain model of subscriptions: a calendar of its own, and who was subscribed to what from when until when.

use super::Zone;
use chrono::{DateTime, Datelike as _, Days, NaiveDate};
use chrono_tz::Tz;
use ledger::Timestamp;

/// A stretch of time on one plan, as the plain model has it.
#[derive(Debug, Clone, Copy)]
pub struct Lived {
    pub plan: usize,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Whether it is the rest of a cycle in which another plan was before.
    pub replaced: Option<usize>,
}

/// What the plain model knows of a cycle.
#[derive(Debug, Clone)]
pub struct Month {
    pub from: Timestamp,
    pub to: Timestamp,
    pub whole: (Timestamp, Timestamp),
    pub lived: Vec<Lived>,
}

/// The plain model of one subscription.
#[derive(Debug, Clone)]
pub struct Model {
    pub anchor: Option<DateTime<Tz>>,
    pub plan: usize,
    pub next: Option<usize>,
    pub cancelled: bool,
    pub months: Vec<Month>,
    pub ended: bool,
}

impl Model {
    /// The first instant of the `count`th month after the first, by the calendar.
    pub fn boundary(&self, zone: &Zone, from: Timestamp) -> (Timestamp, Timestamp) {
        let Some(anchor) = self.anchor else {
            let first = zone.local(from).date_naive().with_day(1).expect("a first");
            let days =
                NaiveDate::from_ymd_opt(first.year() + i32::from(first.month() == 12), first.month() % 12 + 1, 1);
            return (zone.midnight(first), zone.midnight(days.expect("a first")));
        };
        let wall = anchor.naive_local();
        let mut starts = (0..=(12 * 4)).map(|count: u32| {
            if count == 0 {
                return Timestamp::from_micros(anchor.timestamp_micros());
            }
            let month0 = wall.month0() + count;
            let (year, month) = (wall.year() + i32::try_from(month0 / 12).expect("small"), month0 % 12 + 1);
            let next = NaiveDate::from_ymd_opt(year + i32::from(month == 12), month % 12 + 1, 1).expect("a first");
            let last = (next - Days::new(1)).day();
            let date = NaiveDate::from_ymd_opt(year, month, wall.day().min(last)).expect("within the month");
            zone.instant(date.and_time(wall.time()))
        });
        let mut start = starts.next().expect("the first");
        for next in starts {
            if from < next {
                return (start, next);
            }
            start = next;
        }
        panic!("more months than there are");
    }

    pub fn last(&mut self) -> &mut Month {
        self.months.last_mut().expect("has begun")
    }

    pub fn begin_month(&mut self, zone: &Zone, from: Timestamp, owes: bool) {
        let whole = self.boundary(zone, from);
        let lived = Lived { plan: self.plan, from, to: whole.1, replaced: None };
        let lived = if owes { vec![] } else { vec![lived] };
        self.months.push(Month { from, to: whole.1, whole, lived });
    }

    /// Everything until `now`, as the calendar has it.
    pub fn go_on(&mut self, zone: &Zone, now: Timestamp, owes: bool) {
        while !self.ended && self.last().to <= now {
            let end = self.last().to;
            if self.cancelled {
                self.ended = true;
            } else {
                self.plan = self.next.take().unwrap_or(self.plan);
                self.begin_month(zone, end, owes);
            }
        }
        let plan = self.plan;
        let month = self.last();
        if month.lived.is_empty() && !owes && now < month.to {
            let to = month.to;
            month.lived.push(Lived { plan, from: now, to, replaced: None });
        }
    }

    pub fn upgrade(&mut self, plan: usize, now: Timestamp) {
        let old = std::mem::replace(&mut self.plan, plan);
        (self.next, self.cancelled) = (None, false);
        let month = self.last();
        let to = month.to;
        month.lived.last_mut().expect("supplied").to = now;
        month.lived.push(Lived { plan, from: now, to, replaced: Some(old) });
    }
}
