//! The page of one event: what is known, why it cost what it cost, and correcting it.

use super::{Backend, local, local_day};
use crate::calendar::{Day, date_and_seconds, parse_iso};
use crate::components::correction::{Desk, correction_panel};
use crate::components::correction_preview::{Change, Preview, Trial};
use crate::components::event_crumbs::{belongs, event_crumbs};
use crate::components::event_head::{Story, Voided, event_head};
use crate::correction::Ask;
use crate::error::AppError;
use crate::explain::told;
use crate::format;
use crate::proof::Evidence;
use crate::server_fns::Moment;
use crate::server_fns::event::{ChargeReason, EventReport};
use chrono::NaiveDate;
use ledger::canon::{Canon, Hash, hex};
use ledger::card_text::write_line;
use ledger::cube::MeterInfo;
use ledger::event::REPORTED_DECIMALS;
use ledger::{BillingCycle, EntryKind, Event, EventSeq, Label, OrgId, Quantity, Refusal, Words};
use store::correction::{Correction, Request, RollupChange};
use store::event::Explained;
use store::{EventPage, EventProof, Once, Org, Store, StoreError};

/// Longest one-time key of a form that is taken; ours have 32 letters.
const MAX_KEY_BYTES: usize = 64;

impl Backend {
    /// One event, and what the correction asked for would do.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::NotSignedIn`], or what the store says.
    pub async fn event(&self, id: &str, query: &str) -> Result<EventReport, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let seq = EventSeq::parse(id).ok_or(AppError::NotFound)?;
        let org = self.store.org(viewer.org).await?;
        let proof = self.store.proof(org.id, seq).await?;
        let detail = self.store.event(org.id, seq).await?;
        let meters = self.store.meters(org.id).await?;
        let voided = self.voided(&org, seq).await?;
        let replaces = self.store.replaced_by(org.id, seq).await?;
        let desk = match (viewer.operator, &voided) {
            (_, Some(_)) => Desk::Done,
            (false, None) => Desk::NoOperator,
            (true, None) => Desk::Open(self.try_out(&org, &meters, &proof, Ask::parse(query)).await?.map(Box::new)),
        };
        let (occurred, booked) = (local(&org, proof.occurred_at)?, local(&org, proof.entry.booked_at)?);
        let story = Story {
            seq,
            zone: org.zone.name(),
            late: late(local_day(&org, proof.occurred_at)?, local_day(&org, proof.entry.booked_at)?),
            replaces,
            voided,
            just_booked: crate::query::parse(query).iter().any(|(name, _)| name == "booked"),
        };
        let mapped = match &proof.event.interaction {
            Some(interaction) => Some(self.store.mapping(org.id, interaction.clone()).await?),
            None => None,
        };
        let owner = |mapped: Option<&Label>, said: Option<&Label>| mapped.or(said).cloned();
        let user = owner(mapped.as_ref().and_then(|to| to.user.as_ref()), proof.event.user.as_ref());
        let tenant = owner(mapped.as_ref().and_then(|to| to.tenant.as_ref()), proof.event.tenant.as_ref());
        let belongs = belongs(&proof.event, (user.as_ref(), tenant.as_ref()), &org.words);
        Ok(EventReport {
            occurred: date_and_seconds(occurred),
            booked: date_and_seconds(booked),
            reasons: detail.explained.into_iter().map(|e| reason(&meters, e, &org.words)).collect::<Result<_, _>>()?,
            head: event_head(&story, event_crumbs(&proof.event, query), belongs),
            desk: correction_panel(seq, &proof.event, desk, &org.words),
            evidence: evidence(proof),
        })
    }

    async fn voided(&self, org: &Org, seq: EventSeq) -> Result<Option<Voided>, AppError> {
        let Some((entry, replacement)) = self.store.voided(org.id, seq).await? else { return Ok(None) };
        let row = self.store.entry(org.id, entry).await?.entry;
        let reason = match row.draft.kind {
            EntryKind::Void { reason, .. } => reason,
            _ => String::new(),
        };
        let at = Moment::exact(row.booked_at, local(org, row.booked_at)?);
        Ok(Some(Voided { entry, at, cause: row.draft.cause, reason, replacement }))
    }

    async fn try_out(
        &self,
        org: &Org,
        meters: &[MeterInfo],
        proof: &EventProof,
        ask: Option<Ask>,
    ) -> Result<Option<Trial>, AppError> {
        let Some(ask) = ask else { return Ok(None) };
        let tried = match request(proof, &ask) {
            Ok(request) => self.store.correct(org.id, "preview".to_owned(), request, true, None).await,
            Err(refusal) => Err(refusal.into()),
        };
        let outcome = match tried.map_err(AppError::from) {
            Ok(done) => Ok(preview(meters, done.answer)),
            Err(AppError::Refused { problem }) => Err(problem),
            Err(error) => return Err(error),
        };
        Ok(Some(Trial { ask, outcome, key: one_time_key() }))
    }

    /// Books the correction that a form asks for, once however often the form is sent. Only for operators.
    ///
    /// # Errors
    /// [`AppError::Refused`] for those who may not, and for what a rule refuses; [`AppError::NotFound`].
    pub async fn correct(&self, id: &str, form: &str) -> Result<Correction, AppError> {
        let refused = |problem: &str| AppError::Refused { problem: problem.to_owned() };
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        if !viewer.operator {
            return Err(refused("only operators may correct events"));
        }
        let seq = EventSeq::parse(id).ok_or(AppError::NotFound)?;
        let ask = Ask::parse(form).ok_or_else(|| refused("say what is to be corrected"))?;
        let key = crate::query::parse(form).into_iter().find(|(name, _)| name == "key").map(|(_, key)| key);
        let is_ours =
            |key: &String| (1..=MAX_KEY_BYTES).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        let key = key.filter(is_ours).ok_or_else(|| refused("this form is not from the page: load it again"))?;
        let once = Once { key: format!("page:{key}"), request: asked(seq, &ask) };
        let proof = self.store.proof(viewer.org, seq).await?;
        let request = request(&proof, &ask)?;
        Ok(self.store.correct(viewer.org, viewer.by(), request, false, Some(once)).await?.answer)
    }
}

/// Whether the org has that event, or had it before it was pruned: an address of none is answered 404 before its page is rendered.
///
/// # Errors
/// What the store says.
pub async fn exists(store: &Store, org: OrgId, id: &str) -> Result<bool, AppError> {
    let Some(seq) = EventSeq::parse(id) else { return Ok(false) };
    if store.kept(org).await?.pruned.is_some_and(|(last, _)| (1..=last.0).contains(&seq.0)) {
        return Ok(true);
    }
    let page = EventPage { before: Some(EventSeq(seq.0.saturating_add(1))), limit: 1 };
    Ok(store.events(org, &page).await?.first().is_some_and(|row| row.seq == seq))
}

/// The two billing cycles of an event that was booked after its own was over.
fn late(happened: Day, booked: Day) -> Option<(String, String)> {
    let is_late = happened.first_of_month() < booked.first_of_month();
    is_late.then(|| (happened.month_title(), booked.month_title()))
}

fn evidence(proof: EventProof) -> Evidence {
    let EventProof { seq, event, occurred_at, charges, proof, entry, previous, head, .. } = proof;
    Evidence { seq, event, occurred_at, charges, proof, entry, previous, head }
}

fn reason(meters: &[MeterInfo], explained: Explained, words: &Words) -> Result<ChargeReason, StoreError> {
    let Explained { charge, line, why, paid } = explained;
    let line = write_line(&line);
    let info = meters.iter().find(|info| info.meter == charge.meter);
    Ok(ChargeReason {
        title: info.map_or_else(|| charge.meter.to_string(), |info| info.title.clone()),
        unit: info.map(|info| unit_of(info).to_owned()).unwrap_or_default(),
        service: info.map(|info| info.service.clone()).unwrap_or_default(),
        said: told(&line, &charge, &why, words),
        line,
        paid: paid.into_iter().map(|(account, part)| (account.to_string(), part)).collect(),
    })
}

/// The unit behind a quantity: "Input tokens 4,808" needs none.
pub(super) fn unit_of(info: &MeterInfo) -> &str {
    if info.title.to_lowercase().contains(&info.unit) { "" } else { &info.unit }
}

/// What the ledger is asked for. The event that replaces another stands where that one stood, at its time.
fn request(proof: &EventProof, ask: &Ask) -> Result<Request, Refusal> {
    let (event, reason) = (proof.seq, ask.reason.clone());
    if !ask.replace {
        return Ok(Request::Void { event, reason });
    }
    let mut with =
        Event { id: Label::parse("the new id", &ask.id)?, time: Some(proof.occurred_at), ..proof.event.clone() };
    for (meter, quantity) in &mut with.quantities {
        if let Some((_, said)) = ask.quantities.iter().find(|(name, _)| name == meter.as_str()) {
            *quantity = Quantity::parse(&plain_number(said))?;
        }
    }
    if let (Some(_), Some(said)) = (with.reported, &ask.reported) {
        let bad = |reason| Refusal::BadReportedCredits { reason };
        let picos = ledger::decimal::parse(&plain_number(said), REPORTED_DECIMALS).map_err(bad)?;
        with.reported = Some(i64::try_from(picos).ok().filter(|picos| *picos >= 0).ok_or(Refusal::AmountOverflow)?);
    }
    Ok(Request::Replace { event, reason, with: Box::new(with) })
}

/// People copy numbers from the page, grouped as they are there.
fn plain_number(text: &str) -> String {
    text.chars().filter(|c| *c != ',' && !c.is_whitespace()).collect()
}

/// What makes two bookings the same.
fn asked(seq: EventSeq, ask: &Ask) -> Hash {
    let mut canon = Canon::new("scrip-form-correction-1");
    canon.int(seq.0);
    for (name, value) in ask.pairs() {
        canon.text(&name).text(&value);
    }
    canon.hash()
}

fn one_time_key() -> String {
    hex(&store::random::bytes::<16>())
}

fn preview(meters: &[MeterInfo], correction: Correction) -> Preview {
    let Correction { entries, happened_in, booked_in, before, after, grants, rollups, .. } = correction;
    Preview {
        before,
        after,
        grants: grants.into_iter().map(|change| (change.grant, change.before, change.after)).collect(),
        changes: rollups.into_iter().map(|change| rollup(meters, change)).collect(),
        entries: i64::try_from(entries.len()).unwrap_or(i64::MAX),
        closed: happened_in.filter(|cycle| *cycle < booked_in).map(cycle_title),
        booked_in: cycle_title(booked_in),
    }
}

fn cycle_title(cycle: BillingCycle) -> String {
    let day = NaiveDate::from_ymd_opt(cycle.year, cycle.month, 1).and_then(Day::new);
    day.map_or_else(|| cycle.to_string(), Day::month_title)
}

fn rollup(meters: &[MeterInfo], change: RollupChange) -> Change {
    let info = meters.iter().find(|info| info.meter == change.meter);
    let unit = info.map(unit_of).unwrap_or_default();
    let text = parse_iso(&change.day).map_or_else(|| change.day.clone(), Day::medium);
    Change {
        day: Moment { iso: change.day, text },
        title: info.map_or_else(|| change.meter.to_string(), |info| info.title.clone()),
        source: change.source.to_string(),
        project: change.project.map(|project| project.to_string()),
        quantity: format!("{} {unit}", format::quantity(change.quantity)).trim_end().to_owned(),
        credits: change.credits,
    }
}
