//! Every entry against the rules: what they make of the entries before it is what it says.
//!
//! A chain that was sealed again after it was changed has good hashes; here it must also have the right payers in the
//! right order, the right expiries at the right time, and nothing that was due left out. The same code decides as when the
//! entries were made: [`Position`], [`Settlement`](ledger::settle::Settlement).
//!
//! Policies are no part of the chain, so whether a hold could have been refused is not asked. Before grants had terms,
//! what is due was booked by simpler rules, and not always before the rest: for that part of old chains those hold.

use super::Problems;
use super::walk::is_settled_before;
use crate::calendar::ZoneCalendar;
use crate::error::StoreError;
use crate::hold::{self, PICOS_PER_MICRO};
use crate::payer::payers;
use ledger::correction::{Voiding, put};
use ledger::drawdown::Purse;
use ledger::entry::Draft;
use ledger::hold::Request;
use ledger::position::Step;
use ledger::{
    Account, Credits, Entry, EntryKind, Event, Grant, GrantId, Hold, HoldId, Meter, OrgId, Policy, Position, Posting,
    Quantity, Refusal, Scope, Timestamp, settle, subscription,
};
use rusqlite::Connection;

pub(super) struct Replay {
    position: Position,
    calendar: ZoneCalendar,
    /// The last event whose detail is pruned.
    pruned_to: i64,
    /// Whether everything due was booked before anything else: always, but in the old part of old chains.
    strict: bool,
    last_booked: Timestamp,
    next: GrantId,
    /// The grant that was just given and is over already: its end comes next; first what it repays, where it is a cycle's.
    late: Option<(GrantId, bool)>,
    /// What the tiers of the last entry gave back: its grant comes next.
    owed: Option<Grant>,
}

/// What the rows say that an entry came with.
pub(super) struct Brought<'e> {
    /// The grant that it gives.
    pub(super) grant: Option<&'e Grant>,
    /// The hold that it makes.
    pub(super) hold: Option<&'e Hold>,
    /// What its events lead to, and the last of them.
    pub(super) settled: Option<super::events::Settled>,
}

impl Replay {
    pub(super) fn new(calendar: ZoneCalendar, pruned_to: i64) -> Self {
        // The widest policy, so that none refuses what another allowed.
        let policy = Policy::Overdraft { limit: Credits::from_micros(i64::MAX) };
        let last_booked = Timestamp::from_micros(i64::MIN);
        Self {
            position: Position::start(policy),
            calendar,
            pruned_to,
            strict: false,
            last_booked,
            next: GrantId(1),
            late: None,
            owed: None,
        }
    }

    /// Who can pay what is booked then.
    pub(super) fn purse(&self, booked_at: Timestamp) -> Purse {
        self.position.purse(booked_at)
    }

    /// Judges an entry by those before it.
    pub(super) fn judge(
        &mut self,
        conn: &Connection,
        org: OrgId,
        entry: &Entry,
        brought: Brought<'_>,
        problems: &mut Problems,
    ) -> Result<(), StoreError> {
        self.strict |= is_new(entry);
        let seq = entry.seq;
        if let Some(owed) = self.owed.take()
            && (!matches!(entry.draft.kind, EntryKind::Grant { .. }) || brought.grant != Some(&owed))
        {
            problems.say(format!("{seq} does not give what the tiers of the entry before it gave back"));
        }
        let returned = |settled: &super::events::Settled| settled.settlement.returned_grant(self.next, entry.booked_at);
        self.owed = brought.settled.as_ref().and_then(returned);
        let expected = match &entry.draft.kind {
            EntryKind::Expiry { .. }
            | EntryKind::Rollover { .. }
            | EntryKind::Repayment { .. }
            | EntryKind::HoldExpiry { .. } => {
                if let Some((late, of_cycle)) = self.late.take() {
                    if !self.is_late_end(late, of_cycle, entry, brought.grant) {
                        problems.say(format!("{seq} is not how {late}, which was over when it was given, had to end"));
                    }
                    return Ok(());
                }
                let as_before = !self.strict && self.as_before(entry) == Some(entry.draft.clone());
                if !as_before && !self.is_due(entry, brought.grant) {
                    problems.say(format!("{seq} books what was not due then, or not so"));
                }
                return Ok(());
            }
            _ => {
                if let Some((late, _)) = self.late.take() {
                    problems
                        .say(format!("{seq} was booked before the end of {late}, which was over when it was given"));
                }
                if self.strict
                    && let Ok(Some(step)) = self.step(entry.booked_at)
                {
                    let due = step.draft.kind.name();
                    problems
                        .say(format!("{seq} was booked before the {due} that was due at {}", step.draft.happened_at));
                }
                self.position.settled(entry.booked_at);
                self.expected(conn, org, entry, brought)
            }
        };
        let expected = match expected {
            Err(StoreError::Refused(refusal)) => Err(refusal.to_string()),
            Err(error) => Err(super::finding(error)?),
            Ok(None) => return Ok(()),
            Ok(Some(expected)) => Ok(expected),
        };
        match expected {
            Ok(draft) if draft == entry.draft => {}
            Ok(draft) if draft.postings != entry.draft.postings => {
                problems.say(format!(
                    "{seq} posts {}, by the entries before it, it should be {}",
                    lines(&entry.draft),
                    lines(&draft)
                ));
            }
            Ok(_) => problems.say(format!("{seq} is not what the entries before it lead to")),
            Err(reason) => problems.say(format!("{seq} cannot follow from the entries before it: {reason}")),
        }
        Ok(())
    }

    /// What must have come after the last entry.
    pub(super) fn finish(&self, problems: &mut Problems) {
        if self.owed.is_some() {
            problems.say("what the tiers of the last entry gave back was not given".to_owned());
        }
    }

    /// Whether this is what comes next of a grant that was over when it was given.
    fn is_late_end(&mut self, late: GrantId, of_cycle: bool, entry: &Entry, child: Option<&Grant>) -> bool {
        if of_cycle && let Ok(Some(repayment)) = self.position.repay_late(late) {
            let debt = self.position.debt;
            let leaves = self.position.slots.iter().any(|slot| slot.grant.id == late && slot.left > debt);
            self.late = leaves.then_some((late, false));
            return repayment == entry.draft;
        }
        let step = self.position.end_late(late, self.next, &self.calendar);
        matches!(step, Ok(step) if step.draft == entry.draft && step.child.as_ref() == child)
    }

    fn step(&self, booked_at: Timestamp) -> Result<Option<Step>, Refusal> {
        self.position.next_step(booked_at, self.next, &self.calendar)
    }

    /// Whether this is what was due first. When the last entry happened is known to the writer that booked it; one that has
    /// just started takes its booking for it, and keeps to that. So any instant between the two may have counted.
    fn is_due(&self, entry: &Entry, child: Option<&Grant>) -> bool {
        let is = |at: Timestamp| {
            let position = Position { at, ..self.position.clone() };
            let step = position.next_step(entry.booked_at, self.next, &self.calendar);
            matches!(step, Ok(Some(step)) if step.draft == entry.draft && step.child.as_ref() == child)
        };
        let (first, last) = (self.position.at, self.position.at.max(self.last_booked));
        is(first) || is(entry.draft.happened_at.clamp(first, last)) || is(last)
    }

    /// What the entry should be by the rules of before grants had terms: all that is left expires as of the end, and a
    /// grant repays debt as it is given.
    fn as_before(&self, entry: &Entry) -> Option<Draft> {
        let (EntryKind::Expiry { grant } | EntryKind::Repayment { grant }) = &entry.draft.kind else { return None };
        let slot = self.position.slots.iter().find(|slot| slot.grant.id == *grant)?;
        let (happened_at, account, part, cause) = match entry.draft.kind {
            EntryKind::Expiry { .. } => (slot.grant.expires_at?, Account::Expired, slot.left, "job:expiry"),
            _ => {
                let is_new = slot.left == slot.grant.amount && slot.grant.is_open(entry.booked_at);
                let part = self.position.debt.min(slot.left);
                (entry.booked_at, Account::Debt, part, is_new.then_some(entry.draft.cause.as_str())?)
            }
        };
        if happened_at > entry.booked_at || !part.is_positive() {
            return None;
        }
        let from = Posting { account: Account::Grant(*grant), amount: part.negated().ok()? };
        let postings = vec![from, Posting { account, amount: part }];
        Some(Draft { kind: entry.draft.kind.clone(), happened_at, cause: cause.to_owned(), postings })
    }

    /// What the entry should be; `None` where anything may be.
    fn expected(
        &self,
        conn: &Connection,
        org: OrgId,
        entry: &Entry,
        brought: Brought<'_>,
    ) -> Result<Option<Draft>, StoreError> {
        let (draft, now) = (&entry.draft, entry.booked_at);
        let cause = draft.cause.as_str();
        Ok(match &draft.kind {
            EntryKind::RateCard { .. } => Some(Draft { happened_at: now, postings: Vec::new(), ..draft.clone() }),
            EntryKind::Grant { terms, .. } => {
                let Some(grant) = brought.grant else { return Ok(None) };
                let given = settle::give(grant, now, cause)?;
                // Entries from before the terms were bound were given as they were booked.
                let old = Draft { kind: draft.kind.clone(), happened_at: now, ..given.clone() };
                Some(if terms.is_some() { given } else { old })
            }
            EntryKind::Usage { .. } if is_settled_before(entry, self.pruned_to) => self.drawn(entry)?,
            EntryKind::Usage { .. } => brought.settled.and_then(|settled| settled.settlement.finish(now, cause)),
            EntryKind::Hold { .. } => brought.hold.map(|hold| self.reserved(hold, now, cause)).transpose()?,
            EntryKind::Extension { .. } => Some(Draft { happened_at: now, postings: Vec::new(), ..draft.clone() }),
            EntryKind::Capture { hold, event, root } if is_settled_before(entry, self.pruned_to) => {
                let capture = |hold| self.position.capture(hold, hold::captured(draft), (*event, *root), now, cause);
                self.pending(*hold).map(capture).transpose()?
            }
            EntryKind::Capture { hold, event, root } => {
                let Some((hold, settled)) = self.pending(*hold).zip(brought.settled) else { return Ok(None) };
                let amount = hold::captured(draft);
                check_captured(hold, amount, &settled.last)?;
                if settled.settlement.total() != amount {
                    return Err(StoreError::Internal("its charge is not what it captured".to_owned()));
                }
                Some(self.position.capture(hold, amount, (*event, *root), now, cause)?)
            }
            EntryKind::Release { hold } => self.pending(*hold).map(|hold| hold.release(now, cause)).transpose()?,
            EntryKind::Void { event, .. } if event.0 <= self.pruned_to => None,
            EntryKind::Void { event, replacement, tiers, reason, .. } => {
                let (_, paid) = payers(conn, org, *event)?;
                let paid = paid.into_iter().flat_map(|(_, paid)| paid).collect();
                let (event, replacement, tiers) = (*event, *replacement, *tiers);
                let voiding = Voiding { event, paid, replacement, tiers, reason: reason.clone() };
                let (draft, refund) = self.position.void(voiding, self.next, now, cause)?;
                if refund.as_ref() != brought.grant {
                    return Err(StoreError::Internal(
                        "the grant that it gives is not what was to be returned".to_owned(),
                    ));
                }
                Some(draft)
            }
            EntryKind::Adjustment { terms: Some(_), reason, .. } => {
                brought.grant.map(|grant| put(grant, reason, now, cause)).transpose()?
            }
            EntryKind::Adjustment { grant, terms: None, reason } => {
                let taken = draft.postings.first().map_or(Ok(Credits::ZERO), |posting| posting.amount.negated())?;
                self.position.take(taken, Some(*grant), reason, now, cause)?.into_iter().next()
            }
            EntryKind::Expiry { .. }
            | EntryKind::Rollover { .. }
            | EntryKind::Repayment { .. }
            | EntryKind::HoldExpiry { .. } => None,
        })
    }

    /// What an entry draws of which the events are pruned. Which of them may spend which grant is not known any more, nor what
    /// tiers gave back: `None` where either would matter.
    fn drawn(&self, entry: &Entry) -> Result<Option<Draft>, StoreError> {
        let (draft, total) = (&entry.draft, hold::captured(&entry.draft));
        let for_all = self.position.slots.iter().all(|slot| slot.grant.scope == Scope::default());
        let returned = draft.postings.iter().any(|posting| posting.account == Account::Funding);
        if !for_all || returned || total.is_negative() {
            return Ok(None);
        }
        let mut purse = self.purse(entry.booked_at);
        if total.is_positive() {
            purse.draw(&Meter::parse("pruned")?, None, total, |_, _| ())?;
        }
        let mut postings = purse.postings();
        if !total.is_zero() {
            postings.push(Posting { account: Account::Consumed, amount: total });
        }
        Ok(Some(Draft { happened_at: entry.booked_at, postings, ..draft.clone() }))
    }

    fn pending(&self, id: HoldId) -> Option<&Hold> {
        self.position.holds.iter().find(|hold| hold.id == id)
    }

    fn reserved(&self, hold: &Hold, now: Timestamp, cause: &str) -> Result<Draft, Refusal> {
        let request = Request {
            id: hold.id,
            amount: hold.amount,
            meter: hold.meter.clone(),
            source: hold.source.clone(),
            project: hold.project.clone(),
            user: hold.user.clone(),
            tenant: hold.tenant.clone(),
            description: hold.description.clone(),
            expires_at: hold.expires_at,
        };
        // Its terms are in the draft's kind: another hold has others.
        self.position.reserve(request, now, cause).map(|(_, draft)| draft)
    }

    /// Takes up an entry, right or wrong, so that the next is judged by itself.
    ///
    /// # Errors
    /// Where it cannot be: then nothing after it can be judged.
    pub(super) fn apply(
        &mut self,
        conn: &Connection,
        org: OrgId,
        entry: &Entry,
        grant: Option<Grant>,
        hold: Option<Hold>,
    ) -> Result<(), StoreError> {
        if matches!(entry.draft.kind, EntryKind::Void { .. }) {
            for posting in &entry.draft.postings {
                if let Account::Grant(id) = posting.account
                    && let Some(grant) = super::grants::find(conn, org, id)?
                    && grant.id < self.next
                {
                    self.position.admit_again(grant);
                }
            }
        }
        if let Some(grant) = grant {
            if matches!(entry.draft.kind, EntryKind::Grant { .. }) && self.strict && grant.is_expired(entry.booked_at) {
                self.late = Some((grant.id, entry.draft.cause == subscription::CAUSE));
            }
            self.next = GrantId(grant.id.0.saturating_add(1));
            self.position.admit(grant);
        }
        self.position.holds.extend(hold);
        self.position.apply(&entry.draft)?;
        self.last_booked = entry.booked_at;
        Ok(())
    }
}

/// Whether only code that books everything due first makes such an entry.
fn is_new(entry: &Entry) -> bool {
    !matches!(
        entry.draft.kind,
        EntryKind::Grant { terms: None, .. }
            | EntryKind::Usage { .. }
            | EntryKind::Expiry { .. }
            | EntryKind::Repayment { .. }
    )
}

/// The event of a captured hold says what the hold says.
fn check_captured(hold: &Hold, amount: Credits, event: &Event) -> Result<(), StoreError> {
    let picos = amount.micros().checked_mul(PICOS_PER_MICRO).ok_or(Refusal::AmountOverflow)?;
    let (id, source) = (hold.id.to_string(), Some(hold.source.clone()));
    let expected = hold::event_of(&id, &hold.meter, Quantity::ONE, source, hold::asking(hold), Some(picos))?;
    // Names of places are what people called them last.
    let mut event = event.clone();
    event.project.iter_mut().for_each(|place| place.name = None);
    if event == expected {
        Ok(())
    } else {
        Err(StoreError::Internal(format!("its event is not what capturing {} says", hold.id)))
    }
}

fn lines(draft: &Draft) -> String {
    if draft.postings.is_empty() {
        return "nothing".to_owned();
    }
    let line = |posting: &Posting| format!("{} {}", posting.account, posting.amount);
    draft.postings.iter().map(line).collect::<Vec<_>>().join(", ")
}
