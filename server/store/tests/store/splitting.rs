//! However usage is split, ordered and resent, the totals are the same: on a real file, through the writer.

use crate::common::{Bench, credits, event};
use ledger::Event;
use proptest::prelude::*;

/// Cases per property: each opens a database of its own.
const CASES: u32 = 24;

fn usage(tokens: &[(u32, u32)]) -> Vec<Event> {
    tokens
        .iter()
        .enumerate()
        .map(|(n, (input, output))| {
            event(&format!(
                r#"{{"id":"{n}","source":"s{}","type":"ai_text","data":{{"quantities":{{"input_tokens":{input},"completion_tokens":{output}}},"project":"p{}"}}}}"#,
                n % 2,
                n % 3
            ))
        })
        .collect()
}

/// What is spent in all, after the batches are sent twice; everything verified.
async fn spent(batches: Vec<Vec<Event>>) -> i64 {
    let bench = Bench::new().await;
    let org = bench.org("Acme", "America/New_York").await;
    bench.grant(org, "0.05").await;
    for batch in batches.iter().chain(&batches) {
        bench.ingest(org, batch.clone()).await;
    }
    bench.assert_verified().await;
    let totals = bench.store.totals(org).await.expect("reads");
    let balance = bench.store.balance(org).await.expect("reads");
    assert_eq!(balance.settled, credits("0.05").minus(totals.spent).expect("fits"));
    assert!(totals.difference.is_zero());
    totals.spent.micros()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn totals_do_not_depend_on_how_usage_arrives(
        tokens in prop::collection::vec((0_u32..30_000, 0_u32..3_000), 1..60),
        size in 1_usize..20,
        seed in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let in_order = usage(&tokens);
        let mut shuffled = in_order.clone();
        shuffled.sort_by_key(|event| event.id.as_str().bytes().fold(seed, |hash, byte| hash.rotate_left(7) ^ u64::from(byte).wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let at_once = runtime.block_on(spent(vec![in_order]));
        let split = runtime.block_on(spent(shuffled.chunks(size).map(<[Event]>::to_vec).collect()));
        let exact = tokens.iter().map(|t| i64::from(t.0)).sum::<i64>() * 3 / 5 + tokens.iter().map(|t| i64::from(t.1)).sum::<i64>();
        prop_assert_eq!(at_once, exact);
        prop_assert_eq!(split, exact);
    }
}
