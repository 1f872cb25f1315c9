//! Whether an event is in the ledger as it is shown: checked from what is shown, by whoever shows it.
//!
//! The same rules as the writer's, so the browser needs to trust nobody: what the event says and cost gives its leaf, the
//! leaf leads over the neighbours' hashes to the root that the entry binds, and the entry's hash follows from all of it
//! and the hash before. No hash that the server made of the event itself is looked at.

use ledger::canon::{Canon, Hash};
use ledger::entry::{Draft, Head};
use ledger::merkle::Proof;
use ledger::settle::{Charge, leaf};
use ledger::{Account, Credits, Entry, EntryKind, EntrySeq, Event, EventSeq, HoldId, OrgId, Posting, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An event with everything that its place in the chain follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its place in the order of acceptance.
    pub seq: EventSeq,
    /// What was said.
    pub event: Event,
    /// When it counts.
    pub occurred_at: Timestamp,
    /// What it cost.
    pub charges: Vec<Charge>,
    /// The way from its leaf to the root.
    pub proof: Proof,
    /// The entry that settled it, with its postings.
    #[serde(serialize_with = "write_entry", deserialize_with = "read_entry")]
    pub entry: Entry,
    /// The hash before that entry.
    pub previous: Hash,
    /// The end of the chain.
    pub head: Head,
}

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The entry is not one that settles this event.
    #[error("the entry does not settle this event")]
    Place,
    /// The event as it is shown is not what the entry's root was made of.
    #[error("the event or a charge is not what was booked")]
    Event,
    /// The entry is not what its hash was made of, or it does not follow the hash before.
    #[error("the entry is not what was sealed behind the one before")]
    Entry,
    /// The chain ends before the entry, or with another one in its place.
    #[error("the chain's end does not have this entry")]
    Head,
}

impl Evidence {
    /// Checks it.
    ///
    /// # Errors
    /// The first [`Misfit`].
    pub fn check(&self) -> Result<(), Misfit> {
        let (first, last, root) = self.entry.draft.kind.settles().ok_or(Misfit::Place)?;
        let size = (last.0.checked_sub(first.0)).and_then(|more| u64::try_from(more).ok()?.checked_add(1));
        let index = self.seq.0.checked_sub(first.0).and_then(|index| u64::try_from(index).ok());
        if index != Some(self.proof.index) || size != Some(self.proof.size) {
            return Err(Misfit::Place);
        }
        let mut canon = Canon::new("");
        let content = self.event.content_hash(&mut canon);
        leaf(&mut canon, self.seq, &content, self.occurred_at, &self.charges);
        if self.proof.root(canon.as_bytes()) != Some(*root) {
            return Err(Misfit::Event);
        }
        let before = self.entry.seq.0.checked_sub(1).ok_or(Misfit::Entry)?;
        if !self.entry.follows(Head { seq: EntrySeq(before), hash: self.previous }) {
            return Err(Misfit::Entry);
        }
        let at_the_end = self.entry.seq == self.head.seq && self.entry.hash == self.head.hash;
        if self.entry.seq < self.head.seq || at_the_end { Ok(()) } else { Err(Misfit::Head) }
    }
}

/// An entry that settles events, on its way to the browser: numbers, and none of the eleven other kinds, whose readers
/// would be a good part of the page's code.
#[derive(Serialize, Deserialize)]
struct Settling {
    org: i64,
    seq: i64,
    happened: i64,
    booked: i64,
    cause: String,
    hold: Option<i64>,
    first: i64,
    last: i64,
    root: Hash,
    /// Name and number of the account, micro-credits.
    postings: Vec<(String, i64, i64)>,
    hash: Hash,
}

fn write_entry<S: Serializer>(entry: &Entry, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::Error as _;
    let draft = &entry.draft;
    let (first, last, root) = draft.kind.settles().ok_or_else(|| S::Error::custom("no entry that settles events"))?;
    let hold = match draft.kind {
        EntryKind::Capture { hold, .. } => Some(hold.0),
        _ => None,
    };
    let posting = |posting: &Posting| {
        let (name, number) = posting.account.parts();
        (name.to_owned(), number, posting.amount.micros())
    };
    Settling {
        org: entry.org.0,
        seq: entry.seq.0,
        happened: draft.happened_at.micros(),
        booked: entry.booked_at.micros(),
        cause: draft.cause.clone(),
        hold,
        first: first.0,
        last: last.0,
        root: *root,
        postings: draft.postings.iter().map(posting).collect(),
        hash: entry.hash,
    }
    .serialize(serializer)
}

fn read_entry<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Entry, D::Error> {
    let Settling { org, seq, happened, booked, cause, hold, first, last, root, postings, hash } =
        Settling::deserialize(deserializer)?;
    let kind = match hold {
        Some(hold) => EntryKind::Capture { hold: HoldId(hold), event: EventSeq(first), root },
        None => EntryKind::Usage { first: EventSeq(first), last: EventSeq(last), root },
    };
    let posting = |(name, number, micros): (String, i64, i64)| {
        let account = Account::from_parts(&name, number).ok_or_else(|| D::Error::custom("no such account"))?;
        Ok(Posting { account, amount: Credits::from_micros(micros) })
    };
    Ok(Entry {
        org: OrgId(org),
        seq: EntrySeq(seq),
        booked_at: Timestamp::from_micros(booked),
        draft: Draft {
            kind,
            happened_at: Timestamp::from_micros(happened),
            cause,
            postings: postings.into_iter().map(posting).collect::<Result<_, D::Error>>()?,
        },
        hash,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::event::{Form, Status};
    use ledger::rate::Carry;
    use ledger::{GrantId, Label, LineNo, Meter, Quantity, RateCardVersion};

    fn event(id: &str) -> Event {
        let json = format!(
            r#"{{"id":"{id}","source":"api","type":"ai_text","time":"2026-11-21T08:15:30.25Z","subject":"user/ada",
                "data":{{"quantities":{{"input_tokens":4808,"images":2.5}},"project":"chat","workflow":"w","run":"r","module":"m",
                "tenant":"t","interaction":"i","bytes":7,"description":"d","attributes":{{"k":"v"}}}}}}"#
        );
        Event::from_json(&json, Form::Plain).expect("valid")
    }

    fn charges(event: &Event) -> Vec<Charge> {
        let charge = |(meter, quantity): &(Meter, Quantity)| Charge {
            meter: meter.clone(),
            quantity: *quantity,
            credits: Credits::from_micros(31),
            version: RateCardVersion(1),
            line: LineNo(2),
            carry_before: Carry(3),
            carry_after: Carry(4),
            tier: None,
        };
        event.quantities.iter().map(charge).collect()
    }

    /// Five events in one entry behind another; the evidence of the fourth.
    fn evidence() -> Evidence {
        let at = Timestamp::from_micros(1_763_712_930_250_000);
        let mut leaves = Vec::new();
        for number in 0..5 {
            let event = event(&format!("call-{number}"));
            let mut canon = Canon::new("");
            let content = event.content_hash(&mut canon);
            leaf(&mut canon, EventSeq(10 + number), &content, at, &charges(&event));
            leaves.push(canon.as_bytes().to_vec());
        }
        let proof = Proof::new(leaves.iter().map(Vec::as_slice), 3).expect("is there");
        let root = proof.root(&leaves[3]).expect("fits");
        let draft = Draft {
            kind: EntryKind::Usage { first: EventSeq(10), last: EventSeq(14), root },
            happened_at: at,
            cause: "key:ab12cd34".to_owned(),
            postings: vec![
                Posting { account: Account::Grant(GrantId(1)), amount: Credits::from_micros(-310) },
                Posting { account: Account::Consumed, amount: Credits::from_micros(310) },
            ],
        };
        let before = Head { seq: EntrySeq(8), hash: [7; 32] };
        let entry = Entry::seal(OrgId(3), before, at, draft).expect("fits");
        let event = event("call-3");
        let head = Head { seq: EntrySeq(12), hash: [9; 32] };
        let charges = charges(&event);
        Evidence { seq: EventSeq(13), event, occurred_at: at, charges, proof, entry, previous: before.hash, head }
    }

    #[test]
    fn it_fits_also_after_a_journey() {
        let sent = evidence();
        assert_eq!(sent.check(), Ok(()));
        let json = serde_json::to_string(&sent).expect("serializes");
        let read: Evidence = serde_json::from_str(&json).expect("reads");
        assert_eq!(read, sent);
        assert_eq!(read.check(), Ok(()));
    }

    #[test]
    fn every_change_is_told() {
        fn label(text: &str) -> Label {
            Label::parse("test", text).expect("valid")
        }
        fn other() -> Timestamp {
            Timestamp::from_micros(1_763_712_930_250_001)
        }
        type Change = fn(&mut Evidence);
        let changes: Vec<(Misfit, Change)> = vec![
            (Misfit::Place, |e| e.seq = EventSeq(12)),
            (Misfit::Place, |e| e.seq = EventSeq(15)),
            (Misfit::Place, |e| e.seq = EventSeq(i64::MIN)),
            (Misfit::Event, |e| e.event.id = label("call-2")),
            (Misfit::Event, |e| e.event.source = label("web")),
            (Misfit::Event, |e| e.event.operation = label("ai_image")),
            (Misfit::Event, |e| e.event.time = None),
            (Misfit::Event, |e| e.event.time = Some(other())),
            (Misfit::Event, |e| e.event.quantities[0].1 = Quantity::ONE),
            (Misfit::Event, |e| e.event.quantities.truncate(1)),
            (Misfit::Event, |e| e.event.reported = Some(1)),
            (Misfit::Event, |e| e.event.project = None),
            (Misfit::Event, |e| e.event.workflow.as_mut().expect("is there").id = label("x")),
            (Misfit::Event, |e| e.event.run = None),
            (Misfit::Event, |e| e.event.module = None),
            (Misfit::Event, |e| e.event.user = Some(label("eve"))),
            (Misfit::Event, |e| e.event.tenant = None),
            (Misfit::Event, |e| e.event.interaction = None),
            (Misfit::Event, |e| e.event.status = Status::Failed),
            (Misfit::Event, |e| e.event.bytes = 8),
            (Misfit::Event, |e| e.event.description = None),
            (Misfit::Event, |e| e.event.attributes.clear()),
            (Misfit::Event, |e| e.occurred_at = other()),
            (Misfit::Event, |e| e.charges[1].credits = Credits::from_micros(30)),
            (Misfit::Event, |e| e.charges[1].quantity = Quantity::ONE),
            (Misfit::Event, |e| e.charges[0].meter = Meter::parse("training").expect("valid")),
            (Misfit::Event, |e| e.charges[0].version = RateCardVersion(2)),
            (Misfit::Event, |e| e.charges[0].line = LineNo(1)),
            (Misfit::Event, |e| e.charges[0].carry_before = Carry(0)),
            (Misfit::Event, |e| drop(e.charges.pop())),
            (Misfit::Event, |e| e.proof.path[0] = [0; 32]),
            (Misfit::Event, |e| e.proof.path.truncate(2)),
            (Misfit::Place, |e| e.proof.index = 2),
            (Misfit::Place, |e| e.proof.size = 6),
            (Misfit::Place, |e| e.entry.draft.kind = EntryKind::Expiry { grant: GrantId(1) }),
            (Misfit::Entry, |e| e.entry.org = OrgId(4)),
            (Misfit::Entry, |e| e.entry.seq = EntrySeq(10)),
            (Misfit::Entry, |e| e.entry.seq = EntrySeq(i64::MIN)),
            (Misfit::Entry, |e| e.entry.booked_at = other()),
            (Misfit::Entry, |e| e.entry.draft.happened_at = other()),
            (Misfit::Entry, |e| e.entry.draft.cause.push('x')),
            (Misfit::Entry, |e| e.entry.draft.postings[0].account = Account::Grant(GrantId(2))),
            (Misfit::Entry, |e| e.entry.draft.postings[0].amount = Credits::from_micros(-309)),
            (Misfit::Entry, |e| e.entry.hash = [1; 32]),
            (Misfit::Entry, |e| e.previous = [8; 32]),
            (Misfit::Head, |e| e.head.seq = EntrySeq(8)),
            (Misfit::Head, |e| e.head.seq = EntrySeq(9)),
        ];
        for (number, (misfit, change)) in changes.into_iter().enumerate() {
            let mut changed = evidence();
            change(&mut changed);
            assert_eq!(changed.check(), Err(misfit), "change {number}");
        }
        let mut at_the_end = evidence();
        at_the_end.head = at_the_end.entry.head();
        assert_eq!(at_the_end.check(), Ok(()));
    }
}
