//! The Ledger page: entries, how things stood, and all entries as a file.

use super::{Backend, local, origin};
use crate::components::entries::EntryLine;
use crate::components::ledger_list::{chain_end, entry_list, page_head};
use crate::components::standing::{Fields, GrantLine, Standing, standing_panel};
use crate::error::AppError;
use crate::exports;
use crate::ledger_view::LedgerView;
use crate::markup::Markup;
use crate::server_fns::Moment;
use crate::server_fns::ledger::LedgerReport;
use crate::zone_clock::{ZoneClock, input_text};
use chrono::{DateTime, Offset};
use ledger::canon::hex;
use ledger::entry::Head;
use ledger::{Account, Credits, EntryKind, EntrySeq, OrgId, Refusal, Timestamp};
use store::entry::MAX_PAGE;
use store::grant::GrantState;
use store::{At, EntryPage, EntryRow, GrantPage, Org, Store};

/// Entries on a page.
const ENTRIES: u32 = 50;
/// Postings that an entry shows; one that draws on more grants says how many more there are.
const POSTINGS: usize = 50;
/// Grants that the panel of an instant shows, newest first.
const GRANTS: u32 = 100;
const NOT_KNOWN_YET: &str = "\u{201c}As known at\u{201d} lies in the future: nobody knows yet what will be known then. Choose an earlier instant.";
const MICROS_PER_SECOND: i64 = 1_000_000;
/// The clock that travels with a page covers a year before the ledger began, and two from now on: plans are made for
/// months.
const YEAR_S: i64 = 366 * 86_400;

impl Backend {
    /// A page of entries.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn ledger(&self, query: &str) -> Result<LedgerReport, AppError> {
        let origin = origin();
        let org = self.store.org(self.viewer.as_ref().ok_or(AppError::NotSignedIn)?.org).await?;
        let (now, view) = (self.store.now(), LedgerView::parse(query));
        let page = page_of(&org, &view, ENTRIES)?;
        // One more than is shown says whether there are older ones.
        let (mut rows, head) = self.store.entries(org.id, EntryPage { limit: ENTRIES + 1, ..page.clone() }).await?;
        let is_full = rows.len() > ENTRIES as usize;
        rows.truncate(ENTRIES as usize);
        let older = rows.last().filter(|_| is_full).map(|row| row.entry.seq);
        let newer = self.store.newer_entries(org.id, page).await?;
        let lines = rows.iter().map(|row| entry_line(&org, row)).collect::<Result<Vec<_>, _>>()?;
        // The first entry of every org is its rate card.
        let is_young = head.seq.0 <= 1;
        Ok(LedgerReport {
            head: page_head(org.zone.name()),
            clock: clock_of(&org, now),
            since: second_of(org.created_at),
            now: second_of(now),
            list: entry_list(&view, &lines, older, newer, is_young.then_some(origin.as_str()), &org.words),
            end: chain_end(head.seq, &hex(&head.hash)),
        })
    }

    /// How things stood.
    ///
    /// # Errors
    /// [`AppError::NotSignedIn`], or what the store says.
    pub async fn standing(&self, query: &str) -> Result<Markup, AppError> {
        let org = self.store.org(self.viewer.as_ref().ok_or(AppError::NotSignedIn)?.org).await?;
        let now = self.store.now();
        let (view, clock) = (LedgerView::parse(query), clock_of(&org, now));
        let instant = |text: &Option<String>| text.as_deref().and_then(|text| clock.instant(text));
        let (as_of, as_known_at) = (instant(&view.at), instant(&view.known));
        let field =
            |second: Option<i64>| second.and_then(|second| clock.local(second)).map(input_text).unwrap_or_default();
        let fields = Fields { at: field(as_of), known: field(as_known_at), latest: field(Some(second_of(now))) };
        let at = At { as_of: as_of.map(timestamp_of), as_known_at: as_known_at.map(timestamp_of) };
        let stood = match at.as_known_at {
            Some(known) if known > now => Err(NOT_KNOWN_YET.to_owned()),
            _ => match self.stood(&org, at).await {
                Err(AppError::Refused { problem }) => Err(problem),
                stood => Ok(stood?),
            },
        };
        Ok(standing_panel(&view, &fields, stood.as_ref().map_err(String::as_str), &org.words))
    }

    async fn stood(&self, org: &Org, at: At) -> Result<Standing, AppError> {
        let (balance, when) = self.store.balance_at(org.id, at).await?;
        let page = GrantPage { open: false, before: None, limit: GRANTS + 1 };
        let (mut grants, _) = self.store.grants(org.id, At { as_of: Some(when), ..at }, page).await?;
        let more = grants.len() > GRANTS as usize;
        grants.truncate(GRANTS as usize);
        let moment = |at: Timestamp| Ok::<_, AppError>(Moment::exact(at, local(org, at)?));
        Ok(Standing {
            at: moment(when)?,
            known: at.as_known_at.map(moment).transpose()?,
            balance,
            grants: grants.into_iter().map(|state| grant_line(org, state)).collect::<Result<_, _>>()?,
            more,
        })
    }
}

/// All entries that a page's query string asks for, as CSV, a page of the store at a time: a ledger may have a million.
pub struct LedgerExport {
    store: Store,
    org: Org,
    page: EntryPage,
    head: Head,
    /// Read, and not written yet.
    waiting: Vec<EntryRow>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Rows,
    Done,
}

impl LedgerExport {
    /// Reads the first page: what is booked afterwards is not in the file, and the end of the chain is that of this moment.
    ///
    /// # Errors
    /// What the store says.
    pub async fn begin(store: &Store, org: OrgId, query: &str) -> Result<Self, AppError> {
        let org = store.org(org).await?;
        let view = LedgerView::parse(query);
        if let Some(name) = view.unread(query) {
            return Err(AppError::BadRange {
                problem: format!("The filter \"{name}\" cannot be read: correct it, or leave it out."),
            });
        }
        // A file holds all entries of the filters, whichever page was looked at.
        let page = page_of(&org, &view.from_the_newest(), MAX_PAGE)?;
        let (waiting, head) = store.entries(org.id, page.clone()).await?;
        Ok(Self { store: store.clone(), org, page, head, waiting, stage: Stage::Head })
    }

    /// `ledger_Acme_entry_12.csv`: whose, and up to which entry.
    #[must_use]
    pub fn file_name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let org: String = self.org.name.chars().map(plain).take(64).collect();
        format!("ledger_{org}_{}.csv", self.head.seq)
    }

    /// The next piece of the file; `None` after the last.
    ///
    /// # Errors
    /// What the store says. What was written until then is no whole file: its last row is not the chain's end.
    pub async fn next(&mut self) -> Result<Option<String>, AppError> {
        match self.stage {
            Stage::Head => {
                self.stage = Stage::Rows;
                Ok(Some(exports::ledger_head()))
            }
            Stage::Rows if self.waiting.is_empty() => {
                self.stage = Stage::Done;
                Ok(Some(exports::ledger_end(self.head)))
            }
            Stage::Rows => {
                let rows = std::mem::take(&mut self.waiting);
                self.page.before = rows.last().map(|row| row.entry.seq);
                if rows.len() == MAX_PAGE as usize {
                    self.waiting = self.store.entries(self.org.id, self.page.clone()).await?.0;
                }
                let mut text = String::new();
                for row in &rows {
                    let lines = row.lines.iter().map(|line| (line.posting, line.balance));
                    exports::ledger_entry(&mut text, &row.entry, lines);
                }
                Ok(Some(text))
            }
            Stage::Done => Ok(None),
        }
    }
}

/// What the store is asked for.
fn page_of(org: &Org, view: &LedgerView, limit: u32) -> Result<EntryPage, AppError> {
    let start = |day: crate::calendar::Day| store::calendar::day_start(org.zone, day.date()).map_err(AppError::from);
    let from_entry = view.entry.map(|seq| EntrySeq(seq.0.saturating_add(1)));
    Ok(EntryPage {
        kind: view.kind.map(str::to_owned),
        grant: view.grant,
        from: view.from.map(start).transpose()?,
        to: view.to.map(|day| start(day.plus_days(1))).transpose()?,
        before: view.before.or(from_entry),
        limit,
    })
}

fn clock_of(org: &Org, now: Timestamp) -> ZoneClock {
    let ahead = |second| {
        let utc = DateTime::from_timestamp(second, 0).unwrap_or_default();
        utc.with_timezone(&org.zone).offset().fix().local_minus_utc()
    };
    ZoneClock::of(second_of(org.created_at) - YEAR_S, second_of(now) + 2 * YEAR_S, ahead)
}

const fn second_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(MICROS_PER_SECOND)
}

fn timestamp_of(second: i64) -> Timestamp {
    Timestamp::from_micros(second.saturating_mul(MICROS_PER_SECOND))
}

fn grant_line(org: &Org, state: GrantState) -> Result<GrantLine, AppError> {
    let GrantState { grant, figures, .. } = state;
    let expires = grant.expires_at.map(|at| Ok::<_, AppError>(Moment::new(at, local(org, at)?))).transpose()?;
    let about = format!("{}: {}", title_case(grant.kind.as_str()), grant.description);
    Ok(GrantLine { grant: grant.id, about, figures, expires })
}

fn title_case(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

fn entry_line(org: &Org, row: &EntryRow) -> Result<EntryLine, AppError> {
    let (entry, kind) = (&row.entry, &row.entry.draft.kind);
    let (about, links) = about(kind);
    let (amount, moved) = amount_of(row)?;
    let happened_at = entry.draft.happened_at;
    let happened = (happened_at != entry.booked_at).then(|| local(org, happened_at)).transpose()?;
    let posting = |line: &store::entry::Line| {
        let account = line.posting.account;
        (account.to_string(), account_href(account), line.posting.amount, line.balance)
    };
    Ok(EntryLine {
        seq: entry.seq,
        kind: kind.name(),
        about,
        links,
        booked: Moment::exact(entry.booked_at, local(org, entry.booked_at)?),
        happened: happened.map(|local| Moment::exact(happened_at, local)),
        cause: entry.draft.cause.clone(),
        reason: match kind {
            EntryKind::Void { reason, .. } | EntryKind::Adjustment { reason, .. } => Some(reason.clone()),
            _ => None,
        },
        amount,
        moved,
        postings: row.lines.iter().take(POSTINGS).map(posting).collect(),
        more: row.lines.len().saturating_sub(POSTINGS),
        hash: hex(&entry.hash),
    })
}

/// Where an account of the org's own is shown.
pub(super) fn account_href(account: Account) -> Option<String> {
    match account {
        Account::Grant(grant) => Some(grant_href(&grant.to_string())),
        _ => None,
    }
}

fn grant_href(grant: &str) -> String {
    format!("/grants#{grant}")
}

/// What an entry is about, in words and as links.
fn about(kind: &EntryKind) -> (String, Vec<(String, String)>) {
    let grant = |id: &ledger::GrantId| (id.to_string(), grant_href(&id.to_string()));
    let event = |id: &ledger::EventSeq| (id.to_string(), format!("/events/{id}"));
    match kind {
        EntryKind::RateCard { version, .. } => (format!("Version {} of the rate card", version.0), Vec::new()),
        EntryKind::Grant { grant: id, .. } | EntryKind::Expiry { grant: id } | EntryKind::Repayment { grant: id } => {
            (id.to_string(), vec![grant(id)])
        }
        EntryKind::Adjustment { grant: id, .. } => (id.to_string(), vec![grant(id)]),
        EntryKind::Usage { first, last, .. } if first == last => (first.to_string(), vec![event(first)]),
        EntryKind::Usage { first, last, .. } => {
            let count = crate::format::counted(last.0 - first.0 + 1, "event", "events");
            (format!("{count}, {first} to {last}"), vec![event(first), event(last)])
        }
        EntryKind::Rollover { grant: id, child, .. } => (format!("{id} to {child}"), vec![grant(id), grant(child)]),
        EntryKind::Hold { hold, .. }
        | EntryKind::Extension { hold, .. }
        | EntryKind::Release { hold }
        | EntryKind::HoldExpiry { hold } => (hold.to_string(), Vec::new()),
        EntryKind::Capture { hold, event: id, .. } => (format!("{hold} as {id}"), vec![event(id)]),
        EntryKind::Void { event: id, replacement, refund, .. } => {
            let mut links = vec![event(id)];
            links.extend(replacement.iter().map(event));
            links.extend(refund.iter().map(|(id, _)| grant(id)));
            let replaced = replacement.map(|id| format!(", replaced by {id}")).unwrap_or_default();
            (format!("{id}{replaced}"), links)
        }
    }
}

/// What the org has more or less by an entry; what moved, where it has neither.
fn amount_of(row: &EntryRow) -> Result<(Option<Credits>, bool), Refusal> {
    let postings = || row.lines.iter().map(|line| line.posting);
    let own = |account| matches!(account, Account::Grant(_) | Account::Hold(_) | Account::Debt);
    let net = Credits::sum(postings().filter(|posting| own(posting.account)).map(|posting| posting.amount))?;
    if !net.is_zero() {
        return Ok((Some(net), false));
    }
    let moved = Credits::sum(postings().map(|posting| posting.amount).filter(|amount| amount.is_positive()))?;
    Ok((moved.is_positive().then_some(moved), moved.is_positive()))
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { problem: refusal.to_string() }
    }
}
