//! The ledger a second time, by other means: one org as plain numbers, lists and loops.
//!
//! Written from DESIGN §3, not from the code that it is compared with ([`crate::histories`]), and slow on purpose: it copies
//! itself before each write, walks every instant at which anything could happen, and sorts the grants for each charge.
//! Amounts are micro-credits, times microseconds, the zone is UTC.

use crate::ops::{Answer, Cap, DAY, MINUTE, Op, Outcome, Terms, Usage};
use std::collections::{BTreeMap, BTreeSet};

const MAX_HOLD: i64 = 9_000_000_000_000;
/// What a micro-unit costs, in 10⁻⁷ micro-credits: an export 1 credit, a token 0.0000006.
const PRICES: [(&str, i128); 2] = [("export", 10_000_000), ("input_tokens", 6)];

#[derive(Debug, Clone)]
pub struct Grant {
    pub id: i64,
    pub terms: Terms,
    pub from: i64,
    /// Given by somebody, not by what rolled over or was corrected.
    pub told: bool,
    /// Its end has been dealt with: what comes back to it now is lost.
    pub ended: bool,
    pub left: i64,
    pub spent: i64,
    pub expired: i64,
    pub rolled: i64,
    pub voided: i64,
}

#[derive(Debug, Clone)]
pub struct Hold {
    pub id: i64,
    pub amount: i64,
    pub parts: Vec<(i64, i64)>,
    /// Promised beyond what was reserved.
    pub beyond: i64,
    pub meter: &'static str,
    pub project: Option<&'static str>,
    pub until: i64,
    pub status: &'static str,
    pub captured: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Event {
    pub charges: Vec<(&'static str, i64)>,
    /// Which grant paid how much, in order; `None` is debt.
    pub paid: Vec<(Option<i64>, i64)>,
    pub voided: bool,
}

#[derive(Debug, Clone)]
pub struct Org {
    pub grants: Vec<Grant>,
    pub holds: Vec<Hold>,
    pub events: Vec<Event>,
    pub debt: i64,
    pub policy: (&'static str, i64),
    /// When the last entry was booked.
    pub booked: i64,
    last_grant: i64,
    /// Numbers that grants have which are told later.
    taken: BTreeSet<i64>,
    seen: BTreeMap<u8, (Usage, i64)>,
    projects: BTreeSet<&'static str>,
    /// What was used and not charged yet, in 10⁻⁷ micro-credits.
    carry: BTreeMap<&'static str, i128>,
    answers: BTreeMap<u8, Op>,
}

impl Org {
    pub fn new(booked: i64) -> Self {
        Self {
            grants: vec![],
            holds: vec![],
            events: vec![],
            debt: 0,
            policy: ("pause", 0),
            booked,
            last_grant: 0,
            taken: BTreeSet::new(),
            seen: BTreeMap::new(),
            projects: BTreeSet::new(),
            carry: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// A write at a time of the clock. What is refused leaves no trace.
    pub fn write(&mut self, clock: i64, key: Option<u8>, op: &Op) -> Result<Answer, &'static str> {
        match key.and_then(|key| self.answers.get(&key)) {
            Some(before) if before == op => return Ok(Answer::Replayed),
            Some(_) => return Err("idempotency_conflict"),
            None => {}
        }
        if let Op::Policy(name, limit) = op {
            self.policy = (name, *limit);
            return Ok(Answer::Done);
        }
        let now = clock.max(self.booked);
        let mut next = self.clone();
        let due = next.advance(now);
        let answer = next.run(op, now)?;
        next.settle(now);
        let accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted(..));
        let booked = match &answer {
            Answer::Outcomes(outcomes) => outcomes.iter().any(accepted),
            Answer::Done | Answer::Replayed => true,
        };
        if booked || due {
            next.booked = now;
            next.answers.extend(key.map(|key| (key, op.clone())));
            *self = next;
        }
        Ok(answer)
    }

    /// How it stands at `now` if nothing else happens.
    pub fn at(&self, now: i64) -> Self {
        let mut then = self.clone();
        then.advance(now);
        then
    }

    pub fn held(&self, grant: i64) -> i64 {
        let parts = self.holds.iter().filter(|hold| hold.status == "pending").flat_map(|hold| &hold.parts);
        parts.filter(|(id, _)| *id == grant).map(|(_, part)| part).sum()
    }

    pub fn available(&self, now: i64) -> i64 {
        self.grants.iter().filter(|grant| grant.is_open(now)).map(|grant| grant.left).sum()
    }

    /// How much further new work may go into debt.
    pub fn room(&self) -> i64 {
        (if self.policy.0 == "overdraft" { self.policy.1 } else { 0 }) - self.debt - self.promised()
    }

    fn promised(&self) -> i64 {
        self.holds.iter().filter(|hold| hold.status == "pending").map(|hold| hold.beyond).sum()
    }

    fn grant(&mut self, id: i64) -> &mut Grant {
        self.grants.iter_mut().find(|grant| grant.id == id).expect("a grant that paid")
    }

    /// Lets time pass: every instant at which something begins or ends, one after the other. Says whether anything moved.
    fn advance(&mut self, now: i64) -> bool {
        let (mut at, mut moved) = (self.booked, self.settle(self.booked));
        loop {
            let holds = self.holds.iter().filter(|hold| hold.status == "pending").map(|hold| hold.until);
            let grants = self.grants.iter().flat_map(|grant| [Some(grant.from), grant.terms.to]).flatten();
            let Some(next) = holds.chain(grants).filter(|time| *time > at && *time <= now).min() else { return moved };
            at = next;
            moved |= self.settle(at);
        }
    }

    /// Everything that happens at one instant: holds end, debt is repaid, grants end.
    fn settle(&mut self, now: i64) -> bool {
        let mut moved = false;
        for index in 0..self.holds.len() {
            if self.holds[index].status == "pending" && self.holds[index].until <= now {
                self.close(index, "expired");
                moved = true;
            }
        }
        loop {
            moved |= self.repay(now);
            let over = self
                .in_order()
                .into_iter()
                .find(|grant| grant.terms.to.is_some_and(|to| to <= now) && (grant.left > 0 || !grant.ended));
            let Some(over) = over.map(|grant| grant.id) else { return moved };
            moved |= self.end(over);
        }
    }

    fn close(&mut self, hold: usize, status: &'static str) {
        self.holds[hold].status = status;
        for (grant, part) in self.holds[hold].parts.clone() {
            self.grant(grant).left += part;
        }
    }

    fn repay(&mut self, now: i64) -> bool {
        let before = self.debt;
        let for_all =
            |grant: &&Grant| grant.is_open(now) && grant.terms.meters.is_empty() && grant.terms.projects.is_empty();
        for id in self.in_order().into_iter().filter(for_all).map(|grant| grant.id).collect::<Vec<_>>() {
            let part = self.debt.min(self.grant(id).left);
            self.debt -= part;
            self.grant(id).left -= part;
            self.grant(id).spent += part;
        }
        self.debt < before
    }

    fn end(&mut self, id: i64) -> bool {
        let grant = self.grant(id);
        let rest = std::mem::take(&mut grant.left);
        let (cap, months) = grant.terms.rollover.filter(|_| !grant.ended).unwrap_or((Cap::Credits(0), None));
        let rolled = match cap {
            Cap::All => rest,
            Cap::Credits(cap) => rest.min(cap),
            Cap::Percent(percent) => rest.min(grant.terms.amount * percent / 100),
        };
        grant.ended = true;
        grant.rolled += rolled;
        grant.expired += rest - rolled;
        let from = grant.terms.to.expect("only what has an end ends");
        let to = months.map(|months| months_after(from, months));
        let terms = Terms { kind: "rollover", amount: rolled, from: None, to, rollover: None, ..grant.terms.clone() };
        if rolled > 0 {
            let child = self.next_grant();
            self.grants.push(Grant::new(child, terms, from, false));
        }
        rest > 0
    }

    /// Grants in the order in which they are spent.
    fn in_order(&self) -> Vec<&Grant> {
        let mut grants: Vec<&Grant> = self.grants.iter().collect();
        grants.sort_by_key(|grant| {
            let Terms { priority, to, kind, .. } = grant.terms;
            (priority, to.unwrap_or(i64::MAX), kind != "promotion", grant.from, grant.id)
        });
        grants
    }

    /// Takes `amount` out of the grants that may pay; what none covers has no payer.
    fn draw(&mut self, meter: &str, project: Option<&str>, amount: i64, now: i64) -> Vec<(Option<i64>, i64)> {
        let (mut due, mut paid) = (amount, Vec::new());
        for id in self.in_order().iter().filter(|g| g.may_pay(meter, project, now)).map(|g| g.id).collect::<Vec<_>>() {
            let part = due.min(self.grant(id).left);
            if part > 0 {
                self.grant(id).left -= part;
                due -= part;
                paid.push((Some(id), part));
            }
        }
        paid.extend((due > 0).then_some((None, due)));
        paid
    }

    /// Books what was drawn as spent, or as debt.
    fn spend(&mut self, paid: &[(Option<i64>, i64)]) {
        for (payer, part) in paid {
            match payer {
                Some(grant) => self.grant(*grant).spent += part,
                None => self.debt += part,
            }
        }
    }

    fn run(&mut self, op: &Op, now: i64) -> Result<Answer, &'static str> {
        match op {
            Op::Give(terms) => self.give(terms, now)?,
            Op::Use(events) => {
                return Ok(Answer::Outcomes(events.iter().map(|event| self.report(event, now)).collect()));
            }
            Op::Hold { amount, seconds, meter, project } => self.hold(*amount, *seconds, *meter, *project, now)?,
            Op::Capture { hold, amount } => self.capture(*hold, *amount, now)?,
            Op::Release { hold } => {
                let hold = self.pending(*hold)?;
                self.close(hold, "released");
            }
            Op::Extend { hold, seconds } => {
                let (hold, until) = (self.pending(*hold)?, until(now, *seconds)?);
                if until <= self.holds[hold].until {
                    return Err("hold_not_extended");
                }
                self.holds[hold].until = until;
            }
            Op::Policy(..) => unreachable!("set before anything is due"),
            Op::Void { event, reason } => self.void(*event, reason, now)?,
            Op::Replace { event, with, reason } => {
                self.void(*event, reason, now)?;
                self.settle(now);
                match self.report(with, now) {
                    Outcome::Accepted(..) => {}
                    Outcome::Duplicate(_) => return Err("event_conflict"),
                    Outcome::Refused(code) => return Err(code),
                }
            }
            Op::Adjust { amount, grant, to, reason } => self.adjust(*amount, *grant, *to, reason, now)?,
        }
        Ok(Answer::Done)
    }

    fn give(&mut self, terms: &Terms, now: i64) -> Result<(), &'static str> {
        let from = terms.from.unwrap_or(now);
        let known = |meter: &&str| ["export", "input_tokens", "agent"].contains(meter);
        let terms_fit = |(cap, months): (Cap, Option<u8>)| {
            let cap_fits = match cap {
                Cap::All => true,
                Cap::Credits(cap) => cap > 0,
                Cap::Percent(percent) => (1..=100).contains(&percent),
            };
            terms.kind == "plan" && terms.to.is_some() && cap_fits && months.is_none_or(|n| (1..=120).contains(&n))
        };
        if !terms.meters.iter().all(known) || !terms.projects.iter().all(|project| self.projects.contains(project)) {
            return Err("scope_names_nothing");
        }
        if terms.amount <= 0 {
            return Err("grant_not_positive");
        }
        if terms.to.is_some_and(|to| to <= from) {
            return Err("expiry_before_effect");
        }
        if terms.rollover.is_some_and(|rollover| !terms_fit(rollover)) {
            return Err("bad_rollover");
        }
        let id = self.next_grant();
        self.tell(Grant::new(id, terms.clone(), from, true), now);
        Ok(())
    }

    /// How it stood at `now` as it is known `later`: with what was told later and in effect earlier.
    pub fn with_hindsight(&self, later: &Self, now: i64) -> Self {
        let is_new = |grant: &&Grant| grant.told && self.grants.iter().all(|there| there.id != grant.id);
        let told = later.grants.iter().filter(is_new).filter(|grant| grant.from <= now);
        let told = told.map(|grant| Grant::new(grant.id, grant.terms.clone(), grant.from, true));
        let (over, open): (Vec<_>, Vec<_>) = told.partition(|grant| grant.terms.to.is_some_and(|to| to <= now));
        let mut then = self.clone();
        then.taken = over.iter().chain(&open).map(|grant| grant.id).collect();
        then.grants.extend(open);
        then.advance(now);
        for grant in over {
            then.last_grant = grant.id;
            then.tell(grant, now);
        }
        then.settle(now);
        then
    }

    /// Takes up a grant. The cycle of one that was over when it was told ends at once.
    fn tell(&mut self, grant: Grant, now: i64) {
        let (id, over) = (grant.id, grant.terms.to.is_some_and(|to| to <= now));
        self.grants.push(grant);
        if over {
            self.end(id);
        }
    }

    fn next_grant(&mut self) -> i64 {
        let used = |id: &i64| self.taken.contains(id) || self.grants.iter().any(|grant| grant.id == *id);
        self.last_grant = (self.last_grant + 1..).find(|id| !used(id)).expect("endless");
        self.last_grant
    }

    fn give_freely(&mut self, kind: &'static str, amount: i64, to: Option<i64>, now: i64) {
        let none = Vec::new;
        let terms =
            Terms { kind, amount, priority: 0, meters: none(), projects: none(), from: None, to, rollover: None };
        let id = self.next_grant();
        self.grants.push(Grant::new(id, terms, now, false));
    }

    fn report(&mut self, usage: &Usage, now: i64) -> Outcome {
        if usage.time.is_some_and(|time| time > now + 60 * MINUTE) {
            return Outcome::Refused("time_out_of_range");
        }
        match self.seen.get(&usage.id) {
            Some((before, seq)) if before == usage => return Outcome::Duplicate(*seq),
            Some(_) => return Outcome::Refused("event_conflict"),
            None => {}
        }
        let mut charges = Vec::new();
        for (meter, quantity) in &usage.meters {
            let price = PRICES.iter().find(|(name, _)| name == meter).map(|(_, price)| *price);
            let owed = match (price, usage.reported.filter(|_| *meter == "agent")) {
                (Some(price), _) => self.carry.get(meter).unwrap_or(&0) + i128::from(*quantity) * price,
                (None, Some(reported)) => i128::from(reported) * 10_000_000,
                (None, None) => return Outcome::Refused("unknown_meter"),
            };
            let credits = i64::try_from(owed / 10_000_000).expect("small amounts");
            charges.push((*meter, credits, owed % 10_000_000));
        }
        let mut paid = Vec::new();
        for (meter, credits, carry) in &charges {
            self.carry.insert(meter, *carry);
            paid.extend(self.draw(meter, usage.project, *credits, now));
        }
        self.spend(&paid);
        self.projects.extend(usage.project);
        let charges: Vec<_> = charges.into_iter().map(|(meter, credits, _)| (meter, credits)).collect();
        let cost = charges.iter().map(|(_, credits)| credits).sum();
        self.events.push(Event { charges, paid, voided: false });
        let seq = i64::try_from(self.events.len()).expect("few events");
        self.seen.insert(usage.id, (usage.clone(), seq));
        Outcome::Accepted(seq, cost)
    }

    fn hold(
        &mut self,
        amount: i64,
        seconds: i64,
        meter: Option<&'static str>,
        project: Option<&'static str>,
        now: i64,
    ) -> Result<(), &'static str> {
        if meter.is_some_and(|meter| !["export", "input_tokens", "agent"].contains(&meter)) {
            return Err("unknown_meter");
        }
        let (meter, until) = (meter.unwrap_or("hold"), until(now, seconds)?);
        if amount <= 0 {
            return Err("hold_not_positive");
        }
        if amount > MAX_HOLD {
            return Err("amount_overflow");
        }
        let room = self.room();
        let drawn = self.draw(meter, project, amount, now);
        let beyond = drawn.iter().filter(|(payer, _)| payer.is_none()).map(|(_, part)| part).sum();
        if beyond > 0 && beyond > room {
            return Err("insufficient_credits");
        }
        let parts = drawn.into_iter().filter_map(|(payer, part)| Some((payer?, part))).collect();
        let id = i64::try_from(self.holds.len()).expect("few holds") + 1;
        self.holds.push(Hold { id, amount, parts, beyond, meter, project, until, status: "pending", captured: None });
        Ok(())
    }

    fn pending(&self, id: i64) -> Result<usize, &'static str> {
        let index = self.holds.iter().position(|hold| hold.id == id).ok_or("not_found")?;
        match self.holds[index].status {
            "pending" => Ok(index),
            "captured" => Err("hold_captured"),
            "released" => Err("hold_released"),
            _ => Err("hold_expired"),
        }
    }

    /// Less: the rest goes back. More: fresh credits, then debt as far as promised or allowed.
    fn capture(&mut self, id: i64, amount: Option<i64>, now: i64) -> Result<(), &'static str> {
        let index = self.pending(id)?;
        let hold = self.holds[index].clone();
        let amount = amount.unwrap_or(hold.amount);
        if amount <= 0 {
            return Err("capture_not_positive");
        }
        if amount > MAX_HOLD {
            return Err("amount_overflow");
        }
        let (mut due, mut paid) = (amount, Vec::new());
        for (grant, part) in &hold.parts {
            let used = due.min(*part);
            due -= used;
            paid.extend((used > 0).then_some((Some(*grant), used)));
        }
        paid.extend(self.draw(hold.meter, hold.project, due, now));
        // Only now, so that the fresh credits are not those that the hold itself gives back.
        for (grant, part) in &hold.parts {
            let used = paid.iter().find(|(payer, _)| *payer == Some(*grant)).map_or(0, |(_, used)| *used);
            self.grant(*grant).left += part - used.min(*part);
        }
        let into_debt = paid.iter().find(|(payer, _)| payer.is_none()).map_or(0, |(_, part)| *part);
        let limit = if self.policy.0 == "pause" { 0 } else { self.policy.1 };
        if into_debt > hold.beyond && self.debt + into_debt + self.promised() - hold.beyond > limit {
            return Err("insufficient_credits");
        }
        self.spend(&paid);
        self.holds[index].status = "captured";
        self.holds[index].captured = Some(amount);
        self.projects.extend(hold.project);
        self.events.push(Event { charges: vec![(hold.meter, amount)], paid, voided: false });
        Ok(())
    }

    /// In reverse order: first what it had made of the debt that is still open, then to each grant what it paid. What had
    /// gone to a debt that is repaid by now is given anew.
    fn void(&mut self, seq: i64, reason: &str, now: i64) -> Result<(), &'static str> {
        if reason.trim().is_empty() {
            return Err("missing_reason");
        }
        let index = usize::try_from(seq - 1).map_err(|_| "not_found")?;
        let event = self.events.get_mut(index).ok_or("not_found")?;
        if std::mem::replace(&mut event.voided, true) {
            return Err("already_voided");
        }
        let (paid, mut repaid) = (event.paid.clone(), 0);
        for (payer, part) in paid.into_iter().rev() {
            if let Some(grant) = payer {
                self.grant(grant).left += part;
                self.grant(grant).spent -= part;
            } else {
                repaid += (part - self.debt).max(0);
                self.debt = (self.debt - part).max(0);
            }
        }
        if repaid > 0 {
            self.give_freely("refund", repaid, None, now);
        }
        Ok(())
    }

    fn adjust(
        &mut self,
        amount: i64,
        grant: Option<i64>,
        to: Option<i64>,
        reason: &str,
        now: i64,
    ) -> Result<(), &'static str> {
        if reason.trim().is_empty() {
            return Err("missing_reason");
        }
        if amount == 0 {
            return Err("adjustment_is_zero");
        }
        if amount > 0 {
            if to.is_some_and(|to| to <= now) {
                return Err("expiry_before_effect");
            }
            self.give_freely("adjustment", amount, to, now);
            return Ok(());
        }
        if grant.is_some_and(|wanted| self.grants.iter().all(|grant| grant.id != wanted)) {
            return Err("unknown_grant");
        }
        let from: Vec<i64> = self.in_order().iter().filter(|g| g.is_open(now)).map(|g| g.id).collect();
        let mut due = -amount;
        for id in from.into_iter().filter(|id| grant.is_none_or(|wanted| wanted == *id)) {
            let part = due.min(self.grant(id).left);
            due -= part;
            self.grant(id).left -= part;
            self.grant(id).voided += part;
        }
        if due > 0 { Err("adjustment_too_large") } else { Ok(()) }
    }
}

impl Grant {
    pub fn new(id: i64, terms: Terms, from: i64, told: bool) -> Self {
        let left = terms.amount;
        Self { id, terms, from, told, ended: false, left, spent: 0, expired: 0, rolled: 0, voided: 0 }
    }

    fn is_open(&self, now: i64) -> bool {
        self.from <= now && self.terms.to.is_none_or(|to| now < to)
    }

    fn may_pay(&self, meter: &str, project: Option<&str>, now: i64) -> bool {
        let Terms { meters, projects, .. } = &self.terms;
        let in_project = projects.is_empty() || project.is_some_and(|project| projects.contains(&project));
        self.is_open(now) && (meters.is_empty() || meters.contains(&meter)) && in_project
    }
}

fn until(now: i64, seconds: i64) -> Result<i64, &'static str> {
    if (1..=31 * 86_400).contains(&seconds) { Ok(now + seconds * 1_000_000) } else { Err("bad_hold_time") }
}

/// The same time of the same day of a later month, or of its last day: counted on fingers.
fn months_after(at: i64, months: u8) -> i64 {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year: i64, month: i64| match month {
        2 => 28 + i64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let next = |(year, month): (i64, i64)| if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let (mut days, time) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    let (mut of, mut first) = ((1970, 1), 0);
    while days >= length(of.0, of.1) {
        days -= length(of.0, of.1);
        first += length(of.0, of.1);
        of = next(of);
    }
    for _ in 0..months {
        first += length(of.0, of.1);
        of = next(of);
    }
    (first + days.min(length(of.0, of.1) - 1)) * DAY + time
}
