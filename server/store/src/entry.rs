//! Entries and their postings: written once, listed, filtered, paged.

use crate::Store;
use crate::error::StoreError;
use crate::rows::{Columns, unreadable};
use ledger::canon::Hash;
use ledger::entry::{Draft, GENESIS, Head};
use ledger::{
    Account, Credits, Entry, EntryKind, EntrySeq, EventSeq, GrantId, HoldId, OrgId, Posting, RateCardVersion, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};

/// Entries on one page, at most.
pub const MAX_PAGE: u32 = 200;

/// Which entries are wanted: newest first.
#[derive(Debug, Clone, Default)]
pub struct EntryPage {
    /// Only of this kind, by its name ([`EntryKind::NAMES`]).
    pub kind: Option<String>,
    /// Only those that post on this grant.
    pub grant: Option<GrantId>,
    /// Only those booked at this time or later.
    pub from: Option<Timestamp>,
    /// Only those booked before this time.
    pub to: Option<Timestamp>,
    /// Only those before this one.
    pub before: Option<EntrySeq>,
    /// How many, up to [`MAX_PAGE`].
    pub limit: u32,
}

/// A posting and what its account held after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The posting.
    pub posting: Posting,
    /// The account's balance after it.
    pub balance: Credits,
}

/// An entry with its lines.
#[derive(Debug, Clone)]
pub struct EntryRow {
    /// The entry.
    pub entry: Entry,
    /// Its postings, in their order, with the balances they led to.
    pub lines: Vec<Line>,
}

impl Store {
    /// A page of entries, newest first, and the end of the chain.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn entries(&self, org: OrgId, page: EntryPage) -> Result<(Vec<EntryRow>, Head), StoreError> {
        self.read(move |conn| Ok((list(conn, org, &page)?, head(conn, org)?))).await
    }

    /// Where the page of newer entries begins: what its [`EntryPage::before`] must be, `None` for the newest page.
    /// The inner `None` says that there is nothing newer than `page.before`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn newer_entries(&self, org: OrgId, page: EntryPage) -> Result<Option<Option<EntrySeq>>, StoreError> {
        self.read(move |conn| newer(conn, org, &page)).await
    }

    /// The end of an org's chain.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn head(&self, org: OrgId) -> Result<Head, StoreError> {
        self.read(move |conn| head(conn, org)).await
    }

    /// One entry.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn entry(&self, org: OrgId, seq: EntrySeq) -> Result<EntryRow, StoreError> {
        let run = move |conn: &Connection| {
            let found = conn
                .prepare_cached(concat!(entry_sql!(), "WHERE e.org_id = ?1 AND e.seq = ?2"))?
                .query_row([org.0, seq.0], |row| Ok(entry_of(org, row)))
                .optional()?;
            with_lines(conn, found.ok_or(StoreError::NotFound("entry"))??)
        };
        self.read(run).await
    }
}

/// Columns of [`entry_of`].
macro_rules! entry_sql {
    () => {
        concat!(crate::entry::entry_sql!(columns), "FROM entry e ")
    };
    (posting) => {
        concat!(
            crate::entry::entry_sql!(columns),
            "FROM posting p CROSS JOIN entry e ON e.org_id = p.org_id AND e.seq = p.entry_seq "
        )
    };
    (columns) => {
        "SELECT e.seq, e.kind, e.grant_id, e.child_id, e.hold_id, e.version, e.first_event, e.last_event, e.event_seq,
                e.replacement_seq, e.until_at, e.digest, e.reason, e.happened_at, e.booked_at, e.cause, e.hash, e.tiers "
    };
}
pub(crate) use entry_sql;

fn list(conn: &Connection, org: OrgId, page: &EntryPage) -> Result<Vec<EntryRow>, StoreError> {
    // Each filter has an index of its own; `+` keeps SQLite from choosing the one of times for the others.
    // Walks the grant's postings from the newest on, so that a grant with a million of them costs a page as well.
    let by_grant = concat!(
        entry_sql!(posting),
        "WHERE p.org_id = ?1 AND p.account = 'grant' AND p.number = ?7 AND p.entry_seq < ?2
         AND +e.booked_at >= ?3 AND +e.booked_at < ?4 AND (?5 IS NULL OR e.kind = ?5)
         GROUP BY p.entry_seq ORDER BY p.entry_seq DESC LIMIT ?6"
    );
    let by_kind = concat!(
        entry_sql!(),
        "WHERE e.org_id = ?1 AND e.seq < ?2 AND +e.booked_at >= ?3 AND +e.booked_at < ?4 AND e.kind = ?5 AND e.kind <> 'usage' AND ?7 IS NULL
         ORDER BY e.seq DESC LIMIT ?6"
    );
    let any = concat!(
        entry_sql!(),
        "WHERE e.org_id = ?1 AND e.seq < ?2 AND e.booked_at >= ?3 AND e.booked_at < ?4 AND (?5 IS NULL OR e.kind = ?5) AND ?7 IS NULL
         ORDER BY e.seq DESC LIMIT ?6"
    );
    let sql = match (&page.grant, page.kind.as_deref()) {
        (Some(_), _) => by_grant,
        (None, Some(kind)) if kind != "usage" => by_kind,
        (None, _) => any,
    };
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![
        org.0,
        page.before.map_or(i64::MAX, |seq| seq.0),
        page.from.map_or(i64::MIN, Timestamp::micros),
        page.to.map_or(i64::MAX, Timestamp::micros),
        page.kind,
        page.limit.min(MAX_PAGE),
        page.grant.map(|grant| grant.0),
    ])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(entry_of(org, row)?);
    }
    drop(rows);
    entries.into_iter().map(|entry| with_lines(conn, entry)).collect()
}

/// The same filters as [`list`], walked the other way.
fn newer(conn: &Connection, org: OrgId, page: &EntryPage) -> Result<Option<Option<EntrySeq>>, StoreError> {
    let Some(before) = page.before else { return Ok(None) };
    let by_grant = "SELECT p.entry_seq FROM posting p CROSS JOIN entry e ON e.org_id = p.org_id AND e.seq = p.entry_seq
         WHERE p.org_id = ?1 AND p.account = 'grant' AND p.number = ?7 AND p.entry_seq >= ?2
         AND +e.booked_at >= ?3 AND +e.booked_at < ?4 AND (?5 IS NULL OR e.kind = ?5)
         GROUP BY p.entry_seq ORDER BY p.entry_seq LIMIT ?6";
    let by_kind = "SELECT e.seq FROM entry e
         WHERE e.org_id = ?1 AND e.seq >= ?2 AND +e.booked_at >= ?3 AND +e.booked_at < ?4 AND e.kind = ?5 AND e.kind <> 'usage' AND ?7 IS NULL
         ORDER BY e.seq LIMIT ?6";
    let any = "SELECT e.seq FROM entry e
         WHERE e.org_id = ?1 AND e.seq >= ?2 AND +e.booked_at >= ?3 AND +e.booked_at < ?4 AND (?5 IS NULL OR e.kind = ?5) AND ?7 IS NULL
         ORDER BY e.seq LIMIT ?6";
    let sql = match (&page.grant, page.kind.as_deref()) {
        (Some(_), _) => by_grant,
        (None, Some(kind)) if kind != "usage" => by_kind,
        (None, _) => any,
    };
    let limit = i64::from(page.limit.min(MAX_PAGE));
    let mut statement = conn.prepare_cached(sql)?;
    let found = statement.query_map(
        params![
            org.0,
            before.0,
            page.from.map_or(i64::MIN, Timestamp::micros),
            page.to.map_or(i64::MAX, Timestamp::micros),
            page.kind,
            // One more tells whether the page is the newest.
            limit + 1,
            page.grant.map(|grant| grant.0),
        ],
        |row| row.get::<_, i64>(0),
    )?;
    let found = found.collect::<Result<Vec<i64>, _>>()?;
    let beyond = usize::try_from(limit).ok().and_then(|limit| found.get(limit)).copied();
    Ok((!found.is_empty()).then_some(beyond.map(EntrySeq)))
}

fn with_lines(conn: &Connection, mut entry: Entry) -> Result<EntryRow, StoreError> {
    let lines = lines(conn, entry.org, entry.seq)?;
    entry.draft.postings = lines.iter().map(|line| line.posting).collect();
    Ok(EntryRow { entry, lines })
}

/// The postings of an entry, in their order.
pub(crate) fn lines(conn: &Connection, org: OrgId, seq: EntrySeq) -> Result<Vec<Line>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT account, number, amount, balance FROM posting WHERE org_id = ?1 AND entry_seq = ?2 ORDER BY ordinal",
    )?;
    let mut rows = statement.query([org.0, seq.0])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let posting = Posting { account: account_of(row, 0)?, amount: Credits::from_micros(row.get(2)?) };
        lines.push(Line { posting, balance: Credits::from_micros(row.get(3)?) });
    }
    Ok(lines)
}

/// The end of an org's chain.
pub(crate) fn head(conn: &Connection, org: OrgId) -> Result<Head, StoreError> {
    Ok(last(conn, org)?.map_or(Head { seq: EntrySeq(0), hash: GENESIS }, |(head, _)| head))
}

/// The end of an org's chain, and when it was booked.
pub(crate) fn last(conn: &Connection, org: OrgId) -> Result<Option<(Head, Timestamp)>, StoreError> {
    let found = conn
        .prepare_cached("SELECT seq, hash, booked_at FROM entry WHERE org_id = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([org.0], |row| {
            let head = Head { seq: EntrySeq(row.get(0)?), hash: row.get(1)? };
            Ok((head, Timestamp::from_micros(row.get(2)?)))
        })
        .optional()?;
    Ok(found)
}

/// What the columns of an entry's kind are.
#[derive(Default)]
struct Parts<'e> {
    grant: Option<i64>,
    child: Option<i64>,
    hold: Option<i64>,
    version: Option<i64>,
    range: Option<(i64, i64)>,
    event: Option<i64>,
    replacement: Option<i64>,
    until: Option<i64>,
    digest: Option<&'e Hash>,
    reason: Option<&'e str>,
    tiers: bool,
}

impl<'e> Parts<'e> {
    fn of(kind: &'e EntryKind) -> Self {
        let none = Self::default();
        match kind {
            EntryKind::RateCard { version, terms } => Self { version: Some(version.0), digest: Some(terms), ..none },
            EntryKind::Grant { grant, terms } => Self { grant: Some(grant.0), digest: terms.as_ref(), ..none },
            EntryKind::Expiry { grant } | EntryKind::Repayment { grant } => Self { grant: Some(grant.0), ..none },
            EntryKind::Usage { first, last, root } => {
                Self { range: Some((first.0, last.0)), digest: Some(root), ..none }
            }
            EntryKind::Rollover { grant, child, terms } => {
                Self { grant: Some(grant.0), child: Some(child.0), digest: Some(terms), ..none }
            }
            EntryKind::Hold { hold, terms } => Self { hold: Some(hold.0), digest: Some(terms), ..none },
            EntryKind::Extension { hold, until } => Self { hold: Some(hold.0), until: Some(until.micros()), ..none },
            EntryKind::Capture { hold, event, root } => {
                Self { hold: Some(hold.0), range: Some((event.0, event.0)), digest: Some(root), ..none }
            }
            EntryKind::Release { hold } | EntryKind::HoldExpiry { hold } => Self { hold: Some(hold.0), ..none },
            EntryKind::Void { event, replacement, refund, tiers, reason } => Self {
                event: Some(event.0),
                replacement: replacement.map(|seq| seq.0),
                grant: refund.as_ref().map(|(grant, _)| grant.0),
                digest: refund.as_ref().map(|(_, terms)| terms),
                reason: Some(reason),
                tiers: *tiers,
                ..none
            },
            EntryKind::Adjustment { grant, terms, reason } => {
                Self { grant: Some(grant.0), digest: terms.as_ref(), reason: Some(reason), ..none }
            }
        }
    }
}

/// Writes an entry without its postings.
pub(crate) fn insert(conn: &Connection, entry: &Entry) -> Result<(), StoreError> {
    let parts = Parts::of(&entry.draft.kind);
    conn.prepare_cached(
        "INSERT INTO entry (org_id, seq, kind, grant_id, child_id, hold_id, version, first_event, last_event, event_seq,
                            replacement_seq, until_at, digest, reason, happened_at, booked_at, cause, hash, tiers)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
    )?
    .execute(params![
        entry.org.0,
        entry.seq.0,
        entry.draft.kind.name(),
        parts.grant,
        parts.child,
        parts.hold,
        parts.version,
        parts.range.map(|(first, _)| first),
        parts.range.map(|(_, last)| last),
        parts.event,
        parts.replacement,
        parts.until,
        parts.digest.map(Hash::as_slice),
        parts.reason,
        entry.draft.happened_at.micros(),
        entry.booked_at.micros(),
        entry.draft.cause,
        entry.hash.as_slice(),
        parts.tiers,
    ])?;
    Ok(())
}

/// An entry from the columns of [`entry_sql`], without its postings.
pub(crate) fn entry_of(org: OrgId, row: &rusqlite::Row<'_>) -> Result<Entry, StoreError> {
    Ok(Entry {
        org,
        seq: EntrySeq(row.get(0)?),
        booked_at: Timestamp::from_micros(row.get(14)?),
        draft: Draft {
            kind: kind_of(row)?,
            happened_at: Timestamp::from_micros(row.get(13)?),
            cause: row.get(15)?,
            postings: Vec::new(),
        },
        hash: row.get(16)?,
    })
}

/// Whether the columns of a row say of its kind what [`insert`] writes and nothing else: what a kind has no use for is not
/// hashed, so it must be empty.
pub(crate) fn has_only_its_own(kind: &EntryKind, row: &rusqlite::Row<'_>) -> Result<bool, StoreError> {
    let parts = Parts::of(kind);
    let numbers = [
        (2, parts.grant),
        (3, parts.child),
        (4, parts.hold),
        (5, parts.version),
        (6, parts.range.map(|(first, _)| first)),
        (7, parts.range.map(|(_, last)| last)),
        (8, parts.event),
        (9, parts.replacement),
        (10, parts.until),
    ];
    for (column, expected) in numbers {
        if row.get::<_, Option<i64>>(column)? != expected {
            return Ok(false);
        }
    }
    let reason: Option<String> = row.get(12)?;
    let flag = row.get::<_, i64>(17)? == i64::from(parts.tiers);
    Ok(flag && row.get::<_, Option<Hash>>(11)?.as_ref() == parts.digest && reason.as_deref() == parts.reason)
}

fn kind_of(row: &rusqlite::Row<'_>) -> Result<EntryKind, StoreError> {
    let grant = || row.get::<_, i64>(2).map(GrantId);
    let hold = || row.get::<_, i64>(4).map(HoldId);
    let digest = || row.get::<_, Hash>(11);
    let maybe_digest = || row.get::<_, Option<Hash>>(11);
    Ok(match row.get::<_, String>(1)?.as_str() {
        "rate_card" => EntryKind::RateCard { version: RateCardVersion(row.get(5)?), terms: digest()? },
        "grant" => EntryKind::Grant { grant: grant()?, terms: maybe_digest()? },
        "expiry" => EntryKind::Expiry { grant: grant()? },
        "repayment" => EntryKind::Repayment { grant: grant()? },
        "usage" => EntryKind::Usage { first: EventSeq(row.get(6)?), last: EventSeq(row.get(7)?), root: digest()? },
        "rollover" => EntryKind::Rollover { grant: grant()?, child: GrantId(row.get(3)?), terms: digest()? },
        "hold" => EntryKind::Hold { hold: hold()?, terms: digest()? },
        "extension" => EntryKind::Extension { hold: hold()?, until: Timestamp::from_micros(row.get(10)?) },
        "capture" => EntryKind::Capture { hold: hold()?, event: EventSeq(row.get(6)?), root: digest()? },
        "release" => EntryKind::Release { hold: hold()? },
        "hold_expiry" => EntryKind::HoldExpiry { hold: hold()? },
        "void" => EntryKind::Void {
            event: EventSeq(row.get(8)?),
            replacement: row.get::<_, Option<i64>>(9)?.map(EventSeq),
            refund: row.get::<_, Option<i64>>(2)?.map(GrantId).zip(maybe_digest()?),
            tiers: row.get(17)?,
            reason: row.get(12)?,
        },
        "adjustment" => EntryKind::Adjustment { grant: grant()?, terms: maybe_digest()?, reason: row.get(12)? },
        _ => return Err(unreadable("kind of entry")),
    })
}

pub(crate) fn account_of(row: &impl Columns, column: usize) -> Result<Account, StoreError> {
    let name: String = row.get(column)?;
    Account::from_parts(&name, row.get(column + 1)?).ok_or_else(|| unreadable("account"))
}
