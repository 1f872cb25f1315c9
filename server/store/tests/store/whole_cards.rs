//! Whole rate cards, on a real file: three orgs in turn, commits of any size, versions laid down in between, cycle ends
//! half an hour off the hour, events taken back in any order. What is charged is what the oracle says, to the last
//! micro-credit.

use crate::common::Bench;
use ledger::{Event, OrgId, RateCardVersion, RateLine, Words};
use oracle::{Choices, History, Oracle, Reported, Verdict};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use std::cell::Cell;
use store::{NewOrg, NewRateCard, Outcome};

/// Histories in a run, each on a database of its own; `PROPTEST_CASES` asks for others.
const CASES: u32 = 16;
/// Where the random choices begin.
const SEED: u64 = 0x6361_7264_2026_1121;
/// A zone without daylight-saving time, 5 h 30 min ahead of UTC: [`oracle::KOLKATA_MINUTES`].
const ZONE: &str = "Asia/Kolkata";
/// What each org was given, in micro-credits: some of the usage is paid, much of it goes into debt.
const GIVEN: i128 = 1_000_000_000;

/// One org, as the oracle has it.
struct Org {
    id: OrgId,
    oracle: Oracle,
    /// Micro-credits that went one way or the other.
    moved: i128,
    accepted: Vec<(Reported, Vec<i128>)>,
    /// Those of them that stand.
    standing: Vec<usize>,
}

impl Org {
    async fn new(bench: &Bench, name: &str, history: &History) -> Self {
        let new = NewOrg {
            offers: store::Offers::default(),
            name: name.to_owned(),
            zone: ZONE.to_owned(),
            synthetic: false,
            words: Words::default(),
            meters: vec![],
            agents: vec![],
            lines: history.cards[0].clone(),
        };
        let id = bench.store.create_org(new).await.expect("a new org").id;
        bench.grant(id, "1000").await;
        Self { id, oracle: Oracle::new(&history.cards), moved: 0, accepted: Vec::new(), standing: Vec::new() }
    }

    async fn put(&self, bench: &Bench, lines: &[RateLine]) -> RateCardVersion {
        let new = NewRateCard { lines: lines.to_vec(), ..NewRateCard::default() };
        let done = bench.store.put_rate_card(self.id, "test".to_owned(), new, None).await;
        done.expect("a good card").answer.card.version
    }

    /// Compares what became of an event with what had to.
    fn take(&mut self, reported: &Reported, outcome: &Outcome) {
        let verdict: Verdict = self.oracle.judge(reported.version, &reported.event, reported.cycle());
        let moved = self.moved + verdict.costs.iter().map(|cost| cost.abs()).sum::<i128>();
        // No sum of an org may leave the range, whichever way its credits went.
        let may_overflow = verdict.may_overflow || moved + GIVEN > i128::from(i64::MAX);
        match (outcome, verdict.refused) {
            (Outcome::Accepted { credits, .. }, None) => {
                let costs = verdict.costs.clone();
                assert_eq!(i128::from(credits.micros()), costs.iter().sum::<i128>(), "{:?}", reported.event);
                self.moved = moved;
                self.oracle.accept(verdict);
                self.standing.push(self.accepted.len());
                self.accepted.push((reported.clone(), costs));
            }
            (Outcome::Refused(refusal), refused) => {
                let overflows = refusal.code() == "amount_overflow" && may_overflow;
                assert!(refused == Some(refusal.code()) || overflows, "{refusal:?}: {:?}", reported.event);
            }
            (outcome, refused) => panic!("{outcome:?}, but {refused:?}: {:?}", reported.event),
        }
    }

    /// Takes back one of the events that stand: it must be possible, and what it cost must come back, unless a sum leaves
    /// the range.
    async fn void(&mut self, bench: &Bench, place: usize) {
        let index = self.standing[place];
        let (reported, costs) = &self.accepted[index];
        let moved = self.moved + costs.iter().map(|cost| cost.abs()).sum::<i128>();
        let before = self.oracle.clone();
        let voided = self.oracle.void(reported.version, &reported.event, reported.cycle(), costs);
        let event = ledger::EventSeq(i64::try_from(index).expect("small") + 1);
        let void = store::CorrectionRequest::Void { event, reason: "wrong".to_owned() };
        match bench.store.correct(self.id, "test".to_owned(), void, false, None).await {
            Ok(_) => {
                assert!(voided.fits, "{reported:?}");
                (self.moved, _) = (moved, self.standing.remove(place));
            }
            Err(store::StoreError::Refused(refusal)) => {
                let overflows = !voided.fits || voided.may_overflow || moved + GIVEN > i128::from(i64::MAX);
                assert!(refusal.code() == "amount_overflow" && overflows, "{refusal:?}: {reported:?}");
                self.oracle = before;
            }
            Err(error) => panic!("{error:?}: {reported:?}"),
        }
    }

    /// Every charge as it is kept, its explanation, and the sums.
    async fn compare(&self, bench: &Bench) {
        for ((Reported { event, .. }, costs), seq) in self.accepted.iter().zip(1..) {
            let detail = bench.store.event(self.id, ledger::EventSeq(seq)).await.expect("there");
            assert_eq!(detail.row.event.id, event.id);
            let charged: Vec<i128> = detail.row.charges.iter().map(|charge| charge.credits.micros().into()).collect();
            let explained: Vec<i128> = detail.explained.iter().map(|why| why.why.credits.micros().into()).collect();
            assert_eq!((&charged, &explained), (costs, costs), "{event:?}");
        }
        let totals = bench.store.totals(self.id).await.expect("reads");
        assert_eq!(i128::from(totals.spent.micros()), self.oracle.total());
        assert!(totals.difference.is_zero());
        let balance = bench.store.balance(self.id).await.expect("reads");
        assert_eq!(i128::from(balance.settled.micros()), GIVEN - self.oracle.total());
    }
}

/// Where commits end: as the history says, and before the clock moves or another version is laid down.
fn commits(history: &History) -> Vec<Vec<&Reported>> {
    let mut commits: Vec<Vec<&Reported>> = Vec::new();
    for reported in &history.reported {
        let goes_on =
            |last: &&Reported| !last.ends_commit && last.now == reported.now && last.version == reported.version;
        match commits.last_mut() {
            Some(commit) if commit.last().is_some_and(goes_on) => commit.push(reported),
            _ => commits.push(vec![reported]),
        }
    }
    commits
}

/// Lives through a history; says how many events were accepted.
async fn live(bytes: &[u8]) -> usize {
    let history = History::of(&mut Choices::new(bytes));
    let mut bench = Bench::new().await;
    let mut orgs = Vec::new();
    for name in ["Acme", "Bolt", "Cave"] {
        orgs.push(Org::new(&bench, name, &history).await);
    }
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    let mut choices = Choices::new(&reversed);
    let mut version = 0;
    for commit in commits(&history) {
        bench.clock.set(commit[0].now);
        if commit[0].version != version {
            version = commit[0].version;
            // What was carried and used is read from the file again.
            bench.reopen().await;
            for org in &orgs {
                org.put(&bench, &history.cards[version]).await;
            }
        }
        for org in history.orgs() {
            let own: Vec<&Reported> = commit.iter().copied().filter(|reported| reported.org == org).collect();
            let events: Vec<Event> = own.iter().map(|reported| reported.event.clone()).collect();
            let ingested = bench.ingest(orgs[org].id, events).await;
            for (reported, outcome) in own.into_iter().zip(&ingested.outcomes) {
                orgs[org].take(reported, outcome);
            }
            let standing = orgs[org].standing.len();
            if standing > 0 && choices.once_in(3) {
                orgs[org].void(&bench, choices.below(standing)).await;
            }
        }
    }
    for org in &orgs {
        org.compare(&bench).await;
    }
    bench.assert_verified().await;
    orgs.iter().map(|org| org.accepted.len()).sum()
}

#[test]
fn every_org_is_charged_its_exact_sums_on_a_real_file() {
    let asked = ProptestConfig::default().cases;
    // 256 is proptest's own number: nobody asked for another.
    let cases = if asked == 256 { CASES } else { asked };
    let seed = RngSeed::Fixed(SEED);
    let config = ProptestConfig { cases, rng_seed: seed, failure_persistence: None, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let accepted = Cell::new(0);
    let run = TestRunner::new(config).run(&prop::collection::vec(any::<u8>(), 900..2_400), |choices| {
        accepted.set(accepted.get() + runtime.block_on(live(&choices)));
        Ok(())
    });
    println!("seed {SEED:#x}: {cases} histories, {} events accepted", accepted.get());
    run.expect("every history is charged exactly");
    assert!(accepted.get() > usize::try_from(cases).expect("small") * 5, "too little was accepted to show anything");
}
