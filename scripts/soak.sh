#!/usr/bin/env bash
# The random tests, as long as somebody wants: HISTORIES=20000 CYCLES=500 make soak. A history that fails is kept in
# server/store/proptest-regressions/ and tried first ever after: check it in with the fix. CRASH_SEED=… chooses other
# moments at which the server is killed.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

histories=${HISTORIES:-20000}

echo "Histories of all operations, store against model: $histories …"
PROPTEST_CASES=$histories cargo test --locked -p scrip-store --test store -- history_is_what_the_model_says

echo "Histories under whole rate cards, ledger against oracle: $histories; on a real file: $((histories / 20 + 1)) …"
PROPTEST_CASES=$histories cargo test --locked -p scrip-ledger --test rating
PROPTEST_CASES=$((histories / 20 + 1)) cargo test --locked -p scrip-store --test store -- whole_cards

cycles=${CYCLES:-500}
echo "Cycles of killing the server while clients write: $cycles …"
CRASH_CYCLES=$cycles cargo test --locked -p scrip-server --test server -- --ignored --nocapture crash::a_server_killed_many_times

echo "Tamperings with a database, each of which verify must find: $histories …"
PROPTEST_CASES=$histories cargo test --locked -p scrip-store --test store -- tampering
