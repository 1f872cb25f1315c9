#!/usr/bin/env bash
# The random tests, as long as somebody wants: HISTORIES=20000 make soak. A seed that fails is kept in
# server/store/proptest-regressions/ and tried first ever after: check it in with the fix.
# shellcheck source=scripts/env.sh
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

histories=${HISTORIES:-20000}

echo "Histories of all operations, store against model: $histories …"
PROPTEST_CASES=$histories cargo test --locked -p scrip-store --test store -- history_is_what_the_model_says

# Cycles of killing the server come here: CYCLES=500 make soak.
