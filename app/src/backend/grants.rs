//! The Grants page, put together: one reading of the store, in the words of the page.

use super::{Backend, Viewer, desk, local, local_day, origin, timeline};
use crate::calendar::Day;
use crate::components::banner::{self, More};
use crate::components::grants::data::{Ended, GrantLine, Grants, HOLDS, HoldLine, PAGE, Part, PartKind, Status};
use crate::error::AppError;
use crate::format::{noun, short};
use crate::markup::Markup;
use crate::query;
use crate::server_fns::Moment;
use ledger::cube::MeterInfo;
use ledger::rollover::Cap;
use ledger::{
    Balance, Credits, EntrySeq, Figures, Grant, GrantId, GrantKind, Hold, OrgState, Policy, Timestamp, Words,
};
use std::collections::BTreeMap;
use store::{At, DrawdownPage, EntryPage, GrantPage, GrantState, Org, Store};

/// Ended grants on one page, and how many grants are looked through for them at once.
const ENDED_PAGE: usize = 25;
/// Rounds of looking for ended grants among many open ones; what is beyond comes with the next page.
const MAX_ROUNDS: u32 = 5;
/// Entries of one adjustment that are added up when it is confirmed: one per grant taken from.
const ADJUSTED: u32 = 200;
/// Width of a bar in thousandths, and the least of a part that is there: otherwise it could not be seen.
const WHOLE: u16 = 1_000;
const LEAST: u16 = 8;

/// What the page's query string asks.
#[derive(Debug, Default)]
pub(super) struct Asked {
    all: bool,
    before: Option<GrantId>,
    after: Option<GrantId>,
    given: Option<GrantId>,
    adjusted: Option<(EntrySeq, EntrySeq)>,
    pub(super) adjust: Option<desk::Adjustment>,
}

impl Asked {
    fn parse(search: &str) -> Self {
        let mut asked = Self::default();
        let mut adjustment = desk::Adjustment::default();
        for (name, value) in query::parse(search) {
            match name.as_str() {
                "status" => asked.all = value == "all",
                "before" => asked.before = GrantId::parse(&value),
                "after" => asked.after = GrantId::parse(&value),
                "given" => asked.given = GrantId::parse(&value),
                "adjusted" => asked.adjusted = range(&value),
                "adjust" => adjustment.amount = value,
                "from" => adjustment.grant = value,
                "reason" => adjustment.reason = value,
                _ => {}
            }
        }
        asked.adjust = (!adjustment.amount.is_empty()).then_some(adjustment);
        asked
    }
}

/// `entry_4-entry_6`.
fn range(text: &str) -> Option<(EntrySeq, EntrySeq)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    EntrySeq::parse(first).zip(EntrySeq::parse(last)).filter(|(first, last)| first <= last)
}

/// What the lines of one page share.
struct Page<'a> {
    org: &'a Org,
    meters: &'a [MeterInfo],
    as_of: Timestamp,
    next: &'a [GrantId],
    /// What plan grants became or would become, by parent.
    children: BTreeMap<GrantId, Grant>,
}

impl Backend {
    /// The Grants page.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn grants(&self, search: &str) -> Result<Grants, AppError> {
        let viewer = self.viewer.as_ref().ok_or(AppError::NotSignedIn)?;
        let asked = Asked::parse(search);
        let org = self.store.org(viewer.org).await?;
        let meters = self.store.meters(org.id).await?;
        let drawdown = self.store.drawdown(org.id, DrawdownPage { after: asked.after, limit: PAGE }).await?;
        let children =
            drawdown.outlook.endings.iter().filter_map(|ending| Some((ending.grant.id, ending.child.clone()?)));
        let children = children.collect();
        let mut page = Page { org: &org, meters: &meters, as_of: drawdown.as_of, next: &drawdown.next, children };
        let ended = if asked.all { Some(ended(&self.store, &mut page, asked.before).await?) } else { None };
        let open = drawdown.grants.iter().map(|state| page.line(state)).collect::<Result<_, _>>()?;
        let holds = drawdown.holds.iter().take(HOLDS).map(|hold| page.hold(hold)).collect::<Result<_, _>>()?;
        let desk =
            desk::desk(&self.store, viewer, &drawdown, (&org.words, meters.clone()), asked.adjust.as_ref()).await?;
        Ok(Grants {
            zone: org.zone.name().to_owned(),
            origin: origin(),
            balance: drawdown.balance,
            state: state_words(drawdown.balance, viewer, noun(&org.words)),
            policy: policy_words(drawdown.policy, &org.words),
            ever: drawdown.ever,
            open,
            count: i64::try_from(drawdown.count).unwrap_or(i64::MAX),
            more: drawdown.more.map(|id| format!("/grants?after={id}")),
            later: asked.after.is_some(),
            ended,
            timeline: timeline::timeline(&org, &drawdown)?,
            holds,
            hold_count: i64::try_from(drawdown.holds.len()).unwrap_or(i64::MAX),
            desk,
            done: self.done(&org, &asked).await?,
            as_of: Moment::new(drawdown.as_of, local(&org, drawdown.as_of)?),
            org: org.name,
        })
    }

    /// What was just done, read back from the ledger: the address only says where to look.
    async fn done(&self, org: &Org, asked: &Asked) -> Result<Option<String>, AppError> {
        if let Some(id) = asked.given
            && let Ok(state) = self.store.grant(org.id, id, At::default()).await
        {
            let Grant { amount, kind, description, .. } = state.grant;
            let kind = kind_word(kind).to_lowercase();
            return Ok(Some(format!(
                "{id} is booked: {} given ({kind}, \u{201c}{description}\u{201d}).",
                short(&org.words, amount)
            )));
        }
        let Some((first, last)) = asked.adjusted else { return Ok(None) };
        let before = Some(EntrySeq(last.0.saturating_add(1)));
        let page = EntryPage { kind: Some("adjustment".to_owned()), before, limit: ADJUSTED, ..EntryPage::default() };
        let (rows, _) = self.store.entries(org.id, page).await?;
        let lines = rows.iter().filter(|row| row.entry.seq >= first).flat_map(|row| &row.lines);
        let on_grants = lines.filter(|line| matches!(line.posting.account, ledger::Account::Grant(_)));
        let total = Credits::sum(on_grants.map(|line| line.posting.amount)).unwrap_or_default();
        let entries = if first == last { first.to_string() } else { format!("{first} to {last}") };
        Ok((!total.is_zero()).then(|| format!("Booked as {entries}: {}.", desk::signed(&org.words, total))))
    }
}

/// What every page must say about an org's balance.
pub(super) async fn warning(store: &Store, org: &Org, more: More) -> Result<Option<Markup>, AppError> {
    if let Some(ends_at) = store.ends_at(org.id) {
        let ends = crate::calendar::date_and_clock(local(org, ends_at)?);
        return Ok(Some(banner::ending(&ends)));
    }
    let noun = noun(&org.words);
    let (balance, since) = store.standing(org.id).await?;
    let debt = balance.debt.is_positive().then(|| short(&org.words, balance.debt));
    let text = match (balance.state, since, debt) {
        (OrgState::Active, _, None) => {
            let limit = store.org_settings(org.id).await?.low_balance;
            let Some(limit) = limit.filter(|limit| balance.available <= *limit) else { return Ok(None) };
            let (left, limit) = (short(&org.words, balance.available), short(&org.words, limit));
            let text = format!("Low balance: {left} left, the limit is {limit}.");
            return Ok(Some(banner::low(&org.words, &text, more)));
        }
        (OrgState::Active, _, Some(debt)) => {
            format!("There is a debt of {debt}. The next grant repays it first.")
        }
        (OrgState::Paused, None, None) => {
            format!(
                "No {noun} yet: new work is refused until a grant takes effect. Usage that happens is still recorded."
            )
        }
        (OrgState::Paused, since, debt) => {
            let since = since.map(|at| local(org, at)).transpose()?;
            let since =
                since.map(|time| format!(" since {}", crate::calendar::date_and_clock(time))).unwrap_or_default();
            let debt = debt.map(|debt| format!(" The next grant repays {debt} of debt first.")).unwrap_or_default();
            format!("Out of {noun}: new work is refused{since}. Usage that happened is still recorded.{debt}")
        }
    };
    // One that was never given anything has not run out: it has not begun.
    let paused = balance.state == OrgState::Paused && (since.is_some() || balance.debt.is_positive());
    Ok(Some(banner::warning(&org.words, paused, &text, more)))
}

/// A page of grants of which nothing is left.
async fn ended(store: &Store, page: &mut Page<'_>, before: Option<GrantId>) -> Result<Ended, AppError> {
    let (mut before, mut found, mut older) = (before, Vec::new(), true);
    for _ in 0..MAX_ROUNDS {
        let wanted = GrantPage { open: false, before, limit: store::grant::MAX_PAGE };
        let (states, _) = store.grants(page.org.id, At::default(), wanted).await?;
        older = states.len() == store::grant::MAX_PAGE as usize;
        for state in states {
            before = Some(state.grant.id);
            if state.figures.left.is_zero() && state.figures.held.is_zero() {
                found.push(state);
            }
            if found.len() > ENDED_PAGE {
                break;
            }
        }
        if !older || found.len() > ENDED_PAGE {
            break;
        }
    }
    if found.len() > ENDED_PAGE {
        found.truncate(ENDED_PAGE);
        (older, before) = (true, found.last().map(|state| state.grant.id));
    }
    for child in found.iter().filter_map(|state| state.end?.child) {
        // One that is due but not booked yet has its place in the outlook; then the words do without.
        if let Ok(state) = store.grant(page.org.id, child, At::default()).await
            && let Some(parent) = state.grant.parent
        {
            page.children.insert(parent, state.grant);
        }
    }
    let grants = found.iter().map(|state| page.line(state)).collect::<Result<_, _>>()?;
    let older = before.filter(|_| older).map(|id| format!("/grants?status=all&before={id}#ended"));
    Ok(Ended { grants, older })
}

impl Page<'_> {
    fn moment(&self, at: Timestamp) -> Result<Moment, AppError> {
        Ok(Moment::new(at, local(self.org, at)?))
    }

    fn date(&self, at: Timestamp) -> Result<String, AppError> {
        Ok(local_day(self.org, at).map_or_else(|_| "the end of the calendar".to_owned(), Day::medium))
    }

    fn title_of(&self, meter: &str) -> String {
        let known = self.meters.iter().find(|info| info.meter.as_str() == meter);
        known.map_or_else(|| meter.to_owned(), |info| info.title.clone())
    }

    fn line(&self, state: &GrantState) -> Result<GrantLine, AppError> {
        let GrantState { grant, figures, .. } = state;
        let meters = grant.scope.meters.iter().map(|meter| self.title_of(meter.as_str()));
        let projects = grant.scope.projects.iter().map(|project| format!("project {project}"));
        let next = self.next.contains(&grant.id).then(|| {
            let whole = grant.scope.is_everything();
            if whole { "Spent next".to_owned() } else { "Spent next in its scope".to_owned() }
        });
        Ok(GrantLine {
            id: grant.id.to_string(),
            kind: kind_word(grant.kind).to_owned(),
            description: grant.description.clone(),
            amount: grant.amount,
            left: figures.left,
            parts: parts(figures),
            scope: meters.chain(projects).collect(),
            priority: grant.priority,
            effective: self.moment(grant.effective_at)?,
            expires: grant.expires_at.map(|at| self.moment(at)).transpose()?,
            cost: grant.cost.as_ref().map(ToString::to_string),
            parent: grant.parent.map(|id| id.to_string()),
            status: status(grant, figures, self.as_of),
            next,
            rollover: self.rollover(state)?,
        })
    }

    /// The computation at the end of a plan's cycle, in words.
    fn rollover(&self, state: &GrantState) -> Result<Option<String>, AppError> {
        let GrantState { grant, figures, end, .. } = state;
        let (Some(end), Some(expires_at)) = (end, grant.expires_at) else { return Ok(None) };
        let on = self.date(expires_at)?;
        let rolled = end.rolled;
        let gone = Credits::sum([rolled.left, figures.voided]).and_then(|kept| grant.amount.minus(kept));
        let gone = gone.unwrap_or_default();
        let held = if end.past { Credits::ZERO } else { figures.held };
        let used = gone.minus(held).unwrap_or_default();
        let short = |credits| short(&self.org.words, credits);
        let mut words = format!("{} granted, {} used, ", short(grant.amount), short(used));
        for (what, credits) in [("held", held), ("taken back", figures.voided)] {
            if credits.is_positive() {
                words += &format!("{} {what}, ", short(credits));
            }
        }
        words +=
            &format!("{} left {}", short(rolled.left), if end.past { format!("on {on}") } else { "now".to_owned() });
        let cap = match (grant.rollover.and_then(|terms| terms.cap), rolled.cap) {
            (Some(Cap::Percent(percent)), Some(cap)) => {
                format!(" \u{2192} cap {percent}% of {} = {}", short(grant.amount), short(cap))
            }
            (Some(Cap::Credits(_)), Some(cap)) => format!(" \u{2192} cap {}", short(cap)),
            _ => String::new(),
        };
        words += &cap;
        words += &self.outcome(state, &on)?;
        Ok(Some(words))
    }

    fn outcome(&self, state: &GrantState, on: &str) -> Result<String, AppError> {
        let Some(end) = state.end else { return Ok(String::new()) };
        let rolled = end.rolled;
        let child = self.children.get(&state.grant.id);
        let until = match child.map(|child| child.expires_at) {
            Some(Some(at)) => format!(" until {}", self.date(at)?),
            Some(None) => " for ever".to_owned(),
            None => String::new(),
        };
        let into = end.child.map(|id| format!(" to {id}")).unwrap_or_default();
        let short = |credits| short(&self.org.words, credits);
        let moves = |verb: &str| format!("{} {verb}{into}{until}", short(rolled.rolled));
        let ends = |verb: &str| format!("{} {verb}", short(rolled.expired));
        let terms = state.grant.rollover.is_some();
        let parts: Vec<String> = match (end.past, terms) {
            (true, _) if rolled.left.is_zero() => vec!["nothing to roll over".to_owned()],
            (true, _) => [(rolled.rolled, moves("rolled over")), (rolled.expired, ends("expired"))]
                .into_iter()
                .filter(|(c, _)| c.is_positive())
                .map(|(_, text)| text)
                .collect(),
            (false, false) => vec![format!("no rollover: what is left on {on} expires")],
            (false, true) if rolled.left.is_zero() => vec![format!("nothing to roll over on {on}")],
            (false, true) => {
                let what = [(rolled.rolled, moves("would roll over")), (rolled.expired, ends("would expire"))];
                let what: Vec<String> =
                    what.into_iter().filter(|(c, _)| c.is_positive()).map(|(_, text)| text).collect();
                vec![format!("on {on} {}", what.join(", "))]
            }
        };
        Ok(format!(" \u{2192} {}.", parts.join(", ")))
    }

    fn hold(&self, hold: &Hold) -> Result<HoldLine, AppError> {
        let meter = hold.meter.as_str();
        let meter = if meter == ledger::hold::DEFAULT_METER { String::new() } else { self.title_of(meter) };
        let title = match (hold.description.is_empty(), meter.is_empty()) {
            (false, _) => hold.description.clone(),
            (true, false) => meter.clone(),
            (true, true) => "Work in progress".to_owned(),
        };
        let source = hold.source.as_str();
        let source = if source == ledger::hold::DEFAULT_SOURCE { "" } else { source };
        let project = hold.project.as_ref().map_or("", |project| project.as_str());
        let place = [meter.as_str(), source, project].into_iter().filter(|part| !part.is_empty() && *part != title);
        Ok(HoldLine {
            id: hold.id.to_string(),
            place: place.collect::<Vec<_>>().join(" · "),
            title,
            amount: hold.amount,
            uncovered: hold.uncovered,
            since: self.moment(hold.created_at)?,
            until: self.moment(hold.expires_at)?,
        })
    }
}

pub(super) const fn kind_word(kind: GrantKind) -> &'static str {
    match kind {
        GrantKind::Plan => "Plan",
        GrantKind::Purchase => "Purchase",
        GrantKind::Promotion => "Promotion",
        GrantKind::Rollover => "Rollover",
        GrantKind::Adjustment => "Adjustment",
        GrantKind::Refund => "Refund",
    }
}

fn status(grant: &Grant, figures: &Figures, now: Timestamp) -> Status {
    if grant.is_expired(now) {
        // What was used up before its end was spent, not lost.
        let lost = figures.expired.is_positive() || figures.rolled.is_positive() || figures.held.is_positive();
        if lost { Status::Expired } else { Status::Spent }
    } else if figures.left.is_zero() && figures.held.is_zero() {
        Status::Spent
    } else if grant.effective_at > now {
        Status::Scheduled
    } else {
        Status::Open
    }
}

/// The parts of a bar that add up to [`WHOLE`]; what is there is never too small to be seen.
fn parts(figures: &Figures) -> Vec<Part> {
    let Figures { granted, left, held, spent, expired, rolled, voided } = *figures;
    let all = [
        (PartKind::Left, left),
        (PartKind::Held, held),
        (PartKind::Spent, spent),
        (PartKind::Rolled, rolled),
        (PartKind::Expired, expired),
        (PartKind::Voided, voided),
    ];
    let width = |credits: Credits| {
        let share = i128::from(credits.micros()) * i128::from(WHOLE) / i128::from(granted.micros().max(1));
        u16::try_from(share).unwrap_or(WHOLE).clamp(LEAST, WHOLE)
    };
    let there = all.into_iter().filter(|(_, credits)| credits.is_positive());
    let mut parts: Vec<Part> = there.map(|(kind, credits)| Part { kind, credits, width: width(credits) }).collect();
    let sum: u16 = parts.iter().map(|part| part.width).sum();
    if let Some(widest) = parts.iter_mut().max_by_key(|part| part.width) {
        // At most six parts of eight thousandths were widened: the widest has that to give.
        widest.width = (widest.width + WHOLE).saturating_sub(sum);
    }
    parts
}

fn state_words(balance: Balance, viewer: &Viewer, noun: &str) -> String {
    match (balance.state, viewer.operator) {
        (OrgState::Active, _) if balance.debt.is_positive() => "New work is accepted, into debt.".to_owned(),
        (OrgState::Active, _) => "New work is accepted.".to_owned(),
        (OrgState::Paused, true) => format!("New work is refused until {noun} are given."),
        (OrgState::Paused, false) => format!("New work is refused until {noun} are bought or given."),
    }
}

fn policy_words(policy: Policy, words: &Words) -> String {
    let noun = noun(words);
    match policy {
        Policy::Pause => format!(
            "When {noun} run out, new work is refused until there are {noun} again. Usage that happened is still recorded, \
             as debt."
        ),
        Policy::FinishInFlight { limit } => format!(
            "When {noun} run out, new work is refused; what already runs may finish, up to a debt of {}. Usage that \
             happened is always recorded.",
            short(words, limit)
        ),
        Policy::Overdraft { limit } => format!(
            "When {noun} run out, new work goes on into debt, up to {}; then it is refused. Usage that happened is \
             always recorded.",
            short(words, limit)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(text: &str) -> Credits {
        Credits::parse(text).expect("an amount")
    }

    #[test]
    fn the_parts_of_a_bar_fill_it_and_can_be_seen() {
        for (left, held, spent) in
            [("1", "1", "998"), ("0.000001", "0", "999.999999"), ("333", "333", "334"), ("1000", "0", "0")]
        {
            let figures =
                Figures { granted: c("1000"), left: c(left), held: c(held), spent: c(spent), ..Figures::default() };
            let parts = parts(&figures);
            assert_eq!(parts.iter().map(|part| part.width).sum::<u16>(), WHOLE, "{figures:?}");
            assert!(parts.iter().all(|part| part.width >= LEAST && part.credits.is_positive()));
        }
    }

    #[test]
    fn a_query_that_cannot_be_read_asks_for_nothing() {
        let asked = Asked::parse("?status=everything&before=x&after=grant_0&adjusted=entry_3-entry_1&adjust=");
        assert!(!asked.all && asked.before.is_none() && asked.after.is_none() && asked.adjusted.is_none());
        assert!(asked.adjust.is_none());
        assert_eq!(range("entry_3"), Some((EntrySeq(3), EntrySeq(3))));
    }
}
