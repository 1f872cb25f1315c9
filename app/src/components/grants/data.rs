//! Everything on the Grants page, as one answer of the backend: words and shares are made there, here they are laid out.

use crate::calendar::Day;
use crate::server_fns::Moment;
use ledger::{Balance, Credits};

/// Grants on one page of the list.
pub const PAGE: u32 = 50;
/// Holds that are listed.
pub const HOLDS: usize = 20;

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// Name of the org.
    pub org: String,
    /// IANA name of its zone.
    pub zone: String,
    /// Where this server is reached, for the curl line.
    pub origin: String,
    /// What it has.
    pub balance: Balance,
    /// What its state means and what to do.
    pub state: String,
    /// What happens when credits run out.
    pub policy: String,
    /// Whether it was ever given anything.
    pub ever: bool,
    /// Grants of which something is left or held, in the order in which they are spent.
    pub open: Vec<GrantLine>,
    /// How many there are of those.
    pub count: i64,
    /// The address of the next of those.
    pub more: Option<String>,
    /// Whether this is not their first page.
    pub later: bool,
    /// Those of which nothing is left, newest first, where asked for.
    pub ended: Option<Ended>,
    /// What ends when.
    pub timeline: Timeline,
    /// Pending holds, soonest end first.
    pub holds: Vec<HoldLine>,
    /// How many there are of those.
    pub hold_count: i64,
    /// The forms, for operators.
    pub desk: Option<Desk>,
    /// What was just done.
    pub done: Option<String>,
    /// When all this was read.
    pub as_of: Moment,
}

/// A page of grants of which nothing is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The grants.
    pub grants: Vec<GrantLine>,
    /// The address of older ones.
    pub older: Option<String>,
}

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It takes effect later.
    Scheduled,
    /// It can be spent, or holds have some of it.
    Open,
    /// Nothing is left, and it was all used.
    Spent,
    /// Its time is over.
    Expired,
}

/// What a part of a grant became. The order is that of the bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// Can be spent.
    Left,
    /// Reserved by pending holds.
    Held,
    /// Paid for usage.
    Spent,
    /// Moved on to another grant.
    Rolled,
    /// Lost at its end.
    Expired,
    /// Taken back by hand.
    Voided,
}

/// A part of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What became of it.
    pub kind: PartKind,
    /// How much it is.
    pub credits: Credits,
    /// Its share of the bar in thousandths: never nothing, so that it can be seen.
    pub width: u16,
}

/// One grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantLine {
    /// `grant_3`
    pub id: String,
    /// Its kind in a word.
    pub kind: String,
    /// What people read beside it.
    pub description: String,
    /// All that was given.
    pub amount: Credits,
    /// What can be spent of it.
    pub left: Credits,
    /// What became of it; only what there is.
    pub parts: Vec<Part>,
    /// What it may be spent on; everything where it is empty.
    pub scope: Vec<String>,
    /// Lower is spent first.
    pub priority: i16,
    /// From when.
    pub effective: Moment,
    /// Until when.
    pub expires: Option<Moment>,
    /// What was paid for it.
    pub cost: Option<String>,
    /// The grant whose rest it is.
    pub parent: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// Whether it is spent next, and if only within its scope.
    pub next: Option<String>,
    /// What becomes of its rest, computed in words, for a plan's credits.
    pub rollover: Option<String>,
}

/// What ends when, if nothing else happens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timeline {
    /// The days on which something ends, soonest first.
    pub days: Vec<ExpiryDay>,
    /// How many more there are.
    pub more: i64,
    /// The drawing: stretches of time and how much is available in them.
    pub steps: Vec<Stretch>,
    /// The end of the drawing.
    pub until: String,
    /// What never expires.
    pub lasting: Credits,
}

/// A stretch of time in which the available amount stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins, in thousandths of the width.
    pub x: u16,
    /// How long it is, in thousandths of the width.
    pub width: u16,
    /// How much is available, in thousandths of the most.
    pub height: u16,
    /// The same in words.
    pub title: String,
}

/// A day on which something ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiryDay {
    /// The day, in the org's zone.
    pub day: Day,
    /// How far away that is.
    pub distance: String,
    /// What expires on it.
    pub credits: Credits,
    /// What is available after it, if nothing is used.
    pub after: Credits,
    /// Of which grants.
    pub endings: Vec<EndingLine>,
}

/// The end of one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingLine {
    /// `grant_3`; none where it does not exist yet.
    pub id: Option<String>,
    /// What people read beside it.
    pub title: String,
    /// When exactly.
    pub at: Moment,
    /// What expires.
    pub credits: Credits,
    /// What rolls over instead, and until when.
    pub rolls: Option<String>,
}

/// One pending hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldLine {
    /// `hold_3`
    pub id: String,
    /// What for.
    pub title: String,
    /// Where a capture will count.
    pub place: String,
    /// How much was asked for.
    pub amount: Credits,
    /// What grants do not cover of it.
    pub uncovered: Credits,
    /// Since when.
    pub since: Moment,
    /// Until when.
    pub until: Moment,
}

/// What an operator's forms need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    /// Sent with the form that gives: the same form counts once.
    pub give_key: String,
    /// Sent with the form that adjusts.
    pub adjust_key: String,
    /// What the org pays with, unless the form says something else.
    pub currency: String,
    /// Meters that a scope can name, with their titles.
    pub meters: Vec<(String, String)>,
    /// Grants that can be taken from, with what is left of them.
    pub takeable: Vec<(String, String)>,
    /// What an adjustment would do, where one was asked about; or why it cannot be.
    pub preview: Option<Result<Preview, String>>,
}

/// What an adjustment would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// What was typed.
    pub amount: String,
    /// From which grant; empty for drawdown order.
    pub grant: String,
    /// Why.
    pub reason: String,
    /// What the org has.
    pub before: Balance,
    /// What it would have.
    pub after: Balance,
    /// Grants of which more or less would be left: before and after.
    pub grants: Vec<(String, Credits, Credits)>,
}
