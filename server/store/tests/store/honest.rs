//! Whatever honest history there is verifies: nothing is taken for tampering that the store itself wrote.

use crate::common::{Bench, NOON, Random, credits, event};
use ledger::{EventSeq, GrantKind, HoldId, Policy, Rollover, Scope, Timestamp, rollover::Cap};
use store::{CorrectionRequest, NewGrant, NewHold};

/// Histories in a run, each of so many steps.
const HISTORIES: u64 = 12;
const STEPS: u64 = 40;
const HOUR: i64 = 3_600_000_000;

async fn history(seed: u64) {
    let mut bench = Bench::new().await;
    let org = bench.org("Acme", "America/St_Johns").await;
    let other = bench.org("Bolt", "Asia/Kathmandu").await;
    let mut random = Random(seed);
    let mut now = NOON.micros();
    let some = |random: &mut Random, below: usize| i64::try_from(random.below(below)).expect("small");
    for step in 0..STEPS {
        let by = || "test".to_owned();
        let amount = credits(&format!("{}.{:03}", some(&mut random, 9), 1 + some(&mut random, 998)));
        let event_of = |random: &mut Random| {
            let (meter, project, quantity) =
                (["export", "computation"][random.below(2)], random.below(3), random.below(7));
            event(&format!(
                r#"{{"id":"{step}-{}","source":"api","type":"{meter}","data":{{"quantity":{quantity},"project":"p{project}"}}}}"#,
                random.next()
            ))
        };
        // What is refused is refused: only what is booked must verify.
        match random.below(14) {
            0 | 1 => {
                let kind = GrantKind::ALL[random.below(3)];
                let effective = now + (some(&mut random, 9) - 5) * HOUR;
                let expires = (random.below(3) > 0).then(|| effective + (1 + some(&mut random, 12)) * HOUR);
                let cap = [None, Some(Cap::Percent(30)), Some(Cap::Credits(credits("1")))][random.below(3)];
                let plan = kind == GrantKind::Plan && expires.is_some();
                let new = NewGrant {
                    kind,
                    amount,
                    priority: i16::from(random.below(3) == 0),
                    scope: if random.below(4) == 0 {
                        serde_json::from_str(r#"{"meters":["export"]}"#).expect("a scope")
                    } else {
                        Scope::default()
                    },
                    effective_at: (random.below(2) == 0).then(|| Timestamp::from_micros(effective)),
                    expires_at: expires.map(Timestamp::from_micros),
                    description: "given".to_owned(),
                    cost: None,
                    rollover: plan.then_some(Rollover { cap, months: None }),
                };
                let _ = bench.store.give_grant(org, by(), new, None).await;
            }
            2..=4 => {
                let events = (0..random.below(4)).map(|_| event_of(&mut random)).collect();
                let elsewhere = bench.store.ingest(other, by(), vec![event_of(&mut random)]);
                let _ = tokio::join!(bench.store.ingest(org, by(), events), elsewhere);
            }
            5 | 6 => {
                let seconds = Some(60 * (1 + some(&mut random, 500)));
                let new = NewHold {
                    user: None,
                    tenant: None,
                    amount,
                    expires_in_s: seconds,
                    meter: None,
                    source: None,
                    project: None,
                    description: String::new(),
                };
                let _ = bench.store.create_hold(org, by(), new, None).await;
            }
            7 => drop(bench.store.capture_hold(org, by(), HoldId(1 + some(&mut random, 6)), Some(amount), None).await),
            8 => drop(bench.store.release_hold(org, by(), HoldId(1 + some(&mut random, 6)), None).await),
            9 => drop(bench.store.extend_hold(org, by(), HoldId(1 + some(&mut random, 6)), 90_000, None).await),
            10 => {
                let (event, reason) = (EventSeq(1 + some(&mut random, 30)), "wrong".to_owned());
                let request = match random.below(2) {
                    0 => CorrectionRequest::Void { event, reason },
                    _ => CorrectionRequest::Replace { event, reason, with: Box::new(event_of(&mut random)) },
                };
                drop(bench.store.correct(org, by(), request, random.below(3) == 0, None).await);
            }
            11 => {
                let amount = if random.below(2) == 0 { amount } else { amount.negated().expect("fits") };
                let request =
                    CorrectionRequest::Adjust { amount, grant: None, expires_at: None, reason: "so".to_owned() };
                drop(bench.store.correct(org, by(), request, false, None).await);
            }
            12 => {
                let policy = [
                    Policy::Pause,
                    Policy::Overdraft { limit: credits("9") },
                    Policy::FinishInFlight { limit: credits("3") },
                ];
                bench.store.set_policy(org, policy[random.below(3)]).await.expect("a policy");
            }
            _ if random.below(2) == 0 => bench.reopen().await,
            _ => drop(bench.store.book_due().await.expect("books")),
        }
        // Mostly on, now and then back, now and then not at all.
        now += [0, 0, 1, HOUR / 3, 2 * HOUR, 9 * HOUR, -HOUR][random.below(7)];
        bench.clock.set(Timestamp::from_micros(now));
    }
    let found = bench.store.verify(|_, _| ()).await.expect("readable").problems;
    assert_eq!(found, Vec::<String>::new(), "seed {seed}");
}

#[tokio::test]
async fn honest_histories_verify() {
    for seed in 0..HISTORIES.max(u64::from(proptest::test_runner::Config::default().cases) / 64) {
        history(seed).await;
    }
}
