//! Checking everything, from the rows up: what an operator runs, and what a backup is accepted by.
//!
//! Per org, in this order: the chain of entries with their sums; the cached accounts against the fold of all postings;
//! every event, rated again, against its charges, the carry before it and the Merkle root of its entry; the charges of
//! each entry against what it booked as consumed; the rollups against the events. Last the file itself: pages, indexes,
//! constraints. Reads one snapshot, on a read-only connection of its own, so it needs neither the folder nor its server;
//! changes nothing. Cost: a pass over all rows, some 10 µs each; the log is not cut while it lasts. Memory: one event and
//! the account balances.

use crate::Store;
use crate::entry::{account_of, entry_of, entry_sql, lines};
use crate::error::{OpenError, StoreError};
use crate::event::{charge_of, charge_sql, event_sql, said};
use crate::open;
use crate::rollup::QUARTER_US;
use crate::{meter, rows::unreadable};
use ledger::balance::fold;
use ledger::canon::Canon;
use ledger::entry::Head;
use ledger::merkle::Builder;
use ledger::rate::Carry;
use ledger::settle::{self, Charge};
use ledger::{Account, Credits, Entry, EntrySeq, EventSeq, LineNo, OrgId, RateCard, RateCardVersion};
use rusqlite::{Connection, ErrorCode, Rows};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Problems told per org: the first matters, a few more help, thousands do not.
const MAX_PROBLEMS: usize = 10;
/// How often progress is told, in events.
const PROGRESS_EVERY: u64 = 4_096;

/// What was checked, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Orgs checked.
    pub orgs: u64,
    /// Entries checked.
    pub entries: u64,
    /// Events checked.
    pub events: u64,
    /// What is wrong, one sentence each, the first broken entry of an org first; empty where all is well.
    pub problems: Vec<String>,
}

/// What is being done, for whoever waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Everything is copied.
    Copying,
    /// Events are checked.
    Events {
        /// So many.
        done: u64,
        /// Of so many, by the ledger's own count.
        of: u64,
    },
    /// The rollups of an org are compared with its events.
    Rollups {
        /// Events checked.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// The file's pages, indexes and constraints are checked.
    File,
}

/// Checks the database in a data folder, whether or not a server has it open. Blocks.
///
/// # Errors
/// Where it cannot be checked. What is wrong in it is in the answer, not an error.
pub fn folder(dir: &Path, step: impl FnMut(Step)) -> Result<Verified, OpenError> {
    file(&open::existing(dir)?, step)
}

/// Checks a database or a snapshot, wherever it is. Blocks.
///
/// # Errors
/// Where it cannot be checked. What is wrong in it is in the answer, not an error.
pub fn file(path: &Path, step: impl FnMut(Step)) -> Result<Verified, OpenError> {
    let conn = open::open_current(path)?;
    verify(&conn, step).map_err(|error| match error {
        StoreError::Database(error) => open::open_error(path, &error),
        other => OpenError::Io { path: path.to_owned(), reason: cause(&other) },
    })
}

impl Store {
    /// Checks everything; tells `progress` of events done and events in all.
    ///
    /// # Errors
    /// Where the database cannot be read. What is wrong in it is in the answer, not an error.
    pub async fn verify(&self, mut progress: impl FnMut(u64, u64) + Send + 'static) -> Result<Verified, StoreError> {
        let path = self.path().to_owned();
        let step = move |step| match step {
            Step::Events { done, of } => progress(done, of),
            Step::Copying | Step::Rollups { .. } | Step::File => {}
        };
        let checked = tokio::task::spawn_blocking(move || verify(&open::open_reader(&path)?, step)).await;
        checked.map_err(|error| StoreError::Internal(error.to_string()))?
    }
}

/// Checks the database behind a connection.
pub(crate) fn verify(conn: &Connection, mut step: impl FnMut(Step)) -> Result<Verified, StoreError> {
    conn.execute_batch("BEGIN")?;
    let of: i64 = conn.query_row("SELECT coalesce(sum(events), 0) FROM org_total", [], |row| row.get(0))?;
    let of = u64::try_from(of).unwrap_or(0);
    let orgs: Vec<i64> = conn
        .prepare("SELECT org_id FROM org ORDER BY org_id")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut verified = Verified::default();
    for id in orgs {
        let mut problems = Vec::new();
        let walked = Check::new(conn, OrgId(id), of).and_then(|mut check| {
            let walked = check.run(&mut verified, &mut step);
            problems = check.problems;
            walked
        });
        match walked {
            // What cannot even be read was tampered with or damaged: that is an answer, not an error.
            Err(error) if is_finding(&error) => problems.push(format!("unreadable: {}", cause(&error))),
            walked => walked?,
        }
        verified.orgs += 1;
        let name = OrgId(id);
        verified.problems.extend(problems.into_iter().take(MAX_PROBLEMS).map(|problem| format!("{name}: {problem}")));
    }
    step(Step::Events { done: verified.events, of });
    step(Step::File);
    verified.problems.extend(file_problems(conn)?);
    conn.execute_batch("COMMIT")?;
    Ok(verified)
}

/// What SQLite finds in the file, whatever the rows say: a damaged page, an index that lacks a row.
pub(crate) fn file_problems(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let lines = conn.prepare("PRAGMA integrity_check(10)").and_then(|mut statement| {
        statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    });
    match lines.map_err(StoreError::from) {
        Ok(lines) => Ok(lines.iter().filter(|line| *line != "ok").map(|line| format!("the file: {line}")).collect()),
        Err(error) if is_finding(&error) => Ok(vec![format!("the file: {}", cause(&error))]),
        Err(error) => Err(error),
    }
}

/// Whether an error tells of what is stored, not of a disk or a lock that keeps it from being read.
fn is_finding(error: &StoreError) -> bool {
    match error {
        StoreError::Internal(_) | StoreError::Refused(_) => true,
        StoreError::Database(error) => error.sqlite_error_code().is_none_or(|code| {
            matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
        }),
        _ => false,
    }
}

/// In its own words, for whoever owns the database.
pub(crate) fn cause(error: &StoreError) -> String {
    match error {
        StoreError::Internal(text) => text.clone(),
        StoreError::Database(error) => open::words(error),
        other => other.to_string(),
    }
}

struct Check<'c> {
    conn: &'c Connection,
    org: OrgId,
    of: u64,
    cards: Vec<RateCard>,
    carries: HashMap<(RateCardVersion, LineNo), Carry>,
    problems: Vec<String>,
}

impl<'c> Check<'c> {
    fn new(conn: &'c Connection, org: OrgId, of: u64) -> Result<Self, StoreError> {
        Ok(Self { conn, org, of, cards: meter::cards(conn, org)?, carries: HashMap::new(), problems: Vec::new() })
    }

    fn run(&mut self, verified: &mut Verified, step: &mut dyn FnMut(Step)) -> Result<(), StoreError> {
        let mut events = Events::new(self.conn)?;
        let mut event_rows = events.rows.query([self.org.0])?;
        let mut charge_rows = events.charges.query([self.org.0])?;
        let mut stream = Stream { rows: &mut event_rows, charges: &mut charge_rows, waiting: None };
        let mut head = Head::START;
        let mut next_event = 1;
        let mut balances: BTreeMap<Account, Credits> = BTreeMap::new();
        let mut entries = Entries::new(self.conn, self.org);
        while let Some(entry) = entries.next()? {
            verified.entries += 1;
            if !entry.follows(head) {
                let seq = EntrySeq(head.seq.0 + 1);
                self.problems
                    .push(format!("{seq} is the first broken entry: number, sum or hash is not what was sealed"));
                return Ok(());
            }
            head = entry.head();
            for (account, amount) in fold(&entry.draft.postings)? {
                let balance = balances.entry(account).or_default();
                *balance = balance.plus(amount)?;
            }
            if let Some((first, last, root)) = entry.draft.kind.settles() {
                if first.0 != next_event {
                    self.problems
                        .push(format!("{} settles events from {first} on, not from event_{next_event}", entry.seq));
                }
                next_event = last.0 + 1;
                self.usage(&entry, (first, last), root, &mut stream, verified, step)?;
            }
        }
        if stream.next()?.is_some() {
            self.problems.push("there are events that no entry settles".to_owned());
        }
        self.accounts(&balances)?;
        self.grants(&balances)?;
        self.stored_carries()?;
        step(Step::Rollups { done: verified.events, of: self.of });
        self.rollups(balances.get(&Account::Consumed).copied().unwrap_or_default())
    }

    /// The events of one usage entry: rated again, root and sum compared.
    fn usage(
        &mut self,
        entry: &Entry,
        (first, last): (EventSeq, EventSeq),
        root: &[u8; 32],
        stream: &mut Stream<'_, '_>,
        verified: &mut Verified,
        step: &mut dyn FnMut(Step),
    ) -> Result<(), StoreError> {
        let (mut tree, mut canon, mut total) = (Builder::default(), Canon::new(""), Credits::ZERO);
        for expected in first.0..=last.0 {
            let Some((said, charges)) = stream.next()? else {
                self.problems.push(format!("{}: event_{expected} is missing", entry.seq));
                return Ok(());
            };
            if said.seq.0 != expected {
                self.problems.push(format!("{}: event_{expected} is missing, {} stands there", entry.seq, said.seq));
                return Ok(());
            }
            let content = said.event.content_hash(&mut canon);
            settle::leaf(&mut canon, said.seq, &content, said.occurred_at, &charges);
            tree.push(canon.as_bytes());
            total = total.plus(Credits::sum(charges.iter().map(|charge| charge.credits))?)?;
            self.rated_again(said.seq, said.event.reported, &charges)?;
            verified.events += 1;
            if verified.events.is_multiple_of(PROGRESS_EVERY) {
                step(Step::Events { done: verified.events, of: self.of });
            }
        }
        if tree.root() != *root {
            self.problems.push(format!("{}: the events {first} to {last} are not those it settled", entry.seq));
        }
        let booked = fold(&entry.draft.postings)?.get(&Account::Consumed).copied().unwrap_or_default();
        if booked != total {
            self.problems.push(format!("{} booked {booked} as consumed, its charges are {total}", entry.seq));
        }
        Ok(())
    }

    fn rated_again(&mut self, seq: EventSeq, reported: Option<i64>, charges: &[Charge]) -> Result<(), StoreError> {
        for charge in charges {
            let card = meter::card_of(&self.cards, charge.version, &charge.meter);
            let line = card.as_ref().and_then(|card| card.line(charge.line)).ok_or_else(|| unreadable("rate line"))?;
            let rated = line.rate(charge.quantity, reported, charge.carry_before)?;
            let carried = self.carries.insert((charge.version, charge.line), rated.carry).unwrap_or_default();
            if rated.credits != charge.credits || carried != charge.carry_before {
                self.problems.push(format!(
                    "{seq}: {} is charged {}, rated again it is {}",
                    charge.meter, charge.credits, rated.credits
                ));
            }
        }
        Ok(())
    }

    fn accounts(&mut self, balances: &BTreeMap<Account, Credits>) -> Result<(), StoreError> {
        let mut cached = BTreeMap::new();
        let mut statement = self.conn.prepare("SELECT account, number, balance FROM account WHERE org_id = ?1")?;
        let mut rows = statement.query([self.org.0])?;
        while let Some(row) = rows.next()? {
            cached.insert(account_of(row, 0)?, Credits::from_micros(row.get(2)?));
        }
        let of = |map: &BTreeMap<Account, Credits>, account| map.get(account).copied().unwrap_or_default();
        for account in balances.keys().chain(cached.keys().filter(|account| !balances.contains_key(account))) {
            let (true_balance, cache) = (of(balances, account), of(&cached, account));
            if true_balance != cache {
                self.problems
                    .push(format!("the cached balance of {account} is {cache}, its postings say {true_balance}"));
            }
        }
        Ok(())
    }

    /// Every grant's row says what its entry booked.
    fn grants(&mut self, balances: &BTreeMap<Account, Credits>) -> Result<(), StoreError> {
        let differing: i64 = self.conn.query_row(
            "SELECT (SELECT count(*) FROM credit_grant g LEFT JOIN entry e ON e.org_id = g.org_id AND e.seq = g.given_seq
                     LEFT JOIN posting p ON p.org_id = e.org_id AND p.entry_seq = e.seq AND p.account = 'grant' AND p.number = g.grant_id
                     WHERE g.org_id = ?1 AND p.amount IS NOT g.amount)
                  + (SELECT count(*) FROM entry e WHERE e.org_id = ?1 AND e.kind = 'grant'
                     AND NOT EXISTS (SELECT 1 FROM credit_grant g WHERE g.org_id = e.org_id AND g.grant_id = e.grant_id))",
            [self.org.0],
            |row| row.get(0),
        )?;
        if differing > 0 {
            self.problems.push(format!("{differing} grants differ from the entries that gave them"));
        }
        let below =
            balances.iter().filter(|(account, balance)| matches!(account, Account::Grant(_)) && balance.is_negative());
        for (account, balance) in below {
            self.problems.push(format!("{account} is below zero: {balance}"));
        }
        Ok(())
    }

    fn stored_carries(&mut self) -> Result<(), StoreError> {
        let mut statement = self.conn.prepare("SELECT version, line, carry FROM carry WHERE org_id = ?1")?;
        let mut rows = statement.query([self.org.0])?;
        let mut stored = HashMap::new();
        while let Some(row) = rows.next()? {
            stored.insert((RateCardVersion(row.get(0)?), LineNo(row.get(1)?)), Carry(row.get(2)?));
        }
        for (key, carry) in stored.iter().chain(self.carries.iter()) {
            let (a, b) =
                (stored.get(key).copied().unwrap_or_default(), self.carries.get(key).copied().unwrap_or_default());
            if a != b {
                self.problems
                    .push(format!("the carry of {} of {} is not what its events leave ({})", key.1, key.0, carry.0));
                return Ok(());
            }
        }
        Ok(())
    }

    /// The rollups against the events, row by row and both ways, and their sum against the ledger.
    fn rollups(&mut self, consumed: Credits) -> Result<(), StoreError> {
        for (what, table, events) in [("usage", "usage_quarter", EVENT_USAGE), ("calls", "calls_quarter", EVENT_CALLS)]
        {
            let columns = if what == "usage" { USAGE_COLUMNS } else { CALLS_COLUMNS };
            // What is free and of no quantity has a row that says nothing.
            let nothing =
                if what == "usage" { "credits = 0 AND quantity = 0 AND quantity_micros = 0" } else { "events = 0" };
            let kept = format!("SELECT {columns} FROM {table} WHERE org_id = ?1 AND NOT ({nothing})");
            // Materialized: folding all events is most of the work, and is done once.
            let sql = format!(
                "WITH folded AS MATERIALIZED ({events})
                 SELECT (SELECT count(*) FROM ({kept} EXCEPT SELECT * FROM folded))
                      + (SELECT count(*) FROM (SELECT * FROM folded EXCEPT {kept}))"
            );
            let differing: i64 =
                self.conn.query_row(&sql, rusqlite::params![self.org.0, QUARTER_US], |row| row.get(0))?;
            if differing > 0 {
                self.problems.push(format!("{differing} rows of the {what} rollup differ from the events"));
            }
        }
        let (quarters, days): (i64, i64) = self.conn.query_row(
            "SELECT coalesce((SELECT sum(credits) FROM usage_quarter WHERE org_id = ?1), 0),
                    coalesce((SELECT sum(credits) FROM usage_day WHERE org_id = ?1), 0)",
            [self.org.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if (quarters, days) != (consumed.micros(), consumed.micros()) {
            let (quarters, days) = (Credits::from_micros(quarters), Credits::from_micros(days));
            self.problems.push(format!(
                "the ledger consumed {consumed}, the rollups say {quarters} by quarter and {days} by day"
            ));
        }
        Ok(())
    }
}

const USAGE_COLUMNS: &str = "bucket, meter_id, source_id, project_id, credits, quantity, quantity_micros";
const CALLS_COLUMNS: &str = "bucket, set_id, source_id, project_id, events, failed, bytes";
const EVENT_USAGE: &str = "SELECT e.occurred_at / ?2, c.meter_id, e.source_id, e.project_id, sum(c.credits),
    sum(c.quantity) + sum(c.quantity_micros) / 1000000, sum(c.quantity_micros) % 1000000
    FROM event e JOIN charge c ON c.org_id = e.org_id AND c.seq = e.seq
    WHERE e.org_id = ?1 AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.org_id = e.org_id AND v.event_seq = e.seq)
    GROUP BY 1, 2, 3, 4 HAVING sum(c.credits) <> 0 OR sum(c.quantity) <> 0 OR sum(c.quantity_micros) <> 0";
const EVENT_CALLS: &str = "SELECT e.occurred_at / ?2, s.set_id, e.source_id, e.project_id, count(*), sum(e.failed), sum(e.bytes)
    FROM event e
    JOIN (SELECT org_id, seq, group_concat(meter_id, ',' ORDER BY meter_id) AS members FROM charge WHERE org_id = ?1 GROUP BY org_id, seq) c
      ON c.org_id = e.org_id AND c.seq = e.seq
    JOIN meter_set s ON s.org_id = e.org_id AND s.members = c.members
    WHERE e.org_id = ?1 AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.org_id = e.org_id AND v.event_seq = e.seq)
    GROUP BY 1, 2, 3, 4";

/// Prepared statements over an org's events and their charges, both in the order of the events.
struct Events<'c> {
    rows: rusqlite::Statement<'c>,
    charges: rusqlite::Statement<'c>,
}

impl<'c> Events<'c> {
    fn new(conn: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            rows: conn.prepare(event_sql!("WHERE e.org_id = ?1 ORDER BY e.seq"))?,
            charges: conn.prepare(charge_sql!("WHERE c.org_id = ?1 ORDER BY c.seq, m.name"))?,
        })
    }
}

/// Events with their charges, one after the other.
struct Stream<'s, 'r> {
    rows: &'s mut Rows<'r>,
    charges: &'s mut Rows<'r>,
    waiting: Option<(EventSeq, Charge)>,
}

impl Stream<'_, '_> {
    fn next(&mut self) -> Result<Option<(crate::event::Said, Vec<Charge>)>, StoreError> {
        let Some(row) = self.rows.next()? else { return Ok(None) };
        let mut said = said(row)?;
        let mut charges = Vec::new();
        loop {
            if self.waiting.is_none() {
                self.waiting = self.charges.next()?.map(charge_of).transpose()?;
            }
            match self.waiting.take() {
                Some((seq, charge)) if seq <= said.seq => charges.push(charge),
                other => {
                    self.waiting = other;
                    break;
                }
            }
        }
        said.event.quantities = charges.iter().map(|charge| (charge.meter.clone(), charge.quantity)).collect();
        Ok(Some((said, charges)))
    }
}

/// The entries of an org with their postings, in order.
struct Entries<'c> {
    conn: &'c Connection,
    org: OrgId,
    last: i64,
}

impl<'c> Entries<'c> {
    fn new(conn: &'c Connection, org: OrgId) -> Self {
        Self { conn, org, last: 0 }
    }

    fn next(&mut self) -> Result<Option<Entry>, StoreError> {
        let sql = concat!(entry_sql!(), "WHERE e.org_id = ?1 AND e.seq > ?2 ORDER BY e.seq LIMIT 1");
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([self.org.0, self.last])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let mut entry = entry_of(self.org, row)?;
        self.last = entry.seq.0;
        entry.draft.postings = lines(self.conn, self.org, entry.seq)?.iter().map(|line| line.posting).collect();
        Ok(Some(entry))
    }
}
